//! Numbers in groups: `12 345 678`, `1234-5678`, `1 2 3 4 5 6 7 8` where the study's number is
//! `12345678`. How often and with what a number may be divided makes more spellings than can be
//! listed, so groups of digits are read together and looked up.

use crate::What;
use crate::forms::{Form, NO_DAY};
use crate::spelling::{Rule, Written};
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

/// Fewest digits of a number that is looked for.
const SHORTEST: usize = 6;
/// Most digits of one.
const LONGEST: usize = 18;
/// Most bytes between two groups.
const GAP: usize = 3;
/// Bytes that are looked at with one question.
const CHUNK: usize = 64;
/// How far before a mark the first group of a number begins.
const FARTHEST: usize = 80;
/// Bits of the first look at a number.
const BITS: usize = 1 << 12;

/// The numbers of a study that are looked for in groups.
pub(crate) struct Grouped {
    forms: Vec<Form>,
    /// The form of each, by its digits behind a one, so that zeros at its beginning count.
    numbers: HashMap<u64, usize>,
    /// Most numbers are told by this that they are none of these.
    bits: Box<[u64; BITS / 64]>,
    longest: usize,
}

impl Grouped {
    pub(crate) fn none() -> Self {
        Self {
            forms: Vec::new(),
            numbers: HashMap::new(),
            bits: Box::new([0; BITS / 64]),
            longest: 0,
        }
    }

    /// Adds the digits of a number, if they are enough to say whose it is.
    pub(crate) fn add(&mut self, digits: &str, what: What) {
        let varied = digits.bytes().any(|byte| !digits.starts_with(char::from(byte)));
        if !(SHORTEST..=LONGEST).contains(&digits.len()) || !varied {
            return;
        }
        let number = digits.bytes().fold(1, pushed);
        self.bits[bit(number) / 64] |= 1 << (bit(number) % 64);
        self.longest = self.longest.max(digits.len());
        self.numbers.entry(number).or_insert(self.forms.len());
        self.forms.push(Form {
            bytes: digits.as_bytes().into(),
            written: Written::Utf8,
            rule: Rule::Edges,
            what,
            exact: true,
            day: NO_DAY,
        });
    }

    /// Calls `found` with each number that stands in two groups or more, until it says that it is
    /// enough.
    pub(crate) fn scan<'g>(
        &'g self,
        bytes: &[u8],
        mut found: impl FnMut(Range<usize>, &'g Form) -> ControlFlow<()>,
    ) {
        if self.numbers.is_empty() {
            return;
        }
        let mut done = 0;
        for from in (1..bytes.len()).step_by(CHUNK) {
            let before = &bytes[from - 1..];
            let chunk = &bytes[from..bytes.len().min(from + CHUNK)];
            if !may_divide(before, chunk) {
                continue;
            }
            for at in (from..from + chunk.len()).filter(|&at| divides(bytes[at - 1], bytes[at])) {
                // Behind most marks no other group begins.
                if at > done && gap(bytes, at) > 0 {
                    done = match self.run(bytes, at, &mut found) {
                        ControlFlow::Continue(end) => end,
                        ControlFlow::Break(()) => return,
                    };
                }
            }
        }
    }

    /// The numbers in the run of groups around the mark at `at`; where it ends.
    fn run<'g>(
        &'g self,
        bytes: &[u8],
        at: usize,
        found: &mut impl FnMut(Range<usize>, &'g Form) -> ControlFlow<()>,
    ) -> ControlFlow<(), usize> {
        let mut start = at;
        let mut limit = FARTHEST;
        while let Some(group) = group_before(bytes, start).filter(|&group| start - group < limit) {
            limit -= start - group;
            start = group;
        }
        loop {
            self.from(bytes, start, found)?;
            let end = start + length(bytes, start);
            let next = end + gap(bytes, end);
            if next == end {
                return ControlFlow::Continue(end);
            }
            start = next;
        }
    }

    /// The numbers whose first group begins at `start`.
    fn from<'g>(
        &'g self,
        bytes: &[u8],
        start: usize,
        found: &mut impl FnMut(Range<usize>, &'g Form) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (mut number, mut length, mut at) = (1, 0, start);
        let mut groups = 0;
        loop {
            let group = digits(bytes, at);
            if group == 0 || length + group > self.longest {
                return ControlFlow::Continue(());
            }
            // `0.1234567` is a number with a fraction.
            let fraction = groups == 1 && matches!(bytes[start + length..at], [b'.' | b',']);
            number = bytes[at..at + group].iter().fold(number, |number, &b| pushed(number, b));
            length += group;
            groups += 1;
            at += group;
            if groups > 1
                && !fraction
                && self.bits[bit(number) / 64] >> (bit(number) % 64) & 1 == 1
                && let Some(form) = self.numbers.get(&number).and_then(|&at| self.forms.get(at))
            {
                found(start..at, form)?;
            }
            at += gap(bytes, at);
        }
    }
}

