//! Marking records as done, and removing the files nothing needs any more.

use super::SpoolId;
use super::log::append_done;
use super::state::{Place, Shared, Slot};
use crate::error::SpoolError;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

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
    append_done(shared.disk.as_ref(), &shared.segment_path(seq, "log"), &segment, ids)
        .map_err(|error| SpoolError::io("write a spool segment's log", error))?;
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
    // Noted first: a file that is gone without a note is one that was lost.
    shared.large_log().gone(shared.disk.as_ref(), ids).map_err(error)?;
    for id in ids {
        shared.disk.remove(&shared.large_path(id, "rec")).map_err(error)?;
    }
    shared.disk.sync_folder(&shared.large_folder()).map_err(error)?;
    let mut state = shared.state();
    let freed: u64 =
        ids.iter().filter_map(|id| state.remove(id)).map(|slot: Slot| slot.record_len).sum();
    drop(state);
    shared.used.fetch_sub(freed, Ordering::Relaxed);
    shorten_log(shared);
    Ok(())
}

/// Writes the log of large records anew when it has grown long.
fn shorten_log(shared: &Shared) {
    if let Err(error) = shared.large_log().shorten() {
        tracing::warn!(kind = ?error.kind(), "the spool's log of large records stays long");
    }
}

/// Tries again to remove what could not be removed before.
fn retry_leftover(shared: &Shared) {
    let leftover = std::mem::take(&mut shared.state().leftover);
    for gone in leftover {
        shared.remove_segment(gone);
    }
}
