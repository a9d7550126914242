//! Takes one study from the spool to the catalogue.

use crate::publish::{Ready, publish};
use crate::scrub::{Observed, StudyJob, observe, scrub_study};
use crate::source::Source;
use crate::{Hospital, PipelineError, Project, Site};
use scanveil_catalog::{Arrival, Outcome, StudyGeneration};
use scanveil_model::{Generation, Reason, ReasonCode, SubjectId, Zone};
use scanveil_seal::{HospitalKey, PackReader, StudyKey};
use scanveil_storage::ObjectKey;
use scanveil_vault::{
    HospitalKeys, PackBench, PackOwner, Spool, SpoolId, SpooledInstance, pack_groups,
    pack_originals, pack_quarantined,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What became of one study, for logs and metrics.
#[derive(Debug, Default, Clone)]
pub(crate) struct StudyReport {
    pub(crate) received: usize,
    pub(crate) duplicates: usize,
    pub(crate) scrubbed: usize,
    pub(crate) quarantined: usize,
    pub(crate) reasons: BTreeMap<ReasonCode, usize>,
}

/// The keyed hash of a study, or of one instance that names none.
pub(crate) fn study_key(key: &HospitalKey, instance: &SpooledInstance) -> StudyKey {
    StudyKey(match &instance.meta().study_instance_uid {
        Some(uid) => key.keyed_id("study", uid.as_str().as_bytes()),
        None => key.keyed_id("study of nobody", instance.id().as_bytes()),
    })
}

fn sop_key(key: &HospitalKey, instance: &SpooledInstance) -> Option<[u8; 16]> {
    let uid = instance.meta().sop_instance_uid.as_ref()?;
    Some(key.keyed_id("instance", uid.as_str().as_bytes()))
}

/// What is new of a study, and what was here before.
struct Sorted {
    new: Vec<SpooledInstance>,
    conflicts: Vec<SpooledInstance>,
    arrivals: Vec<Arrival>,
    done: Vec<SpoolId>,
}

/// Tells new instances from duplicates and from conflicting ones (same UID, other content).
fn sort_arrivals(
    site: &Site,
    key: &HospitalKey,
    instances: Vec<SpooledInstance>,
) -> Result<Sorted, PipelineError> {
    let mut sorted =
        Sorted { new: Vec::new(), conflicts: Vec::new(), arrivals: Vec::new(), done: Vec::new() };
    let mut seen = BTreeMap::new();
    for instance in instances {
        let id = *instance.id().as_bytes();
        sorted.done.push(instance.id());
        if site.catalog.is_finished(&id)? {
            continue;
        }
        let sop = sop_key(key, &instance);
        let known = match &sop {
            None => None,
            Some(sop) => match seen.get(sop) {
                Some(digest) => Some(*digest),
                None => site
                    .catalog
                    .known_instance(&instance.meta().hospital, sop)?
                    .filter(|known| {
                        known.outcome == Outcome::Accepted || known.source == instance.digest()
                    })
                    .map(|known| known.source),
            },
        };
        let arrival = |outcome| Arrival {
            spool_id: id,
            hospital: instance.meta().hospital.clone(),
            sop_key: sop,
            source: instance.digest(),
            outcome,
        };
        match known {
            Some(digest) if digest == instance.digest() => {
                sorted.arrivals.push(arrival(Outcome::Accepted));
            }
            Some(_) => {
                // The one that was here first keeps its place under the UID.
                let conflict = Arrival { sop_key: None, ..arrival(Outcome::Quarantined) };
                sorted.arrivals.push(conflict);
                sorted.conflicts.push(instance);
            }
            None => {
                if let Some(sop) = sop {
                    seen.insert(sop, instance.digest());
                }
                sorted.new.push(instance);
            }
        }
    }
    Ok(sorted)
}

/// Processes what has arrived of one study; afterwards the spool has none of it.
pub(crate) fn process(
    site: &Site,
    spool: &Arc<Spool>,
    hospital: &Hospital,
    study: StudyKey,
    instances: Vec<SpooledInstance>,
) -> Result<StudyReport, PipelineError> {
    let keys = site.keyring.hospital(&hospital.id)?;
    let received = instances.len();
    let sorted = sort_arrivals(site, &keys.key, instances)?;
    let mut report = StudyReport { received, ..StudyReport::default() };
    report.duplicates = received - sorted.new.len() - sorted.conflicts.len();
    let Sorted { new, conflicts, mut arrivals, done } = sorted;
    let sources: Vec<Source> =
        new.iter().map(|i| Source::Spooled(Arc::clone(spool), i.clone())).collect();
    let observed = observe(&sources)?;
    let subject = subject_of(&keys.key, &observed, study);
    let mut work = Work { site, spool, hospital, keys, subject, study, ready: Ready::default() };
    let mut held: BTreeMap<usize, Vec<Reason>> = BTreeMap::new();
    for (at, reason) in &observed.held {
        held.entry(*at).or_default().push(reason.clone());
    }
    if !new.is_empty() {
        work.research(&new, &sources, observed, &mut held)?;
        work.originals(&new)?;
    }
    let conflict = Reason::new(ReasonCode::UidConflict, "another instance has this UID");
    let quarantined: Vec<(SpooledInstance, Vec<Reason>)> = held
        .iter()
        .map(|(at, reasons)| (new[*at].clone(), reasons.clone()))
        .chain(conflicts.into_iter().map(|instance| (instance, vec![conflict.clone()])))
        .collect();
    work.quarantine(&quarantined)?;
    for (at, instance) in new.iter().enumerate() {
        let outcome = if held.contains_key(&at) { Outcome::Quarantined } else { Outcome::Accepted };
        arrivals.push(Arrival {
            spool_id: *instance.id().as_bytes(),
            hospital: hospital.id.clone(),
            sop_key: sop_key(&work.keys.key, instance),
            source: instance.digest(),
            outcome,
        });
    }
    publish(site, &work.ready, &arrivals)?;
    spool.finish(&done)?;
    let ids: Vec<[u8; 16]> = done.iter().map(|id| *id.as_bytes()).collect();
    site.catalog.forget_finished(&ids)?;
    report.quarantined = quarantined.len();
    report.scrubbed = new.len() - held.len();
    for (_, reasons) in &quarantined {
        for reason in reasons {
            *report.reasons.entry(reason.code).or_default() += 1;
        }
    }
    Ok(report)
}

/// The subject a study belongs to: by its patient identifier, else the study stands for itself.
pub(crate) fn subject_of(key: &HospitalKey, observed: &Observed, study: StudyKey) -> SubjectId {
    match &observed.patient_id {
        Some(id) => key.subject_id(&observed.issuer, id),
        None => key.subject_id(b"no patient identifier", &study.0),
    }
}

/// Everything that the steps of one study share.
struct Work<'w> {
    site: &'w Site,
    spool: &'w Arc<Spool>,
    hospital: &'w Hospital,
    keys: Arc<HospitalKeys>,
    subject: SubjectId,
    study: StudyKey,
    ready: Ready,
}

