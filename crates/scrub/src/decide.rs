//! Decides on the value of one element: what becomes of it, by its treatment.

use crate::dates;
use crate::identity::Search;
use crate::keyed::ProjectSecret;
use crate::rules::{RuleSet, Treatment};
use crate::suspicion::suspicious;
use crate::values::dummy;
use crate::vocabulary::known;
use scanveil_dataset::{CharacterSets, Element, Tag, Vr, tags};
use scanveil_model::Action;

/// Codes that whoever defines a template or a context group makes up: Mapping Resource, Context
/// Identifier, Template Identifier.
const NAMED_BY_ANYBODY: [Tag; 3] =
    [Tag::new(0x8, 0x105), Tag::new(0x8, 0x10f), Tag::new(0x40, 0xdb00)];

/// What the header's treatment needs to know of the study.
pub(crate) struct Context<'c> {
    pub(crate) rules: &'c RuleSet,
    pub(crate) secret: &'c ProjectSecret,
    pub(crate) search: &'c Search,
    pub(crate) pseudonym: &'c str,
    /// Days to subtract from every date.
    pub(crate) back: i64,
    /// Whether attributes are noted for tables.
    pub(crate) tabled: bool,
    /// UIDs of the instance, its series and its study, with the new ones: they recur in the header.
    pub(crate) uids: [(&'c [u8], &'c [u8]); 3],
}

impl Context<'_> {
    /// The action, and the new value unless the element stays as it is.
    pub(crate) fn decide(
        &self,
        element: &Element,
        treatment: Treatment,
        value: &[u8],
    ) -> (Action, Option<Vec<u8>>) {
        let empty = || (Action::Empty, Some(Vec::new()));
        let dated = |new: Option<String>| match new {
            Some(new) => (Action::Shift, Some(new.into_bytes())),
            None => (Action::Empty, Some(Vec::new())),
        };
        let text = || std::str::from_utf8(value).unwrap_or("\u{fffd}");
        let back = self.back;
        match treatment {
            Treatment::Keep => (Action::Keep, None),
            Treatment::Empty => empty(),
            Treatment::Dummy if value.is_empty() => (Action::Keep, None),
            Treatment::Dummy if element.vr == Vr::UI => self.remap(value),
            Treatment::Dummy => {
                (Action::Replace, Some(dummy(element.vr, element.encoding.big_endian)))
            }
            Treatment::Pseudonym => (Action::Pseudonym, Some(self.pseudonym.as_bytes().to_vec())),
            Treatment::Remap => self.remap(value),
            Treatment::Shift => match &element.vr.0 {
                b"DA" => dated(dates::shift_da(text(), back)),
                b"DT" => dated(dates::shift_dt(text(), back)),
                _ if dates::is_time(text()) => (Action::Keep, None),
                _ => empty(),
            },
            Treatment::CapAge => match dates::cap_age(text()) {
                Some(age) if age == text().trim_matches([' ', '\0']) => (Action::Keep, None),
                Some(age) => (Action::Clean, Some(age.into_bytes())),
                None => empty(),
            },
            Treatment::Text => self.text(element, value),
            Treatment::Retained if self.search.finds(value) => (Action::Clean, Some(Vec::new())),
            Treatment::Retained => (Action::Keep, None),
            Treatment::Check => self.check(element, value),
            Treatment::Remove | Treatment::Descend => empty(),
        }
    }

    /// UIDs: each value by itself; what the standard registers stays (PS3.6 Annex A).
    fn remap(&self, value: &[u8]) -> (Action, Option<Vec<u8>>) {
        let mut out = Vec::with_capacity(value.len() + 32);
        for (i, part) in value.split(|&b| b == b'\\').enumerate() {
            if i > 0 {
                out.push(b'\\');
            }
            let uid = part.trim_ascii();
            let uid = uid.strip_suffix(b"\0").unwrap_or(uid).trim_ascii();
            if is_registered(uid) {
                out.extend_from_slice(uid);
            } else if let Some((_, new)) = self.uids.iter().find(|(old, _)| *old == uid) {
                out.extend_from_slice(new);
            } else if !uid.is_empty() {
                out.extend_from_slice(self.secret.uid(uid).as_bytes());
            }
        }
        let same = out == value.strip_suffix(b"\0").unwrap_or(value);
        if same { (Action::Keep, None) } else { (Action::Remap, Some(out)) }
    }

    fn text(&self, element: &Element, value: &[u8]) -> (Action, Option<Vec<u8>>) {
        let doubtful = match std::str::from_utf8(value) {
            Ok(text) => suspicious(text.trim_matches([' ', '\0'])).is_some() || !known(text),
            Err(_) => true,
        };
        if (!doubtful || is_code(element.tag, value)) && !self.search.finds(value) {
            return (Action::Keep, None);
        }
        // Code Meaning (0008,0104) is type 1: an empty one would make the code invalid.
        let new = if element.tag == Tag::new(8, 0x104) { b"REMOVED".to_vec() } else { Vec::new() };
        (Action::Clean, Some(new))
    }

    /// Code strings and numbers: nothing but what their VR allows (PS3.5 6.2), and no identifier.
    fn check(&self, element: &Element, value: &[u8]) -> (Action, Option<Vec<u8>>) {
        let fits = |b: u8| match &element.vr.0 {
            b"DS" => b.is_ascii_digit() || b"+-.eE\\ \0".contains(&b),
            b"IS" => b.is_ascii_digit() || b"+-\\ \0".contains(&b),
            _ => b.is_ascii_alphanumeric() || b"_\\ \0-/.".contains(&b),
        };
        let ok = value.iter().all(|&b| fits(b));
        let code = element.vr == Vr::CS;
        // A number as short as a slice's is no identifier; words of a code string are.
        let hit = if code {
            self.search.finds(value)
        } else {
            self.search.long_forms(value).next().is_some()
        };
        let numbered =
            code && suspicious(std::str::from_utf8(value).unwrap_or("\u{fffd}")).is_some();
        let ok = if element.tag == tags::SPECIFIC_CHARACTER_SET {
            CharacterSets::parse(value).is_ok()
        } else if NAMED_BY_ANYBODY.contains(&element.tag) {
            ok && !hit && std::str::from_utf8(value).is_ok_and(known)
        } else {
            ok && !hit && !numbered && (code || !dates::holds_a_day(value))
        };
        if ok { (Action::Keep, None) } else { (Action::Clean, Some(Vec::new())) }
    }
}

