//! Decisions about the quarantine: each ends what it is for, and nothing else.

use super::bench::*;
use crate::{
    DecisionPlan, DecisionRecord, DecisionResult, HeldFilter, RecordedInstance, SignedRecord,
    carry_out, groups, held_instances, plan_batch, plan_decision, rebuild_catalog, run_batch,
};
use scanveil_catalog::{Outcome, RecordId};
use scanveil_model::{Decision, Digest, Generation, Hex, ReasonCode, Zone};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is held of these files; of all without any.
fn plan(bench: &Bench, decision: Decision, files: &[&Vec<u8>]) -> DecisionPlan {
    plan_into(bench, decision, files, None)
}

fn plan_into(
    bench: &Bench,
    decision: Decision,
    files: &[&Vec<u8>],
    into: Option<Digest>,
) -> DecisionPlan {
    let ids = files.iter().map(|file| digest(file).to_string()).collect();
    let filter = HeldFilter { ids, ..HeldFilter::default() };
    let held = held_instances(&bench.site, &filter).unwrap();
    plan_decision(&bench.site, decision, held, into, !files.is_empty()).unwrap()
}

fn record(plan: &DecisionPlan, at: usize) -> DecisionRecord {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let study = &plan.studies[at];
    let instances = study.instances.iter().map(|one| RecordedInstance {
        source: one.id,
        objects: one.reasons.iter().map(|reason| reason.object).collect(),
        codes: one.reasons.iter().map(|reason| reason.code).collect(),
        sop_key: one.sop_key(),
        content: one.content(),
        other: study.other.get(&one.id).copied(),
        bytes: one.bytes,
    });
    DecisionRecord {
        format: DecisionRecord::FORMAT,
        id: RecordId::parse(&Hex::encode(&number.to_be_bytes())).unwrap(),
        hospital: study.hospital.clone(),
        study: study.study,
        decision: plan.decision,
        by: "anna".to_owned(),
        reason: "looked at it".to_owned(),
        decided_at_ms: i64::try_from(number).unwrap(),
        instances: instances.collect(),
    }
}

fn sign(record: &DecisionRecord) -> SignedRecord {
    SignedRecord::sign(record, |_| Ok::<_, ()>([7; 64])).unwrap()
}

/// Carries the whole plan out; nothing may be refused.
fn decide(bench: &Bench, plan: &DecisionPlan) -> DecisionResult {
    assert!(plan.refused.is_empty(), "{:?}", plan.refused);
    let mut result = DecisionResult::default();
    for at in 0..plan.studies.len() {
        result.add(&carry_out(&bench.site, &sign(&record(plan, at))).unwrap());
    }
    result
}

/// Ends the process, loses the catalogue, and makes it again.
fn with_catalogue_lost(bench: Bench) -> Bench {
    let settings = bench.settings();
    let unused = Bench::new().0;
    let Bench { site, store, dir, more } = bench;
    drop((site, store));
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = std::fs::remove_file(settings.data_dir.join(name));
    }
    rebuild_catalog(&settings, crate::Losses::Missed, |_| {}).unwrap();
    Bench { dir, more, ..unused }.restart().0
}

#[test]
fn a_correction_takes_the_place_of_the_first_and_the_old_one_is_history() {
    for (id, generation) in [(KEEPER, 2), (OTHER, 1)] {
        let (bench, _) = Bench::new();
        let files = slices(2);
        let right = other_pixels(&files[0]);
        bench.push(id, &files);
        bench.push(id, std::slice::from_ref(&right));
        assert_eq!(bench.reasons(), [ReasonCode::UidConflict]);
        let planned = plan(&bench, Decision::Correct, &[&right]);
        assert_eq!(decide(&bench, &planned).clean, 1);
        assert!(bench.reasons().is_empty());
        let study = &bench.site.catalog.studies(&project()).unwrap()[0];
        assert_eq!((study.generation, study.quarantined), (Generation(generation), 0));
        let replaced = bench.site.catalog.replaced().unwrap();
        assert_eq!(replaced, [(hospital(id), digest(&files[0]))].into());
        if id == KEEPER {
            let now = digests(&[right.clone(), files[1].clone()]);
            assert_eq!(bench.holds(Zone::Research), now);
            let all = digests(&[files[0].clone(), files[1].clone(), right.clone()]);
            assert_eq!(bench.holds(Zone::Vault), all);
        }
        // Both are known from now on; a third content is a conflict with the right one.
        for known in [&right, &files[0]] {
            let report = &bench.push(id, std::slice::from_ref(known))[0];
            assert_eq!((report.duplicates, report.quarantined), (1, 0));
        }
        assert_eq!(bench.outcome(id, &right), Some(Outcome::Accepted));
        let third = burned_in(&right);
        assert_eq!(bench.push(id, &[third])[0].quarantined, 1);
        assert_eq!(bench.reasons(), [ReasonCode::UidConflict]);
        bench.assert_tidy();
    }
}

