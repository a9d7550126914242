//! Store and catalogue held against each other.

use super::fixture::{World, hospital};
use crate::{CatalogError, Outcomes, Publication};
use scanveil_model::{ObjectId, Zone};
use scanveil_seal::RawZone;
use scanveil_storage::{KeyPrefix, ObjectKey};
use std::collections::BTreeSet;
use std::fs;
use std::io;

fn key(zone: Zone, object: u8) -> ObjectKey {
    ObjectKey::new(zone, hospital(), ObjectId([object; 16]))
}

fn nothing() -> io::Result<BTreeSet<ObjectKey>> {
    Ok(BTreeSet::new())
}

#[test]
fn each_side_names_what_only_the_other_has() {
    let world = World::new();
    let packs: Vec<_> =
        (1..=5).map(|n| world.pack(n, RawZone::Vault, n, &[("content", &[])])).collect();
    // The fifth is put and not published.
    world.publish(&packs[..4].iter().collect::<Vec<_>>(), &[]);
    let whole = |under_way: &(dyn Fn() -> io::Result<BTreeSet<ObjectKey>> + Sync)| {
        world.catalog.compare(&world.store, &KeyPrefix::All, under_way).unwrap()
    };
    let noted = || Ok(BTreeSet::from([key(Zone::Vault, 5)]));
    let found = whole(&noted);
    assert_eq!((found.objects, found.under_way), (4, 1));
    assert!(found.missing.is_empty() && found.resized.is_empty() && found.unknown.is_empty());

    world.store.delete(&key(Zone::Vault, 1)).unwrap();
    let withdrawn = &[ObjectId([2; 16])];
    world.catalog.publish(&Outcomes { withdrawn, ..Outcomes::default() }).unwrap();
    let file = world.folder.path().join("store").join(key(Zone::Vault, 3).to_string());
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let found = whole(&nothing);
    assert_eq!((found.objects, found.under_way), (2, 0));
    assert_eq!(found.missing.iter().map(|one| one.object.0[0]).collect::<Vec<_>>(), [1]);
    assert_eq!(found.unknown, [key(Zone::Vault, 2), key(Zone::Vault, 5)]);
    let resized: Vec<_> = found.resized.iter().map(|(one, n)| (one.object.0[0], *n)).collect();
    assert_eq!(resized, [(3, bytes.len() as u64 - 1)]);

    // Only what the prefix holds.
    for prefix in [
        KeyPrefix::Zone(Zone::Research),
        KeyPrefix::Hospital(Zone::Vault, scanveil_model::HospitalId::parse("grace").unwrap()),
    ] {
        let found = world.catalog.compare(&world.store, &prefix, &nothing).unwrap();
        assert_eq!((found.objects, found.missing.len(), found.unknown.len()), (0, 0, 0));
    }
    let failing = || Err(io::ErrorKind::PermissionDenied.into());
    let error = world.catalog.compare(&world.store, &KeyPrefix::All, &failing).unwrap_err();
    assert!(matches!(error, CatalogError::Io { .. }), "{error}");
}

#[test]
fn what_is_published_while_it_is_listed_is_no_finding() {
    let world = World::new();
    let pack = world.pack(1, RawZone::Vault, 1, &[("content", &[])]);
    // Noted, put and listed, then published before the rows are read; the note is gone by then.
    let publish = || {
        let objects = &[Publication { stored: &pack.stored, index: &pack.index }];
        world.catalog.publish(&Outcomes { objects, ..Outcomes::default() }).unwrap();
        nothing()
    };
    let found = world.catalog.compare(&world.store, &KeyPrefix::All, &publish).unwrap();
    assert_eq!((found.objects, found.unknown.len()), (1, 0));
    // Listed, and taken back since.
    let withdraw = || {
        let withdrawn = &[ObjectId([1; 16])];
        world.catalog.publish(&Outcomes { withdrawn, ..Outcomes::default() }).unwrap();
        world.store.delete(&key(Zone::Vault, 1)).unwrap();
        nothing()
    };
    let found = world.catalog.compare(&world.store, &KeyPrefix::All, &withdraw).unwrap();
    assert_eq!((found.objects, found.missing.len(), found.unknown.len()), (0, 0, 0));
}
