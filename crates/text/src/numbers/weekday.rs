//! Days of the week beside dates, the day of the month behind one (`Fri 17`), and whose initials
//! stand beside them: `TM Fri 17`.

use super::dates::{self, day, is_unit, previous_mark, skip_between};
use super::months::{COUNTED, NO_INITIALS, WEEKDAY, WEEKDAY_BETWEEN, WEEKDAY_SHORT, says};
use crate::kind::Kind;
use crate::lexicon;
use crate::token::{Case, Page};
use crate::words::words;

words! { super::dates::DATES;
    /// Behind a day that follows its weekday.
    ORDINALS "ordinal-behind-weekday";
    /// Behind a day that its weekday follows.
    ORDINALS_BEFORE "ordinal-before-weekday";
    /// Behind an hour.
    HOURS "hour";
}

/// The rule that finds a day of the month by its weekday.
pub(super) const RULE: &str = "weekday-and-day";
/// Letters of initials.
const INITIALS: std::ops::RangeInclusive<usize> = 2..=3;
/// Most marks and spaces between a day and what stands beside it.
const BETWEEN: usize = 3;

/// The weekday that stands before a date, if there is one.
pub(super) fn before(page: &Page, at: usize) -> Option<usize> {
    let word = beside(page, at, false)?;
    let written = page.tokens[word].case != Case::Lower || !page.has_capitals;
    let glued = page.is_glued_before(word) || word + 1 == at;
    let text = page.str(word);
    let is = says(text, WEEKDAY) || says(text, WEEKDAY_SHORT) && written && !glued;
    (is && page.is_free(word)).then_some(word)
}

/// The token after the weekday that stands behind a date, if there is one.
pub(super) fn after(page: &Page, end: usize) -> Option<usize> {
    let word = beside(page, end, true)?;
    let is = says(page.str(word), WEEKDAY) && word > end && page.is_free(word);
    is.then_some(word + 1)
}

/// The word that only marks and spaces keep from a place.
fn beside(page: &Page, at: usize, forwards: bool) -> Option<usize> {
    let mut word = at;
    for _ in 0..=BETWEEN {
        let token = if forwards { word } else { word.checked_sub(1)? };
        if page.is_word(token) {
            return Some(token);
        }
        let between = page.is_space(token)
            || page
                .mark(token)
                .is_some_and(|c| matches!(c, ',' | '.' | '-' | '_' | '/' | '(' | ')'));
        if !between {
            return None;
        }
        word = if forwards { word + 1 } else { token };
    }
    None
}

/// `Fri 17`, `Friday the 13th`, `Fri 17/5`, `Fri17`: a day, and no time of day.
pub(super) fn from_word(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    if !says(page.str(at), WEEKDAY) || page.is_glued_before(at) {
        return None;
    }
    let mut next = skip_between(page, at + 1);
    if says(page.str(next), WEEKDAY_BETWEEN) {
        next = skip_between(page, next + 1);
    }
    if page.digits_at(next).is_some()
        && let Some((end, _)) = dates::from_digits(page, next).filter(|_| next > at + 1)
    {
        return Some((end, RULE));
    }
    page.number(next).filter(|&n| day(n) && page.str(next).len() <= 2)?;
    let mut end = next + 1;
    if page.is_glued_before(end) {
        let ordinal = ORDINALS.contains(page.str(end));
        end = (ordinal && !page.is_glued_before(end + 1)).then_some(end + 1)?;
    }
    let month = page.number(end + 1).filter(|n| (1..=12).contains(n));
    if page.mark(end).is_some_and(|c| matches!(c, '/' | '.' | '-')) && month.is_some() {
        return (!page.is_glued_before(end + 2)).then_some((end + 2, RULE));
    }
    (!is_time(page, end) && !is_unit(page, end)).then_some((end, RULE))
}

