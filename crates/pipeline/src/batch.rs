//! Batch re-anonymization: what would change is planned and printed first; a run works the plan off
//! from the vault, one study at a time, and can be stopped and taken up at any moment.

use crate::check::unknown;
use crate::finding::{Finding, FindingKind};
use crate::label::label;
use crate::site::{load_profile, make_folder};
use crate::work::{Known, StudyWork};
use crate::{ENGINE, PipelineError, Site, now_ms};
use scanveil_catalog::{BatchPlan, BatchRecord, ItemEnd, RecordId, ResearchName};
use scanveil_model::{Coded, Generation, HospitalId, ProjectName, ReasonCode, Zone};
use scanveil_scrub::Profile;
use scanveil_seal::StudyKey;
use scanveil_storage::KeyPrefix;
use scanveil_vault::sweep_local_packs;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a batch would change, before anything is changed.
#[derive(Debug, Clone, serde::Serialize)]
pub struct BatchChange {
    /// Keyed hash of the study.
    pub study: String,
    /// Generation it has; none when the project never had it.
    pub from: Option<Generation>,
    /// Generation it would get.
    pub to: Generation,
    /// Originals, in the vault or in quarantine, that it would be made from.
    pub instances: u64,
}

/// The plan of a batch.
#[derive(Debug, Clone, serde::Serialize)]
pub struct BatchOutline {
    /// Its identifier, the same for the same work.
    pub batch: RecordId,
    /// The hospital.
    pub hospital: HospitalId,
    /// The project.
    pub project: ProjectName,
    /// The profile that would be applied.
    pub profile: String,
    /// The studies that would change.
    pub changes: Vec<BatchChange>,
    /// Outdated studies that cannot be made again, because their originals were not kept.
    pub without_originals: u64,
    /// Originals of the studies that would change, and records of stored objects, that are gone. A
    /// run stops at them.
    pub lost: Vec<Finding>,
}

impl BatchOutline {
    /// Takes the studies out of which something is gone: they stay at their generation. Gives what
    /// is gone.
    pub fn leave_out_lost(&mut self) -> Vec<Finding> {
        let lost = std::mem::take(&mut self.lost);
        let studies: BTreeSet<&str> =
            lost.iter().filter_map(|lost| lost.study.as_deref()).collect();
        self.changes.retain(|change| !studies.contains(change.study.as_str()));
        lost
    }
}

/// What a run did.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct BatchRun {
    /// Studies of this run.
    pub studies: u64,
    /// Instances scrubbed.
    pub scrubbed: u64,
    /// Instances held back, by reason.
    pub held: BTreeMap<ReasonCode, u64>,
    /// Studies that failed, by the error's code.
    pub failed: BTreeMap<String, u64>,
    /// Each study that failed.
    pub failed_studies: Vec<FailedStudy>,
    /// What is gone of studies that were left as they are for it.
    pub left_out: Vec<Finding>,
}

/// A study that could not be made again: it stays at its generation.
#[derive(Debug, Clone, serde::Serialize)]
pub struct FailedStudy {
    /// Keyed hash of the study.
    pub study: String,
    /// What it is called in research, where it is there.
    pub research: Vec<ResearchName>,
    /// The error's code.
    pub code: &'static str,
    /// What failed, and with which object.
    pub message: String,
}

/// Plans the work of bringing a hospital's studies to a profile (the project's own when `profile`
/// is `None`). Changes nothing.
///
/// # Errors
/// [`PipelineError::Unknown`] for names that are not configured.
pub fn plan_batch(
    site: &Site,
    hospital: &HospitalId,
    project: &ProjectName,
    profile: Option<&str>,
) -> Result<BatchOutline, PipelineError> {
    let settings = site.settings();
    settings.config.hospital(hospital)?;
    if !settings.config.project(project)?.takes(hospital) {
        let text = format!("project {project} does not take hospital {hospital}");
        return Err(PipelineError::config(text));
    }
    let label = label(&*profile_of(site, project, profile)?, site.secret_in_force(hospital)?);
    let found = site.catalog.studies_for_batch(hospital, project, &label, ENGINE)?;
    let change = |study: scanveil_catalog::BatchStudy| BatchChange {
        study: study.study_key.to_string(),
        from: study.generation,
        to: Generation(study.generation.map_or(0, |from| from.0) + 1),
        instances: study.originals.iter().map(|object| object.entries).sum(),
    };
    let changes: Vec<BatchChange> = found.studies.into_iter().map(change).collect();
    let lost = lost_of(site, hospital, &changes)?;
    Ok(BatchOutline {
        batch: batch_id(hospital, project, &label, &changes)?,
        hospital: hospital.clone(),
        project: project.clone(),
        profile: label,
        changes,
        without_originals: found.without_originals,
        lost,
    })
}