/// A number with one more digit.
fn pushed(number: u64, digit: u8) -> u64 {
    number * 10 + u64::from(digit - b'0')
}

fn bit(number: u64) -> usize {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize % BITS
}

/// Whether a number may be divided in a chunk: in most it is not. `before` begins one byte earlier.
fn may_divide(before: &[u8], chunk: &[u8]) -> bool {
    // Of a known length it is done in vector registers.
    if let (Some(before), Ok(chunk)) =
        (before.first_chunk::<CHUNK>(), <&[u8; CHUNK]>::try_from(chunk))
    {
        let mut each = [0; CHUNK];
        for (flag, (b, c)) in each.iter_mut().zip(before.iter().zip(chunk)) {
            *flag = u8::from(divides(*b, *c));
        }
        return each.iter().fold(0, |any, flag| any | flag) != 0;
    }
    before.iter().zip(chunk).any(|(b, c)| divides(*b, *c))
}

/// Whether a mark that divides numbers stands behind a digit. A full stop alone does not: it stands
/// in most numbers that are nobody's, and how it divides the others can be listed.
fn divides(before: u8, mark: u8) -> bool {
    let marks = (mark == b' ') | (mark == b'\t') | (mark == b'_') | (mark == b':') | (mark == b'/');
    before.is_ascii_digit() & (marks | (b'\''..=b'-').contains(&mark))
}

/// Where the group of digits begins that ends at a place or before the marks there.
fn group_before(bytes: &[u8], at: usize) -> Option<usize> {
    let head = bytes.get(..at)?;
    let marks = head.iter().rev().take(GAP).take_while(|byte| !byte.is_ascii_digit()).count();
    let end = at - marks;
    let digits = bytes.get(..end)?.iter().rev().take(FARTHEST);
    let start = end - digits.take_while(|byte| byte.is_ascii_digit()).count();
    (start < end && (marks == 0 || gap(bytes, end) == marks)).then_some(start)
}

/// How many digits a group has.
fn length(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// How many digits begin at a place.
fn digits(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    rest.iter().take(LONGEST + 1).take_while(|byte| byte.is_ascii_digit()).count()
}

/// How many bytes of marks and spaces stand between two groups at a place; 0 when none join them.
fn gap(bytes: &[u8], at: usize) -> usize {
    let joins = |byte: &&u8| b" -./_'():\t".contains(byte);
    let rest = bytes.get(at..).unwrap_or(&[]);
    let marks = rest.iter().take(GAP).take_while(joins).count();
    let comma = rest.first() == Some(&b',');
    let length = if comma { 1 } else { marks };
    if rest.get(length).is_some_and(u8::is_ascii_digit) { length } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_whatever_groups() {
        let mut grouped = Grouped::none();
        for digits in ["12345678", "00471122", "1111111", "12345"] {
            grouped.add(digits, What::Identifier);
        }
        let found = |text: &str| {
            let mut all = Vec::new();
            grouped.scan(text.as_bytes(), |range, _| {
                all.push(text[range].to_owned());
                ControlFlow::Continue(())
            });
            all
        };
        for text in ["12 345 678", "1234-5678", "1 2 3 4 5 6 7 8", "12,345,678", "12 - 34 / 5678"] {
            assert_eq!(found(&format!("a {text} b")), [text]);
            assert_eq!(found(text), [text]);
        }
        assert_eq!(found("99 12 345 678 99"), ["12 345 678"]);
        assert_eq!(found("0047-1122"), ["0047-1122"]);
        assert_eq!(found("12.345 678"), ["12.345 678"]);
        let long = format!("{}12-345-678{}", "9 ".repeat(500), " 9".repeat(500));
        assert_eq!(found(&long), ["12-345-678"]);
        assert_eq!(found(&format!("{}1234-5678", "x".repeat(59))), ["1234-5678"]);
        assert_eq!(found(&format!("{}1234-5678", "x".repeat(60))), ["1234-5678"]);
        for text in [
            "12345678",
            "912 345 678",
            "12 345 6789",
            "12 345, 678",
            "12 345\n678",
            "12    345678",
            "111 1111",
            "12 345",
            "12 34 56",
            "47 1122",
            "1234.5678",
            "1234,5678",
            "1 2.345",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
