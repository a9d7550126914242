//! Wires the stages: what arrived in the spool is grouped into studies, scrubbed, sealed, stored
//! and published. Here the clock, the environment and the randomness of the other stages come from.

mod activity;
mod attempt;
mod batch;
mod config;
mod content;
mod decided;
mod documents;
mod edges;
mod error;
mod group;
mod hold;
mod intake;
mod label;
mod limits;
mod local;
mod locks;
mod material;
mod preflight;
mod probe;
mod publish;
mod quarantine;
mod rebuild;
mod scrub;
mod site;
mod source;
mod study;
mod subject;
mod waiting;
mod work;
mod worker;

pub use activity::{Activity, StoreHealth};
pub use batch::{BatchChange, BatchOutline, BatchRun, plan_batch, run_batch};
pub use config::{
    Config, Dimse, Hospital, Http, Listener, Pipeline, Project, Retention, SpoolSettings,
    StoreKind, StoreSettings, Tls,
};
pub use documents::DocumentProcess;
pub use edges::{OsEntropy, now_ms};
pub use error::PipelineError;
pub use intake::intake;
pub use limits::{Connections, DimseSettings};
pub use preflight::{Problem, Severity, check_addresses, preflight};
pub use quarantine::{
    DecisionPlan, DecisionRecord, DecisionResult, HeldFilter, HeldGroup, HeldInstance, HeldReason,
    PlannedStudy, QuarantineError, RecordedInstance, Refused, SignedRecord, carry_out, groups,
    held_instances, plan_decision, read_first, read_held,
};
pub use rebuild::{RebuildReport, rebuild_catalog};
pub use site::{ENGINE, Site, SiteMode, load_profile};
pub use subject::{FoundSubject, Sought, SubjectSearch, find_subjects};
pub use worker::Worker;

#[cfg(test)]
mod tests;
