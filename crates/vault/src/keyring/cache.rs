//! Subjects' keys that were used lately.

use scanveil_model::{HospitalId, SubjectId};
use scanveil_seal::SubjectKey;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Subjects' keys held in memory at most.
pub(super) const MAX_CACHED_SUBJECTS: usize = 4096;

type Name = (HospitalId, SubjectId);

/// A bounded map; the key that came in first goes out first.
#[derive(Default)]
pub(super) struct SubjectCache {
    keys: HashMap<Name, Arc<SubjectKey>>,
    order: VecDeque<Name>,
}

impl SubjectCache {
    pub(super) fn get(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Option<Arc<SubjectKey>> {
        self.keys.get(&(hospital.clone(), *subject)).cloned()
    }

    pub(super) fn put(&mut self, hospital: &HospitalId, subject: &SubjectId, key: Arc<SubjectKey>) {
        let name = (hospital.clone(), *subject);
        if self.keys.insert(name.clone(), key).is_none() {
            self.order.push_back(name);
        }
        while self.order.len() > MAX_CACHED_SUBJECTS {
            if let Some(oldest) = self.order.pop_front() {
                self.keys.remove(&oldest);
            }
        }
    }

    pub(super) fn forget(&mut self, hospital: &HospitalId, subject: &SubjectId) {
        let name = (hospital.clone(), *subject);
        if self.keys.remove(&name).is_some() {
            self.order.retain(|held| *held != name);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.keys.len(), self.order.len());
        self.keys.len()
    }
}
