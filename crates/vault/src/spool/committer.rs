//! The one thread that appends records to segments: it gathers everything that waits, writes it,
//! makes it durable with one fdatasync, and only then lets the waiting receivers go.

use super::SpooledInstance;
use super::log::{LogWriter, append_done};
use super::record::{self, ALIGN, HEADER, RecordHeader};
use super::state::{Open, Place, Reservation, Segment, Shared, Slot};
use crate::error::{FullCause, SpoolError};
use crossbeam_channel::{Receiver, Sender};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Most records that one fdatasync covers.
const MAX_BATCH_RECORDS: usize = 256;
/// Most bytes that one fdatasync covers, so that the first waiter does not wait for a long write.
const MAX_BATCH_BYTES: usize = 32 * 1024 * 1024;

/// A segment takes at most one part in so many of the disk's free space at once: the rest stays for
/// records in files of their own, and for whoever shares the disk.
const ALLOCATED_SHARE: u64 = 4;

/// One finished record that waits to become durable.
pub(crate) struct CommitRequest {
    /// The whole record, padded, with room for the header in front.
    pub(crate) record: Vec<u8>,
    /// The header but for batch and container, which the committer knows.
    pub(crate) header: RecordHeader,
    /// The receipt to be given out.
    pub(crate) instance: SpooledInstance,
    /// The bytes held for the record.
    pub(crate) reservation: Reservation,
    /// Where the waiter listens.
    pub(crate) reply: Sender<Result<(), SpoolError>>,
}

/// The segment that is written to. Its file is held by the state alone, so that a segment that is
/// drained and removed gives its space back at once.
struct Active {
    seq: u64,
    id: [u8; 16],
    log: LogWriter,
    end: u64,
    capacity: u64,
    batch: u64,
}

pub(crate) struct Committer {
    shared: Arc<Shared>,
    requests: Receiver<CommitRequest>,
    active: Option<Active>,
    next_seq: u64,
}

