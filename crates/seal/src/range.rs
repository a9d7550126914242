//! Reading parts of a sealed object without reading the rest.

use crate::chunk::{ChunkCipher, Place};
use crate::header::{HEADER_LEN, Parsed};
use crate::keys::ZoneKey;
use crate::wrap::TAG_LEN;
use crate::{SealError, StreamHeader};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// Sealed bytes that one request fetches at most (one chunk, where chunks are larger).
const FETCH_BYTES: usize = 4 << 20;

/// Bytes at any place of an object: a file, or a store that answers ranges.
pub trait ReadAt: Send + Sync {
    /// How many bytes there are.
    ///
    /// # Errors
    /// When the object cannot be looked at.
    fn len(&self) -> io::Result<u64>;

    /// Whether there are no bytes.
    ///
    /// # Errors
    /// As [`ReadAt::len`].
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// Reads bytes from `offset` on; may give fewer than asked for, and 0 only at the end.
    ///
    /// # Errors
    /// When reading fails.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
}

impl ReadAt for [u8] {
    fn len(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let taken = buf.len().min(self.len() - from);
        buf[..taken].copy_from_slice(&self[from..from + taken]);
        Ok(taken)
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> io::Result<u64> {
        ReadAt::len(self.as_slice())
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, buf)
    }
}

macro_rules! forward {
    ($($target:ty),*) => {$(
        impl<T: ReadAt + ?Sized> ReadAt for $target {
            fn len(&self) -> io::Result<u64> {
                (**self).len()
            }
            fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
                (**self).read_at(offset, buf)
            }
        }
    )*};
}
forward!(&T, Box<T>, Arc<T>);

fn read_exact_at<R: ReadAt + ?Sized>(
    source: &R,
    mut offset: u64,
    mut buf: &mut [u8],
) -> Result<(), SealError> {
    while !buf.is_empty() {
        match source.read_at(offset, buf) {
            Ok(0) => return Err(SealError::Truncated),
            Ok(n) => {
                offset += n as u64;
                buf = &mut buf[n..];
            }
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err.into()),
        }
    }
    Ok(())
}

/// Opens ranges of a sealed object: only the chunks that a range touches are fetched.
pub struct RangeOpener<R: ReadAt> {
    source: R,
    header: StreamHeader,
    cipher: ChunkCipher,
    /// Number of the last chunk.
    last: u32,
    /// Plaintext of the last chunk, opened first: it proves the length of the object.
    tail: Vec<u8>,
    plain_len: u64,
}

impl<R: ReadAt> RangeOpener<R> {
    /// Reads the header and the last chunk, which proves that the object is whole.
    ///
    /// # Errors
    /// What is wrong with the object, and whatever `key` returns.
    pub fn new(
        source: R,
        key: impl FnOnce(&StreamHeader) -> Result<ZoneKey, SealError>,
    ) -> Result<Self, SealError> {
        let sealed_len = source.len()?;
        let mut head = [0; HEADER_LEN];
        let have = usize::try_from(sealed_len).unwrap_or(usize::MAX).min(HEADER_LEN);
        read_exact_at(&source, 0, &mut head[..have])?;
        let parsed = Parsed::read(&head[..have])?;
        let layout = Layout::of(sealed_len, parsed.header.chunk_len())?;
        let cipher = parsed.open(&key(&parsed.header)?)?;
        let mut tail = vec![0; layout.tail_sealed];
        read_exact_at(&source, layout.tail_at, &mut tail)?;
        cipher.open(layout.last, Place::Last, &mut tail)?;
        tail.truncate(layout.tail_sealed - TAG_LEN);
        let Layout { last, plain_len, .. } = layout;
        Ok(Self { source, header: parsed.header, cipher, last, tail, plain_len })
    }

    /// The header; authentic, because the data key opened under it.
    #[must_use]
    pub fn header(&self) -> &StreamHeader {
        &self.header
    }

    /// Where the sealed bytes come from.
    #[must_use]
    pub fn source(&self) -> &R {
        &self.source
    }

    /// How many plaintext bytes there are.
    #[must_use]
    pub fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// Writes `length` plaintext bytes from `offset` on to `out`.
    ///
    /// # Errors
    /// [`SealError::Range`] when the range is outside the plaintext, [`SealError::Chunk`] when a
    /// chunk was changed, [`SealError::Io`] when reading or writing fails.
    pub fn read_range(
        &self,
        offset: u64,
        length: u64,
        out: &mut impl Write,
    ) -> Result<(), SealError> {
        let mut reader = self.reader(offset, length)?;
        while reader.at < reader.end {
            let plain = reader.available()?;
            out.write_all(plain)?;
            let taken = plain.len() as u64;
            reader.at += taken;
        }
        Ok(())
    }