/// Coding schemes of PS3.16 section 8 that reports and images use.
const SCHEMES: [&[u8]; 18] = [
    b"DCM",
    b"SCT",
    b"SRT",
    b"SNM3",
    b"99SDM",
    b"LN",
    b"UCUM",
    b"FMA",
    b"RADLEX",
    b"NCIt",
    b"UMLS",
    b"MDC",
    b"BARI",
    b"PUBCHEM_CID",
    b"ICD10",
    b"I10",
    b"ACR",
    b"UBERON",
];

/// Longest code that is taken for one, and most letters in it: `R-40FB9`, `11528-7`, `39607008`.
const LONGEST_CODE: usize = 18;
const LETTERS_OF_A_CODE: usize = 4;

/// A code of a coding scheme, by its form: numbers as long as a telephone's are no suspicion there,
/// words and days still are.
fn is_code(tag: Tag, value: &[u8]) -> bool {
    let value = value.trim_ascii_end().strip_suffix(b"\0").unwrap_or(value).trim_ascii();
    match (tag.group(), tag.element()) {
        (0x0008, 0x0102) => SCHEMES.contains(&value),
        (0x0008, 0x0100) => {
            let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
            value.len() <= LONGEST_CODE
                && letters <= LETTERS_OF_A_CODE
                && value.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
                && !dates::holds_a_day(value)
        }
        _ => false,
    }
}

/// UIDs that the standard itself registers stay: SOP classes, transfer syntaxes, well-known frames.
fn is_registered(uid: &[u8]) -> bool {
    uid.starts_with(b"1.2.840.10008.") && uid.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}
