//! What is held, by instance and by group, and its bytes.

use super::QuarantineError;
use crate::material::Originals;
use crate::source::Source;
use crate::{PipelineError, Site};
use scanveil_catalog::{KeyedId, QuarantineFilter, QuarantineRecord};
use scanveil_model::{Coded, Digest, Hex, HospitalId, ObjectId, ReasonCode, SubjectId, Zone};
use scanveil_seal::{PackEntry, PackReader, SealError, StudyKey};
use scanveil_storage::{ObjectKey, StoredReader};
use scanveil_vault::INTAKE_CONTENT;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Digits of a group's identifier.
const GROUP_DIGITS: usize = 12;
/// Fewest digits by which an instance can be called.
const FEWEST_DIGITS: usize = 8;

/// Why an instance is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct HeldReason {
    /// The reason.
    pub code: ReasonCode,
    /// Tag path, where it is about one element.
    pub at: Option<String>,
    /// Fixed words and numbers.
    pub detail: String,
    /// The object that holds the instance for it.
    pub object: ObjectId,
}

/// One instance in quarantine. Nothing in it identifies a patient.
#[derive(Debug, Clone, Serialize)]
pub struct HeldInstance {
    /// Digest of its bytes as they were received: what it is called.
    pub id: Digest,
    /// What it is held for together with others.
    pub group: String,
    /// The hospital.
    pub hospital: HospitalId,
    /// Keyed hash of the study.
    pub study: StudyKey,
    /// When it was received, in milliseconds since 1970.
    pub received_at_ms: i64,
    /// Until when it is kept, `YYYY-MM-DD`.
    pub kept_until: String,
    /// Why it is held.
    pub reasons: Vec<HeldReason>,
    /// Calling AE title, or the receiver where there is none.
    pub sender: Option<String>,
    /// SOP Class UID, where it has one.
    pub sop_class: Option<String>,
    /// Transfer Syntax UID, where it has one.
    pub transfer_syntax: Option<String>,
    /// Length in bytes.
    pub bytes: u64,
    /// Why its object cannot be opened, where it cannot: an error's code.
    pub unreadable: Option<&'static str>,
    #[serde(skip)]
    pub(crate) subject: SubjectId,
    #[serde(skip)]
    pub(crate) sop_key: Option<KeyedId>,
    #[serde(skip)]
    pub(crate) content: Option<Digest>,
}

impl HeldInstance {
    /// Keyed hash of its SOP Instance UID as 32 hexadecimal digits, where it has one.
    #[must_use]
    pub fn sop_key(&self) -> Option<String> {
        self.sop_key.map(|key| Hex::encode(&key))
    }

    /// Digest of what it holds without its file meta information, where known.
    #[must_use]
    pub fn content(&self) -> Option<Digest> {
        self.content
    }
}

/// Which instances are meant. Empty fields do not restrict.
#[derive(Debug, Clone, Default)]
pub struct HeldFilter {
    /// Only this hospital.
    pub hospital: Option<HospitalId>,
    /// Only this study.
    pub study: Option<StudyKey>,
    /// Only instances that have this reason.
    pub code: Option<ReasonCode>,
    /// Only what came from this AE title or receiver.
    pub sender: Option<String>,
    /// Only this group.
    pub group: Option<String>,
    /// Only what was received before this time, in milliseconds since 1970.
    pub before_ms: Option<i64>,
    /// Only these: the first digits of their identifiers.
    pub ids: Vec<String>,
}

/// Instances that are held for the same reason at the same place, of one kind and sender.
#[derive(Debug, Clone, Serialize)]
pub struct HeldGroup {
    /// Its identifier.
    pub group: String,
    /// The hospital.
    pub hospital: HospitalId,
    /// The first reason of each.
    pub code: ReasonCode,
    /// Tag path, where it is about one element.
    pub at: Option<String>,
    /// The detail, with `#` for each number.
    pub detail: String,
    /// Calling AE title or receiver.
    pub sender: Option<String>,
    /// SOP Class UID.
    pub sop_class: Option<String>,
    /// Instances.
    pub instances: u64,
    /// Studies.
    pub studies: u64,
    /// When the oldest was received, in milliseconds since 1970.
    pub oldest_ms: i64,
}

