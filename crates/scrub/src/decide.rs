//! Decides on the value of one element: what becomes of it, by its treatment.

use crate::codes::is_code;
use crate::dates::{self, Move};
use crate::days::StudyDays;
use crate::icc;
use crate::keyed::ProjectSecret;
use crate::profile::{Coarseness, Rule};
use crate::study::is_uid;
use crate::suspicion::suspicious;
use crate::text::{Charset, CleanText, Look, Texts, is_known};
use crate::treatment::Treatment;
use crate::values::dummy;
use crate::vocabulary::known;
use scanveil_dataset::{CharacterSets, Element, Tag, Vr, tags};
use scanveil_model::Action;
use scanveil_text::Kind;
use std::sync::Arc;

/// Codes that whoever defines a template or a context group makes up: Mapping Resource, Context
/// Identifier, Template Identifier.
const NAMED_BY_ANYBODY: [Tag; 3] =
    [Tag::new(0x8, 0x105), Tag::new(0x8, 0x10f), Tag::new(0x40, 0xdb00)];

/// What people call structures: Segment Label, ROI Name, ROI Observation Label, Prescription
/// Description, Dose Reference Description, User Content Label, User Content Long Label, Entity
/// Label, Entity Name.
const NAMES_OF_STRUCTURES: [Tag; 9] = [
    Tag::new(0x62, 0x5),
    Tag::new(0x3006, 0x26),
    Tag::new(0x3006, 0x85),
    Tag::new(0x300a, 0xe),
    Tag::new(0x300a, 0x16),
    Tag::new(0x3010, 0x33),
    Tag::new(0x3010, 0x34),
    Tag::new(0x3010, 0x35),
    Tag::new(0x3010, 0x36),
];

/// Code Meaning: type 1, an empty one would make the code invalid.
const CODE_MEANING: Tag = Tag::new(0x8, 0x104);

/// Coding Scheme Designator: type 1C.
const CODING_SCHEME_DESIGNATOR: Tag = Tag::new(0x8, 0x102);

/// What the header's treatment needs to know of the study.
pub(crate) struct Context<'c> {
    pub(crate) rules: &'c [Rule],
    pub(crate) secret: &'c ProjectSecret,
    pub(crate) texts: &'c Texts<'c>,
    pub(crate) pseudonym: &'c str,
    /// How dates move, where they do.
    pub(crate) by: Move<'c>,
    /// Whether dates stay as they are.
    pub(crate) full_dates: bool,
    /// Whether UIDs stay as they are.
    pub(crate) full_uids: bool,
    /// Oldest age in years that is told.
    pub(crate) age_cap: u32,
    /// Whether attributes are noted for tables.
    pub(crate) tabled: bool,
    /// UIDs of the instance, its series and its study, with the new ones: they recur in the header.
    pub(crate) uids: [(&'c [u8], &'c [u8]); 3],
}

/// What becomes of a value.
pub(crate) enum New {
    /// It stays.
    Same,
    /// Another value.
    Value(Vec<u8>),
    /// A cleaned text.
    Text(Arc<CleanText>),
}

impl New {
    /// The new value, unless it stays.
    pub(crate) fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Same => None,
            Self::Value(bytes) => Some(bytes),
            Self::Text(text) => text.bytes.as_deref(),
        }
    }

    /// What was found in a text.
    pub(crate) fn kinds(&self) -> &[Kind] {
        match self {
            Self::Text(text) => &text.kinds,
            _ => &[],
        }
    }
}

/// A text that must be looked into cannot be decoded.
pub(crate) struct CannotDecode;

type Decision = (Action, New);