impl Committer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        requests: Receiver<CommitRequest>,
        next_seq: u64,
    ) -> Self {
        Self { shared, requests, active: None, next_seq }
    }

    /// Works until nobody can send a request any more.
    pub(crate) fn run(mut self) {
        while let Ok(first) = self.requests.recv() {
            let mut bytes = first.record.len();
            let mut batch = vec![first];
            while batch.len() < MAX_BATCH_RECORDS && bytes < MAX_BATCH_BYTES {
                let Ok(request) = self.requests.try_recv() else { break };
                bytes += request.record.len();
                batch.push(request);
            }
            while !batch.is_empty() {
                batch = self.commit(batch);
            }
        }
        if let Some(mut active) = self.active.take() {
            self.close(&mut active);
        }
        if let Err(error) = self.shared.large_log().sync(self.shared.disk.as_ref()) {
            tracing::warn!(kind = ?error.kind(), "the spool's log of large records is not synced");
        }
    }

    /// Commits as much of a batch as fits the segment, and gives back the rest.
    fn commit(&mut self, mut batch: Vec<CommitRequest>) -> Vec<CommitRequest> {
        let first = batch.first().map_or(0, |request| request.record.len() as u64);
        let (mut active, file) = match self.segment_for(first) {
            Ok(found) => found,
            Err(error) => {
                fail(batch, &error);
                return Vec::new();
            }
        };
        let mut end = active.end;
        let fits = batch.iter().take_while(|request| {
            end += request.record.len() as u64;
            end <= active.capacity
        });
        let rest = batch.split_off(fits.count());
        active.batch += 1;
        match self.write(&mut active, &file, &mut batch) {
            Ok(end) => {
                self.publish(&mut active, end, batch);
                self.active = Some(active);
            }
            Err(error) => {
                self.abandon(active, &file, &batch);
                fail(batch, &error);
            }
        }
        rest
    }

    /// The segment to write the next record to, marked as being written.
    fn segment_for(&mut self, bytes: u64) -> Result<(Active, Arc<File>), SpoolError> {
        if let Some(mut active) = self.active.take() {
            let mut state = self.shared.state();
            if let Some(segment) = state.segments.get_mut(&active.seq) {
                if active.end + bytes <= active.capacity {
                    segment.writing = true;
                    return Ok((active, Arc::clone(&segment.file)));
                }
                drop(state);
                self.close(&mut active);
            }
        }
        self.create(bytes)
    }

    /// Makes a new segment: its log first; then the segment, written and allocated under a
    /// temporary name and renamed, so that its name always has a whole header and a log behind it.
    fn create(&mut self, bytes: u64) -> Result<(Active, Arc<File>), SpoolError> {
        let shared = &self.shared;
        let needed = ALIGN as u64 + bytes;
        let spare = shared.spare_bytes()?;
        if spare < needed {
            return Err(SpoolError::Full(FullCause::DiskSpace));
        }
        let share = spare / ALLOCATED_SHARE;
        let share = share - share % ALIGN as u64;
        let capacity = shared.config.segment_bytes.min(share).max(needed);
        let seq = self.next_seq;
        self.next_seq += 1;
        let mut id = [0; 16];
        shared.entropy.fill(&mut id);
        let (file, log) = self.create_files(seq, id, capacity)?;
        let file = Arc::new(file);
        let written = ALIGN as u64;
        shared.used.fetch_add(written, Ordering::Relaxed);
        let segment = Segment { id, file: Arc::clone(&file), written, live: 0, writing: true };
        let mut state = shared.state();
        state.segments.insert(seq, segment);
        state.open = Some(Open { seq, unused: capacity - written });
        drop(state);
        Ok((Active { seq, id, log, end: written, capacity, batch: 0 }, file))
    }

    fn create_files(
        &self,
        seq: u64,
        id: [u8; 16],
        capacity: u64,
    ) -> Result<(File, LogWriter), SpoolError> {
        let shared = &self.shared;
        let [temporary, path, log] =
            ["tmp", "seg", "log"].map(|extension| shared.segment_path(seq, extension));
        let made = || {
            let disk = shared.disk.as_ref();
            let log = LogWriter::create(disk, &log, id, shared.boot)?;
            let file = disk.create(&temporary)?;
            disk.allocate(&file, capacity)?;
            disk.write_at(&file, &record::segment_header(&id), 0)?;
            disk.sync(&file)?;
            disk.rename(&temporary, &path)?;
            disk.sync_folder(&shared.segments_folder())?;
            Ok((file, log))
        };
        made().map_err(|error| {
            let swept = [&temporary, &path, &log].map(|path| shared.disk.remove(path));
            if let Some(Err(error)) = swept.into_iter().find(Result::is_err) {
                tracing::warn!(kind = ?error.kind(), "an empty spool segment is left over");
            }
            SpoolError::io("make a spool segment", error)
        })
    }

    /// Writes a batch and makes it durable; gives the segment's new end.
    fn write(
        &self,
        active: &mut Active,
        file: &File,
        batch: &mut [CommitRequest],
    ) -> Result<u64, SpoolError> {
        let disk = self.shared.disk.as_ref();
        let mut end = active.end;
        let records = batch.len() as u64;
        for request in batch {
            request.header.batch = active.batch;
            request.header.container = active.id;
            request.record[..HEADER].copy_from_slice(&request.header.encode());
            let written = disk.write_at(file, &request.record, end);
            written.map_err(|error| SpoolError::io("write to a spool segment", error))?;
            end += request.record.len() as u64;
        }
        disk.sync(file).map_err(|error| SpoolError::io("make a spool segment durable", error))?;
        // Before anybody is told: what the mark covers is known to have been durable.
        let marked = active.log.batch(disk, active.batch, end, records);
        marked.map_err(|error| SpoolError::io("write a spool segment's log", error))?;
        Ok(end)
    }

    /// The batch is durable: its records are pending from here on, and their waiters go.
    fn publish(&self, active: &mut Active, end: u64, batch: Vec<CommitRequest>) {
        let mut offset = active.end;
        let mut replies = Vec::with_capacity(batch.len());
        let mut state = self.shared.state();
        for request in batch {
            let record_len = request.record.len() as u64;
            let slot = Slot {
                place: Place::Segment { seq: active.seq, offset },
                body_len: request.header.body_len,
                record_len,
                received_at_ms: request.instance.meta().received_at_ms,
            };
            state.insert(request.header.id, slot, &request.instance.meta().hospital);
            state.arrivals.push(request.instance);
            request.reservation.keep();
            offset += record_len;
            replies.push((request.reply, request.record));
        }
        if let Some(segment) = state.segments.get_mut(&active.seq) {
            segment.live += replies.len() as u64;
            segment.written = end;
            segment.writing = false;
        }
        state.open = Some(Open { seq: active.seq, unused: active.capacity - end });
        drop(state);
        active.end = end;
        self.shared.announce();
        for (reply, buffer) in replies {
            // The waiter waits without a limit of time, so it can only be gone with its process.
            let _waiter = reply.send(Ok(()));
            self.shared.give_buffer(buffer);
        }
    }

    /// After a failed write or sync nothing is known about what the kernel still holds: the segment
    /// is never written again, and the failed batch is cut off, or else noted as done, so that it
    /// does not come back beside the sender's second try.
    fn abandon(&self, mut active: Active, file: &File, failed: &[CommitRequest]) {
        let disk = self.shared.disk.as_ref();
        let cut = disk.truncate(file, active.end).and_then(|()| disk.sync(file));
        let cut = cut.and_then(|()| self.close_log(&mut active)).or_else(|_| {
            let path = self.shared.segment_path(active.seq, "log");
            let ids: Vec<_> = failed.iter().map(|request| request.header.id).collect();
            append_done(disk, &path, &active.id, &ids)
        });
        match cut {
            Ok(()) => tracing::error!(
                records = failed.len(),
                "a spool segment was abandoned after a disk error; its last batch was refused"
            ),
            Err(error) => tracing::error!(
                records = failed.len(),
                kind = ?error.kind(),
                "a spool segment was abandoned after a disk error; refused records may come back"
            ),
        }
        self.release(&active);
    }

    /// A segment that is written no more says so, and gives back what was allocated beyond its end.
    fn close(&self, active: &mut Active) {
        let file = self.shared.state().segments.get(&active.seq).map(|one| Arc::clone(&one.file));
        let Some(file) = file else { return };
        let closed = self.close_log(active);
        let closed = closed.and_then(|()| self.shared.disk.truncate(&file, active.end));
        if let Err(error) = closed {
            tracing::warn!(kind = ?error.kind(), "a full spool segment keeps its unused space");
        }
        self.release(active);
    }

    fn close_log(&self, active: &mut Active) -> io::Result<()> {
        active.log.close(self.shared.disk.as_ref())
    }

    fn release(&self, active: &Active) {
        let mut state = self.shared.state();
        if let Some(segment) = state.segments.get_mut(&active.seq) {
            segment.writing = false;
        }
        state.open = state.open.filter(|open| open.seq != active.seq);
        let gone = Shared::detach_if_empty(&mut state, active.seq);
        drop(state);
        if let Some(gone) = gone {
            self.shared.remove_segment(gone);
        }
    }
}

fn fail(batch: Vec<CommitRequest>, error: &SpoolError) {
    for request in batch {
        drop(request.reservation);
        let _waiter = request.reply.send(Err(error.again()));
    }
}
