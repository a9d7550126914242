//! Writing packs. The research zone has a writer of its own (`research.rs`).

use super::index::{
    MAX_INDEX_BYTES, MAX_INDEX_ENTRIES, PACK_INDEX_VERSION, PackEntry, PackIndex, StudyKey,
    TRAILER_MAGIC,
};
use crate::sealer::DigestOf;
use crate::{Entropy, SealError, StreamHeader, StreamSealer, ZoneKey};
use scanveil_model::{Digest, HospitalId, ObjectId, SubjectId, Zone};
use std::io::{self, Write};

/// Bytes after which a pack takes no further instance; a larger instance lies alone in its pack.
pub const PACK_TARGET_BYTES: u64 = 64 << 20;
/// Instances after which a pack takes no further one.
pub const PACK_MAX_INSTANCES: usize = 4096;

/// A zone that takes unscrubbed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawZone {
    /// Identified originals.
    Vault,
    /// What could not be proven clean.
    Quarantine,
}

impl RawZone {
    /// The zone.
    #[must_use]
    pub fn zone(self) -> Zone {
        match self {
            Self::Vault => Zone::Vault,
            Self::Quarantine => Zone::Quarantine,
        }
    }
}

/// What is known about a pack of unscrubbed instances before it is written.
#[derive(Debug, Clone)]
pub struct PackMeta {
    /// The zone.
    pub zone: RawZone,
    /// The hospital.
    pub hospital: HospitalId,
    /// The subject whose key seals the pack.
    pub subject: SubjectId,
    /// The study, as a keyed hash.
    pub study_key: StudyKey,
    /// When the newest of the instances arrived, in milliseconds since 1970-01-01 UTC.
    pub received_at_ms: i64,
}

/// A pack that was sealed to its end. Only the pack writers make one.
///
/// No other crate can make one, or change one:
///
/// ```
/// fn reads(one: &scanveil_seal::SealedObject) { let _ = one.bytes(); }
/// ```
/// ```compile_fail
/// fn forges(one: scanveil_seal::SealedObject) -> scanveil_seal::SealedObject {
///     scanveil_seal::SealedObject { bytes: 0, ..one }
/// }
/// ```
#[derive(Debug)]
pub struct SealedObject {
    object_id: ObjectId,
    bytes: u64,
    digest: Digest,
    index: PackIndex,
}

impl SealedObject {
    /// The object's id.
    #[must_use]
    pub fn object_id(&self) -> ObjectId {
        self.object_id
    }
    /// The zone.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.index.zone
    }
    /// The hospital.
    #[must_use]
    pub fn hospital(&self) -> &HospitalId {
        &self.index.hospital
    }
    /// The subject.
    #[must_use]
    pub fn subject(&self) -> SubjectId {
        self.index.subject
    }
    /// Sealed bytes that were written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
    /// BLAKE3 digest of the sealed bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// What the pack holds.
    #[must_use]
    pub fn index(&self) -> &PackIndex {
        &self.index
    }
}

/// What both writers share.
pub(super) struct Core<W: Write> {
    sealer: StreamSealer<W>,
    header: StreamHeader,
    pub(super) index: PackIndex,
    offset: u64,
    /// A slot was dropped or a write failed: what lies in the stream is no pack any more.
    poisoned: bool,
}

impl<W: Write> Core<W> {
    pub(super) fn new(
        inner: W,
        object_id: ObjectId,
        index: PackIndex,
        key: &ZoneKey,
        entropy: &dyn Entropy,
    ) -> Result<Self, SealError> {
        let hospital = index.hospital.clone();
        let header = StreamHeader::subject(index.zone, hospital, index.subject, object_id);
        let sealer = StreamSealer::start(inner, &header, key, entropy, DigestOf::Sealed)?;
        Ok(Self { sealer, header, index, offset: 0, poisoned: false })
    }

    pub(super) fn has_room_for(&self, length: u64) -> bool {
        let entries = self.index.entries.len();
        entries == 0
            || (entries < PACK_MAX_INSTANCES
                && self.offset.saturating_add(length) <= PACK_TARGET_BYTES)
    }

    fn check_open(&self) -> Result<(), SealError> {
        if self.poisoned {
            return Err(SealError::Poisoned);
        }
        if self.index.entries.len() >= MAX_INDEX_ENTRIES {
            return Err(SealError::PackFull("it has as many instances as an index may have"));
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sealer.write(bytes);
        if written.as_ref().is_err_and(|e| e.kind() != io::ErrorKind::Interrupted) {
            self.poisoned = true;
        }
        written
    }

    pub(super) fn append(&mut self, entry: PackEntry, bytes: &[u8]) -> Result<(), SealError> {
        self.check_open()?;
        let digest = Digest(*blake3::hash(bytes).as_bytes());
        self.check_entry(&entry, bytes.len() as u64, digest)?;
        if let Err(err) = self.sealer.write_all(bytes) {
            self.poisoned = true;
            return Err(err.into());
        }
        self.push(entry);
        Ok(())
    }

    fn check_entry(&self, entry: &PackEntry, length: u64, digest: Digest) -> Result<(), SealError> {
        let number = self.index.entries.len();
        if entry.length != length {
            return Err(SealError::InstanceMismatch { entry: number, what: "length" });
        }
        if entry.digest != digest {
            return Err(SealError::InstanceMismatch { entry: number, what: "digest" });
        }
        Ok(())
    }

    fn push(&mut self, mut entry: PackEntry) {
        entry.offset = self.offset;
        self.offset += entry.length;
        self.index.entries.push(entry);
    }

    pub(super) fn slot(&mut self) -> Result<CoreSlot<'_, W>, SealError> {
        self.check_open()?;
        let hasher = Box::new(blake3::Hasher::new());
        Ok(CoreSlot { core: self, hasher, length: 0, closed: false })
    }