impl Context<'_> {
    /// The action and the new value.
    ///
    /// # Errors
    /// [`CannotDecode`] when a text that would stay is not in its declared character sets.
    pub(crate) fn decide(
        &self,
        element: &Element,
        treatment: Treatment,
        value: &[u8],
        charset: &Charset,
    ) -> Result<Decision, CannotDecode> {
        let text = || std::str::from_utf8(value).unwrap_or("\u{fffd}");
        Ok(match treatment {
            Treatment::Keep if element.vr == Vr::UI && !are_uids(value) => {
                self.remap(element.tag, value)
            }
            Treatment::Keep => self.keep(element, value),
            Treatment::Descend | Treatment::Content => (Action::Keep, New::Same),
            Treatment::Remove => (Action::Remove, New::Value(Vec::new())),
            Treatment::Empty => empty(),
            Treatment::Dummy => self.dummy(element, value),
            Treatment::Pseudonym => {
                (Action::Pseudonym, New::Value(self.pseudonym.as_bytes().to_vec()))
            }
            Treatment::Remap => self.remap(element.tag, value),
            Treatment::Shift => self.shift(element, text()),
            Treatment::Published => self.published(element, text()),
            Treatment::Dated if dates::is_dated(element.vr, text()) => (Action::Keep, New::Same),
            Treatment::Dated => empty(),
            Treatment::CapAge => match dates::cap_age(text(), self.age_cap) {
                Some(age) if age == text().trim_matches([' ', '\0']) => (Action::Keep, New::Same),
                Some(age) => (Action::Clean, New::Value(age.into_bytes())),
                None => empty(),
            },
            Treatment::Vocabulary => self.vocabulary(element, value),
            Treatment::Terms => self.text(Look::Terms, element, value, charset)?,
            Treatment::Colours => match icc::cleaned(value) {
                Some(new) if new == value => (Action::Keep, New::Same),
                Some(new) => (Action::Clean, New::Value(new)),
                None => empty(),
            },
            Treatment::Clean if NAMES_OF_STRUCTURES.contains(&element.tag) => {
                self.text(Look::Structure, element, value, charset)?
            }
            Treatment::Clean => self.text(Look::Clean, element, value, charset)?,
            Treatment::Machine => self.text(Look::Machine, element, value, charset)?,
            Treatment::Retained => self.text(Look::Known, element, value, charset)?,
            Treatment::Check => self.check(element, value, charset),
            Treatment::Generalize(to) => generalize(element.vr, text(), to),
            Treatment::Hash => self.hash(element, value),
            Treatment::Fixed(rule) => self.fixed(element, rule, charset),
        })
    }

    fn dummy(&self, element: &Element, value: &[u8]) -> Decision {
        if value.is_empty() {
            return (Action::Keep, New::Same);
        }
        if element.vr == Vr::UI {
            return self.remap(element.tag, value);
        }
        (Action::Replace, New::Value(dummy(element.vr, element.encoding.big_endian)))
    }

    fn shift(&self, element: &Element, text: &str) -> Decision {
        let shifted = match &element.vr.0 {
            b"DA" => dates::shift_da(text, self.by),
            b"DT" => dates::shift_dt(text, self.by),
            _ if dates::is_time(text) => return (Action::Keep, New::Same),
            _ => None,
        };
        let shifted = shifted.filter(|new| !new.is_empty());
        shifted.map_or_else(empty, |new| (Action::Shift, New::Value(new.into_bytes())))
    }

    /// A date that is the same for everybody, unless the patient's days stand in its place.
    fn published(&self, element: &Element, text: &str) -> Decision {
        let mut days = text.split('\\').filter_map(|one| dates::day_of(one.trim().as_bytes()));
        let theirs = days.any(|day| !self.by.days.is_published(day));
        if theirs || !dates::is_dated(element.vr, text) {
            return empty();
        }
        (Action::Keep, New::Same)
    }

    /// A value without a closer look, unless it says in numbers when it was: one date that is not
    /// shifted gives the others away.
    fn keep(&self, element: &Element, value: &[u8]) -> Decision {
        let dated = || match &element.vr.0 {
            b"UI" => self.by.days.stand_in(value) && !is_registered(value),
            _ => element.tag.is_private() && is_clock(self.by.days, element, value),
        };
        match &element.vr.0 {
            _ if self.full_dates => (Action::Keep, New::Same),
            b"UI" if !self.full_uids && dated() => self.remap(element.tag, value),
            b"UL" | b"SL" | b"UV" | b"SV" | b"FD" if dated() => empty(),
            _ => (Action::Keep, New::Same),
        }
    }

    /// UIDs: each value by itself; what the standard registers stays (PS3.6 Annex A).
    fn remap(&self, tag: Tag, value: &[u8]) -> Decision {
        let names_definition = DEFINITION_UIDS.contains(&tag);
        let mut out = Vec::with_capacity(value.len() + 32);
        for (i, part) in value.split(|&b| b == b'\\').enumerate() {
            if i > 0 {
                out.push(b'\\');
            }
            let uid = part.trim_ascii();
            let uid = uid.strip_suffix(b"\0").unwrap_or(uid).trim_ascii();
            if is_registered(uid) || (names_definition && is_code_system(uid)) {
                out.extend_from_slice(uid);
            } else if let Some((_, new)) = self.uids.iter().find(|(old, _)| *old == uid) {
                out.extend_from_slice(new);
            } else if !uid.is_empty() {
                out.extend_from_slice(self.secret.uid(uid).as_bytes());
            }
        }
        let same = out == value.strip_suffix(b"\0").unwrap_or(value);
        if same { (Action::Keep, New::Same) } else { (Action::Remap, New::Value(out)) }
    }

    fn text(
        &self,
        look: Look,
        element: &Element,
        value: &[u8],
        charset: &Charset,
    ) -> Result<Decision, CannotDecode> {
        if value.is_empty() || is_code(element.tag, value) {
            return Ok((Action::Keep, New::Same));
        }
        let cleaned = self.texts.clean(look, charset, value).map_err(|_| CannotDecode)?;
        Ok(match &cleaned.bytes {
            None => (Action::Keep, New::Same),
            Some(_) if element.vr == Vr::PN => self.dummy(element, value),
            Some(new) if new.is_empty() && element.tag == CODE_MEANING => {
                (Action::Clean, New::Value(b"REMOVED".to_vec()))
            }
            // A part of a designator is another scheme's.
            Some(_) if element.tag == CODING_SCHEME_DESIGNATOR => {
                (Action::Clean, New::Value(b"REMOVED".to_vec()))
            }
            Some(_) => (Action::Clean, New::Text(cleaned)),
        })
    }

    /// A short text of known words only, in which nothing is found.
    fn vocabulary(&self, element: &Element, value: &[u8]) -> Decision {
        let clean = std::str::from_utf8(value).is_ok_and(|text| {
            let text = text.trim_matches([' ', '\0']);
            suspicious(text).is_none() && known(text) && self.texts.find(text).is_empty()
        });
        if clean || is_code(element.tag, value) {
            return (Action::Keep, New::Same);
        }
        let meaning = element.tag == CODE_MEANING;
        let new = if meaning { b"REMOVED".to_vec() } else { Vec::new() };
        (Action::Clean, New::Value(new))
    }

    /// Code strings and numbers: nothing but what their VR allows (PS3.5 6.2), and no identifier.
    fn check(&self, element: &Element, value: &[u8], charset: &Charset) -> Decision {
        let ok = match &element.vr.0 {
            _ if element.tag == tags::SPECIFIC_CHARACTER_SET => CharacterSets::parse(value).is_ok(),
            b"DS" => self.is_number(value, b"+-.eE\\ \0"),
            b"IS" => self.is_number(value, b"+-\\ \0"),
            _ => return self.codes(element.tag, value, charset),
        };
        if ok { (Action::Keep, New::Same) } else { (Action::Clean, New::Value(Vec::new())) }
    }

    /// Code strings: of several those that are none are replaced, so that each stays in its place.
    fn codes(&self, tag: Tag, value: &[u8], charset: &Charset) -> Decision {
        let is_code = |value: &[u8]| self.is_code_string(tag, value, charset);
        if is_code(value) {
            return (Action::Keep, New::Same);
        }
        let end = value.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |at| at + 1);
        let values: Vec<&[u8]> = value[..end].split(|&b| b == b'\\').collect();
        let stays: Vec<bool> = values.iter().map(|value| is_code(value)).collect();
        let some = values.iter().zip(&stays).any(|(value, stays)| *stays && !value.is_empty());
        if !some {
            return (Action::Clean, New::Value(Vec::new()));
        }
        let each = values.iter().zip(stays);
        let new: Vec<&[u8]> =
            each.map(|(value, stays)| if stays { value } else { &b"REMOVED"[..] }).collect();
        (Action::Clean, New::Value(new.join(&b'\\')))
    }

    fn is_number(&self, value: &[u8], others: &[u8]) -> bool {
        let fits = value.iter().all(|b| b.is_ascii_digit() || others.contains(b));
        // An identifier is a whole number, and not a short one; a measure has a fraction.
        let whole = |number: &[u8]| !number.iter().any(|b| matches!(b, b'.' | b'e' | b'E'));
        let identifies = |number: &[u8]| {
            digits(number) >= LONG_NUMBER
                && whole(number)
                && std::str::from_utf8(number).is_ok_and(|text| self.is_known(text))
        };
        // A number of seconds since 1970 has ten digits.
        let clock = |number: &[u8]| {
            digits(number) >= CLOCK_DIGITS
                && !self.full_dates
                && parsed(number).is_some_and(|number| self.by.days.is_clock(number))
        };
        let mut numbers = value.split(|&b| b == b'\\');
        fits && !dates::holds_a_day(value) && !numbers.any(|one| identifies(one) || clock(one))
    }

    fn is_known(&self, text: &str) -> bool {
        self.texts.find(text).iter().any(|finding| is_known(finding.kind))
    }

    fn is_code_string(&self, tag: Tag, value: &[u8], charset: &Charset) -> bool {
        let known = || std::str::from_utf8(value).is_ok_and(|text| self.is_known(text));
        if is_code(tag, value) && !known() {
            return true;
        }
        let look = if NAMED_BY_ANYBODY.contains(&tag) { Look::Template } else { Look::Code };
        self.texts.clean(look, charset, value).is_ok_and(|judged| judged.bytes.is_none())
    }

    /// `SVH` and 13 characters of a keyed hash; of numbers, nine digits.
    fn hash(&self, element: &Element, value: &[u8]) -> Decision {
        let value = value.trim_ascii();
        if value.is_empty() {
            return (Action::Keep, New::Same);
        }
        let new = match &element.vr.0 {
            b"UI" => return self.remap(element.tag, value),
            b"IS" | b"DS" => self.secret.hashed_number(value),
            b"LO" | b"SH" | b"UC" | b"UT" | b"ST" | b"LT" | b"PN" | b"AE" | b"CS" => {
                self.secret.hashed_text(value)
            }
            _ => return empty(),
        };
        (Action::Replace, New::Value(new.into_bytes()))
    }

    fn fixed(&self, element: &Element, rule: u16, charset: &Charset) -> Decision {
        let with = self.rules.get(usize::from(rule)).and_then(|rule| rule.with.as_deref());
        let with = with.and_then(|bytes| std::str::from_utf8(bytes).ok());
        match with.and_then(|text| encoded(element, text, charset)) {
            Some(new) => (Action::Replace, New::Value(new)),
            None => empty(),
        }
    }
}

