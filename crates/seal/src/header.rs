//! The clear header of a sealed object (`docs/formats/sealed-object.md`, "Header").

use crate::SealError;
use crate::chunk::ChunkCipher;
use crate::keys::{Entropy, Secret, ZoneKey};
use crate::wrap::{self, WRAPPED_LEN};
use aws_lc_rs::aead::NONCE_LEN;
use scanveil_model::{HospitalId, ObjectId, SubjectId, Zone};

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 146;
/// Smallest chunk size: 4 KiB.
pub const MIN_CHUNK_LOG2: u8 = 12;
/// Largest chunk size: 4 MiB.
pub(crate) const MAX_CHUNK_LOG2: u8 = 22;
/// Chunk size that is written: 256 KiB.
pub(crate) const DEFAULT_CHUNK_LOG2: u8 = 18;

pub(crate) const MAGIC: [u8; 8] = *b"\x89SVO\r\n\x1a\n";
const VERSION: u16 = 1;
const HOSPITAL_MAX: usize = 32;
pub(crate) const PREFIX_LEN: usize = 7;
const DATA_KEY_LABEL: &[u8] = b"\x08data-key";

const VERSION_AT: usize = 8;
const ZONE_AT: usize = 10;
const CHUNK_AT: usize = 11;
const KEY_KIND_AT: usize = 12;
const HOSPITAL_LEN_AT: usize = 13;
const HOSPITAL_AT: usize = 14;
const KEY_ID_AT: usize = 46;
const OBJECT_ID_AT: usize = 62;
const PREFIX_AT: usize = 78;
const RESERVED_AT: usize = 85;
pub(crate) const WRAP_NONCE_AT: usize = 86;
const WRAPPED_AT: usize = 98;

/// Which key wraps the data key of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyId {
    /// The hospital's intake key (the spool, zone vault only).
    Intake,
    /// A subject's key in the object's zone.
    Subject(SubjectId),
}

/// What a sealed object says about itself in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamHeader {
    /// The zone.
    pub zone: Zone,
    /// The hospital the data belongs to.
    pub hospital: HospitalId,
    /// Which key wraps the data key.
    pub key_id: KeyId,
    /// The object's id.
    pub object_id: ObjectId,
    /// Plaintext bytes in a chunk, as a power of two.
    pub chunk_log2: u8,
}

impl StreamHeader {
    /// A subject's object in a zone, with the default chunk size.
    #[must_use]
    pub fn subject(
        zone: Zone,
        hospital: HospitalId,
        subject: SubjectId,
        object_id: ObjectId,
    ) -> Self {
        let key_id = KeyId::Subject(subject);
        Self { zone, hospital, key_id, object_id, chunk_log2: DEFAULT_CHUNK_LOG2 }
    }

    /// A record of the spool, with the default chunk size.
    #[must_use]
    pub fn intake(hospital: HospitalId, object_id: ObjectId) -> Self {
        let (zone, key_id) = (Zone::Vault, KeyId::Intake);
        Self { zone, hospital, key_id, object_id, chunk_log2: DEFAULT_CHUNK_LOG2 }
    }

    /// Plaintext bytes in every chunk but the last.
    pub(crate) fn chunk_len(&self) -> usize {
        1 << self.chunk_log2
    }

    fn check(&self) -> Result<(), SealError> {
        if !(MIN_CHUNK_LOG2..=MAX_CHUNK_LOG2).contains(&self.chunk_log2) {
            return Err(SealError::Header("the chunk size is outside its limits"));
        }
        if self.key_id == KeyId::Intake && self.zone != Zone::Vault {
            return Err(SealError::Header("the intake key is for the vault zone only"));
        }
        Ok(())
    }
}

/// Writes the header of a new object and makes its data key.
pub(crate) fn seal(
    header: &StreamHeader,
    key: &ZoneKey,
    entropy: &dyn Entropy,
) -> Result<([u8; HEADER_LEN], ChunkCipher), SealError> {
    header.check()?;
    if header.zone != key.zone {
        return Err(SealError::ZoneMismatch);
    }
    let mut out = [0; HEADER_LEN];
    let hospital = header.hospital.as_str().as_bytes();
    out[..VERSION_AT].copy_from_slice(&MAGIC);
    out[VERSION_AT..ZONE_AT].copy_from_slice(&VERSION.to_le_bytes());
    out[ZONE_AT] = zone_code(header.zone);
    out[CHUNK_AT] = header.chunk_log2;
    // `HospitalId` is at most `HOSPITAL_MAX` bytes long by its type.
    out[HOSPITAL_LEN_AT] = u8::try_from(hospital.len()).unwrap_or(u8::MAX);
    out[HOSPITAL_AT..HOSPITAL_AT + hospital.len()].copy_from_slice(hospital);
    match &header.key_id {
        KeyId::Intake => out[KEY_KIND_AT] = 1,
        KeyId::Subject(subject) => {
            out[KEY_KIND_AT] = 2;
            out[KEY_ID_AT..OBJECT_ID_AT].copy_from_slice(&subject.0);
        }
    }
    out[OBJECT_ID_AT..PREFIX_AT].copy_from_slice(&header.object_id.0);
    entropy.fill(&mut out[PREFIX_AT..RESERVED_AT]);
    entropy.fill(&mut out[WRAP_NONCE_AT..WRAPPED_AT]);
    let data_key = Secret::generate(entropy);
    let wrapped = wrap::wrap(&key.secret, field(&out, WRAP_NONCE_AT), &data_aad(&out), &data_key)?;
    out[WRAPPED_AT..].copy_from_slice(&wrapped);
    let chunks = ChunkCipher::new(&data_key, field(&out, PREFIX_AT), &out)?;
    Ok((out, chunks))
}

