//! What lies in the spool's folder when it is opened: finds exactly the complete records that are
//! not done, sweeps what an interrupted process left, and keeps aside what is damaged.
//!
//! Torn and damaged are told apart by the mark in a segment's log (docs/formats/spool.md,
//! "Recovery"): what it covers was durable, and is damaged where it is not whole. What lies behind
//! it was never acknowledged as long as the system runs that wrote it, and may have been otherwise.

mod segment;

use super::aside::{Finding, SetAside, derived_id};
use super::log::Log;
use super::record::{self, HEADER, RecordHeader};
use super::scan::{self, Fragment};
use super::state::{Place, Shared};
use super::{SpoolId, SpooledInstance, sealing, settle};
use crate::error::SpoolError;
use scanveil_model::ObjectId;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

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
    /// Records that are whole, and that no key opens.
    waiting: u64,
}

/// Reads the whole spool into the shared state.
pub(crate) fn recover(
    shared: &Shared,
    expected: BTreeSet<SpoolId>,
) -> Result<Recovered, SpoolError> {
    shared.aside.forget_waiting().map_err(failed)?;
    shared.aside.complete_notes()?;
    let mut found = Recovered::default();
    segments(shared, &mut found)?;
    let mut large_there = BTreeSet::new();
    for path in list(&shared.large_folder())? {
        large_there.extend(large(shared, &path, &mut found)?);
    }
    for id in expected.difference(&large_there) {
        missing_large(shared, *id)?;
    }
    shared.large_log().compact(large_there.into_iter()).map_err(failed)?;
    found.pending.sort_by_key(|instance| (instance.meta().received_at_ms, instance.id()));
    shared.state().unreadable = found.waiting;
    tracing::info!(
        pending = found.pending.len(),
        unacknowledged = found.torn,
        without_key = found.waiting,
        set_aside = shared.aside.count(),
        "the spool is open"
    );
    Ok(found)
}

fn segments(shared: &Shared, found: &mut Recovered) -> Result<(), SpoolError> {
    let (mut segments, mut logs) = (BTreeSet::new(), BTreeSet::new());
    for path in list(&shared.segments_folder())? {
        let seq = stem(&path).and_then(|stem| u64::from_str_radix(stem, 16).ok());
        let (Some(seq), Some(kind)) = (seq, path.extension().and_then(|text| text.to_str())) else {
            continue;
        };
        found.next_seq = found.next_seq.max(seq + 1);
        match kind {
            "seg" => _ = segments.insert(seq),
            "log" => _ = logs.insert(seq),
            "tmp" => shared.disk.remove(&path).map_err(failed)?,
            _ => {}
        }
    }
    for seq in &segments {
        segment::recover(shared, *seq, found)?;
    }
    for seq in logs.difference(&segments) {
        missing_segment(shared, *seq)?;
    }
    Ok(())
}

/// A log without its segment: the segment is done with, or it is gone.
fn missing_segment(shared: &Shared, seq: u64) -> Result<(), SpoolError> {
    let path = shared.segment_path(seq, "log");
    let log = Log::read(&path)?;
    if let Some((log, mark)) = log.and_then(|log| log.mark.map(|mark| (log, mark))) {
        let done = log.done(&mark.segment).len() as u64;
        let instances = mark.records.saturating_sub(done);
        if instances > 0 {
            let id = derived_id(&mark.segment, "segment", seq);
            let file = format!("segments/{seq:016x}.seg");
            let found = SetAside::new(id, Finding::Missing, file, 0);
            settle::note(shared, &SetAside { instances, ..found })?;
        }
    }
    shared.disk.remove(&path).map_err(failed)
}

