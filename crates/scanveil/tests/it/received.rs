//! Every real file that is at hand, sent to the running service: each ends as a clean instance or
//! in quarantine with a reason, the counts add up, and nothing planted comes out.

use crate::peers::storescu_contexts;
use crate::running::{Hospital, Running, Setup, http, peer, run, workspace};
use scanveil_catalog::Stage;
use scanveil_ingest::{DimseLimits, OutgoingFile, SenderOptions, send_all};
use scanveil_model::{AeTitle, ReasonCode};
use scanveil_synth::{HuntReport, Hunter, Planted, PlantedKind, SEALED_MIN_FORM, TEXT_MIN_FORM};
use scanveil_testkit::peak_rss_kib;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Long enough that a study is not taken for complete while it is sent.
const QUIET_MS: u64 = 4_000;
/// What the service may need at most, whatever a file claims.
const MAX_RSS_KIB: u64 = 256 << 10;
/// Presentation contexts of one association (PS3.8 9.3.2.2).
const MAX_CONTEXTS: usize = 128;
/// How much of a file is read to see what it is.
const PEEK: usize = 256 << 10;
/// Shortest planted value that is looked for in a release: shorter ones, such as an age, are met by
/// chance in pseudonyms.
const RELEASE_MIN_FORM: usize = TEXT_MIN_FORM + 1;
/// What stands beside the instances.
const NOT_INSTANCES: &[&str] = &["LICENSES", "README.md", "manifest.csv", "json"];

/// The answer key of the made files.
#[derive(Deserialize)]
struct Expected {
    file: String,
    planted: Vec<Value>,
    must: String,
}

#[derive(Deserialize)]
struct Value {
    #[serde(rename = "where")]
    place: String,
    value: String,
}

fn real_files() -> Option<PathBuf> {
    let root = workspace().join("../shared/dicom");
    if root.is_dir() {
        return Some(root);
    }
    // Past the harness, which keeps what a passing test prints to itself.
    let _ = writeln!(std::io::stderr(), "skipped: no folder ../shared/dicom with real files");
    None
}

fn expected(root: &Path) -> Vec<Expected> {
    let text = fs::read_to_string(root.join("gap/expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn planted(expected: &[Expected]) -> Vec<Planted> {
    let kind = |value: &Value| match value.value.as_str() {
        text if text.contains('^') => PlantedKind::PersonName,
        text if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) => PlantedKind::Date,
        text if text.starts_with("MRN") => PlantedKind::PatientId,
        text if text.starts_with("ACC") => PlantedKind::Accession,
        text if text.starts_with('+') => PlantedKind::Phone,
        _ if value.place == "header" => PlantedKind::Institution,
        _ => PlantedKind::Text,
    };
    let values = expected.iter().flat_map(|one| &one.planted).map(|value| Planted {
        kind: kind(value),
        value: value.value.clone(),
        encoded: value.value.clone().into_bytes(),
    });
    values.collect::<BTreeSet<_>>().into_iter().collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is = |name: &&str| path.ends_with(name) || path.extension().is_some_and(|e| e == *name);
        match path {
            _ if NOT_INSTANCES.iter().any(is) => {}
            folder if folder.is_dir() => walk(&folder, found),
            file => found.push(file),
        }
    }
}

/// Class and syntax of a file, where its first bytes say them.
fn pair(path: &Path) -> Option<(String, String)> {
    let bytes = fs::read(path).unwrap();
    let peeked = scanveil_dataset::peek_part10(&bytes[..bytes.len().min(PEEK)]).ok()?;
    let text = |uid: scanveil_model::Uid| uid.as_str().to_owned();
    Some((text(peeked.sop_class_uid?), text(peeked.transfer_syntax?)))
}

/// Sends files with storescu; gives those that were taken.
fn storescu(
    service: &Running,
    files: &[&PathBuf],
    pairs: &BTreeSet<(String, String)>,
) -> Vec<PathBuf> {
    let contexts = service.dir().join("storescu.cfg");
    fs::write(&contexts, storescu_contexts(pairs)).unwrap();
    let mut command = Command::new("storescu");
    command.args(["-v", "-nh", "-aec", "MERCY", "-xf"]).arg(contexts).arg("Pairs");
    let said = run(command.args(["127.0.0.1", &service.dimse.to_string()]).args(files)).text;
    let mut taken = Vec::new();
    let mut sending = None;
    for line in said.lines() {
        if let Some((_, path)) = line.split_once("Sending file: ") {
            sending = Some(PathBuf::from(path));
        } else if line.contains("Received Store Response (Success)") {
            taken.extend(sending.take());
        }
    }
    taken
}

