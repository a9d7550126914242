//! What lies in a segment's file, page by page: records, and stretches that are none.

use super::SpoolId;
use super::record::{self, ALIGN, HEADER, RecordHeader};
use super::sealing;
use scanveil_model::HospitalId;
use scanveil_seal::{HEADER_LEN, SealError, StreamHeader, StreamOpener};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How many bytes are looked at together when searching for the next record.
const SCAN_BYTES: usize = 1024 * 1024;
/// Longest stretch that is read into memory to find a record in it whose header was changed.
const MAX_REBUILD_BYTES: u64 = 64 << 20;
/// How far a sealed block's end may lie behind its last byte that is not zero.
const MAX_ZERO_END: usize = 16;

/// A part of a segment, from its first page on; the parts leave nothing out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// A record header that checks, and the bytes it claims.
    Record { header: RecordHeader, offset: u64 },
    /// Whole pages without one. `blank` says that they are all zero.
    Hole { start: u64, end: u64, blank: bool },
}

/// Every part of a segment in order. Skips over whatever is no record, page by page, so that one
/// unreadable record does not hide those behind it.
pub(crate) fn parts(file: &File, id: &[u8; 16]) -> io::Result<Vec<Part>> {
    let end = file.metadata()?.len();
    let mut parts = Vec::new();
    let mut offset = ALIGN as u64;
    let mut hole: Option<(u64, bool)> = None;
    let mut window = Window { start: 0, bytes: Vec::new() };
    while offset < end {
        let page = window.page(file, offset, end)?;
        let header = page.first_chunk::<HEADER>().and_then(|head| RecordHeader::decode(head, id));
        match header.filter(|header| header.record_len() <= end - offset) {
            Some(header) => {
                if let Some((start, blank)) = hole.take() {
                    parts.push(Part::Hole { start, end: offset, blank });
                }
                parts.push(Part::Record { header, offset });
                offset += record::aligned(header.record_len());
            }
            None => {
                let blank = page.iter().all(|byte| *byte == 0);
                let (_, all) = hole.get_or_insert((offset, true));
                *all &= blank;
                offset += ALIGN as u64;
            }
        }
    }
    if let Some((start, blank)) = hole {
        parts.push(Part::Hole { start, end, blank });
    }
    Ok(parts)
}

/// The segment's id as its first readable record has it, where the segment's own header is changed.
pub(crate) fn id_from_records(file: &File) -> io::Result<Option<[u8; 16]>> {
    let end = file.metadata()?.len();
    let mut offset = ALIGN as u64;
    let mut head = [0; HEADER];
    while offset + HEADER as u64 <= end {
        file.read_exact_at(&mut head, offset)?;
        let id = record::container_of(&head);
        if RecordHeader::decode(&head, &id).is_some() {
            return Ok(Some(id));
        }
        offset += ALIGN as u64;
    }
    Ok(None)
}

/// A part of a file held in memory, so that a search over empty pages is not a read per page.
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// The page at an offset, or what the file has of it. A jump over a record reads one page, a
    /// step to the next page the whole window.
    fn page(&mut self, file: &File, offset: u64, end: u64) -> io::Result<&[u8]> {
        let stop = self.start + self.bytes.len() as u64;
        let page_end = (offset + ALIGN as u64).min(end);
        if offset < self.start || page_end > stop {
            let want = if offset == stop && stop > 0 { SCAN_BYTES } else { ALIGN };
            let want = usize::try_from(end - offset).unwrap_or(usize::MAX).min(want);
            self.bytes.resize(want, 0);
            file.read_exact_at(&mut self.bytes, offset)?;
            self.start = offset;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(0);
        Ok(&self.bytes[from..(from + ALIGN).min(self.bytes.len())])
    }
}

/// What a sealed block says of itself in the clear, where one begins here. Nothing of it is proven.
pub(crate) fn sealed_header(bytes: &[u8]) -> Option<StreamHeader> {
    let mut found = None;
    let opened = StreamOpener::new(bytes, |header| {
        found = Some(header.clone());
        Err(SealError::KeyUnknown)
    });
    opened.err().and(found)
}

/// One record in a hole, as far as it can be told.
pub(crate) struct Fragment {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Whose it is, where its sealed header can be read.
    pub(crate) owner: Option<(SpoolId, HospitalId)>,
}

/// The records that a hole holds: each begins with a page in which a sealed instance begins.
pub(crate) fn fragments(file: &File, start: u64, end: u64) -> io::Result<Vec<Fragment>> {
    let bytes = file.metadata()?.len();
    let mut found = vec![Fragment { start, end, owner: None }];
    let mut head = [0; HEADER_LEN];
    let mut offset = start;
    while offset + (HEADER + HEADER_LEN) as u64 <= end.min(bytes) {
        file.read_exact_at(&mut head, offset + HEADER as u64)?;
        if let Some(header) = sealed_header(&head) {
            let owner = Some((SpoolId::from_bytes(header.object_id.0), header.hospital));
            match found.last_mut() {
                Some(first) if offset == start => first.owner = owner,
                Some(before) => {
                    before.end = offset;
                    found.push(Fragment { start: offset, end, owner });
                }
                None => {}
            }
        }
        offset += ALIGN as u64;
    }
    Ok(found)
}

/// The header of a record whose own was changed, made again from what lies behind it: the sealed
/// details begin where a sealed block with the same id begins, and end before the padding. None
/// when the details do not open: then more than the header was changed.
pub(crate) fn rebuild(
    file: &File,
    fragment: &Fragment,
    container: [u8; 16],
    opens: impl Fn(SpoolId, &[u8]) -> bool,
) -> io::Result<Option<RecordHeader>> {
    let Some((id, _)) = fragment.owner.clone() else { return Ok(None) };
    let end = fragment.end.min(file.metadata()?.len());
    if end - fragment.start > MAX_REBUILD_BYTES {
        return Ok(None);
    }
    let mut bytes = vec![0; usize::try_from(end - fragment.start).unwrap_or(0)];
    file.read_exact_at(&mut bytes, fragment.start)?;
    let body = &bytes[HEADER..];
    let same = |header: &StreamHeader| header.object_id.0 == *id.as_bytes();
    // The magic number first: looking for a whole header at each byte would be slow.
    let magic = &body[..8];
    let places = (HEADER_LEN..body.len().saturating_sub(HEADER_LEN))
        .filter(|at| body[*at..*at + 8] == *magic)
        .filter(|at| sealed_header(&body[*at..]).as_ref().is_some_and(same));
    for at in places {
        let used = body.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        for stop in used..=(used + MAX_ZERO_END).min(body.len()) {
            let details = body.get(at..stop).unwrap_or_default();
            if details.len() > sealing::MAX_SEALED_META as usize || !opens(id, details) {
                continue;
            }
            let meta_len = u32::try_from(details.len()).unwrap_or(u32::MAX);
            let digest = *blake3::hash(&body[..stop]).as_bytes();
            let body_len = at as u64;
            return Ok(Some(RecordHeader { meta_len, body_len, batch: 0, id, container, digest }));
        }
    }
    Ok(None)
}

/// Whether a record's bytes are those its header was made for.
pub(crate) fn is_whole(file: &File, header: &RecordHeader, offset: u64) -> io::Result<bool> {
    let bytes = header.record_len() - HEADER as u64;
    Ok(record::digest_of(file, offset + HEADER as u64, bytes)? == header.digest)
}
