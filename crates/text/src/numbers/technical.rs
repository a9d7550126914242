//! What explains a number that would otherwise be taken for somebody's.

use crate::lexicon;
use crate::token::Page;

/// Units that make a number of up to seven digits a measurement.
const UNITS: &[&str] = &[
    "mm", "cm", "m", "um", "ms", "msec", "s", "sec", "us", "hz", "khz", "mhz", "ghz", "bq", "kbq",
    "mbq", "gbq", "bqml", "mci", "uci", "cps", "counts", "count", "kcounts", "kcnt", "cnts", "mas",
    "mgy", "gy", "kv", "kvp", "ma", "hu", "iu", "u", "units", "ml", "mg", "g", "kg", "px",
    "pixels", "voxels", "bytes", "kb", "mb", "gb", "images", "frames", "slices", "dpi", "mt",
];
/// Longest number that a unit explains.
const MEASURED: usize = 7;
/// Letters that stand before small numbers in names of sequences, images and settings.
const SETTINGS: &[&str] = &[
    "b", "tr", "te", "ti", "fa", "fov", "nex", "etl", "p", "x", "k", "kv", "mm", "ms", "s", "sl",
    "th", "dyn", "ph", "i", "r", "v", "w", "se", "im", "img", "ser", "bw", "tsl", "rep", "vol",
    "dir", "echo", "slc", "mas", "ma", "hz", "khz", "bv", "bval", "e", "t", "d", "px", "run",
    "nti",
];
/// Longest number in a setting.
const SETTING_DIGITS: usize = 4;

/// What else is counted, so that a number before it is no house.
const COUNTED: &[&str] = &[
    "week", "weeks", "day", "days", "month", "months", "year", "years", "hour", "hours", "h",
    "min", "minutes", "cycles", "pack", "packs", "py", "x", "views", "view", "dias", "jours",
    "tage", "meses", "mois", "monate", "semanas", "semaines", "wochen", "mmol", "gr", "cc", "fr",
];

/// Whether a word is a unit, or what people count.
pub(crate) fn is_unit(word: &str) -> bool {
    UNITS.contains(&word) || COUNTED.contains(&word)
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
    digits.len() <= MEASURED && UNITS.contains(&page.str(unit))
}

/// `512x512`, `b500b1000`, `TR2000TE30`, `IM0001`: each number small, each letter known.
pub(super) fn is_setting(text: &str) -> bool {
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
    SETTINGS.contains(&letters) || (letters.len() > 3 && clinical())
}
