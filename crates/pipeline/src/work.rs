//! One study in work: what has just arrived of it and what the vault keeps, scrubbed into new
//! generations, and everything that is published together.

use crate::attempt::Attempt;
use crate::decided::Decided;
use crate::hold::{CopyJob, copy_instances};
use crate::label::label;
use crate::material::{History, Originals, Owners, sop_key};
use crate::publish::Ready;
use crate::scrub::{Observed, StudyJob, observe, scrub_study};
use crate::source::Source;
use crate::waiting::waiting;
use crate::{Hospital, PipelineError, Site, now_ms};
use scanveil_catalog::{KeyedId, StudyGeneration};
use scanveil_dataset::{Limits, open};
use scanveil_model::{
    Digest, Generation, HospitalId, ProjectName, Reason, ReasonCode, SubjectId, TagPath, Zone,
};
use scanveil_scrub::{Profile, StudyIdentity};
use scanveil_seal::{RawZone, StudyKey};
use scanveil_vault::{HospitalKeys, KeyringError, LocalPack};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known of a study before anything is done to it.
pub(crate) struct Known {
    attempt: Attempt,
    pub(crate) history: History,
}

impl Known {
    /// Looks at the study, after what an interrupted attempt left of it is gone.
    pub(crate) fn load(
        site: &Site,
        hospital: &HospitalId,
        study: &StudyKey,
    ) -> Result<Self, PipelineError> {
        let attempt = Attempt::begin(site, hospital, study)?;
        Ok(Self { attempt, history: History::load(site, hospital, study)? })
    }
}

/// Everything that the steps of one study share. The study's lock is held by whoever makes one.
pub(crate) struct StudyWork<'w> {
    pub(crate) site: &'w Site,
    pub(crate) hospital: &'w Hospital,
    pub(crate) keys: Arc<HospitalKeys>,
    pub(crate) study: StudyKey,
    /// The folder for temporary files.
    pub(crate) dir: PathBuf,
    pub(crate) owners: Owners,
    pub(crate) ready: Ready,
    /// Why sources are held back, by their place.
    pub(crate) held: BTreeMap<usize, Vec<Reason>>,
    /// Sources that came through for at least one project.
    pub(crate) clean: BTreeSet<usize>,
    /// What has just arrived, then the originals, then what waits in quarantine and has none.
    sources: Vec<Source>,
    fresh: usize,
    /// Where what waits begins.
    waiting: usize,
    /// Instances in whose place another one was taken.
    replaced: BTreeSet<Digest>,
    pub(crate) decided: Decided,
    /// The source that names the right patient, where identifiers were merged.
    right_patient: Option<usize>,
    history: History,
    /// Accession numbers of sources that have one. They identify.
    pub(crate) accessions: BTreeMap<usize, Vec<u8>>,
    /// When the newest source was received, in milliseconds since 1970.
    received_at_ms: i64,
    erased: Option<KeyringError>,
    /// Sources that can be read and are about the study's patient.
    readable: Vec<usize>,
    /// The identity of all readable sources, until it is used up.
    identity: Option<StudyIdentity>,
}

