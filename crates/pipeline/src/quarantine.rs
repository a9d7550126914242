//! The quarantine: what is in it, what a person decides about it, and what becomes of that.

mod carry_out;
mod discard;
mod error;
mod held;
mod plan;
mod record;

pub use carry_out::{DecisionResult, carry_out};
pub use error::QuarantineError;
pub use held::{
    HeldFilter, HeldGroup, HeldInstance, HeldReason, groups, held_instances, read_first, read_held,
};
pub use plan::{DecisionPlan, PlannedStudy, Refused, plan_decision};
pub(crate) use record::restore_decisions;
pub use record::{DecisionRecord, RecordedInstance, SignedRecord};