fn missing_large(shared: &Shared, id: SpoolId) -> Result<(), SpoolError> {
    // It may have been set aside in a run that was killed before it said so in the log.
    if shared.aside.get(&ObjectId(*id.as_bytes())).is_ok() {
        return Ok(());
    }
    settle::note(shared, &SetAside::new(id, Finding::Missing, format!("large/{id}.rec"), 0))
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, SpoolError> {
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
}

fn stem(path: &Path) -> Option<&str> {
    path.file_stem()?.to_str()
}

/// What became of a record whose header is known.
enum Taken {
    Pending,
    /// It is whole and stays: no key opens it.
    Waits,
    /// Its bytes are not those that were written.
    Damaged,
}

/// Opens a record's details and makes it pending again. One that is whole and cannot be opened
/// stays where it is, so that it can be had when its keys are back.
fn take(
    shared: &Shared,
    file: &File,
    header: &RecordHeader,
    (place, offset, record_len): (Place, u64, u64),
    found: &mut Recovered,
) -> Result<Taken, SpoolError> {
    use scanveil_model::Coded;
    let sealed = settle::details(file, header, offset).map_err(failed)?;
    let error = match sealing::open_meta(shared.keys.as_ref(), header.id, &sealed) {
        Ok(instance) => {
            settle::pending(shared, header, place, record_len, &instance);
            found.pending.push(instance);
            return Ok(Taken::Pending);
        }
        Err(error) => error,
    };
    if !scan::is_whole(file, header, offset).map_err(failed)? {
        return Ok(Taken::Damaged);
    }
    tracing::error!(
        code = error.code(), record = %header.id, next = error.next_step(), "{error}; it is kept"
    );
    found.waiting += 1;
    let name = match place {
        Place::Segment { seq, .. } => format!("segments/{seq:016x}.seg"),
        Place::Large => format!("large/{}.rec", header.id),
    };
    let waits = SetAside::new(header.id, Finding::NoKey, name, offset);
    let hospital = scan::sealed_header(&sealed).map(|header| header.hospital);
    shared.aside.write(&SetAside { hospital, bytes: record_len, ..waits })?;
    Ok(Taken::Waits)
}

/// A record in a file of its own; gives its id where the file stays there. It had its name only
/// when it was durable, so that whatever is wrong with it is damage.
fn large(
    shared: &Shared,
    path: &Path,
    found: &mut Recovered,
) -> Result<Option<SpoolId>, SpoolError> {
    let id = stem(path).and_then(|stem| ObjectId::parse(stem).ok());
    let Some(id) = id.map(|id| SpoolId::from_bytes(id.0)) else { return Ok(None) };
    match path.extension().and_then(|text| text.to_str()) {
        Some("tmp") => return shared.disk.remove(path).map_err(failed).map(|()| None),
        Some("rec") => {}
        _ => return Ok(None),
    }
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let mut head = [0; HEADER];
    let header = match file.read_exact_at(&mut head, 0) {
        Ok(()) => RecordHeader::decode(&head, id.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(error) => return Err(failed(error)),
    };
    check_version(shared, &head)?;
    let whole = Fragment { start: 0, end: bytes, owner: None };
    let header = match header.filter(|header| header.id == id && header.record_len() == bytes) {
        Some(header) => Some(header),
        None => mended_large(shared, &file, whole)?,
    };
    if let Some(header) = header.filter(|header| header.id == id) {
        match take(shared, &file, &header, (Place::Large, 0, bytes), found)? {
            Taken::Pending | Taken::Waits => {
                shared.used.fetch_add(bytes, Ordering::Relaxed);
                return Ok(Some(id));
            }
            Taken::Damaged => {}
        }
    }
    let part = scan::fragments(&file, 0, bytes).map_err(failed)?.into_iter().next();
    let owner = part.and_then(|part| part.owner);
    let aside = SetAside::new(id, Finding::Damaged, format!("large/{id}.rec"), 0);
    let hospital = owner.map(|(_, hospital)| hospital);
    settle::note(shared, &SetAside { hospital, bytes, ..aside })?;
    settle::large(shared, id)?;
    Ok(None)
}

/// The header of a record in a file of its own, where nothing but it was changed.
fn mended_large(
    shared: &Shared,
    file: &File,
    whole: Fragment,
) -> Result<Option<RecordHeader>, SpoolError> {
    let parts = scan::fragments(file, 0, whole.end).map_err(failed)?;
    let owner = parts.into_iter().next().and_then(|part| part.owner);
    let Some((id, hospital)) = owner.clone() else { return Ok(None) };
    let opens = |id, sealed: &[u8]| settle::opens(shared, id, sealed);
    let header = scan::rebuild(file, &Fragment { owner, ..whole }, *id.as_bytes(), opens);
    let header = header.map_err(failed)?;
    if header.is_some() {
        let note = derived_id(id.as_bytes(), "header", 0);
        let found = SetAside::new(note, Finding::Mended, format!("large/{id}.rec"), 0);
        settle::note(shared, &SetAside { hospital: Some(hospital), instances: 0, ..found })?;
    }
    Ok(header)
}

fn check_version(shared: &Shared, bytes: &[u8]) -> Result<(), SpoolError> {
    match record::newer_version(bytes) {
        Some(version) => Err(SpoolError::NewerVersion { path: shared.config.dir.clone(), version }),
        None => Ok(()),
    }
}
