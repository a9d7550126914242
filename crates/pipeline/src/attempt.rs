//! What one attempt at a study puts into the store before anything of it is published: noted first,
//! so that a later attempt, which may divide the study into other packs, leaves nothing doubled.

use crate::site::make_folder;
use crate::{PipelineError, Site};
use scanveil_catalog::Catalog;
use scanveil_durable::{sync_data, sync_parent};
use scanveil_model::HospitalId;
use scanveil_seal::StudyKey;
use scanveil_storage::ObjectKey;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The notes, below the work folder: one file per study, named by keyed hashes.
const FOLDER: &str = "attempts";

/// One attempt at a study. It exists on the disk from its first object until that is published, and
/// the spool (or the vault) has the study's instances for at least as long.
pub(crate) struct Attempt {
    path: PathBuf,
    file: Option<File>,
}

fn failed(source: io::Error) -> PipelineError {
    PipelineError::Folder { what: "the folder of attempts", source }
}

impl Attempt {
    /// Begins an attempt. What an earlier one put and never published is taken out of the store.
    /// The caller holds the study's lock.
    pub(crate) fn begin(
        site: &Site,
        hospital: &HospitalId,
        study: &StudyKey,
    ) -> Result<Self, PipelineError> {
        let folder = site.work.join(FOLDER);
        make_folder(&folder, "the folder of attempts")?;
        let mut attempt = Self { path: folder.join(format!("{hospital}.{study}")), file: None };
        for key in noted(&attempt.path).map_err(failed)? {
            if !is_published(&site.catalog, &key)? {
                tracing::info!(object = %key.object(), "an unpublished object is withdrawn");
                site.store.delete(&key)?;
            }
        }
        attempt.end()?;
        Ok(attempt)
    }

    /// Notes an object, durably, that is about to be put.
    pub(crate) fn note(&mut self, key: &ObjectKey) -> Result<(), PipelineError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut options = OpenOptions::new();
                options.append(true).create(true).mode(0o600);
                let file = options.open(&self.path).map_err(failed)?;
                sync_parent(&self.path).map_err(failed)?;
                none.insert(file)
            }
        };
        writeln!(file, "{key}").and_then(|()| sync_data(file)).map_err(failed)
    }

    /// Everything noted is published, or withdrawn.
    pub(crate) fn end(&mut self) -> Result<(), PipelineError> {
        self.file = None;
        match fs::remove_file(&self.path) {
            Ok(()) => sync_parent(&self.path).map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

/// A torn last line is passed over: its object was not put.
fn noted(path: &Path) -> io::Result<Vec<ObjectKey>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(|line| ObjectKey::parse(line).ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// A pack holds at least one instance, so that one without any is not in the catalogue.
fn is_published(catalog: &Catalog, key: &ObjectKey) -> Result<bool, PipelineError> {
    Ok(!catalog.instances(&key.object())?.is_empty())
}

/// Objects that attempts have noted: put now, or left by one that was interrupted.
pub(crate) fn under_way(work: &Path) -> io::Result<BTreeSet<ObjectKey>> {
    let mut keys = BTreeSet::new();
    let listing = match fs::read_dir(work.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(keys),
        listing => listing?,
    };
    for entry in listing {
        keys.extend(noted(&entry?.path())?);
    }
    Ok(keys)
}

/// Objects in the store that no attempt has published, as far as a catalogue tells. Their instances
/// will be processed again.
pub(crate) fn unpublished(
    work: &Path,
    catalog: Option<&Catalog>,
) -> Result<BTreeSet<ObjectKey>, PipelineError> {
    let mut keys = BTreeSet::new();
    for key in under_way(work).map_err(failed)? {
        if !catalog.map_or(Ok(false), |catalog| is_published(catalog, &key))? {
            keys.insert(key);
        }
    }
    Ok(keys)
}
