//! Elements that Table E.1-1 does not list and whose value representation alone does not say what
//! is in them.

use scanveil_dataset::Tag;

/// ICC Profile (PS3.3 C.11.15): it has texts of its own.
pub(crate) const ICC_PROFILE: Tag = Tag::new(0x0028, 0x2000);

/// Explanations of look-up tables and windows (PS3.3 C.11.1, C.11.2): free texts beside numbers.
const EXPLANATIONS: [u32; 4] = [0x0028_1055, 0x0028_3003, 0x0028_3004, 0x0040_9210];

/// Kinds of images and names of sequences (PS3.3 C.7.6.1.1.2, C.8.3.1, C.8.13.4), which sites and
/// vendors make up.
const MADE_UP: [u32; 4] = [0x0008_0008, 0x0008_9007, 0x0018_0024, 0x0018_9005];

/// Whether the values of an element stay only as words of the trade; those that are made up, where
/// texts are `uncleaned`.
pub(crate) fn are_terms(tag: Tag, uncleaned: bool) -> bool {
    EXPLANATIONS.contains(&tag.0) || uncleaned && MADE_UP.contains(&tag.0)
}

/// Texts that the modality writes, not its operator (PS3.3 C.7.5.1, C.8): manufacturer, model,
/// software, sequences, kernels, filters, methods of reconstruction.
pub(crate) const MACHINE_WRITTEN: [u32; 10] = [
    0x0008_0070,
    0x0008_1090,
    0x0018_0024,
    0x0018_1020,
    0x0018_1160,
    0x0018_1210,
    0x0018_9005,
    0x0054_1101,
    0x0054_1103,
    0x0054_1105,
];

/// Extended Offset Table and its lengths (PS3.3 C.7.6.3.1.8): fragments are passed on without.
const OFFSETS: [Tag; 2] = [Tag::new(0x7fe0, 0x1), Tag::new(0x7fe0, 0x2)];
/// Birth and death in another calendar (PS3.3 C.7.1.1): texts that Table E.1-1 does not list.
pub(crate) const CALENDARS: [u32; 3] = [0x0010_0033, 0x0010_0034, 0x0010_0035];

/// Group lengths, command and file meta groups, curves, overlays, retired text groups, padding,
/// delimiters: no profile keeps them.
pub(crate) fn is_never_kept(tag: Tag) -> bool {
    let group = tag.group();
    tag.is_group_length()
        || OFFSETS.contains(&tag)
        || group < 8
        || (group & 1 == 0 && matches!(group & 0xff00, 0x5000 | 0x6000))
        || matches!(group, 0x4000 | 0x4008 | 0xfffa | 0xfffc | 0xfffe | 0xffff)
}
