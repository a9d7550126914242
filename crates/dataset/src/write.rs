//! Writes elements in any of the native encodings (PS3.5 section 7).

use crate::parse::{Encoding, UNDEFINED};
use crate::{Tag, Vr, tags};

/// An open sequence whose length is still to be written.
#[must_use]
pub struct SequenceMark {
    at: usize,
    undefined: bool,
    encoding: Encoding,
}

/// An open item whose length is still to be written.
#[must_use]
pub struct ItemMark {
    at: usize,
    undefined: bool,
    encoding: Encoding,
}

/// Appends encoded elements to a buffer.
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    /// A writer at the end of `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    /// What was written so far, by this writer and before it.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.out
    }

    fn u16(&mut self, value: u16, encoding: Encoding) {
        let bytes = if encoding.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.out.extend_from_slice(&bytes);
    }

    fn u32(&mut self, value: u32, encoding: Encoding) {
        let bytes = if encoding.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.out.extend_from_slice(&bytes);
    }

    fn tag(&mut self, tag: Tag, encoding: Encoding) {
        self.u16(tag.group(), encoding);
        self.u16(tag.element(), encoding);
    }

    /// Tag, VR and length. A value too long for a 16-bit length is written as UN, as PS3.5 6.2.2
    /// Note 2 has it.
    pub fn head(&mut self, tag: Tag, vr: Vr, length: u32, encoding: Encoding) {
        self.tag(tag, encoding);
        if !encoding.explicit {
            return self.u32(length, encoding);
        }
        let long = vr.has_long_length() || !vr.is_known();
        if !long && length > 0xffff {
            self.out.extend_from_slice(b"UN\0\0");
            return self.u32(length, encoding);
        }
        self.out.extend_from_slice(&vr.0);
        if long {
            self.out.extend_from_slice(&[0, 0]);
            self.u32(length, encoding);
        } else {
            self.u16(length as u16, encoding);
        }
    }

    /// A whole element; an odd value is padded as its VR asks (PS3.5 6.2).
    pub fn element(&mut self, tag: Tag, vr: Vr, value: &[u8], encoding: Encoding) {
        let odd = value.len() % 2;
        self.head(tag, vr, (value.len() + odd) as u32, encoding);
        self.out.extend_from_slice(value);
        if odd == 1 {
            self.out.push(if vr.is_string() && vr != Vr::UI { b' ' } else { 0 });
        }
    }

    /// Opens a sequence.
    pub fn open_sequence(
        &mut self,
        tag: Tag,
        vr: Vr,
        undefined: bool,
        encoding: Encoding,
    ) -> SequenceMark {
        self.head(tag, vr, if undefined { UNDEFINED } else { 0 }, encoding);
        SequenceMark { at: self.out.len(), undefined, encoding }
    }

    /// Closes a sequence: its length or its delimiter.
    pub fn close_sequence(&mut self, mark: &SequenceMark) {
        if mark.undefined {
            self.tag(tags::SEQUENCE_DELIMITATION, mark.encoding);
            self.u32(0, mark.encoding);
        } else {
            self.patch(mark.at, mark.encoding);
        }
    }

    /// Opens an item.
    pub fn open_item(&mut self, undefined: bool, encoding: Encoding) -> ItemMark {
        self.tag(tags::ITEM, encoding);
        self.u32(if undefined { UNDEFINED } else { 0 }, encoding);
        ItemMark { at: self.out.len(), undefined, encoding }
    }

    /// Closes an item: its length or its delimiter.
    pub fn close_item(&mut self, mark: &ItemMark) {
        if mark.undefined {
            self.tag(tags::ITEM_DELIMITATION, mark.encoding);
            self.u32(0, mark.encoding);
        } else {
            self.patch(mark.at, mark.encoding);
        }
    }

    fn patch(&mut self, at: usize, encoding: Encoding) {
        let length = (self.out.len() - at) as u32;
        let bytes = if encoding.big_endian { length.to_be_bytes() } else { length.to_le_bytes() };
        self.out[at - 4..at].copy_from_slice(&bytes);
    }
}
