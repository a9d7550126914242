//! The study's own values, in every form that a text may have them in.

mod builder;
mod forms;
mod places;

pub use builder::{KnownBuilder, TooMany};

use crate::eastern;
use crate::kind::Kind;
use crate::lexicon;
use crate::numbers;
use crate::token::{Case, Page};
use aho_corasick::AhoCorasick;
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

/// How far a form that stands inside a longer word is widened to the whole of it, in bytes.
const WIDEST: usize = 64;
/// Shortest identifier that is looked for with other separators than its own, and how many of its
/// characters are digits.
pub(crate) const SQUEEZED: usize = 6;
pub(crate) const SQUEEZED_DIGITS: usize = 4;
/// Shortest identifier of digits alone that is looked for in groups of two and more.
const GROUPED: usize = 5;
/// Most bytes between two characters of an identifier: ` - `.
const GAP: usize = 3;

/// Where a form counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// Anywhere, also inside a longer word.
    Anywhere,
    /// As a whole word or number.
    Whole,
    /// As a whole word with a capital, or beside another name that is known: it is a word as well.
    Beside,
    /// Nowhere: it is what stands for a name where there is none, or a word of the trade.
    Nowhere,
}

/// A form to look for.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) kind: Kind,
    pub(crate) rule: &'static str,
    pub(crate) place: Place,
}

/// A search for forms, and what each of them is.
pub(crate) struct Search {
    automaton: AhoCorasick,
    forms: Vec<Form>,
}

impl Search {
    pub(crate) fn new(patterns: &[String], forms: Vec<Form>) -> Result<Option<Self>, TooMany> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let automaton = AhoCorasick::new(patterns).map_err(|_| TooMany::forms())?;
        Ok(Some(Self { automaton, forms }))
    }

    fn matches<'s>(&'s self, text: &'s str) -> impl Iterator<Item = (Range<usize>, Form)> + 's {
        let found = self.automaton.find_overlapping_iter(text);
        found.filter_map(|m| self.forms.get(m.pattern().as_usize()).map(|form| (m.range(), *form)))
    }
}

/// What is known to identify the people of one study: built by [`KnownBuilder`].
///
/// It shows nothing of what it holds: it has no `Debug`.
#[derive(Default)]
pub struct Known {
    pub(crate) values: Option<Search>,
    pub(crate) dates: Option<Search>,
    pub(crate) squeezed: Option<Search>,
    /// Whose initials go beside a date.
    pub(crate) initials: HashSet<String>,
    /// Ages and years of birth that are not to be told.
    pub(crate) old: BTreeSet<u32>,
}

impl Known {
    /// Nothing known: only the recognizers and dictionaries search.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Takes the study's names, numbers, places, UIDs and words.
    pub(crate) fn find(&self, page: &mut Page) {
        if let Some(search) = &self.values {
            take(page, search);
        }
        if let Some(search) = &self.squeezed
            && page.digits >= SQUEEZED_DIGITS
        {
            take_squeezed(page, search);
        }
        if !self.old.is_empty() && page.digits > 0 {
            take_old(page, &self.old);
        }
    }

    /// Pieces of the folded text that hold one of the study's values and stay on purpose: they are
    /// words that mean something else there.
    pub(crate) fn spared(&self, page: &Page) -> Vec<Range<usize>> {
        let sorted = self.values.as_ref().map(|search| sort(page, &page.text, search));
        sorted.unwrap_or_default().spared
    }

    /// Takes the study's dates; what recognizers found around them stays whole.
    pub(crate) fn find_dates(&self, page: &mut Page) {
        if let Some(search) = &self.dates
            && page.digits > 0
        {
            take(page, search);
        }
        if !self.initials.is_empty() && page.digits > 0 {
            numbers::take_beside(page, |letters| self.initials.contains(letters));
        }
    }
}

/// A form met in a text: where it stands, and what it is.
type Met = (Range<usize>, Form);

/// Forms met in a text: what counts, and what stays on purpose, as another word.
#[derive(Default)]
struct Sorted {
    found: Vec<Met>,
    spared: Vec<Range<usize>>,
}

