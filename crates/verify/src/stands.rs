//! Whether a form found among bytes stands there as such: what is beside it, in its own encoding.

use crate::forms::Form;
use crate::spelling::{Rule, Written, is_letter};
use scanveil_dataset::Vr;

/// How far back the state of ISO 2022, or the begin of a run, is looked for.
const FARTHEST: usize = 4096;

/// Whether the form at `start` counts.
pub(crate) fn stands(form: &Form, bytes: &[u8], start: usize) -> bool {
    let end = start + form.bytes.len();
    let apart = match form.rule {
        Rule::Anywhere => true,
        Rule::Day => {
            before_ok(form, bytes, start)
                && !is_fraction(form, bytes, start)
                && time(form, bytes, end)
        }
        Rule::Edges | Rule::Word => {
            before_ok(form, bytes, start)
                && after_ok(form, bytes, end)
                && !is_fraction(form, bytes, start)
        }
    };
    apart
        && match form.written {
            Written::Utf8 => !in_jis(bytes, start).is_some_and(|_| form.bytes.is_ascii()),
            Written::Jis => in_jis(bytes, start) == Some(true),
            Written::Double => aligned(bytes, start),
            Written::Single | Written::Utf16Le | Written::Utf16Be => true,
        }
}

/// The character that begins at `at`.
pub(crate) fn char_at(bytes: &[u8], at: usize, written: Written) -> Option<char> {
    let rest = bytes.get(at..)?;
    let first = *rest.first()?;
    match written {
        Written::Utf8 if first < 0x80 => Some(char::from(first)),
        Written::Utf8 => {
            let parsed = |n: usize| std::str::from_utf8(rest.get(..n)?).ok()?.chars().next();
            (2..=4).find_map(parsed)
        }
        Written::Single => Some(single(first)),
        Written::Utf16Le => unit(u16::from_le_bytes([first, *rest.get(1)?])),
        Written::Utf16Be => unit(u16::from_be_bytes([first, *rest.get(1)?])),
        Written::Double | Written::Jis => None,
    }
}

/// The character that ends at `at`.
pub(crate) fn char_before(bytes: &[u8], at: usize, written: Written) -> Option<char> {
    let head = bytes.get(..at)?;
    let last = *head.last()?;
    match written {
        Written::Utf8 if last < 0x80 => Some(char::from(last)),
        Written::Utf8 => (2..=4).find_map(|n| {
            let mut chars =
                std::str::from_utf8(head.get(head.len().checked_sub(n)?..)?).ok()?.chars();
            chars.next().filter(|_| chars.next().is_none())
        }),
        Written::Single => Some(single(last)),
        Written::Utf16Le | Written::Utf16Be => char_at(bytes, at.checked_sub(2)?, written),
        Written::Double | Written::Jis => None,
    }
}

/// Whose set it is, nobody knows: from A1 on they are mostly letters.
fn single(byte: u8) -> char {
    if byte > 0xa0 { 'ä' } else { char::from(byte) }
}

fn unit(unit: u16) -> Option<char> {
    char::from_u32(u32::from(unit))
}

fn touches(rule: Rule, inner: Option<char>, outer: Option<char>) -> bool {
    let (Some(inner), Some(outer)) = (inner, outer) else { return false };
    let (letter, digit) = (is_letter(outer), outer.is_ascii_digit());
    match rule {
        Rule::Word => letter || digit,
        _ => (letter && is_letter(inner)) || (digit && inner.is_ascii_digit()),
    }
}

fn before_ok(form: &Form, bytes: &[u8], start: usize) -> bool {
    let inner = char_at(bytes, start, form.written);
    let outer = char_before(bytes, start, form.written);
    !touches(form.rule, inner, outer) || begins_value(bytes, start)
}

fn after_ok(form: &Form, bytes: &[u8], end: usize) -> bool {
    let inner = char_before(bytes, end, form.written);
    let outer = char_at(bytes, end, form.written);
    !touches(form.rule, inner, outer) || ends_value(bytes, end)
}

