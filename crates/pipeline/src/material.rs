//! What a study is made of: its originals, what is stored of it already, and whose it is.

use crate::decided::Decided;
use crate::label::secret_version;
use crate::source::Source;
use crate::{PipelineError, Site};
use scanveil_catalog::{KeyedId, ObjectFilter, ObjectRecord};
use scanveil_model::{Digest, Generation, HospitalId, ProjectName, ReasonCode, SubjectId, Zone};
use scanveil_seal::{HospitalKey, PackReader, StudyKey};
use scanveil_storage::ObjectKey;
use scanveil_vault::KeyringError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The keyed hash under which an instance is remembered.
pub(crate) fn sop_key(key: &HospitalKey, source: &Source) -> Option<KeyedId> {
    let uid = source.sop_instance_uid()?;
    Some(key.keyed_id("instance", uid.as_str().as_bytes()))
}

/// What the catalogue knows of a study.
pub(crate) struct History {
    /// Research objects, and the digests of the bytes each instance was made from.
    research: Vec<(ObjectRecord, BTreeSet<Digest>)>,
    /// Everything that has, or had, a research copy.
    clean: BTreeSet<Digest>,
    /// What is in quarantine, and for which reasons nobody has ended.
    pub(crate) quarantined: BTreeMap<Digest, BTreeSet<ReasonCode>>,
}

impl History {
    pub(crate) fn load(
        site: &Site,
        hospital: &HospitalId,
        study: &StudyKey,
    ) -> Result<Self, PipelineError> {
        let (mut research, mut clean) = (Vec::new(), BTreeSet::new());
        for object in stored(site, hospital, study, Zone::Research)? {
            let sources = sources(site, &object)?;
            clean.extend(sources.iter().copied());
            research.push((object, sources));
        }
        let mut quarantined: BTreeMap<Digest, BTreeSet<ReasonCode>> = BTreeMap::new();
        for object in stored(site, hospital, study, Zone::Quarantine)? {
            quarantined.extend(sources(site, &object)?.into_iter().map(|d| (d, BTreeSet::new())));
        }
        for (source, code) in site.catalog.open_reasons(hospital, study)? {
            quarantined.entry(source).or_default().insert(code);
        }
        Ok(Self { research, clean, quarantined })
    }

    /// Whether these very bytes were dealt with before.
    pub(crate) fn knows(&self, digest: &Digest) -> bool {
        self.clean.contains(digest) || self.quarantined.contains_key(digest)
    }

    /// What a generation of a project was made from.
    pub(crate) fn made_from(&self, project: &ProjectName, of: Generation) -> BTreeSet<Digest> {
        let objects = self.research.iter().filter(|(object, _)| {
            object.project.as_ref() == Some(project) && object.generation == Some(of)
        });
        objects.flat_map(|(_, sources)| sources.iter().copied()).collect()
    }

    /// The version of the secret under which a generation was made, where it has an object.
    pub(crate) fn secret_version(&self, project: &ProjectName, of: Generation) -> Option<u32> {
        let mut objects = self.research.iter().map(|(object, _)| object);
        let found = objects.find(|object| {
            object.project.as_ref() == Some(project) && object.generation == Some(of)
        });
        found.map(|object| secret_version(&object.profile))
    }

    fn subjects(&self) -> BTreeSet<SubjectId> {
        self.research.iter().map(|(object, _)| object.subject).collect()
    }
}

fn stored(
    site: &Site,
    hospital: &HospitalId,
    study: &StudyKey,
    zone: Zone,
) -> Result<Vec<ObjectRecord>, PipelineError> {
    let filter = ObjectFilter {
        zone: Some(zone),
        hospital: Some(hospital.clone()),
        study_key: Some(*study),
        ..ObjectFilter::default()
    };
    Ok(site.catalog.objects(&filter, u32::MAX)?)
}

fn sources(site: &Site, object: &ObjectRecord) -> Result<BTreeSet<Digest>, PipelineError> {
    let instances = site.catalog.instances(&object.object)?;
    Ok(instances.into_iter().map(|instance| instance.source.unwrap_or(instance.digest)).collect())
}

/// The originals of a study.
#[derive(Default)]
pub(crate) struct Originals {
    pub(crate) sources: Vec<Source>,
    /// When the newest of them was received, in milliseconds since 1970.
    pub(crate) received_at_ms: i64,
    /// The key of some was destroyed: they are no more.
    pub(crate) erased: Option<KeyringError>,
    /// Instances in whose place another one was taken.
    pub(crate) replaced: BTreeSet<Digest>,
}

