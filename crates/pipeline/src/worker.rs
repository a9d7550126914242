//! The thread that empties the spool: takes arrivals, waits for studies to be complete, processes
//! them, and tries again what failed for want of a disk or a store.

use crate::group::{Complete, Groups};
use crate::probe::StoreProbe;
use crate::source::Source;
use crate::study::{StudyReport, process, study_key};
use crate::{Activity, PipelineError, Settings, Site, now_ms};
use scanveil_model::{Coded, HospitalId};
use scanveil_vault::{Spool, SpooledInstance};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often completeness is looked at while nothing arrives.
const TICK: Duration = Duration::from_millis(100);
/// How long to wait before a hospital's keys are tried again.
const KEYS_WAIT: Duration = Duration::from_secs(5);
/// How often it is looked whether somebody asked to try a damaged record again.
const RETRY_LOOK: Duration = Duration::from_secs(2);

/// The running worker.
pub struct Worker {
    stop: Arc<AtomicBool>,
    activity: Arc<Activity>,
    thread: Option<JoinHandle<()>>,
    _probe: StoreProbe,
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
        let probe = StoreProbe::start(&site, &activity)?;
        let mut state = State {
            site,
            spool,
            stop: Arc::clone(&stop),
            activity: Arc::clone(&activity),
            groups: Groups::default(),
            rest_until: None,
            keyless: Vec::new(),
            keys_again: None,
            look_again: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("pipeline".into())
            .spawn(move || state.run(pending))
            .map_err(|source| PipelineError::Folder { what: "a thread", source })?;
        Ok(Self { stop, activity, thread: Some(thread), _probe: probe })
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
    /// Until when no study is tried, after a failure that every study would meet.
    rest_until: Option<Instant>,
    /// Arrivals whose hospital's keys could not be had, and when to try again.
    keyless: Vec<SpooledInstance>,
    keys_again: Option<Instant>,
    /// When it is looked next what somebody asked to try again.
    look_again: Instant,
}

impl State {
    fn run(&mut self, pending: Vec<SpooledInstance>) {
        let arrivals = self.spool.arrivals();
        self.take(pending);
        let quiet = Duration::from_millis(self.site.config().pipeline.quiet_ms);
        while !self.stop.load(Ordering::Relaxed) {
            let _ = arrivals.recv_timeout(TICK);
            self.take_back();
            self.take_arrived();
            while !self.stop.load(Ordering::Relaxed) && !self.is_resting() {
                let settings = self.site.settings();
                // What a hospital sent that is not configured any more waits for it.
                let known = |hospital: &HospitalId| settings.knows(hospital);
                let complete = self.groups.complete(quiet, Instant::now(), known);
                let Some(study) = complete else { break };
                self.work(study, &settings);
                self.tell();
                self.take_arrived();
            }
            self.tell();
        }
    }

    fn is_resting(&mut self) -> bool {
        self.rest_until = self.rest_until.filter(|until| *until > Instant::now());
        self.rest_until.is_some()
    }

    fn tell(&self) {
        self.activity.in_work.store(self.groups.instances(), Ordering::Relaxed);
        let (studies, failing) = self.groups.studies();
        self.activity.studies.store(studies, Ordering::Relaxed);
        self.activity.failing_studies.store(failing, Ordering::Relaxed);
        let failing = self.groups.failing();
        *self.activity.failing.lock().unwrap_or_else(PoisonError::into_inner) =
            failing.map(str::to_owned);
    }

    /// Records that were set aside come back as arrivals, where somebody asked for it.
    fn take_back(&mut self) {
        let now = Instant::now();
        if self.look_again > now {
            return;
        }
        self.look_again = now + RETRY_LOOK;
        if let Err(error) = self.spool.take_back() {
            tracing::error!(
                code = error.code(),
                next = error.next_step(),
                "what was set aside could not be tried again: {error}"
            );
        }
    }

