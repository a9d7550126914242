//! Telephone numbers, and other numbers written in groups.

use super::national;
use crate::kind::Kind;
use crate::token::Page;

/// Most groups of a number.
const GROUPS: usize = 8;

/// A number in groups of digits.
#[derive(Default)]
struct Groups {
    digits: String,
    lengths: Vec<usize>,
    marks: Vec<char>,
    plus: bool,
    /// Whether a number sign stands before it.
    numbered: bool,
    bracket: bool,
    end: usize,
}

/// A number that begins at a token: the token after it, what it is, by which rule.
pub(super) fn number_at(page: &Page, at: usize) -> Option<(usize, Kind, &'static str)> {
    let inside = at >= 2 && page.mark(at - 1) == Some('.') && page.digits_at(at - 2).is_some();
    if inside {
        return None;
    }
    let groups = groups_at(page, at);
    let found = groups.and_then(|groups| {
        let (kind, rule) = classify(&groups).or_else(|| before_stroke(&groups))?;
        Some((groups.end, kind, rule))
    });
    found.or_else(|| security_number(page, at))
}

/// `418-07-3356/6`: a number in groups that hyphens join, and a stroke with what is counted in it.
fn before_stroke(groups: &Groups) -> Option<(Kind, &'static str)> {
    let hyphens = groups.marks.iter().take_while(|mark| **mark == '-').count();
    let (before, behind) = groups.lengths.split_at_checked(hyphens + 1)?;
    let stroke = groups.marks.get(hyphens) == Some(&'/') && hyphens > 0;
    let counted = behind.iter().all(|&length| length <= COUNTED);
    let total = before.iter().sum();
    let first = Groups {
        digits: groups.digits.get(..total)?.to_owned(),
        lengths: before.to_vec(),
        marks: vec!['-'; hyphens],
        numbered: groups.numbered,
        ..Groups::default()
    };
    (stroke && counted).then(|| classify(&first)).flatten()
}

/// Most digits behind the stroke of a number.
const COUNTED: usize = 2;
/// Most letters that are written to a number of the social security: `123-45-6789A`.
const BENEFICIARY: usize = 2;

/// `123.45.6789`, `123-45-6789A`, `123_45_6789/2`: three, two and four digits, joined alike, that
/// can be a number of the social security.
fn security_number(page: &Page, at: usize) -> Option<(usize, Kind, &'static str)> {
    let mark = page.mark(at + 1).filter(|c| matches!(c, '-' | '.' | '/' | '_'))?;
    let group = |token: usize| page.digits_at(token).filter(|_| page.is_free(token));
    let [one, two, three] = [group(at)?, group(at + 2)?, group(at + 4)?];
    let whole = page.mark(at + 3) == Some(mark)
        && [one.len(), two.len(), three.len()] == [3, 2, 4]
        && !page.is_glued_before(at);
    national::of_digits(&[one, two, three].concat(), &[3, 2, 4])
        .filter(|(_, rule)| whole && *rule == "us-ssn")?;
    let mut end = at + 5;
    if page.is_glued_before(end) {
        let letters = page.is_word(end) && page.str(end).len() <= BENEFICIARY;
        end = (letters && !page.is_glued_before(end + 1)).then_some(end + 1)?;
    }
    // Four groups are an address of a machine, a version or a list.
    let again = page.mark(end) == Some(mark) && page.digits_at(end + 1).is_some();
    if again && mark != '-' {
        return None;
    }
    let behind = page.mark(end).is_some_and(|c| matches!(c, '/' | '-' | '_'))
        && page.digits_at(end + 1).is_some_and(|digits| digits.len() <= COUNTED)
        && !page.is_glued_before(end + 2);
    let end = if behind { end + 2 } else { end };
    Some((end, Kind::NationalIdentifier, "us-ssn"))
}

fn groups_at(page: &Page, at: usize) -> Option<Groups> {
    let mut groups = Groups::default();
    let mut next = at;
    groups.numbered = at > 0 && page.mark(at - 1) == Some('#');
    if page.mark(next) == Some('+') {
        groups.plus = true;
        next += 1;
    }
    let open = page.mark(next) == Some('(');
    next += usize::from(open);
    while groups.lengths.len() < GROUPS {
        let Some(digits) = page.digits_at(next).filter(|_| page.is_free(next)) else { break };
        let glued = page.is_glued_before(next) || page.is_glued_before(next + 1);
        if glued {
            break;
        }
        groups.digits.push_str(digits);
        groups.lengths.push(digits.len());
        next += 1;
        groups.end = next;
        if page.mark(next) == Some(')') && (open || groups.bracket) {
            groups.bracket = true;
            next += 1;
            groups.end = next;
        }
        let (mark, after) = joint(page, next)?;
        if mark == '\0' {
            break;
        }
        groups.bracket |= mark == '(';
        if page.digits_at(after).is_none() || page.is_glued_before(after + 1) {
            break;
        }
        groups.marks.push(mark);
        next = after;
    }
    groups.marks.truncate(groups.lengths.len().saturating_sub(1));
    (!groups.lengths.is_empty()).then_some(groups)
}

