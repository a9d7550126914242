//! What is wrong with stored objects, one by one: gone, damaged, or not known. Names a place in the
//! store and what the study is called in research, and nobody.

use crate::PipelineError;
use scanveil_catalog::{Catalog, CatalogError, ObjectRecord, ResearchName};
use scanveil_model::{Coded, HospitalId, ObjectId, Zone};
use scanveil_seal::{PackIndex, SealError};
use scanveil_storage::{ObjectKey, StorageError};
use serde::Serialize;
use std::fmt;

/// What is wrong with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The catalogue knows it and the store has not got it.
    Missing,
    /// The store has it and the catalogue does not know it.
    Unknown,
    /// It is longer or shorter than it was.
    Size,
    /// Its retention tags are gone or say something else.
    Tags,
    /// Its bytes are not those that were sealed.
    Damaged,
    /// The key that opens it is missing, or does not open it.
    Key,
    /// The catalogue says something else of it than it says itself.
    Rows,
}

impl FindingKind {
    /// The stable word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Size => "size",
            Self::Tags => "tags",
            Self::Damaged => "damaged",
            Self::Key => "key",
            Self::Rows => "rows",
        }
    }
}

/// One object with which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Whose data it is.
    pub hospital: HospitalId,
    /// Where it lies or should lie.
    pub zone: Zone,
    /// Which object.
    pub object: ObjectId,
    /// Keyed hash of its study, where known.
    pub study: Option<String>,
    /// What the study is called in research, where it is there.
    pub research: Vec<ResearchName>,
    /// Instances in it, where known.
    pub instances: Option<u64>,
    /// What was seen, in fixed words, with the code of the error where there is one.
    pub detail: String,
}

impl Finding {
    /// About an object that the catalogue knows.
    pub(crate) fn of(
        kind: FindingKind,
        record: &ObjectRecord,
        catalog: &Catalog,
        detail: impl Into<String>,
    ) -> Result<Self, CatalogError> {
        Ok(Self {
            study: Some(record.study_key.to_string()),
            research: catalog.research_names(&record.hospital, &record.study_key)?,
            instances: Some(record.entries),
            ..Self::at(kind, &record.key(), detail)
        })
    }

    /// About an object that the catalogue does not know.
    pub(crate) fn at(kind: FindingKind, key: &ObjectKey, detail: impl Into<String>) -> Self {
        Self {
            kind,
            hospital: key.hospital().clone(),
            zone: key.zone(),
            object: key.object(),
            study: None,
            research: Vec::new(),
            instances: None,
            detail: detail.into(),
        }
    }

    /// With what the object says of itself.
    pub(crate) fn says(
        mut self,
        index: &PackIndex,
        catalog: &Catalog,
    ) -> Result<Self, CatalogError> {
        self.study = Some(index.study_key.to_string());
        self.instances = Some(index.entries.len() as u64);
        self.research = catalog.research_names(&index.hospital, &index.study_key)?;
        let uid = index.entries.first().and_then(|entry| entry.study_instance_uid.clone());
        if let (Zone::Research, Some(project), Some(uid)) = (index.zone, &index.project, uid) {
            let own = ResearchName { project: project.clone(), study_instance_uid: uid };
            if !self.research.contains(&own) {
                self.research.push(own);
            }
        }
        Ok(self)
    }

    /// What the study is called: in research if it can be, else by its keyed hash.
    #[must_use]
    pub fn study_label(&self) -> String {
        let names = self.research.iter();
        let names: Vec<String> = names
            .map(|name| format!("{} {}", name.project, name.study_instance_uid.as_str()))
            .collect();
        match (names.is_empty(), &self.study) {
            (false, _) => names.join(", "),
            (true, Some(study)) => study.clone(),
            (true, None) => "not known".to_owned(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (zone, study) = (self.zone.as_str(), self.study_label());
        write!(f, "{} {zone} {}, study {study}: {}", self.hospital, self.object, self.detail)
    }
}

/// Findings that a message names one by one.
const MAX_NAMED: usize = 50;

/// Findings as one text for a message.
pub(crate) fn named(findings: &[Finding]) -> String {
    let names: Vec<String> = findings.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    let more = findings.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    names.join("; ") + &more
}

/// What an error of opening or reading one object says of the object; the error again where it is
/// not the object's own.
pub(crate) fn fault(error: PipelineError) -> Result<Fault, PipelineError> {
    if let PipelineError::InObject { error, .. } = error {
        return fault(*error);
    }
    if error.concerns_all() {
        return Err(error);
    }
    let kind = match &error {
        PipelineError::Seal(SealError::KeyDestroyed) => return Ok(Fault::Erased),
        PipelineError::Seal(
            SealError::KeyUnknown | SealError::KeyRefused | SealError::UnwrapRefused,
        ) => FindingKind::Key,
        PipelineError::Seal(SealError::KeyStore(inner)) => {
            let detail = format!("{inner} ({})", error.code());
            return Ok(Fault::Found(FindingKind::Key, detail));
        }
        PipelineError::Keyring(_) => FindingKind::Key,
        PipelineError::Storage(StorageError::NotFound { .. }) => {
            return Ok(Fault::Found(FindingKind::Missing, "the store has not got it".to_owned()));
        }
        PipelineError::Storage(StorageError::Tags { what, .. }) => {
            let detail = format!("{what} ({})", error.code());
            return Ok(Fault::Found(FindingKind::Tags, detail));
        }
        _ => FindingKind::Damaged,
    };
    Ok(Fault::Found(kind, format!("{error} ({})", error.code())))
}

/// What is wrong with one object.
pub(crate) enum Fault {
    /// Its patient was erased: it is gone on purpose.
    Erased,
    /// Anything else.
    Found(FindingKind, String),
}
