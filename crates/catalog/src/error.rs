//! What can go wrong with the catalogue.

use scanveil_model::Coded;
use scanveil_storage::StorageError;
use std::path::PathBuf;

/// An error of the catalogue. Holds keys, counts and our own paths, never a value of a data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// The database refused or failed.
    #[error("the catalogue's database failed")]
    Database {
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// Another process holds the database for longer than the busy timeout.
    #[error("the catalogue is in use by another process")]
    Busy,
    /// No room left for the database.
    #[error("no space left for the catalogue's database")]
    DiskFull,
    /// The database's schema is newer than this program.
    #[error("the catalogue has schema version {found}, this program knows up to {known}")]
    NewerVersion {
        /// Version met in the file.
        found: i64,
        /// Newest version this program can read.
        known: i64,
    },
    /// A file operation on the database failed.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Which of our own files.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A row holds what this program never writes.
    #[error("the catalogue's table {table} holds an invalid {column}")]
    Corrupt {
        /// Table name.
        table: &'static str,
        /// Column name.
        column: &'static str,
    },
    /// Stored object and pack index do not belong together.
    #[error("the stored object and its index disagree on {what}")]
    Mismatch {
        /// Which property.
        what: &'static str,
    },
    /// A number that does not fit the database's 64-bit signed integers.
    #[error("{what} is too large for the catalogue")]
    TooLarge {
        /// Which number.
        what: &'static str,
    },
    /// The record exists already with other content.
    #[error("{kind} {id} exists with other content")]
    Exists {
        /// `batch` or `release`.
        kind: &'static str,
        /// Its identifier.
        id: String,
    },
    /// There is no such record.
    #[error("there is no {kind} {id}")]
    NotFound {
        /// `batch` or `release`.
        kind: &'static str,
        /// Its identifier.
        id: String,
    },
    /// A record identifier is not `[a-z0-9-]`, 1 to 64 characters.
    #[error("an identifier must be 1 to 64 of a-z, 0-9 and '-', and was not")]
    InvalidId,
    /// The object store failed.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// The batch item is claimed by another run.
    #[error("item {item} of batch {batch} is no longer claimed by this run")]
    ClaimLost {
        /// The batch.
        batch: String,
        /// The item's number.
        item: u64,
    },
}

impl From<sqlx::Error> for CatalogError {
    fn from(source: sqlx::Error) -> Self {
        // SQLite's primary result codes are the low byte: 5 BUSY, 6 LOCKED, 13 FULL.
        let code = source
            .as_database_error()
            .and_then(|e| e.code())
            .and_then(|code| code.parse::<u32>().ok())
            .map(|code| code & 0xff);
        match code {
            Some(5 | 6) => Self::Busy,
            Some(13) => Self::DiskFull,
            _ => Self::Database { source },
        }
    }
}

impl Coded for CatalogError {
    fn code(&self) -> &'static str {
        match self {
            Self::Database { .. } => "SV-CATALOG-001",
            Self::Busy => "SV-CATALOG-002",
            Self::DiskFull => "SV-CATALOG-003",
            Self::NewerVersion { .. } => "SV-CATALOG-004",
            Self::Io { .. } => "SV-CATALOG-005",
            Self::Corrupt { .. } => "SV-CATALOG-006",
            Self::Mismatch { .. } => "SV-CATALOG-007",
            Self::TooLarge { .. } => "SV-CATALOG-008",
            Self::Exists { .. } => "SV-CATALOG-009",
            Self::NotFound { .. } => "SV-CATALOG-010",
            Self::InvalidId => "SV-CATALOG-011",
            Self::ClaimLost { .. } => "SV-CATALOG-012",
            Self::Store(error) => error.code(),
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::Store(error) => return error.next_step(),
            Self::Database { .. } | Self::Corrupt { .. } => {
                "run `scanveil store rebuild`: the catalogue can be made again from the store and \
                 the keys"
            }
            Self::Busy => "stop the other scanveil process, or try again when it is idle",
            Self::DiskFull => "free space where the catalogue lies, then start again",
            Self::NewerVersion { .. } => "use the newer scanveil that wrote this catalogue",
            Self::Io { .. } => "check that the folder exists and may be written",
            Self::Mismatch { .. } | Self::TooLarge { .. } => {
                "keep the object and report this: it was put together wrong"
            }
            Self::Exists { .. } => "choose another identifier",
            Self::NotFound { .. } => "list what there is and check the identifier",
            Self::InvalidId => "use lower-case letters, digits and '-' only",
            Self::ClaimLost { .. } => "nothing: the other run finishes the item",
        }
        .to_owned()
    }
}
