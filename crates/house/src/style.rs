//! The limits on files and lines, and words that must not stand in the repository.

use crate::source::{Source, blank, sources};
use crate::tree::{crates, files, none, read};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Lines of a source before its tests.
const FILE_LINES: usize = 500;
/// Characters of a line.
const LINE_CHARS: usize = 100;
/// How far below its listed length a file may fall before its exception must be lowered.
const SLACK: usize = 25;

/// `exceptions.toml`: what is over a limit, how far, and why. It may only shrink.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exceptions {
    /// Files over the limit of lines.
    #[serde(default)]
    long_file: BTreeMap<String, Exception>,
    /// Files that open modules to other crates, and how many.
    #[serde(default)]
    public_modules: BTreeMap<String, Exception>,
    /// Files of the crates that judge texts that hold lists of words, and how many.
    #[serde(default)]
    pub(crate) word_lists: BTreeMap<String, Exception>,
    /// Files that hold functions over clippy's limit, and how many.
    #[serde(default)]
    long_functions: BTreeMap<String, Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    limit: usize,
    reason: String,
}

pub(crate) fn exceptions() -> Exceptions {
    toml::from_str(&read("crates/house/exceptions.toml")).expect("exceptions.toml")
}

/// Holds counts per file against a general limit and the listed exceptions.
pub(crate) fn hold(
    counts: &BTreeMap<String, usize>,
    general: usize,
    slack: usize,
    listed: &BTreeMap<String, Exception>,
) -> Vec<String> {
    let mut breaches = Vec::new();
    for (path, &count) in counts {
        let limit = listed.get(path).map_or(general, |e| e.limit);
        if count > limit {
            breaches.push(format!("{path}: {count}, over {limit}"));
        }
    }
    for (path, exception) in listed {
        let count = counts.get(path).copied().unwrap_or(0);
        if count <= general {
            breaches.push(format!("{path}: needs no exception any more, remove it"));
        } else if count + slack < exception.limit {
            breaches.push(format!("{path}: lower its exception to {count}"));
        }
        if exception.reason.trim().is_empty() {
            breaches.push(format!("{path}: its exception gives no reason"));
        }
    }
    breaches
}

pub(crate) fn counted(count: impl Fn(&Source) -> usize) -> BTreeMap<String, usize> {
    sources().iter().map(|s| (s.path.clone(), count(s))).collect()
}

#[test]
fn files_stay_short_before_their_tests() {
    let counts = counted(|s| s.shipped.lines().count());
    let breaches = hold(&counts, FILE_LINES, SLACK, &exceptions().long_file);
    none("split it by what it does", &breaches);
}

#[test]
fn long_functions_are_listed() {
    // Clippy holds the limit itself (clippy.toml); what is allowed past it is counted here.
    let counts = counted(|s| s.text.matches("clippy::too_many_lines").count());
    let breaches = hold(&counts, 0, 0, &exceptions().long_functions);
    none("split the function", &breaches);
}

#[test]
fn exceptions_only_shrink() {
    let listed = |limit| {
        let exception = Exception { limit, reason: "a reason".to_owned() };
        BTreeMap::from([("a".to_owned(), exception)])
    };
    let counts = |n: usize| BTreeMap::from([("a".to_owned(), n), ("b".to_owned(), 10)]);
    for (count, limit, breaches) in [(600, 600, 0), (601, 600, 1), (560, 600, 1), (480, 600, 1)] {
        let found = hold(&counts(count), FILE_LINES, SLACK, &listed(limit));
        assert_eq!(found.len(), breaches, "{count} of {limit}: {found:?}");
    }
}

/// What each line counts: text in quotes, which rustfmt does not break, counts nothing in Rust.
fn counted_lengths(path: &str, text: &str) -> Vec<usize> {
    let plain = |line: &str| line.chars().count();
    if !path.ends_with(".rs") {
        return text.lines().map(plain).collect();
    }
    let blanked = blank(text);
    let quoted = |(line, code): (&str, &str)| {
        let comment = line.trim_start().starts_with("//");
        let hidden = line.chars().zip(code.chars()).filter(|(was, now)| was != now).count();
        if comment { plain(line) } else { plain(line) - hidden }
    };
    text.lines().zip(blanked.lines()).map(quoted).collect()
}

#[test]
fn lines_stay_short() {
    let ends = [".rs", ".toml", ".sh", ".py"];
    let plain = ["scripts/setup", "scripts/check", ".ci/run", "Dockerfile"];
    let mut breaches = Vec::new();
    for file in files() {
        // A dependency with its features, or a row of a table or a case kept as data, stays on one
        // line.
        let data = ["/tables/", "pipelines/tests/", "/fixtures/"]
            .iter()
            .any(|part| file.path.contains(part))
            || file.path == "Cargo.toml";
        let ours = ends.iter().any(|e| file.path.ends_with(e)) || plain.contains(&&*file.path);
        if data || !ours {
            continue;
        }
        for (number, length) in counted_lengths(&file.path, &file.text).into_iter().enumerate() {
            if length > LINE_CHARS {
                breaches.push(format!("{}:{}: {length} characters", file.path, number + 1));
            }
        }
    }
    none("break the line", &breaches);
}

