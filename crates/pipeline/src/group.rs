//! Groups arrivals into studies: a study is complete when nothing has arrived for it for a while.

use scanveil_model::HospitalId;
use scanveil_seal::StudyKey;
use scanveil_vault::SpooledInstance;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Which study, in which hospital.
pub(crate) type StudyId = (HospitalId, StudyKey);

struct Waiting {
    instances: Vec<SpooledInstance>,
    last: Instant,
}

/// Studies that are still arriving.
#[derive(Default)]
pub(crate) struct Groups {
    waiting: HashMap<StudyId, Waiting>,
}

impl Groups {
    pub(crate) fn add(&mut self, study: StudyId, instance: SpooledInstance, now: Instant) {
        let waiting = self
            .waiting
            .entry(study)
            .or_insert_with(|| Waiting { instances: Vec::new(), last: now });
        waiting.instances.push(instance);
        waiting.last = now;
    }

    /// Takes a study for which nothing has arrived for `quiet`, the longest-waiting first.
    pub(crate) fn complete(
        &mut self,
        quiet: Duration,
        now: Instant,
    ) -> Option<(StudyId, Vec<SpooledInstance>)> {
        let (study, _) = self
            .waiting
            .iter()
            .filter(|(_, waiting)| now.saturating_duration_since(waiting.last) >= quiet)
            .min_by_key(|(_, waiting)| waiting.last)?;
        let study = study.clone();
        self.waiting.remove(&study).map(|waiting| (study, waiting.instances))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
