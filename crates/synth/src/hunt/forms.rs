//! From a planted value to every way it may be written.

use crate::charset::{Charset, ESCAPE_JIS, ESCAPE_KS};
use crate::key::{Planted, PlantedKind};
use crate::people::fold;
use serde::Serialize;
use std::collections::BTreeMap;

/// How a value was spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Form {
    /// As planted.
    Whole,
    /// One part of a name or address.
    Part,
    /// A name in another order or with other separators.
    Order,
    /// A date in another spelling.
    Date,
    /// The digits alone.
    Digits,
}

/// How a spelling was written in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8, and so ASCII.
    Utf8,
    /// ISO 8859-1.
    Latin1,
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
    /// GB 18030.
    Gb18030,
    /// JIS X 0208 in G0, as ISO 2022 IR 87 has it.
    Jis,
    /// KS X 1001 in G1, as ISO 2022 IR 149 has it.
    KsX,
    /// The bytes that stand in the planted file.
    FileBytes,
}

/// One byte string to look for.
pub(super) struct Pattern {
    pub(super) bytes: Vec<u8>,
    pub(super) spelling: String,
    pub(super) kind: PlantedKind,
    pub(super) form: Form,
    pub(super) encoding: Encoding,
    /// Digits only and short: inside a long run of letters and digits it is chance.
    pub(super) short_digits: bool,
}

/// Parts of names and texts that de-identified data holds anyway. Compared without case.
const TOO_COMMON: &[&str] = &[
    "anonymous",
    "unknown",
    "patient",
    "test",
    "male",
    "female",
    "prof",
    "miss",
    "head",
    "chest",
    "heart",
    "brain",
    "left",
    "right",
    "image",
    "study",
    "series",
    "none",
    "other",
    "day",
    "may",
    "mark",
    "grant",
    "will",
    "young",
    "long",
    "rose",
    "page",
    "field",
    "case",
    "read",
    "null",
];

/// Shortest part of a Latin name that is looked for, in characters.
const MIN_LATIN: usize = 3;
/// Shortest part of a name in another script, in characters.
const MIN_NATIVE: usize = 2;
/// Fewest digits looked for without the letters around them.
const MIN_DIGITS: usize = 7;

/// Every form of every value, at least `min_form` bytes long, without repeats.
pub(super) fn patterns<'a>(
    planted: impl IntoIterator<Item = &'a Planted>,
    min_form: usize,
) -> Vec<Pattern> {
    let mut found: BTreeMap<Vec<u8>, Pattern> = BTreeMap::new();
    for value in planted {
        let mut add = |bytes: Vec<u8>, spelling: &str, form, encoding| {
            if bytes.len() < min_form.max(1) {
                return;
            }
            let short_digits = bytes.len() < 12 && bytes.iter().all(u8::is_ascii_digit);
            found.entry(bytes.to_ascii_lowercase()).or_insert_with(|| Pattern {
                bytes,
                spelling: spelling.to_owned(),
                kind: value.kind,
                form,
                encoding,
                short_digits,
            });
        };
        for (form, spelling) in spellings(value) {
            for (encoding, bytes) in encodings(&spelling) {
                add(bytes, &spelling, form, encoding);
            }
        }
        add(value.encoded.clone(), &value.value, Form::Whole, Encoding::FileBytes);
    }
    found.into_values().collect()
}

fn spellings(planted: &Planted) -> Vec<(Form, String)> {
    let value = planted.value.trim();
    let mut out = vec![(Form::Whole, value.to_owned())];
    match planted.kind {
        PlantedKind::PersonName => names(value, &mut out),
        PlantedKind::Date => dates(value, &mut out),
        PlantedKind::Phone => {
            digits(value, &mut out);
            for separator in ["-", ".", "/"] {
                out.push((Form::Order, value.replace(' ', separator)));
            }
        }
        PlantedKind::PatientId | PlantedKind::Accession | PlantedKind::Device => {
            digits(value, &mut out);
        }
        PlantedKind::Address => {
            let parts = value.split(',').map(str::trim).filter(|p| p.chars().count() >= 10);
            out.extend(parts.map(|part| (Form::Part, part.to_owned())));
        }
        PlantedKind::Institution | PlantedKind::Uid | PlantedKind::Text => {}
    }
    out.retain(|(_, spelling)| !TOO_COMMON.contains(&spelling.to_lowercase().as_str()));
    out
}

