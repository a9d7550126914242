//! What a release would lack: objects that are gone or changed, and objects of the project that the
//! catalogue does not know. A release that would be short because of them is not made.

use crate::plan::Opener;
use crate::{ReleaseError, ReleaseRequest, ReleaseSources};
use scanveil_catalog::ObjectRecord;
use scanveil_model::{Coded, Zone};
use scanveil_seal::{PackReader, SealError};
use scanveil_storage::{KeyPrefix, ObjectKey, StorageError, StoredReader};
use std::fmt;

/// One object that a release would lack. Names nobody: a key of the store, and what the study is
/// called in research.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lost {
    /// Where it lies or should lie.
    pub object: ObjectKey,
    /// The study's new UID, or its keyed hash where no UID is known.
    pub study: Option<String>,
    /// Instances in it, where known.
    pub instances: Option<u64>,
    /// What is wrong with it, in fixed words, and the code of the error where there is one.
    pub what: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hospital, zone) = (self.object.hospital(), self.object.zone().as_str());
        write!(f, "{hospital} {zone} {}", self.object.object())?;
        if let Some(study) = &self.study {
            write!(f, ", study {study}")?;
        }
        if let Some(instances) = self.instances {
            write!(f, ", {instances} instances")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What opening an object came to, where that was no failure of the whole store.
pub(crate) enum Opened {
    /// It is what it should be.
    Whole(Box<PackReader<StoredReader>>),
    /// Its patient was erased: it is gone on purpose.
    Erased,
    /// It is gone, changed, or its key is missing.
    Lost(String),
}

/// Sorts the errors of opening a pack: one object's own, or everybody's.
pub(crate) fn opened(
    result: Result<PackReader<StoredReader>, ReleaseError>,
) -> Result<Opened, ReleaseError> {
    match result {
        Ok(pack) => Ok(Opened::Whole(Box::new(pack))),
        Err(ReleaseError::Object { source: SealError::KeyDestroyed, .. }) => Ok(Opened::Erased),
        Err(error) => Ok(Opened::Lost(own_fault(error)?)),
    }
}

/// What is wrong with the object, or the error when it is not the object's fault: a store that does
/// not answer has lost nothing.
pub(crate) fn own_fault(error: ReleaseError) -> Result<String, ReleaseError> {
    let what = match &error {
        ReleaseError::ObjectMismatch { .. } => error.to_string(),
        ReleaseError::Object { source: SealError::Io(io), .. } => {
            match io.get_ref().and_then(|inner| inner.downcast_ref::<StorageError>()) {
                Some(StorageError::NotFound { .. }) => "it is not in the store".to_owned(),
                Some(short @ StorageError::OutOfRange { .. }) => {
                    format!("it is shorter than it was ({})", short.code())
                }
                _ => return Err(error),
            }
        }
        ReleaseError::Object { source, .. } => format!("{source} ({})", source.code()),
        _ => return Err(error),
    };
    Ok(what)
}

/// The record of an object that is lost.
pub(crate) fn lost(sources: &ReleaseSources<'_>, record: &ObjectRecord, what: String) -> Lost {
    let names = sources.catalog.research_names(&record.hospital, &record.study_key);
    let own = names
        .unwrap_or_default()
        .into_iter()
        .find(|name| record.project.as_ref().is_none_or(|project| name.project == *project));
    let study = own.map(|name| name.study_instance_uid.as_str().to_owned());
    Lost {
        object: record.key(),
        study: Some(study.unwrap_or_else(|| record.study_key.to_string())),
        instances: Some(record.entries),
        what,
    }
}

/// Objects of the project's newest generations that the store has and the catalogue does not know.
pub(crate) fn unknown(
    request: &ReleaseRequest,
    sources: &ReleaseSources<'_>,
    opener: &Opener<'_>,
) -> Result<Vec<Lost>, ReleaseError> {
    let mut found = Vec::new();
    for hospital in request.admitted.iter().filter(|hospital| request.wants(hospital)) {
        let prefix = KeyPrefix::Hospital(Zone::Research, hospital.clone());
        let compared = sources.catalog.compare(sources.store, &prefix, sources.under_way)?;
        for key in compared.unknown {
            found.extend(missed(request, sources, opener, key)?);
        }
    }
    Ok(found)
}

/// Whether an object that the catalogue does not know would be in the release if it did.
fn missed(
    request: &ReleaseRequest,
    sources: &ReleaseSources<'_>,
    opener: &Opener<'_>,
    key: ObjectKey,
) -> Result<Option<Lost>, ReleaseError> {
    let what = "the catalogue does not know it";
    let pack = match opened(opener.open_key(&key))? {
        Opened::Whole(pack) => pack,
        Opened::Erased => return Ok(None),
        Opened::Lost(why) => {
            // What cannot be read is another project's only if its tags say so.
            let tags = sources.store.object_store().tags(&key);
            let other = tags.is_ok_and(|tags| tags.project.is_some_and(|p| p != request.project));
            let what = format!("{what}, and {why}");
            let lost = Lost { object: key, study: None, instances: None, what };
            return Ok((!other).then_some(lost));
        }
    };
    let index = pack.index();
    if index.project.as_ref() != Some(&request.project) {
        return Ok(None);
    }
    let known = sources.catalog.generations(&index.hospital, &request.project, &index.study_key)?;
    if known.last().is_some_and(|newest| Some(*newest) > index.generation) {
        return Ok(None);
    }
    let study = index.entries.first().and_then(|entry| entry.study_instance_uid.as_ref());
    let study = study.map(|uid| uid.as_str().to_owned());
    Ok(Some(Lost {
        object: key,
        study: Some(study.unwrap_or_else(|| index.study_key.to_string())),
        instances: Some(index.entries.len() as u64),
        what: what.to_owned(),
    }))
}