impl Work<'_> {
    fn received_at_ms(instances: &[SpooledInstance]) -> i64 {
        instances.iter().map(|i| i.meta().received_at_ms).max().unwrap_or_default()
    }

    /// Makes the research copies for every project that takes this hospital.
    fn research(
        &mut self,
        new: &[SpooledInstance],
        sources: &[Source],
        observed: Observed,
        held: &mut BTreeMap<usize, Vec<Reason>>,
    ) -> Result<(), PipelineError> {
        let skip: Vec<usize> = observed.held.iter().map(|(at, _)| *at).collect();
        let mut first = Some(observed);
        for project in self.site.config.projects.iter().filter(|p| p.takes(&self.hospital.id)) {
            let before =
                self.site.catalog.generations(&self.hospital.id, &project.name, &self.study)?;
            let observed = match first.take() {
                Some(observed) => observed,
                None => observe(sources)?,
            };
            let late = !before.is_empty();
            let originals = if late && self.hospital.keep_originals {
                originals(self.site, self.hospital, self.study)?
            } else {
                Vec::new()
            };
            // With originals, a late instance makes a whole new generation; without, it joins the
            // newest, because nothing can be made of the others again.
            let last = before.last().map_or(0, |generation| generation.0);
            let generation = Generation(if late && originals.is_empty() { last } else { last + 1 });
            let received = Self::received_at_ms(new);
            if originals.is_empty() {
                let found = self.scrub(project, generation, received, observed, sources, &skip)?;
                found.into_iter().for_each(|(at, reason)| add(held, at, reason));
            } else {
                let mut all: Vec<Source> = new
                    .iter()
                    .map(|i| Source::Spooled(Arc::clone(self.spool), i.clone()))
                    .collect();
                all.extend(originals);
                let observed = observe(&all)?;
                let skip: Vec<usize> = observed.held.iter().map(|(at, _)| *at).collect();
                let found = self.scrub(project, generation, received, observed, &all, &skip)?;
                let found = found.into_iter().filter(|(at, _)| *at < new.len());
                found.for_each(|(at, reason)| add(held, at, reason));
            }
        }
        Ok(())
    }

    fn scrub(
        &mut self,
        project: &Project,
        generation: Generation,
        received_at_ms: i64,
        observed: Observed,
        sources: &[Source],
        skip: &[usize],
    ) -> Result<Vec<(usize, Reason)>, PipelineError> {
        let profile = self.site.profile(&project.name)?;
        let secret = self.keys.pseudonym_secret.project_secret(&project.name);
        let subject_key = self.site.keyring.subject(&self.hospital.id, &self.subject)?;
        let research_key = subject_key.zone_key(Zone::Research);
        let job = StudyJob {
            hospital: &self.hospital.id,
            hospital_key: &self.keys.key,
            subject: self.subject,
            study_key: self.study,
            project: &project.name,
            generation,
            profile,
            secret: &secret,
            research_key: &research_key,
            received_at_ms,
        };
        let scrubbed = scrub_study(self.site, &job, observed.identity, sources, skip)?;
        for pack in scrubbed.packs {
            let mut tags = self.site.tags(self.hospital, Zone::Research, received_at_ms);
            tags.profile = profile.label();
            tags.generation = Some(generation);
            tags.project = Some(project.name.clone());
            self.ready.put(self.site, &pack.object, pack.path(), &tags)?;
        }
        self.ready.generations.push(StudyGeneration {
            hospital: self.hospital.id.clone(),
            project: project.name.clone(),
            study_key: self.study,
            generation,
            profile: profile.label(),
        });
        Ok(scrubbed.held)
    }

    /// Keeps the identified originals, where the hospital wants that.
    fn originals(&mut self, new: &[SpooledInstance]) -> Result<(), PipelineError> {
        if !self.hospital.keep_originals {
            return Ok(());
        }
        let key = self.site.keyring.subject(&self.hospital.id, &self.subject)?;
        for group in pack_groups(new.to_vec()) {
            let owner = self.owner(&key);
            let pack = pack_originals(&self.bench(), &owner, &group)?;
            let tags = self.site.tags(self.hospital, Zone::Vault, Self::received_at_ms(&group));
            self.ready.put(self.site, pack.object(), pack.path(), &tags)?;
        }
        Ok(())
    }

    fn quarantine(
        &mut self,
        quarantined: &[(SpooledInstance, Vec<Reason>)],
    ) -> Result<(), PipelineError> {
        if quarantined.is_empty() {
            return Ok(());
        }
        let key = self.site.keyring.subject(&self.hospital.id, &self.subject)?;
        let instances = quarantined.iter().map(|(instance, _)| instance.clone()).collect();
        for group in pack_groups(instances) {
            let with_reasons: Vec<(SpooledInstance, Vec<Reason>)> = group
                .iter()
                .filter_map(|one| {
                    quarantined.iter().find(|(instance, _)| instance.id() == one.id()).cloned()
                })
                .collect();
            let owner = self.owner(&key);
            let pack = pack_quarantined(&self.bench(), &owner, &with_reasons)?;
            let received = Self::received_at_ms(&group);
            let tags = self.site.tags(self.hospital, Zone::Quarantine, received);
            self.ready.put(self.site, pack.object(), pack.path(), &tags)?;
        }
        Ok(())
    }

    fn bench(&self) -> PackBench<'_> {
        PackBench { spool: self.spool, dir: &self.site.work, entropy: self.site.entropy.as_ref() }
    }

    fn owner<'k>(&'k self, subject_key: &'k scanveil_seal::SubjectKey) -> PackOwner<'k> {
        PackOwner {
            hospital: &self.hospital.id,
            hospital_key: &self.keys.key,
            subject: self.subject,
            subject_key,
            study_key: self.study,
        }
    }
}

fn add(held: &mut BTreeMap<usize, Vec<Reason>>, at: usize, reason: Reason) {
    let reasons = held.entry(at).or_default();
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}

/// The originals of a study in the vault, as sources.
pub(crate) fn originals(
    site: &Site,
    hospital: &Hospital,
    study: StudyKey,
) -> Result<Vec<Source>, PipelineError> {
    let mut sources = Vec::new();
    for object in site.catalog.originals(&hospital.id, &study)? {
        let key = site.keyring.existing_subject(&hospital.id, &object.subject)?;
        let place = ObjectKey::new(Zone::Vault, hospital.id.clone(), object.object);
        let reader = site.store.open(&place)?;
        let pack = Arc::new(PackReader::open(reader, |_| Ok(key.zone_key(Zone::Vault)))?);
        let entries = pack.index().entries.clone();
        sources.extend(entries.into_iter().map(|e| Source::Original(Arc::clone(&pack), e)));
    }
    Ok(sources)
}
