//! Words of what hospitals are called, as `data/houses.txt` has them by section.

use crate::words::QuickMap;
use std::sync::LazyLock;

/// The words.
const WORDS: &str = include_str!("../data/houses.txt");

/// Houses whose name comes first: `Mercy Vale Infirmary`.
pub(crate) const LAST: u8 = 1;
/// Houses whose name follows: `Klinikum Hohenfelde`, `Hospital da Luz`.
pub(crate) const FIRST: u8 = 1 << 1;
/// What a house is, between its name and its kind; `center` needs one.
pub(crate) const WHAT: u8 = 1 << 2;
/// Other houses.
pub(crate) const KIND: u8 = 1 << 3;
/// Words without a letter in what a house is known by.
pub(crate) const SMALL: u8 = 1 << 4;

const SECTIONS: [(&str, u8); 5] =
    [("last", LAST), ("first", FIRST), ("what", WHAT), ("kind", KIND), ("small", SMALL)];

static SAID: LazyLock<QuickMap<&'static str, u8>> = LazyLock::new(|| {
    let mut said: QuickMap<&'static str, u8> = QuickMap::default();
    for (name, words) in WORDS.lines().filter_map(|line| line.split_once(' ')) {
        let section = SECTIONS.iter().find(|(section, _)| *section == name);
        let Some((_, bit)) = section else { continue };
        words.split(' ').for_each(|word| *said.entry(word).or_default() |= bit);
    }
    said
});

/// Whether a folded word is one of these.
pub(crate) fn is(word: &str, what: u8) -> bool {
    SAID.get(word).is_some_and(|said| said & what != 0)
}

/// What a word gives to the letters that a house is known by, where it is not its first letter.
pub(crate) fn letters(word: &str) -> Option<impl Iterator<Item = &'static str>> {
    let listed = WORDS.lines().find_map(|line| line.strip_prefix("letters "))?;
    let pair = listed.split(' ').filter_map(|pair| pair.split_once('='));
    let given = pair.into_iter().find(|(of, _)| *of == word)?.1;
    Some(given.split(','))
}
