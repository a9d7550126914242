//! What becomes of what was received: each instance is in its place, once, and nowhere else.

use super::bench::*;
use crate::study::StudyReport;
use crate::{Worker, intake};
use scanveil_catalog::Outcome;
use scanveil_dataset::{file_meta, peek_part10};
use scanveil_model::{Coded, Generation, IntakeMeta, Protocol, ReasonCode, Uid, Zone};
use scanveil_testkit::wait_until;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn clean_instances_are_kept_and_released_and_repeats_change_nothing() {
    let (bench, _) = Bench::new();
    let files = slices(3);
    let report = &bench.push(KEEPER, &files)[0];
    assert_eq!((report.received, report.scrubbed, report.quarantined), (3, 3, 0));
    let report = &bench.push(KEEPER, &[files[1].clone(), files[1].clone()])[0];
    assert_eq!((report.received, report.duplicates, report.scrubbed), (2, 2, 0));
    assert_eq!(bench.holds(Zone::Vault), digests(&files));
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    assert!(bench.holds(Zone::Quarantine).is_empty());
    let studies = bench.site.catalog.studies(&project()).unwrap();
    assert_eq!((studies.len(), studies[0].generation), (1, Generation(1)));
    bench.assert_tidy();
}

#[test]
fn what_is_held_is_in_quarantine_with_and_without_originals() {
    for (id, originals) in [(KEEPER, 2), (OTHER, 0)] {
        let (bench, _) = Bench::new();
        let mut files = slices(2);
        files[1] = burned_in(&files[1]);
        let report = &bench.push(id, &files)[0];
        assert_eq!((report.scrubbed, report.quarantined), (1, 1));
        assert_eq!(bench.holds(Zone::Vault).len(), originals);
        assert_eq!(bench.holds(Zone::Research), [digest(&files[0])]);
        assert_eq!(bench.holds(Zone::Quarantine), [digest(&files[1])]);
        assert_eq!(bench.reasons(), [ReasonCode::BurnedInText]);
        assert_eq!(bench.outcome(id, &files[1]), Some(Outcome::Quarantined));
        bench.assert_tidy();
    }
}

#[test]
fn what_is_held_stays_held_when_sent_again_and_a_corrected_copy_is_welcome() {
    for id in [KEEPER, OTHER] {
        let (bench, _) = Bench::new();
        let file = slices(1).remove(0);
        let wrong = burned_in(&file);
        bench.push(id, &[wrong.clone(), wrong.clone()]);
        let report = &bench.push(id, std::slice::from_ref(&wrong))[0];
        assert_eq!((report.duplicates, report.quarantined), (1, 0));
        assert_eq!(bench.outcome(id, &file), Some(Outcome::Quarantined));
        let report = &bench.push(id, std::slice::from_ref(&file))[0];
        assert_eq!((report.scrubbed, report.quarantined), (1, 0), "{:?}", report.reasons);
        assert_eq!(bench.outcome(id, &file), Some(Outcome::Accepted));
        assert_eq!(bench.holds(Zone::Research), [digest(&file)]);
        assert_eq!(bench.holds(Zone::Quarantine), [digest(&wrong)]);
        // The wrong one again is a conflict now, of which a copy is there already.
        let report = &bench.push(id, &[wrong])[0];
        assert_eq!((report.duplicates, report.quarantined), (1, 0));
        bench.assert_tidy();
    }
}

#[test]
fn another_content_under_the_same_uid_is_a_conflict_once() {
    let (bench, _) = Bench::new();
    let files = slices(2);
    let other = other_pixels(&files[0]);
    bench.push(KEEPER, &files);
    for quarantined in [1, 0] {
        let report = &bench.push(KEEPER, std::slice::from_ref(&other))[0];
        assert_eq!((report.quarantined, report.scrubbed), (quarantined, 0));
    }
    assert_eq!(bench.reasons(), [ReasonCode::UidConflict]);
    assert_eq!(bench.holds(Zone::Quarantine), [digest(&other)]);
    assert_eq!(bench.holds(Zone::Vault), digests(&files));
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    // Within one arrival the first one keeps its place.
    let (bench, _) = Bench::new();
    bench.push(OTHER, &[files[0].clone(), other.clone()]);
    assert_eq!(bench.holds(Zone::Research), [digest(&files[0])]);
    assert_eq!(bench.holds(Zone::Quarantine), [digest(&other)]);
    bench.assert_tidy();
}

