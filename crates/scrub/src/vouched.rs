//! What a person who has looked at an instance's pixels vouches for.

use scanveil_model::{Decision, ReasonCode};
use std::collections::BTreeSet;

/// Reasons about pixels that somebody's look has ended for one instance. What is written is
/// verified as ever: nobody can vouch for an identifier in the header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vouched(BTreeSet<ReasonCode>);

impl Vouched {
    /// Of these codes, those that a look at pixels can end.
    #[must_use]
    pub fn of(codes: impl IntoIterator<Item = ReasonCode>) -> Self {
        Self(codes.into_iter().filter(|code| Decision::Release.ends(*code)).collect())
    }

    /// Whether nobody vouches for anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether somebody vouches that this is no reason.
    #[must_use]
    pub fn ends(&self, code: ReasonCode) -> bool {
        self.0.contains(&code)
    }
}
