//! What the service tells of itself. Ready means that it can receive; everything else that is wrong
//! is a problem with a code and a next step.

use crate::commands::figures::{Figures, Known};
use crate::commands::serve::receivers::Receivers;
use crate::commands::serve::reload::{WAITING_STEP, WaitingOf, waiting};
use crate::output::{Failure, io_failure};
use scanveil_catalog::QuarantineCount;
use scanveil_model::{Coded, ErrorReport, HospitalId};
use scanveil_pipeline::{Activity, ENGINE, Hospital, Site, now_ms};
use scanveil_server::{
    HospitalStatus, PipelineStatus, Problem, QuarantineStatus, SpoolStatus, StatusSnapshot,
    StatusSource, StoreStatus, Volume,
};
use scanveil_vault::{DAMAGE_CODE, Spool, SpoolStats};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

pub(crate) struct Status {
    site: Arc<Site>,
    activity: Arc<Activity>,
    figures: Figures,
    receivers: Arc<Receivers>,
    started_at_ms: i64,
}

impl Status {
    pub(crate) fn new(
        site: &Arc<Site>,
        activity: &Arc<Activity>,
        receivers: &Arc<Receivers>,
    ) -> Result<Self, Failure> {
        let figures = Figures::start(site).map_err(|error| io_failure("a thread", &error))?;
        Ok(Self {
            site: Arc::clone(site),
            activity: Arc::clone(activity),
            figures,
            receivers: Arc::clone(receivers),
            started_at_ms: now_ms(),
        })
    }

    fn spool(&self, stats: SpoolStats) -> SpoolStatus {
        SpoolStatus {
            used_bytes: stats.used_bytes,
            max_bytes: self.site.config().spool.max_bytes,
            waiting: stats.pending as u64,
            oldest_waiting_ms: stats.oldest_received_at_ms.map(since),
            set_aside: stats.set_aside + stats.unreadable,
        }
    }

    fn pipeline(&self) -> PipelineStatus {
        let activity = &self.activity;
        let last = activity.last_success_ms.load(Ordering::Relaxed);
        PipelineStatus {
            studies: activity.studies.load(Ordering::Relaxed),
            failing: activity.failing_studies.load(Ordering::Relaxed),
            failures: activity.failures.load(Ordering::Relaxed),
            last_success_at_ms: (last > 0).then_some(last),
        }
    }

    /// What is wrong beside receiving.
    fn problems(&self, known: &Known, stats: Option<SpoolStats>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let failing = self.activity.failing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let store = self.activity.store.problem();
        // A store that is away is told once, not again as what it does to a study.
        let same = failing.is_some() && failing == store.as_ref().map(|report| report.code.clone());
        if let Some(code) = failing.filter(|_| !same) {
            problems.push(Problem {
                code,
                message: "a study could not be processed; it stays in the spool".into(),
                next_step: "look into the log for this code; it is tried again by itself".into(),
            });
        }
        problems.extend(store.map(problem));
        problems.extend(known.problem.clone().map(problem));
        problems.extend(waiting(&self.site).into_iter().map(unconfigured));
        if stats.is_some_and(|stats| stats.set_aside > 0) {
            problems.push(Problem {
                code: DAMAGE_CODE.into(),
                message: "the spool is damaged; what may have been acknowledged is kept aside"
                    .into(),
                next_step: "look at `scanveil spool list`, and decide".into(),
            });
        }
        if stats.is_some_and(|stats| stats.unreadable > 0) {
            problems.push(Problem {
                code: "SV-CLI-071".into(),
                message: "records of the spool cannot be read; they are kept".into(),
                next_step: "look into the log of the last start, and restore the keys or the disk"
                    .into(),
            });
        }
        problems
    }
}

fn problem(report: ErrorReport) -> Problem {
    Problem { code: report.code, message: report.message, next_step: report.next_step }
}

/// Acknowledged, and nobody says any more what is to become of it.
fn unconfigured(WaitingOf { hospital, instances }: WaitingOf) -> Problem {
    Problem {
        code: "SV-CLI-072".into(),
        message: format!("{instances} instances wait for hospital {hospital}, not configured"),
        next_step: WAITING_STEP.into(),
    }
}

fn since(at_ms: i64) -> u64 {
    u64::try_from(now_ms() - at_ms).unwrap_or(0)
}

/// Why nothing can be received; nothing when it can.
fn closed(spool: Option<&Arc<Spool>>) -> Option<Problem> {
    match spool {
        None => None,
        Some(spool) => spool.admits().err().map(|error| problem(error.report())),
    }
}

fn hospital(hospital: &Hospital, known: &Known) -> HospitalStatus {
    let id = &hospital.id;
    let waiting = known.waiting.get(id).copied().unwrap_or_default();
    let holding = known.holdings.get(id).copied().unwrap_or_default();
    HospitalStatus {
        hospital: id.clone(),
        called_ae: hospital.called_ae.clone(),
        // The catalogue counts what the pipeline is done with.
        received: known.received.get(id).copied().unwrap_or(0) + waiting.instances,
        waiting: waiting.instances,
        oldest_waiting_ms: waiting.oldest_received_at_ms.map(since),
        last_arrival_at_ms: holding.last_received_ms.max(waiting.newest_received_at_ms),
        stored: Volume { instances: holding.stored_instances, bytes: holding.stored_bytes },
        held_back: holding.held_instances,
        quarantined: quarantined(&known.quarantined, id),
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
        let known = self.figures.now();
        let stats = self.site.spool().map(|spool| spool.stats());
        let closed = closed(self.site.spool());
        let ready = closed.is_none();
        let mut problems: Vec<Problem> = closed.into_iter().collect();
        problems.extend(self.problems(&known, stats));
        let config = self.site.config();
        let hospitals = &config.hospitals;
        StatusSnapshot {
            version: ENGINE.to_owned(),
            taken_at_ms: now_ms(),
            started_at_ms: self.started_at_ms,
            ready,
            problems,
            dicom: self.receivers.entrance(),
            web: None,
            spool: stats.map(|stats| self.spool(stats)).unwrap_or_default(),
            pipeline: self.pipeline(),
            store: StoreStatus {
                reachable: self.activity.store.problem().is_none(),
                errors: self.activity.store.errors(),
            },
            hospitals: hospitals.iter().map(|own| hospital(own, &known)).collect(),
            releases: known.releases,
        }
    }
}
