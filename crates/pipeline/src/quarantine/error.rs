//! What can go wrong with the quarantine and with decisions about it.

use crate::PipelineError;
use scanveil_model::Coded;
use std::io;

/// Why something about the quarantine could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuarantineError {
    /// Nothing is held under this identifier.
    #[error("nothing in quarantine is `{0}`")]
    Unknown(String),
    /// Too short, or more than one instance begins like this.
    #[error("`{0}` does not say which instance: it has too few digits, or several begin so")]
    Ambiguous(String),
    /// A record of a decision is not what was written.
    #[error("the record of decision {0} is not readable")]
    Record(String),
    /// A record could not be kept, or an instance not be written.
    #[error("{what} cannot be used: {source}")]
    Io {
        /// Which file or folder.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// What the work on the study gave.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl Coded for QuarantineError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "SV-QUARANTINE-001",
            Self::Ambiguous(_) => "SV-QUARANTINE-002",
            Self::Record(_) => "SV-QUARANTINE-003",
            Self::Io { .. } => "SV-QUARANTINE-004",
            Self::Pipeline(error) => error.code(),
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::Unknown(_) => {
                "look at `scanveil quarantine list`: it may have been decided, or have come through"
            }
            Self::Ambiguous(_) => "give more digits of it: `scanveil quarantine list --json`",
            Self::Record(_) => "restore `govern/decisions` from the backup",
            Self::Io { .. } => "check that the folder exists and belongs to this user",
            Self::Pipeline(error) => return error.next_step(),
        }
        .to_owned()
    }
}
