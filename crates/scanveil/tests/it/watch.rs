//! What operators watch: health, the figures of the page, metrics, through the running service.

use crate::full::hold_the_pipeline;
use crate::kit::{HOSPITAL, Installation, Wish};
use crate::running::{LONG, workspace};
use scanveil_synth::{SynthInstance, ct_slices};
use scanveil_testkit::wait_until;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

fn slices(seed: u64, count: usize) -> Vec<SynthInstance> {
    ct_slices(seed, count, 64).map(Result::unwrap).collect()
}

/// Waits until something is true of the status; gives the status.
fn status_when(installation: &Installation, is: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let seen = wait_until(LONG, || {
        last = installation.status().unwrap_or_default();
        is(&last)
    });
    assert!(seen, "{last:#}\n{}", installation.last_words());
    last
}

fn ready(installation: &Installation) -> (u16, Value) {
    let (status, text) = installation.get("/health/ready").unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

/// The value of a metric that has no labels, or of its series for the hospital.
fn metric(installation: &Installation, name: &str) -> Option<f64> {
    let (_, text) = installation.get("/metrics").unwrap();
    let own = format!("{name}{{hospital=\"{HOSPITAL}\"}} ");
    let line = text.lines().find_map(|line| {
        line.strip_prefix(&own).or_else(|| line.strip_prefix(name)?.strip_prefix(' '))
    });
    line.and_then(|value| value.parse().ok())
}

#[test]
fn the_figures_are_what_is_there() {
    let installation = Installation::started(Wish::default());
    let all = slices(71, 12);
    installation.push_all(&all[..11]);
    installation.settle();
    // A late instance makes a second generation, and all of them come once more.
    installation.push_all(&all[11..]);
    installation.settle();
    installation.push_all(&all);
    installation.settle();
    let status = status_when(&installation, |status| status["hospitals"][0]["received"] == 24);
    let mercy = &status["hospitals"][0];
    assert_eq!(mercy["stored"]["instances"], 12, "{mercy:#}");
    assert_eq!((&mercy["held_back"], &mercy["waiting"]), (&json!(0), &json!(0)), "{mercy:#}");
    let objects = installation.catalog().current_objects(&crate::kit::research()).unwrap();
    let bytes: u64 = objects.iter().map(|object| object.bytes).sum();
    assert_eq!(mercy["stored"]["bytes"], bytes, "{mercy:#}");
    assert!(mercy["last_arrival_at_ms"].as_i64() > status["started_at_ms"].as_i64());
    assert!(status["pipeline"]["last_success_at_ms"].is_i64(), "{status:#}");
    assert_eq!(status["problems"], json!([]));
    let (_, page) = installation.get("/").unwrap();
    let shares: Vec<u64> = page
        .split("\u{a0}%")
        .filter_map(|text| text.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
        .collect();
    assert!(shares.len() > 1 && shares.iter().all(|share| *share <= 100), "{shares:?}");
    assert_eq!(metric(&installation, "scanveil_hospital_stored_instances"), Some(12.0));
}

#[test]
fn ready_is_lost_with_a_full_spool_and_with_nothing_else() {
    let spool = "max_bytes = 400_000".to_owned();
    let installation = Installation::started(Wish { spool, ..Wish::default() });
    assert_eq!(ready(&installation), (200, json!({"ready":true,"degraded":false,"problems":[]})));
    let held = hold_the_pipeline(&installation);
    let mut taken = 0;
    installation.push(&slices(72, 60), |_| taken += 1);
    assert!(taken > 3);
    let mercy = &status_when(&installation, |status| status["hospitals"][0]["waiting"] == taken)["hospitals"]
        [0];
    assert_eq!((&mercy["received"], &mercy["stored"]["instances"]), (&json!(taken), &json!(0)));
    assert!(mercy["oldest_waiting_ms"].is_u64(), "{mercy:#}");
    let status = status_when(&installation, |status| status["ready"] == false);
    assert_eq!(status["problems"][0]["code"], "SV-VAULT-001", "{status:#}");
    let (code, health) = ready(&installation);
    assert_eq!((code, &health["ready"], &health["degraded"]), (503, &json!(false), &json!(false)));
    let output = installation.run(&["health", "--config", "scanveil.toml"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    drop(held);
    status_when(&installation, |status| status["ready"] == true);

    // The store is away: a file lies where its folder was.
    let (objects, aside) = (installation.path("data/objects"), installation.path("data/aside"));
    fs::rename(&objects, &aside).unwrap();
    fs::write(&objects, b"").unwrap();
    installation.push_all(&slices(73, 3));
    let status = status_when(&installation, |status| status["store"]["reachable"] == false);
    assert_eq!(status["ready"], true, "{status:#}");
    let (code, health) = ready(&installation);
    assert_eq!((code, &health["degraded"]), (200, &json!(true)), "{health}");
    assert!(health["problems"][0].as_str().unwrap().starts_with("SV-STORAGE-"), "{health}");
    assert!(status["problems"].as_array().unwrap().iter().all(|p| p["next_step"] != ""));
    assert_eq!(metric(&installation, "scanveil_store_reachable"), Some(0.0));
    assert!(metric(&installation, "scanveil_store_errors_total") > Some(0.0));
    let output = installation.run(&["health", "--config", "scanveil.toml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("SV-STORAGE-"), "{output:?}");
    fs::remove_file(&objects).unwrap();
    fs::rename(&aside, &objects).unwrap();
    installation.settle();
    status_when(&installation, |status| status["problems"] == json!([]));
}

#[test]
fn every_metric_that_the_guide_names_is_there() {
    let guide = fs::read_to_string(workspace().join("docs/operator-guide.md")).unwrap();
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let named: BTreeSet<&str> = guide
        .match_indices("scanveil_")
        .map(|(at, _)| guide[at..].split(|c| !is_name(c)).next().unwrap())
        .collect();
    assert!(named.len() > 20, "{named:?}");
    let installation = Installation::started(Wish::default());
    let (_, metrics) = installation.get("/metrics").unwrap();
    let shown: BTreeSet<&str> = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let missing: Vec<_> = named.difference(&shown).collect();
    assert!(missing.is_empty(), "{missing:?} of {shown:?}");
}
