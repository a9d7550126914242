use super::*;
use std::collections::{BTreeMap, BTreeSet};
use words::Culture;

fn corpus(seed: u64, count: usize) -> Vec<BenchmarkInstance> {
    Benchmark::new(seed, count).instances().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_benchmark_depends_on_its_seed_alone_and_a_new_seed_gives_new_text() {
    let (a, b, c) = (corpus(1, 60), corpus(1, 60), corpus(2, 60));
    assert!(a.iter().zip(&b).all(|(x, y)| x.file == y.file && x.answers == y.answers));
    let texts = |corpus: &[BenchmarkInstance]| -> BTreeSet<String> {
        let answers = corpus.iter().flat_map(|i| &i.answers);
        let removed = answers.filter(|a| a.action == AnswerAction::TextRemoved);
        removed.filter_map(|a| a.text.clone()).collect()
    };
    let (first, other) = (texts(&a), texts(&c));
    let common = first.intersection(&other).count();
    assert!(common * 20 < first.len(), "{common} of {}", first.len());
}

#[test]
fn a_benchmark_has_every_modality_syntax_and_action_and_enough_checks() {
    let corpus = corpus(3, 1200);
    assert_eq!(corpus.len(), 1200);
    let count = |f: &dyn Fn(&BenchmarkInstance) -> String| -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        corpus.iter().for_each(|i| *counts.entry(f(i)).or_default() += 1);
        counts
    };
    let modalities = count(&|i| i.modality.to_owned());
    assert_eq!(modalities.len(), 8);
    assert!(modalities.values().all(|&n| n >= 20), "{modalities:?}");
    let checks: usize = corpus.iter().map(|i| i.answers.len()).sum();
    assert!(checks >= 20 * corpus.len());
    assert!(corpus.iter().all(|i| i.answers.len() >= 20));
    let actions: BTreeSet<_> = corpus.iter().flat_map(|i| &i.answers).map(|a| a.action).collect();
    assert_eq!(actions.len(), 9);
    let bytes: usize = corpus.iter().map(|i| i.file.len()).sum();
    assert!(bytes / corpus.len() < 10_000, "{} bytes a file", bytes / corpus.len());
    let uids: BTreeSet<_> = corpus.iter().map(|i| &i.sop_instance_uid).collect();
    assert_eq!(uids.len(), corpus.len());
    let paths: BTreeSet<_> = corpus.iter().map(|i| &i.path).collect();
    assert_eq!(paths.len(), corpus.len());
}

#[test]
fn paths_hold_nothing_of_the_patient() {
    for instance in corpus(4, 200) {
        assert!(instance.path.chars().all(|c| c.is_ascii_digit() || "/.dcm".contains(c)));
        assert!(instance.path.len() == "00000/00/0000.dcm".len());
    }
}

#[test]
fn no_word_can_be_lost_in_its_hospitals_character_set() {
    for culture in Culture::ALL {
        for text in culture.words().all() {
            for &charset in culture.charsets() {
                assert!(charset.plain(text).is_some(), "{culture:?} {charset:?} {text}");
            }
        }
    }
}

#[test]
fn every_language_has_every_section_that_is_its_own() {
    for culture in Culture::ALL {
        for section in ["family", "female", "male", "street", "city", "hospital", "habit"] {
            assert!(culture.words().list(section).len() >= 5, "{culture:?} {section}");
        }
        assert!(culture.words().list("family").len() >= 60, "{culture:?}");
        assert!(culture.words().list("female").len() >= 40, "{culture:?}");
    }
}

#[test]
fn templates_name_only_what_can_be_filled() {
    let own = [
        "keep",
        "patient",
        "family",
        "FAMILY",
        "given",
        "other",
        "staff",
        "stafffamily",
        "date",
        "birth",
        "mrn",
        "acc",
        "phone",
        "mail",
        "national",
        "address",
        "hospital",
        "uid",
    ];
    for culture in Culture::ALL {
        for template in culture.words().all() {
            for slot in words::slots(template) {
                let words::Slot::Name(name) = slot else { continue };
                let filled = own.contains(&name) || !culture.words().list(name).is_empty();
                assert!(filled, "{culture:?}: {template}");
            }
        }
    }
}

