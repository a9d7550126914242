//! Reads a zip archive front to back (PKWARE APPNOTE 6.3.10), member by member.
//!
//! The archive is never held: not in memory, where its size would decide how much is needed, and
//! not on a disk, where identified bytes may only lie sealed. So the central directory at its end
//! is not used. Members whose sizes stand behind them (data descriptors, as macOS and streaming
//! packers write them) are read when they are deflated, because deflate says itself where it ends.

use super::{WebError, WebLimits};
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::io::{self, BufRead, Read};

const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
const CENTRAL_HEADER: [u8; 4] = *b"PK\x01\x02";
const CENTRAL_END: [u8; 4] = *b"PK\x05\x06";
const ZIP64_END: [u8; 4] = *b"PK\x06\x06";
const EXTRA_DATA: [u8; 4] = *b"PK\x06\x08";
/// Length of the local file header behind its signature, up to the name (4.3.7).
const LOCAL_HEADER_BYTES: usize = 26;
/// Header id of the zip64 extended information (4.5.3).
const ZIP64_EXTRA: u16 = 0x0001;
/// General purpose bit 0 (4.4.4): the member is encrypted.
const ENCRYPTED: u16 = 1;
/// General purpose bit 3 (4.4.4): checksum and sizes follow in a data descriptor.
const DESCRIBED: u16 = 1 << 3;
/// Below this many unpacked bytes no ratio is judged: blank images pack very well.
const RATIO_GRACE_BYTES: u64 = 64 << 20;
const READ_BYTES: usize = 64 << 10;

const UNKNOWN_END: WebError = WebError::Archive("the end of a member is not known");
const ENDS_EARLY: WebError = WebError::Archive("it ends early");

/// What a member is, as far as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    /// A folder, or what file managers add beside the files.
    Clutter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Stored,
    Deflated,
    Other,
}

/// A member's local header. Its name is looked at and dropped.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) kind: Kind,
    method: Method,
    described: bool,
    zip64: bool,
    crc: u32,
    /// Packed length; unknown when it follows the data.
    packed: Option<u64>,
}

/// How a member ended; reading goes on behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All of it was handed over, and its checksum is right.
    Whole,
    /// Its bytes or its checksum are wrong.
    Damaged,
    /// It is encrypted, or packed by another method than deflate.
    Packing,
}

/// An archive that is being read.
pub(crate) struct Unzip<'a, R> {
    input: R,
    limits: &'a WebLimits,
    unpacked: u64,
    members: u32,
}

impl<'a, R: BufRead> Unzip<'a, R> {
    pub(crate) fn new(input: R, limits: &'a WebLimits) -> Self {
        Self { input, limits, unpacked: 0, members: 0 }
    }

    /// The next member's header; nothing at the end of the members.
    pub(crate) fn next_member(&mut self) -> Result<Option<Member>, WebError> {
        let mut signature: [u8; 4] = array(&mut self.input)?;
        if signature == DESCRIPTOR && self.members > 0 {
            // Behind an empty stored member: checksum and two sizes of 32 bits.
            let _: [u8; 12] = array(&mut self.input)?;
            signature = array(&mut self.input)?;
        }
        match signature {
            LOCAL_HEADER => {}
            CENTRAL_HEADER | CENTRAL_END | ZIP64_END | EXTRA_DATA => return Ok(None),
            _ if self.members == 0 => return Err(WebError::Archive("it is not a zip archive")),
            _ => return Err(WebError::Archive("there is no member where one is expected")),
        }
        if self.members >= self.limits.max_parts {
            return Err(WebError::TooMany);
        }
        self.members += 1;
        self.header().map(Some)
    }

