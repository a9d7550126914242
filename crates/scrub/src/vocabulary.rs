//! Words of the trade: a short text that no table lists is kept only when every word in it is one
//! of them. What nobody knows may be somebody's name.
//!
//! The list in `tables/vocabulary.txt` holds the words of the data dictionary's keywords and of the
//! object definitions, and words of anatomy, technique and findings; words that are as often a
//! family name were left out.

use std::collections::HashSet;
use std::sync::LazyLock;

static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../tables/vocabulary.txt").lines().collect());

/// Longest word that is short enough to be an abbreviation and no name.
const ABBREVIATION: usize = 2;
/// No word of the list is longer.
const LONGEST: usize = 64;
/// Most digits that a model, a kernel or a software version carries in one word.
const MOST_DIGITS: usize = 4;

/// Whether every word of a text is a word of the trade, an abbreviation or a small number.
pub(crate) fn known(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).all(|word| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        if digits > 0 {
            // `B30f`, `T2W`, `1p5`: letters beside digits, few of each.
            return digits <= MOST_DIGITS && word.len() - digits <= 4;
        }
        word.len() <= ABBREVIATION || is_listed(word)
    })
}

fn is_listed(word: &str) -> bool {
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).is_ok_and(|word| WORDS.contains(word))
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn names_are_no_words_of_the_trade() {
        for text in [
            "STANDARD",
            "HEAD FILTER",
            "SOFT TISSUE KERNEL",
            "B30f",
            "syngo MR B17",
            "1.5T",
            "",
            "HU",
        ] {
            assert!(known(text), "{text}");
        }
        for text in ["Garrowby", "FENNIMORE ART", "filter of Dunmorrow", "A1234567", "Ignatius2"] {
            assert!(!known(text), "{text}");
        }
    }
}