impl Originals {
    /// Opens the study's objects in the vault. Each instance comes once; what was corrected since,
    /// or is being corrected by an instance of `arriving`, is left out.
    pub(crate) fn load(
        site: &Site,
        hospital: &HospitalId,
        key: &HospitalKey,
        study: &StudyKey,
        arriving: &BTreeSet<KeyedId>,
    ) -> Result<Self, PipelineError> {
        let mut originals = Self::default();
        let mut met = BTreeSet::new();
        for object in site.catalog.originals(hospital, study)? {
            let subject = match site.keyring.existing_subject(hospital, &object.subject) {
                Err(error @ KeyringError::SubjectDestroyed(_)) => {
                    originals.erased = Some(error);
                    continue;
                }
                subject => subject?,
            };
            let place = ObjectKey::new(Zone::Vault, hospital.clone(), object.object);
            let open = || -> Result<_, PipelineError> {
                let reader = site.store.open(&place)?;
                Ok(PackReader::open(reader, |_| Ok(subject.zone_key(Zone::Vault)))?)
            };
            let pack = Arc::new(open().map_err(|error| error.in_object(&place))?);
            originals.received_at_ms = originals.received_at_ms.max(object.received_at_ms);
            for entry in &pack.index().entries {
                let source = Source::Original(Arc::clone(&pack), Box::new(entry.clone()));
                let replaced = match sop_key(key, &source) {
                    None => false,
                    Some(sop) if arriving.contains(&sop) => true,
                    Some(sop) => {
                        let known = site.catalog.known_instance(hospital, &sop)?;
                        known.is_some_and(|known| known.source != entry.digest)
                    }
                };
                if replaced {
                    originals.replaced.insert(entry.digest);
                } else if met.insert(entry.digest) {
                    originals.sources.push(source);
                }
            }
        }
        Ok(originals)
    }
}

/// Who an instance says it is about. No `Debug`: it identifies.
pub(crate) struct Patient {
    pub(crate) issuer: Vec<u8>,
    pub(crate) id: Vec<u8>,
}

/// Whose the sources of a study are.
pub(crate) struct Owners {
    /// Whose the study is.
    pub(crate) study: SubjectId,
    /// Whose each source is, where it says so.
    each: BTreeMap<usize, SubjectId>,
    /// Sources that are about another patient than what is known of the study.
    pub(crate) strangers: BTreeSet<usize>,
}

impl Owners {
    pub(crate) fn find(
        key: &HospitalKey,
        study: &StudyKey,
        history: &History,
        sources: &[Source],
        patients: &BTreeMap<usize, Patient>,
        decided: &Decided,
    ) -> Self {
        // The same identifier comes with its issuer and without it: it is one patient's.
        let mut issuers: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
        for patient in patients.values() {
            let known = issuers.entry(&patient.id).or_default();
            if known.is_empty() || (!patient.issuer.is_empty() && *patient.issuer < **known) {
                *known = &patient.issuer;
            }
        }
        let subject = |patient: &Patient| {
            let issuer = issuers.get(patient.id.as_slice()).copied().unwrap_or_default();
            key.subject_id(issuer, &patient.id)
        };
        let each: BTreeMap<usize, SubjectId> =
            patients.iter().map(|(at, patient)| (*at, subject(patient))).collect();
        let nobody = key.subject_id(b"no patient identifier", &study.0);
        let of_clean =
            each.iter().filter(|(at, _)| history.clean.contains(&sources[**at].digest()));
        let mut home: BTreeSet<SubjectId> = of_clean.map(|(_, subject)| *subject).collect();
        if home.is_empty() {
            home = history.subjects();
            home.remove(&nobody);
        }
        let is_merged = |at: &usize| decided.merged.contains(&sources[*at].digest());
        let is_home = |at: &usize| {
            home.is_empty()
                || is_merged(at)
                || each.get(at).is_none_or(|subject| home.contains(subject))
                || home.contains(&key.subject_id(b"", &patients[at].id))
        };
        let strangers: BTreeSet<usize> = each.keys().copied().filter(|at| !is_home(at)).collect();
        let right = decided.right_patient(sources, patients).and_then(|at| each.get(&at).copied());
        let known = each.iter().filter(|(at, _)| !strangers.contains(at)).map(|(_, s)| *s).min();
        let study = right.or(known).or_else(|| home.first().copied()).unwrap_or(nobody);
        Self { study, each, strangers }
    }

    /// Whose a source is; the study's patient's when it does not say.
    pub(crate) fn of(&self, at: usize) -> SubjectId {
        self.each.get(&at).copied().unwrap_or(self.study)
    }
}
