//! The dictionaries: one table of every word known, and what it is known as.
//!
//! The lists are in `data/`, folded as the texts are (see [`crate::fold`]), one word a line.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

/// No word of the lists is longer, in bytes.
const LONGEST: usize = 48;
/// Shortest beginning of a clinical word that stands for it: descriptions are cut off at 64 bytes.
const SHORTEST_BEGINNING: usize = 5;
/// Shortest part of a compound, and most parts.
const SHORTEST_PART: usize = 4;
const PARTS: usize = 4;

const CLINICAL: u8 = 1;
const ORDINARY: u8 = 2;
const GIVEN: u8 = 4;
const FAMILY: u8 = 8;
const EPONYM: u8 = 16;
const FIRM: u8 = 32;
const COMMON: u8 = 64;
const FOREIGN: u8 = 128;

/// What a word is known as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u8);

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

/// A quick hash for short words; the table's keys are ours, so nobody can choose collisions.
#[derive(Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

pub(crate) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

const LISTS: [(&str, u8); 11] = [
    (CLINICAL_WORDS, CLINICAL),
    (include_str!("../data/english.txt"), ORDINARY),
    (include_str!("../data/german.txt"), FOREIGN),
    (include_str!("../data/french.txt"), FOREIGN),
    (include_str!("../data/spanish.txt"), FOREIGN),
    (include_str!("../data/portuguese.txt"), FOREIGN),
    (include_str!("../data/given-names.txt"), GIVEN),
    (include_str!("../data/family-names.txt"), FAMILY),
    (include_str!("../data/eponyms.txt"), EPONYM),
    (include_str!("../data/common-eponyms.txt"), COMMON),
    (include_str!("../data/firm.txt"), FIRM),
];
const CLINICAL_WORDS: &str = include_str!("../data/clinical.txt");

static WORDS: LazyLock<QuickMap<&'static str, u8>> = LazyLock::new(|| {
    let mut words = QuickMap::with_capacity_and_hasher(220_000, BuildHasherDefault::default());
    for (list, flag) in LISTS {
        for word in list.lines() {
            *words.entry(word).or_default() |= flag;
        }
    }
    words
});

/// The clinical words in order, to find beginnings.
static IN_ORDER: LazyLock<Vec<&'static str>> = LazyLock::new(|| CLINICAL_WORDS.lines().collect());

/// What a folded word is known as; spellings of umlauts with `e` are known too.
pub(crate) fn look_up(word: &str) -> Entry {
    if word.len() > LONGEST {
        return Entry(0);
    }
    if let Some(&flags) = WORDS.get(word) {
        return Entry(flags);
    }
    let flags = without_umlaut_e(word, |plain| WORDS.get(plain).copied());
    Entry(flags.unwrap_or(0))
}

/// `schaedel` as `schadel`, when there is anything to contract.
fn without_umlaut_e<T>(word: &str, then: impl Fn(&str) -> Option<T>) -> Option<T> {
    let bytes = word.as_bytes();
    let is_umlaut = |pair: &[u8]| matches!(pair, b"ae" | b"oe" | b"ue");
    if bytes.len() > LONGEST || !bytes.windows(2).any(is_umlaut) {
        return None;
    }
    let (mut plain, mut length, mut at) = ([0; LONGEST], 0, 0);
    while let Some(&byte) = bytes.get(at) {
        plain[length] = byte;
        length += 1;
        at += if bytes.get(at..at + 2).is_some_and(is_umlaut) { 2 } else { 1 };
    }
    std::str::from_utf8(&plain[..length]).ok().and_then(then)
}

/// Whether an unlisted word is built as clinical words are: its ending, its parts, its beginning.
pub(crate) fn is_built_clinically(word: &str) -> bool {
    word.is_ascii()
        && word.len() <= LONGEST
        && (has_clinical_ending(word)
            || is_compound(word)
            || is_beginning(word)
            || is_inflected(word)
            || is_derived(word))
}

