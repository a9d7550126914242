//! A release that would be short because something is gone is not made, and says what.

use super::fixture::{World, instance, project};
use crate::{LeftOut, Lost, ReleaseError, ReleaseMode, ReleaseRequest, Unreadable};
use scanveil_catalog::Outcomes;
use scanveil_model::{Coded, ObjectId};
use scanveil_storage::{FaultyStore, FolderStore, Store, StoreCall, StoreFault};
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Takes an object's rows out of the catalogue.
fn forget(world: &World, object: u8) {
    let withdrawn = &[ObjectId([object; 16])];
    world.catalog.publish(&Outcomes { withdrawn, ..Outcomes::default() }).unwrap();
}

fn lost(error: ReleaseError) -> Vec<Lost> {
    assert_eq!(error.code(), "SV-RELEASE-017");
    assert!(error.next_step().contains("scanveil store check"));
    match error {
        ReleaseError::Short { lost } => lost,
        other => panic!("{other}"),
    }
}

fn flip(world: &World, object: u8, at: usize) {
    let file = world.object_file(object);
    let mut bytes = fs::read(&file).unwrap();
    let at = at.min(bytes.len() - 30);
    bytes[at] ^= 0x40;
    fs::write(&file, bytes).unwrap();
}

#[test]
fn what_is_gone_stops_a_release_and_is_named() {
    type Fault = fn(&World);
    let table: &[(&str, Fault, &str, &str)] = &[
        (
            "the object is gone",
            |world| fs::remove_file(world.object_file(1)).unwrap(),
            "it is not in the store",
            "unreadable",
        ),
        (
            "its rows are gone",
            |world| forget(world, 1),
            "the catalogue does not know it",
            "not-in-catalogue",
        ),
        ("its header is damaged", |world| flip(world, 1, 20), "SV-SEAL-004", "unreadable"),
        ("its index is damaged", |world| flip(world, 1, usize::MAX), "SV-SEAL-005", "unreadable"),
        (
            "it was cut short",
            |world| {
                let file = fs::OpenOptions::new().write(true).open(world.object_file(1)).unwrap();
                file.set_len(100).unwrap();
            },
            "SV-SEAL",
            "unreadable",
        ),
    ];
    for (name, fault, what, reason) in table {
        let world = World::filled();
        let whole = world.create_as("whole", world.request()).unwrap();
        fs::remove_dir_all(world.out()).unwrap();
        fault(&world);
        let error = world.create(&world.request()).unwrap_err();
        let message = error.to_string();
        let found = lost(error);
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!((&found[0].object, found[0].instances), (&world.key(1), Some(3)), "{name}");
        assert!(found[0].what.contains(what), "{name}: {}", found[0].what);
        let study = found[0].study.as_deref().unwrap();
        let uids: BTreeSet<_> =
            whole.instances().iter().map(|one| one.study_instance_uid.as_str()).collect();
        assert!(uids.contains(study), "{name}: {study}");
        let id = ObjectId([1; 16]).to_string();
        for part in ["one object", "st-wystan", "research", &id, study, "3 instances"] {
            assert!(message.contains(part), "{name}: {part} in {message}");
        }
        assert!(!world.out().join("manifest.json").exists(), "{name}");
        let manifest = world
            .create(&ReleaseRequest {
                mode: ReleaseMode::Resume,
                unreadable: Unreadable::LeaveOut,
                ..world.request()
            })
            .unwrap();
        let left_out = [LeftOut { reason: (*reason).to_owned(), instances: 3 }];
        assert_eq!(
            (manifest.totals().instances, manifest.left_out()),
            (2, &left_out[..]),
            "{name}"
        );
    }
}

#[test]
fn everything_that_is_gone_is_named_at_once() {
    let world = World::filled();
    fs::remove_file(world.object_file(1)).unwrap();
    forget(&world, 2);
    flip(&world, 3, 20);
    let found = lost(world.create(&world.request()).unwrap_err());
    let objects: Vec<_> = found.iter().map(|one| one.object.clone()).collect();
    assert_eq!(objects, [world.key(1), world.key(2), world.key(3)]);
}

#[test]
fn what_an_older_generation_lacks_does_not_matter() {
    let mut world = World::filled();
    for (object, number) in [(11, 1), (12, 2)] {
        world.research(object, 1, 2, &[instance(1, number)]);
    }
    world.research(13, 2, 2, &[instance(1, 1)]);
    // Of the old generation one object is gone, and another's rows.
    fs::remove_file(world.object_file(1)).unwrap();
    forget(&world, 2);
    assert_eq!(world.create(&world.request()).unwrap().totals().instances, 3);
}

#[test]
fn objects_that_are_being_put_are_not_missed() {
    let world = World::filled();
    forget(&world, 3);
    let key = world.key(3);
    let noted = || BTreeSet::from([key.clone()]);
    let manifest = world.create_beside(&world.request(), &|_| {}, &noted).unwrap();
    assert_eq!((manifest.totals().instances, manifest.left_out().len()), (4, 0));
}

#[test]
fn erased_patients_are_left_out_and_stop_nothing() {
    let world = World::filled();
    world.keys.destroyed.store(true, Ordering::Relaxed);
    forget(&world, 3);
    let error = world.create(&world.request()).unwrap_err();
    assert!(matches!(error, ReleaseError::Empty { left_out: 4 }), "{error}");
}

#[test]
fn a_store_that_does_not_answer_has_lost_nothing() {
    let mut world = World::filled();
    let folder = FolderStore::open(&world.folder.path().join("store")).unwrap();
    let faulty = Arc::new(FaultyStore::new(Arc::new(folder)));
    world.store = Store::new(Arc::clone(&faulty) as _);
    let request = ReleaseRequest { unreadable: Unreadable::LeaveOut, ..world.request() };
    for (call, nth) in [(StoreCall::GetRange, 1), (StoreCall::GetRange, 12), (StoreCall::Head, 2)] {
        faulty.fail(call, nth, StoreFault::Refuse);
        let error = world.create(&request).unwrap_err();
        assert!(!matches!(error, ReleaseError::Short { .. }), "{error}");
        assert!(!world.out().join("manifest.json").exists());
        fs::remove_dir_all(world.out()).unwrap();
    }
    assert_eq!(world.create(&request).unwrap().totals().instances, 5);
    assert_eq!(world.catalog.releases().unwrap()[0].project, project());
}
