//! The data dictionary (PS3.6), with a lock-free memo in front of the library's hash map: a scan of
//! a header asks for the same few hundred tags again and again.

use crate::{Tag, Vr};
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
use dicom_dictionary_std::StandardDataDictionary;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the dictionary knows of a public tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DictEntry {
    /// The value representation; for tags with two, the one that holds any value (OW, US).
    pub vr: Vr,
    /// The tag has more than one value representation (US or SS, OB or OW).
    pub several: bool,
}

const SLOTS: usize = 4096;
static MEMO: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];
/// Marks a filled slot, so that tag (0000,0000) is not taken for an empty one.
const FILLED: u64 = 1 << 31;
const FOUND: u64 = 1 << 30;
const SEVERAL: u64 = 1 << 29;

/// The dictionary's entry of a public tag; `None` for private and unknown tags.
#[must_use]
pub fn lookup(tag: Tag) -> Option<DictEntry> {
    if tag.is_private() {
        return None;
    }
    let slot = &MEMO[(tag.0.wrapping_mul(0x9e37_79b1) >> 20) as usize % SLOTS];
    let packed = slot.load(Ordering::Relaxed);
    if packed & FILLED != 0 && (packed >> 32) as u32 == tag.0 {
        return unpack(packed);
    }
    let found = find(tag);
    let mut packed = u64::from(tag.0) << 32 | FILLED;
    if let Some(entry) = found {
        packed |= FOUND | u64::from(u16::from_be_bytes(entry.vr.0));
        if entry.several {
            packed |= SEVERAL;
        }
    }
    slot.store(packed, Ordering::Relaxed);
    found
}

fn unpack(packed: u64) -> Option<DictEntry> {
    (packed & FOUND != 0).then(|| DictEntry {
        vr: Vr((packed as u16).to_be_bytes()),
        several: packed & SEVERAL != 0,
    })
}

fn find(tag: Tag) -> Option<DictEntry> {
    let core_tag = dicom_core::Tag(tag.group(), tag.element());
    let entry = DataDictionary::by_tag(&StandardDataDictionary, core_tag)?;
    let exact = |vr: dicom_core::VR| vr.to_bytes();
    let (vr, several) = match DataDictionaryEntry::vr(entry) {
        VirtualVr::Exact(vr) => (Vr(exact(vr)), false),
        VirtualVr::Xs => (Vr::US, true),
        VirtualVr::Ox | VirtualVr::Px => (Vr::OW, true),
        VirtualVr::Lt => (Vr::OW, true),
        _ => (Vr::UN, true),
    };
    Some(DictEntry { vr, several })
}

/// The keyword of a public tag (PS3.6), for example `StudyDate`.
#[must_use]
pub fn keyword(tag: Tag) -> Option<&'static str> {
    let core_tag = dicom_core::Tag(tag.group(), tag.element());
    DataDictionary::by_tag(&StandardDataDictionary, core_tag).map(|entry| entry.alias)
}

/// The tag that a person wrote: a keyword of PS3.6, `00080020`, `0008,0020` or `(0008,0020)`.
#[must_use]
pub fn tag_of(text: &str) -> Option<Tag> {
    let text = text.trim();
    if let Some(entry) = DataDictionary::by_name(&StandardDataDictionary, text) {
        let tag = entry.tag();
        return Some(Tag::new(tag.0, tag.1));
    }
    let mut digits = [0; 8];
    let mut count = 0;
    for byte in text.bytes().filter(|b| !matches!(b, b'(' | b')' | b',' | b' ')) {
        *digits.get_mut(count)? = byte;
        count += 1;
    }
    let digits = std::str::from_utf8(&digits).ok().filter(|_| count == 8)?;
    // A sign would be taken for a part of the number.
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
    u32::from_str_radix(digits, 16).ok().map(Tag)
}
