//! Why something was refused or failed.

use crate::{PersonName, RequestId};
use scanveil_model::Coded;
use std::io;
use std::path::PathBuf;

/// What can go wrong around approvals, requests and the audit log. Names persons of the staff,
/// requests and our own paths; never a patient, a pseudonym or a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GovernError {
    /// The disk failed.
    #[error("could not {op} {}", .path.display())]
    Io {
        /// What was tried.
        op: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The end of the audit log is not what was written.
    #[error("the audit log {} is broken at its end: {what}", .path.display())]
    LogBroken {
        /// The log.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// A file was written by a newer version.
    #[error("{what} was written by a newer version (format {format})")]
    NewerFormat {
        /// Which file.
        what: &'static str,
        /// The format met.
        format: u32,
    },
    /// A file of ours is not what was written.
    #[error("{} is not a readable file of scanveil", .0.display())]
    Damaged(PathBuf),
    /// Not a name.
    #[error("a person's name is a letter a-z, then up to 31 of a-z, 0-9, '.', '_' and '-'")]
    Name,
    /// Not a reason.
    #[error("a reason is one line of 3 to 200 characters")]
    Reason,
    /// Not the identifier of a request.
    #[error("a request's identifier is 16 hexadecimal digits")]
    RequestId,
    /// Not a pseudonym and not a UID.
    #[error("a pseudonym is SV and 16 characters of Crockford's base 32; a UID is digits and dots")]
    Target,
    /// Not a token.
    #[error("a token is svg_ and 64 hexadecimal digits")]
    TokenForm,
    /// A token that others could have read.
    #[error("others than its owner can read the token's file")]
    TokenExposed,
    /// Nobody of this name is registered.
    #[error("{0} is not registered")]
    PersonUnknown(PersonName),
    /// Somebody of this name is registered.
    #[error("{0} is registered already")]
    PersonKnown(PersonName),
    /// As many people as there can be are registered.
    #[error("there are {0} people registered, as many as there can be")]
    TooManyPeople(usize),
    /// The token is not this person's.
    #[error("the token is not that of {0}")]
    WrongToken(PersonName),
    /// There is no such request.
    #[error("there is no request {0}")]
    RequestUnknown(RequestId),
    /// What the sealed state of a request holds is none.
    #[error("the state of request {0} is not readable")]
    RequestDamaged(RequestId),
    /// The request's time is over.
    #[error("request {0} has expired")]
    Expired(RequestId),
    /// The request was carried out before.
    #[error("request {0} was carried out already")]
    Done(RequestId),
    /// Who asks may not approve.
    #[error("{0} asked for it and cannot approve it")]
    OwnRequest(PersonName),
    /// One person, one approval.
    #[error("{0} has approved it already")]
    ApprovedBefore(PersonName),
    /// No further approval is needed.
    #[error("request {0} has the approvals it needs")]
    ApprovedEnough(RequestId),
    /// Only who asked gets the answer.
    #[error("the request is not that of {0}")]
    NotYours(PersonName),
    /// Approvals are missing.
    #[error("the request has {have} of {need} approvals that count")]
    NotApproved {
        /// Approvals that count.
        have: usize,
        /// Approvals it needs.
        need: usize,
    },
    /// Nothing that the project has is meant.
    #[error("the project has nothing of this hospital under this pseudonym or UID")]
    NotFound,
    /// The original is not there to say who it is.
    #[error("no original that says who the patient is can be read")]
    NoOriginal,
    /// What the original says gives another pseudonym.
    #[error("the original does not give this pseudonym with any version of the hospital's secret")]
    NotRecomputed,
    /// A cipher of the system refused to work.
    #[error("the signature could not be made")]
    Signing,
}

impl Coded for GovernError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "SV-GOVERN-001",
            Self::LogBroken { .. } => "SV-GOVERN-002",
            Self::NewerFormat { .. } => "SV-GOVERN-003",
            Self::Damaged(_) => "SV-GOVERN-004",
            Self::Name => "SV-GOVERN-005",
            Self::Reason => "SV-GOVERN-006",
            Self::RequestId => "SV-GOVERN-007",
            Self::Target => "SV-GOVERN-008",
            Self::TokenForm => "SV-GOVERN-009",
            Self::TokenExposed => "SV-GOVERN-010",
            Self::PersonUnknown(_) => "SV-GOVERN-011",
            Self::PersonKnown(_) => "SV-GOVERN-012",
            Self::TooManyPeople(_) => "SV-GOVERN-013",
            Self::WrongToken(_) => "SV-GOVERN-014",
            Self::RequestUnknown(_) => "SV-GOVERN-015",
            Self::RequestDamaged(_) => "SV-GOVERN-016",
            Self::Expired(_) => "SV-GOVERN-017",
            Self::Done(_) => "SV-GOVERN-018",
            Self::OwnRequest(_) => "SV-GOVERN-019",
            Self::ApprovedBefore(_) => "SV-GOVERN-020",
            Self::NotYours(_) => "SV-GOVERN-021",
            Self::NotApproved { .. } => "SV-GOVERN-022",
            Self::NotFound => "SV-GOVERN-023",
            Self::NoOriginal => "SV-GOVERN-024",
            Self::NotRecomputed => "SV-GOVERN-025",
            Self::Signing => "SV-GOVERN-026",
            Self::ApprovedEnough(_) => "SV-GOVERN-027",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::Io { .. } => "check the disk and the permissions of the data folder",
            Self::LogBroken { .. } => {
                "run `scanveil audit verify`, keep the file as evidence and move it aside: a new \
                 one begins by itself"
            }
            Self::NewerFormat { .. } => "run the newer version of scanveil that wrote it",
            Self::Damaged(_) | Self::RequestDamaged(_) => {
                "restore it from a backup, or remove it and ask again"
            }
            Self::Name => "use the person's sign-in name",
            Self::Reason => "say why in one line, without a patient's name",
            Self::RequestId => "copy it from `scanveil subject list`",
            Self::Target => "copy it from the released files, Patient ID or an instance's UID",
            Self::TokenForm => "give the token as `scanveil subject approver add` printed it",
            Self::TokenExposed => {
                "run chmod 600 on it; if others may have read it, remove the person and add them \
                 again"
            }
            Self::PersonUnknown(_) => "have them added with `scanveil subject approver add`",
            Self::PersonKnown(_) => "remove them first, if they need a new token",
            Self::TooManyPeople(_) => {
                "remove those who left with `scanveil subject approver remove`"
            }
            Self::WrongToken(_) => {
                "use your own token; a lost one cannot be restored, only replaced"
            }
            Self::RequestUnknown(_) => "look at `scanveil subject list`",
            Self::Expired(_) | Self::Done(_) => "ask again with `scanveil subject request`",
            Self::OwnRequest(_) | Self::ApprovedBefore(_) => "have another person approve it",
            Self::ApprovedEnough(_) => "nothing: whoever asked can take the answer",
            Self::NotYours(_) => "whoever asked has to take the answer",
            Self::NotApproved { .. } => {
                "have two people who did not ask for it run `scanveil subject approve`"
            }
            Self::NotFound => "check project, hospital and pseudonym",
            Self::NoOriginal => {
                "nothing here can say it: the originals were not kept, or the patient was erased"
            }
            Self::NotRecomputed => "report this: what was found does not fit what was asked",
            Self::Signing => "report this: it is a defect",
        }
        .to_owned()
    }
}
