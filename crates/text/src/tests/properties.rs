use crate::{Cleaner, Known, KnownBuilder};
use proptest::prelude::*;

/// Pieces that texts are made of: words, names, titles, numbers, marks, scripts.
const PIECES: &[&str] = &[
    "CT",
    "head",
    "Head",
    "for",
    "by",
    "seen",
    "Dr.",
    "DR",
    "Mr",
    "Davidson",
    "DOUGLAS",
    "Baker",
    "cyst",
    "White",
    "J",
    "R.",
    "of",
    "de",
    "la",
    "van",
    "MD",
    "MRN",
    "tel",
    "ID:",
    "2021-07-12",
    "12JUL2021",
    "July",
    "12",
    "2021",
    "555",
    "0123",
    "4567",
    "1234567",
    "A123456",
    "@",
    "example",
    "http://",
    "www.",
    "10.1.2.3",
    ":",
    "::",
    "1.2.840.1",
    "\\",
    "\r\n",
    "\n",
    " ",
    "  ",
    ",",
    ".",
    ";",
    "-",
    "_",
    "/",
    "^",
    "(",
    ")",
    "[",
    "]",
    "'",
    "'s",
    "张",
    "伟",
    "胸部",
    "医生",
    "左",
    "王小明",
    "山田",
    "太郎",
    "様",
    "ヤマダ",
    "ﾔﾏﾀﾞ",
    "김민수",
    "님",
    "흉부",
    "이",
    "年",
    "7月12日",
    "é",
    "Ü",
    "ß",
    "\u{301}",
    "\u{200b}",
    "Ａ",
    "１",
    "Garrowby",
    "t1_",
    "mddw",
    "mm",
    "+",
    "=",
    "#",
    "\"",
    "Иван",
];

fn texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES);
    let joined =
        prop::collection::vec((piece, prop::sample::select(&["", " ", " ", ", "][..])), 0..24);
    joined.prop_map(|all| all.into_iter().flat_map(|(piece, gap)| [piece, gap]).collect())
}

fn known() -> Known {
    let mut builder = KnownBuilder::new();
    builder.person("Davidson^Douglas=王^小明").identifier("555-0123").date("20210712");
    builder.build().expect("few values")
}

fn is_subsequence(part: &str, whole: &str) -> bool {
    let mut rest = whole.bytes();
    part.bytes().all(|byte| rest.any(|other| other == byte))
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let cleaner = Cleaner::new(&[]);
    let known = known();
    let cleaned = cleaner.clean(&known, text);
    let again = cleaner.clean(&known, &cleaned.text);
    prop_assert_eq!(&again.text, &cleaned.text, "not at rest: {:?}", text);
    prop_assert!(again.findings.is_empty(), "{:?}", again.findings);
    prop_assert!(is_subsequence(&cleaned.text, text), "{:?} of {:?}", cleaned.text, text);
    for mark in ["\\", "\n"] {
        let unsettled = cleaned.findings.iter().any(|f| f.rule == "unsettled");
        let kept = cleaned.text.matches(mark).count() == text.matches(mark).count();
        prop_assert!(kept || unsettled, "{mark:?} in {text:?}");
    }
    prop_assert_eq!(cleaned.findings.is_empty(), cleaned.text == text);
    let mut end = 0;
    for finding in &cleaned.findings {
        prop_assert!(finding.range.start >= end && finding.range.end <= text.len());
        prop_assert!(text.get(finding.range.clone()).is_some(), "{:?} in {:?}", finding, text);
        end = finding.range.end;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn cleaning_rests_deletes_only_and_keeps_lines(text in texts()) {
        check(&text)?;
    }

    #[test]
    fn any_characters_are_taken(text in "\\PC{0,40}") {
        check(&text)?;
    }
}

#[test]
fn a_long_text_is_done_in_one_way() {
    for piece in
        ["Davidson ", "胸部张伟", "12-07-2021 ", "((((", "a.b.c.", "1.2.3.4.", "- - ", "for Dr. "]
    {
        let text = piece.repeat(20_000);
        let cleaned = Cleaner::new(&[]).clean(&known(), &text);
        assert!(is_subsequence(&cleaned.text, &text), "{piece}");
    }
}
