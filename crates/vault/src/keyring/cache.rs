//! Subjects' keys that were used lately.

use lru::LruCache;
use scanveil_model::{HospitalId, SubjectId};
use scanveil_seal::SubjectKey;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Subjects' keys held in memory at most.
pub(super) const MAX_CACHED_SUBJECTS: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// A bounded map; the key that was not used for longest goes out first.
pub(super) struct SubjectCache(LruCache<(HospitalId, SubjectId), Arc<SubjectKey>>);

impl Default for SubjectCache {
    fn default() -> Self {
        // Grows with use: most commands look at few subjects.
        let mut keys = LruCache::unbounded();
        keys.resize(MAX_CACHED_SUBJECTS);
        Self(keys)
    }
}

impl SubjectCache {
    pub(super) fn get(
        &mut self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Option<Arc<SubjectKey>> {
        self.0.get(&(hospital.clone(), *subject)).cloned()
    }

    pub(super) fn put(&mut self, hospital: &HospitalId, subject: &SubjectId, key: Arc<SubjectKey>) {
        self.0.put((hospital.clone(), *subject), key);
    }

    pub(super) fn forget(&mut self, hospital: &HospitalId, subject: &SubjectId) {
        self.0.pop(&(hospital.clone(), *subject));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
