//! Digests the code and the data that decide what comes out, for the labels of profiles.

#[path = "build/rules.rs"]
mod rules;

use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env("CARGO_MANIFEST_DIR")?).join("../..");
    for name in rules::CRATES {
        println!("cargo::rerun-if-changed=../{name}");
    }
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    let digest = rules::digest(&root)?;
    std::fs::write(Path::new(&env("OUT_DIR")?).join("rules.digest"), digest)
}

fn env(name: &str) -> io::Result<std::ffi::OsString> {
    std::env::var_os(name).ok_or_else(|| io::Error::other(format!("{name} is not set")))
}
