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

/// The words of Image Type, of explanations and of sequences, as the standard and vendors write
/// them.
pub(crate) const TERMS: &str = include_str!("../tables/image-terms.txt");
/// What names of pulse sequences are made of: `epfid` is an echo-planar free induction decay.
pub(crate) const PARTS: &str = include_str!("../tables/sequence-parts.txt");

static TERM_WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| TERMS.lines().collect());
static SEQUENCE_PARTS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| PARTS.lines().collect());

/// Longest word that is short enough to be an abbreviation and no name.
const ABBREVIATION: usize = 2;
/// No word of the list is longer.
const LONGEST: usize = 64;
/// Most digits of a value that is nothing else.
const MOST_FLAGS: usize = 6;
/// Longest name of a sequence: a short string (PS3.5 6.2).
const LONGEST_NAME: usize = 16;
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

/// Whether a value says nothing but words of the trade and what pulse sequences are called, with
/// small numbers: `DIS2D`, `*epfid2d1_64`. What is made of parts of their names and somebody's name
/// is no term.
pub(crate) fn are_terms(value: &str, is_name: impl Fn(&str) -> bool) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b" _-+./*#%()=:,<>&".contains(&b);
    // `100000`: flags of a maker.
    let flags = value.len() <= MOST_FLAGS && value.bytes().all(|b| b.is_ascii_digit());
    let small = |run: &str| flags || run.len() <= MOST_DIGITS;
    value.bytes().all(plain)
        && value.split(|c: char| !c.is_ascii_digit()).all(small)
        && value.split(|c: char| !c.is_ascii_alphabetic()).all(|word| {
            let lower = word.to_ascii_lowercase();
            word.len() <= ABBREVIATION
                || is_listed(word)
                || TERM_WORDS.contains(&*lower)
                || is_composed(&lower) && !is_name(word)
        })
}

/// Whether a word is made of parts of names of sequences, with one letter before or behind them.
fn is_composed(word: &str) -> bool {
    if word.len() > LONGEST_NAME || !word.is_ascii() {
        return false;
    }
    let made = |word: &str| {
        let mut ends = [false; LONGEST_NAME + 1];
        ends[0] = true;
        for start in 0..word.len() {
            for end in start + 1..=word.len() {
                ends[end] |= ends[start] && SEQUENCE_PARTS.contains(&word[start..end]);
            }
        }
        ends[word.len()] && word.len() > 1
    };
    made(word) || made(&word[1..]) || made(&word[..word.len() - 1])
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
    use super::{are_terms, known};

    #[test]
    fn kinds_of_images_and_names_of_sequences_are_terms() {
        let name = |word: &str| matches!(word, "Deepak" | "Greg");
        let terms = [
            "MOSAIC",
            "DIS2D",
            "CSA 3D EDITOR",
            "CT_SOM5 SPI",
            "TRACEW",
            "M_FFE",
            "PHASE MAP",
            "MIP_SUM",
            "WATER",
            "T2_STAR",
            "SCREEN SAVE",
            "100000",
            "DE_MONO_40KEV",
            "0001",
            "*tse2d1_15",
            "epfid2d1_64",
            "SE",
            "FLASH",
            "*fl3d1r",
            "*spcR_139ns",
            "spcir_242ns",
            "*tfl3d1_16ns",
            "ep_b1000#12",
            "*tseR2d1rs15",
            "EFGRE3D",
            "FSE-XL",
            "FRFSE-XL",
            "SSh_TSE",
            "B-TFE",
            "svs_se_135",
            "TrueFISP",
            "FE3D_slb",
            "tgse3d1",
            "RARE",
            "*h2d1_96",
            "NORMAL",
            "LUNG WINDOW",
        ];
        for text in terms {
            assert!(are_terms(text, name), "{text}");
        }
        let others = [
            "SEGH",
            "GARROWBY",
            "tse_segh",
            "*tse_quill",
            "Greg",
            "Deepak_tse",
            "A1234567",
            "MK TUMOR GARROWBY",
            "segh_tse2d1",
            "se@site",
            "DR SMITH",
            "Ottoline",
        ];
        for text in others {
            assert!(!are_terms(text, name), "{text}");
        }
    }

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
