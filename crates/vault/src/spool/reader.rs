//! Reading a spooled instance back.

use super::record::HEADER;
use super::state::{Place, Shared};
use super::{SpoolId, SpooledInstance};
use crate::error::SpoolError;
use scanveil_model::Digest;
use scanveil_seal::{SealError, StreamOpener};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A part of a file, read in order. Holds the file open: finishing the record meanwhile takes its
/// name away, not its bytes.
struct Section {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for Section {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let part = left.min(out.len());
        let read = self.file.read_at(&mut out[..part], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// The bytes of a spooled instance, authenticated before they are handed out, and compared with
/// their receipt at the end.
pub struct SpoolReader {
    opener: StreamOpener<Section>,
    hasher: blake3::Hasher,
    digest: Digest,
    length: u64,
    read: u64,
}

impl SpoolReader {
    pub(crate) fn new(shared: &Shared, instance: &SpooledInstance) -> Result<Self, SpoolError> {
        let section = section(shared, &instance.id())?;
        let opener = StreamOpener::new(section, |header| {
            if header.object_id.0 != *instance.id().as_bytes()
                || header.hospital != instance.meta().hospital
            {
                return Err(SealError::Header("it belongs to another record"));
            }
            shared.keys.intake_key(&header.hospital)
        })?;
        let hasher = blake3::Hasher::new();
        Ok(Self { opener, hasher, digest: instance.digest(), length: instance.length(), read: 0 })
    }
}

fn section(shared: &Shared, id: &SpoolId) -> Result<Section, SpoolError> {
    let state = shared.state();
    let slot = *state.index.get(id).ok_or(SpoolError::NotPending)?;
    let (file, start) = match slot.place {
        Place::Segment { seq, offset } => {
            let segment = state.segments.get(&seq).ok_or(SpoolError::NotPending)?;
            (Arc::clone(&segment.file), offset)
        }
        Place::Large => {
            drop(state);
            match File::open(shared.large_path(id, "rec")) {
                Ok(file) => (Arc::new(file), 0),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(SpoolError::NotPending);
                }
                Err(error) => return Err(SpoolError::io("open a spooled file", error)),
            }
        }
    };
    let at = start + HEADER as u64;
    Ok(Section { file, at, end: at + slot.body_len })
}

impl Read for SpoolReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.opener.read(out)?;
        self.hasher.update(&out[..read]);
        self.read += read as u64;
        let ended = read == 0 && !out.is_empty();
        if ended && (self.read != self.length || self.hasher.finalize() != self.digest.0) {
            return Err(SpoolError::Mismatch.into());
        }
        Ok(read)
    }
}

impl std::fmt::Debug for SpoolReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpoolReader").field("length", &self.length).finish_non_exhaustive()
    }
}