/// What is gone without which studies would be made again from less than there was.
fn lost_of(
    site: &Site,
    hospital: &HospitalId,
    changes: &[BatchChange],
) -> Result<Vec<Finding>, PipelineError> {
    let mut lost = Vec::new();
    let changing: BTreeSet<&str> = changes.iter().map(|change| change.study.as_str()).collect();
    for zone in [Zone::Vault, Zone::Research, Zone::Quarantine] {
        let prefix = KeyPrefix::Hospital(zone, hospital.clone());
        let compared = site.catalog.compare(&site.store, &prefix, &|| site.under_way())?;
        // A research copy that is gone is what a batch makes again.
        let missing = compared.missing.iter().filter(|record| {
            zone == Zone::Vault && changing.contains(record.study_key.to_string().as_str())
        });
        for record in missing {
            let detail = "the store has not got it";
            lost.push(Finding::of(FindingKind::Missing, record, &site.catalog, detail)?);
        }
        for key in &compared.unknown {
            lost.extend(unknown(site, key)?);
        }
    }
    Ok(lost)
}

/// The same work has the same identifier.
fn batch_id(
    hospital: &HospitalId,
    project: &ProjectName,
    profile: &str,
    changes: &[BatchChange],
) -> Result<RecordId, PipelineError> {
    let mut content = blake3::Hasher::new();
    for text in [project.as_str(), profile, ENGINE] {
        content.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    for change in changes {
        content.update(change.study.as_bytes()).update(&change.to.0.to_le_bytes());
    }
    let digest = content.finalize().to_hex();
    Ok(RecordId::parse(&format!("{hospital}-{:.16}", digest.as_str()))?)
}

fn profile_of(
    site: &Site,
    project: &ProjectName,
    name: Option<&str>,
) -> Result<Arc<Profile>, PipelineError> {
    let settings = site.settings();
    let own = settings.profile(project)?;
    Ok(match name {
        None => Arc::clone(own),
        Some(name) => Arc::new(load_profile(name)?),
    })
}

/// Works a plan off. A batch for the same profile that was interrupted is finished first, as far as
/// the plan still wants it. `tell` hears how many of the plan's studies are dealt with.
///
/// # Errors
/// [`PipelineError::Incomplete`] when something is gone that the work needs,
/// [`PipelineError::BatchRunning`], or what keeps every study from being worked on; a study that
/// fails by itself is counted and the rest goes on.
pub fn run_batch(
    site: &Site,
    outline: &BatchOutline,
    profile: Option<&str>,
    tell: impl FnMut(u64),
) -> Result<BatchRun, PipelineError> {
    if !outline.lost.is_empty() {
        return Err(PipelineError::Incomplete(outline.lost.clone()));
    }
    let _alone = site.lock_batch(&outline.hospital, &outline.project)?;
    let dir = site.work.join(format!("batch-{}.{}", outline.hospital, outline.project));
    make_folder(&dir, "the work folder")?;
    sweep_local_packs(&dir)?;
    let mut id = [0; 16];
    site.entropy.fill(&mut id);
    let mut run = Run {
        site,
        outline,
        profile: profile_of(site, &outline.project, profile)?,
        dir,
        id,
        wanted: outline.changes.iter().filter_map(|c| StudyKey::parse(&c.study)).collect(),
        report: BatchRun::default(),
        tell,
    };
    for batch in site.catalog.batches()? {
        if run.is_left_of(&batch) {
            run.work_off(&batch.batch)?;
        }
    }
    let rest: Vec<BatchChange> = outline
        .changes
        .iter()
        .filter(|c| StudyKey::parse(&c.study).is_some_and(|study| run.wanted.contains(&study)))
        .cloned()
        .collect();
    if !rest.is_empty() {
        let batch = batch_id(&outline.hospital, &outline.project, &outline.profile, &rest)?;
        site.catalog.create_batch(&BatchPlan {
            batch: batch.clone(),
            hospital: outline.hospital.clone(),
            project: outline.project.clone(),
            profile: outline.profile.clone(),
            engine: ENGINE.to_owned(),
            created_at_ms: now_ms(),
            studies: rest.iter().filter_map(|c| StudyKey::parse(&c.study)).collect(),
        })?;
        site.catalog.retry_failed(&batch)?;
        run.work_off(&batch)?;
    }
    Ok(run.report)
}

struct Run<'r, T> {
    site: &'r Site,
    outline: &'r BatchOutline,
    profile: Arc<Profile>,
    dir: PathBuf,
    id: [u8; 16],
    /// Studies of the plan that nothing was done about yet.
    wanted: BTreeSet<StudyKey>,
    report: BatchRun,
    tell: T,
}

