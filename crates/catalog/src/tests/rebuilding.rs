use super::fixture::{Pack, World, arrival, digest, dump, hospital, project};
use crate::{BatchPlan, Catalog, CatalogError, KnownOriginal, Outcome, Publication, RecordId};
use scanveil_model::{ObjectId, ReasonCode};
use scanveil_seal::{RawZone, StudyKey};
use scanveil_storage::KeyPrefix;

fn filled() -> (World, Vec<Pack>) {
    let world = World::new();
    let packs = vec![
        world.pack(1, RawZone::Vault, 1, &[("a", &[]), ("b", &[])]),
        world.pack(2, RawZone::Quarantine, 1, &[("b", &[ReasonCode::Video])]),
    ];
    world.publish(
        &packs.iter().collect::<Vec<_>>(),
        &[
            arrival(1, 1, "a", Outcome::Accepted),
            arrival(2, 2, "b", Outcome::Quarantined),
            arrival(3, 1, "a", Outcome::Accepted),
        ],
    );
    world.generation(1, 2, "basic@0123456789abcdef", "1.0.0");
    let plan = BatchPlan {
        batch: RecordId::parse("b1").unwrap(),
        hospital: hospital(),
        project: project(),
        profile: "p".into(),
        engine: "e".into(),
        created_at_ms: 1,
        studies: vec![StudyKey([1; 16])],
    };
    world.catalog.create_batch(&plan).unwrap();
    (world, packs)
}

/// Feeds what the store holds, as a rebuild does: keys and tags from the store, indexes from packs.
fn feed(world: &World, packs: &[Pack], rebuild: &crate::Rebuild) {
    for info in world.store.objects(KeyPrefix::All) {
        let key = info.unwrap().key;
        let stored = world.store.confirm(&key).unwrap();
        let index = &packs.iter().find(|p| p.stored.key() == &key).unwrap().index;
        rebuild.add(&[Publication { stored: &stored, index }]).unwrap();
    }
    let (source, outcome) = (digest("a"), Outcome::Accepted);
    let known = [KnownOriginal { sop_key: [1; 16], source, content: None, outcome }];
    rebuild.add_known(&hospital(), &known).unwrap();
}

#[test]
fn with_the_old_one_at_hand_nothing_is_lost() {
    let (world, packs) = filled();
    let before = world.dump();
    let path = world.path();
    let rebuild = Catalog::begin_rebuild(&path).unwrap();
    feed(&world, &packs, &rebuild);
    assert!(rebuild.carry_over(&[]).unwrap());
    world.catalog.db.close();
    let kept = rebuild.finish().unwrap().unwrap();
    assert_eq!(dump(&Catalog::open(&path).unwrap()), before);
    assert!(!path.with_extension("db.rebuild").exists());
    assert_eq!(kept, path.with_extension("db.old-1"));
    assert_eq!(dump(&Catalog::open(&kept).unwrap()), before, "the old one is kept");
}

#[test]
fn what_is_gone_stays_known_unless_it_is_left_out() {
    let (world, packs) = filled();
    world.research(10, 1, 2, "a");
    let before = world.dump();
    let path = world.path();
    world.catalog.db.close();
    // The store has nothing of study 1 but what it holds in quarantine.
    let begin = || {
        let rebuild = Catalog::begin_rebuild(&path).unwrap();
        let Pack { stored, index } = &packs[1];
        rebuild.add(&[Publication { stored, index }]).unwrap();
        rebuild
    };
    let rebuild = begin();
    assert!(rebuild.carry_over(&[]).unwrap());
    assert_eq!(rebuild.finish().unwrap(), Some(path.with_extension("db.old-1")));
    let again = Catalog::open(&path).unwrap();
    assert_eq!(dump(&again), before);
    again.db.close();
    let rebuild = begin();
    assert!(rebuild.carry_over(&[ObjectId([1; 16]), ObjectId([10; 16])]).unwrap());
    assert_eq!(rebuild.finish().unwrap(), Some(path.with_extension("db.old-2")));
    let fresh = Catalog::open(&path).unwrap();
    let left = fresh.objects(&crate::ObjectFilter::default(), 10).unwrap();
    assert_eq!(left.iter().map(|object| object.object.0[0]).collect::<Vec<_>>(), [2]);
    assert!(fresh.instances(&ObjectId([10; 16])).unwrap().is_empty());
}

#[test]
fn without_the_old_one_the_store_tells_enough() {
    let (world, packs) = filled();
    let path = world.folder.path().join("fresh.db");
    let rebuild = Catalog::begin_rebuild(&path).unwrap();
    feed(&world, &packs, &rebuild);
    assert!(!rebuild.carry_over(&[]).unwrap());
    rebuild.finish().unwrap();
    let fresh = Catalog::open(&path).unwrap();
    let rows = |rows: Vec<String>, table: &str| -> Vec<String> {
        rows.into_iter().filter(|row| row.starts_with(table)).collect()
    };
    for table in ["instances ", "quarantine ", "studies ", "subjects "] {
        assert_eq!(rows(dump(&fresh), table), rows(world.dump(), table));
    }
    let known = fresh.known_instance(&hospital(), &[1; 16]).unwrap().unwrap();
    assert_eq!(known.source, digest("a"));
}

#[test]
fn an_abandoned_rebuild_leaves_the_old_one() {
    let (world, packs) = filled();
    let before = world.dump();
    let rebuild = Catalog::begin_rebuild(&world.path()).unwrap();
    feed(&world, &packs, &rebuild);
    drop(rebuild);
    assert_eq!(world.dump(), before);
    // The next attempt clears what the first one left.
    let rebuild = Catalog::begin_rebuild(&world.path()).unwrap();
    assert_eq!(dump(rebuild.catalog()).len(), 1, "the schema's version alone");
}

#[test]
fn a_catalogue_in_use_is_not_replaced() {
    let (world, packs) = filled();
    let before = world.dump();
    let rebuild = Catalog::begin_rebuild(&world.path()).unwrap();
    feed(&world, &packs, &rebuild);
    assert!(matches!(rebuild.finish(), Err(CatalogError::Busy)));
    assert_eq!(world.dump(), before);
}

#[test]
fn a_damaged_catalogue_is_replaced() {
    let (world, packs) = filled();
    let path = world.path();
    world.catalog.db.close();
    std::fs::write(&path, vec![0xa5; 4096]).unwrap();
    std::fs::write(path.with_extension("db-wal"), b"left behind").unwrap();
    let rebuild = Catalog::begin_rebuild(&path).unwrap();
    feed(&world, &packs, &rebuild);
    assert!(!rebuild.carry_over(&[]).unwrap());
    let kept = rebuild.finish().unwrap().unwrap();
    assert_eq!(std::fs::read(&kept).unwrap(), vec![0xa5; 4096]);
    let fresh = Catalog::open(&path).unwrap();
    assert_eq!(fresh.objects(&crate::ObjectFilter::default(), 10).unwrap().len(), 2);
}
