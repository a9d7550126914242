//! What explains a number that would otherwise be taken for somebody's.

use crate::lexicon;
use crate::structures;
use crate::token::Page;
use crate::words::Sections;
use std::sync::LazyLock;

/// Makes a number of up to seven digits a measurement.
const UNIT: u8 = 1;
/// Letters before small numbers in names of sequences, images and settings.
const SETTING: u8 = 1 << 1;
/// What else is counted, so that a number before it is no house.
const COUNTED: u8 = 1 << 2;
/// Agents and machines whose names are letters and a long number.
const CODE: u8 = 1 << 3;

static WORDS: LazyLock<Sections<u8>> = LazyLock::new(|| {
    let names = [("unit", UNIT), ("setting", SETTING), ("counted", COUNTED), ("code", CODE)];
    Sections::read(include_str!("../../data/technical.txt"), &names)
});

/// Longest number that a unit explains.
const MEASURED: usize = 7;
/// Longest number in a setting.
const SETTING_DIGITS: usize = 4;

/// Whether a word is a unit, or what people count.
pub(crate) fn is_unit(word: &str) -> bool {
    WORDS.says(word, UNIT | COUNTED)
}

/// Whether the digits at some tokens are a fraction, a measurement or a version.
pub(super) fn explains(page: &Page, at: usize, end: usize) -> bool {
    let Some(digits) = page.digits_at(at).filter(|_| end == at + 1) else {
        let text = &page.text[page.tokens[at].start..page.tokens[end - 1].end];
        return is_setting(text);
    };
    let dot = |t: usize| page.mark(t) == Some('.');
    let fraction = at >= 2 && dot(at - 1) && page.digits_at(at - 2).is_some_and(|d| d.len() < 6);
    let again = at >= 3 && dot(at - 3);
    let followed = dot(end) && page.digits_at(end + 1).is_some();
    if fraction && !again && !followed {
        return true;
    }
    let unit = end + usize::from(page.is_space(end));
    digits.len() <= MEASURED && WORDS.says(page.str(unit), UNIT)
}

/// `512x512`, `b500b1000`, `TR2000TE30`, `IM0001`: each number small, each letter known.
pub(super) fn is_setting(text: &str) -> bool {
    if WORDS.says(text, CODE) {
        return true;
    }
    let (mut run, mut digits) = (0, 0);
    let bytes = text.as_bytes();
    for at in 0..=bytes.len() {
        let digit = bytes.get(at).is_some_and(u8::is_ascii_digit);
        let before = at > 0 && bytes[at - 1].is_ascii_digit();
        if at == bytes.len() || (at > 0 && digit != before) {
            let piece = &text[run..at];
            if before {
                digits = piece.len();
                if digits > SETTING_DIGITS {
                    return false;
                }
            } else if !piece.is_empty() && !is_known(piece) {
                return false;
            }
            run = at;
        }
    }
    digits > 0 || !bytes.is_empty()
}

fn is_known(letters: &str) -> bool {
    let clinical =
        || lexicon::look_up(letters).is_clinical() || lexicon::is_built_clinically(letters);
    WORDS.says(letters, SETTING)
        || structures::is_target(letters)
        || (letters.len() > 3 && clinical())
}
