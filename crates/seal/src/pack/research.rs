//! Writing research packs: the only way into the research zone, with the scrubber's proof.

use super::index::{PACK_INDEX_VERSION, PackEntry, PackIndex, StudyKey};
use super::writer::{Core, CoreSlot, SealedObject};
use crate::{Entropy, SealError, ZoneKey};
use scanveil_model::{Digest, Generation, HospitalId, ObjectId, ProjectName, SubjectId, Uid, Zone};
use scanveil_scrub::{Certificate, ScrubbedInstance};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What is known about a pack of scrubbed instances before it is written.
#[derive(Debug, Clone)]
pub struct ResearchMeta {
    /// The hospital.
    pub hospital: HospitalId,
    /// The subject whose key seals the pack.
    pub subject: SubjectId,
    /// The project.
    pub project: ProjectName,
    /// The generation.
    pub generation: Generation,
    /// Label of the profile (`basic@16 hex digits`).
    pub profile: String,
    /// The study, as a keyed hash.
    pub study_key: StudyKey,
    /// When the newest of the instances arrived, in milliseconds since 1970-01-01 UTC.
    pub received_at_ms: i64,
}

/// What a research pack takes from the proof of scrubbing.
pub(super) struct Proof {
    pub(super) patient_pseudonym: String,
    pub(super) study_instance_uid: Uid,
    pub(super) entry: PackEntry,
}

impl Proof {
    /// The proof for the pack's next entry, which must name the digest of what was written.
    fn of(scrubbed: &ScrubbedInstance, source: Digest, entry: usize) -> Result<Self, SealError> {
        let undigested = || SealError::InstanceMismatch { entry, what: "digest" };
        let digest = scrubbed.digest().ok_or_else(undigested)?;
        let study_instance_uid = scrubbed.names().study.clone();
        let attributes: BTreeMap<String, String> = scrubbed.attributes().clone();
        let entry = PackEntry {
            sop_instance_uid: Some(scrubbed.names().sop_instance.clone()),
            sop_class_uid: Some(scrubbed.names().sop_class.clone()),
            series_instance_uid: Some(scrubbed.names().series.clone()),
            study_instance_uid: Some(study_instance_uid.clone()),
            transfer_syntax: Some(scrubbed.transfer_syntax().clone()),
            offset: 0,
            length: scrubbed.length(),
            digest,
            source: Some(source),
            reasons: Vec::new(),
            attributes,
        };
        let patient_pseudonym = scrubbed.patient_pseudonym().to_owned();
        Ok(Self { patient_pseudonym, study_instance_uid, entry })
    }

    /// One research pack holds one patient and one study.
    fn check_same<W: Write>(&self, core: &mut Core<W>) -> Result<(), SealError> {
        let entry = core.index.entries.len();
        match &core.index.patient_pseudonym {
            Some(pseudonym) if *pseudonym != self.patient_pseudonym => {
                return Err(SealError::MixedPack { entry, what: "patient" });
            }
            Some(_) => {}
            None => core.index.patient_pseudonym = Some(self.patient_pseudonym.clone()),
        }
        let first = core.index.entries.first().and_then(|e| e.study_instance_uid.as_ref());
        if first.is_some_and(|study| *study != self.study_instance_uid) {
            return Err(SealError::MixedPack { entry, what: "study" });
        }
        Ok(())
    }
}

/// Writes a pack of scrubbed instances into the research zone: the only way into it.
pub struct ResearchPack<W: Write>(Core<W>);

impl<W: Write> ResearchPack<W> {
    /// Starts a pack.
    ///
    /// # Errors
    /// [`SealError::ZoneMismatch`] when the key is of another zone.
    pub fn new(
        inner: W,
        object_id: ObjectId,
        meta: ResearchMeta,
        key: &ZoneKey,
        entropy: &dyn Entropy,
    ) -> Result<Self, SealError> {
        let index = PackIndex {
            version: PACK_INDEX_VERSION,
            zone: Zone::Research,
            hospital: meta.hospital,
            subject: meta.subject,
            project: Some(meta.project),
            generation: Some(meta.generation),
            profile: Some(meta.profile),
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

    /// Appends a scrubbed instance whose bytes are those that were scrubbed. `source` is the digest
    /// of the original bytes.
    ///
    /// # Errors
    /// [`SealError::InstanceMismatch`] and [`SealError::MixedPack`] (the pack can still be used),
    /// [`SealError::PackFull`], [`SealError::Poisoned`], [`SealError::Io`].
    pub fn append(
        &mut self,
        scrubbed: &ScrubbedInstance,
        source: Digest,
        bytes: &[u8],
    ) -> Result<(), SealError> {
        let entry = self.0.index.entries.len();
        self.append_proof(Proof::of(scrubbed, source, entry)?, bytes)
    }

    pub(super) fn append_proof(&mut self, proof: Proof, bytes: &[u8]) -> Result<(), SealError> {
        proof.check_same(&mut self.0)?;
        self.0.append(proof.entry, bytes)
    }

    /// A place for one instance that is written in pieces: the scrubber's output. Dropping it
    /// without [`ResearchSlot::close`] makes the pack useless.
    ///
    /// # Errors
    /// [`SealError::PackFull`], [`SealError::Poisoned`].
    pub fn open_slot(&mut self) -> Result<ResearchSlot<'_, W>, SealError> {
        self.0.slot().map(ResearchSlot)
    }

    /// Writes the index and the last chunk. The caller makes the writer's bytes durable.
    ///
    /// # Errors
    /// [`SealError::Index`] when no instance was put in, [`SealError::PackFull`],
    /// [`SealError::Poisoned`], [`SealError::Io`].
    pub fn finish(self) -> Result<(W, SealedObject), SealError> {
        self.0.finish()
    }

    /// As [`ResearchPack::finish`], with the certificate of the run that made the study in the
    /// index.
    ///
    /// # Errors
    /// [`SealError::MixedPack`] when the certificate is of another study; else as
    /// [`ResearchPack::finish`].
    pub fn finish_certified(
        mut self,
        certificate: &Certificate,
    ) -> Result<(W, SealedObject), SealError> {
        let first = self.0.index.entries.first();
        let study = first.and_then(|entry| entry.study_instance_uid.as_ref());
        if study.is_some_and(|study| study.as_str() != certificate.study()) {
            return Err(SealError::MixedPack { entry: 0, what: "certificate's study" });
        }
        self.0.index.certificate = Some(certificate.to_json());
        self.0.finish()
    }
}

/// One scrubbed instance on its way into a research pack.
pub struct ResearchSlot<'a, W: Write>(CoreSlot<'a, W>);

impl<W: Write> ResearchSlot<'_, W> {
    /// Ends the instance, whose bytes must be those that were scrubbed. `source` is the digest of
    /// the original bytes.
    ///
    /// # Errors
    /// [`SealError::InstanceMismatch`] and [`SealError::MixedPack`], which make the pack useless;
    /// [`SealError::Poisoned`].
    pub fn close(self, scrubbed: &ScrubbedInstance, source: Digest) -> Result<(), SealError> {
        let entry = self.0.core.index.entries.len();
        self.close_proof(Proof::of(scrubbed, source, entry)?)
    }

    pub(super) fn close_proof(self, proof: Proof) -> Result<(), SealError> {
        proof.check_same(self.0.core)?;
        self.0.close(proof.entry)
    }
}

impl<W: Write> Write for ResearchSlot<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
