//! Dates in every spelling, with the times that hang on them.

use super::months::{Month, month};
use super::{roman, weekday};
use crate::token::{Class, Page};
use crate::words::words;

/// Years that a date of a study or of a birth may have.
const YEARS: std::ops::RangeInclusive<u32> = 1880..=2099;
/// Words beside dates.
pub(crate) const DATES: &str = include_str!("../../data/dates.txt");

words! { DATES;
    /// Words before dotted numbers that are versions, and before pairs of numbers that are
    /// settings.
    NO_DATES "no-date";
    /// Words before a dotted date that is as short as a version.
    DATED "dated";
    /// Behind a number that is no day or year.
    MEASURES "measure";
    /// Behind the number of a day: `1st`, `1er`.
    ORDINALS "ordinal";
    /// Behind a day that follows its month.
    SURE_ORDINALS "ordinal-behind-month";
    /// Between a day, a month and a year.
    OF "of";
    /// Between a date and a time.
    BEFORE_TIMES "before-time";
    /// Behind a time.
    HALVES "behind-time";
    /// Eras of Japan and China.
    ERAS "era";
}

/// A date: where it begins, the token after it, and the rule.
pub(super) struct DateSpan {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: &'static str,
    /// Whether a weekday goes with it.
    pub(super) weekday: bool,
}

/// A date that begins at a token, with an era's name or a weekday before it.
pub(super) fn date_at(page: &Page, at: usize) -> Option<DateSpan> {
    let mut start = page.tokens.get(at)?.start;
    let (mut end, rule) = match page.class(at)? {
        Class::Digits => {
            let found = from_digits(page, at)?;
            start -= era_before(page, at).map_or(0, str::len);
            found
        }
        Class::Word => from_word(page, at)?,
        _ => return None,
    };
    let mut weekday = rule == weekday::RULE;
    if let Some(before) = weekday::before(page, at).filter(|_| !weekday) {
        start = page.tokens[before].start;
        weekday = true;
    }
    if let Some(after) = weekday::after(page, end).filter(|_| !weekday) {
        end = after;
        weekday = true;
    }
    Some(DateSpan { start, end: with_time(page, end), rule, weekday })
}

pub(super) fn day(n: u32) -> bool {
    (1..=31).contains(&n)
}

fn day_and_month(day_number: u32, month: u32) -> bool {
    day(day_number) && (1..=12).contains(&month)
}

pub(super) fn year(digits: &str) -> bool {
    digits.len() == 4 && digits.parse().is_ok_and(|y| YEARS.contains(&y))
}

/// Whether three groups of digits are a date in one of the usual orders.
fn is_triple([one, two, three]: [&str; 3]) -> bool {
    let number = |s: &str| s.parse::<u32>().ok().filter(|_| s.len() <= 2);
    let Some(middle) = number(two) else { return false };
    let either = |n: u32| day_and_month(n, middle) || day_and_month(middle, n);
    if year(one) {
        return number(three).is_some_and(either);
    }
    let Some(first) = number(one) else { return false };
    let short = three.len() == 2;
    let year_first = one.len() == 2 && two.len() == 2 && short;
    (year(three) || short) && either(first)
        || year_first && number(three).is_some_and(|last| day_and_month(last, middle))
}

/// Whether three groups of digits were meant to be a date with a whole year: `31/02/1987`.
fn is_malformed([one, two, three]: [&str; 3]) -> bool {
    let year_last = year(three) && one.len() <= 2;
    two.len() <= 2 && (year_last || (year(one) && three.len() <= 2))
}

pub(super) fn from_digits(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    if page.is_glued_before(at) {
        // `CT20210712`: only a whole date may follow letters.
        return compact(page, at).filter(|_| page.digits_at(at).is_some_and(|d| d.len() >= 8));
    }
    spelled_eastern(page, at)
        .or_else(|| separated(page, at))
        .or_else(|| compact(page, at))
        .or_else(|| day_first(page, at))
        .or_else(|| roman::from_digits(page, at))
        .or_else(|| weekday::from_digits(page, at))
}

