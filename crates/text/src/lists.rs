//! The word lists as `build.rs` laid them out. Their bytes are statics with names, so that the
//! binary has them but once.

use crate::table::Table;

macro_rules! laid {
    ($file:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $file))
    };
}

static WORD_BYTES: [u8; laid!("words.bin").len()] = *laid!("words.bin");
static STEM_BYTES: [u8; laid!("stems.bin").len()] = *laid!("stems.bin");
static EASTERN_BYTES: [u8; laid!("eastern.bin").len()] = *laid!("eastern.bin");

/// Every word of the lists in Latin letters.
pub(crate) static WORDS: Table = Table(&WORD_BYTES);
/// The stems of the clinical words.
pub(crate) static STEMS: Table = Table(&STEM_BYTES);
/// Every word and family name of the lists in Chinese, Japanese and Korean.
pub(crate) static EASTERN: Table = Table(&EASTERN_BYTES);
