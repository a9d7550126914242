//! Which elements say whom a study is about. Own list, from the data dictionary (PS3.6): the value
//! representation tells names, dates and UIDs; the rest are named here.

use crate::What::{self, Age, Contact, Date, Device, Identifier, Name, Place};
use scanveil_dataset::{Element, Kind, Tag, Vr, lookup};

/// Manufacturer and model: a place or a device of the same words identifies no one.
pub(crate) const PLAIN: [Tag; 2] = [Tag::new(0x0008, 0x0070), Tag::new(0x0008, 0x1090)];

/// Elements that are no names, dates or UIDs by their VR, in order of their tags.
pub(crate) const LISTED: &[(u32, What)] = &[
    (0x0008_0050, Identifier),
    (0x0008_0054, Device),
    (0x0008_0055, Device),
    (0x0008_0080, Place),
    (0x0008_0081, Place),
    (0x0008_0092, Place),
    (0x0008_0094, Contact),
    (0x0008_1010, Device),
    (0x0008_1040, Place),
    (0x0008_1190, Identifier),
    (0x0010_0020, Identifier),
    (0x0010_0021, Place),
    (0x0010_0033, Date),
    (0x0010_0034, Date),
    (0x0010_1000, Identifier),
    (0x0010_1010, Age),
    (0x0010_1040, Place),
    (0x0010_1050, Identifier),
    (0x0010_1090, Identifier),
    (0x0010_2154, Contact),
    (0x0010_2155, Contact),
    (0x0010_2299, Place),
    (0x0012_0010, Identifier),
    (0x0012_0020, Identifier),
    (0x0012_0021, Identifier),
    (0x0012_0030, Identifier),
    (0x0012_0031, Place),
    (0x0012_0040, Identifier),
    (0x0012_0042, Identifier),
    (0x0012_0060, Place),
    (0x0012_0081, Place),
    (0x0012_0082, Identifier),
    (0x0018_1000, Device),
    (0x0018_1003, Device),
    (0x0018_1004, Device),
    (0x0018_1005, Device),
    (0x0018_1007, Device),
    (0x0018_1008, Device),
    (0x0018_1009, Device),
    (0x0018_700a, Device),
    (0x0020_0010, Identifier),
    (0x0032_1020, Place),
    (0x0032_1021, Device),
    (0x0032_1033, Place),
    (0x0038_0010, Identifier),
    (0x0038_0011, Place),
    (0x0038_0060, Identifier),
    (0x0038_0061, Place),
    (0x0038_0300, Place),
    (0x0038_0400, Place),
    (0x0040_0001, Device),
    (0x0040_0009, Identifier),
    (0x0040_0010, Device),
    (0x0040_0011, Place),
    (0x0040_0241, Device),
    (0x0040_0242, Device),
    (0x0040_0243, Place),
    (0x0040_0253, Identifier),
    (0x0040_0512, Identifier),
    (0x0040_0551, Identifier),
    (0x0040_06fa, Identifier),
    (0x0040_1001, Identifier),
    (0x0040_1005, Place),
    (0x0040_1102, Place),
    (0x0040_1103, Contact),
    (0x0040_1104, Contact),
    (0x0040_2009, Name),
    (0x0040_2010, Contact),
    (0x0040_2016, Identifier),
    (0x0040_2017, Identifier),
    (0x0040_a027, Place),
    (0x0040_a353, Place),
    (0x0040_a354, Contact),
    (0x0040_e010, Identifier),
    (0x0088_0130, Identifier),
    (0x0400_0563, Device),
    (0x0400_0564, Device),
    (0x300a_00b2, Device),
    (0x3010_002d, Device),
    (0x4008_0040, Identifier),
    (0x4008_0042, Place),
    (0x4008_011a, Place),
    (0x4008_0200, Identifier),
];

/// UIDs that name a class, a coding scheme or a format, not an object.
const CLASS_UIDS: &[u32] = &[
    0x0004_1510,
    0x0004_1512,
    0x0008_0016,
    0x0008_001a,
    0x0008_001b,
    0x0008_0062,
    0x0008_010c,
    0x0008_010d,
    0x0008_0117,
    0x0008_0118,
    0x0008_1150,
    0x0008_115a,
    0x0008_3002,
    0x0040_db0c,
    0x0040_db0d,
    0x0400_0010,
];

/// The elements that say something of a patient whatever their VR, and what: for who must know at
/// least as much.
pub fn listed_elements() -> impl Iterator<Item = (Tag, What)> {
    LISTED.iter().map(|(tag, what)| (Tag(*tag), *what))
}

/// Dates of definitions, devices and products, not of people: versions of context groups and
/// templates, manufacture and installation, expiry, issue.
const PUBLISHED: &[u32] = &[
    0x0008_0106,
    0x0008_0107,
    0x0012_0086,
    0x0012_0087,
    0x0014_1020,
    0x0014_4076,
    0x0014_4078,
    0x0014_407a,
    0x0018_1204,
    0x0018_1205,
    0x0040_db06,
    0x0040_db07,
    0x0044_000b,
    0x0068_6226,
    0x0068_6270,
    0x0072_000a,
    0x0100_0420,
];

fn is_published(tag: Tag) -> bool {
    PUBLISHED.binary_search(&tag.0).is_ok()
}

fn listed(tag: Tag) -> Option<What> {
    LISTED.binary_search_by_key(&tag.0, |(listed, _)| *listed).ok().map(|at| LISTED[at].1)
}

/// What the values of an element are evidence of.
pub(crate) fn identifies(element: &Element) -> Option<What> {
    if element.kind != Kind::Leaf || element.length == 0 {
        return None;
    }
    match &element.vr.0 {
        b"PN" => Some(Name),
        b"UI" => match listed(element.tag) {
            None => (!CLASS_UIDS.contains(&element.tag.0)).then_some(What::Uid),
            misplaced => misplaced,
        },
        b"DA" | b"DT" => (!is_published(element.tag)).then_some(Date),
        b"AT" | b"DS" | b"FD" | b"FL" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SL" | b"SQ"
        | b"SS" | b"SV" | b"TM" | b"UL" | b"US" | b"UV" => None,
        // The dictionary knows better than a wrong VR.
        _ => listed(element.tag).or_else(|| match lookup(element.tag)?.vr {
            Vr::PN => Some(Name),
            Vr::DA | Vr::DT => (!is_published(element.tag)).then_some(Date),
            Vr::UI if !CLASS_UIDS.contains(&element.tag.0) => Some(What::Uid),
            _ => None,
        }),
    }
}
