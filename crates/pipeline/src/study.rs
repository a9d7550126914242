//! Takes one study from the spool to the catalogue.

use crate::material::{History, sop_key};
use crate::scrub::observe;
use crate::source::Source;
use crate::study_status::{accession_name, sender_name};
use crate::work::{Known, StudyWork};
use crate::{PipelineError, Settings, Site};
use scanveil_catalog::{Arrival, KeyedId, KnownInstance, Outcome};
use scanveil_dataset::{Limits, open, tags};
use scanveil_model::{Digest, HospitalId, Reason, ReasonCode, SubjectId, Uid, Zone};
use scanveil_seal::{HospitalKey, StudyKey, SubjectKey};
use scanveil_vault::{
    PackBench, PackOwner, Spool, SpoolId, SpooledInstance, pack_groups, pack_originals,
    pack_quarantined,
};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
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
pub(crate) fn study_key(
    key: &HospitalKey,
    spool: &Arc<Spool>,
    instance: &SpooledInstance,
) -> StudyKey {
    let uid = instance.meta().study_instance_uid.clone();
    StudyKey(match uid.or_else(|| named_later(spool, instance)) {
        Some(uid) => key.keyed_id("study", uid.as_str().as_bytes()),
        None => key.keyed_id("study of nobody", instance.id().as_bytes()),
    })
}

/// The study that an instance names behind the first kilobytes that its receiver looked at. What
/// cannot be read is found out, and dealt with, when the study is processed.
fn named_later(spool: &Arc<Spool>, instance: &SpooledInstance) -> Option<Uid> {
    let source = Source::Spooled(Arc::clone(spool), instance.clone());
    let found = source.read(|reader| {
        let (header, _) = open(reader, &Limits::default())?;
        let value = header.data.text(tags::STUDY_INSTANCE_UID).unwrap_or_default();
        Ok(std::str::from_utf8(value).ok().and_then(|text| Uid::parse(text).ok()))
    });
    found.ok()?.ok()?
}

/// What is new of a study, and what was here before.
#[derive(Default)]
struct Sorted {
    new: Vec<SpooledInstance>,
    /// The same UID as another instance, with other content.
    conflicts: Vec<SpooledInstance>,
    /// Here before, with the same content.
    repeats: Vec<SpooledInstance>,
    done: Vec<SpoolId>,
}

/// What instances of one UID are told apart by.
#[derive(Clone, Copy)]
struct Likeness {
    /// Digest of the bytes as received.
    source: Digest,
    /// Digest of what is behind the file meta information, where known: over C-STORE, in a file and
    /// from another sender the same instance has another one.
    content: Option<Digest>,
}

impl Likeness {
    fn of(instance: &SpooledInstance) -> Self {
        Self { source: instance.digest(), content: instance.meta().content }
    }

    fn is_same(self, other: Self) -> bool {
        self.source == other.source || (self.content.is_some() && self.content == other.content)
    }
}

/// Tells new instances from repeated and from conflicting ones.
fn sort_arrivals(
    site: &Site,
    key: &HospitalKey,
    spool: &Arc<Spool>,
    history: &History,
    instances: Vec<SpooledInstance>,
) -> Result<Sorted, PipelineError> {
    let mut sorted = Sorted::default();
    let mut seen: HashMap<KeyedId, Likeness> = HashMap::new();
    for instance in instances {
        sorted.done.push(instance.id());
        if site.catalog.is_finished(instance.id().as_bytes())? {
            continue;
        }
        let own = Likeness::of(&instance);
        let known = match sop_key(key, &Source::Spooled(Arc::clone(spool), instance.clone())) {
            None => None,
            Some(sop) => match seen.get(&sop) {
                Some(first) => Some(*first),
                None => {
                    let known = site.catalog.known_instance(&instance.meta().hospital, &sop)?;
                    // A corrected copy of what is in quarantine is welcome.
                    let known =
                        known.and_then(|KnownInstance { source, content, outcome, .. }| {
                            let known = Likeness { source, content };
                            (outcome == Outcome::Accepted || known.is_same(own)).then_some(known)
                        });
                    if known.is_none() {
                        seen.insert(sop, own);
                    }
                    known
                }
            },
        };
        if history.knows(&own.source) || known.is_some_and(|known| known.is_same(own)) {
            sorted.repeats.push(instance);
        } else if known.is_some() {
            sorted.conflicts.push(instance);
        } else {
            sorted.new.push(instance);
        }
    }
    Ok(sorted)
}

