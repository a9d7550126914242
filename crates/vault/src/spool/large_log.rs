//! Which records there are in files of their own, so that a file that is gone is missed.
//!
//! That a record is there is noted before its sender is told "success", without a sync: the note
//! outlives the process. That it is done is noted durably before its file goes.

use super::SpoolId;
use super::disk::Disk;
use super::record::{DONE_ENTRY, done_entry, done_ids};
use scanveil_durable as durable;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Two kinds of entries, told apart by the words under which they are hashed.
const MADE: [u8; 16] = *b"large-record-in!";
const GONE: [u8; 16] = *b"large-record-out";
/// At this length it is written anew with what is left.
const COMPACT_BYTES: u64 = 1 << 20;
/// Longest log that is read.
const MAX_BYTES: u64 = 64 << 20;

pub(crate) struct LargeLog {
    path: PathBuf,
    file: File,
    end: u64,
}

impl LargeLog {
    /// Opens the log and gives the records that should be there.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, BTreeSet<SpoolId>)> {
        let (end, there) = Self::read(path)?;
        Ok((Self { path: path.to_owned(), file: Self::file(path)?, end }, there))
    }

    fn read(path: &Path) -> io::Result<(u64, BTreeSet<SpoolId>)> {
        let bytes = durable::read_small(path, MAX_BYTES)?.unwrap_or_default();
        let mut there: BTreeSet<_> = done_ids(&MADE, &bytes).into_iter().collect();
        for gone in done_ids(&GONE, &bytes) {
            there.remove(&gone);
        }
        // An entry is written over a torn one, so that entries stay at multiples of their length.
        Ok((bytes.len() as u64 - bytes.len() as u64 % DONE_ENTRY as u64, there))
    }

    fn file(path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
    }

    fn append(&mut self, disk: &dyn Disk, kind: &[u8; 16], ids: &[SpoolId]) -> io::Result<()> {
        let entries: Vec<u8> = ids.iter().flat_map(|id| done_entry(kind, id)).collect();
        disk.write_at(&self.file, &entries, self.end)?;
        self.end += entries.len() as u64;
        Ok(())
    }

    /// Notes that a record is there.
    pub(crate) fn made(&mut self, disk: &dyn Disk, id: SpoolId) -> io::Result<()> {
        self.append(disk, &MADE, &[id])
    }

    /// Notes, durably, that records are about to go.
    pub(crate) fn gone(&mut self, disk: &dyn Disk, ids: &[SpoolId]) -> io::Result<()> {
        self.append(disk, &GONE, ids)?;
        disk.sync(&self.file)
    }

    /// Writes it anew with what is left, where it has grown long.
    pub(crate) fn shorten(&mut self) -> io::Result<()> {
        if self.end <= COMPACT_BYTES {
            return Ok(());
        }
        let (_, there) = Self::read(&self.path)?;
        self.compact(there.into_iter())
    }

    /// Writes it anew with the records that are there.
    pub(crate) fn compact(&mut self, there: impl Iterator<Item = SpoolId>) -> io::Result<()> {
        let entries: Vec<u8> = there.flat_map(|id| done_entry(&MADE, &id)).collect();
        durable::replace(&self.path, &entries)?;
        self.file = Self::file(&self.path)?;
        self.end = entries.len() as u64;
        Ok(())
    }

    /// Makes it durable.
    pub(crate) fn sync(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.sync(&self.file)
    }
}
