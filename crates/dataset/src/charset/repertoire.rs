//! The sets themselves (PS3.3 Tables C.12-2 to C.12-5): their escapes, their bytes, their codes.

use encoding_rs::{self as e, Encoding};
use std::sync::OnceLock;

pub(super) const ESCAPE: u8 = 0x1b;

/// How a run of bytes is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Ascii,
    Latin1,
    /// A single-byte set of 96 characters in the upper half, by a library. Two of the library's
    /// are supersets (windows-1254, windows-874): they differ in C1 only, which is refused.
    Single(&'static Encoding),
    /// The katakana of JIS X 0201.
    Katakana,
    /// KS X 1001 in G1.
    KsX1001,
    /// GB 2312 in G1.
    Gb2312,
    /// JIS X 0208 in G0.
    Jis0208,
    /// JIS X 0212 in G0.
    Jis0212,
    Utf8,
    Gb18030,
    Gbk,
    /// Not of the standard; found by evidence only.
    ShiftJis,
    /// KS X 1001 beside ASCII without escapes; found by evidence only.
    EucKr,
}

/// A registered set, by the number in its defined terms `ISO_IR n` and `ISO 2022 IR n`.
pub(super) struct Repertoire {
    pub(super) number: &'static str,
    /// It may be declared without code extensions.
    pub(super) alone: bool,
    /// Escape (without the escape character) and set of the lower half.
    pub(super) low: Option<(&'static [u8], Set)>,
    /// The same of the upper half.
    pub(super) high: Option<(&'static [u8], Set)>,
}

const fn single(number: &'static str, escape: &'static [u8], set: Set) -> Repertoire {
    Repertoire { number, alone: true, low: None, high: Some((escape, set)) }
}

/// Row of the default repertoire.
pub(super) const IR_6: usize = 0;
/// Row of JIS X 0201.
pub(super) const IR_13: usize = 1;
/// Rows of the Japanese sets.
pub(super) const JAPANESE: u32 = 0b1110;

pub(super) const REPERTOIRES: &[Repertoire] = &[
    Repertoire { number: "6", alone: true, low: Some((b"(B", Set::Ascii)), high: None },
    Repertoire {
        number: "13",
        alone: true,
        low: Some((b"(J", Set::Ascii)),
        high: Some((b")I", Set::Katakana)),
    },
    Repertoire { number: "87", alone: false, low: Some((b"$B", Set::Jis0208)), high: None },
    Repertoire { number: "159", alone: false, low: Some((b"$(D", Set::Jis0212)), high: None },
    Repertoire { number: "149", alone: false, low: None, high: Some((b"$)C", Set::KsX1001)) },
    Repertoire { number: "58", alone: false, low: None, high: Some((b"$)A", Set::Gb2312)) },
    single("100", b"-A", Set::Latin1),
    single("101", b"-B", Set::Single(e::ISO_8859_2)),
    single("109", b"-C", Set::Single(e::ISO_8859_3)),
    single("110", b"-D", Set::Single(e::ISO_8859_4)),
    single("144", b"-L", Set::Single(e::ISO_8859_5)),
    single("127", b"-G", Set::Single(e::ISO_8859_6)),
    single("126", b"-F", Set::Single(e::ISO_8859_7)),
    single("138", b"-H", Set::Single(e::ISO_8859_8)),
    single("148", b"-M", Set::Single(e::WINDOWS_1254)),
    single("203", b"-b", Set::Single(e::ISO_8859_15)),
    single("166", b"-T", Set::Single(e::WINDOWS_874)),
];

/// Delimiters of values and components, line and page ends: what comes after them is in the
/// initial state (PS3.5 6.1.2.5.3).
pub(super) fn is_reset(byte: u8) -> bool {
    matches!(byte, b'\\' | b'^' | b'=' | b'\r' | b'\n' | 0x0c | b'\t')
}

/// The bytes of one character.
pub(super) struct Code {
    bytes: [u8; 4],
    length: usize,
}

impl Code {
    fn one(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1 }
    }
    fn two(bytes: [u8; 2]) -> Self {
        Self { bytes: [bytes[0], bytes[1], 0, 0], length: 2 }
    }
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Set {
    /// Two bytes for each character, reached by escapes only.
    pub(super) fn is_double(self) -> bool {
        matches!(self, Self::KsX1001 | Self::Gb2312 | Self::Jis0208 | Self::Jis0212)
    }

    /// Decodes a run of bytes. C1 is never used (PS3.5 6.1.3), and no set's code is guessed at.
    pub(super) fn decode(self, bytes: &[u8], out: &mut String) -> Option<()> {
        match self {
            Self::Ascii => out.push_str(ascii(bytes)?),
            Self::Latin1 => {
                no_c1(bytes)?;
                out.extend(bytes.iter().map(|&byte| char::from(byte)));
            }
            Self::Single(encoding) => {
                no_c1(bytes)?;
                by_library(encoding, bytes, out)?;
            }
            Self::Katakana => {
                for &byte in bytes {
                    out.push(match byte {
                        0..0x80 => char::from(byte),
                        0xa1..=0xdf => char::from_u32(0xff61 + u32::from(byte) - 0xa1)?,
                        _ => return None,
                    });
                }
            }
            Self::KsX1001 | Self::EucKr => {
                in_pairs(bytes)?;
                by_library(e::EUC_KR, bytes, out)?;
            }
            Self::Gb2312 => {
                in_pairs(bytes)?;
                by_library(e::GBK, bytes, out)?;
            }
            Self::Jis0208 | Self::Jis0212 => {
                let mut euc = Vec::with_capacity(bytes.len() * 3 / 2);
                for pair in bytes.chunks(2) {
                    if self == Self::Jis0212 {
                        euc.push(0x8f);
                    }
                    euc.extend(pair.iter().map(|byte| byte | 0x80));
                }
                by_library(e::EUC_JP, &euc, out)?;
            }
            Self::Utf8 => out.push_str(std::str::from_utf8(bytes).ok()?),
            Self::Gb18030 | Self::Gbk => {
                in_chinese(bytes, self == Self::Gb18030)?;
                by_library(e::GB18030, bytes, out)?;
            }
            Self::ShiftJis => {
                let start = out.len();
                by_library(e::SHIFT_JIS, bytes, out)?;
                let c1 = |c: char| ('\u{80}'..'\u{a0}').contains(&c);
                if out[start..].chars().any(c1) {
                    return None;
                }
            }
        }
        Some(())
    }

    /// The code of a character beyond ASCII, without escapes.
    pub(super) fn code(self, c: char) -> Option<Code> {
        let double = |encoding| {
            let code = from_library(encoding, c)?;
            let bytes: [u8; 2] = code.as_slice().try_into().ok()?;
            bytes.iter().all(|&byte| byte >= 0xa1).then_some(bytes)
        };
        match self {
            Self::Ascii => None,
            Self::Latin1 => {
                u8::try_from(u32::from(c)).ok().filter(|byte| *byte >= 0xa0).map(Code::one)
            }
            Self::Single(encoding) => {
                from_library(encoding, c).filter(|code| code.length == 1 && code.bytes[0] >= 0xa0)
            }
            Self::Katakana => {
                let at = u32::from(c).checked_sub(0xff61).filter(|at| *at < 63)?;
                Some(Code::one(0xa1 + at as u8))
            }
            Self::KsX1001 | Self::EucKr => double(e::EUC_KR).map(Code::two),
            Self::Gb2312 => double(e::GBK).filter(|code| is_gb2312(*code)).map(Code::two),
            Self::Jis0208 => double(e::EUC_JP).map(|code| Code::two(code.map(|byte| byte & 0x7f))),
            Self::Jis0212 => {
                let codes = jis0212();
                let at = codes.binary_search_by_key(&c, |(of, _)| *of).ok()?;
                Some(Code::two(codes[at].1))
            }
            Self::Utf8 => {
                let mut bytes = [0; 4];
                let length = c.encode_utf8(&mut bytes).len();
                Some(Code { bytes, length })
            }
            Self::Gb18030 => from_library(e::GB18030, c),
            Self::Gbk => from_library(e::GBK, c).filter(|code| code.length == 2),
            Self::ShiftJis => from_library(e::SHIFT_JIS, c),
        }
    }
}

fn ascii(bytes: &[u8]) -> Option<&str> {
    bytes.is_ascii().then(|| std::str::from_utf8(bytes).ok())?
}

fn no_c1(bytes: &[u8]) -> Option<()> {
    (!bytes.iter().any(|byte| (0x80..0xa0).contains(byte))).then_some(())
}

/// Bytes beyond ASCII stand in pairs, each in A1 to FE: a set of 94 x 94 in the upper half.
fn in_pairs(bytes: &[u8]) -> Option<()> {
    let mut bytes = bytes.iter();
    while let Some(&first) = bytes.next() {
        let legal = |byte: u8| (0xa1..=0xfe).contains(&byte);
        if first >= 0x80 && !(legal(first) && bytes.next().is_some_and(|&byte| legal(byte))) {
            return None;
        }
    }
    Some(())
}

/// The structure of GBK and, with `four`, GB 18030: the library also reads single bytes.
fn in_chinese(bytes: &[u8], four: bool) -> Option<()> {
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        at += match (first, bytes.get(at + 1)) {
            (0..=0x7f, _) => 1,
            (0x81..=0xfe, Some(0x40..=0x7e | 0x80..=0xfe)) => 2,
            (0x81..=0xfe, Some(b'0'..=b'9')) if four => 4,
            _ => return None,
        };
    }
    Some(())
}

fn by_library(encoding: &'static Encoding, bytes: &[u8], out: &mut String) -> Option<()> {
    out.push_str(&encoding.decode_without_bom_handling_and_without_replacement(bytes)?);
    Some(())
}

fn from_library(encoding: &'static Encoding, c: char) -> Option<Code> {
    let mut text = [0; 4];
    let mut out = [0; 16];
    let (result, _, written) = encoding.new_encoder().encode_from_utf8_without_replacement(
        c.encode_utf8(&mut text),
        &mut out,
        true,
    );
    let mut bytes = [0; 4];
    bytes.get_mut(..written)?.copy_from_slice(&out[..written]);
    let whole = result == e::EncoderResult::InputEmpty && bytes[0] >= 0x80;
    whole.then_some(Code { bytes, length: written })
}

/// Last column of each row 1 to 9 of GB 2312-80, and the first: GBK fills the rest of them.
const GB2312_SIGNS: [(u8, u8); 9] =
    [(1, 94), (17, 92), (1, 94), (1, 83), (1, 86), (1, 56), (1, 81), (1, 73), (4, 79)];

/// Whether two bytes in the upper half are a character of GB 2312-80.
pub(super) fn is_gb2312([row, column]: [u8; 2]) -> bool {
    let (row, column) = (row.wrapping_sub(0xa0), column.wrapping_sub(0xa0));
    let within = |first: u8, last: u8| (first..=last).contains(&column);
    match row {
        1..=9 => {
            let (first, last) = GB2312_SIGNS[usize::from(row) - 1];
            let gap = match row {
                2 => within(67, 68) || within(79, 80),
                6 => within(25, 32),
                7 => within(34, 48),
                8 => within(27, 36),
                _ => false,
            };
            within(first, last) && !gap
        }
        16..=54 | 56..=87 => within(1, 94),
        55 => within(1, 89),
        _ => false,
    }
}

/// The characters of JIS X 0212 with their codes, in order of the characters. No library writes
/// this set: the table is made once by reading all of its codes, a line each.
fn jis0212() -> &'static [(char, [u8; 2])] {
    static TABLE: OnceLock<Vec<(char, [u8; 2])>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let half = 0x21..=0x7e_u8;
        let codes = half.clone().flat_map(|row| half.clone().map(move |column| [row, column]));
        let line = |[row, column]: [u8; 2]| [0x8f, row | 0x80, column | 0x80, b'\n'];
        let euc: Vec<u8> = codes.clone().flat_map(line).collect();
        let (text, _) = e::EUC_JP.decode_without_bom_handling(&euc);
        let characters = text.lines().map(|line| line.chars().next());
        let known = |(c, code): (Option<char>, _)| Some((c.filter(|c| *c != '\u{fffd}')?, code));
        let mut table: Vec<(char, [u8; 2])> = characters.zip(codes).filter_map(known).collect();
        table.sort_unstable();
        table
    })
}