/// What joins two groups, and the token after it; `\0` when nothing does.
fn joint(page: &Page, at: usize) -> Option<(char, usize)> {
    let mark = page.mark(at);
    if page.is_space(at) {
        let inner = page.mark(at + 1).filter(|c| matches!(c, '-' | '/' | '('));
        return Some(match inner {
            Some('(') => ('(', at + 2),
            Some(mark) if page.is_space(at + 2) => (mark, at + 3),
            Some(_) => ('\0', at),
            None if page.str(at).len() == 1 => (' ', at + 1),
            None => ('\0', at),
        });
    }
    Some(match mark {
        Some(c @ ('-' | '.' | '/')) => (c, at + 1),
        Some('(') => ('(', at + 1),
        _ if page.digits_at(at).is_some() => (' ', at),
        _ => ('\0', at),
    })
}

fn classify(groups: &Groups) -> Option<(Kind, &'static str)> {
    let (count, total) = (groups.lengths.len(), groups.digits.len());
    let telephone = Some((Kind::Telephone, "telephone-shape"));
    if groups.plus && (7..=15).contains(&total) {
        return telephone;
    }
    if groups.bracket && (7..=13).contains(&total) && count >= 2 {
        return telephone;
    }
    if count < 2 {
        return None;
    }
    let one_mark = groups.marks.iter().all(|m| *m == groups.marks[0]);
    let shape = groups.lengths.as_slice();
    let checked = || national::of_digits(&groups.digits, shape);
    match groups.marks[0] {
        '-' if one_mark => hyphens(groups, total).and_then(|found| checked().or(Some(found))),
        ' ' if one_mark => spaces(groups, shape, total),
        '.' | '/' | '-' | ' ' => dots(groups, shape, total),
        _ => None,
    }
}

fn number(digits: &str) -> u32 {
    digits.parse().unwrap_or(u32::MAX)
}

fn hyphens(groups: &Groups, total: usize) -> Option<(Kind, &'static str)> {
    let shape = groups.lengths.as_slice();
    let longest = shape.iter().copied().max().unwrap_or(0);
    if total < 7 || longest < 3 {
        return None;
    }
    if let [first, _] = shape {
        let (one, two) = groups.digits.split_at(*first);
        let round = number(one).is_multiple_of(10) && number(two).is_multiple_of(10);
        let years = |s: &str| s.len() == 4 && (1900..2100).contains(&number(s));
        let rises = number(one) < number(two) && !groups.numbered;
        if longest <= 4 && rises && !two.starts_with('0') && (round || (years(one) && years(two))) {
            return None;
        }
    }
    let local = matches!(shape, [3, 4] | [1, 3, 4] | [3, 3, 4] | [1, 3, 3, 4]);
    let mobile = matches!(shape, [2..=4, 3 | 4, 3 | 4] | [2..=4, 4] | [3, 4, 2]);
    let leading = groups.digits.starts_with('0') || groups.digits.starts_with("555");
    Some(if local || (mobile && leading) {
        (Kind::Telephone, "telephone-shape")
    } else {
        (Kind::RecordNumber, "grouped-digits")
    })
}

/// Groups after spaces are often lists of settings: only shapes that numbers of people have.
fn spaces(groups: &Groups, shape: &[usize], total: usize) -> Option<(Kind, &'static str)> {
    let d = groups.digits.as_bytes();
    let checked = national::of_digits(&groups.digits, shape);
    let card =
        checked.filter(|(kind, _)| *kind != Kind::CreditCard || shape.iter().all(|&n| n >= 3));
    if card.is_some() {
        return card;
    }
    if shape == [1, 2, 2, 2, 3, 3, 2] {
        return Some((Kind::NationalIdentifier, "fr-nir"));
    }
    let pairs = total == 10 && shape == [2, 2, 2, 2, 2] && d[0] == b'0' && d[1] != b'0';
    let national =
        matches!(shape, [3, 3, 4] | [1, 3, 3, 4]) && (b'2'..=b'9').contains(&d[shape.len() / 4]);
    let chinese = shape == [3, 4, 4] && d[0] == b'1';
    let iberian = shape == [3, 3, 3] && matches!(d[0], b'6'..=b'9');
    let trunk = d[0] == b'0'
        && (9..=12).contains(&total)
        && shape.iter().all(|&n| n >= 2)
        && shape.len() <= 5
        && shape[0] >= 3;
    let brazilian = matches!(shape, [2, 5, 4] | [5, 4] | [2, 4, 4]) && total >= 9;
    let found = pairs || national || chinese || iberian || trunk || brazilian;
    found.then_some((Kind::Telephone, "telephone-shape"))
}

fn dots(groups: &Groups, shape: &[usize], total: usize) -> Option<(Kind, &'static str)> {
    if shape.len() > 5 {
        return None;
    }
    let one_mark = groups.marks.iter().all(|mark| *mark == groups.marks[0]);
    let checked = national::of_digits(&groups.digits, shape)
        .filter(|_| total == 11 && (one_mark || *shape == [3, 3, 3, 2]));
    if checked.is_some() {
        return checked;
    }
    let d = groups.digits.as_bytes();
    let dotted = groups.marks.iter().all(|mark| *mark == '.');
    let american = matches!(shape, [3, 3, 4]) && (dotted || (b'2'..=b'9').contains(&d[0]));
    let pairs = shape == [2, 2, 2, 2, 2] && d[0] == b'0';
    let dial = d[0] == b'0' && shape[0] >= 3 && total >= 8 && shape[1..].iter().any(|&n| n >= 4);
    let mobile = shape.len() >= 3 && shape[0] == 4 && d[0] == b'0' && total >= 9;
    let area = matches!(shape, [2, 5, 4] | [3, 4, 4]) && groups.marks.contains(&'-');
    (american || pairs || dial || mobile || area).then_some((Kind::Telephone, "telephone-shape"))
}
