//! The watched folder: a hospital drops files into it, and each is taken when it has settled.
//!
//! A file is taken when its size and time of change have stayed the same for a set time. First it
//! is moved into `.taking/` under a name of ours, where nobody puts another file in its place, and
//! it is read there. It is removed (or moved to `done/`) only after its instance is durable, and
//! only where nothing was written to it meanwhile; what is not DICOM is moved to `rejected/` under
//! its digest. What a killed process left in `.taking/` is taken by the next one. Symbolic links
//! and special files are never followed: every step down is opened relative to the folder above it.

mod files;

use crate::arrival::{Arrival, Origin, Outcome, Refusal};
use crate::intake::{Intake, IntakeError, now_ms};
use aws_lc_rs::digest::{Context, SHA256};
use files::{Entry, Folder, Stamp};
use scanveil_model::{Coded, Digest, HospitalId, Protocol};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where files lie while they are taken.
const TAKING: &str = ".taking";
const DONE: &str = "done";
const REJECTED: &str = "rejected";
const READ_BYTES: usize = 256 << 10;
/// Endings of files that a sender is still writing.
const UNFINISHED: [&str; 4] = [".part", ".filepart", ".tmp", ".crdownload"];

/// What happens to a file whose instance is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterTaking {
    /// It is removed.
    #[default]
    Remove,
    /// It is moved to `done/`, named by its digest.
    Keep,
}

/// A watched folder of one hospital.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// The hospital whose instances arrive here.
    pub hospital: HospitalId,
    /// The folder; it must exist and be writable.
    pub path: PathBuf,
    /// How long a file must stay unchanged before it is taken, milliseconds.
    #[serde(default = "default_settle_ms")]
    pub settle_ms: u64,
    /// How often the folder is looked at, milliseconds.
    #[serde(default = "default_interval_ms")]
    pub interval_ms: u64,
    /// What happens to a file that was taken.
    #[serde(default)]
    pub after: AfterTaking,
    /// How many folders deep it is looked into; 0 is the folder itself only.
    #[serde(default = "default_max_depth")]
    pub max_depth: usize,
    /// Most files looked at in one round; the others wait for the next ones. Files that are still
    /// written (by their names) and those that could not be taken do not count.
    #[serde(default = "default_max_files")]
    pub max_files: usize,
    /// Longest file that is taken, bytes.
    #[serde(default = "default_max_instance_bytes")]
    pub max_instance_bytes: u64,
}

fn default_settle_ms() -> u64 {
    2_000
}
fn default_interval_ms() -> u64 {
    1_000
}
fn default_max_depth() -> usize {
    8
}
fn default_max_files() -> usize {
    100_000
}
fn default_max_instance_bytes() -> u64 {
    16 << 30
}

impl FolderConfig {
    /// A watched folder with the default times and limits.
    #[must_use]
    pub fn new(hospital: HospitalId, path: PathBuf) -> Self {
        Self {
            hospital,
            path,
            settle_ms: default_settle_ms(),
            interval_ms: default_interval_ms(),
            after: AfterTaking::default(),
            max_depth: default_max_depth(),
            max_files: default_max_files(),
            max_instance_bytes: default_max_instance_bytes(),
        }
    }
}

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It cannot be opened, or its own folders cannot be made.
    #[error("the watched folder {path} cannot be used")]
    Unusable {
        /// The folder as configured.
        path: PathBuf,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
}

impl Coded for FolderError {
    fn code(&self) -> &'static str {
        "SV-INGEST-201"
    }
    fn next_step(&self) -> String {
        "make the folder, and let the account that scanveil runs as read and write it".to_owned()
    }
}

/// What one look at the folder did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FolderRound {
    /// Files whose instances are durable now.
    pub taken: u64,
    /// Files moved to `rejected/`.
    pub rejected: u64,
    /// Files that may still be changing.
    pub settling: u64,
    /// Files left for the next round: the spool was full, or reading or moving them failed.
    pub left: u64,
}

/// What is known about a file that has been seen.
#[derive(Clone, Copy)]
struct Seen {
    stamp: Stamp,
    since_ms: i64,
    /// Taken or refused, but it could not be moved away: not to be taken again.
    stuck: bool,
    /// It could not be read or moved the last time.
    failed: bool,
}

impl Seen {
    fn new(stamp: Stamp, since_ms: i64) -> Self {
        Self { stamp, since_ms, stuck: false, failed: false }
    }
}

/// Watches one folder.
pub struct FolderWatcher {
    config: FolderConfig,
    intake: Intake,
    root: Folder,
    seen: HashMap<PathBuf, Seen>,
    /// Names in `.taking/`: when this watcher began, and a number.
    began: u128,
    number: u64,
}