/// Representations, their components, and the orders people write them in.
fn names(value: &str, out: &mut Vec<(Form, String)>) {
    for representation in value.split('=') {
        let whole = representation.trim_matches('^');
        out.push((Form::Whole, whole.to_owned()));
        let components: Vec<&str> = representation.split('^').map(str::trim).collect();
        for part in components.iter().flat_map(|c| c.split_whitespace()) {
            let least = if part.is_ascii() || latin(part) { MIN_LATIN } else { MIN_NATIVE };
            if part.chars().count() >= least {
                out.push((Form::Part, part.to_owned()));
            }
        }
        let [family, given, ..] = components[..] else {
            continue;
        };
        if family.is_empty() || given.is_empty() {
            continue;
        }
        for (first, second) in [(family, given), (given, family)] {
            for separator in ["^", " ", ", ", ",", "_", "\u{3000}", ""] {
                out.push((Form::Order, format!("{first}{separator}{second}")));
            }
        }
    }
    let folded: Vec<_> = out
        .iter()
        .filter(|(_, spelling)| !spelling.is_ascii() && latin(spelling))
        .map(|(form, spelling)| (*form, fold(spelling)))
        .collect();
    out.extend(folded);
}

fn latin(text: &str) -> bool {
    text.chars().all(|c| u32::from(c) < 0x250)
}

/// `YYYYMMDD` and the ways people, forms and programs write a date.
fn dates(value: &str, out: &mut Vec<(Form, String)>) {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let field = |range| value.get(range).and_then(|text: &str| text.parse::<usize>().ok());
    let (Some(y), Some(m), Some(d)) = (field(0..4), field(4..6), field(6..8)) else {
        return;
    };
    let Some(month) = m.checked_sub(1).and_then(|at| MONTHS.get(at)) else {
        return;
    };
    let short = &month[..3];
    let mut spellings = vec![format!("{y:04}年{m}月{d}日"), format!("{y:04}年{m:02}月{d:02}日")];
    for s in ["-", ".", "/"] {
        spellings.push(format!("{y:04}{s}{m:02}{s}{d:02}"));
        spellings.push(format!("{d:02}{s}{m:02}{s}{y:04}"));
        spellings.push(format!("{m:02}{s}{d:02}{s}{y:04}"));
        spellings.push(format!("{d}{s}{m}{s}{y:04}"));
        spellings.push(format!("{m}{s}{d}{s}{y:04}"));
        spellings.push(format!("{d:02}{s}{short}{s}{y:04}"));
    }
    for name in [*month, short] {
        spellings.push(format!("{d} {name} {y:04}"));
        spellings.push(format!("{d:02} {name} {y:04}"));
        spellings.push(format!("{name} {d}, {y:04}"));
        spellings.push(format!("{name} {d:02}, {y:04}"));
    }
    spellings.push(format!("{d:02}{m:02}{y:04}"));
    out.extend(spellings.into_iter().map(|spelling| (Form::Date, spelling)));
}

fn digits(value: &str, out: &mut Vec<(Form, String)>) {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= MIN_DIGITS {
        out.push((Form::Digits, digits));
    }
}

/// A spelling in every encoding that can hold it. ASCII case is left to the search.
fn encodings(spelling: &str) -> Vec<(Encoding, Vec<u8>)> {
    let mut out = Vec::new();
    let mut cases = vec![spelling.to_owned()];
    if !spelling.is_ascii() {
        cases.extend([spelling.to_uppercase(), spelling.to_lowercase()]);
        cases.dedup();
    }
    for case in &cases {
        out.push((Encoding::Utf8, case.as_bytes().to_vec()));
        let units: Vec<u16> = case.encode_utf16().collect();
        out.push((Encoding::Utf16Le, units.iter().flat_map(|u| u.to_le_bytes()).collect()));
        out.push((Encoding::Utf16Be, units.iter().flat_map(|u| u.to_be_bytes()).collect()));
        if !case.is_ascii() {
            out.extend(Charset::Latin1.plain(case).map(|bytes| (Encoding::Latin1, bytes)));
        }
    }
    if !spelling.is_ascii() {
        out.extend(Charset::Gb18030.plain(spelling).map(|bytes| (Encoding::Gb18030, bytes)));
        designated(spelling, Charset::Iso2022Jp, ESCAPE_JIS, Encoding::Jis, &mut out);
        designated(spelling, Charset::Iso2022Kr, ESCAPE_KS, Encoding::KsX, &mut out);
    }
    out
}

/// Forms for the sets that need escapes: with escapes as a data set writes them, and the bare
/// codes when they are long enough not to be met by chance (JIS codes look like ASCII text).
fn designated(
    spelling: &str,
    charset: Charset,
    escape: &[u8],
    encoding: Encoding,
    out: &mut Vec<(Encoding, Vec<u8>)>,
) {
    const BARE: usize = 6;
    let Some(codes) = charset.plain(spelling) else {
        return;
    };
    out.push((encoding, charset.encode(spelling)));
    if codes.len() >= BARE {
        out.push((encoding, codes));
    } else {
        out.push((encoding, [escape, &codes].concat()));
    }
}
