//! Rebuilds the catalogue from the store and the keys alone.

use crate::attempt::unpublished;
use crate::finding::{Fault, Finding, FindingKind, fault};
use crate::hold::{HELD_GENERATION, HELD_PROFILE, HELD_PROJECT};
use crate::keys::open_keyring;
use crate::objects::open_object;
use crate::quarantine::restore_decisions;
use crate::site::{CATALOG, WORK, open_store};
use crate::{Config, OsEntropy, PipelineError, load_profile};
use scanveil_catalog::{
    Catalog, KeyedId, KnownOriginal, ObjectFilter, Outcome, Outcomes, Publication, Rebuild,
    StudyGeneration,
};
use scanveil_model::{
    Coded, Digest, Generation, HospitalId, ObjectId, ProjectName, ReasonCode, Zone,
};
use scanveil_seal::{PackEntry, PackIndex};
use scanveil_storage::{KeyPrefix, ObjectKey, Store, StoredObject};
use scanveil_vault::{INTAKE_CONTENT, Keyring, KeyringError};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// What a rebuild found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RebuildReport {
    /// Objects by zone.
    pub objects: BTreeMap<&'static str, u64>,
    /// Instances in them.
    pub instances: u64,
    /// Objects that could not be opened, by the error's code.
    pub unreadable: BTreeMap<String, u64>,
    /// Objects of patients whose key was destroyed: they are left out.
    pub erased: u64,
    /// Objects that an interrupted attempt left; their instances will be processed again.
    pub unpublished: u64,
    /// What was known or is there, and cannot be found or opened. What the old catalogue knew of it
    /// stays known, unless the loss was accepted.
    pub findings: Vec<Finding>,
    /// Whether batches, releases and counters were taken over from the old catalogue.
    pub carried_over: bool,
    /// Where the old catalogue is now.
    pub old_catalog: Option<PathBuf>,
}

/// What becomes of objects that the old catalogue knew and that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Losses {
    /// They stay known, so that they are missed until they are back.
    Missed,
    /// They are forgotten.
    Accepted,
}

/// Builds a new catalogue beside the old one and puts it in its place; the old one is kept. `tell`
/// hears the number of objects read.
///
/// # Errors
/// [`PipelineError::NothingLeft`] when nothing that was stored can be found, and losses are not
/// accepted; [`PipelineError`] when the store cannot be reached, when something else has the old
/// catalogue open, or when the new one cannot be written. The old one stays then.
pub fn rebuild_catalog(
    config: &Config,
    losses: Losses,
    tell: impl FnMut(u64),
) -> Result<RebuildReport, PipelineError> {
    let path = config.data_dir.join(CATALOG);
    let old = path.is_file().then(|| Catalog::open(&path)).transpose().ok().flatten();
    let unpublished = unpublished(&config.data_dir.join(WORK), old.as_ref())?;
    let store = open_store(config)?;
    let mut run = Run {
        keyring: open_keyring(config, &store, Arc::new(OsEntropy))?,
        store: Store::new(store),
        rebuild: Catalog::begin_rebuild(&path)?,
        unpublished,
        report: RebuildReport::default(),
        held: BTreeMap::new(),
        added: BTreeSet::new(),
        erased: BTreeSet::new(),
        read: 0,
        tell,
    };
    // What is clean somewhere is no longer held; what is held is not accepted.
    run.zone(Zone::Quarantine)?;
    run.zone(Zone::Research)?;
    run.zone(Zone::Vault)?;
    run.remember_held()?;
    let known = match &old {
        Some(old) => run.miss(old)?,
        None => 0,
    };
    if losses == Losses::Missed {
        run.refuse_nothing(known)?;
    }
    // Closed before the new catalogue takes its place.
    drop(old);
    let Run { rebuild, mut report, erased, keyring, .. } = run;
    let (_, unreadable) = restore_decisions(config, &keyring, rebuild.catalog())?;
    if unreadable > 0 {
        tracing::error!(unreadable, "records of decisions about the quarantine cannot be read");
    }
    let mut left_out: Vec<ObjectId> = erased.into_iter().collect();
    if losses == Losses::Accepted {
        left_out.extend(report.findings.iter().map(|finding| finding.object));
    }
    report.carried_over = rebuild.carry_over(&left_out)?;
    empty_generations(config, rebuild.catalog())?;
    report.old_catalog = rebuild.finish()?;
    Ok(report)
}

/// An instance that is in quarantine.
struct HeldInstance {
    sop_key: Option<KeyedId>,
    content: Option<Digest>,
    /// When it was received, in milliseconds since 1970.
    received_at_ms: i64,
    outcome: Outcome,
}

