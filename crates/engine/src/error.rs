//! What ends a run, or keeps it from beginning.

use scanveil_model::Coded;
use std::io;

/// Why a run over files could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A file or folder of the command line cannot be used.
    #[error("{what}: {source}")]
    Path {
        /// Which it is.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// An input is not there or cannot be read.
    #[error("input {number} of the command line cannot be read: {kind}")]
    Input {
        /// Its number on the command line, from 1.
        number: usize,
        /// Why.
        kind: io::ErrorKind,
    },
    /// More files than one run takes.
    #[error("more than {most} files")]
    TooMany {
        /// How many one takes.
        most: usize,
    },
    /// The secret file is no secret.
    #[error("the secret file can be read by others than its owner")]
    SecretOpen,
    /// The secret file is another file, or damaged.
    #[error("the secret file is not one line of `{format}` and 64 hex digits")]
    SecretForm {
        /// How one begins.
        format: &'static str,
    },
    /// There is nothing to read.
    #[error("no file is in what the command line names")]
    NoInput,
    /// A run would read what it writes, or write into what it reads.
    #[error("the output folder {how} input {number} of the command line")]
    Overlap {
        /// How they lie.
        how: &'static str,
        /// The input's number on the command line, from 1.
        number: usize,
    },
    /// Everything was passed over.
    #[error("no DICOM is in what the command line names: {files} other files are")]
    NoDicom {
        /// How many files there are.
        files: usize,
    },
}

impl EngineError {
    /// An error of the system about a file or folder of the command line.
    #[must_use]
    pub fn path(what: &str, error: &io::Error) -> Self {
        let source = io::Error::new(error.kind(), error.to_string());
        Self::Path { what: what.to_owned(), source }
    }
}

impl Coded for EngineError {
    fn code(&self) -> &'static str {
        match self {
            Self::Path { .. } => "SV-CLI-001",
            Self::Input { .. } => "SV-CLI-010",
            Self::TooMany { .. } => "SV-CLI-011",
            Self::SecretOpen => "SV-CLI-014",
            Self::SecretForm { .. } => "SV-CLI-015",
            Self::NoInput => "SV-CLI-041",
            Self::Overlap { .. } => "SV-CLI-042",
            Self::NoDicom { .. } => "SV-CLI-046",
        }
    }

    fn next_step(&self) -> String {
        let step = match self {
            Self::Path { .. } => "check the path and its permissions",
            Self::Input { .. } => "name files, folders or zip archives that exist and can be read",
            Self::TooMany { .. } => "divide the input into several runs, study by study",
            Self::SecretOpen => "chmod 600 it; if others may have read it, make a new one",
            Self::SecretForm { .. } => {
                "name another file with --secret, or restore it from its copy"
            }
            Self::NoInput => {
                "name the folder, files or archives that hold the instances; links are not followed"
            }
            Self::Overlap { .. } => {
                "name an output folder beside the inputs, not in them or around them"
            }
            Self::NoDicom { .. } => {
                "name the folder that holds the instances; a DICOMDIR lies beside them"
            }
        };
        step.to_owned()
    }
}
