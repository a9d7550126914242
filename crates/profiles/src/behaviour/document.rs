//! The test document, as its author writes it.

use crate::ProfilesError;
use scanveil_model::{HospitalId, ReasonCode};
use serde::Deserialize;

/// A document of tests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TestDocument {
    /// Version of this format: 1.
    format: u32,
    /// The profile that the tests are about; for the reader.
    #[serde(rename = "profile")]
    _profile: String,
    #[serde(rename = "case")]
    pub(super) cases: Vec<CaseDocument>,
}

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CaseDocument {
    pub(super) name: String,
    /// Why it must be so; for the reader.
    #[serde(rename = "why")]
    _why: String,
    /// Name of the object definition, or a UID.
    #[serde(default = "ct_image")]
    pub(super) sop_class: String,
    /// Where the elements stand: `.` for the top level, or paths of sequences; each is a run.
    #[serde(default = "top_level")]
    pub(super) within: Vec<String>,
    #[serde(default)]
    pub(super) character_set: String,
    #[serde(default)]
    pub(super) transfer_syntax: Syntax,
    #[serde(default)]
    pub(super) hospital: Option<HospitalId>,
    #[serde(default)]
    pub(super) given: toml::Table,
    #[serde(default)]
    pub(super) expect: toml::Table,
    /// Texts that must be nowhere in what comes out.
    #[serde(default)]
    pub(super) nowhere: Vec<String>,
    /// The instance must be held back for this reason.
    #[serde(default)]
    pub(super) quarantined: Option<ReasonCode>,
}

fn ct_image() -> String {
    "ct-image".to_owned()
}

fn top_level() -> Vec<String> {
    vec![".".to_owned()]
}

/// How the instance is written.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Syntax {
    /// Implicit VR little endian.
    Implicit,
    /// Explicit VR little endian.
    #[default]
    Explicit,
    /// Explicit VR big endian.
    BigEndian,
}

impl TestDocument {
    pub(super) fn parse(text: &str) -> Result<Self, ProfilesError> {
        let syntax = |why: String| ProfilesError::Syntax {
            kind: "the test document",
            place: "the key named".to_owned(),
            why,
        };
        let document: Self = toml::from_str(text).map_err(|error| syntax(error.to_string()))?;
        if document.format != 1 {
            return Err(syntax("its format is not known; this version reads format 1".to_owned()));
        }
        Ok(document)
    }
}

impl CaseDocument {
    /// Something that cannot be run.
    pub(super) fn error(&self, place: &str, why: &str) -> ProfilesError {
        ProfilesError::Case {
            case: self.name.clone(),
            place: place.to_owned(),
            why: why.to_owned(),
        }
    }
}
