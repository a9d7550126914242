//! The log beside each segment: how far the segment is durable, and which of its records are done.
//!
//! The mark of a batch is written when the batch is durable and before anybody is told so, without
//! a sync of its own: it outlives the process, and a later sync of the log makes it outlive the
//! machine. It lies apart from the data, so that what happens to a segment's file does not happen
//! to what is known about it. Byte-level specification: docs/formats/spool.md.

use super::SpoolId;
use super::disk::Disk;
use super::record::{ALIGN, DONE_ENTRY, array, done_entry, done_ids};
use crate::error::SpoolError;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

const MARK_MAGIC: [u8; 8] = *b"svspoolm";
const VERSION: u16 = 1;
const MARK: usize = 112;
/// Marks are written in turn into two disk sectors: a torn one leaves the one before.
const SLOTS: [usize; 2] = [0, 512];
const CLOSED: u16 = 1;
/// Longest log that is read: a segment has a record in a page at least, and its entry is short.
const MAX_LOG_BYTES: u64 = 64 << 20;

/// How far a segment is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The segment.
    pub(crate) segment: [u8; 16],
    /// The run of the system in which it was written; zero where that is not known.
    pub(crate) boot: [u8; 16],
    /// Nothing was written behind `end`, and nothing will be.
    pub(crate) closed: bool,
    /// The last durable batch.
    pub(crate) batch: u64,
    /// Where the durable batches end.
    pub(crate) end: u64,
    /// How many records they hold.
    pub(crate) records: u64,
    /// Counts the marks of a segment: the highest one is in force.
    pub(crate) number: u64,
}

impl Mark {
    fn encode(&self) -> [u8; MARK] {
        let mut out = [0; MARK];
        out[0..8].copy_from_slice(&MARK_MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[10..12].copy_from_slice(&(if self.closed { CLOSED } else { 0 }).to_le_bytes());
        out[16..24].copy_from_slice(&self.batch.to_le_bytes());
        out[24..32].copy_from_slice(&self.end.to_le_bytes());
        out[32..40].copy_from_slice(&self.records.to_le_bytes());
        out[40..48].copy_from_slice(&self.number.to_le_bytes());
        out[48..64].copy_from_slice(&self.segment);
        out[64..80].copy_from_slice(&self.boot);
        let check = blake3::hash(&out[..80]);
        out[80..].copy_from_slice(check.as_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; MARK] = bytes.first_chunk()?;
        let right = bytes[0..8] == MARK_MAGIC
            && bytes[8..10] == VERSION.to_le_bytes()
            && bytes[80..] == blake3::hash(&bytes[..80]).as_bytes()[..];
        right.then(|| Self {
            closed: u16::from_le_bytes(array(bytes, 10)) == CLOSED,
            batch: u64::from_le_bytes(array(bytes, 16)),
            end: u64::from_le_bytes(array(bytes, 24)),
            records: u64::from_le_bytes(array(bytes, 32)),
            number: u64::from_le_bytes(array(bytes, 40)),
            segment: array(bytes, 48),
            boot: array(bytes, 64),
        })
    }
}

/// The log of a segment that is written to.
pub(crate) struct LogWriter {
    file: File,
    mark: Mark,
}

impl LogWriter {
    /// Makes the log of a new segment; its name is durable with the next sync of the folder.
    pub(crate) fn create(
        disk: &dyn Disk,
        path: &Path,
        segment: [u8; 16],
        boot: [u8; 16],
    ) -> io::Result<Self> {
        let file = disk.create(path)?;
        Self::begin(disk, file, segment, boot)
    }

    /// The log of a segment that recovery looks at. Where no mark of it can be read it gets one
    /// that says nothing, and that no run of the system vouches for; entries that are there stay.
    pub(crate) fn open(
        disk: &dyn Disk,
        path: &Path,
        mark: Option<Mark>,
        segment: [u8; 16],
    ) -> io::Result<Self> {
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => match mark {
                Some(mark) => Ok(Self { file, mark }),
                None => Self::begin(disk, file, segment, [0; 16]),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::create(disk, path, segment, [0; 16])
            }
            Err(error) => Err(error),
        }
    }

