//! Batches: what a plan says is done, once, however often it is begun.

use super::bench::*;
use crate::{ENGINE, PipelineError, plan_batch, run_batch};
use scanveil_catalog::BatchPlan;
use scanveil_model::{Coded, Generation, ProjectName, ReasonCode, Zone};
use scanveil_seal::StudyKey;
use scanveil_synth::mr_slices;

const LONGITUDINAL: Option<&str> = Some("longitudinal");

/// Two studies of one hospital.
fn filled() -> (Bench, Vec<Vec<u8>>) {
    let (bench, _) = Bench::new();
    let mut files = slices(2);
    files.extend(mr_slices(11, 2, 32).map(|slice| slice.unwrap().file));
    bench.push(KEEPER, &files);
    (bench, files)
}

#[test]
fn a_plan_changes_nothing_and_a_run_does_it_once() {
    let (bench, files) = filled();
    let keeper = hospital(KEEPER);
    let plan = || plan_batch(&bench.site, &keeper, &project(), LONGITUDINAL).unwrap();
    let planned = plan();
    assert_eq!(planned.changes.len(), 2);
    let change = &planned.changes[0];
    assert_eq!((change.from, change.to, change.instances), (Some(Generation(1)), Generation(2), 2));
    assert_eq!(plan().batch, planned.batch);
    assert!(bench.site.catalog.batches().unwrap().is_empty());
    let mut told = Vec::new();
    let run = run_batch(&bench.site, &planned, LONGITUDINAL, |done| told.push(done)).unwrap();
    assert_eq!((run.studies, run.scrubbed, told), (2, 4, vec![1, 2]));
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    // Again there is nothing to do, with the new plan and with the old one.
    assert!(plan().changes.is_empty());
    assert_eq!(run_batch(&bench.site, &plan(), LONGITUDINAL, |_| {}).unwrap().studies, 0);
    let studies = bench.site.catalog.studies(&project()).unwrap();
    assert!(studies.iter().all(|study| study.generation == Generation(2)));
    bench.assert_tidy();
}

#[test]
fn an_interrupted_batch_is_finished_and_no_other_begun() {
    let (bench, _) = filled();
    let keeper = hospital(KEEPER);
    let plan = plan_batch(&bench.site, &keeper, &project(), LONGITUDINAL).unwrap();
    let catalog = &bench.site.catalog;
    let studies: Vec<StudyKey> =
        plan.changes.iter().filter_map(|change| StudyKey::parse(&change.study)).collect();
    catalog
        .create_batch(&BatchPlan {
            batch: plan.batch.clone(),
            hospital: keeper.clone(),
            project: project(),
            profile: plan.profile.clone(),
            engine: ENGINE.to_owned(),
            created_at_ms: 1,
            studies,
        })
        .unwrap();
    // Killed between the publication of its first study and the note about it.
    let killed = [7; 16];
    catalog.next_item(&plan.batch, &killed).unwrap().unwrap();
    let mut first = plan.clone();
    first.changes.truncate(1);
    let outline = plan_batch(&bench.site, &keeper, &project(), LONGITUDINAL).unwrap();
    assert_eq!(outline.batch, plan.batch);
    let run = run_batch(&bench.site, &first, LONGITUDINAL, |_| {}).unwrap();
    assert_eq!(run.studies, 1);
    let rest = plan_batch(&bench.site, &keeper, &project(), LONGITUDINAL).unwrap();
    assert_eq!(rest.changes.len(), 1);
    assert_eq!(run_batch(&bench.site, &rest, LONGITUDINAL, |_| {}).unwrap().studies, 1);
    let studies = catalog.studies(&project()).unwrap();
    assert!(studies.iter().all(|study| study.generation == Generation(2)));
    assert!(catalog.batches().unwrap().iter().all(|batch| batch.progress.is_finished()));
}

#[test]
fn only_one_run_works_on_a_hospital_and_project() {
    let (bench, _) = filled();
    let keeper = hospital(KEEPER);
    let plan = plan_batch(&bench.site, &keeper, &project(), LONGITUDINAL).unwrap();
    let held = bench.site.lock_batch(&keeper, &project()).unwrap();
    let refused = run_batch(&bench.site, &plan, LONGITUDINAL, |_| {});
    assert!(matches!(refused, Err(PipelineError::BatchRunning { .. })));
    drop(held);
    assert_eq!(run_batch(&bench.site, &plan, LONGITUDINAL, |_| {}).unwrap().studies, 2);
}

