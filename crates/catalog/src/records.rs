//! What the catalogue takes and gives: plain records without an identifying value.

use crate::{CatalogError, StudyName};
use scanveil_model::{
    Digest, Generation, HospitalId, ObjectId, ObjectTags, ProjectName, ReasonCode, RetentionClass,
    SubjectId, Uid, Zone,
};
use scanveil_seal::StudyKey;
use scanveil_storage::ObjectKey;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest identifier of a batch or a release.
const MAX_RECORD_ID: usize = 64;

/// A keyed hash given by the caller (of a SOP instance UID, of a study), or a spool identifier.
pub type KeyedId = [u8; 16];

/// The identifier of a batch or a release: 1 to 64 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordId(String);

impl RecordId {
    /// Parses and checks the identifier.
    ///
    /// # Errors
    /// [`CatalogError::InvalidId`] when the length or a character is not allowed.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > MAX_RECORD_ID || !text.bytes().all(ok) {
            return Err(CatalogError::InvalidId);
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RecordId {
    type Error = CatalogError;
    fn try_from(text: String) -> Result<Self, CatalogError> {
        Self::parse(&text)
    }
}

impl From<RecordId> for String {
    fn from(id: RecordId) -> Self {
        id.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What became of a received instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was scrubbed (or kept as an original) without objection.
    Accepted,
    /// It is held in quarantine; a corrected copy under the same UID is welcome.
    Quarantined,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Quarantined => "quarantined",
        }
    }
}

/// One spooled instance whose outcome is durable: recorded so that it is never handled twice.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The spool's identifier of the instance.
    pub spool_id: KeyedId,
    /// The hospital it came from.
    pub hospital: HospitalId,
    /// Keyed hash of the original SOP instance UID; none when it had no usable UID.
    pub sop_key: Option<KeyedId>,
    /// Digest of the bytes as received.
    pub source: Digest,
    /// Digest of what it holds without its file meta information, where known.
    pub content: Option<Digest>,
    /// What became of it.
    pub outcome: Outcome,
    /// Keyed hash of its study.
    pub study_key: StudyKey,
    /// When it was received, in milliseconds since 1970.
    pub received_at_ms: i64,
    /// What people may ask for its study by.
    pub names: Vec<StudyName>,
}

/// An original that is remembered by its UID.
#[derive(Debug, Clone, Copy)]
pub struct KnownOriginal {
    /// Keyed hash of the original SOP instance UID.
    pub sop_key: KeyedId,
    /// Digest of the bytes as received.
    pub source: Digest,
    /// Digest of what it holds without its file meta information, where known.
    pub content: Option<Digest>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What is known of an instance that arrived before under the same UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownInstance {
    /// Digest of the bytes as received then.
    pub source: Digest,
    /// Digest of what it held without its file meta information, where known.
    pub content: Option<Digest>,
    /// What became of it.
    pub outcome: Outcome,
    /// How often it was sent again with the same bytes.
    pub repeats: u64,
}

/// What the counters count, per hospital, since the catalogue began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Instances taken over from the spool, duplicates included.
    Received,
    /// Instances that were here before with the same bytes.
    Duplicate,
    /// Instances de-identified and stored, every generation counted.
    Scrubbed,
    /// Instances put into quarantine.
    Quarantined,
    /// Instances kept as identified originals.
    Kept,
    /// Sealed objects stored.
    Stored,
    /// Bytes of the sealed objects stored.
    StoredBytes,
}

impl Stage {
    /// Every stage there is.
    pub const ALL: &'static [Self] = &[
        Self::Received,
        Self::Duplicate,
        Self::Scrubbed,
        Self::Quarantined,
        Self::Kept,
        Self::Stored,
        Self::StoredBytes,
    ];

    /// The stage's stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Duplicate => "duplicate",
            Self::Scrubbed => "scrubbed",
            Self::Quarantined => "quarantined",
            Self::Kept => "kept",
            Self::Stored => "stored",
            Self::StoredBytes => "stored-bytes",
        }
    }
}

/// One counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counter {
    /// The hospital.
    pub hospital: HospitalId,
    /// What is counted.
    pub stage: Stage,
    /// Instances, objects or bytes.
    pub total: u64,
}

/// One stored object as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectRecord {
    /// The object's identifier; with zone and hospital it gives the object's key.
    pub object: ObjectId,
    /// The zone.
    pub zone: Zone,
    /// The hospital.
    pub hospital: HospitalId,
    /// The patient.
    pub subject: SubjectId,
    /// Keyed hash of the study.
    pub study_key: StudyKey,
    /// Project, for what was made for one.
    pub project: Option<ProjectName>,
    /// Generation, for what was made for a project.
    pub generation: Option<Generation>,
    /// Label of the profile applied.
    pub profile: String,
    /// Version of the engine that made it.
    pub engine: String,
    /// Retention class, as its tags have it.
    pub retention_class: RetentionClass,
    /// Day until which it is kept, as its tags have it.
    pub retain_until: String,
    /// Size of the sealed object in bytes.
    pub bytes: u64,
    /// Digest of the sealed object, where known.
    pub digest: Option<Digest>,
    /// Instances within.
    pub entries: u64,
    /// When the newest of its instances was received, in milliseconds since 1970.
    pub received_at_ms: i64,
    /// Digest of the study's certificate, in the one pack of a run that carries it.
    pub certificate: Option<Digest>,
}

