//! Sealed notes: small texts that only the hospital's key opens, wherever they lie.

use super::{Keyring, KeyringError};
use scanveil_model::{HospitalId, ObjectId};
use scanveil_seal::{MIN_CHUNK_LOG2, SealError, StreamHeader, StreamOpener, StreamSealer};
use std::io::{Read, Write};

/// Longest note, in bytes.
pub(super) const MAX_NOTE_BYTES: usize = 64 << 10;

impl Keyring {
    /// Seals a note of the hospital. `name` says which one it is: under another name it does not
    /// open.
    ///
    /// # Errors
    /// [`KeyringError::HospitalUnknown`], [`KeyringError::Note`], and what the disk and the files
    /// give.
    pub fn seal_note(
        &self,
        hospital: &HospitalId,
        name: &str,
        note: &[u8],
    ) -> Result<Vec<u8>, KeyringError> {
        let key = &self.existing_hospital(hospital)?.key;
        if note.len() > MAX_NOTE_BYTES {
            return Err(KeyringError::Note(SealError::TooLong));
        }
        let id = ObjectId(key.keyed_id("sealed note", name.as_bytes()));
        let mut header = StreamHeader::intake(hospital.clone(), id);
        header.chunk_log2 = MIN_CHUNK_LOG2;
        let sealed = || {
            let entropy = self.0.entropy.as_ref();
            let mut sealer = StreamSealer::new(Vec::new(), &header, &key.intake_key(), entropy)?;
            sealer.write_all(note)?;
            Ok(sealer.finish()?.0)
        };
        sealed().map_err(KeyringError::Note)
    }

    /// Opens a note of this name; says which hospital's it is.
    ///
    /// # Errors
    /// [`KeyringError::Note`] when it is another one, was changed, or the hospital's key is not
    /// there.
    pub fn open_note(
        &self,
        name: &str,
        sealed: &[u8],
    ) -> Result<(HospitalId, Vec<u8>), KeyringError> {
        let opened = || {
            let mut opener = StreamOpener::new(sealed, |header| {
                let keys = self.existing_hospital(&header.hospital)?;
                if header.object_id.0 != keys.key.keyed_id("sealed note", name.as_bytes()) {
                    return Err(SealError::Header("the note has another name"));
                }
                Ok(keys.key.intake_key())
            })?;
            let mut note = Vec::new();
            opener.by_ref().take(MAX_NOTE_BYTES as u64 + 1).read_to_end(&mut note)?;
            if note.len() > MAX_NOTE_BYTES {
                return Err(SealError::TooLong);
            }
            Ok((opener.header().hospital.clone(), note))
        };
        opened().map_err(KeyringError::Note)
    }
}
