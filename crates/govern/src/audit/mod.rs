//! The audit log: append-only, hash-chained, one JSON line an event (`docs/formats/audit-log.md`).

mod chain;
mod event;
mod log;

pub use chain::{Break, ChainHash, Verification};
pub use event::{Action, Actor, Entry, ErrorCode, Event, Outcome, Skipped};
pub use log::AuditLog;
