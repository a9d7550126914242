//! Profiles: which options of PS3.15 apply, written in TOML, strict about unknown keys.

use crate::options::ProfileOption;
use crate::rules::RuleSet;
use scanveil_model::{Coded, Digest};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not valid TOML, or a key that profiles do not have.
    #[error("the profile cannot be read: {0}")]
    Syntax(String),
    /// A format that this version does not know.
    #[error("profile format {0} is not known; this version reads format 1")]
    Format(u32),
    /// An option that does not exist.
    #[error("option `{name}` does not exist; options are: {known}")]
    UnknownOption {
        /// The name as written in the profile.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Options or settings that contradict each other.
    #[error("the profile contradicts itself: {0}")]
    Contradiction(&'static str),
}

impl Coded for ProfileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "SV-SCRUB-001",
            Self::Format(_) => "SV-SCRUB-002",
            Self::UnknownOption { .. } => "SV-SCRUB-003",
            Self::Contradiction(_) => "SV-SCRUB-004",
        }
    }
    fn next_step(&self) -> String {
        match self {
            Self::Syntax(_) => "correct the profile at the line named".into(),
            Self::Format(_) => "update scanveil, or write the profile in format 1".into(),
            Self::UnknownOption { .. } => "use one of the options listed".into(),
            Self::Contradiction(_) => "choose one of the two".into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    name: scanveil_model::ProjectName,
    version: String,
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    dates: Dates,
}

/// The range of the date offset.
#[derive(Deserialize, Debug, Clone, Copy)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Dates {
    pub(crate) shift_min: u32,
    pub(crate) shift_max: u32,
}

impl Default for Dates {
    fn default() -> Self {
        Self { shift_min: 30, shift_max: 730 }
    }
}

/// A compiled profile.
pub struct Profile {
    name: String,
    version: String,
    digest: Digest,
    pub(crate) options: BTreeSet<ProfileOption>,
    pub(crate) rules: RuleSet,
    pub(crate) dates: Dates,
}

const BUILTIN: &[(&str, &str)] = &[
    ("basic", include_str!("../../../pipelines/profiles/basic.toml")),
    ("longitudinal", include_str!("../../../pipelines/profiles/longitudinal.toml")),
];

impl Profile {
    /// A profile that comes with scanveil.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        let (_, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
        Self::from_toml(text).ok()
    }

    /// Names of the profiles that come with scanveil.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// Compiles a profile from its text.
    ///
    /// # Errors
    /// [`ProfileError`] with the place and the reason.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let document: Document =
            toml::from_str(text).map_err(|error| ProfileError::Syntax(error.to_string()))?;
        if document.format != 1 {
            return Err(ProfileError::Format(document.format));
        }
        let mut options = BTreeSet::new();
        for name in document.options {
            match ProfileOption::find(&name) {
                Some(option) => options.insert(option),
                None => {
                    let known = ProfileOption::names().collect::<Vec<_>>().join(", ");
                    return Err(ProfileError::UnknownOption { name, known });
                }
            };
        }
        let both = [ProfileOption::FullDates, ProfileOption::ModifiedDates];
        if both.iter().all(|option| options.contains(option)) {
            return Err(ProfileError::Contradiction("full-dates and modified-dates"));
        }
        let dates = document.dates;
        if dates.shift_min == 0 || dates.shift_min > dates.shift_max || dates.shift_max > 36_500 {
            return Err(ProfileError::Contradiction("dates.shift_min and dates.shift_max"));
        }
        Ok(Self {
            name: document.name.as_str().to_owned(),
            version: document.version,
            digest: digest(text),
            rules: RuleSet::compile(&options),
            options,
            dates,
        })
    }

    /// Name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version, as the profile's author counts.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Digest of the profile's text, of the table it was compiled with and of the engine's rules.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// `name@digest`, the digest cut to 16 hex digits: how tags and manifests name the profile.
    #[must_use]
    pub fn label(&self) -> String {
        let digest = self.digest.to_string();
        format!("{}@{}", self.name, &digest[..16])
    }

    /// The options in force.
    pub fn options(&self) -> impl Iterator<Item = ProfileOption> {
        self.options.iter().copied()
    }

    /// What the profile does with a tag, in words: the action and why.
    #[must_use]
    pub fn explain(&self, tag: scanveil_dataset::Tag) -> String {
        self.rules.explain(tag)
    }
}

/// Rules outside the table that change what comes out; raised with each such change, so that
/// re-anonymization finds what was made by older rules.
const ENGINE_RULES: u32 = 1;

fn digest(text: &str) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    hasher.update(crate::table::EDITION.as_bytes());
    hasher.update(include_bytes!("../tables/ps3.15-e1-1-2026c.csv"));
    hasher.update(include_bytes!("../tables/sop-classes.csv"));
    hasher.update(include_bytes!("../tables/vocabulary.txt"));
    hasher.update(&ENGINE_RULES.to_le_bytes());
    Digest(*hasher.finalize().as_bytes())
}
