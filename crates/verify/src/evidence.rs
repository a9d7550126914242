//! What identifies the patient of a study: gathered from the headers of its instances.

use crate::forms::{self, Form, NO_DAY};
use crate::grouped::Grouped;
use crate::listed::{PLAIN, identifies};
use crate::spelling::Spelling;
use crate::values::{self, Day};
use crate::verifier::Verifier;
use crate::{What, names};
use scanveil_dataset::{CharacterSets, Element, Header, Kind, Tag, Vr, tags};
use scanveil_model::{Reason, ReasonCode};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

/// Different values of a study, UIDs not counted.
const MOST_VALUES: usize = 20_000;
/// Different UIDs of a study.
const MOST_UIDS: usize = 2_000_000;
/// Different declarations of character sets.
const MOST_CHARSETS: usize = 64;
/// Bytes of one value.
const LONGEST: usize = 16 << 10;
/// Values of the last instance that are remembered.
const MOST_REMEMBERED: usize = 1024;
/// Byte strings to look for.
const MOST_FORMS: usize = 400_000;

/// A study has more identifying values than anybody has, or one that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("limit: identifying values")
    }
}

impl std::error::Error for TooMany {}

impl From<TooMany> for Reason {
    fn from(error: TooMany) -> Self {
        Self::new(ReasonCode::LimitExceeded, error.to_string())
    }
}

/// The UIDs under one tag.
#[derive(Default)]
struct Uids {
    digests: HashSet<u64>,
    prefixes: BTreeSet<Box<[u8]>>,
}

/// The identifying values of a study. No `Debug`.
#[derive(Default)]
pub struct Evidence {
    charsets: Vec<(Box<[u8]>, CharacterSets)>,
    /// Values taken in already, by the character set that they were read by.
    seen: HashMap<(usize, Tag), HashSet<Box<[u8]>>>,
    values: usize,
    /// What the elements of the last instance are, by their place in it: most are the same in the
    /// next one.
    shape: Vec<(Tag, Vr, Option<What>)>,
    /// What the last instance said: character set, tag, value.
    last: Vec<(usize, Tag, Box<[u8]>)>,
    texts: BTreeSet<(What, Tag, String)>,
    /// Values that nobody can read, as they stand.
    raw: BTreeSet<(What, Tag, Box<[u8]>)>,
    days: BTreeMap<Day, BTreeSet<Tag>>,
    uids: HashMap<Tag, Uids>,
    uid_count: usize,
    /// Manufacturers and models, in lower case.
    plain: BTreeSet<String>,
}

impl Evidence {
    /// Nothing known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gathers what the header of an instance, as received, says.
    ///
    /// # Errors
    /// [`TooMany`] when the study has more values, or a longer one, than is looked for.
    pub fn observe(&mut self, header: &Header<'_>) -> Result<(), TooMany> {
        let data = &header.data;
        let list = data.elements();
        // Where each declared character set ends; an item may declare its own (PS3.3 C.12.1).
        let mut scopes = vec![(list.len(), self.charset(b"")?)];
        let mut nth = 0;
        for (index, element) in list.iter().enumerate() {
            while scopes.len() > 1 && scopes.last().is_some_and(|scope| index >= scope.0) {
                scopes.pop();
            }
            if element.tag == tags::SPECIFIC_CHARACTER_SET && element.kind == Kind::Leaf {
                let end = list.get(element.parent as usize).map_or(list.len(), |e| e.next as usize);
                scopes.push((end, self.charset(trim(data.value(element)))?));
                continue;
            }
            let charset = scopes.last().map_or(0, |scope| scope.1);
            if PLAIN.contains(&element.tag) {
                let value = trim(data.value(element));
                if self.is_new(charset, element.tag, value)? {
                    self.plain.insert(String::from_utf8_lossy(value).to_lowercase());
                }
                continue;
            }
            let Some(what) = self.identifies(index, element) else { continue };
            let value = trim(data.value(element));
            let repeats = self.repeats(nth, charset, element.tag, value);
            nth += 1;
            if repeats {
                continue;
            }
            if what == What::Uid {
                self.uids(element.tag, value)?;
            } else if what == What::Date {
                self.dates(element.tag, value)?;
            } else if !value.is_empty() && self.is_new(charset, element.tag, value)? {
                self.take(what, element.tag, value, charset);
            }
        }
        Ok(())
    }