    fn header(&mut self) -> Result<Member, WebError> {
        let header: [u8; LOCAL_HEADER_BYTES] = array(&mut self.input)?;
        let word = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let long = |at: usize| u32::from(word(at)) | (u32::from(word(at + 2)) << 16);
        let flags = word(2);
        let method = match word(4) {
            _ if flags & ENCRYPTED != 0 => Method::Other,
            0 => Method::Stored,
            8 => Method::Deflated,
            _ => Method::Other,
        };
        let (packed, size) = (long(14), long(18));
        // Both lengths have 16 bits: at most 64 KiB each.
        let mut name = vec![0; word(22).into()];
        self.input.read_exact(&mut name).map_err(input_fault)?;
        let mut extra = vec![0; word(24).into()];
        self.input.read_exact(&mut extra).map_err(input_fault)?;
        let wide = zip64_extra(&extra);
        let described = flags & DESCRIBED != 0;
        let packed = match wide {
            Some(wide) if packed == u32::MAX => wide_packed(wide, size == u32::MAX)
                .ok_or(WebError::Archive("a zip64 size is missing"))?,
            _ => packed.into(),
        };
        let packed = (packed != 0 || !described).then_some(packed);
        let (kind, zip64, crc) = (kind(&name), wide.is_some(), long(10));
        Ok(Member { kind, method, described, zip64, crc, packed })
    }

    /// Reads a member to its end. `out` gets the bytes until it says that it wants no more; what is
    /// left is passed over.
    pub(crate) fn read(
        &mut self,
        member: &Member,
        out: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Ended, WebError> {
        let mut meter = Meter { unpacked: &mut self.unpacked, limits: self.limits };
        let copied = match (member.method, member.packed) {
            (Method::Other, None) => return Err(UNKNOWN_END),
            // The only stored member whose end is known is the empty one; its descriptor is passed
            // over before the next header, and a longer one shows there.
            (Method::Stored, None) => return Ok(Ended::Whole),
            (Method::Other, Some(packed)) => {
                pass(&mut self.input, packed)?;
                None
            }
            (Method::Stored, Some(packed)) => {
                let mut data = (&mut self.input).take(packed);
                let copied = meter.copy(&mut data, |_| u64::MAX, true, out)?;
                let left = data.limit();
                pass(&mut self.input, left)?;
                copied.map(|copied| Copied { packed, ..copied })
            }
            (Method::Deflated, packed) => {
                let data = (&mut self.input).take(packed.unwrap_or(u64::MAX));
                let mut data = DeflateDecoder::new(data);
                let copied =
                    meter.copy(&mut data, DeflateDecoder::total_in, packed.is_some(), out)?;
                let left = data.get_ref().limit();
                match (packed, copied) {
                    (Some(packed), copied) => {
                        pass(&mut self.input, left)?;
                        copied.map(|copied| Copied { packed, ..copied })
                    }
                    (None, None) => return Err(WebError::Archive("its packed data is damaged")),
                    (None, copied) => copied,
                }
            }
        };
        let crc = if member.described { self.descriptor(member, copied)? } else { member.crc };
        Ok(match copied {
            _ if member.method == Method::Other => Ended::Packing,
            Some(copied) if copied.crc == crc => Ended::Whole,
            _ => Ended::Damaged,
        })
    }

    /// Reads a data descriptor (4.3.9) and returns the checksum in it. Its signature is optional,
    /// and its sizes have 32 or 64 bits.
    fn descriptor(&mut self, member: &Member, copied: Option<Copied>) -> Result<u32, WebError> {
        let mut crc: [u8; 4] = array(&mut self.input)?;
        let signed = crc == DESCRIPTOR;
        if signed && copied.is_none_or(|copied| copied.crc != u32::from_le_bytes(DESCRIPTOR)) {
            crc = array(&mut self.input)?;
        }
        let sizes: [u8; 8] = array(&mut self.input)?;
        let packed = copied.map(|copied| copied.packed).or(member.packed).unwrap_or(0);
        let narrow = u32::try_from(packed).ok().map(u32::to_le_bytes);
        let is_narrow = narrow.is_some_and(|narrow| sizes[..4] == narrow);
        // By the standard they have 64 bits where the header has a zip64 field; some packers write
        // them so without one. The upper half of a wide size could be the size of an empty member.
        let empty = copied.is_some_and(|copied| copied.unpacked == 0);
        let wide = sizes == packed.to_le_bytes() && (member.zip64 || !empty);
        if wide {
            let _: [u8; 8] = array(&mut self.input)?;
        } else if !is_narrow {
            return Err(WebError::Archive("a data descriptor does not fit its member"));
        }
        Ok(u32::from_le_bytes(crc))
    }
}

/// What was handed over of a member.
#[derive(Debug, Clone, Copy)]
struct Copied {
    crc: u32,
    packed: u64,
    unpacked: u64,
}

/// Watches how much an archive unpacks to.
struct Meter<'a> {
    unpacked: &'a mut u64,
    limits: &'a WebLimits,
}

