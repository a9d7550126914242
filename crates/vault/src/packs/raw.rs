//! One pack of identified instances while it is written. Whatever goes into one goes through here:
//! out of the spool, and out of other packs.

use super::{LocalPack, local_file};
use crate::error::SpoolError;
use scanveil_durable::LocalFile;
use scanveil_model::ObjectId;
use scanveil_seal::{Entropy, PackEntry, PackMeta, PackWriter, ZoneKey};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

/// Bytes that are moved at a time into a pack.
const COPY_BYTES: usize = 256 * 1024;

/// Why an instance did not get into a pack.
#[derive(Debug)]
pub enum PackFault {
    /// It could not be read: what its reader says.
    Read(io::Error),
    /// The pack could not be written.
    Pack(SpoolError),
}

impl From<SpoolError> for PackFault {
    fn from(error: SpoolError) -> Self {
        Self::Pack(error)
    }
}

/// A pack of the vault or of the quarantine that is being written into a local file.
pub struct RawPack {
    writer: PackWriter<File>,
    local: LocalFile,
    buffer: Vec<u8>,
}

impl RawPack {
    /// Begins a pack in a folder.
    ///
    /// # Errors
    /// [`SpoolError`] when its file cannot be made.
    pub fn create(
        dir: &Path,
        entropy: &dyn Entropy,
        id: ObjectId,
        meta: PackMeta,
        key: &ZoneKey,
    ) -> Result<Self, SpoolError> {
        let (local, out) =
            local_file(dir, entropy).map_err(|error| SpoolError::io("make a local pack", error))?;
        let writer = PackWriter::new(out, id, meta, key, entropy)?;
        Ok(Self { writer, local, buffer: vec![0; COPY_BYTES] })
    }

    /// Whether an instance of this length fits beside the others.
    #[must_use]
    pub fn has_room_for(&self, length: u64) -> bool {
        self.writer.has_room_for(length)
    }

    /// Takes an instance in.
    ///
    /// # Errors
    /// [`PackFault`]: the pack is of no use then.
    pub fn add(&mut self, from: &mut impl Read, entry: PackEntry) -> Result<(), PackFault> {
        let mut slot = self.writer.open_slot().map_err(SpoolError::from)?;
        loop {
            let read = match from.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(PackFault::Read(error)),
            };
            let written = slot.write_all(&self.buffer[..read]);
            written.map_err(|error| SpoolError::from_io("write a local pack", error))?;
        }
        Ok(slot.close(entry).map_err(SpoolError::from)?)
    }

    /// Seals the pack.
    ///
    /// # Errors
    /// [`SpoolError`] when it cannot be written, or holds nothing.
    pub fn finish(self) -> Result<LocalPack, SpoolError> {
        let (_, object) = self.writer.finish()?;
        Ok(LocalPack::new(object, self.local))
    }
}
