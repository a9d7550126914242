//! Ages over 89: few people are as old. By a unit (`94-year-old`, `94 Jahre`, `1128 months`), by
//! what leads to them (`Alter: 94`), by a sex (`94F`, `F/94`), or in words (`ninety-four years`).

use super::technical;
use crate::fold::fold;
use crate::token::{Case, Class, Page};
use crate::words::QuickMap;
use crate::words::words;
use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

/// The words, as `data/ages.txt` has them by section.
const WORDS: &str = include_str!("../../data/ages.txt");

/// What a word says: one bit for each section of the words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Says(u32);

macro_rules! sections {
    ($($name:ident $section:literal $bit:literal),* $(,)?) => {
        impl Says {
            $(pub(super) const $name: Self = Self(1 << $bit);)*
            const SECTIONS: &[(&str, Self)] = &[$(($section, Self::$name)),*];
        }
    };
}

sections! {
    UNIT "unit" 0, SHORT "short" 1, AFTER "after" 2, BEFORE "before" 3, BETWEEN "between" 4,
    MONTH "month" 5, WEEK "week" 6, DAY "day" 7, FEMALE "female" 8, MALE "male" 9,
    SEX "sex" 10, SLASHED "sex-slashed" 11, TOLD "told" 12, TENS "tens" 13, ONES "ones" 14,
    TEENS "teens" 15, NOUN "noun" 16, COMPOUND "compound" 17, SETTING "setting" 18,
    LATER "later" 19, BORN "born" 20, BORN_MARK "born-mark" 21, BORN_BETWEEN "born-between" 22,
    BORN_AFTER "born-after" 23,
}

/// Every word with what it says.
static SAID: LazyLock<QuickMap<String, u32>> = LazyLock::new(|| {
    let mut said = QuickMap::default();
    for (section, word) in listed() {
        *said.entry(word).or_default() |= section.0;
    }
    said
});

/// The words in scripts without spaces, where a word begins or ends a run.
static EASTERN: LazyLock<Vec<(Says, String)>> =
    LazyLock::new(|| listed().filter(|(_, word)| !word.is_ascii()).collect());

/// What numbers in one word are made of.
static COMPOUNDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    listed().filter(|(says, _)| *says == Says::COMPOUND).map(|(_, word)| word).collect()
});

fn listed() -> impl Iterator<Item = (Says, String)> {
    let lines = WORDS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).flat_map(|(name, words)| {
        let section = Says::SECTIONS.iter().find(|(section, _)| *section == name);
        let says = section.map_or(Says(0), |(_, says)| *says);
        words.split(' ').map(move |word| (says, fold(word)))
    })
}

words! { super::dates::DATES;
    /// The end of a word for an age: `neunzigjahrig`.
    AGED "aged";
}

/// Years, months, weeks and days of people who are over 89.
const YEARS: RangeInclusive<u32> = 90..=130;
const MONTHS: RangeInclusive<u32> = 1080..=1560;
const WEEKS: RangeInclusive<u32> = 4680..=6760;
const DAYS: RangeInclusive<u32> = 32_850..=47_450;
/// An angle that is written more often than an age: `90 lat` is a view.
const RIGHT_ANGLE: u32 = 90;
/// Shortest word that can be a number from ninety on in one.
const COMPOUND: usize = 7;
/// Words and marks between what leads to a number and the number.
const BETWEEN: usize = 6;

/// Whether a folded word says something.
pub(super) fn is(says: Says, word: &str) -> bool {
    said(word) & says.0 != 0
}

/// Whether a folded word is a unit of ages.
pub(super) fn is_of_time(word: &str) -> bool {
    [Says::UNIT, Says::SHORT, Says::MONTH, Says::WEEK, Says::DAY].iter().any(|says| is(*says, word))
}

fn said(word: &str) -> u32 {
    SAID.get(word).copied().unwrap_or(0)
}

/// Whether a run of characters begins with a word that says something.
pub(super) fn begins(says: Says, run: &str) -> bool {
    EASTERN.iter().any(|(said, word)| said.0 & says.0 != 0 && run.starts_with(word.as_str()))
}

/// Whether a run of characters ends so.
fn ends(says: Says, run: &str) -> bool {
    EASTERN.iter().any(|(said, word)| said.0 & says.0 != 0 && run.ends_with(word.as_str()))
}

/// The age that a token is a part of: its tokens.
pub(super) fn age_at(page: &Page, at: usize) -> Option<Range<usize>> {
    match page.class(at)? {
        Class::Digits => in_digits(page, at),
        Class::Word => in_words(page, at),
        Class::Han | Class::Hangul => in_characters(page.str(at)).then_some(at..at + 1),
        _ => None,
    }
}

