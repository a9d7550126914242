//! The spool: where an arriving instance becomes durable before its sender is told so.
//!
//! Small instances are appended to preallocated segments by one committer thread, which covers
//! everything that waits, over all associations, with one fdatasync. Large ones stream to files of
//! their own. On-disk layout: docs/formats/spool.md.

mod aside;
mod committer;
mod disk;
mod finish;
mod large_log;
mod log;
mod reader;
mod receiving;
mod record;
mod recovery;
mod scan;
mod sealing;
mod settle;
mod sink;
mod state;

#[cfg(test)]
mod tests;

use crate::error::{FullCause, SpoolError};
use crate::intake::{SpoolId, SpoolKeys, SpooledInstance};
pub use aside::{AsideFolder, Finding, SetAside};
use committer::{CommitRequest, Committer};
use crossbeam_channel::{Receiver, Sender, bounded};
use disk::{Disk, RealDisk};
use large_log::LargeLog;
pub use reader::SpoolReader;
pub use receiving::Receiving;
use rustix::fs::{FlockOperation, flock};
use scanveil_model::HospitalId;
use scanveil_seal::Entropy;
pub use settle::DAMAGE_CODE;
use state::Shared;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// How many records may wait for the committer; a receiver beyond that waits to hand its own over.
const COMMIT_QUEUE: usize = 256;
/// What a record can need beyond its sealed instance: header, details and padding.
const RECORD_OVERHEAD: u64 = 128 * 1024;

/// Where the spool lies and what it may take.
#[derive(Debug, Clone)]
pub struct SpoolConfig {
    /// The spool's folder; made when it is not there.
    pub dir: PathBuf,
    /// Most bytes of records, finished ones included until their segment is removed.
    pub max_bytes: u64,
    /// Bytes that must stay free on the file system.
    pub min_free_bytes: u64,
    /// Sealed instances up to this length go into segments; longer ones into files of their own.
    /// Each instance on its way holds at most this much memory.
    pub inline_limit: u64,
    /// Length of a segment; its space is taken from the disk at once.
    pub segment_bytes: u64,
    /// Most instances that may wait; each takes about a kilobyte of memory.
    pub max_pending: usize,
}

impl SpoolConfig {
    /// The defaults: 64 GiB of spool, 1 GiB free, 2 MiB inline, segments of 256 MiB, 250 000
    /// instances.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            max_bytes: 64 << 30,
            min_free_bytes: 1 << 30,
            inline_limit: 2 << 20,
            segment_bytes: 256 << 20,
            max_pending: 250_000,
        }
    }
}

/// The spool's figures for metrics and the status page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolStats {
    /// Bytes counted against the limit, those of instances on their way included.
    pub used_bytes: u64,
    /// Instances that are durable and not finished.
    pub pending: usize,
    /// When the oldest of them arrived, milliseconds since 1970 (UTC).
    pub oldest_received_at_ms: Option<i64>,
    /// Records that are whole and that no key opened at start; they stay.
    pub unreadable: u64,
    /// Finds that were set aside and wait for a decision.
    pub set_aside: u64,
    /// Why no new sender may begin, where none may.
    pub closed: Option<FullCause>,
}

/// What of a hospital is durable and not finished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Instances.
    pub instances: u64,
    /// When the oldest of them arrived, milliseconds since 1970 (UTC).
    pub oldest_received_at_ms: Option<i64>,
    /// When the newest of them arrived.
    pub newest_received_at_ms: Option<i64>,
}

/// The spool. One process at a time works on its folder.
pub struct Spool {
    shared: Arc<Shared>,
    /// Receivings hold clones; the committer ends when the last one is gone.
    commits: Option<Sender<CommitRequest>>,
    committer: Option<JoinHandle<()>>,
    arrivals: Receiver<()>,
    finishing: Mutex<()>,
}

