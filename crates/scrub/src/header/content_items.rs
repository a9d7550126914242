//! Content items (PS3.3 10.2, C.17.3): by which rule each is treated, and what it says of a person.

use super::{Level, Rewriter};
use crate::noticed::Noticed;
use crate::person::{self, Trait, Unit};
use crate::structured::{self, ItemRule, content};
use crate::treatment::Because;
use scanveil_dataset::{CharacterSets, Element, Tag, tags};
use scanveil_model::Action;

/// What an item says of the person, by its concept, and what becomes of it.
#[derive(Clone)]
pub(super) enum Personal {
    /// Nothing.
    Nothing,
    /// An age that may be told.
    Age,
    /// An age over the cap: the number that is told instead.
    Capped(String),
    /// It is not to be told.
    Hidden,
}

impl Rewriter<'_, '_, '_, '_> {
    /// Leaves out a Specific Character Set that is no defined term: it declares nothing, and texts
    /// were read by evidence, or are held back.
    pub(super) fn declares_nothing(&mut self, at: usize, element: &Element) -> bool {
        let nothing = element.tag == tags::SPECIFIC_CHARACTER_SET
            && CharacterSets::parse(self.data.value(element)).is_err();
        if nothing {
            self.outcome.notice(Noticed::CharacterSetUnknown);
            self.note(at, element, Action::Remove, Because::Representation);
        }
        nothing
    }

    /// Index of the first element of the item at `at` with this tag.
    pub(super) fn child(&self, at: usize, tag: Tag) -> Option<usize> {
        let elements = self.data.elements();
        let end = elements.get(at)?.next as usize;
        let mut child = at + 1;
        while child < end {
            let element = elements.get(child)?;
            if element.tag == tag {
                return Some(child);
            }
            child = element.next as usize;
        }
        None
    }

    /// A value of the first item of a sequence in the item at `at`.
    fn of_code(&self, at: usize, sequence: Tag, tag: Tag) -> Option<&[u8]> {
        let elements = self.data.elements();
        let sequence = self.child(at, sequence)?;
        // The entry behind a sequence that has items is its first one.
        elements.get(sequence).filter(|e| e.next as usize > sequence + 1)?;
        let value = elements.get(self.child(sequence + 1, tag)?)?;
        Some(self.data.value(value).trim_ascii())
    }

    /// The same as a text; nothing where it is in no character set.
    fn text_of_code(&self, at: usize, sequence: Tag, tag: Tag) -> String {
        let value = self.of_code(at, sequence, tag).unwrap_or(b"");
        let text = self.charset.read.decode(value);
        text.map(|text| text.trim_matches([' ', '\0']).to_owned()).unwrap_or_default()
    }

    /// The rule of a content item, by its concept name.
    pub(super) fn content_rule(&self, at: usize, replaced: bool) -> Option<ItemRule> {
        self.child(at, content::CONCEPT_NAME)
            .or_else(|| self.child(at, content::VALUE_TYPE))
            .or_else(|| self.child(at, content::UNFORMATTED_TEXT))?;
        let of_concept = |tag| self.of_code(at, content::CONCEPT_NAME, tag).unwrap_or(b"");
        let (code, scheme) = (of_concept(content::CODE_VALUE), of_concept(content::CODING_SCHEME));
        Some(structured::rule(self.plan, code, scheme, replaced))
    }

    /// Whether content items refer to others by their place (PS3.3 C.17.3.2.5).
    pub(super) fn refers_by_place(&mut self) -> bool {
        let data = self.data;
        let refers = || data.elements().iter().any(|element| element.tag == content::BY_REFERENCE);
        *self.by_place.get_or_insert_with(refers)
    }

    /// What an item says of the person, and whether its concept says so.
    pub(super) fn personal(&self, at: usize) -> (Personal, bool) {
        let measured = match self.path.last() {
            Some(&content::MEASURED_VALUE) => true,
            Some(tag) if content::HOLD_ITEMS.contains(tag) => false,
            _ => return (Personal::Nothing, false),
        };
        if measured && matches!(self.person, Personal::Hidden) {
            return (Personal::Hidden, false);
        }
        let concept = self.concept(at);
        // What says when somebody was born goes, and so does an age that is no number.
        let coded = concept == Some(Trait::Age) && self.child(at, content::CONCEPT_CODE).is_some();
        if concept == Some(Trait::Birth) || coded {
            return (Personal::Hidden, true);
        }
        let around = measured && matches!(self.person, Personal::Age);
        let age = around || concept == Some(Trait::Age);
        let number = self.child(at, content::NUMERIC_VALUE);
        let unit = number.and_then(|_| self.unit(at));
        let capped = number
            .filter(|_| age || unit.is_some())
            .and_then(|number| person::capped(self.number(number), unit, self.context.age_cap));
        let person = match capped {
            Some(capped) => Personal::Capped(capped),
            None if age => Personal::Age,
            None => Personal::Nothing,
        };
        (person, concept.is_some())
    }

    fn concept(&self, at: usize) -> Option<Trait> {
        self.child(at, content::CONCEPT_NAME)?;
        let of_concept = |tag| self.text_of_code(at, content::CONCEPT_NAME, tag);
        person::concept(
            &of_concept(content::CODE_VALUE),
            &of_concept(content::CODING_SCHEME),
            &of_concept(content::CODE_MEANING),
        )
    }

    fn unit(&self, at: usize) -> Option<Unit> {
        let of_unit = |tag| self.text_of_code(at, content::UNITS, tag);
        person::unit(&of_unit(content::CODE_VALUE), &of_unit(content::CODE_MEANING))
    }

    /// The first number of a DS; none that can be compared where it is malformed.
    fn number(&self, at: usize) -> f64 {
        let value = self.data.elements().get(at).map_or(&b""[..], |e| self.data.value(e));
        let text = std::str::from_utf8(value).unwrap_or("");
        let first = text.split('\\').next().unwrap_or("");
        first.trim_matches([' ', '\0']).parse().unwrap_or(f64::NAN)
    }

    /// Whether a value of an item tells an age that is not to be told: then another one is written.
    pub(super) fn tells_age(&mut self, at: usize, element: &Element, level: &Level) -> bool {
        let number = element.tag == content::NUMERIC_VALUE;
        let exact = content::EXACT_VALUES.contains(&element.tag);
        let text = matches!(element.tag, content::TEXT | content::UNFORMATTED_TEXT);
        let new = match &level.person {
            Personal::Capped(capped) if number => capped.clone(),
            Personal::Hidden if number => "0".to_owned(),
            Personal::Capped(_) | Personal::Hidden if exact => {
                self.note(at, element, Action::Remove, Because::Concept);
                return true;
            }
            Personal::Age if text => {
                let value = self.charset.read.decode(self.data.value(element)).unwrap_or_default();
                match person::capped_text(&value, self.context.age_cap) {
                    Some(capped) => capped,
                    None => return false,
                }
            }
            _ => return false,
        };
        self.note(at, element, Action::Clean, Because::Concept);
        self.put(element, new.as_bytes());
        true
    }
}