    /// A reader of `length` plaintext bytes from `offset` on.
    ///
    /// # Errors
    /// [`SealError::Range`] when the range is outside the plaintext.
    pub fn reader(&self, offset: u64, length: u64) -> Result<RangeReader<'_, R>, SealError> {
        match offset.checked_add(length) {
            Some(end) if end <= self.plain_len => {
                Ok(RangeReader { opener: self, at: offset, end, window: Vec::new(), first: 0 })
            }
            _ => Err(SealError::Range { offset, length, plain: self.plain_len }),
        }
    }
}

/// Where the chunks of an object lie, from its length alone.
struct Layout {
    last: u32,
    tail_at: u64,
    tail_sealed: usize,
    plain_len: u64,
}

impl Layout {
    fn of(sealed_len: u64, chunk_len: usize) -> Result<Self, SealError> {
        let body = sealed_len.checked_sub(HEADER_LEN as u64).ok_or(SealError::Truncated)?;
        let step = (chunk_len + TAG_LEN) as u64;
        if body < TAG_LEN as u64 {
            return Err(SealError::Truncated);
        }
        let last = (body - 1) / step;
        let tail = body - last * step;
        let number = u32::try_from(last).map_err(|_| SealError::TooLong)?;
        // An empty last chunk stands only for an empty stream (docs/formats/sealed-object.md).
        if tail < TAG_LEN as u64 {
            return Err(SealError::Truncated);
        }
        if tail == TAG_LEN as u64 && last > 0 {
            return Err(SealError::Chunk(number));
        }
        Ok(Self {
            last: number,
            tail_at: HEADER_LEN as u64 + last * step,
            // At most one chunk and its tag, so that it fits a usize.
            tail_sealed: usize::try_from(tail).map_err(|_| SealError::TooLong)?,
            plain_len: body - (last + 1) * TAG_LEN as u64,
        })
    }
}

/// Reads a range of the plaintext, a few chunks at a time.
pub struct RangeReader<'a, R: ReadAt> {
    opener: &'a RangeOpener<R>,
    at: u64,
    end: u64,
    /// Opened chunks, each followed by its tag.
    window: Vec<u8>,
    /// Number of the first chunk in `window`.
    first: u32,
}

impl<R: ReadAt> RangeReader<'_, R> {
    /// Plaintext from the current place on that is there without another request; not empty before
    /// the end of the range.
    fn available(&mut self) -> Result<&[u8], SealError> {
        let chunk_log2 = self.opener.header.chunk_log2;
        let chunk_len = self.opener.header.chunk_len();
        // Chunk numbers fit a u32, as `Layout::of` has checked.
        let number = u32::try_from(self.at >> chunk_log2).map_err(|_| SealError::TooLong)?;
        let within = usize::try_from(self.at & (chunk_len as u64 - 1)).unwrap_or(usize::MAX);
        let wanted = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        if number == self.opener.last {
            let plain = self.opener.tail.get(within..).unwrap_or_default();
            return Ok(&plain[..plain.len().min(wanted)]);
        }
        let step = chunk_len + TAG_LEN;
        let held = self.window.len() / step;
        let place = number.checked_sub(self.first).map(|n| n as usize).filter(|&n| n < held);
        let place = match place {
            Some(place) => place,
            None => {
                self.fetch(number)?;
                0
            }
        };
        let plain = &self.window[place * step + within..place * step + chunk_len];
        Ok(&plain[..plain.len().min(wanted)])
    }

    /// Fetches and opens the chunks from `first` on that the range needs, as many as one request
    /// may fetch.
    fn fetch(&mut self, first: u32) -> Result<(), SealError> {
        let step = self.opener.header.chunk_len() + TAG_LEN;
        let final_chunk = self.end.saturating_sub(1) >> self.opener.header.chunk_log2;
        // The last chunk of the object is held open already.
        let stop = final_chunk.saturating_add(1).min(u64::from(self.opener.last));
        let wanted = usize::try_from(stop - u64::from(first)).unwrap_or(usize::MAX);
        let count = wanted.min((FETCH_BYTES / step).max(1));
        self.window.clear();
        self.window.resize(count * step, 0);
        self.first = first;
        let at = HEADER_LEN as u64 + u64::from(first) * step as u64;
        let opened = read_exact_at(&self.opener.source, at, &mut self.window).and_then(|()| {
            (first..).zip(self.window.chunks_exact_mut(step)).try_for_each(|(number, chunk)| {
                self.opener.cipher.open(number, Place::Inner, chunk)
            })
        });
        if opened.is_err() {
            // Nothing unauthenticated may be served by a later read.
            self.window.clear();
        }
        opened
    }
}

impl<R: ReadAt> Read for RangeReader<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.end || out.is_empty() {
            return Ok(0);
        }
        let plain = self.available()?;
        let taken = plain.len().min(out.len());
        out[..taken].copy_from_slice(&plain[..taken]);
        self.at += taken as u64;
        Ok(taken)
    }
}
