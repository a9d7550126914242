//! Dates with the month as a Roman number: `12.IV.1957`, `3/XI/2001`, `4 VII 1999`,
//! `1957. IV. 12.`; and years behind one, `IV.1957`.
//!
//! Roman numbers are stages, segments, nerves and generations as well: a year stands beside a
//! month, and where only spaces join the parts the number is written in capitals.

use super::dates::{day, is_behind_number, is_unit, previous_mark, year};
use super::months::{ROMAN, STAGED, says};
use crate::token::{Case, Page};

const RULE: &str = "roman-month";

/// What stands between two parts of a date.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// A full stop, a stroke or a hyphen, with or without spaces.
    Mark,
    Space,
    /// Nothing: `12IV1957`.
    Tight,
}

/// What stands at a token, and the token of the next part.
fn joint(page: &Page, at: usize) -> (Joint, usize) {
    let space = usize::from(page.is_space(at));
    if page.mark(at + space).is_some_and(|c| matches!(c, '.' | '/' | '-' | '_')) {
        let after = at + space + 1;
        return (Joint::Mark, after + usize::from(page.is_space(after)));
    }
    if space == 1 { (Joint::Space, at + 1) } else { (Joint::Tight, at) }
}

/// The Roman number of a month at a token, and whether it is written as one: in capitals, or in a
/// text without any.
fn numeral(page: &Page, at: usize) -> Option<bool> {
    let written = || page.tokens[at].case == Case::Upper || !page.has_capitals;
    (page.is_word(at) && says(page.str(at), ROMAN)).then(written)
}

/// A date whose day or year is the digits at a token.
pub(super) fn from_digits(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    if is_behind_number(page, at) {
        return None;
    }
    let (first, month) = joint(page, at + 1);
    let capital = numeral(page, month)?;
    let (second, last) = joint(page, month + 1);
    let marked = first == Joint::Mark && second == Joint::Mark;
    let digits = page.digits_at(at)?;
    if year(digits) {
        let found = (marked || capital && first == second && first == Joint::Space)
            && is_day(page, last)
            && !page.is_glued_before(last + 1)
            && !is_unit(page, last + 1);
        return found.then_some((last + 1, RULE));
    }
    if !is_day(page, at) {
        return None;
    }
    let apostrophe = page.mark(last) == Some('\'');
    let last = last + usize::from(apostrophe);
    let of = page.digits_at(last).filter(|_| !page.is_glued_before(last + 1))?;
    let long = page.str(month).len() > 1;
    let found = match (first, second) {
        (Joint::Mark, Joint::Mark) => year(of) || of.len() == 2 && (capital || apostrophe),
        (Joint::Tight, Joint::Tight) => year(of) && capital && long,
        _ => (year(of) || apostrophe && of.len() == 2) && capital && !is_product(page, last + 1),
    };
    (found && !is_unit(page, last + 1)).then_some((last + 1, RULE))
}

fn is_day(page: &Page, at: usize) -> bool {
    page.str(at).len() <= 2 && page.number(at).is_some_and(day)
}

/// `10 X 2000 X 5`: the letter between numbers is a sign.
fn is_product(page: &Page, after: usize) -> bool {
    page.str(after + usize::from(page.is_space(after))) == "x"
}

/// `IV.1957`, `XI/2001`: a month of a year, behind no word that says what else is numbered.
pub(super) fn from_word(page: &Page, at: usize) -> Option<(usize, &'static str)> {
    let capital = numeral(page, at)?;
    let joined = previous_mark(page, at).is_some_and(|c| matches!(c, '.' | '/' | '-' | '_'));
    if !capital || joined || page.is_glued_before(at) || is_staged(page, at) {
        return None;
    }
    page.mark(at + 1).filter(|c| matches!(c, '.' | '/' | '-'))?;
    let of = page.digits_at(at + 2).filter(|digits| year(digits))?;
    let ended = !page.is_glued_before(at + 3)
        && (page.mark(at + 3).is_none() || page.digits_at(at + 4).is_none());
    (ended && of.len() == 4).then_some((at + 3, RULE))
}

/// Whether what is numbered stands among the words right before a number.
fn is_staged(page: &Page, at: usize) -> bool {
    const REACH: usize = 4;
    let words = (at.saturating_sub(REACH)..at).filter(|&t| page.is_word(t));
    words.into_iter().any(|t| says(page.str(t), STAGED))
}
