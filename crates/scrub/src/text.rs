//! Text values: decoded, cleaned, encoded again; what was cleaned once is remembered, because the
//! instances of a study say the same again and again.

use crate::makers::is_maker;
use crate::vocabulary::{are_terms, known};
use scanveil_dataset::CharacterSets;
use scanveil_text::{Cleaner, Finding, Kind, Known, Word};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// How a text is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Look {
    /// Everything that identifies goes.
    Clean,
    /// Only the study's own values go: the text is kept by choice.
    Known,
    /// As `Clean`, but what names of structures are made of stays.
    Structure,
    /// As `Clean`, but a word or two that merely look like names stay: no person writes there.
    Machine,
    /// Code strings: all or nothing.
    Code,
    /// Codes that whoever defines a template makes up.
    Template,
    /// Each value by itself: words of the trade, or nothing.
    Terms,
}

/// What came of a text.
pub(crate) struct CleanText {
    /// The new value; `None` when it stays as it is.
    pub(crate) bytes: Option<Vec<u8>>,
    /// What was found.
    pub(crate) kinds: Vec<Kind>,
}

/// Bytes that the declared character sets cannot hold.
pub(crate) struct Undecodable;

/// How the texts of an instance are read, and how they are written where that differs.
pub(crate) struct Charset {
    /// As the instance declares, or as evidence has it.
    pub(crate) read: CharacterSets,
    /// Set when the standard has no term for what was found by evidence.
    pub(crate) write: Option<CharacterSets>,
}

/// Most digits of a number among code values that is nobody's.
const SHORT_NUMBER: usize = 6;

/// Longest value of letters and digits that a vendor makes up: a short string has 16.
const LONGEST_TERM: usize = 16;
/// What stands in the place of a value that is no term, so that the others keep theirs.
const REMOVED: &[u8] = b"REMOVED";

/// Words of what machines write: `SOMATOM Go`, `BONEPLUS`.
const MACHINE_WORDS: usize = 2;

/// Remembered texts, by what decides of the result.
type Shard = HashMap<Box<[u8]>, Arc<CleanText>>;

const SHARDS: usize = 16;
/// Texts remembered in one shard, and the longest of them.
const MOST_TEXTS: usize = 4096;
const LONGEST: usize = 256;
/// Longest declaration of character sets that is remembered with them.
const LONGEST_TERMS: usize = 128;

/// The texts of one study.
pub(crate) struct Texts<'p> {
    cleaner: &'p Cleaner,
    known: Known,
    /// Of what the profile openly keeps of people nothing, for texts that are kept by choice; where
    /// it keeps nothing, `known` is that.
    open: Option<Known>,
    shards: [Mutex<Shard>; SHARDS],
}

impl<'p> Texts<'p> {
    pub(crate) fn new(cleaner: &'p Cleaner, known: Known, open: Option<Known>) -> Self {
        Self { cleaner, known, open, shards: Default::default() }
    }

