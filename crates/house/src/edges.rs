//! Which crate may use which: the table in ARCHITECTURE.md is the rule, manifests are held to it.

use crate::source::{sources, tokens};
use crate::tree::{crates, none, read};
use std::collections::{BTreeMap, BTreeSet};

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The longest chain of crates, counted in crates.
const DEEPEST: usize = 10;

/// Crates that only compute: no file, network, environment, clock or random source of their own.
const PURE: &[&str] =
    &["model", "dataset", "documents", "text", "verify", "scrub", "profiles", "seal"];

/// What opens identified data. `release` must not reach it by any path.
const OPENS_IDENTIFIED: &str = "vault";

/// What the tests of any crate may use.
const FOR_TESTS: &[&str] = &["testkit", "synth"];

/// The table below the heading "Allowed dependencies" of ARCHITECTURE.md.
fn allowed() -> Graph {
    let graph = table_below("## Allowed dependencies");
    assert!(graph.len() > 5, "the table of allowed dependencies was not understood");
    graph
}

/// The first table below a line of ARCHITECTURE.md: a crate, and those that it uses.
fn table_below(line: &str) -> Graph {
    let text = read("ARCHITECTURE.md");
    let (_, table) =
        text.split_once(line).unwrap_or_else(|| panic!("ARCHITECTURE.md has no {line:?}"));
    let rows = table.lines().skip_while(|l| !l.starts_with("| ---")).skip(1);
    rows.take_while(|l| l.starts_with('|'))
        .map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(|c| c.trim().replace('`', ""));
            let name = cells.next().unwrap_or_default();
            let uses = cells.next().unwrap_or_default();
            let uses = uses.split(',').map(|u| u.trim().to_owned());
            (name, uses.filter(|u| !u.is_empty() && u != "nothing").collect())
        })
        .collect()
}

/// A manifest's edges to other crates of the workspace, and its dependencies written out by hand.
fn edges(name: &str, section: &str) -> (BTreeSet<String>, Vec<String>) {
    let path = format!("crates/{name}/Cargo.toml");
    let manifest: toml::Table = read(&path).parse().unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut own = BTreeSet::new();
    let mut by_hand = Vec::new();
    for (dependency, value) in
        manifest.get(section).and_then(|s| s.as_table()).into_iter().flatten()
    {
        if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
            by_hand.push(format!("{path}: {dependency}"));
        }
        if let Some(short) = dependency.strip_prefix("scanveil-") {
            own.insert(short.to_owned());
        }
    }
    (own, by_hand)
}

fn actual() -> Graph {
    crates().into_iter().map(|name| (name.clone(), edges(&name, "dependencies").0)).collect()
}

#[test]
fn every_edge_is_in_the_table_of_the_architecture() {
    let allowed = allowed();
    let mut breaches = Vec::new();
    for (name, uses) in actual() {
        let Some(may) = allowed.get(&name) else {
            breaches.push(format!("{name} has no row in the table"));
            continue;
        };
        for used in uses.difference(may) {
            breaches.push(format!("{name} -> {used} is not in the table"));
        }
        for unused in may.difference(&uses) {
            breaches.push(format!("{name} -> {unused} is in the table and not used: remove it"));
        }
    }
    for name in allowed.keys().filter(|n| !crates().contains(n)) {
        breaches.push(format!("{name} has a row in the table and is no crate"));
    }
    none("crates may depend on each other only as ARCHITECTURE.md says", &breaches);
}

#[test]
fn every_edge_of_tests_is_in_the_table_of_the_architecture() {
    let allowed = allowed();
    let listed = table_below("| tests of |");
    let mut breaches = Vec::new();
    for name in crates() {
        let may = |used: &String| {
            FOR_TESTS.contains(&used.as_str())
                || allowed.get(&name).is_some_and(|uses| uses.contains(used))
        };
        let uses: BTreeSet<String> =
            edges(&name, "dev-dependencies").0.into_iter().filter(|used| !may(used)).collect();
        let says = listed.get(&name).cloned().unwrap_or_default();
        if uses != says {
            breaches.push(format!("{name}: {uses:?}, and the table says {says:?}"));
        }
    }
    none("the tests of a crate use others only as ARCHITECTURE.md says", &breaches);
}