/// A header as it was read. Nothing in it is proven before [`Parsed::open`].
pub(crate) struct Parsed {
    pub(crate) header: StreamHeader,
    bytes: [u8; HEADER_LEN],
}

impl Parsed {
    /// Reads a header; `bytes` may be shorter than one, which is an error.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, SealError> {
        let magic = bytes.len().min(MAGIC.len());
        if bytes[..magic] != MAGIC[..magic] {
            return Err(SealError::NotSealed);
        }
        if let Some(version) = bytes.get(VERSION_AT..ZONE_AT) {
            let version = u16::from_le_bytes([version[0], version[1]]);
            if version != VERSION {
                return Err(SealError::UnknownVersion(version));
            }
        }
        let bytes: [u8; HEADER_LEN] = bytes.try_into().map_err(|_| SealError::Truncated)?;
        let hospital_len = usize::from(bytes[HOSPITAL_LEN_AT]);
        if hospital_len > HOSPITAL_MAX {
            return Err(SealError::Header("the hospital's name is too long"));
        }
        let (name, padding) = bytes[HOSPITAL_AT..KEY_ID_AT].split_at(hospital_len);
        let hospital = std::str::from_utf8(name).ok().and_then(|t| HospitalId::parse(t).ok());
        let hospital = hospital.ok_or(SealError::Header("the hospital's name is not one"))?;
        if padding.iter().any(|&b| b != 0) || bytes[RESERVED_AT] != 0 {
            return Err(SealError::Header("padding is not zero"));
        }
        let header = StreamHeader {
            zone: zone_of(bytes[ZONE_AT])?,
            hospital,
            key_id: key_id(bytes[KEY_KIND_AT], field(&bytes, KEY_ID_AT))?,
            object_id: ObjectId(field(&bytes, OBJECT_ID_AT)),
            chunk_log2: bytes[CHUNK_AT],
        };
        header.check()?;
        Ok(Self { header, bytes })
    }

    /// Opens the data key.
    pub(crate) fn open(&self, key: &ZoneKey) -> Result<ChunkCipher, SealError> {
        if key.zone != self.header.zone {
            return Err(SealError::ZoneMismatch);
        }
        let nonce: [u8; NONCE_LEN] = field(&self.bytes, WRAP_NONCE_AT);
        let wrapped: [u8; WRAPPED_LEN] = field(&self.bytes, WRAPPED_AT);
        let data_key = wrap::unwrap(&key.secret, nonce, &data_aad(&self.bytes), &wrapped)
            .ok_or(SealError::KeyRefused)?;
        ChunkCipher::new(&data_key, field(&self.bytes, PREFIX_AT), &self.bytes)
    }
}

/// Associated data of the wrapped data key: a label and every header byte before the wrap.
fn data_aad(header: &[u8; HEADER_LEN]) -> Vec<u8> {
    [DATA_KEY_LABEL, &header[..WRAP_NONCE_AT]].concat()
}

/// `N` bytes of the header; every caller's offset and length lie inside it.
fn field<const N: usize>(header: &[u8; HEADER_LEN], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&header[at..at + N]);
    out
}

fn zone_code(zone: Zone) -> u8 {
    match zone {
        Zone::Vault => 1,
        Zone::Research => 2,
        Zone::Quarantine => 3,
    }
}

fn zone_of(code: u8) -> Result<Zone, SealError> {
    match code {
        1 => Ok(Zone::Vault),
        2 => Ok(Zone::Research),
        3 => Ok(Zone::Quarantine),
        _ => Err(SealError::Header("the zone is not known")),
    }
}

fn key_id(kind: u8, id: [u8; 16]) -> Result<KeyId, SealError> {
    match kind {
        1 if id == [0; 16] => Ok(KeyId::Intake),
        1 => Err(SealError::Header("the intake key has no id")),
        2 => Ok(KeyId::Subject(SubjectId(id))),
        _ => Err(SealError::Header("the kind of key is not known")),
    }
}
