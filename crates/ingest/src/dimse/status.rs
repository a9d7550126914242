//! Status codes of DIMSE responses (PS3.7 C, PS3.4 B.2.3).

use std::fmt;

/// A DIMSE status: `0000` is success, `Bxxx` a warning, everything else a refusal or failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(pub u16);

impl Status {
    /// Success.
    pub const SUCCESS: Self = Self(0x0000);
    /// Failure: processing failure (PS3.7 C.5.19).
    pub const PROCESSING_FAILURE: Self = Self(0x0110);
    /// Failure: the SOP Instance UID breaks the UID rules (PS3.7 C.5.7).
    pub const INVALID_OBJECT_INSTANCE: Self = Self(0x0117);
    /// Refused: SOP class not supported (PS3.7 C.5.22).
    pub const SOP_CLASS_NOT_SUPPORTED: Self = Self(0x0122);
    /// Refused: not authorized (PS3.7 C.5.23).
    pub const NOT_AUTHORIZED: Self = Self(0x0124);
    /// Refused: unrecognized operation (PS3.7 C.5.26).
    pub const UNRECOGNIZED_OPERATION: Self = Self(0x0211);
    /// Refused: out of resources (PS3.4 B.2.3).
    pub const OUT_OF_RESOURCES: Self = Self(0xA700);
    /// Error: the data set does not match the SOP class (PS3.4 B.2.3).
    pub const DATA_SET_MISMATCH: Self = Self(0xA900);
    /// Error: cannot understand (PS3.4 B.2.3).
    pub const CANNOT_UNDERSTAND: Self = Self(0xC000);

    /// Whether the peer has taken responsibility: success or a warning (PS3.7 C.2, C.3).
    #[must_use]
    pub fn is_taken(self) -> bool {
        self == Self::SUCCESS || self.0 == 0x0001 || self.0 >> 12 == 0xB
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

/// How a C-STORE ended; each has its status, a comment for the peer's log, and a metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreOutcome {
    Stored,
    SpoolFull,
    SpoolRefused,
    SpoolFailed,
    TooLong,
    WrongClass,
    NoDataSet,
    ClassNotSupported,
    InvalidInstance,
}

impl StoreOutcome {
    pub(super) fn status(self) -> Status {
        match self {
            Self::Stored => Status::SUCCESS,
            Self::SpoolFull | Self::TooLong => Status::OUT_OF_RESOURCES,
            Self::SpoolRefused => Status::NOT_AUTHORIZED,
            Self::SpoolFailed => Status::PROCESSING_FAILURE,
            Self::WrongClass => Status::DATA_SET_MISMATCH,
            Self::NoDataSet => Status::CANNOT_UNDERSTAND,
            Self::ClassNotSupported => Status::SOP_CLASS_NOT_SUPPORTED,
            Self::InvalidInstance => Status::INVALID_OBJECT_INSTANCE,
        }
    }

    /// Error Comment (0000,0902): VR LO, at most 64 characters, fixed words only.
    pub(super) fn comment(self) -> Option<&'static str> {
        match self {
            Self::Stored => None,
            Self::SpoolFull => Some("SV-INGEST-001 the spool is full: send again later"),
            Self::SpoolRefused => Some("SV-INGEST-002 the hospital is not ready to receive"),
            Self::SpoolFailed => Some("SV-INGEST-003 the spool failed: send again later"),
            Self::TooLong => Some("SV-INGEST-114 the instance is over the size limit"),
            Self::WrongClass => Some("SV-INGEST-115 data set has another SOP class"),
            Self::NoDataSet => Some("SV-INGEST-115 there is no data set"),
            Self::ClassNotSupported => Some("SV-INGEST-115 SOP class is not the negotiated one"),
            Self::InvalidInstance => Some("SV-INGEST-115 SOP Instance UID is not a UID"),
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::SpoolFull => "spool-full",
            Self::SpoolRefused => "spool-refused",
            Self::SpoolFailed => "spool-failed",
            Self::TooLong => "too-long",
            Self::WrongClass => "wrong-class",
            Self::NoDataSet => "no-data-set",
            Self::ClassNotSupported => "class-not-supported",
            Self::InvalidInstance => "invalid-instance",
        }
    }
}

impl From<&crate::intake::IntakeError> for StoreOutcome {
    fn from(error: &crate::intake::IntakeError) -> Self {
        use crate::intake::IntakeError;
        match error {
            IntakeError::Full => Self::SpoolFull,
            IntakeError::Refused(_) => Self::SpoolRefused,
            IntakeError::Io(_) => Self::SpoolFailed,
        }
    }
}
