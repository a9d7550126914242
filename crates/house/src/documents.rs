//! Documents that must keep up with the code.

use crate::tree::{crates, files, none, read, root};

#[test]
fn every_crate_has_its_heading_in_the_architecture() {
    let text = read("ARCHITECTURE.md");
    let breaches: Vec<String> = crates()
        .into_iter()
        .filter(|name| !text.lines().any(|l| l == format!("### `{name}`")))
        .collect();
    none("ARCHITECTURE.md lacks a heading like \"### `model`\" for", &breaches);
}

#[test]
fn every_place_the_walk_names_exists() {
    let text = read("ARCHITECTURE.md");
    let (_, walk) = text
        .split_once("## The walk of one instance")
        .expect("ARCHITECTURE.md has the heading \"The walk of one instance\"");
    let walk = walk.split("\n## ").next().unwrap_or(walk);
    let mut seen = 0;
    let mut breaches = Vec::new();
    // Places are written `crates/x/src/y.rs` followed by `function` or `Type::function`.
    let words: Vec<&str> = walk.split('`').skip(1).step_by(2).collect();
    let mut file = None;
    for word in words {
        if word.starts_with("crates/") {
            seen += 1;
            match std::fs::read_to_string(root().join(word)) {
                Ok(text) => file = Some((word, text)),
                Err(_) => breaches.push(format!("{word} is not there")),
            }
        } else if let (Some((path, text)), Some(name)) = (&file, word.strip_suffix("()")) {
            let function = name.rsplit("::").next().unwrap_or(name);
            let defined =
                ["(", "<"].iter().any(|end| text.contains(&format!("fn {function}{end}")));
            if !defined {
                breaches.push(format!("{path} has no function {function}"));
            }
        }
    }
    assert!(seen > 5, "the walk names only {seen} files");
    none("the walk in ARCHITECTURE.md is out of date", &breaches);
}

#[test]
fn decisions_are_numbered_complete_and_in_the_index() {
    let index = read("docs/decisions/README.md");
    let mut breaches = Vec::new();
    let mut number = 0;
    for file in files() {
        let Some(name) = file.path.strip_prefix("docs/decisions/") else { continue };
        if name == "README.md" {
            continue;
        }
        number += 1;
        if !name.starts_with(&format!("{number:04}-")) {
            breaches.push(format!("{name}: the next number is {number:04}"));
        }
        if !index.contains(&format!("({name})")) {
            breaches.push(format!("{name} is not in the index"));
        }
        // `Overtaken by [0012](...)` or `Overtaken in part by [0012](...)`, in the index too.
        let overtaken = file.text.lines().find(|line| line.starts_with("Overtaken"));
        let by = overtaken.and_then(|line| line.split_once('[')?.1.get(..4));
        let row = index.lines().find(|line| line.contains(&format!("({name})"))).unwrap_or("");
        let told = row.split_once("overtaken").and_then(|(_, rest)| rest.split_once("by "));
        if by != told.and_then(|(_, number)| number.get(..4)) {
            breaches.push(format!("{name} and the index do not say the same overtook it"));
        }
        for heading in ["## Context", "## Decision", "## Consequences"] {
            if !file.text.lines().any(|l| l == heading) {
                breaches.push(format!("{name} lacks \"{heading}\""));
            }
        }
    }
    assert!(number > 0, "no decision found");
    none("docs/decisions", &breaches);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut breaches = Vec::new();
    for file in files().iter().filter(|f| f.path.ends_with(".md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, _) in file.text.match_indices("](") {
            let target = file.text[at + 2..].split([')', '#', ' ']).next().unwrap_or_default();
            let outside = target.is_empty() || target.contains("://") || target.contains('\n');
            if !outside && !root().join(folder).join(target).exists() {
                breaches.push(format!("{}: {target}", file.path));
            }
        }
    }
    none("broken links", &breaches);
}

#[test]
fn words_that_the_glossary_replaces_are_not_written() {
    let glossary = read("docs/glossary.md");
    let (_, table) = glossary.split_once("| not | but |").expect("the table of the glossary");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let not: Vec<String> =
        rows.filter_map(|row| Some(row.split('|').nth(1)?.trim().to_owned())).collect();
    assert!(!not.is_empty(), "the glossary replaces nothing");
    let told = |path: &str| {
        let code = path.starts_with("crates/") && path.ends_with(".rs");
        let page = path.ends_with(".md") && !path.starts_with("docs/decisions/");
        (code || page) && path != "docs/glossary.md" && path != "CHANGELOG.md"
    };
    let mut breaches = Vec::new();
    for file in files().iter().filter(|file| told(&file.path)) {
        for (number, line) in file.text.lines().enumerate() {
            let line = line.to_lowercase();
            let found = not.iter().filter(|word| line.contains(word.as_str()));
            breaches.extend(found.map(|word| format!("{}:{}: {word}", file.path, number + 1)));
        }
    }
    none("write the word that docs/glossary.md gives", &breaches);
}
