//! Looks at a data set without its original: what in it would a scrubber still change?
//!
//! The same rules that scrub decide, so that nothing is called clean that scrubbing would alter,
//! and a scrubbed instance is clean by what it is. What is written by scanveil itself (pseudonyms,
//! keyed UIDs, dummy values) is known by its form.

use crate::dates::Move;
use crate::days::StudyDays;
use crate::decide::Context;
use crate::header::Rewriter;
use crate::keyed::ProjectSecret;
use crate::options::ProfileOption;
use crate::outcome::{Decided, Watch};
use crate::plan::Plan;
use crate::profile::Settings;
use crate::reading::charset;
use crate::sop::SopClass;
use crate::study::documents::ENCAPSULATED_DOCUMENT;
use crate::suspicion::{Suspicion, suspicious};
use crate::text::Texts;
use scanveil_dataset::{Header, Kind, NO_PARENT, Tag, Vr, tags};
use scanveil_documents::DocumentReader;
use scanveil_model::Action;
use scanveil_text::{Cleaner, Kind as TextKind, KnownBuilder};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

mod documents;

/// How sure it is that a trace identifies somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// The standard names the attribute as identifying, or nobody can say what it holds.
    High,
    /// It may.
    Medium,
}

/// What was found at an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Trace {
    /// An attribute that the profile removes or empties holds a value.
    Value,
    /// A private attribute.
    Private,
    /// An attribute that nothing is known of.
    Unknown,
    /// A value that the profile replaces is no replacement.
    Original,
    /// The patient's name or identifier is no pseudonym.
    Identity,
    /// A UID that was not replaced.
    Uid,
    /// A date, or an age over 89, that the profile does not leave.
    Date,
    /// A text that looks like a number, a date or an address.
    NumberInText,
    /// A text that looks like a person's name.
    PersonInText,
    /// A text of words that are not known to be harmless.
    Text,
    /// The instance does not say that identity was removed.
    NotStated,
    /// The instance says that text is burned into its pixels.
    BurnedIn,
    /// The preamble of the file is not empty.
    Preamble,
    /// File meta information that names applications or is private.
    Meta,
    /// A document that could not be read whole.
    Unread,
}

impl Trace {
    /// The stable name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Private => "private",
            Self::Unknown => "unknown-attribute",
            Self::Original => "not-replaced",
            Self::Identity => "identity",
            Self::Uid => "original-uid",
            Self::Date => "date",
            Self::NumberInText => "number-in-text",
            Self::PersonInText => "person-in-text",
            Self::Text => "unknown-words",
            Self::NotStated => "not-stated",
            Self::BurnedIn => "burned-in-text",
            Self::Preamble => "preamble",
            Self::Meta => "file-meta",
            Self::Unread => "unread-document",
        }
    }

    /// How sure it is.
    #[must_use]
    pub fn risk(self) -> Risk {
        match self {
            Self::NumberInText | Self::PersonInText | Self::Text | Self::NotStated => Risk::Medium,
            _ => Risk::High,
        }
    }
}

/// Plans by the options and the object definition.
type Plans = HashMap<(BTreeSet<ProfileOption>, &'static str), Arc<Plan>>;

/// Looks at instances, each by the options that it declares itself.
pub struct Inspector {
    plans: Mutex<Plans>,
    cleaner: Cleaner,
    /// Stands in where the rules ask for a key: its results are only compared, never shown.
    secret: ProjectSecret,
    reader: Option<Arc<dyn DocumentReader>>,
}

impl Default for Inspector {
    fn default() -> Self {
        Self::new()
    }
}

impl Inspector {
    /// An inspector that knows nobody's identity.
    #[must_use]
    pub fn new() -> Self {
        Self {
            plans: Mutex::default(),
            cleaner: Cleaner::new(&[]),
            secret: ProjectSecret::new(&[0; 32]),
            reader: None,
        }
    }

    /// The same with what reads documents; without it, a PDF counts as unread.
    #[must_use]
    pub fn with_reader(self, reader: Arc<dyn DocumentReader>) -> Self {
        Self { reader: Some(reader), ..self }
    }

    fn plan(&self, options: BTreeSet<ProfileOption>, header: &Header<'_>) -> Arc<Plan> {
        let class = header.data.text(tags::SOP_CLASS_UID).unwrap_or(b"");
        let iod = std::str::from_utf8(class).ok().and_then(SopClass::find).map_or("", |c| c.iod);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = plans.entry((options, iod)).or_insert_with_key(|(options, iod)| {
            Arc::new(Plan::compile(&Settings::of_options(options.clone()), iod, &[]))
        });
        Arc::clone(plan)
    }

    /// Looks at one header; `found` gets the index of the element, or the tag of what is missing.
    pub fn look(&self, header: &Header<'_>, mut found: impl FnMut(TracePlace, Trace)) {
        let data = &header.data;
        let removed = data.text(tags::PATIENT_IDENTITY_REMOVED) == Some(b"YES");
        if !removed {
            found(TracePlace::Tag(tags::PATIENT_IDENTITY_REMOVED), Trace::NotStated);
        }
        if data.text(tags::BURNED_IN_ANNOTATION).is_some_and(|flag| flag != b"NO") {
            found(TracePlace::Tag(tags::BURNED_IN_ANNOTATION), Trace::BurnedIn);
        }
        if header.meta.preamble {
            found(TracePlace::Whole, Trace::Preamble);
        }
        header.meta.surplus.iter().for_each(|&tag| found(TracePlace::Tag(tag), Trace::Meta));
        let Ok(nothing) = KnownBuilder::new().build() else { return };
        let texts = Texts::new(&self.cleaner, nothing, None);
        let context = Context {
            rules: &[],
            secret: &self.secret,
            texts: &texts,
            pseudonym: "",
            by: Move { back: 0, days: &StudyDays::default() },
            full_dates: true,
            full_uids: true,
            age_cap: OLDEST,
            tabled: false,
            uids: [(b"", b""); 3],
        };
        let plan = self.plan(if removed { declared(header) } else { BTreeSet::new() }, header);
        if let Some(trace) = documents::look(data, &texts, self.reader.as_deref(), removed) {
            found(TracePlace::Tag(ENCAPSULATED_DOCUMENT), trace);
        }
        let mut look = |decided: &Decided<'_>| {
            // The standard replaces every document; what is in this one was looked into.
            let element = decided.element;
            if element.tag == ENCAPSULATED_DOCUMENT && element.parent == NO_PARENT {
                return;
            }
            if let Some(trace) = look_at(decided, data.value(decided.element), removed) {
                found(TracePlace::Element(decided.at), trace);
            }
        };
        // Nothing is written but into a buffer: the same code decides that scrubs.
        let (charset, _) = charset(header);
        let mut written = Vec::new();
        let watch: Watch<'_> = &mut look;
        let _ = Rewriter::rewrite(&context, &plan, data, charset, &[], &mut written, Some(watch));
    }
}

