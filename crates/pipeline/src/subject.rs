//! Finds the patient behind a pseudonym or a new UID again: the research copy says which study it
//! is, the original who it is, and the hospital's secret whether the two belong together. Only the
//! originals of patients who are meant are opened.

use crate::label::secret_version;
use crate::material::{History, Originals};
use crate::scrub::{Observed, observe};
use crate::source::Source;
use crate::{PipelineError, Site};
use scanveil_catalog::{ObjectFilter, ObjectRecord};
use scanveil_dataset::{CharacterSets, DataSet, Limits, Tag, open, tags};
use scanveil_model::{Coded, HospitalId, ProjectName, SubjectId, Uid, Zone};
use scanveil_scrub::StudyScrubber;
use scanveil_seal::PackReader;
use scanveil_storage::ObjectKey;
use scanveil_vault::KeyringError;
use std::collections::{BTreeMap, BTreeSet};

/// Whom to find, in the words of the released data.
#[derive(Clone, Copy)]
pub enum Sought<'s> {
    /// The pseudonym in Patient ID.
    Pseudonym(&'s str),
    /// The Study, Series or SOP Instance UID of a released instance.
    Uid(&'s Uid),
}

/// A patient who was found. Identifies: no `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundSubject {
    /// The pseudonym of the project.
    pub pseudonym: String,
    /// Patient ID (0010,0020) of the original; empty where it has none.
    pub patient_id: String,
    /// Issuer of Patient ID (0010,0021) of the original; empty where it has none.
    pub issuer: String,
    /// The patient's keyed hash within the hospital.
    pub subject: SubjectId,
    /// The version of the hospital's secret that the pseudonym hangs on.
    pub secret_version: u32,
}

/// What a search came to.
#[derive(Default)]
pub struct SubjectSearch {
    /// Research packs that are meant.
    pub copies: u64,
    /// Who it is: one patient, unless the hospital has one Patient ID from two issuers.
    pub found: BTreeSet<FoundSubject>,
    /// Studies whose originals are not there any more, or never were.
    pub without_original: u64,
    /// Studies whose originals give another pseudonym.
    pub not_recomputed: u64,
    /// Research packs that could not be looked into.
    pub unreadable: u64,
}

/// A research pack that is meant.
struct Copy {
    object: ObjectRecord,
    pseudonym: String,
}

/// Looks for a patient of the hospital in what the project has, of any generation.
///
/// # Errors
/// [`PipelineError::Unknown`] for names that are not configured, and what the catalogue, the store
/// and the keys give.
pub fn find_subjects(
    site: &Site,
    hospital: &HospitalId,
    project: &ProjectName,
    sought: Sought<'_>,
) -> Result<SubjectSearch, PipelineError> {
    site.config().hospital(hospital)?;
    let mut search = SubjectSearch::default();
    // One study says who a patient is; the others are looked at only when it cannot.
    let mut copies: BTreeMap<SubjectId, Vec<Copy>> = BTreeMap::new();
    let filter = ObjectFilter {
        zone: Some(Zone::Research),
        hospital: Some(hospital.clone()),
        project: Some(project.clone()),
        ..ObjectFilter::default()
    };
    for object in site.catalog.objects(&filter, u32::MAX)? {
        match meant(site, &object, sought) {
            Ok(Some(pseudonym)) => {
                search.copies += 1;
                copies.entry(object.subject).or_default().push(Copy { object, pseudonym });
            }
            Ok(None) => {}
            Err(error) if error.concerns_all() => return Err(error),
            Err(error) => {
                tracing::warn!(code = error.code(), "a research pack is passed over: {error}");
                search.unreadable += 1;
            }
        }
    }
    for of_subject in copies.values() {
        let mut tried = BTreeSet::new();
        for copy in of_subject {
            if tried.insert((copy.object.study_key, copy.object.generation))
                && recover(site, project, copy, &mut search)?
            {
                break;
            }
        }
    }
    Ok(search)
}

