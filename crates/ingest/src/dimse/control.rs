//! The clock and the stop signal every association looks at.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// A clock that only goes forward, replaced in tests.
pub(super) trait Clock: Send + Sync {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;
}

/// The system's clock.
pub(super) struct SystemClock(Instant);

impl SystemClock {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How far the receiver is in stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Working.
    Running = 0,
    /// No new message; the current one may end.
    Stopping = 1,
    /// Nothing may go on.
    Aborting = 2,
}

/// The signal.
pub(super) struct Control(AtomicU8);

impl Control {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(Phase::Running as u8))
    }

    pub(super) fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Release);
    }

    pub(super) fn reached(&self, phase: Phase) -> bool {
        self.0.load(Ordering::Acquire) >= phase as u8
    }
}
