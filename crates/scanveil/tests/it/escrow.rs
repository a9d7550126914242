//! A changed secret, the way back from a pseudonym, and the log of all of it.

use crate::kit::{HOSPITAL, Installation, Wish, files_below};
use scanveil_synth::{
    Corpus, CorpusSpec, Hunter, Planted, PlantedKind, SynthInstance, TEXT_MIN_FORM,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// What nobody may read in a log or in a file of requests.
const REASON: &str = "incidental finding, Zimtbaum ward";

fn corpus() -> Vec<SynthInstance> {
    let spec = CorpusSpec { ct_slices: 2, shrink: 8, ..CorpusSpec::tiny() };
    let all = Corpus::generate(57, spec).map(Result::unwrap);
    all.filter(|one| one.hospital == 0).collect()
}

/// The patients of a release: pseudonyms, by the profile's label that they were made with.
fn patients(manifest: &Value) -> BTreeSet<(String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let instances = manifest["instances"].as_array().unwrap().iter();
    instances.map(|one| (text(one, "patient_id"), text(one, "profile"))).collect()
}

/// A patient who was there before: one instance came late, so that whoever has two had one.
fn somebody_of_before(manifest: &Value) -> String {
    let instances = manifest["instances"].as_array().unwrap().iter();
    let mut all: Vec<&str> = instances.map(|one| one["patient_id"].as_str().unwrap()).collect();
    all.sort_unstable();
    let pair = all.windows(2).find(|pair| pair[0] == pair[1]);
    pair.expect("a patient with two instances")[0].to_owned()
}

/// Runs a command that has to be refused with this code; gives what it printed.
fn refused(installation: &Installation, arguments: &[&str], code: &str) {
    let output = installation.run(&[arguments, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(code), "{arguments:?}: {said}");
    assert!(!said.contains("Zimtbaum"));
}

/// Registers a person; gives the file of the token.
fn register(installation: &Installation, name: &str) -> String {
    let added = installation.json(&["subject", "approver", "add", name]);
    let file = installation.path(&format!("{name}.token"));
    fs::write(&file, added["token"].as_str().unwrap()).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Asks for a patient as anna.
fn ask(installation: &Installation, whom: [&str; 2]) -> String {
    let mut arguments = vec!["subject", "request", "--project", "research", "--as", "anna"];
    arguments.extend(["--reason", REASON]);
    arguments.extend(whom);
    installation.json(&arguments)["request"].as_str().unwrap().to_owned()
}

fn log_path(installation: &Installation) -> PathBuf {
    installation.path("data/govern/audit.jsonl")
}

/// What the log says: action, outcome and code of each event.
fn told(installation: &Installation) -> Vec<String> {
    let events = installation.json(&["audit", "list"]);
    let word = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let line = |event: &Value| {
        let words = ["who", "action", "outcome", "code"].map(|key| word(event, key));
        words.join(" ").trim_end().to_owned()
    };
    events.as_array().unwrap().iter().map(line).collect()
}

/// Changes the secret, and moves everything to the new one. Gives the releases before and after.
fn changed(installation: &Installation, late: &[SynthInstance]) -> (Value, Value) {
    let plan = ["batch", "plan", "--hospital", HOSPITAL];
    assert_eq!(installation.json(&plan)["changes"], serde_json::json!([]));
    let before = installation.release("before");
    let keys = |key: &str| installation.json(&["keys", "list"])[0][key].clone();
    assert_eq!(keys("secret_version"), 1);
    refused(
        installation,
        &["keys", "rotate", "--hospital", "grace", "--reason", "yearly change"],
        "SV-PIPELINE-004",
    );
    let rotate = ["keys", "rotate", "--hospital", HOSPITAL, "--reason", REASON];
    assert_eq!(installation.json(&rotate)["secret_version"], 2);
    assert_eq!(keys("secret_version"), 2);
    assert_eq!(keys("secrets")[1]["reason"], REASON);

    let studies = installation.json(&plan)["changes"].as_array().unwrap().len();
    assert!(studies > 2);
    let run = installation.json(&["batch", "run", "--hospital", HOSPITAL]);
    assert_eq!((&run["studies"], &run["failed"]), (&studies.into(), &serde_json::json!({})));
    assert_eq!(installation.json(&plan)["changes"], serde_json::json!([]));
    // The service, which was running all the time, has taken the new secret up.
    installation.push_all(late);
    installation.settle();
    assert_eq!(installation.json(&plan)["changes"], serde_json::json!([]));
    let after = installation.release("after");
    let (old, new) = (patients(&before), patients(&after));
    assert!(!old.is_empty() && old.iter().all(|(_, profile)| !profile.contains(".s")));
    assert!(new.iter().all(|(_, profile)| profile.ends_with(".s2")), "{new:?}");
    assert!(old.iter().all(|(old, _)| new.iter().all(|(new, _)| old != new)));
    (before, after)
}

/// Everything that must not be done, and then what may.
fn approved_and_revealed(installation: &Installation, pseudonym: &str) -> String {
    let [anna, ben, cleo] = ["anna", "ben", "cleo"].map(|name| register(installation, name));
    let request = ["subject", "request", "--project", "research", "--pseudonym", pseudonym];
    let unknown = [&request[..], &["--as", "dora", "--reason", REASON]].concat();
    refused(installation, &unknown, "SV-GOVERN-011");
    let id = &ask(installation, ["--pseudonym", pseudonym]);
    let reveal = |name: &'static str, token: &str, code: &str| {
        let arguments = ["subject", "reveal", id, "--as", name, "--token-file", token];
        refused(installation, &[&arguments[..], &["--out", "mapping.csv"]].concat(), code);
        assert!(!installation.path("mapping.csv").exists());
    };
    let approve = |name: &'static str, token: &str, code: &str| {
        let arguments = ["subject", "approve", id, "--as", name, "--token-file", token];
        refused(installation, &arguments, code);
    };
    let nobody = ["subject", "approve", "0011223344556677", "--as", "ben", "--token-file", &ben];
    refused(installation, &nobody, "SV-GOVERN-015");
    reveal("anna", &anna, "SV-GOVERN-022");
    approve("anna", &anna, "SV-GOVERN-019");
    approve("ben", &cleo, "SV-GOVERN-014");
    refused(installation, &["subject", "approve", id, "--as", "ben"], "SV-GOVERN-009");
    fs::set_permissions(&ben, Permissions::from_mode(0o640)).unwrap();
    approve("ben", &ben, "SV-GOVERN-010");
    fs::set_permissions(&ben, Permissions::from_mode(0o600)).unwrap();
    installation.json(&["subject", "approve", id, "--as", "ben", "--token-file", &ben]);
    approve("ben", &ben, "SV-GOVERN-020");
    reveal("anna", &anna, "SV-GOVERN-022");
    installation.json(&["subject", "approve", id, "--as", "cleo", "--token-file", &cleo]);
    reveal("ben", &ben, "SV-GOVERN-021");
    reveal("anna", &ben, "SV-GOVERN-014");
    let listed = installation.json(&["subject", "list"]);
    assert_eq!((&listed[0]["state"], &listed[0]["reason"]), (&"approved".into(), &REASON.into()));
    let text = revealed(installation, id, "mapping.csv");
    reveal_again(installation, id, &anna);
    text
}

fn revealed(installation: &Installation, id: &str, out: &str) -> String {
    let anna = installation.path("anna.token");
    let anna = anna.to_str().unwrap();
    let reveal = ["subject", "reveal", id, "--as", "anna", "--token-file", anna, "--out", out];
    assert_eq!(installation.json(&reveal)["patients"], 1);
    let file = installation.path(out);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::read_to_string(file).unwrap()
}

fn reveal_again(installation: &Installation, id: &str, anna: &str) {
    let arguments = ["subject", "reveal", id, "--as", "anna", "--token-file", anna];
    refused(installation, &[&arguments[..], &["--out", "more.csv"]].concat(), "SV-GOVERN-018");
    assert_eq!(installation.json(&["subject", "list"])[0]["state"], "revealed");
}

/// Fields of the one row below the heading.
fn row(text: &str) -> Vec<String> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("pseudonym,patient_id,issuer,hospital,project,secret_version"));
    let fields = lines.next().unwrap().split(',').map(ToOwned::to_owned).collect();
    assert_eq!(lines.next(), None);
    fields
}

