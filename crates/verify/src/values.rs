//! Spellings of everything that is not a name: numbers, dates, ages, places, telephones.

use crate::names::by_letters;
use crate::spelling::{Rule, Spelling, is_letter, is_wide};
use crate::words::all_common;
use std::sync::LazyLock;

/// Fewest digits that count without letters.
const DIGITS: usize = 6;
/// Most digits of a number that is looked for in groups.
const LONGEST_GROUPED: usize = 18;
/// Fewest letters and digits of a code.
const CODE: usize = 4;

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn varied(text: &str) -> bool {
    text.chars().any(|c| !text.starts_with(c))
}

/// The digits of a text and the same without leading zeros, if they are enough to count.
pub(crate) fn numbers(text: &str, out: &mut Vec<Spelling>) {
    let digits = digits(text);
    for digits in [digits.as_str(), digits.trim_start_matches('0')] {
        if digits.len() >= DIGITS && varied(digits) {
            out.push(Spelling::new(digits, Rule::Edges));
        }
    }
}

/// A number as a full stop divides it: by thousands from its end, and in pairs.
fn dotted(digits: &str, out: &mut Vec<Spelling>) {
    for group in [3, 2] {
        let first = match digits.len() % group {
            0 => group,
            rest => rest,
        };
        let mut text = digits.get(..first).unwrap_or_default().to_owned();
        for at in (first..digits.len()).step_by(group) {
            text.push('.');
            text.push_str(digits.get(at..at + group).unwrap_or_default());
        }
        if text.matches('.').count() > 1 {
            out.push(Spelling::new(text, Rule::Edges));
        }
    }
}

/// The digits of each value, with zeros at their beginning and without.
pub(crate) fn digits_alone(text: &str, mut take: impl FnMut(&str)) {
    for value in text.split('\\') {
        let digits = digits(value);
        take(&digits);
        take(digits.trim_start_matches('0'));
    }
}

/// Numbers and codes: of patients, orders, devices.
pub(crate) fn identifiers(value: &str, out: &mut Vec<Spelling>) {
    for code in value.split('\\').map(str::trim) {
        if all_common(code) && digits(code).len() < DIGITS {
            continue;
        }
        numbers(code, out);
        let alone = digits(code);
        if (DIGITS..=LONGEST_GROUPED).contains(&alone.len()) && varied(&alone) {
            dotted(&alone, out);
        }
        let compact: String = code.chars().filter(|c| c.is_alphanumeric()).collect();
        let length = compact.chars().count();
        let letters = compact.chars().any(char::is_alphabetic);
        let numbered = compact.contains(|c: char| c.is_ascii_digit());
        let rule = match (letters, numbered) {
            _ if code.chars().any(is_wide) => (length >= 3).then_some(Rule::Anywhere),
            (true, false) if code.chars().all(is_letter) => {
                by_letters(length).filter(|_| length >= CODE)
            }
            (true, _) if length < CODE => None,
            (true, _) => Some(if length < DIGITS { Rule::Word } else { Rule::Edges }),
            (false, _) => (digits(code).len() >= DIGITS && varied(&compact)).then_some(Rule::Edges),
        };
        let Some(rule) = rule else { continue };
        out.push(Spelling::new(code, rule));
        if compact.len() != code.len() && length >= DIGITS {
            out.push(Spelling::new(compact, rule.max(Rule::Edges)));
        }
    }
}

/// Institutions and addresses: whole, and the longer ones of their parts.
pub(crate) fn places(value: &str, out: &mut Vec<Spelling>) {
    /// Fewest letters and digits of a whole, and of a part.
    const LEAST: [usize; 2] = [5, 10];
    /// The same in ideographs.
    const LEAST_WIDE: [usize; 2] = [3, 4];
    for place in value.split('\\').map(str::trim) {
        let parts = place.split([',', ';', '\r', '\n']).map(str::trim);
        let whole = std::iter::once((place, 0));
        for (text, at) in whole.chain(parts.filter(|part| *part != place).map(|part| (part, 1))) {
            let length = text.chars().filter(|c| c.is_alphanumeric()).count();
            if text.chars().any(is_wide) {
                if length >= LEAST_WIDE[at] {
                    out.push(Spelling::new(text, Rule::Anywhere));
                }
            } else if length >= LEAST[at] && !all_common(text) {
                out.push(Spelling::new(text, Rule::Edges));
            }
        }
    }
}

