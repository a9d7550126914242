//! Another configuration while the service runs: what is added is received at once, what is removed
//! is refused at once, what cannot be used changes nothing, and nothing acknowledged is lost.

use crate::kit::{HOSPITAL, Installation, Wish, by_c_store, data_set, pair};
use crate::running::LONG;
use scanveil_ingest::{Sender, Status, TokenDigest};
use scanveil_model::{Uid, Zone};
use scanveil_synth::{SynthInstance, ct_slices, mr_slices};
use scanveil_testkit::wait_until;
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Output};

const GRACE_TOKEN: &str = "svt_made-up-token-of-grace";

/// A second hospital.
fn grace() -> String {
    format!(
        "[[hospital]]\nid = \"grace\"\ncalled_ae = \"GRACE\"\nallow_plain_dimse = true\n\
         calling = [{{ ae = \"TESTPACS\", network = \"127.0.0.0/8\" }}]\n\
         retention = {{ class = \"care\", years = 30 }}\ntokens = [\"{}\"]\n",
        TokenDigest::of(GRACE_TOKEN)
    )
}

fn write(installation: &Installation, text: &str) {
    fs::write(installation.file(), text).unwrap();
}

fn hang_up(installation: &Installation) {
    let pid = installation.pid().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
}

/// `scanveil config reload`: its exit code and what it printed.
fn reload(installation: &Installation) -> (Option<i32>, Value) {
    let Output { status, stdout, stderr } = installation.run(&["config", "reload", "--json"]);
    let said = if stdout.is_empty() { stderr } else { stdout };
    let said: Value = serde_json::from_slice(&said).unwrap_or_default();
    (status.code(), said.get("error").cloned().unwrap_or(said))
}

fn store(sender: &mut Sender, one: &SynthInstance) -> Option<Status> {
    let (class, syntax) = pair(one);
    let uid = Uid::parse(&one.sop_instance).unwrap();
    sender.store(&class, &uid, &syntax, data_set(one)).ok()
}

fn events(installation: &Installation) -> Vec<(String, Value, String)> {
    let text = fs::read_to_string(installation.path("data/govern/audit.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| {
            let event = &line["event"];
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            let about = [&event["hospital"], &event["project"], &event["code"]];
            let about = about.into_iter().find(|value| value.is_string()).cloned();
            (text("action"), about.unwrap_or_default(), text("outcome"))
        })
        .collect()
}

#[test]
fn hospitals_callers_tokens_and_projects_come_and_go_while_the_service_runs() {
    let installation = Installation::started(Wish::default());
    let before = fs::read_to_string(installation.file()).unwrap();
    let slices: Vec<SynthInstance> = ct_slices(71, 4, 64).map(Result::unwrap).collect();
    let other = mr_slices(71, 1, 256).next().unwrap().unwrap();
    let pairs = [pair(&slices[0])];
    assert!(installation.sender_to("GRACE", &pairs).is_none());
    assert_eq!(installation.stow_as(GRACE_TOKEN, &[&other.file]), 401);

    // Added, with a signal.
    let more = format!("{before}{}[[project]]\nname = \"second\"\n", grace());
    write(&installation, &more);
    hang_up(&installation);
    let mut sender = None;
    assert!(wait_until(LONG, || {
        sender = installation.sender_to("GRACE", &pairs);
        sender.is_some()
    }));
    let mut sender = sender.unwrap();
    assert_eq!(store(&mut sender, &slices[0]), Some(Status::SUCCESS));
    assert_eq!(installation.stow_as(GRACE_TOKEN, &[&other.file]), 200);
    installation.settle();
    let metrics = || installation.get("/metrics").unwrap().1;
    assert!(metrics().contains("scanveil_hospital_stored_instances{hospital=\"grace\"} 2"));

    // A token and a caller removed, with the command: an open association ends as well.
    let text = more
        .replace(&format!("tokens = [\"{}\"]", TokenDigest::of(GRACE_TOKEN)), "tokens = []")
        .replace("ae = \"TESTPACS\"", "ae = \"OTHER\"");
    write(&installation, &text);
    let (code, said) = reload(&installation);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        said["changes"],
        json!([{ "part": "hospital", "name": "grace", "change": "changed", "details": [
            "calling: OTHER from 127.0.0.0/8 added",
            "calling: TESTPACS from 127.0.0.0/8 removed",
            "tokens: 1 removed",
        ] }])
    );
    assert_eq!(installation.stow_as(GRACE_TOKEN, &[&other.file]), 401);
    assert_eq!(store(&mut sender, &slices[1]), None);
    assert!(installation.sender_to("GRACE", &pairs).is_none());

    // All of it removed; the other hospital does not notice.
    write(&installation, &before);
    let (code, said) = reload(&installation);
    assert_eq!((code, said["changes"].as_array().unwrap().len()), (Some(0), 2), "{said}");
    assert!(installation.sender_to("GRACE", &pairs).is_none());
    assert!(wait_until(LONG, || {
        metrics().contains("scanveil_hospital_stored_instances{hospital=\"grace\"} NaN")
    }));
    installation.push_all(&slices);
    installation.settle();
    let (code, said) = reload(&installation);
    assert_eq!((code, &said["changes"]), (Some(0), &json!([])));

    let done = |action: &str, about: &str| (action.to_owned(), json!(about), "done".to_owned());
    assert_eq!(
        events(&installation),
        [
            done("hospital-add", "grace"),
            done("project-add", "second"),
            done("hospital-change", "grace"),
            done("hospital-remove", "grace"),
            done("project-remove", "second"),
        ]
    );
    let log = installation.log();
    assert!(log.contains("configuration changed") && !log.contains(GRACE_TOKEN), "{log}");
    assert!(!log.contains(&TokenDigest::of(GRACE_TOKEN).to_string()[7..]), "{log}");
}

