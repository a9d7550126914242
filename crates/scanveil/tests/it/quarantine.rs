//! People decide about what is held, beside a running service.

use crate::kit::{Installation, Wish, by_c_store, files_below};
use scanveil_model::Zone;
use scanveil_synth::{SynthInstance, ct_slices};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What nobody may read in a log or in a file below `govern`.
const REASON: &str = "looked at it, Zimtbaum ward";

fn slices(n: usize) -> Vec<SynthInstance> {
    ct_slices(23, n, 32).map(Result::unwrap).collect()
}

/// The same instance with another value of a short element, of the same length.
fn with(one: &SynthInstance, head: &[u8; 6], change: impl Fn(&mut [u8])) -> SynthInstance {
    let mut other = one.clone();
    let at = other.file.windows(6).position(|six| six == head).expect("the element is there");
    let length = usize::from(u16::from_le_bytes([other.file[at + 6], other.file[at + 7]]));
    change(&mut other.file[at + 8..at + 8 + length]);
    other
}

/// The same instance with other pixels.
fn corrected(one: &SynthInstance) -> SynthInstance {
    let mut other = one.clone();
    let last = other.file.len() - 2;
    other.file[last] ^= 1;
    other
}

/// Declared to have text in its pixels.
fn burned_in(one: &SynthInstance) -> SynthInstance {
    with(one, b"\x28\0\x01\x03CS", |value| value.copy_from_slice(b"YE"))
}

/// Of another patient.
fn other_patient(one: &SynthInstance) -> SynthInstance {
    with(one, b"\x10\0\x20\0LO", |value| {
        for byte in value.iter_mut().filter(|byte| byte.is_ascii_digit()) {
            *byte = b'0' + (*byte - b'0' + 5) % 10;
        }
    })
}

/// Registers anna; gives the file of the token.
fn anna(installation: &Installation) -> String {
    let added = installation.json(&["subject", "approver", "add", "anna"]);
    let file = installation.path("anna.token");
    fs::write(&file, added["token"].as_str().unwrap()).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

fn as_anna<'a>(token: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    let who = ["--as", "anna", "--token-file", token, "--reason", REASON];
    [&["quarantine"], arguments, &who].concat()
}

/// What is held, each instance.
fn held(installation: &Installation) -> Vec<Value> {
    let listed = installation.json(&["quarantine", "list", "--each"]);
    listed.as_array().unwrap().clone()
}

/// The identifier of the one instance that is held.
fn only(installation: &Installation) -> String {
    let held = held(installation);
    assert_eq!(held.len(), 1, "{held:?}");
    held[0]["id"].as_str().unwrap()[..16].to_owned()
}

