//! Words that no list has but that are built as the words of medicine are.
//!
//! Nothing here is asked for a word that a list of names has. Every rule wants so many letters that
//! few family names pass it.

use crate::lists::{STEMS, WORDS};
use crate::stem::stem;
use crate::table::{CLINICAL, FAMILY, FIRM, FOREIGN, GERMAN, GIVEN, LONGEST, ORDINARY, PART};
use crate::words::words;

/// The clinical words in order, to find beginnings: descriptions are cut off at 64 bytes.
const BEGINNINGS: &str = include_str!("../../data/clinical.txt");

/// Shortest beginning of a clinical word that stands for it.
const SHORTEST_BEGINNING: usize = 6;
/// Shortest part of a compound that is clinical, and one that is not; most parts.
const SHORTEST_PART: usize = 4;
const SHORTEST_PLAIN_PART: usize = 5;
const PARTS: usize = 4;
/// Shortest word that its ending, and that its beginning and ending, make clinical.
const SHORTEST_ENDED: usize = 8;
const SHORTEST_FRAMED: usize = 7;
/// Shortest drug that its stem makes one.
const SHORTEST_DRUG: usize = 8;
/// Shortest word of any language that may take an ending.
const SHORTEST_STEM: usize = 6;

/// Shortest word that its stem makes clinical.
const SHORTEST_STEMMED: usize = 8;

const NAME: u16 = GIVEN | FAMILY;
const PLAIN: u16 = CLINICAL | ORDINARY | FOREIGN;

/// What such words are built of.
const BUILDING: &str = include_str!("../../data/building.txt");

words! { BUILDING;
    /// Endings of clinical words in the languages of Europe, as they are folded.
    ENDINGS "ending";
    /// Stems of the names of agents, as the World Health Organization gives them out, with the
    /// endings
    /// that other languages put to them.
    DRUGS "drug";
    /// Beginnings of clinical words; with an ending of [`SHORT_ENDINGS`] they make one.
    BEGINNINGS_OF_TERMS "beginning";
    SHORT_ENDINGS "short-ending";
    /// Beginnings that any word takes, and those that only clinical ones do: `sagknee`.
    BEFORE_ANY "before-any";
    BEFORE_CLINICAL "before-clinical";
    /// Endings of German adjectives that no name has.
    ADJECTIVES "adjective";
    /// Modalities as they are written to the end of a word, in six languages.
    MODALITIES "modality";
    /// Endings of plural, gender and adverb of a clinical word; and of any long word.
    INFLECTIONS "inflection";
    PLURALS "plural";
    /// Endings of German adjectives by case and gender.
    CASES "case";
    /// What joins the parts of a German compound.
    LINKS "link";
}
/// Shortest word that such an ending follows.
const SHORTEST_ADJECTIVE: usize = 3;

/// Whether an unlisted word is built as clinical words are: its ending, its parts, its beginning.
pub(crate) fn is_built_clinically(word: &str) -> bool {
    word.is_ascii()
        && word.len() <= LONGEST
        && (has_clinical_ending(word)
            || is_framed(word)
            || is_drug(word)
            || is_joined(word, PARTS) == Some(true)
            || is_beginning(word)
            || is_inflected(word)
            || has_clinical_stem(word)
            || is_examination(word)
            || is_german_adjective(word)
            || is_derived(word))
}

