//! Carries a decision out: its record is kept first, then the study is made again.

use super::discard::{are_gone, discard};
use super::record::keep;
use super::{DecisionRecord, QuarantineError, SignedRecord};
use crate::site::make_folder;
use crate::work::{Known, StudyWork};
use crate::{PipelineError, Site};
use scanveil_model::{Decision, Digest, HospitalId, ReasonCode};
use scanveil_seal::StudyKey;
use scanveil_vault::sweep_local_packs;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What became of the instances of a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DecisionResult {
    /// Instances that came through.
    pub clean: u64,
    /// Instances that stay where they are, as was decided.
    pub closed: u64,
    /// Instances that are no more.
    pub discarded: u64,
    /// Instances that are still held, by their first reason now.
    pub held: BTreeMap<ReasonCode, u64>,
}

impl DecisionResult {
    /// Adds another study's.
    pub fn add(&mut self, other: &Self) {
        self.clean += other.clean;
        self.closed += other.closed;
        self.discarded += other.discarded;
        for (code, count) in &other.held {
            *self.held.entry(*code).or_default() += count;
        }
    }
}

/// Keeps the record of a decision and does what it says. Interrupted, the same decision taken again
/// goes on, and so does the next batch.
///
/// # Errors
/// [`QuarantineError`]; the decision stands and is not applied yet, once its record is kept.
pub fn carry_out(site: &Site, signed: &SignedRecord) -> Result<DecisionResult, QuarantineError> {
    let record = signed.open()?;
    let hospital = &record.hospital;
    let _alone = site.lock_decisions(hospital)?;
    let dir = site.work.join(format!("decisions-{hospital}"));
    make_folder(&dir, "the work folder")?;
    sweep_local_packs(&dir).map_err(PipelineError::from)?;
    let _one_at_a_time = site.lock_study(&record.study)?;
    keep(site, &record, signed)?;
    let instances = record.instances.len() as u64;
    let mut result = DecisionResult::default();
    if record.decision == Decision::Discard {
        discard(site, &record, &dir)?;
        if !are_gone(site, &record)? {
            return Err(QuarantineError::Unknown(record.id.to_string()));
        }
        result.discarded = instances;
        return Ok(result);
    }
    record.enter(&site.catalog)?;
    if record.decision == Decision::KeepFirst {
        result.closed = instances;
        return Ok(result);
    }
    let made = make_decided(site, hospital, &record.study, &dir)?;
    fates(&record, &made, &mut result);
    Ok(result)
}

fn fates(record: &DecisionRecord, fates: &Fates, result: &mut DecisionResult) {
    for one in &record.instances {
        match fates.get(&one.source).map(|reasons| reasons.first()) {
            Some(None) => result.clean += 1,
            Some(Some(code)) => *result.held.entry(*code).or_default() += 1,
            // Another instance has its place, or the hospital has no project.
            None => result.closed += 1,
        }
    }
}

/// What became of each source: why it is held, or nothing.
type Fates = BTreeMap<Digest, Vec<ReasonCode>>;

/// Makes a study again for every project that takes its hospital, after something was decided about
/// it. The study's lock is held.
fn make_decided(
    site: &Site,
    hospital: &HospitalId,
    study: &StudyKey,
    dir: &Path,
) -> Result<Fates, PipelineError> {
    let settings = site.settings();
    let of = settings.config.hospital(hospital)?;
    let known = Known::load(site, hospital, study)?;
    let mut work = StudyWork::begin(site, of, *study, dir, known, Vec::new(), 0)?;
    for project in settings.config.projects.iter().filter(|project| project.takes(hospital)) {
        work.again(&project.name, settings.profile(&project.name)?)?;
    }
    let fates = work.fates();
    let accepted = work.accepted();
    work.ready.publish(site, &[])?;
    site.catalog.accept(hospital, &accepted)?;
    site.catalog.decisions_applied(hospital, study)?;
    Ok(fates)
}
