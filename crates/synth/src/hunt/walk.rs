//! Folders, files, and what deflate hides in them.

use super::scan::stream;
use super::{HuntReport, Hunter, Layer};
use crate::SynthError;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::fs::{self, File};
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// Deepest folder that is searched.
const DEPTH_LIMIT: usize = 64;
/// Most bytes that are inflated from one member.
const INFLATE_LIMIT: u64 = 4 << 30;
/// Largest archive whose members are searched; they are found by scanning it in memory.
const ARCHIVE_LIMIT: u64 = 1 << 30;
/// Bytes at the start of a file that tell what it is.
const HEAD: usize = 64 << 10;

pub(super) fn folder(
    hunter: &Hunter,
    root: &Path,
    report: &mut HuntReport,
) -> Result<(), SynthError> {
    let mut pending = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = pending.pop() {
        if depth > DEPTH_LIMIT {
            return Err(SynthError::TooDeep { limit: DEPTH_LIMIT });
        }
        let listing = fs::read_dir(&folder).map_err(SynthError::io("listing a folder"))?;
        let mut entries =
            listing.collect::<Result<Vec<_>, _>>().map_err(SynthError::io("listing a folder"))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            let name = entry.file_name();
            let mut bytes = name.as_encoded_bytes();
            stream(hunter, &shown, Layer::Name, u64::MAX, &mut bytes, report)
                .map_err(SynthError::io("searching a name"))?;
            let kind = match entry.file_type() {
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                kind => kind.map_err(SynthError::io("looking at a file"))?,
            };
            if kind.is_dir() {
                pending.push((path, depth + 1));
            } else if kind.is_file() {
                match file(hunter, &shown, &path, report) {
                    Err(e) if e.kind() == ErrorKind::NotFound => {}
                    result => result.map_err(SynthError::io("reading a file"))?,
                }
            }
        }
    }
    Ok(())
}

fn file(hunter: &Hunter, shown: &str, path: &Path, report: &mut HuntReport) -> io::Result<()> {
    let file = File::open(path)?;
    report.files += 1;
    let length = search(hunter, shown, file, report)?;
    report.bytes += length;
    Ok(())
}

/// Searches bytes that are in memory already.
pub(super) fn content(
    hunter: &Hunter,
    bytes: &[u8],
    report: &mut HuntReport,
) -> Result<(), SynthError> {
    report.files += 1;
    report.bytes += search(hunter, "", Cursor::new(bytes), report)
        .map_err(SynthError::io("searching bytes"))?;
    Ok(())
}

fn search<R: Read + Seek>(
    hunter: &Hunter,
    shown: &str,
    mut source: R,
    report: &mut HuntReport,
) -> io::Result<u64> {
    let mut head = Vec::with_capacity(HEAD);
    (&mut source).take(HEAD as u64).read_to_end(&mut head)?;
    source.rewind()?;
    let packing = packing(&head);
    let packed_from = match packing {
        // An archive has clear names between its members.
        Packing::None | Packing::Archive => u64::MAX,
        Packing::Raw(at) => at as u64,
        Packing::Gzip | Packing::Zlib => HEAD as u64,
    };
    let length = stream(hunter, shown, Layer::Content, packed_from, &mut source, report)?;
    match packing {
        Packing::None => {}
        Packing::Archive if length <= ARCHIVE_LIMIT => {
            source.rewind()?;
            let mut archive = Vec::new();
            (&mut source).take(ARCHIVE_LIMIT).read_to_end(&mut archive)?;
            for at in members(&archive) {
                let member = DeflateDecoder::new(&archive[at..]);
                inflated(hunter, shown, member, report)?;
            }
        }
        Packing::Archive => {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "archive too large to search"));
        }
        Packing::Raw(at) => {
            source.seek(SeekFrom::Start(at as u64))?;
            inflated(hunter, shown, DeflateDecoder::new(source), report)?;
        }
        Packing::Gzip => {
            source.rewind()?;
            inflated(hunter, shown, MultiGzDecoder::new(source), report)?;
        }
        Packing::Zlib => {
            source.rewind()?;
            inflated(hunter, shown, ZlibDecoder::new(source), report)?;
        }
    }
    Ok(length)
}

fn inflated(
    hunter: &Hunter,
    shown: &str,
    decoder: impl Read,
    report: &mut HuntReport,
) -> io::Result<()> {
    let mut source = UntilDamage(decoder).take(INFLATE_LIMIT);
    let inflated = stream(hunter, shown, Layer::Inflated, u64::MAX, &mut source, report)?;
    report.inflated_bytes += inflated;
    if inflated >= INFLATE_LIMIT {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "inflates to too much to search"));
    }
    Ok(())
}

/// Ends where inflating fails: what follows a deflated stream is padding or was searched as it is.
struct UntilDamage<R>(R);

impl<R: Read> Read for UntilDamage<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf) {
            Err(e) if e.kind() == ErrorKind::Interrupted => Err(e),
            Err(_) => Ok(0),
            read => read,
        }
    }
}

enum Packing {
    None,
    /// A raw deflated stream from this offset on.
    Raw(usize),
    Gzip,
    Zlib,
    Archive,
}

fn packing(head: &[u8]) -> Packing {
    if let Some(at) = deflated_data_set(head) {
        return Packing::Raw(at);
    }
    match head {
        [0x1f, 0x8b, 8, ..] => Packing::Gzip,
        [b'P', b'K', 3, 4, ..] => Packing::Archive,
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Packing::Zlib,
        _ => Packing::None,
    }
}

/// Where the data set of a deflated Part-10 file starts: `DICM`, then (0002,0000) with the length
/// of the rest of the group, which names the deflated transfer syntax (PS3.5 A.5).
fn deflated_data_set(head: &[u8]) -> Option<usize> {
    const GROUP_LENGTH: &[u8] = &[2, 0, 0, 0, b'U', b'L', 4, 0];
    let meta = head.get(128..)?.strip_prefix(b"DICM")?;
    let length = meta.strip_prefix(GROUP_LENGTH)?.first_chunk()?;
    let end = 144usize.checked_add(u32::from_le_bytes(*length) as usize)?;
    let group = head.get(144..end)?;
    let deflated = crate::study::contains(group, b"1.2.840.10008.1.2.1.99");
    deflated.then_some(end)
}

/// Where the deflated members of a zip archive start: after each local header with method 8.
fn members(archive: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(header) = archive.get(at..at + 30) {
        let word = |i: usize| usize::from(u16::from_le_bytes([header[i], header[i + 1]]));
        if header.starts_with(b"PK\x03\x04") {
            let start = at + 30 + word(26) + word(28);
            if word(8) == 8 && start <= archive.len() {
                found.push(start);
            }
            at += 30;
        } else {
            at += 1;
        }
    }
    found
}
