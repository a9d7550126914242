//! Marking records as done, and removing the files nothing needs any more.

use super::SpoolId;
use super::record::{DONE_ENTRY, done_entry};
use super::state::{Place, Shared, Slot};
use crate::error::SpoolError;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;

/// Appends entries to a segment's done log and makes them durable.
pub(crate) fn append_done(
    shared: &Shared,
    path: &Path,
    segment: &[u8; 16],
    ids: &[SpoolId],
) -> io::Result<()> {
    let entries: Vec<u8> = ids.iter().flat_map(|id| done_entry(segment, id)).collect();
    let (file, made) = match OpenOptions::new().write(true).open(path) {
        Ok(file) => (file, false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (shared.disk.create(path)?, true),
        Err(error) => return Err(error),
    };
    // A torn entry at the end is overwritten, so that entries stay at multiples of their length.
    let end = file.metadata()?.len();
    shared.disk.write_at(&file, &entries, end - end % DONE_ENTRY as u64)?;
    shared.disk.sync(&file)?;
    if made {
        shared.disk.sync_folder(&shared.segments_folder())?;
    }
    Ok(())
}

/// Marks records as done, durably. The caller lets one thread do this at a time.
pub(crate) fn finish(shared: &Shared, ids: &[SpoolId]) -> Result<(), SpoolError> {
    retry_leftover(shared);
    let mut by_segment: BTreeMap<u64, Vec<SpoolId>> = BTreeMap::new();
    let mut large = Vec::new();
    {
        let state = shared.state();
        for id in ids {
            match state.index.get(id).map(|slot| slot.place) {
                Some(Place::Segment { seq, .. }) => by_segment.entry(seq).or_default().push(*id),
                Some(Place::Large) => large.push(*id),
                None => {}
            }
        }
    }
    // A failure keeps only its own group pending; the other groups are finished all the same.
    let mut outcome = finish_large(shared, &large);
    for (seq, ids) in by_segment {
        outcome = outcome.and(finish_in_segment(shared, seq, &ids));
    }
    shared.state().trim_arrivals();
    outcome
}

fn finish_in_segment(shared: &Shared, seq: u64, ids: &[SpoolId]) -> Result<(), SpoolError> {
    let Some(segment) = shared.state().segments.get(&seq).map(|segment| segment.id) else {
        return Ok(());
    };
    append_done(shared, &shared.segment_path(seq, "done"), &segment, ids)
        .map_err(|error| SpoolError::io("write a spool segment's done log", error))?;
    let mut state = shared.state();
    let removed = ids.iter().filter(|id| state.remove(id).is_some()).count();
    if let Some(segment) = state.segments.get_mut(&seq) {
        segment.live = segment.live.saturating_sub(removed as u64);
    }
    let gone = Shared::detach_if_empty(&mut state, seq);
    drop(state);
    if let Some(gone) = gone {
        shared.remove_segment(gone);
    }
    Ok(())
}

fn finish_large(shared: &Shared, ids: &[SpoolId]) -> Result<(), SpoolError> {
    if ids.is_empty() {
        return Ok(());
    }
    let error = |error| SpoolError::io("remove a spooled file", error);
    for id in ids {
        shared.disk.remove(&shared.large_path(id, "rec")).map_err(error)?;
    }
    shared.disk.sync_folder(&shared.large_folder()).map_err(error)?;
    let mut state = shared.state();
    let freed: u64 =
        ids.iter().filter_map(|id| state.remove(id)).map(|slot: Slot| slot.record_len).sum();
    drop(state);
    shared.used.fetch_sub(freed, Ordering::Relaxed);
    Ok(())
}

/// Tries again to remove what could not be removed before.
fn retry_leftover(shared: &Shared) {
    let leftover = std::mem::take(&mut shared.state().leftover);
    for gone in leftover {
        shared.remove_segment(gone);
    }
}