impl ObjectRecord {
    /// Where it lies.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(self.zone, self.hospital.clone(), self.object)
    }

    /// The tags that the object was stored with.
    #[must_use]
    pub fn tags(&self) -> ObjectTags {
        ObjectTags {
            hospital: self.hospital.clone(),
            zone: self.zone,
            retention_class: self.retention_class.clone(),
            retain_until: self.retain_until.clone(),
            profile: self.profile.clone(),
            generation: self.generation,
            project: self.project.clone(),
        }
    }
}

/// What a study is called in research: the only name of it that people outside know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ResearchName {
    /// The project.
    pub project: ProjectName,
    /// The new Study Instance UID.
    pub study_instance_uid: Uid,
}

/// Which objects to list. Empty fields do not restrict.
#[derive(Debug, Clone, Default)]
pub struct ObjectFilter {
    /// Only this zone.
    pub zone: Option<Zone>,
    /// Only this hospital.
    pub hospital: Option<HospitalId>,
    /// Only this patient.
    pub subject: Option<SubjectId>,
    /// Only this study.
    pub study_key: Option<StudyKey>,
    /// Only this project.
    pub project: Option<ProjectName>,
    /// Only objects after this one, in order of their identifiers: the last of the page before.
    pub after: Option<ObjectId>,
}

/// One instance within a stored object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstanceRecord {
    /// Its place within the object, from 0.
    pub entry: u64,
    /// New UIDs, for research copies only.
    pub study_instance_uid: Option<Uid>,
    /// New series instance UID, for research copies only.
    pub series_instance_uid: Option<Uid>,
    /// New SOP instance UID, for research copies only.
    pub sop_instance_uid: Option<Uid>,
    /// SOP class, for research copies only.
    pub sop_class_uid: Option<Uid>,
    /// Transfer syntax, for research copies only.
    pub transfer_syntax: Option<Uid>,
    /// Digest of the instance's bytes.
    pub digest: Digest,
    /// Digest of the bytes it was made from.
    pub source: Option<Digest>,
}

/// A study as one project has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StudyRecord {
    /// The hospital.
    pub hospital: HospitalId,
    /// Keyed hash of the study.
    pub study_key: StudyKey,
    /// The patient.
    pub subject: SubjectId,
    /// The newest generation.
    pub generation: Generation,
    /// Instances in research at that generation.
    pub released: u64,
    /// Instances in quarantine without a clean copy in research.
    pub quarantined: u64,
}

/// A study that a batch would work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStudy {
    /// Keyed hash of the study.
    pub study_key: StudyKey,
    /// The patient.
    pub subject: SubjectId,
    /// Newest generation in the project; none when the project never had the study.
    pub generation: Option<Generation>,
    /// The identified originals to read.
    pub originals: Vec<ObjectRecord>,
}

/// What a batch would work on, and what it cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchCandidates {
    /// Studies with originals.
    pub studies: Vec<BatchStudy>,
    /// Outdated studies whose originals were not kept.
    pub without_originals: u64,
}

/// One reason for which one instance is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineRecord {
    /// The quarantine object.
    pub object: ObjectId,
    /// The instance within it.
    pub entry: u64,
    /// The reason's place among the instance's reasons.
    pub ordinal: u64,
    /// The hospital.
    pub hospital: HospitalId,
    /// The reason.
    pub code: ReasonCode,
    /// Tag path, where it is about one element.
    pub at: Option<String>,
    /// Fixed words and numbers.
    pub detail: String,
    /// When the object's newest instance was received, in milliseconds since 1970.
    pub received_at_ms: i64,
    /// Digest of the instance's bytes as they were received.
    pub source: Digest,
    /// Keyed hash of the study.
    pub study_key: StudyKey,
    /// The patient whose key opens the object.
    pub subject: SubjectId,
    /// Until when the object is kept, `YYYY-MM-DD`.
    pub retain_until: String,
}

/// Which quarantine records to list. Empty fields do not restrict.
#[derive(Debug, Clone, Default)]
pub struct QuarantineFilter {
    /// Only this hospital.
    pub hospital: Option<HospitalId>,
    /// Only this reason.
    pub code: Option<ReasonCode>,
    /// Only this study.
    pub study_key: Option<StudyKey>,
    /// Only records after this object, entry and ordinal: the last of the page before.
    pub after: Option<(ObjectId, u64, u64)>,
}

/// How many instances are held for one reason. An instance with two reasons counts for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineCount {
    /// The hospital.
    pub hospital: HospitalId,
    /// The reason.
    pub code: ReasonCode,
    /// Instances.
    pub instances: u64,
}

/// How many instances of one hospital a release leaves out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldBack {
    /// The hospital.
    pub hospital: HospitalId,
    /// The first reason.
    pub code: ReasonCode,
    /// Instances.
    pub instances: u64,
}
