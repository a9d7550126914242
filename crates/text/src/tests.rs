mod cases;
mod known;
mod properties;
mod recognizers;
mod structures;
mod typed;

use crate::{Cleaner, Known, Word};

/// `\r\n` in the tables is a line's end.
fn unescaped(text: &str) -> String {
    text.replace("\\r\\n", "\r\n")
}

#[test]
fn words_alone() {
    let cleaner = Cleaner::new(&["Zorbix".to_owned()]);
    let cases = [
        ("CHEST", Word::Vocabulary),
        ("Thorax", Word::Vocabulary),
        ("zorbix", Word::Vocabulary),
        ("Davidson", Word::Name),
        ("SMITH", Word::Name),
        ("Garrowby", Word::Unknown),
        ("MPRG", Word::Abbreviation),
        ("T2W", Word::Abbreviation),
        ("12", Word::Number),
        ("胸部", Word::Vocabulary),
        ("山田", Word::Unknown),
        ("HEAD_DAVIDSON", Word::Name),
    ];
    for (word, expected) in cases {
        assert_eq!(cleaner.word(word), expected, "{word}");
    }
}

#[test]
fn what_a_profile_keeps_stays() {
    let known = Known::nothing();
    let text = "Zorbix liver, Garrowby";
    assert_eq!(Cleaner::new(&[]).clean(&known, text).text, "liver");
    let kept = Cleaner::new(&["ZORBIX".to_owned()]);
    assert_eq!(kept.clean(&known, text).text, "Zorbix liver");
}
