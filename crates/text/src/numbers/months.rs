//! The names of months and of the days of the week in the languages of the reports.

use crate::words::QuickMap;
use std::sync::LazyLock;

/// The words, as `data/days.txt` has them by section.
const WORDS: &str = include_str!("../../data/days.txt");

/// How certain a month's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Month {
    /// A whole name that means nothing else.
    Full,
    /// A whole name that is a word as well: `may`, `march`.
    Word,
    /// An abbreviation that means little else.
    Short,
    /// An abbreviation that means something else too: `oct`, `dec`, `mar`.
    Doubtful,
}

impl Month {
    /// Whether a day beside it makes a date without a year.
    pub(super) const fn is_clear(self) -> bool {
        matches!(self, Self::Full | Self::Word)
    }
}

/// What a word says, one bit each.
const FULL: u16 = 1;
const WORD: u16 = 1 << 1;
const SHORT: u16 = 1 << 2;
const DOUBTFUL: u16 = 1 << 3;
/// A month by its Roman number.
pub(super) const ROMAN: u16 = 1 << 4;
/// What is numbered so besides months.
pub(super) const STAGED: u16 = 1 << 5;
/// A day of the week.
pub(super) const WEEKDAY: u16 = 1 << 6;
/// A day of the week beside a date, else another word.
pub(super) const WEEKDAY_SHORT: u16 = 1 << 7;
/// What is counted before a weekday.
pub(super) const COUNTED: u16 = 1 << 8;
/// Letters that are nobody's initials.
pub(super) const NO_INITIALS: u16 = 1 << 9;
/// What stands between a weekday and its day.
pub(super) const WEEKDAY_BETWEEN: u16 = 1 << 10;

const SECTIONS: [(&str, u16); 11] = [
    ("full", FULL),
    ("word", WORD),
    ("short", SHORT),
    ("doubtful", DOUBTFUL),
    ("roman", ROMAN),
    ("staged", STAGED),
    ("weekday", WEEKDAY),
    ("weekday-short", WEEKDAY_SHORT),
    ("counted", COUNTED),
    ("no-initials", NO_INITIALS),
    ("weekday-between", WEEKDAY_BETWEEN),
];

static SAID: LazyLock<QuickMap<&'static str, u16>> = LazyLock::new(|| {
    let mut said: QuickMap<&'static str, u16> = QuickMap::default();
    let lines = WORDS.lines().filter(|line| !line.starts_with('#'));
    for (name, words) in lines.filter_map(|line| line.split_once(' ')) {
        let section = SECTIONS.iter().find(|(section, _)| *section == name);
        for word in words.split(' ') {
            *said.entry(word).or_default() |= section.map_or(0, |(_, bit)| *bit);
        }
    }
    said
});

/// Whether a folded word says one of these.
pub(super) fn says(word: &str, what: u16) -> bool {
    word.len() <= LONGEST && SAID.get(word).is_some_and(|said| said & what != 0)
}

/// No word of the list is longer.
const LONGEST: usize = 14;

/// What month's name a folded word is.
pub(super) fn month(word: &str) -> Option<Month> {
    if !(3..=10).contains(&word.len()) {
        return None;
    }
    let said = *SAID.get(word)?;
    let sections = [
        (FULL, Month::Full),
        (WORD, Month::Word),
        (SHORT, Month::Short),
        (DOUBTFUL, Month::Doubtful),
    ];
    sections.iter().find(|(bit, _)| said & bit != 0).map(|&(_, certainty)| certainty)
}

/// The Roman number of a month, folded.
pub(crate) fn roman(month: u32) -> Option<&'static str> {
    let line = WORDS.lines().find_map(|line| line.strip_prefix("roman "))?;
    line.split(' ').nth(usize::try_from(month).ok()?.checked_sub(1)?)
}
