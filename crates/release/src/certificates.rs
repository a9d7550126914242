//! The certificates of the studies in a release: what was done to each, and by which rules.

use crate::ReleaseError;
use crate::folder::{Folder, io_error};
use crate::line::Line;
use scanveil_durable::{SHARED, TempFile};
use scanveil_model::{Digest, ObjectId, Uid};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// How the name of a certificate's file begins, and how it ends.
const NAME: (&str, &str) = ("certificate", ".json");

/// A certificate that a pack carries. Holds new identifiers only.
pub(crate) struct Certificate {
    /// Path within the release; of its study's folder until it has a name.
    pub(crate) path: String,
    pub(crate) patient: Arc<str>,
    pub(crate) study: Uid,
    pub(crate) text: String,
    pub(crate) digest: Digest,
    /// Orders the certificates of a study that was made in several runs.
    pub(crate) made: (i64, ObjectId),
}

/// The certificate of one study in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestCertificate {
    /// Path from the release's folder, with `/`.
    pub path: String,
    /// BLAKE3 digest of the file.
    pub blake3: Digest,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// The patient's pseudonym.
    pub patient_id: String,
    /// New study instance UID.
    pub study_instance_uid: Uid,
}

impl ManifestCertificate {
    pub(crate) fn of(certificate: &Certificate) -> Self {
        Self {
            path: certificate.path.clone(),
            blake3: certificate.digest,
            bytes: certificate.text.len() as u64,
            patient_id: certificate.patient.to_string(),
            study_instance_uid: certificate.study.clone(),
        }
    }
}

/// Whether a file beside a study's series has the name of a certificate.
pub(crate) fn is_certificate(name: &str) -> bool {
    name.starts_with(NAME.0) && name.ends_with(NAME.1)
}

/// Names the certificates: one per study is the rule. A study that grew after its originals were
/// gone has one of each run, in the order in which they were made.
pub(crate) fn named(mut found: Vec<Certificate>) -> Vec<Certificate> {
    found.sort_by(|a, b| (&a.path, a.made).cmp(&(&b.path, b.made)));
    found.dedup_by(|later, first| later.path == first.path && later.digest == first.digest);
    let (mut folder, mut number) = (String::new(), 0);
    for certificate in &mut found {
        if certificate.path != folder {
            (folder, number) = (certificate.path.clone(), 0);
        }
        number += 1;
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        certificate.path = format!("{folder}/{}{suffix}{}", NAME.0, NAME.1);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Keeps the certificates of studies of which something is released; the lines are sorted by path.
pub(crate) fn keep_with(certificates: &mut Vec<Certificate>, lines: &[Line]) {
    certificates.retain(|certificate| {
        let end = certificate.path.rfind('/').map_or(0, |at| at + 1);
        let folder = &certificate.path[..end];
        let first = lines.partition_point(|line| line.path.as_str() < folder);
        lines.get(first).is_some_and(|line| line.path.starts_with(folder))
    });
}

/// Writes the certificates beside the series of their studies.
pub(crate) fn write(certificates: &[Certificate], folder: &Folder) -> Result<(), ReleaseError> {
    let failed = |error| io_error("write a file in", folder.root(), error);
    for certificate in certificates {
        let path = folder.root().join(&certificate.path);
        let parent: &Path = path.parent().unwrap_or(folder.root());
        fs::create_dir_all(parent).map_err(failed)?;
        let mut temporary = TempFile::create(&path, SHARED).map_err(failed)?;
        temporary.write_all(certificate.text.as_bytes()).map_err(failed)?;
        temporary.place().map_err(failed)?;
    }
    Ok(())
}
