//! How the benchmark compares texts: as numbers, as a whole, then word by word.
//!
//! Its script splits words with NLTK's `word_tokenize`. This is the same for the texts of DICOM
//! elements, with one difference: a full stop at a word's end is split off wherever it stands,
//! where NLTK guesses whether a sentence ends.

/// NLTK's English stop words: they say nothing, whether they stay or go.
const STOP_WORDS: &[&str] = &[
    "i",
    "me",
    "my",
    "myself",
    "we",
    "our",
    "ours",
    "ourselves",
    "you",
    "you're",
    "you've",
    "you'll",
    "you'd",
    "your",
    "yours",
    "yourself",
    "yourselves",
    "he",
    "him",
    "his",
    "himself",
    "she",
    "she's",
    "her",
    "hers",
    "herself",
    "it",
    "it's",
    "its",
    "itself",
    "they",
    "them",
    "their",
    "theirs",
    "themselves",
    "what",
    "which",
    "who",
    "whom",
    "this",
    "that",
    "that'll",
    "these",
    "those",
    "am",
    "is",
    "are",
    "was",
    "were",
    "be",
    "been",
    "being",
    "have",
    "has",
    "had",
    "having",
    "do",
    "does",
    "did",
    "doing",
    "a",
    "an",
    "the",
    "and",
    "but",
    "if",
    "or",
    "because",
    "as",
    "until",
    "while",
    "of",
    "at",
    "by",
    "for",
    "with",
    "about",
    "against",
    "between",
    "into",
    "through",
    "during",
    "before",
    "after",
    "above",
    "below",
    "to",
    "from",
    "up",
    "down",
    "in",
    "out",
    "on",
    "off",
    "over",
    "under",
    "again",
    "further",
    "then",
    "once",
    "here",
    "there",
    "when",
    "where",
    "why",
    "how",
    "all",
    "any",
    "both",
    "each",
    "few",
    "more",
    "most",
    "other",
    "some",
    "such",
    "no",
    "nor",
    "not",
    "only",
    "own",
    "same",
    "so",
    "than",
    "too",
    "very",
    "s",
    "t",
    "can",
    "will",
    "just",
    "don",
    "don't",
    "should",
    "should've",
    "now",
    "d",
    "ll",
    "m",
    "o",
    "re",
    "ve",
    "y",
    "ain",
    "aren",
    "aren't",
    "couldn",
    "couldn't",
    "didn",
    "didn't",
    "doesn",
    "doesn't",
    "hadn",
    "hadn't",
    "hasn",
    "hasn't",
    "haven",
    "haven't",
    "isn",
    "isn't",
    "ma",
    "mightn",
    "mightn't",
    "mustn",
    "mustn't",
    "needn",
    "needn't",
    "shan",
    "shan't",
    "shouldn",
    "shouldn't",
    "wasn",
    "wasn't",
    "weren",
    "weren't",
    "won",
    "won't",
    "wouldn",
    "wouldn't",
];

/// Ends of words that are words of their own to NLTK.
const CONTRACTIONS: &[&str] = &["n't", "'s", "'m", "'d", "'ll", "'re", "'ve"];

/// What became of a text's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Survival {
    /// Every word is there.
    All,
    /// Some are.
    Some,
    /// None is.
    None,
}

/// Which of the words of `answer` are part of `value`.
pub(crate) fn survival(value: &str, answer: &str) -> Survival {
    let clean = |text: &str| text.replace(['<', '>'], "").to_lowercase();
    let (value, answer) = (clean(value), clean(answer));
    if let (Some(value), Some(answer)) = (number(&value), number(&answer)) {
        return if value == answer { Survival::All } else { Survival::None };
    }
    if value.contains(&answer) {
        return Survival::All;
    }
    let words = words(&answer);
    match words.iter().filter(|word| value.contains(word.as_str())).count() {
        0 => Survival::None,
        there if there == words.len() => Survival::All,
        _ => Survival::Some,
    }
}

/// A text of digits with at most one point, as a number.
fn number(text: &str) -> Option<f64> {
    let digits = text.replacen('.', "", 1);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// The words of a text in lower case that say something.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut word = String::new();
    for (at, &c) in chars.iter().enumerate() {
        let digit_follows = chars.get(at + 1).is_some_and(char::is_ascii_digit);
        let apart = match c {
            ';' | '@' | '#' | '$' | '%' | '&' | '?' | '!' | '*' => true,
            '(' | ')' | '[' | ']' | '{' | '}' | '"' | '“' | '”' | '‘' | '’' | '•' => true,
            // Kept within numbers and times: 1,5 and 10:30.
            ',' | ':' => !digit_follows,
            _ => c.is_whitespace(),
        };
        if apart {
            push(&mut out, &mut word);
        } else {
            word.push(c);
        }
    }
    push(&mut out, &mut word);
    out
}

fn push(out: &mut Vec<String>, word: &mut String) {
    let whole = std::mem::take(word);
    for part in whole.split("--") {
        let part = part.trim_end_matches('.').trim_end_matches('\'');
        let part = part.strip_prefix('\'').unwrap_or(part);
        let ending = CONTRACTIONS.iter().find(|ending| part.ends_with(**ending));
        let stem = ending.map_or(part, |ending| &part[..part.len() - ending.len()]);
        for piece in [Some(stem), ending.copied()].into_iter().flatten() {
            let says = piece.chars().any(char::is_alphanumeric) || piece.chars().count() > 1;
            if says && !STOP_WORDS.contains(&piece) {
                out.push(piece.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_the_benchmark_splits_them() {
        let table: [(&str, &[&str]); 8] = [
            ("dr.iyer for nicholas", &["dr.iyer", "nicholas"]),
            (
                "1261 leawood street, little rock ar 72223.",
                &["1261", "leawood", "street", "little", "rock", "ar", "72223"],
            ),
            ("patient's address", &["patient", "'s", "address"]),
            ("davidson^douglas", &["davidson^douglas"]),
            ("10:30, 1,5 mm", &["10:30", "1,5", "mm"]),
            ("(of the) -- and", &[]),
            ("a@b.example", &["b.example"]),
            ("-", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let table = [
            ("12", "12.0", Survival::All),
            ("12", "1", Survival::None),
            ("12 mm", "12.0", Survival::None),
            ("1.2.3", "1.2", Survival::All),
            ("", "12", Survival::None),
        ];
        for (value, answer, expected) in table {
            assert_eq!(survival(value, answer), expected, "{value} {answer}");
        }
    }

    #[test]
    fn texts_survive_whole_or_word_by_word() {
        let table = [
            ("<XR CHEST>", "<XR Chest>", Survival::All),
            ("chest, portable, XR", "XR chest portable", Survival::All),
            ("XR chest", "XR chest portable", Survival::Some),
            ("for", "for Douglas", Survival::None),
            ("Douglas", "for Douglas", Survival::All),
        ];
        for (value, answer, expected) in table {
            assert_eq!(survival(value, answer), expected, "{value} {answer}");
        }
    }
}
