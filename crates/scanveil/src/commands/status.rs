//! What the service tells of itself: counters of the catalogue, the spool, what fails.

use scanveil_catalog::{QuarantineCount, Stage};
use scanveil_model::Coded;
use scanveil_model::{ErrorReport, HospitalId};
use scanveil_pipeline::{Activity, ENGINE, Site, now_ms};
use scanveil_server::{
    Entrance, HospitalStatus, Problem, QuarantineStatus, ReleaseStatus, SpoolStatus,
    StatusSnapshot, StatusSource, Volume,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

/// Releases on the page.
const NEWEST: usize = 10;

pub(crate) struct Status {
    site: Arc<Site>,
    activity: Arc<Activity>,
    dicom: Option<Entrance>,
    started_at_ms: i64,
}

impl Status {
    pub(crate) fn new(
        site: &Arc<Site>,
        activity: &Arc<Activity>,
        dimse: Option<(SocketAddr, bool)>,
    ) -> Self {
        Self {
            site: Arc::clone(site),
            activity: Arc::clone(activity),
            dicom: dimse.map(|(address, tls)| Entrance { address, tls }),
            started_at_ms: now_ms(),
        }
    }

    fn spool(&self) -> SpoolStatus {
        let Some(spool) = self.site.spool() else { return SpoolStatus::default() };
        let stats = spool.stats();
        SpoolStatus {
            used_bytes: stats.used_bytes,
            max_bytes: self.site.config().spool.max_bytes,
            waiting: stats.pending as u64,
            oldest_waiting_ms: stats
                .oldest_received_at_ms
                .map(|at| u64::try_from(now_ms() - at).unwrap_or(0)),
        }
    }

    fn hospitals(&self) -> Result<Vec<HospitalStatus>, ErrorReport> {
        let report = |error: scanveil_catalog::CatalogError| error.report();
        let mut totals: BTreeMap<(HospitalId, Stage), u64> = BTreeMap::new();
        for counter in self.site.catalog().counters().map_err(report)? {
            totals.insert((counter.hospital, counter.stage), counter.total);
        }
        let held = self.site.catalog().quarantine_counts().map_err(report)?;
        let hospitals = self.site.config().hospitals.iter().map(|hospital| {
            let of = |stage| totals.get(&(hospital.id.clone(), stage)).copied().unwrap_or(0);
            let volume = |instances, bytes| Volume { instances, bytes };
            HospitalStatus {
                hospital: hospital.id.clone(),
                called_ae: hospital.called_ae.clone(),
                received: of(Stage::Received),
                waiting: 0,
                oldest_waiting_ms: None,
                scrubbed: of(Stage::Scrubbed),
                stored: volume(of(Stage::Scrubbed), of(Stage::StoredBytes)),
                quarantined: quarantined(&held, &hospital.id),
            }
        });
        Ok(hospitals.collect())
    }

    fn releases(&self) -> Vec<ReleaseStatus> {
        let records = self.site.catalog().releases().unwrap_or_default();
        let mut releases: Vec<ReleaseStatus> = records
            .into_iter()
            .map(|record| ReleaseStatus {
                project: record.project,
                id: record.release.to_string(),
                volume: Volume { instances: record.instances, bytes: record.bytes },
                created_at_ms: record.created_at_ms,
            })
            .collect();
        releases.sort_by_key(|release| std::cmp::Reverse(release.created_at_ms));
        releases.truncate(NEWEST);
        releases
    }
}

fn quarantined(held: &[QuarantineCount], hospital: &HospitalId) -> Vec<QuarantineStatus> {
    held.iter()
        .filter(|count| count.hospital == *hospital)
        .map(|count| QuarantineStatus { code: count.code, instances: count.instances })
        .collect()
}

impl StatusSource for Status {
    fn snapshot(&self) -> StatusSnapshot {
        let mut problems = Vec::new();
        let failing = self.activity.failing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(code) = failing {
            problems.push(Problem {
                code,
                message: "the last study could not be processed; it stays in the spool".into(),
                next_step: "look into the log for this code; it is tried again by itself".into(),
            });
        }
        let hospitals = self.hospitals().unwrap_or_else(|report| {
            problems.push(Problem {
                code: report.code,
                message: report.message,
                next_step: report.next_step,
            });
            Vec::new()
        });
        StatusSnapshot {
            version: ENGINE.to_owned(),
            taken_at_ms: now_ms(),
            started_at_ms: self.started_at_ms,
            ready: problems.is_empty(),
            problems,
            dicom: self.dicom,
            web: None,
            spool: self.spool(),
            hospitals,
            releases: self.releases(),
        }
    }
}
