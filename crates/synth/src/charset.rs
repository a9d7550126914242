//! The character sets hospitals declare in Specific Character Set (PS3.5 6.1, PS3.3 C.12.1.1.2),
//! for the characters this crate uses.

use crate::glyphs::GLYPHS;

/// A declared character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// `ISO_IR 100`: Latin alphabet No. 1.
    Latin1,
    /// `ISO_IR 192`: UTF-8.
    Utf8,
    /// `GB18030`: Chinese.
    Gb18030,
    /// `\ISO 2022 IR 87`: Japanese, JIS X 0208 by escapes.
    Iso2022Jp,
    /// `\ISO 2022 IR 149`: Korean, KS X 1001 in G1 by escapes.
    Iso2022Kr,
}

/// Designates JIS X 0208 to G0 (PS3.3 table C.12-4).
pub(crate) const ESCAPE_JIS: &[u8] = b"\x1b$B";
/// Designates ASCII to G0.
const ESCAPE_ASCII: &[u8] = b"\x1b(B";
/// Designates KS X 1001 to G1.
pub(crate) const ESCAPE_KS: &[u8] = b"\x1b$)C";

impl Charset {
    /// Every character set.
    pub const ALL: [Self; 5] =
        [Self::Latin1, Self::Utf8, Self::Gb18030, Self::Iso2022Jp, Self::Iso2022Kr];

    /// The value of Specific Character Set (0008,0005).
    #[must_use]
    pub fn declared(self) -> &'static str {
        match self {
            Self::Latin1 => "ISO_IR 100",
            Self::Utf8 => "ISO_IR 192",
            Self::Gb18030 => "GB18030",
            Self::Iso2022Jp => "\\ISO 2022 IR 87",
            Self::Iso2022Kr => "\\ISO 2022 IR 149",
        }
    }

    /// Text to bytes, escapes included. A character that the set does not have becomes `?`.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u8> {
        if self == Self::Utf8 || text.is_ascii() {
            return text.as_bytes().to_vec();
        }
        let mut out = Vec::with_capacity(text.len());
        let mut designated = false;
        for c in text.chars() {
            let code = if c.is_ascii() { None } else { self.code(c) };
            match (self, &code) {
                (Self::Iso2022Jp, Some(_)) if !designated => out.extend(ESCAPE_JIS),
                (Self::Iso2022Jp, None) if designated => out.extend(ESCAPE_ASCII),
                (Self::Iso2022Kr, Some(_)) if !designated => out.extend(ESCAPE_KS),
                _ => {}
            }
            designated = match (self, &code) {
                (Self::Iso2022Jp, code) => code.is_some(),
                // PS3.5 6.1.2.5.3: designations end at delimiters and at line ends.
                (_, None) => designated && !matches!(c, '^' | '=' | '\\' | '\r' | '\n'),
                (_, Some(_)) => true,
            };
            match code {
                Some(bytes) => out.extend(bytes),
                None if c.is_ascii() => out.push(c as u8),
                None => out.push(b'?'),
            }
        }
        if self == Self::Iso2022Jp && designated {
            out.extend(ESCAPE_ASCII);
        }
        out
    }

    /// The bytes of one character beyond ASCII, without escapes.
    pub(crate) fn code(self, c: char) -> Option<Vec<u8>> {
        let column = match self {
            Self::Latin1 => return u8::try_from(u32::from(c)).ok().map(|b| vec![b]),
            Self::Utf8 => return Some(c.to_string().into_bytes()),
            Self::Gb18030 => 0,
            Self::Iso2022Jp => 1,
            Self::Iso2022Kr => 2,
        };
        let Ok(at) = GLYPHS.binary_search_by_key(&c, |glyph| glyph.0) else {
            return self.library_code(c);
        };
        let code = GLYPHS[at].1[column];
        (code != 0).then(|| code.to_be_bytes().to_vec())
    }

    /// The bytes of a character that the table leaves to a library: the EUC form of the set, for
    /// Japanese moved to G0.
    fn library_code(self, c: char) -> Option<Vec<u8>> {
        let encoding = match self {
            Self::Gb18030 => encoding_rs::GB18030,
            Self::Iso2022Jp => encoding_rs::EUC_JP,
            Self::Iso2022Kr => encoding_rs::EUC_KR,
            Self::Latin1 | Self::Utf8 => return None,
        };
        let mut buffer = [0; 4];
        let (bytes, _, missing) = encoding.encode(c.encode_utf8(&mut buffer));
        // Two bytes, both with the high bit set: what KS X 1001 and JIS X 0208 have.
        let plain = bytes.len() == 2 && bytes.iter().all(|&byte| byte > 0xa0);
        match self {
            _ if missing => None,
            Self::Gb18030 => Some(bytes.into_owned()),
            Self::Iso2022Kr if plain => Some(bytes.into_owned()),
            Self::Iso2022Jp if plain => Some(bytes.iter().map(|byte| byte & 0x7f).collect()),
            _ => None,
        }
    }

    /// Text without any escapes, or nothing when a character is missing from the set.
    pub(crate) fn plain(self, text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        for c in text.chars() {
            if c.is_ascii() {
                out.push(c as u8);
            } else {
                out.extend(self.code(c)?);
            }
        }
        Some(out)
    }
}