impl<'w> StudyWork<'w> {
    /// Gathers what there is of a study.
    pub(crate) fn begin(
        site: &'w Site,
        hospital: &'w Hospital,
        study: StudyKey,
        dir: &Path,
        Known { attempt, history }: Known,
        arrived: Vec<Source>,
        arrived_at_ms: i64,
    ) -> Result<Self, PipelineError> {
        let keys = site.keyring.hospital(&hospital.id)?;
        let arriving = arrived.iter().filter_map(|source| sop_key(&keys.key, source)).collect();
        let originals = Originals::load(site, &hospital.id, &keys.key, &study, &arriving)?;
        let decided = Decided::load(site, &hospital.id, &study)?;
        let fresh = arrived.len();
        let mut sources = arrived;
        sources.extend(originals.sources);
        let waits = sources.len();
        if !history.quarantined.is_empty() {
            let met = sources.iter().map(Source::digest).chain(originals.replaced.iter().copied());
            let met = met.collect();
            sources.extend(waiting(site, &hospital.id, &keys.key, &study, &arriving, met)?);
        }
        let all: Vec<usize> = (0..sources.len()).collect();
        let Observed { identity, patients, accessions, held: unreadable } =
            observe(&sources, &all)?;
        let owners = Owners::find(&keys.key, &study, &history, &sources, &patients, &decided);
        let right_patient = decided.right_patient(&sources, &patients);
        let mut held: BTreeMap<usize, Vec<Reason>> = BTreeMap::new();
        for (at, reason) in unreadable {
            held.entry(at).or_default().push(reason);
        }
        for at in &owners.strangers {
            let tag = TagPath("(0010,0020)".to_owned());
            let detail = "another patient's than the study's";
            let reason = Reason::at(ReasonCode::MixedPatients, tag, detail);
            held.entry(*at).or_default().push(reason);
        }
        let readable: Vec<usize> = all.into_iter().filter(|at| !held.contains_key(at)).collect();
        // What a stranger or a broken instance says does not belong to the study's identity.
        let identity = held.is_empty().then_some(identity);
        Ok(Self {
            site,
            hospital,
            keys,
            study,
            dir: dir.to_owned(),
            owners,
            ready: Ready::new(attempt),
            held,
            clean: BTreeSet::new(),
            sources,
            fresh,
            waiting: waits,
            replaced: originals.replaced,
            decided,
            right_patient,
            history,
            accessions,
            received_at_ms: arrived_at_ms.max(originals.received_at_ms),
            erased: originals.erased,
            readable,
            identity,
        })
    }

    /// Takes what has arrived into a project: with the originals of everything before, a whole new
    /// generation; without them it joins the newest, because the others cannot be made again.
    pub(crate) fn take_in(
        &mut self,
        project: &ProjectName,
        profile: &Profile,
    ) -> Result<(), PipelineError> {
        let before = self.site.catalog.generations(&self.hospital.id, project, &self.study)?;
        let arrived = |at: &usize| *at < self.fresh;
        let last = before.last().copied();
        if last.is_some() && !self.readable.iter().any(arrived) {
            return Ok(());
        }
        match last {
            Some(last) if self.without_original(project, last) > 0 => {
                let chosen: Vec<usize> = self.readable.iter().copied().filter(arrived).collect();
                self.generation(project, profile, Some(last), last, &chosen)
            }
            last => {
                let number = Generation(last.map_or(0, |last| last.0) + 1);
                let chosen = self.readable.clone();
                self.generation(project, profile, last, number, &chosen)
            }
        }
    }

    /// Makes the study again for a project, from its originals and what waits in quarantine. Where
    /// originals are missing, what waits joins the newest generation.
    pub(crate) fn again(
        &mut self,
        project: &ProjectName,
        profile: &Profile,
    ) -> Result<(), PipelineError> {
        let before = self.site.catalog.generations(&self.hospital.id, project, &self.study)?;
        let last = before.last().copied();
        let instances = last.map_or(0, |last| self.without_original(project, last));
        if let Some(last) = last.filter(|_| instances > 0) {
            let made_from = self.history.made_from(project, last);
            let waits = |at: &usize| {
                *at >= self.waiting && !made_from.contains(&self.sources[*at].digest())
            };
            let chosen: Vec<usize> = self.readable.iter().copied().filter(waits).collect();
            if !chosen.is_empty() {
                return self.generation(project, profile, Some(last), last, &chosen);
            }
        }
        if instances > 0 || self.sources.is_empty() {
            return Err(match self.erased.take() {
                Some(erased) => erased.into(),
                None => PipelineError::OriginalsMissing { instances },
            });
        }
        let number = Generation(last.map_or(0, |last| last.0) + 1);
        let chosen = self.readable.clone();
        self.generation(project, profile, last, number, &chosen)
    }

