use super::fixture::{ORIGINAL, World, arrival, digest, hospital};
use crate::{CatalogError, Outcome, Outcomes, Stage};
use scanveil_model::{Generation, ReasonCode, Zone};
use scanveil_seal::RawZone;

#[test]
fn publishing_twice_changes_nothing() {
    let world = World::new();
    let vault = world.pack(1, RawZone::Vault, 1, &[("a", &[]), ("b", &[])]);
    let held = world.pack(2, RawZone::Quarantine, 1, &[("b", &[ReasonCode::Video])]);
    let arrivals =
        [arrival(1, 1, "a", Outcome::Accepted), arrival(2, 2, "b", Outcome::Quarantined)];
    world.publish(&[&vault, &held], &arrivals);
    let before = world.dump();
    assert_eq!(before.iter().filter(|row| row.starts_with("instances ")).count(), 3);
    world.publish(&[&vault, &held], &arrivals);
    assert_eq!(world.dump(), before);
    let counted: Vec<_> =
        world.catalog.counters().unwrap().into_iter().map(|c| (c.stage, c.total)).collect();
    let bytes = vault.stored.bytes() + held.stored.bytes();
    let wanted = [
        (Stage::Received, 2),
        (Stage::Quarantined, 1),
        (Stage::Kept, 2),
        (Stage::Stored, 2),
        (Stage::StoredBytes, bytes),
    ];
    assert_eq!(counted, wanted);
}

#[test]
fn nothing_of_a_failed_call_is_seen() {
    let world = World::new();
    let good = world.pack(1, RawZone::Vault, 1, &[("a", &[])]);
    let mut bad = world.pack(2, RawZone::Vault, 1, &[("b", &[])]);
    bad.index.zone = Zone::Quarantine;
    let before = world.dump();
    let objects = [good.publication(), bad.publication()];
    let arrivals = [arrival(1, 1, "a", Outcome::Accepted)];
    let outcomes = Outcomes { objects: &objects, arrivals: &arrivals, ..Outcomes::default() };
    let error = world.catalog.publish(&outcomes).unwrap_err();
    assert!(matches!(error, CatalogError::Mismatch { what: "the zone" }), "{error}");
    assert_eq!(world.dump(), before);
    assert!(!world.catalog.is_finished(&[1; 16]).unwrap());
}

#[test]
fn object_and_index_must_belong_together() {
    let world = World::new();
    let pack = || world.pack(1, RawZone::Vault, 1, &[("a", &[])]);
    let mut cases = [pack(), pack(), pack(), pack()];
    cases[0].index.hospital = scanveil_model::HospitalId::parse("other").unwrap();
    cases[1].index.generation = Some(Generation(1));
    cases[2].index.project = Some(super::fixture::project());
    cases[3].index.profile = Some("basic@0123456789abcdef".into());
    for (i, case) in cases.iter().enumerate() {
        let objects = [case.publication()];
        let outcomes = Outcomes { objects: &objects, ..Outcomes::default() };
        let result = world.catalog.publish(&outcomes);
        assert!(matches!(result, Err(CatalogError::Mismatch { .. })), "case {i}");
    }
}

#[test]
fn no_original_uid_is_in_the_file() {
    let world = World::new();
    let vault = world.pack(1, RawZone::Vault, 1, &[("a", &[])]);
    let held = world.pack(2, RawZone::Quarantine, 1, &[("b", &[ReasonCode::Video])]);
    assert!(vault.index.entries[0].sop_instance_uid.as_ref().unwrap().as_str() == ORIGINAL);
    world.publish(&[&vault, &held], &[arrival(1, 1, "a", Outcome::Accepted)]);
    world.catalog.db.close();
    let bytes = std::fs::read(world.path()).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("st-wystan"), "the file holds what was published");
    assert!(!holds(ORIGINAL));
    assert!(!world.path().with_extension("db-wal").exists(), "the log is folded in at the end");
}

#[test]
fn arrivals_tell_duplicates_and_conflicts() {
    use Outcome::{Accepted, Quarantined};
    // What arrives in turn under one UID, and what is known afterwards.
    type Case = (&'static [(&'static str, Outcome)], &'static str, Outcome, u64, u64);
    let table: &[Case] = &[
        (&[("a", Accepted)], "a", Accepted, 0, 0),
        (&[("a", Accepted), ("a", Accepted)], "a", Accepted, 1, 1),
        (&[("a.1", Accepted), ("a.2", Accepted)], "a.1", Accepted, 1, 1),
        (&[("a.1", Quarantined), ("a.2", Quarantined)], "a.1", Quarantined, 1, 1),
        (&[("a", Accepted), ("b", Quarantined)], "a", Accepted, 0, 0),
        (&[("a", Accepted), ("b", Accepted)], "a", Accepted, 0, 0),
        (&[("a", Quarantined), ("b", Accepted)], "b", Accepted, 0, 0),
        (&[("a", Quarantined), ("b", Quarantined)], "b", Quarantined, 0, 0),
        (&[("a", Quarantined), ("a", Quarantined)], "a", Quarantined, 1, 1),
        (&[("a", Quarantined), ("a", Accepted)], "a", Accepted, 1, 1),
        (&[("a", Accepted), ("a", Quarantined)], "a", Accepted, 1, 1),
    ];
    for (i, (steps, content, outcome, repeats, duplicates)) in table.iter().enumerate() {
        let world = World::new();
        assert_eq!(world.catalog.known_instance(&hospital(), &[9; 16]).unwrap(), None);
        for (spool, (content, outcome)) in (1u8..).zip(*steps) {
            world.publish(&[], &[arrival(spool, 9, content, *outcome)]);
        }
        let known = world.catalog.known_instance(&hospital(), &[9; 16]).unwrap().unwrap();
        assert_eq!((known.source, known.outcome), (digest(content), *outcome), "case {i}");
        assert_eq!(known.repeats, *repeats, "case {i}");
        let counters = world.catalog.counters().unwrap();
        let total = |stage| counters.iter().find(|c| c.stage == stage).map_or(0, |c| c.total);
        assert_eq!(total(Stage::Received), steps.len() as u64, "case {i}");
        assert_eq!(total(Stage::Duplicate), *duplicates, "case {i}");
    }
}

#[test]
fn finished_instances_are_remembered_until_forgotten() {
    let world = World::new();
    let mut nameless = arrival(3, 0, "c", Outcome::Quarantined);
    nameless.sop_key = None;
    world.publish(&[], &[arrival(1, 1, "a", Outcome::Accepted), nameless]);
    let finished = |id: u8| world.catalog.is_finished(&[id; 16]).unwrap();
    assert!(finished(1) && finished(3) && !finished(2));
    world.catalog.forget_finished(&[[1; 16], [2; 16]]).unwrap();
    assert!(!finished(1) && finished(3));
}

#[test]
fn withdrawn_objects_go_with_all_they_hold() {
    let world = World::new();
    let held = world.pack(2, RawZone::Quarantine, 1, &[("b", &[ReasonCode::Video])]);
    world.publish(&[&held], &[]);
    let gone = [held.stored.object()];
    let outcomes = Outcomes { withdrawn: &gone, ..Outcomes::default() };
    world.catalog.publish(&outcomes).unwrap();
    let left = |table: &str| world.dump().iter().any(|row| row.starts_with(table));
    assert!(!left("objects ") && !left("instances ") && !left("quarantine "));
    assert_eq!(held.zone(), Zone::Quarantine);
}