    /// What the values of an element are evidence of.
    fn identifies(&mut self, index: usize, element: &Element) -> Option<What> {
        if element.kind != Kind::Leaf || element.length == 0 {
            return None;
        }
        if let Some((tag, vr, what)) = self.shape.get(index)
            && (*tag, *vr) == (element.tag, element.vr)
        {
            return *what;
        }
        let what = identifies(element);
        if index < MOST_REMEMBERED {
            let nothing = (element.tag, Vr([0; 2]), None);
            self.shape.resize(self.shape.len().max(index + 1), nothing);
            self.shape[index] = (element.tag, element.vr, what);
        }
        what
    }

    /// Gathers a value that an instance says elsewhere than in its header, in a document that it
    /// holds, as if the element `tag` said it.
    ///
    /// # Errors
    /// [`TooMany`] when the study has more values, or a longer one, than is looked for.
    pub fn add(&mut self, what: What, tag: Tag, value: &str) -> Result<(), TooMany> {
        let charset = self.charset(b"ISO_IR 192")?;
        let value = trim(value.as_bytes());
        if what == What::Date {
            return self.dates(tag, value);
        }
        if !value.is_empty() && self.is_new(charset, tag, value)? {
            self.take(what, tag, value, charset);
        }
        Ok(())
    }

    /// Number of a declaration of character sets. What cannot be understood declares nothing.
    fn charset(&mut self, declared: &[u8]) -> Result<usize, TooMany> {
        if let Some(known) = self.charsets.iter().position(|(known, _)| **known == *declared) {
            return Ok(known);
        }
        if self.charsets.len() == MOST_CHARSETS || declared.len() > LONGEST {
            return Err(TooMany);
        }
        let sets = CharacterSets::parse(declared).unwrap_or(CharacterSets::DEFAULT);
        self.charsets.push((declared.into(), sets));
        Ok(self.charsets.len() - 1)
    }

    /// Whether the value in this place is what the last instance said there: most repeat it.
    fn repeats(&mut self, nth: usize, charset: usize, tag: Tag, value: &[u8]) -> bool {
        match self.last.get_mut(nth) {
            Some((sets, known, last)) if (*sets, *known, &**last) == (charset, tag, value) => true,
            Some(last) => {
                *last = (charset, tag, value.into());
                false
            }
            None if nth < MOST_REMEMBERED && value.len() <= LONGEST => {
                self.last.push((charset, tag, value.into()));
                false
            }
            None => false,
        }
    }

    fn is_new(&mut self, charset: usize, tag: Tag, value: &[u8]) -> Result<bool, TooMany> {
        let seen = self.seen.entry((charset, tag)).or_default();
        if seen.contains(value) {
            return Ok(false);
        }
        self.values += 1;
        if self.values > MOST_VALUES || value.len() > LONGEST {
            return Err(TooMany);
        }
        Ok(seen.insert(value.into()))
    }

    fn uids(&mut self, tag: Tag, value: &[u8]) -> Result<(), TooMany> {
        for value in value.split(|&b| b == b'\\').map(trim) {
            let Some((prefix, digest)) = forms::uid(value) else { continue };
            let uids = self.uids.entry(tag).or_default();
            if uids.digests.insert(digest) {
                self.uid_count += 1;
                if !uids.prefixes.contains(prefix) {
                    uids.prefixes.insert(prefix.into());
                }
            }
        }
        if self.uid_count > MOST_UIDS { Err(TooMany) } else { Ok(()) }
    }

    /// Times of many frames are of few days.
    fn dates(&mut self, tag: Tag, value: &[u8]) -> Result<(), TooMany> {
        for day in values::days(value) {
            let tags = self.days.entry(day).or_default();
            self.values += usize::from(tags.is_empty());
            tags.insert(tag);
        }
        if self.values > MOST_VALUES { Err(TooMany) } else { Ok(()) }
    }

