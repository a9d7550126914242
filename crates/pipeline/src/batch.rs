//! Batch re-anonymization: what would change is planned and printed first; a run works the plan off
//! from the vault, one study at a time, and can be stopped and taken up at any moment.

use crate::publish::{Ready, publish};
use crate::scrub::{StudyJob, observe, scrub_study};
use crate::site::load_profile;
use crate::study::originals;
use crate::{ENGINE, PipelineError, Site, now_ms};
use scanveil_catalog::{BatchPlan, BatchProgress, ItemEnd, RecordId, StudyGeneration};
use scanveil_model::{Coded, Generation, HospitalId, ProjectName, Reason, ReasonCode, Zone};
use scanveil_scrub::Profile;
use scanveil_seal::StudyKey;
use std::collections::BTreeMap;

/// What a batch would change, before anything is changed.
#[derive(Debug, Clone, serde::Serialize)]
pub struct BatchChange {
    /// Keyed hash of the study.
    pub study: String,
    /// Generation it has; none when the project never had it.
    pub from: Option<Generation>,
    /// Generation it would get.
    pub to: Generation,
    /// Originals it would be made from.
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
}

/// Plans the work of bringing a hospital's studies to a profile (the project's own when `profile` is
/// `None`). Changes nothing.
///
/// # Errors
/// [`PipelineError::Unknown`] for names that are not configured.
pub fn plan_batch(
    site: &Site,
    hospital: &HospitalId,
    project: &ProjectName,
    profile: Option<&str>,
) -> Result<BatchOutline, PipelineError> {
    site.config.hospital(hospital)?;
    let profile = profile_of(site, project, profile)?;
    let label = profile.label();
    let found = site.catalog.studies_for_batch(hospital, project, &label, ENGINE)?;
    let mut identity = blake3::Hasher::new();
    let mut changes = Vec::new();
    for study in &found.studies {
        identity.update(&study.study_key.0);
        let to = study.generation.map_or(Generation(1), |from| Generation(from.0 + 1));
        identity.update(&to.0.to_le_bytes());
        changes.push(BatchChange {
            study: study.study_key.to_string(),
            from: study.generation,
            to,
            instances: study.originals.iter().map(|object| object.entries).sum(),
        });
    }
    let digest = identity.finalize().to_hex();
    let (_, short) = label.split_once('@').unwrap_or(("", "none"));
    let name = format!("{hospital}-{:.8}-{:.8}", short, digest.as_str());
    Ok(BatchOutline {
        batch: RecordId::parse(&name)?,
        hospital: hospital.clone(),
        project: project.clone(),
        profile: label,
        changes,
        without_originals: found.without_originals,
    })
}

fn profile_of(
    site: &Site,
    project: &ProjectName,
    name: Option<&str>,
) -> Result<std::sync::Arc<Profile>, PipelineError> {
    let own = site.profile(project)?;
    Ok(match name {
        None => std::sync::Arc::clone(own),
        Some(name) => std::sync::Arc::new(load_profile(name)?),
    })
}

/// Works a plan off, or what is left of it. `tell` hears of every finished study.
///
/// # Errors
/// [`PipelineError`] when the catalogue fails; a study that fails is counted and the rest goes on.
pub fn run_batch(
    site: &Site,
    outline: &BatchOutline,
    profile: Option<&str>,
    mut tell: impl FnMut(&BatchProgress),
) -> Result<BatchRun, PipelineError> {
    let profile = profile_of(site, &outline.project, profile)?;
    let mut studies = Vec::new();
    for change in &outline.changes {
        studies.extend(StudyKey::parse(&change.study));
    }
    site.catalog.create_batch(&BatchPlan {
        batch: outline.batch.clone(),
        hospital: outline.hospital.clone(),
        project: outline.project.clone(),
        profile: outline.profile.clone(),
        engine: ENGINE.to_owned(),
        created_at_ms: now_ms(),
        studies,
    })?;
    let mut run = [0; 16];
    site.entropy.fill(&mut run);
    site.catalog.take_over_batch(&outline.batch, &run)?;
    site.catalog.retry_failed(&outline.batch)?;
    let mut report = BatchRun::default();
    while let Some(item) = site.catalog.next_item(&outline.batch, &run)? {
        let end = match study(site, outline, &profile, item.study_key) {
            Ok((scrubbed, held)) => {
                report.scrubbed += scrubbed;
                for reason in held {
                    *report.held.entry(reason.code).or_default() += 1;
                }
                ItemEnd::Done
            }
            Err(error) => {
                tracing::error!(code = error.code(), next = error.next_step(), "{error}");
                *report.failed.entry(error.code().to_owned()).or_default() += 1;
                ItemEnd::Failed(error.code())
            }
        };
        report.studies += 1;
        site.catalog.finish_item(&outline.batch, item.item, &run, end)?;
        tell(&site.catalog.batch(&outline.batch)?.progress);
    }
    Ok(report)
}

/// Makes a new generation of one study from its originals.
fn study(
    site: &Site,
    outline: &BatchOutline,
    profile: &Profile,
    study: StudyKey,
) -> Result<(u64, Vec<Reason>), PipelineError> {
    let hospital = site.config.hospital(&outline.hospital)?;
    let before = site.catalog.generations(&hospital.id, &outline.project, &study)?;
    let newest = site.catalog.originals(&hospital.id, &study)?;
    let Some(object) = newest.first() else { return Ok((0, Vec::new())) };
    let (subject, received) =
        (object.subject, newest.iter().map(|o| o.received_at_ms).max().unwrap_or_default());
    let sources = originals(site, hospital, study)?;
    let observed = observe(&sources)?;
    let skip: Vec<usize> = observed.held.iter().map(|(at, _)| *at).collect();
    let keys = site.keyring.existing_hospital(&hospital.id)?;
    let secret = keys.pseudonym_secret.project_secret(&outline.project);
    let research_key =
        site.keyring.existing_subject(&hospital.id, &subject)?.zone_key(Zone::Research);
    let generation = Generation(before.last().map_or(0, |g| g.0) + 1);
    let job = StudyJob {
        hospital: &hospital.id,
        hospital_key: &keys.key,
        subject,
        study_key: study,
        project: &outline.project,
        generation,
        profile,
        secret: &secret,
        research_key: &research_key,
        received_at_ms: received,
    };
    let first_held = observed.held.clone();
    let scrubbed = scrub_study(site, &job, observed.identity, &sources, &skip)?;
    let mut ready = Ready::default();
    for pack in &scrubbed.packs {
        let mut tags = site.tags(hospital, Zone::Research, received);
        tags.profile = profile.label();
        tags.generation = Some(generation);
        tags.project = Some(outline.project.clone());
        ready.put(site, &pack.object, pack.path(), &tags)?;
    }
    ready.generations.push(StudyGeneration {
        hospital: hospital.id.clone(),
        project: outline.project.clone(),
        study_key: study,
        generation,
        profile: profile.label(),
    });
    publish(site, &ready, &[])?;
    let held: Vec<Reason> =
        first_held.into_iter().chain(scrubbed.held).map(|(_, reason)| reason).collect();
    Ok((sources.len() as u64 - held.len() as u64, held))
}
