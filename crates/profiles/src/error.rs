//! Why a document cannot be imported, compared or run.

use scanveil_model::Coded;
use scanveil_scrub::ProfileError;

/// What can go wrong with a document about profiles.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfilesError {
    /// The document is longer than any real one.
    #[error("{what} is longer than {limit} {unit}")]
    TooLarge {
        /// Which document.
        what: &'static str,
        /// The most there may be.
        limit: usize,
        /// Of what.
        unit: &'static str,
    },
    /// Not a document of the kind that was asked for.
    #[error("{kind} cannot be read at {place}: {why}")]
    Syntax {
        /// The kind of document.
        kind: &'static str,
        /// The line, or the key.
        place: String,
        /// What is wrong there.
        why: String,
    },
    /// The profile that came out cannot be compiled.
    #[error("the imported profile cannot be used: {0}")]
    Profile(#[from] ProfileError),
    /// A case of a test document that cannot be run.
    #[error("case {case}, {place}: {why}")]
    Case {
        /// The case.
        case: String,
        /// The key or the element.
        place: String,
        /// What is wrong there.
        why: String,
    },
}

impl Coded for ProfilesError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "SV-PROFILES-001",
            Self::Syntax { .. } => "SV-PROFILES-002",
            Self::Profile(_) => "SV-PROFILES-003",
            Self::Case { .. } => "SV-PROFILES-004",
        }
    }
    fn next_step(&self) -> String {
        match self {
            Self::TooLarge { .. } => "split the document, or check that it is the right one".into(),
            Self::Syntax { .. } => "correct the document at the place named".into(),
            Self::Profile(error) => error.next_step(),
            Self::Case { .. } => "correct the case; docs/profiles.md has the format".into(),
        }
    }
}