    /// Cleans a value under its character sets.
    pub(crate) fn clean(
        &self,
        look: Look,
        charset: &Charset,
        value: &[u8],
    ) -> Result<Arc<CleanText>, Undecodable> {
        if value.len() > LONGEST || charset.write.is_some() {
            return self.look(look, charset, value).map(Arc::new);
        }
        let sets = if is_plain(value) { "" } else { charset.read.term().unwrap_or("") };
        let mut key = [0; LONGEST + LONGEST_TERMS + 2];
        let Some(key) = fill(&mut key, look, sets.as_bytes(), value) else {
            return self.look(look, charset, value).map(Arc::new);
        };
        // Any spread does: threads should not wait for each other.
        let spread = value.iter().rev().take(4).fold(value.len(), |sum, &b| sum + usize::from(b));
        let shard = &self.shards[spread % SHARDS];
        if let Some(found) = shard.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(Arc::clone(found));
        }
        let made = Arc::new(self.look(look, charset, value)?);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() == MOST_TEXTS {
            shard.clear();
        }
        shard.insert(key.into(), Arc::clone(&made));
        Ok(made)
    }

    fn look(&self, look: Look, charset: &Charset, value: &[u8]) -> Result<CleanText, Undecodable> {
        if look == Look::Terms {
            return Ok(CleanText { bytes: self.terms_of(value), kinds: Vec::new() });
        }
        if matches!(look, Look::Code | Look::Template) {
            let terms = self.are_terms(value, look == Look::Template);
            let bytes = (!terms).then(Vec::new);
            return Ok(CleanText { bytes, kinds: Vec::new() });
        }
        let end = value.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |at| at + 1);
        let text = charset.read.decode(&value[..end]).map_err(|_| Undecodable)?;
        let (new, findings) = match look {
            // `FUJI PHOTO FILM CO. LTD.` where the institution has the maker's name by default.
            Look::Machine if is_maker(&text) => (Cow::Borrowed(&*text), Vec::new()),
            // `Somatom Go` where somebody is called Go: two letters among a maker's words.
            Look::Machine if self.find(&text).iter().all(is_short_name) => {
                (Cow::Borrowed(&*text), Vec::new())
            }
            Look::Machine if text.split_whitespace().count() <= MACHINE_WORDS => {
                self.without(&self.known, &text, |kind| !is_single_word(kind))
            }
            Look::Structure => {
                let cleaned = self.cleaner.clean_structure(&self.known, &text);
                (cleaned.text, cleaned.findings)
            }
            Look::Clean | Look::Machine => {
                let cleaned = self.cleaner.clean(&self.known, &text);
                (cleaned.text, cleaned.findings)
            }
            _ => self.without(self.open.as_ref().unwrap_or(&self.known), &text, is_known),
        };
        let kinds = findings.iter().map(|finding: &Finding| finding.kind).collect();
        let same = *new == *text && (charset.write.is_none() || text.is_ascii());
        if same {
            return Ok(CleanText { bytes: None, kinds });
        }
        let write = charset.write.as_ref().unwrap_or(&charset.read);
        // What cannot be written again is left out whole.
        Ok(CleanText { bytes: Some(write.encode(&new).unwrap_or_default()), kinds })
    }

    /// A text of a document without what identifies, and what was found in it.
    pub(crate) fn clean_text<'t>(&self, text: &'t str) -> (Cow<'t, str>, Vec<Kind>) {
        let cleaned = self.cleaner.clean(&self.known, text);
        (cleaned.text, cleaned.findings.iter().map(|finding| finding.kind).collect())
    }

    /// A text without findings of some kinds; of the others it keeps the words.
    fn without<'t>(
        &self,
        known: &Known,
        text: &'t str,
        goes: fn(Kind) -> bool,
    ) -> (Cow<'t, str>, Vec<Finding>) {
        let mut findings = self.cleaner.find(known, text);
        findings.retain(|finding| goes(finding.kind));
        if findings.is_empty() {
            return (Cow::Borrowed(text), findings);
        }
        let (mut kept, mut from) = (String::with_capacity(text.len()), 0);
        for finding in &findings {
            kept.push_str(text[from..finding.range.start].trim_end());
            from = finding.range.end;
        }
        kept.push_str(&text[from..]);
        (Cow::Owned(kept.trim().to_owned()), findings)
    }

    /// Whether code values (PS3.5 6.2, CS) are terms of some definition, each by itself.
    fn are_terms(&self, value: &[u8], anybodys: bool) -> bool {
        let fits = |b: &u8| b.is_ascii_alphanumeric() || b"_\\ \0-/.".contains(b);
        let text = std::str::from_utf8(value).ok().filter(|_| value.iter().all(fits));
        text.is_some_and(|text| {
            let mut values = text.trim_matches([' ', '\0']).split('\\');
            values.all(|value| self.is_term(value.trim(), anybodys))
        })
    }

    /// Whether a code value is a term. Of a template it is anybody's: then only words of the trade
    /// are terms.
    fn is_term(&self, value: &str, anybodys: bool) -> bool {
        // `PERFUSION` is a term, also where somebody is called so.
        if known(value) && (anybodys || !value.bytes().any(|b| b.is_ascii_digit())) {
            return true;
        }
        let short = value.len() <= SHORT_NUMBER && value.bytes().all(|b| b.is_ascii_digit());
        let harmless = |kind| match kind {
            Kind::RecordNumber => short,
            kind => is_single_word(kind),
        };
        !anybodys && self.find(value).iter().all(|found| harmless(found.kind))
    }

    /// Values of which those that are no terms are replaced; of a single one nothing is left.
    /// `None` where all of them are terms.
    fn terms_of(&self, value: &[u8]) -> Option<Vec<u8>> {
        let end = value.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |at| at + 1);
        let values: Vec<&[u8]> = value[..end].split(|&b| b == b'\\').collect();
        let is_term = |value: &&[u8]| {
            let text = std::str::from_utf8(value).ok().filter(|text| text.is_ascii());
            text.is_some_and(|text| self.is_made_of_terms(text.trim()))
        };
        if values.iter().all(is_term) {
            return None;
        }
        if values.len() == 1 {
            return Some(Vec::new());
        }
        let new: Vec<&[u8]> = values.iter().map(|v| if is_term(v) { v } else { REMOVED }).collect();
        Some(new.join(&b'\\'))
    }

    /// Whether every word of a value is a word of the trade or a part of the name of a sequence.
    fn is_made_of_terms(&self, value: &str) -> bool {
        let is_name = |word: &str| self.cleaner.word(word) == Word::Name;
        // `FLASH` is a term, also where somebody is called so.
        if known(value) && !value.bytes().any(|b| b.is_ascii_digit()) {
            return true;
        }
        let harmless = |found: &Finding| match found.kind {
            Kind::RecordNumber => found.range.len() <= LONGEST_TERM,
            kind => is_single_word(kind) || is_short_name(found),
        };
        are_terms(value, is_name) && self.find(value).iter().all(harmless)
    }

    /// Bytes of a written value that hold one of the study's values and stay on purpose.
    pub(crate) fn spared(&self, charset: &Charset, value: &[u8]) -> Vec<Range<usize>> {
        let sets = charset.write.as_ref().unwrap_or(&charset.read);
        let Ok(text) = sets.decode(value) else { return Vec::new() };
        let pieces = self.cleaner.spared(&self.known, &text).into_iter();
        if text.len() == value.len() {
            return pieces.collect();
        }
        let written = |text: &str| sets.encode(text).map_or(0, |bytes| bytes.len());
        pieces
            .map(|piece| {
                let start = written(&text[..piece.start]);
                start..start + written(&text[piece])
            })
            .collect()
    }

    /// The same of a value that a machine writes: the name of its maker stays, whoever else has it.
    pub(crate) fn spared_of_machine(&self, charset: &Charset, value: &[u8]) -> Vec<Range<usize>> {
        match std::str::from_utf8(value) {
            Ok(text) if is_maker(text) => std::iter::once(0..value.len()).collect(),
            _ => self.spared(charset, value),
        }
    }

    /// Code values that are words of the trade, whoever is called so.
    pub(crate) fn terms(&self, value: &[u8]) -> Vec<Range<usize>> {
        let mut start = 0;
        let mut terms = Vec::new();
        for code in value.split(|&b| b == b'\\') {
            let text = std::str::from_utf8(code).unwrap_or("").trim_matches([' ', '\0']);
            if !text.is_empty() && known(text) {
                terms.push(start..start + code.len());
            }
            start += code.len() + 1;
        }
        terms
    }

    /// What a code string or a number holds that no such value should.
    pub(crate) fn find(&self, text: &str) -> Vec<Finding> {
        self.cleaner.find(&self.known, text)
    }
}

