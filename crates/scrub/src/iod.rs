//! Attribute types (PS3.5 7.4) by information object definition and place: what the resolution of
//! the compound codes of Table E.1-1a hangs on, so that the result stays valid.
//!
//! `tables/iods.txt` has the modules of each definition, `tables/attributes.txt` the attributes of
//! each module: the sequence that holds them (0 for the top level), the tag, the type. Where
//! modules differ, the strictest type counts; 1C and 2C count as 1 and 2, because an attribute that
//! is there may be required.

use scanveil_dataset::Tag;
use std::collections::HashMap;
use std::sync::LazyLock;

const IODS: &str = include_str!("../tables/iods.txt");
const ATTRIBUTES: &str = include_str!("../tables/attributes.txt");

/// The lines of each module.
static MODULES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let starts: Vec<usize> = memchr::memmem::find_iter(ATTRIBUTES.as_bytes(), "= ").collect();
    let ends = starts.iter().copied().skip(1).chain([ATTRIBUTES.len()]);
    let parts = starts.iter().zip(ends).filter_map(|(from, to)| ATTRIBUTES.get(from + 2..to));
    parts.filter_map(|part| part.split_once('\n')).collect()
});

/// Type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Type {
    /// Must be there with a value.
    One,
    /// Must be there, may be empty.
    Two,
    /// May be absent.
    Three,
}

/// The attributes of one definition: in order of the sequence that holds them and their tag, each
/// once.
pub(crate) struct Attributes(Vec<((Tag, Tag), Type)>);

/// The top level, in place of a sequence's tag.
pub(crate) const TOP: Tag = Tag(0);

impl Attributes {
    /// The attributes of a definition by its name (`ct-image`); nothing for an unknown one.
    pub(crate) fn of(iod: &str) -> Self {
        let modules: Vec<&str> = IODS
            .lines()
            .find_map(|line| line.strip_prefix(iod)?.strip_prefix(' '))
            .map(|modules| modules.split(' ').collect())
            .unwrap_or_default();
        let mut found = Vec::new();
        for lines in modules.iter().filter_map(|module| MODULES.get(module)) {
            lines.lines().for_each(|line| add(line, &mut found));
        }
        // The strictest of several types stands first, and stays.
        found.sort_unstable();
        found.dedup_by_key(|(place, _)| *place);
        Self(found)
    }

    /// The type of an attribute at a place; optional where the definition does not have it.
    pub(crate) fn kind(&self, parent: Tag, tag: Tag) -> Type {
        self.find(parent, tag).unwrap_or(Type::Three)
    }

    /// Whether the definition has the attribute there.
    pub(crate) fn has(&self, parent: Tag, tag: Tag) -> bool {
        self.find(parent, tag).is_some()
    }

    fn find(&self, parent: Tag, tag: Tag) -> Option<Type> {
        let at = self.0.binary_search_by_key(&(parent, tag), |(place, _)| *place).ok()?;
        Some(self.0[at].1)
    }

    /// Everything the definition has.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Tag, Tag, Type)> + '_ {
        self.0.iter().map(|&((parent, tag), kind)| (parent, tag, kind))
    }
}

/// Adds a line: the holding sequence, then tags with the digit of their type.
fn add(line: &str, found: &mut Vec<((Tag, Tag), Type)>) {
    let mut words = line.split(' ');
    let hex = |text: &str| u32::from_str_radix(text, 16).ok().map(Tag);
    let Some(parent) = words.next().and_then(hex) else { return };
    for word in words {
        let Some((tag, digit)) = word.split_at_checked(8) else { continue };
        let kind = match digit {
            "1" => Type::One,
            "2" => Type::Two,
            _ => Type::Three,
        };
        if let Some(tag) = hex(tag) {
            found.push(((parent, tag), kind));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sop::SopClass;

    #[test]
    fn types_are_those_of_the_definition() {
        let ct = Attributes::of("ct-image");
        for (parent, tag, expected) in [
            (TOP, Tag::new(0x8, 0x18), Type::One),
            (TOP, Tag::new(0x10, 0x10), Type::Two),
            (TOP, Tag::new(0x8, 0x1030), Type::Three),
            (TOP, Tag::new(0x40, 0xa730), Type::Three),
            (Tag::new(0x8, 0x1140), Tag::new(0x8, 0x1155), Type::One),
        ] {
            assert_eq!(ct.kind(parent, tag), expected, "{parent} {tag}");
        }
        assert!(ct.has(TOP, Tag::new(0x18, 0x50)) && !ct.has(TOP, Tag::new(0x18, 0x80)));
        let report = Attributes::of("basic-text-sr");
        assert_eq!(report.kind(TOP, Tag::new(0x40, 0xa730)), Type::One);
    }

    #[test]
    fn every_storage_class_has_a_definition() {
        let table = include_str!("../tables/sop-classes.csv");
        for line in table.lines().skip(1) {
            let class = SopClass::find(line.split(',').next().unwrap()).unwrap();
            assert!(Attributes::of(class.iod).iter().count() > 50, "{}", class.iod);
        }
    }
}
