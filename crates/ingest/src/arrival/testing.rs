//! A spool in memory and small Part 10 files, for the tests of the receivers.

use crate::intake::{IntakeError, IntakeSink, Receipt, ReceivingSink};
use scanveil_dataset::file_meta;
use scanveil_model::{Digest, HospitalId, IntakeMeta};
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex};

pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// A Part 10 file with so many bytes of pixel data.
pub(crate) fn part10(study: &str, instance: &str, pixels: usize) -> Vec<u8> {
    let mut bytes = file_meta(CT, instance, EXPLICIT_LITTLE);
    let mut uid = |group: u16, element: u16, value: &str| {
        let mut value = value.as_bytes().to_vec();
        value.resize(value.len().next_multiple_of(2), 0);
        bytes.extend(group.to_le_bytes());
        bytes.extend(element.to_le_bytes());
        bytes.extend(b"UI");
        bytes.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        bytes.extend(value);
    };
    uid(0x0008, 0x0016, CT);
    uid(0x0008, 0x0018, instance);
    uid(0x0020, 0x000D, study);
    uid(0x0020, 0x000E, "1.2.3.99");
    bytes.extend([0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0]);
    bytes.extend(u32::try_from(pixels).unwrap().to_le_bytes());
    bytes.extend((0..pixels).map(|at| (at % 251) as u8));
    bytes
}

/// What the spool holds and how it behaves.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) stored: Vec<(Vec<u8>, IntakeMeta)>,
    /// Instances that were begun and neither stored nor dropped yet.
    pub(crate) open: usize,
    pub(crate) dropped: usize,
    /// Room for so many instances.
    pub(crate) room: Option<usize>,
    /// No new sender may begin.
    pub(crate) closed: bool,
}

/// A spool in memory.
#[derive(Default, Clone)]
pub(crate) struct MemorySpool(Arc<(Mutex<Held>, Condvar)>);

impl MemorySpool {
    pub(crate) fn with_room(room: usize) -> Self {
        let spool = Self::default();
        spool.set_room(Some(room));
        spool
    }

    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.0.0.lock().unwrap().room = room;
    }

    pub(crate) fn set_closed(&self, closed: bool) {
        self.0.0.lock().unwrap().closed = closed;
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.0.0.lock().unwrap())
    }

    pub(crate) fn stored(&self) -> Vec<Vec<u8>> {
        self.look(|held| held.stored.iter().map(|(bytes, _)| bytes.clone()).collect())
    }

    /// Waits until something is true of the spool.
    pub(crate) fn wait(&self, until: impl Fn(&Held) -> bool) {
        let mut held = self.0.0.lock().unwrap();
        while !until(&held) {
            held = self.0.1.wait(held).unwrap();
        }
    }

    fn change(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }
}

impl IntakeSink for MemorySpool {
    fn admits(&self) -> Result<(), IntakeError> {
        if self.look(|held| held.closed) { Err(IntakeError::Full) } else { Ok(()) }
    }

    fn receive(&self, _: &HospitalId) -> Result<Box<dyn ReceivingSink>, IntakeError> {
        let full = self.look(|held| held.room.is_some_and(|room| held.stored.len() >= room));
        if full {
            return Err(IntakeError::Full);
        }
        self.change(|held| held.open += 1);
        Ok(Box::new(MemorySink { spool: self.clone(), bytes: Vec::new(), committed: false }))
    }
}

struct MemorySink {
    spool: MemorySpool,
    bytes: Vec<u8>,
    committed: bool,
}

impl Write for MemorySink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ReceivingSink for MemorySink {
    fn commit(mut self: Box<Self>, meta: IntakeMeta) -> Result<Receipt, IntakeError> {
        let bytes = std::mem::take(&mut self.bytes);
        let length = bytes.len() as u64;
        let mut full = false;
        self.spool.change(|held| match held.room {
            Some(room) if held.stored.len() >= room => full = true,
            _ => held.stored.push((bytes, meta)),
        });
        if full {
            return Err(IntakeError::Full);
        }
        self.committed = true;
        Ok(Receipt { digest: Digest([0; 32]), length })
    }
}

impl Drop for MemorySink {
    fn drop(&mut self) {
        let dropped = usize::from(!self.committed);
        self.spool.change(|held| {
            held.open -= 1;
            held.dropped += dropped;
        });
    }
}
