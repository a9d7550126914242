//! Who may find a patient behind a pseudonym again, and the log of what was done about identified
//! data. Files, the clock and randomness come in through the caller, but for the log's own file and
//! the folder of requests.

mod audit;
mod error;
mod office;
mod person;
mod request;

pub use audit::{
    Action, Actor, AuditLog, Break, ChainHash, Entry, ErrorCode, Event, Outcome, Skipped,
    Verification,
};
pub use error::GovernError;
pub use office::{Office, OfficeGuard};
pub use person::{Approver, Approvers, PersonName, Token};
pub use request::{
    APPROVALS, Approval, Ask, EscrowRequest, Reason, RequestId, RequestState, Target,
};

#[cfg(test)]
mod tests;
