//! What can go wrong while sealing and opening. No variant carries a value of a data set.

use scanveil_model::Coded;
use std::io;

/// An error of the sealed-object format, of packs, or of the key hierarchy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The magic bytes are not there.
    #[error("not a sealed object: its first bytes are something else")]
    NotSealed,
    /// A version of the sealed-object format that this build does not know.
    #[error("sealed-object version {0} is not known")]
    UnknownVersion(u16),
    /// A header field has a value it cannot have.
    #[error("sealed-object header: {0}")]
    Header(&'static str),
    /// The wrapped data key does not open: another key, or a changed header.
    #[error("the data key does not open: it belongs to another key, or the header was changed")]
    KeyRefused,
    /// A chunk does not authenticate.
    #[error("chunk {0} does not authenticate: the object was changed, cut short or extended")]
    Chunk(u32),
    /// The object ends before the format allows it to.
    #[error("the sealed object ends early")]
    Truncated,
    /// More plaintext than one object can hold at its chunk size.
    #[error("the sealed object would need more than 2^32 chunks")]
    TooLong,
    /// A range outside the plaintext was asked for.
    #[error("range {offset}+{length} is outside the {plain} plaintext bytes")]
    Range {
        /// First byte asked for.
        offset: u64,
        /// How many bytes were asked for.
        length: u64,
        /// How many plaintext bytes there are.
        plain: u64,
    },
    /// A header of one zone met the key of another.
    #[error("the zone key belongs to another zone than the header names")]
    ZoneMismatch,
    /// A research object was to be written without proof of scrubbing.
    #[error("the research zone takes scrubbed instances only, through a research pack")]
    ResearchUnscrubbed,
    /// An earlier error or an unfinished slot makes what was written unusable.
    #[error("an earlier write failed or was left unfinished: nothing more can be sealed here")]
    Poisoned,
    /// The plaintext does not end as a pack does.
    #[error("not a pack: {0}")]
    NotPack(&'static str),
    /// A version of the pack index that this build does not know.
    #[error("pack index version {0} is not known")]
    UnknownIndexVersion(u32),
    /// The pack index contradicts the format or the sealed header.
    #[error("pack index: {0}")]
    Index(&'static str),
    /// The pack would pass a limit of the format.
    #[error("the pack is full: {0}")]
    PackFull(&'static str),
    /// The bytes of an instance are not those its entry describes.
    #[error("instance {entry} of the pack: {what} differs from its entry")]
    InstanceMismatch {
        /// Number of the entry, from 0.
        entry: usize,
        /// `length` or `digest`.
        what: &'static str,
    },
    /// Instances of more than one patient or study were put into one research pack.
    #[error("instance {entry} of the pack belongs to another {what}")]
    MixedPack {
        /// Number of the entry, from 0.
        entry: usize,
        /// `patient`, `study` or `certificate's study`.
        what: &'static str,
    },
    /// A root key in text form is not one.
    #[error("root key text: {0}")]
    KeyText(&'static str),
    /// A wrapped key is of another kind or version than asked for.
    #[error("wrapped key: {0}")]
    WrappedKey(&'static str),
    /// A wrapped key does not open under the key above it.
    #[error("the wrapped key does not open under the key above it")]
    UnwrapRefused,
    /// No key is held for this hospital or subject.
    #[error("no key is held for this subject")]
    KeyUnknown,
    /// The key was destroyed: what it sealed cannot be opened any more.
    #[error("the subject's key was destroyed")]
    KeyDestroyed,
    /// The key store failed.
    #[error("the key store failed: {0}")]
    KeyStore(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Reading or writing failed.
    #[error("reading or writing a sealed object failed ({})", .0.kind())]
    Io(#[source] io::Error),
}

impl From<io::Error> for SealError {
    /// Gives back a [`SealError`] that travelled through a `Read` or `Write` as it was.
    fn from(err: io::Error) -> Self {
        match err.downcast::<Self>() {
            Ok(seal) => seal,
            Err(io) => Self::Io(io),
        }
    }
}

impl From<SealError> for io::Error {
    fn from(err: SealError) -> Self {
        match err {
            SealError::Io(io) => io,
            SealError::Truncated => Self::new(io::ErrorKind::UnexpectedEof, err),
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

impl Coded for SealError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotSealed => "SV-SEAL-001",
            Self::UnknownVersion(_) => "SV-SEAL-002",
            Self::Header(_) => "SV-SEAL-003",
            Self::KeyRefused => "SV-SEAL-004",
            Self::Chunk(_) => "SV-SEAL-005",
            Self::Truncated => "SV-SEAL-006",
            Self::TooLong => "SV-SEAL-007",
            Self::Range { .. } => "SV-SEAL-008",
            Self::ZoneMismatch => "SV-SEAL-009",
            Self::ResearchUnscrubbed => "SV-SEAL-010",
            Self::Poisoned => "SV-SEAL-011",
            Self::NotPack(_) => "SV-SEAL-012",
            Self::UnknownIndexVersion(_) => "SV-SEAL-013",
            Self::Index(_) => "SV-SEAL-014",
            Self::PackFull(_) => "SV-SEAL-015",
            Self::InstanceMismatch { .. } => "SV-SEAL-016",
            Self::MixedPack { .. } => "SV-SEAL-017",
            Self::KeyText(_) => "SV-SEAL-018",
            Self::WrappedKey(_) => "SV-SEAL-019",
            Self::UnwrapRefused => "SV-SEAL-020",
            Self::KeyUnknown => "SV-SEAL-021",
            Self::KeyDestroyed => "SV-SEAL-022",
            Self::KeyStore(_) => "SV-SEAL-023",
            Self::Io(_) => "SV-SEAL-024",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::NotSealed | Self::NotPack(_) => "check what was put at this place in the store",
            Self::UnknownVersion(_) | Self::UnknownIndexVersion(_) => {
                "open it with the newer scanveil that wrote it"
            }
            Self::Header(_) | Self::Chunk(_) | Self::Truncated | Self::Index(_) => {
                "restore the object from a second copy: its bytes are not those that were sealed"
            }
            Self::KeyRefused | Self::UnwrapRefused => {
                "check that the keyring belongs to this store, or restore it from its backup"
            }
            Self::TooLong | Self::PackFull(_) => "split the data over several objects",
            Self::Range { .. } => "ask for a range within the object",
            Self::ZoneMismatch | Self::ResearchUnscrubbed | Self::Poisoned => {
                "report this: a stage used the sealing interface wrongly"
            }
            Self::InstanceMismatch { .. } => {
                "read the source again: its bytes changed on the way into the pack"
            }
            Self::MixedPack { .. } => "start a new pack for every study",
            Self::KeyText(_) => "restore the root key file from its backup",
            Self::WrappedKey(_) => "restore the keyring from its backup",
            Self::KeyUnknown => "restore the keyring from its backup, or re-import the study",
            Self::KeyDestroyed => "nothing: the subject was erased on purpose",
            Self::KeyStore(_) => "look at the cause named with it",
            Self::Io(_) => "check the disk or the store, then try again",
        }
        .to_owned()
    }
}
