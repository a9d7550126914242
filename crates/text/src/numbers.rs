//! Numbers that identify: dates, telephone numbers, records, national identifiers, cards.

mod ages;
mod birth;
mod cues;
mod dates;
mod months;
mod national;
mod phone;
mod roman;
mod technical;
mod weekday;

use crate::kind::Kind;
use crate::token::{Class, Page};
use cues::{Cue, cue_before};

pub(crate) use cues::introduction;
pub(crate) use dates::DATES;
pub(crate) use months::roman;
pub(crate) use technical::is_unit;
pub(crate) use weekday::{is_nobody, take_beside};

/// Shortest run of digits that is taken when nothing explains it.
const LONG_RUN: usize = 6;
/// Fewest digits of letters and digits together that are taken.
const MIXED_DIGITS: usize = 4;

/// Whether digits are a part of a fraction, or what stands behind them makes a measure of them. One
/// letter does not: it is a unit, or a year's.
pub(crate) fn is_measure(page: &Page, at: usize) -> bool {
    let digits = |at: usize| page.digits_at(at).is_some();
    let joined = |mark: usize, other: usize| page.mark(mark) == Some('.') && digits(other);
    if at >= 2 && joined(at - 1, at - 2) || joined(at + 1, at + 2) {
        return true;
    }
    let behind = at + 1 + usize::from(page.is_space(at + 1));
    if matches!(page.mark(behind), Some('%' | '°')) {
        return true;
    }
    let last = page.glued_end(behind).min(page.tokens.len());
    // `mGy` is of two tokens, by its capital.
    let span = page.tokens.get(behind).zip(page.tokens.get(last - 1));
    let word = span.map_or("", |(first, last)| &page.text[first.start..last.end]);
    word.chars().count() > 1 && is_unit(word) && !ages::is_of_time(word)
}

/// Takes every number that identifies.
pub(crate) fn find(page: &mut Page) {
    if page.has_eastern {
        find_spelled_out(page);
    }
    if page.digits == 0 {
        find_in_words(page);
        return;
    }
    let mut at = 0;
    while at < page.tokens.len() {
        at = step(page, at).max(at + 1);
    }
}

fn find_spelled_out(page: &mut Page) {
    for at in 0..page.tokens.len() {
        if page.class(at) == Some(Class::Han) && page.is_free(at) && page.str(at).len() >= 12 {
            let start = page.tokens[at].start;
            if let Some(range) = dates::spelled_out(page.str(at)) {
                page.take_range(range.start + start..range.end + start, Kind::Date, "han-date");
            }
        }
    }
}

/// Ages that are written in words.
fn find_in_words(page: &mut Page) {
    for at in 0..page.tokens.len() {
        if page.is_free(at)
            && let Some(age) = ages::age_at(page, at)
        {
            page.take_tokens(age, Kind::Age, "age-over-89");
        }
    }
}

/// Looks at what begins at a token; the token to go on with.
fn step(page: &mut Page, at: usize) -> usize {
    if !page.is_free(at) {
        return at + 1;
    }
    if let Some(date) = dates::date_at(page, at)
        && (at..date.end).all(|t| page.is_free(t))
        && !is_longer(page, &date, at)
    {
        return take_date(page, &date, at);
    }
    if let Some(age) = ages::age_at(page, at).filter(|age| page.is_free(age.start)) {
        let end = age.end;
        page.take_tokens(age, Kind::Age, "age-over-89");
        return end;
    }
    if let Some(year) = birth::year_at(page, at) {
        let end = year.end;
        page.take_tokens(year, Kind::Date, "birth-year");
        return end;
    }
    let starts = page.mark(at).is_some_and(|c| c == '+' || c == '(')
        || (!page.is_glued_before(at) && is_alphanumeric(page, at));
    if !starts {
        return at + 1;
    }
    number_at(page, at)
        .unwrap_or_else(|| if page.mark(at).is_some() { at + 1 } else { page.glued_end(at) })
}

/// Whether digits that look like a date go on as another number: `900101-1234568`.
fn is_longer(page: &Page, date: &dates::DateSpan, at: usize) -> bool {
    let letters = page.is_word(at) && joined_end(page, date.end) > date.end;
    date.rule == "compact-date"
        && (letters || phone::number_at(page, at).is_some_and(|n| n.0 > date.end))
}

/// The end of groups of digits that hyphens join to letters and digits: `A131022-7054`.
fn joined_end(page: &Page, end: usize) -> usize {
    let mut end = end;
    while page.mark(end) == Some('-') && page.digits_at(end + 1).is_some_and(|d| d.len() > 2) {
        end += 2;
    }
    end
}

fn take_date(page: &mut Page, date: &dates::DateSpan, at: usize) -> usize {
    let cued = cue_before(&page.text, date.start).filter(|cue| cue.digits <= 5);
    let end = page.tokens[date.end - 1].end;
    let (kind, rule) = match cued {
        // `MRN 20210712`: the cue knows better what the digits are.
        Some(cue) if date.rule == "compact-date" => (cue.kind, cue.rule),
        _ => (Kind::Date, date.rule),
    };
    let glued = page.glued_end(date.end - 1);
    let letters = (at..glued).all(|t| is_alphanumeric(page, t)) && glued > date.end;
    let end = if letters { page.tokens[glued - 1].end } else { end };
    page.take_range(date.start..end, kind, rule);
    let next = if letters { glued } else { date.end };
    if date.weekday {
        weekday::take_initials(page, date.start, next);
    }
    next
}

fn is_alphanumeric(page: &Page, at: usize) -> bool {
    matches!(page.class(at), Some(Class::Word | Class::Digits))
}