impl FolderWatcher {
    /// Opens the folder, and makes `.taking/`, `rejected/` and `done/` in it.
    ///
    /// # Errors
    /// [`FolderError`] when it does not exist or cannot be written.
    pub fn new(config: FolderConfig, intake: Intake) -> Result<Self, FolderError> {
        let unusable = |source| FolderError::Unusable { path: config.path.clone(), source };
        let root = Folder::open(&config.path).map_err(unusable)?;
        root.make(TAKING).map_err(unusable)?;
        root.make(REJECTED).map_err(unusable)?;
        if config.after == AfterTaking::Keep {
            root.make(DONE).map_err(unusable)?;
        }
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Ok(Self { config, intake, root, seen: HashMap::new(), began, number: 0 })
    }

    /// Looks at the folder once. `now_ms` is the time in milliseconds, on any scale that goes on.
    pub fn round(&mut self, now_ms: i64) -> FolderRound {
        let mut round = FolderRound::default();
        let before = std::mem::take(&mut self.seen);
        let (own, dropped) = self.list(&before, &mut round);
        for entry in own {
            if let Some(seen) = self.settled(&entry, &before, now_ms, &mut round) {
                let kept = self.take(&entry.path, seen, now_ms, &mut round);
                self.seen.extend(kept.map(|seen| (entry.path, seen)));
            }
        }
        for entry in dropped {
            if let Some(seen) = self.settled(&entry, &before, now_ms, &mut round) {
                self.claim(entry.path, seen, now_ms, &mut round);
            }
        }
        round
    }

