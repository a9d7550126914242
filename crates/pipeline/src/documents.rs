//! Documents are read by a process of their own: a panic, a loop or an allocation without end in a
//! parser ends that process and holds one document back.

use scanveil_documents::{DocumentReader, MOST_ANSWER, PdfText, Unread, from_answer};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// This program, also when its file has been replaced since.
const SELF: &str = "/proc/self/exe";

/// What the program's allocator takes of the address space beforehand, in KiB: more than the
/// process may have would never be refused to it.
const RESERVED: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "32768");

/// How long a document is read.
const LONGEST: Duration = Duration::from_secs(60);

/// Starts this program once more for each document (`worker document`), which limits itself.
pub struct DocumentProcess {
    program: PathBuf,
    longest: Duration,
}

impl Default for DocumentProcess {
    fn default() -> Self {
        Self { program: SELF.into(), longest: LONGEST }
    }
}

impl DocumentProcess {
    /// Another program, and how long it may take.
    #[cfg(test)]
    pub(crate) fn of(program: PathBuf, longest: Duration) -> Self {
        Self { program, longest }
    }

    /// What the process answered; `None` when it ended, or was ended, before it did.
    fn ask(&self, document: &[u8]) -> Option<Vec<u8>> {
        let mut child = Command::new(&self.program)
            .args(["worker", "document"])
            .env_clear()
            .env(RESERVED.0, RESERVED.1)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let answer = pipes.and_then(|(mut stdin, stdout)| {
            let (send, answered) = mpsc::channel();
            std::thread::scope(|scope| {
                // It may end before it has read everything.
                scope.spawn(move || stdin.write_all(document).is_ok());
                scope.spawn(move || {
                    let mut answer = Vec::new();
                    let most = MOST_ANSWER as u64;
                    let read = Read::take(stdout, most + 1).read_to_end(&mut answer);
                    let whole = read.is_ok() && answer.len() as u64 <= most;
                    send.send(whole.then_some(answer)).is_ok()
                });
                let answer = answered.recv_timeout(self.longest).ok().flatten();
                // Its pipes close with it, and with them the threads end.
                let _ = child.kill();
                answer
            })
        });
        let _ = child.kill();
        let _ = child.wait();
        answer
    }
}

impl DocumentReader for DocumentProcess {
    fn read_pdf(&self, document: &[u8]) -> Result<PdfText, Unread> {
        let read = from_answer(&self.ask(document).ok_or(Unread::ReaderFailed)?);
        if let Err(Unread::ReaderFailed) = read {
            tracing::warn!("the process that reads documents failed");
        }
        read
    }
}
