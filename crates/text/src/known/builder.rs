//! Gathering the study's values.

use super::forms::{self, Pattern};
use super::{Form, Known, Place, Search, places};
use crate::kind::Kind;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Most forms of one study.
const MOST_FORMS: usize = 60_000;
/// Most bytes of all forms of one study.
const MOST_BYTES: usize = 2 << 20;
/// Longest value that is taken whole; of longer ones the words are taken.
pub(super) const LONGEST_VALUE: usize = 256;

/// The study names more values than one study has; the limit that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    limit: &'static str,
}

impl TooMany {
    pub(super) const fn forms() -> Self {
        Self { limit: "forms of identifying values" }
    }

    const fn bytes() -> Self {
        Self { limit: "bytes of identifying values" }
    }

    /// The name of the limit.
    #[must_use]
    pub const fn limit(self) -> &'static str {
        self.limit
    }
}

impl std::fmt::Display for TooMany {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "too many {}", self.limit)
    }
}

impl std::error::Error for TooMany {}

/// Gathers what a study says of the people in it. It shows nothing of it: it has no `Debug`.
#[derive(Default)]
pub struct KnownBuilder {
    /// Every form by its folded text; the place that counts most wins.
    values: BTreeMap<String, Form>,
    dates: BTreeMap<String, Form>,
    squeezed: BTreeMap<String, Form>,
    initials: HashSet<String>,
    old: BTreeSet<u32>,
    bytes: usize,
    over: bool,
}

impl KnownBuilder {
    /// Nothing known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A person's name: a decoded value of PN, with `^`, `=` and `\` as separators.
    pub fn person(&mut self, pn: &str) -> &mut Self {
        for pattern in forms::person(pn) {
            self.add(pattern, Kind::KnownName, "known-name");
        }
        for initials in forms::initials(pn) {
            for pattern in forms::dotted(&initials) {
                self.add(pattern, Kind::KnownName, "known-initials");
            }
            self.bytes += initials.len();
            self.initials.insert(initials);
        }
        self
    }

    /// An identifier: a record or accession number, a telephone number.
    pub fn identifier(&mut self, value: &str) -> &mut Self {
        for pattern in forms::identifier(value) {
            self.add(pattern, Kind::KnownIdentifier, "known-identifier");
        }
        for text in forms::squeezed(value) {
            let form =
                Form { kind: Kind::KnownIdentifier, rule: "known-identifier", place: Place::Whole };
            self.bytes += text.len();
            self.squeezed.insert(text, form);
        }
        self
    }

    /// A place: an address, institution or department.
    pub fn place(&mut self, value: &str) -> &mut Self {
        for pattern in places::place(value) {
            self.add(pattern, Kind::KnownPlace, "known-place");
        }
        self
    }

    /// A date, or a range of dates, as DICOM writes them; of date-times the date.
    pub fn date(&mut self, value: &str) -> &mut Self {
        for text in forms::dates(value) {
            let form = Form { kind: Kind::KnownDate, rule: "known-date", place: Place::Whole };
            self.bytes += text.len();
            self.dates.insert(text, form);
        }
        for pattern in forms::malformed_date(value) {
            self.add(pattern, Kind::KnownDate, "known-date");
        }
        self
    }

    /// A UID.
    pub fn uid(&mut self, value: &str) -> &mut Self {
        for pattern in forms::uid(value) {
            self.add(pattern, Kind::KnownUid, "known-uid");
        }
        self
    }

    /// A number that gives away how old somebody is of whom that is not to be told: an age in
    /// years, or a year of birth. It goes wherever it stands alone or beside letters, unless it is
    /// a measure.
    pub fn old(&mut self, number: u32) -> &mut Self {
        self.old.insert(number);
        self
    }

    /// A word or phrase that the profile wants gone.
    pub fn word(&mut self, value: &str) -> &mut Self {
        for pattern in forms::word(value) {
            self.add(pattern, Kind::KnownWord, "known-word");
        }
        self
    }

    fn add(&mut self, (text, place): Pattern, kind: Kind, rule: &'static str) {
        if self.values.len() >= MOST_FORMS || self.bytes > MOST_BYTES {
            self.over = true;
            return;
        }
        self.bytes += text.len();
        let form = Form { kind, rule, place };
        self.values
            .entry(text)
            .and_modify(|known| {
                if place < known.place {
                    *known = form;
                }
            })
            .or_insert(form);
    }

    /// The search for everything that was gathered.
    ///
    /// # Errors
    /// [`TooMany`] when the study names more than one study has.
    pub fn build(self) -> Result<Known, TooMany> {
        if self.bytes > MOST_BYTES {
            return Err(TooMany::bytes());
        }
        let all = self.values.len() + self.dates.len() + self.squeezed.len();
        if self.over || all > MOST_FORMS {
            return Err(TooMany::forms());
        }
        Ok(Known {
            values: search(self.values)?,
            dates: search(self.dates)?,
            squeezed: search(self.squeezed)?,
            initials: self.initials,
            old: self.old,
        })
    }
}

fn search(forms: BTreeMap<String, Form>) -> Result<Option<Search>, TooMany> {
    let (patterns, forms): (Vec<String>, Vec<Form>) = forms.into_iter().unzip();
    Search::new(&patterns, forms)
}
