//! Why a profile cannot be used.

use scanveil_model::Coded;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not valid TOML, or a key that profiles do not have.
    #[error("the profile cannot be read: {0}")]
    Syntax(String),
    /// A format that this version does not know.
    #[error("profile format {0} is not known; this version reads formats 1 and 2")]
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
    /// A rule that cannot be carried out.
    #[error("rule {number}: {why}")]
    Rule {
        /// Number of the rule in the profile, counted from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl Coded for ProfileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "SV-SCRUB-001",
            Self::Format(_) => "SV-SCRUB-002",
            Self::UnknownOption { .. } => "SV-SCRUB-003",
            Self::Contradiction(_) => "SV-SCRUB-004",
            Self::Rule { .. } => "SV-SCRUB-005",
        }
    }
    fn next_step(&self) -> String {
        match self {
            Self::Syntax(_) => "correct the profile at the line named".into(),
            Self::Format(_) => "update scanveil, or write the profile in format 2".into(),
            Self::UnknownOption { .. } => "use one of the options listed".into(),
            Self::Contradiction(_) => "choose one of the two".into(),
            Self::Rule { .. } => "correct the rule; docs/profiles.md has its keys".into(),
        }
    }
}
