//! What a release is to be.

use scanveil_catalog::{Catalog, RecordId, UnderWay};
use scanveil_model::{HospitalId, ProjectName, Uid};
use scanveil_seal::ResearchKeys;
use scanveil_storage::Store;
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
    /// Hospitals that the project takes today: no other's data is in the release, whatever the
    /// catalogue has of it.
    pub admitted: BTreeSet<HospitalId>,
    /// Hospitals that are configured today.
    pub configured: BTreeSet<HospitalId>,
    /// Label of the profile that the project has today.
    pub profile: String,
    /// Leave out what was made with another profile.
    pub only_profile: bool,
    /// Which instances to take.
    pub filter: ReleaseFilter,
    /// What to do about an object that is gone or cannot be opened.
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

impl ReleaseRequest {
    /// Why nothing of a hospital is in the release, if nothing is.
    pub(crate) fn excludes(&self, hospital: &HospitalId) -> Option<&'static str> {
        if !self.configured.contains(hospital) {
            return Some("hospital-not-configured");
        }
        if !self.admitted.contains(hospital) {
            return Some("hospital-not-in-project");
        }
        (!self.wants(hospital)).then_some("filter-hospital")
    }

    /// Whether the filter lets a hospital pass.
    pub(crate) fn wants(&self, hospital: &HospitalId) -> bool {
        self.filter.hospitals.is_empty() || self.filter.hospitals.contains(hospital)
    }
}

/// Where a release is made from.
#[derive(Clone, Copy)]
pub struct ReleaseSources<'a> {
    /// What there is.
    pub catalog: &'a Catalog,
    /// Where it lies.
    pub store: &'a Store,
    /// Keys of the research zone.
    pub keys: &'a dyn ResearchKeys,
    /// Says which objects are not published yet.
    pub under_way: UnderWay<'a>,
}

/// Whether a release begins or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseMode {
    /// The folder must be empty or missing.
    New,
    /// The folder may hold the same release, unfinished; right files are kept, others removed.
    Resume,
}

/// What to do about an object that is missing, changed, whose key is lost, or that the catalogue
/// does not know.
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