impl Meter<'_> {
    /// Hands a member's bytes to `out`; nothing when the packed data is damaged. `consumed` says
    /// how many packed bytes were used. A member that is not wanted any more is read on only where
    /// its end cannot be found otherwise.
    fn copy<R: Read>(
        &mut self,
        data: &mut R,
        consumed: impl Fn(&R) -> u64,
        end_known: bool,
        out: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Option<Copied>, WebError> {
        let mut buffer = vec![0; READ_BYTES];
        let (mut crc, mut unpacked, mut wanted) = (Crc::new(), 0_u64, true);
        while wanted || !end_known {
            let length = match data.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {
                    return Err(WebError::Disconnected);
                }
                Err(_) => return Ok(None),
            };
            let bytes = &buffer[..length];
            unpacked += length as u64;
            self.judge(length as u64, unpacked, consumed(data))?;
            crc.update(bytes);
            wanted = wanted && out(bytes);
        }
        Ok(Some(Copied { crc: crc.sum(), packed: consumed(data), unpacked }))
    }

    fn judge(&mut self, more: u64, unpacked: u64, packed: u64) -> Result<(), WebError> {
        *self.unpacked += more;
        if *self.unpacked > self.limits.max_unpacked_bytes {
            return Err(WebError::Bomb("max_unpacked_bytes"));
        }
        if unpacked > RATIO_GRACE_BYTES && unpacked / packed.max(1) > self.limits.max_unpack_ratio {
            return Err(WebError::Bomb("max_unpack_ratio"));
        }
        Ok(())
    }
}

fn array<const N: usize>(input: &mut impl Read) -> Result<[u8; N], WebError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes).map_err(input_fault)?;
    Ok(bytes)
}

/// Passes over bytes; fewer than that is an archive that ends early.
fn pass(input: &mut impl BufRead, mut left: u64) -> Result<(), WebError> {
    while left > 0 {
        let ready = input.fill_buf().map_err(input_fault)?.len();
        if ready == 0 {
            return Err(ENDS_EARLY);
        }
        let step = usize::try_from(left).unwrap_or(usize::MAX).min(ready);
        input.consume(step);
        left -= step as u64;
    }
    Ok(())
}

fn input_fault(error: io::Error) -> WebError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ENDS_EARLY,
        _ => WebError::Disconnected,
    }
}

/// The zip64 extended information among the extra fields (4.5): 16 bits of id, 16 bits of length.
fn zip64_extra(mut extra: &[u8]) -> Option<&[u8]> {
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let field = rest.get(..length)?;
        if u16::from_le_bytes([head[0], head[1]]) == ZIP64_EXTRA {
            return Some(field);
        }
        extra = &rest[length..];
    }
    None
}

/// The packed size in a zip64 field: it stands behind the unpacked size where that is there too.
fn wide_packed(field: &[u8], behind_size: bool) -> Option<u64> {
    let field = if behind_size { field.get(8..)? } else { field };
    field.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Tells files from folders and from what file managers add beside them.
fn kind(name: &[u8]) -> Kind {
    let separator = |byte: &u8| matches!(byte, b'/' | b'\\');
    let last = name.rsplit(separator).next().unwrap_or_default();
    let clutter = last.is_empty()
        || name.split(separator).any(|step| step == b"__MACOSX")
        || [&b".DS_Store"[..], b"Thumbs.db", b"desktop.ini"].contains(&last);
    if clutter { Kind::Clutter } else { Kind::File }
}

#[cfg(test)]
mod tests;
