//! A catalogue made again from the store and the keys.

use super::bench::*;
use crate::{FindingKind, Losses, PipelineError, plan_batch, rebuild_catalog, run_batch};
use scanveil_catalog::{ObjectFilter, ObjectRecord, Outcome, StudyRecord};
use scanveil_model::{Digest, Generation, ReasonCode, Zone};
use scanveil_storage::{KeyPrefix, StoreCall, StoreFault};

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
    let report = rebuild_catalog(&settings, Losses::Missed, |_| {}).unwrap();
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
    assert_eq!((report.instances, report.erased, report.findings.len()), (0, 2, 0));
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

/// The file of a zone's first object.
fn object_file(bench: &Bench, zone: Zone) -> std::path::PathBuf {
    let key = bench.site.store.objects(KeyPrefix::Zone(zone)).next().unwrap().unwrap().key;
    bench.dir.path().join("data/objects").join(key.to_string())
}

#[test]
fn what_is_gone_or_damaged_is_named_and_stays_known() {
    for zone in [Zone::Vault, Zone::Research, Zone::Quarantine] {
        for damaged in [false, true] {
            let (bench, _) = Bench::new();
            let files = slices(3);
            bench.push(KEEPER, &[files[0].clone(), files[1].clone(), burned_in(&files[2])]);
            let known = bench.site.catalog.objects(&ObjectFilter::default(), 10).unwrap();
            let study = known[0].study_key.to_string();
            let file = object_file(&bench, zone);
            if damaged {
                let mut bytes = std::fs::read(&file).unwrap();
                bytes[20] ^= 1;
                std::fs::write(&file, bytes).unwrap();
            } else {
                std::fs::remove_file(&file).unwrap();
            }
            let (bench, report) = rebuilt(bench, false);
            let [finding] = &report.findings[..] else { panic!("{:?}", report.findings) };
            let kind = if damaged { FindingKind::Damaged } else { FindingKind::Missing };
            assert_eq!((finding.kind, finding.zone), (kind, zone));
            assert!(file.to_string_lossy().contains(&finding.object.to_string()));
            assert_eq!(finding.study.as_ref(), Some(&study));
            assert_eq!(finding.research.len(), 1, "it is in research, and has a name there");
            let old = report.old_catalog.unwrap();
            assert!(old.is_file() && old.to_string_lossy().contains("catalog.sqlite.old-"));
            // It is missed until it is back.
            let after = bench.site.catalog.objects(&ObjectFilter::default(), 10).unwrap();
            assert_eq!(after.len(), known.len());
        }
    }
}

#[test]
fn losses_are_forgotten_only_when_they_are_accepted() {
    let (bench, _) = Bench::new();
    let files = slices(2);
    bench.push(KEEPER, &[files[0].clone(), burned_in(&files[1])]);
    std::fs::remove_file(object_file(&bench, Zone::Quarantine)).unwrap();
    let settings = bench.settings();
    let Bench { site, store, dir, more } = bench;
    drop((site, store));
    let report = rebuild_catalog(&settings, Losses::Accepted, |_| {}).unwrap();
    assert_eq!(report.findings.len(), 1);
    let unused = Bench::new().0;
    let (bench, _) = Bench { dir, more, ..unused }.restart();
    assert!(bench.reasons().is_empty());
    bench.assert_tidy();
}

#[test]
fn nothing_is_rebuilt_from_a_store_that_is_empty_or_another() {
    for catalog_lost in [true, false] {
        for another in [true, false] {
            let (bench, _) = Bench::new();
            bench.push(KEEPER, &slices(2));
            let (other, _) = Bench::new();
            other.push(KEEPER, &slices(1));
            let mut settings = bench.settings();
            let catalog = settings.data_dir.join("catalog.sqlite");
            let known = bench.site.catalog.objects(&ObjectFilter::default(), 10).unwrap();
            let before = (!catalog_lost).then_some(known);
            let Bench { site, store, dir, .. } = bench;
            drop((site, store));
            if catalog_lost {
                std::fs::remove_file(&catalog).unwrap();
            }
            let place =
                if another { other.dir.path().join("data/objects") } else { dir.path().join("x") };
            settings.store.path = Some(place);
            let refused = rebuild_catalog(&settings, Losses::Missed, |_| {});
            assert!(matches!(refused, Err(PipelineError::NothingLeft { .. })), "{refused:?}");
            let left = catalog.is_file().then(|| {
                let catalog = scanveil_catalog::Catalog::open(&catalog).unwrap();
                catalog.objects(&ObjectFilter::default(), 10).unwrap()
            });
            assert_eq!(left, before, "the catalogue stays as it was");
            // Nor does a service begin anew there.
            let started = crate::Site::open(settings, crate::SiteMode::Service).err();
            match (catalog_lost, another) {
                (true, _) => assert!(matches!(started, Some(PipelineError::CatalogMissing(_)))),
                (false, false) => assert!(matches!(started, Some(PipelineError::StoreEmpty))),
                (false, true) => assert!(started.is_none()),
            }
        }
    }
}