/// Lists what is held and nobody has decided, the oldest first.
///
/// # Errors
/// [`QuarantineError::Unknown`], [`QuarantineError::Ambiguous`], and what catalogue and store give.
/// An object that cannot be opened does not hide the others.
pub fn held_instances(
    site: &Site,
    filter: &HeldFilter,
) -> Result<Vec<HeldInstance>, QuarantineError> {
    let query = QuarantineFilter {
        hospital: filter.hospital.clone(),
        study_key: filter.study,
        ..QuarantineFilter::default()
    };
    let records = site.catalog.quarantine(&query, u32::MAX).map_err(PipelineError::from)?;
    let mut records: Vec<QuarantineRecord> =
        records.into_iter().filter(|one| filter.ids.is_empty() || is_called(one, filter)).collect();
    records.sort_by_key(|record| record.object);
    let mut held: BTreeMap<(HospitalId, Digest), HeldInstance> = BTreeMap::new();
    for of_object in records.chunk_by(|a, b| a.object == b.object) {
        let pack = open(site, &of_object[0]);
        for record in of_object {
            let one = held
                .entry((record.hospital.clone(), record.source))
                .or_insert_with(|| instance(site, record, &pack));
            one.reasons.push(HeldReason {
                code: record.code,
                at: record.at.clone(),
                detail: record.detail.clone(),
                object: record.object,
            });
        }
    }
    let mut held: Vec<HeldInstance> = held.into_values().collect();
    for one in &mut held {
        one.group = group_of(one);
    }
    held.retain(|one| is_meant(one, filter));
    called_once(&held, &filter.ids)?;
    held.sort_by_key(|one| (one.received_at_ms, one.id));
    Ok(held)
}

fn is_called(record: &QuarantineRecord, filter: &HeldFilter) -> bool {
    let digits = record.source.to_string();
    filter.ids.iter().any(|id| digits.starts_with(id.as_str()))
}

fn is_meant(one: &HeldInstance, filter: &HeldFilter) -> bool {
    filter.code.is_none_or(|code| one.reasons.iter().any(|reason| reason.code == code))
        && filter.sender.as_ref().is_none_or(|sender| one.sender.as_ref() == Some(sender))
        && filter.group.as_ref().is_none_or(|group| one.group == *group)
        && filter.before_ms.is_none_or(|before| one.received_at_ms < before)
}

/// Each identifier has to be one instance's.
fn called_once(held: &[HeldInstance], ids: &[String]) -> Result<(), QuarantineError> {
    for id in ids {
        let found = held.iter().filter(|one| one.id.to_string().starts_with(id.as_str())).count();
        match found {
            _ if id.len() < FEWEST_DIGITS => return Err(QuarantineError::Ambiguous(id.clone())),
            0 => return Err(QuarantineError::Unknown(id.clone())),
            1 => {}
            _ => return Err(QuarantineError::Ambiguous(id.clone())),
        }
    }
    Ok(())
}

type Opened = Result<PackReader<StoredReader>, PipelineError>;

fn open(site: &Site, record: &QuarantineRecord) -> Opened {
    open_pack(site, &record.hospital, &record.subject, Zone::Quarantine, record.object)
}

fn open_pack(
    site: &Site,
    hospital: &HospitalId,
    subject: &SubjectId,
    zone: Zone,
    object: ObjectId,
) -> Opened {
    let subject = site.keyring.existing_subject(hospital, subject)?;
    let reader = site.store.open(&ObjectKey::new(zone, hospital.clone(), object))?;
    Ok(PackReader::open(reader, |_| Ok(subject.zone_key(zone)))?)
}

fn instance(site: &Site, record: &QuarantineRecord, pack: &Opened) -> HeldInstance {
    let entries = pack.as_ref().map(|pack| &pack.index().entries).ok();
    let entry: Option<&PackEntry> =
        entries.and_then(|entries| entries.iter().find(|one| one.digest == record.source));
    let note = |name: &str| entry.and_then(|entry| entry.attributes.get(name)).cloned();
    let uid = |of: fn(&PackEntry) -> &Option<scanveil_model::Uid>| {
        entry.and_then(|entry| of(entry).as_ref()).map(|uid| uid.as_str().to_owned())
    };
    let sop_key = uid(|entry| &entry.sop_instance_uid).and_then(|uid| {
        let keys = site.keyring.existing_hospital(&record.hospital).ok()?;
        Some(keys.key.keyed_id("instance", uid.as_bytes()))
    });
    let received = note("intake.received_at_ms").and_then(|text| text.parse().ok());
    HeldInstance {
        id: record.source,
        group: String::new(),
        hospital: record.hospital.clone(),
        study: record.study_key,
        received_at_ms: received.unwrap_or(record.received_at_ms),
        kept_until: record.retain_until.clone(),
        reasons: Vec::new(),
        sender: note("intake.calling").or_else(|| note("intake.protocol")),
        sop_class: uid(|entry| &entry.sop_class_uid),
        transfer_syntax: uid(|entry| &entry.transfer_syntax),
        bytes: entry.map_or(0, |entry| entry.length),
        unreadable: pack.as_ref().err().map(Coded::code),
        subject: record.subject,
        sop_key,
        content: note(INTAKE_CONTENT).and_then(|text| Digest::parse(&text).ok()),
    }
}

