//! What can go wrong around the stages.

use scanveil_catalog::CatalogError;
use scanveil_model::Coded;
use scanveil_seal::SealError;
use scanveil_storage::StorageError;
use scanveil_vault::{KeyringError, SpoolError};

/// Why the pipeline, a batch or a rebuild could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The configuration cannot be read.
    #[error("the configuration cannot be read: {0}")]
    ConfigSyntax(String),
    /// The configuration contradicts itself.
    #[error("the configuration is not usable: {0}")]
    Config(String),
    /// A folder cannot be made or read.
    #[error("{what} cannot be used: {source}")]
    Folder {
        /// Which folder.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A hospital or project that the configuration does not name.
    #[error("{what} `{name}` is not configured")]
    Unknown {
        /// `hospital`, `project` or `profile`.
        what: &'static str,
        /// The name as given on the command line.
        name: String,
    },
    /// Sealing failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The object store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The catalogue failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The keyring failed.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The spool failed.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl PipelineError {
    /// An error about the configuration.
    pub(crate) fn config(text: impl Into<String>) -> Self {
        Self::Config(text.into())
    }
}

impl Coded for PipelineError {
    fn code(&self) -> &'static str {
        match self {
            Self::ConfigSyntax(_) => "SV-PIPELINE-001",
            Self::Config(_) => "SV-PIPELINE-002",
            Self::Folder { .. } => "SV-PIPELINE-003",
            Self::Unknown { .. } => "SV-PIPELINE-004",
            Self::Seal(error) => error.code(),
            Self::Storage(error) => error.code(),
            Self::Catalog(error) => error.code(),
            Self::Keyring(error) => error.code(),
            Self::Spool(error) => error.code(),
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::ConfigSyntax(_) => {
                "correct the file at the place named, then run `scanveil config check`".into()
            }
            Self::Config(_) => "correct it, then run `scanveil config check`".into(),
            Self::Folder { .. } => "check that the folder exists and belongs to this user".into(),
            Self::Unknown { .. } => {
                "use a name from the configuration: `scanveil config check` lists them".into()
            }
            Self::Seal(error) => error.next_step(),
            Self::Storage(error) => error.next_step(),
            Self::Catalog(error) => error.next_step(),
            Self::Keyring(error) => error.next_step(),
            Self::Spool(error) => error.next_step(),
        }
    }
}