/// A number with so many digits can be an identifier.
const LONG_NUMBER: usize = 6;

/// Digits before the point of a number that counts the seconds since 1970.
const CLOCK_DIGITS: usize = 10;

/// A whole number, or one with digits enough before its point.
fn parsed(number: &[u8]) -> Option<f64> {
    let whole = number.trim_ascii_start().iter().take_while(|b| b.is_ascii_digit()).count();
    let text = std::str::from_utf8(number).ok()?.trim_matches([' ', '\0']);
    if whole >= CLOCK_DIGITS { text.parse().ok() } else { None }
}

/// Whether one of the numbers of a binary value counts the time since 1970.
fn is_clock(days: &StudyDays, element: &Element, value: &[u8]) -> bool {
    let big = element.encoding.big_endian;
    match &element.vr.0 {
        b"UL" | b"SL" => value.as_chunks::<4>().0.iter().any(|&bytes| {
            let read = if big { u32::from_be_bytes } else { u32::from_le_bytes };
            days.is_clock(f64::from(read(bytes)))
        }),
        b"FD" => value.as_chunks::<8>().0.iter().any(|&bytes| {
            days.is_clock(if big { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) })
        }),
        _ => value.as_chunks::<8>().0.iter().any(|&bytes| {
            let read = if big { u64::from_be_bytes } else { u64::from_le_bytes };
            days.is_clock(read(bytes) as f64)
        }),
    }
}

