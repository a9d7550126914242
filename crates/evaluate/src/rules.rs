//! When an answer passes: the benchmark's rules, action by action.

use crate::answer::{Action, Aim, Answer};
use crate::mapping::Mapping;
use crate::output::{Needs, Output};
use crate::path::normal;
use crate::pixels::PixelBox;
use crate::tokens::{Survival, survival};

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// It would take reading the picture.
    NotChecked,
}

impl Verdict {
    fn when(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

/// The two mappings.
#[derive(Clone, Copy)]
pub(crate) struct Maps<'a> {
    pub(crate) uids: &'a Mapping,
    pub(crate) patients: &'a Mapping,
}

/// What of a file's pixels its answers need.
pub(crate) fn needs(answers: &[Answer]) -> Needs {
    let asks = |action| answers.iter().any(|answer| answer.action == action);
    Needs { digest: asks(Action::PixelsRetained), pixels: asks(Action::PixelsHidden) }
}

/// Without a file, what had to go is gone; everything else is missing.
pub(crate) fn check_missing(answer: &Answer) -> Verdict {
    Verdict::when(answer.action.aim() == Aim::Removal)
}

/// Checks one answer against the output file.
pub(crate) fn check(answer: &Answer, output: &Output, maps: Maps<'_>) -> Verdict {
    let value = output.value(&normal(&answer.tag_ds));
    let words = answer.action_text.as_deref().unwrap_or(&answer.value);
    match answer.action {
        Action::TagRetained => Verdict::when(value.is_some()),
        Action::TextNotNull => Verdict::when(value.is_some_and(|value| !value.is_empty())),
        Action::TextRetained => {
            Verdict::when(value.is_some_and(|value| survival(value, words) == Survival::All))
        }
        Action::TextRemoved => {
            Verdict::when(value.is_none_or(|value| survival(value, words) == Survival::None))
        }
        Action::DateShifted | Action::UidChanged => {
            Verdict::when(!value.is_some_and(|value| stands_in(&answer.value, value)))
        }
        Action::UidConsistent => consistent(value, maps.uids.get(&answer.value)),
        Action::PatientIdConsistent => consistent(value, maps.patients.get(&answer.value)),
        Action::PixelsRetained => Verdict::when(
            output.digest.as_deref().is_some_and(|md5| md5.eq_ignore_ascii_case(words)),
        ),
        Action::PixelsHidden => hidden(answer, output),
    }
}

/// Whether the old date or UID stands in the new value. Backslashes do not count: they separate
/// values.
fn stands_in(old: &str, value: &str) -> bool {
    let clean = |text: &str| text.replace(['\\', '<', '>'], "");
    let old = clean(old);
    clean(value).contains(&old)
}

/// An element that is not there is consistent with anything.
fn consistent(value: Option<&str>, mapped: Option<&str>) -> Verdict {
    Verdict::when(value.is_none_or(|value| Some(value) == mapped))
}

/// The benchmark reads the box with a text recognizer. Here a box is hidden when all its pixels
/// have one value, which is stricter; without a box, or with compressed pixels, nothing is said.
fn hidden(answer: &Answer, output: &Output) -> Verdict {
    let within = answer.action_text.as_deref().and_then(PixelBox::parse);
    match (&output.pixels, within) {
        (Some((layout, bytes)), Some(within)) => {
            layout.blank(bytes, within).map_or(Verdict::NotChecked, Verdict::when)
        }
        _ => Verdict::NotChecked,
    }
}
