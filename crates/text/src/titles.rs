//! Words that stand before and after names, and what they say of their neighbours.
//!
//! The words are in `data/roles.txt`, by the roles below.

use crate::token::{Case, Page};
use crate::words::QuickMap;
use std::sync::LazyLock;

/// How sure a word before makes a name of the word after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// `for`, `by`: a name only when nothing follows that explains the word.
    Weak,
    /// `patient`, `attn`: a name when it can be one.
    Medium,
    /// `Dr.`, `read by`, `Name:`: even a usual word is a name.
    Strong,
}

/// `Prof`, `Frau`: whatever follows is a name.
const TITLE: u16 = 1;
/// Titles that in capitals are words of the trade: `MR`, `DR`, `MS`.
const TITLE_AS_WRITTEN: u16 = 1 << 1;
/// What somebody is: `patient`, `radiologist`.
const ROLE: u16 = 1 << 2;
/// `for`, `per`, `von`.
const PREPOSITION: u16 = 1 << 3;
/// Verbs of what only somebody does, before `by`: `read`, `befundet`.
const DONE: u16 = 1 << 4;
/// `by` and its like behind those verbs.
const BY: u16 = 1 << 5;
/// What stands before `name` when it is a person's: `last`, `patient`.
const WHOSE: u16 = 1 << 6;
/// `name`, `Nachname`.
const NAME: u16 = 1 << 7;
/// What stands between a title and a name: `Dr. med. Müller`.
const BETWEEN: u16 = 1 << 8;
/// Small words inside names: `van`, `de la`.
const PARTICLE: u16 = 1 << 9;
/// What stands after a name and belongs to it: `MD`, `Jr`.
const SUFFIX: u16 = 1 << 10;
/// Things named after people: a disease, a fracture, a view.
const NAMESAKE: u16 = 1 << 11;
/// Words that only lead to the name after them, and go with it.
const LEADS: u16 = 1 << 12;

/// Words that end a name: prepositions, articles, what is said of somebody.
const CLOSES: u16 = 1 << 13;
/// Titles of languages in which people have two family names.
const TWO_FAMILIES: u16 = 1 << 14;

/// Family names of China and Korea, as they are written in Latin letters.
const EASTERN_FAMILY: u16 = 1 << 15;

const ROLES: [(&str, u16); 16] = [
    ("title", TITLE),
    ("title-as-written", TITLE_AS_WRITTEN),
    ("role", ROLE),
    ("preposition", PREPOSITION),
    ("done", DONE),
    ("by", BY),
    ("whose", WHOSE),
    ("name", NAME),
    ("between", BETWEEN),
    ("particle", PARTICLE),
    ("suffix", SUFFIX),
    ("namesake", NAMESAKE),
    ("leads", LEADS),
    ("closes", CLOSES),
    ("two-families", TWO_FAMILIES),
    ("eastern-family", EASTERN_FAMILY),
];

static WORDS: LazyLock<QuickMap<&'static str, u16>> = LazyLock::new(|| {
    let mut words: QuickMap<&'static str, u16> = QuickMap::default();
    for (role, list) in include_str!("../data/roles.txt").lines().filter_map(|l| l.split_once(':'))
    {
        let flag = ROLES.iter().find(|(name, _)| *name == role).map_or(0, |&(_, flag)| flag);
        for word in list.split_ascii_whitespace() {
            *words.entry(word).or_default() |= flag;
        }
    }
    words
});

/// By first and second letter: the lengths of the words that have a role, one bit each. Most words
/// have none, and this says so quickly.
static LENGTHS: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut lengths = vec![0; LETTERS * LETTERS];
    for word in WORDS.keys() {
        if let Some(place) = place(word) {
            lengths[place] |= 1 << word.len().min(31);
        }
    }
    lengths
});

/// Letters, and one for what is none.
const LETTERS: usize = 27;

fn place(word: &str) -> Option<usize> {
    let letter = |at: usize| match word.as_bytes().get(at) {
        Some(byte @ b'a'..=b'z') => usize::from(byte - b'a') + 1,
        _ => 0,
    };
    (!word.is_empty()).then(|| letter(0) * LETTERS + letter(1))
}

fn has(word: &str, roles: u16) -> bool {
    let may = place(word).is_some_and(|at| LENGTHS[at] & (1 << word.len().min(31)) != 0);
    may && WORDS.get(word).is_some_and(|of| of & roles != 0)
}

