//! Addresses after words that say so: everything to the end of the sentence.

use super::{ADDRESSES, FIRST, LAST, is_capital};
use crate::fold::fold;
use crate::kind::Kind;
use crate::lexicon;
use crate::token::{Class, Page};
use crate::words::{section, words};
use std::sync::LazyLock;

words! { ADDRESSES;
    /// Small words between a cue and its address.
    BETWEEN "cue-between";
    /// Parts of houses that addresses begin with.
    FLATS "cue-flat";
    /// Cues in scripts without spaces.
    EASTERN "cue-eastern";
    /// Words of addresses that a full stop shortens and no sentence's end.
    ABBREVIATED "abbreviated";
    /// Behind a comma, and still the address.
    GOES_ON "goes-on";
}
/// Longest address, in tokens.
const LONGEST: usize = 60;

/// Words before an address, the last one first: `lives at`, `home address`, `Wohnhaft`.
static CUES: LazyLock<Vec<Vec<&'static str>>> =
    LazyLock::new(|| section(ADDRESSES, "cue").map(|cue| cue.rsplit('_').collect()).collect());

static FOLDED: LazyLock<Vec<String>> =
    LazyLock::new(|| EASTERN.iter().map(|cue| fold(cue)).collect());

/// Takes what follows cues of addresses, the cues with it: without its address, a cue would take
/// the next sentence.
pub(super) fn find(page: &mut Page) {
    let mut at = 0;
    while at < page.tokens.len() {
        let end = match page.class(at) {
            Some(Class::Word) => latin(page, at),
            Some(class) if class.is_eastern() => eastern(page, at),
            _ => None,
        };
        at = match end {
            Some((start, end)) => {
                page.take_range(start..page.tokens[end - 1].end, Kind::Address, "address-cue");
                end
            }
            None => at + 1,
        };
    }
}

/// The beginning in bytes and the token after an address whose cue ends at a word.
fn latin(page: &Page, at: usize) -> Option<(usize, usize)> {
    let word = page.str(at);
    let cue = CUES
        .iter()
        .find(|cue| cue[0] == word && (cue.len() == 1 || at >= 2 && page.str(at - 2) == cue[1]))?;
    let start = page.tokens[if cue.len() == 1 { at } else { at - 2 }].start;
    let mut next = at + 1;
    let mut field = false;
    for _ in 0..7 {
        let mark = page.mark(next);
        field |= matches!(mark, Some(':' | '='));
        let skips = page.is_space(next)
            || matches!(mark, Some(':' | '=' | '-'))
            || (BETWEEN.contains(page.str(next)) && page.is_space(next + 1));
        next += usize::from(skips);
    }
    let first = page.digits_at(next).is_some() || page.is_word(next);
    let end = sentence_end(page, next);
    let digits = (next..end).any(|t| page.digits_at(t).is_some_and(|d| d.len() <= 6));
    let street = (next..end).any(|t| FIRST.contains(page.str(t)) || LAST.contains(page.str(t)));
    let begins = FLATS.contains(page.str(next))
        || page.digits_at(next).is_some_and(|_| is_house(page, next))
        || FIRST.contains(page.str(next))
        || is_capital(page, next) && !is_trade(page, next);
    let sure = digits && begins || field && street && begins;
    (first && sure && end > next).then_some((start, end))
}

/// Whether digits are no measurement or day of the month before words of the trade.
fn is_house(page: &Page, at: usize) -> bool {
    let after = at + 1 + usize::from(page.is_space(at + 1));
    !crate::numbers::is_unit(page.str(after)) && page.mark(at + 1) != Some('/')
}

fn is_trade(page: &Page, at: usize) -> bool {
    let entry = lexicon::look_up(page.str(at));
    entry.is_clinical() && !entry.is_name() && !FIRST.contains(page.str(at))
}

/// The token that ends a sentence, or begins another thought in it.
fn sentence_end(page: &Page, from: usize) -> usize {
    let last = page.tokens.len().min(from + LONGEST);
    let mut digits = false;
    for at in from..last {
        digits |= page.digits_at(at).is_some();
        match page.class(at) {
            Some(Class::Line) => return at,
            Some(Class::Mark) => match page.mark(at) {
                Some(';' | '。' | '；' | '|' | ')' | ']' | '"') => return at,
                Some('.') if is_stop(page, at) => return at,
                Some(',' | '，' | '、') if digits && is_next_thought(page, at) => return at,
                _ => {}
            },
            _ => {}
        }
    }
    last
}

/// Whether a full stop ends a sentence and no abbreviation.
fn is_stop(page: &Page, at: usize) -> bool {
    let ends = !page.is_space(at + 1)
        && !page.class(at + 1).is_some_and(|c| c == Class::Word || c == Class::Digits);
    let word = if at > 0 && page.is_word(at - 1) { page.str(at - 1) } else { "" };
    let alone = !word.is_empty() && !page.is_glued_before(at - 1);
    let numbered = word.len() <= 2 && page.digits_at(at + 2).is_some();
    let short = alone && (numbered || ABBREVIATED.contains(word) || word.ends_with("str"));
    ends || page.is_space(at + 1) && !short
}

/// Whether what follows a comma is another thought: a small word that no address has.
fn is_next_thought(page: &Page, at: usize) -> bool {
    let next = at + 1 + usize::from(page.is_space(at + 1));
    if page.class(next).is_some_and(Class::is_eastern) {
        let number = (next..next + 4).any(|t| page.digits_at(t).is_some());
        return page.mark(at) != Some(',') || !number;
    }
    let word = page.str(next);
    let small = GOES_ON.contains(word);
    page.is_word(next)
        && !small
        && !FIRST.contains(word)
        && (!is_capital(page, next) || is_trade(page, next) && !is_town(page, next))
}

/// Whether a code or the end follows a word, as behind towns.
fn is_town(page: &Page, at: usize) -> bool {
    (at + 1..at + 8)
        .take_while(|&t| page.is_word(t) || page.is_space(t) || page.digits_at(t).is_some())
        .any(|t| page.digits_at(t).is_some() && is_house(page, t))
}

/// A syllable of Hangul.
fn is_syllable(c: char) -> bool {
    ('\u{ac00}'..='\u{d7a3}').contains(&c)
}

fn eastern(page: &Page, at: usize) -> Option<(usize, usize)> {
    let text = page.str(at);
    let (place, cue) = FOLDED.iter().find_map(|cue| text.find(cue.as_str()).map(|p| (p, cue)))?;
    // `주소율` is somebody's name: what follows a word of Korean stands apart.
    let rest = &text[place + cue.len()..];
    if rest.starts_with(is_syllable) && !rest.starts_with(['는', '가', '지', '로']) {
        return None;
    }
    let start = page.tokens[at].start + place;
    let within = place + cue.len() < text.len();
    let mut next = at + usize::from(!within);
    while !within && (page.is_space(next) || matches!(page.mark(next), Some(':' | '：'))) {
        next += 1;
    }
    let end = sentence_end(page, next);
    let digits = (next..end).any(|t| page.digits_at(t).is_some());
    (digits && end > next).then_some((start, end))
}
