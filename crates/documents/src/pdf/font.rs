//! From the bytes of a shown string to characters, and how wide they are.

use super::{is_named, value};
use crate::Unread;
use lopdf::{Dictionary, Document, Encoding, Object};
use std::collections::HashMap;

/// Bytes of one mapping to characters, inflated.
const MOST_MAPPING: usize = 2 << 20;
/// Ranges of widths.
const MOST_WIDTHS: usize = 100_000;
/// Nonsymbolic fonts that need not say their encoding (ISO 32000-1, 9.6.2.2).
const STANDARD: &[&[u8]] = &[
    b"Courier",
    b"Courier-Bold",
    b"Courier-BoldOblique",
    b"Courier-Oblique",
    b"Helvetica",
    b"Helvetica-Bold",
    b"Helvetica-BoldOblique",
    b"Helvetica-Oblique",
    b"Times-Bold",
    b"Times-BoldItalic",
    b"Times-Italic",
    b"Times-Roman",
];

/// One character code as people see it.
#[derive(Clone)]
pub(crate) struct Glyph {
    pub(crate) text: String,
    /// What the font's encoding says, where that differs from its mapping.
    pub(crate) other: Option<String>,
    /// In thousandths of the font size; `None` where the file does not say.
    pub(crate) width: Option<f64>,
    /// A single byte 32, to which word spacing applies.
    pub(crate) space: bool,
}

/// A font as far as text needs it.
pub(crate) struct Font<'d> {
    mapping: Option<Encoding<'d>>,
    encoding: Option<Encoding<'d>>,
    /// Bytes of a code.
    length: u8,
    widths: HashMap<u32, f64>,
    default: Option<f64>,
    known: HashMap<u32, Glyph>,
}

impl<'d> Font<'d> {
    /// # Errors
    /// [`Unread::Unmapped`] when nothing says which characters the codes are.
    pub(crate) fn new(document: &'d Document, font: &'d Dictionary) -> Result<Self, Unread> {
        let composite = is_named(font, b"Subtype", b"Type0");
        let simple = [&b"Type1"[..], b"TrueType", b"MMType1"];
        if !composite && !simple.iter().any(|kind| is_named(font, b"Subtype", kind)) {
            return Err(Unread::Unmapped);
        }
        let mapping = mapping(document, font)?;
        let mut new = Self {
            encoding: if composite { None } else { encoding(document, font, mapping.is_some())? },
            mapping,
            length: if composite { 2 } else { 1 },
            widths: HashMap::new(),
            default: None,
            known: HashMap::new(),
        };
        let identity = [&b"Identity-H"[..], b"Identity-V"];
        if composite && !identity.iter().any(|name| is_named(font, b"Encoding", name)) {
            return Err(Unread::Unmapped);
        }
        if new.mapping.is_none() && new.encoding.is_none() {
            return Err(Unread::Unmapped);
        }
        if composite {
            new.composite_widths(document, font)?;
        } else {
            new.simple_widths(document, font);
        }
        Ok(new)
    }

    fn simple_widths(&mut self, document: &Document, font: &Dictionary) {
        let first = value(document, font, b"FirstChar").and_then(|first| first.as_i64().ok());
        let (Some(first), Some(Object::Array(widths))) = (first, value(document, font, b"Widths"))
        else {
            return;
        };
        for (code, width) in (first.max(0)..256).zip(widths) {
            if let Some(width) = number(document, width) {
                self.widths.insert(code as u32, width);
            }
        }
    }

    /// `W` and `DW` of the descendant (9.7.4.3).
    fn composite_widths(&mut self, document: &Document, font: &Dictionary) -> Result<(), Unread> {
        let descendant = match value(document, font, b"DescendantFonts") {
            Some(Object::Array(fonts)) if fonts.len() == 1 => super::resolve(document, &fonts[0]),
            _ => return Err(Unread::Malformed),
        };
        let descendant = descendant.as_dict().map_err(|_| Unread::Malformed)?;
        let default = descendant.get(b"DW").ok().and_then(|width| number(document, width));
        self.default = Some(default.unwrap_or(1000.0));
        let Some(Object::Array(list)) = value(document, descendant, b"W") else { return Ok(()) };
        let mut list = list.iter().map(|object| super::resolve(document, object));
        while let Some(first) = list.next().and_then(|first| first.as_i64().ok()) {
            let first = u32::try_from(first).map_err(|_| Unread::Malformed)?;
            match list.next() {
                Some(Object::Array(widths)) => {
                    for (code, width) in (first..).zip(widths) {
                        self.width(code, number(document, width))?;
                    }
                }
                Some(last) => {
                    let last = last.as_i64().ok().and_then(|last| u32::try_from(last).ok());
                    let width = list.next().and_then(|width| number(document, width));
                    for code in first..=last.ok_or(Unread::Malformed)? {
                        self.width(code, width)?;
                    }
                }
                None => return Err(Unread::Malformed),
            }
        }
        Ok(())
    }

    fn width(&mut self, code: u32, width: Option<f64>) -> Result<(), Unread> {
        if self.widths.len() > MOST_WIDTHS {
            return Err(Unread::TooMuch);
        }
        self.widths.insert(code, width.ok_or(Unread::Malformed)?);
        Ok(())
    }

