//! The data dictionary as a list, for what goes through all attributes.

use scanveil_dataset::{Tag, keyword, tag_of};
use std::sync::LazyLock;

/// A public attribute.
pub(crate) struct Entry {
    pub(crate) tag: Tag,
    pub(crate) keyword: &'static str,
}

/// Groups of data sets that hold attributes (PS3.6); those that repeat stand once, by their first.
pub(crate) const GROUPS: [u16; 67] = [
    0x0008, 0x0010, 0x0012, 0x0014, 0x0016, 0x0018, 0x0020, 0x0022, 0x0024, 0x0028, 0x0032, 0x0034,
    0x0038, 0x003a, 0x0040, 0x0042, 0x0044, 0x0046, 0x0048, 0x0050, 0x0052, 0x0054, 0x0060, 0x0062,
    0x0064, 0x0066, 0x0068, 0x006a, 0x0070, 0x0072, 0x0074, 0x0076, 0x0078, 0x0080, 0x0082, 0x0088,
    0x0100, 0x0400, 0x2000, 0x2010, 0x2020, 0x2030, 0x2040, 0x2050, 0x2100, 0x2110, 0x2120, 0x2130,
    0x2200, 0x3002, 0x3004, 0x3006, 0x3008, 0x300a, 0x300c, 0x300e, 0x3010, 0x4000, 0x4008, 0x4010,
    0x4ffe, 0x5000, 0x5200, 0x5400, 0x5600, 0x6000, 0x7fe0,
];

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let tags = GROUPS.iter().flat_map(|&group| (1..=u16::MAX).map(move |e| Tag::new(group, e)));
    // Of tags that repeat under one keyword the first stands for all.
    tags.filter_map(|tag| Some(Entry { tag, keyword: keyword(tag)? }))
        .filter(|entry| tag_of(entry.keyword) == Some(entry.tag))
        .collect()
});

/// Every public attribute of a data set, in order of the tags.
pub(crate) fn entries() -> &'static [Entry] {
    &ENTRIES
}
