//! Chinese, Japanese and Korean: runs without spaces are cut into words of the vocabulary; what is
//! left may be somebody's name and goes.

mod names;

use crate::fold::fold;
use crate::kind::Kind;
use crate::lists::EASTERN as WORDS;
use crate::table::{CHARACTER, EASTERN, EASTERN_FAMILY, TERM};
use crate::token::Page;
use crate::words::words;
use std::ops::Range;

pub(crate) use names::{leads_to_name, title_of_page};

/// Longest word of the lists, in characters.
const LONGEST: usize = 12;
/// Runs are cut at this many characters, so that memory stays small.
const WINDOW: usize = 4096;
/// Longest name that a family name and single characters make.
const NAME: usize = 4;
/// Longest run of hiragana that may be a name and nothing else.
const HIRAGANA_NAME: usize = 10;
/// What an unknown character, a single one and a word cost when a run is cut.
const UNKNOWN: u32 = 100;
const SINGLE: u32 = 12;
const WHOLE: u32 = 10;
/// Endings and counters of Korean that are one character, and the Chinese `history of`.
const ENDINGS: &str =
    "史은는이가을를의에도로와과만년월일시분초회차개매례형성부술세인한된됨함임건요";
/// Words beside names in scripts without spaces.
const EASTERN_WORDS: &str = include_str!("../data/eastern.txt");

words! { EASTERN_WORDS;
    /// What stands after a name.
    TITLES "title";
}

/// The title that a folded text begins with, in bytes.
pub(crate) fn title_at(text: &str) -> Option<usize> {
    TITLES.iter().filter(|t| text.starts_with(**t)).map(|t| t.len()).max()
}

/// Whether a folded run is one word of the vocabulary.
pub(crate) fn is_word(text: &str) -> bool {
    WORDS.get(text) & EASTERN != 0
}

/// Whether kana are but a part of a word of medicine in kana: `まい` in `めまい`.
pub(crate) fn is_inside_term(text: &str, range: &Range<usize>) -> bool {
    let kana = |c: &char| ('\u{3041}'..='\u{30fc}').contains(c);
    if !text[range.clone()].chars().all(|c| kana(&c)) {
        return false;
    }
    let before = text[..range.start].char_indices().rev().take_while(|(_, c)| kana(c));
    let starts = before.map(|(at, _)| at).take(LONGEST);
    let after = text[range.end..].char_indices().take_while(|(_, c)| kana(c)).take(LONGEST);
    let ends = after.map(|(at, c)| range.end + at + c.len_utf8());
    let ends: Vec<usize> = [range.end].into_iter().chain(ends).collect();
    let mut all = [range.start]
        .into_iter()
        .chain(starts)
        .flat_map(|start| ends.iter().map(move |end| start..*end));
    all.any(|whole| whole != *range && WORDS.get(&text[whole]) & TERM != 0)
}

/// Whether words of the vocabulary make up a folded run.
pub(crate) fn is_vocabulary(text: &str) -> bool {
    let chars = characters(text, 0..text.len());
    pieces(text, &chars).iter().all(|piece| piece.known != Known::No)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    No,
    /// One character that may as well be part of a name.
    Single,
    Word,
}

struct Piece {
    start: usize,
    end: usize,
    chars: usize,
    known: Known,
    /// Whether medicine or reports have it, and not only ordinary language.
    term: bool,
}