/// Telephone numbers in other groupings; mail addresses whole.
pub(crate) fn contacts(value: &str, out: &mut Vec<Spelling>) {
    for contact in value.split('\\').map(str::trim) {
        if digits(contact).len() < DIGITS {
            places(contact, out);
            continue;
        }
        out.push(Spelling::new(contact, Rule::Edges));
        numbers(contact, out);
        let groups: Vec<&str> = contact
            .split(|c: char| !c.is_ascii_digit())
            .filter(|group| !group.is_empty())
            .collect();
        if groups.len() > 1 {
            for between in [" ", "-", ".", "/"] {
                out.push(Spelling::new(groups.join(between), Rule::Edges));
            }
        }
    }
}

/// Ages over 89 years, which are rare enough to be somebody's.
pub(crate) fn ages(value: &str, out: &mut Vec<Spelling>) {
    for age in value.split('\\').map(str::trim) {
        let years = age.strip_suffix('Y').and_then(|years| years.parse::<u16>().ok());
        if years.is_some_and(|years| years > 89) {
            out.push(Spelling::new(age, Rule::Word));
        }
    }
}

/// A calendar day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day {
    year: u16,
    month: u8,
    day: u8,
}

/// The names of months and their Roman numbers.
static MONTHS: LazyLock<Vec<&'static str>> = LazyLock::new(|| listed("name"));
static ROMAN: LazyLock<Vec<&'static str>> = LazyLock::new(|| listed("roman"));

fn listed(section: &str) -> Vec<&'static str> {
    let lines = include_str!("../data/months.txt").lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(name, _)| *name == section).flat_map(|(_, words)| words.split(' ')).collect()
}

/// Every day that a date or date and time holds, well formed or nearly so.
pub(crate) fn days(value: &[u8]) -> Vec<Day> {
    value.split(|&b| b == b'\\').filter_map(day).collect()
}

fn day(value: &[u8]) -> Option<Day> {
    let start = value.iter().position(u8::is_ascii_digit)?;
    let mut digits = value[start..].iter().filter(|b| !matches!(b, b'.' | b'-' | b'/'));
    let mut number = |length: usize| {
        let mut number = 0u16;
        for _ in 0..length {
            let digit = digits.next().filter(|b| b.is_ascii_digit())? - b'0';
            number = number * 10 + u16::from(digit);
        }
        Some(number)
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let real = year > 0 && (1..=12).contains(&month) && (1..=31).contains(&day);
    real.then_some(Day { year, month: month as u8, day: day as u8 })
}

impl Day {
    /// The day as DICOM, forms, programs and people write it.
    pub(crate) fn spellings(self, out: &mut Vec<Spelling>) {
        let Self { year: y, month: m, day: d } = self;
        out.push(Spelling::new(format!("{y:04}{m:02}{d:02}"), Rule::Day));
        let mut add = |text: String| out.push(Spelling::new(text, Rule::Edges));
        add(format!("{d:02}{m:02}{y:04}"));
        add(format!("{m:02}{d:02}{y:04}"));
        add(format!("{y:04}年{m}月{d}日"));
        add(format!("{y:04}年{m:02}月{d:02}日"));
        add(format!("{y:04}년 {m}월 {d}일"));
        let Some(month) = MONTHS.get(usize::from(m) - 1) else { return };
        let short = &month[..3];
        let roman = ROMAN.get(usize::from(m) - 1).copied().unwrap_or_default();
        for s in ["-", ".", "/", " "] {
            add(format!("{d}{s}{roman}{s}{y:04}"));
            add(format!("{d:02}{s}{roman}{s}{y:04}"));
        }
        for s in ["-", ".", "/", " "] {
            add(format!("{y:04}{s}{m:02}{s}{d:02}"));
            add(format!("{d:02}{s}{m:02}{s}{y:04}"));
            add(format!("{m:02}{s}{d:02}{s}{y:04}"));
        }
        for s in ["-", ".", "/"] {
            add(format!("{d}{s}{m}{s}{y:04}"));
            add(format!("{m}{s}{d}{s}{y:04}"));
        }
        for s in ["", "-", ".", "/", " "] {
            add(format!("{d:02}{s}{short}{s}{y:04}"));
        }
        for name in [*month, short] {
            add(format!("{d} {name} {y:04}"));
            add(format!("{d:02} {name} {y:04}"));
            add(format!("{d}. {name} {y:04}"));
            add(format!("{name} {d}, {y:04}"));
            add(format!("{name} {d:02}, {y:04}"));
        }
    }
}
