//! Table E.3.10-1 of PS3.15: private elements that are known to identify nobody.

use scanveil_dataset::{Tag, Vr};
use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../tables/ps3.15-e3.10-1-2020c.csv");

/// Creator in lower case, by group and element within the block; with the value representation.
type Elements = HashMap<(u16, u8), Vec<(String, Vr)>>;

static SAFE: LazyLock<Elements> = LazyLock::new(|| {
    let mut elements = Elements::new();
    for (group, element, creator, vr) in TABLE.lines().skip(1).filter_map(parse) {
        elements.entry((group, element)).or_default().push((creator.to_ascii_lowercase(), vr));
    }
    elements
});

fn parse(line: &'static str) -> Option<(u16, u8, &'static str, Vr)> {
    let (group, rest) = line.split_once(',')?;
    let (element, rest) = rest.split_once(',')?;
    // The creator may be quoted because it holds a comma.
    let (creator, vr) = rest.rsplit_once(',')?;
    let group = u16::from_str_radix(group, 16).ok()?;
    let element = u8::from_str_radix(element, 16).ok()?;
    let vr = Vr(vr.as_bytes().try_into().ok()?);
    Some((group, element, creator.trim_matches('"'), vr))
}

/// The value representation of a private element that the standard lists as safe, by its creator.
pub(crate) fn safe(tag: Tag, creator: &[u8]) -> Option<Vr> {
    let known = SAFE.get(&(tag.group(), tag.element() as u8))?;
    let end = creator.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |at| at + 1);
    let creator = creator[..end].trim_ascii_start();
    known.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(creator)).map(|(_, vr)| *vr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole_and_asked_by_creator() {
        assert_eq!(TABLE.lines().skip(1).filter_map(parse).count(), TABLE.lines().count() - 1);
        let factor = Tag::new(0x7053, 0x1000);
        assert_eq!(safe(factor, b"Philips PET Private Group "), Some(Vr::DS));
        assert_eq!(safe(Tag::new(0x7053, 0x1200), b"PHILIPS PET PRIVATE GROUP"), Some(Vr::DS));
        assert_eq!(safe(factor, b"Somebody else"), None);
        assert_eq!(safe(Tag::new(0x7053, 0x1001), b"Philips PET Private Group"), None);
    }
}
