//! Zip archives (PKWARE APPNOTE 6.3.10): the central directory is read within bounds, names are
//! looked up when somebody asks, and members are read at their places, several at a time.

use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Most members of one archive.
const MOST_MEMBERS: u64 = 200_000;
/// Largest central directory.
const MOST_DIRECTORY_BYTES: u64 = 64 << 20;
/// Largest member, unpacked.
const MOST_MEMBER_BYTES: u64 = 8 << 30;
/// Unpacked bytes of an archive for each of its own, once they pass the grace.
const MOST_RATIO: u64 = 200;
/// Up to this many unpacked bytes no ratio is judged: blank images pack very well.
const RATIO_GRACE_BYTES: u64 = 64 << 20;
/// How much of the directory is read at a time.
const STEP: usize = 64 << 10;

/// Why an archive is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFault {
    /// Its structure contradicts itself, or it is cut.
    Damaged(&'static str),
    /// A limit was passed; its name.
    Limit(&'static str),
}

/// What the central directory says of a member.
#[derive(Clone, Copy)]
struct Entry {
    header_at: u64,
    packed: u64,
    unpacked: u64,
    crc: u32,
    method: u16,
    flags: u16,
    /// Where its name stands in the file, and how long it is.
    name_at: u64,
    name_length: u16,
}

/// An open archive.
pub(crate) struct Archive {
    file: File,
    bytes: u64,
    entries: Vec<Entry>,
}

const CUT: ArchiveFault = ArchiveFault::Damaged("it ends early");
const NO_DIRECTORY: ArchiveFault = ArchiveFault::Damaged("no central directory");

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 2).map_or(0, |b| u64::from(u16::from_le_bytes([b[0], b[1]])))
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    u16_at(bytes, at) | u16_at(bytes, at + 2) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) | u32_at(bytes, at + 4) << 32
}

/// Whether a file's first bytes are those of an archive, and not of a DICOM file whose preamble
/// says so.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    let signed = bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06");
    signed && bytes.get(128..132) != Some(b"DICM")
}

impl Archive {
    /// Reads the central directory.
    pub(super) fn open(file: File) -> Result<Self, ArchiveFault> {
        let bytes = file.metadata().map_err(|_| CUT)?.len();
        let (count, length, start) = end_of_directory(&file, bytes)?;
        if count > MOST_MEMBERS {
            return Err(ArchiveFault::Limit("limit: archive members"));
        }
        if length > MOST_DIRECTORY_BYTES {
            return Err(ArchiveFault::Limit("limit: archive directory bytes"));
        }
        if start.checked_add(length).is_none_or(|end| end > bytes) {
            return Err(CUT);
        }
        let mut entries = Vec::new();
        let mut unpacked = 0u64;
        let mut directory = Section { file: &file, at: start, end: start + length };
        while let Some(entry) = next_entry(&mut directory)? {
            if entries.len() as u64 >= MOST_MEMBERS {
                return Err(ArchiveFault::Limit("limit: archive members"));
            }
            if let Some(entry) = entry {
                unpacked = unpacked.saturating_add(entry.unpacked);
                if entry.unpacked > MOST_MEMBER_BYTES {
                    return Err(ArchiveFault::Limit("limit: archive member bytes"));
                }
                entries.push(entry);
            }
        }
        if unpacked > RATIO_GRACE_BYTES && unpacked / bytes.max(1) > MOST_RATIO {
            return Err(ArchiveFault::Limit("limit: archive ratio"));
        }
        Ok(Self { file, bytes, entries })
    }

    /// How many members there are, folders left out.
    pub(crate) fn members(&self) -> usize {
        self.entries.len()
    }

    /// The name of a member, as far as it is text.
    pub(super) fn name(&self, number: usize) -> String {
        let Some(entry) = self.entries.get(number) else { return String::new() };
        let mut name = vec![0; usize::from(entry.name_length)];
        match self.file.read_exact_at(&mut name, entry.name_at) {
            Ok(()) => String::from_utf8_lossy(&name).into_owned(),
            Err(_) => String::new(),
        }
    }

    /// The file that the archive is.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The unpacked length of a member, as its archive claims.
    pub(super) fn length(&self, number: usize) -> u64 {
        self.entries.get(number).map_or(0, |entry| entry.unpacked)
    }

    /// Begins to read a member.
    pub(super) fn read(self: &Arc<Self>, number: usize) -> io::Result<Member> {
        let bad = |what: &'static str| io::Error::new(io::ErrorKind::InvalidData, what);
        let entry = *self.entries.get(number).ok_or_else(|| bad("no such member"))?;
        // Bit 0: encrypted (4.4.4). Methods: 0 is stored, 8 is deflated (4.4.5).
        if entry.flags & 1 != 0 || !matches!(entry.method, 0 | 8) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "packing"));
        }
        let mut local = [0u8; 30];
        self.file.read_exact_at(&mut local, entry.header_at)?;
        if !local.starts_with(b"PK\x03\x04") {
            return Err(bad("no member at its place"));
        }
        let start = entry.header_at + 30 + u16_at(&local, 26) + u16_at(&local, 28);
        let end = start.checked_add(entry.packed).filter(|&end| end <= self.bytes);
        let end = end.ok_or_else(|| bad("a member past the end"))?;
        let packed = Packed { archive: Arc::clone(self), at: start, end };
        let data = match entry.method {
            0 => Data::Stored(packed),
            _ => Data::Deflated(Box::new(DeflateDecoder::new(packed))),
        };
        Ok(Member { data, left: entry.unpacked, crc: Crc::new(), expected: entry.crc })
    }
}

