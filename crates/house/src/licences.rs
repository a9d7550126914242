//! deny.toml read without cargo-deny: licences, banned crates and sources of everything we ship.
//!
//! `cargo deny check bans licenses sources` reads the same file where it is installed.

use crate::tree::{none, read, root};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
    #[serde(default)]
    exceptions: Vec<LicenceException>,
}

#[derive(Deserialize)]
struct LicenceException {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
}

/// A package that is compiled into a program or a test on this machine.
struct Package {
    name: String,
    licence: String,
}

fn deny() -> Deny {
    toml::from_str(&read("deny.toml")).expect("deny.toml")
}

/// Everything that the workspace compiles. `cargo tree` knows which features are really on; `cargo
/// metadata` would also list what no feature asks for.
fn packages() -> Vec<Package> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--workspace", "--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--format", "{p}|{l}"])
        .current_dir(root())
        .output()
        .expect("cargo tree starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: BTreeSet<String> =
        String::from_utf8_lossy(&output.stdout).lines().map(ToOwned::to_owned).collect();
    let found: Vec<Package> = lines
        .iter()
        .filter_map(|line| {
            let (package, licence) = line.trim_end_matches(" (*)").split_once('|')?;
            let name = package.split(' ').next()?.to_owned();
            Some(Package { name, licence: licence.to_owned() })
        })
        .collect();
    assert!(found.len() > 20, "only {} packages", found.len());
    found
}

/// True when a licence expression is satisfied by the allowed licences alone.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let result = any(&words, &mut at, allowed);
    result && at == words.len()
}

/// `a OR b`, which binds less than `AND`.
fn any(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut result = all(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        result |= all(words, at, allowed);
    }
    result
}

fn all(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut result = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        result &= one(words, at, allowed);
    }
    result
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    if words.get(*at) == Some(&"(") {
        *at += 1;
        let result = any(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return result && closed;
    }
    let mut licence = (*words.get(*at).unwrap_or(&"")).to_owned();
    *at += 1;
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&licence)
}

#[test]
fn licence_expressions_are_understood() {
    let allowed: BTreeSet<String> =
        ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(String::from).into();
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0", false),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("(GPL-3.0 OR MIT", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
    }
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let deny = deny();
    let extra: BTreeMap<&str, &BTreeSet<String>> =
        deny.licenses.exceptions.iter().map(|e| (e.name.as_str(), &e.allow)).collect();
    let mut breaches = Vec::new();
    for package in packages() {
        let mut allowed = deny.licenses.allow.clone();
        allowed.extend(extra.get(package.name.as_str()).into_iter().copied().flatten().cloned());
        if !satisfied(&package.licence, &allowed) {
            breaches.push(format!("{}: {:?}", package.name, package.licence));
        }
    }
    none("not allowed by deny.toml", &breaches);
}

#[test]
fn no_banned_crate_and_no_other_source() {
    let deny = deny();
    let banned: BTreeSet<&str> = deny.bans.deny.iter().map(|b| b.name.as_str()).collect();
    assert!(!banned.is_empty(), "deny.toml bans nothing");
    let mut breaches = Vec::new();
    for package in packages() {
        if banned.contains(package.name.as_str()) {
            breaches.push(format!("{} is banned", package.name));
        }
    }
    // The lock file names the sources for every platform: one registry, cargo's own.
    let lock = read("Cargo.lock");
    let sources: BTreeSet<&str> =
        lock.lines().filter_map(|line| line.strip_prefix("source = ")).collect();
    assert!(!sources.is_empty(), "the lock file names no source");
    let other = sources.iter().filter(|source| !source.starts_with("\"registry+"));
    breaches.extend(other.map(|source| format!("a package comes from {source}")));
    if sources.len() > 1 {
        breaches.push(format!("packages come from {} places", sources.len()));
    }
    none("deny.toml", &breaches);
}
