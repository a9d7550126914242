//! What was acknowledged and is damaged on the disk: kept, said, and there until somebody decides.

use crate::kit::{HOSPITAL, Installation, Wish};
use scanveil_synth::ct_slices;
use serde_json::Value;
use std::fs;

fn listed(installation: &Installation) -> (Option<i32>, Vec<Value>) {
    let output = installation.run(&["spool", "list", "--json"]);
    let found = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), found)
}

#[test]
fn one_changed_bit_of_the_last_record_is_kept_aside_and_told() {
    let wish = Wish { quiet_ms: 3_600_000, ..Wish::default() };
    let mut installation = Installation::started(wish);
    let slices: Vec<_> = ct_slices(3, 1, 32).map(Result::unwrap).collect();
    installation.push_all(&slices);
    installation.stop();
    assert_eq!(listed(&installation), (Some(0), vec![]));

    let folder = fs::read_dir(installation.path("data/spool/segments")).unwrap();
    let segment = folder
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "seg"));
    let segment = segment.unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[4096 + 1000] ^= 1;
    fs::write(&segment, bytes).unwrap();

    // It is still known after a second start.
    for _ in 0..2 {
        installation.start();
        let status = installation.status().unwrap();
        let problems = status["problems"].as_array().unwrap();
        assert!(problems.iter().any(|one| one["code"] == "SV-VAULT-012"), "{problems:?}");
        assert_eq!((&status["spool"]["set_aside"], &status["ready"]), (&1.into(), &true.into()));
        installation.stop();
    }
    assert!(installation.log().contains("SV-VAULT-012"));
    let (code, found) = listed(&installation);
    assert_eq!((code, found.len()), (Some(2), 1));
    assert_eq!(
        (&found[0]["finding"], &found[0]["hospital"]),
        (&"damaged".into(), &HOSPITAL.into())
    );

    let id = found[0]["id"].as_str().unwrap().to_owned();
    assert!(installation.run(&["spool", "discard", &id]).status.success());
    assert_eq!(listed(&installation), (Some(0), vec![]));
    assert_eq!(installation.run(&["spool", "discard", &id]).status.code(), Some(1));
    let log = installation.json(&["audit", "list"]);
    let steps = log.as_array().unwrap().iter().filter(|one| one["action"] == "spool-discard");
    let outcomes: Vec<_> = steps.map(|one| one["outcome"].clone()).collect();
    assert_eq!(outcomes, ["begun", "done", "refused"]);
}
