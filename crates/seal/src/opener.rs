//! Reading a sealed stream from its beginning.

use crate::chunk::{ChunkCipher, Place};
use crate::header::{HEADER_LEN, Parsed};
use crate::keys::ZoneKey;
use crate::wrap::TAG_LEN;
use crate::{SealError, StreamHeader};
use std::io::{self, Read};
use std::ops::Range;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
    Failed,
}

/// Opens a sealed stream. No byte is handed out before its chunk has authenticated; after an error
/// every further read is one.
pub struct StreamOpener<R: Read> {
    inner: R,
    header: StreamHeader,
    cipher: ChunkCipher,
    /// One sealed chunk and one byte more, which tells whether another chunk follows.
    buffer: Vec<u8>,
    /// The byte that was read ahead.
    ahead: Option<u8>,
    /// Plaintext in `buffer` that is not handed out yet.
    ready: Range<usize>,
    counter: u32,
    state: State,
}

impl<R: Read> StreamOpener<R> {
    /// Reads the header and opens the data key with the zone key that `key` finds for it.
    ///
    /// # Errors
    /// What is wrong with the header, and whatever `key` returns.
    pub fn new(
        mut inner: R,
        key: impl FnOnce(&StreamHeader) -> Result<ZoneKey, SealError>,
    ) -> Result<Self, SealError> {
        let mut head = [0; HEADER_LEN];
        let have = read_full(&mut inner, &mut head)?;
        let parsed = Parsed::read(&head[..have])?;
        let cipher = parsed.open(&key(&parsed.header)?)?;
        let buffer = vec![0; parsed.header.chunk_len() + TAG_LEN + 1];
        Ok(Self {
            inner,
            header: parsed.header,
            cipher,
            buffer,
            ahead: None,
            ready: 0..0,
            counter: 0,
            state: State::Reading,
        })
    }

    /// The header; authentic, because the data key opened under it.
    #[must_use]
    pub fn header(&self) -> &StreamHeader {
        &self.header
    }

    fn next_chunk(&mut self) -> Result<(), SealError> {
        let full = self.buffer.len() - 1;
        let mut have = 0;
        if let Some(byte) = self.ahead.take() {
            self.buffer[0] = byte;
            have = 1;
        }
        have += read_full(&mut self.inner, &mut self.buffer[have..])?;
        let (place, sealed) = if have > full {
            self.ahead = Some(self.buffer[full]);
            (Place::Inner, full)
        } else {
            (Place::Last, have)
        };
        if sealed < TAG_LEN {
            return Err(SealError::Truncated);
        }
        // An empty last chunk stands only for an empty stream, so that a plaintext has one form.
        if sealed == TAG_LEN && self.counter > 0 {
            return Err(SealError::Chunk(self.counter));
        }
        self.cipher.open(self.counter, place, &mut self.buffer[..sealed])?;
        self.ready = 0..sealed - TAG_LEN;
        match place {
            Place::Last => self.state = State::Ended,
            Place::Inner => self.counter = self.counter.checked_add(1).ok_or(SealError::TooLong)?,
        }
        Ok(())
    }
}

impl<R: Read> Read for StreamOpener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.ready.is_empty() {
            match self.state {
                State::Reading => {
                    if let Err(err) = self.next_chunk() {
                        self.state = State::Failed;
                        self.ready = 0..0;
                        return Err(err.into());
                    }
                }
                State::Ended => return Ok(0),
                State::Failed => return Err(SealError::Poisoned.into()),
            }
        }
        let taken = self.ready.len().min(out.len());
        let from = self.ready.start;
        out[..taken].copy_from_slice(&self.buffer[from..from + taken]);
        self.ready.start += taken;
        Ok(taken)
    }
}

/// Reads until the buffer is full or the reader ends.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match reader.read(&mut buffer[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    Ok(have)
}
