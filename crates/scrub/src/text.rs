//! Text values: decoded, cleaned, encoded again; what was cleaned once is remembered, because the
//! instances of a study say the same again and again.

use scanveil_dataset::CharacterSets;
use scanveil_text::{Cleaner, Finding, Kind, Known};
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

/// How a text is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Look {
    /// Everything that identifies goes.
    Clean,
    /// Only the study's own values go: the text is kept by choice.
    Known,
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

/// Remembered texts, by what decides of the result.
type Shard = HashMap<Box<[u8]>, Arc<CleanText>>;

const SHARDS: usize = 16;
/// Texts remembered in one shard, and the longest of them.
const MOST_TEXTS: usize = 4096;
const LONGEST: usize = 1024;

/// The texts of one study.
pub(crate) struct Texts<'p> {
    cleaner: &'p Cleaner,
    known: Known,
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

impl<'p> Texts<'p> {
    pub(crate) fn new(cleaner: &'p Cleaner, known: Known) -> Self {
        Self { cleaner, known, shards: Default::default(), hasher: RandomState::new() }
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
        let key = key(look, charset, value);
        let shard = &self.shards[self.hasher.hash_one(&key) as usize % SHARDS];
        if let Some(found) = shard.lock().unwrap_or_else(PoisonError::into_inner).get(&*key) {
            return Ok(Arc::clone(found));
        }
        let made = Arc::new(self.look(look, charset, value)?);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() == MOST_TEXTS {
            shard.clear();
        }
        shard.insert(key, Arc::clone(&made));
        Ok(made)
    }

    fn look(&self, look: Look, charset: &Charset, value: &[u8]) -> Result<CleanText, Undecodable> {
        let end = value.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |at| at + 1);
        let text = charset.read.decode(&value[..end]).map_err(|_| Undecodable)?;
        let (new, findings) = match look {
            Look::Clean => {
                let cleaned = self.cleaner.clean(&self.known, &text);
                (cleaned.text, cleaned.findings)
            }
            Look::Known => self.without_known(&text),
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

    /// A text that is kept by choice, without the study's own values.
    fn without_known<'t>(&self, text: &'t str) -> (Cow<'t, str>, Vec<Finding>) {
        let mut findings = self.cleaner.find(&self.known, text);
        findings.retain(|finding| is_known(finding.kind));
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

    /// What a code string or a number holds that no such value should.
    pub(crate) fn find(&self, text: &str) -> Vec<Finding> {
        self.cleaner.find(&self.known, text)
    }
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

/// What decides of the result: the look, the value, and the character sets unless it is ASCII.
fn key(look: Look, charset: &Charset, value: &[u8]) -> Box<[u8]> {
    let plain = value.is_ascii() && !value.contains(&0x1b);
    let sets = if plain { "" } else { charset.read.term().unwrap_or("") };
    let mut key = Vec::with_capacity(value.len() + sets.len() + 2);
    key.push(look as u8);
    key.extend_from_slice(sets.as_bytes());
    key.push(0);
    key.extend_from_slice(value);
    key.into()
}
