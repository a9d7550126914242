//! What can go wrong around the stages.

use crate::finding::{Finding, named};
use scanveil_catalog::CatalogError;
use scanveil_model::{Coded, HospitalId, ProjectName};
use scanveil_seal::SealError;
use scanveil_storage::{ObjectKey, StorageError};
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
    /// Processing a study ended by a panic.
    #[error("processing a study ended by a panic")]
    Panicked,
    /// A new generation would lack instances that the last one has.
    #[error("{instances} instances of the newest generation have no original")]
    OriginalsMissing {
        /// How many.
        instances: usize,
    },
    /// Somebody else works on a batch of the same hospital and project.
    #[error("another batch of hospital {hospital} and project {project} is running")]
    BatchRunning {
        /// The hospital.
        hospital: HospitalId,
        /// The project.
        project: ProjectName,
    },
    /// Not everything that was received of a study would be stored.
    #[error("{instances} received instances of a study would be lost")]
    Unaccounted {
        /// How many.
        instances: usize,
    },
    /// Patient identifiers were merged, and no original that is kept names the right one.
    #[error("no instance that is kept names the patient into whom identifiers were merged")]
    PatientUnknown,
    /// A batch would make studies from less than was received of them.
    #[error("originals or records of stored objects are gone: {}", named(.0))]
    Incomplete(Vec<Finding>),
    /// A new catalogue would know nothing, and there was something.
    #[error(
        "nothing that was stored can be found and opened ({known} objects were known); \
         the catalogue stays as it is"
    )]
    NothingLeft {
        /// Objects that the old catalogue knows.
        known: u64,
    },
    /// The store is empty, and the catalogue knows of objects in it.
    #[error("the object store is empty, and the catalogue knows of objects in it")]
    StoreEmpty,
    /// Patients have keys, and there is no catalogue of what is stored of them.
    #[error("there is no catalogue {}, and patients have keys", .0.display())]
    CatalogMissing(std::path::PathBuf),
    /// What is wrong with one stored object.
    #[error("object {object}: {error}")]
    InObject {
        /// Its key.
        object: String,
        /// What.
        error: Box<PipelineError>,
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
    /// Whether every study would meet it now: there is no point in trying another.
    pub(crate) fn concerns_all(&self) -> bool {
        match self {
            Self::Folder { .. } | Self::Catalog(_) => true,
            Self::InObject { error, .. } => error.concerns_all(),
            Self::Storage(error) => store_fails(error),
            Self::Seal(SealError::Io(error)) => {
                let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
                inner.is_none_or(store_fails)
            }
            Self::Seal(SealError::KeyStore(error)) => {
                let inner: Option<&KeyringError> = error.downcast_ref();
                inner.is_none_or(|error| matches!(error, KeyringError::Io { .. }))
            }
            Self::Keyring(error) => matches!(error, KeyringError::Io { .. }),
            Self::Spool(error) => {
                matches!(error, SpoolError::Io { .. } | SpoolError::Full(_) | SpoolError::Stopped)
            }
            _ => false,
        }
    }

    /// Whether a record of the spool is not what was put there.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Spool(SpoolError::Sealed(_) | SpoolError::Mismatch))
    }

    /// The error, with the object that it is about.
    pub(crate) fn in_object(self, key: &ObjectKey) -> Self {
        Self::InObject { object: key.to_string(), error: Box::new(self) }
    }

    /// An error about the configuration.
    pub(crate) fn config(text: impl Into<String>) -> Self {
        Self::Config(text.into())
    }
}

/// Whether an error is the store's, and not that of one object.
fn store_fails(error: &StorageError) -> bool {
    !matches!(
        error,
        StorageError::NotFound { .. }
            | StorageError::NotConfirmed { .. }
            | StorageError::SourceMismatch { .. }
            | StorageError::Tags { .. }
            | StorageError::OutOfRange { .. }
            | StorageError::TooLarge { .. }
    )
}

impl Coded for PipelineError {
    fn code(&self) -> &'static str {
        match self {
            Self::ConfigSyntax(_) => "SV-PIPELINE-001",
            Self::Config(_) => "SV-PIPELINE-002",
            Self::Folder { .. } => "SV-PIPELINE-003",
            Self::Unknown { .. } => "SV-PIPELINE-004",
            Self::Panicked => "SV-PIPELINE-005",
            Self::OriginalsMissing { .. } => "SV-PIPELINE-006",
            Self::BatchRunning { .. } => "SV-PIPELINE-007",
            Self::Unaccounted { .. } => "SV-PIPELINE-008",
            Self::PatientUnknown => "SV-PIPELINE-030",
            Self::Incomplete(_) => "SV-PIPELINE-020",
            Self::NothingLeft { .. } => "SV-PIPELINE-021",
            Self::StoreEmpty => "SV-PIPELINE-022",
            Self::CatalogMissing(_) => "SV-PIPELINE-023",
            Self::InObject { error, .. } => error.code(),
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
            Self::Panicked => {
                "report this with the log; the study stays in the spool and is tried again".into()
            }
            Self::OriginalsMissing { .. } => {
                "leave the study at its generation, or restore its objects in the vault".into()
            }
            Self::BatchRunning { .. } => "wait for it to end, then run the command again".into(),
            Self::Unaccounted { .. } => {
                "report this with the log; the instances stay in the spool".into()
            }
            Self::PatientUnknown => {
                "discard the instances, and have the study sent again under one identifier".into()
            }
            Self::Incomplete(_) => {
                "restore the objects that are gone, and run `scanveil store rebuild` for those that \
                 the catalogue does not know; or leave these studies at their generation with \
                 `--leave-out-unreadable`"
                    .into()
            }
            Self::NothingLeft { .. } => {
                "mount or correct the store and the keyring that [store] and data_dir name; if \
                 everything is really lost, add `--accept-loss`"
                    .into()
            }
            Self::StoreEmpty => {
                "mount or correct the store that [store] names; if everything is really lost, run \
                 `scanveil store rebuild --accept-loss`"
                    .into()
            }
            Self::CatalogMissing(_) => {
                "restore it, or run `scanveil store rebuild` to make it again from the store".into()
            }
            Self::InObject { error, .. } => error.next_step(),
            Self::Seal(error) => error.next_step(),
            Self::Storage(error) => error.next_step(),
            Self::Catalog(error) => error.next_step(),
            Self::Keyring(error) => error.next_step(),
            Self::Spool(error) => error.next_step(),
        }
    }
}