#[test]
fn what_a_newer_profile_holds_back_is_in_quarantine() {
    let (bench, _) = Bench::new();
    let files: Vec<Vec<u8>> = slices(3).iter().map(|file| garbled(file)).collect();
    bench.push(KEEPER, &files);
    let keeper = hospital(KEEPER);
    let plan = plan_batch(&bench.site, &keeper, &project(), Some(HOLDING)).unwrap();
    let run = run_batch(&bench.site, &plan, Some(HOLDING), |_| {}).unwrap();
    assert_eq!((run.studies, run.scrubbed), (1, 0));
    assert_eq!(run.held.into_iter().collect::<Vec<_>>(), [(ReasonCode::CharacterSet, 3)]);
    assert!(bench.holds(Zone::Research).is_empty());
    assert_eq!(bench.holds(Zone::Quarantine), digests(&files));
    // What lets them pass again makes the quarantine forget them.
    let plan = plan_batch(&bench.site, &keeper, &project(), Some("basic")).unwrap();
    run_batch(&bench.site, &plan, Some("basic"), |_| {}).unwrap();
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    assert!(bench.reasons().is_empty());
    bench.assert_tidy();
}

#[test]
fn a_study_whose_key_was_destroyed_fails_with_its_code_and_the_rest_goes_on() {
    let (bench, files) = filled();
    let keeper = hospital(KEEPER);
    let erased = bench.site.catalog.studies(&project()).unwrap()[0].clone();
    bench.site.keyring.destroy_subject(&keeper, &erased.subject).unwrap();
    let plan = plan_batch(&bench.site, &keeper, &project(), LONGITUDINAL).unwrap();
    let run = run_batch(&bench.site, &plan, LONGITUDINAL, |_| {}).unwrap();
    assert_eq!((run.studies, run.scrubbed), (2, files.len() as u64 - erased.released));
    assert_eq!(run.failed.into_iter().collect::<Vec<_>>(), [("SV-VAULT-107".to_owned(), 1)]);
    let batch = &bench.site.catalog.batches().unwrap()[0];
    assert_eq!((batch.progress.done, batch.progress.failed), (1, 1));
    let (item, code) = &bench.site.catalog.failed_items(&batch.batch).unwrap()[0];
    assert_eq!((item.study_key, code.as_str()), (erased.study_key, "SV-VAULT-107"));
}

#[test]
fn a_generation_is_not_replaced_by_one_that_lacks_instances() {
    let (bench, _) = Bench::new();
    let files = slices(2);
    bench.push(KEEPER, &files);
    let keeper = hospital(KEEPER);
    // The hospital stops keeping originals: a later instance is only in research.
    let mut settings = bench.settings();
    settings.hospitals[0].keep_originals = false;
    let Bench { site, store, dir, .. } = bench;
    drop((site, store));
    let (site, _) = crate::Site::open(settings, crate::SiteMode::Service).unwrap();
    let (mut bench, _) = Bench::new();
    (bench.site, bench.dir) = (site, dir);
    let late = slices(3).remove(2);
    bench.push(KEEPER, std::slice::from_ref(&late));
    let plan = plan_batch(&bench.site, &keeper, &project(), LONGITUDINAL).unwrap();
    let run = run_batch(&bench.site, &plan, LONGITUDINAL, |_| {}).unwrap();
    let error = PipelineError::OriginalsMissing { instances: 1 };
    assert_eq!(run.failed.into_iter().collect::<Vec<_>>(), [(error.code().to_owned(), 1)]);
    assert_eq!(bench.holds(Zone::Research).len(), 3);
}

#[test]
fn a_project_that_does_not_take_the_hospital_is_refused() {
    let projects = "[[project]]\nname = \"research\"\n[[project]]\nname = \"own\"\n\
                    hospitals = [\"grace\"]\n";
    let (bench, _) = Bench::with(projects);
    let own = ProjectName::parse("own").unwrap();
    let refused = plan_batch(&bench.site, &hospital(KEEPER), &own, None);
    assert!(matches!(refused, Err(PipelineError::Config(_))));
    let refused = plan_batch(&bench.site, &hospital("nobody"), &own, None);
    assert!(matches!(refused, Err(PipelineError::Unknown { .. })));
}
