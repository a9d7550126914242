//! Child processes that cannot outlive the test that started them.

use rustix::process::{Pid, Signal, kill_process_group};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// How often [`wait_until`] looks.
const POLL: Duration = Duration::from_millis(20);

/// Calls `probe` until it says true or `limit` has passed; tells whether it ever said true.
pub fn wait_until(limit: Duration, mut probe: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if probe() {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        std::thread::sleep(POLL);
    }
}

/// The most memory the process has had resident so far, in KiB (`VmHWM` of `/proc/<pid>/status`);
/// `None` when there is no such process.
#[must_use]
pub fn peak_rss_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// A child process in a process group of its own. Dropping the guard kills the whole group with
/// SIGKILL and reaps the child, also while a panic unwinds.
#[derive(Debug)]
pub struct ChildGuard {
    child: Child,
    ended: Option<ExitStatus>,
}

impl ChildGuard {
    /// Starts the command in a new process group.
    ///
    /// # Errors
    /// What the operating system says when it cannot be started.
    pub fn spawn(command: &mut Command) -> std::io::Result<Self> {
        Ok(Self { child: command.process_group(0).spawn()?, ended: None })
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.try_ended().is_none()
    }

    /// Waits for the end for at most `limit`; `None` when it still runs then.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        wait_until(limit, || self.try_ended().is_some());
        self.ended
    }

    /// Sends SIGTERM, the polite request to stop.
    pub fn terminate(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Kills the whole group with SIGKILL and reaps the child. Harmless when it has ended.
    pub fn kill(&mut self) {
        if self.ended.is_some() {
            return;
        }
        self.signal(Signal::KILL);
        self.ended = self.child.wait().ok();
    }

    fn try_ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    fn signal(&mut self, signal: Signal) {
        // Once reaped, the number may belong to somebody else's process.
        if self.try_ended().is_some() {
            return;
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It fails only when the group is gone already, which is what a killer wants.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        self.kill();
    }
}
