//! Names of structures, as planners of radiotherapy write them: `Glnd_Submand_L`, `PTVeval`,
//! `Sinus_Maxilry_R`. The words are in `data/structures.txt`.
//!
//! Where a structure is named, a word stays that is one of these, is made of them, or is one of
//! anatomy without its vowels. Of what any list of names has, nothing stays for that.

use crate::lexicon;
use crate::words::Sections;
use std::sync::LazyLock;

/// The words.
const WORDS: &str = include_str!("../data/structures.txt");

/// Anatomy, in full.
const ORGAN: u8 = 1;
/// What its words are cut to.
const SHORT: u8 = 1 << 1;
/// Letters of volumes that are treated or spared.
const TARGET: u8 = 1 << 2;
/// What is said of them, and what else planners draw.
const HELPER: u8 = 1 << 3;

const SECTIONS: [(&str, u8); 4] =
    [("organ", ORGAN), ("short", SHORT), ("target", TARGET), ("helper", HELPER)];

/// Shortest part of a word that is made of several; most parts.
const SHORTEST_PART: usize = 4;
const PARTS: usize = 3;
/// Shortest word that has lost its vowels, and how many letters it begins with all the same.
const SHORTEST_WITHOUT: usize = 5;
const BEGINNING: usize = 3;

static SAID: LazyLock<Sections<u8>> = LazyLock::new(|| Sections::read(WORDS, &SECTIONS));

/// The words of anatomy in order.
static ORGANS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut organs: Vec<_> = SAID.of(ORGAN).collect();
    organs.sort_unstable();
    organs
});

/// Whether a folded word is one of those that names of structures are made of.
pub(crate) fn is_word(word: &str) -> bool {
    let singular = word.strip_suffix('s').unwrap_or(word);
    word.is_ascii()
        && !lexicon::look_up(word).is_name()
        && (says(word, !0) || [word, singular].into_iter().any(|w| is_made(w) || is_cut(w)))
}

/// Whether letters are those of a volume that is treated or spared.
pub(crate) fn is_target(letters: &str) -> bool {
    says(letters, TARGET)
}

fn says(word: &str, what: u8) -> bool {
    SAID.says(word, what)
}

/// `chestwall`, `ptveval`: words without anything between them.
fn is_made(word: &str) -> bool {
    let helped = |at: usize| says(&word[..at], TARGET) && says(&word[at..], !0);
    is_made_of(word, PARTS) || (BEGINNING..word.len()).any(helped)
}

fn is_made_of(word: &str, parts: usize) -> bool {
    let is_part = |part: &str| says(part, if part.len() < SHORTEST_PART { TARGET } else { !0 });
    is_part(word)
        || parts > 1
            && (BEGINNING..word.len())
                .any(|at| is_part(&word[..at]) && is_made_of(&word[at..], parts - 1))
}

/// `maxilry`, `prostatc`: a word of anatomy without some of its vowels, a doubled letter once.
fn is_cut(word: &str) -> bool {
    let Some(beginning) = word.get(..BEGINNING).filter(|_| word.len() >= SHORTEST_WITHOUT) else {
        return false;
    };
    let from = ORGANS.partition_point(|organ| *organ < beginning);
    let near = ORGANS[from..].iter().take_while(|organ| organ.starts_with(beginning));
    near.into_iter().any(|organ| is_without_vowels(organ, word))
}

fn is_without_vowels(whole: &str, cut: &str) -> bool {
    let mut left = cut.bytes().peekable();
    let mut before = 0;
    whole.bytes().all(|letter| {
        let there = left.next_if_eq(&letter).is_some();
        let spared = there || b"aeiouy".contains(&letter) || letter == before;
        before = letter;
        spared
    }) && left.peek().is_none()
}
