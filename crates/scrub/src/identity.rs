//! The identifying values of a study: gathered from every instance, cleaned from all of them.

use crate::dates;
use crate::days::StudyDays;
use crate::keyed::ProjectSecret;
use crate::plan::Plan;
use crate::profile::Rule;
use crate::study::study_of;
use scanveil_dataset::{CharacterSets, Element, Header, Kind, NO_PARENT, Tag, Vr, tags};
use scanveil_model::{Reason, ReasonCode};
use scanveil_text::{Known, KnownBuilder};
use scanveil_verify::{Evidence, Verifier};
use std::collections::{BTreeSet, HashMap, HashSet};

mod people;

/// What an identifying value is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Person,
    Identifier,
    Place,
    Date,
    Uid,
}

/// Elements whose whole value identifies, in order of their tags: numbers, places, telephone
/// numbers, days, devices. Person names are told by their value representation. It has all that the
/// verification looks for, so that what is found there was taken out of texts before.
const IDENTIFYING: &[(u32, Class)] = &[
    (0x0008_0050, Class::Identifier),
    (0x0008_0054, Class::Identifier),
    (0x0008_0055, Class::Identifier),
    (0x0008_0080, Class::Place),
    (0x0008_0081, Class::Place),
    (0x0008_0092, Class::Place),
    (0x0008_0094, Class::Identifier),
    (0x0008_1010, Class::Place),
    (0x0008_1040, Class::Place),
    (0x0008_1190, Class::Identifier),
    (0x0010_0020, Class::Identifier),
    (0x0010_0021, Class::Place),
    (0x0010_0030, Class::Date),
    (0x0010_0033, Class::Identifier),
    (0x0010_0034, Class::Identifier),
    (0x0010_1000, Class::Identifier),
    (0x0010_1040, Class::Place),
    (0x0010_1050, Class::Identifier),
    (0x0010_1090, Class::Identifier),
    (0x0010_2152, Class::Place),
    (0x0010_2154, Class::Identifier),
    (0x0010_2155, Class::Identifier),
    (0x0010_2299, Class::Place),
    (0x0012_0010, Class::Identifier),
    (0x0012_0020, Class::Identifier),
    (0x0012_0021, Class::Identifier),
    (0x0012_0030, Class::Identifier),
    (0x0012_0031, Class::Place),
    (0x0012_0040, Class::Identifier),
    (0x0012_0042, Class::Identifier),
    (0x0012_0060, Class::Place),
    (0x0012_0081, Class::Place),
    (0x0012_0082, Class::Identifier),
    (0x0018_1000, Class::Identifier),
    (0x0018_1003, Class::Identifier),
    (0x0018_1004, Class::Identifier),
    (0x0018_1005, Class::Identifier),
    (0x0018_1007, Class::Identifier),
    (0x0018_1008, Class::Identifier),
    (0x0018_1009, Class::Identifier),
    (0x0018_700a, Class::Identifier),
    (0x0020_000d, Class::Uid),
    (0x0020_000e, Class::Uid),
    (0x0020_0010, Class::Identifier),
    (0x0032_1020, Class::Place),
    (0x0032_1021, Class::Identifier),
    (0x0032_1033, Class::Place),
    (0x0038_0010, Class::Identifier),
    (0x0038_0011, Class::Place),
    (0x0038_0060, Class::Identifier),
    (0x0038_0061, Class::Place),
    (0x0038_0300, Class::Place),
    (0x0038_0400, Class::Place),
    (0x0040_0001, Class::Identifier),
    (0x0040_0009, Class::Identifier),
    (0x0040_0010, Class::Identifier),
    (0x0040_0011, Class::Place),
    (0x0040_0241, Class::Identifier),
    (0x0040_0242, Class::Identifier),
    (0x0040_0243, Class::Place),
    (0x0040_0253, Class::Identifier),
    (0x0040_0512, Class::Identifier),
    (0x0040_0551, Class::Identifier),
    (0x0040_06fa, Class::Identifier),
    (0x0040_1001, Class::Identifier),
    (0x0040_1005, Class::Place),
    (0x0040_1102, Class::Place),
    (0x0040_1103, Class::Identifier),
    (0x0040_1104, Class::Identifier),
    (0x0040_2009, Class::Person),
    (0x0040_2010, Class::Identifier),
    (0x0040_2016, Class::Identifier),
    (0x0040_2017, Class::Identifier),
    (0x0040_a027, Class::Place),
    (0x0040_a353, Class::Place),
    (0x0040_a354, Class::Identifier),
    (0x0040_e010, Class::Identifier),
    (0x0088_0130, Class::Identifier),
    (0x0400_0563, Class::Identifier),
    (0x0400_0564, Class::Identifier),
    (0x300a_00b2, Class::Identifier),
    (0x3010_002d, Class::Identifier),
    (0x4008_0040, Class::Identifier),
    (0x4008_0042, Class::Place),
    (0x4008_011a, Class::Place),
    (0x4008_0200, Class::Identifier),
];