/// What a receiver of C-STORE makes of a file: only the data set travelled.
fn by_c_store(file: &[u8]) -> Vec<u8> {
    let peeked = peek_part10(file).unwrap();
    let uid = |uid: &Option<Uid>| uid.as_ref().unwrap().as_str().to_owned();
    let (class, instance) = (uid(&peeked.sop_class_uid), uid(&peeked.sop_instance_uid));
    let mut made = file_meta(&class, &instance, &uid(&peeked.transfer_syntax));
    made.extend_from_slice(&file[peeked.data_set_at..]);
    assert_ne!(made, file);
    made
}

/// Puts a file into the spool as a receiver does.
fn arrive(bench: &Bench, id: &str, protocol: Protocol, file: &[u8]) {
    let hospital = hospital(id);
    let mut sink = intake(Arc::clone(bench.site.spool().unwrap())).receive(&hospital).unwrap();
    file.chunks(1000).for_each(|bytes| sink.write_all(bytes).unwrap());
    let peeked = peek_part10(file).unwrap();
    let meta = IntakeMeta {
        hospital,
        received_at_ms: 1_700_000_000_000,
        protocol,
        peer: "127.0.0.1".to_owned(),
        calling: None,
        sop_class_uid: peeked.sop_class_uid,
        sop_instance_uid: peeked.sop_instance_uid,
        study_instance_uid: peeked.study_instance_uid,
        series_instance_uid: peeked.series_instance_uid,
        transfer_syntax: peeked.transfer_syntax,
        content: None,
    };
    sink.commit(meta).unwrap();
}

#[test]
fn the_same_instance_by_c_store_and_by_stow_is_one() {
    let file = slices(1).remove(0);
    let sent = by_c_store(&file);
    let ways = [(Protocol::Dimse, &sent), (Protocol::Stow, &file)];
    for (id, at_once) in [(KEEPER, true), (KEEPER, false), (OTHER, true), (OTHER, false)] {
        for order in [[0, 1], [1, 0]] {
            let (mut bench, _) = Bench::new();
            let mut reports = Vec::new();
            for way in order {
                arrive(&bench, id, ways[way].0, ways[way].1);
                if !at_once || way == order[1] {
                    // What is known of it lies in the spool.
                    let pending;
                    (bench, pending) = bench.restart();
                    reports.extend(bench.work(pending).unwrap());
                }
            }
            let total = |of: fn(&StudyReport) -> usize| reports.iter().map(of).sum::<usize>();
            assert_eq!((total(|r| r.received), total(|r| r.scrubbed)), (2, 1));
            assert_eq!((total(|r| r.duplicates), total(|r| r.quarantined)), (1, 0));
            assert_eq!(bench.holds(Zone::Research).len(), 1);
            assert!(bench.holds(Zone::Quarantine).is_empty());
            assert_eq!(bench.holds(Zone::Vault).len(), usize::from(id == KEEPER));
            bench.assert_tidy();
        }
    }
}

#[test]
fn what_is_held_is_told_again_whichever_way_it_comes() {
    let wrong = burned_in(&slices(1)[0]);
    let (bench, _) = Bench::new();
    arrive(&bench, OTHER, Protocol::Dimse, &by_c_store(&wrong));
    let (bench, pending) = bench.restart();
    bench.work(pending).unwrap();
    let report = &bench.push(OTHER, std::slice::from_ref(&wrong))[0];
    assert_eq!((report.duplicates, report.quarantined), (1, 0));
    assert_eq!(bench.holds(Zone::Quarantine), [digest(&by_c_store(&wrong))]);
}

#[test]
fn a_late_instance_makes_a_generation_of_everything_or_joins_without_originals() {
    for (id, generation) in [(KEEPER, 2), (OTHER, 1)] {
        let (bench, _) = Bench::new();
        let files = slices(3);
        bench.push(id, &files[..2]);
        bench.push(id, &files[2..]);
        assert_eq!(bench.holds(Zone::Research), digests(&files));
        let study = &bench.site.catalog.studies(&project()).unwrap()[0];
        assert_eq!((study.generation, study.released), (Generation(generation), 3));
        bench.assert_tidy();
    }
}

#[test]
fn a_hospital_that_begins_to_keep_originals_does_not_lose_what_it_did_not_keep() {
    let keeps = format!("id = \"{OTHER}\"\nkeep_originals = true");
    let (bench, _) = Bench::new();
    let files = slices(3);
    bench.push(OTHER, &files[..1]);
    let mut settings = bench.settings();
    assert!(keeps.contains(&settings.hospitals[1].id.to_string()));
    settings.hospitals[1].keep_originals = true;
    let Bench { site, store, dir, .. } = bench;
    drop((site, store));
    let (site, _) = crate::Site::open(settings, crate::SiteMode::Service).unwrap();
    let (mut bench, _) = Bench::new();
    (bench.site, bench.dir) = (site, dir);
    bench.push(OTHER, &files[1..2]);
    bench.push(OTHER, &files[2..]);
    assert_eq!(bench.holds(Zone::Vault), digests(&files[1..]));
    assert_eq!(bench.holds(Zone::Research), digests(&files));
}

