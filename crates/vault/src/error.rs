//! Why the spool refused or failed. Carries codes, numbers and our own paths; never a value of a
//! data set.

use scanveil_model::{Coded, ObjectId};
use scanveil_seal::SealError;
use std::io;
use std::path::PathBuf;

/// Which limit of the spool was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FullCause {
    /// The spool's own limit in bytes.
    MaxBytes,
    /// The free space that must be left on the disk, or the disk itself.
    DiskSpace,
    /// The number of instances that wait.
    MaxPending,
}

/// What can go wrong with the spool and with the packs made from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// A limit is reached: the sender must try again later. Nothing of the instance is left.
    #[error("the spool is full ({})", full_text(*.0))]
    Full(FullCause),
    /// Another process works on the spool's folder.
    #[error("another process uses the spool {}", .0.display())]
    InUse(PathBuf),
    /// The disk failed.
    #[error("could not {op}")]
    Io {
        /// What was tried.
        op: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The hospital's keys could not be had.
    #[error("the hospital's intake key is not available")]
    Key(#[source] SealError),
    /// Sealing failed, or what lies on the disk is not what was sealed.
    #[error("a sealed record could not be made or opened")]
    Sealed(#[source] SealError),
    /// The record's content is not what its receipt says.
    #[error("a spooled record does not match its receipt")]
    Mismatch,
    /// The instance is not in the spool: it is finished, or was never there.
    #[error("the instance is no longer in the spool")]
    NotPending,
    /// The intake details are longer than the limit, or for another hospital than the record.
    #[error("the intake details do not fit the record: {0}")]
    Details(&'static str),
    /// The spool was written by a newer version of this program.
    #[error("the spool {} was written by a newer version (format {version})", .path.display())]
    NewerVersion {
        /// The spool's folder.
        path: PathBuf,
        /// The format version met.
        version: u16,
    },
    /// The spool is shutting down.
    #[error("the spool is shutting down")]
    Stopped,
    /// Nothing with this id was set aside.
    #[error("the spool has set nothing aside as {0}")]
    NotAside(ObjectId),
}

fn full_text(cause: FullCause) -> &'static str {
    match cause {
        FullCause::MaxBytes => "its limit in bytes is reached",
        FullCause::DiskSpace => "the disk has too little free space",
        FullCause::MaxPending => "its limit of waiting instances is reached",
    }
}

impl SpoolError {
    /// A failed file operation; a full disk is a full spool.
    pub(crate) fn io(op: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full(FullCause::DiskSpace)
            }
            _ => Self::Io { op, source },
        }
    }

    /// The spool's own error where it travelled inside an I/O error, as `Receiving` gives it.
    pub(crate) fn from_io(op: &'static str, error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self::io(op, error),
        }
    }

    /// The same disk error again, for each instance of a batch that failed together.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Full(cause) => Self::Full(*cause),
            Self::Io { op, source } => Self::Io {
                op,
                source: match source.raw_os_error() {
                    Some(code) => io::Error::from_raw_os_error(code),
                    None => source.kind().into(),
                },
            },
            _ => Self::Stopped,
        }
    }
}

impl From<SealError> for SpoolError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Io(io) => Self::from_io("read or write a sealed record", io),
            SealError::KeyUnknown | SealError::KeyDestroyed | SealError::KeyStore(_) => {
                Self::Key(error)
            }
            other => Self::Sealed(other),
        }
    }
}

impl From<SpoolError> for io::Error {
    fn from(error: SpoolError) -> Self {
        let kind = match &error {
            SpoolError::Full(_) => io::ErrorKind::StorageFull,
            SpoolError::Io { source, .. } => source.kind(),
            SpoolError::Sealed(_) | SpoolError::Mismatch => io::ErrorKind::InvalidData,
            SpoolError::NotPending => io::ErrorKind::NotFound,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl Coded for SpoolError {
    fn code(&self) -> &'static str {
        match self {
            Self::Full(_) => "SV-VAULT-001",
            Self::InUse(_) => "SV-VAULT-002",
            Self::Io { .. } => "SV-VAULT-003",
            Self::Key(_) => "SV-VAULT-004",
            Self::Sealed(_) => "SV-VAULT-005",
            Self::Mismatch => "SV-VAULT-006",
            Self::NotPending => "SV-VAULT-007",
            Self::Details(_) => "SV-VAULT-008",
            Self::NewerVersion { .. } => "SV-VAULT-009",
            Self::Stopped => "SV-VAULT-010",
            Self::NotAside(_) => "SV-VAULT-011",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::Full(FullCause::MaxBytes) => {
                "find out why the pipeline does not empty the spool, or raise its limit in bytes"
            }
            Self::Full(FullCause::DiskSpace) => "free space on the disk that holds the spool",
            Self::Full(FullCause::MaxPending) => {
                "find out why the pipeline does not empty the spool, or raise max_pending"
            }
            Self::InUse(_) => "stop the other scanveil process, or give this one its own folder",
            Self::Io { .. } => "check the disk that holds the spool, then have the sender repeat",
            Self::Key(_) => "check that the hospital is configured and that its keys are there",
            Self::Sealed(_) | Self::Mismatch => {
                "keep the spool's folder as it is and check its disk: a record was changed"
            }
            Self::NotPending => "nothing: the instance was finished already",
            Self::Details(_) => "report this: the receiver and the spool disagree",
            Self::NewerVersion { .. } => "run the newer version again until the spool is empty",
            Self::Stopped => "start the service again and have the sender repeat",
            Self::NotAside(_) => "copy the id from `scanveil spool list`",
        }
        .to_owned()
    }
}