struct Run<T> {
    keyring: Keyring,
    store: Store,
    rebuild: Rebuild,
    unpublished: BTreeSet<ObjectKey>,
    report: RebuildReport,
    held: BTreeMap<(HospitalId, Digest), HeldInstance>,
    /// Objects that the new catalogue has.
    added: BTreeSet<ObjectId>,
    /// Objects of patients whose key was destroyed.
    erased: BTreeSet<ObjectId>,
    read: u64,
    tell: T,
}

impl<T: FnMut(u64)> Run<T> {
    fn zone(&mut self, zone: Zone) -> Result<(), PipelineError> {
        for info in self.store.objects(KeyPrefix::Zone(zone)) {
            let info = info?;
            if self.unpublished.contains(&info.key) {
                self.report.unpublished += 1;
                continue;
            }
            match self.look(&info.key) {
                Ok((stored, index)) => {
                    self.report.instances += index.entries.len() as u64;
                    *self.report.objects.entry(zone.as_str()).or_default() += 1;
                    self.rebuild.add(&[Publication { stored: &stored, index: &index }])?;
                    self.added.insert(info.key.object());
                    self.remember(zone, &index)?;
                }
                Err(error) => self.leave_out(&info.key, error)?,
            }
            self.read += 1;
            (self.tell)(self.read);
        }
        Ok(())
    }

    /// Leaves an object out. What is there and could only not be read would be lost by that.
    fn leave_out(&mut self, key: &ObjectKey, error: PipelineError) -> Result<(), PipelineError> {
        let code = error.code();
        match fault(error)? {
            Fault::Erased => {
                self.report.erased += 1;
                self.erased.insert(key.object());
            }
            Fault::Found(kind, detail) => {
                tracing::warn!(code, object = %key, "an object is left out: {detail}");
                *self.report.unreadable.entry(code.to_owned()).or_default() += 1;
                self.report.findings.push(Finding::at(kind, key, detail));
            }
        }
        Ok(())
    }

    fn look(&self, key: &ObjectKey) -> Result<(StoredObject, PackIndex), PipelineError> {
        let index = open_object(&self.keyring, &self.store, key)?.index().clone();
        Ok((self.store.confirm(key)?, index))
    }

    /// Finds what the old catalogue knew and the new one has not. Gives how much the old one knew.
    fn miss(&mut self, old: &Catalog) -> Result<u64, PipelineError> {
        let mut known = 0;
        let Self { report, added, erased, keyring, .. } = self;
        let mut found: BTreeMap<ObjectId, usize> =
            report.findings.iter().enumerate().map(|(at, one)| (one.object, at)).collect();
        old.each_object(&ObjectFilter::default(), |record| {
            known += 1;
            if added.contains(&record.object) || erased.contains(&record.object) {
                return Ok(());
            }
            if let Some(at) = found.remove(&record.object) {
                // What the old catalogue knows of it, it cannot say itself.
                let Finding { kind, detail, .. } = report.findings[at].clone();
                report.findings[at] = Finding::of(kind, &record, old, detail)?;
                return Ok(());
            }
            let key = keyring.existing_subject(&record.hospital, &record.subject);
            if matches!(key, Err(KeyringError::SubjectDestroyed(_))) {
                report.erased += 1;
                erased.insert(record.object);
                return Ok(());
            }
            let detail = "the old catalogue knew it, and the store has not got it";
            report.findings.push(Finding::of(FindingKind::Missing, &record, old, detail)?);
            Ok::<_, PipelineError>(())
        })?;
        Ok(known)
    }

    /// Refuses a new catalogue that knows nothing where something was stored: the store or the
    /// keyring is another than it was.
    fn refuse_nothing(&self, known: u64) -> Result<(), PipelineError> {
        let nothing = self.report.instances == 0;
        let lost = !self.report.findings.is_empty();
        let stored = self.read > 0;
        let patients = || -> Result<bool, KeyringError> {
            Ok(self.keyring.list()?.iter().any(|hospital| hospital.subjects > 0))
        };
        if nothing && (lost || (!stored && self.unpublished.is_empty() && patients()?)) {
            return Err(PipelineError::NothingLeft { known });
        }
        Ok(())
    }