    pub(super) fn finish(mut self) -> Result<(W, SealedObject), SealError> {
        if self.poisoned {
            return Err(SealError::Poisoned);
        }
        self.index.check(&self.header, self.offset)?;
        let json = serde_json::to_vec(&self.index)
            .map_err(|_| SealError::Index("it cannot be written as JSON"))?;
        let length = json.len() as u64;
        if length > MAX_INDEX_BYTES {
            return Err(SealError::PackFull("its index is longer than an index may be"));
        }
        self.sealer.write_all(&json)?;
        self.sealer.write_all(&length.to_le_bytes())?;
        self.sealer.write_all(&TRAILER_MAGIC)?;
        let (inner, _, digest, bytes) = self.sealer.finish_parts()?;
        let object_id = self.header.object_id;
        Ok((inner, SealedObject { object_id, bytes, digest, index: self.index }))
    }
}

/// One instance on its way into a pack.
pub(super) struct CoreSlot<'a, W: Write> {
    pub(super) core: &'a mut Core<W>,
    hasher: Box<blake3::Hasher>,
    length: u64,
    closed: bool,
}

impl<W: Write> CoreSlot<'_, W> {
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.core.write(bytes)?;
        self.hasher.update(&bytes[..taken]);
        self.length += taken as u64;
        Ok(taken)
    }

    pub(super) fn close(mut self, entry: PackEntry) -> Result<(), SealError> {
        self.core.check_open()?;
        let digest = Digest(*self.hasher.finalize().as_bytes());
        self.core.check_entry(&entry, self.length, digest)?;
        self.core.push(entry);
        self.closed = true;
        Ok(())
    }
}

impl<W: Write> Drop for CoreSlot<'_, W> {
    fn drop(&mut self) {
        if !self.closed {
            self.core.poisoned = true;
        }
    }
}

/// Writes a pack of unscrubbed instances into the vault or into quarantine.
pub struct PackWriter<W: Write>(Core<W>);

impl<W: Write> PackWriter<W> {
    /// Starts a pack.
    ///
    /// # Errors
    /// [`SealError::ZoneMismatch`] when the key is of another zone.
    pub fn new(
        inner: W,
        object_id: ObjectId,
        meta: PackMeta,
        key: &ZoneKey,
        entropy: &dyn Entropy,
    ) -> Result<Self, SealError> {
        let index = PackIndex {
            version: PACK_INDEX_VERSION,
            zone: meta.zone.zone(),
            hospital: meta.hospital,
            subject: meta.subject,
            project: None,
            generation: None,
            profile: None,
            patient_pseudonym: None,
            study_key: meta.study_key,
            received_at_ms: meta.received_at_ms,
            certificate: None,
            entries: Vec::new(),
        };
        Core::new(inner, object_id, index, key, entropy).map(Self)
    }

    /// Whether an instance of `length` bytes still belongs into this pack. An empty pack has room
    /// for any.
    #[must_use]
    pub fn has_room_for(&self, length: u64) -> bool {
        self.0.has_room_for(length)
    }

    /// How many instances were put in.
    #[must_use]
    pub fn instances(&self) -> usize {
        self.0.index.entries.len()
    }

    /// Appends a whole instance. The entry's length and digest are checked against the bytes.
    ///
    /// # Errors
    /// [`SealError::InstanceMismatch`] (the pack can still be used), [`SealError::PackFull`],
    /// [`SealError::Poisoned`], [`SealError::Io`].
    pub fn append(&mut self, entry: PackEntry, bytes: &[u8]) -> Result<(), SealError> {
        self.0.append(entry, bytes)
    }

    /// A place for one instance that is written in pieces. Dropping it without [`Slot::close`]
    /// makes the pack useless.
    ///
    /// # Errors
    /// [`SealError::PackFull`], [`SealError::Poisoned`].
    pub fn open_slot(&mut self) -> Result<Slot<'_, W>, SealError> {
        self.0.slot().map(Slot)
    }

    /// Writes the index and the last chunk. The caller makes the writer's bytes durable.
    ///
    /// # Errors
    /// [`SealError::Index`] when no instance was put in, [`SealError::PackFull`],
    /// [`SealError::Poisoned`], [`SealError::Io`].
    pub fn finish(self) -> Result<(W, SealedObject), SealError> {
        self.0.finish()
    }
}

/// One unscrubbed instance on its way into a pack.
pub struct Slot<'a, W: Write>(CoreSlot<'a, W>);

impl<W: Write> Slot<'_, W> {
    /// Ends the instance; the entry's length and digest are checked against what was written.
    ///
    /// # Errors
    /// [`SealError::InstanceMismatch`], which makes the pack useless; [`SealError::Poisoned`].
    pub fn close(self, entry: PackEntry) -> Result<(), SealError> {
        self.0.close(entry)
    }
}

impl<W: Write> Write for Slot<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
