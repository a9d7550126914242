//! Free text as people type it: clinical words with identifiers between them.

use super::answer::AnswerCategory;
use super::hospital::Hospital;
use super::person::{Name, Patient, phone};
use super::sheet::hipaa;
use super::words::{Culture, Slot, slots};
use crate::people::Day;
use crate::rng::Rng;

/// A part of a free text.
#[derive(Clone)]
pub(super) enum Part {
    /// Clinical words, which must stay.
    Keep(String),
    /// Words of which nobody asks.
    Filler(String),
    /// Words that identify someone.
    Gone(String, AnswerCategory),
    /// A date.
    Date(String),
    /// A UID.
    Uid(String),
}

impl Part {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Keep(t) | Self::Filler(t) | Self::Gone(t, _) | Self::Date(t) | Self::Uid(t) => t,
        }
    }

    fn capitals(&mut self) {
        let text = match self {
            Self::Keep(t) | Self::Filler(t) | Self::Gone(t, _) | Self::Date(t) | Self::Uid(t) => t,
        };
        *text = text.to_uppercase();
    }
}

/// A free text.
#[derive(Clone)]
pub(super) struct Phrase {
    pub(super) parts: Vec<Part>,
}

impl Phrase {
    pub(super) fn clean(text: String) -> Self {
        Self { parts: vec![Part::Keep(text)] }
    }

    pub(super) fn text(&self) -> String {
        self.parts.iter().map(Part::text).collect()
    }

    /// All of it that may stay.
    pub(super) fn others(&self) -> String {
        let stays = |part: &&Part| matches!(part, Part::Keep(_) | Part::Filler(_));
        self.parts.iter().filter(stays).map(Part::text).collect::<Vec<_>>().join(" ")
    }

    /// In capitals, as some hospitals' systems write everything. UIDs have none.
    fn capitals(mut self) -> Self {
        self.parts.iter_mut().for_each(Part::capitals);
        self
    }
}

/// Whom and what a text is about.
pub(super) struct Scene<'a> {
    pub(super) hospital: &'a Hospital,
    pub(super) patient: &'a Patient,
    pub(super) prior: Day,
    pub(super) accession: &'a str,
    pub(super) study_uid: &'a str,
}

/// How a text is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Something short after or before a description.
    Short,
    /// Sentences.
    Long,
}

/// Characters of VR LO (PS3.5 6.2).
const LO: usize = 64;

impl Scene<'_> {
    /// `clinical` as this hospital types it: clean, or with identifiers put in.
    pub(super) fn type_in(&self, rng: &mut Rng, clinical: String, habit: Habit) -> Phrase {
        let culture = self.hospital.culture;
        let dirty = match habit {
            Habit::Short => self.hospital.carelessness,
            Habit::Long => self.hospital.carelessness + 25,
        };
        let section = if habit == Habit::Short { "habit" } else { "comment" };
        let mut phrase = Phrase::clean(clinical.clone());
        if rng.below(100) < dirty {
            let template = culture.pick(rng, section);
            let typed = self.fill(rng, template, &clinical);
            if habit == Habit::Long || typed.text().chars().count() <= LO {
                phrase = typed;
            }
        }
        if self.hospital.capitals { phrase.capitals() } else { phrase }
    }

    fn fill(&self, rng: &mut Rng, template: &str, clinical: &str) -> Phrase {
        let parts = slots(template).map(|slot| match slot {
            Slot::Text(text) => Part::Filler(text.to_owned()),
            Slot::Name(name) => self.slot(rng, name, clinical),
        });
        Phrase { parts: parts.collect() }
    }

    fn slot(&self, rng: &mut Rng, slot: &str, clinical: &str) -> Part {
        let culture = self.hospital.culture;
        let name = |text: String| Part::Gone(text, hipaa::NAME);
        let p = self.patient;
        match slot {
            "keep" => Part::Keep(clinical.to_owned()),
            "patient" => name(p.name.typed(rng)),
            "family" => name(p.name.own.0.clone()),
            "FAMILY" => name(p.name.own.0.to_uppercase()),
            "given" => name(p.name.own.1.clone()),
            "other" => {
                let female = rng.below(2) == 0;
                name(p.name.relative(rng, female).typed(rng))
            }
            "staff" => name(self.someone(rng).typed(rng)),
            "stafffamily" => name(self.someone(rng).own.0),
            "date" => Part::Date(typed_date(rng, culture, self.prior)),
            "birth" => Part::Date(typed_date(rng, culture, p.birth)),
            "mrn" => Part::Gone(p.mrn.clone(), hipaa::RECORD),
            "acc" => Part::Gone(self.accession.to_owned(), hipaa::ACCOUNT),
            "phone" if rng.below(2) == 0 => Part::Gone(p.phone.clone(), hipaa::PHONE),
            "phone" => Part::Gone(phone(rng, culture), hipaa::PHONE),
            "mail" => Part::Gone(p.mail.clone(), hipaa::MAIL),
            "national" => Part::Gone(p.national.clone(), hipaa::SOCIAL),
            "address" => Part::Gone(p.address.clone(), hipaa::PLACE),
            "hospital" => Part::Gone(self.hospital.name.clone(), hipaa::OTHER),
            "uid" => Part::Uid(self.study_uid.to_owned()),
            other => Part::Filler(other.to_owned()),
        }
    }

    /// A member of staff whom no attribute names, one time in three one whom some do.
    fn someone(&self, rng: &mut Rng) -> Name {
        if rng.below(3) == 0 {
            return rng.pick(&self.hospital.staff).clone();
        }
        let female = rng.below(2) == 0;
        Name::invent(rng, self.hospital.culture, female)
    }
}

