//! What became of one study, for those who know it by an identifier of the hospital or sent it.
//!
//! The answer holds no identifier: neither that of the question, nor a pseudonym, nor a new UID.
//! What belongs to whom is told by a request that others approve (`subject`).

use crate::quarantine::{HeldFilter, QuarantineError, held_instances};
use crate::{Config, PipelineError, Site};
use scanveil_catalog::{NameKind, ObjectFilter, StudyGenerationRecord, StudyName, StudyRelease};
use scanveil_model::{HospitalId, IntakeMeta, Protocol, ReasonCode, Uid, Zone};
use scanveil_seal::{HospitalKey, StudyKey};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The receivers by their words, as senders without an AE title are called.
const RECEIVERS: [Protocol; 3] = [Protocol::Stow, Protocol::Upload, Protocol::Folder];

/// What somebody knows of a study. Identifies: no `Debug`.
#[derive(Clone, Copy)]
pub enum StudyQuestion<'q> {
    /// Study Instance UID as it was sent.
    Uid(&'q Uid),
    /// Accession Number as it was sent.
    Accession(&'q str),
    /// The calling AE title, or `stow`, `upload`, `folder`, and within which time something of it
    /// was received: milliseconds since 1970, both ends included.
    Sender {
        /// Who.
        name: &'q str,
        /// The earliest.
        from_ms: i64,
        /// The latest.
        until_ms: i64,
    },
}

/// What has arrived from one sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StudySender {
    /// Its AE title or receiver; none where neither the configuration nor the question names it.
    pub sender: Option<String>,
    /// Instances, with those that came again.
    pub instances: u64,
    /// When the first was received, in milliseconds since 1970.
    pub first_received_ms: i64,
    /// When the last was.
    pub last_received_ms: i64,
}

/// Originals that the vault keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StudyKept {
    /// Instances.
    pub instances: u64,
    /// Until when the first of them is kept, `YYYY-MM-DD`.
    pub until: Option<String>,
}

/// Instances that are held for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StudyHeld {
    /// The reason.
    pub code: ReasonCode,
    /// How many; one with two reasons counts for both.
    pub instances: u64,
}

/// What became of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StudyStatus {
    /// The hospital.
    pub hospital: HospitalId,
    /// Keyed hash of the study, as `quarantine list` has it.
    pub study: StudyKey,
    /// When the first instance was received, in milliseconds since 1970.
    pub first_received_ms: i64,
    /// When the last one was.
    pub last_received_ms: i64,
    /// By sender.
    pub received: Vec<StudySender>,
    /// Originals in the vault.
    pub originals: StudyKept,
    /// Instances in quarantine that somebody has to decide about.
    pub held_instances: u64,
    /// The same by reason.
    pub held: Vec<StudyHeld>,
    /// What was made of it, by project, the oldest generation first.
    pub generations: Vec<StudyGenerationRecord>,
    /// Releases that hold something of it.
    pub releases: Vec<StudyRelease>,
}

/// The keyed hash of an accession number.
pub(crate) fn accession_name(key: &HospitalKey, number: &[u8]) -> StudyName {
    let name = key.keyed_id("accession number", number.trim_ascii());
    StudyName { kind: NameKind::Accession, name }
}

/// The keyed hash of who sent an instance.
pub(crate) fn sender_name(key: &HospitalKey, meta: &IntakeMeta) -> StudyName {
    called(key, meta.calling.as_deref().unwrap_or_else(|| meta.protocol.as_str()))
}

fn called(key: &HospitalKey, sender: &str) -> StudyName {
    StudyName { kind: NameKind::Sender, name: key.keyed_id("sender", sender.trim().as_bytes()) }
}

/// What became of the studies that are meant, of one hospital or of all, in the order of their
/// arrival. Nothing of a study is known before it was taken from the spool.
///
/// # Errors
/// What catalogue and keys give.
pub fn study_status(
    site: &Site,
    hospital: Option<&HospitalId>,
    question: StudyQuestion<'_>,
) -> Result<Vec<StudyStatus>, QuarantineError> {
    let config = site.config();
    let mut all = Vec::new();
    for one in config.hospitals.iter().filter(|one| hospital.is_none_or(|id| one.id == *id)) {
        let keys = site.keyring.existing_hospital(&one.id).map_err(PipelineError::from)?;
        let words = words(&config, &one.id, question);
        for study in meant(site, &one.id, &keys.key, question)? {
            all.extend(status(site, &words, &one.id, &keys.key, study)?);
        }
    }
    all.sort_by_key(|one| (one.first_received_ms, one.study.0));
    Ok(all)
}

