//! Writing a sealed stream.

use crate::chunk::{ChunkCipher, Place};
use crate::header::{self, HEADER_LEN};
use crate::keys::{Entropy, ZoneKey};
use crate::wrap::TAG_LEN;
use crate::{SealError, StreamHeader};
use scanveil_model::{Digest, Zone};
use std::io::{self, Write};

/// What a finished stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedSummary {
    /// Plaintext bytes.
    pub bytes: u64,
    /// BLAKE3 digest of the plaintext.
    pub digest: Digest,
    /// Bytes written: header, chunks and tags.
    pub sealed_bytes: u64,
}

/// Which side of the cipher the running digest is over. One is computed, because two would cost
/// more than the encryption does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigestOf {
    Plain,
    Sealed,
}

/// Seals what is written to it, chunk by chunk, in one buffer. Without [`StreamSealer::finish`] the
/// last chunk is missing, and what was written opens nowhere.
///
/// `flush` passes on what is sealed already: the bytes of a chunk that is not full wait for more.
pub struct StreamSealer<W: Write> {
    inner: W,
    cipher: ChunkCipher,
    /// The header before the first chunk (one write for both), then the plaintext of the chunk.
    buffer: Vec<u8>,
    /// Where the plaintext begins in `buffer`.
    start: usize,
    chunk_len: usize,
    counter: u32,
    hasher: blake3::Hasher,
    digest_of: DigestOf,
    bytes: u64,
    sealed_bytes: u64,
    /// A write failed: the buffer is sealed already, and sealing it again would reuse a nonce.
    poisoned: bool,
}

impl<W: Write> StreamSealer<W> {
    /// Starts a sealed stream in the vault or in quarantine.
    ///
    /// # Errors
    /// [`SealError::ResearchUnscrubbed`] for the research zone, which only research packs write;
    /// [`SealError::ZoneMismatch`] and [`SealError::Header`] when header and key do not fit.
    pub fn new(
        inner: W,
        header: &StreamHeader,
        key: &ZoneKey,
        entropy: &dyn Entropy,
    ) -> Result<Self, SealError> {
        if header.zone == Zone::Research {
            return Err(SealError::ResearchUnscrubbed);
        }
        Self::start(inner, header, key, entropy, DigestOf::Plain)
    }

    pub(crate) fn start(
        inner: W,
        header: &StreamHeader,
        key: &ZoneKey,
        entropy: &dyn Entropy,
        digest_of: DigestOf,
    ) -> Result<Self, SealError> {
        let (head, cipher) = header::seal(header, key, entropy)?;
        let chunk_len = header.chunk_len();
        // Reserved, not written: a small instance touches only the pages it needs.
        let mut buffer = Vec::with_capacity(HEADER_LEN + chunk_len + TAG_LEN);
        buffer.extend_from_slice(&head);
        Ok(Self {
            inner,
            cipher,
            buffer,
            start: HEADER_LEN,
            chunk_len,
            counter: 0,
            hasher: blake3::Hasher::new(),
            digest_of,
            bytes: 0,
            sealed_bytes: 0,
            poisoned: false,
        })
    }

    /// Seals the rest and gives back the writer. The caller makes it durable.
    ///
    /// # Errors
    /// [`SealError::Poisoned`] after an earlier error; [`SealError::Io`] when the writer fails.
    pub fn finish(self) -> Result<(W, SealedSummary), SealError> {
        let (inner, bytes, digest, sealed_bytes) = self.finish_parts()?;
        Ok((inner, SealedSummary { bytes, digest, sealed_bytes }))
    }

    /// The writer, the plaintext bytes, the digest asked for and the sealed bytes.
    pub(crate) fn finish_parts(mut self) -> Result<(W, u64, Digest, u64), SealError> {
        if self.poisoned {
            return Err(SealError::Poisoned);
        }
        self.seal_chunk(Place::Last)?;
        let digest = Digest(*self.hasher.finalize().as_bytes());
        Ok((self.inner, self.bytes, digest, self.sealed_bytes))
    }

    fn seal_chunk(&mut self, place: Place) -> Result<(), SealError> {
        let next = match (place, self.counter.checked_add(1)) {
            (Place::Inner, None) => return Err(SealError::TooLong),
            (_, next) => next.unwrap_or(u32::MAX),
        };
        self.poisoned = true;
        let plain = &mut self.buffer[self.start..];
        if self.digest_of == DigestOf::Plain {
            self.hasher.update(plain);
        }
        let tag = self.cipher.seal(self.counter, place, plain)?;
        self.buffer.extend_from_slice(&tag);
        if self.digest_of == DigestOf::Sealed {
            self.hasher.update(&self.buffer);
        }
        self.inner.write_all(&self.buffer)?;
        self.sealed_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        self.start = 0;
        self.counter = next;
        self.poisoned = false;
        Ok(())
    }
}

impl<W: Write> Write for StreamSealer<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.poisoned {
            return Err(SealError::Poisoned.into());
        }
        if data.is_empty() {
            return Ok(0);
        }
        // A full chunk waits for one more byte: only then is it known not to be the last.
        if self.buffer.len() - self.start == self.chunk_len {
            self.seal_chunk(Place::Inner)?;
        }
        let room = self.chunk_len - (self.buffer.len() - self.start);
        let taken = room.min(data.len());
        self.buffer.extend_from_slice(&data[..taken]);
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
