//! One segment, when the spool is opened.

use super::{Recovered, Taken, check_version, failed, take};
use crate::error::SpoolError;
use crate::spool::aside::{Finding, SetAside, derived_id};
use crate::spool::log::{Log, LogWriter, Mark, append_done};
use crate::spool::record::{self, ALIGN, RecordHeader};
use crate::spool::scan::{self, Fragment, Part};
use crate::spool::state::{Place, Segment, Shared};
use crate::spool::{SpoolId, settle};
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A segment under recovery.
struct Look<'a> {
    shared: &'a Shared,
    seq: u64,
    id: [u8; 16],
    file: Arc<File>,
    done: HashSet<SpoolId>,
    mark: Option<Mark>,
    /// What was written up to here was durable.
    durable_end: u64,
    /// The system still runs that wrote the mark: what it does not cover was not acknowledged.
    certain: bool,
    /// The last batch of which there is a record.
    last: u64,
    /// Records that keep the segment.
    live: u64,
    /// Where the last record ends that was written whole.
    end: u64,
}

/// What is to be done with a part of a segment.
enum Fate {
    Keep,
    /// It was never acknowledged, or holds nothing.
    Drop,
    Aside(Finding),
}

/// Reads a segment into the shared state, and closes it: it is never written to again.
pub(super) fn recover(shared: &Shared, seq: u64, found: &mut Recovered) -> Result<(), SpoolError> {
    let Some(mut look) = Look::new(shared, seq)? else { return whole_file_aside(shared, seq) };
    let mut parts = scan::parts(&look.file, &look.id).map_err(failed)?;
    look.last = parts.iter().map(batch_of).max().unwrap_or(0).max(look.mark_batch());
    look.add_missing_end(&mut parts);
    for at in 0..parts.len() {
        match parts[at] {
            Part::Record { header, offset } => look.record(&header, offset, found)?,
            Part::Hole { start, end, blank } => {
                let next = parts.get(at + 1).map(batch_of);
                look.hole((start, end), blank, next, found)?;
            }
        }
    }
    look.close()
}

fn batch_of(part: &Part) -> u64 {
    match part {
        Part::Record { header, .. } => header.batch,
        Part::Hole { .. } => 0,
    }
}

/// Nothing in the file says what it is, and neither does a log: it is kept as it is.
fn whole_file_aside(shared: &Shared, seq: u64) -> Result<(), SpoolError> {
    let path = shared.segment_path(seq, "seg");
    let id = derived_id(&[], "segment", seq);
    let found = SetAside::new(id, Finding::Damaged, format!("segments/{seq:016x}.seg"), 0);
    let bytes = path.metadata().map_err(failed)?.len();
    settle::note(shared, &SetAside { bytes, ..found })?;
    let moved = shared.disk.rename(&path, &shared.aside.bytes_path(&id));
    moved
        .and_then(|()| shared.disk.sync_folder(shared.aside.path()))
        .and_then(|()| shared.disk.sync_folder(&shared.segments_folder()))
        .and_then(|()| shared.disk.remove(&shared.segment_path(seq, "log")))
        .map_err(failed)
}

impl<'a> Look<'a> {
    /// Opens a segment; none where nothing says which one it is.
    fn new(shared: &'a Shared, seq: u64) -> Result<Option<Self>, SpoolError> {
        let path = shared.segment_path(seq, "seg");
        let file = File::options().read(true).write(true).open(&path).map_err(failed)?;
        let mut head = [0; 64];
        let stated = match file.read_exact_at(&mut head, 0) {
            Ok(()) => record::segment_id(&head),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(failed(error)),
        };
        check_version(shared, &head)?;
        let log = Log::read(&shared.segment_path(seq, "log"))?;
        let marked = log.as_ref().and_then(|log| log.mark);
        let id = match (stated, marked) {
            (Some(id), _) => Some(id),
            (None, Some(mark)) => Some(mark.segment),
            (None, None) => scan::id_from_records(&file).map_err(failed)?,
        };
        let Some(id) = id else { return Ok(None) };
        let mark = marked.filter(|mark| mark.segment == id);
        let look = Self {
            shared,
            seq,
            id,
            file: Arc::new(file),
            done: log.map(|log| log.done(&id)).unwrap_or_default(),
            mark,
            durable_end: mark.map_or(ALIGN as u64, |mark| mark.end),
            certain: mark.is_some_and(|mark| {
                mark.closed || (mark.boot == shared.boot && mark.boot != [0; 16])
            }),
            last: 0,
            live: 0,
            end: ALIGN as u64,
        };
        // A log that is lost is made anew, so that what follows can be noted in it.
        look.log_writer()?;
        if stated.is_none() {
            look.mended("segment-header", 0, None)?;
        }
        Ok(Some(look))
    }