/// A date as people type it. Days have two digits, so that none is a part of another.
pub(super) fn typed_date(rng: &mut Rng, culture: Culture, date: Day) -> String {
    let Day { year, month, day } = date;
    let named = |names: &[&str; 12]| names[usize::from(month) - 1].to_owned();
    let pick = rng.below(4);
    match culture {
        Culture::American => match pick {
            0 => date.us_slashes(),
            1 => format!("{month:02}-{day:02}-{year}"),
            2 => format!("{} {day:02}, {year}", named(&ENGLISH_MONTHS)),
            _ => format!("{month:02}/{day:02}/{:02}", year % 100),
        },
        Culture::British => match pick {
            0 => format!("{day:02}/{month:02}/{year}"),
            1 => format!("{day:02} {} {year}", named(&ENGLISH_MONTHS)),
            2 => format!("{day:02}-{}-{year}", named(&ENGLISH_MONTHS).to_uppercase()),
            _ => date.iso(),
        },
        Culture::German => match pick {
            0 => format!("{day:02}. {} {year}", named(&GERMAN_MONTHS)),
            1 => format!("{day:02}.{month:02}.{:02}", year % 100),
            _ => date.dotted(),
        },
        Culture::French if pick == 0 => format!("{day:02} {} {year}", named(&FRENCH_MONTHS)),
        Culture::Spanish if pick == 0 => {
            format!("{day:02} de {} de {year}", named(&SPANISH_MONTHS))
        }
        Culture::Portuguese if pick == 0 => {
            format!("{day:02} de {} de {year}", named(&PORTUGUESE_MONTHS))
        }
        Culture::French | Culture::Spanish | Culture::Portuguese => {
            format!("{day:02}/{month:02}/{year}")
        }
        Culture::Chinese => match pick {
            0 => date.iso(),
            1 => format!("{year}.{month:02}.{day:02}"),
            _ => format!("{year}年{month}月{day}日"),
        },
        Culture::Japanese => match pick {
            0 => format!("{year}/{month:02}/{day:02}"),
            1 if (1990..2019).contains(&year) => {
                format!("平成{}年{month}月{day}日", year - 1988)
            }
            _ => format!("{year}年{month}月{day}日"),
        },
        Culture::Korean => match pick {
            0 => date.iso(),
            1 => format!("{year}.{month:02}.{day:02}"),
            _ => format!("{year}년 {month}월 {day}일"),
        },
    }
}

const ENGLISH_MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const FRENCH_MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const SPANISH_MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const PORTUGUESE_MONTHS: [&str; 12] = [
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
];
