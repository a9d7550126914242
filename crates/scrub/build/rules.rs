//! What decides: the code of the crates that look at an instance and write it, without comments,
//! layout and tests; their tables and word lists; the versions of the libraries under them.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The crates that decide, by the names of their folders.
pub(crate) const CRATES: &[&str] = &["dataset", "documents", "model", "scrub", "text", "verify"];
/// Folders of a crate with what it decides by.
const PARTS: &[&str] = &["src", "tables", "data"];
/// What one of our packages is called: `scanveil-` and its folder.
const PREFIX: &str = "scanveil-";

/// The digest of everything that decides in the workspace at this folder.
pub(crate) fn digest(root: &Path) -> io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    let mut note = |name: &str, what: &[u8]| {
        for part in [name.as_bytes(), what] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    };
    for name in CRATES {
        let folder = root.join("crates").join(name);
        for file in
            PARTS.iter().try_fold(Vec::new(), |found, part| files(&folder.join(part), found))?
        {
            let path = file.strip_prefix(&folder).map_err(io::Error::other)?;
            let path = format!("{name}/{}", path.to_string_lossy());
            if path.ends_with(".rs") {
                note(&path, code(&file)?.as_bytes());
            } else {
                note(&path, &fs::read(&file)?);
            }
        }
    }
    for (package, version) in libraries(&fs::read_to_string(root.join("Cargo.lock"))?)? {
        note(&package, version.as_bytes());
    }
    Ok(*hasher.finalize().as_bytes())
}

/// The files of a folder and of those within, sorted, but for tests.
fn files(folder: &Path, mut found: Vec<PathBuf>) -> io::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(found) };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            found = if name == "tests" { found } else { files(&path, found)? };
        } else if name != "tests.rs" && name != "README.md" {
            found.push(path);
        }
    }
    Ok(found)
}

/// The tokens of a file.
fn code(file: &Path) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    let tokens: TokenStream =
        text.parse().map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
    let mut written = String::with_capacity(text.len());
    write(tokens, &mut written);
    Ok(written)
}

/// Writes tokens one by one, without documentation and without what only tests have.
fn write(tokens: TokenStream, out: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_mark(&token, '#') {
            // An attribute of the file has an exclamation mark.
            let inner = tokens.next_if(|next| is_mark(next, '!')).is_some();
            let attribute = tokens.peek().map(ToString::to_string).unwrap_or_default();
            let words: String = attribute.split_whitespace().collect();
            if words.starts_with("[doc") {
                tokens.next();
                continue;
            }
            if words == "[cfg(test)]" && !inner {
                // Up to the end of the item: its block or its semicolon.
                let ends = |token: &TokenTree| is_mark(token, ';') || is_block(token);
                while tokens.next().is_some_and(|token| !ends(&token)) {}
                continue;
            }
        }
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                write(group.stream(), out);
                out.push_str(close);
            }
            token => out.push_str(&token.to_string()),
        }
        out.push(' ');
    }
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == mark)
}

fn is_block(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// The libraries under the crates that decide, with their versions, as the lock file has them. It
/// does not tell what only tests use.
fn libraries(lock: &str) -> io::Result<BTreeMap<String, String>> {
    let lock: toml::Table = toml::from_str(lock).map_err(io::Error::other)?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let mut by_name: BTreeMap<&str, Vec<&toml::Value>> = BTreeMap::new();
    for package in packages.into_iter().flatten() {
        by_name.entry(text(package, "name")).or_default().push(package);
    }
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<String> = CRATES.iter().map(|name| format!("{PREFIX}{name}")).collect();
    while let Some(wanted) = open.pop() {
        if !seen.insert(wanted.clone()) {
            continue;
        }
        // `name`, or `name version` where several versions are there.
        let (name, version) = wanted.split_once(' ').unwrap_or((&wanted, ""));
        for package in by_name.get(name).into_iter().flatten() {
            if !version.is_empty() && text(package, "version") != version {
                continue;
            }
            let ours = name.starts_with(PREFIX);
            if ours && !CRATES.contains(&&name[PREFIX.len()..]) {
                continue;
            }
            if !ours {
                let version = text(package, "version");
                let checksum = text(package, "checksum");
                found.insert(format!("{name} {version}"), checksum.to_owned());
            }
            let below = package.get("dependencies").and_then(toml::Value::as_array);
            let below = below.into_iter().flatten().filter_map(toml::Value::as_str);
            open.extend(below.map(str::to_owned));
        }
    }
    Ok(found)
}

fn text<'a>(package: &'a toml::Value, key: &str) -> &'a str {
    package.get(key).and_then(toml::Value::as_str).unwrap_or_default()
}
