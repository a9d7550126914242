//! What the spool knows: which records lie where, which are needed, and how much space is taken.

use super::aside::AsideFolder;
use super::disk::Disk;
use super::large_log::LargeLog;
use super::log;
use super::{FolderLock, SpoolConfig, SpoolId, SpoolKeys, SpooledInstance, Waiting};
use crate::error::{FullCause, SpoolError};
use crossbeam_channel::Sender;
use scanveil_model::HospitalId;
use scanveil_seal::Entropy;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many record buffers are kept for reuse.
const POOLED_BUFFERS: usize = 8;

/// How many finished receipts may wait untaken before they are forgotten.
const ARRIVALS_SLACK: usize = 1024;

/// One part in so many of the room is kept for those who are sending already.
const KEPT_SHARE: usize = 16;
/// At least so many bytes are, where the spool's limit allows it.
const KEPT_BYTES: u64 = 16 << 20;

/// Where a record lies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// In a segment, at an offset.
    Segment { seq: u64, offset: u64 },
    /// In a file of its own.
    Large,
}

/// One record that is still needed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) place: Place,
    pub(crate) body_len: u64,
    /// Length on the disk, padding included.
    pub(crate) record_len: u64,
    pub(crate) received_at_ms: i64,
}

/// One segment file.
pub(crate) struct Segment {
    pub(crate) id: [u8; 16],
    pub(crate) file: Arc<File>,
    /// Bytes written, the header page included; what the segment counts for.
    pub(crate) written: u64,
    /// Records that keep the segment: pending ones, and ones that could not be opened.
    pub(crate) live: u64,
    /// The committer is writing to it: it must not be removed.
    pub(crate) writing: bool,
}

/// What is left of the segment that is written to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub(crate) seq: u64,
    /// Bytes that are allocated and not written.
    pub(crate) unused: u64,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) segments: HashMap<u64, Segment>,
    pub(crate) open: Option<Open>,
    pub(crate) index: HashMap<SpoolId, Slot>,
    /// The records of the index by hospital, the oldest first.
    by_age: BTreeMap<HospitalId, BTreeSet<(i64, SpoolId)>>,
    pub(crate) arrivals: Vec<SpooledInstance>,
    /// Records that are whole and that no key opened when the spool was.
    pub(crate) unreadable: u64,
    /// Segments nobody needs whose files could not be removed yet.
    pub(crate) leftover: Vec<Detached>,
}

impl State {
    pub(crate) fn insert(&mut self, id: SpoolId, slot: Slot, hospital: &HospitalId) {
        let own = self.by_age.entry(hospital.clone()).or_default();
        own.insert((slot.received_at_ms, id));
        self.index.insert(id, slot);
    }

    pub(crate) fn remove(&mut self, id: &SpoolId) -> Option<Slot> {
        let slot = self.index.remove(id)?;
        let place = (slot.received_at_ms, *id);
        // Hospitals are few.
        self.by_age.values_mut().find_map(|own| own.remove(&place).then_some(()));
        Some(slot)
    }

    /// Forgets announced receipts that were finished untaken, once they are most of the list: it
    /// never holds many more than there are pending records.
    pub(crate) fn trim_arrivals(&mut self) {
        if self.arrivals.len() > ARRIVALS_SLACK + 2 * self.index.len() {
            self.arrivals.retain(|instance| self.index.contains_key(&instance.id()));
        }
    }

    pub(crate) fn oldest(&self) -> Option<i64> {
        self.waiting().filter_map(|(_, own)| own.oldest_received_at_ms).min()
    }

    /// What waits of every hospital that something was received of.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&HospitalId, Waiting)> {
        self.by_age.iter().map(|(hospital, own)| {
            let at = |place: Option<&(i64, SpoolId)>| place.map(|(at, _)| *at);
            let waiting = Waiting {
                instances: own.len() as u64,
                oldest_received_at_ms: at(own.first()),
                newest_received_at_ms: at(own.last()),
            };
            (hospital, waiting)
        })
    }
}

/// What the spool's handles, its receivings and its committer share.
pub(crate) struct Shared {
    pub(crate) config: SpoolConfig,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) keys: Arc<dyn SpoolKeys>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) used: Arc<AtomicU64>,
    /// This run of the system.
    pub(crate) boot: [u8; 16],
    pub(crate) aside: AsideFolder,
    large_log: Mutex<LargeLog>,
    state: Mutex<State>,
    buffers: Mutex<Vec<Vec<u8>>>,
    // Fields drop in this order: who sees the channel end may open the folder again.
    /// Held for as long as the spool is open.
    _lock: FolderLock,
    pub(crate) wake: Sender<()>,
}

impl Shared {
    pub(crate) fn new(
        config: SpoolConfig,
        disk: Arc<dyn Disk>,
        keys: Arc<dyn SpoolKeys>,
        entropy: Arc<dyn Entropy>,
        wake: Sender<()>,
        (lock, large_log): (FolderLock, LargeLog),
    ) -> Self {
        Self {
            boot: log::boot(),
            aside: AsideFolder::of(&config.dir),
            large_log: Mutex::new(large_log),
            config,
            disk,
            keys,
            entropy,
            used: Arc::new(AtomicU64::new(0)),
            wake,
            state: Mutex::new(State::default()),
            buffers: Mutex::new(Vec::new()),
            _lock: lock,
        }
    }

    /// The state. A thread that panicked while it held the lock left it consistent: every change is
    /// a few assignments.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log of records in files of their own.
    pub(crate) fn large_log(&self) -> MutexGuard<'_, LargeLog> {
        self.large_log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn segments_folder(&self) -> PathBuf {
        self.config.dir.join("segments")
    }

