//! Structured content (PS3.15 E.3.4): what to do with a content item, by Table E.3.4-1 and, for
//! concepts that it does not list, by the item's value type.

use crate::options::ProfileOption;
use crate::plan::{Dates, Plan};
use crate::table::Code;
use crate::treatment::Treatment;
use scanveil_dataset::Tag;
use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../tables/ps3.15-e3.4-1-2020c.csv");

/// A row: the code under the Basic Profile, and codes under options.
struct Concept {
    basic: Code,
    options: Vec<(ProfileOption, Code)>,
}

/// Concepts by code value and coding scheme.
static CONCEPTS: LazyLock<HashMap<(&'static str, &'static str), Concept>> =
    LazyLock::new(|| TABLE.lines().skip(1).filter_map(parse).collect());

fn parse(line: &'static str) -> Option<((&'static str, &'static str), Concept)> {
    let mut fields = line.split(',');
    let (code, scheme) = (fields.next()?, fields.next()?);
    let basic = Code::parse(fields.nth(1)?)?;
    let options = fields
        .next()?
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(name, code)| Some((ProfileOption::find(name)?, Code::parse(code)?)))
        .collect();
    Some(((code, scheme), Concept { basic, options }))
}

/// The value-bearing attributes of a content item (PS3.3 C.17.3.2.1, C.10.10).
pub(crate) mod content {
    use super::Tag;
    pub(crate) const VALUE_TYPE: Tag = Tag::new(0x40, 0xa040);
    pub(crate) const CONCEPT_NAME: Tag = Tag::new(0x40, 0xa043);
    pub(crate) const DATE_TIME: Tag = Tag::new(0x40, 0xa120);
    pub(crate) const DATE: Tag = Tag::new(0x40, 0xa121);
    pub(crate) const TIME: Tag = Tag::new(0x40, 0xa122);
    pub(crate) const PERSON_NAME: Tag = Tag::new(0x40, 0xa123);
    pub(crate) const UID: Tag = Tag::new(0x40, 0xa124);
    pub(crate) const TEXT: Tag = Tag::new(0x40, 0xa160);
    pub(crate) const CONCEPT_CODE: Tag = Tag::new(0x40, 0xa168);
    pub(crate) const UNFORMATTED_TEXT: Tag = Tag::new(0x70, 0x6);
    /// Refers to another content item by its place: items before it must not go.
    pub(crate) const BY_REFERENCE: Tag = Tag::new(0x40, 0xdb73);
    pub(crate) const CODE_VALUE: Tag = Tag::new(0x8, 0x100);
    pub(crate) const CODING_SCHEME: Tag = Tag::new(0x8, 0x102);
    pub(crate) const CODE_MEANING: Tag = Tag::new(0x8, 0x104);
    pub(crate) const UNITS: Tag = Tag::new(0x40, 0x8ea);
    pub(crate) const MEASURED_VALUE: Tag = Tag::new(0x40, 0xa300);
    pub(crate) const NUMERIC_VALUE: Tag = Tag::new(0x40, 0xa30a);
    /// The same number once more, exactly: Floating Point Value, Rational Numerator and
    /// Denominator Value.
    pub(crate) const EXACT_VALUES: [Tag; 3] =
        [Tag::new(0x40, 0xa161), Tag::new(0x40, 0xa162), Tag::new(0x40, 0xa163)];
    /// Sequences of content items: Protocol Context, Content Item Modifier, Acquisition Context,
    /// Specimen Preparation Step Content Item, Content, Waveform Annotation.
    pub(crate) const HOLD_ITEMS: [Tag; 6] = [
        Tag::new(0x40, 0x440),
        Tag::new(0x40, 0x441),
        Tag::new(0x40, 0x555),
        Tag::new(0x40, 0x612),
        Tag::new(0x40, 0xa730),
        Tag::new(0x40, 0xb020),
    ];
}

/// What to do with one content item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ItemRule {
    /// The whole item goes, with what it contains.
    pub(crate) remove: bool,
    text: Treatment,
    name: Treatment,
    date: Treatment,
    uid: Treatment,
    code: Treatment,
}

impl ItemRule {
    /// The treatment of a value-bearing attribute; `None` for the others.
    pub(crate) fn of(&self, tag: Tag) -> Option<Treatment> {
        Some(match tag {
            content::TEXT | content::UNFORMATTED_TEXT => self.text,
            content::PERSON_NAME => self.name,
            content::DATE | content::TIME | content::DATE_TIME => self.date,
            content::UID => self.uid,
            content::CONCEPT_CODE => self.code,
            _ => return None,
        })
    }

    /// Every value replaced: what the Basic Profile's D makes of Content Sequence.
    fn dummies() -> Self {
        Self {
            remove: false,
            text: Treatment::Dummy,
            name: Treatment::Dummy,
            date: Treatment::Dummy,
            uid: Treatment::Remap,
            code: Treatment::Descend,
        }
    }

    /// The item goes; where others refer to it by its place, its values do.
    pub(crate) fn gone() -> Self {
        Self { remove: true, code: Treatment::Dummy, ..Self::dummies() }
    }

    /// An item of which the table says nothing: by value type.
    fn by_value_type(plan: &Plan) -> Self {
        let uid =
            if plan.has(ProfileOption::RetainUids) { Treatment::Keep } else { Treatment::Remap };
        Self {
            remove: false,
            text: Treatment::Clean,
            name: Treatment::Dummy,
            date: date(plan),
            uid,
            code: Treatment::Descend,
        }
    }
}

fn date(plan: &Plan) -> Treatment {
    match plan.dates() {
        // The value of a DATE item must not be empty.
        Dates::Empty => Treatment::Dummy,
        Dates::Shift => Treatment::Shift,
        Dates::Keep => Treatment::Dated,
    }
}

/// The rule for an item with this concept name; `replaced` where all content is.
pub(crate) fn rule(plan: &Plan, code: &[u8], scheme: &[u8], replaced: bool) -> ItemRule {
    if replaced {
        return ItemRule::dummies();
    }
    let default = ItemRule::by_value_type(plan);
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or("");
    let Some(concept) = CONCEPTS.get(&(text(code), text(scheme))) else { return default };
    let by_option =
        |wanted| concept.options.iter().any(|(option, code)| *code == wanted && plan.has(*option));
    if by_option(Code::K) {
        let name = Treatment::Retained;
        let kept = plan.has(ProfileOption::RetainUids);
        let uid = if kept { Treatment::Keep } else { default.uid };
        return ItemRule { text: Treatment::Retained, name, uid, ..default };
    }
    if by_option(Code::C) {
        return default;
    }
    match concept.basic {
        Code::X => ItemRule { remove: true, ..ItemRule::dummies() },
        _ => ItemRule { code: Treatment::Dummy, ..ItemRule::dummies() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole() {
        assert_eq!(TABLE.lines().skip(1).filter_map(parse).count(), TABLE.lines().count() - 1);
    }
}