#[test]
fn two_patients_in_one_study_are_held_and_a_late_stranger_alone() {
    let files = slices(3);
    let stranger = other_patient(&files[1]);
    let (bench, _) = Bench::new();
    bench.push(KEEPER, &[files[0].clone(), stranger.clone()]);
    assert_eq!(bench.reasons(), [ReasonCode::MixedPatients; 2]);
    assert!(bench.holds(Zone::Research).is_empty());
    // Each is sealed under its own patient's key.
    let subjects = bench.site.keyring.list().unwrap()[0].subjects;
    assert_eq!(subjects, 2);
    // The wrong one is corrected: the study is whole again.
    bench.push(KEEPER, &files[1..2]);
    assert_eq!(bench.holds(Zone::Research), digests(&files[..2]));

    for id in [KEEPER, OTHER] {
        let (bench, _) = Bench::new();
        bench.push(id, &files[..1]);
        bench.push(id, std::slice::from_ref(&stranger));
        assert_eq!(bench.reasons(), [ReasonCode::MixedPatients]);
        assert_eq!(bench.holds(Zone::Research), [digest(&files[0])]);
        bench.push(id, &files[2..]);
        assert_eq!(bench.holds(Zone::Research), digests(&[files[0].clone(), files[2].clone()]));
        bench.assert_tidy();
    }
}

#[test]
fn each_project_has_what_its_own_profile_lets_pass() {
    let projects = "[[project]]\nname = \"research\"\n[[project]]\nname = \"strict\"\n\
                    profile = \"research\"\n";
    let (bench, _) = Bench::with(projects);
    let files: Vec<Vec<u8>> = slices(2).iter().map(|file| garbled(file)).collect();
    let report = &bench.push(OTHER, &files)[0];
    assert_eq!((report.scrubbed, report.quarantined), (2, 2));
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    let strict = scanveil_model::ProjectName::parse("strict").unwrap();
    assert!(bench.site.catalog.current_objects(&strict).unwrap().is_empty());
    assert_eq!(bench.holds(Zone::Quarantine), digests(&files));
    assert_eq!(bench.outcome(OTHER, &files[0]), Some(Outcome::Accepted));
    bench.assert_tidy();
}

#[test]
fn what_was_in_the_spool_at_a_crash_is_processed_once() {
    let (bench, _) = Bench::new();
    let files = slices(3);
    let received: Vec<_> = files.iter().map(|file| bench.receive(KEEPER, file)).collect();
    bench.work(received[..2].to_vec()).unwrap();
    let (bench, pending) = bench.restart();
    assert_eq!(pending.len(), 1);
    bench.work(pending).unwrap();
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    bench.assert_tidy();
    let (_, pending) = bench.restart();
    assert!(pending.is_empty());
}

/// Changes a byte of each record that has a file of its own.
fn damage(bench: &Bench) {
    let folder = bench.dir.path().join("data/spool/large");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn a_damaged_record_is_set_aside_and_the_others_go_on() {
    let (bench, _) = Bench::new();
    let files = slices(2);
    // Longer than what goes into a segment, so that it has a file of its own.
    let large = scanveil_synth::ct_slices(12, 1, 1280).next().unwrap().unwrap().file;
    let mut received: Vec<_> = files.iter().map(|file| bench.receive(KEEPER, file)).collect();
    received.insert(0, bench.receive(KEEPER, &large));
    damage(&bench);
    let worker = Worker::start(Arc::clone(&bench.site), received).unwrap();
    let stats = || bench.site.spool().unwrap().stats();
    assert!(wait_until(LONG, || stats().pending == 0));
    assert_eq!(stats().set_aside, 1);
    worker.stop();
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    let (bench, pending) = bench.restart();
    assert!(pending.is_empty());
    assert_eq!(bench.site.spool().unwrap().stats().set_aside, 1, "until somebody decides");
}

#[test]
fn a_study_of_an_erased_patient_waits_and_keeps_nobody_back() {
    let (bench, _) = Bench::new();
    let files = slices(2);
    bench.push(KEEPER, &files[..1]);
    let keeper = hospital(KEEPER);
    let subject = bench.site.catalog.studies(&project()).unwrap()[0].subject;
    bench.site.keyring.destroy_subject(&keeper, &subject).unwrap();
    let received = vec![bench.receive(KEEPER, &files[1])];
    let error = bench.work(received).unwrap_err();
    assert_eq!(error.code(), "SV-VAULT-107");
    assert!(!error.concerns_all());
    assert_eq!(bench.site.spool().unwrap().stats().pending, 1);
}
