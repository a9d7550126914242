//! The vocabulary every stage shares: identifiers, zones, retention, reasons, findings and the
//! shape of an error. Pure: no I/O, no clock, no randomness (invariant 1).
//!
//! The custody types (`SpooledInstance`, `ScrubbedInstance`, `SealedObject`, `StoredObject`,
//! `ReleaseManifest`) live in the crate of the stage that makes them, with private constructors, so
//! that no other crate can pretend a stage has run.

mod decision;
mod error;
mod hex;
mod ids;
mod intake;
mod object;
mod reason;

pub use decision::Decision;
pub use error::{Coded, ErrorReport};
pub use hex::Hex;
pub use ids::{
    AeTitle, Digest, Generation, HospitalId, IdError, ObjectId, ProjectName, SubjectId, Uid,
};
pub use intake::{IntakeMeta, Protocol};
pub use object::{ObjectTags, RetentionClass, Zone};
pub use reason::{Action, Finding, Reason, ReasonCode, TagPath};

#[cfg(test)]
mod tests;
