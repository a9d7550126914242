//! The thread that empties the spool: takes arrivals, waits for studies to be complete, processes
//! them, and tries again what failed for want of a disk or a store.

use crate::group::{Groups, StudyId};
use crate::study::{process, study_key};
use crate::{PipelineError, Site};
use scanveil_model::Coded;
use scanveil_vault::{Spool, SpooledInstance};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often completeness is looked at while nothing arrives.
const TICK: Duration = Duration::from_millis(100);
/// The first wait after a failure; doubled up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the worker is doing, for the status page.
#[derive(Default)]
pub struct Activity {
    /// Instances taken from the spool and not yet published.
    pub in_work: AtomicU64,
    /// Microseconds spent on studies.
    pub busy_us: AtomicU64,
    /// The last failure's stable code, until something succeeds.
    pub failing: Mutex<Option<String>>,
}

/// The running worker.
pub struct Worker {
    stop: Arc<AtomicBool>,
    activity: Arc<Activity>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the worker on what the spool held before and on what arrives.
    ///
    /// # Errors
    /// [`PipelineError::Config`] when the site was opened without its spool;
    /// [`PipelineError::Folder`] when no thread can be had.
    pub fn start(site: Arc<Site>, pending: Vec<SpooledInstance>) -> Result<Self, PipelineError> {
        let Some(spool) = site.spool.clone() else {
            return Err(PipelineError::config("the site was opened without its spool"));
        };
        let stop = Arc::new(AtomicBool::new(false));
        let activity = Arc::new(Activity::default());
        let mut state = State {
            site,
            spool,
            stop: Arc::clone(&stop),
            activity: Arc::clone(&activity),
            groups: Groups::default(),
            wait: FIRST_WAIT,
        };
        let thread = std::thread::Builder::new()
            .name("pipeline".into())
            .spawn(move || state.run(pending))
            .map_err(|source| PipelineError::Folder { what: "a thread", source })?;
        Ok(Self { stop, activity, thread: Some(thread) })
    }

    /// What it is doing.
    #[must_use]
    pub fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Ends after the study in work; the rest stays in the spool.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic was logged where it happened; what it was about is still in the spool.
            let _ = thread.join();
        }
    }
}

struct State {
    site: Arc<Site>,
    spool: Arc<Spool>,
    stop: Arc<AtomicBool>,
    activity: Arc<Activity>,
    groups: Groups,
    wait: Duration,
}

impl State {
    fn run(&mut self, pending: Vec<SpooledInstance>) {
        let arrivals = self.spool.arrivals();
        self.take(pending);
        let quiet = Duration::from_millis(self.site.config.pipeline.quiet_ms);
        while !self.stop.load(Ordering::Relaxed) {
            let _ = arrivals.recv_timeout(TICK);
            let arrived = self.spool.take_arrivals();
            self.take(arrived);
            while !self.stop.load(Ordering::Relaxed) {
                let Some((study, instances)) = self.groups.complete(quiet, Instant::now()) else {
                    break;
                };
                self.work(study, instances);
                let arrived = self.spool.take_arrivals();
                self.take(arrived);
            }
            if self.groups.is_empty() {
                self.activity.in_work.store(0, Ordering::Relaxed);
            }
        }
    }

    fn take(&mut self, instances: Vec<SpooledInstance>) {
        let now = Instant::now();
        for instance in instances {
            let hospital = instance.meta().hospital.clone();
            match self.site.keyring.hospital(&hospital) {
                Ok(keys) => {
                    let study = study_key(&keys.key, &instance);
                    self.activity.in_work.fetch_add(1, Ordering::Relaxed);
                    self.groups.add((hospital, study), instance, now);
                }
                // It stays in the spool, and is found again at the next start.
                Err(error) => tracing::error!(
                    code = error.code(), %hospital, next = error.next_step(),
                    "a hospital's keys cannot be used: {error}"
                ),
            }
        }
    }

    fn work(&mut self, study: StudyId, instances: Vec<SpooledInstance>) {
        let begun = Instant::now();
        let count = instances.len() as u64;
        let again = instances.clone();
        let done =
            self.site.config.hospital(&study.0).and_then(|hospital| {
                process(&self.site, &self.spool, hospital, study.1, instances)
            });
        let spent = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.activity.busy_us.fetch_add(spent, Ordering::Relaxed);
        let mut failing = self.activity.failing.lock().unwrap_or_else(PoisonError::into_inner);
        match done {
            Ok(report) => {
                *failing = None;
                self.wait = FIRST_WAIT;
                self.activity.in_work.fetch_sub(count, Ordering::Relaxed);
                let reasons: Vec<String> =
                    report.reasons.iter().map(|(code, n)| format!("{code}={n}")).collect();
                tracing::info!(
                    hospital = %study.0, received = report.received, scrubbed = report.scrubbed,
                    quarantined = report.quarantined, duplicates = report.duplicates,
                    reasons = reasons.join(" "), ms = spent / 1000, "study done"
                );
            }
            Err(error) => {
                *failing = Some(error.code().to_owned());
                drop(failing);
                tracing::error!(
                    code = error.code(), hospital = %study.0, instances = count,
                    next = error.next_step(), again_s = self.wait.as_secs(),
                    "a study could not be processed and stays in the spool: {error}"
                );
                self.pause();
                let now = Instant::now();
                for instance in again {
                    self.groups.add(study.clone(), instance, now);
                }
            }
        }
    }

    /// Waits before the next attempt, in steps so that a stop is heard.
    fn pause(&mut self) {
        let until = Instant::now() + self.wait;
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
        }
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }
}
