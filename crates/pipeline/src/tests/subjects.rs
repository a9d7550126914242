//! A change of the hospital's secret, and the way back from a pseudonym.

use super::bench::*;
use crate::{Sought, SubjectSearch, find_subjects, plan_batch, run_batch};
use scanveil_catalog::ObjectFilter;
use scanveil_model::{Generation, Uid, Zone};
use scanveil_seal::{PackIndex, PackReader};
use scanveil_storage::ObjectKey;
use scanveil_synth::mr_slices;
use std::collections::BTreeSet;

/// The research packs of a hospital.
fn packs(bench: &Bench, of: &str) -> Vec<PackIndex> {
    let hospital = Some(hospital(of));
    let filter = ObjectFilter { zone: Some(Zone::Research), hospital, ..ObjectFilter::default() };
    let objects = bench.site.catalog.objects(&filter, u32::MAX).unwrap();
    let open = |object: &scanveil_catalog::ObjectRecord| {
        let key = ObjectKey::new(Zone::Research, object.hospital.clone(), object.object);
        let subject = bench.site.keyring.existing_subject(&object.hospital, &object.subject);
        let subject = subject.unwrap();
        let reader = bench.site.store.open(&key).unwrap();
        let pack = PackReader::open(reader, |_| Ok(subject.zone_key(Zone::Research))).unwrap();
        pack.index().clone()
    };
    objects.iter().map(open).collect()
}

fn pseudonyms(packs: &[PackIndex], generation: u32) -> BTreeSet<String> {
    let of = packs.iter().filter(|pack| pack.generation == Some(Generation(generation)));
    of.filter_map(|pack| pack.patient_pseudonym.clone()).collect()
}

fn search(bench: &Bench, of: &str, sought: Sought<'_>) -> SubjectSearch {
    find_subjects(&bench.site, &hospital(of), &project(), sought).unwrap()
}

/// Two patients.
fn filled() -> (Bench, Vec<Vec<u8>>) {
    let (bench, _) = Bench::new();
    let mut files = slices(2);
    files.extend(mr_slices(11, 2, 32).map(|slice| slice.unwrap().file));
    bench.push(KEEPER, &files);
    (bench, files)
}

#[test]
fn a_changed_secret_makes_everything_outdated_and_a_batch_moves_it() {
    let (bench, files) = filled();
    let keeper = hospital(KEEPER);
    let plan = || plan_batch(&bench.site, &keeper, &project(), None).unwrap();
    assert!(plan().changes.is_empty());
    bench.site.keyring.change_secret(&keeper, "yearly", 1).unwrap();
    let planned = plan();
    assert_eq!(planned.changes.len(), 2);
    assert!(planned.profile.ends_with(".s2"), "{}", planned.profile);
    assert_eq!(run_batch(&bench.site, &planned, None, |_| {}).unwrap().scrubbed, 4);
    assert!(plan().changes.is_empty());
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    let packs = packs(&bench, KEEPER);
    let (old, new) = (pseudonyms(&packs, 1), pseudonyms(&packs, 2));
    assert_eq!((old.len(), new.len()), (2, 2));
    assert!(old.is_disjoint(&new), "one patient, two secrets, two pseudonyms");
    for pack in &packs {
        let later = pack.profile.as_ref().unwrap().ends_with(".s2");
        assert_eq!(later, pack.generation == Some(Generation(2)));
    }
    bench.assert_tidy();
}

#[test]
fn what_joins_a_generation_keeps_its_pseudonym() {
    let (bench, _) = Bench::new();
    let files = slices(3);
    bench.push(OTHER, &files[..2]);
    bench.site.keyring.change_secret(&hospital(OTHER), "yearly", 1).unwrap();
    bench.push(OTHER, &files[2..]);
    let joined = packs(&bench, OTHER);
    assert_eq!(joined.iter().map(|pack| pack.entries.len()).sum::<usize>(), 3);
    assert_eq!(pseudonyms(&joined, 1).len(), 1, "a study without originals stays one study");
    assert!(joined.iter().all(|pack| !pack.profile.as_ref().unwrap().contains(".s")));
    let plan = plan_batch(&bench.site, &hospital(OTHER), &project(), None).unwrap();
    assert_eq!((plan.changes.len(), plan.without_originals), (0, 1));
    // Another study gets the secret in force.
    let other: Vec<Vec<u8>> = mr_slices(11, 1, 32).map(|slice| slice.unwrap().file).collect();
    bench.push(OTHER, &other);
    let later = packs(&bench, OTHER);
    assert!(later.iter().any(|pack| pack.profile.as_ref().unwrap().ends_with(".s2")));
}

#[test]
fn a_pseudonym_and_a_uid_lead_back_to_the_patient_under_any_version() {
    let (bench, _) = filled();
    let keeper = hospital(KEEPER);
    bench.site.keyring.change_secret(&keeper, "yearly", 1).unwrap();
    let plan = plan_batch(&bench.site, &keeper, &project(), None).unwrap();
    run_batch(&bench.site, &plan, None, |_| {}).unwrap();
    let mut patients = BTreeSet::new();
    for pack in packs(&bench, KEEPER) {
        let pseudonym = pack.patient_pseudonym.as_ref().unwrap();
        let found = search(&bench, KEEPER, Sought::Pseudonym(pseudonym));
        assert_eq!((found.found.len(), found.not_recomputed, found.unreadable), (1, 0, 0));
        let one = found.found.first().unwrap();
        assert!(one.pseudonym == *pseudonym && one.subject == pack.subject);
        assert_eq!(one.secret_version, pack.generation.unwrap().0);
        assert!(!one.patient_id.is_empty());
        patients.insert((one.subject, one.patient_id.clone(), one.issuer.clone()));
        let entry = &pack.entries[0];
        for uid in [&entry.study_instance_uid, &entry.sop_instance_uid] {
            let by_uid = search(&bench, KEEPER, Sought::Uid(uid.as_ref().unwrap()));
            assert!(by_uid.found == found.found, "a UID is one patient's, of one version");
        }
        // The other hospital has nothing of it.
        assert_eq!(search(&bench, OTHER, Sought::Pseudonym(pseudonym)).copies, 0);
    }
    assert_eq!(patients.len(), 2, "both versions lead to the same two patients");
    let nobody = Uid::parse("2.25.1").unwrap();
    assert_eq!(search(&bench, KEEPER, Sought::Uid(&nobody)).copies, 0);
    assert_eq!(search(&bench, KEEPER, Sought::Pseudonym("SV0123456789ABCDEF")).copies, 0);
}

#[test]
fn without_originals_or_after_erasure_nobody_is_found() {
    let (bench, _) = filled();
    bench.push(OTHER, &slices(2));
    let pack = &packs(&bench, OTHER)[0];
    let found = search(&bench, OTHER, Sought::Pseudonym(pack.patient_pseudonym.as_ref().unwrap()));
    assert!((found.copies, found.without_original) == (1, 1) && found.found.is_empty());
    let pack = &packs(&bench, KEEPER)[0];
    let pseudonym = pack.patient_pseudonym.as_ref().unwrap();
    assert_eq!(search(&bench, KEEPER, Sought::Pseudonym(pseudonym)).found.len(), 1);
    bench.site.keyring.destroy_subject(&hospital(KEEPER), &pack.subject).unwrap();
    assert_eq!(search(&bench, KEEPER, Sought::Pseudonym(pseudonym)).copies, 0);
}