/// One of the study's names, of two bytes.
fn is_short_name(finding: &Finding) -> bool {
    finding.kind == Kind::KnownName && finding.range.len() <= 2
}

/// A single word that looks like a name, with nothing beside it that says so.
fn is_single_word(kind: Kind) -> bool {
    matches!(kind, Kind::UnknownWord | Kind::NameByDictionary)
}

/// Whether a finding is one of the study's own values, or a word that the profile wants gone.
pub(crate) fn is_known(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::KnownName
            | Kind::KnownIdentifier
            | Kind::KnownPlace
            | Kind::KnownDate
            | Kind::KnownUid
            | Kind::KnownWord
    )
}

/// ASCII without escapes: the same text in every character set.
fn is_plain(value: &[u8]) -> bool {
    value.is_ascii() && !value.contains(&0x1b)
}

/// What decides of a result, gathered without an allocation: the look, the character sets unless
/// the value is plain, and the value.
fn fill<'k>(key: &'k mut [u8], look: Look, sets: &[u8], value: &[u8]) -> Option<&'k [u8]> {
    let length = 2 + sets.len() + value.len();
    let key = key.get_mut(..length)?;
    key[0] = look as u8;
    key[1..=sets.len()].copy_from_slice(sets);
    key[2 + sets.len()..].copy_from_slice(value);
    Some(key)
}
