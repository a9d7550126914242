//! What can go wrong between us and a store.

use scanveil_model::Coded;
use std::io;
use std::path::PathBuf;

/// Result of everything in this crate.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// Why a store did not do what was asked. Holds object keys (which name nobody), paths of our own
/// configuration, statuses and fixed words; never a secret and never a text a server wrote, except
/// its error code when that is a plain word.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// No object of this key.
    #[error("object {key} is not in the store")]
    NotFound {
        /// The key asked for.
        key: String,
    },
    /// The store knows us and refuses, or does not know us.
    #[error("the store refused access while {action} (status {status}, {code})")]
    Denied {
        /// What was being done.
        action: &'static str,
        /// HTTP status; 0 where there is none.
        status: u16,
        /// The store's error code.
        code: String,
    },
    /// No answer: refused, reset, not resolved, TLS refused, timed out.
    #[error("the store cannot be reached while {action}: {why}")]
    Unreachable {
        /// What was being done.
        action: &'static str,
        /// A fixed word for the cause.
        why: &'static str,
    },
    /// The bucket lies in another region than configured.
    #[error("the bucket is in region {actual}, the configuration says {configured}")]
    RegionMismatch {
        /// The region of the configuration.
        configured: String,
        /// What the store says; `another` when it does not name it.
        actual: String,
    },
    /// Plain HTTP to a host that is not this machine.
    #[error("the store's endpoint is plain http to another machine")]
    InsecureEndpoint,
    /// The credentials file can be read by others.
    #[error("credentials file {path} has mode {mode:04o}, not 0600")]
    CredentialsFileMode {
        /// The configured path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The credentials file does not say what it has to.
    #[error("credentials file {path}: {what}")]
    CredentialsFileFormat {
        /// The configured path.
        path: PathBuf,
        /// What is wrong, in fixed words.
        what: &'static str,
    },
    /// No credentials anywhere.
    #[error("no credentials for the store: {variable} is not set and no credentials file is named")]
    CredentialsMissing {
        /// The environment variable that was looked for.
        variable: &'static str,
    },
    /// A setting that cannot be right.
    #[error("storage setting {setting}: {what}")]
    Config {
        /// Name of the setting.
        setting: &'static str,
        /// What is wrong with it, in fixed words.
        what: &'static str,
    },
    /// The bucket does not exist.
    #[error("the bucket does not exist")]
    BucketMissing,
    /// A range that the object does not have.
    #[error("object {key} has no bytes {start}..{end}")]
    OutOfRange {
        /// The key.
        key: String,
        /// First byte asked for.
        start: u64,
        /// One past the last byte asked for.
        end: u64,
    },
    /// A size beyond a named limit.
    #[error("{what}: {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The operating system failed.
    #[error("{action} failed")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// No room left.
    #[error("no room left while {action}")]
    Full {
        /// What was being done.
        action: &'static str,
    },
    /// The store failed, or answered what cannot be.
    #[error("the store failed while {action} (status {status}, {code})")]
    Failed {
        /// What was being done.
        action: &'static str,
        /// HTTP status; 0 where there is none.
        status: u16,
        /// The store's error code, or fixed words.
        code: String,
    },
    /// What the store holds after a write is not what was written.
    #[error("object {key} was not confirmed by the store: {what} differs")]
    NotConfirmed {
        /// The key.
        key: String,
        /// Size or checksum.
        what: &'static str,
    },
    /// The file to store is not the sealed object it is said to be, or changed while being read.
    #[error("the file for object {key} is not that object: {what} differs")]
    SourceMismatch {
        /// The key.
        key: String,
        /// Size or digest.
        what: &'static str,
    },
    /// Tags that do not belong to the object or cannot be written.
    #[error("tags of object {key}: {what}")]
    Tags {
        /// The key.
        key: String,
        /// What is wrong, in fixed words.
        what: &'static str,
    },
    /// A text that is not an object key.
    #[error("not an object key")]
    Key,
}

