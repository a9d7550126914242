//! What can go wrong with an evaluation.

use scanveil_model::Coded;
use std::path::PathBuf;

/// Why a folder could not be scored. Holds our own paths and counts, never a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The answer database refused or failed.
    #[error("the answer database failed")]
    Database {
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A row of the answer database is not as the benchmark writes it.
    #[error("row {row} of the answer database holds an invalid {what}")]
    Answers {
        /// Number of the row.
        row: i64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The answer database asks for nothing.
    #[error("the answer database holds no instance")]
    Empty,
    /// A mapping file is not as it should be.
    #[error("the mapping file has an invalid {what} at line {line}")]
    Mapping {
        /// Line of the file.
        line: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Which file or folder of ours.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Folders nested deeper than the search follows.
    #[error("folders are nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl From<sqlx::Error> for EvaluateError {
    fn from(source: sqlx::Error) -> Self {
        Self::Database { source }
    }
}

impl EvaluateError {
    pub(crate) fn io(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl Coded for EvaluateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Database { .. } => "SV-EVALUATE-001",
            Self::Answers { .. } => "SV-EVALUATE-002",
            Self::Mapping { .. } => "SV-EVALUATE-003",
            Self::Io { .. } => "SV-EVALUATE-004",
            Self::TooDeep { .. } => "SV-EVALUATE-005",
            Self::Empty => "SV-EVALUATE-006",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::Database { .. } => "check that the file is an answer database and not in use",
            Self::Answers { .. } => "make the answer database again, or fetch it again",
            Self::Mapping { .. } => {
                "give a CSV file with the columns kind, id_old and id_new, or name files with \
                 id_old and id_new alone by --uid-mapping and --patient-mapping"
            }
            Self::Io { .. } => "check the path, its permissions and the free space",
            Self::Empty => "make the answer database again: its making was interrupted",
            Self::TooDeep { .. } => "name a folder nearer to the files",
        }
        .to_owned()
    }
}