/// `2021-07-12`, `12/07/2021`, `12.7.21`, `12. 7. 2021`, `2021_07_12`, `12 07 2021`, `07/2021`.
fn separated(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    let one = page.digits_at(at).filter(|d| d.len() <= 4)?;
    if is_behind_number(page, at) {
        return None;
    }
    let (separator, second) = separator(page, at + 1)?;
    let two = page.digits_at(second)?;
    if let Some((again, third)) = self::separator(page, second + 1)
        && again == separator
        && let Some(three) = page.digits_at(third)
    {
        let spaced = separator == ' ';
        let full = !spaced || [one, two, three].iter().all(|g| g.len() >= 2);
        let wide = !spaced || year(one) || year(three);
        // Four groups are a version, an address or a list.
        let ended = !matches!(page.mark(third + 1), Some(c) if c == separator && !spaced)
            || page.digits_at(third + 2).is_none();
        let letters = page.is_glued_before(third + 1) && page.str(third + 1) != "t";
        let long = year(one) || year(three);
        let tiny = separator == '.' && one.len() + two.len() == 2 && !after_word(page, at, &DATED);
        let setting =
            !long && (tiny || after_word(page, at, &NO_DATES) || is_unit(page, third + 1));
        let triple = [one, two, three];
        let dated = is_triple(triple) || (!spaced && is_malformed(triple));
        if full && wide && ended && !letters && !setting && dated {
            return Some((third + 1, "numeric-date"));
        }
    }
    let month_of_year = |month: &str, of: &str| {
        month.len() <= 2 && year(of) && month.parse().is_ok_and(|m: u32| (1..=12).contains(&m))
    };
    let pair = matches!(separator, '/' | '-')
        && (month_of_year(one, two) || (month_of_year(two, one) && two.len() == 2))
        && !page.is_glued_before(second + 1)
        && !after_word(page, at, &NO_DATES);
    pair.then_some((second + 1, "numeric-month"))
}

/// Whether a mark joins digits to a number before them.
pub(super) fn is_behind_number(page: &Page, at: usize) -> bool {
    previous_mark(page, at).is_some_and(|c| matches!(c, '.' | '/' | '-' | ':'))
        && at >= 2
        && page.digits_at(at - 2).is_some()
}

/// The separator at a token and the token after it; a full stop may have a space behind it.
fn separator(page: &Page, at: usize) -> Option<(char, usize)> {
    if page.is_space(at) {
        return (page.str(at) == " ").then_some((' ', at + 1));
    }
    let mark = page.mark(at).filter(|c| matches!(c, '-' | '/' | '.' | '_'))?;
    let spaced = mark == '.' && page.is_space(at + 1);
    Some((mark, at + 1 + usize::from(spaced)))
}

pub(super) fn previous_mark(page: &Page, at: usize) -> Option<char> {
    at.checked_sub(1).and_then(|before| page.mark(before))
}

/// Whether one of these words stands before a token, with nothing but marks between them.
fn after_word(page: &Page, at: usize, words: &[&str]) -> bool {
    let mut before = at;
    for _ in 0..3 {
        let Some(previous) = before.checked_sub(1) else { return false };
        before = previous;
        match page.class(before) {
            Some(Class::Word) => return words.contains(&page.str(before)),
            Some(Class::Space | Class::Mark) => {}
            _ => return false,
        }
    }
    false
}

/// `20210712`, `12072021`, `071221`, `20210712103000`: digits alone.
fn compact(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    let digits = page.digits_at(at)?;
    let fraction = previous_mark(page, at) == Some('.') && at >= 2;
    if fraction && page.digits_at(at - 2).is_some() {
        return None;
    }
    is_compact(digits).then_some((at + 1, "compact-date"))
}

fn is_compact(digits: &str) -> bool {
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or("");
    match digits.len() {
        14 | 12 if is_compact(part(0, 8)) => {
            let hour = part(8, 10).parse().is_ok_and(|h: u32| h < 24);
            hour && part(10, 12).parse().is_ok_and(|m: u32| m < 60)
        }
        8 => {
            is_triple([part(0, 4), part(4, 6), part(6, 8)])
                || (year(part(4, 8)) && is_triple([part(0, 2), part(2, 4), part(4, 8)]))
        }
        6 => is_triple([part(0, 2), part(2, 4), part(4, 6)]),
        _ => false,
    }
}

/// `12 July 2021`, `12. Juli`, `12JUL2021`, `12-JUL-21`, `1er juillet`, `12 de julho de 2021`.
fn day_first(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    page.number(at).filter(|&n| day(n))?;
    let mut next = at + 1;
    if ORDINALS.contains(page.str(next)) && page.is_glued_before(next) {
        next += 1;
    }
    next = skip_between(page, next);
    if OF.contains(page.str(next)) && page.is_space(next + 1) {
        next += 2;
    }
    let month = month(page.str(next))?;
    let glued = page.is_glued_before(next) || previous_mark(page, next) == Some('-');
    let after = next + 1;
    if let Some(end) = year_after(page, after, glued) {
        return Some((end, "day-month-year"));
    }
    let clear = month.is_clear() || (glued && month == Month::Short);
    clear.then_some((after, "day-month"))
}

