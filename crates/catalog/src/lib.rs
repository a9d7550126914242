//! The catalogue: what is stored where, which generation of a study is current, what is held in
//! quarantine and why, how far a batch is, which releases were made. SQLite by default; everything
//! about stored objects can be rebuilt from the store and the keys.
//!
//! No identifying value stands in it: original UIDs and patient identifiers come as keyed hashes
//! from the caller. All methods block; do not call them from asynchronous code.

mod batch;
mod catalog;
mod compare;
mod database;
mod decisions;
mod error;
mod holdings;
mod publish;
mod query;
mod rebuild;
mod records;
mod releases;
mod row;
mod studies;

pub use batch::{BatchItem, BatchPlan, BatchProgress, BatchRecord, ItemEnd};
pub use catalog::Catalog;
pub use compare::{Comparison, UnderWay};
pub use decisions::{DecidedInstance, InstancePlace};
pub use error::CatalogError;
pub use holdings::Holding;
pub use publish::{Outcomes, Publication, StudyGeneration};
pub use rebuild::Rebuild;
pub use records::{
    Arrival, BatchCandidates, BatchStudy, Counter, HeldBack, InstanceRecord, KeyedId,
    KnownInstance, KnownOriginal, ObjectFilter, ObjectRecord, Outcome, QuarantineCount,
    QuarantineFilter, QuarantineRecord, RecordId, ResearchName, Stage, StudyRecord,
};
pub use releases::{ReleaseRecord, ReleasedStudy};
pub use studies::{NameKind, NamedStudy, StudyGenerationRecord, StudyName, StudyRelease};

#[cfg(test)]
mod tests;
