//! Where the sealed bytes of one instance go: into a reused buffer while they are few, into a file
//! of their own when they are many.

use super::SpoolId;
use super::record::{HEADER, RecordHeader};
use super::state::{Reservation, Shared};
use crate::error::SpoolError;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

/// After this many bytes a large file is made durable and the disk's free space looked at, so that
/// neither the last fsync nor the disk surprises a sender after gigabytes.
const LARGE_STEP: u64 = 32 * 1024 * 1024;

/// A file of its own, under its temporary name until it is durable.
struct LargeFile {
    file: File,
    end: u64,
    checked: u64,
}

pub(crate) struct Sink {
    shared: Arc<Shared>,
    id: SpoolId,
    /// The record from its header on; the header is blank until it is known.
    buffer: Vec<u8>,
    large: Option<LargeFile>,
    hasher: blake3::Hasher,
    body_len: u64,
    pub(crate) reservation: Reservation,
}

impl Sink {
    pub(crate) fn new(shared: Arc<Shared>, id: SpoolId) -> Self {
        let mut buffer = shared.take_buffer();
        buffer.resize(HEADER, 0);
        let reservation = shared.reservation();
        let hasher = blake3::Hasher::new();
        Self { shared, id, buffer, large: None, hasher, body_len: 0, reservation }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.hasher.update(bytes);
        let Some(large) = &mut self.large else {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        };
        let disk = &self.shared.disk;
        let written = disk.write_at(&large.file, bytes, large.end);
        written.map_err(|error| SpoolError::io("write a spooled file", error))?;
        large.end += bytes.len() as u64;
        if large.end - large.checked >= LARGE_STEP {
            large.checked = large.end;
            let synced = disk.sync(&large.file);
            synced.map_err(|error| SpoolError::io("make a spooled file durable", error))?;
            self.shared.check_disk()?;
        }
        Ok(())
    }

    fn write_body(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        let body_len = self.body_len + bytes.len() as u64;
        self.reservation.grow_to(HEADER as u64 + body_len)?;
        if self.large.is_none() && body_len > self.shared.config.inline_limit {
            self.spill()?;
        }
        self.append(bytes)?;
        self.body_len = body_len;
        Ok(())
    }

    /// Moves what was gathered into a file of its own.
    fn spill(&mut self) -> Result<(), SpoolError> {
        self.shared.check_disk()?;
        let error = |error| SpoolError::io("write a spooled file", error);
        let disk = &self.shared.disk;
        let file = disk.create(&self.shared.large_path(&self.id, "tmp")).map_err(error)?;
        let end = self.buffer.len() as u64;
        let large = self.large.insert(LargeFile { file, end, checked: 0 });
        disk.write_at(&large.file, &self.buffer, 0).map_err(error)?;
        self.shared.give_buffer(std::mem::take(&mut self.buffer));
        Ok(())
    }

    /// Adds the sealed details and gives the record's header; batch and container are still blank.
    pub(crate) fn complete(&mut self, meta: &[u8]) -> Result<RecordHeader, SpoolError> {
        let header = RecordHeader {
            meta_len: u32::try_from(meta.len())
                .map_err(|_| SpoolError::Details("they are too long"))?,
            body_len: self.body_len,
            batch: 0,
            id: self.id,
            container: *self.id.as_bytes(),
            digest: [0; 32],
        };
        self.reservation.grow_to(header.record_len())?;
        self.append(meta)?;
        Ok(RecordHeader { digest: *self.hasher.finalize().as_bytes(), ..header })
    }

    pub(crate) fn is_large(&self) -> bool {
        self.large.is_some()
    }

    /// The gathered record, with the bytes it holds of the spool's limit.
    pub(crate) fn into_record(mut self) -> (Vec<u8>, Reservation) {
        let empty = self.shared.reservation();
        (std::mem::take(&mut self.buffer), std::mem::replace(&mut self.reservation, empty))
    }

    /// Makes the file of its own durable under its final name.
    pub(crate) fn publish_large(&mut self, header: &RecordHeader) -> Result<(), SpoolError> {
        let Some(large) = &self.large else { return Err(SpoolError::Stopped) };
        let shared = &self.shared;
        let error = |error| SpoolError::io("make a spooled file durable", error);
        shared.disk.write_at(&large.file, &header.encode(), 0).map_err(error)?;
        shared.disk.sync(&large.file).map_err(error)?;
        let path = shared.large_path(&self.id, "rec");
        let renamed = shared.disk.rename(&shared.large_path(&self.id, "tmp"), &path);
        let named = renamed
            .and_then(|()| shared.disk.sync_folder(&shared.large_folder()))
            .and_then(|()| shared.large_log().made(shared.disk.as_ref(), self.id));
        if let Err(failed) = named {
            if let Err(error) = shared.disk.remove(&path) {
                tracing::error!(kind = ?error.kind(), "a refused spooled file may come back");
            }
            return Err(error(failed));
        }
        self.large = None;
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_body(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if self.large.take().is_some()
            && let Err(error) = self.shared.disk.remove(&self.shared.large_path(&self.id, "tmp"))
        {
            tracing::warn!(kind = ?error.kind(), "an unfinished spooled file is left over");
        }
        self.shared.give_buffer(std::mem::take(&mut self.buffer));
    }
}
