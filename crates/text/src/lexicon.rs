//! The dictionaries: what a word is known as.
//!
//! The lists are in `data/`, folded as the texts are (see [`crate::fold`]), one word a line;
//! `build.rs` lays them out as one [`Table`].

mod built;

use crate::lists::WORDS;
use crate::table::{
    CLINICAL, COMMON, EPONYM, FAMILY, FIRM, FOREIGN, GERMAN, GIVEN, LONGEST, ORDINARY,
};
pub(crate) use built::is_built_clinically;

/// Shortest word that may be another with an umlaut: `run` has `ruen` besides.
const SHORTEST_UMLAUT: usize = 6;

/// What a word is known as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u16);

impl Entry {
    pub(crate) const VOCABULARY: Self = Self(CLINICAL);

    /// Whether medicine, technique or ordinary language has it.
    pub(crate) const fn is_vocabulary(self) -> bool {
        self.0 & (CLINICAL | ORDINARY | FOREIGN | EPONYM) != 0
    }

    /// Whether it is a word of medicine or technique.
    pub(crate) const fn is_clinical(self) -> bool {
        self.0 & CLINICAL != 0
    }

    /// Whether it is an ordinary word of a language other than English, and nothing else.
    pub(crate) const fn is_foreign(self) -> bool {
        self.0 & (CLINICAL | ORDINARY | FOREIGN) == FOREIGN
    }

    /// Whether it is an ordinary word of a language of Rome, and nothing else.
    pub(crate) const fn is_romance(self) -> bool {
        self.is_foreign() && self.0 & (GERMAN | EPONYM) == 0
    }

    /// Whether it is an ordinary word of English, whatever else it is.
    pub(crate) const fn is_ordinary(self) -> bool {
        self.0 & ORDINARY != 0
    }

    pub(crate) const fn is_name(self) -> bool {
        self.0 & (GIVEN | FAMILY) != 0
    }

    pub(crate) const fn is_given(self) -> bool {
        self.0 & GIVEN != 0
    }

    /// Whether it names a disease, a sign or a method after somebody.
    pub(crate) const fn is_eponym(self) -> bool {
        self.0 & EPONYM != 0
    }

    /// Whether a disease or a method is named after somebody whose name many people have, so that
    /// only the words around it tell: `Smith fracture`.
    pub(crate) const fn is_common_eponym(self) -> bool {
        self.0 & COMMON != 0
    }

    /// Whether it is so usual a word that only a title makes it a name: `head`, `long`, `will`.
    pub(crate) const fn is_firm(self) -> bool {
        self.0 & FIRM != 0
    }
}

/// What a folded word is known as; spellings of umlauts with `e` are known too.
pub(crate) fn look_up(word: &str) -> Entry {
    if word.len() > LONGEST {
        return Entry(0);
    }
    match WORDS.get(word) {
        0 => Entry(without_umlaut_e(word, |plain| WORDS.get(plain)).unwrap_or(0)),
        flags => Entry(flags),
    }
}

/// `schaedel` as `schadel`, when there is anything to contract.
fn without_umlaut_e<T>(word: &str, then: impl Fn(&str) -> T) -> Option<T> {
    let bytes = word.as_bytes();
    let is_umlaut = |pair: &[u8]| matches!(pair, b"ae" | b"oe" | b"ue");
    if !(SHORTEST_UMLAUT..=LONGEST).contains(&bytes.len()) || !bytes.windows(2).any(is_umlaut) {
        return None;
    }
    let (mut plain, mut length, mut at) = ([0; LONGEST], 0, 0);
    while let Some(&byte) = bytes.get(at) {
        plain[length] = byte;
        length += 1;
        at += if bytes.get(at..at + 2).is_some_and(is_umlaut) { 2 } else { 1 };
    }
    std::str::from_utf8(&plain[..length]).ok().map(then)
}
