//! Why an input was held back, in words that hold no value.

use crate::inputs::{ArchiveFault, Fault};
use scanveil_model::{Reason, ReasonCode};
use serde::Serialize;

/// What a report says of an input that was held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its stable word.
    pub reason: &'static str,
    /// The element that it is about, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What was found, without a value.
    pub detail: String,
    /// What to do next.
    pub next_step: &'static str,
}

impl Held {
    fn unreadable(detail: &str) -> Self {
        Self {
            reason: "unreadable",
            at: None,
            detail: detail.to_owned(),
            next_step: "check its permissions and the disk, then run again",
        }
    }

    /// The output could not be written; the whole run fails with the cause.
    pub(crate) fn unwritten() -> Self {
        Reason::new(ReasonCode::Internal, "the output could not be written").into()
    }

    /// A folder that could not be listed.
    pub(crate) fn unlisted() -> Self {
        Self::unreadable("a folder that cannot be listed")
    }

    /// An archive within an archive.
    pub(crate) fn nested() -> Self {
        Reason::new(ReasonCode::NotDicom, "an archive within an archive").into()
    }

    /// An archive that was not opened.
    pub(crate) fn archive(fault: ArchiveFault) -> Self {
        match fault {
            ArchiveFault::Damaged(detail) => Self {
                reason: "damaged-archive",
                at: None,
                detail: detail.to_owned(),
                next_step: "have the archive packed and sent again",
            },
            ArchiveFault::Limit(detail) => Reason::new(ReasonCode::LimitExceeded, detail).into(),
        }
    }
}

impl From<Reason> for Held {
    fn from(reason: Reason) -> Self {
        Self {
            reason: reason.code.as_str(),
            at: reason.at.map(|at| at.0),
            detail: reason.detail,
            next_step: reason.code.next_step(),
        }
    }
}

impl From<Fault> for Held {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unreadable => Self::unreadable("it cannot be read"),
            Fault::Changed => Self {
                reason: "changed",
                at: None,
                detail: "it is not what was looked at before".to_owned(),
                next_step: "let nothing write to the inputs while they are scrubbed, then run again",
            },
            Fault::Packing => Self {
                reason: "archive-packing",
                at: None,
                detail: "encrypted, or packed by another method than deflate".to_owned(),
                next_step: "unpack the archive first, or have it packed plainly",
            },
            Fault::Reason(reason) => reason.into(),
        }
    }
}
