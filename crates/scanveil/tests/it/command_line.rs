//! What the command line refuses, where it writes, and how it ends.

use crate::kit::{Installation, Wish};
use scanveil_synth::mr_slices;
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn scanveil(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scanveil"));
    command.args(arguments).current_dir(folder).env_remove("SCANVEIL_LOG").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str], folder: &Path) -> Output {
    scanveil(arguments, folder).output().unwrap()
}

/// The exit code, and the code of the error.
fn ended(output: &Output) -> (i32, String) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    let code = said.find("SV-").and_then(|at| said[at..].split(|c| !is_code(c)).next());
    (output.status.code().unwrap_or(-1), code.unwrap_or_default().to_owned())
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Two instances, `in/0.dcm` and `in/1.dcm`.
fn instances(folder: &Path) {
    fs::create_dir_all(folder.join("in")).unwrap();
    for (number, slice) in mr_slices(5, 2, 64).enumerate() {
        fs::write(folder.join(format!("in/{number}.dcm")), &slice.unwrap().file).unwrap();
    }
}

#[test]
fn exit_codes_tell_wrong_usage_from_what_was_found() {
    let temp = tempfile::tempdir().unwrap();
    instances(temp.path());
    fs::write(temp.path().join("in/notes"), "no DICOM").unwrap();
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["scrub", "--help"], 0),
        (&["--version"], 0),
        (&[], 64),
        (&["scrubb"], 64),
        (&["scrub", "in"], 64),
        (&["scrub", "in", "--out", "out", "--jobs", "many"], 64),
        (&["--no-such", "scrub", "in", "--out", "out"], 64),
        (&["scrub", "none", "--out", "out"], 1),
        (&["scrub", "in", "--out", "out"], 2),
    ] {
        let output = run(arguments, temp.path());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
    let help = run(&["--help"], temp.path());
    assert!(String::from_utf8(help.stdout).unwrap().contains("64   the command line is wrong"));
}

#[test]
fn a_full_or_closed_standard_output_is_an_error_and_no_panic() {
    let temp = tempfile::tempdir().unwrap();
    instances(temp.path());
    for arguments in [
        &["--help"][..],
        &["config", "example"],
        &["completions", "bash"],
        &["--json", "profile", "list"],
        &["scrub", "in", "--out", "out"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (reader, closed) = std::io::pipe().unwrap();
        drop(reader);
        for stdout in [Stdio::from(full), Stdio::from(closed)] {
            let output = scanveil(arguments, temp.path())
                .stdout(stdout)
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
                .wait_with_output()
                .unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!said.contains("panicked"), "{said}");
            assert!(arguments == ["--help"] || said.contains("SV-CLI-040"), "{said}");
        }
    }
    assert!(temp.path().join("out").exists(), "what was asked for is done");
}

#[test]
fn no_output_replaces_what_it_must_not() {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name);
    instances(temp.path());
    fs::write(at("notes"), "keep me").unwrap();
    symlink(at("notes"), at("link")).unwrap();
    let before = fs::read(at("in/0.dcm")).unwrap();
    let scrub = |more: &[&str]| {
        let all = [&["--json", "scrub", "in", "--out", "out"], more].concat();
        ended(&run(&all, temp.path()))
    };
    for (more, code) in [
        (&["--report", "in/0.dcm"][..], "SV-CLI-044"),
        (&["--report", "in/0.dcm", "--force"], "SV-CLI-045"),
        (&["--mapping", "in/0.dcm", "--force"], "SV-CLI-045"),
        (&["--held", "in/../in/0.dcm", "--force"], "SV-CLI-045"),
        (&["--report", "notes"], "SV-CLI-044"),
        (&["--report", "link", "--force"], "SV-CLI-043"),
        (&["--report", "/dev/null"], "SV-CLI-043"),
        (&["--mapping", "/dev/stdout"], "SV-CLI-043"),
        (&["--report", "none/r.json"], "SV-CLI-043"),
        (&["--report", "r", "--held", "./r"], "SV-CLI-045"),
        // The folder is not there yet.
        (&["--mapping", "out/m.csv"], "SV-CLI-043"),
        (&["--secret", "out/s.key"], "SV-CLI-045"),
    ] {
        assert_eq!(scrub(more), (1, code.to_owned()), "{more:?}");
    }
    assert!(!at("out").exists() && !at("scanveil-secret.key").exists(), "nothing was begun");
    assert_eq!(fs::read(at("in/0.dcm")).unwrap(), before);
    assert_eq!(fs::read(at("notes")).unwrap(), b"keep me");
    let files = ["--report", "r.json", "--mapping", "m.csv", "--held", "h.csv"];
    for _ in 0..2 {
        assert_eq!(scrub(&files), (0, String::new()), "its own files are replaced");
    }
    for identifying in ["--mapping", "--held", "--secret"] {
        assert_eq!(scrub(&[identifying, "out/m.csv"]), (1, "SV-CLI-045".to_owned()));
    }
    let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("m.csv"), mode("h.csv")), (0o600, 0o600));
    assert_eq!(scrub(&["--report", "notes", "--force"]), (0, String::new()));
}