/// Takes what no vocabulary knows out of every run of Chinese, Japanese and Korean.
pub(crate) fn find(page: &mut Page, keep: &dyn Fn(&str) -> bool) {
    if !page.has_eastern {
        return;
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < page.tokens.len() {
        let free = |t: usize| page.is_free(t) && page.class(t).is_some_and(|c| c.is_eastern());
        if !free(at) {
            at += 1;
            continue;
        }
        let first = at;
        while free(at) {
            at += 1;
        }
        let range = page.tokens[first].start..page.tokens[at - 1].end;
        let chars = characters(&page.text, range);
        let title = page.is_space(at) && title_of_page(page.str(at + 1));
        let mut beside = names::Beside { cue: cue_of_run(page, first), title };
        for window in chars.chunks(WINDOW) {
            let pieces = pieces_kept(&page.text, window, keep);
            names::find(&page.text, &pieces, std::mem::take(&mut beside), &mut found);
            judge(&page.text, &pieces, &mut found);
        }
    }
    for (range, kind, rule) in found {
        page.take_range(range, kind, rule);
    }
    for at in 2..page.tokens.len() {
        take_family(page, at);
    }
}

/// `高橋 礼子医師` where 礼子 is known and gone: the family name before it.
fn take_family(page: &mut Page, at: usize) {
    let text = page.str(at);
    let titled = page.tokens[at].taken.is_some_and(Kind::is_name)
        && TITLES.iter().any(|title| text.ends_with(fold(title).as_str()));
    let family = page.str(at - 2);
    // `左 福田京助様`: a word of medicine before a whole name.
    let word = WORDS.get(family) & TERM != 0 && starts_with_family(text);
    if titled && !word && page.is_space(at - 1) && page.is_free(at - 2) && is_family(family) {
        page.take_tokens(at - 2..at - 1, Kind::NameByContext, "name-before-title");
    }
}

/// What leads to a name right before a run, over a space or a colon: `보호자 장지연`.
fn cue_of_run(page: &Page, first: usize) -> Option<names::Leads> {
    let mut before = first;
    while before > 0 && first - before < 3 {
        before -= 1;
        let gap = page.is_space(before) || matches!(page.mark(before), Some(':' | '：' | '('));
        if !gap {
            return names::leads(page.str(before));
        }
    }
    None
}

/// Where each character begins, and where the last one ends.
fn characters(text: &str, range: Range<usize>) -> Vec<(usize, usize)> {
    let start = range.start;
    let places = text[range].char_indices();
    places.map(|(at, c)| (start + at, start + at + c.len_utf8())).collect()
}

fn pieces(text: &str, chars: &[(usize, usize)]) -> Vec<Piece> {
    pieces_kept(text, chars, &|_| false)
}

/// Cuts a run so that the fewest characters stay unknown.
fn pieces_kept(text: &str, chars: &[(usize, usize)], keep: &dyn Fn(&str) -> bool) -> Vec<Piece> {
    // The cheapest way to reach each place: its cost, and the length of its last piece.
    let mut ways = vec![(0_u32, 0_usize, Known::No); chars.len() + 1];
    for end in 1..=chars.len() {
        let mut best = (ways[end - 1].0 + UNKNOWN, 1, Known::No);
        for length in 1..=LONGEST.min(end) {
            let word = &text[chars[end - length].0..chars[end - 1].1];
            let flags = WORDS.get(word);
            if flags & EASTERN == 0 && !keep(word) {
                continue;
            }
            let single = length == 1 && flags & CHARACTER == 0;
            // An ending of Korean cannot begin a word, unless it stands alone (`45세`).
            let begins = end == 1 || ways[end - 1].2 == Known::No;
            if single && begins && chars.len() > 1 && ENDINGS.contains(word) {
                continue;
            }
            let cost = ways[end - length].0 + if single { SINGLE } else { WHOLE };
            if cost < best.0 {
                best = (cost, length, if single { Known::Single } else { Known::Word });
            }
        }
        ways[end] = best;
    }
    let mut pieces = Vec::new();
    let mut end = chars.len();
    while end > 0 {
        let (_, length, known) = ways[end];
        let (start, until) = (chars[end - length].0, chars[end - 1].1);
        let term = WORDS.get(&text[start..until]) & TERM != 0;
        pieces.push(Piece { start, end: until, chars: length, known, term });
        end -= length;
    }
    pieces.reverse();
    pieces
}

fn is_hangul(text: &str) -> bool {
    text.starts_with(|c| ('\u{ac00}'..='\u{d7a3}').contains(&c))
}

/// Finds names and unknown words among the pieces of a run.
fn judge(text: &str, pieces: &[Piece], found: &mut Vec<(Range<usize>, Kind, &'static str)>) {
    if let Some(range) = family_alone(text, pieces) {
        found.push((range, Kind::NameByDictionary, "eastern-family-name"));
        return;
    }
    if let Some(range) = given(pieces).or_else(|| hiragana_name(text, pieces)) {
        found.push((range, Kind::UnknownWord, "unknown-eastern-word"));
        return;
    }
    let mut at = 0;
    while at < pieces.len() {
        if pieces[at].known != Known::No {
            at += 1;
            continue;
        }
        let mut end = at;
        while pieces.get(end).is_some_and(|p| p.known == Known::No) {
            end += 1;
        }
        let (first, end) = widen(text, pieces, at, end);
        let (first, end) = whole_katakana(text, pieces, first, end);
        let range = pieces[first].start..pieces[end - 1].end;
        let chars: usize = pieces[first..end].iter().map(|p| p.chars).sum();
        if let Some((kind, rule)) = unknown(&text[range.clone()], chars) {
            found.push((range, kind, rule));
        }
        at = end.max(at + 1);
    }
}

/// A run that is a family name and no word, though each of its characters is one: `高橋`.
fn family_alone(text: &str, pieces: &[Piece]) -> Option<Range<usize>> {
    let (first, last) = (pieces.first()?, pieces.last()?);
    let single = pieces.len() > 1 && pieces.iter().all(|p| p.known == Known::Single);
    (single && is_family(&text[first.start..last.end])).then_some(first.start..last.end)
}

/// A short run of single characters, not all of them known: `小明`.
fn given(pieces: &[Piece]) -> Option<Range<usize>> {
    let (first, last) = (pieces.first()?, pieces.last()?);
    let chars: usize = pieces.iter().map(|p| p.chars).sum();
    let unknown = pieces.iter().filter(|p| p.known == Known::No).count();
    let words = pieces.iter().any(|p| p.known == Known::Word);
    // What is unknown as a whole is looked at for a family name.
    let mixed = (1..pieces.len()).contains(&unknown) && first.known == Known::Single;
    (mixed && !words && chars < NAME).then_some(first.start..last.end)
}

/// A short run of hiragana alone that is not all known: `たかなし`, `とものり`.
fn hiragana_name(text: &str, pieces: &[Piece]) -> Option<Range<usize>> {
    let (first, last) = (pieces.first()?, pieces.last()?);
    let chars: usize = pieces.iter().map(|p| p.chars).sum();
    let hiragana =
        text[first.start..last.end].chars().all(|c| ('\u{3041}'..='\u{309f}').contains(&c));
    let doubtful = pieces.iter().any(|p| p.known == Known::No)
        || (pieces.len() > 2 && pieces.iter().all(|p| p.known == Known::Single))
        || (pieces.len() > 2 && first.known == Known::Single);
    (hiragana && doubtful && (2..=HIRAGANA_NAME).contains(&chars)).then_some(first.start..last.end)
}

fn is_family(text: &str) -> bool {
    WORDS.get(text) & EASTERN_FAMILY != 0
}

/// Adds the single characters that belong to a name around unknown ones.
fn widen(text: &str, pieces: &[Piece], first: usize, end: usize) -> (usize, usize) {
    let (mut first, mut end) = (first, end);
    let single = |at: usize| pieces.get(at).is_some_and(|p| p.known == Known::Single);
    let unknown = |at: usize| pieces.get(at).is_some_and(|p| p.known == Known::No);
    let han = |at: usize| {
        pieces.get(at).is_some_and(|p| {
            text[p.start..p.end].starts_with(|c: char| ('\u{3400}'..='\u{9fff}').contains(&c))
        })
    };
    // A family name of one or two characters that are words as well.
    if first > 0 && single(first - 1) {
        let alone = is_family(&text[pieces[first - 1].start..pieces[first - 1].end]);
        let one_more = first_char_end(text, &pieces[first]);
        let pair = is_family(&text[pieces[first - 1].start..one_more]);
        if alone || pair {
            first -= 1;
        }
    }
    // Single characters between unknown ones, and those that end a name.
    loop {
        if single(end) && unknown(end + 1) && han(end) {
            end += 2;
        } else if unknown(end) {
            end += 1;
        } else {
            break;
        }
    }
    let starts_family = starts_with_family(&text[pieces[first].start..pieces[end - 1].end]);
    let chars: usize = pieces[first..end].iter().map(|p| p.chars).sum();
    let double = pair_of_family(&text[pieces[first].start..pieces[end - 1].end]);
    let longest = if double { NAME } else { NAME - 1 };
    if starts_family && chars < longest && single(end) && han(end) {
        end += 1;
    }
    while single(end) && is_hangul(&text[pieces[end].start..pieces[end].end]) {
        end += 1;
    }
    (first, end)
}

/// A word in katakana that is not all known goes whole: `マイケル`, not `ケル` alone.
fn whole_katakana(text: &str, pieces: &[Piece], first: usize, end: usize) -> (usize, usize) {
    let katakana = |c: char| ('\u{30a1}'..='\u{30fc}').contains(&c);
    let all = |at: usize| text[pieces[at].start..pieces[at].end].chars().all(katakana);
    if !(first..end).any(all) {
        return (first, end);
    }
    let before = (0..first).rev().take_while(|&at| all(at)).count();
    let after = (end..pieces.len()).take_while(|&at| all(at)).count();
    (first - before, end + after)
}

fn first_char_end(text: &str, piece: &Piece) -> usize {
    let first = text[piece.start..].chars().next();
    piece.start + first.map_or(0, char::len_utf8)
}

/// Whether a text begins with a family name of two characters.
fn pair_of_family(text: &str) -> bool {
    let end = text.char_indices().nth(2).map_or(text.len(), |(at, _)| at);
    text.chars().count() >= 2 && is_family(&text[..end])
}

fn starts_with_family(text: &str) -> bool {
    (1..=3).any(|length| {
        let end = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
        is_family(&text[..end])
    })
}

/// What an unknown piece is taken for, if for anything.
fn unknown(text: &str, chars: usize) -> Option<(Kind, &'static str)> {
    let kana = text.starts_with(|c| ('\u{3041}'..='\u{30ff}').contains(&c));
    if kana && chars < 2 {
        return None;
    }
    let named = starts_with_family(text) && (2..=NAME + 1).contains(&chars);
    Some(if named {
        (Kind::NameByDictionary, "eastern-family-name")
    } else {
        (Kind::UnknownWord, "unknown-eastern-word")
    })
}