/// Processes what has arrived of one study, all of it under the same settings; afterwards the spool
/// has none of it.
pub(crate) fn process(
    site: &Site,
    settings: &Settings,
    spool: &Arc<Spool>,
    (hospital, study): (&HospitalId, StudyKey),
    instances: Vec<SpooledInstance>,
) -> Result<StudyReport, PipelineError> {
    let _one_at_a_time = site.lock_study(&study)?;
    let hospital = settings.config.hospital(hospital)?;
    let keys = site.keyring.hospital(&hospital.id)?;
    let mut report = StudyReport { received: instances.len(), ..StudyReport::default() };
    let known = Known::load(site, &hospital.id, &study)?;
    let Sorted { new, conflicts, repeats, done } =
        sort_arrivals(site, &keys.key, spool, &known.history, instances)?;
    report.duplicates = repeats.len();
    let spooled = |instance: &SpooledInstance| Source::Spooled(Arc::clone(spool), instance.clone());
    let newest = received_at_ms(new.iter().chain(&conflicts));
    let arrived = new.iter().map(spooled).collect();
    let dir = site.service_dir();
    let mut work = StudyWork::begin(site, hospital, study, &dir, known, arrived, newest)?;
    if !new.is_empty() {
        for project in settings.config.projects.iter().filter(|p| p.takes(&hospital.id)) {
            work.take_in(&project.name, settings.profile(&project.name)?)?;
        }
        keep_originals(&mut work, spool, &new)?;
    }
    let mut quarantined = quarantine_of(&work, &new);
    quarantined.extend(conflicting(&work, &conflicts, spooled)?);
    quarantine(&mut work, spool, &quarantined)?;
    let arrivals = account(&work, &new, &conflicts, &repeats)?;
    let accepted = work.accepted();
    report.scrubbed = (0..new.len()).filter(|at| work.clean.contains(at)).count();
    report.quarantined = quarantined.len();
    for reason in quarantined.iter().flat_map(|held| &held.reasons) {
        *report.reasons.entry(reason.code).or_default() += 1;
    }
    work.ready.publish(site, &arrivals)?;
    site.catalog.accept(&hospital.id, &accepted)?;
    spool.finish(&done)?;
    let ids: Vec<KeyedId> = done.iter().map(|id| *id.as_bytes()).collect();
    if let Err(error) = site.catalog.forget_finished(&ids) {
        // The spool never gives these identifiers again: the rows only take space.
        tracing::warn!(%error, "finished spool records stay in the catalogue");
    }
    Ok(report)
}

fn received_at_ms<'i>(instances: impl IntoIterator<Item = &'i SpooledInstance>) -> i64 {
    instances.into_iter().map(|i| i.meta().received_at_ms).max().unwrap_or_default()
}

/// What is recorded of each arrival. Nothing is recorded as handled that is not stored.
fn account(
    work: &StudyWork<'_>,
    new: &[SpooledInstance],
    conflicts: &[SpooledInstance],
    repeats: &[SpooledInstance],
) -> Result<Vec<Arrival>, PipelineError> {
    let stored = work.ready.sources();
    let handled = new.iter().chain(conflicts);
    let instances = handled.filter(|instance| !stored.contains(&instance.digest())).count();
    if instances > 0 {
        return Err(PipelineError::Unaccounted { instances });
    }
    let arrival = |instance: &SpooledInstance, outcome| Arrival {
        spool_id: *instance.id().as_bytes(),
        hospital: work.hospital.id.clone(),
        sop_key: instance
            .meta()
            .sop_instance_uid
            .as_ref()
            .map(|uid| work.keys.key.keyed_id("instance", uid.as_str().as_bytes())),
        source: instance.digest(),
        content: instance.meta().content,
        outcome,
        study_key: work.study,
        received_at_ms: instance.meta().received_at_ms,
        names: vec![sender_name(&work.keys.key, instance.meta())],
    };
    let fate = |at: &usize| match work.held.contains_key(at) && !work.clean.contains(at) {
        true => Outcome::Quarantined,
        false => Outcome::Accepted,
    };
    let mut arrivals: Vec<Arrival> =
        new.iter().enumerate().map(|(at, one)| arrival(one, fate(&at))).collect();
    for (at, arrival) in arrivals.iter_mut().enumerate() {
        let accession = work.accessions.get(&at);
        arrival.names.extend(accession.map(|number| accession_name(&work.keys.key, number)));
    }
    // A repeated instance is what it was: this outcome does not change an accepted one.
    arrivals.extend(repeats.iter().map(|one| arrival(one, Outcome::Quarantined)));
    // The one that was here first keeps its place under the UID.
    arrivals.extend(
        conflicts.iter().map(|one| Arrival { sop_key: None, ..arrival(one, Outcome::Quarantined) }),
    );
    Ok(arrivals)
}