#[test]
fn a_correction_outlives_the_catalogue_and_later_instances() {
    let (bench, _) = Bench::new();
    let files = slices(3);
    let right = other_pixels(&files[0]);
    bench.push(KEEPER, &files[..2]);
    bench.push(KEEPER, std::slice::from_ref(&right));
    decide(&bench, &plan(&bench, Decision::Correct, &[&right]));
    let now = digests(&[right.clone(), files[1].clone()]);
    let bench = with_catalogue_lost(bench);
    assert_eq!(bench.holds(Zone::Research), now);
    bench.push(KEEPER, &files[2..]);
    let now = digests(&[right, files[1].clone(), files[2].clone()]);
    assert_eq!(bench.holds(Zone::Research), now);
    assert!(bench.reasons().is_empty());
}

#[test]
fn the_first_is_kept_and_nobody_waits_for_the_other() {
    let (bench, _) = Bench::new();
    let files = slices(2);
    let wrong = other_pixels(&files[0]);
    bench.push(KEEPER, &files);
    bench.push(KEEPER, std::slice::from_ref(&wrong));
    let planned = plan(&bench, Decision::KeepFirst, &[]);
    assert_eq!(decide(&bench, &planned).closed, 1);
    assert!(bench.reasons().is_empty());
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    assert_eq!(bench.holds(Zone::Quarantine), [digest(&wrong)]);
    let report = &bench.push(KEEPER, &[wrong])[0];
    assert_eq!((report.duplicates, report.quarantined), (1, 0));
    assert!(with_catalogue_lost(bench).reasons().is_empty());
}

#[test]
fn identifiers_of_one_person_are_merged_into_the_right_one() {
    // The first came through: the other is theirs.
    let (bench, _) = Bench::new();
    let files = slices(2);
    let other = other_patient(&files[1]);
    bench.push(KEEPER, &files[..1]);
    bench.push(KEEPER, std::slice::from_ref(&other));
    assert_eq!(bench.reasons(), [ReasonCode::MixedPatients]);
    let planned = plan(&bench, Decision::Merge, &[]);
    assert_eq!(decide(&bench, &planned).clean, 1);
    assert_eq!(bench.holds(Zone::Research), digests(&[files[0].clone(), other.clone()]));
    assert!(bench.reasons().is_empty());
    assert_eq!(bench.site.catalog.current_objects(&project()).unwrap().len(), 1);
    // Both at once: nothing says who is right but a person.
    let (bench, _) = Bench::new();
    bench.push(KEEPER, &[files[0].clone(), other.clone()]);
    assert_eq!(bench.reasons(), [ReasonCode::MixedPatients; 2]);
    assert_eq!(plan(&bench, Decision::Merge, &[]).refused.len(), 2);
    let planned = plan_into(&bench, Decision::Merge, &[], Some(digest(&other)));
    assert_eq!(decide(&bench, &planned).clean, 2);
    assert!(bench.reasons().is_empty());
    // Without originals nothing gives the first one's pseudonym again.
    let (bench, _) = Bench::new();
    bench.push(OTHER, &files[..1]);
    bench.push(OTHER, std::slice::from_ref(&other));
    assert_eq!(plan(&bench, Decision::Merge, &[]).refused.len(), 1);
    let into = plan_into(&bench, Decision::Merge, &[], Some(digest(&other)));
    assert_eq!(into.refused.len(), 1);
}

#[test]
fn pixels_that_somebody_vouches_for_come_through_and_stay() {
    for id in [KEEPER, OTHER] {
        let (bench, _) = Bench::new();
        let mut files = slices(3);
        files[1] = burned_in(&files[1]);
        bench.push(id, &files[..2]);
        // Text that is declared is looked at one by one.
        assert_eq!(plan(&bench, Decision::Release, &[]).refused.len(), 1);
        let planned = plan(&bench, Decision::Release, &[&files[1]]);
        assert_eq!(decide(&bench, &planned).clean, 1);
        assert!(bench.reasons().is_empty());
        assert_eq!(bench.holds(Zone::Research), digests(&files[..2]));
        assert_eq!(bench.outcome(id, &files[1]), Some(Outcome::Accepted));
        // It is vouched for in every later generation.
        bench.push(id, &files[2..]);
        assert_eq!(bench.holds(Zone::Research), digests(&files));
        assert!(bench.reasons().is_empty());
        bench.assert_tidy();
    }
}

