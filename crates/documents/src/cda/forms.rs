//! The forms that values of the data types have (HL7 V3 Data Types R1).

/// Longest code and most letters in it: `R-40FB9`, `11528-7`, `39607008`, `en-US`, `POCD_HD000040`.
const LONGEST_CODE: usize = 20;
/// Longest word of HL7's own vocabularies.
const LONGEST_WORD: usize = 12;
/// Most letters of a code that is no word.
const LETTERS: usize = 4;
/// Longest UID and longest unit.
const LONGEST_UID: usize = 128;
const LONGEST_UNIT: usize = 32;

/// Object identifiers below which there are code systems and value sets of everybody: DICOM, HL7's
/// vocabularies and the code systems registered with it, countries, languages.
const REGISTERED: &[&str] = &[
    "1.0.3166.1",
    "1.2.840.10008.",
    "2.16.840.1.113883.1.11.",
    "2.16.840.1.113883.1.3",
    "2.16.840.1.113883.10.20.",
    "2.16.840.1.113883.12.",
    "2.16.840.1.113883.3.26.1.1",
    "2.16.840.1.113883.4.642.",
    "2.16.840.1.113883.4.9",
    "2.16.840.1.113883.5.",
    "2.16.840.1.113883.6.",
    "1.3.6.1.4.1.19376.1.",
    "1.3.6.1.4.1.12009.",
];

/// An OID in dotted form.
pub(crate) fn is_oid(text: &str) -> bool {
    text.len() <= LONGEST_UID
        && text.contains('.')
        && text.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_digit())
                && (part == "0" || !part.starts_with('0'))
        })
}

/// A UID: an OID, or a UUID in its 36 characters.
pub(crate) fn is_uid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let uuid = bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    uuid || is_oid(text)
}

/// Whether an OID names a code system or a template that is the same everywhere. An OID that is
/// long below it could carry a number of somebody.
pub(crate) fn is_registered(oid: &str) -> bool {
    let below = |known: &&&str| {
        oid.strip_prefix(**known).is_some_and(|rest| {
            let whole = known.ends_with('.') || rest.is_empty() || rest.starts_with('.');
            whole && rest.split('.').all(|part| part.len() <= 6) && rest.len() <= 24
        })
    };
    is_oid(oid) && REGISTERED.iter().any(|known| below(&known))
}

/// A code, by its form: few letters, or a short word of capitals as HL7's own vocabularies have it.
pub(crate) fn is_code(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'/' | b':');
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    text.len() <= LONGEST_CODE
        && text.bytes().all(fits)
        && (letters <= LETTERS || is_word(text))
        && !holds_a_day(text)
}

/// A word of the vocabularies that are part of the standard: `completed`, `active`, `normal`.
fn is_word(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "aborted",
        "active",
        "cancelled",
        "completed",
        "held",
        "new",
        "normal",
        "nullified",
        "obsolete",
        "suspended",
    ];
    text.len() <= LONGEST_WORD && WORDS.contains(&text)
}

/// Eight digits that are a day of our time: a date where none belongs.
fn holds_a_day(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 8 || text.len() > 10 {
        return false;
    }
    let number = |at: std::ops::Range<usize>| digits[at].parse::<u32>().unwrap_or(0);
    matches!(number(0..4), 1880..=2100)
        && matches!(number(4..6), 1..=12)
        && matches!(number(6..8), 1..=31)
}

/// A number, whole or with a fraction or an exponent.
pub(crate) fn is_number(text: &str) -> bool {
    text.len() <= 20
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
        && !holds_a_day(text)
}

/// A point in time (TS): digits, a fraction, an offset from UTC.
pub(crate) fn is_time(text: &str) -> bool {
    text.len() <= 26 && text.bytes().all(|b| b.is_ascii_digit() || b".+-".contains(&b))
}

/// A unit (UCUM) without an annotation in braces, which is free text.
pub(crate) fn is_unit(text: &str) -> bool {
    let letters = text.split(|c: char| !c.is_ascii_alphabetic()).map(str::len).max().unwrap_or(0);
    text.len() <= LONGEST_UNIT
        && letters <= 4
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/*.[]%'^-_()+".contains(&b))
}

/// A language (RFC 5646), the parts of it that say a language, a script and a country.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().is_some_and(|part| matches!(part.len(), 2 | 3));
    let rest: Vec<&str> = parts.collect();
    first
        && rest.len() <= 2
        && rest.iter().all(|part| matches!(part.len(), 2 | 4))
        && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
}

/// The version of a template: a day, or numbers with points.
pub(crate) fn is_template_version(text: &str) -> bool {
    let day = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    let fits = |b: u8| b.is_ascii_digit() || (day && b == b'-') || (!day && b == b'.');
    text.len() <= 10 && !text.is_empty() && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_forms() {
        type Form = fn(&str) -> bool;
        let cases: [(Form, &[&str], &[&str]); 6] = [
            (
                is_code,
                &["11528-7", "39607008", "R-40FB9", "M", "en-US", "completed", "PQ", "I10.9"],
                &["Quibble", "Ashgrove", "19530627", "1953-06-27", "a b", "MRN/Ashgrove/5191125"],
            ),
            (is_number, &["3", "-1.5", "1e3", "120"], &["", "19530627", "abc", "1 2", "e"]),
            (is_unit, &["mm[Hg]", "kg/m2", "%", "10*3/uL"], &["{Ashgrove}", "Ashgrove", "a b"]),
            (is_language, &["en", "de-CH", "zh-Hans-CN"], &["english", "e", "en-Ashgrove"]),
            (
                is_registered,
                &[
                    "2.16.840.1.113883.6.1",
                    "1.2.840.10008.2.16.4",
                    "2.16.840.1.113883.10.20.22.1.1",
                ],
                &["2.16.840.1.113883.19.5", "1.2.3", "2.16.840.1.113883.6.5191125"],
            ),
            (
                is_uid,
                &["2.25.7", "c266d2a0-1f2e-4c1b-8d53-7b0e0d4f1a11"],
                &["1", "1..2", "Ashgrove", "01.2", "c266d2a0-1f2e-4c1b-8d53-7b0e0d4f1a1"],
            ),
        ];
        for (form, yes, no) in cases {
            for text in yes {
                assert!(form(text), "{text}");
            }
            for text in no {
                assert!(!form(text), "{text}");
            }
        }
    }
}
