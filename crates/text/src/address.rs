//! Street addresses and postcodes, by the words that streets are called.

mod cued;

use crate::kind::Kind;
use crate::lexicon;
use crate::numbers;
use crate::token::{Case, Class, Page};
use crate::words::words;

/// Words of addresses.
const ADDRESSES: &str = include_str!("../data/addresses.txt");

words! { ADDRESSES;
    /// Streets whose kind comes last: `221B Baker Street`.
    LAST "last";
    /// Kinds of streets that are words of the trade as well: `ST segment`, `CT`.
    LAST_DOUBTFUL "last-doubtful";
    /// Streets whose kind comes first: `rue de la Paix`, `Calle Mayor 5`, `Rua Augusta, 100`.
    FIRST "first";
    /// Kinds of streets that come first and are other words as well: they need a house's number.
    FIRST_DOUBTFUL "first-doubtful";
    /// Ends of German streets that are one word with their name.
    JOINED "joined";
    /// Signs of streets and houses in Chinese, Japanese and Korean.
    EASTERN_STREET "eastern-street";
    EASTERN_HOUSE "eastern-house";
    /// Areas of the United Kingdom's postcodes: those that are one letter need an address beside
    /// them.
    POSTCODE_AREAS "postcode-area";
    /// Small words inside names of streets.
    SMALL "small";
    /// Small words inside names of towns.
    SMALL_OF_TOWNS "small-of-towns";
    /// Before the number of a house.
    NUMBERED "numbered";
    /// Parts of houses behind a street.
    FLATS "flat";
}
/// Most words of a street's name.
const WORDS: usize = 4;

/// Takes street addresses and postcodes.
pub(crate) fn find(page: &mut Page) {
    cued::find(page);
    if page.digits == 0 {
        return;
    }
    let mut at = 0;
    while at < page.tokens.len() {
        let found = match page.class(at) {
            Some(Class::Digits) if page.is_free(at) => {
                house_first(page, at).or_else(|| eastern_house(page, at))
            }
            Some(Class::Word) if page.is_free(at) => {
                street_first(page, at).or_else(|| joined(page, at)).or_else(|| postcode(page, at))
            }
            _ => None,
        };
        at = match found {
            Some((start, end, rule)) => {
                let end = with_town(page, end);
                page.take_tokens(start..end, Kind::Address, rule);
                end
            }
            None => at + 1,
        };
    }
}

fn is_capital(page: &Page, at: usize) -> bool {
    page.is_word(at) && (page.tokens[at].case != Case::Lower || !page.has_capitals)
}

/// `123 Main Street`, `221B Baker St.`, and `12 rue de la Paix`.
fn house_first(page: &Page, at: usize) -> Option<(usize, usize, &'static str)> {
    if page.is_glued_before(at) || page.str(at).len() > 5 {
        return None;
    }
    let mut next = page.glued_end(at);
    if next > at + 2 || page.str(next - 1).len() > 5 {
        return None;
    }
    next += usize::from(page.mark(next) == Some(','));
    if !page.is_space(next) {
        return None;
    }
    next += 1;
    if numbers::is_unit(page.str(next)) {
        return None;
    }
    if FIRST.contains(page.str(next)) {
        return named_after(page, next).map(|end| (at, end, "street-after-house"));
    }
    let mut named = false;
    for step in 0..=WORDS {
        let word = page.str(next);
        let sure = step > 0 && !LAST_DOUBTFUL.contains(word);
        let kind = LAST.contains(word) && (named || sure);
        if kind && (!LAST_DOUBTFUL.contains(word) || is_certain(page, at, next)) {
            let end = next + 1;
            return Some((at, end + usize::from(page.mark(end) == Some('.')), "street"));
        }
        if !is_capital(page, next) {
            return None;
        }
        named |= !lexicon::look_up(word).is_clinical();
        next += 1;
        // `12 N. Main Street`, but no sentence's end.
        next += usize::from(page.mark(next) == Some('.') && word.len() <= 2);
        if !page.is_space(next) {
            return None;
        }
        next += 1;
    }
    None
}

/// Whether a doubtful kind of street is one: written `St.` or followed by a town.
fn is_certain(page: &Page, house: usize, at: usize) -> bool {
    let dotted = page.mark(at + 1) == Some('.') || page.mark(at + 1) == Some(',');
    let title = page.tokens[at].case == Case::Title;
    let ends = at + 1 == page.tokens.len();
    page.str(house).len() >= 2 && (dotted || (title && ends))
}

