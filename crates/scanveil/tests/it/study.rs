//! What those hear who ask after a study that they sent.

use crate::kit::{Installation, Wish};
use scanveil_dataset::{Limits, open_slice, tags};
use scanveil_synth::{SynthInstance, ct_slices};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// Study Instance UID, accession number, and Patient ID.
fn names(one: &SynthInstance) -> [String; 3] {
    let (header, _) = open_slice(&one.file, &Limits::default()).unwrap();
    [tags::STUDY_INSTANCE_UID, tags::ACCESSION_NUMBER, tags::PATIENT_ID].map(|tag| {
        let value = header.data.text(tag).unwrap();
        String::from_utf8(value.to_vec()).unwrap().trim_matches([' ', '\0']).to_owned()
    })
}

/// The same slice, declared to have text in its pixels.
fn burned_in(mut one: SynthInstance) -> SynthInstance {
    let at = one.file.windows(6).position(|six| six == b"\x28\0\x01\x03CS").unwrap();
    one.file[at + 8..at + 10].copy_from_slice(b"YE");
    one
}

#[test]
fn a_study_is_found_by_what_its_sender_knows() {
    let mut slices: Vec<SynthInstance> = ct_slices(61, 3, 32).map(Result::unwrap).collect();
    let last = burned_in(slices.pop().unwrap());
    slices.push(last);
    let other: Vec<SynthInstance> = ct_slices(62, 1, 32).map(Result::unwrap).collect();
    let installation = Installation::started(Wish::default());
    installation.push_all(&slices);
    installation.push_all(&other);
    installation.settle();
    let files: Vec<&[u8]> = slices[..1].iter().map(|one| one.file.as_slice()).collect();
    assert_eq!(installation.stow(&files), 200);
    installation.settle();
    let manifest = installation.release("out");

    let [uid, accession, patient] = names(&slices[0]);
    let found = installation.json(&["study", "status", &uid]);
    let [study] = &found.as_array().unwrap()[..] else { panic!("{found}") };
    let count = |sender: Value| {
        let all = study["received"].as_array().unwrap();
        all.iter().find(|one| one["sender"] == sender).map(|one| one["instances"].clone())
    };
    // The configuration names no calling AE title.
    assert_eq!((count(Value::Null), count("stow".into())), (Some(json!(3)), Some(json!(1))));
    assert_eq!(
        (&study["originals"]["instances"], &study["held_instances"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(study["held"], json!([{ "code": "burned-in-text", "instances": 1 }]));
    let made = &study["generations"][0];
    assert_eq!((&made["project"], &made["instances"]), (&json!("research"), &json!(2)));
    let released = &study["releases"][0];
    assert_eq!((&released["release"], &released["instances"]), (&manifest["release"], &json!(2)));

    assert_eq!(installation.json(&["study", "status", "--accession", &accession]), found);
    let by_sender = installation.json(&["study", "status", "--sender", "TESTPACS"]);
    assert_eq!(by_sender.as_array().unwrap().len(), 2);
    assert_eq!(by_sender[0]["received"][0]["sender"], "TESTPACS");
    let upload = installation.json(&["study", "status", "--sender", "stow"]);
    assert_eq!((upload.as_array().unwrap().len(), &upload[0]["study"]), (1, &study["study"]));
    let early = ["study", "status", "--sender", "stow", "--until", "2020-01-01T00:00:00Z"];
    assert_eq!(installation.run(&early).status.code(), Some(1));

    // Neither what was asked nor what it has become is told.
    let text = installation.run(&["study", "status", &uid]);
    let text = String::from_utf8(text.stdout).unwrap() + &found.to_string();
    let new = manifest["instances"][0]["study_instance_uid"].as_str().unwrap();
    let pseudonym = manifest["instances"][0]["patient_id"].as_str().unwrap();
    for secret in [uid.as_str(), &accession, &patient, new, pseudonym] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn an_accession_number_stays_out_of_the_history() {
    let slices: Vec<SynthInstance> = ct_slices(63, 1, 32).map(Result::unwrap).collect();
    let installation = Installation::started(Wish::default());
    installation.push_all(&slices);
    installation.settle();
    let [_, accession, _] = names(&slices[0]);
    let ask = |typed: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scanveil"));
        command.args(["study", "status", "--json", "--accession", "-", "--config"]);
        command.arg(installation.file()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, typed.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        (output.status.code(), output.stdout)
    };
    let (code, found) = ask(&format!("{accession}\n"));
    let found: Value = serde_json::from_slice(&found).unwrap();
    assert_eq!((code, found.as_array().unwrap().len()), (Some(0), 1));
    assert_eq!((ask("\n").0, ask("NOBODY77\n").0), (Some(1), Some(1)));
}