fn vr_at(bytes: &[u8], at: Option<usize>) -> bool {
    let letters = at.and_then(|at| Some([*bytes.get(at)?, *bytes.get(at + 1)?]));
    letters.is_some_and(|letters| Vr(letters).is_known())
}

/// Whether the bytes before look like the header of an element (PS3.5 7.1.2): its length may look
/// like a letter or a digit.
pub(crate) fn begins_value(bytes: &[u8], start: usize) -> bool {
    let short = vr_at(bytes, start.checked_sub(4))
        && bytes[start - 2..start].iter().any(|byte| *byte < 0x20);
    let long = vr_at(bytes, start.checked_sub(8)) && bytes[start - 6..start - 4] == [0, 0];
    short || long
}

/// Whether the bytes after look like the header of an element: its group may look like a letter or
/// a digit.
pub(crate) fn ends_value(bytes: &[u8], end: usize) -> bool {
    let Some(head) = bytes.get(end..end + 8) else {
        // Cut within a header.
        return bytes.get(end + 1) == Some(&0);
    };
    let explicit = vr_at(head, Some(4));
    (head[1] == 0 && (explicit || head[6..] == [0, 0]))
        || (explicit && head[2..4].iter().any(|byte| *byte < 0x20))
}

/// After a day: no digits, or those of a time (PS3.5 6.2, VR DT).
fn time(form: &Form, bytes: &[u8], end: usize) -> bool {
    let width = if matches!(form.written, Written::Utf16Le | Written::Utf16Be) { 2 } else { 1 };
    let mut digits = [0u32; 7];
    let mut count = 0;
    while count < digits.len() {
        let at = end + count * width;
        let next = char_at(bytes, at, form.written).and_then(|c| c.to_digit(10));
        let Some(digit) = next.filter(|_| !ends_value(bytes, at)) else { break };
        digits[count] = digit;
        count += 1;
    }
    let pair = |at: usize| digits[at] * 10 + digits[at + 1];
    count == 0
        || (matches!(count, 2 | 4 | 6)
            && pair(0) < 24
            && (count < 4 || pair(2) < 60)
            && (count < 6 || pair(4) <= 60))
}

/// Whether a number is the fraction of another: one point before it, digits before that.
fn is_fraction(form: &Form, bytes: &[u8], start: usize) -> bool {
    let head = &bytes[..start];
    if head.last() != Some(&b'.') || !form.is_number() {
        return false;
    }
    if bytes.get(start + form.bytes.len()) == Some(&b'.') {
        return false;
    }
    let whole = head[..start - 1].iter().rev().take(FARTHEST).take_while(|b| b.is_ascii_digit());
    let length = whole.count();
    let before = (start - 1).checked_sub(length + 1).map(|at| bytes[at]);
    length > 0 && before != Some(b'.')
}

/// Whether `at` is among two-byte characters designated to the lower half (ISO 2022), and if so
/// whether it is the first byte of one. Control characters and bytes of the upper half end them.
fn in_jis(bytes: &[u8], at: usize) -> Option<bool> {
    let head = &bytes[at.saturating_sub(FARTHEST)..at];
    let run = head.iter().rev().take_while(|byte| (0x21..0x80).contains(*byte)).count();
    let start = head.len() - run;
    if start == 0 || head[start - 1] != 0x1b {
        return None;
    }
    let run = match &head[start..] {
        [b'$', b'(', b'D', run @ ..] | [b'$', b'B' | b'@', run @ ..] => run,
        _ => return None,
    };
    Some(run.len() % 2 == 0)
}

/// Whether `at` can be the first byte of a two-byte character: in a run of the upper half alone
/// they stand in pairs.
fn aligned(bytes: &[u8], at: usize) -> bool {
    let head = &bytes[at.saturating_sub(FARTHEST)..at];
    let run = head.iter().rev().take_while(|byte| **byte >= 0x80);
    let (mut count, mut pairs) = (0, true);
    for byte in run {
        count += 1;
        pairs &= *byte >= 0xa1;
    }
    !pairs || count % 2 == 0
}