fn has_clinical_ending(word: &str) -> bool {
    // `-aitis` ends the names of a country, and no inflammation.
    word.len() >= SHORTEST_ENDED
        && !word.ends_with("aitis")
        && ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// A clinical beginning with an ending that other words have too: `pericardico`, `hepatoma`.
fn is_framed(word: &str) -> bool {
    word.len() >= SHORTEST_FRAMED
        && BEGINNINGS_OF_TERMS.iter().filter_map(|begin| word.strip_prefix(begin)).any(|rest| {
            let stems = SHORT_ENDINGS.iter().filter_map(|ending| rest.strip_suffix(ending));
            stems.map(str::len).any(|stem| word.len() - stem >= SHORTEST_FRAMED)
        })
}

/// Whether a clinical word of another language, or another form of one, has the same stem.
fn has_clinical_stem(word: &str) -> bool {
    word.len() >= SHORTEST_STEMMED && stem(word).is_some_and(|stem| STEMS.get(&stem) != 0)
}

/// `jodhaltiges`, `dreilappige`: endings that German makes adjectives of nouns with.
fn is_german_adjective(word: &str) -> bool {
    let bare = CASES.iter().find_map(|ending| word.strip_suffix(ending));
    [Some(word), bare].into_iter().flatten().any(|plain| {
        word.len() >= SHORTEST_ENDED
            && ADJECTIVES.iter().any(|ending| {
                plain.strip_suffix(ending).is_some_and(|stem| stem.len() >= SHORTEST_ADJECTIVE)
            })
    })
}

/// `angiotc`, `thorroutine`: a clinical word with the letters of a modality or a long word of
/// technique behind it.
fn is_examination(word: &str) -> bool {
    let part =
        |first: &str| first.len() >= SHORTEST_PART && WORDS.get(first) & (PART | NAME) == PART;
    MODALITIES.iter().filter_map(|modality| word.strip_suffix(modality)).any(part)
        || (SHORTEST_PART..word.len().saturating_sub(SHORTEST_STEM)).any(|at| {
            let (first, rest) = word.split_at(at);
            part(first) && WORDS.get(rest) & (CLINICAL | NAME) == CLINICAL
        })
}

fn is_drug(word: &str) -> bool {
    word.len() >= SHORTEST_DRUG
        && (DRUGS
            .iter()
            .any(|stem| word.strip_suffix(stem).is_some_and(|rest| rest.len() >= SHORTEST_PART))
            || word.starts_with("cefa") && word.len() >= SHORTEST_DRUG)
}

/// A listed word with a beginning that medicine or technique puts before any: `microvolt`.
fn is_derived(word: &str) -> bool {
    let any = BEFORE_ANY.iter().any(|before| {
        word.strip_prefix(before).is_some_and(|rest| {
            let flags = WORDS.get(rest);
            let least = if before.len() < 4 { SHORTEST_STEM } else { SHORTEST_PLAIN_PART };
            let listed = if before.len() < 4 { CLINICAL | ORDINARY } else { PLAIN };
            let known = flags & listed != 0 && flags & NAME == 0;
            rest.len() >= least && (known || flags == 0 && is_inflected(rest))
        })
    });
    any || BEFORE_CLINICAL
        .iter()
        .filter_map(|before| word.strip_prefix(before))
        .any(|rest| rest.len() >= SHORTEST_PART && WORDS.get(rest) & (PART | NAME) == PART)
}

/// Whether a word is made of listed words, as German has them and as people write in a hurry; true
/// when one of them is clinical and no name.
fn is_joined(word: &str, parts: usize) -> Option<bool> {
    let flags = WORDS.get(word);
    let name = flags & (FIRM | NAME) != 0;
    // Family names are made of short English words: `Whitewater`.
    let german = flags & ORDINARY == 0 || flags & GERMAN != 0;
    if flags & PART != 0 && german && word.len() >= SHORTEST_PART {
        return Some(!name);
    }
    if flags & GERMAN != 0 && !name && word.len() >= SHORTEST_PLAIN_PART {
        return Some(false);
    }
    let last = word.len().saturating_sub(SHORTEST_PART);
    if parts < 2 || last < SHORTEST_PART {
        return None;
    }
    (SHORTEST_PART..=last).rev().find_map(|at| {
        let (first, rest) = word.split_at(at);
        let without = LINKS.iter().filter_map(|link| first.strip_suffix(link));
        let first = std::iter::once(first)
            .chain(without)
            .filter(|first| first.len() >= SHORTEST_PART)
            .find_map(|first| is_joined(first, 1))?;
        is_joined(rest, parts - 1).map(|rest| first || rest).filter(|clinical| *clinical)
    })
}

/// A clinical word with an ending of its plural or gender: `focales`, `lobaren`; or a long word of
/// any language with one.
fn is_inflected(word: &str) -> bool {
    let clinical = INFLECTIONS.iter().filter_map(|ending| word.strip_suffix(ending)).any(|stem| {
        let flags = WORDS.get(stem);
        let least = if flags & PART != 0 { SHORTEST_PLAIN_PART } else { SHORTEST_STEM };
        stem.len() >= least && flags & CLINICAL != 0 && flags & NAME == 0
    });
    clinical
        || PLURALS.iter().filter_map(|ending| word.strip_suffix(ending)).any(|stem| {
            let flags = WORDS.get(stem);
            stem.len() > SHORTEST_STEM && flags & PLAIN != 0 && flags & NAME == 0
        })
}

/// Whether a clinical word begins so.
fn is_beginning(word: &str) -> bool {
    let (mut low, mut high) = (0, BEGINNINGS.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let bytes = BEGINNINGS.as_bytes();
        let back = bytes[low..middle].iter().rposition(|&byte| byte == b'\n');
        let start = back.map_or(low, |newline| low + newline + 1);
        let ahead = bytes[middle..].iter().position(|&byte| byte == b'\n');
        let end = ahead.map_or(bytes.len(), |newline| middle + newline);
        if &bytes[start..end] < word.as_bytes() {
            low = end + 1;
        } else {
            high = start;
        }
    }
    let next = BEGINNINGS.as_bytes().get(low..).unwrap_or_default();
    word.len() >= SHORTEST_BEGINNING && next.starts_with(word.as_bytes())
}
