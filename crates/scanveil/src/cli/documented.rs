//! Every command that the documents show is one that the program takes.

use super::Cli;
use clap::Parser;

const EXAMPLE: &str = include_str!("../../../../docs/example.toml");

const DOCUMENTS: &[(&str, &str)] = &[
    ("README.md", include_str!("../../../../README.md")),
    ("docs/evaluate.md", include_str!("../../../../docs/evaluate.md")),
    ("docs/operator-guide.md", include_str!("../../../../docs/operator-guide.md")),
    ("docs/profiles.md", include_str!("../../../../docs/profiles.md")),
    ("benches/README.md", include_str!("../../../../benches/README.md")),
];

/// The command lines of a document's code blocks, as words.
fn commands(text: &str) -> Vec<Vec<String>> {
    let blocks = text.split("\n```").skip(1).step_by(2);
    let lines: Vec<String> = blocks
        .map(|block| block.replace("\\\n", " "))
        .flat_map(|block| block.lines().skip(1).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let shown = lines.iter().map(|line| line.trim_start().trim_start_matches("$ "));
    shown.filter(|line| line.starts_with("scanveil ")).map(words).collect()
}

/// Words as a shell tells them, without quotes; nothing behind a comment, a pipe or a file.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            ('#' | '|' | '<' | '>', None) => break,
            (' ', None) => words.push(String::new()),
            _ => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A word that stands for any other, as one of its kind: `H` is a hospital.
fn filled(word: String) -> String {
    match word.as_str() {
        "H" | "P" => word.to_lowercase(),
        "ID" => "0".repeat(32),
        "REQUEST" => "0".repeat(16),
        "HASH" => "0".repeat(64),
        _ => word,
    }
}

#[test]
fn every_command_shown_is_one() {
    let mut seen = 0;
    for (document, text) in DOCUMENTS {
        for words in commands(text) {
            seen += 1;
            let line = words.join(" ");
            if let Err(error) = Cli::try_parse_from(words.into_iter().map(filled)) {
                panic!("{document}: {line}: {error}");
            }
        }
    }
    assert!(seen > 20, "only {seen} commands found");
}

/// What the README names is in the example configuration, and what it leaves out is not needed.
#[test]
fn the_readme_goes_with_the_example() {
    let (_, readme) = DOCUMENTS[0];
    for words in commands(readme) {
        let after = |flag: &str| {
            words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1))
        };
        let line = words.join(" ");
        if let Some(hospital) = after("--hospital") {
            assert!(EXAMPLE.contains(&format!("id = \"{hospital}\"")), "{line}");
            assert!(after("--project").is_some(), "{line}: the example has no default project");
        }
        if let Some(project) = after("--project") {
            assert!(EXAMPLE.contains(&format!("name = \"{project}\"")), "{line}");
        }
    }
}