    fn begin(disk: &dyn Disk, file: File, segment: [u8; 16], boot: [u8; 16]) -> io::Result<Self> {
        let end = ALIGN as u64;
        let mark = Mark { segment, boot, closed: false, batch: 0, end, records: 0, number: 0 };
        let mut page = [0; ALIGN];
        page[..MARK].copy_from_slice(&mark.encode());
        disk.write_at(&file, &page, 0)?;
        disk.sync(&file)?;
        Ok(Self { file, mark })
    }

    /// Says that a batch is durable. Not synced: see the head of this file.
    pub(crate) fn batch(
        &mut self,
        disk: &dyn Disk,
        batch: u64,
        end: u64,
        more: u64,
    ) -> io::Result<()> {
        let (number, records) = (self.mark.number + 1, self.mark.records + more);
        let mark = Mark { batch, end, records, number, ..self.mark };
        self.write(disk, mark)
    }

    /// Says, durably, that nothing will be written to the segment any more.
    pub(crate) fn close(&mut self, disk: &dyn Disk) -> io::Result<()> {
        let mark = Mark { closed: true, number: self.mark.number + 1, ..self.mark };
        self.write(disk, mark)?;
        disk.sync(&self.file)
    }

    /// Closes it with what recovery found.
    pub(crate) fn close_at(
        &mut self,
        disk: &dyn Disk,
        batch: u64,
        end: u64,
        records: u64,
    ) -> io::Result<()> {
        self.mark = Mark { batch, end, records, ..self.mark };
        self.close(disk)
    }

    fn write(&mut self, disk: &dyn Disk, mark: Mark) -> io::Result<()> {
        let slot = SLOTS[usize::from(mark.number % 2 == 1)];
        disk.write_at(&self.file, &mark.encode(), slot as u64)?;
        self.mark = mark;
        Ok(())
    }
}

/// A log as it lies on the disk.
pub(crate) struct Log {
    /// The newest mark that is whole.
    pub(crate) mark: Option<Mark>,
    entries: Vec<u8>,
}

impl Log {
    /// Reads a log; none where there is no file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, SpoolError> {
        let failed = |error| SpoolError::io("read a spool segment's log", error);
        match fs::metadata(path) {
            Ok(found) if found.len() <= MAX_LOG_BYTES => {}
            // It is none of ours: what it says of records that are done is not believed.
            Ok(_) => return Ok(Some(Self { mark: None, entries: Vec::new() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let bytes = fs::read(path).map_err(failed)?;
        let marks = SLOTS.iter().filter_map(|slot| Mark::decode(bytes.get(*slot..)?));
        let mark = marks.max_by_key(|mark| mark.number);
        Ok(Some(Self { mark, entries: bytes.get(ALIGN..).unwrap_or_default().to_vec() }))
    }

    /// The records of this segment that are done.
    pub(crate) fn done(&self, segment: &[u8; 16]) -> HashSet<SpoolId> {
        done_ids(segment, &self.entries).into_iter().collect()
    }
}

/// Appends entries to a segment's log and makes them durable.
pub(crate) fn append_done(
    disk: &dyn Disk,
    path: &Path,
    segment: &[u8; 16],
    ids: &[SpoolId],
) -> io::Result<()> {
    let entries: Vec<u8> = ids.iter().flat_map(|id| done_entry(segment, id)).collect();
    let file = OpenOptions::new().write(true).open(path)?;
    // A torn entry at the end is overwritten, so that entries stay at multiples of their length.
    let end = file.metadata()?.len().max(ALIGN as u64);
    disk.write_at(&file, &entries, end - end % DONE_ENTRY as u64)?;
    disk.sync(&file)
}

/// Which run of the system this is, zero where it does not say. What a process wrote is there as
/// long as the system runs, synced or not.
pub(crate) fn boot() -> [u8; 16] {
    let text = fs::read_to_string(PathBuf::from("/proc/sys/kernel/random/boot_id"));
    let digits = text.unwrap_or_default().replace('-', "");
    scanveil_model::Hex::decode(digits.trim()).unwrap_or_default()
}
