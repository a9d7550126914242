//! What was decided of the elements of an instance: counted, and shown to those who only look.

use crate::noticed::Noticed;
use crate::text::Charset;
use crate::treatment::{Because, Treatment};
use scanveil_dataset::Element;
use scanveil_model::Action;
use scanveil_text::Kind;
use std::collections::BTreeMap;

/// How many elements met which action for which reason.
#[derive(Default)]
pub(crate) struct Counts(Vec<[u64; ACTIONS.len()]>);

impl Counts {
    pub(crate) fn count(&mut self, action: Action, because: Because) {
        let index = because.index();
        if self.0.len() <= index {
            self.0.resize(index + 1, [0; ACTIONS.len()]);
        }
        self.0[index][action as usize] += 1;
    }

    /// Adds another one's.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), [0; ACTIONS.len()]);
        }
        for (sums, counts) in self.0.iter_mut().zip(&other.0) {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    /// Without those that did not happen.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Action, Because, u64)> + '_ {
        self.0.iter().enumerate().flat_map(|(index, counts)| {
            ACTIONS
                .iter()
                .zip(counts)
                .filter(|(_, count)| **count > 0)
                .map(move |(action, count)| (*action, Because::at(index), *count))
        })
    }
}

/// What came of an instance.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) counts: Counts,
    /// What was found in texts, by kind.
    pub(crate) findings: BTreeMap<&'static str, u32>,
    pub(crate) attributes: BTreeMap<String, String>,
    /// What was accepted by evidence, and written though it did not come in.
    pub(crate) noticed: BTreeMap<&'static str, u32>,
}

impl Outcome {
    /// Counts something noticed.
    pub(crate) fn notice(&mut self, noticed: Noticed) {
        *self.noticed.entry(noticed.as_str()).or_default() += 1;
    }

    /// Counts by action.
    pub(crate) fn actions(&self) -> BTreeMap<Action, u32> {
        let mut counts = BTreeMap::new();
        for (action, _, count) in self.counts.iter() {
            *counts.entry(action).or_default() += u32::try_from(count).unwrap_or(u32::MAX);
        }
        counts
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
    /// How it was written, if it was.
    pub(crate) written: Option<Written<'e>>,
}

/// How the value of an element was written.
#[derive(Clone, Copy)]
pub(crate) struct Written<'e> {
    /// Where it begins in what is written.
    pub(crate) at: usize,
    pub(crate) treatment: Treatment,
    pub(crate) because: Because,
    pub(crate) charset: &'e Charset,
}

/// Somebody who looks at every decision.
pub(crate) type Watch<'w> = &'w mut dyn FnMut(&Decided<'_>);