#[test]
fn what_cannot_be_used_changes_nothing_and_what_needs_a_restart_is_named() {
    let installation = Installation::started(Wish::default());
    let before = fs::read_to_string(installation.file()).unwrap();
    let slices: Vec<SynthInstance> = ct_slices(72, 2, 64).map(Result::unwrap).collect();
    let pairs = [pair(&slices[0])];
    let broken = [
        (format!("{before}{}[[hospital", grace()), "SV-PIPELINE-001"),
        (format!("{before}{}", grace().replace("GRACE", "MERCY")), "SV-PIPELINE-002"),
        // Only the service looks for what the file names.
        (format!("{before}{}folder = \"nowhere\"\n", grace()), "SV-CLI-047"),
        (
            format!("{before}{}[[project]]\nname = \"x\"\nprofile = \"none\"\n", grace()),
            "SV-CLI-047",
        ),
    ];
    for (text, wanted) in &broken {
        write(&installation, text);
        let (code, said) = reload(&installation);
        assert_eq!((code, said["code"].as_str()), (Some(1), Some(*wanted)), "{said}");
        assert!(!said["next_step"].as_str().unwrap().is_empty());
        assert!(installation.sender_to("GRACE", &pairs).is_none());
    }
    // The signal refuses as well, and says so in the log.
    write(&installation, &broken[0].0);
    hang_up(&installation);
    assert!(wait_until(LONG, || installation.log().contains("SV-PIPELINE-001")));
    installation.push_all(&slices[..1]);

    // What can be put in force is; the rest is named.
    let raised = before.replace("min_free_bytes = 0", "min_free_bytes = 1");
    write(&installation, &format!("{raised}{}", grace()));
    let (code, said) = reload(&installation);
    assert_eq!((code, &said["needs_restart"]), (Some(2), &json!(["spool.min_free_bytes"])));
    assert_eq!(said["changes"][0]["name"], "grace");
    assert!(installation.sender_to("GRACE", &pairs).is_some());
    installation.push_all(&slices[1..]);
    installation.settle();
    let refused =
        events(&installation).into_iter().filter(|(action, ..)| action == "config-reload");
    let codes: Vec<Value> = refused.map(|(_, code, _)| code).collect();
    assert_eq!(codes, [json!("SV-CLI-047"), json!("SV-CLI-047"), json!("SV-PIPELINE-001")]);
}

#[test]
fn what_waits_of_a_removed_hospital_is_kept_until_it_is_back() {
    let mut installation = Installation::started(Wish { quiet_ms: 3_600_000, ..Wish::default() });
    let before = fs::read_to_string(installation.file()).unwrap();
    let slices: Vec<SynthInstance> = ct_slices(73, 5, 64).map(Result::unwrap).collect();
    installation.push_all(&slices);
    let begin = before.find("[[hospital]]").unwrap();
    let end = before.find("[[project]]").unwrap();
    let without = format!("{}{}{}", &before[..begin], grace(), &before[end..]);
    write(&installation, &without);
    let (code, said) = reload(&installation);
    assert_eq!(
        (code, &said["waiting"]),
        (Some(2), &json!([{ "hospital": HOSPITAL, "instances": 5 }]))
    );

    // Not even a restart with no quiet time touches them.
    installation.stop();
    let quick = |text: &str| text.replace("quiet_ms = 3600000", "quiet_ms = 100");
    write(&installation, &quick(&without));
    installation.start();
    let problem = |status: &Value| {
        let problems = status["problems"].as_array().unwrap();
        problems.iter().any(|problem| problem["code"] == "SV-CLI-072")
    };
    assert!(problem(&installation.status().unwrap()));
    let (_, health) = installation.get("/health/ready").unwrap();
    assert!(health.contains("\"ready\":true,\"degraded\":true"), "{health}");

    write(&installation, &quick(&before));
    let (code, said) = reload(&installation);
    assert_eq!(code, Some(0), "{said}");
    installation.settle();
    assert!(!problem(&installation.status().unwrap()));
    let mut wanted: Vec<_> = slices.iter().map(by_c_store).collect();
    wanted.sort_unstable();
    let mut found = installation.holdings().remove(&Zone::Vault).unwrap();
    found.sort_unstable();
    assert_eq!(found, wanted);
}

#[test]
fn nobody_to_ask_is_said_so() {
    let installation = Installation::new(Wish::default());
    let (code, said) = reload(&installation);
    assert_eq!((code, &said["code"]), (Some(1), &json!("SV-CLI-081")));
}
