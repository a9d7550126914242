//! What a decision would do, before anything is done.

use super::{HeldInstance, QuarantineError};
use crate::{PipelineError, Site};
use scanveil_catalog::ObjectFilter;
use scanveil_model::{Decision, Digest, HospitalId, ReasonCode, Zone};
use scanveil_seal::StudyKey;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most instances of one record, so that a record stays a small file.
const MOST_INSTANCES: usize = 100;
/// Digits of a plan's identifier.
const PLAN_DIGITS: usize = 16;

/// Instances of one study that are decided together.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedStudy {
    /// The hospital.
    pub hospital: HospitalId,
    /// Keyed hash of the study.
    pub study: StudyKey,
    /// The instances, at most as many as one record takes.
    pub instances: Vec<HeldInstance>,
    /// For each instance that has one: the instance that it replaces, or the one that names the
    /// right patient.
    #[serde(skip)]
    pub other: BTreeMap<Digest, Digest>,
}

/// An instance that cannot be decided like this, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    /// The instance.
    pub id: Digest,
    /// Why.
    pub why: String,
}

/// The plan of a decision.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionPlan {
    /// Its identifier: the same for the same decision about the same instances.
    pub plan: String,
    /// The decision.
    pub decision: Decision,
    /// What would be decided.
    pub studies: Vec<PlannedStudy>,
    /// What cannot be decided like this.
    pub refused: Vec<Refused>,
}

impl DecisionPlan {
    /// How many instances would be decided.
    #[must_use]
    pub fn instances(&self) -> usize {
        self.studies.iter().map(|study| study.instances.len()).sum()
    }
}

/// Plans a decision. `into` is the instance that names the right patient, for
/// [`Decision::Merge`]. `one_by_one` says that each instance was named: text in pixels that was
/// declared or found is not vouched for in groups.
///
/// # Errors
/// What catalogue and store give.
pub fn plan_decision(
    site: &Site,
    decision: Decision,
    held: Vec<HeldInstance>,
    into: Option<Digest>,
    one_by_one: bool,
) -> Result<DecisionPlan, QuarantineError> {
    let mut refused = Vec::new();
    let mut studies: BTreeMap<(HospitalId, StudyKey), Vec<HeldInstance>> = BTreeMap::new();
    for one in held {
        match objection(decision, &one, one_by_one) {
            Some(why) => refused.push(Refused { id: one.id, why }),
            None => studies.entry((one.hospital.clone(), one.study)).or_default().push(one),
        }
    }
    let mut planned = Vec::new();
    for ((hospital, study), instances) in studies {
        let mut whole = PlannedStudy { hospital, study, instances, other: BTreeMap::new() };
        match decision {
            Decision::Correct => places(site, &mut whole, &mut refused)?,
            Decision::Merge => patient(site, &mut whole, into, &mut refused)?,
            Decision::KeepFirst | Decision::Release | Decision::Discard => {}
        }
        for instances in whole.instances.chunks(MOST_INSTANCES) {
            planned.push(PlannedStudy { instances: instances.to_vec(), ..whole.clone() });
        }
    }
    Ok(DecisionPlan { plan: plan_id(decision, &planned), decision, studies: planned, refused })
}

fn plan_id(decision: Decision, studies: &[PlannedStudy]) -> String {
    let mut content = blake3::Hasher::new();
    content.update(decision.as_str().as_bytes());
    for study in studies {
        content.update(study.hospital.as_str().as_bytes()).update(&study.study.0);
        for one in &study.instances {
            content.update(&one.id.0);
            let other = study.other.get(&one.id);
            content.update(&[u8::from(other.is_some())]);
            content.update(&other.map_or([0; 32], |other| other.0));
        }
    }
    content.finalize().to_hex()[..PLAN_DIGITS].to_owned()
}

/// Why an instance cannot be decided like this.
fn objection(decision: Decision, one: &HeldInstance, one_by_one: bool) -> Option<String> {
    let codes: BTreeSet<ReasonCode> = one.reasons.iter().map(|reason| reason.code).collect();
    if let Some(code) = codes.iter().find(|code| !decision.ends(**code)) {
        return Some(format!("it is held for {code}, which `{decision}` does not end"));
    }
    if let (Some(code), true) = (one.unreadable, decision != Decision::KeepFirst) {
        return Some(format!("its object cannot be opened: {code}"));
    }
    let shown = codes.contains(&ReasonCode::BurnedInText) && decision == Decision::Release;
    (shown && !one_by_one)
        .then(|| "text in its pixels is declared or found: name each instance".to_owned())
}

/// Finds the instances in whose places these would be taken.
fn places(
    site: &Site,
    study: &mut PlannedStudy,
    refused: &mut Vec<Refused>,
) -> Result<(), PipelineError> {
    let mut times: BTreeMap<_, u32> = BTreeMap::new();
    for key in study.instances.iter().filter_map(|one| one.sop_key) {
        *times.entry(key).or_default() += 1;
    }
    let mut kept = Vec::new();
    for one in std::mem::take(&mut study.instances) {
        match one.sop_key {
            Some(key) if times[&key] == 1 => {
                let known = site.catalog.known_instance(&study.hospital, &key)?;
                let first = known.map(|known| known.source).filter(|first| *first != one.id);
                study.other.extend(first.map(|first| (one.id, first)));
                kept.push(one);
            }
            Some(_) => {
                let why = "others of the same UID are among them: name the right one".to_owned();
                refused.push(Refused { id: one.id, why });
            }
            None => {
                refused.push(Refused { id: one.id, why: "it has no usable UID".to_owned() });
            }
        }
    }
    study.instances = kept;
    Ok(())
}

/// Finds out whether the right patient is known.
fn patient(
    site: &Site,
    study: &mut PlannedStudy,
    into: Option<Digest>,
    refused: &mut Vec<Refused>,
) -> Result<(), PipelineError> {
    let filter = |zone| ObjectFilter {
        zone: Some(zone),
        hospital: Some(study.hospital.clone()),
        study_key: Some(study.study),
        ..ObjectFilter::default()
    };
    let digests = |zone| -> Result<BTreeSet<Digest>, PipelineError> {
        let mut digests = BTreeSet::new();
        for object in site.catalog.objects(&filter(zone), u32::MAX)? {
            let instances = site.catalog.instances(&object.object)?;
            digests.extend(instances.iter().map(|one| one.source.unwrap_or(one.digest)));
        }
        Ok(digests)
    };
    let (originals, made) = (digests(Zone::Vault)?, digests(Zone::Research)?);
    let held = digests(Zone::Quarantine)?;
    let why = match into {
        Some(into) if !originals.contains(&into) && !held.contains(&into) => {
            Some("the instance of --into is none of its study")
        }
        Some(_) if !made.is_subset(&originals) => {
            Some("a part of its study was made under another patient, and no original is kept")
        }
        Some(_) => None,
        None if made.iter().any(|source| originals.contains(source)) => None,
        None => Some("nothing of its study came through: say with --into whose it is"),
    };
    match why {
        Some(why) => {
            let each = std::mem::take(&mut study.instances).into_iter();
            refused.extend(each.map(|one| Refused { id: one.id, why: why.to_owned() }));
        }
        None => {
            let other = study.instances.iter().filter_map(|one| Some((one.id, into?)));
            study.other = other.collect();
        }
    }
    Ok(())
}
