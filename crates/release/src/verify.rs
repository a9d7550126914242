//! Checking a release's folder against its manifest.

use crate::ReleaseError;
use crate::certificates::is_certificate;
use crate::folder::{
    DATA, DATASHEET, LIST, MANIFEST, MARKER, TABLES, files_below, hash_file, io_error,
};
use crate::manifest::Document;
use rayon::prelude::*;
use scanveil_catalog::RecordId;
use scanveil_model::{Digest, ProjectName};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Longest manifest or list that is read: two million instances' worth.
const MAX_DOCUMENT_BYTES: u64 = 2 << 30;

/// What was found in a release's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The release's identifier.
    pub release: RecordId,
    /// The project.
    pub project: ProjectName,
    /// Files that were read and have their digest.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Everything that is not as it should be.
    pub problems: Vec<Problem>,
}

impl VerifyReport {
    /// Whether the folder is exactly the release.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.problems.is_empty()
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Path from the release's folder; characters that are not plain are replaced.
    pub path: String,
    /// What is wrong with it.
    pub kind: ProblemKind,
}

/// What can be wrong with a file of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// The release was never finished.
    Unfinished,
    /// The file is not there.
    Missing,
    /// The file is there with other content.
    Changed,
    /// The file cannot be read.
    Unreadable,
    /// The file belongs to no release.
    Unexpected,
    /// List and manifest do not say the same about it.
    Contradicted,
}

/// Checks every file of a release against its list and its manifest, on all cores.
///
/// # Errors
/// [`ReleaseError::Manifest`] when there is no manifest that can be read; whatever else is wrong is
/// in the report.
pub fn verify(root: &Path) -> Result<VerifyReport, ReleaseError> {
    let json = read_document(&root.join(MANIFEST))
        .map_err(|_| ReleaseError::Manifest { what: "it is missing or too long" })?;
    let document = Document::read(&json)?;
    let mut problems = Vec::new();
    if fs::symlink_metadata(root.join(MARKER)).is_ok() {
        problems.push(problem(MARKER, ProblemKind::Unfinished));
    }
    let list_bytes = match read_document(&root.join(LIST)) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            problems.push(problem(LIST, ProblemKind::Missing));
            Vec::new()
        }
        Err(e) => return Err(io_error("read", &root.join(LIST), e)),
    };
    if !list_bytes.is_empty() && *blake3::hash(&list_bytes).as_bytes() != document.list_digest.0 {
        problems.push(problem(LIST, ProblemKind::Changed));
    }
    let list = parse_list(&list_bytes, &mut problems);
    contradictions(&document, &list, &mut problems);
    let expected = expected(&document, &list);
    let checked: Vec<Result<u64, Problem>> =
        expected.par_iter().map(|(path, digest)| check_file(root, path, *digest)).collect();
    let (mut files, mut bytes) = (0, 0);
    for result in checked {
        match result {
            Ok(length) => {
                files += 1;
                bytes += length;
            }
            Err(problem) => problems.push(problem),
        }
    }
    unexpected(root, &expected, &mut problems)?;
    problems.sort();
    problems.dedup();
    let (release, project) = (document.release, document.project);
    Ok(VerifyReport { release, project, files, bytes, problems })
}

fn problem(path: &str, kind: ProblemKind) -> Problem {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    Problem { path: path.chars().map(plain).collect(), kind }
}

fn read_document(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Paths and digests of the list; lines that are not `<digest>  <path>` are problems of the list.
fn parse_list(bytes: &[u8], problems: &mut Vec<Problem>) -> BTreeMap<String, Digest> {
    let mut list = BTreeMap::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        let parts = line.split_once("  ");
        let parsed = parts.and_then(|(digest, path)| Some((Digest::parse(digest).ok()?, path)));
        match parsed {
            Some((digest, path)) if is_ours(path) => {
                list.insert(path.to_owned(), digest);
            }
            _ => problems.push(problem(LIST, ProblemKind::Changed)),
        }
    }
    list
}

/// Whether a path of the list can be one of a release: never absolute, never upwards.
fn is_ours(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let plain = |part: &&str| {
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(word)
    };
    let shaped = match parts.as_slice() {
        [one] => *one == DATASHEET,
        [first, _] => *first == TABLES,
        [first, _, _, name] => *first == DATA && is_certificate(name),
        [first, _, _, _, _] => *first == DATA,
        _ => false,
    };
    shaped && parts.iter().all(plain)
}

/// What the manifest itself gives a digest of.
fn named(document: &Document) -> impl Iterator<Item = (&str, Digest)> {
    let instances = document.instances.iter().map(|one| (one.path.as_str(), one.blake3));
    instances.chain(document.certificates.iter().map(|one| (one.path.as_str(), one.blake3)))
}

fn contradictions(
    document: &Document,
    list: &BTreeMap<String, Digest>,
    problems: &mut Vec<Problem>,
) {
    let named: BTreeMap<&str, Digest> = named(document).collect();
    for (path, digest) in &named {
        if list.get(*path) != Some(digest) {
            problems.push(problem(path, ProblemKind::Contradicted));
        }
    }
    for path in list.keys().filter(|path| path.starts_with(DATA)) {
        if !named.contains_key(path.as_str()) {
            problems.push(problem(path, ProblemKind::Contradicted));
        }
    }
}

/// The manifest's word on instances and certificates, the list's on everything else.
fn expected(document: &Document, list: &BTreeMap<String, Digest>) -> BTreeMap<String, Digest> {
    let mut expected = list.clone();
    for (path, digest) in named(document).filter(|(path, _)| is_ours(path)) {
        expected.insert(path.to_owned(), digest);
    }
    expected
}

fn check_file(root: &Path, name: &str, digest: Digest) -> Result<u64, Problem> {
    let path = root.join(name);
    let kind = match fs::symlink_metadata(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => ProblemKind::Missing,
        Err(_) => ProblemKind::Unreadable,
        Ok(found) if !found.is_file() => ProblemKind::Changed,
        Ok(_) => match hash_file(&path) {
            Ok((found, length)) if found == digest => return Ok(length),
            Ok(_) => ProblemKind::Changed,
            Err(_) => ProblemKind::Unreadable,
        },
    };
    Err(problem(name, kind))
}

fn unexpected(
    root: &Path,
    expected: &BTreeMap<String, Digest>,
    problems: &mut Vec<Problem>,
) -> Result<(), ReleaseError> {
    for path in files_below(root, "")? {
        let name = path.to_string_lossy();
        let known = [MANIFEST, LIST, MARKER].contains(&&*name) || expected.contains_key(&*name);
        if !known {
            problems.push(problem(&name, ProblemKind::Unexpected));
        }
    }
    Ok(())
}
