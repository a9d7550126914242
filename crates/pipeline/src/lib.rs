//! Wires the stages: what arrived in the spool is grouped into studies, scrubbed, sealed, stored
//! and published. Here the clock, the environment and the randomness of the other stages come from.

mod activity;
mod admission;
mod attempt;
mod batch;
mod changes;
mod check;
mod config;
mod content;
mod decided;
mod documents;
mod edges;
mod error;
mod finding;
mod group;
mod hold;
mod intake;
mod keys;
mod label;
mod limits;
mod locks;
mod material;
mod objects;
mod preflight;
mod probe;
mod publish;
mod quarantine;
mod rebuild;
mod scrub;
mod settings;
mod site;
mod source;
mod study;
mod study_status;
mod subject;
mod waiting;
mod work;
mod worker;

pub use activity::{Activity, StoreHealth};
pub use admission::ReleaseRules;
pub use batch::{BatchChange, BatchOutline, BatchRun, FailedStudy, plan_batch, run_batch};
pub use changes::{ChangeKind, ConfigChange, ConfigPart, changes, needs_restart};
pub use check::{CheckDepth, StoreCheck, check_store};
pub use config::{
    Config, Dimse, Hospital, Http, Listener, Pipeline, Project, Retention, SpoolSettings,
    StoreKind, StoreSettings, Tls,
};
pub use documents::DocumentProcess;
pub use edges::{OsEntropy, now_ms};
pub use error::PipelineError;
pub use finding::{Finding, FindingKind};
pub use intake::intake;
pub use limits::{Connections, DimseSettings};
pub use preflight::{Problem, Severity, check_addresses, preflight};
pub use quarantine::{
    DecisionPlan, DecisionRecord, DecisionResult, HeldFilter, HeldGroup, HeldInstance, HeldReason,
    PlannedStudy, QuarantineError, RecordedInstance, Refused, SignedRecord, carry_out, groups,
    held_instances, plan_decision, read_first, read_held,
};
pub use rebuild::{Losses, RebuildReport, rebuild_catalog};
pub use settings::Settings;
pub use site::{ENGINE, Site, SiteMode, load_profile};
pub use study_status::{
    StudyHeld, StudyKept, StudyQuestion, StudySender, StudyStatus, study_status,
};
pub use subject::{FoundSubject, Sought, SubjectSearch, find_subjects};
pub use worker::Worker;

#[cfg(test)]
mod tests;
