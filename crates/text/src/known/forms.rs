//! The forms of one value, folded.

use super::builder::LONGEST_VALUE;
use super::{GROUPED, Place, SQUEEZED, SQUEEZED_DIGITS};
use crate::cleaner::is_vocabulary;
use crate::eastern;
use crate::fold::fold;
use crate::lexicon;
use crate::numbers;
use crate::titles;
use crate::words::{Words, words};
use std::sync::LazyLock;

/// A folded form and where it counts.
pub(super) type Pattern = (String, Place);

/// Shortest form that counts inside longer words.
const ANYWHERE: usize = 5;
/// Shortest word of a name, and of two letters only beside another.
const SHORTEST: usize = 2;
/// Most words of one name that are combined with each other.
const COMBINED: usize = 8;
/// Shortest identifier that is looked for: three digits are in every image.
pub(super) const IDENTIFIER: usize = 4;
/// What stands for values, and how months are written.
const KNOWN: &str = include_str!("../../data/known.txt");

words! { KNOWN;
    /// What stands for a name when there is none.
    PLACEHOLDERS "placeholder";
}

pub(super) fn is_eastern(text: &str) -> bool {
    text.chars().any(|c| ('\u{2e80}'..='\u{d7a3}').contains(&c))
}

/// Every form of a person's name.
pub(super) fn person(pn: &str) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for group in pn.split(['\\', '=']) {
        let parts: Vec<&str> = group.split('^').map(str::trim).collect();
        if is_eastern(group) {
            eastern_name(&parts, &mut patterns);
        } else {
            western_name(&parts, &mut patterns);
        }
    }
    patterns
}

fn western_name(parts: &[&str], patterns: &mut Vec<Pattern>) {
    let mut words: Vec<Vec<String>> = Vec::new();
    // Prefix and suffix are titles; they are nobody's alone.
    for part in parts.iter().take(3) {
        let spelled = spellings(part);
        for spelling in spelled {
            let split = spelling.split(|c: char| !c.is_alphanumeric());
            let split: Vec<&str> = split.filter(|w| !w.is_empty()).collect();
            // `Mi^Bin`: a small word that is all of a name is no small word.
            let only = split.len() == 1 && titles::is_particle(split[0]);
            let (split, nobody): (Vec<&str>, Vec<&str>) =
                split.into_iter().partition(|w| only || !is_no_name(w));
            patterns.extend(nobody.into_iter().map(|w| (w.to_owned(), Place::Nowhere)));
            let split: Vec<String> = split.into_iter().map(str::to_owned).collect();
            if split.len() > 1 {
                let joined = split.concat();
                if joined.len() > ANYWHERE {
                    patterns.push((joined, Place::Anywhere));
                }
            }
            words.push(split);
        }
    }
    let words: Vec<String> = words.into_iter().flatten().collect();
    // `Chest^Dosimetry` is nobody, because nobody at all is called by either word. Words that are
    // somebody's name as well (`Colon^Stone`) stay only where they do not stand as one.
    let nobody = words.iter().all(|word| {
        let entry = lexicon::look_up(word);
        entry.is_vocabulary() && !entry.is_name()
    });
    for word in &words {
        let found = name_word(word);
        patterns.extend(found.map(|(w, place)| (w, if nobody { Place::Nowhere } else { place })));
    }
    let combined: Vec<&String> = words.iter().take(COMBINED).collect();
    for one in &combined {
        for other in combined.iter().filter(|other| *other != one) {
            if one.len() + other.len() > ANYWHERE {
                patterns.push((format!("{one}{other}"), Place::Anywhere));
            }
            let initial: String = one.chars().take(1).collect();
            if other.len() >= 3 && other.len() + 1 >= ANYWHERE {
                // `Chang^Eleanor` makes no name of `change`.
                let joined = [format!("{initial}{other}"), format!("{other}{initial}")];
                let joined = joined.into_iter().filter(|form| !is_vocabulary(form));
                patterns.extend(joined.map(|form| (form, Place::Whole)));
            }
        }
    }
}

