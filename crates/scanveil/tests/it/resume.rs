//! A run of `scanveil scrub` that is killed or stopped leaves its report, and the same command goes
//! on where it was.

use crate::kit::files_below;
use crate::running::LONG;
use scanveil_synth::{ct_slices, mr_slices};
use scanveil_testkit::{ChildGuard, wait_until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Studies of two small slices each; the fourth has one large slice in their stead.
const STUDIES: u64 = 7;
const LARGE: u64 = 4;

fn studies(folder: &Path) {
    fs::create_dir_all(folder.join("in")).unwrap();
    for seed in 1..=STUDIES {
        let mut slices: Vec<_> = mr_slices(seed, 2, 64).collect();
        if seed == LARGE {
            slices = ct_slices(seed, 1, 512).collect();
        }
        for (number, slice) in slices.into_iter().enumerate() {
            let name = format!("in/{seed}-{number}.dcm");
            fs::write(folder.join(name), slice.unwrap().file).unwrap();
        }
    }
}

const FILES: [&str; 6] = ["--report", "r.json", "--mapping", "m.csv", "--held", "h.csv"];

/// The command, one input at a time, in a shell that limits how large a file may become: writing a
/// larger one kills the process at that very place.
fn limited(folder: &Path, out: &str, limit: &str) -> Command {
    let mut command = Command::new("sh");
    let line = format!("ulimit -f {limit}; exec \"$0\" --json scrub in --jobs 1 \"$@\"");
    command.args(["-c", &line, env!("CARGO_BIN_EXE_scanveil"), "--out", out]).args(FILES);
    command.current_dir(folder).env_remove("SCANVEIL_LOG").stdin(Stdio::null());
    command
}

fn run(folder: &Path, out: &str, limit: &str) -> Output {
    limited(folder, out, limit).output().unwrap()
}

fn report(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("r.json")).unwrap()).unwrap()
}

/// What the report says of each input, without what hangs on time.
fn instances(report: &Value) -> Vec<Value> {
    report["instances"].as_array().unwrap().clone()
}

/// The number of each instance's file on the disk: another one was written anew.
fn numbers(out: &Path) -> BTreeMap<PathBuf, u64> {
    let files = files_below(out).into_keys();
    let dicom = files.filter(|path| path.extension().is_some_and(|ending| ending == "dcm"));
    dicom.map(|path| (path.clone(), fs::metadata(out.join(&path)).unwrap().ino())).collect()
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    studies(folder);
    assert_eq!(run(folder, "whole", "unlimited").status.code(), Some(0));
    let (expected, mapping) = (report(folder), fs::read(folder.join("m.csv")).unwrap());
    assert_eq!(expected["complete"], true);

    // 400 blocks of 512 bytes: less than the large slice.
    let killed = run(folder, "out", "400");
    assert_eq!(killed.status.code(), None, "a signal ended it");
    let left = report(folder);
    assert_eq!((&left["complete"], &left["totals"]["not_reached"]), (&false.into(), &13.into()));
    let out = folder.join("out");
    let before = numbers(&out);
    let done = 2 * (LARGE as usize - 1);
    let placed = |path: &&PathBuf| !path.to_string_lossy().contains(".scanveil-part-");
    assert_eq!(before.keys().filter(placed).count(), done);

    let again = run(folder, "out", "unlimited");
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(instances(&report(folder)), instances(&expected));
    assert_eq!(fs::read(folder.join("m.csv")).unwrap(), mapping);
    assert_eq!(files_below(&out), files_below(&folder.join("whole")), "and nothing is left over");
    let after = numbers(&out);
    let kept = after.iter().filter(|(path, number)| before.get(*path) == Some(*number)).count();
    assert_eq!(kept, done, "what was finished is not done again");
}

#[test]
fn what_changed_since_is_done_again() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    studies(folder);
    assert_eq!(run(folder, "out", "400").status.code(), None);
    let out = folder.join("out");
    let before = numbers(&out);
    // The first study is another by its times, and an output of the second is gone.
    let file = fs::File::options().write(true).open(folder.join("in/1-0.dcm")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(run(folder, "whole", "unlimited").status.code(), Some(0));
    let second = instances(&report(folder))[2]["output"].as_str().unwrap().to_owned();
    fs::remove_file(out.join(&second)).unwrap();
    assert_eq!(run(folder, "out", "unlimited").status.code(), Some(0));
    assert_eq!(files_below(&out), files_below(&folder.join("whole")));
    let after = numbers(&out);
    let kept = after.iter().filter(|(path, number)| before.get(*path) == Some(*number)).count();
    assert_eq!(kept, 2, "only the third study was still as it was");
}

#[test]
fn a_stopped_run_says_how_far_it_came() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    studies(folder);
    assert_eq!(run(folder, "whole", "unlimited").status.code(), Some(0));
    let expected = instances(&report(folder));
    for (signal, out) in [("INT", "first"), ("TERM", "out")] {
        let mut command = limited(folder, out, "unlimited");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = ChildGuard::spawn(&mut command).unwrap();
        let pid = child.pid();
        // The program listens before it makes its folder.
        assert!(wait_until(LONG, || {
            fs::read_dir(folder.join(out)).is_ok_and(|mut entries| entries.next().is_some())
        }));
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status();
        let status = child.wait(LONG).unwrap();
        let left = report(folder);
        let totals = &left["totals"];
        let (clean, open) = (&totals["clean"], totals["not_reached"].as_u64().unwrap());
        assert_eq!(clean.as_u64().unwrap() + open, 13);
        // It may have been done before the signal came.
        let expected = match (open, signal) {
            (0, _) => 0,
            (_, "INT") => 130,
            _ => 143,
        };
        assert!(sent.unwrap().success() || open == 0);
        assert_eq!((status.code(), &left["complete"]), (Some(expected), &(open == 0).into()));
    }
    assert_eq!(run(folder, "out", "unlimited").status.code(), Some(0));
    assert_eq!(instances(&report(folder)), expected);
    assert_eq!(files_below(&folder.join("out")), files_below(&folder.join("whole")));
}
