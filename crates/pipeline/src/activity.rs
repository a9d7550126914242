//! What the pipeline is doing and how it finds the store, for status page and metrics.

use scanveil_model::ErrorReport;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What the worker is doing.
#[derive(Default)]
pub struct Activity {
    /// Instances taken from the spool and not yet published.
    pub in_work: AtomicU64,
    /// Their studies.
    pub studies: AtomicU64,
    /// Those of them whose last attempt failed.
    pub failing_studies: AtomicU64,
    /// Microseconds spent on studies.
    pub busy_us: AtomicU64,
    /// Failed attempts since the start.
    pub failures: AtomicU64,
    /// When a study was last done, milliseconds since 1970 (UTC); 0 before the first.
    pub last_success_ms: AtomicI64,
    /// The code of a failure that still stands.
    pub failing: Mutex<Option<String>>,
    /// How the store is found.
    pub store: StoreHealth,
}

/// How the object store was found when it was last used or asked.
#[derive(Default)]
pub struct StoreHealth {
    errors: AtomicU64,
    problem: Mutex<Option<ErrorReport>>,
}

impl StoreHealth {
    /// It answered.
    pub(crate) fn answered(&self) {
        self.set(None);
    }

    /// It failed.
    pub(crate) fn failed(&self, report: ErrorReport) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        self.set(Some(report));
    }

    fn set(&self, problem: Option<ErrorReport>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    /// Why it is not reachable; nothing when it is.
    #[must_use]
    pub fn problem(&self) -> Option<ErrorReport> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Failures since the start.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
}