    fn mark_batch(&self) -> u64 {
        self.mark.map_or(0, |mark| mark.batch)
    }

    fn name(&self) -> String {
        format!("segments/{:016x}.seg", self.seq)
    }

    fn log_writer(&self) -> Result<LogWriter, SpoolError> {
        let (shared, path) = (self.shared, self.shared.segment_path(self.seq, "log"));
        let disk = shared.disk.as_ref();
        LogWriter::open(disk, &path, self.mark, self.id).map_err(failed)
    }

    /// Where the file ends before what was durable does, the rest is missing.
    fn add_missing_end(&self, parts: &mut Vec<Part>) {
        let reached = match parts.last() {
            Some(Part::Record { header, offset }) => offset + record::aligned(header.record_len()),
            Some(Part::Hole { end, .. }) => *end,
            None => ALIGN as u64,
        };
        if reached >= self.durable_end {
            return;
        }
        match parts.last_mut() {
            Some(Part::Hole { end, .. }) => *end = self.durable_end,
            _ => {
                parts.push(Part::Hole { start: reached, end: self.durable_end, blank: true });
            }
        }
    }

    fn record(
        &mut self,
        header: &RecordHeader,
        offset: u64,
        found: &mut Recovered,
    ) -> Result<(), SpoolError> {
        let record_len = record::aligned(header.record_len());
        match self.fate(header, offset)? {
            Fate::Drop => {
                found.torn += 1;
                return Ok(());
            }
            Fate::Aside(finding) => return self.aside_record(header, offset, finding),
            Fate::Keep => {}
        }
        self.end = self.end.max(offset + record_len);
        if self.done.contains(&header.id) {
            return Ok(());
        }
        let place = Place::Segment { seq: self.seq, offset };
        match take(self.shared, &self.file, header, (place, offset, record_len), found)? {
            Taken::Pending | Taken::Waits => self.live += 1,
            Taken::Damaged => self.aside_record(header, offset, Finding::Damaged)?,
        }
        Ok(())
    }

    /// A batch was begun only when the one before was durable: of what the mark does not cover,
    /// only the last batch can be incomplete.
    fn fate(&self, header: &RecordHeader, offset: u64) -> Result<Fate, SpoolError> {
        if header.batch < self.last || self.done.contains(&header.id) {
            return Ok(Fate::Keep);
        }
        if scan::is_whole(&self.file, header, offset).map_err(failed)? {
            return Ok(Fate::Keep);
        }
        Ok(if offset < self.durable_end {
            Fate::Aside(Finding::Damaged)
        } else if self.certain {
            Fate::Drop
        } else {
            Fate::Aside(Finding::InDoubt)
        })
    }

    fn aside_record(
        &mut self,
        header: &RecordHeader,
        offset: u64,
        finding: Finding,
    ) -> Result<(), SpoolError> {
        let end = offset + record::aligned(header.record_len());
        self.end = self.end.max(end);
        let parts = scan::fragments(&self.file, offset, end).map_err(failed)?;
        let owner = parts.into_iter().next().and_then(|part| part.owner);
        let part = Fragment { start: offset, end, owner };
        self.aside(header.id, &part, finding)
    }

    /// Keeps a part aside. Where that fails, the segment stays until the next start.
    fn aside(&mut self, id: SpoolId, part: &Fragment, finding: Finding) -> Result<(), SpoolError> {
        if self.done.contains(&id) {
            return Ok(());
        }
        let mut found = SetAside::new(id, finding, self.name(), part.start);
        found.hospital = part.owner.clone().map(|(_, hospital)| hospital);
        let kept = settle::fragment(self.shared, (self.seq, &self.id), &self.file, part, found);
        if let Err(error) = kept {
            tracing::error!(segment = self.seq, "damage cannot be set aside yet: {error}");
            self.live += 1;
        }
        Ok(())
    }