fn in_digits(page: &Page, at: usize) -> Option<Range<usize>> {
    let number = page.number(at)?;
    let digit_before =
        |mark: char| at >= 2 && page.mark(at - 1) == Some(mark) && page.digits_at(at - 2).is_some();
    if digit_before('.') || digit_before(',') {
        return None;
    }
    if page.is_glued_before(at) {
        return glued_to_sex(page, at).filter(|_| YEARS.contains(&number));
    }
    let mut end = at + 1;
    if page.mark(end) == Some('.') && page.digits_at(end + 1).is_some() {
        end += 2;
    }
    if !YEARS.contains(&number) {
        return counted(page, number, end).map(|end| at..end);
    }
    if let Some(end) = unit(page, number, end) {
        return Some(at..end);
    }
    let plain = page.str(at).len() == number.to_string().len();
    let whole = end == at + 1 && plain && !page.is_glued_before(end);
    if whole && is_led(page, at) && !measured(page, end) {
        return Some(at..end);
    }
    beside_sex(page, at, number).filter(|_| plain && end == at + 1)
}

/// The end of the unit of years that stands at a token, or behind a space or hyphen there.
fn unit(page: &Page, number: u32, end: usize) -> Option<usize> {
    let joined = page.is_space(end) || page.mark(end) == Some('-');
    let at = end + usize::from(joined);
    let word = page.str(at);
    if page.class(at)?.is_eastern() {
        return begins(Says::UNIT, word).then_some(at + 1);
    }
    let stop = |c: char| page.mark(at + 1) == Some(c);
    let spoken = (stop('.') || stop('/') || page.is_space(at + 1)) && page.str(at + 2) == "o";
    let named = match word {
        "y" => true,
        // A view, where it is no age: `knee 90 lat`.
        "lat" => number != RIGHT_ANGLE,
        _ if is(Says::SHORT, word) => !joined || stop('.') || (stop('/') && spoken),
        _ => is(Says::UNIT, word),
    };
    let ends = !page.is_glued_before(at + 1) || is(Says::SEX, page.str(at + 1));
    if !named || !ends {
        return None;
    }
    let mut end = at + 1;
    // `y.o.`, `year-old`, `years of age`, `Jahre alt`.
    while is(Says::AFTER, page.str(end + 1))
        && (page.is_space(end) || page.mark(end).is_some_and(|c| matches!(c, '-' | '.' | '/')))
    {
        end += 2;
    }
    Some(end)
}

/// The end of the unit of so many months, weeks or days.
fn counted(page: &Page, number: u32, end: usize) -> Option<usize> {
    let joined = page.is_space(end) || page.mark(end) == Some('-');
    let at = end + usize::from(joined);
    let word = page.str(at);
    let glued = !joined && page.is_word(at) && page.tokens[at].case != Case::Lower;
    let spans = [(MONTHS, Says::MONTH, "m"), (WEEKS, Says::WEEK, "w"), (DAYS, Says::DAY, "d")];
    let counts = spans.into_iter().any(|(span, says, letter)| {
        let named = if page.class(at).is_some_and(Class::is_eastern) {
            begins(says, word)
        } else {
            is(says, word) || (glued && word == letter)
        };
        span.contains(&number) && named
    });
    (counts && !page.is_glued_before(at + 1)).then_some(at + 1)
}

/// Whether words lead to the number at a token: `age: 94`, `agee de 94`.
fn is_led(page: &Page, at: usize) -> bool {
    for before in (at.saturating_sub(BETWEEN)..at).rev() {
        let word = page.str(before);
        match page.class(before) {
            Some(Class::Word) if is(Says::BEFORE, word) => return true,
            Some(Class::Word) if is(Says::BETWEEN, word) => {}
            Some(class) if class.is_eastern() => {
                return ends(Says::BEFORE, word);
            }
            Some(Class::Space | Class::Mark) => {}
            _ => return false,
        }
    }
    false
}

/// Whether what follows makes a measure of a number.
fn measured(page: &Page, end: usize) -> bool {
    let at = end + usize::from(page.is_space(end));
    technical::is_unit(page.str(at)) || matches!(page.mark(at), Some('%' | '°'))
}

/// `94F`, `94 F`, `94/F`, `94, female`, `F/94`, `female, 94`.
fn beside_sex(page: &Page, at: usize, number: u32) -> Option<Range<usize>> {
    if is_setting(page, at) || YEARS.end() < &number {
        return None;
    }
    let end = at + 1;
    if page.is_glued_before(end) {
        let sexed = is_letter(page, end, false) && !page.is_glued_before(end + 1);
        return sexed.then_some(at..end);
    }
    let (gap, slash) = between(page, end);
    let after = is_letter(page, end + gap, slash) || is_sex(page.str(end + gap));
    if gap > 0 && after && !page.is_glued_before(end + gap + 1) {
        return Some(at..end);
    }
    let from = (1..=2).find(|gap| at > *gap && page.is_word(at - gap - 1))?;
    let slash = page.mark(at - 1) == Some('/');
    let word = page.str(at - from - 1);
    let letter = page.tokens[at - from - 1].case != Case::Lower || slash;
    let named = is_sex(word) || (letter && is(if slash { Says::SLASHED } else { Says::SEX }, word));
    let joined = between(page, at - from).0 == from;
    let single = !page.is_glued_before(at - from - 1);
    (named && joined && single && !measured(page, end)).then_some(at..end)
}