/// Sends all files with storescu, as many pairs at a time as an association has contexts, and what
/// it does not get through with our own sender, as it is. What stays in the list cannot be sent.
fn send_by_store(service: &Running, files: &mut Vec<PathBuf>) -> u64 {
    let mut by_pair = BTreeMap::<(String, String), Vec<&PathBuf>>::new();
    for file in files.iter() {
        if let Some(pair) = pair(file) {
            by_pair.entry(pair).or_default().push(file);
        }
    }
    let groups: Vec<_> = by_pair.into_iter().collect();
    let mut taken = BTreeSet::new();
    for group in groups.chunks(MAX_CONTEXTS) {
        let pairs = group.iter().map(|(pair, _)| pair.clone()).collect();
        let files: Vec<&PathBuf> = group.iter().flat_map(|(_, files)| files.clone()).collect();
        taken.extend(storescu(service, &files, &pairs));
    }
    files.retain(|file| !taken.contains(file));
    let by_storescu = taken.len();
    let before = files.len();
    files.retain(|file| send(service, "MERCY", file) == 0);
    eprintln!("C-STORE: {by_storescu} by storescu, {} by scanveil", before - files.len());
    (by_storescu + before - files.len()) as u64
}

/// C-STORE of one file as it is: 1 when it was taken.
fn send(service: &Running, called: &str, file: &Path) -> u64 {
    let options = SenderOptions {
        peer: format!("127.0.0.1:{}", service.dimse),
        calling: AeTitle::parse("SENDER").unwrap(),
        called: AeTitle::parse(called).unwrap(),
        tls: None,
        limits: DimseLimits::default(),
    };
    let file = OutgoingFile::from_path(file);
    file.map_or(0, |file| send_all(&options, &[file], 1).taken as u64)
}

/// STOW-RS of one file: the status.
fn stow(service: &Running, hospital: &Hospital, file: &Path) -> u16 {
    let head = format!(
        "POST /studies HTTP/1.0\r\nAuthorization: Bearer {}\r\nContent-Type: application/dicom\r\n\
         Accept: application/dicom+json",
        hospital.token()
    );
    http(service.http, &head, &fs::read(file).unwrap()).expect("an answer").0
}

/// Stops the service when everything has gone through, and checks what holds of every run.
fn finish(service: &mut Running, received: u64) {
    service.wait_for(received);
    let peak = peak_rss_kib(service.pid()).expect("it runs");
    eprintln!("peak memory: {} MiB", peak >> 10);
    assert!(peak < MAX_RSS_KIB, "{peak} KiB");
    service.stop();
    let log = service.log();
    assert!(!log.contains("panicked"), "{log}");
    assert!(!log.contains("\"level\":\"ERROR\""), "{log}");
    assert!(!service.fate().held.contains_key(&ReasonCode::Internal));
}

fn nothing_found(hunter: &Hunter, report: &HuntReport, place: &str) {
    let shown: Vec<_> = report
        .hits
        .iter()
        .take(20)
        .map(|hit| format!("{} at {}: {:?} {}", hit.path, hit.offset, hit.layer, hunter.value(hit)))
        .collect();
    assert!(report.is_clean(), "{} hits in {place}: {shown:#?}", report.hits.len());
}

/// Searches release and everything that the service has written for the planted values.
fn hunt(service: &Running, release: &Path, values: &[Planted]) {
    let text = Hunter::new(values, RELEASE_MIN_FORM).unwrap();
    let report = text.hunt_folder(release).unwrap();
    assert!(report.files > 0);
    nothing_found(&text, &report, "the release");
    let log = text.hunt_bytes(service.log().as_bytes()).unwrap();
    nothing_found(&text, &log, "the log");
    let sealed = Hunter::new(values, SEALED_MIN_FORM).unwrap();
    let mut report = sealed.hunt_folder(&service.dir().join("data")).unwrap();
    // In a row of the catalogue a transfer syntax stands before a digest: 1.2.840.10008.1.2.1 and
    // 937... read as the first of February.
    report
        .hits
        .retain(|hit| hit.path != "catalog.sqlite" || !sealed.value(hit).starts_with("1.2."));
    nothing_found(&sealed, &report, "store, catalogue, spool and keys");
}

