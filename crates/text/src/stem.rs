//! The stem that a medical word has in every language of Europe: `subarachnoid`, `subaracnoidea`
//! and `subarachnoïdienne` are one term. The build makes the stems of the clinical lists with it.

use crate::words::words;

/// Shortest stem that says something, in bytes.
pub(crate) const SHORTEST_STEM: usize = 6;

/// The endings.
const STEMS: &str = include_str!("../data/stems.txt");

words! { STEMS;
    /// Endings, as the spelling of stems has them: of two that fit, the longer counts.
    ENDINGS "ending";
}

/// The stem of a folded word: as every language spells it, without its ending; nothing when too
/// little is left.
pub(crate) fn stem(word: &str) -> Option<String> {
    let mut stem = spelled(word);
    let most = stem.len().saturating_sub(SHORTEST_STEM);
    let ending = ENDINGS
        .iter()
        .filter(|ending| ending.len() <= most && stem.ends_with(**ending))
        .map(|ending| ending.len())
        .max();
    stem.truncate(stem.len() - ending.unwrap_or(0));
    (stem.len() >= SHORTEST_STEM).then_some(stem)
}

/// The common spelling: `f` for `ph`, `c` for `k`, `z` and `qu`, no `h` behind a consonant, no
/// doubled letters, no `e` before `s` and a consonant.
fn spelled(word: &str) -> String {
    let bytes = word.as_bytes();
    let mut spelled = String::with_capacity(word.len());
    let before_s = bytes.starts_with(b"es")
        && bytes.get(2).is_some_and(|b| matches!(b, b'c' | b'p' | b't' | b'q' | b'f'));
    let mut at = usize::from(before_s);
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().unwrap_or(b' ');
        let (letter, taken) = match (byte, next) {
            (b'p', b'h') => ('f', 2),
            (b't' | b'r', b'h') => (char::from(byte), 2),
            (b'c', b'h' | b'k') | (b'q', b'u') => ('c', 2),
            (b'a' | b'o', b'e') => ('e', 2),
            (b'k' | b'z', _) => ('c', 1),
            (b'y', _) => ('i', 1),
            (b'w', _) => ('v', 1),
            _ => (char::from(byte), 1),
        };
        if !spelled.ends_with(letter) {
            spelled.push(letter);
        }
        at += taken;
    }
    spelled
}
