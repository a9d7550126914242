//! The least rate of a sender: bytes over the time that was spent waiting for them.

use std::time::Duration;

/// Counts the bytes of one transfer against the time spent waiting for the sender. What we take
/// ourselves, for a slow disk, does not count.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Least bytes per second; 0 asks for nothing.
    least: u64,
    /// How much waiting is looked at together, so that a pause is made up for by what follows.
    window: Duration,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    pub(crate) fn new(least: u64, window: Duration) -> Self {
        Self { least, window, waited: Duration::ZERO, bytes: 0 }
    }

    /// Another transfer begins.
    pub(crate) fn restart(&mut self) {
        (self.waited, self.bytes) = (Duration::ZERO, 0);
    }

    /// Notes bytes that came after a wait; false when the sender is too slow.
    pub(crate) fn note(&mut self, waited: Duration, bytes: usize) -> bool {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited < self.window {
            return true;
        }
        let wanted = u128::from(self.least) * self.waited.as_millis() / 1000;
        let kept_up = u128::from(self.bytes) >= wanted;
        self.restart();
        kept_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_window_of_waiting_tells_who_is_slow() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(100, 10 * second);
        // A pause is made up for.
        assert!(pace.note(9 * second, 0) && pace.note(second, 1000));
        for _ in 0..9 {
            assert!(pace.note(second, 99));
        }
        assert!(!pace.note(second, 99));
        // What comes without a wait costs nothing, however long it takes us.
        for _ in 0..100 {
            assert!(pace.note(Duration::ZERO, 1));
        }
        let mut any = Pace::new(0, second);
        assert!(any.note(1000 * second, 0));
    }
}