    fn take_arrived(&mut self) {
        let mut arrived = Vec::new();
        if self.keys_again.is_some_and(|again| again <= Instant::now()) {
            self.keys_again = None;
            arrived = std::mem::take(&mut self.keyless);
        }
        arrived.extend(self.spool.take_arrivals());
        self.take(arrived);
    }

    fn take(&mut self, instances: Vec<SpooledInstance>) {
        let now = Instant::now();
        for instance in instances {
            let hospital = instance.meta().hospital.clone();
            match self.site.keyring.hospital(&hospital) {
                Ok(keys) => {
                    let study = study_key(&keys.key, &self.spool, &instance);
                    self.groups.add((hospital, study), instance, now);
                }
                Err(error) => {
                    if self.keys_again.is_none() {
                        tracing::error!(
                            code = error.code(), %hospital, next = error.next_step(),
                            "a hospital's keys cannot be used, its instances wait: {error}"
                        );
                        self.keys_again = Some(now + KEYS_WAIT);
                    }
                    self.keyless.push(instance);
                }
            }
        }
    }

    fn work(&mut self, study: Complete, settings: &Settings) {
        let begun = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| self.process(&study, settings)))
            .unwrap_or(Err(PipelineError::Panicked));
        let spent = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.activity.busy_us.fetch_add(spent, Ordering::Relaxed);
        match done {
            Ok(report) => {
                self.activity.last_success_ms.store(now_ms(), Ordering::Relaxed);
                if report.scrubbed + report.quarantined > 0 {
                    self.activity.store.answered();
                }
                let reasons: Vec<String> =
                    report.reasons.iter().map(|(code, n)| format!("{code}={n}")).collect();
                tracing::info!(
                    hospital = %study.study.0, received = report.received,
                    scrubbed = report.scrubbed, quarantined = report.quarantined,
                    duplicates = report.duplicates, reasons = reasons.join(" "),
                    ms = spent / 1000, "study done"
                );
            }
            Err(error) => self.failed(study, &error),
        }
    }

    fn process(&self, study: &Complete, settings: &Settings) -> Result<StudyReport, PipelineError> {
        let (hospital, key) = &study.study;
        let instances = study.instances.clone();
        process(&self.site, settings, &self.spool, (hospital, *key), instances)
    }

    fn failed(&mut self, mut study: Complete, error: &PipelineError) {
        if error.is_damage() {
            let before = study.instances.len();
            study.instances.retain(|instance| !self.is_set_aside(instance));
            if study.instances.len() < before {
                return self.groups.put_back(study);
            }
        }
        self.activity.failures.fetch_add(1, Ordering::Relaxed);
        if let PipelineError::Storage(error) = error {
            self.activity.store.failed(error.report());
        }
        let (hospital, instances) = (study.study.0.clone(), study.instances.len());
        let now = Instant::now();
        let wait = self.groups.failed(study, error.code(), now);
        if error.concerns_all() {
            self.rest_until = Some(now + wait);
        }
        tracing::error!(
            code = error.code(), %hospital, instances, next = error.next_step(),
            again_s = wait.as_secs(),
            "a study could not be processed and stays in the spool: {error}"
        );
    }

    /// Reads an instance to its end, to find out whether it is the damaged one; if so, it is
    /// kept aside until somebody decides.
    fn is_set_aside(&self, instance: &SpooledInstance) -> bool {
        let source = Source::Spooled(Arc::clone(&self.spool), instance.clone());
        let read = source.open().and_then(|mut reader| {
            let read = io::copy(&mut reader, &mut io::sink());
            read.map_err(|error| source.read_error(error))
        });
        if !read.is_err_and(|error| error.is_damage()) {
            return false;
        }
        let kept = self.spool.set_aside(instance);
        if let Err(error) = &kept {
            tracing::error!(
                code = error.code(),
                next = error.next_step(),
                "a damaged record could not be set aside: {error}"
            );
        }
        kept.is_ok()
    }
}
