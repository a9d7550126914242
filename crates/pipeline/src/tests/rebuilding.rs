//! A catalogue made again from the store and the keys.

use super::bench::*;
use crate::{plan_batch, rebuild_catalog, run_batch};
use scanveil_catalog::{ObjectFilter, ObjectRecord, Outcome, StudyRecord};
use scanveil_model::{Digest, Generation, ReasonCode, Zone};
use scanveil_storage::{StoreCall, StoreFault};

#[derive(Debug, PartialEq)]
struct Picture {
    objects: Vec<ObjectRecord>,
    studies: Vec<StudyRecord>,
    reasons: Vec<ReasonCode>,
    zones: [Vec<Digest>; 3],
    outcomes: Vec<Option<Outcome>>,
}

fn picture(bench: &Bench, files: &[(&str, Vec<u8>)]) -> Picture {
    let mut objects = bench.site.catalog.objects(&ObjectFilter::default(), u32::MAX).unwrap();
    for object in &mut objects {
        // Neither stands in a pack.
        object.engine.clear();
        object.digest = None;
    }
    Picture {
        objects,
        studies: bench.site.catalog.studies(&project()).unwrap(),
        reasons: bench.reasons(),
        zones: [Zone::Vault, Zone::Research, Zone::Quarantine].map(|zone| bench.holds(zone)),
        outcomes: files.iter().map(|(id, file)| bench.outcome(id, file)).collect(),
    }
}

/// Ends the process and rebuilds, with the catalogue there or not.
fn rebuilt(bench: Bench, catalog_lost: bool) -> (Bench, crate::RebuildReport) {
    let settings = bench.settings();
    let (data, unused) = (settings.data_dir.clone(), Bench::new().0);
    let Bench { site, store, dir, .. } = bench;
    drop((site, store));
    if catalog_lost {
        for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
            let _ = std::fs::remove_file(data.join(name));
        }
    }
    let report = rebuild_catalog(&settings, |_| {}).unwrap();
    let mut bench = Bench { dir, ..unused };
    (bench, _) = bench.restart();
    (bench, report)
}

#[test]
fn a_rebuilt_catalogue_says_the_same() {
    let files = slices(4);
    let wrong = burned_in(&files[3]);
    for catalog_lost in [true, false] {
        let (bench, _) = Bench::new();
        bench.push(KEEPER, &files[..2]);
        bench.push(KEEPER, &[files[2].clone(), wrong.clone(), other_pixels(&files[0])]);
        bench.push(OTHER, std::slice::from_ref(&wrong));
        let plan = plan_batch(&bench.site, &hospital(KEEPER), &project(), Some(HOLDING));
        run_batch(&bench.site, &plan.unwrap(), Some(HOLDING), |_| {}).unwrap();
        let asked = [
            (KEEPER, files[0].clone()),
            (KEEPER, wrong.clone()),
            (OTHER, wrong.clone()),
            (KEEPER, files[2].clone()),
        ];
        let before = picture(&bench, &asked);
        let (bench, report) = rebuilt(bench, catalog_lost);
        assert_eq!(picture(&bench, &asked), before);
        assert_eq!((report.carried_over, report.unreadable.len()), (!catalog_lost, 0));
        // It goes on as before: repeats are told, corrections are welcome.
        let report = &bench.push(KEEPER, &[files[1].clone(), wrong.clone()])[0];
        assert_eq!(report.duplicates, 2);
        // Another preamble is no other instance.
        let mut other_preamble = files[2].clone();
        other_preamble[..4].copy_from_slice(b"II*\0");
        assert_eq!(bench.push(KEEPER, &[other_preamble])[0].duplicates, 1);
        bench.push(KEEPER, &files[3..]);
        assert_eq!(bench.holds(Zone::Research), digests(&files));
        bench.assert_tidy();
    }
}

#[test]
fn a_repeat_without_originals_does_not_replace_what_is_released() {
    let (bench, _) = Bench::new();
    let files = slices(3);
    bench.push(OTHER, &files);
    let (bench, _) = rebuilt(bench, true);
    for file in &files {
        assert_eq!(bench.push(OTHER, std::slice::from_ref(file))[0].duplicates, 1);
    }
    assert_eq!(bench.holds(Zone::Research), digests(&files));
}

#[test]
fn what_an_interrupted_attempt_left_is_not_taken_for_published() {
    for catalog_lost in [true, false] {
        let (bench, _) = Bench::new();
        let files = slices(2);
        let received: Vec<_> = files.iter().map(|file| bench.receive(KEEPER, file)).collect();
        bench.store.fail(StoreCall::Put, 2, StoreFault::Refuse);
        bench.work(received).unwrap_err();
        let (bench, report) = rebuilt(bench, catalog_lost);
        assert_eq!((report.unpublished, report.instances), (1, 0));
        let (bench, pending) = bench.restart();
        bench.work(pending).unwrap();
        assert_eq!(bench.holds(Zone::Research), digests(&files));
        bench.assert_tidy();
    }
}

#[test]
fn erased_patients_are_left_out_and_counted() {
    let (bench, _) = Bench::new();
    bench.push(KEEPER, &slices(1));
    let subject = bench.site.catalog.studies(&project()).unwrap()[0].subject;
    bench.site.keyring.destroy_subject(&hospital(KEEPER), &subject).unwrap();
    let (bench, report) = rebuilt(bench, true);
    assert_eq!((report.instances, report.unreadable.values().sum::<u64>()), (0, 2));
    assert!(bench.site.catalog.objects(&ObjectFilter::default(), 10).unwrap().is_empty());
}

#[test]
fn what_the_newest_generation_holds_back_does_not_come_out_of_the_one_before() {
    let (bench, _) = Bench::new();
    let files: Vec<Vec<u8>> = slices(2).iter().map(|file| garbled(file)).collect();
    bench.push(KEEPER, &files);
    let keeper = hospital(KEEPER);
    for profile in [HOLDING, "basic", HOLDING] {
        let plan = plan_batch(&bench.site, &keeper, &project(), Some(profile)).unwrap();
        run_batch(&bench.site, &plan, Some(profile), |_| {}).unwrap();
    }
    let before = bench.site.catalog.studies(&project()).unwrap();
    assert_eq!((before[0].generation, before[0].released), (Generation(4), 0));
    let (bench, _) = rebuilt(bench, true);
    assert_eq!(bench.site.catalog.studies(&project()).unwrap(), before);
    assert!(bench.holds(Zone::Research).is_empty());
    bench.assert_tidy();
}