impl<T: FnMut(u64)> Run<'_, T> {
    /// Whether a batch was begun to do what the plan wants, and is not at its end.
    fn is_left_of(&self, batch: &BatchRecord) -> bool {
        batch.hospital == self.outline.hospital
            && batch.project == self.outline.project
            && batch.profile == self.outline.profile
            && batch.engine == ENGINE
            && !batch.progress.is_finished()
    }

    fn work_off(&mut self, batch: &RecordId) -> Result<(), PipelineError> {
        let catalog = &self.site.catalog;
        catalog.take_over_batch(batch, &self.id)?;
        while let Some(item) = catalog.next_item(batch, &self.id)? {
            let end = if self.wanted.remove(&item.study_key) {
                self.report.studies += 1;
                self.study(item.study_key)?
            } else {
                // Published just before the batch was interrupted, or by something else since.
                ItemEnd::Done
            };
            catalog.finish_item(batch, item.item, &self.id, end)?;
            (self.tell)(self.report.studies);
        }
        Ok(())
    }

    fn study(&mut self, study: StudyKey) -> Result<ItemEnd, PipelineError> {
        match make_again(self.site, self.outline, &self.profile, &self.dir, study) {
            Ok(made) => {
                self.report.scrubbed += made.scrubbed;
                for (code, instances) in made.held {
                    *self.report.held.entry(code).or_default() += instances;
                }
                Ok(ItemEnd::Done)
            }
            // It is still claimed, and the next run takes it over.
            Err(error) if error.concerns_all() => Err(error),
            Err(error) => {
                tracing::error!(
                    code = error.code(), %study, next = error.next_step(),
                    "a study could not be made again: {error}"
                );
                *self.report.failed.entry(error.code().to_owned()).or_default() += 1;
                self.report.failed_studies.push(FailedStudy {
                    study: study.to_string(),
                    research: self.site.catalog.research_names(&self.outline.hospital, &study)?,
                    code: error.code(),
                    message: error.to_string(),
                });
                Ok(ItemEnd::Failed(error.code()))
            }
        }
    }
}

/// What came of one study.
struct Made {
    scrubbed: u64,
    held: BTreeMap<ReasonCode, u64>,
}

/// Makes a new generation of one study from its originals and what waits in quarantine.
fn make_again(
    site: &Site,
    outline: &BatchOutline,
    profile: &Profile,
    dir: &Path,
    study: StudyKey,
) -> Result<Made, PipelineError> {
    let _one_at_a_time = site.lock_study(&study)?;
    let settings = site.settings();
    let hospital = settings.config.hospital(&outline.hospital)?;
    let known = Known::load(site, &hospital.id, &study)?;
    let mut work = StudyWork::begin(site, hospital, study, dir, known, Vec::new(), 0)?;
    work.again(&outline.project, profile)?;
    // What was decided, and could not be done then, is done for the other projects as well.
    let decided = site.catalog.studies_to_decide(&hospital.id)?.contains(&study);
    let others = settings.config.projects.iter().filter(|other| other.name != outline.project);
    for other in others.filter(|other| decided && other.takes(&hospital.id)) {
        work.again(&other.name, settings.profile(&other.name)?)?;
    }
    let scrubbed = work.clean.len() as u64;
    let mut held = BTreeMap::new();
    for reasons in work.held.values() {
        if let Some(reason) = reasons.first() {
            *held.entry(reason.code).or_default() += 1;
        }
    }
    let accepted = work.accepted();
    work.ready.publish(site, &[])?;
    let catalog = &site.catalog;
    catalog.accept(&hospital.id, &accepted)?;
    catalog.tried(&hospital.id, &outline.project, &study, &outline.profile, ENGINE)?;
    if decided {
        catalog.decisions_applied(&hospital.id, &study)?;
    }
    Ok(Made { scrubbed, held })
}