/// What must go is no part of what must stay in the same element; else no output could pass both.
#[test]
fn no_answer_contradicts_another() {
    for instance in corpus(5, 800) {
        let mut kept: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for answer in instance.answers.iter().filter(|a| a.action == AnswerAction::TextRetained) {
            let text = answer.text.as_deref().unwrap_or("").to_lowercase();
            kept.entry(&answer.path).or_default().push(text);
        }
        for answer in &instance.answers {
            let gone: Vec<String> = match answer.action {
                AnswerAction::TextRemoved => {
                    let words = answer.text.as_deref().unwrap_or("").split(' ');
                    words.map(str::to_lowercase).collect()
                }
                AnswerAction::DateShifted | AnswerAction::UidChanged => vec![answer.value.clone()],
                _ => continue,
            };
            for text in kept.get(answer.path.as_str()).into_iter().flatten() {
                let clash = gone.iter().find(|word| text.contains(word.as_str()));
                assert!(clash.is_none(), "{}: {clash:?} in {text}", answer.path);
            }
        }
    }
}

/// Every value that an answer names stands in the file it is about, unless deflated.
#[test]
fn files_hold_what_their_answers_say() {
    let deflated = Syntax::Deflated.uid().as_bytes();
    for instance in corpus(6, 300) {
        if crate::study::contains(&instance.file, deflated) {
            continue;
        }
        for answer in &instance.answers {
            let value = answer.value.as_str();
            if answer.action == AnswerAction::PixelsRetained || !value.is_ascii() {
                continue;
            }
            let binary = value.parse::<f32>().is_ok() && answer.path.contains('"');
            let there = crate::study::contains(&instance.file, value.as_bytes());
            assert!(there || binary || value.is_empty(), "{}", answer.path);
        }
    }
}

#[test]
fn numbers_of_identity_have_right_check_digits() {
    let rng = &mut crate::rng::Rng::new(1, "national");
    let digits = |text: &str| -> Vec<u32> { text.chars().filter_map(|c| c.to_digit(10)).collect() };
    let birth = crate::people::Day { year: 1956, month: 4, day: 23 };
    for _ in 0..200 {
        let nhs = digits(&national::invent(rng, Culture::British, birth, false));
        let sum: u32 = nhs.iter().zip((1..=10).rev()).map(|(d, w)| d * w).sum();
        assert!(nhs.len() == 10 && sum.is_multiple_of(11));
        let nif = digits(&national::invent(rng, Culture::Portuguese, birth, false));
        let sum: u32 = nif.iter().zip((1..=9).rev()).map(|(d, w)| d * w).sum();
        assert!(nif.len() == 9 && (sum.is_multiple_of(11) || (nif[8] == 0 && sum % 11 == 1)));
        let nir = national::invent(rng, Culture::French, birth, true);
        let (body, key) = nir.split_at(13);
        assert_eq!((body.parse::<u64>().unwrap() + key.parse::<u64>().unwrap()) % 97, 0);
        let rrn = digits(&national::invent(rng, Culture::Korean, birth, true));
        let weights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5, 1];
        let sum: u32 = rrn.iter().zip(weights).map(|(d, w)| d * w).sum();
        assert!(rrn.len() == 13 && (sum.is_multiple_of(11) || sum % 11 == 10 || sum % 11 == 1));
        let mine = digits(&national::invent(rng, Culture::Japanese, birth, false));
        assert_eq!(mine.len(), 12);
        let dni = national::invent(rng, Culture::Spanish, birth, false);
        assert_eq!(dni.len(), 9);
        let steuer = digits(&national::invent(rng, Culture::German, birth, false));
        assert_eq!((steuer.len(), steuer[0] != 0), (11, true));
        let chinese = national::invent(rng, Culture::Chinese, birth, false);
        if let Some(body) =
            chinese.get(..17).filter(|body| body.bytes().all(|b| b.is_ascii_digit()))
        {
            // ISO 7064 mod 11-2: the whole number, read in powers of two, leaves 1.
            let value = |c: char| c.to_digit(10).unwrap_or(10);
            let rest = body
                .chars()
                .chain(chinese[17..].chars())
                .fold(0, |sum, c| (sum * 2 + value(c)) % 11);
            assert_eq!(rest, 1);
        }
    }
}