    pub(crate) fn large_folder(&self) -> PathBuf {
        self.config.dir.join("large")
    }

    pub(crate) fn segment_path(&self, seq: u64, extension: &str) -> PathBuf {
        self.segments_folder().join(format!("{seq:016x}.{extension}"))
    }

    pub(crate) fn large_path(&self, id: &SpoolId, extension: &str) -> PathBuf {
        self.large_folder().join(format!("{id}.{extension}"))
    }

    /// Refuses when the disk would have less than the configured space left.
    pub(crate) fn check_disk(&self) -> Result<(), SpoolError> {
        if self.spare_bytes()? == 0 {
            return Err(SpoolError::Full(FullCause::DiskSpace));
        }
        Ok(())
    }

    /// Free bytes beyond those that must stay free.
    pub(crate) fn spare_bytes(&self) -> Result<u64, SpoolError> {
        let folder: &Path = &self.config.dir;
        let free = self.disk.free_bytes(folder);
        let free = free.map_err(|error| SpoolError::io("ask for the disk's free space", error))?;
        Ok(free.saturating_sub(self.config.min_free_bytes))
    }

    /// Refuses when the spool is at a limit before a byte has come. What is allocated in the
    /// segment that is written to is room as well.
    pub(crate) fn check_room(&self) -> Result<(), SpoolError> {
        if self.used.load(Ordering::Relaxed) >= self.config.max_bytes {
            return Err(SpoolError::Full(FullCause::MaxBytes));
        }
        let state = self.state();
        if state.index.len() >= self.config.max_pending {
            return Err(SpoolError::Full(FullCause::MaxPending));
        }
        let unused = state.open.map_or(0, |open| open.unused);
        drop(state);
        if unused > 0 { Ok(()) } else { self.check_disk() }
    }

    /// Refuses when there is room only for those who are sending already.
    pub(crate) fn check_admission(&self) -> Result<(), SpoolError> {
        let (used, max) = (self.used.load(Ordering::Relaxed), self.config.max_bytes);
        let state = self.state();
        let unused = state.open.map_or(0, |open| open.unused);
        let places = self.config.max_pending.saturating_sub(state.index.len());
        drop(state);
        if places <= self.config.max_pending / KEPT_SHARE {
            return Err(SpoolError::Full(FullCause::MaxPending));
        }
        let spare = self.spare_bytes()?.saturating_add(unused);
        let below_max = max.saturating_sub(used);
        let whole = max.min(used.saturating_add(spare));
        let kept = (whole / KEPT_SHARE as u64).max(KEPT_BYTES.min(max / 4));
        if below_max.min(spare) <= kept {
            let cause = if spare < below_max { FullCause::DiskSpace } else { FullCause::MaxBytes };
            return Err(SpoolError::Full(cause));
        }
        Ok(())
    }

    pub(crate) fn reservation(&self) -> Reservation {
        Reservation { used: Arc::clone(&self.used), max: self.config.max_bytes, bytes: 0 }
    }

    pub(crate) fn take_buffer(&self) -> Vec<u8> {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    pub(crate) fn give_buffer(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < POOLED_BUFFERS && buffer.capacity() > 0 {
            buffers.push(buffer);
        }
    }

    /// Tells the pipeline that there is something to take. One waiting wake-up is enough.
    pub(crate) fn announce(&self) {
        let _already_awake = self.wake.try_send(());
    }

    /// Takes a segment out of the state if nothing keeps it, and says what it counted for.
    pub(crate) fn detach_if_empty(state: &mut State, seq: u64) -> Option<Detached> {
        let segment = state.segments.get(&seq)?;
        if segment.live > 0 || segment.writing {
            return None;
        }
        let segment = state.segments.remove(&seq)?;
        state.open = state.open.filter(|open| open.seq != seq);
        Some(Detached { seq, written: segment.written })
    }

    /// Removes a detached segment's files and gives its bytes back. Readers that have the file open
    /// keep reading: its blocks go when the last of them ends.
    pub(crate) fn remove_segment(&self, gone: Detached) {
        let removed = self.disk.remove(&self.segment_path(gone.seq, "seg"));
        // The segment must be gone for good before its log goes: without the log its records would
        // be pending again.
        let removed = removed.and_then(|()| self.disk.sync_folder(&self.segments_folder()));
        if let Err(error) = removed {
            tracing::warn!(kind = ?error.kind(), "a finished spool segment is not removed yet");
            self.state().leftover.push(gone);
            return;
        }
        if let Err(error) = self.disk.remove(&self.segment_path(gone.seq, "log")) {
            tracing::warn!(kind = ?error.kind(), "a spool segment's log is left over");
        }
        self.used.fetch_sub(gone.written, Ordering::Relaxed);
    }
}

/// A segment that nothing needs any more.
pub(crate) struct Detached {
    pub(crate) seq: u64,
    pub(crate) written: u64,
}

/// Bytes of the spool's limit that one instance on its way holds; given back when dropped.
pub(crate) struct Reservation {
    used: Arc<AtomicU64>,
    max: u64,
    bytes: u64,
}

impl Reservation {
    /// Holds at least this much.
    pub(crate) fn grow_to(&mut self, bytes: u64) -> Result<(), SpoolError> {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else {
            return Ok(());
        };
        let max = self.max;
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(more).filter(|total| *total <= max)
        });
        taken.map_err(|_| SpoolError::Full(FullCause::MaxBytes))?;
        self.bytes = bytes;
        Ok(())
    }

    /// The bytes are a durable record's now: they stay counted until it is finished.
    pub(crate) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