/// The end of a street's name that follows its kind.
fn named_after(page: &Page, at: usize) -> Option<usize> {
    let mut end = None;
    let mut next = at + 1;
    for _ in 0..=WORDS {
        next += usize::from(matches!(page.mark(next), Some('.' | '/')));
        if !(page.is_space(next) || page.mark(next) == Some('-')) || !page.is_word(next + 1) {
            break;
        }
        let small = SMALL.contains(page.str(next + 1));
        if !small && !is_capital(page, next + 1) {
            break;
        }
        next += 2;
        if page.mark(next) == Some('\'') && page.is_word(next + 1) {
            next += 2;
        }
        end = Some(next).filter(|_| !small).or(end);
    }
    end
}

/// `Calle Mayor 5`, `Rua Augusta, 100`: the house after the name.
fn street_first(page: &Page, at: usize) -> Option<(usize, usize, &'static str)> {
    if !FIRST.contains(page.str(at)) {
        return None;
    }
    let doubtful = FIRST_DOUBTFUL.contains(page.str(at));
    if doubtful && (!is_capital(page, at) || page.is_glued_before(at + 1)) {
        return None;
    }
    // `C-Spine AX T2`: a letter with a hyphen is the spine's part, not the street.
    if page.str(at).len() == 1 && page.mark(at + 1) == Some('-') {
        return None;
    }
    let end = named_after(page, at)?;
    let mut house = end;
    for _ in 0..4 {
        let between = page.is_space(house)
            || page.mark(house).is_some_and(|c| matches!(c, ',' | '.' | 'º' | '°'))
            || NUMBERED.contains(page.str(house));
        house += usize::from(between);
    }
    let measured = numbers::is_unit(page.str(house + 1 + usize::from(page.is_space(house + 1))));
    let number = page.digits_at(house).filter(|d| d.len() <= 5 && !measured)?;
    let sure = !doubtful || number.len() <= 3 && (house > end + 1 || page.mark(at + 1).is_some());
    let coded = || with_town(page, page.glued_end(house)) > page.glued_end(house);
    (sure || coded()).then(|| (at, page.glued_end(house), "street-before-house"))
}

/// `Hauptstraße 12`, `Lange Str. 5a`.
fn joined(page: &Page, at: usize) -> Option<(usize, usize, &'static str)> {
    let word = page.str(at);
    let end = JOINED.iter().find(|end| word.ends_with(**end))?;
    let alone = word.len() == end.len();
    if lexicon::look_up(word).is_clinical() || (alone && *end != "strasse" && *end != "str") {
        return None;
    }
    let mut next = at + 1;
    next += usize::from(page.mark(next) == Some('.'));
    next += usize::from(page.is_space(next));
    page.digits_at(next).filter(|d| d.len() <= 4 && next > at + 1)?;
    let start = if alone && at >= 2 && page.is_word(at - 2) { at - 2 } else { at };
    Some((start, page.glued_end(next), "german-street"))
}

fn postcode(page: &Page, at: usize) -> Option<(usize, usize, &'static str)> {
    let beside = (at.saturating_sub(3)..at).any(|t| page.tokens[t].taken == Some(Kind::Address));
    code_of_kingdom(page, at, beside).map(|(start, end)| (start, end, "uk-postcode"))
}

/// `NW1 6XE`: two letters of an area, or one beside an address.
fn code_of_kingdom(page: &Page, at: usize, beside: bool) -> Option<(usize, usize)> {
    let area = page.str(at);
    if area.len() > 2 || page.is_glued_before(at) || page.tokens[at].case != Case::Upper {
        return None;
    }
    let known = area.len() == 2 && POSTCODE_AREAS.contains(area);
    let middle = page.glued_end(at);
    let outward = page.digits_at(at + 1).is_some_and(|d| d.len() <= 2) && middle <= at + 3;
    let inward = page.is_space(middle)
        && page.digits_at(middle + 1).is_some_and(|d| d.len() == 1)
        && page.is_word(middle + 2)
        && page.str(middle + 2).len() == 2
        && page.tokens[middle + 2].case == Case::Upper
        && !page.str(middle + 2).contains(['c', 'i', 'k', 'm', 'o', 'v']);
    let end = page.glued_end(middle + 1);
    let found = (known || beside) && outward && inward && end == middle + 3;
    found.then_some((at, end))
}