#[test]
fn secrets_change_and_pseudonyms_are_followed_back_by_three_people_only() {
    let mut instances = corpus();
    let late = instances.pop().unwrap();
    let installation = Installation::started(Wish::default());
    installation.push_all(&instances);
    installation.settle();
    let (before, after) = changed(&installation, std::slice::from_ref(&late));
    instances.push(late);

    let pseudonym = somebody_of_before(&after);
    let found = row(&approved_and_revealed(&installation, &pseudonym));
    assert_eq!(
        (&found[0], &*found[3], &*found[4], &*found[5]),
        (&pseudonym, HOSPITAL, "research", "2")
    );
    let planted: Vec<&Planted> = instances.iter().flat_map(|one| &one.planted).collect();
    let ids = planted.iter().filter(|one| one.kind == PlantedKind::PatientId);
    assert!(ids.map(|one| &one.value).any(|id| *id == found[1]), "it is a patient who was sent");

    // A release of before the change still leads back to the same patients.
    let old = before["instances"].as_array().unwrap().iter();
    let old: BTreeSet<&str> = old.map(|one| one["sop_instance_uid"].as_str().unwrap()).collect();
    let mut same = 0;
    for (number, uid) in old.iter().enumerate() {
        let id = ask(&installation, ["--uid", uid]);
        for name in ["ben", "cleo"] {
            let token = installation.path(&format!("{name}.token"));
            let token = token.to_str().unwrap();
            installation.json(&["subject", "approve", &id, "--as", name, "--token-file", token]);
        }
        let then = row(&revealed(&installation, &id, &format!("old-{number}.csv")));
        assert_eq!(then[5], "1");
        assert_ne!(then[0], pseudonym);
        same += usize::from(then[1] == found[1] && then[2] == found[2]);
        if same > 0 {
            break;
        }
    }
    assert_eq!(same, 1, "one of the instances of before is the same patient's");

    what_is_kept_says_nothing(&installation, &planted, &pseudonym);
    the_log_says_all_and_cannot_be_changed(&installation);
}

