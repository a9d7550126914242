//! Groups arrivals into studies: a study is complete when nothing has arrived for it for a while.

use scanveil_model::HospitalId;
use scanveil_seal::StudyKey;
use scanveil_vault::SpooledInstance;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The first wait after a failure; doubled with each up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Which study, in which hospital.
pub(crate) type StudyId = (HospitalId, StudyKey);

/// A study that could not be processed and waits for its next attempt.
#[derive(Clone, Copy)]
struct Failure {
    /// The error's stable code.
    code: &'static str,
    wait: Duration,
    again: Instant,
}

struct Waiting {
    instances: Vec<SpooledInstance>,
    last: Instant,
    failure: Option<Failure>,
}

/// A study that is complete.
pub(crate) struct Complete {
    pub(crate) study: StudyId,
    pub(crate) instances: Vec<SpooledInstance>,
    last: Instant,
    failure: Option<Failure>,
}

/// Studies that are still arriving, or wait for another attempt.
#[derive(Default)]
pub(crate) struct Groups {
    waiting: HashMap<StudyId, Waiting>,
}

impl Groups {
    pub(crate) fn add(&mut self, study: StudyId, instance: SpooledInstance, now: Instant) {
        let waiting = self.waiting.entry(study).or_insert_with(|| Waiting {
            instances: Vec::new(),
            last: now,
            failure: None,
        });
        waiting.instances.push(instance);
        waiting.last = now;
    }

    /// Takes a study for which nothing has arrived for `quiet`, the longest-waiting first; only
    /// those of hospitals that may go on.
    pub(crate) fn complete(
        &mut self,
        quiet: Duration,
        now: Instant,
        may_go_on: impl Fn(&HospitalId) -> bool,
    ) -> Option<Complete> {
        let (study, _) = self
            .waiting
            .iter()
            .filter(|((hospital, _), _)| may_go_on(hospital))
            .filter(|(_, waiting)| now.saturating_duration_since(waiting.last) >= quiet)
            .filter(|(_, waiting)| waiting.failure.is_none_or(|failure| failure.again <= now))
            .min_by_key(|(_, waiting)| waiting.last)?;
        let study = study.clone();
        let Waiting { instances, last, failure } = self.waiting.remove(&study)?;
        Some(Complete { study, instances, last, failure })
    }

    /// Puts a study back whose processing failed: it waits longer each time. Gives the wait.
    pub(crate) fn failed(&mut self, study: Complete, code: &'static str, now: Instant) -> Duration {
        let wait = match study.failure {
            None => FIRST_WAIT,
            Some(failure) => (failure.wait * 2).min(LONGEST_WAIT),
        };
        let failure = Some(Failure { code, wait, again: now + wait });
        self.put_back(Complete { failure, ..study });
        wait
    }

    /// Puts a study back that is to be tried again at once.
    pub(crate) fn put_back(&mut self, study: Complete) {
        let Complete { study, instances, last, failure } = study;
        // What has arrived since comes after, as it did.
        let later = self.waiting.remove(&study);
        let mut waiting = Waiting { instances, last, failure };
        if let Some(later) = later {
            waiting.instances.extend(later.instances);
            waiting.last = later.last;
        }
        if !waiting.instances.is_empty() {
            self.waiting.insert(study, waiting);
        }
    }

    /// The code of a failure that still stands.
    pub(crate) fn failing(&self) -> Option<&'static str> {
        self.waiting.values().find_map(|waiting| waiting.failure.map(|failure| failure.code))
    }

    /// How many studies wait, and how many of them failed before.
    pub(crate) fn studies(&self) -> (u64, u64) {
        let failing = self.waiting.values().filter(|waiting| waiting.failure.is_some()).count();
        (self.waiting.len() as u64, failing as u64)
    }

    /// How many instances wait.
    pub(crate) fn instances(&self) -> u64 {
        self.waiting.values().map(|waiting| waiting.instances.len() as u64).sum()
    }
}