/// A listed word with a beginning that medicine or technique puts before any: `microvolt`,
/// `sagknee`.
fn is_derived(word: &str) -> bool {
    const BEFORE_ANY: [&str; 24] = [
        "re", "un", "non", "pre", "post", "anti", "inter", "intra", "extra", "sub", "supra",
        "infra", "multi", "micro", "milli", "peri", "para", "trans", "retro", "hyper", "hypo",
        "pseudo", "semi", "over",
    ];
    const BEFORE_CLINICAL: [&str; 12] =
        ["sag", "cor", "tra", "axi", "fat", "dyn", "mip", "mpr", "auto", "bi", "tri", "mid"];
    let flags = |rest: &str| WORDS.get(rest).copied().unwrap_or(0);
    let any = BEFORE_ANY.iter().filter_map(|before| word.strip_prefix(before)).any(|rest| {
        rest.len() > SHORTEST_PART
            && flags(rest) & (CLINICAL | ORDINARY | FOREIGN) != 0
            && flags(rest) & (GIVEN | FAMILY) == 0
    });
    any || BEFORE_CLINICAL.iter().filter_map(|before| word.strip_prefix(before)).any(|rest| {
        rest.len() >= SHORTEST_PART && flags(rest) & (CLINICAL | GIVEN | FAMILY) == CLINICAL
    })
}

fn has_clinical_ending(word: &str) -> bool {
    const ENDINGS: [&str; 46] = [
        "itis",
        "ectomy",
        "ostomy",
        "otomy",
        "oscopy",
        "oscopic",
        "ography",
        "ographic",
        "ogram",
        "ograms",
        "opathy",
        "opathic",
        "oplasty",
        "ectasis",
        "ectasia",
        "osis",
        "emia",
        "aemia",
        "megaly",
        "malacia",
        "algia",
        "plegia",
        "trophy",
        "trophic",
        "genesis",
        "graphie",
        "grafie",
        "grafia",
        "gramm",
        "gramme",
        "skopie",
        "scopie",
        "scopia",
        "tomie",
        "tomia",
        "plastie",
        "plastia",
        "pathie",
        "patia",
        "itida",
        "sarcoma",
        "carcinoma",
        "blastoma",
        "cytoma",
        "adenoma",
        "lithiasis",
    ];
    word.len() >= 7 && ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Clinical words written as one, as German has them and as people do in a hurry.
fn is_compound(word: &str) -> bool {
    is_joined(word, PARTS) == Some(true)
}

/// Whether a word is made of listed words; true when one of them is clinical and no name.
fn is_joined(word: &str, parts: usize) -> Option<bool> {
    let flags = WORDS.get(word).copied().unwrap_or(0);
    let name = flags & (FIRM | GIVEN | FAMILY) != 0;
    if flags & CLINICAL != 0 {
        return Some(!name);
    }
    if flags & FOREIGN != 0 && !name && word.len() > SHORTEST_PART {
        return Some(false);
    }
    let last = word.len().saturating_sub(SHORTEST_PART);
    if parts < 2 || last < SHORTEST_PART {
        return None;
    }
    (SHORTEST_PART..=last).rev().find_map(|at| {
        let (first, rest) = word.split_at(at);
        let linked = ["s", "n", "en", "es", "o"];
        let without = linked.iter().filter_map(|link| first.strip_suffix(link));
        let first = std::iter::once(first)
            .chain(without)
            .filter(|first| first.len() >= SHORTEST_PART)
            .find_map(|first| is_joined(first, 1))?;
        is_joined(rest, parts - 1).map(|rest| first || rest).filter(|clinical| *clinical)
    })
}

/// A clinical word with an ending of its plural or gender: `focales`, `lobaren`.
fn is_inflected(word: &str) -> bool {
    const ENDINGS: [&str; 13] =
        ["s", "es", "e", "a", "o", "as", "os", "en", "er", "em", "n", "ly", "ed"];
    ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending)).any(|stem| {
        let flags = WORDS.get(stem).copied().unwrap_or(0);
        stem.len() > SHORTEST_PART && flags & (CLINICAL | GIVEN | FAMILY) == CLINICAL
    })
}

fn is_beginning(word: &str) -> bool {
    let next = IN_ORDER.partition_point(|&listed| listed < word);
    word.len() >= SHORTEST_BEGINNING
        && IN_ORDER.get(next).is_some_and(|listed| listed.starts_with(word))
}