fn digits(number: &[u8]) -> usize {
    number.iter().filter(|b| b.is_ascii_digit()).count()
}

fn empty() -> Decision {
    (Action::Empty, New::Value(Vec::new()))
}

fn generalize(vr: Vr, text: &str, to: Coarseness) -> Decision {
    let new = match (&vr.0, to) {
        (b"AS", Coarseness::AgeBand5) => dates::age_band(text, 5),
        (b"AS", Coarseness::AgeBand10) => dates::age_band(text, 10),
        (b"DA" | b"DT", Coarseness::Year) => dates::coarser(text, 4),
        (b"DA" | b"DT", Coarseness::Month) => dates::coarser(text, 6),
        _ => None,
    };
    new.map_or_else(empty, |new| (Action::Replace, New::Value(new.into_bytes())))
}

/// A fixed value as the element's VR writes it.
fn encoded(element: &Element, text: &str, charset: &Charset) -> Option<Vec<u8>> {
    let big = element.encoding.big_endian;
    match &element.vr.0 {
        b"US" => text.parse::<u16>().ok().map(|n| ordered(n.to_be_bytes(), big)),
        b"SS" => text.parse::<i16>().ok().map(|n| ordered(n.to_be_bytes(), big)),
        b"UL" => text.parse::<u32>().ok().map(|n| ordered(n.to_be_bytes(), big)),
        b"SL" => text.parse::<i32>().ok().map(|n| ordered(n.to_be_bytes(), big)),
        b"FL" => text.parse::<f32>().ok().map(|n| ordered(n.to_be_bytes(), big)),
        b"FD" => text.parse::<f64>().ok().map(|n| ordered(n.to_be_bytes(), big)),
        _ if element.vr.is_text() => charset.write.as_ref().unwrap_or(&charset.read).encode(text),
        _ if element.vr.is_string() && text.is_ascii() => Some(text.as_bytes().to_vec()),
        _ => None,
    }
}

