//! The bytes around a sealed instance: the record header, the segment header and a log's entry.
//! Byte-level specification: docs/formats/spool.md.

use super::SpoolId;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Length of a record header.
pub(crate) const HEADER: usize = 128;
/// Records and segment headers begin at multiples of this: a batch never rewrites a disk sector
/// that holds an acknowledged record.
pub(crate) const ALIGN: usize = 4096;
/// Length of one entry of a log.
pub(crate) const DONE_ENTRY: usize = 32;

const RECORD_MAGIC: [u8; 8] = *b"svspoolr";
const SEGMENT_MAGIC: [u8; 8] = *b"svspools";
const VERSION: u16 = 1;

/// The next multiple of [`ALIGN`].
pub(crate) fn aligned(bytes: u64) -> u64 {
    bytes.next_multiple_of(ALIGN as u64)
}

/// What stands in the clear in front of a sealed instance: lengths, a random id and digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    /// Length of the sealed block that holds the intake details.
    pub(crate) meta_len: u32,
    /// Length of the sealed instance.
    pub(crate) body_len: u64,
    /// Which batch of the segment the record was written in; 0 in a file of its own.
    pub(crate) batch: u64,
    /// The spool id.
    pub(crate) id: SpoolId,
    /// The id of the segment, or the spool id in a file of its own.
    pub(crate) container: [u8; 16],
    /// BLAKE3 of the sealed instance and the sealed details, as they follow.
    pub(crate) digest: [u8; 32],
}

impl RecordHeader {
    /// Length of the whole record, without padding.
    pub(crate) fn record_len(&self) -> u64 {
        (HEADER as u64).saturating_add(self.body_len).saturating_add(u64::from(self.meta_len))
    }

    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[0..8].copy_from_slice(&RECORD_MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[12..16].copy_from_slice(&self.meta_len.to_le_bytes());
        out[16..24].copy_from_slice(&self.body_len.to_le_bytes());
        out[24..32].copy_from_slice(&self.batch.to_le_bytes());
        out[32..48].copy_from_slice(self.id.as_bytes());
        out[48..64].copy_from_slice(&self.container);
        out[64..96].copy_from_slice(&self.digest);
        let check = blake3::hash(&out[..96]);
        out[96..].copy_from_slice(check.as_bytes());
        out
    }

    /// The header, if these bytes are one of the given container.
    pub(crate) fn decode(bytes: &[u8; HEADER], container: &[u8; 16]) -> Option<Self> {
        if bytes[0..8] != RECORD_MAGIC
            || bytes[96..] != blake3::hash(&bytes[..96]).as_bytes()[..]
            || bytes[8..12] != [VERSION.to_le_bytes()[0], VERSION.to_le_bytes()[1], 0, 0]
            || bytes[48..64] != container[..]
        {
            return None;
        }
        Some(Self {
            meta_len: u32::from_le_bytes(array(bytes, 12)),
            body_len: u64::from_le_bytes(array(bytes, 16)),
            batch: u64::from_le_bytes(array(bytes, 24)),
            id: SpoolId::from_bytes(array(bytes, 32)),
            container: *container,
            digest: array(bytes, 64),
        })
    }
}

/// The container that a record header names, whole or not.
pub(crate) fn container_of(bytes: &[u8; HEADER]) -> [u8; 16] {
    array(bytes, 48)
}

/// The first page of a segment.
pub(crate) fn segment_header(id: &[u8; 16]) -> [u8; ALIGN] {
    let mut out = [0; ALIGN];
    out[0..8].copy_from_slice(&SEGMENT_MAGIC);
    out[8..10].copy_from_slice(&VERSION.to_le_bytes());
    out[16..32].copy_from_slice(id);
    let check = blake3::hash(&out[..32]);
    out[32..64].copy_from_slice(check.as_bytes());
    out
}

/// The id of the segment that begins with these bytes.
pub(crate) fn segment_id(bytes: &[u8; 64]) -> Option<[u8; 16]> {
    let id: [u8; 16] = array(bytes, 16);
    (segment_header(&id)[..64] == bytes[..]).then_some(id)
}

/// The version of a segment or record that this program is too old to read.
pub(crate) fn newer_version(bytes: &[u8]) -> Option<u16> {
    let magic = bytes.first_chunk::<8>()?;
    let version = u16::from_le_bytes([*bytes.get(8)?, *bytes.get(9)?]);
    ((*magic == RECORD_MAGIC || *magic == SEGMENT_MAGIC) && version > VERSION).then_some(version)
}

/// The entry of a log that says that a record of this segment needs nothing any more.
pub(crate) fn done_entry(segment: &[u8; 16], id: &SpoolId) -> [u8; DONE_ENTRY] {
    let mut out = [0; DONE_ENTRY];
    out[..16].copy_from_slice(id.as_bytes());
    let mut check = blake3::Hasher::new();
    check.update(segment).update(id.as_bytes());
    out[16..].copy_from_slice(&check.finalize().as_bytes()[..16]);
    out
}

/// The ids of a log's entries. An entry that is torn or damaged is skipped: its record counts as
/// pending again, which repeats work but loses nothing.
pub(crate) fn done_ids(segment: &[u8; 16], bytes: &[u8]) -> Vec<SpoolId> {
    let entries = bytes.as_chunks::<DONE_ENTRY>().0;
    let ids = entries.iter().map(|entry| (entry, SpoolId::from_bytes(array(entry, 0))));
    ids.filter(|(entry, id)| **entry == done_entry(segment, id)).map(|(_, id)| id).collect()
}

/// BLAKE3 of a part of a file, with bounded memory.
pub(crate) fn digest_of(file: &File, mut offset: u64, bytes: u64) -> io::Result<[u8; 32]> {
    let end = offset.saturating_add(bytes);
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    while offset < end {
        let part = usize::try_from(end - offset).unwrap_or(usize::MAX).min(buffer.len());
        file.read_exact_at(&mut buffer[..part], offset)?;
        hasher.update(&buffer[..part]);
        offset += part as u64;
    }
    Ok(*hasher.finalize().as_bytes())
}

pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}
