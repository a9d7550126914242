//! Texts as hospitals type them, with the answers: every way of writing, name and clinical text of
//! the benchmark meets the others sooner or later. `SCANVEIL_TYPED_TEXTS=1000000` tries so many,
//! `SCANVEIL_TYPED_SEED=7` others.

use crate::{Cleaner, Known, KnownBuilder};
use scanveil_synth::{TypedText, typed_texts};
use std::env;

/// How many are tried when nobody says.
const USUAL: usize = 8_000;
/// The share of clinical texts, one in so many, that may lose a word.
const LOST: usize = 1_000;
/// Most failures that are told.
const TOLD: usize = 60;

fn setting(name: &str, usual: usize) -> usize {
    env::var(name).ok().map_or(usual, |value| value.parse().expect("a number"))
}

fn known(typed: &TypedText) -> Known {
    let mut known = KnownBuilder::new();
    typed.people.iter().for_each(|name| _ = known.person(name));
    typed.identifiers.iter().for_each(|number| _ = known.identifier(number));
    typed.places.iter().for_each(|place| _ = known.place(place));
    typed.days.iter().for_each(|day| _ = known.date(day));
    known.build().expect("few values")
}

/// Words of two characters or more in eastern scripts, three in others; numbers of three digits.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let eastern = |word: &str| word.chars().any(|c| u32::from(c) >= 0x2e80);
    let long = move |word: &&str| word.chars().count() >= if eastern(word) { 2 } else { 3 };
    text.split(|c: char| !c.is_alphanumeric()).filter(long)
}

/// Whether a word of what must go is still there, and nothing else of the text says it.
fn leaks(typed: &TypedText, cleaned: &str) -> bool {
    let lower = cleaned.to_lowercase();
    let others = typed.others.to_lowercase();
    let stands = |text: &str, word: &str| match word.chars().any(|c| u32::from(c) >= 0x2e80) {
        true => text.contains(word),
        false => words(text).any(|other| other == word),
    };
    let changed = |text: &String| cleaned.contains(text.as_str());
    let goes = typed.goes.iter().map(|text| text.to_lowercase());
    let left =
        |text: &String| words(text).any(|word| stands(&lower, word) && !stands(&others, word));
    goes.into_iter().any(|text| left(&text)) || typed.changes.iter().any(changed)
}

#[test]
fn texts_as_hospitals_type_them() {
    let count = setting("SCANVEIL_TYPED_TEXTS", USUAL);
    let seed = setting("SCANVEIL_TYPED_SEED", 2);
    let cleaner = Cleaner::new(&[]);
    let (mut leaked, mut lost, mut clinical) = (Vec::new(), Vec::new(), 0);
    for typed in typed_texts(seed as u64).take(count) {
        let cleaned = cleaner.clean(&known(&typed), &typed.text).text;
        if leaks(&typed, &cleaned) {
            leaked.push(format!("{} => {cleaned}   [{}]", typed.text, typed.people.join(" | ")));
        }
        let stays = typed.stays.iter().flat_map(|text| words(text)).collect::<Vec<_>>();
        clinical += typed.stays.len();
        if stays.iter().any(|word| !cleaned.contains(word)) {
            lost.push(format!("{} => {cleaned}   [{}]", typed.text, typed.people.join(" | ")));
        }
    }
    let told = |all: &[String]| all[..all.len().min(TOLD)].join("\n");
    if count > USUAL {
        eprintln!("{} of {clinical} lost a word:\n{}", lost.len(), told(&lost));
    }
    assert!(leaked.is_empty(), "{} of {count} leak:\n{}", leaked.len(), told(&leaked));
    assert!(lost.len() * LOST <= clinical, "{} of {clinical}:\n{}", lost.len(), told(&lost));
}
