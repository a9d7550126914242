use super::fixture::{World, digest, hospital, project, run_id};
use crate::{BatchPlan, BatchProgress, Catalog, CatalogError, ItemEnd, RecordId, ReleaseRecord};
use scanveil_model::ProjectName;
use scanveil_seal::StudyKey;
use std::collections::BTreeSet;

fn plan(id: &str, studies: u8) -> BatchPlan {
    BatchPlan {
        batch: RecordId::parse(id).unwrap(),
        hospital: hospital(),
        project: project(),
        profile: "basic@0123456789abcdef".into(),
        engine: "1.0.0".into(),
        created_at_ms: 1000,
        studies: (0..studies).map(|n| StudyKey([n; 16])).collect(),
    }
}

fn progress(catalog: &Catalog, plan: &BatchPlan) -> (u64, u64, u64, u64) {
    let BatchProgress { pending, claimed, done, failed } =
        catalog.batch(&plan.batch).unwrap().progress;
    (pending, claimed, done, failed)
}

#[test]
fn record_identifiers_are_checked() {
    let long = "a".repeat(65);
    let table =
        [("2026-01", true), ("a", true), ("", false), ("A", false), ("a/b", false), (&long, false)];
    for (text, ok) in table {
        assert_eq!(RecordId::parse(text).is_ok(), ok, "{text}");
    }
}

#[test]
fn the_same_plan_again_changes_nothing() {
    let world = World::new();
    let first = plan("b1", 3);
    world.catalog.create_batch(&first).unwrap();
    let before = world.dump();
    world.catalog.create_batch(&BatchPlan { created_at_ms: 2000, ..first.clone() }).unwrap();
    assert_eq!(world.dump(), before);
    let others = [
        BatchPlan { profile: "strict@0123456789abcdef".into(), ..first.clone() },
        BatchPlan { engine: "2".into(), ..first.clone() },
        BatchPlan { project: ProjectName::parse("x").unwrap(), ..first.clone() },
        BatchPlan { studies: first.studies[..2].to_vec(), ..first.clone() },
        BatchPlan { studies: first.studies.iter().rev().copied().collect(), ..first.clone() },
    ];
    for other in &others {
        let result = world.catalog.create_batch(other);
        assert!(matches!(result, Err(CatalogError::Exists { kind: "batch", .. })));
    }
    assert_eq!(world.dump(), before);
    let none = RecordId::parse("none").unwrap();
    assert!(matches!(world.catalog.batch(&none), Err(CatalogError::NotFound { .. })));
}

#[test]
fn a_killed_run_is_taken_over() {
    let world = World::new();
    let plan = plan("b1", 3);
    world.catalog.create_batch(&plan).unwrap();
    let dead = run_id(1);
    let first = world.catalog.next_item(&plan.batch, &dead).unwrap().unwrap();
    assert_eq!((first.item, first.study_key), (0, StudyKey([0; 16])));
    assert!(world.catalog.finish_item(&plan.batch, 0, &dead, ItemEnd::Done).unwrap());
    world.catalog.next_item(&plan.batch, &dead).unwrap().unwrap();
    assert_eq!(progress(&world.catalog, &plan), (1, 1, 1, 0));

    // The process is gone; the next one opens the file anew.
    let catalog = Catalog::open(&world.path()).unwrap();
    let run = run_id(2);
    assert_eq!(catalog.take_over_batch(&plan.batch, &run).unwrap(), 1);
    assert_eq!(catalog.take_over_batch(&plan.batch, &run).unwrap(), 0);
    let again = catalog.next_item(&plan.batch, &run).unwrap().unwrap();
    assert_eq!(again.item, 1);
    let lost = world.catalog.finish_item(&plan.batch, 1, &dead, ItemEnd::Done);
    assert!(matches!(lost, Err(CatalogError::ClaimLost { item: 1, .. })));
    assert!(catalog.finish_item(&plan.batch, 1, &run, ItemEnd::Failed("SV-SEAL-022")).unwrap());
    assert!(!catalog.finish_item(&plan.batch, 1, &run, ItemEnd::Done).unwrap(), "only once");
    let last = catalog.next_item(&plan.batch, &run).unwrap().unwrap();
    assert!(catalog.finish_item(&plan.batch, last.item, &run, ItemEnd::Done).unwrap());
    assert_eq!(catalog.next_item(&plan.batch, &run).unwrap(), None);
    assert_eq!(progress(&catalog, &plan), (0, 0, 2, 1));
    assert!(catalog.batch(&plan.batch).unwrap().progress.is_finished());
    let failed = catalog.failed_items(&plan.batch).unwrap();
    assert_eq!((failed[0].0.item, failed[0].1.as_str()), (1, "SV-SEAL-022"));
    assert_eq!(catalog.retry_failed(&plan.batch).unwrap(), 1);
    assert_eq!(progress(&catalog, &plan), (1, 0, 2, 0));
}

#[test]
fn threads_share_the_items_without_overlap() {
    let world = World::new();
    let plan = plan("b1", 40);
    world.catalog.create_batch(&plan).unwrap();
    let claims: Vec<Vec<u64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    while let Some(item) = world.catalog.next_item(&plan.batch, &run_id(1)).unwrap()
                    {
                        mine.push(item.item);
                    }
                    mine
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let all: BTreeSet<u64> = claims.iter().flatten().copied().collect();
    assert_eq!(all.len(), 40);
    assert_eq!(claims.iter().map(Vec::len).sum::<usize>(), 40);
}

#[test]
fn batches_and_releases_are_listed_newest_first() {
    let world = World::new();
    for (id, at) in [("b1", 1), ("b2", 3), ("b3", 2)] {
        let batch = BatchPlan { created_at_ms: at, ..plan(id, 2) };
        world.catalog.create_batch(&batch).unwrap();
        let release = ReleaseRecord {
            release: batch.batch,
            project: project(),
            created_at_ms: at,
            engine: "1.0.0".into(),
            instances: 7,
            bytes: 70,
            list_digest: digest(id),
        };
        world.catalog.record_release(&release, &[]).unwrap();
        world.catalog.record_release(&release, &[]).unwrap();
        let other = ReleaseRecord { list_digest: digest("other"), ..release };
        let result = world.catalog.record_release(&other, &[]);
        assert!(matches!(result, Err(CatalogError::Exists { kind: "release", .. })));
    }
    let batches = world.catalog.batches().unwrap();
    let ids: Vec<_> = batches.iter().map(|b| b.batch.as_str()).collect();
    assert_eq!(ids, ["b2", "b3", "b1"]);
    assert_eq!(batches[0].progress.total(), 2);
    let releases = world.catalog.releases().unwrap();
    let ids: Vec<_> = releases.iter().map(|r| r.release.as_str()).collect();
    assert_eq!(ids, ["b2", "b3", "b1"]);
    assert_eq!((releases[0].instances, releases[0].bytes), (7, 70));
}