/// Count of members, length and place of the central directory (4.3.16, zip64: 4.3.14, 4.3.15).
fn end_of_directory(file: &File, bytes: u64) -> Result<(u64, u64, u64), ArchiveFault> {
    const END: usize = 22;
    let tail_length = bytes.min((END + 0xffff) as u64);
    let tail_at = bytes - tail_length;
    let mut tail = vec![0; tail_length as usize];
    file.read_exact_at(&mut tail, tail_at).map_err(|_| CUT)?;
    // The record whose comment ends where the file ends.
    let at = (0..=tail.len().saturating_sub(END))
        .rev()
        .find(|&at| {
            tail[at..].starts_with(b"PK\x05\x06")
                && at + END + u16_at(&tail, at + 20) as usize == tail.len()
        })
        .ok_or(NO_DIRECTORY)?;
    let (count, length, start) =
        (u16_at(&tail, at + 10), u32_at(&tail, at + 12), u32_at(&tail, at + 16));
    if count != 0xffff && length != 0xffff_ffff && start != 0xffff_ffff {
        return Ok((count, length, start));
    }
    let locator = at.checked_sub(20).map(|from| &tail[from..at]);
    let Some(locator) = locator.filter(|locator| locator.starts_with(b"PK\x06\x07")) else {
        return Ok((count, length, start));
    };
    let mut record = [0u8; 56];
    file.read_exact_at(&mut record, u64_at(locator, 8)).map_err(|_| NO_DIRECTORY)?;
    if !record.starts_with(b"PK\x06\x06") {
        return Err(NO_DIRECTORY);
    }
    Ok((u64_at(&record, 32), u64_at(&record, 40), u64_at(&record, 48)))
}

/// A part of the file, read step by step.
struct Section<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl Section<'_> {
    fn take(&mut self, length: usize) -> Result<Vec<u8>, ArchiveFault> {
        if length > STEP * 4 || self.end - self.at < length as u64 {
            return Err(CUT);
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, self.at).map_err(|_| CUT)?;
        self.at += length as u64;
        Ok(bytes)
    }
}

/// The next central file header (4.3.12): `None` at the end, `Some(None)` for a folder.
fn next_entry(directory: &mut Section<'_>) -> Result<Option<Option<Entry>>, ArchiveFault> {
    if directory.end - directory.at < 46 {
        return Ok(None);
    }
    let name_at = directory.at + 46;
    let head = directory.take(46)?;
    if !head.starts_with(b"PK\x01\x02") {
        return Err(ArchiveFault::Damaged("no directory entry where one is due"));
    }
    let (name, extra, comment) = (u16_at(&head, 28), u16_at(&head, 30), u16_at(&head, 32));
    let rest = directory.take((name + extra + comment) as usize)?;
    let name_length = name as u16;
    let (name, rest) = rest.split_at(name as usize);
    let mut entry = Entry {
        flags: u16_at(&head, 8) as u16,
        method: u16_at(&head, 10) as u16,
        crc: u32_at(&head, 16) as u32,
        packed: u32_at(&head, 20),
        unpacked: u32_at(&head, 24),
        header_at: u32_at(&head, 42),
        name_at,
        name_length,
    };
    widen(&mut entry, &rest[..extra as usize]);
    Ok(Some((!name.ends_with(b"/")).then_some(entry)))
}

/// Sizes and place from the zip64 extended information (4.5.3), where the narrow fields are full.
fn widen(entry: &mut Entry, mut extra: &[u8]) {
    while extra.len() >= 4 {
        let (id, length) = (u16_at(extra, 0), u16_at(extra, 2) as usize);
        let Some(field) = extra.get(4..4 + length) else { return };
        if id == 1 {
            let mut at = 0;
            for value in [&mut entry.unpacked, &mut entry.packed, &mut entry.header_at] {
                if *value == 0xffff_ffff && at + 8 <= field.len() {
                    *value = u64_at(field, at);
                    at += 8;
                }
            }
        }
        extra = &extra[4 + length..];
    }
}

/// The packed bytes of a member.
struct Packed {
    archive: Arc<Archive>,
    at: u64,
    end: u64,
}

impl Read for Packed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(out.len());
        let read = self.archive.file.read_at(&mut out[..most], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

enum Data {
    Stored(Packed),
    Deflated(Box<DeflateDecoder<Packed>>),
}

/// The bytes of a member: never more than its archive claims, and none of another checksum.
pub(super) struct Member {
    data: Data,
    left: u64,
    crc: Crc,
    expected: u32,
}

impl Read for Member {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bad = |what: &'static str| io::Error::new(io::ErrorKind::InvalidData, what);
        if out.is_empty() || self.left == 0 {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        let read = match &mut self.data {
            Data::Stored(data) => data.read(&mut out[..most]),
            Data::Deflated(data) => data.read(&mut out[..most]),
        }?;
        if read == 0 {
            return Err(bad("a member ends early"));
        }
        self.left -= read as u64;
        self.crc.update(&out[..read]);
        if self.left == 0 && self.crc.sum() != self.expected {
            return Err(bad("a member's checksum is wrong"));
        }
        Ok(read)
    }
}
