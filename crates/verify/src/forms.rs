//! The byte strings that are looked for.

use crate::What;
use crate::spelling::{Rule, Spelling, Written, encodings, is_wide};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Shortest form in bytes: its first three are what the search looks at.
pub(crate) const SHORTEST: usize = 3;

/// A form that belongs to no day.
pub(crate) const NO_DAY: u32 = u32::MAX;

/// Bytes of a UID that the search looks for, before it asks for the whole.
const UID_PREFIX: usize = 8;

/// Shortest UID that counts: a version number has three or four parts, too.
const UID_SHORTEST: usize = 10;

/// One byte string to look for.
pub(crate) struct Form {
    /// In lower case, unless `exact`.
    pub(crate) bytes: Box<[u8]>,
    pub(crate) written: Written,
    pub(crate) rule: Rule,
    pub(crate) what: What,
    /// Bytes that look like ASCII letters are parts of other characters.
    pub(crate) exact: bool,
    /// Which day it spells, or [`NO_DAY`].
    pub(crate) day: u32,
}

impl Form {
    /// Where the three bytes begin that the search looks at: big-endian text begins with a NUL,
    /// as much else does.
    pub(crate) fn anchor(&self) -> usize {
        usize::from(self.written == Written::Utf16Be)
    }

    pub(crate) fn equals(&self, bytes: &[u8]) -> bool {
        if self.exact { *self.bytes == *bytes } else { self.bytes.eq_ignore_ascii_case(bytes) }
    }

    /// Digits and nothing else.
    pub(crate) fn is_number(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_digit)
    }
}

/// Adds the forms of a spelling.
pub(crate) fn add(spelling: &Spelling, what: What, day: u32, forms: &mut Vec<Form>) {
    let wide = spelling.text.chars().any(is_wide);
    encodings(&spelling.text, |written, bytes| {
        let exact = wide && written != Written::Utf8;
        push(bytes, written, spelling.rule, what, exact, day, forms);
    });
}

/// Adds bytes whose character set nobody knows, as they stood.
pub(crate) fn add_raw(value: &[u8], what: What, forms: &mut Vec<Form>) {
    /// Fewest bytes of such a part.
    const LEAST: usize = 4;
    for part in value.split(|b| matches!(b, b'\\' | b'^' | b'=' | b' ' | b',')) {
        if part.len() >= LEAST && !part.is_ascii() {
            push(part, Written::Single, Rule::Edges, what, true, NO_DAY, forms);
        }
    }
}

/// Adds what a UID begins with.
pub(crate) fn add_uid(prefix: &[u8], forms: &mut Vec<Form>) {
    let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        prefix.iter().flat_map(|&byte| bytes(u16::from(byte))).collect()
    };
    for (written, bytes) in [
        (Written::Utf8, prefix.to_vec()),
        (Written::Utf16Le, wide(u16::to_le_bytes)),
        (Written::Utf16Be, wide(u16::to_be_bytes)),
    ] {
        push(&bytes, written, Rule::Anywhere, What::Uid, true, NO_DAY, forms);
    }
}

fn push(
    bytes: &[u8],
    written: Written,
    rule: Rule,
    what: What,
    exact: bool,
    day: u32,
    forms: &mut Vec<Form>,
) {
    if bytes.len() > SHORTEST || (bytes.len() == SHORTEST && written != Written::Utf16Be) {
        let bytes = if exact { bytes.to_vec() } else { bytes.to_ascii_lowercase() };
        forms.push(Form { bytes: bytes.into(), written, rule, what, exact, day });
    }
}

/// Leaves one of equal forms: the one that counts in most places.
pub(crate) fn dedup(forms: &mut Vec<Form>) {
    let key = |form: &Form| (form.written, form.rule, form.what, form.exact, form.day);
    forms.sort_unstable_by(|a, b| a.bytes.cmp(&b.bytes).then_with(|| key(a).cmp(&key(b))));
    forms.dedup_by(|next, kept| next.bytes == kept.bytes && next.written == kept.written);
}

/// A UID as evidence: what the search looks for, and the digest of the whole. `None` for what the
/// standard registered, and for what is too short to be somebody's.
pub(crate) fn uid(value: &[u8]) -> Option<(&[u8], u64)> {
    let dots = value.iter().filter(|&&byte| byte == b'.').count();
    let legal = value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if value.len() < UID_SHORTEST || dots < 3 && !value.starts_with(b"2.25.") || !legal {
        return None;
    }
    if is_registered(value) {
        return None;
    }
    let prefix = if value.starts_with(b"2.25.") { 5 } else { UID_PREFIX };
    Some((&value[..prefix], digest(value)))
}

/// Under the root of the standard (PS3.5 9, PS3.6 Annex A).
pub(crate) fn is_registered(uid: &[u8]) -> bool {
    uid.starts_with(b"1.2.840.10008.")
}

pub(crate) fn digest(uid: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    uid.hash(&mut hasher);
    hasher.finish()
}
