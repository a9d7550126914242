//! Whoever watches a run: is told how far it is, and says when it is to stop.

/// What a run tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// One input was looked at, for the first or for the second time.
    Looked,
    /// So many looks more than was thought: an archive has members.
    More(u64),
}

/// Whoever watches a run, from any thread.
#[derive(Clone, Copy)]
pub struct Watch<'w> {
    /// Is told of every step.
    pub told: &'w (dyn Fn(Step) + Sync),
    /// Says whether the run is to stop: what is in work then is not done.
    pub is_stopped: &'w (dyn Fn() -> bool + Sync),
}

impl Watch<'_> {
    pub(crate) fn tell(&self, step: Step) {
        (self.told)(step);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        (self.is_stopped)()
    }
}