fn take(page: &mut Page, search: &Search) {
    let text = std::mem::take(&mut page.text);
    let sorted = sort(page, &text, search);
    page.text = text;
    for (range, form) in sorted.found {
        page.take_range(range, form.kind, form.rule);
    }
}

/// Takes ages and years of birth that are not to be told: `94 J`, `M94Y`, `(1930)`.
fn take_old(page: &mut Page, old: &BTreeSet<u32>) {
    for at in 0..page.tokens.len() {
        let told = page.number(at).is_some_and(|number| old.contains(&number));
        if told && page.is_free(at) && !numbers::is_measure(page, at) {
            page.take_tokens(at..at + 1, Kind::Age, "known-age");
        }
    }
}

/// Tells what counts from what stays on purpose.
fn sort(page: &Page, text: &str, search: &Search) -> Sorted {
    let mut sorted = Sorted::default();
    let mut beside: Vec<Met> = Vec::new();
    let mut names: Vec<Range<usize>> = Vec::new();
    for (range, form) in search.matches(text) {
        let apart = form.kind == Kind::KnownPlace && is_apart(page, &range);
        let standing =
            if apart { Some(range.clone()) } else { standing(text, range.clone(), form.place) };
        let Some(range) = standing else {
            if form.place == Place::Anywhere {
                sorted.spared.push(widened(text, &range));
            }
            continue;
        };
        if form.place == Place::Nowhere || eastern::is_inside_term(text, &range) {
            sorted.spared.push(range);
        } else if form.place == Place::Beside && !has_capital(page, text, &range) {
            beside.push((range, form));
        } else {
            if form.kind == Kind::KnownName {
                names.push(range.clone());
            }
            sorted.found.push((range, form));
        }
    }
    names.sort_by_key(|range| range.start);
    let words: Vec<Range<usize>> = beside.iter().map(|(range, _)| range.clone()).collect();
    for (at, (range, form)) in beside.into_iter().enumerate() {
        let next = names.partition_point(|name| name.start < range.end);
        let before = next.checked_sub(1).and_then(|at| names.get(at));
        let [name_after, name_before] = [names.get(next), before]
            .map(|name| name.is_some_and(|name| are_near(text, name, &range)));
        // Two words of one name beside each other are that name: `mary may`.
        let is_other = |word: &&Range<usize>| text[(*word).clone()] != text[range.clone()];
        let mut others = words[..at].iter().chain(&words[at + 1..]).filter(is_other);
        if name_after || name_before || others.any(|word| are_near(text, word, &range)) {
            sorted.found.push((range, form));
        } else if is_other_word(&text[range.clone()]) {
            sorted.spared.push(range);
        }
    }
    sorted.spared = joined(text, sorted.spared);
    sorted
}

/// Pieces that stand beside each other as one: `head phantom`.
fn joined(text: &str, mut pieces: Vec<Range<usize>>) -> Vec<Range<usize>> {
    pieces.sort_by_key(|piece| piece.start);
    let mut whole: Vec<Range<usize>> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match whole.last_mut() {
            Some(last) if piece.start < last.end || are_near(text, last, &piece) => {
                last.end = last.end.max(piece.end);
            }
            _ => whole.push(piece),
        }
    }
    whole
}

/// Whether at most three characters stand between two pieces of a line.
fn are_near(text: &str, one: &Range<usize>, other: &Range<usize>) -> bool {
    let (first, second) = if one.start < other.start { (one, other) } else { (other, one) };
    let gap = text.get(first.end..second.start);
    gap.is_some_and(|gap| gap.len() <= 3 && !gap.contains(['\n', '\r']))
}

/// A word of medicine, technique or language that is nobody's name, or so usual a word that only
/// what stands beside it makes it one: `phantom`, `test`, `head`.
fn is_other_word(word: &str) -> bool {
    let entry = lexicon::look_up(word);
    entry.is_vocabulary() && (!entry.is_name() || entry.is_firm())
}

