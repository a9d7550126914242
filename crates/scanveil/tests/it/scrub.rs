//! `scanveil scrub` and `inspect` over real and made files: everything ends clean or held back, and
//! nothing that was planted comes out.

use scanveil_synth::{Hunter, Planted, PlantedKind, TEXT_MIN_FORM, mr_slices};
use scanveil_testkit::{ChildGuard, peak_rss_kib};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// What a run may hold of memory, whatever a file claims.
const MOST_MEMORY_KIB: u64 = 256 << 10;

fn scanveil(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scanveil"));
    command.args(arguments).current_dir(folder).env_remove("SCANVEIL_LOG");
    command
}

fn run(arguments: &[&str], folder: &Path) -> Output {
    scanveil(arguments, folder).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every file below a folder, relative to it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path();
                let bytes = fs::read(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), bytes);
            }
        }
    }
    found
}

/// How many of the files are instances.
fn dicom_files(files: &BTreeMap<PathBuf, Vec<u8>>) -> usize {
    files.keys().filter(|path| path.extension().is_some_and(|ending| ending == "dcm")).count()
}

fn corpus(folder: &Path, count: usize) -> Vec<Planted> {
    fs::create_dir_all(folder.join("Garrowby, Jo")).unwrap();
    let mut planted = BTreeSet::new();
    for (number, slice) in mr_slices(5, count, 64).enumerate() {
        let slice = slice.unwrap();
        fs::write(folder.join(format!("Garrowby, Jo/{number}.dcm")), &slice.file).unwrap();
        planted.extend(slice.planted);
    }
    planted.into_iter().collect()
}

#[test]
fn a_folder_comes_out_clean_and_twice_the_same() {
    let temp = tempfile::tempdir().unwrap();
    let planted = corpus(&temp.path().join("in"), 12);
    let arguments = ["--json", "scrub", "in", "--out", "out", "--report", "r.json"];
    let first = run(&arguments, temp.path());
    assert_eq!(first.status.code(), Some(0));
    assert_eq!(json(&first)["clean"], 12);
    let written = files(&temp.path().join("out"));
    assert_eq!(dicom_files(&written), 12);
    // One study, and the certificate of what was done to it.
    assert_eq!(written.len(), 13);
    let hunter = Hunter::new(&planted, TEXT_MIN_FORM).unwrap();
    let hunted = hunter.hunt_folder(&temp.path().join("out")).unwrap();
    assert!(hunted.is_clean(), "{:?}", hunted.hits);
    for said in [&first.stdout, &first.stderr, &fs::read(temp.path().join("r.json")).unwrap()] {
        assert!(hunter.hunt_bytes(said).unwrap().is_clean());
    }
    assert_eq!(run(&arguments, temp.path()).status.code(), Some(0));
    assert_eq!(files(&temp.path().join("out")), written, "again the same, and nothing left over");
    let inspected = run(&["--json", "inspect", "out"], temp.path());
    assert_eq!(inspected.status.code(), Some(0), "{}", json(&inspected));
    let inspected = run(&["--json", "inspect", "in"], temp.path());
    assert_eq!(inspected.status.code(), Some(2));
    assert!(hunter.hunt_bytes(&inspected.stdout).unwrap().is_clean(), "values are never shown");
}

#[test]
fn twins_are_counted_or_held_back_and_a_dry_run_writes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    corpus(&temp.path().join("in"), 2);
    let folder = temp.path().join("in/Garrowby, Jo");
    let original = fs::read(folder.join("0.dcm")).unwrap();
    // The same instance under another preamble, and with another pixel.
    let mut wrapped = original.clone();
    wrapped[..4].copy_from_slice(b"II*\0");
    fs::write(folder.join("2.dcm"), &wrapped).unwrap();
    let mut other = original;
    let last = other.len() - 2;
    other[last] ^= 1;
    fs::write(folder.join("3.dcm"), &other).unwrap();
    fs::write(folder.join("notes"), "Garrowby").unwrap();
    let dry = run(&["--json", "scrub", "in", "--dry-run"], temp.path());
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1, "only the input is there");
    let wet = run(&["--json", "scrub", "in", "--out", "out"], temp.path());
    for output in [dry, wet] {
        assert_eq!(output.status.code(), Some(2));
        let summary = json(&output);
        assert_eq!((&summary["clean"], &summary["duplicates"]), (&2.into(), &1.into()));
        let reasons: Vec<&str> = summary["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["reason"].as_str().unwrap())
            .collect();
        assert_eq!(reasons, ["not-dicom", "uid-conflict"]);
    }
    assert_eq!(dicom_files(&files(&temp.path().join("out"))), 2);
}

#[test]
fn what_cannot_run_says_so() {
    let temp = tempfile::tempdir().unwrap();
    corpus(&temp.path().join("in"), 1);
    for (arguments, code) in [
        (&["scrub", "Garrowby.dcm", "--out", "out"][..], "SV-CLI-010"),
        (&["scrub", "in", "--out", "out", "--profile", "none"], "SV-CLI-012"),
        (&["inspect", "Garrowby.dcm"], "SV-CLI-010"),
    ] {
        let output = run(arguments, temp.path());
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(code) && !said.contains("Garrowby"), "{said}");
    }
}

fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/dicom");
    if !path.exists() {
        // Past the harness, which keeps what a passing test prints to itself.
        let _ = writeln!(std::io::stderr(), "skipped: no folder ../shared/dicom with real files");
        return None;
    }
    Some(path.canonicalize().unwrap())
}

/// Runs and watches the memory of the child while it lives.
fn run_watched(arguments: &[&str], folder: &Path) -> (i32, u64) {
    let mut command = scanveil(arguments, folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = ChildGuard::spawn(&mut command).unwrap();
    let mut peak = 0;
    loop {
        peak = peak.max(peak_rss_kib(child.pid()).unwrap_or(0));
        if let Some(status) = child.wait(Duration::from_millis(1)) {
            return (status.code().unwrap(), peak);
        }
    }
}

/// What the answer key says of the made files: what stands in them, and what must become of each.
struct Key {
    planted: BTreeSet<Planted>,
    must: BTreeMap<String, String>,
}

fn key(root: &Path) -> Key {
    let text = fs::read_to_string(root.join("gap/expected.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut key = Key { planted: BTreeSet::new(), must: BTreeMap::new() };
    for entry in entries {
        let name = entry["file"].as_str().unwrap().to_owned();
        key.must.insert(name, entry["must"].as_str().unwrap().to_owned());
        for planted in entry["planted"].as_array().unwrap() {
            let value = planted["value"].as_str().unwrap().to_owned();
            let kind = kind(&value);
            key.planted.insert(Planted { kind, encoded: value.clone().into_bytes(), value });
        }
    }
    key
}

fn kind(value: &str) -> PlantedKind {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    match value.as_bytes() {
        _ if digits && value.len() == 8 => PlantedKind::Date,
        [b'M', b'R', b'N', ..] => PlantedKind::PatientId,
        [b'A', b'C', b'C', ..] => PlantedKind::Accession,
        [b'+', ..] => PlantedKind::Phone,
        _ if value.contains('^') => PlantedKind::PersonName,
        _ => PlantedKind::Text,
    }
}

/// Digest of each of the made files, for finding it in the report.
fn made(root: &Path, key: &Key) -> BTreeMap<String, String> {
    key.must
        .keys()
        .map(|name| {
            let bytes = fs::read(root.join("gap").join(name)).unwrap();
            (blake3::hash(&bytes).to_string(), name.clone())
        })
        .collect()
}

#[test]
fn real_files_end_clean_or_held_back_and_nothing_planted_comes_out() {
    let Some(root) = shared() else { return };
    let temp = tempfile::tempdir().unwrap();
    let input = root.to_str().unwrap();
    let arguments = ["scrub", input, "--out", "out", "--report", "r.json"];
    let (code, peak) = run_watched(&arguments, temp.path());
    assert_eq!(code, 2);
    assert!(peak > 0 && peak < MOST_MEMORY_KIB, "{peak} KiB");
    let report: Value =
        serde_json::from_slice(&fs::read(temp.path().join("r.json")).unwrap()).unwrap();
    let instances = report["instances"].as_array().unwrap();
    let inputs = files(&root).len();
    assert_eq!(instances.len(), inputs, "no file is dropped in silence");
    let count = |status: &str| instances.iter().filter(|i| i["status"] == status).count();
    let (clean, twins, held) = (count("clean"), count("duplicate"), count("held-back"));
    assert_eq!(clean + twins + held + count("skipped"), inputs);
    assert!(instances.iter().all(|instance| instance["reason"] != "internal"));
    let written = files(&temp.path().join("out"));
    assert_eq!(dicom_files(&written), clean);

    let key = key(&root);
    let hunter = Hunter::new(&key.planted, TEXT_MIN_FORM).unwrap();
    let hunted = hunter.hunt_folder(&temp.path().join("out")).unwrap();
    assert!(hunted.is_clean(), "{:?}", hunted.hits);

    let made = made(&root, &key);
    let mut met = BTreeMap::new();
    for instance in instances {
        let digest = instance["input_digest"].as_str().unwrap();
        if let Some(name) = made.get(digest) {
            let status = instance["status"].as_str().unwrap();
            met.insert(name, (status, instance["reason"].as_str().unwrap_or("")));
        }
    }
    assert_eq!(met.len(), made.len());
    for (name, must) in &key.must {
        let (status, reason) = met[name];
        // Accepted by evidence since: file meta information is written anew, UIDs are replaced.
        let by_evidence = crate::received::BY_EVIDENCE.contains(&name.as_str());
        if by_evidence {
            continue;
        }
        if must.starts_with("scrub") {
            eprintln!("{name}: {status} {reason}");
        } else {
            assert_eq!(status, "held-back", "{name} must be: {must}");
        }
    }
    eprintln!("{inputs} files: {clean} clean, {twins} duplicates, {held} held back, {peak} KiB");
}
