//! One message in a while instead of one for every stranger: a log must not be filled from outside.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the same message may come.
const EVERY: Duration = Duration::from_secs(10);

/// Lets a message through now and then.
#[derive(Debug, Default)]
pub struct Quiet(Mutex<Option<(Instant, u64)>>);

impl Quiet {
    /// A message that has not come yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether to say it now; gives how often it was held back since the last time.
    pub fn may_speak(&self) -> Option<u64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_mut() {
            Some((at, held)) if at.elapsed() < EVERY => {
                *held += 1;
                None
            }
            _ => {
                let held = last.map_or(0, |(_, held)| held);
                *last = Some((Instant::now(), 0));
                Some(held)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_message_waits() {
        let quiet = Quiet::new();
        assert_eq!(quiet.may_speak(), Some(0));
        assert_eq!(quiet.may_speak(), None);
    }
}