/// The number that begins at a token, with its cue, its groups and its letters.
fn number_at(page: &mut Page, at: usize) -> Option<usize> {
    let cue = cue_before(&page.text, page.tokens[at].start);
    if let Some(end) = cue.and_then(|cue| cued(page, at, cue)) {
        return Some(end);
    }
    let end = page.glued_end(at);
    if let Some((end, kind, rule)) = phone::number_at(page, at) {
        page.take_tokens(at..end, kind, rule);
        return Some(end);
    }
    if page.mark(at).is_some() {
        return None;
    }
    let text = &page.text[page.tokens[at].start..page.tokens[end - 1].end];
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits < MIXED_DIGITS {
        return bracketed(page, at, end);
    }
    let found = if digits == text.len() {
        long_run(page, at, text)
    } else {
        bracketed_mixed(page, at, end).or_else(|| mixed(text))
    };
    let (kind, rule) = found?;
    let end = match rule {
        "hk-identity-card" => bracket_end(page, end),
        "letters-and-digits" => joined_end(page, end),
        _ => end,
    };
    page.take_tokens(at..end, kind, rule);
    Some(end)
}

/// What follows a cue: letters and digits, with the marks that join them.
fn cued(page: &mut Page, at: usize, cue: Cue) -> Option<usize> {
    let is_joint = |c: char| matches!(c, '-' | '/' | '.' | ':');
    if page.mark(at) == Some('(') && cue.kind != Kind::Telephone {
        return None;
    }
    let mut end = at;
    let mut digits = 0;
    loop {
        let more = if is_alphanumeric(page, end) && page.is_free(end) {
            1
        } else if page.mark(end).is_some_and(is_joint) && is_alphanumeric(page, end + 1) {
            2
        } else if digits > 0 || cue.kind == Kind::Telephone {
            group_after(page, end, cue)
        } else {
            0
        };
        if more == 0 {
            break;
        }
        digits += (end..end + more).filter_map(|t| page.digits_at(t)).map(str::len).sum::<usize>();
        end += more;
    }
    if cue.kind == Kind::NationalIdentifier {
        end = bracket_end(page, end);
    }
    let technical = cue.digits > 2 && technical::explains(page, at, end);
    if digits < cue.digits || end == at || technical {
        return None;
    }
    let compact: String = page.text[page.tokens[at].start..page.tokens[end - 1].end]
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let checked = national::of_digits(&compact, &[]).or_else(|| national::of_mixed(&compact));
    let (kind, rule) = match checked {
        Some(found) if cue.kind == Kind::NationalIdentifier => found,
        Some(found) if cue.kind == Kind::CreditCard => found,
        _ => (cue.kind, cue.rule),
    };
    page.take_tokens(at..end, kind, rule);
    Some(end)
}

/// Another group of digits after a space, or the brackets and plus signs of telephone numbers.
fn group_after(page: &Page, at: usize, cue: Cue) -> usize {
    let telephone = cue.kind == Kind::Telephone;
    let fewest = if telephone { 2 } else { 3 };
    let mark = page.mark(at).filter(|_| telephone);
    if mark.is_some_and(|c| matches!(c, '+' | '(')) && page.digits_at(at + 1).is_some() {
        return 2;
    }
    if mark == Some(')') {
        return 1;
    }
    let group = |t: usize| page.digits_at(t).is_some_and(|d| d.len() >= fewest);
    if page.is_space(at) && group(at + 1) && !page.is_glued_before(at + 2) && cue.digits != 1 {
        return 2;
    }
    if page.is_space(at) && cue.digits == 1 && group(at + 1) {
        return 2;
    }
    0
}

/// A run of digits alone.
fn long_run(page: &Page, at: usize, text: &str) -> Option<(Kind, &'static str)> {
    if let Some(found) = national::of_digits(text, &[text.len()])
        && text.len() >= 9
    {
        return Some(found);
    }
    let unexplained = text.len() >= LONG_RUN && !technical::explains(page, at, at + 1);
    unexplained.then_some((Kind::RecordNumber, "digit-run"))
}

/// Letters and digits together.
fn mixed(text: &str) -> Option<(Kind, &'static str)> {
    if let Some(found) = national::of_mixed(text) {
        return Some(found);
    }
    let unexplained = text.len() >= LONG_RUN && !technical::is_setting(text);
    unexplained.then_some((Kind::RecordNumber, "letters-and-digits"))
}

/// `A123456(7)`: the check digit in brackets.
fn bracketed_mixed(page: &Page, at: usize, end: usize) -> Option<(Kind, &'static str)> {
    let close = bracket_end(page, end);
    if close == end {
        return None;
    }
    let body = &page.text[page.tokens[at].start..page.tokens[end - 1].end];
    national::of_mixed(&format!("{body}{}", page.str(end + 1)))
}

fn bracket_end(page: &Page, end: usize) -> usize {
    let bracket = page.mark(end) == Some('(') && page.mark(end + 2) == Some(')');
    let check = page.str(end + 1).len() == 1 && is_alphanumeric(page, end + 1);
    if bracket && check { end + 3 } else { end }
}

/// Short letters and digits joined by hyphens to more than six digits: `CT-20-12345`.
fn bracketed(page: &mut Page, at: usize, end: usize) -> Option<usize> {
    let mut last = end;
    let mut digits: usize = (at..end).filter_map(|t| page.digits_at(t)).map(str::len).sum();
    let mut longest = digits;
    while page.mark(last) == Some('-') && page.digits_at(last + 1).is_some() {
        let group = page.digits_at(last + 1).map_or(0, str::len);
        digits += group;
        longest = longest.max(group);
        last += 2;
    }
    let letters = (at..end).any(|t| page.is_word(t));
    (letters && digits >= LONG_RUN && longest >= MIXED_DIGITS).then(|| {
        page.take_tokens(at..last, Kind::RecordNumber, "letters-and-digits");
        last
    })
}
