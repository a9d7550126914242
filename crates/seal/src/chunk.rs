//! One chunk: AES-256-GCM under the object's data key (`docs/formats/sealed-object.md`, "Chunks").

use crate::SealError;
use crate::header::{HEADER_LEN, PREFIX_LEN, WRAP_NONCE_AT};
use crate::keys::Secret;
use crate::wrap::{self, TAG_LEN};
use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

/// Whether a chunk is the object's last one; part of its nonce.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Inner,
    Last,
}

/// Seals and opens the chunks of one object.
pub(crate) struct ChunkCipher {
    key: LessSafeKey,
    prefix: [u8; PREFIX_LEN],
    header_digest: blake3::Hash,
}

impl ChunkCipher {
    pub(crate) fn new(
        data_key: &Secret,
        prefix: [u8; PREFIX_LEN],
        header: &[u8; HEADER_LEN],
    ) -> Result<Self, SealError> {
        let key = wrap::cipher(data_key.bytes())?;
        // Without the wrapped data key, which has its own tag: so a data key can be wrapped anew.
        Ok(Self { key, prefix, header_digest: blake3::hash(&header[..WRAP_NONCE_AT]) })
    }

    /// 7-byte prefix, 4-byte big-endian counter, last flag: the STREAM construction.
    fn nonce(&self, counter: u32, place: Place) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..PREFIX_LEN].copy_from_slice(&self.prefix);
        nonce[PREFIX_LEN..NONCE_LEN - 1].copy_from_slice(&counter.to_be_bytes());
        nonce[NONCE_LEN - 1] = u8::from(place == Place::Last);
        Nonce::assume_unique_for_key(nonce)
    }

    /// Encrypts in place and gives the tag.
    pub(crate) fn seal(
        &self,
        counter: u32,
        place: Place,
        plain: &mut [u8],
    ) -> Result<[u8; TAG_LEN], SealError> {
        let aad = Aad::from(self.header_digest.as_bytes());
        let tag = self
            .key
            .seal_in_place_separate_tag(self.nonce(counter, place), aad, plain)
            .map_err(|_| SealError::Chunk(counter))?;
        let mut out = [0; TAG_LEN];
        out.copy_from_slice(tag.as_ref());
        Ok(out)
    }

    /// Decrypts a chunk with its tag in place; the plaintext is everything before the tag.
    pub(crate) fn open(
        &self,
        counter: u32,
        place: Place,
        sealed: &mut [u8],
    ) -> Result<(), SealError> {
        let aad = Aad::from(self.header_digest.as_bytes());
        match self.key.open_in_place(self.nonce(counter, place), aad, sealed) {
            Ok(_) => Ok(()),
            Err(_) => Err(SealError::Chunk(counter)),
        }
    }
}