/// Neither the log nor the folder of requests nor the keyring names anybody.
fn what_is_kept_says_nothing(installation: &Installation, planted: &[&Planted], pseudonym: &str) {
    let hunter = Hunter::new(planted.iter().copied(), TEXT_MIN_FORM).unwrap();
    let mut files = files_below(&installation.path("data/govern"));
    files.extend(files_below(&installation.path("data/keys/hospitals")));
    assert!(files.len() > 4);
    for (path, bytes) in files {
        let found = hunter.hunt_bytes(&bytes).unwrap();
        assert!(found.is_clean(), "{}: {:?}", path.display(), found.hits.first());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("Zimtbaum") && !text.contains(pseudonym), "{}", path.display());
        assert!(!text.contains("svg_"), "no token is kept");
    }
    let log = installation.log();
    assert!(!log.contains("Zimtbaum") && hunter.hunt_bytes(log.as_bytes()).unwrap().is_clean());
}

fn the_log_says_all_and_cannot_be_changed(installation: &Installation) {
    let told = told(installation);
    let user = told[0].split(' ').next().unwrap();
    let expected = [
        &format!("{user} keys-rotate refused SV-PIPELINE-004"),
        &format!("{user} keys-rotate begun"),
        &format!("{user} keys-rotate done"),
        &format!("{user} approver-add done"),
        &format!("{user} approver-add done"),
        &format!("{user} approver-add done"),
        "dora subject-request refused SV-GOVERN-011",
        "anna subject-request done",
        "ben subject-approve refused SV-GOVERN-015",
        "anna subject-reveal refused SV-GOVERN-022",
        "anna subject-approve refused SV-GOVERN-019",
        "ben subject-approve refused SV-GOVERN-014",
        "ben subject-approve refused SV-GOVERN-009",
        "ben subject-approve refused SV-GOVERN-010",
        "ben subject-approve done",
        "ben subject-approve refused SV-GOVERN-020",
        "anna subject-reveal refused SV-GOVERN-022",
        "cleo subject-approve done",
        "ben subject-reveal refused SV-GOVERN-021",
        "anna subject-reveal refused SV-GOVERN-014",
        "anna subject-reveal begun",
        "anna subject-reveal done",
        "anna subject-reveal refused SV-GOVERN-018",
        "anna subject-request done",
        "ben subject-approve done",
        "cleo subject-approve done",
        "anna subject-reveal begun",
        "anna subject-reveal done",
    ];
    assert!(user.starts_with("uid:"));
    assert_eq!(told[..expected.len()], expected);
    let verified = installation.json(&["audit", "verify"]);
    assert_eq!((&verified["entries"], &verified["broken"]), (&told.len().into(), &Value::Null));
    let head = verified["head"].as_str().unwrap();
    assert_eq!(installation.json(&["audit", "verify", "--through", head])["passes"], true);

    // Cut off at its end, with the hash written down; changed; and a broken end takes nothing more.
    let path = log_path(installation);
    let good = fs::read_to_string(&path).unwrap();
    let shorter: String = good.split_inclusive('\n').take(told.len() - 1).collect();
    fs::write(&path, &shorter).unwrap();
    assert!(installation.run(&["audit", "verify"]).status.success());
    let cut = installation.run(&["audit", "verify", "--through", head]);
    assert_eq!(cut.status.code(), Some(2));
    fs::write(&path, good.replacen("refused", "done", 1)).unwrap();
    let changed = installation.run(&["audit", "verify", "--json"]);
    assert_eq!(changed.status.code(), Some(2));
    let found: Value = serde_json::from_slice(&changed.stdout).unwrap();
    assert_eq!(found["broken"]["line"], 1);
    fs::write(&path, format!("{good}rubbish\n")).unwrap();
    let add = ["subject", "approver", "add", "dora"];
    refused(installation, &add, "SV-GOVERN-002");
    let people = installation.json(&["subject", "approver", "list"]);
    assert_eq!(people.as_array().unwrap().len(), 3, "what cannot be recorded is not done");
    // An append that was cut short is told, and noted by the next.
    fs::write(&path, &good[..good.len() - 9]).unwrap();
    assert_eq!(installation.run(&["audit", "verify"]).status.code(), Some(2));
    installation.json(&["subject", "approver", "remove", "cleo"]);
    let verified = installation.json(&["audit", "verify"]);
    assert_eq!((&verified["interrupted"], &verified["torn_bytes"]), (&1.into(), &0.into()));
}