/// The detail with `#` for each number, so that instances that differ in one are one group.
fn without_numbers(detail: &str) -> String {
    let mut text = String::with_capacity(detail.len());
    for c in detail.chars() {
        match c.is_ascii_digit() {
            true if text.ends_with('#') => {}
            true => text.push('#'),
            false => text.push(c),
        }
    }
    text
}

fn group_of(one: &HeldInstance) -> String {
    let mut content = blake3::Hasher::new();
    let first = one.reasons.first();
    for text in [
        one.hospital.as_str(),
        first.map_or("", |reason| reason.code.as_str()),
        first.and_then(|reason| reason.at.as_deref()).unwrap_or_default(),
        &first.map(|reason| without_numbers(&reason.detail)).unwrap_or_default(),
        one.sender.as_deref().unwrap_or_default(),
        one.sop_class.as_deref().unwrap_or_default(),
    ] {
        content.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    content.finalize().to_hex()[..GROUP_DIGITS].to_owned()
}

/// The groups of what is held, the largest first.
#[must_use]
pub fn groups(held: &[HeldInstance]) -> Vec<HeldGroup> {
    let mut groups: BTreeMap<&str, (HeldGroup, BTreeSet<StudyKey>)> = BTreeMap::new();
    for one in held {
        let Some(reason) = one.reasons.first() else { continue };
        let (group, studies) = groups.entry(&one.group).or_insert_with(|| {
            let group = HeldGroup {
                group: one.group.clone(),
                hospital: one.hospital.clone(),
                code: reason.code,
                at: reason.at.clone(),
                detail: without_numbers(&reason.detail),
                sender: one.sender.clone(),
                sop_class: one.sop_class.clone(),
                instances: 0,
                studies: 0,
                oldest_ms: one.received_at_ms,
            };
            (group, BTreeSet::new())
        });
        studies.insert(one.study);
        group.instances += 1;
        group.studies = studies.len() as u64;
        group.oldest_ms = group.oldest_ms.min(one.received_at_ms);
    }
    let mut groups: Vec<HeldGroup> = groups.into_values().map(|(group, _)| group).collect();
    groups.sort_by(|a, b| b.instances.cmp(&a.instances).then(a.group.cmp(&b.group)));
    groups
}

/// Writes the bytes of a held instance as they were received.
///
/// # Errors
/// What the store, the keys and `out` give.
pub fn read_held(
    site: &Site,
    held: &HeldInstance,
    out: &mut dyn Write,
) -> Result<(), QuarantineError> {
    let unknown = || QuarantineError::Unknown(held.id.to_string());
    let object = held.reasons.first().ok_or_else(unknown)?.object;
    let pack = open_pack(site, &held.hospital, &held.subject, Zone::Quarantine, object)?;
    let entry = pack.index().entries.iter().find(|one| one.digest == held.id);
    let entry = entry.ok_or_else(unknown)?;
    let mut reader = pack.instance(entry).map_err(PipelineError::from)?;
    copy(&mut reader, out)
}

/// Writes the instance that has the place under the UID of a held one, where its original is kept.
///
/// # Errors
/// As [`read_held`].
pub fn read_first(
    site: &Site,
    held: &HeldInstance,
    out: &mut dyn Write,
) -> Result<bool, QuarantineError> {
    let Some(sop_key) = held.sop_key else { return Ok(false) };
    let known = site.catalog.known_instance(&held.hospital, &sop_key);
    let Some(known) = known.map_err(PipelineError::from)? else { return Ok(false) };
    let keys = site.keyring.existing_hospital(&held.hospital).map_err(PipelineError::from)?;
    let none = BTreeSet::new();
    let originals = Originals::load(site, &held.hospital, &keys.key, &held.study, &none)?;
    let first = originals.sources.iter().find(|source| source.digest() == known.source);
    let Some(first) = first.filter(|_| known.source != held.id) else { return Ok(false) };
    copy(&mut Source::open(first)?, out)?;
    Ok(true)
}

fn copy(reader: &mut impl io::Read, out: &mut dyn Write) -> Result<(), QuarantineError> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = reader.read(&mut buffer);
        match read.map_err(|error| PipelineError::from(SealError::from(error)))? {
            0 => return Ok(()),
            n => {
                let written = out.write_all(&buffer[..n]);
                written.map_err(|source| QuarantineError::Io { what: "the export", source })?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn numbers_are_told_by_a_sign() {
        assert_eq!(without_numbers("2 of 317 frames (8-bit)"), "# of # frames (#-bit)");
        assert_eq!(without_numbers("declared"), "declared");
    }
}
