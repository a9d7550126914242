//! Which library does which job: the table in ARCHITECTURE.md, and what is not written by hand.

use crate::source::sources;
use crate::tree::{crates, none, read};
use std::collections::{BTreeMap, BTreeSet};

/// What only somebody writes who does a library's job by hand, and which library that is.
const BY_HAND: &[(&str, &str)] = &[
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "data-encoding"),
    ("{byte:02x}", "data-encoding"),
    ("{b:02x}", "data-encoding"),
    ("fn nibble", "data-encoding"),
    ("fn unhex", "data-encoding"),
    ("fn base64", "data-encoding"),
    ("\"&lt;\"", "quick-xml"),
    ("replace('\"', \"\\\"\\\"\")", "csv"),
    ("checked_shr(shift)", "ipnet"),
];

/// Where a sign of [`BY_HAND`] is right: HTML is no XML, and this file lists them.
const ALLOWED: &[&str] = &["crates/server/src/page/format.rs", "crates/house/src/libraries.rs"];

/// The table below the heading of ARCHITECTURE.md: a library and its job.
fn table() -> BTreeMap<String, String> {
    let text = read("ARCHITECTURE.md");
    let (_, table) = text.split_once("## Libraries, by what they are for").expect("the heading");
    let rows = table.lines().skip_while(|l| !l.starts_with("| ---")).skip(1);
    rows.take_while(|l| l.starts_with('|'))
        .filter_map(|row| {
            let (name, job) = row.trim_matches('|').split_once('|')?;
            Some((name.trim().replace('`', ""), job.trim().to_owned()))
        })
        .collect()
}

/// The libraries of the root manifest.
fn named() -> BTreeSet<String> {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("Cargo.toml");
    let all = manifest["workspace"]["dependencies"].as_table().expect("the dependencies");
    all.keys().filter(|name| !name.starts_with("scanveil-")).cloned().collect()
}

#[test]
fn every_library_has_one_job_and_every_job_one_library() {
    let (table, named) = (table(), named());
    let mut breaches = Vec::new();
    for name in named.iter().filter(|name| !table.contains_key(*name)) {
        breaches.push(format!("{name}: say in the table of ARCHITECTURE.md what it is for"));
    }
    for name in table.keys().filter(|name| !named.contains(*name)) {
        breaches.push(format!("{name}: is in the table and not in Cargo.toml"));
    }
    let mut jobs: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, job) in &table {
        if let Some(other) = jobs.insert(job, name) {
            breaches.push(format!("{name} and {other} do the same job: {job}"));
        }
    }
    none("one job, one library", &breaches);
}

#[test]
fn every_library_is_used() {
    let manifests: Vec<String> =
        crates().iter().map(|name| read(&format!("crates/{name}/Cargo.toml"))).collect();
    let unused = named().into_iter().filter(|name| {
        !manifests.iter().any(|text| text.lines().any(|l| l.starts_with(&format!("{name}."))))
    });
    none("take it out of Cargo.toml", &unused.collect::<Vec<_>>());
}

/// What makes a file durable, or gives it its name, by hand.
const UNSAFE_WRITES: &[&str] =
    &["sync_all(", "sync_data()", "fs::rename(", "hard_link(", "persist("];

/// Where a rename is no write: the one crate that does it, a double of the disk in tests, files of
/// others that are moved, and folders whose content is durable or may be made again.
const MAY_RENAME: &[&str] = &[
    "crates/durable/src/lib.rs",
    "crates/durable/src/temporary.rs",
    "crates/vault/src/spool/disk.rs",
    "crates/storage/src/folder.rs",
    "crates/engine/src/staging.rs",
];

#[test]
fn files_become_durable_in_one_crate() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|s| !MAY_RENAME.contains(&s.path.as_str())) {
        for sign in UNSAFE_WRITES.iter().filter(|sign| source.code.contains(**sign)) {
            breaches.push(format!("{}: {sign}", source.path));
        }
    }
    none("write it with scanveil-durable", &breaches);
}

#[test]
fn what_a_library_does_is_not_written_by_hand() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|s| !ALLOWED.contains(&s.path.as_str())) {
        for (sign, library) in BY_HAND.iter().filter(|(sign, _)| source.shipped.contains(sign)) {
            breaches.push(format!("{}: {sign}: {library} does that", source.path));
        }
    }
    none("use the library of the table in ARCHITECTURE.md", &breaches);
}