impl StorageError {
    /// Wraps an error of the operating system; a full disk is told apart.
    pub(crate) fn io(action: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { action },
            _ => Self::Io { action, source },
        }
    }

    /// Whether trying the same again later can succeed without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Full { .. } | Self::NotConfirmed { .. } => true,
            Self::Failed { status, .. } => *status >= 500 || *status == 429 || *status == 0,
            _ => false,
        }
    }
}

impl Coded for StorageError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "SV-STORAGE-001",
            Self::Denied { .. } => "SV-STORAGE-002",
            Self::Unreachable { .. } => "SV-STORAGE-003",
            Self::RegionMismatch { .. } => "SV-STORAGE-004",
            Self::InsecureEndpoint => "SV-STORAGE-005",
            Self::CredentialsFileMode { .. } => "SV-STORAGE-006",
            Self::CredentialsFileFormat { .. } => "SV-STORAGE-007",
            Self::CredentialsMissing { .. } => "SV-STORAGE-008",
            Self::Config { .. } => "SV-STORAGE-009",
            Self::BucketMissing => "SV-STORAGE-010",
            Self::OutOfRange { .. } => "SV-STORAGE-011",
            Self::TooLarge { .. } => "SV-STORAGE-012",
            Self::Io { .. } => "SV-STORAGE-013",
            Self::Full { .. } => "SV-STORAGE-014",
            Self::Failed { .. } => "SV-STORAGE-015",
            Self::NotConfirmed { .. } => "SV-STORAGE-016",
            Self::SourceMismatch { .. } => "SV-STORAGE-017",
            Self::Tags { .. } => "SV-STORAGE-018",
            Self::Key => "SV-STORAGE-019",
        }
    }

    fn next_step(&self) -> String {
        let text = match self {
            Self::NotFound { .. } => {
                "run `scanveil store rebuild` if the catalogue names objects the store has not got"
            }
            Self::Denied { code, .. } if code == "RequestTimeTooSkewed" => {
                "set this machine's clock: it differs too much from the store's"
            }
            Self::Denied { code, .. }
                if code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" =>
            {
                "check the access key id and the secret access key"
            }
            Self::Denied { .. } => {
                "give this key the rights to get, put, tag, delete and list objects in the bucket"
            }
            Self::Unreachable { .. } => {
                "check the endpoint, the network and the TLS certificate; writes are tried again"
            }
            Self::RegionMismatch { .. } => {
                "set `region` to the bucket's region, or name a bucket in the region you must use"
            }
            Self::InsecureEndpoint => {
                "use an https endpoint, or set `allow_plain_http` if the network is yours alone"
            }
            Self::CredentialsFileMode { path, .. } => {
                return format!("run `chmod 600 {}` as its owner", path.display());
            }
            Self::CredentialsFileFormat { .. } => {
                "write `aws_access_key_id = ...` and `aws_secret_access_key = ...`, one on a line"
            }
            Self::CredentialsMissing { .. } => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set `credentials_file`"
            }
            Self::Config { .. } => "correct the setting and run `scanveil config check`",
            Self::BucketMissing => "make the bucket, or correct `bucket` in the configuration",
            Self::OutOfRange { .. } => "check the object: it is shorter than its index says",
            Self::TooLarge { .. } => "store it in smaller parts",
            Self::Io { .. } => "check the disk, the folder's owner and its permissions",
            Self::Full { .. } => {
                "make room or give the store more of it; the work is kept meanwhile"
            }
            Self::Failed { .. } => "look into the store's own log; writes are tried again",
            Self::NotConfirmed { .. } => "nothing was lost: the write is tried again",
            Self::SourceMismatch { .. } => "check the disk: a file changed after it was sealed",
            Self::Tags { .. } => "correct the retention policy or profile the tags come from",
            Self::Key => "give a key as `scanveil store` lists them",
        };
        text.to_owned()
    }
}