    /// How many instances of a generation could not be made again.
    fn without_original(&self, project: &ProjectName, generation: Generation) -> usize {
        let made_from = self.history.made_from(project, generation);
        let originals: BTreeSet<_> =
            self.sources[self.fresh..].iter().map(Source::digest).collect();
        made_from.difference(&originals).filter(|of| !self.replaced.contains(of)).count()
    }

    fn identity(&mut self, chosen: &[usize]) -> Result<StudyIdentity, PipelineError> {
        let known = self.identity.take().filter(|_| chosen == self.readable);
        let mut identity = match known {
            Some(identity) => identity,
            None => observe(&self.sources, chosen)?.identity,
        };
        if chosen.iter().any(|at| self.decided.merged.contains(&self.sources[*at].digest())) {
            let right = self.right_patient.ok_or(PipelineError::PatientUnknown)?;
            let read = self.sources[right].read(|reader| {
                identity.merge_into(&open(reader, &Limits::default())?.0);
                Ok(())
            })?;
            read.map_err(|_| PipelineError::PatientUnknown)?;
        }
        Ok(identity)
    }

    /// Instances that were in quarantine and came through, by the keyed hash of their UIDs.
    pub(crate) fn accepted(&self) -> Vec<(KeyedId, Digest)> {
        let clean = self.clean.range(self.fresh..).map(|at| &self.sources[*at]);
        let held = clean.filter(|source| self.history.quarantined.contains_key(&source.digest()));
        held.filter_map(|one| Some((sop_key(&self.keys.key, one)?, one.digest()))).collect()
    }

    /// What became of each source: why it is held back; nothing, where it came through.
    pub(crate) fn fates(&self) -> BTreeMap<Digest, Vec<ReasonCode>> {
        let clean = self.clean.iter().map(|at| (self.sources[*at].digest(), Vec::new()));
        let held = self.held.iter().filter(|(at, _)| !self.clean.contains(at));
        let codes = |reasons: &[Reason]| reasons.iter().map(|reason| reason.code).collect();
        clean.chain(held.map(|(at, why)| (self.sources[*at].digest(), codes(why)))).collect()
    }

    /// The version of the secret for a generation: the one in force. What joins the last generation
    /// gets the pseudonyms and UIDs that this one has, whatever is in force by now.
    fn secret_version(
        &self,
        project: &ProjectName,
        last: Option<Generation>,
        number: Generation,
    ) -> u32 {
        let joined = (last == Some(number)).then(|| self.history.secret_version(project, number));
        joined.flatten().unwrap_or(self.keys.secret_version)
    }