/// The pseudonym in a research pack, if it is one that is meant. A patient whose key was destroyed
/// is not found any more.
fn meant(
    site: &Site,
    object: &ObjectRecord,
    sought: Sought<'_>,
) -> Result<Option<String>, PipelineError> {
    if let Sought::Uid(uid) = sought {
        let instances = site.catalog.instances(&object.object)?;
        let has = instances.iter().any(|instance| {
            let uids = [
                &instance.study_instance_uid,
                &instance.series_instance_uid,
                &instance.sop_instance_uid,
            ];
            uids.iter().any(|one| one.as_ref() == Some(uid))
        });
        if !has {
            return Ok(None);
        }
    }
    let subject = match site.keyring.existing_subject(&object.hospital, &object.subject) {
        Err(KeyringError::SubjectDestroyed(_)) => return Ok(None),
        subject => subject?,
    };
    let place = ObjectKey::new(Zone::Research, object.hospital.clone(), object.object);
    let pack =
        PackReader::open(site.store.open(&place)?, |_| Ok(subject.zone_key(Zone::Research)))?;
    let pseudonym = pack.index().patient_pseudonym.clone();
    Ok(match sought {
        Sought::Uid(_) => pseudonym,
        Sought::Pseudonym(text) => pseudonym.filter(|own| own == text),
    })
}

/// Reads in the originals of a copy who it is. `false` when another study has to say it.
fn recover(
    site: &Site,
    project: &ProjectName,
    copy: &Copy,
    search: &mut SubjectSearch,
) -> Result<bool, PipelineError> {
    let ObjectRecord { hospital, study_key, generation, .. } = &copy.object;
    let keys = site.keyring.existing_hospital(hospital)?;
    let history = History::load(site, hospital, study_key)?;
    let made_from = generation.map(|of| history.made_from(project, of)).unwrap_or_default();
    let originals = Originals::load(site, hospital, &keys.key, study_key, &BTreeSet::new())?;
    let sources = &originals.sources;
    let chosen: Vec<usize> =
        (0..sources.len()).filter(|at| made_from.contains(&sources[*at].digest())).collect();
    let Observed { identity, patients, .. } = observe(sources, &chosen)?;
    let said = chosen.iter().find(|at| patients.contains_key(at)).or(chosen.first());
    let Some(said) = said else {
        search.without_original += 1;
        return Ok(false);
    };
    let version = secret_version(&copy.object.profile);
    let secret = keys
        .secret(version)
        .ok_or_else(|| KeyringError::SecretUnknown { hospital: hospital.clone(), version })?;
    let secret = secret.project_secret(project);
    let settings = site.settings();
    let scrubber = StudyScrubber::new(settings.profile(project)?, &secret, identity);
    if !scrubber.is_ok_and(|scrubber| scrubber.pseudonym() == copy.pseudonym) {
        search.not_recomputed += 1;
        return Ok(false);
    }
    let Some([patient_id, issuer]) = who(&sources[*said])? else {
        search.without_original += 1;
        return Ok(false);
    };
    search.found.insert(FoundSubject {
        pseudonym: copy.pseudonym.clone(),
        patient_id,
        issuer,
        subject: copy.object.subject,
        secret_version: version,
    });
    Ok(true)
}

/// Patient ID and its issuer, as people read them.
fn who(source: &Source) -> Result<Option<[String; 2]>, PipelineError> {
    let read = source.read(|reader| {
        let (header, _) = open(reader, &Limits::default())?;
        let texts = [tags::PATIENT_ID, tags::ISSUER_OF_PATIENT_ID];
        Ok(texts.map(|tag| text(&header.data, tag)))
    })?;
    Ok(read.ok())
}

fn text(data: &DataSet<'_>, tag: Tag) -> String {
    let declared = data.text(tags::SPECIFIC_CHARACTER_SET).unwrap_or_default();
    let value = data.text(tag).unwrap_or_default();
    let sets = CharacterSets::parse(declared).unwrap_or(CharacterSets::DEFAULT);
    let text = match sets.decode(value) {
        Ok(text) => text.into_owned(),
        Err(_) => String::from_utf8_lossy(value).into_owned(),
    };
    text.trim_matches([' ', '\0']).to_owned()
}
