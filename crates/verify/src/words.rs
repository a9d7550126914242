//! Words that say nothing of a person, though people and places are called so: `data/words.txt`.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that say nothing of a person, and what stands before and behind names.
const WORDS: &str = include_str!("../data/words.txt");

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| listed("common").chain(listed("common-wide")).collect());
static TITLES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| listed("title").collect());

fn listed(section: &str) -> impl Iterator<Item = &'static str> {
    let lines = WORDS.lines().filter_map(|line| line.split_once(": "));
    lines.filter(move |(name, _)| *name == section).flat_map(|(_, words)| words.split(' '))
}

/// Whether a word, in lower case, is one that any output may hold.
pub(crate) fn is_common(word: &str) -> bool {
    COMMON.contains(word) || is_title(word)
}

/// Whether a word, in lower case, is a title or a degree.
pub(crate) fn is_title(word: &str) -> bool {
    TITLES.contains(word)
}

/// Whether a text has no word but common ones, single letters and numbers.
pub(crate) fn all_common(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).all(|word| {
        word.chars().count() < 2
            || word.bytes().all(|b| b.is_ascii_digit())
            || is_common(&word.to_lowercase())
    })
}