/// Spaces and the marks that stand between the parts of a date.
pub(super) fn skip_between(page: &Page, mut at: usize) -> usize {
    for _ in 0..3 {
        let between = page.is_space(at)
            || page.mark(at).is_some_and(|c| matches!(c, '.' | ',' | '-' | '/' | '_' | '\''));
        at += usize::from(between);
    }
    at
}

/// The token after a year that follows a month.
fn year_after(page: &Page, at: usize, tight: bool) -> Option<usize> {
    let mut next = skip_between(page, at);
    if OF.contains(page.str(next)) {
        next = skip_between(page, next + 1);
    }
    let digits = page.digits_at(next)?;
    let apostrophe = previous_mark(page, next) == Some('\'');
    let joined = next == at || previous_mark(page, next).is_some_and(|c| c == '-' || c == '/');
    let short = digits.len() == 2 && (apostrophe || (tight && joined));
    (year(digits) || short).then_some(next + 1)
}

/// `July 12th, 2021`, `JUL 2021`, `July 12`; and Japanese eras by letter, `R3.7.12`.
fn from_word(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    let word = page.str(at);
    if matches!(word, "r" | "h" | "s" | "m") {
        return era_by_letter(page, at);
    }
    let Some(found) = month(word) else {
        return roman::from_word(page, at).or_else(|| weekday::from_word(page, at));
    };
    let next = skip_between(page, at + 1);
    let number = page.number(next).filter(|_| next > at + 1)?;
    let mut after = next + 1;
    let ordinal = SURE_ORDINALS.contains(page.str(after)) && page.is_glued_before(after);
    after += usize::from(ordinal);
    if day(number) && page.str(next).len() <= 2 {
        let tight = page.mark(at + 1) == Some('-');
        if let Some(end) = year_after(page, after, tight) {
            return Some((end, "month-day-year"));
        }
        let capital = page.tokens[at].case != crate::token::Case::Lower || !page.has_capitals;
        let measured = page.is_glued_before(after) || is_unit(page, after);
        let alone = found == Month::Full || (found == Month::Word && capital);
        let clear = (ordinal || alone) && !measured;
        return clear.then_some((after, "month-day"));
    }
    (year(page.str(next)) && !page.is_glued_before(next + 1)).then_some((next + 1, "month-year"))
}

pub(super) fn is_unit(page: &Page, at: usize) -> bool {
    let at = at + usize::from(page.is_space(at));
    page.mark(at) == Some('.') && page.digits_at(at + 1).is_some()
        || MEASURES.contains(page.str(at))
}

fn era_by_letter(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    if page.is_glued_before(at) {
        return None;
    }
    let part = |token: usize| page.number(token).filter(|_| page.str(token).len() <= 2);
    let dot = |token: usize| page.mark(token).is_some_and(|c| matches!(c, '.' | '/' | '-'));
    let era = part(at + 1).is_some_and(|y| (1..=64).contains(&y));
    let date = era && dot(at + 2) && dot(at + 4);
    let date = date && page.str(at + 2) == page.str(at + 4);
    let plausible = day_and_month(part(at + 5)?, part(at + 3)?);
    (date && plausible && !dot(at + 6)).then_some((at + 6, "japanese-era-date"))
}

/// `2021年7月12日`, `7月12日`, `2021년 7월 12일`, `2021年7月`, `令和3年7月12日`.
fn spelled_eastern(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    let first = page.number(at)?;
    let (unit, next) = eastern_unit(page, at + 1)?;
    if matches!(unit, '月' | '월') {
        let month = (1..=12).contains(&first);
        let end = eastern_day(page, next).filter(|_| month);
        return end.map(|end| (end, "eastern-month-day"));
    }
    if !matches!(unit, '年' | '년') {
        return None;
    }
    let era = era_before(page, at).is_some();
    let is_year = era || YEARS.contains(&first) || page.str(at).len() == 2;
    let month = page.number(next).filter(|m| (1..=12).contains(m) && is_year);
    let month_end = month.and_then(|_| eastern_unit(page, next + 1));
    match month_end.filter(|(unit, _)| matches!(unit, '月' | '월')) {
        Some((_, after)) => {
            Some((eastern_day(page, after).unwrap_or(trimmed(page, after)), "eastern-date"))
        }
        None => era.then_some((trimmed(page, next), "era-year")),
    }
}

