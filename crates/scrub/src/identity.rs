//! The identifying values of a study: gathered from every instance, searched for in all of them.

use crate::keyed::ProjectSecret;
use crate::rules::RuleSet;
use aho_corasick::{AhoCorasick, MatchKind};
use scanveil_dataset::{CharacterSets, DataSet, Element, Header, Kind, Tag, Vr, tags};
use scanveil_model::{Reason, ReasonCode};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Elements whose whole value identifies: identifiers, numbers, places, telephone numbers.
const WHOLE_VALUES: &[u32] = &[
    0x0008_0050,
    0x0008_0080,
    0x0008_0081,
    0x0008_0094,
    0x0008_1010,
    0x0010_0020,
    0x0010_1000,
    0x0010_1040,
    0x0010_1090,
    0x0010_2154,
    0x0010_2155,
    0x0018_1000,
    0x0020_000d,
    0x0020_000e,
    0x0020_0010,
    0x0032_1033,
    0x0038_0010,
    0x0038_0060,
    0x0040_1001,
    0x0040_2016,
    0x0040_2017,
];

/// A study's values cannot grow without bound; what passes it is refused.
const MOST_FORMS: usize = 20_000;

/// Shortest form that is looked for anywhere in a text; shorter ones must stand alone as words.
const ANYWHERE: usize = 5;

/// Longest value that is taken in.
const LONGEST: u32 = 4096;

fn is_whole(tag: Tag) -> bool {
    WHOLE_VALUES.binary_search(&tag.0).is_ok()
}

/// Whether an element's values are gathered.
fn identifies(element: &Element) -> bool {
    element.kind == Kind::Leaf
        && (element.vr == Vr::PN
            || element.tag == tags::PATIENT_BIRTH_DATE
            || is_whole(element.tag))
}

/// What is known of who a study is about. Fill it with every instance, then scrub.
#[derive(Default)]
pub struct StudyIdentity {
    patients: BTreeSet<Vec<u8>>,
    fallback: Option<Vec<u8>>,
    /// Forms to look for, and the elements each was found in.
    forms: BTreeSet<(Vec<u8>, Tag)>,
    /// What was taken in already: most instances of a study say the same of whom it is about.
    seen: Seen,
}

/// Values that need no second look, under the character set that they were read by.
#[derive(Default)]
struct Seen {
    charset: Vec<u8>,
    values: HashMap<Tag, HashSet<Box<[u8]>>>,
    who: Option<Who>,
}

/// What names the patient of an instance, as written.
#[derive(PartialEq, Eq)]
struct Who {
    id: Box<[u8]>,
    name: Box<[u8]>,
    born: Box<[u8]>,
    study: Box<[u8]>,
}

impl Seen {
    /// Forgets everything when the character set is another one: the same bytes are other names.
    fn under(&mut self, charset: &[u8]) {
        if self.charset != charset {
            *self = Self { charset: charset.to_vec(), ..Self::default() };
        }
    }

    /// Whether a value is new; it is not any more.
    fn is_new(&mut self, tag: Tag, value: &[u8]) -> bool {
        let values = self.values.entry(tag).or_default();
        !values.contains(value) && values.insert(value.into())
    }
}

impl StudyIdentity {
    /// Nothing known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gathers what this instance says.
    ///
    /// # Errors
    /// [`ReasonCode::LimitExceeded`] when the study names more values than anybody has.
    pub fn observe(&mut self, header: &Header<'_>) -> Result<(), Reason> {
        let data = &header.data;
        let declared = data.text(tags::SPECIFIC_CHARACTER_SET).unwrap_or(b"");
        self.seen.under(declared);
        let charset = CharacterSets::parse(declared).unwrap_or(CharacterSets::DEFAULT);
        for element in data.elements() {
            if !identifies(element) || element.length == 0 || element.length > LONGEST {
                continue;
            }
            let value = trim(data.value(element));
            if self.seen.is_new(element.tag, value) {
                self.element(element, value, &charset);
            }
        }
        self.patient_of(data, &charset);
        if self.forms.len() > MOST_FORMS {
            return Err(Reason::new(ReasonCode::LimitExceeded, "limit: identifying values"));
        }
        Ok(())
    }