/// A study's values cannot grow without bound; what passes it is refused.
const MOST_VALUES: usize = 5_000;

/// Values of the last instance that are remembered.
const MOST_REMEMBERED: usize = 1024;

/// Told in years, months, weeks or days (PS3.5 6.2).
const PATIENT_AGE: Tag = Tag::new(0x10, 0x1010);

/// Longest value that is taken in.
const LONGEST: u32 = 4096;

/// What an element's value is, if it identifies.
fn class(element: &Element) -> Option<Class> {
    if element.kind != Kind::Leaf {
        return None;
    }
    if element.vr == Vr::PN {
        return Some(Class::Person);
    }
    let at = IDENTIFYING.binary_search_by_key(&element.tag.0, |(tag, _)| *tag).ok()?;
    Some(IDENTIFYING[at].1)
}

/// Whether an attribute is about a person: a name, or a number of the patient's. What it says stays
/// in it where the profile keeps it, and is looked for everywhere else.
pub(crate) fn names_somebody(element: &Element) -> bool {
    matches!(class(element), Some(Class::Person | Class::Identifier))
}

/// What is known of who a study is about. Fill it with every instance, then scrub.
#[derive(Default)]
pub struct StudyIdentity {
    patients: BTreeSet<Vec<u8>>,
    /// Who it is about where nothing has a Patient ID: a name with a day of birth before the study.
    fallback: Option<(Nameless, Vec<u8>)>,
    /// Values, and the elements each was found in.
    values: BTreeSet<(Class, Tag, String)>,
    /// The days it speaks of.
    days: StudyDays,
    /// The oldest Patient's Age (0010,1010), in years.
    age: Option<u32>,
    /// For the verification, which gathers for itself.
    evidence: Evidence,
    /// What was taken in already: most instances of a study say the same of whom it is about.
    seen: Seen,
}

/// What stands for a patient without Patient ID; the first that is known does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nameless {
    Named,
    Study,
}

/// Values that need no second look, under the character set that they were read by.
#[derive(Default)]
struct Seen {
    charset: Vec<u8>,
    values: HashMap<Tag, HashSet<Box<[u8]>>>,
    /// What the last instance said, in its order.
    last: Vec<(Tag, Box<[u8]>)>,
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

    /// Whether a value, the `nth` of its instance, is new; it is not any more.
    fn is_new(&mut self, nth: usize, tag: Tag, value: &[u8]) -> bool {
        match self.last.get_mut(nth) {
            Some((known, last)) if (*known, &**last) == (tag, value) => return false,
            Some(last) => *last = (tag, value.into()),
            None if nth < MOST_REMEMBERED => self.last.push((tag, value.into())),
            None => {}
        }
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
        self.evidence.observe(header).map_err(|_| too_many())?;
        let data = &header.data;
        let declared = data.text(tags::SPECIFIC_CHARACTER_SET).unwrap_or(b"");
        self.seen.under(declared);
        let charset = CharacterSets::parse(declared).unwrap_or(CharacterSets::DEFAULT);
        let mut nth = 0;
        for element in data.elements() {
            if matches!(&element.vr.0, b"DA" | b"DT") && element.kind == Kind::Leaf {
                let top = element.parent == NO_PARENT;
                let days = self.days.observe(element.tag, top, data.value(element));
                days.map_err(|_| too_many())?;
            }
            let Some(class) = class(element) else { continue };
            if element.length == 0 || element.length > LONGEST {
                continue;
            }
            let value = trim(data.value(element));
            nth += 1;
            if self.seen.is_new(nth - 1, element.tag, value) {
                self.element(element, class, value, &charset);
            }
        }
        self.age = self.age.max(data.text(PATIENT_AGE).and_then(dates::years_of));
        self.patient_of(header, &charset);
        self.document(data)?;
        if self.values.len() > MOST_VALUES {
            return Err(too_many());
        }
        Ok(())
    }

    /// Whose this instance is.
    fn patient_of(&mut self, header: &Header<'_>, charset: &CharacterSets) {
        let text = |tag| header.data.text(tag).unwrap_or(b"");
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
        let who = if name.is_empty() {
            // Nobody's instances are one patient's only where they are one study's.
            (Nameless::Study, [b"study ", &*study_of(header)].concat())
        } else {
            (Nameless::Named, [plain_name(&decode(charset, name)).as_bytes(), b"|", born].concat())
        };
        self.fallback = Some(self.fallback.take().map_or(who.clone(), |known| known.min(who)));
        self.seen.who =
            Some(Who { id: id.into(), name: name.into(), born: born.into(), study: study.into() });
    }

    fn element(&mut self, element: &Element, class: Class, value: &[u8], charset: &CharacterSets) {
        // The same name in the dataset's own bytes is what the verification looks for.
        let text = decode(charset, value);
        self.values.insert((class, element.tag, text));
    }