/// The initials of a name, in the orders that people write them: `tm`, `mt`, `tjm`.
pub(super) fn initials(pn: &str) -> Vec<String> {
    let mut all = Vec::new();
    for group in pn.split(['\\', '=']).filter(|group| !is_eastern(group)) {
        let first = |part: &str| -> String {
            let folded = fold(part);
            let words = folded.split(|c: char| !c.is_alphanumeric());
            words.filter(|word| !is_no_name(word)).filter_map(|word| word.chars().next()).collect()
        };
        let parts: Vec<String> = group.split('^').take(3).map(first).collect();
        let of = |order: &[usize]| -> String {
            order.iter().filter_map(|&at| parts.get(at)).map(String::as_str).collect()
        };
        all.extend([of(&[0, 1]), of(&[1, 0]), of(&[1, 2, 0]), of(&[0, 1, 2])]);
    }
    all.retain(|letters| {
        let named = letters.bytes().all(|letter| letter.is_ascii_lowercase());
        (2..=3).contains(&letters.len()) && named && !numbers::is_nobody(letters)
    });
    all.sort_unstable();
    all.dedup();
    all
}

/// Initials with full stops, where those mean nothing else: `t.m`, `t. m`.
pub(super) fn dotted(initials: &str) -> Vec<Pattern> {
    let joined = |between: &str| {
        let letters: Vec<String> = initials.chars().map(String::from).collect();
        (letters.join(between), Place::Whole)
    };
    vec![joined("."), joined(". ")]
}

/// A name with its umlauts as they are, with `e`, and without.
fn spellings(part: &str) -> Vec<String> {
    let folded = fold(part);
    let lower = part.to_lowercase();
    let spelled = lower.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('å', "aa");
    let spelled = fold(&spelled.replace('ø', "oe"));
    let plain = folded.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    let mut all = vec![folded];
    for other in [spelled, plain] {
        if !all.contains(&other) && other.len() >= 3 {
            all.push(other);
        }
    }
    all
}

fn is_no_name(word: &str) -> bool {
    let small = word.chars().count() <= 3;
    PLACEHOLDERS.contains(word)
        || (small && (titles::is_particle(word) || titles::is_suffix(word)))
        || titles::is_title(word)
}

fn name_word(word: &str) -> Option<Pattern> {
    let letters = word.chars().count();
    if letters < SHORTEST {
        return None;
    }
    let place = if letters == SHORTEST || lexicon::look_up(word).is_vocabulary() {
        Place::Beside
    } else if letters >= ANYWHERE {
        Place::Anywhere
    } else {
        Place::Whole
    };
    let place = if letters == SHORTEST && !lexicon::look_up(word).is_name() {
        Place::Beside
    } else {
        place
    };
    Some((word.to_owned(), place))
}

