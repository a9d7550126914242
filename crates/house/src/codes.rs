//! Error codes and quarantine reasons: stable, unique, documented.

use crate::source::sources;
use crate::tree::{none, read};
use std::collections::{BTreeMap, BTreeSet};

const DOCUMENT: &str = "docs/errors.md";

/// `SV-<CRATE>-<three digits>` at the start of `text`, when there is one.
fn code_at(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("SV-")?;
    let name = rest.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit())?;
    let digits = rest.get(name..name + 4)?.strip_prefix('-')?;
    let right = name > 0 && digits.bytes().all(|b| b.is_ascii_digit());
    right.then(|| &text[..3 + name + 4])
}

fn codes_in(text: &str) -> Vec<&str> {
    text.match_indices("SV-").filter_map(|(at, _)| code_at(&text[at..])).collect()
}

/// Each code that the program can give, with the places of the literals that say it.
fn given() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        for (number, line) in source.shipped.lines().enumerate() {
            for code in codes_in(line) {
                if line.contains(&format!("\"{code}\"")) {
                    let place = format!("{}:{}", source.path, number + 1);
                    found.entry(code.to_owned()).or_default().push(place);
                }
            }
        }
    }
    found
}

#[test]
fn codes_are_read_as_written() {
    assert_eq!(codes_in("\"SV-STORE-003\" SV-A-12 SV-S3-100x"), ["SV-STORE-003", "SV-S3-100"]);
}

#[test]
fn a_code_means_one_thing() {
    let breaches: Vec<String> = given()
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(code, places)| format!("{code}: {}", places.join(", ")))
        .collect();
    none("each code is given in one place", &breaches);
}

#[test]
fn every_code_is_documented_and_every_documented_code_exists() {
    let given: BTreeSet<String> = given().into_keys().collect();
    let text = read(DOCUMENT);
    let rows = text.lines().filter(|l| l.starts_with("| `SV-"));
    let listed: Vec<String> =
        rows.filter_map(|l| codes_in(l).first().map(|&c| c.to_owned())).collect();
    let documented: BTreeSet<String> = listed.iter().cloned().collect();
    let mut breaches = Vec::new();
    for code in given.difference(&documented) {
        breaches.push(format!("{code} is not in {DOCUMENT}"));
    }
    for code in documented.difference(&given) {
        breaches.push(format!("{code} is in {DOCUMENT} and nowhere in the program"));
    }
    if listed.len() != documented.len() || !listed.is_sorted() {
        breaches.push(format!("{DOCUMENT} lists each code once, in order"));
    }
    none("operators look codes up", &breaches);
}

#[test]
fn every_quarantine_reason_is_documented() {
    let text = read("crates/model/src/reason.rs");
    let (_, table) = text.split_once("reasons! {").expect("the table of reasons");
    let rows = table.lines().take_while(|l| *l != "}").filter(|l| l.contains(" = \""));
    let reasons: Vec<&str> = rows.filter_map(|l| l.split('"').nth(1)).collect();
    assert!(reasons.len() > 10, "the table of reasons was not understood");
    let document = read(DOCUMENT);
    let breaches: Vec<String> = reasons
        .into_iter()
        .filter(|r| !document.contains(&format!("| `{r}` |")))
        .map(ToOwned::to_owned)
        .collect();
    none("these reasons have no row in docs/errors.md", &breaches);
}
