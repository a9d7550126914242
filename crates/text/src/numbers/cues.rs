//! Words that say what the number after them is.

use super::ages::{Says, is};
use crate::kind::Kind;
use crate::words::{section, words};
use std::sync::LazyLock;

/// What a cue says of the number that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) kind: Kind,
    pub(super) rule: &'static str,
    /// Fewest digits that the number then has.
    pub(super) digits: usize,
}

const fn cue(kind: Kind, rule: &'static str, digits: usize) -> Cue {
    Cue { kind, rule, digits }
}

const RECORD: Cue = cue(Kind::RecordNumber, "record-cue", 1);
const DOUBTFUL: Cue = cue(Kind::RecordNumber, "number-cue", 4);
const NATIONAL: Cue = cue(Kind::NationalIdentifier, "national-identifier-cue", 5);
const PASSPORT: Cue = cue(Kind::Passport, "passport-cue", 4);
const TELEPHONE: Cue = cue(Kind::Telephone, "telephone-cue", 5);
const EXTENSION: Cue = cue(Kind::Telephone, "extension-cue", 3);
const POSTCODE: Cue = cue(Kind::Address, "postcode-cue", 3);
const CARD: Cue = cue(Kind::CreditCard, "credit-card-cue", 8);

/// Cues by their last word, folded; a cue of several words needs them all.
static LATIN: LazyLock<Vec<(String, Cue)>> = LazyLock::new(|| listed(""));

/// Cues in scripts without spaces: the text before the number ends so, folded.
static EASTERN: LazyLock<Vec<(String, Cue)>> = LazyLock::new(|| listed("-eastern"));

const SECTIONS: [(&str, Cue); 8] = [
    ("record", RECORD),
    ("doubtful", DOUBTFUL),
    ("national", NATIONAL),
    ("passport", PASSPORT),
    ("telephone", TELEPHONE),
    ("extension", EXTENSION),
    ("postcode", POSTCODE),
    ("card", CARD),
];

fn listed(script: &str) -> Vec<(String, Cue)> {
    let cues = SECTIONS.iter().flat_map(|(name, cue)| {
        let words = section(CUES, &format!("{name}{script}")).collect::<Vec<_>>();
        words.into_iter().map(|words| (words.replace('_', " "), *cue))
    });
    cues.collect()
}

/// Longest piece before a number that a cue is looked for in, in bytes.
const REACH: usize = 48;

/// The cue that stands right before a place of the folded text.
pub(super) fn cue_before(text: &str, start: usize) -> Option<Cue> {
    let mut from = start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = &text[from..start];
    let bare = before.trim_end_matches([' ', '\t', '=', '-', '(', '[', '.', '+', '_']);
    if bare.len() == before.len()
        && !bare.ends_with([':', '#', '/'])
        && bare.ends_with(|c: char| c.is_ascii_alphanumeric())
    {
        // Written together: only the cues of records are taken (`MRN0621936`).
        return latin(bare).filter(|cue| matches!(cue.kind, Kind::RecordNumber) && cue.digits == 1);
    }
    let plain = without_number_words(bare);
    let marked =
        bare.ends_with([':', '#']) || plain.len() < bare.trim_end_matches([':', '#']).len();
    let found = eastern(plain).or_else(|| latin(plain)).or_else(|| latin(bare))?;
    let strengthened = marked && found == DOUBTFUL;
    Some(if strengthened { Cue { digits: 2, ..found } } else { found })
}

/// Without `number`, `no.`, `#` and their like at the end.
fn without_number_words(text: &str) -> &str {
    let marks = [' ', '\t', ':', '#', '.', '=', '-', '(', 'º', '°', '_'];
    let mut plain = text.trim_end_matches(marks);
    for word in NUMBER.iter() {
        let Some(rest) = plain.strip_suffix(word) else { continue };
        if rest.ends_with(marks) {
            plain = rest.trim_end_matches(marks);
        }
    }
    plain
}

fn eastern(text: &str) -> Option<Cue> {
    if text.is_ascii() {
        return None;
    }
    let found = EASTERN.iter().filter(|(words, _)| text.ends_with(words.as_str()));
    found.max_by_key(|(words, _)| words.len()).map(|(_, cue)| *cue)
}

/// The words before numbers; in cues of several words an underscore stands for the space.
const CUES: &str = include_str!("../../data/cues.txt");

words! { CUES;
    /// Words that lead to a date, and go with it.
    BEFORE_DATES "before-date";
    BEFORE_EASTERN_DATES "before-eastern-date";
    /// Cues that say something of the examination as well, and stay.
    CLINICAL "clinical";
    BEFORE_NAMES "before-name";
    /// `number`, `no.` and their like.
    NUMBER "number";
    /// Leads to a number that is found without a cue.
    LEADS "leads";
    /// Leads to a telephone number or a mailbox.
    BEFORE_TELEPHONES "before-telephone";
}

/// The length of the cue that a folded text ends with, its marks included, when it leads to what
/// was found and says nothing else.
pub(crate) fn introduction(text: &str, kind: Kind) -> usize {
    let bare = text.trim_end_matches([' ', '\t', ':', '#', '=', '.', '-', '(', '+', 'º', '°', '_']);
    let ends = |words: &[&str]| {
        let eastern = |w: &&&str| bare.ends_with(**w) && (!w.is_ascii());
        let whole = |w: &&&str| {
            bare.strip_suffix(**w)
                .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '/'))
        };
        words.iter().filter(|w| eastern(w) || whole(w)).map(|w| w.len()).max()
    };
    // The last word, where it leads to an age or a year of birth.
    let of = |says: Says| {
        let start = bare.trim_end_matches(char::is_alphabetic).len();
        let word = &bare[start..];
        is(says, word).then_some(word.len())
    };
    // A cue goes only with the number that it leads to.
    let fits = |cue: Cue| match cue.kind {
        Kind::Telephone => matches!(kind, Kind::Telephone | Kind::KnownIdentifier),
        _ => kind != Kind::Telephone,
    };
    let cued = || {
        let fitting = LATIN
            .iter()
            .filter(|(words, cue)| fits(*cue) && !CLINICAL.contains(&words.replace(' ', "_")));
        let latin = fitting.filter(|(words, _)| ends(&[words.as_str()]).is_some());
        let eastern = EASTERN.iter().filter(|(words, _)| bare.ends_with(words.as_str()));
        latin.chain(eastern).map(|(words, _)| words.len()).max()
    };
    let found = match kind {
        Kind::Date | Kind::KnownDate => {
            ends(&BEFORE_DATES).or_else(|| ends(&BEFORE_EASTERN_DATES)).or_else(|| of(Says::BORN))
        }
        _ if kind.is_name() => ends(&BEFORE_NAMES),
        Kind::UnknownWord => ends(&BEFORE_NAMES),
        Kind::Age => of(Says::BEFORE),
        Kind::Telephone | Kind::Email => cued().or_else(|| ends(&BEFORE_TELEPHONES)),
        _ => cued().or_else(|| ends(&LEADS)),
    };
    found.map_or(0, |length| length + text.len() - bare.len())
}

fn latin(text: &str) -> Option<Cue> {
    // Few cues end as the text does, and only those are compared.
    let last = text.as_bytes().last();
    let whole = |words: &&(String, Cue)| {
        words.0.as_bytes().last() == last
            && text
                .strip_suffix(words.0.as_str())
                .is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()))
    };
    LATIN.iter().filter(whole).max_by_key(|(words, _)| words.len()).map(|(_, cue)| *cue)
}
