//! What the page and `/api/status` show. Counts and codes: no identifier of a patient, a study or
//! an instance has a place in it.

use scanveil_model::{AeTitle, HospitalId, ProjectName, ReasonCode};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
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
    /// Whether everything that is needed to receive is there.
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
}

/// One hospital, by stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalStatus {
    /// The hospital.
    pub hospital: HospitalId,
    /// The AE title its senders call.
    pub called_ae: Option<AeTitle>,
    /// Received and durable.
    pub received: u64,
    /// Waiting in the spool.
    pub waiting: u64,
    /// How long the oldest of them has waited, milliseconds.
    pub oldest_waiting_ms: Option<u64>,
    /// De-identified and proven clean.
    pub scrubbed: u64,
    /// De-identified copies in the store.
    pub stored: Volume,
    /// Held back, by reason.
    pub quarantined: Vec<QuarantineStatus>,
}

impl HospitalStatus {
    /// Instances held back, for any reason.
    #[must_use]
    pub fn held_back(&self) -> u64 {
        self.quarantined.iter().map(|reason| reason.instances).sum()
    }
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
    last: Mutex<Option<(Instant, Arc<StatusSnapshot>)>>,
}

impl Status {
    pub(crate) fn new(source: Arc<dyn StatusSource>, web: Entrance) -> Self {
        Self { source, web, last: Mutex::new(None) }
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
        let looked = tokio::task::spawn_blocking(move || source.snapshot());
        let mut snapshot = tokio::time::timeout(PATIENCE, looked).await.ok()?.ok()?;
        snapshot.web = Some(self.web);
        let snapshot = Arc::new(snapshot);
        *last = Some((Instant::now(), Arc::clone(&snapshot)));
        Some(snapshot)
    }
}