fn ordered<const N: usize>(mut bytes: [u8; N], big_endian: bool) -> Vec<u8> {
    if !big_endian {
        bytes.reverse();
    }
    bytes.to_vec()
}

/// Coding Scheme UID, Context UID, Mapping Resource UID: they name definitions, not instances.
const DEFINITION_UIDS: [Tag; 3] =
    [Tag::new(0x8, 0x10c), Tag::new(0x8, 0x117), Tag::new(0x8, 0x118)];

/// Code systems registered with HL7 (PS3.16 section 8).
fn is_code_system(uid: &[u8]) -> bool {
    uid.starts_with(b"2.16.840.1.113883.6.") && uid.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

/// Whether every value is a UID (PS3.5 9.1) or empty: what is none may be anything.
fn are_uids(value: &[u8]) -> bool {
    value.split(|&b| b == b'\\').all(|uid| {
        let uid = uid.trim_ascii();
        let uid = uid.strip_suffix(b"\0").unwrap_or(uid);
        uid.is_empty() || is_uid(uid)
    })
}

/// UIDs that the standard itself registers stay: SOP classes, transfer syntaxes, well-known frames.
pub(crate) fn is_registered(uid: &[u8]) -> bool {
    uid.starts_with(b"1.2.840.10008.") && uid.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}
