//! The forms of a place: its name, its words, and the letters that it is known by.

use super::Place;
use super::builder::LONGEST_VALUE;
use super::forms::{IDENTIFIER, Pattern, is_eastern};
use crate::cleaner::is_vocabulary;
use crate::eastern;
use crate::fold::fold;
use crate::houses::{self, FIRST, KIND, LAST, SMALL};
use crate::titles;

/// How many letters a house is known by; fewer are anything.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=8;
/// Most words that letters are taken of.
const WORDS: usize = 10;
/// Most readings of one name.
const READINGS: usize = 8;

/// A place as written, and its words that are no vocabulary.
pub(super) fn place(value: &str) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for raw in value.split(['\\', '\r', '\n']) {
        let folded = fold(raw.trim_matches([' ', '\0', ',']));
        let words: Vec<&str> =
            folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let plain = words.iter().all(|w| is_vocabulary(w) || w.chars().all(char::is_numeric));
        let whole = words.len() > 1 || !plain;
        if whole && (4..=LONGEST_VALUE).contains(&folded.len()) {
            patterns.push((folded.clone(), Place::Whole));
        }
        for part in folded.split([',', ';']) {
            // `12 Quillford Lane` is known without its house number, too.
            let street = part.trim().trim_start_matches(|c: char| c.is_numeric() || c == ' ');
            let named = street.split(' ').any(|word| !is_vocabulary(word));
            if named && street.contains(' ') && street.len() <= LONGEST_VALUE {
                patterns.push((street.to_owned(), Place::Whole));
            } else if !named && street.len() <= LONGEST_VALUE {
                patterns.push((street.to_owned(), Place::Nowhere));
            }
        }
        for word in &words {
            patterns.extend(place_word(word));
        }
        patterns.extend(abbreviations(raw).into_iter().map(|form| (form, Place::Whole)));
    }
    patterns
}

fn place_word(word: &str) -> Option<Pattern> {
    let letters = word.chars().count();
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if is_eastern(word) {
        let known = eastern::is_vocabulary(word);
        return (letters >= 2 && !known).then(|| (word.to_owned(), Place::Anywhere));
    }
    let long = letters >= IDENTIFIER && (digits == 0 || digits >= 3);
    let place = if is_vocabulary(word) { Place::Nowhere } else { Place::Whole };
    long.then(|| (word.to_owned(), place))
}

/// The letters that a house is known by, which are no word: `SEGH` and `S.E.G.H` of `St. Elsewhere
/// General Hospital`, `UofQ` of `University of Quixwell`, `QGH` of `QGH Radiology`.
fn abbreviations(name: &str) -> Vec<String> {
    let mut all = Vec::new();
    for phrase in name.split([',', ';', '(', ')', '/']) {
        let words = words(phrase);
        if words.len() <= WORDS && !phrase.contains(|c: char| c.is_ascii_digit()) {
            of_words(&words, &mut all);
        }
        own_letters(phrase, &words, &mut all);
    }
    let ascii = |form: &String| form.bytes().all(|b| b.is_ascii_lowercase() || b" .".contains(&b));
    all.retain(|form| ascii(form) && !is_vocabulary(form));
    all.sort_unstable();
    all.dedup();
    all
}

/// The words of a phrase, folded; what a capital begins inside one is one of its own.
fn words(phrase: &str) -> Vec<String> {
    let plain = phrase.replace("'s ", " ").replace("\u{2019}s ", " ").replace("'S ", " ");
    let split = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words = Vec::new();
    for word in split {
        let mut from = 0;
        let mut small = false;
        for (at, c) in word.char_indices() {
            if small && c.is_uppercase() {
                words.push(fold(&word[from..at]));
                from = at;
            }
            small = c.is_lowercase();
        }
        words.push(fold(&word[from..]));
    }
    words
}

/// The letters of all words, with and without the small ones, and of the words up to each house.
fn of_words(words: &[String], all: &mut Vec<String>) {
    let is_small = |word: &str| houses::is(word, SMALL);
    let mut ends: Vec<usize> = (1..words.len())
        .filter(|&end| words.get(end - 1).is_some_and(|w| houses::is(w, LAST | FIRST | KIND)))
        .collect();
    ends.push(words.len());
    for end in ends {
        let some = &words[..end];
        let great: Vec<&String> = some.iter().filter(|word| !is_small(word)).collect();
        if great.len() < 2 || end < words.len() && great.iter().all(|word| is_vocabulary(word)) {
            continue;
        }
        for letters in readings(&great) {
            with_marks(&letters, all);
        }
        let every: String = some.iter().filter_map(|word| word.chars().next()).collect();
        if LETTERS.contains(&every.len()) {
            all.push(every);
        }
        if let [first, small, rest @ ..] = some
            && is_small(small)
            && rest.iter().all(|word| !is_small(word))
        {
            for letters in readings(&rest.iter().collect::<Vec<_>>()) {
                with_small(&first[..first.chars().next().map_or(0, char::len_utf8)], &letters, all);
            }
        }
    }
}

/// The letters of words, in each way that they are taken.
fn readings(words: &[&String]) -> Vec<String> {
    let mut readings = vec![String::new()];
    for word in words {
        let first: String = word.chars().take(1).collect();
        let given: Vec<String> = match houses::letters(word) {
            Some(given) => given.map(str::to_owned).collect(),
            None => vec![first],
        };
        readings = given
            .iter()
            .flat_map(|letters| readings.iter().map(move |before| format!("{before}{letters}")))
            .take(READINGS)
            .collect();
    }
    readings
}

/// Letters that are enough to say who it is, and the same with full stops and with `of`.
fn with_marks(letters: &str, all: &mut Vec<String>) {
    if !LETTERS.contains(&letters.len()) || is_vocabulary(letters) {
        return;
    }
    all.push(letters.to_owned());
    let single: Vec<String> = letters.chars().map(String::from).collect();
    all.push(single.join("."));
    all.push(single.join(". "));
    if let Some((at, _)) = letters.char_indices().nth(1) {
        with_small(&letters[..at], &letters[at..], all);
    }
}

/// `UofQX` and `U of QX`: the first letter, and the others behind a small word.
fn with_small(first: &str, rest: &str, all: &mut Vec<String>) {
    all.extend([
        format!("{first}of{rest}"),
        format!("{first} of {rest}"),
        format!("{first}o{rest}"),
    ]);
}

/// `QGH` where a house is called just that: letters that it writes in capitals itself.
fn own_letters(phrase: &str, words: &[String], all: &mut Vec<String>) {
    for word in phrase.split(|c: char| !c.is_alphanumeric()) {
        let capitals = word.chars().count() >= 3 && word.chars().all(char::is_uppercase);
        let folded = fold(word);
        if !capitals || folded.len() > *LETTERS.end() || titles::is_particle(&folded) {
            continue;
        }
        if words.len() == 1 {
            with_marks(&folded, all);
        } else if LETTERS.contains(&folded.len()) {
            all.push(folded);
        }
    }
}