    /// Makes a generation from the chosen sources, or adds them to the last one.
    fn generation(
        &mut self,
        project: &ProjectName,
        profile: &Profile,
        last: Option<Generation>,
        number: Generation,
        chosen: &[usize],
    ) -> Result<(), PipelineError> {
        let identity = self.identity(chosen)?;
        let version = self.secret_version(project, last, number);
        let secret = self.keys.secret(version).ok_or_else(|| KeyringError::SecretUnknown {
            hospital: self.hospital.id.clone(),
            version,
        })?;
        let secret = secret.project_secret(project);
        let label = label(profile, version);
        let subject_key = self.site.keyring.subject(&self.hospital.id, &self.owners.study)?;
        let research_key = subject_key.zone_key(Zone::Research);
        let job = StudyJob {
            hospital: &self.hospital.id,
            hospital_key: &self.keys.key,
            subject: self.owners.study,
            study_key: self.study,
            project,
            generation: number,
            profile,
            label: &label,
            secret: &secret,
            research_key: &research_key,
            received_at_ms: self.received_at_ms,
            dir: &self.dir,
            vouched: &self.decided.vouched,
        };
        let scrubbed = scrub_study(self.site, &job, identity, &self.sources, chosen)?;
        let mut tags = self.site.tags(self.hospital, Zone::Research, self.received_at_ms);
        tags.profile.clone_from(&label);
        tags.generation = Some(number);
        tags.project = Some(project.clone());
        for pack in scrubbed.packs {
            self.ready.put(self.site, &pack, &tags)?;
        }
        let made = StudyGeneration {
            hospital: self.hospital.id.clone(),
            project: project.clone(),
            study_key: self.study,
            generation: number,
            profile: label,
        };
        let held: BTreeSet<usize> = scrubbed.held.iter().map(|(at, _)| *at).collect();
        let clean: BTreeSet<usize> =
            chosen.iter().copied().filter(|at| !held.contains(at)).collect();
        for (at, reason) in scrubbed.held {
            let reasons = self.held.entry(at).or_default();
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let before = last.filter(|last| *last != number);
        let before = before.map(|last| self.history.made_from(project, last));
        self.hold_originals(&made, &before.unwrap_or_default(), &clean)?;
        self.keep_originals(&made, &clean)?;
        self.clean.extend(clean);
        self.ready.generations.push(made);
        Ok(())
    }

    /// Puts originals into quarantine that do not come through any more, or never did for anybody,
    /// with a note of the generation: it may hold nothing, and what the one before let pass must
    /// not come out of it when the catalogue is lost.
    fn hold_originals(
        &mut self,
        made: &StudyGeneration,
        before: &BTreeSet<Digest>,
        clean: &BTreeSet<usize>,
    ) -> Result<(), PipelineError> {
        let mut chosen: Vec<(usize, &[Reason])> = Vec::new();
        for (at, reasons) in self.held.range(self.fresh..) {
            let digest = self.sources[*at].digest();
            let known = self.history.quarantined.get(&digest);
            let known = known
                .is_some_and(|codes| reasons.iter().all(|reason| codes.contains(&reason.code)));
            if !clean.contains(at) && (before.contains(&digest) || !known) {
                chosen.push((*at, reasons));
            }
        }
        // They are held from today on, however long ago they were received.
        let packs = self.copies(RawZone::Quarantine, made, &chosen)?;
        let tags = self.site.tags(self.hospital, Zone::Quarantine, now_ms());
        for pack in packs {
            self.ready.put(self.site, &pack, &tags)?;
        }
        Ok(())
    }

    /// Keeps what was only in quarantine, and came through, with the originals: quarantine is not
    /// kept for as long. For hospitals that keep originals.
    fn keep_originals(
        &mut self,
        made: &StudyGeneration,
        clean: &BTreeSet<usize>,
    ) -> Result<(), PipelineError> {
        if !self.hospital.keep_originals {
            return Ok(());
        }
        let kept = clean.range(self.waiting..).filter(|at| !self.clean.contains(at));
        let chosen: Vec<(usize, &[Reason])> = kept.map(|at| (*at, [].as_slice())).collect();
        let packs = self.copies(RawZone::Vault, made, &chosen)?;
        let tags = self.site.tags(self.hospital, Zone::Vault, self.received_at_ms);
        for pack in packs {
            self.ready.put(self.site, &pack, &tags)?;
        }
        Ok(())
    }

    /// Copies sources into packs, by their patients.
    fn copies(
        &self,
        zone: RawZone,
        made: &StudyGeneration,
        chosen: &[(usize, &[Reason])],
    ) -> Result<Vec<LocalPack>, PipelineError> {
        let mut by_subject: BTreeMap<SubjectId, Vec<(&Source, &[Reason])>> = BTreeMap::new();
        for (at, reasons) in chosen {
            let of = by_subject.entry(self.owners.of(*at)).or_default();
            of.push((&self.sources[*at], *reasons));
        }
        let mut packs = Vec::new();
        for (subject, instances) in by_subject {
            let subject_key = self.site.keyring.subject(&self.hospital.id, &subject)?;
            let job = CopyJob {
                zone,
                made,
                hospital_key: &self.keys.key,
                subject,
                subject_key: &subject_key,
                received_at_ms: self.received_at_ms,
                dir: &self.dir,
            };
            packs.extend(copy_instances(self.site, &job, &instances)?);
        }
        Ok(packs)
    }
}