    /// The characters of a shown string.
    pub(crate) fn glyphs(&mut self, bytes: &[u8]) -> Result<Vec<Glyph>, Unread> {
        let length = usize::from(self.length);
        if !bytes.len().is_multiple_of(length) {
            return Err(Unread::Unmapped);
        }
        let mut glyphs = Vec::with_capacity(bytes.len() / length);
        for code in bytes.chunks_exact(length) {
            let number = code.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            if let Some(known) = self.known.get(&number) {
                glyphs.push(known.clone());
                continue;
            }
            let glyph = self.glyph(number, code)?;
            self.known.insert(number, glyph.clone());
            glyphs.push(glyph);
        }
        Ok(glyphs)
    }

    fn glyph(&self, number: u32, code: &[u8]) -> Result<Glyph, Unread> {
        let mapped = match &self.mapping {
            Some(Encoding::UnicodeMapEncoding(mapping)) => {
                let units = mapping.get(number, self.length);
                units.and_then(|units| String::from_utf16(&units).ok()).filter(|t| is_readable(t))
            }
            _ => None,
        };
        let encoded = self.encoding.as_ref().and_then(|encoding| {
            encoding.bytes_to_string(code).ok().filter(|text| is_readable(text))
        });
        let (text, other) = match (mapped, encoded) {
            (Some(mapped), encoded) => {
                let other = encoded.filter(|encoded| *encoded != mapped);
                (mapped, other)
            }
            (None, Some(encoded)) if self.mapping.is_none() => (encoded, None),
            _ => return Err(Unread::Unmapped),
        };
        let width = self.widths.get(&number).copied().or(self.default);
        Ok(Glyph { text, other, width, space: code == [32] })
    }
}

/// Characters that mean something to everybody.
fn is_readable(text: &str) -> bool {
    let private = |c: char| matches!(c as u32, 0 | 0xfffd | 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff);
    !text.is_empty() && !text.chars().any(private)
}

fn number(document: &Document, object: &Object) -> Option<f64> {
    super::resolve(document, object).as_float().ok().map(f64::from)
}

/// The font's own mapping to characters, if it has one.
fn mapping<'d>(
    document: &'d Document,
    font: &'d Dictionary,
) -> Result<Option<Encoding<'d>>, Unread> {
    match value(document, font, b"ToUnicode") {
        None => return Ok(None),
        Some(Object::Stream(_)) => {}
        Some(_) => return Err(Unread::Unmapped),
    }
    // Without an encoding the parser takes the mapping, and says so by what it returns.
    let mut bare = font.clone();
    bare.remove(b"Encoding");
    match bare.get_font_encoding_with_limit(document, MOST_MAPPING) {
        Ok(Encoding::UnicodeMapEncoding(mapping)) => {
            Ok(Some(Encoding::UnicodeMapEncoding(mapping)))
        }
        _ => Err(Unread::Unmapped),
    }
}

/// The encoding of a simple font, where it is one of the standard's.
fn encoding<'d>(
    document: &'d Document,
    font: &'d Dictionary,
    mapped: bool,
) -> Result<Option<Encoding<'d>>, Unread> {
    let descriptor = value(document, font, b"FontDescriptor").and_then(|d| d.as_dict().ok());
    let embedded = descriptor.is_some_and(|descriptor| {
        [&b"FontFile"[..], b"FontFile2", b"FontFile3"].iter().any(|key| descriptor.has(key))
    });
    let flags = descriptor.and_then(|descriptor| value(document, descriptor, b"Flags"));
    let symbolic = flags.and_then(|flags| flags.as_i64().ok()).is_some_and(|flags| flags & 4 != 0);
    let standard = font.get(b"BaseFont").and_then(Object::as_name);
    let standard = standard.is_ok_and(|name| STANDARD.contains(&name));
    let named = match value(document, font, b"Encoding") {
        None => standard && !embedded,
        Some(Object::Name(name)) => {
            [&b"WinAnsiEncoding"[..], b"MacRomanEncoding", b"StandardEncoding"].contains(&&name[..])
        }
        Some(Object::Dictionary(own)) => {
            let based = own.has(b"BaseEncoding") || (standard && !embedded);
            own.iter()
                .all(|(key, _)| [&b"Type"[..], b"BaseEncoding", b"Differences"].contains(&&key[..]))
                && based
        }
        Some(_) => false,
    };
    // A symbolic TrueType font has an encoding of its own, whatever is written here (9.6.6.4).
    let own = symbolic && is_named(font, b"Subtype", b"TrueType");
    if !named || own {
        return if mapped { Ok(None) } else { Err(Unread::Unmapped) };
    }
    let own = value(document, font, b"Encoding").and_then(|own| own.as_dict().ok());
    let differs = own.is_some_and(|own| own.has(b"Differences"));
    match font.get_font_encoding_with_limit(document, MOST_MAPPING) {
        Ok(read @ Encoding::Differences(_)) => Ok(Some(read)),
        Ok(read @ Encoding::OneByteEncoding(_)) if !differs => Ok(Some(read)),
        _ if mapped => Ok(None),
        _ => Err(Unread::Unmapped),
    }
}
