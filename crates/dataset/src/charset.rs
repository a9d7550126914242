//! Character sets (PS3.3 C.12.1.1.2, PS3.5 6.1.2): single sets, and ISO 2022 code extensions.

use encoding_rs::Encoding;
use std::borrow::Cow;

/// Why a text could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CharsetError {
    /// A defined term that PS3.3 does not have.
    #[error("a character set that the standard does not define")]
    UnknownTerm,
    /// Bytes that the declared character sets cannot hold.
    #[error("bytes outside the declared character sets")]
    Undecodable,
}

/// How a run of bytes is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    Latin1,
    /// Whole-byte-range sets and single-byte G1 sets, decoded by a library.
    Library(&'static Encoding),
    /// JIS X 0208 in G0: two bytes, decoded as EUC-JP.
    Jis0208,
    /// JIS X 0212 in G0: two bytes, decoded as EUC-JP with a single shift.
    Jis0212,
}

/// The character sets that Specific Character Set declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CharacterSets {
    initial: Set,
    /// Code extensions by ISO 2022 are in use.
    extended: bool,
}

fn single(term: &str) -> Option<Set> {
    use encoding_rs as e;
    Some(match term {
        "" | "ISO_IR 6" | "ISO 2022 IR 6" => Set::Ascii,
        "ISO_IR 100" | "ISO 2022 IR 100" => Set::Latin1,
        "ISO_IR 101" | "ISO 2022 IR 101" => Set::Library(e::ISO_8859_2),
        "ISO_IR 109" | "ISO 2022 IR 109" => Set::Library(e::ISO_8859_3),
        "ISO_IR 110" | "ISO 2022 IR 110" => Set::Library(e::ISO_8859_4),
        "ISO_IR 144" | "ISO 2022 IR 144" => Set::Library(e::ISO_8859_5),
        "ISO_IR 127" | "ISO 2022 IR 127" => Set::Library(e::ISO_8859_6),
        "ISO_IR 126" | "ISO 2022 IR 126" => Set::Library(e::ISO_8859_7),
        "ISO_IR 138" | "ISO 2022 IR 138" => Set::Library(e::ISO_8859_8),
        "ISO_IR 148" | "ISO 2022 IR 148" => Set::Library(e::WINDOWS_1254),
        "ISO_IR 203" | "ISO 2022 IR 203" => Set::Library(e::ISO_8859_15),
        "ISO_IR 166" | "ISO 2022 IR 166" => Set::Library(e::WINDOWS_874),
        "ISO_IR 13" | "ISO 2022 IR 13" => Set::Library(e::SHIFT_JIS),
        "ISO_IR 192" => Set::Library(e::UTF_8),
        "GB18030" => Set::Library(e::GB18030),
        "GBK" => Set::Library(e::GBK),
        // Multi-byte sets, reached by escapes only: the initial state is ASCII.
        "ISO 2022 IR 87" | "ISO 2022 IR 159" | "ISO 2022 IR 149" | "ISO 2022 IR 58" => Set::Ascii,
        _ => return None,
    })
}

/// Escape sequences of PS3.3 Tables C.12-3 and C.12-4: which half they set, and to what.
const ESCAPES: &[(&[u8], bool, Set)] = &[
    (b"(B", false, Set::Ascii),
    (b"(J", false, Set::Ascii),
    (b"$B", false, Set::Jis0208),
    (b"$@", false, Set::Jis0208),
    (b"$(D", false, Set::Jis0212),
    (b")I", true, Set::Library(encoding_rs::SHIFT_JIS)),
    (b"$)C", true, Set::Library(encoding_rs::EUC_KR)),
    (b"$)A", true, Set::Library(encoding_rs::GBK)),
    (b"-A", true, Set::Latin1),
    (b"-B", true, Set::Library(encoding_rs::ISO_8859_2)),
    (b"-C", true, Set::Library(encoding_rs::ISO_8859_3)),
    (b"-D", true, Set::Library(encoding_rs::ISO_8859_4)),
    (b"-L", true, Set::Library(encoding_rs::ISO_8859_5)),
    (b"-G", true, Set::Library(encoding_rs::ISO_8859_6)),
    (b"-F", true, Set::Library(encoding_rs::ISO_8859_7)),
    (b"-H", true, Set::Library(encoding_rs::ISO_8859_8)),
    (b"-M", true, Set::Library(encoding_rs::WINDOWS_1254)),
    (b"-b", true, Set::Library(encoding_rs::ISO_8859_15)),
    (b"-T", true, Set::Library(encoding_rs::WINDOWS_874)),
];

