//! The record of a decision (`docs/formats/decision.md`): who decided what about which instances,
//! and why. It is signed by who decided, and kept sealed, since a reason in somebody's own words
//! may name a patient. The catalogue's rows can be made again from it.

use super::QuarantineError;
use crate::{Config, PipelineError, Site};
use scanveil_catalog::{Catalog, DecidedInstance, InstancePlace, RecordId};
use scanveil_model::{Decision, Digest, Hex, HospitalId, ObjectId, ReasonCode};
use scanveil_seal::StudyKey;
use scanveil_vault::Keyring;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The newest format of a record.
const FORMAT: u32 = 1;
/// The folder of records, below the data folder.
const FOLDER: &str = "govern/decisions";
/// What a record's file ends in.
const EXTENSION: &str = "sealed";
/// Longest sealed record that is read.
const MAX_RECORD_BYTES: u64 = 256 << 10;

/// One instance of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedInstance {
    /// Digest of its bytes as they were received.
    pub source: Digest,
    /// The objects that held it.
    pub objects: Vec<ObjectId>,
    /// The reasons that are ended.
    pub codes: BTreeSet<ReasonCode>,
    /// Keyed hash of its SOP Instance UID, 32 hexadecimal digits.
    pub sop_key: Option<String>,
    /// Digest of what it holds without its file meta information, where known.
    pub content: Option<Digest>,
    /// The instance that it replaces, or the one that names the right patient.
    pub other: Option<Digest>,
    /// Length in bytes.
    pub bytes: u64,
}

/// What somebody decided about instances of one study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// The format: 1.
    pub format: u32,
    /// Its identifier.
    pub id: RecordId,
    /// The hospital.
    pub hospital: HospitalId,
    /// Keyed hash of the study.
    pub study: StudyKey,
    /// What was decided.
    pub decision: Decision,
    /// Who decided.
    pub by: String,
    /// Why, in the person's own words.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub decided_at_ms: i64,
    /// About what.
    pub instances: Vec<RecordedInstance>,
}

/// A record as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRecord {
    /// The record as JSON, in exactly the bytes that were signed.
    pub record: String,
    /// Ed25519 over these bytes, by the token of who decided: 128 hexadecimal digits.
    pub signature: String,
}

impl SignedRecord {
    /// Puts a record and its signature together.
    ///
    /// # Errors
    /// What the signing gives.
    pub fn sign<E>(
        record: &DecisionRecord,
        sign: impl FnOnce(&[u8]) -> Result<[u8; 64], E>,
    ) -> Result<Self, E> {
        // A record is texts and numbers: it can always be written.
        let record = serde_json::to_string(record).unwrap_or_default();
        let signature = Hex::encode(&sign(record.as_bytes())?);
        Ok(Self { record, signature })
    }

    /// BLAKE3 digest of the record's bytes, as the audit log has it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(*blake3::hash(self.record.as_bytes()).as_bytes())
    }

    /// Reads the record.
    ///
    /// # Errors
    /// [`QuarantineError::Record`].
    pub fn open(&self) -> Result<DecisionRecord, QuarantineError> {
        let record: Result<DecisionRecord, _> = serde_json::from_str(&self.record);
        let record = record.ok().filter(|record| record.format == FORMAT);
        record.ok_or_else(|| QuarantineError::Record("of an unknown format".to_owned()))
    }
}

impl DecisionRecord {
    /// The newest format.
    pub const FORMAT: u32 = FORMAT;

    /// Writes it into the catalogue.
    pub(super) fn enter(&self, catalog: &Catalog) -> Result<(), PipelineError> {
        let mut decided = Vec::new();
        let mut corrected = Vec::new();
        for one in &self.instances {
            for object in &one.objects {
                decided.push(DecidedInstance {
                    hospital: self.hospital.clone(),
                    study_key: self.study,
                    source: one.source,
                    object: *object,
                    decision: self.decision,
                    codes: one.codes.clone(),
                    other: one.other,
                    decided_at_ms: self.decided_at_ms,
                    record: self.id.clone(),
                });
            }
            let sop_key = one.sop_key.as_deref().and_then(Hex::decode);
            if let Some(sop_key) = sop_key.filter(|_| self.decision == Decision::Correct) {
                let (source, content) = (one.source, one.content);
                let place = InstancePlace { sop_key, source, content };
                corrected.push((self.hospital.clone(), place));
            }
        }
        Ok(catalog.decide(&decided, &corrected)?)
    }
}

fn folder(config: &Config) -> PathBuf {
    config.data_dir.join(FOLDER)
}

fn note_name(id: &RecordId) -> String {
    format!("quarantine decision {id}")
}

fn failed(source: io::Error) -> QuarantineError {
    QuarantineError::Io { what: "the folder of decisions", source }
}

/// Keeps a record, sealed and durable.
pub(super) fn keep(
    site: &Site,
    record: &DecisionRecord,
    signed: &SignedRecord,
) -> Result<(), QuarantineError> {
    let folder = folder(&site.config());
    crate::site::make_folder(&folder, "the folder of decisions")?;
    let bytes = serde_json::to_vec(signed).map_err(|e| failed(e.into()))?;
    let sealed = site.keyring.seal_note(&record.hospital, &note_name(&record.id), &bytes);
    let sealed = sealed.map_err(PipelineError::from)?;
    let path = folder.join(record.id.as_str()).with_extension(EXTENSION);
    scanveil_durable::replace(&path, &sealed).map_err(failed)
}

/// Enters every decision that is kept into a catalogue, in the order in which they were taken: for
/// a rebuild. Gives how many, and how many could not be read.
pub(crate) fn restore_decisions(
    config: &Config,
    keyring: &Keyring,
    catalog: &Catalog,
) -> Result<(u64, u64), PipelineError> {
    let what = "the folder of decisions";
    let io = |source| PipelineError::Folder { what, source };
    let listing = match fs::read_dir(folder(config)) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, 0)),
        Err(error) => return Err(io(error)),
    };
    let (mut records, mut unreadable) = (Vec::new(), 0);
    for entry in listing {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            match read(&path, keyring) {
                Some(record) => records.push(record),
                None => unreadable += 1,
            }
        }
    }
    records.sort_by(|a, b| (a.decided_at_ms, &a.id).cmp(&(b.decided_at_ms, &b.id)));
    let count = records.len() as u64;
    // What was discarded is not in the store any more.
    for record in records.iter().filter(|record| record.decision != Decision::Discard) {
        record.enter(catalog)?;
    }
    Ok((count, unreadable))
}

fn read(path: &Path, keyring: &Keyring) -> Option<DecisionRecord> {
    let id = RecordId::parse(path.file_stem()?.to_str()?).ok()?;
    if fs::metadata(path).ok()?.len() > MAX_RECORD_BYTES {
        return None;
    }
    let (hospital, bytes) = keyring.open_note(&note_name(&id), &fs::read(path).ok()?).ok()?;
    let signed: SignedRecord = serde_json::from_slice(&bytes).ok()?;
    let record = signed.open().ok()?;
    (record.id == id && record.hospital == hospital).then_some(record)
}
