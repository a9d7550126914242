//! Whatever the bytes are: an answer or a reason, and never a word that had to go.

use super::pdf::{Pdf, read};
use crate::{CdaRules, Unread, cda_people, cda_words, clean_cda, from_answer, read_pdf, to_answer};
use proptest::prelude::*;

/// Stands for whatever identifies.
const WORD: &str = "Ashgrove";

fn rules() -> CdaRules<'static> {
    CdaRules {
        text: &|text| text.replace(WORD, ""),
        date: &|date| date.get(..4).map(|year| format!("{year}0101")),
        uid: &|uid| format!("2.25.{}", uid.len()),
        extension: &|root, extension| format!("X{}", root.len() + extension.len()),
        pseudonym: "SV0000",
        characteristics: true,
    }
}

/// Pieces of a narrative: text, inline elements that cut words, tables, what belongs nowhere.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(WORD.to_owned()),
        Just("Ash<content>gro</content>ve".to_owned()),
        Just("<paragraph>fracture</paragraph>".to_owned()),
        Just("<table><tbody><tr><td>Ashgrove</td></tr></tbody></table>".to_owned()),
        Just("<!-- Ashgrove -->".to_owned()),
        Just("<script>Ashgrove</script>".to_owned()),
        Just("&#65;shgrove &lt;&amp;".to_owned()),
        Just("<br/>".to_owned()),
        "[a-z ]{0,12}",
    ]
}

fn cda(narrative: &str) -> String {
    format!(
        "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><component><structuredBody><component>\
         <section><text>{narrative}</text></section></component></structuredBody></component>\
         </ClinicalDocument>"
    )
}

#[test]
fn what_the_narratives_stand_in_is_a_document() {
    assert!(clean_cda(cda("<paragraph>fracture</paragraph>").as_bytes(), &rules()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = clean_cda(&bytes, &rules());
        let _ = cda_people(&bytes);
        let _ = from_answer(&bytes);
        let _ = read_pdf(&[b"%PDF-1.7\n", bytes.as_slice()].concat());
    }

    /// No change of a good file makes the parser fail in another way than with a reason.
    #[test]
    fn changed_files_are_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Pdf::default().bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read_pdf(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(read_pdf(&bytes).is_err());
    }

    /// What stands on a page is read, letter for letter.
    #[test]
    fn every_word_of_a_page_is_read(words in proptest::collection::vec("[A-Za-z]{1,9}", 1..6)) {
        let line = words.join(" ");
        let text = read(&Pdf::content(&format!("BT /F1 12 Tf 72 720 Td ({line}) Tj ET")).bytes());
        prop_assert_eq!(&text.pages, &[line]);
        let answer = to_answer(Ok(text));
        prop_assert_eq!(from_answer(&answer).map(|text| text.pages.len()), Ok(1));
    }

    /// A word that the rules take out is in no text of what comes out, however it was cut; and what
    /// comes out is read again and stays as it is.
    #[test]
    fn narratives_come_out_without_the_word(
        pieces in proptest::collection::vec(piece(), 0..12),
    ) {
        match clean_cda(cda(&pieces.concat()).as_bytes(), &rules()) {
            Ok(clean) => {
                let words = cda_words(&clean).unwrap();
                prop_assert!(!words.contains(WORD), "{words}");
                prop_assert!(!String::from_utf8(clean.clone()).unwrap().contains(WORD));
                prop_assert!(clean_cda(&clean, &rules()) == Ok(clean));
            }
            Err(unread) => prop_assert_ne!(unread, Unread::ReaderFailed),
        }
    }
}