#[test]
fn text_in_quotes_does_not_lengthen_a_line() {
    let long = "x".repeat(LINE_CHARS);
    let longest = |path: &str, text: &str| counted_lengths(path, text).into_iter().max();
    assert!(longest("a.rs", &format!("f(\"{long}\");")) < Some(LINE_CHARS));
    assert!(longest("a.rs", &format!("f(\"a\n{long}\n\");")) < Some(LINE_CHARS));
    assert!(longest("a.rs", &format!("f({long});")) > Some(LINE_CHARS));
    assert!(longest("a.rs", &format!("/// \"{long}\"")) > Some(LINE_CHARS));
    assert!(longest("a.py", &format!("f(\"{long}\")")) > Some(LINE_CHARS));
}

#[test]
fn nothing_is_left_for_later() {
    // Written in two parts so that this file does not find itself.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[ig", "nore")];
    let homes = [concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut breaches = Vec::new();
    for file in files() {
        for (number, line) in file.text.lines().enumerate() {
            let place = format!("{}:{}", file.path, number + 1);
            if let Some(word) = words.iter().find(|w| has_word(line, w)) {
                breaches.push(format!("{place}: {word}"));
            }
            if let Some(home) = homes.iter().find(|h| has_word(line, h)) {
                breaches.push(format!("{place}: a path of one machine ({home})"));
            }
        }
    }
    none("finish it, or say it in an issue", &breaches);
}

/// True when `word` stands in `line` and is not the tail of a longer word or path.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-/".contains(c))
    })
}

#[test]
fn every_crate_says_what_it_offers_name_by_name() {
    let globs = |s: &Source| {
        let lines = s.code.lines().map(str::trim_start);
        lines.filter(|l| l.starts_with("pub use") && l.contains('*')).count()
    };
    let modules = |s: &Source| {
        let lib = s.path.ends_with("/src/lib.rs");
        s.code.lines().filter(|l| lib && l.starts_with("pub mod ")).count()
    };
    let mut breaches = hold(&counted(globs), 0, 0, &BTreeMap::new());
    breaches.extend(hold(&counted(modules), 0, 0, &exceptions().public_modules));
    none("keep modules private and list the names in one `pub use`", &breaches);
}

#[test]
fn no_crate_offers_what_nobody_asks_for() {
    let all: Vec<(String, String)> = files()
        .into_iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| (file.path, file.text))
        .collect();
    let mut breaches = Vec::new();
    for name in crates() {
        let (own, lib) = (format!("crates/{name}/src/"), format!("crates/{name}/src/lib.rs"));
        let Some((_, text)) = all.iter().find(|(path, _)| *path == lib) else { continue };
        for offered in offered(text) {
            let others = all.iter().filter(|(path, _)| !path.starts_with(&own));
            let asked = |text: &str| {
                text.match_indices(&offered).any(|(at, _)| is_word(text, at, offered.len()))
            };
            if !others.into_iter().any(|(_, text)| asked(text)) {
                breaches.push(format!("{lib}: {offered}"));
            }
        }
    }
    none("keep it within the crate, or take it out", &breaches);
}

/// The functions and constants that a `lib.rs` lists in `pub use`. A type may stand in the
/// signature of something else.
fn offered(lib: &str) -> Vec<String> {
    let lists = lib.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
    lists
        .map(|list| list.rsplit_once("::").map_or(list, |(_, names)| names))
        .flat_map(|names| names.split([',', '{', '}']))
        .map(|name| name.split(" as ").last().unwrap_or_default().trim().to_owned())
        .filter(|name| {
            let constant = name.len() > 1 && name.chars().all(|c| !c.is_lowercase());
            let function = name.contains('_') && name.chars().all(|c| !c.is_uppercase());
            constant || function
        })
        .collect()
}

fn is_word(text: &str, at: usize, length: usize) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    !text[..at].chars().next_back().is_some_and(part)
        && !text[at + length..].chars().next().is_some_and(part)
}

#[test]
fn what_a_crate_offers_is_read_from_its_list() {
    let lib =
        "mod a;\npub use a::{Type, CONST, do_it, other as do_that};\npub use b_module::One;\n";
    assert_eq!(offered(lib), ["CONST", "do_it", "do_that"]);
    assert!(is_word("x(do_it)", 2, 5) && !is_word("redo_it", 2, 5));
}