impl CharacterSets {
    /// The default repertoire (ISO 646), in force where nothing is declared.
    pub const DEFAULT: Self = Self { initial: Set::Ascii, extended: false };

    /// Reads the value of Specific Character Set (0008,0005).
    ///
    /// # Errors
    /// [`CharsetError::UnknownTerm`] for a term that the standard does not define.
    pub fn parse(value: &[u8]) -> Result<Self, CharsetError> {
        let text = std::str::from_utf8(value).map_err(|_| CharsetError::UnknownTerm)?;
        let mut terms = text.split('\\').map(|term| term.trim_matches([' ', '\0']));
        let first = terms.next().unwrap_or("");
        let initial = single(first).ok_or(CharsetError::UnknownTerm)?;
        let mut extended = first.starts_with("ISO 2022");
        for term in terms {
            single(term).ok_or(CharsetError::UnknownTerm)?;
            extended = true;
        }
        Ok(Self { initial, extended })
    }

    /// Decodes a value.
    ///
    /// # Errors
    /// [`CharsetError::Undecodable`] when the bytes do not fit the declared sets.
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> Result<Cow<'b, str>, CharsetError> {
        let plain = bytes.is_ascii() && !bytes.contains(&0x1b);
        if plain {
            return std::str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|_| CharsetError::Undecodable);
        }
        if self.extended || bytes.contains(&0x1b) {
            return self.decode_extended(bytes).map(Cow::Owned);
        }
        let mut out = String::with_capacity(bytes.len() * 2);
        decode_run(self.initial, bytes, &mut out)?;
        Ok(Cow::Owned(out))
    }

    /// ISO 2022: escapes switch G0 or G1; delimiters switch back (PS3.5 6.1.2.5.3).
    fn decode_extended(&self, bytes: &[u8]) -> Result<String, CharsetError> {
        let mut out = String::with_capacity(bytes.len() * 2);
        let (mut low, mut high) = (Set::Ascii, self.initial);
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] == 0x1b {
                let rest = &bytes[at + 1..];
                let escape = ESCAPES.iter().find(|(escape, ..)| rest.starts_with(escape));
                let (escape, is_high, set) = escape.ok_or(CharsetError::Undecodable)?;
                *(if *is_high { &mut high } else { &mut low }) = *set;
                at += 1 + escape.len();
                continue;
            }
            let upper = bytes[at] >= 0x80;
            let set = if upper { high } else { low };
            let double = matches!(low, Set::Jis0208 | Set::Jis0212) && !upper;
            let resets = |b: u8| matches!(b, b'\\' | b'^' | b'=' | b'\r' | b'\n' | 0x0c | b'\t');
            if !double && !upper && resets(bytes[at]) {
                out.push(char::from(bytes[at]));
                (low, high) = (Set::Ascii, self.initial);
                at += 1;
                continue;
            }
            let end = bytes[at..]
                .iter()
                .position(|&b| b == 0x1b || (b >= 0x80) != upper || (!double && resets(b)))
                .map_or(bytes.len(), |n| at + n);
            // Line ends are control characters within a double-byte run, too.
            decode_run(set, &bytes[at..end.max(at + 1)], &mut out)?;
            at = end.max(at + 1);
        }
        Ok(out)
    }
}

fn decode_run(set: Set, bytes: &[u8], out: &mut String) -> Result<(), CharsetError> {
    match set {
        Set::Ascii if bytes.is_ascii() => out.extend(bytes.iter().map(|&b| char::from(b))),
        Set::Ascii => return Err(CharsetError::Undecodable),
        Set::Latin1 => out.extend(bytes.iter().map(|&b| char::from(b))),
        Set::Library(encoding) => {
            let text = encoding
                .decode_without_bom_handling_and_without_replacement(bytes)
                .ok_or(CharsetError::Undecodable)?;
            out.push_str(&text);
        }
        Set::Jis0208 | Set::Jis0212 => {
            let mut euc = Vec::with_capacity(bytes.len() * 3 / 2);
            for pair in bytes.chunks(2) {
                if set == Set::Jis0212 {
                    euc.push(0x8f);
                }
                euc.extend(pair.iter().map(|b| b | 0x80));
            }
            return decode_run(Set::Library(encoding_rs::EUC_JP), &euc, out);
        }
    }
    Ok(())
}
