//! Words of people's languages stand in data, not in code: there they can be read, completed and
//! explained by somebody who knows the language.

use crate::source::{Source, strings};
use crate::style::{counted, exceptions, hold};
use crate::tree::none;

/// The crates that judge texts by words.
const JUDGES: [&str; 4] = ["documents", "scrub", "text", "verify"];
/// So many words in a row are a list, and so many in one literal that has no mark.
const LIST: usize = 3;
const LONG: usize = 20;

/// The lines on which lists of words begin: literals with nothing between them but commas, bars and
/// brackets, of which three are words; and literals of many words that are no sentence.
fn lists(text: &str) -> Vec<usize> {
    let (mut found, mut run) = (Vec::new(), (0, 0));
    for (line, inside, before) in strings(text) {
        let apart = inside.split_whitespace().filter(|word| *word != "\\");
        if apart.clone().count() >= LONG && apart.into_iter().all(|w| is_word(w) || w.len() == 1) {
            found.push(line);
        }
        let joined = before.chars().all(|c| c.is_whitespace() || ",|&[]".contains(c));
        if !joined || run.1 == 0 {
            run = (line, 0);
        }
        run.1 += usize::from(is_word(&inside));
        if run.1 == LIST {
            found.push(run.0);
        }
    }
    found
}

/// Two small letters or more, or letters of a script that has no small ones; more than one word
/// may be one.
fn is_word(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 2
        && text.chars().all(|c| c.is_alphabetic() && !c.is_uppercase() || " .-'".contains(c))
}

#[test]
fn lists_of_words_are_data() {
    let judges = |s: &Source| if JUDGES.contains(&&*s.of) { lists(&s.shipped).len() } else { 0 };
    let breaches = hold(&counted(judges), 0, 0, &exceptions().word_lists);
    none("move the words to a file in `data/` or `tables/` of the crate", &breaches);
}

#[test]
fn a_list_of_words_is_found_however_it_is_written() {
    for (text, lines) in [
        ("const A: &[&str] = &[\n\"eins\", \"zwei\", // ja\n\"drei\"];", vec![2]),
        ("matches!(word, \"van\" | \"von\" | \"bin\")", vec![1]),
        ("&[&[\"alpha\"], &[\"beta\", \"gamma\"]]", vec![1]),
        ("[\"住所\", \"地址\", \"주소\"]", vec![1]),
        (&format!("const A: &str = \"\\\n{}\";", "wort und ".repeat(10)), vec![1]),
        ("[\"one\", \"two\"]; [\"three\", \"four\"]", vec![]),
        ("[(\"one\", ONE), (\"two\", TWO), (\"three\", THREE)]", vec![]),
        ("[\"a\", \"b\", \"c\", \"Xy\", \"A4\", \"/Font\"]", vec![]),
    ] {
        assert_eq!(lists(text), lines, "{text}");
    }
}
