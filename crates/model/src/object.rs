//! What is known in the clear about a stored object: zone, retention and tags.

use crate::{Generation, HospitalId, ProjectName};
use serde::{Deserialize, Serialize};

/// Which kind of data an object holds; decides who can open it and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Zone {
    /// Identified originals.
    Vault,
    /// De-identified copies.
    Research,
    /// What could not be proven clean, held with its reason.
    Quarantine,
}

impl Zone {
    /// The zone's name as it stands in keys and tags.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Research => "research",
            Self::Quarantine => "quarantine",
        }
    }
}

/// A retention class as a hospital names it, for example `clinical-30y`: `[a-z0-9-]`, at most 32.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RetentionClass(pub HospitalId);

/// The tags every object carries. None of them identifies a patient. S3 allows at most ten tags,
/// keys up to 128 and values up to 256 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectTags {
    /// The hospital the data belongs to.
    pub hospital: HospitalId,
    /// The zone.
    pub zone: Zone,
    /// The retention class.
    pub retention_class: RetentionClass,
    /// ISO 8601 date (`YYYY-MM-DD`) until which the object is kept.
    pub retain_until: String,
    /// Profile name and the first 16 hex digits of its digest (`basic@0123456789abcdef`), or `none`
    /// where no profile applied.
    pub profile: String,
    /// Generation, for research objects.
    pub generation: Option<Generation>,
    /// Project, for research objects.
    pub project: Option<ProjectName>,
}

impl ObjectTags {
    /// The tags as key and value pairs, in a fixed order.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            ("scanveil-hospital", self.hospital.to_string()),
            ("scanveil-zone", self.zone.as_str().to_owned()),
            ("scanveil-retention-class", self.retention_class.0.to_string()),
            ("scanveil-retain-until", self.retain_until.clone()),
            ("scanveil-profile", self.profile.clone()),
        ];
        if let Some(generation) = self.generation {
            pairs.push(("scanveil-generation", generation.0.to_string()));
        }
        if let Some(project) = &self.project {
            pairs.push(("scanveil-project", project.to_string()));
        }
        pairs
    }
}
