//! Years of birth: beside the day of a study they say an age. `born 1931`, `geb. 1931`, `*1931`,
//! `1931年生`, and a year beside an age that goes.

use super::ages::{Says, begins, is};
use crate::kind::Kind;
use crate::token::{Class, Page};
use std::ops::{Range, RangeInclusive};

/// Years that somebody who is alive, or was examined, was born in.
const YEARS: RangeInclusive<u32> = 1880..=2029;
/// Years of those who are over 89: the last one rises with time, an age that goes beside it
/// decides.
const OLD: RangeInclusive<u32> = 1880..=1949;
/// Years behind a single letter, which means other things before round numbers: `b 2000`.
const LETTERED: RangeInclusive<u32> = 1880..=1999;
/// Words and marks between a cue and the year.
const BETWEEN: usize = 6;

/// The year of birth at a token: its tokens.
pub(super) fn year_at(page: &Page, at: usize) -> Option<Range<usize>> {
    let number = page.number(at).filter(|_| !page.is_glued_before(at))?;
    let goes_on = page.mark(at + 1).is_some_and(|c| matches!(c, '-' | '/' | '.'))
        && page.digits_at(at + 2).is_some();
    if goes_on || page.is_glued_before(at + 1) {
        return None;
    }
    let year = match page.str(at).len() {
        4 if YEARS.contains(&number) => is_led(page, at, number) || is_followed(page, at + 1),
        // `geb. 31`, `born '31`
        2 => is_marked(page, at) || (after_cue(page, at) && page.mark(at - 1) != Some(':')),
        _ => false,
    };
    let beside = page.str(at).len() == 4 && OLD.contains(&number) && is_beside_age(page, at);
    (year || beside).then_some(at..at + 1)
}

fn is_led(page: &Page, at: usize, number: u32) -> bool {
    is_marked(page, at)
        || (is_lettered(page, at) && LETTERED.contains(&number))
        || after_cue(page, at)
}

/// `*1931`, `° 1931`: a mark right before, and no number before that.
fn is_marked(page: &Page, at: usize) -> bool {
    let before = |at: usize| at.checked_sub(1);
    let over_space = |at: usize| before(at).filter(|&t| page.is_space(t)).unwrap_or(at);
    let Some(mark) = before(over_space(at)).filter(|&t| page.mark(t).is_some()) else {
        return false;
    };
    let counted = before(mark).is_some_and(|t| {
        matches!(page.class(t), Some(Class::Digits | Class::Word)) || page.mark(t).is_some()
    });
    is(Says::BORN_MARK, page.str(mark)) && !counted
}

/// `b. 1931`.
fn is_lettered(page: &Page, at: usize) -> bool {
    let stop = at.checked_sub(1 + usize::from(at > 0 && page.is_space(at - 1)));
    let letter = stop.filter(|&t| page.mark(t) == Some('.')).and_then(|t| t.checked_sub(1));
    letter.is_some_and(|t| is(Says::BORN_MARK, page.str(t)) && !page.is_glued_before(t))
}

/// Whether a word for birth stands before, with few words and marks between.
fn after_cue(page: &Page, at: usize) -> bool {
    for before in (at.saturating_sub(BETWEEN)..at).rev() {
        let word = page.str(before);
        match page.class(before) {
            Some(Class::Word) if is(Says::BORN, word) => return true,
            Some(Class::Word) if is(Says::BORN_BETWEEN, word) => {}
            Some(class) if class.is_eastern() => return is(Says::BORN, word),
            Some(Class::Space) => {}
            Some(Class::Mark)
                if matches!(page.mark(before), Some('.' | ':' | '=' | '\'' | '(')) => {}
            _ => return false,
        }
    }
    false
}

/// `1931年生`, `1931년생`, `1931 г.р.`
fn is_followed(page: &Page, at: usize) -> bool {
    let year = matches!(page.str(at), "年" | "년");
    let next = at + usize::from(year || page.is_space(at));
    let word = page.str(next);
    if page.class(next).is_some_and(Class::is_eastern) {
        return begins(Says::BORN_AFTER, word);
    }
    word == "г" && page.str(next + 2) == "р"
}

/// Whether an age that goes stands beside, with nothing but marks and spaces between.
fn is_beside_age(page: &Page, at: usize) -> bool {
    let aged = |t: usize| page.tokens.get(t).is_some_and(|t| t.taken == Some(Kind::Age));
    let gap = |t: &usize| matches!(page.class(*t), Some(Class::Space | Class::Mark));
    (at.saturating_sub(3)..at).rev().find(|t| !gap(t)).is_some_and(aged)
}
