//! A way to write a value as text, and the bytes that it becomes.

use encoding_rs::{self as e, Encoding};
use scanveil_dataset::CharacterSets;
use std::sync::LazyLock;

/// Where a spelling counts. In order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// Anywhere.
    Anywhere,
    /// A day of eight digits: no digit before it; behind it none, or those of a time.
    Day,
    /// A letter at its end has no letter beside it, a digit no digit.
    Edges,
    /// It has neither letter nor digit beside it.
    Word,
}

/// How the bytes around a form are read, and which bytes it may stand among.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Written {
    /// UTF-8, and so ASCII.
    Utf8,
    /// One byte for each character.
    Single,
    Utf16Le,
    Utf16Be,
    /// Two bytes for each character, in the upper half.
    Double,
    /// Two bytes for each character, in the lower half between escapes.
    Jis,
}

/// One way to write a value.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spelling {
    pub(crate) text: String,
    pub(crate) rule: Rule,
}

impl Spelling {
    pub(crate) fn new(text: impl Into<String>, rule: Rule) -> Self {
        Self { text: text.into(), rule }
    }
}

/// Ideographs, kana, Hangul: scripts written without spaces, of two bytes in national sets.
pub(crate) fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ffdc}'
        | '\u{20000}'..='\u{323af}')
}

/// Letters of scripts with words; ideographs and syllables of others are none.
pub(crate) fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_wide(c)
}

/// Single-byte sets of PS3.3 Table C.12-2, as supersets that a library has.
const SINGLE: [&Encoding; 11] = [
    e::WINDOWS_1252,
    e::ISO_8859_2,
    e::ISO_8859_3,
    e::ISO_8859_4,
    e::ISO_8859_5,
    e::ISO_8859_6,
    e::ISO_8859_7,
    e::ISO_8859_8,
    e::WINDOWS_1254,
    e::ISO_8859_15,
    e::WINDOWS_874,
];

/// The sets that need escapes.
static ESCAPED: LazyLock<Vec<(CharacterSets, Written)>> = LazyLock::new(|| {
    [
        ("\\ISO 2022 IR 87\\ISO 2022 IR 159", Written::Jis),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", Written::Jis),
        ("\\ISO 2022 IR 149", Written::Double),
        ("\\ISO 2022 IR 58", Written::Double),
    ]
    .into_iter()
    .filter_map(|(term, written)| Some((CharacterSets::parse(term.as_bytes()).ok()?, written)))
    .collect()
});

fn by(encoding: &'static Encoding, text: &str) -> Option<Vec<u8>> {
    let (bytes, _, failed) = encoding.encode(text);
    (!failed).then(|| bytes.into_owned())
}

/// Cuts the escapes at both ends: what stands between them is what every context shares.
fn bare(bytes: &[u8]) -> &[u8] {
    let start = match bytes {
        [0x1b, b'$', b'(' | b')', _, ..] => 4,
        [0x1b, b'$' | b'(' | b')' | b'-', _, ..] => 3,
        _ => 0,
    };
    let end = match bytes {
        [.., 0x1b, b'(', b'B' | b'J'] => bytes.len() - 3,
        _ => bytes.len(),
    };
    bytes.get(start..end).unwrap_or(bytes)
}

/// Hands over a text in every encoding that it may be met in. ASCII case is left to the search.
pub(crate) fn encodings(text: &str, mut take: impl FnMut(Written, &[u8])) {
    let wide = text.chars().any(is_wide);
    let mut cases = vec![text.to_owned()];
    if !text.is_ascii() && !wide {
        cases.extend([text.to_uppercase(), text.to_lowercase()]);
        cases.sort();
        cases.dedup();
    }
    for case in &cases {
        take(Written::Utf8, case.as_bytes());
        let units = || case.encode_utf16();
        take(Written::Utf16Le, &units().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        take(Written::Utf16Be, &units().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
        if case.is_ascii() || wide {
            continue;
        }
        for encoding in SINGLE {
            if let Some(bytes) = by(encoding, case) {
                take(Written::Single, &bytes);
            }
        }
    }
    if !wide {
        return;
    }
    for encoding in [e::GB18030, e::SHIFT_JIS, e::EUC_KR] {
        if let Some(bytes) = by(encoding, text) {
            take(Written::Double, &bytes);
        }
    }
    for (sets, written) in &*ESCAPED {
        if let Some(bytes) = sets.encode(text) {
            take(*written, bare(&bytes));
        }
    }
}