fn decide(installation: &Installation, token: &str, arguments: &[&str]) -> Value {
    installation.json(&as_anna(token, &[&["decide"], arguments].concat()))["result"].clone()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Nothing of what people said in their own words stands anywhere in the clear.
fn assert_sealed(installation: &Installation) {
    for (path, bytes) in files_below(&installation.path("data/govern")) {
        let said = bytes.windows(8).any(|eight| eight == b"Zimtbaum");
        assert!(!said, "{}", path.display());
    }
    assert!(!installation.log().contains("Zimtbaum"));
    installation.json(&["audit", "verify"]);
}

#[test]
fn a_corrected_study_takes_the_place_of_the_first() {
    let installation = Installation::started(Wish::default());
    let token = anna(&installation);
    let files = slices(2);
    let right = corrected(&files[0]);
    installation.push_all(&files);
    installation.settle();
    installation.push_all(std::slice::from_ref(&right));
    installation.settle();
    let groups = installation.json(&["quarantine", "list"]);
    let group = &groups[0];
    assert_eq!((&group["code"], &group["instances"]), (&"uid-conflict".into(), &1.into()));
    assert_eq!(group["sender"], "TESTPACS");
    let id = only(&installation);
    let shown = installation.json(&["quarantine", "show", &id]);
    assert_eq!(shown["decisions"], serde_json::json!(["correct", "keep-first", "discard"]));
    assert!(!shown.to_string().contains(&files[0].sop_instance));

    let export = as_anna(&token, &["export", &id, "--out", "look", "--with-first"]);
    assert!(!installation.run(&export[..export.len() - 2]).status.success());
    installation.json(&export);
    assert_eq!(mode(&installation.path("look")), 0o700);
    for (name, one) in [(format!("{id}.dcm"), &right), (format!("{id}.first.dcm"), &files[0])] {
        let path = installation.path("look").join(name);
        assert_eq!(mode(&path), 0o600);
        let digest = *blake3::hash(&fs::read(&path).unwrap()).as_bytes();
        assert_eq!(digest, by_c_store(one).0);
    }

    let strange = installation.run(&as_anna(&token, &["decide", "release", &id]));
    assert_eq!(strange.status.code(), Some(2), "{strange:?}");
    assert_eq!(decide(&installation, &token, &["correct", &id])["clean"], 1);
    assert!(held(&installation).is_empty());
    let manifest = installation.release("out");
    assert_eq!(manifest["instances"].as_array().unwrap().len(), 2);
    assert_eq!(manifest["left_out"], serde_json::json!([]));
    let holdings = installation.holdings();
    let mut now = vec![by_c_store(&right), by_c_store(&files[1])];
    let mut research = holdings[&Zone::Research].clone();
    now.sort_unstable();
    research.sort_unstable();
    assert_eq!(research, now);
    // Sent once more, both are known.
    installation.push_all(&[right, files[0].clone()]);
    installation.settle();
    assert!(held(&installation).is_empty());
    let events = installation.json(&["audit", "list"]).to_string();
    assert!(events.contains("quarantine-correct") && events.contains("quarantine-export"));
    assert_sealed(&installation);
}

#[test]
fn a_group_is_discarded_by_its_plan_and_a_certificate_stays() {
    let installation = Installation::started(Wish::default());
    let token = anna(&installation);
    let mut files = slices(3);
    files[1] = burned_in(&files[1]);
    files[2] = burned_in(&files[2]);
    installation.push_all(&files);
    installation.settle();
    let which = ["decide", "discard", "--code", "burned-in-text", "--certificate", "gone.json"];
    let dry = [&["quarantine"], which.as_slice(), &["--dry-run"]].concat();
    let plan = installation.json(&dry);
    let plan = plan["plan"].as_str().unwrap();
    let without = installation.run(&as_anna(&token, &which));
    assert!(String::from_utf8_lossy(&without.stderr).contains("SV-CLI-061"), "{without:?}");
    assert_eq!(held(&installation).len(), 2);
    let done = installation.json(&as_anna(&token, &[&which[..], &["--plan", plan]].concat()));
    assert_eq!(done["result"]["discarded"], 2);
    let path = installation.path("gone.json");
    assert_eq!(mode(&path), 0o600);
    let certificate: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let record: Value =
        serde_json::from_str(certificate["records"][0]["record"].as_str().unwrap()).unwrap();
    assert_eq!((&record["by"], &record["reason"]), (&"anna".into(), &REASON.into()));
    let mut gone: Vec<&str> = record["instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["source"].as_str().unwrap())
        .collect();
    gone.sort_unstable();
    let mut wanted = [by_c_store(&files[1]).to_string(), by_c_store(&files[2]).to_string()];
    wanted.sort_unstable();
    assert_eq!(gone, wanted);
    assert!(held(&installation).is_empty());
    let holdings = installation.holdings();
    assert!(!holdings.contains_key(&Zone::Quarantine));
    assert_eq!(holdings[&Zone::Vault], [by_c_store(&files[0])]);
    assert_sealed(&installation);
}

#[test]
fn first_ones_are_kept_identifiers_merged_and_pixels_vouched_for() {
    let installation = Installation::started(Wish::default());
    let token = anna(&installation);
    let mut files = slices(3);
    installation.push_all(&files[..1]);
    installation.settle();
    installation.push_all(&[corrected(&files[0])]);
    installation.settle();
    let id = only(&installation);
    assert_eq!(decide(&installation, &token, &["keep-first", &id])["closed"], 1);

    files[1] = other_patient(&files[1]);
    installation.push_all(&files[1..2]);
    installation.settle();
    let id = only(&installation);
    assert_eq!(decide(&installation, &token, &["merge", &id])["clean"], 1);

    files[2] = burned_in(&files[2]);
    installation.push_all(&files[2..]);
    installation.settle();
    let id = only(&installation);
    assert_eq!(decide(&installation, &token, &["release", &id])["clean"], 1);
    assert!(held(&installation).is_empty());

    let manifest = installation.release("out");
    let instances = manifest["instances"].as_array().unwrap();
    let patients: std::collections::BTreeSet<&str> =
        instances.iter().map(|one| one["patient_id"].as_str().unwrap()).collect();
    assert_eq!((instances.len(), patients.len()), (3, 1));
    let vouched = files_below(&installation.path("out"))
        .values()
        .filter(|bytes| bytes.windows(11).any(|part| part == b"vouched for"))
        .count();
    assert_eq!(vouched, 1);
    // Without its catalogue, the installation still knows what was decided.
    let mut installation = installation;
    installation.stop();
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = fs::remove_file(installation.path("data").join(name));
    }
    installation.json(&["store", "rebuild"]);
    assert!(held(&installation).is_empty());
    assert_eq!(installation.release("again")["instances"].as_array().unwrap().len(), 3);
    assert_sealed(&installation);
}
