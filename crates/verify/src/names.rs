//! Names of persons (VR PN, PS3.5 6.2.1): representations, components, words, and which of them
//! count alone.
//!
//! - A common word ("Head", "Long", "Rose"), a word of less than three letters, a single
//!   ideograph, less than three kana: only with another part of the same name right beside it.
//! - Three to five letters: as a word. Six or seven: not within a longer word. More: anywhere.
//! - Two ideographs or Hangul syllables: anywhere.

use crate::spelling::{Rule, Spelling, is_letter, is_wide};
use crate::words::{is_common, is_title};

/// Words of one representation that are paired with each other.
const MOST_WORDS: usize = 8;

/// What may stand between two parts of a name.
const BETWEEN: [&str; 9] = ["^", " ", ",", ", ", "_", "-", ".", "\u{3000}", "·"];

/// A word of a name, and where it counts alone.
struct Part {
    text: String,
    alone: Option<Rule>,
}

/// Adds the spellings of every name in a value.
pub(crate) fn spellings(value: &str, out: &mut Vec<Spelling>) {
    for name in value.split('\\') {
        for representation in name.split('=') {
            let parts = parts(representation);
            for part in &parts {
                if let Some(rule) = part.alone {
                    out.push(Spelling::new(part.text.clone(), rule));
                }
            }
            pairs(&parts, out);
            crate::values::numbers(representation, out);
        }
    }
}

/// The words of a representation, titles left out, marks taken off as a further word.
fn parts(representation: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |text: String| {
        let known = parts.iter().any(|part| part.text == text);
        if !known && !text.is_empty() && !is_title(&text.to_lowercase()) {
            parts.push(Part { alone: alone(&text), text });
        }
    };
    // Combining marks belong to the letter before them.
    let splits =
        |c: char| !c.is_alphabetic() && !matches!(c, '\u{300}'..='\u{36f}' | '\u{e31}'..='\u{e4e}');
    for word in representation.split(splits) {
        add(word.to_owned());
        for folded in folds(word) {
            add(folded);
        }
    }
    // O'Brien and Anne-Marie, written as one.
    for component in representation.split(['^', ' ', ',']) {
        let joined = component.chars().any(|c| matches!(c, '\'' | '\u{2019}' | '-'));
        if joined {
            add(component.chars().filter(|c| c.is_alphabetic()).collect());
        }
    }
    parts.truncate(MOST_WORDS);
    parts
}

fn alone(word: &str) -> Option<Rule> {
    let length = word.chars().count();
    if is_common(&word.to_lowercase()) {
        return None;
    }
    if word.chars().any(is_wide) {
        let kana = word.chars().all(|c| matches!(c, 'ぁ'..='ヿ' | '｡'..='ﾟ'));
        return (length >= if kana { 3 } else { 2 }).then_some(Rule::Anywhere);
    }
    by_letters(length)
}

/// Where a run of letters counts.
pub(crate) fn by_letters(length: usize) -> Option<Rule> {
    match length {
        0..3 => None,
        3..6 => Some(Rule::Word),
        6..8 => Some(Rule::Edges),
        _ => Some(Rule::Anywhere),
    }
}

/// Two parts side by side, for those that do not count alone wherever they stand.
fn pairs(parts: &[Part], out: &mut Vec<Spelling>) {
    for (at, first) in parts.iter().enumerate() {
        for (_, second) in parts.iter().enumerate().filter(|(other, _)| *other != at) {
            if [first, second].iter().any(|part| part.alone == Some(Rule::Anywhere)) {
                continue;
            }
            let (a, b) = (&first.text, &second.text);
            let letters = a.chars().count() + b.chars().count();
            let wide = a.chars().chain(b.chars()).all(is_wide);
            let rule = if wide { Some(Rule::Anywhere) } else { by_letters(letters) };
            let Some(rule) = rule.filter(|_| wide || letters > 3) else { continue };
            out.push(Spelling::new(format!("{a}{b}"), rule));
            if first.alone.is_none() && second.alone.is_none() {
                let rule = if wide { Rule::Anywhere } else { Rule::Word };
                let between = BETWEEN.iter().filter(|mark| wide || mark.is_ascii());
                out.extend(between.map(|mark| Spelling::new(format!("{a}{mark}{b}"), rule)));
            }
        }
    }
}

/// A Latin word without its marks, as systems write it that know only ASCII: with the letter
/// alone, and as German spells it.
fn folds(word: &str) -> Vec<String> {
    if word.is_ascii() || !word.chars().all(is_letter) {
        return Vec::new();
    }
    let fold = |german: bool| {
        let mut out = String::with_capacity(word.len());
        for c in word.chars() {
            let folded = plain(c, german)?;
            if c.is_uppercase() {
                out.push_str(&folded.to_uppercase());
            } else {
                out.push_str(folded);
            }
        }
        Some(out)
    };
    let mut folded: Vec<String> = [fold(false), fold(true)].into_iter().flatten().collect();
    folded.dedup();
    folded
}

const ASCII: &str = "abcdefghijklmnopqrstuvwxyz";

/// The plain letters for a letter of Latin-1 and Latin Extended-A.
fn plain(c: char, german: bool) -> Option<&'static str> {
    let lower = c.to_lowercase().next()?;
    if let Some(at) = ASCII.find(lower) {
        return ASCII.get(at..=at);
    }
    Some(match lower {
        'ä' | 'æ' if german => "ae",
        'ö' | 'ø' | 'œ' if german => "oe",
        'ü' if german => "ue",
        'å' if german => "aa",
        'ß' => "ss",
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'œ' => "oe",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ð' | 'ď' | 'đ' => "d",
        'þ' => "th",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' => "s",
        'ţ' | 'ť' | 'ŧ' => "t",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}
