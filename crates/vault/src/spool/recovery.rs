//! What lies in the spool's folder when it is opened: finds exactly the complete records that are
//! not done, and sweeps what an interrupted process left.

use super::record::{self, ALIGN, HEADER, RecordHeader};
use super::state::{Place, Segment, Shared, Slot};
use super::{SpoolId, SpooledInstance, sealing};
use crate::error::SpoolError;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How many bytes are looked at together when searching for the next record.
const SCAN_BYTES: usize = 1024 * 1024;

fn failed(error: io::Error) -> SpoolError {
    SpoolError::io("read the spool", error)
}

/// What recovery found.
#[derive(Default)]
pub(crate) struct Recovered {
    /// Complete records that are not done, oldest first.
    pub(crate) pending: Vec<SpooledInstance>,
    /// The number the next segment takes.
    pub(crate) next_seq: u64,
    /// Records of a last batch that was never acknowledged, because it was not written to its end.
    torn: u64,
    unreadable: u64,
    damaged: u64,
}

/// Reads the whole spool into the shared state.
pub(crate) fn recover(shared: &Shared) -> Result<Recovered, SpoolError> {
    let mut found = Recovered::default();
    let mut segments = Vec::new();
    let mut done = HashSet::new();
    for path in list(&shared.segments_folder())? {
        let seq = stem(&path).and_then(|stem| u64::from_str_radix(stem, 16).ok());
        let (Some(seq), Some(kind)) = (seq, path.extension().and_then(|text| text.to_str())) else {
            continue;
        };
        found.next_seq = found.next_seq.max(seq + 1);
        match kind {
            "seg" => segments.push(seq),
            "done" => _ = done.insert(seq),
            "tmp" => shared.disk.remove(&path).map_err(failed)?,
            _ => {}
        }
    }
    segments.sort_unstable();
    for seq in &segments {
        segment(shared, *seq, &mut found)?;
        done.remove(seq);
    }
    for orphan in done {
        shared.disk.remove(&shared.segment_path(orphan, "done")).map_err(failed)?;
    }
    for path in list(&shared.large_folder())? {
        large(shared, &path, &mut found)?;
    }
    found.pending.sort_by_key(|instance| (instance.meta().received_at_ms, instance.id()));
    shared.state().unreadable = found.unreadable;
    tracing::info!(
        pending = found.pending.len(),
        unacknowledged = found.torn,
        unreadable = found.unreadable,
        damaged = found.damaged,
        "the spool is open"
    );
    Ok(found)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, SpoolError> {
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
}

fn stem(path: &Path) -> Option<&str> {
    path.file_stem()?.to_str()
}

/// A record of a segment and where it begins.
struct Found {
    header: RecordHeader,
    offset: u64,
    /// Bytes that are neither empty nor a record lie before it.
    after_gap: bool,
}

fn segment(shared: &Shared, seq: u64, found: &mut Recovered) -> Result<(), SpoolError> {
    let path = shared.segment_path(seq, "seg");
    let file = File::options().read(true).write(true).open(&path).map_err(failed)?;
    let mut head = [0; 64];
    let id = match file.read_exact_at(&mut head, 0) {
        Ok(()) => record::segment_id(&head),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(error) => return Err(failed(error)),
    };
    check_version(shared, &head)?;
    let Some(id) = id else {
        // A segment gets its name only with a whole header, so this one was damaged later.
        found.damaged += 1;
        tracing::error!(segment = seq, "a spool segment's header is damaged; it is put aside");
        return shared.disk.rename(&path, &shared.segment_path(seq, "damaged")).map_err(failed);
    };
    let records = scan(&file, &id).map_err(failed)?;
    let last = records.iter().map(|found| found.header.batch).max().unwrap_or(0);
    // A batch is begun only when the one before it is durable. Only the last can be incomplete.
    let damaged = records.iter().any(|found| found.after_gap && found.header.batch < last);
    if damaged {
        found.damaged += 1;
        tracing::error!(segment = seq, "a part of a spool segment is damaged; it will be kept");
    }
    let done = done_of(shared, seq, &id)?;
    let mut entry = Segment {
        id,
        file: Arc::new(file),
        written: ALIGN as u64,
        live: 0,
        writing: false,
        damaged,
    };
    for Found { header, offset, .. } in records {
        if header.batch == last && !complete(&entry.file, &header, offset).map_err(failed)? {
            found.torn += 1;
            continue;
        }
        let record_len = record::aligned(header.record_len());
        entry.written = entry.written.max(offset + record_len);
        if done.contains(&header.id) {
            continue;
        }
        entry.live += 1;
        let place = Place::Segment { seq, offset };
        take(shared, &entry.file, &header, (place, offset, record_len), found)?;
    }
    if !damaged {
        shared.disk.truncate(&entry.file, entry.written).map_err(failed)?;
    }
    shared.used.fetch_add(entry.written, Ordering::Relaxed);
    let mut state = shared.state();
    state.segments.insert(seq, entry);
    let gone = Shared::detach_if_empty(&mut state, seq);
    drop(state);
    if let Some(gone) = gone {
        shared.remove_segment(gone);
    }
    Ok(())
}

/// Every record header of a segment in order. Skips over whatever is none, page by page, so that
/// one unreadable record does not hide those behind it.
fn scan(file: &File, id: &[u8; 16]) -> io::Result<Vec<Found>> {
    let end = file.metadata()?.len();
    let mut records = Vec::new();
    let mut offset = ALIGN as u64;
    let mut after_gap = false;
    let mut window = Window { start: 0, bytes: Vec::new() };
    while offset + HEADER as u64 <= end {
        let page = window.page(file, offset, end)?;
        let header = page.first_chunk::<HEADER>().and_then(|head| RecordHeader::decode(head, id));
        match header {
            Some(header) if header.record_len() <= end - offset => {
                records.push(Found { header, offset, after_gap });
                after_gap = false;
                offset += record::aligned(header.record_len());
            }
            _ => {
                after_gap |= page.iter().any(|byte| *byte != 0);
                offset += ALIGN as u64;
            }
        }
    }
    Ok(records)
}

/// A part of a file held in memory, so that a search over empty pages is not a read per page.
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// The page at an offset, or what the file has of it. A jump over a record reads one page, a
    /// step to the next page the whole window.
    fn page(&mut self, file: &File, offset: u64, end: u64) -> io::Result<&[u8]> {
        let stop = self.start + self.bytes.len() as u64;
        let page_end = (offset + ALIGN as u64).min(end);
        if offset < self.start || page_end > stop {
            let want = if offset == stop && stop > 0 { SCAN_BYTES } else { ALIGN };
            let want = usize::try_from(end - offset).unwrap_or(usize::MAX).min(want);
            self.bytes.resize(want, 0);
            file.read_exact_at(&mut self.bytes, offset)?;
            self.start = offset;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(0);
        Ok(&self.bytes[from..(from + ALIGN).min(self.bytes.len())])
    }
}

/// Whether a record's bytes are those its header was made for.
fn complete(file: &File, header: &RecordHeader, offset: u64) -> io::Result<bool> {
    let bytes = header.record_len() - HEADER as u64;
    Ok(record::digest_of(file, offset + HEADER as u64, bytes)? == header.digest)
}

fn done_of(shared: &Shared, seq: u64, id: &[u8; 16]) -> Result<HashSet<SpoolId>, SpoolError> {
    match fs::read(shared.segment_path(seq, "done")) {
        Ok(bytes) => Ok(record::done_ids(id, &bytes).into_iter().collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(error) => Err(failed(error)),
    }
}

/// Opens a record's details and makes it pending again. One that cannot be opened (its keys are not
/// there, or its bytes were changed) stays on the disk, so that it can be had when they are back.
fn take(
    shared: &Shared,
    file: &File,
    header: &RecordHeader,
    (place, offset, record_len): (Place, u64, u64),
    found: &mut Recovered,
) -> Result<(), SpoolError> {
    let unreadable = |found: &mut Recovered| found.unreadable += 1;
    if header.meta_len > sealing::MAX_SEALED_META {
        unreadable(found);
        return Ok(());
    }
    let mut sealed = vec![0; header.meta_len as usize];
    file.read_exact_at(&mut sealed, offset + HEADER as u64 + header.body_len).map_err(failed)?;
    match sealing::open_meta(shared.keys.as_ref(), header.id, &sealed) {
        Ok(instance) => {
            let slot = Slot {
                place,
                body_len: header.body_len,
                record_len,
                received_at_ms: instance.meta().received_at_ms,
            };
            shared.state().insert(header.id, slot, &instance.meta().hospital);
            found.pending.push(instance);
        }
        Err(error) => {
            use scanveil_model::Coded;
            tracing::error!(code = error.code(), record = %header.id, "{error}; it is kept");
            unreadable(found);
        }
    }
    Ok(())
}

fn large(shared: &Shared, path: &Path, found: &mut Recovered) -> Result<(), SpoolError> {
    let id = stem(path).and_then(|stem| scanveil_model::ObjectId::parse(stem).ok());
    let Some(id) = id.map(|id| SpoolId::from_bytes(id.0)) else { return Ok(()) };
    match path.extension().and_then(|text| text.to_str()) {
        Some("tmp") => return shared.disk.remove(path).map_err(failed),
        Some("rec") => {}
        _ => return Ok(()),
    }
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    shared.used.fetch_add(bytes, Ordering::Relaxed);
    let mut head = [0; HEADER];
    let header = match file.read_exact_at(&mut head, 0) {
        Ok(()) => RecordHeader::decode(&head, id.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(error) => return Err(failed(error)),
    };
    check_version(shared, &head)?;
    match header.filter(|header| header.id == id && header.record_len() == bytes) {
        Some(header) => take(shared, &file, &header, (Place::Large, 0, bytes), found),
        None => {
            found.unreadable += 1;
            tracing::error!(record = %id, "a spooled file is damaged; it is kept");
            Ok(())
        }
    }
}

fn check_version(shared: &Shared, bytes: &[u8]) -> Result<(), SpoolError> {
    match record::newer_version(bytes) {
        Some(version) => Err(SpoolError::NewerVersion { path: shared.config.dir.clone(), version }),
        None => Ok(()),
    }
}
