//! The demonstration, as somebody who has just built the program runs it.

use crate::running::{LONG, http};
use scanveil_testkit::{ChildGuard, wait_until};
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn demo(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scanveil"));
    command.args(["demo", "--json", "--dir"]).arg(dir).args(arguments);
    command.env_remove("SCANVEIL_LOG").stdin(Stdio::null());
    command
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn sum(rows: &Value, column: &str) -> u64 {
    rows.as_array().unwrap().iter().map(|row| row[column].as_u64().unwrap()).sum()
}

fn files_below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

#[test]
fn the_demonstration_holds_and_its_numbers_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let output = demo(&dir, &["--exit", "--slices", "3"]).output().unwrap();
    let report = document(&output);
    assert_eq!(report["failures"], serde_json::json!([]), "{report:#}");
    assert!(output.status.success() && report["held"] == true);

    let (hospitals, account) = (&report["hospitals"], &report["account"]);
    let [received, duplicates, scrubbed, quarantined, originals] =
        ["received", "duplicates", "scrubbed", "quarantined", "originals"]
            .map(|column| sum(hospitals, column));
    assert_eq!(received, duplicates + scrubbed + quarantined);
    assert_eq!((duplicates, sum(&account["hospitals"], "sent")), (6, received - 6));
    assert_eq!(quarantined, sum(&account["quarantine"], "instances"));
    // The hospital that pushes by C-STORE keeps its originals, the other one does not.
    assert_eq!(originals, account["hospitals"][0]["sent"].as_u64().unwrap());
    assert_eq!(hospitals[1]["originals"], 0);
    assert!(quarantined >= 8, "a loop, a label, a letter and more: {account:#}");

    // The log says how long the pipeline worked for each.
    let seconds = |row: &Value| row["seconds"].as_f64().unwrap();
    assert!(hospitals.as_array().unwrap().iter().all(|row| seconds(row) > 0.0), "{report:#}");

    let release = &report["release"];
    assert_eq!(release["instances"], scrubbed);
    // Beside the instances every study has its certificate, one more for each part that came later.
    let certificates = files_below(&dir.join("release/data")) as u64 - scrubbed;
    assert!(certificates >= release["studies"].as_u64().unwrap(), "{report:#}");
    assert_eq!(release["files_verified"].as_u64().unwrap(), scrubbed + certificates + 7);

    let control = &report["search"]["control"];
    let places = report["search"]["places"].as_array().unwrap();
    let names: Vec<&str> = places.iter().map(|place| place["place"].as_str().unwrap()).collect();
    let wanted = ["release", "object store", "catalogue", "log", "spool", "keys"];
    assert!(wanted.iter().all(|name| names.contains(name)), "{names:?}");
    assert_eq!(places.iter().map(|place| place["hits"].as_u64().unwrap()).sum::<u64>(), 0);
    let searched: u64 = places[1..].iter().map(|place| place["files"].as_u64().unwrap()).sum();
    assert!(searched >= files_below(&dir.join("release")) as u64 + 40, "{report:#}");
    assert!(report["search"]["planted"].as_u64().unwrap() > 200);
    assert_eq!((&control["files"], &control["blind"]), (&6.into(), &0.into()));

    let again = demo(&dir, &["--exit"]).output().unwrap();
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!(again.status.code(), Some(1));
    assert!(said.contains("SV-CLI-020") && said.contains("not empty"), "{said}");
}

#[test]
fn without_exit_the_service_stays_until_it_is_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let printed = folder.path().join("printed.json");
    let mut command = demo(&folder.path().join("demo"), &["--slices", "1"]);
    let mut child = ChildGuard::spawn(command.stdout(File::create(&printed).unwrap())).unwrap();
    let report = || serde_json::from_slice::<Value>(&fs::read(&printed).unwrap_or_default()).ok();
    assert!(wait_until(LONG, || report().is_some() || !child.is_running()));
    let report = report().expect("a whole document");
    let address: std::net::SocketAddr = report["http"].as_str().unwrap().parse().unwrap();
    let asked = http(address.port(), "GET /health/ready HTTP/1.0", b"");
    assert_eq!(asked.map(|answer| answer.0), Some(200));
    assert!(child.is_running());
    child.terminate();
    assert_eq!(child.wait(LONG).and_then(|status| status.code()), Some(0));
}