    fn take(&mut self, what: What, tag: Tag, value: &[u8], charset: usize) {
        let declared = self.charsets[charset].1.decode(value).ok();
        let unread = declared.is_none();
        let utf8 = std::str::from_utf8(value).ok().filter(|text| !text.is_ascii());
        let found = || {
            let sets = CharacterSets::evidence(&mut std::iter::once(value))?;
            Some(sets.decode(value).ok()?.into_owned())
        };
        let readings = [
            declared.map(std::borrow::Cow::into_owned),
            utf8.map(str::to_owned),
            if unread { found() } else { None },
        ];
        for text in readings.into_iter().flatten() {
            self.texts.insert((what, tag, text));
        }
        if unread {
            self.raw.insert((what, tag, value.into()));
        }
    }

    /// Makes the search of what was gathered. `retained` says which elements the profile openly
    /// keeps as they are (serial numbers, institutions, dates, UIDs): their values are no evidence.
    /// What names the patient is evidence all the same: it is kept in its element, nowhere else.
    ///
    /// # Errors
    /// [`TooMany`] when there are more spellings than are looked for.
    pub fn verifier(self, retained: &dyn Fn(Tag) -> bool) -> Result<Verifier, TooMany> {
        let keeps = |what: What, tag: Tag| !what.is_personal() && retained(tag);
        let mut spellings = BTreeSet::new();
        let mut grouped = Grouped::none();
        for (what, tag, text) in &self.texts {
            let named = matches!(what, What::Device | What::Place)
                && self.plain.contains(&text.trim().to_lowercase());
            if !keeps(*what, *tag) && !named {
                let mut found = Vec::new();
                spell(*what, text, &mut found);
                if matches!(what, What::Identifier | What::Contact) {
                    values::digits_alone(text, |digits| grouped.add(digits, *what));
                }
                spellings.extend(found.into_iter().map(|spelling| (*what, spelling)));
            }
        }
        let mut forms: Vec<Form> = Vec::new();
        for (what, spelling) in &spellings {
            forms::add(spelling, *what, NO_DAY, &mut forms);
            within(&forms)?;
        }
        for (what, tag, value) in &self.raw {
            if !keeps(*what, *tag) {
                forms::add_raw(value, *what, &mut forms);
            }
        }
        let mut days = Vec::new();
        for (day, tags) in self.days {
            let tags: BTreeSet<Tag> =
                tags.into_iter().filter(|tag| !keeps(What::Date, *tag)).collect();
            if tags.is_empty() {
                continue;
            }
            let mut found = Vec::new();
            day.spellings(&mut found);
            for spelling in &found {
                forms::add(spelling, What::Date, days.len() as u32, &mut forms);
            }
            days.push(tags);
            within(&forms)?;
        }
        let mut uids = HashSet::new();
        let mut prefixes = BTreeSet::new();
        for (tag, of) in self.uids {
            if !keeps(What::Uid, tag) {
                uids.extend(of.digests);
                prefixes.extend(of.prefixes);
            }
        }
        prefixes.iter().for_each(|prefix| forms::add_uid(prefix, &mut forms));
        within(&forms)?;
        forms::dedup(&mut forms);
        Ok(Verifier::new(forms, days, uids, grouped))
    }
}

fn within(forms: &[Form]) -> Result<(), TooMany> {
    if forms.len() > MOST_FORMS { Err(TooMany) } else { Ok(()) }
}

fn spell(what: What, text: &str, out: &mut Vec<Spelling>) {
    match what {
        What::Name => names::spellings(text, out),
        What::Identifier | What::Device => values::identifiers(text, out),
        What::Place => values::places(text, out),
        What::Contact => values::contacts(text, out),
        What::Age => values::ages(text, out),
        What::Date | What::Uid => {}
    }
}

fn trim(value: &[u8]) -> &[u8] {
    let cut = |byte: &u8| matches!(byte, b' ' | 0);
    let start = value.iter().position(|byte| !cut(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !cut(byte)).map_or(start, |at| at + 1);
    &value[start..end]
}