/// The name of an era that ends right before a token.
fn era_before(page: &Page, at: usize) -> Option<&'static str> {
    let before = at.checked_sub(1).filter(|&b| page.class(b) == Some(Class::Han))?;
    ERAS.iter().copied().find(|era| page.str(before).ends_with(era))
}

/// A place without the space before it.
fn trimmed(page: &Page, end: usize) -> usize {
    end - usize::from(end > 0 && page.is_space(end - 1))
}

fn eastern_day(page: &Page, at: usize) -> Option<usize> {
    page.number(at).filter(|&n| day(n))?;
    let (unit, next) = eastern_unit(page, at + 1)?;
    matches!(unit, '日' | '号' | '일').then_some(trimmed(page, next))
}

/// The unit of a date at a token, and the token after it and the space before a next number.
fn eastern_unit(page: &Page, at: usize) -> Option<(char, usize)> {
    let text = page.str(at);
    let unit = text.chars().next().filter(|c| "年月日号년월일".contains(*c))?;
    let next = at + 1;
    let spaced = page.is_space(next) && page.digits_at(next + 1).is_some();
    (text.len() == unit.len_utf8()).then_some((unit, next + usize::from(spaced)))
}

/// `二〇二一年七月十二日` within a run of Han: its bytes.
pub(super) fn spelled_out(text: &str) -> Option<std::ops::Range<usize>> {
    const NUMERALS: &str = "〇零一二三四五六七八九十";
    let is_numeral = |c: char| NUMERALS.contains(c);
    let year = text.find('年')?;
    let start = text[..year].trim_end_matches(is_numeral).len();
    let mut end = year + '年'.len_utf8();
    for unit in ['月', '日'] {
        let rest = text[end..].trim_start_matches(is_numeral);
        let counted = rest.len() < text.len() - end;
        match rest.strip_prefix(unit).filter(|_| counted) {
            Some(after) => end = text.len() - after.len(),
            None if unit == '月' => return None,
            None => break,
        }
    }
    (start < year).then_some(start..end)
}

/// Extends a date over the time of day that follows it.
fn with_time(page: &Page, end: usize) -> usize {
    let mut next = end;
    for _ in 0..3 {
        let joins = page.is_space(next)
            || page.mark(next).is_some_and(|c| matches!(c, ',' | '-' | '_' | '@'))
            || BEFORE_TIMES.contains(page.str(next))
                && page.digits_at(next + 1).or_else(|| page.digits_at(next + 2)).is_some();
        next += usize::from(joins);
    }
    time_at(page, next).unwrap_or(end)
}

fn time_at(page: &Page, at: usize) -> Option<usize> {
    let two = |token: usize, limit: u32| {
        page.number(token).filter(|&n| page.str(token).len() <= 2 && n < limit)
    };
    if page.digits_at(at).is_some_and(|d| matches!(d.len(), 4 | 6)) && page.str(at - 1) == "t" {
        return Some(zone(page, at + 1));
    }
    two(at, 24)?;
    if matches!(page.str(at + 1), "h" | "時" | "时" | "点" | "시") {
        let minutes = two(at + 2, 60).map_or(at + 2, |_| at + 3);
        let named = matches!(page.str(minutes), "分" | "분");
        return Some(minutes + usize::from(named));
    }
    let colon = |token: usize| page.mark(token) == Some(':');
    if !colon(at + 1) {
        return None;
    }
    two(at + 2, 60)?;
    let mut end = at + 3;
    if colon(end) && two(end + 1, 62).is_some() {
        end += 2;
        if page.mark(end) == Some('.') && page.digits_at(end + 1).is_some() {
            end += 2;
        }
    }
    let spaced = end + usize::from(page.is_space(end));
    if HALVES.contains(page.str(spaced)) {
        end = spaced + 1;
    }
    Some(zone(page, end))
}

/// `Z`, `+09:00`, `+0900` behind a time.
fn zone(page: &Page, at: usize) -> usize {
    if page.str(at) == "z" {
        return at + 1;
    }
    let sign = page.mark(at).is_some_and(|c| c == '+' || c == '-');
    match page.digits_at(at + 1).map(str::len) {
        Some(4) if sign => at + 2,
        Some(2) if sign && page.mark(at + 2) == Some(':') => at + 4,
        _ => at,
    }
}