fn meant(
    site: &Site,
    hospital: &HospitalId,
    key: &HospitalKey,
    question: StudyQuestion<'_>,
) -> Result<BTreeSet<StudyKey>, PipelineError> {
    let (name, time) = match question {
        StudyQuestion::Uid(uid) => {
            return Ok(BTreeSet::from([StudyKey(key.keyed_id("study", uid.as_str().as_bytes()))]));
        }
        StudyQuestion::Accession(number) => {
            (accession_name(key, number.as_bytes()), (i64::MIN, i64::MAX))
        }
        StudyQuestion::Sender { name, from_ms, until_ms } => {
            (called(key, name), (from_ms, until_ms))
        }
    };
    let found = site.catalog.studies_named(hospital, &name, time)?;
    Ok(found.into_iter().map(|one| one.study_key).collect())
}

/// `None` for a study of which nothing ever was stored.
fn status(
    site: &Site,
    words: &[&str],
    hospital: &HospitalId,
    key: &HospitalKey,
    study: StudyKey,
) -> Result<Option<StudyStatus>, QuarantineError> {
    let catalog = &site.catalog;
    let received = catalog.study_received(hospital, &study).map_err(PipelineError::from)?;
    let Some((first, last)) = received else { return Ok(None) };
    let received = senders(site, words, hospital, key, &study)?;
    let filter = HeldFilter {
        hospital: Some(hospital.clone()),
        study: Some(study),
        ..HeldFilter::default()
    };
    let held = held_instances(site, &filter)?;
    let mut codes: BTreeMap<ReasonCode, u64> = BTreeMap::new();
    for one in &held {
        let of: BTreeSet<ReasonCode> = one.reasons.iter().map(|reason| reason.code).collect();
        of.into_iter().for_each(|code| *codes.entry(code).or_default() += 1);
    }
    let generations = catalog.generations_of_study(hospital, &study);
    let releases = catalog.releases_of_study(hospital, &study);
    Ok(Some(StudyStatus {
        hospital: hospital.clone(),
        study,
        first_received_ms: received.iter().map(|one| one.first_received_ms).fold(first, i64::min),
        last_received_ms: received.iter().map(|one| one.last_received_ms).fold(last, i64::max),
        received,
        originals: kept(site, hospital, study)?,
        held_instances: held.len() as u64,
        held: codes.into_iter().map(|(code, instances)| StudyHeld { code, instances }).collect(),
        generations: generations.map_err(PipelineError::from)?,
        releases: releases.map_err(PipelineError::from)?,
    }))
}

/// Who may have sent something: of the catalogue only hashes are known.
fn words<'w>(
    config: &'w Config,
    hospital: &HospitalId,
    question: StudyQuestion<'w>,
) -> Vec<&'w str> {
    let of_hospital = config.hospitals.iter().filter(|one| one.id == *hospital);
    let callers =
        of_hospital.flat_map(|one| one.calling.iter().filter_map(|rule| rule.ae.as_ref()));
    let asked = match question {
        StudyQuestion::Sender { name, .. } => Some(name.trim()),
        StudyQuestion::Uid(_) | StudyQuestion::Accession(_) => None,
    };
    let receivers = RECEIVERS.iter().map(|one| one.as_str());
    callers.map(|ae| ae.as_str()).chain(receivers).chain(asked).collect()
}

/// Who has sent something of a study.
fn senders(
    site: &Site,
    words: &[&str],
    hospital: &HospitalId,
    key: &HospitalKey,
    study: &StudyKey,
) -> Result<Vec<StudySender>, PipelineError> {
    let names: BTreeMap<_, &str> =
        words.iter().map(|word| (called(key, word).name, *word)).collect();
    let found = site.catalog.names_of_study(hospital, study, NameKind::Sender)?;
    let sender = |one: scanveil_catalog::NamedStudy| StudySender {
        sender: names.get(&one.name).map(|word| (*word).to_owned()),
        instances: one.instances,
        first_received_ms: one.first_received_ms,
        last_received_ms: one.last_received_ms,
    };
    Ok(found.into_iter().map(sender).collect())
}

fn kept(site: &Site, hospital: &HospitalId, study: StudyKey) -> Result<StudyKept, PipelineError> {
    let filter = ObjectFilter {
        zone: Some(Zone::Vault),
        hospital: Some(hospital.clone()),
        study_key: Some(study),
        ..ObjectFilter::default()
    };
    let objects = site.catalog.objects(&filter, u32::MAX)?;
    Ok(StudyKept {
        instances: objects.iter().map(|object| object.entries).sum(),
        until: objects.into_iter().map(|object| object.retain_until).min(),
    })
}