/// Extends an address over `, 75002 Paris`, `, MA 02139`, `, Apt 4`.
fn with_town(page: &Page, end: usize) -> usize {
    let mut end = end;
    for _ in 0..4 {
        let mut next = end;
        let comma = page.mark(next) == Some(',');
        next += usize::from(comma);
        if !page.is_space(next) {
            return end;
        }
        next += 1;
        let flat = FLATS.contains(page.str(next));
        if flat && page.is_space(next + 1) && page.digits_at(next + 2).is_some() {
            end = page.glued_end(next + 2);
            continue;
        }
        let code = |t: usize| page.digits_at(t).is_some_and(|d| matches!(d.len(), 4 | 5));
        let name = |t: usize| {
            let whole = !page.is_glued_before(t) && !page.is_glued_before(t + 1);
            whole && is_capital(page, t) && !lexicon::look_up(page.str(t)).is_clinical()
        };
        if page.is_word(next)
            && let Some((_, postcode_end)) = code_of_kingdom(page, next, true)
        {
            return postcode_end;
        }
        let state = page.is_word(next)
            && page.str(next).len() == 2
            && page.is_space(next + 1)
            && code(next + 2);
        let coded = code_end(page, next).filter(|&t| page.is_space(t));
        if state {
            return next + 3;
        } else if let Some(town) = coded.filter(|&t| is_capital(page, t + 1)) {
            return town_end(page, town + 1);
        } else if comma && name(next) {
            end = next + 1;
            if page.is_space(end) && name(end + 1) {
                end += 2;
            }
        } else {
            return end;
        }
    }
    end
}

/// The token after a postcode of the continent: `75002`, `9908-105`, `28 004`.
fn code_end(page: &Page, at: usize) -> Option<usize> {
    let length = page.digits_at(at)?.len();
    let portuguese = length == 4
        && page.mark(at + 1) == Some('-')
        && page.digits_at(at + 2).is_some_and(|d| d.len() == 3);
    let brazilian = length == 5
        && page.mark(at + 1) == Some('-')
        && page.digits_at(at + 2).is_some_and(|d| d.len() == 3);
    if portuguese || brazilian {
        return Some(at + 3);
    }
    matches!(length, 4 | 5).then_some(at + 1).filter(|&t| page.mark(t) != Some('-'))
}

/// The end of a town's name behind its code: its first word whatever it is, then capitals that
/// are no words of the trade, over hyphens and small words.
fn town_end(page: &Page, at: usize) -> usize {
    let mut end = at + 1;
    for _ in 0..WORDS {
        let hyphen = page.mark(end) == Some('-');
        let apostrophe = page.mark(end) == Some('\'');
        if !(page.is_space(end) || hyphen || apostrophe) || !page.is_word(end + 1) {
            break;
        }
        let next = end + 1;
        let entry = lexicon::look_up(page.str(next));
        let last = page.mark(next + 1).is_some_and(|c| matches!(c, '.' | ',' | ';'));
        let town = is_capital(page, next) && (!entry.is_clinical() || last);
        let small = SMALL_OF_TOWNS.contains(page.str(next));
        if !(hyphen || apostrophe || town || small) {
            break;
        }
        end = next + 1;
    }
    end
}

/// `朝阳路88号`, `3丁目2番1号`, `테헤란로 152`: the run before the number, the number, the sign.
fn eastern_house(page: &Page, at: usize) -> Option<(usize, usize, &'static str)> {
    let mut before = at.checked_sub(1)?;
    before -= usize::from(page.is_space(before) && before > 0);
    if !page.class(before).is_some_and(Class::is_eastern) || !page.is_free(before) {
        return None;
    }
    let street = EASTERN_STREET.iter().any(|s| page.str(before).ends_with(s));
    let house = |t: usize| EASTERN_HOUSE.iter().any(|s| page.str(t).starts_with(s));
    let korean = page.class(before) == Some(Class::Hangul) && page.str(before).chars().count() >= 3;
    if !street || !(house(at + 1) || korean && page.is_space(at - 1)) {
        return None;
    }
    let mut end = at + 1;
    if korean && page.class(end) == Some(Class::Hangul) && page.is_space(end + 1) {
        // `도라지로 27길 5`
        end += if page.digits_at(end + 2).is_some() { 3 } else { 1 };
    }
    while page.digits_at(end).is_some() || house(end) || page.mark(end) == Some('-') {
        end += 1;
    }
    Some((before, end, "eastern-street"))
}