#[test]
fn test_helpers_stay_out_of_the_program() {
    let mut breaches = Vec::new();
    for (name, uses) in actual() {
        if uses.contains("testkit") || uses.contains("house") {
            breaches.push(format!("{name} ships a crate that is for tests only"));
        }
    }
    none("testkit and house are dev-dependencies", &breaches);
}

#[test]
fn release_reaches_nothing_that_opens_identified_data() {
    let graph = actual();
    let mut reached = BTreeSet::new();
    let mut queue = vec!["release".to_owned()];
    while let Some(name) = queue.pop() {
        for used in graph.get(&name).into_iter().flatten() {
            if reached.insert(used.clone()) {
                queue.push(used.clone());
            }
        }
    }
    assert!(!reached.is_empty(), "release depends on nothing: is it still called release?");
    assert!(!reached.contains(OPENS_IDENTIFIED), "release reaches {OPENS_IDENTIFIED}");
}

#[test]
fn chains_of_crates_stay_short() {
    fn depth(graph: &Graph, name: &str) -> usize {
        1 + graph[name].iter().map(|used| depth(graph, used)).max().unwrap_or(0)
    }
    let graph = actual();
    for name in graph.keys() {
        let deep = depth(&graph, name);
        assert!(deep <= DEEPEST, "{name} stands on a chain of {deep} crates, over {DEEPEST}");
    }
}

#[test]
fn every_dependency_is_named_once_in_the_workspace() {
    let mut breaches = Vec::new();
    for name in crates() {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            breaches.extend(edges(&name, section).1);
        }
    }
    none("write `name.workspace = true` and name the dependency in the root manifest", &breaches);
}

#[test]
fn pure_crates_do_no_io_and_read_no_clock() {
    let mut breaches = Vec::new();
    for source in sources().into_iter().filter(|s| PURE.contains(&s.of.as_str())) {
        for (line, what) in impure(&source.code) {
            breaches.push(format!("{}:{line}: {what}", source.path));
        }
    }
    none("invariant 1: pass it in from the edge instead", &breaches);
}

/// Uses of what a pure crate must not use, in blanked code.
fn impure(code: &str) -> Vec<(usize, String)> {
    const MODULES: &[&str] = &["fs", "net", "env", "process", "File", "OpenOptions"];
    const CALLS: &[&str] =
        &["SystemTime", "Instant", "thread_rng", "SystemRandom", "OsRng", "rand"];
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut in_std_use = false;
    for (at, (line, word)) in tokens.iter().enumerate() {
        let after = |n: usize| tokens.get(at + n).map_or("", |(_, t)| t.as_str());
        let before = at.checked_sub(1).map_or("", |i| tokens[i].1.as_str());
        if word == "use" && after(1) == "std" {
            in_std_use = true;
        } else if word == ";" {
            in_std_use = false;
        }
        let path = before == "::" || after(1) == "::";
        let module = MODULES.contains(&word.as_str()) && (in_std_use || path);
        let call = CALLS.contains(&word.as_str()) && (in_std_use || path || after(1) == "(");
        if module || call {
            found.push((*line, word.clone()));
        }
    }
    found
}

#[test]
fn impurity_is_seen_in_every_spelling() {
    for (code, expected) in [
        ("use std::fs;", 1),
        ("use std::{fmt, io::{self, Read}, fs};", 1),
        ("let x = std::env::var(y);", 1),
        ("std::time::Instant::now()", 1),
        ("use std::time::{Duration, SystemTime};", 1),
        ("use aws_lc_rs::rand::SystemRandom;", 2),
        ("let fs = 3; let t = env!(x); fn process(&self) {} self.process(a)", 0),
        ("use std::io::{Read, Write}; use std::time::Duration;", 0),
    ] {
        assert_eq!(impure(code).len(), expected, "{code}");
    }
}
