//! The manifest (`docs/formats/release-manifest.md`): what a release holds, and the proof that one
//! was made.

use crate::ReleaseError;
use crate::certificates::ManifestCertificate;
use crate::line::Line;
use scanveil_catalog::RecordId;
use scanveil_model::{Digest, Generation, ProjectName, Uid};
use serde::{Deserialize, Serialize};

/// The version that is written, and the only one so far.
pub(crate) const MANIFEST_VERSION: u32 = 1;

/// What a finished release holds. Only [`crate::create`] makes one.
///
/// No other crate can make one, or change one:
///
/// ```
/// fn reads(one: &scanveil_release::ReleaseManifest) { let _ = one.project(); }
/// ```
/// ```compile_fail
/// fn forges(one: scanveil_release::ReleaseManifest) -> scanveil_release::ReleaseManifest {
///     scanveil_release::ReleaseManifest(one.0)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ReleaseManifest(pub(crate) Document);

/// The manifest as it lies in `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) version: u32,
    pub(crate) release: RecordId,
    pub(crate) project: ProjectName,
    /// RFC 3339, UTC.
    pub(crate) created_at: String,
    pub(crate) engine: String,
    /// Label of the profile that the project had when the release was made.
    pub(crate) profile: String,
    /// BLAKE3 digest of `manifest.b3`.
    pub(crate) list_digest: Digest,
    pub(crate) totals: Totals,
    pub(crate) left_out: Vec<LeftOut>,
    /// Sorted by path.
    pub(crate) instances: Vec<ManifestInstance>,
    /// Sorted by path.
    pub(crate) certificates: Vec<ManifestCertificate>,
}

/// Counts over a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Patients.
    pub patients: u64,
    /// Studies.
    pub studies: u64,
    /// Series.
    pub series: u64,
    /// Instances.
    pub instances: u64,
    /// Bytes of the instances.
    pub bytes: u64,
}

/// How many instances of the project are not in the release, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// A reason's stable code; those of the filters begin with `filter-`.
    pub reason: String,
    /// Instances.
    pub instances: u64,
}

/// One instance of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestInstance {
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
    /// New series instance UID.
    pub series_instance_uid: Uid,
    /// New SOP instance UID.
    pub sop_instance_uid: Uid,
    /// SOP class.
    pub sop_class_uid: Uid,
    /// Transfer syntax.
    pub transfer_syntax_uid: Uid,
    /// Modality, where the instance names one.
    pub modality: Option<String>,
    /// Generation of its study that was released.
    pub generation: Generation,
    /// Label of the profile applied.
    pub profile: String,
}

impl ReleaseManifest {
    /// The release's identifier.
    #[must_use]
    pub fn release(&self) -> &RecordId {
        &self.0.release
    }
    /// The project.
    #[must_use]
    pub fn project(&self) -> &ProjectName {
        &self.0.project
    }
    /// When it was made, as RFC 3339 in UTC.
    #[must_use]
    pub fn created_at(&self) -> &str {
        &self.0.created_at
    }
    /// Label of the profile that the project had when the release was made.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.0.profile
    }
    /// Instances that were made with another profile than that.
    #[must_use]
    pub fn of_other_profiles(&self) -> u64 {
        let own = |one: &&ManifestInstance| !one.profile.starts_with(&self.0.profile);
        self.0.instances.iter().filter(own).count() as u64
    }
    /// Digest of the list of digests, `manifest.b3`.
    #[must_use]
    pub fn list_digest(&self) -> Digest {
        self.0.list_digest
    }
    /// Counts.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.0.totals
    }
    /// What was left out, by reason.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.0.left_out
    }
    /// The instances, sorted by path.
    #[must_use]
    pub fn instances(&self) -> &[ManifestInstance] {
        &self.0.instances
    }
    /// The certificates of the studies, sorted by path.
    #[must_use]
    pub fn certificates(&self) -> &[ManifestCertificate] {
        &self.0.certificates
    }
}

impl ManifestInstance {
    pub(crate) fn of(line: &Line) -> Self {
        Self {
            path: line.path.clone(),
            blake3: line.digest,
            bytes: line.bytes,
            patient_id: line.patient.to_string(),
            study_instance_uid: line.study.clone(),
            series_instance_uid: line.series.clone(),
            sop_instance_uid: line.sop_instance.clone(),
            sop_class_uid: line.sop_class.clone(),
            transfer_syntax_uid: line.transfer_syntax.clone(),
            modality: line.attribute("Modality").map(str::to_owned),
            generation: line.generation,
            profile: line.profile.to_string(),
        }
    }
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u64,
}

impl Document {
    /// Reads a manifest.
    pub(crate) fn read(json: &[u8]) -> Result<Self, ReleaseError> {
        match serde_json::from_slice::<Self>(json) {
            Ok(document) if document.version == MANIFEST_VERSION => Ok(document),
            // The parser's own message may quote the text, so that only its kind is told.
            _ => Err(match serde_json::from_slice::<VersionOnly>(json) {
                Ok(VersionOnly { version }) if version > u64::from(MANIFEST_VERSION) => {
                    ReleaseError::NewerVersion { found: version, known: MANIFEST_VERSION }
                }
                _ => ReleaseError::Manifest { what: "it is not the JSON document it has to be" },
            }),
        }
    }
}