/// What a word before a name is, when it is something.
pub(crate) fn cue(page: &Page, at: usize) -> Option<Strength> {
    let word = page.str(at);
    if !has(word, !EASTERN_FAMILY) {
        return None;
    }
    let after = page.mark(at + 1);
    let dotted = after == Some('.');
    let field = (at + 1..at + 3).any(|t| matches!(page.mark(t), Some(':' | '=')))
        && (page.mark(at + 1).is_some() || page.is_space(at + 1));
    if has(word, TITLE) {
        return Some(Strength::Strong);
    }
    if has(word, TITLE_AS_WRITTEN) {
        return match page.tokens[at].case {
            _ if dotted => Some(Strength::Strong),
            Case::Title => Some(Strength::Strong),
            Case::Lower if word == "dr" => Some(Strength::Strong),
            Case::Upper if word == "dr" => Some(Strength::Medium),
            _ => None,
        };
    }
    if word == "m" && dotted && page.tokens[at].case == Case::Upper {
        return Some(Strength::Medium);
    }
    if has(word, NAME) {
        return name_field(page, at, field);
    }
    if has(word, ROLE) {
        let capital = word == "pt" && page.tokens[at].case == Case::Upper;
        let strength = if field { Strength::Strong } else { Strength::Medium };
        return (!capital || field || dotted).then_some(strength);
    }
    if has(word, DONE) && field {
        return Some(Strength::Strong);
    }
    if has(word, BY) && previous_word(page, at).is_some_and(|p| has(page.str(p), DONE)) {
        return Some(Strength::Strong);
    }
    if word == "ref" && dotted {
        return Some(Strength::Medium);
    }
    (has(word, PREPOSITION) && !dotted).then_some(Strength::Weak)
}

/// `Name:` at the beginning of a line, `Patient name`, `Last name:`.
fn name_field(page: &Page, at: usize, field: bool) -> Option<Strength> {
    let previous = previous_word(page, at);
    let whose = previous.map(|p| has(page.str(p), WHOSE));
    match whose {
        Some(true) => Some(Strength::Strong),
        Some(false) => None,
        None => field.then_some(Strength::Strong),
    }
}

/// The word before a token, with nothing but spaces and hyphens between, on the same line.
fn previous_word(page: &Page, at: usize) -> Option<usize> {
    let mut before = at;
    for _ in 0..2 {
        before = before.checked_sub(1)?;
        if page.is_word(before) {
            return Some(before);
        }
        let joins = page.is_space(before) || matches!(page.mark(before), Some('-' | '_' | '\''));
        if !joins {
            return None;
        }
    }
    None
}

/// Whether a word makes a name of any word, so that its neighbours must be looked at.
pub(crate) fn is_title(word: &str) -> bool {
    has(word, TITLE | TITLE_AS_WRITTEN)
}

/// Whether it says what somebody is: `patient`, `mother`.
pub(crate) fn is_role(word: &str) -> bool {
    has(word, ROLE)
}

/// Whether a word only leads to the name after it, and may go with it.
pub(crate) fn leads_to_name(word: &str) -> bool {
    has(word, LEADS)
}

/// Whether a word says what somebody did, so that it goes with `by` and the name.
pub(crate) fn is_done(word: &str) -> bool {
    has(word, DONE)
}

/// Whether it is a thing that is named after people: a disease, a fracture, a view.
pub(crate) fn is_namesake(word: &str) -> bool {
    has(word, NAMESAKE)
}

/// Whether it stands between a title and a name.
pub(crate) fn is_between(word: &str) -> bool {
    has(word, BETWEEN)
}

/// Whether it is a small word inside names.
pub(crate) fn is_particle(word: &str) -> bool {
    has(word, PARTICLE)
}

/// Whether it stands after a name and belongs to it.
pub(crate) fn is_suffix(word: &str) -> bool {
    has(word, SUFFIX)
}

/// Whether a word ends the name before it.
pub(crate) fn closes_name(word: &str) -> bool {
    has(word, CLOSES)
}

/// Whether it is a title before two family names.
pub(crate) fn has_two_families(word: &str) -> bool {
    has(word, TWO_FAMILIES)
}

/// Whether it is a family name of China or Korea in Latin letters.
pub(crate) fn is_eastern_family(word: &str) -> bool {
    has(word, EASTERN_FAMILY)
}
