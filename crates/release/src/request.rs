//! What a release is to be.

use scanveil_catalog::RecordId;
use scanveil_model::{HospitalId, ProjectName, Uid};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What to release, where to, and what to say about it.
#[derive(Debug, Clone)]
pub struct ReleaseRequest {
    /// The release's identifier.
    pub release: RecordId,
    /// The project whose current generation is released.
    pub project: ProjectName,
    /// The folder to write; made when it is not there.
    pub out: PathBuf,
    /// Whether the folder may hold the beginning of this release.
    pub mode: ReleaseMode,
    /// Which instances to take.
    pub filter: ReleaseFilter,
    /// What to do about an object that cannot be opened.
    pub unreadable: Unreadable,
    /// When the release is made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// Version of the engine that makes it.
    pub engine: String,
    /// Threads that open and write; 0 for one per core.
    pub jobs: usize,
    /// How to cite the data set, for the data sheet.
    pub citation: Option<String>,
    /// Whom to ask about it, for the data sheet.
    pub contact: Option<String>,
}

/// Whether a release begins or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseMode {
    /// The folder must be empty or missing.
    New,
    /// The folder may hold the same release, unfinished; right files are kept, others removed.
    Resume,
}

/// What to do about an object that is missing, changed, or whose key is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Stop with an error.
    Fail,
    /// Leave its instances out and count them.
    LeaveOut,
}

/// Which instances to take. Empty sets do not restrict.
#[derive(Debug, Clone, Default)]
pub struct ReleaseFilter {
    /// Only these hospitals.
    pub hospitals: BTreeSet<HospitalId>,
    /// Only these modalities (`CT`, `MR`).
    pub modalities: BTreeSet<String>,
    /// Only these SOP classes.
    pub sop_classes: BTreeSet<Uid>,
}

/// How far the writing of instances is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Instances in place.
    pub instances: u64,
    /// Instances there will be.
    pub instances_total: u64,
    /// Bytes in place.
    pub bytes: u64,
    /// Bytes there will be.
    pub bytes_total: u64,
}