/// `17. Freitag`, `13th Friday`: the day first, as one.
pub(super) fn from_digits(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    page.number(at).filter(|&n| day(n) && page.str(at).len() <= 2)?;
    let ordinal = ORDINALS_BEFORE.contains(page.str(at + 1));
    let marked = ordinal && page.is_glued_before(at + 1) || page.mark(at + 1) == Some('.');
    let word = at + 2 + usize::from(page.is_space(at + 2));
    let counted = beside(page, at, false).is_some_and(|t| says(page.str(t), COUNTED));
    let found = marked
        && !counted
        && previous_mark(page, at).is_none_or(|c| matches!(c, ',' | '('))
        && page.is_word(word)
        && says(page.str(word), WEEKDAY);
    found.then_some((word + 1, RULE))
}

/// Whether what ends at a token is the hour of a time of day.
fn is_time(page: &Page, end: usize) -> bool {
    let named = end + usize::from(page.is_space(end));
    let minutes = page.mark(end).is_some_and(|c| matches!(c, ':' | '.' | '-'))
        && page.digits_at(end + 1).is_some();
    minutes || HOURS.contains(page.str(named))
}

/// Takes the initials on both sides of a day that begins at a place of the text and ends before a
/// token.
pub(super) fn take_initials(page: &mut Page, start: usize, end: usize) {
    let first = page.tokens.partition_point(|token| token.end <= start);
    for (at, forwards) in [(first, false), (end, true)] {
        if let Some(initials) = initials_beside(page, at, forwards)
            && initials.clone().all(|t| page.is_free(t))
        {
            page.take_tokens(initials, Kind::NameByContext, "initials-beside-day");
        }
    }
}

/// `TM`, `T.M.` beside a day.
fn initials_beside(page: &Page, at: usize, forwards: bool) -> Option<std::ops::Range<usize>> {
    let word = beside(page, at, forwards)?;
    let text = page.str(word);
    if text.len() == 1 {
        return dotted(page, word, forwards);
    }
    let written = page.tokens[word].case == Case::Upper || !page.has_capitals;
    let entry = lexicon::look_up(text);
    let other = if text.len() == 2 && page.has_capitals {
        false
    } else {
        entry.is_clinical() || entry.is_ordinary()
    };
    let alone = !page.is_glued_before(word) && !page.is_glued_before(word + 1);
    let are = INITIALS.contains(&text.len()) && written && alone && !other && !is_nobody(text);
    are.then_some(word..word + 1)
}

/// `T.M.`, from its first or to its last letter.
fn dotted(page: &Page, at: usize, forwards: bool) -> Option<std::ops::Range<usize>> {
    let letter = |t: usize| page.is_word(t) && page.str(t).len() == 1;
    let stop = |t: usize| page.mark(t) == Some('.');
    let (mut first, mut last) = (at, at);
    if forwards {
        while stop(last + 1) && letter(last + 2) {
            last += 2;
        }
    } else {
        while first >= 2 && stop(first - 1) && letter(first - 2) {
            first -= 2;
        }
    }
    let letters: String = (first..=last).filter(|&t| letter(t)).map(|t| page.str(t)).collect();
    let free = !page.is_glued_before(first) && !page.is_glued_before(last + 1);
    (INITIALS.contains(&letters.len()) && free && !is_nobody(&letters)).then_some(first..last + 1)
}

/// Whether letters are nobody's initials: `am`, `ct`.
pub(crate) fn is_nobody(letters: &str) -> bool {
    says(letters, NO_INITIALS)
}

/// Takes the words that are somebody's initials (`is_theirs`) and stand beside a date.
pub(crate) fn take_beside(page: &mut Page, is_theirs: impl Fn(&str) -> bool) {
    let is_day = |kind: Option<Kind>| matches!(kind, Some(Kind::Date | Kind::KnownDate));
    let days: Vec<usize> =
        (0..page.tokens.len()).filter(|&t| is_day(page.tokens[t].taken)).collect();
    for at in days {
        for (from, forwards) in [(at, false), (at + 1, true)] {
            let Some(word) = beside(page, from, forwards) else { continue };
            let written = page.tokens[word].case == Case::Upper || !page.has_capitals;
            let alone = !page.is_glued_before(word) && !page.is_glued_before(word + 1);
            if page.is_free(word) && written && alone && is_theirs(page.str(word)) {
                page.take_tokens(word..word + 1, Kind::KnownName, "initials-beside-day");
            }
        }
    }
}
