use super::*;
use std::process::{Command, Stdio};
use std::time::Duration;

fn sleeper() -> ChildGuard {
    // A shell with a child of its own: the whole group has to go.
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped());
    ChildGuard::spawn(&mut command).unwrap()
}

fn grandchild(guard: &mut ChildGuard) -> u32 {
    use std::io::{BufRead, BufReader};
    let mut line = String::new();
    let out = guard.child().stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    line.trim().parse().unwrap()
}

fn alive(pid: u32) -> bool {
    // A killed process that nobody has reaped yet is a zombie: dead for our purpose.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'))
}

#[test]
fn a_guard_kills_the_whole_group_when_the_test_panics() {
    let (pid, inner) = {
        let mut pids = (0, 0);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut guard = sleeper();
            pids = (guard.pid(), grandchild(&mut guard));
            assert!(guard.is_running() && alive(pids.1));
            std::panic::resume_unwind(Box::new("the test fails here"));
        }));
        assert!(result.is_err());
        pids
    };
    assert!(!alive(pid));
    assert!(wait_until(Duration::from_secs(10), || !alive(inner)));
}

#[test]
fn a_guard_tells_how_the_child_ended() {
    let mut guard = ChildGuard::spawn(Command::new("sh").args(["-c", "exit 3"])).unwrap();
    assert_eq!(guard.wait(Duration::from_secs(30)).and_then(|s| s.code()), Some(3));
    assert!(!guard.is_running());
    guard.kill();
}

#[test]
fn ports_are_different_and_memory_is_told() {
    let mut ports = free_ports::<16>().to_vec();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 16);
    assert!(peak_rss_kib(std::process::id()).is_some_and(|kib| kib > 100));
    assert_eq!(peak_rss_kib(u32::MAX), None);
}