    /// The files that are being taken, and those that were dropped into the folder.
    fn list(
        &self,
        before: &HashMap<PathBuf, Seen>,
        round: &mut FolderRound,
    ) -> (Vec<Entry>, Vec<Entry>) {
        let (mut own, mut dropped, mut counted) = (Vec::new(), Vec::new(), 0_usize);
        let listed = self.root.list_own(TAKING, &mut |entry| {
            own.push(entry);
            if own.len() < self.config.max_files {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        let skip = |name: &str, depth| depth == 0 && [TAKING, DONE, REJECTED].contains(&name);
        let listed = listed.and(self.root.list(self.config.max_depth, &skip, &mut |entry| {
            if unfinished(&entry) {
                round.settling += 1;
                return ControlFlow::Continue(());
            }
            let known = before.get(&entry.path).filter(|seen| seen.stamp == entry.stamp);
            counted += usize::from(!known.is_some_and(|seen| seen.stuck || seen.failed));
            dropped.push(entry);
            if counted < self.config.max_files {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        }));
        if listed.is_err() {
            tracing::warn!(hospital = %self.config.hospital, "a watched folder could not be read");
        }
        (own, dropped)
    }

    /// What is known of a file that has not changed for long enough; else it is remembered.
    fn settled(
        &mut self,
        entry: &Entry,
        before: &HashMap<PathBuf, Seen>,
        now_ms: i64,
        round: &mut FolderRound,
    ) -> Option<Seen> {
        let known = before.get(&entry.path).filter(|seen| seen.stamp == entry.stamp);
        let seen = known.copied().unwrap_or_else(|| Seen::new(entry.stamp, now_ms));
        let quiet_ms = u64::try_from(now_ms.saturating_sub(seen.since_ms)).unwrap_or(0);
        let settled = quiet_ms >= self.config.settle_ms;
        if settled && !seen.stuck {
            return Some(seen);
        }
        round.settling += u64::from(!settled);
        round.left += u64::from(seen.stuck);
        self.seen.insert(entry.path.clone(), seen);
        None
    }

    /// Moves a settled file out of its sender's reach, and takes it. Where another file took its
    /// place in between, that one is what was moved: it is not read before it has settled too.
    fn claim(&mut self, path: PathBuf, seen: Seen, now_ms: i64, round: &mut FolderRound) {
        let own = Path::new(TAKING).join(format!("{:x}-{:x}", self.began, self.number));
        self.number += 1;
        let name = own.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let moved = self.intake.admits().is_ok()
            && self.root.read(&path).is_ok()
            && self.root.move_to(&path, TAKING, name).is_ok();
        if !moved {
            round.left += 1;
            self.seen.insert(path, Seen { failed: true, ..seen });
            return;
        }
        let kept = match self.root.stamp(&own) {
            Ok(stamp) if stamp != seen.stamp => {
                round.settling += 1;
                Some(Seen::new(stamp, now_ms))
            }
            _ => self.take(&own, seen, now_ms, round),
        };
        self.seen.extend(kept.map(|seen| (own, seen)));
    }

    /// Takes a file of `.taking/`; returns what is to be remembered of it where it stays.
    fn take(&self, path: &Path, seen: Seen, now_ms: i64, round: &mut FolderRound) -> Option<Seen> {
        let Ok((mut file, stamp)) = self.root.read(path) else {
            round.left += 1;
            return Some(seen);
        };
        let origin = Origin {
            hospital: self.config.hospital.clone(),
            protocol: Protocol::Folder,
            peer: String::new(),
        };
        let limit = self.config.max_instance_bytes;
        let arrival = Arrival::new(self.intake.clone(), origin, None, limit);
        let delivered = deliver(arrival, &mut file, stamp, seen.stamp);
        // Whoever had the file open may have gone on writing: what was not read is not removed.
        let now = files::stamp(&file).unwrap_or(seen.stamp);
        let Some((outcome, digest)) = delivered.filter(|_| now == seen.stamp) else {
            round.settling += 1;
            return Some(Seen::new(now, now_ms));
        };
        let moved = match outcome.result {
            Ok(_) => {
                round.taken += 1;
                match self.config.after {
                    AfterTaking::Remove => self.root.remove(path),
                    AfterTaking::Keep => self.root.move_to(path, DONE, &digest.to_string()),
                }
            }
            Err(why) if stays(&why) => {
                tracing::warn!(hospital = %self.config.hospital, %digest, code = why.code(),
                    next_step = why.next_step(), "a file waits in .taking/ of the watched folder");
                round.left += 1;
                return Some(seen);
            }
            Err(why) => {
                tracing::warn!(hospital = %self.config.hospital, %digest, code = why.code(),
                    next_step = why.next_step(), "a file was moved to rejected/");
                round.rejected += 1;
                self.root.move_to(path, REJECTED, &digest.to_string())
            }
        };
        if moved.is_ok() {
            return None;
        }
        tracing::error!(hospital = %self.config.hospital, %digest,
            "a file that is done with cannot be moved away; it will not be taken again");
        Some(Seen { stuck: true, ..seen })
    }

    /// Looks at the folder at its interval on a thread of its own, until the handle stops it.
    ///
    /// # Errors
    /// [`FolderError`] when the thread cannot be started.
    pub fn start(mut self) -> Result<FolderHandle, FolderError> {
        let (stop, stopped): (Sender<()>, Receiver<()>) = channel();
        let path = self.config.path.clone();
        let interval = Duration::from_millis(self.config.interval_ms.max(1));
        let thread = std::thread::Builder::new()
            .name("folder".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                    self.round(now_ms());
                }
            })
            .map_err(|source| FolderError::Unusable { path, source })?;
        Ok(FolderHandle { stop: Some(stop), thread: Some(thread) })
    }
}

/// A running [`FolderWatcher`]; dropping it stops it after the file at hand.
#[derive(Debug)]
pub struct FolderHandle {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for FolderHandle {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A watcher that panicked has already said so.
            let _ = thread.join();
        }
    }
}

/// Streams a file into the spool; nothing when it changed meanwhile. Gives its SHA-256 digest too.
fn deliver(
    mut arrival: Arrival,
    file: &mut std::fs::File,
    opened: Stamp,
    settled: Stamp,
) -> Option<(Outcome, Digest)> {
    if opened != settled {
        return None;
    }
    let mut digest = Context::new(&SHA256);
    let mut buffer = vec![0; READ_BYTES];
    let mut refusal = None;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                digest.update(&buffer[..length]);
                if refusal.is_none() {
                    refusal = arrival.write(&buffer[..length]).err();
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                refusal = Some(Refusal::Spool(IntakeError::Io(error)));
                break;
            }
        }
        if refusal.as_ref().is_some_and(stays) {
            break;
        }
    }
    if files::stamp(file).ok()? != settled {
        return None;
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.finish().as_ref());
    let outcome = match refusal {
        Some(why) => arrival.refused(why),
        None => match arrival.end() {
            Ok(complete) => complete.commit(),
            Err(outcome) => outcome,
        },
    };
    Some((outcome, Digest(bytes)))
}

/// Whether a file is to be tried again: nothing is wrong with the file itself.
fn stays(why: &Refusal) -> bool {
    matches!(why, Refusal::Spool(_))
}

fn unfinished(entry: &Entry) -> bool {
    let name = entry.path.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b".") || UNFINISHED.iter().any(|ending| name.ends_with(ending.as_bytes()))
}

#[cfg(test)]
mod tests;
