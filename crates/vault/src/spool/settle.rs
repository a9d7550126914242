//! Putting a record aside, and taking it back when it can be read after all.

use super::aside::{Finding, SetAside};
use super::record::{HEADER, RecordHeader};
use super::scan::{self, Fragment};
use super::state::{Place, Shared, Slot};
use super::{SpoolId, SpooledInstance, log, sealing};
use crate::error::SpoolError;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The code under which damage of the spool is logged, and a problem on the status page.
pub const DAMAGE_CODE: &str = "SV-VAULT-012";
/// The code under which a retry that changed nothing is logged.
const STILL_DAMAGED_CODE: &str = "SV-VAULT-013";
const COPY_BYTES: usize = 1 << 20;

fn failed(error: io::Error) -> SpoolError {
    SpoolError::io("set a damaged record aside", error)
}

/// Logs a find and notes it, durably.
pub(crate) fn note(shared: &Shared, note: &SetAside) -> Result<(), SpoolError> {
    tracing::error!(
        id = %note.id, finding = note.finding.as_str(), file = note.file, offset = note.offset,
        instances = note.instances, bytes = note.bytes,
        hospital = note.hospital.as_ref().map(scanveil_model::HospitalId::as_str),
        code = DAMAGE_CODE, next = "look at `scanveil spool list`",
        "the spool is damaged: {}", note.finding.advice()
    );
    shared.aside.write(note)
}

/// Copies a part of a segment into a file of its own among what is set aside; says how much of it
/// there was.
pub(crate) fn keep_bytes(
    shared: &Shared,
    id: SpoolId,
    file: &File,
    start: u64,
    end: u64,
) -> Result<u64, SpoolError> {
    let end = end.min(file.metadata().map_err(failed)?.len());
    let temporary = shared.aside.path().join(format!("{id}.tmp"));
    let copied = || {
        shared.disk.remove(&temporary)?;
        let copy = shared.disk.create(&temporary)?;
        let mut buffer = vec![0; COPY_BYTES];
        let mut at = start;
        while at < end {
            let part = usize::try_from(end - at).unwrap_or(COPY_BYTES).min(COPY_BYTES);
            file.read_exact_at(&mut buffer[..part], at)?;
            shared.disk.write_at(&copy, &buffer[..part], at - start)?;
            at += part as u64;
        }
        shared.disk.sync(&copy)?;
        shared.disk.rename(&temporary, &shared.aside.bytes_path(&id))
    };
    copied().map_err(failed)?;
    Ok(end.saturating_sub(start))
}

/// Takes a pending record out of the spool because it cannot be read, and keeps it aside. The
/// caller lets one thread do this at a time.
pub(crate) fn set_aside(shared: &Shared, instance: &SpooledInstance) -> Result<(), SpoolError> {
    let id = instance.id();
    let Some(slot) = shared.state().index.get(&id).copied() else { return Ok(()) };
    let (name, offset) = match slot.place {
        Place::Segment { seq, offset } => (format!("segments/{seq:016x}.seg"), offset),
        Place::Large => (format!("large/{id}.rec"), 0),
    };
    let mut found = SetAside::new(id, Finding::Damaged, name, offset);
    found.hospital = Some(instance.meta().hospital.clone());
    found.received_at_ms = Some(instance.meta().received_at_ms);
    found.bytes = slot.record_len;
    match slot.place {
        Place::Segment { seq, .. } => {
            let segment =
                shared.state().segments.get(&seq).map(|one| std::sync::Arc::clone(&one.file));
            let Some(file) = segment else { return Ok(()) };
            keep_bytes(shared, id, &file, offset, offset + slot.record_len)?;
            note(shared, &found)?;
            super::finish::finish(shared, &[id])
        }
        Place::Large => {
            note(shared, &found)?;
            large(shared, id)?;
            if shared.state().remove(&id).is_some() {
                shared.used.fetch_sub(slot.record_len, std::sync::atomic::Ordering::Relaxed);
            }
            Ok(())
        }
    }
}

/// Moves a record's own file to what is set aside.
pub(crate) fn large(shared: &Shared, id: SpoolId) -> Result<(), SpoolError> {
    let moved = || {
        shared.disk.rename(&shared.large_path(&id, "rec"), &shared.aside.bytes_path(&id))?;
        shared.disk.sync_folder(shared.aside.path())?;
        shared.disk.sync_folder(&shared.large_folder())?;
        shared.large_log().gone(shared.disk.as_ref(), &[id])
    };
    moved().map_err(failed)
}

/// Keeps a part of a segment aside that is no readable record, and never looks at it again there.
pub(crate) fn fragment(
    shared: &Shared,
    (seq, segment): (u64, &[u8; 16]),
    file: &File,
    part: &Fragment,
    found: SetAside,
) -> Result<(), SpoolError> {
    let id = SpoolId::from_bytes(found.id.0);
    let bytes = match found.finding {
        Finding::Missing => 0,
        _ => keep_bytes(shared, id, file, part.start, part.end)?,
    };
    note(shared, &SetAside { bytes, ..found })?;
    let path = shared.segment_path(seq, "log");
    log::append_done(shared.disk.as_ref(), &path, segment, &[id]).map_err(failed)
}

