//! Encapsulated CDA. What comes out is CDA again, cleaning it again changes nothing of its texts,
//! and a word that the rules take out is not in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_documents::{CdaRules, cda_people, cda_text, cda_words, clean_cda};

/// Stands for whatever identifies.
const WORD: &str = "Ashgrove";

fuzz_target!(|bytes: &[u8]| {
    let _ = cda_people(bytes);
    let _ = cda_text(bytes);
    let _ = cda_words(bytes);
    let text = |text: &str| text.replace(WORD, "");
    let rules = CdaRules {
        text: &text,
        date: &|date| date.get(..4).map(|year| format!("{year}0101")),
        uid: &|uid| format!("2.25.{}", uid.len()),
        extension: &|root, extension| format!("X{}", root.len() + extension.len()),
        pseudonym: "SV0000",
        characteristics: true,
    };
    let Ok(clean) = clean_cda(bytes, &rules) else { return };
    assert!(clean_cda(&clean, &rules).is_ok(), "what was written is read again");
    let words = cda_words(&clean).expect("what was written is read again");
    assert!(!words.lines().any(|line| line.trim() == WORD));
});