impl Spool {
    /// Opens the spool and gives everything that is durable and not finished, oldest first.
    ///
    /// # Errors
    /// [`SpoolError::InUse`] when another process has it, [`SpoolError::NewerVersion`] when a newer
    /// version wrote it, [`SpoolError::Io`] when it cannot be read.
    pub fn open(
        config: SpoolConfig,
        keys: Arc<dyn SpoolKeys>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<(Arc<Self>, Vec<SpooledInstance>), SpoolError> {
        Self::open_on(config, keys, entropy, Arc::new(RealDisk))
    }

    fn open_on(
        mut config: SpoolConfig,
        keys: Arc<dyn SpoolKeys>,
        entropy: Arc<dyn Entropy>,
        disk: Arc<dyn Disk>,
    ) -> Result<(Arc<Self>, Vec<SpooledInstance>), SpoolError> {
        // A segment must hold at least one record, and need not be longer than the whole spool.
        let shortest = config.inline_limit + RECORD_OVERHEAD;
        config.segment_bytes = config.segment_bytes.min(config.max_bytes).max(shortest);
        let failed = |error| SpoolError::io("make the spool's folder", error);
        make_folders(&config.dir).map_err(failed)?;
        let lock = FolderLock::take(&config.dir)?;
        let (wake, arrivals) = bounded(1);
        let opened = LargeLog::open(&config.dir.join("large.log"));
        let (large_log, expected) =
            opened.map_err(|error| SpoolError::io("read the spool's log", error))?;
        let held = (lock, large_log);
        let shared = Arc::new(Shared::new(config, disk, keys, entropy, wake, held));
        let recovered = recovery::recover(&shared, expected)?;
        let (commits, requests) = bounded(COMMIT_QUEUE);
        let committer = Committer::new(Arc::clone(&shared), requests, recovered.next_seq);
        let committer = thread::Builder::new()
            .name("spool-commit".into())
            .spawn(move || committer.run())
            .map_err(|error| SpoolError::io("start the spool's committer", error))?;
        let spool = Self {
            shared,
            commits: Some(commits),
            committer: Some(committer),
            arrivals,
            finishing: Mutex::new(()),
        };
        Ok((Arc::new(spool), recovered.pending))
    }

    /// Opens a place for one instance of a hospital.
    ///
    /// # Errors
    /// [`SpoolError::Full`] when a limit is reached, [`SpoolError::Key`] when the hospital's key is
    /// not there.
    pub fn receive(&self, hospital: &HospitalId) -> Result<Receiving, SpoolError> {
        let commits = self.commits.clone().ok_or(SpoolError::Stopped)?;
        Receiving::new(Arc::clone(&self.shared), commits, hospital)
    }

    /// Whether a new sender may begin. Refuses before the spool is full, so that there is room for
    /// those who are sending already.
    ///
    /// # Errors
    /// [`SpoolError::Full`] when there is room only for those, [`SpoolError::Stopped`] when nobody
    /// makes records durable any more, [`SpoolError::Io`].
    pub fn admits(&self) -> Result<(), SpoolError> {
        if self.committer.as_ref().is_none_or(JoinHandle::is_finished) {
            return Err(SpoolError::Stopped);
        }
        self.shared.check_admission()
    }

    /// Reads an instance back. Finishing it meanwhile does not disturb the reader.
    ///
    /// # Errors
    /// [`SpoolError::NotPending`] when it is finished; [`SpoolError::Sealed`] when the record was
    /// changed. The reader's own errors carry a [`SpoolError`] or a
    /// [`SealError`](scanveil_seal::SealError).
    pub fn read(&self, instance: &SpooledInstance) -> Result<SpoolReader, SpoolError> {
        SpoolReader::new(&self.shared, instance)
    }

    /// Reads a whole instance into a buffer that is cleared before, and reused by the caller for
    /// the next one.
    ///
    /// # Errors
    /// As [`Spool::read`]; the buffer is empty then.
    pub fn read_into(
        &self,
        instance: &SpooledInstance,
        buffer: &mut Vec<u8>,
    ) -> Result<(), SpoolError> {
        buffer.clear();
        let mut reader = self.read(instance)?;
        // The length is authentic, and a sealed record of it lies on the disk.
        buffer.reserve(usize::try_from(instance.length()).unwrap_or(0));
        reader.read_to_end(buffer).map(|_| ()).map_err(|error| {
            buffer.clear();
            match error.downcast::<SpoolError>() {
                Ok(own) => own,
                Err(error) => scanveil_seal::SealError::from(error).into(),
            }
        })
    }

    /// Marks records as done, durably, and removes what no record needs any more. Ids that are done
    /// already, or unknown, are skipped: it can be repeated.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: some of the records are still pending then; repeat it.
    pub fn finish(&self, ids: &[SpoolId]) -> Result<(), SpoolError> {
        let _one_at_a_time = self.finishing.lock().unwrap_or_else(PoisonError::into_inner);
        finish::finish(&self.shared, ids)
    }

    /// Takes an instance that cannot be read out of the spool, and keeps its bytes aside until
    /// somebody decides. It can be repeated.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: it is still pending then.
    pub fn set_aside(&self, instance: &SpooledInstance) -> Result<(), SpoolError> {
        let _one_at_a_time = self.finishing.lock().unwrap_or_else(PoisonError::into_inner);
        settle::set_aside(&self.shared, instance)
    }

    /// What was set aside.
    #[must_use]
    pub fn aside(&self) -> &AsideFolder {
        &self.shared.aside
    }

    /// Tries again what somebody asked for with [`AsideFolder::ask_retry`]; gives how many records
    /// are pending again. They are announced as arrivals.
    ///
    /// # Errors
    /// [`SpoolError::Io`]; it can be repeated.
    pub fn take_back(&self) -> Result<usize, SpoolError> {
        let _one_at_a_time = self.finishing.lock().unwrap_or_else(PoisonError::into_inner);
        settle::take_back(&self.shared)
    }

    /// Wakes whoever takes arrivals: it holds one message when there is something to take, however
    /// much that is, so it never grows. It ends when the spool is closed. What was pending when the
    /// spool was opened is not announced.
    #[must_use]
    pub fn arrivals(&self) -> Receiver<()> {
        self.arrivals.clone()
    }

    /// Takes every receipt that was given out since the last call, in the order of their commits.
    /// Their number is bounded by `max_pending`.
    #[must_use]
    pub fn take_arrivals(&self) -> Vec<SpooledInstance> {
        std::mem::take(&mut self.shared.state().arrivals)
    }

    /// Bytes counted against the limit, those of instances on their way included.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.shared.used.load(Ordering::Relaxed)
    }