/// Chinese, Japanese and Korean names: whole, with and without a space, and parts of two or more.
fn eastern_name(parts: &[&str], patterns: &mut Vec<Pattern>) {
    let parts: Vec<String> = parts
        .iter()
        .take(3)
        .flat_map(|part| fold(part).split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter(|part| !part.is_empty())
        .collect();
    let whole = parts.concat();
    let mut add = |text: String| {
        // A part of a name may be a usual word; the whole name goes whatever it means.
        if text.chars().count() >= 2 && (text == whole || !eastern::is_word(&text)) {
            let other = other_kana(&text);
            if other != text {
                patterns.push((other, Place::Anywhere));
            }
            patterns.push((text, Place::Anywhere));
        } else if text.chars().count() >= 2 {
            patterns.push((text, Place::Nowhere));
        }
    };
    for part in &parts {
        add(part.clone());
    }
    for (at, one) in parts.iter().enumerate().take(COMBINED) {
        for (beside, other) in parts.iter().enumerate().take(COMBINED) {
            if one == other {
                continue;
            }
            add(format!("{one}{other}"));
            // Two characters apart in the wrong order are the end of one word and the next name.
            if beside < at && one.chars().count() + other.chars().count() == 2 {
                continue;
            }
            add(format!("{one} {other}"));
            add(format!("{one}·{other}"));
            add(format!("{one}・{other}"));
        }
    }
    if let [whole] = parts.as_slice()
        && (3..=4).contains(&whole.chars().count())
    {
        // A name without separators: what follows its first character is the given name.
        add(whole.chars().skip(1).collect());
    }
}

/// Hiragana as katakana, katakana as hiragana.
fn other_kana(text: &str) -> String {
    let shift = |c: char, by: i32| u32::from(c).checked_add_signed(by).and_then(char::from_u32);
    let other = |c: char| match c {
        '\u{3041}'..='\u{3096}' => shift(c, 0x60),
        '\u{30a1}'..='\u{30f6}' => shift(c, -0x60),
        _ => None,
    };
    text.chars().map(|c| other(c).unwrap_or(c)).collect()
}

fn compact(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Values of an element, trimmed and folded.
fn values(value: &str) -> impl Iterator<Item = String> + '_ {
    let cut = |v: &str| v.chars().take(LONGEST_VALUE).collect::<String>();
    value.split('\\').map(move |v| fold(cut(v).trim_matches([' ', '\0'])))
}

/// Whether a value is no identifier but what an examination is called, as some systems write it in
/// the place of one: words of the vocabulary, two of them clinical and no names.
fn is_description(value: &str) -> bool {
    let words = || value.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let says = |word: &&str| {
        let entry = lexicon::look_up(word);
        word.len() > 2 && entry.is_clinical() && !entry.is_name()
    };
    words().all(|word| is_vocabulary(word) || word.len() <= 2) && words().filter(says).count() > 1
}

/// An identifier as written, without separators, without leading zeros, its digits alone.
pub(super) fn identifier(value: &str) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for raw in values(value) {
        let compact = compact(&raw);
        let digits: String = compact.chars().filter(char::is_ascii_digit).collect();
        let word = digits.is_empty()
            && (is_vocabulary(&raw) || PLACEHOLDERS.contains(&raw) || is_description(&raw));
        if word {
            patterns.push((raw, Place::Nowhere));
            continue;
        }
        if compact.chars().count() < IDENTIFIER {
            continue;
        }
        let mut forms = vec![raw, compact.clone(), compact.trim_start_matches('0').to_owned()];
        if digits.len() >= SQUEEZED {
            forms.push(digits.trim_start_matches('0').to_owned());
            forms.push(digits);
        }
        for form in forms {
            let long = form.len() >= SQUEEZED;
            if form.chars().count() >= IDENTIFIER {
                patterns.push((form, if long { Place::Anywhere } else { Place::Whole }));
            }
        }
    }
    patterns
}

