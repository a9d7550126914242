//! One instance on its way into the spool.

use super::committer::CommitRequest;
use super::record::{RecordHeader, aligned};
use super::sink::Sink;
use super::state::{Place, Shared, Slot};
use super::{SpoolId, SpooledInstance, sealing};
use crate::error::SpoolError;
use crossbeam_channel::{Sender, bounded};
use scanveil_model::{HospitalId, IntakeMeta, ObjectId};
use scanveil_seal::{StreamHeader, StreamSealer};
use std::io::{self, Write};
use std::sync::Arc;

/// One instance on its way in: sealed as it comes. Dropped without a commit, nothing of it is left.
///
/// A failed `write` gives an [`io::Error`] of kind `StorageFull` when the spool is full; its inner
/// error is the [`SpoolError`].
pub struct Receiving {
    shared: Arc<Shared>,
    commits: Sender<CommitRequest>,
    hospital: HospitalId,
    id: SpoolId,
    sealer: StreamSealer<Sink>,
    /// What the first failed write said; nothing can be committed after it.
    failed: Option<SpoolError>,
}

impl Receiving {
    pub(crate) fn new(
        shared: Arc<Shared>,
        commits: Sender<CommitRequest>,
        hospital: &HospitalId,
    ) -> Result<Self, SpoolError> {
        shared.check_room()?;
        let mut id = [0; 16];
        shared.entropy.fill(&mut id);
        let header = StreamHeader::intake(hospital.clone(), ObjectId(id));
        let id = SpoolId::from_bytes(id);
        let key = shared.keys.intake_key(hospital)?;
        let sink = Sink::new(Arc::clone(&shared), id);
        let sealer = StreamSealer::new(sink, &header, &key, shared.entropy.as_ref())?;
        Ok(Self { shared, commits, hospital: hospital.clone(), id, sealer, failed: None })
    }

    /// Makes the instance durable and gives its receipt; returns only when the sealed record and
    /// its details are on the disk.
    ///
    /// # Errors
    /// [`SpoolError`]: nothing of the instance is left then, and the sender must try again.
    pub fn commit(self, meta: IntakeMeta) -> Result<SpooledInstance, SpoolError> {
        let Self { shared, commits, hospital, id, sealer, failed } = self;
        if let Some(error) = failed {
            return Err(error);
        }
        if meta.hospital != hospital {
            return Err(SpoolError::Details("they name another hospital"));
        }
        let (mut sink, summary) = sealer.finish()?;
        let instance = SpooledInstance::new(id, meta, summary.digest, summary.bytes);
        let sealed = sealing::seal_meta(shared.keys.as_ref(), shared.entropy.as_ref(), &instance)?;
        let header = sink.complete(&sealed)?;
        if sink.is_large() {
            sink.publish_large(&header)?;
            publish(&shared, sink, &header, &instance);
        } else {
            append(&commits, sink, header, &instance)?;
        }
        Ok(instance)
    }
}

/// Hands a gathered record to the committer and waits until it is durable.
fn append(
    commits: &Sender<CommitRequest>,
    sink: Sink,
    header: RecordHeader,
    instance: &SpooledInstance,
) -> Result<(), SpoolError> {
    let (mut record, mut reservation) = sink.into_record();
    let padded = aligned(header.record_len());
    reservation.grow_to(padded)?;
    record.resize(usize::try_from(padded).map_err(|_| SpoolError::Stopped)?, 0);
    let (reply, answer) = bounded(1);
    let request = CommitRequest { record, header, instance: instance.clone(), reservation, reply };
    commits.send(request).map_err(|_| SpoolError::Stopped)?;
    answer.recv().map_err(|_| SpoolError::Stopped)?
}

/// Makes a record in a file of its own pending.
fn publish(shared: &Shared, mut sink: Sink, header: &RecordHeader, instance: &SpooledInstance) {
    let slot = Slot {
        place: Place::Large,
        body_len: header.body_len,
        record_len: header.record_len(),
        received_at_ms: instance.meta().received_at_ms,
    };
    let mut state = shared.state();
    state.insert(header.id, slot, &instance.meta().hospital);
    state.arrivals.push(instance.clone());
    drop(state);
    std::mem::replace(&mut sink.reservation, shared.reservation()).keep();
    shared.announce();
}

impl Write for Receiving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(error) = &self.failed {
            return Err(error.again().into());
        }
        self.sealer.write(bytes).map_err(|error| {
            let error = SpoolError::from_io("write to the spool", error);
            let shown = error.again();
            self.failed = Some(error);
            shown.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for Receiving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiving").field("id", &self.id).finish_non_exhaustive()
    }
}