    /// What waits, by hospital.
    #[must_use]
    pub fn waiting(&self) -> BTreeMap<HospitalId, Waiting> {
        let state = self.shared.state();
        state.waiting().map(|(hospital, waiting)| (hospital.clone(), waiting)).collect()
    }

    /// The spool's figures.
    #[must_use]
    pub fn stats(&self) -> SpoolStats {
        let set_aside = self.shared.aside.count();
        let closed = match self.admits() {
            Err(SpoolError::Full(cause)) => Some(cause),
            _ => None,
        };
        let state = self.shared.state();
        SpoolStats {
            used_bytes: self.used_bytes(),
            pending: state.index.len(),
            oldest_received_at_ms: state.oldest(),
            unreadable: state.unreadable,
            set_aside,
            closed,
        }
    }
}

/// Makes the spool's folders, durably: a new folder is an entry in the one above it.
fn make_folders(dir: &Path) -> io::Result<()> {
    ["segments", "large", aside::FOLDER]
        .iter()
        .try_for_each(|folder| scanveil_durable::make_folder(&dir.join(folder)))
}

/// Keeps other processes out of the spool's folder. The kernel lets go of it when this one dies.
pub(crate) struct FolderLock(File);

impl FolderLock {
    fn take(dir: &Path) -> Result<Self, SpoolError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join("lock"))
            .map_err(|error| SpoolError::io("lock the spool's folder", error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(SpoolError::InUse(dir.to_owned())),
            Err(error) => Err(SpoolError::io("lock the spool's folder", error.into())),
        }
    }
}

impl Drop for FolderLock {
    /// Closing the file is not enough: a child process that is just being started holds it as well
    /// until it executes its program.
    fn drop(&mut self) {
        if let Err(error) = flock(&self.0, FlockOperation::Unlock) {
            tracing::warn!(errno = error.raw_os_error(), "the spool's lock stays until the end");
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        drop(self.commits.take());
        // A receiving that outlives the spool keeps the committer; it ends after that one.
        if Arc::strong_count(&self.shared) <= 2
            && let Some(committer) = self.committer.take()
            && committer.join().is_err()
        {
            tracing::error!("the spool's committer ended by a panic");
        }
    }
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
