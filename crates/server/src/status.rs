//! What the page and `/api/status` show. Counts and codes: no identifier of a patient, a study or
//! an instance has a place in it.

use scanveil_model::{AeTitle, HospitalId, ProjectName, ReasonCode};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long one look serves everybody who asks.
const FRESH: Duration = Duration::from_secs(1);
/// How long a look may take before the service counts as not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whoever knows how the service is doing.
pub trait StatusSource: Send + Sync {
    /// Looks. It may block; it is not called more than once a second.
    fn snapshot(&self) -> StatusSnapshot;
}

/// How the service is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSnapshot {
    /// The program's version.
    pub version: String,
    /// When it was looked, milliseconds since 1970 (UTC).
    pub taken_at_ms: i64,
    /// When the service started, milliseconds since 1970 (UTC).
    pub started_at_ms: i64,
    /// Whether instances can be received. Nothing else makes it false.
    pub ready: bool,
    /// What an operator should see to.
    pub problems: Vec<Problem>,
    /// Where C-STORE is received.
    pub dicom: Option<Entrance>,
    /// Where STOW-RS and uploads are received; the server fills it in.
    #[serde(default)]
    pub web: Option<Entrance>,
    /// The spool.
    pub spool: SpoolStatus,
    /// The pipeline.
    pub pipeline: PipelineStatus,
    /// The object store.
    pub store: StoreStatus,
    /// Every configured hospital.
    pub hospitals: Vec<HospitalStatus>,
    /// Releases, newest first.
    pub releases: Vec<ReleaseStatus>,
}

/// Something an operator should see to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub next_step: String,
}

/// An address that senders use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrance {
    /// Address and port.
    pub address: SocketAddr,
    /// Whether TLS is spoken there.
    pub tls: bool,
}

/// Instances and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Instances.
    pub instances: u64,
    /// Bytes.
    pub bytes: u64,
}

/// The spool, where received instances wait.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolStatus {
    /// Bytes in it.
    pub used_bytes: u64,
    /// Its limit, bytes.
    pub max_bytes: u64,
    /// Instances in it.
    pub waiting: u64,
    /// How long the oldest of them has waited, milliseconds.
    pub oldest_waiting_ms: Option<u64>,
    /// Records that were set aside because they cannot be read.
    pub set_aside: u64,
}

/// The pipeline, which empties the spool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineStatus {
    /// Studies that are gathered, in work, or wait for another attempt.
    pub studies: u64,
    /// Those of them whose last attempt failed.
    pub failing: u64,
    /// Failed attempts since the service started.
    pub failures: u64,
    /// When a study was last done, milliseconds since 1970 (UTC); nothing before the first.
    pub last_success_at_ms: Option<i64>,
}

/// The object store, as the service finds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Whether it answered when it was last asked.
    pub reachable: bool,
    /// Failures of the store since the service started.
    pub errors: u64,
}

/// One hospital, by stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalStatus {
    /// The hospital.
    pub hospital: HospitalId,
    /// The AE title its senders call.
    pub called_ae: Option<AeTitle>,
    /// Received and durable, what waits in the spool and duplicates included.
    pub received: u64,
    /// Waiting in the spool.
    pub waiting: u64,
    /// How long the oldest of them has waited, milliseconds.
    pub oldest_waiting_ms: Option<u64>,
    /// When its last instance arrived, milliseconds since 1970 (UTC).
    pub last_arrival_at_ms: Option<i64>,
    /// Received instances of which a de-identified copy is in the current generation of a project,
    /// each counted once, and the bytes of those generations in the store.
    pub stored: Volume,
    /// Received instances that are held back and have no such copy, each counted once.
    pub held_back: u64,
    /// The same by reason; one with several reasons counts for each.
    pub quarantined: Vec<QuarantineStatus>,
}

/// Instances held back for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineStatus {
    /// The reason.
    pub code: ReasonCode,
    /// Instances.
    pub instances: u64,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseStatus {
    /// The project it was made for.
    pub project: ProjectName,
    /// The release's own id.
    pub id: String,
    /// What it holds.
    pub volume: Volume,
    /// When it was made, milliseconds since 1970 (UTC).
    pub created_at_ms: i64,
}

/// One look, shared by all who ask within a second.
pub(crate) struct Status {
    source: Arc<dyn StatusSource>,
    web: Entrance,
    /// Where looks are taken: not among the threads of the receivers, who may need them all.
    looks: Handle,
    last: Mutex<Option<(Instant, Arc<StatusSnapshot>)>>,
}

impl Status {
    pub(crate) fn new(source: Arc<dyn StatusSource>, web: Entrance, looks: Handle) -> Self {
        Self { source, web, looks, last: Mutex::new(None) }
    }

    /// The latest look; nothing when looking fails or takes too long.
    pub(crate) async fn look(&self) -> Option<Arc<StatusSnapshot>> {
        let mut last = self.last.lock().await;
        if let Some((at, snapshot)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return Some(Arc::clone(snapshot));
        }
        let source = Arc::clone(&self.source);
        let looked = self.looks.spawn_blocking(move || source.snapshot());
        let mut snapshot = tokio::time::timeout(PATIENCE, looked).await.ok()?.ok()?;
        snapshot.web = Some(self.web);
        let snapshot = Arc::new(snapshot);
        *last = Some((Instant::now(), Arc::clone(&snapshot)));
        Some(snapshot)
    }
}