    /// Takes everything as one patient's: the one whom this instance names. For somebody who has
    /// found that the identifiers of a study are one person's; all of them are searched for.
    pub fn merge_into(&mut self, header: &Header<'_>) {
        let data = &header.data;
        let declared = data.text(tags::SPECIFIC_CHARACTER_SET).unwrap_or(b"");
        let charset = CharacterSets::parse(declared).unwrap_or(CharacterSets::DEFAULT);
        let id = data.text(tags::PATIENT_ID).unwrap_or(b"");
        if !id.is_empty() {
            self.patients = BTreeSet::from([decode(&charset, id).into_bytes()]);
        }
    }

    /// The key of the one patient this study is about.
    pub(crate) fn patient(&self) -> Result<Vec<u8>, Reason> {
        if self.patients.len() > 1 {
            let at = scanveil_model::TagPath(tags::PATIENT_ID.to_string());
            let detail = format!("{} patient identifiers in one study", self.patients.len());
            return Err(Reason::at(ReasonCode::MixedPatients, at, detail));
        }
        let known = self.patients.first().cloned();
        let fallback = || self.fallback.clone().map(|(_, who)| who);
        Ok(known.or_else(fallback).unwrap_or_default())
    }

    pub(crate) fn pseudonym(&self, secret: &ProjectSecret) -> Result<String, Reason> {
        Ok(secret.pseudonym(&self.patient()?))
    }

    /// What is known of the study's people and identifiers; `words` always go. Of places, dates and
    /// UIDs not what the plan openly keeps; of names and numbers nothing is left out, unless
    /// `open`: for texts that are kept by choice.
    pub(crate) fn known(
        &self,
        plan: &Plan,
        rules: &[Rule],
        words: &[String],
        open: bool,
        age_cap: u32,
    ) -> Result<Known, Reason> {
        let mut known = KnownBuilder::new();
        self.old(age_cap).for_each(|number| _ = known.old(number));
        for (class, tag, text) in &self.values {
            let personal = matches!(class, Class::Person | Class::Identifier);
            if (open || !personal) && plan.retains(rules, *tag) {
                continue;
            }
            if *class == Class::Person {
                known.person(text);
                continue;
            }
            for value in text.split('\\').map(str::trim) {
                match class {
                    Class::Date => known.date(value),
                    Class::Uid => known.uid(value),
                    Class::Place => known.place(value),
                    _ => known.identifier(value),
                };
            }
        }
        for word in words {
            known.word(word);
        }
        known.build().map_err(|_| too_many())
    }

    /// Ages and years of birth of somebody older than may be told; texts may be a year off.
    fn old(&self, age_cap: u32) -> impl Iterator<Item = u32> + use<> {
        let of_days = self.days.age();
        let ages = [self.age, of_days].into_iter().flatten().filter(move |age| *age > age_cap);
        let about = ages.clone().flat_map(|age| age - 1..=age + 1);
        let told = ages.count() > 0;
        let born = self.days.year_of_birth().filter(move |_| told);
        about.filter(move |age| *age > age_cap).chain(born)
    }

    /// Whether the plan openly keeps something that names a person.
    pub(crate) fn keeps_personal(&self, plan: &Plan, rules: &[Rule]) -> bool {
        let personal = |class: &Class| matches!(class, Class::Person | Class::Identifier);
        self.values.iter().any(|(class, tag, _)| personal(class) && plan.retains(rules, *tag))
    }

    /// The search of what is written for what identified the patient, and what the plan does not
    /// keep; and the days that the study speaks of.
    pub(crate) fn into_parts(
        self,
        plan: &Plan,
        rules: &[Rule],
    ) -> Result<(Verifier, StudyDays), Reason> {
        let verifier = self.evidence.verifier(&|tag| plan.retains(rules, tag));
        Ok((verifier.map_err(|_| too_many())?, self.days))
    }
}

/// A name without what says nothing (PS3.5 6.2.1.1): capitals, blanks around components, empty
/// components and representations. `Doe^Jo`, `DOE^JO^^` and `Doe, Jo` are one person.
fn plain_name(name: &str) -> String {
    let representation = |one: &str| {
        let components = one.split(['^', ',']).map(str::trim).filter(|part| !part.is_empty());
        components.collect::<Vec<_>>().join("^").to_lowercase()
    };
    let representations: Vec<String> = name.split('=').map(representation).collect();
    representations.join("=").trim_end_matches('=').to_owned()
}

fn too_many() -> Reason {
    Reason::new(ReasonCode::LimitExceeded, "limit: identifying values")
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

#[cfg(test)]
mod tests {
    use super::*;
    use scanveil_verify::What;

    #[test]
    fn what_the_verification_looks_for_is_known_to_the_cleaning_of_texts() {
        assert!(IDENTIFYING.is_sorted());
        let is_known = |tag: Tag| IDENTIFYING.binary_search_by_key(&tag.0, |entry| entry.0).is_ok();
        for (tag, what) in scanveil_verify::listed_elements() {
            // Ages are capped wherever they stand; texts of dates are no days of a calendar here.
            let apart = matches!(what, What::Age | What::Date);
            assert!(apart || is_known(tag), "{tag}");
        }
    }
}