#[test]
fn every_real_file_is_released_clean_or_held_with_a_reason() {
    let Some(root) = real_files() else { return };
    if peer("storescu").is_none() {
        return;
    }
    let mercy = Hospital::open("mercy", "MERCY");
    let hospitals = vec![Hospital::open("mercy", "MERCY")];
    let mut service = Running::start(&Setup { hospitals, quiet_ms: QUIET_MS, tls: false });
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    let total = files.len();
    let by_store = send_by_store(&service, &mut files);
    let mut by_stow = 0;
    let mut refused = BTreeMap::<u16, u64>::new();
    for file in &files {
        match stow(&service, &mercy, file) {
            200 => by_stow += 1,
            status => {
                assert!(pair(file).is_none(), "{}: {status}", file.display());
                *refused.entry(status).or_default() += 1;
            }
        }
    }
    finish(&mut service, by_store + by_stow);
    let counts = service.counts().remove("mercy").unwrap();
    let of = |stage| counts.get(&stage).copied().unwrap_or(0);
    let fate = service.fate();
    eprintln!(
        "{total} files: {by_store} by C-STORE, {by_stow} by STOW-RS, refused {refused:?}; \
         {} duplicates, {} held; {fate:?}",
        of(Stage::Duplicate),
        fate.held_back()
    );
    assert_eq!(by_store + by_stow + refused.values().sum::<u64>(), total as u64);
    assert!(refused.keys().all(|status| *status == 409), "{refused:?}");
    assert!(by_store * 10 > total as u64 * 9, "C-STORE took {by_store} of {total} only");
    assert_eq!(of(Stage::Received), by_store + by_stow);
    // One that was replaced by what its sender sent later waits for nothing, and is kept.
    let out = fate.released + fate.held_back() + service.replaced();
    assert_eq!(of(Stage::Received), out + of(Stage::Duplicate));
    assert!(fate.released * 3 > out, "{} of {out} released only", fate.released);

    let release = service.dir().join("release");
    let out = release.display().to_string();
    service.command(&["release", "create", "--project", "research", "--out", &out]);
    hunt(&service, &release, &planted(&expected(&root)));
}

/// A file of gap/hostile, and the hospital that it alone is sent to, through one receiver.
struct Bad<'e> {
    expected: &'e Expected,
    hospital: Hospital,
    through: Through,
    taken: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Through {
    Stow,
    Store,
}

impl Bad<'_> {
    fn is_stored(&self) -> bool {
        self.through == Through::Store
    }

    /// What became of it, and whether it may.
    fn judge(&self, service: &Running) -> (String, bool) {
        let counts = service.counts().remove(&self.hospital.id).unwrap_or_default();
        let of = |stage| counts.get(&stage).copied().unwrap_or(0);
        let (received, clean) = (of(Stage::Received), of(Stage::Scrubbed));
        let held = of(Stage::Quarantined);
        let must = self.expected.must.split([';', ',']).next().unwrap_or_default();
        let holds = match must {
            "scrub" => clean == 1,
            // C-STORE carries no file meta information that could contradict the data set.
            "quarantine" if self.expected.file.contains("/meta_and_") && self.is_stored() => true,
            "quarantine" => held == 1,
            "refuse" | "refuse or quarantine" => clean == 0,
            other => panic!("the answer key says {other}"),
        };
        let shown = format!(
            "{} through {:?} must {must}: taken {}, released {clean}, held {held} {:?}",
            self.expected.file,
            self.through,
            self.taken,
            service.reasons(&self.hospital.id),
        );
        (shown, holds && received == self.taken && clean + held == received)
    }
}

/// Files of the key that had to be held, and are now read by what they hold.
pub(crate) const BY_EVIDENCE: [&str; 3] = [
    "hostile/uids_are_paths.dcm",
    "hostile/meta_and_data_set_uid_differ.dcm",
    "hostile/explicit_data_declared_implicit.dcm",
];

#[test]
fn hostile_files_are_refused_or_held() {
    let Some(root) = real_files() else { return };
    let expected = expected(&root);
    let hostile = expected.iter().filter(|one| one.file.starts_with("hostile/"));
    // Accepted by evidence since: file meta information is written anew, UIDs are replaced.
    let hostile = hostile.filter(|one| !BY_EVIDENCE.contains(&one.file.as_str()));
    let both = hostile.flat_map(|one| [(one, Through::Stow), (one, Through::Store)]);
    let mut all: Vec<Bad> = (0..)
        .zip(both)
        .map(|(at, (expected, through))| {
            let hospital = Hospital::open(&format!("h{at}"), &format!("BAD{at}"));
            Bad { expected, hospital, through, taken: 0 }
        })
        .collect();
    assert!(all.len() > 20);
    let copy = |bad: &Bad| Hospital::open(&bad.hospital.id, &bad.hospital.called);
    let hospitals = all.iter().map(copy).collect();
    let mut service = Running::start(&Setup { hospitals, quiet_ms: 500, tls: false });
    for bad in &mut all {
        let file = root.join("gap").join(&bad.expected.file);
        bad.taken = match bad.through {
            Through::Stow => u64::from(stow(&service, &bad.hospital, &file) == 200),
            Through::Store => send(&service, &bad.hospital.called, &file),
        };
    }
    finish(&mut service, all.iter().map(|bad| bad.taken).sum());
    let mut breaches = Vec::new();
    for bad in &all {
        let (shown, holds) = bad.judge(&service);
        eprintln!("{shown}");
        if !holds {
            breaches.push(shown);
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
    let values = planted(&expected);
    let text = Hunter::new(&values, RELEASE_MIN_FORM).unwrap();
    nothing_found(&text, &text.hunt_bytes(service.log().as_bytes()).unwrap(), "the log");
}