#[test]
fn what_was_not_looked_at_is_not_vouched_for() {
    let with = format!("[[project]]\nname = \"research\"\nprofile = \"{HOLDING}\"\n");
    let (bench, _) = Bench::with(&with);
    let file = garbled(&slices(1)[0]);
    bench.push(KEEPER, std::slice::from_ref(&file));
    let planned = plan(&bench, Decision::Release, &[&file]);
    assert_eq!((planned.instances(), planned.refused.len()), (0, 1));
}

#[test]
fn what_is_discarded_is_nowhere_and_welcome_again() {
    for id in [KEEPER, OTHER] {
        let (bench, _) = Bench::new();
        let mut files = slices(3);
        files[1] = burned_in(&files[1]);
        files[2] = burned_in(&files[2]);
        bench.push(id, &files);
        let planned = plan(&bench, Decision::Discard, &[&files[1]]);
        let signed = sign(&record(&planned, 0));
        // Carried out twice, as after an interruption.
        for _ in 0..2 {
            assert_eq!(carry_out(&bench.site, &signed).unwrap().discarded, 1);
        }
        assert_eq!(bench.holds(Zone::Quarantine), [digest(&files[2])]);
        if id == KEEPER {
            assert_eq!(bench.holds(Zone::Vault), digests(&[files[0].clone(), files[2].clone()]));
        }
        assert_eq!(bench.reasons(), [ReasonCode::BurnedInText]);
        bench.assert_tidy();
        // Nobody is told that it is here when it is not.
        let report = &bench.push(id, &files[1..2])[0];
        assert_eq!((report.duplicates, report.quarantined), (0, 1));
        assert_eq!(bench.reasons(), [ReasonCode::BurnedInText; 2]);
    }
}

#[test]
fn a_copy_that_the_sender_corrected_ends_the_wait_for_the_wrong_one() {
    let (bench, _) = Bench::new();
    let file = slices(1).remove(0);
    bench.push(KEEPER, &[burned_in(&file)]);
    assert_eq!(bench.reasons(), [ReasonCode::BurnedInText]);
    bench.push(KEEPER, &[file]);
    assert!(bench.reasons().is_empty());
    assert!(with_catalogue_lost(bench).reasons().is_empty());
}

#[test]
fn a_batch_scrubs_what_is_in_quarantine_again_also_without_originals() {
    let with = format!("[[project]]\nname = \"research\"\nprofile = \"{HOLDING}\"\n");
    for id in [KEEPER, OTHER] {
        let (bench, _) = Bench::with(&with);
        let mut files = slices(3);
        files[0] = garbled(&files[0]);
        files[1] = burned_in(&files[1]);
        bench.push(id, &files);
        assert_eq!(bench.holds(Zone::Research), [digest(&files[2])]);
        let plan = || plan_batch(&bench.site, &hospital(id), &project(), Some("basic")).unwrap();
        assert_eq!(plan().changes.len(), 1);
        let run = run_batch(&bench.site, &plan(), Some("basic"), |_| {}).unwrap();
        assert_eq!(run.failed.len(), 0);
        assert_eq!(bench.holds(Zone::Research), digests(&[files[0].clone(), files[2].clone()]));
        assert_eq!(bench.reasons(), [ReasonCode::BurnedInText]);
        assert_eq!(bench.outcome(id, &files[0]), Some(Outcome::Accepted));
        // Once is enough, until the rules are others.
        assert!(plan().changes.is_empty());
        bench.assert_tidy();
    }
}

#[test]
fn alike_instances_are_one_group() {
    let (bench, _) = Bench::new();
    let files: Vec<_> = slices(3).iter().map(|file| burned_in(file)).collect();
    bench.push(KEEPER, &files);
    bench.push(OTHER, &files[..1]);
    let held = held_instances(&bench.site, &HeldFilter::default()).unwrap();
    let groups = groups(&held);
    let counts: Vec<u64> = groups.iter().map(|group| group.instances).collect();
    assert_eq!(counts, [3, 1]);
    let group = Some(groups[0].group.clone());
    let filter = HeldFilter { group, ..HeldFilter::default() };
    assert_eq!(held_instances(&bench.site, &filter).unwrap().len(), 3);
    let unknown = HeldFilter { ids: vec!["00000000".to_owned()], ..HeldFilter::default() };
    assert!(held_instances(&bench.site, &unknown).is_err());
}
