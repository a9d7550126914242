//! De-identified attributes of an instance for the tables of a release: read from what was written,
//! never from what came in.

use scanveil_dataset::{Element, Tag, Vr, keyword};
use std::collections::BTreeMap;

/// Top-level attributes that researchers select by. All are kept or replaced by the rules before.
const LISTED: &[u32] = &[
    0x0008_0008,
    0x0008_0016,
    0x0008_0020,
    0x0008_0060,
    0x0008_0068,
    0x0008_0070,
    0x0008_1090,
    0x0010_0040,
    0x0010_1010,
    0x0010_1020,
    0x0010_1030,
    0x0018_0015,
    0x0018_0020,
    0x0018_0023,
    0x0018_0050,
    0x0018_0060,
    0x0018_0080,
    0x0018_0081,
    0x0018_0087,
    0x0018_0088,
    0x0018_1151,
    0x0018_1152,
    0x0018_1210,
    0x0018_1314,
    0x0018_5100,
    0x0018_5101,
    0x0020_0011,
    0x0020_0013,
    0x0020_0060,
    0x0020_1041,
    0x0028_0002,
    0x0028_0004,
    0x0028_0008,
    0x0028_0010,
    0x0028_0011,
    0x0028_0030,
    0x0028_0100,
    0x0028_0101,
    0x0028_0103,
    0x0028_1050,
    0x0028_1051,
    0x0028_1052,
    0x0028_1053,
    0x0054_0081,
    0x0054_1001,
];

/// Whether a tag is listed.
pub(crate) fn listed(tag: Tag) -> bool {
    LISTED.binary_search(&tag.0).is_ok()
}

/// Notes a written value.
pub(crate) fn note(attributes: &mut BTreeMap<String, String>, element: &Element, value: &[u8]) {
    let Some(name) = keyword(element.tag) else { return };
    let text = if element.vr == Vr::US {
        let Some(bytes) = value.get(..2).and_then(|b| b.try_into().ok()) else { return };
        element.encoding.u16(bytes).to_string()
    } else {
        match std::str::from_utf8(value) {
            Ok(text) => text.trim_matches([' ', '\0']).to_owned(),
            Err(_) => return,
        }
    };
    if !text.is_empty() {
        attributes.insert(name.to_owned(), text);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted_for_its_search() {
        assert!(super::LISTED.is_sorted());
    }
}