#[test]
fn runs_over_nothing_or_into_their_inputs_are_errors() {
    let temp = tempfile::tempdir().unwrap();
    instances(temp.path());
    fs::create_dir_all(temp.path().join("empty/er")).unwrap();
    fs::create_dir(temp.path().join("viewer")).unwrap();
    fs::write(temp.path().join("viewer/README.TXT"), "double-click").unwrap();
    for (arguments, code) in [
        (&["scrub", "in", "--out", "in"][..], "SV-CLI-042"),
        (&["scrub", "in", "--out", "in/out"], "SV-CLI-042"),
        (&["scrub", "in/0.dcm", "--out", "in"], "SV-CLI-042"),
        (&["scrub", ".", "--out", "out"], "SV-CLI-042"),
        (&["scrub", "empty", "--out", "out"], "SV-CLI-041"),
        (&["inspect", "empty"], "SV-CLI-041"),
        (&["scrub", "viewer", "--out", "out"], "SV-CLI-046"),
    ] {
        let output = run(arguments, temp.path());
        assert_eq!(ended(&output), (1, code.to_owned()), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("next: "));
    }
}

#[test]
fn clutter_is_counted_and_what_is_held_back_is_named_to_its_owner_only() {
    let temp = tempfile::tempdir().unwrap();
    instances(temp.path());
    for (name, text) in [("README.txt", "x"), (".DS_Store", "x"), ("Garrowby", "no DICOM")] {
        fs::write(temp.path().join("in").join(name), text).unwrap();
    }
    let whole = fs::read(temp.path().join("in/0.dcm")).unwrap();
    fs::write(temp.path().join("in/half, \"cut\".dcm"), &whole[..400]).unwrap();
    let arguments =
        ["--json", "scrub", "in", "--out", "out", "--held", "h.csv", "--report", "r.json"];
    let output = run(&arguments, temp.path());
    assert_eq!(output.status.code(), Some(2));
    let summary = json(&output);
    assert_eq!(summary["skipped"], 2);
    assert_eq!((&summary["clean"], &summary["held_back"]), (&2.into(), &2.into()));
    let held = fs::read_to_string(temp.path().join("h.csv")).unwrap();
    let lines: Vec<&str> = held.lines().collect();
    assert_eq!(lines.len(), 3, "{held}");
    assert_eq!(lines[0], "input,file,member,reason,at,detail,next_step");
    assert!(lines[1].contains(",in/Garrowby,,not-dicom,,"), "{held}");
    assert!(lines[2].contains(",\"in/half, \"\"cut\"\".dcm\",,truncated,"), "{held}");
    let report = fs::read_to_string(temp.path().join("r.json")).unwrap();
    for said in [report, String::from_utf8(output.stdout).unwrap()] {
        assert!(!said.contains("Garrowby") && !said.contains("half"), "{said}");
    }
    assert!(output.stderr.is_empty());
}

/// A configuration that can be used, with these lines instead of some of its own.
fn configuration(folder: &Path, http: &str, hospital: &str, more: &str) {
    let text = format!(
        "data_dir = \"data\"\n[http]\nlisten = \"{http}\"\n{more}\n[dimse]\n\
         listen = \"127.0.0.1:0\"\n[[hospital]]\nid = \"mercy\"\ncalled_ae = \"MERCY\"\n\
         allow_plain_dimse = true\nretention = {{ class = \"care\", years = 30 }}\n{hospital}\n"
    );
    fs::write(folder.join("scanveil.toml"), text).unwrap();
}

const CALLERS: &str = "calling = [{ network = \"127.0.0.0/8\" }]";