/// The tokens between a number and what belongs to it, and whether a slash is among them.
fn between(page: &Page, at: usize) -> (usize, bool) {
    let space = usize::from(page.is_space(at + 1));
    match page.mark(at) {
        Some('/') => (1, true),
        Some('-') => (1, false),
        Some(',') => (1 + space, false),
        _ => (usize::from(page.is_space(at)), false),
    }
}

fn is_sex(word: &str) -> bool {
    is(Says::FEMALE, word) || is(Says::MALE, word)
}

/// Whether a token is the letter of a sex: in capitals, or where somebody tells of a patient.
fn is_letter(page: &Page, at: usize, slash: bool) -> bool {
    let word = page.str(at);
    if slash {
        return is(Says::SLASHED, word);
    }
    let next = (at + 1..at + 4).find(|&t| page.is_word(t)).map_or("", |t| page.str(t));
    let capital = page.is_word(at) && page.tokens[at].case != Case::Lower;
    is(Says::SEX, word) && !is(Says::LATER, next) && (capital || is(Says::TOLD, next))
}

/// `F94` alone, in brackets or before a comma: as a code it would be followed by others.
fn glued_to_sex(page: &Page, at: usize) -> Option<Range<usize>> {
    let letter = at.checked_sub(1)?;
    let single = is(Says::SEX, page.str(letter)) && !page.is_glued_before(letter);
    let begins = letter == 0 || matches!(page.mark(letter - 1), Some('(' | '[' | ','));
    let ends = page.class(at + 1).is_none_or(|class| class == Class::Line)
        || matches!(page.mark(at + 1), Some(')' | ']' | ','));
    (single && begins && ends).then_some(at..at + 1)
}

/// Whether a word beside a number says that it is none of years.
fn is_setting(page: &Page, at: usize) -> bool {
    let near = |t: &usize| page.is_word(*t);
    let before = (at.saturating_sub(3)..at).rev().find(near);
    // The word behind the letter: `94F catheter`.
    let after = (at + 1..at + 5).filter(near).take(2);
    before.into_iter().chain(after).any(|t| is(Says::SETTING, page.str(t)))
}

/// `ninety-four years`, `vierundneunzigjahrige`, `quatre-vingt-quatorze ans`, `nonagenarian`.
fn in_words(page: &Page, at: usize) -> Option<Range<usize>> {
    let word = page.str(at);
    if is(Says::NOUN, word) {
        return Some(at..at + 1);
    }
    let compound =
        || word.len() >= COMPOUND && COMPOUNDS.iter().any(|part| word.contains(part.as_str()));
    let mut end = if is(Says::TENS, word) {
        at + 1
    } else if word == "quatre" && page.str(at + 2).starts_with("vingt") {
        let teens = is_joint(page, at + 3) && is(Says::TEENS, page.str(at + 4));
        teens.then_some(at + 5)?
    } else if compound() {
        let aged = AGED.iter().any(|unit| word.contains(unit));
        if aged {
            return Some(at..at + 1);
        }
        at + 1
    } else {
        return None;
    };
    for _ in 0..2 {
        let more = is(Says::ONES, page.str(end + 1)) || is(Says::BETWEEN, page.str(end + 1));
        end += if is_joint(page, end) && more { 2 } else { 0 };
    }
    let unit = unit(page, RIGHT_ANGLE, end);
    let end = unit.or_else(|| is_led(page, at).then_some(end))?;
    Some(at..end)
}

fn is_joint(page: &Page, at: usize) -> bool {
    page.is_space(at) || page.mark(at) == Some('-')
}

/// Whether a run of characters has an age in numerals: `患者九十四岁`, `구십사세`.
fn in_characters(text: &str) -> bool {
    const NUMERALS: &str = "一二三四五六七八九十百零〇일이삼사오육칠팔구십백";
    text.char_indices().filter(|(_, c)| "岁歳才세".contains(*c)).any(|(at, _)| {
        let before = text[..at].trim_end_matches('周');
        let rest = before.trim_end_matches(|c| NUMERALS.contains(c));
        let number = &before[rest.len()..];
        ["九十", "구십", "百", "백"].iter().any(|from| number.contains(from))
    })
}