/// Oldest age in years that identifies nobody (45 CFR 164.514).
const OLDEST: u32 = 89;

/// Where a trace was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TracePlace {
    /// The file itself.
    Whole,
    /// A top-level attribute, or one of the file meta information.
    Tag(Tag),
    /// An element, by its index in the data set.
    Element(usize),
}

/// The options that an instance says were applied (CID 7050).
fn declared(header: &Header<'_>) -> BTreeSet<ProfileOption> {
    let Some(sequence) = header.data.find(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE) else {
        return BTreeSet::new();
    };
    let until = sequence.start + sequence.length;
    let codes = header.data.elements().iter().filter(|element| {
        element.tag == Tag::new(8, 0x100) && (sequence.start..until).contains(&element.start)
    });
    codes
        .filter_map(|code| {
            let value = header.data.value(code).trim_ascii();
            ProfileOption::names()
                .filter_map(ProfileOption::find)
                .find(|option| option.code().0.as_bytes() == value)
        })
        .collect()
}

fn look_at(decided: &Decided<'_>, value: &[u8], removed: bool) -> Option<Trace> {
    let element = decided.element;
    let value_there = value.iter().any(|b| !matches!(b, b' ' | 0));
    // A group length (retired) says how long something is.
    if !value_there || element.tag.is_group_length() {
        return None;
    }
    if element.kind != Kind::Leaf {
        return (decided.action != Action::Keep).then(|| gone(element.tag));
    }
    match decided.action {
        Action::Keep => None,
        Action::Remove | Action::Empty if element.vr.is_date() => Some(Trace::Date),
        Action::Remove | Action::Empty => Some(gone(element.tag)),
        Action::Replace => {
            let same = decided.new.is_some_and(|new| new.trim_ascii() == value.trim_ascii());
            (!same).then_some(Trace::Original)
        }
        Action::Pseudonym => (!is_pseudonym(value.trim_ascii())).then_some(Trace::Identity),
        Action::Remap => (!(removed && are_keyed(value))).then_some(Trace::Uid),
        // The instance declares that its dates are modified, and that is all there is to see.
        Action::Shift => None,
        Action::Clean if element.vr == Vr::AS => Some(Trace::Date),
        Action::Clean => Some(text(decided.kinds, value)),
    }
}

fn gone(tag: Tag) -> Trace {
    if tag.is_private() {
        Trace::Private
    } else if scanveil_dataset::lookup(tag).is_none() && !is_repeating(tag) {
        Trace::Unknown
    } else {
        Trace::Value
    }
}

/// Curves and overlays (PS3.6: 50xx, 60xx).
fn is_repeating(tag: Tag) -> bool {
    matches!(tag.group() & 0xff00, 0x5000 | 0x6000)
}

/// The gravest of what was found in a text.
fn text(kinds: &[TextKind], value: &[u8]) -> Trace {
    let person =
        |kind: &TextKind| matches!(kind, TextKind::NameByDictionary | TextKind::NameByContext);
    if kinds.iter().any(person) {
        return Trace::PersonInText;
    }
    if kinds.iter().any(|kind| *kind != TextKind::UnknownWord) {
        return Trace::NumberInText;
    }
    let Ok(text) = std::str::from_utf8(value) else { return Trace::Text };
    match suspicious(text.trim_matches([' ', '\0'])) {
        Some(Suspicion::Digits | Suspicion::Date | Suspicion::Address) => Trace::NumberInText,
        Some(Suspicion::Person) => Trace::PersonInText,
        Some(Suspicion::Script) | None => Trace::Text,
    }
}

/// `SV` and 16 characters, as [`ProjectSecret`] makes them.
fn is_pseudonym(value: &[u8]) -> bool {
    value.len() == 18
        && value.starts_with(b"SV")
        && value.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// Every UID is derived from a random or keyed number, or registered by the standard.
fn are_keyed(value: &[u8]) -> bool {
    value.split(|&b| b == b'\\').all(|uid| {
        let uid = uid.trim_ascii();
        uid.is_empty()
            || uid == [0]
            || uid.starts_with(b"2.25.")
            || uid.starts_with(b"1.2.840.10008.")
    })
}

#[cfg(test)]
mod tests;