#[test]
fn what_is_in_force_is_checked_and_not_what_the_file_says() {
    let temp = tempfile::tempdir().unwrap();
    configuration(temp.path(), "127.0.0.1:0", CALLERS, "");
    let refused = (1, "SV-PIPELINE-002".to_owned());
    assert_eq!(ended(&run(&["serve", "--http", "0.0.0.0:0"], temp.path())), refused);
    assert_eq!(ended(&run(&["serve", "--http", "[::]:0"], temp.path())), refused);
    let mut by_environment = scanveil(&["serve"], temp.path());
    by_environment.env("SCANVEIL_HTTP__LISTEN", "0.0.0.0:0");
    assert_eq!(ended(&by_environment.output().unwrap()), refused);
    assert!(!temp.path().join("data").exists(), "nothing was begun");
}

#[test]
fn config_check_finds_what_serve_would_die_of() {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(at("cert.pem"), made.cert.pem()).unwrap();
    for (name, mode) in [("key.pem", 0o600), ("open.pem", 0o644)] {
        fs::write(at(name), made.signing_key.serialize_pem()).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(at("other.pem"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    fs::set_permissions(at("other.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(at("file"), "").unwrap();
    let tls = |certificate: &str, key: &str| {
        format!("tls = {{ certificate = \"{certificate}\", key = \"{key}\" }}")
    };
    let folder = |name: &str| format!("{CALLERS}\nfolder = \"{name}\"");
    let cases: &[(String, String, Option<&str>, bool)] = &[
        (CALLERS.into(), String::new(), None, true),
        (CALLERS.into(), tls("cert.pem", "key.pem"), None, true),
        (CALLERS.into(), tls("none.pem", "key.pem"), Some("http.tls"), false),
        (CALLERS.into(), tls("cert.pem", "none.pem"), Some("http.tls.key"), false),
        (CALLERS.into(), tls("cert.pem", "open.pem"), Some("http.tls.key"), false),
        (CALLERS.into(), tls("cert.pem", "other.pem"), Some("http.tls"), false),
        (CALLERS.into(), "operator_token = \"secret\"".into(), Some("http.operator_token"), false),
        (String::new(), String::new(), Some("hospital mercy: calling"), true),
        (folder("none"), String::new(), Some("hospital mercy: folder"), false),
        (folder("file"), String::new(), Some("hospital mercy: folder"), false),
        (
            format!("{CALLERS}\ntokens = [\"x\"]"),
            String::new(),
            Some("hospital mercy: tokens"),
            false,
        ),
        (CALLERS.into(), "[store]\npath = \"file/objects\"".into(), Some("store.path"), false),
        (
            CALLERS.into(),
            "[store]\nregion = \"r\"\nbucket = \"bucket\"\ncredentials_file = \"none\"".into(),
            Some("store.credentials_file"),
            false,
        ),
    ];
    for (hospital, more, setting, starts) in cases {
        configuration(temp.path(), "127.0.0.1:0", hospital, more);
        let output = run(&["--json", "config", "check"], temp.path());
        let found = json(&output);
        let problems = found["problems"].as_array().unwrap();
        let worst = problems.iter().find(|problem| problem["severity"] != "note");
        let about = worst.and_then(|problem| problem["setting"].as_str());
        assert_eq!(about, *setting, "{hospital} {more}: {found}");
        assert_eq!(output.status.code(), Some(if setting.is_some() { 2 } else { 0 }));
        if !starts {
            let (code, error) = ended(&run(&["serve"], temp.path()));
            assert_eq!((code, error.as_str()), (1, "SV-CLI-047"), "{hospital} {more}");
        }
    }
    assert!(!at("data").exists(), "checking makes nothing");
}

#[test]
fn the_example_can_be_used_and_its_hospital_is_shown() {
    let temp = tempfile::tempdir().unwrap();
    let example = include_str!("../../../../docs/example.toml");
    fs::write(temp.path().join("scanveil.toml"), example).unwrap();
    let output = run(&["--json", "config", "check"], temp.path());
    let found = json(&output);
    assert_eq!(
        (output.status.code(), &found["problems"]),
        (Some(0), &serde_json::json!([])),
        "{found}"
    );
    assert!(!temp.path().join("data").exists(), "checking makes nothing");
}

#[test]
fn what_lies_in_a_data_folder_is_private_whoever_made_it() {
    let installation = Installation::new(Wish::default());
    let data = installation.path("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let mut installation = installation;
    installation.start();
    let limits = fs::read_to_string(format!("/proc/{}/limits", installation.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    let mut open = Vec::new();
    for entry in fs::read_dir(&data).unwrap().flatten() {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            open.push((entry.file_name(), format!("{mode:o}")));
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(data.join("catalog.sqlite").exists());
}