    /// Whose this instance is.
    fn patient_of(&mut self, data: &DataSet<'_>, charset: &CharacterSets) {
        let text = |tag| data.text(tag).unwrap_or(b"");
        let (id, name) = (text(tags::PATIENT_ID), text(tags::PATIENT_NAME));
        let (born, study) = (text(tags::PATIENT_BIRTH_DATE), text(tags::STUDY_INSTANCE_UID));
        let same =
            |who: &Who| [&*who.id, &who.name, &who.born, &who.study] == [id, name, born, study];
        if self.seen.who.as_ref().is_some_and(same) {
            return;
        }
        if !id.is_empty() {
            self.patients.insert(decode(charset, id).into_bytes());
        }
        let who =
            if name.is_empty() { [b"study ", study].concat() } else { [name, b"|", born].concat() };
        self.fallback = Some(self.fallback.take().map_or(who.clone(), |known| known.min(who)));
        self.seen.who =
            Some(Who { id: id.into(), name: name.into(), born: born.into(), study: study.into() });
    }

    fn element(&mut self, element: &Element, value: &[u8], charset: &CharacterSets) {
        if element.vr == Vr::PN {
            let name = decode(charset, value);
            let parts = name.split(|c: char| !c.is_alphanumeric());
            for part in parts {
                let ascii = part.is_ascii();
                if (ascii && part.len() >= 3) || (!ascii && part.chars().count() >= 2) {
                    self.form(part.as_bytes(), element.tag);
                }
            }
            if value.len() >= ANYWHERE {
                self.form(value, element.tag);
            }
        } else if is_whole(element.tag) {
            for part in value.split(|&b| b == b'\\').map(trim) {
                // Three digits of a study's number are in every image.
                if part.len() >= 4 {
                    self.form(part, element.tag);
                }
            }
        } else if element.tag == tags::PATIENT_BIRTH_DATE && value.len() == 8 {
            self.form(value, element.tag);
        }
    }

    fn form(&mut self, bytes: &[u8], tag: Tag) {
        self.forms.insert((bytes.to_ascii_lowercase(), tag));
    }

    /// The key of the one patient this study is about.
    pub(crate) fn patient(&self) -> Result<Vec<u8>, Reason> {
        if self.patients.len() > 1 {
            let at = scanveil_model::TagPath(tags::PATIENT_ID.to_string());
            let detail = format!("{} patient identifiers in one study", self.patients.len());
            return Err(Reason::at(ReasonCode::MixedPatients, at, detail));
        }
        let known = self.patients.first().cloned();
        Ok(known.unwrap_or_else(|| self.fallback.clone().unwrap_or_default()))
    }

    pub(crate) fn pseudonym(&self, secret: &ProjectSecret) -> Result<String, Reason> {
        Ok(secret.pseudonym(&self.patient()?))
    }

    /// Builds the search for these values; what the profile retains is none of them.
    pub(crate) fn search(self, rules: &RuleSet) -> Result<Search, Reason> {
        let mut forms: Vec<Vec<u8>> = self
            .forms
            .into_iter()
            .filter(|(_, tag)| !rules.retains(*tag))
            .map(|(form, _)| form)
            .collect();
        forms.dedup();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&forms)
            .map_err(|_| Reason::new(ReasonCode::LimitExceeded, "limit: identifying values"))?;
        Ok(Search { automaton, lengths: forms.iter().map(Vec::len).collect() })
    }
}

/// Looks for the study's identifying values.
pub(crate) struct Search {
    automaton: AhoCorasick,
    lengths: Vec<usize>,
}

impl Search {
    /// Whether a text holds an identifying value; short forms count only as whole words.
    pub(crate) fn finds(&self, text: &[u8]) -> bool {
        self.automaton.find_overlapping_iter(text).any(|found| {
            let word = |at: Option<&u8>| at.is_none_or(|b| !b.is_ascii_alphanumeric());
            found.end() - found.start() >= ANYWHERE
                || (word(found.start().checked_sub(1).and_then(|at| text.get(at)))
                    && word(text.get(found.end())))
        })
    }

    /// Where the long forms stand in raw bytes.
    pub(crate) fn long_forms<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
        self.automaton
            .find_overlapping_iter(bytes)
            .filter(|found| self.lengths[found.pattern().as_usize()] > ANYWHERE)
            .map(|found| found.start())
    }
}

/// Text as declared, else by evidence: UTF-8 says of itself whether it is; Latin-1 reads anything.
fn decode(charset: &CharacterSets, bytes: &[u8]) -> String {
    charset.decode(bytes).map(std::borrow::Cow::into_owned).unwrap_or_else(|_| {
        std::str::from_utf8(bytes)
            .map_or_else(|_| bytes.iter().map(|&b| char::from(b)).collect(), str::to_owned)
    })
}

fn trim(value: &[u8]) -> &[u8] {
    let cut = |b: &u8| *b == b' ' || *b == 0;
    let start = value.iter().position(|b| !cut(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !cut(b)).map_or(start, |at| at + 1);
    &value[start..end]
}
