//! What was decided of the elements of an instance: counted, and shown to those who only look.

use crate::treatment::Because;
use scanveil_dataset::Element;
use scanveil_model::Action;
use scanveil_text::Kind;
use std::collections::BTreeMap;

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    /// By reason, then by action.
    counts: Vec<[u32; ACTIONS.len()]>,
    /// What was found in texts, by kind.
    pub(crate) findings: BTreeMap<&'static str, u32>,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Outcome {
    /// Counts by action.
    pub(crate) fn actions(&self) -> BTreeMap<Action, u32> {
        let mut counts = BTreeMap::new();
        for (action, _, count) in self.counts() {
            *counts.entry(action).or_default() += count;
        }
        counts
    }

    /// Counts by action and reason, without those that did not happen.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Action, Because, u32)> + '_ {
        self.counts.iter().enumerate().flat_map(|(index, counts)| {
            ACTIONS
                .iter()
                .zip(counts)
                .filter(|(_, count)| **count > 0)
                .map(move |(action, count)| (*action, Because::at(index), *count))
        })
    }

    pub(crate) fn count(&mut self, action: Action, because: Because) {
        let index = because.index();
        if self.counts.len() <= index {
            self.counts.resize(index + 1, [0; ACTIONS.len()]);
        }
        self.counts[index][action as usize] += 1;
    }
}

/// In order of their numbers.
const ACTIONS: [Action; 8] = [
    Action::Keep,
    Action::Remove,
    Action::Empty,
    Action::Replace,
    Action::Pseudonym,
    Action::Remap,
    Action::Shift,
    Action::Clean,
];

/// What was decided of an element, for those who only look.
pub(crate) struct Decided<'e> {
    /// Index of the element, or of the item.
    pub(crate) at: usize,
    pub(crate) element: &'e Element,
    pub(crate) action: Action,
    /// The new value, where there is one.
    pub(crate) new: Option<&'e [u8]>,
    /// What was found in a text.
    pub(crate) kinds: &'e [Kind],
}

/// Somebody who looks at every decision.
pub(crate) type Watch<'w> = &'w mut dyn FnMut(&Decided<'_>);
