//! Every run over a study leaves its certificate in the store, as `scanveil scrub` would write it.

use super::bench::*;
use crate::{plan_batch, run_batch};
use scanveil_catalog::{ObjectFilter, ObjectRecord};
use scanveil_dataset::{Limits, open_slice};
use scanveil_model::{Digest, Generation, Zone};
use scanveil_scrub::{Certifying, Profile, StudyIdentity, StudyScrubber};
use scanveil_seal::PackReader;
use scanveil_storage::{ObjectKey, StoreCall, StoreFault};
use scanveil_synth::ct_slices;

/// The certificate of the same files from the scrubber alone, under the same secret.
fn by_scrubber(bench: &Bench, id: &str, profile: &str, files: &[Vec<u8>]) -> String {
    let profile = Profile::builtin(profile).unwrap();
    let keys = bench.site.keyring.hospital(&hospital(id)).unwrap();
    let secret = keys.secret(keys.secret_version).unwrap().project_secret(&project());
    let limits = Limits::default();
    let mut identity = StudyIdentity::new();
    for file in files {
        identity.observe(&open_slice(file, &limits).unwrap().0).unwrap();
    }
    let scrubber = StudyScrubber::new(&profile, &secret, identity).unwrap().without_attributes();
    let mut certifying = Certifying::new();
    for file in files {
        let (header, body) = open_slice(file, &limits).unwrap();
        match scrubber.scrub(&header, body, &mut Vec::new()) {
            Ok(scrubbed) => certifying.clean(&scrubbed),
            Err(reason) => certifying.held_back(reason.code.as_str()),
        }
    }
    certifying.finish(&profile).unwrap().to_json()
}

fn research_objects(bench: &Bench, generation: u32) -> Vec<ObjectRecord> {
    let filter = ObjectFilter { zone: Some(Zone::Research), ..ObjectFilter::default() };
    let mut objects = bench.site.catalog.objects(&filter, u32::MAX).unwrap();
    objects.retain(|object| object.generation == Some(Generation(generation)));
    objects
}

/// The certificates of a generation, each with its digest by the catalogue; no other pack has one.
fn stored(bench: &Bench, generation: u32) -> Vec<String> {
    let mut found = Vec::new();
    for object in research_objects(bench, generation) {
        let key = ObjectKey::new(Zone::Research, object.hospital.clone(), object.object);
        let keys = &bench.site.keyring;
        let subject = keys.existing_subject(&object.hospital, &object.subject).unwrap();
        let reader = bench.site.store.open(&key).unwrap();
        let pack = PackReader::open(reader, |_| Ok(subject.zone_key(Zone::Research))).unwrap();
        let text = pack.index().certificate.clone();
        let digest = text.as_ref().map(|text| Digest(*blake3::hash(text.as_bytes()).as_bytes()));
        assert_eq!(object.certificate, digest);
        found.extend(text);
    }
    found
}

#[test]
fn the_certificate_is_the_scrubbers_byte_for_byte() {
    // Three large instances have packs of their own; the small ones share one.
    let mut files: Vec<Vec<u8>> = ct_slices(11, 3, 1600).map(|one| one.unwrap().file).collect();
    files.extend(slices(6).split_off(3));
    let wrong = files.len() - 1;
    files[wrong] = burned_in(&files[wrong]);
    let (bench, _) = Bench::new();
    bench.push(KEEPER, &files);
    assert_eq!(research_objects(&bench, 1).len(), 4);
    let wanted = by_scrubber(&bench, KEEPER, "basic", &files);
    assert!(wanted.contains("\"burned-in-text\": 1") && wanted.contains("\"instances\": 5"));
    assert_eq!(stored(&bench, 1), std::slice::from_ref(&wanted));

    // Each further run has its own, and those before stay.
    let plan = plan_batch(&bench.site, &hospital(KEEPER), &project(), Some(HOLDING)).unwrap();
    run_batch(&bench.site, &plan, Some(HOLDING), |_| {}).unwrap();
    let wanted = [wanted, by_scrubber(&bench, KEEPER, HOLDING, &files)];
    assert_ne!(wanted[0], wanted[1]);
    assert_eq!([stored(&bench, 1), stored(&bench, 2)].concat(), wanted);
}

#[test]
fn a_run_that_is_repeated_leaves_the_same_certificate_once() {
    for id in [KEEPER, OTHER] {
        let (bench, _) = Bench::new();
        let files = slices(3);
        let received: Vec<_> = files.iter().map(|file| bench.receive(id, file)).collect();
        bench.store.fail(StoreCall::Put, 1, StoreFault::LoseAnswer);
        bench.work(received).unwrap_err();
        let (bench, pending) = bench.restart();
        bench.work(pending).unwrap();
        assert_eq!(stored(&bench, 1), [by_scrubber(&bench, id, "basic", &files)]);
        bench.assert_tidy();
    }
}

#[test]
fn what_is_added_is_certified_with_the_whole_study_or_where_that_is_gone_by_itself() {
    let files = slices(3);
    let (bench, _) = Bench::new();
    bench.push(KEEPER, &files[..2]);
    bench.push(KEEPER, &files[2..]);
    assert_eq!(stored(&bench, 2), [by_scrubber(&bench, KEEPER, "basic", &files)]);

    let (bench, _) = Bench::new();
    bench.push(OTHER, &files[..2]);
    bench.push(OTHER, &files[2..]);
    let mut wanted =
        [&files[..2], &files[2..]].map(|part| by_scrubber(&bench, OTHER, "basic", part));
    let mut found = stored(&bench, 1);
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted);
}

#[test]
fn where_nothing_comes_out_there_is_no_certificate() {
    let (bench, _) = Bench::new();
    bench.push(KEEPER, &[burned_in(&slices(1)[0])]);
    assert!(research_objects(&bench, 1).is_empty());
}