/// Identifiers with many digits, to be looked for with any separators: `12 345 678`; of those with
/// letters the digits alone as well.
pub(super) fn squeezed(value: &str) -> Vec<String> {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let long = |text: &String| {
        text.len() >= SQUEEZED && digits(text) >= SQUEEZED_DIGITS
            || text.len() == GROUPED && digits(text) == GROUPED
    };
    let varied = |text: &String| text.bytes().any(|byte| !text.starts_with(char::from(byte)));
    let bare = |text: &str| text.trim_start_matches('0').to_owned();
    let of = |raw: String| {
        let all: String = raw.chars().filter(char::is_ascii_alphanumeric).collect();
        let alone: String = all.chars().filter(char::is_ascii_digit).collect();
        let alone = Some(alone).filter(|alone| alone.len() >= SQUEEZED || *alone == all);
        [Some(bare(&all)), alone.as_deref().map(bare), alone, Some(all)]
    };
    let mut forms: Vec<String> = values(value).flat_map(of).flatten().collect();
    forms.retain(|form| long(form) && varied(form));
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// A UID, without the padding.
pub(super) fn uid(value: &str) -> Vec<Pattern> {
    let long = |uid: &String| uid.len() >= 8 && !uid.starts_with("1.2.840.10008.");
    values(value).filter(long).map(|uid| (uid, Place::Whole)).collect()
}

/// A profile's word or phrase.
pub(super) fn word(value: &str) -> Vec<Pattern> {
    let folded = fold(value.trim());
    if folded.is_empty() {
        return Vec::new();
    }
    let place = if is_eastern(&folded) { Place::Anywhere } else { Place::Whole };
    vec![(folded, place)]
}

/// The dates of a value, each in every spelling.
pub(super) fn dates(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for part in value.split(['\\', '-']) {
        let digits = part.trim_matches([' ', '\0']).replace(['.', '/', ':'], "");
        let (Some(year), Some(month), Some(day)) =
            (digits.get(..4), digits.get(4..6), digits.get(6..8))
        else {
            continue;
        };
        let numbers = (year.parse::<u32>(), month.parse::<u32>(), day.parse::<u32>());
        if let (Ok(year), Ok(month), Ok(day)) = numbers
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
        {
            spell(year, month, day, &mut forms);
        }
    }
    forms
}

fn spell(year: u32, month: u32, day: u32, forms: &mut Vec<String>) {
    let short = year % 100;
    let (y, m, d) = (format!("{year:04}"), format!("{month:02}"), format!("{day:02}"));
    let s = format!("{short:02}");
    for mark in ["", "-", "/", ".", "_", " "] {
        let orders =
            [[&y, &m, &d], [&d, &m, &y], [&m, &d, &y], [&s, &m, &d], [&d, &m, &s], [&m, &d, &s]];
        forms.extend(orders.map(|order| order.map(String::as_str).join(mark)));
        if mark.is_empty() || mark == " " {
            continue;
        }
        for last in [&y, &s] {
            forms.push(format!("{day}{mark}{month}{mark}{last}"));
            forms.push(format!("{month}{mark}{day}{mark}{last}"));
        }
        forms.push(format!("{y}{mark}{month}{mark}{day}"));
    }
    if let Some(roman) = numbers::roman(month) {
        for mark in ["-", "/", ".", ". ", " "] {
            forms.extend([&y, &s].map(|last| format!("{day}{mark}{roman}{mark}{last}")));
            forms.extend([&y, &s].map(|last| format!("{day:02}{mark}{roman}{mark}{last}")));
            forms.push(format!("{y}{mark}{roman}{mark}{day}"));
        }
        forms.extend([format!("{day}.{roman}"), format!("{day:02}.{roman}")]);
    }
    forms.push(format!("{year}年{month}月{day}日"));
    forms.push(format!("{month}月{day}日"));
    forms.push(format!("{year}년 {month}월 {day}일"));
    forms.push(format!("{month}월 {day}일"));
    for name in month_names(month) {
        forms.push(format!("{day} {name}"));
        forms.push(format!("{day}. {name}"));
        forms.push(format!("{day} de {name}"));
        forms.push(format!("{name} {day}"));
        forms.push(format!("{day}{name}{short:02}"));
        forms.push(format!("{day:02}{name}{short:02}"));
        forms.push(format!("{day:02}{name}{year}"));
        forms.push(format!("{day:02}{name}"));
        forms.push(format!("{day:02}-{name}"));
    }
}

/// The names of a month that mean nothing else, folded.
fn month_names(month: u32) -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<Words>> = LazyLock::new(|| {
        (1..=12).map(|month| Words::read(KNOWN, &format!("month-{month}"))).collect()
    });
    NAMES.get(month as usize - 1).map_or(&[], |names| names)
}

/// What should be a date and is none: looked for as it is.
pub(super) fn malformed_date(value: &str) -> Vec<Pattern> {
    let odd = |v: &String| v.len() >= SQUEEZED && dates(v).is_empty();
    values(value).filter(odd).map(|v| (v, Place::Whole)).collect()
}