/// One instance on its way into quarantine.
struct Quarantined {
    instance: SpooledInstance,
    subject: SubjectId,
    reasons: Vec<Reason>,
}

/// What is held back of the new instances, for any project.
fn quarantine_of(work: &StudyWork<'_>, new: &[SpooledInstance]) -> Vec<Quarantined> {
    let held = work.held.range(..new.len());
    held.map(|(at, reasons)| Quarantined {
        instance: new[*at].clone(),
        subject: work.owners.of(*at),
        reasons: reasons.clone(),
    })
    .collect()
}

fn conflicting(
    work: &StudyWork<'_>,
    conflicts: &[SpooledInstance],
    spooled: impl Fn(&SpooledInstance) -> Source,
) -> Result<Vec<Quarantined>, PipelineError> {
    let sources: Vec<Source> = conflicts.iter().map(spooled).collect();
    let all: Vec<usize> = (0..sources.len()).collect();
    let patients = observe(&sources, &all)?.patients;
    let reason = Reason::new(ReasonCode::UidConflict, "another instance has this UID");
    let subject = |at: usize| {
        let patient = patients.get(&at);
        let own = patient.map(|p| work.keys.key.subject_id(&p.issuer, &p.id));
        own.unwrap_or(work.owners.study)
    };
    let each = conflicts.iter().enumerate();
    Ok(each
        .map(|(at, instance)| Quarantined {
            instance: instance.clone(),
            subject: subject(at),
            reasons: vec![reason.clone()],
        })
        .collect())
}

fn bench<'b>(work: &'b StudyWork<'_>, spool: &'b Spool, dir: &'b Path) -> PackBench<'b> {
    PackBench { spool, dir, entropy: work.site.entropy.as_ref() }
}

fn owner<'o>(
    work: &'o StudyWork<'_>,
    subject: SubjectId,
    subject_key: &'o SubjectKey,
) -> PackOwner<'o> {
    PackOwner {
        hospital: &work.hospital.id,
        hospital_key: &work.keys.key,
        subject,
        subject_key,
        study_key: work.study,
    }
}

/// Keeps the identified originals, where the hospital wants that.
fn keep_originals(
    work: &mut StudyWork<'_>,
    spool: &Spool,
    new: &[SpooledInstance],
) -> Result<(), PipelineError> {
    if !work.hospital.keep_originals {
        return Ok(());
    }
    let mut by_subject: BTreeMap<SubjectId, Vec<SpooledInstance>> = BTreeMap::new();
    for (at, instance) in new.iter().enumerate() {
        by_subject.entry(work.owners.of(at)).or_default().push(instance.clone());
    }
    for (subject, instances) in by_subject {
        let key = work.site.keyring.subject(&work.hospital.id, &subject)?;
        for group in pack_groups(instances) {
            let owner = owner(work, subject, &key);
            let pack = pack_originals(&bench(work, spool, &work.dir), &owner, &group)?;
            let tags = work.site.tags(work.hospital, Zone::Vault, received_at_ms(&group));
            work.ready.put(work.site, &pack, &tags)?;
        }
    }
    Ok(())
}

fn quarantine(
    work: &mut StudyWork<'_>,
    spool: &Spool,
    quarantined: &[Quarantined],
) -> Result<(), PipelineError> {
    let mut by_subject: BTreeMap<SubjectId, Vec<SpooledInstance>> = BTreeMap::new();
    let mut reasons: HashMap<SpoolId, &Vec<Reason>> = HashMap::new();
    for held in quarantined {
        by_subject.entry(held.subject).or_default().push(held.instance.clone());
        reasons.insert(held.instance.id(), &held.reasons);
    }
    for (subject, instances) in by_subject {
        let key = work.site.keyring.subject(&work.hospital.id, &subject)?;
        for group in pack_groups(instances) {
            let received = received_at_ms(&group);
            let held: Vec<(SpooledInstance, Vec<Reason>)> = group
                .into_iter()
                .map(|one| {
                    let why = reasons.get(&one.id()).map(|why| (*why).clone());
                    (one, why.unwrap_or_default())
                })
                .collect();
            let owner = owner(work, subject, &key);
            let pack = pack_quarantined(&bench(work, spool, &work.dir), &owner, &held)?;
            let tags = work.site.tags(work.hospital, Zone::Quarantine, received);
            work.ready.put(work.site, &pack, &tags)?;
        }
    }
    Ok(())
}
