//! A corpus is made, scrubbed and scored: what has to go is gone from every file, and a copy that
//! nobody touched is told from a scrubbed one.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Instances of the corpus: some thirty studies.
const COUNT: &str = "200";
const SEED: &str = "4711";

fn run(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scanveil"));
    command.arg("--json").args(arguments).current_dir(folder).env_remove("SCANVEIL_LOG");
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Passed and made checks of one of the figures.
fn tally(score: &Value, figures: &str, aim: &str) -> (u64, u64) {
    let tally = &score[figures][aim];
    (tally["passed"].as_u64().unwrap(), tally["total"].as_u64().unwrap())
}

/// The failures of one aim, for the message of an assertion: places, no values.
fn failures(score: &Value, actions: &[&str]) -> Vec<String> {
    let failures = score["by_element"].as_array().unwrap().iter();
    let asked = failures.filter(|f| actions.contains(&f["action"].as_str().unwrap()));
    asked.map(Value::to_string).collect()
}

const REMOVAL: [&str; 3] = ["text_removed", "date_shifted", "uid_changed"];
const CONSISTENCY: [&str; 2] = ["uid_consistent", "patid_consistent"];

#[test]
fn a_scrubbed_corpus_holds_nothing_that_had_to_go_and_an_untouched_copy_fails() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    let made = run(&["synth", "benchmark", "--out", "c", "--count", COUNT, "--seed", SEED], folder);
    assert_eq!(json(&made)["instances"], 200);
    let checks = json(&made)["checks"].as_u64().unwrap();
    let scrub = ["scrub", "c/files", "--out", "out", "--profile", "research"];
    let scrubbed = run(&[&scrub[..], &["--mapping", "m.csv"]].concat(), folder);
    let clean = json(&scrubbed)["clean"].as_u64().unwrap();
    let evaluate = |output| {
        let key = ["evaluate", output, "--answers", "c/answers.db", "--mapping", "m.csv"];
        let scored = run(&key, folder);
        (scored.status.code(), json(&scored))
    };

    let (code, score) = evaluate("out");
    assert_eq!(score["instances"], 200);
    assert_eq!(score["missing"].as_u64().unwrap() + clean, 200);
    assert_eq!((&score["unexpected"], &score["repeated"]), (&0.into(), &0.into()));
    assert_eq!(tally(&score, "all", "overall").1, checks);
    let (passed, total) = tally(&score, "all", "removal");
    assert!(total > 5_000);
    assert_eq!(passed, total, "{:#?}", failures(&score, &REMOVAL));
    // Of the whole key an instance that is held back is inconsistent, too.
    let (passed, total) = tally(&score, "written", "consistency");
    assert!(total > 1_000);
    assert_eq!(passed, total, "{:#?}", failures(&score, &CONSISTENCY));
    let (passed, total) = tally(&score, "all", "overall");
    assert_eq!(code, Some(if passed == total { 0 } else { 2 }));

    let (code, score) = evaluate("c/files");
    assert_eq!(code, Some(2));
    assert_eq!(score["missing"], 0);
    assert_eq!(tally(&score, "all", "removal").0, 0);
    let (passed, total) = tally(&score, "all", "retention");
    assert_eq!(passed, total, "{:#?}", failures(&score, &["text_retained", "tag_retained"]));

    // The two files of the benchmark are as good as the one of ours.
    let mapping = fs::read_to_string(folder.join("m.csv")).unwrap();
    let of = |kind: &str| -> String {
        let lines = mapping.lines().filter_map(|line| line.strip_prefix(kind));
        std::iter::once("id_old,id_new").chain(lines).flat_map(|line| [line, "\n"]).collect()
    };
    fs::write(folder.join("u.csv"), of("uid,")).unwrap();
    fs::write(folder.join("p.csv"), of("patient,")).unwrap();
    let key = ["evaluate", "out", "--answers", "c/answers.db"];
    let maps = ["--uid-mapping", "u.csv", "--patient-mapping", "p.csv"];
    assert_eq!(json(&run(&[key, maps].concat(), folder)), evaluate("out").1);
}

#[test]
fn what_cannot_be_scored_says_so_and_no_key_is_written_over() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    fs::create_dir(folder.join("out")).unwrap();
    fs::write(folder.join("m.csv"), "kind,id_old,id_new\n").unwrap();
    fs::write(folder.join("plain.csv"), "id_old,id_new\n").unwrap();
    let synth =
        |count| run(&["synth", "benchmark", "--out", "c", "--count", count, "--seed", "1"], folder);
    assert_eq!(synth("0").status.code(), Some(0));
    for (output, answers, mapping, code) in [
        ("out", "none.db", "m.csv", "SV-EVALUATE-001"),
        ("out", "m.csv", "m.csv", "SV-EVALUATE-001"),
        ("out", "c/answers.db", "plain.csv", "SV-EVALUATE-003"),
        ("none", "c/answers.db", "m.csv", "SV-EVALUATE-004"),
        ("out", "c/answers.db", "none.csv", "SV-EVALUATE-004"),
        ("out", "c/answers.db", "m.csv", "SV-EVALUATE-006"),
    ] {
        let output = run(&["evaluate", output, "--answers", answers, "--mapping", mapping], folder);
        assert_eq!(output.status.code(), Some(1), "{code}");
        let said: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(said["error"]["code"], code);
    }
    let again = synth("1");
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("SV-EVALUATE-004"));
}