/// Tries again what somebody asked for; gives how many records are back in the spool.
pub(crate) fn take_back(shared: &Shared) -> Result<usize, SpoolError> {
    let mut back = 0;
    for found in shared.aside.list()?.into_iter().filter(|found| found.retry) {
        let id = SpoolId::from_bytes(found.id.0);
        if try_again(shared, id)? {
            shared.aside.remove(&found.id)?;
            tracing::warn!(%id, "a record that was set aside is back in the spool");
            back += 1;
        } else {
            tracing::error!(
                %id, code = STILL_DAMAGED_CODE, next = "restore its bytes, or discard it",
                "a record that was set aside still cannot be read"
            );
            shared.aside.write(&SetAside { retry: false, ..found })?;
        }
    }
    Ok(back)
}

/// Reads a record that was set aside; where it is whole now it is pending again, in a file of its
/// own.
fn try_again(shared: &Shared, id: SpoolId) -> Result<bool, SpoolError> {
    let file = match File::open(shared.aside.bytes_path(&id)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error)),
    };
    let Some((header, instance)) = whole_record(shared, id, &file)? else { return Ok(false) };
    let header = RecordHeader { batch: 0, container: *header.id.as_bytes(), ..header };
    let (temporary, path) =
        (shared.large_path(&header.id, "tmp"), shared.large_path(&header.id, "rec"));
    let copied = || {
        shared.disk.remove(&temporary)?;
        let copy = shared.disk.create(&temporary)?;
        shared.disk.write_at(&copy, &header.encode(), 0)?;
        let mut buffer = vec![0; COPY_BYTES];
        let (mut at, end) = (HEADER as u64, header.record_len());
        while at < end {
            let part = usize::try_from(end - at).unwrap_or(COPY_BYTES).min(COPY_BYTES);
            file.read_exact_at(&mut buffer[..part], at)?;
            shared.disk.write_at(&copy, &buffer[..part], at)?;
            at += part as u64;
        }
        shared.disk.sync(&copy)?;
        shared.disk.rename(&temporary, &path)?;
        shared.disk.sync_folder(&shared.large_folder())?;
        shared.large_log().made(shared.disk.as_ref(), header.id)
    };
    copied().map_err(failed)?;
    pending(shared, &header, Place::Large, header.record_len(), &instance);
    shared.used.fetch_add(header.record_len(), std::sync::atomic::Ordering::Relaxed);
    shared.state().arrivals.push(instance);
    shared.announce();
    Ok(true)
}

/// The record in a file that was set aside, where header, bytes and details are those that were
/// written.
fn whole_record(
    shared: &Shared,
    id: SpoolId,
    file: &File,
) -> Result<Option<(RecordHeader, SpooledInstance)>, SpoolError> {
    let mut head = [0; HEADER];
    if let Err(error) = file.read_exact_at(&mut head, 0) {
        return if error.kind() == io::ErrorKind::UnexpectedEof {
            Ok(None)
        } else {
            Err(failed(error))
        };
    }
    let bytes = file.metadata().map_err(failed)?.len();
    let stated = RecordHeader::decode(&head, &super::record::container_of(&head));
    let header = match stated.filter(|header| header.record_len() <= bytes) {
        Some(header) if scan::is_whole(file, &header, 0).map_err(failed)? => Some(header),
        Some(_) => None,
        None => {
            let part = scan::fragments(file, 0, bytes).map_err(failed)?.into_iter().next();
            let opens = |id, sealed: &[u8]| opens(shared, id, sealed);
            let made = part.map(|part| scan::rebuild(file, &part, *id.as_bytes(), opens));
            made.transpose().map_err(failed)?.flatten()
        }
    };
    let Some(header) = header else { return Ok(None) };
    let sealed = details(file, &header, 0).map_err(failed)?;
    let opened = sealing::open_meta(shared.keys.as_ref(), header.id, &sealed);
    Ok(opened.ok().map(|instance| (header, instance)))
}

/// The sealed details of a record.
pub(crate) fn details(file: &File, header: &RecordHeader, offset: u64) -> io::Result<Vec<u8>> {
    if header.meta_len > sealing::MAX_SEALED_META {
        return Ok(Vec::new());
    }
    let mut sealed = vec![0; header.meta_len as usize];
    file.read_exact_at(&mut sealed, offset + HEADER as u64 + header.body_len)?;
    Ok(sealed)
}

/// Whether details open as those of this record.
pub(crate) fn opens(shared: &Shared, id: SpoolId, sealed: &[u8]) -> bool {
    sealing::open_meta(shared.keys.as_ref(), id, sealed).is_ok()
}

/// Makes a record pending.
pub(crate) fn pending(
    shared: &Shared,
    header: &RecordHeader,
    place: Place,
    record_len: u64,
    instance: &SpooledInstance,
) {
    let received_at_ms = instance.meta().received_at_ms;
    let slot = Slot { place, body_len: header.body_len, record_len, received_at_ms };
    shared.state().insert(header.id, slot, &instance.meta().hospital);
}
