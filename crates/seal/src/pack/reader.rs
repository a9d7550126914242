//! Reading packs by ranges.

use super::index::{MAX_INDEX_BYTES, PackEntry, PackIndex, TRAILER_LEN, TRAILER_MAGIC};
use crate::{RangeOpener, RangeReader, ReadAt, SealError, StreamHeader, ZoneKey};
use std::io::{self, Read, Write};

/// An open pack: its index, and its instances by their ranges.
pub struct PackReader<R: ReadAt> {
    opener: RangeOpener<R>,
    index: PackIndex,
}

impl<R: ReadAt> PackReader<R> {
    /// Opens a pack: reads the header, the last chunk and the index, and checks every number in
    /// the index against the length of the plaintext.
    ///
    /// # Errors
    /// What is wrong with the object or its index, and whatever `key` returns.
    pub fn open(
        source: R,
        key: impl FnOnce(&StreamHeader) -> Result<ZoneKey, SealError>,
    ) -> Result<Self, SealError> {
        let opener = RangeOpener::new(source, key)?;
        let body = opener
            .plain_len()
            .checked_sub(TRAILER_LEN)
            .ok_or(SealError::NotPack("it is shorter than a trailer"))?;
        let mut trailer = Vec::with_capacity(16);
        opener.read_range(body, TRAILER_LEN, &mut trailer)?;
        let (length, magic) = trailer.split_at(8);
        if magic != TRAILER_MAGIC {
            return Err(SealError::NotPack("its last bytes are not a pack's"));
        }
        let length = u64::from_le_bytes(
            length.try_into().map_err(|_| SealError::NotPack("its trailer is too short"))?,
        );
        if length > MAX_INDEX_BYTES {
            return Err(SealError::NotPack("its index is longer than an index may be"));
        }
        let instance_bytes = body
            .checked_sub(length)
            .ok_or(SealError::NotPack("its index is longer than the object"))?;
        let mut json = Vec::new();
        opener.read_range(instance_bytes, length, &mut json)?;
        let index = PackIndex::read(&json, opener.header(), instance_bytes)?;
        Ok(Self { opener, index })
    }

    /// The sealed header.
    #[must_use]
    pub fn header(&self) -> &StreamHeader {
        self.opener.header()
    }

    /// What the pack holds.
    #[must_use]
    pub fn index(&self) -> &PackIndex {
        &self.index
    }

    /// A reader of one instance; only the chunks that hold it are fetched. Its end is an error when
    /// the digest is not the entry's.
    ///
    /// # Errors
    /// [`SealError::Range`] when the entry is not of this pack.
    pub fn instance(&self, entry: &PackEntry) -> Result<InstanceReader<'_, R>, SealError> {
        let number = self.index.entries.partition_point(|e| e.offset < entry.offset);
        Ok(InstanceReader {
            inner: self.opener.reader(entry.offset, entry.length)?,
            hasher: Box::new(blake3::Hasher::new()),
            digest: entry.digest.0,
            number,
            checked: false,
        })
    }

    /// Writes one instance to `out` and checks its digest. After an error `out` must be discarded.
    ///
    /// # Errors
    /// [`SealError::InstanceMismatch`], [`SealError::Chunk`], [`SealError::Range`],
    /// [`SealError::Io`].
    pub fn read_instance(&self, entry: &PackEntry, out: &mut impl Write) -> Result<(), SealError> {
        io::copy(&mut self.instance(entry)?, out)?;
        Ok(())
    }

    /// Reads every instance and checks its digest: the counterpart of writing the pack.
    ///
    /// # Errors
    /// As [`PackReader::read_instance`].
    pub fn verify(&self) -> Result<(), SealError> {
        self.index.entries.iter().try_for_each(|e| self.read_instance(e, &mut io::sink()))
    }
}

/// Reads one instance of a pack. The bytes are authentic as they come; that they are the whole
/// instance and the right one is known when the reader ends without an error.
pub struct InstanceReader<'a, R: ReadAt> {
    inner: RangeReader<'a, R>,
    hasher: Box<blake3::Hasher>,
    digest: [u8; 32],
    number: usize,
    checked: bool,
}

impl<R: ReadAt> Read for InstanceReader<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let taken = self.inner.read(out)?;
        self.hasher.update(&out[..taken]);
        if taken == 0 && !out.is_empty() && !self.checked {
            if *self.hasher.finalize().as_bytes() != self.digest {
                let what = "digest";
                return Err(SealError::InstanceMismatch { entry: self.number, what }.into());
            }
            self.checked = true;
        }
        Ok(taken)
    }
}