/// Whether the word at a place has a capital; in a text without any, whether it is no clinical
/// word.
fn has_capital(page: &Page, text: &str, range: &Range<usize>) -> bool {
    if !page.has_capitals {
        return !lexicon::look_up(&text[range.clone()]).is_clinical();
    }
    let at = page.tokens.partition_point(|t| t.end <= range.start);
    page.tokens.get(at).is_some_and(|t| t.case != Case::Lower)
}

/// Whether capitals tell a piece from the letters around it: `SEGHBrain`.
fn is_apart(page: &Page, range: &Range<usize>) -> bool {
    let first = page.tokens.partition_point(|t| t.start < range.start);
    let begins = page.tokens.get(first).is_some_and(|t| t.start == range.start);
    let last = page.tokens.partition_point(|t| t.end < range.end);
    begins && page.tokens.get(last).is_some_and(|t| t.end == range.end)
}

fn joins(one: Option<char>, other: Option<char>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    let latin = |c: char| c.is_alphabetic() && u32::from(c) < 0x2e80;
    (latin(one) && latin(other)) || (one.is_ascii_digit() && other.is_ascii_digit())
}

/// The range to take for a form found at a range, if it counts there.
fn standing(text: &str, range: Range<usize>, place: Place) -> Option<Range<usize>> {
    let edge = |at: usize| joins(text[..at].chars().next_back(), text[at..].chars().next());
    let (left, right) = (edge(range.start), edge(range.end));
    if !left && !right {
        return Some(range);
    }
    if place != Place::Anywhere {
        return None;
    }
    let wide = widened(text, &range);
    let other = lexicon::look_up(&text[wide.clone()]);
    (!other.is_vocabulary() || other.is_name()).then_some(wide)
}

/// The whole word around a range, within reason.
fn widened(text: &str, range: &Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = range.clone();
    while range.start - start < WIDEST {
        let before = text[..start].chars().next_back();
        if !joins(before, text[start..].chars().next()) {
            break;
        }
        start -= before.map_or(0, char::len_utf8);
    }
    while end - range.end < WIDEST {
        let after = text[end..].chars().next();
        if !joins(text[..end].chars().next_back(), after) {
            break;
        }
        end += after.map_or(0, char::len_utf8);
    }
    start..end
}

/// Looks for numbers with other separators than their own: `062-1936` for `0621936`.
fn take_squeezed(page: &mut Page, search: &Search) {
    let mut squeezed = String::with_capacity(page.text.len());
    let mut places = Vec::with_capacity(page.text.len());
    for (at, byte) in page.text.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() {
            squeezed.push(char::from(byte));
            places.push(at);
        }
    }
    let mut found = Vec::new();
    for (range, form) in search.matches(&squeezed) {
        let Some(inside) = places.get(range) else { continue };
        let (Some(&start), Some(&last)) = (inside.first(), inside.last()) else { continue };
        let zeros = page.text[..start].len() - page.text[..start].trim_end_matches('0').len();
        let whole = start - zeros..last + 1;
        if are_joined(&page.text, inside)
            && standing(&page.text, whole.clone(), Place::Whole).is_some()
        {
            found.push((whole, form));
        }
    }
    for (range, form) in found {
        page.take_range(range, form.kind, form.rule);
    }
}

/// Whether nothing but what stands inside numbers joins the characters of one; those of a short one
/// stand in groups.
fn are_joined(text: &str, places: &[usize]) -> bool {
    let inside = |c: char| matches!(c, ' ' | '\t' | '-' | '.' | '/' | '_' | '\'' | ':' | '(' | ')');
    let joins = |gap: &str| gap == "," || gap.len() <= GAP && gap.chars().all(inside);
    let short = places.len() <= GROUPED;
    let mut group = 1;
    for pair in places.windows(2) {
        let gap = text.get(pair[0] + 1..pair[1]).unwrap_or("");
        if gap.is_empty() {
            group += 1;
            continue;
        }
        if !joins(gap) || short && group == 1 {
            return false;
        }
        group = 1;
    }
    !short || group > 1
}
