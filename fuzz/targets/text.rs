//! Texts: what is left is a part of the text, and cleaning it again changes nothing more.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_text::{Cleaner, Known};
use std::sync::OnceLock;

fn is_subsequence(part: &str, whole: &str) -> bool {
    let mut rest = whole.chars();
    part.chars().all(|wanted| rest.any(|c| c == wanted))
}

fuzz_target!(|bytes: &[u8]| {
    static CLEANER: OnceLock<(Cleaner, Known)> = OnceLock::new();
    let (cleaner, known) = CLEANER.get_or_init(|| (Cleaner::default(), Known::nothing()));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let cleaned = cleaner.clean(known, text);
    assert!(is_subsequence(&cleaned.text, text));
    let again = cleaner.clean(known, &cleaned.text);
    assert!(again.text == cleaned.text, "cleaning twice is not cleaning once");
});