    /// Takes instances by the keyed hash of their UID, so that duplicates are told again.
    fn remember(&mut self, zone: Zone, index: &PackIndex) -> Result<(), PipelineError> {
        let keys = self.keyring.existing_hospital(&index.hospital)?;
        let sop_key = |entry: &PackEntry| {
            let uid = entry.sop_instance_uid.as_ref()?;
            Some(keys.key.keyed_id("instance", uid.as_str().as_bytes()))
        };
        match zone {
            Zone::Quarantine => {
                // A conflicting instance has no place under its UID.
                let conflict = |entry: &&PackEntry| {
                    entry.reasons.iter().any(|reason| reason.code == ReasonCode::UidConflict)
                };
                for entry in index.entries.iter().filter(|entry| !conflict(entry)) {
                    let held = HeldInstance {
                        sop_key: sop_key(entry),
                        content: content(entry),
                        received_at_ms: received_at_ms(index, entry),
                        outcome: Outcome::Quarantined,
                    };
                    self.note_generation(index, entry)?;
                    self.held.insert((index.hospital.clone(), entry.digest), held);
                }
            }
            Zone::Research => {
                for source in index.entries.iter().filter_map(|entry| entry.source) {
                    if let Some(held) = self.held.get_mut(&(index.hospital.clone(), source)) {
                        held.outcome = Outcome::Accepted;
                    }
                }
            }
            Zone::Vault => {
                let accepted: Vec<KnownOriginal> = index
                    .entries
                    .iter()
                    .filter(|entry| {
                        !self.held.contains_key(&(index.hospital.clone(), entry.digest))
                    })
                    .filter_map(|entry| {
                        let (source, content) = (entry.digest, content(entry));
                        let (sop_key, outcome) = (sop_key(entry)?, Outcome::Accepted);
                        Some(KnownOriginal { sop_key, source, content, outcome })
                    })
                    .collect();
                self.rebuild.add_known(&index.hospital, &accepted)?;
            }
        }
        Ok(())
    }

    /// A generation that holds less than the one before, and perhaps nothing, is known by what it
    /// holds back.
    fn note_generation(&self, index: &PackIndex, entry: &PackEntry) -> Result<(), PipelineError> {
        let note = |name| entry.attributes.get(name);
        let (Some(project), Some(generation), Some(profile)) =
            (note(HELD_PROJECT), note(HELD_GENERATION), note(HELD_PROFILE))
        else {
            return Ok(());
        };
        let (Ok(project), Ok(generation)) = (ProjectName::parse(project), generation.parse())
        else {
            return Ok(());
        };
        let made = StudyGeneration {
            hospital: index.hospital.clone(),
            project,
            study_key: index.study_key,
            generation: Generation(generation),
            profile: profile.clone(),
        };
        publish_generation(self.rebuild.catalog(), made)
    }

    /// In the order in which they were received: a later copy under the same UID replaced the one
    /// before.
    fn remember_held(&mut self) -> Result<(), PipelineError> {
        let mut held: Vec<_> = std::mem::take(&mut self.held).into_iter().collect();
        held.sort_by_key(|(_, held)| held.received_at_ms);
        for ((hospital, source), HeldInstance { sop_key, content, outcome, .. }) in held {
            if let Some(sop_key) = sop_key {
                let known = KnownOriginal { sop_key, source, content, outcome };
                self.rebuild.add_known(&hospital, &[known])?;
            }
        }
        Ok(())
    }
}

fn content(entry: &PackEntry) -> Option<Digest> {
    entry.attributes.get(INTAKE_CONTENT).and_then(|text| Digest::parse(text).ok())
}

fn received_at_ms(index: &PackIndex, entry: &PackEntry) -> i64 {
    let own = entry.attributes.get("intake.received_at_ms").and_then(|text| text.parse().ok());
    own.unwrap_or(index.received_at_ms)
}

/// A study of which everything is held has a generation all the same: the first, which is empty.
fn empty_generations(config: &Config, catalog: &Catalog) -> Result<(), PipelineError> {
    let filter = ObjectFilter { zone: Some(Zone::Quarantine), ..ObjectFilter::default() };
    let held = catalog.objects(&filter, u32::MAX)?;
    let studies: BTreeSet<_> =
        held.into_iter().map(|object| (object.hospital, object.study_key)).collect();
    for (hospital, study_key) in studies {
        for project in config.projects.iter().filter(|p| p.takes(&hospital)) {
            if !catalog.generations(&hospital, &project.name, &study_key)?.is_empty() {
                continue;
            }
            let made = StudyGeneration {
                hospital: hospital.clone(),
                project: project.name.clone(),
                study_key,
                generation: Generation(1),
                profile: load_profile(&project.profile)?.label(),
            };
            let outcomes =
                Outcomes { generations: &[made], engine: "unknown", ..Outcomes::default() };
            catalog.publish(&outcomes)?;
        }
    }
    Ok(())
}

fn publish_generation(catalog: &Catalog, made: StudyGeneration) -> Result<(), PipelineError> {
    let generations = &[made];
    // Which version made it stands in no pack.
    Ok(catalog.publish(&Outcomes { generations, engine: "unknown", ..Outcomes::default() })?)
}