    /// Pages that hold no record that can be read.
    fn hole(
        &mut self,
        (start, end): (u64, u64),
        blank: bool,
        next: Option<u64>,
        found: &mut Recovered,
    ) -> Result<(), SpoolError> {
        let covered = end.min(self.durable_end);
        if start < covered {
            self.lost((start, covered), blank, Finding::Damaged, found)?;
        }
        let behind = start.max(self.durable_end);
        if behind >= end || (blank && next.is_none()) {
            return Ok(());
        }
        match next {
            _ if self.certain => found.torn += u64::from(!blank),
            Some(batch) if batch < self.last => {
                self.lost((behind, end), blank, Finding::Damaged, found)?;
            }
            _ => self.lost((behind, end), blank, Finding::InDoubt, found)?,
        }
        Ok(())
    }

    /// Looks for records in a hole whose headers alone were changed, and keeps the rest aside.
    fn lost(
        &mut self,
        (start, end): (u64, u64),
        blank: bool,
        finding: Finding,
        found: &mut Recovered,
    ) -> Result<(), SpoolError> {
        self.end = self.end.max(end);
        let finding = if blank && finding == Finding::Damaged { Finding::Missing } else { finding };
        for part in scan::fragments(&self.file, start, end).map_err(failed)? {
            let id = match &part.owner {
                Some((id, _)) => *id,
                None => derived_id(&self.id, "hole", part.start),
            };
            if self.done.contains(&id) {
                continue;
            }
            let opens = |id, sealed: &[u8]| settle::opens(self.shared, id, sealed);
            let header = scan::rebuild(&self.file, &part, self.id, opens).map_err(failed)?;
            let Some(header) = header else {
                self.aside(id, &part, finding)?;
                continue;
            };
            self.mended("header", part.start, part.owner.clone().map(|(_, hospital)| hospital))?;
            let place = Place::Segment { seq: self.seq, offset: part.start };
            let record_len = part.end - part.start;
            match take(self.shared, &self.file, &header, (place, part.start, record_len), found)? {
                Taken::Pending | Taken::Waits => {
                    self.live += 1;
                }
                Taken::Damaged => self.aside(id, &part, finding)?,
            }
        }
        Ok(())
    }

    /// Notes once that something was changed without a loss.
    fn mended(
        &self,
        what: &str,
        offset: u64,
        hospital: Option<scanveil_model::HospitalId>,
    ) -> Result<(), SpoolError> {
        let id = derived_id(&self.id, what, offset);
        if self.done.contains(&id) {
            return Ok(());
        }
        let found = SetAside::new(id, Finding::Mended, self.name(), offset);
        settle::note(self.shared, &SetAside { hospital, instances: 0, ..found })?;
        let path = self.shared.segment_path(self.seq, "log");
        append_done(self.shared.disk.as_ref(), &path, &self.id, &[id]).map_err(failed)
    }

    /// Cuts what was allocated behind the last record, and says in the log what there is.
    fn close(self) -> Result<(), SpoolError> {
        let shared = self.shared;
        let bytes = self.file.metadata().map_err(failed)?.len();
        let closed = self.mark.is_some_and(|mark| mark.closed && mark.end == self.end);
        if bytes > self.end {
            shared.disk.truncate(&self.file, self.end).map_err(failed)?;
        }
        if !closed {
            shared.disk.sync(&self.file).map_err(failed)?;
            let mut log = self.log_writer()?;
            // What is done, and what was set aside, has an entry in the log.
            let read = Log::read(&shared.segment_path(self.seq, "log"))?;
            let done = read.map_or(0, |log| log.done(&self.id).len() as u64);
            let disk = shared.disk.as_ref();
            log.close_at(disk, self.last, self.end, self.live + done).map_err(failed)?;
        }
        shared.used.fetch_add(self.end, Ordering::Relaxed);
        let entry = Segment {
            id: self.id,
            file: self.file,
            written: self.end,
            live: self.live,
            writing: false,
        };
        let mut state = shared.state();
        state.segments.insert(self.seq, entry);
        let gone = Shared::detach_if_empty(&mut state, self.seq);
        drop(state);
        if let Some(gone) = gone {
            shared.remove_segment(gone);
        }
        Ok(())
    }
}
