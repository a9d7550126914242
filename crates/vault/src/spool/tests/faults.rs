use super::super::*;
use super::support::{Rig, bytes, hospital, meta, pending_ids};
use std::collections::BTreeSet;
use std::io::Write;

/// What a run of commits and finishes was told, whatever failed under it.
#[derive(Default)]
struct Story {
    acknowledged: BTreeSet<SpoolId>,
    finished: BTreeSet<SpoolId>,
    /// Ids whose finish failed: they may be pending or not.
    unsure: BTreeSet<SpoolId>,
    refused: Vec<Vec<u8>>,
}

fn live_through(rig: &Rig, spool: &Spool) -> Story {
    let mut story = Story::default();
    let mut number = 0;
    for length in [1000, 200_000, 3000, 60_000] {
        number += 1;
        let content = bytes(number, length);
        match rig.commit(spool, &content, 1) {
            Ok(receipt) => _ = story.acknowledged.insert(receipt.id()),
            Err(_) => story.refused.push(content),
        }
    }
    let ids: Vec<_> = story.acknowledged.iter().copied().take(3).collect();
    match spool.finish(&ids) {
        Ok(()) => story.finished.extend(ids),
        Err(_) => story.unsure.extend(ids),
    }
    for length in [500, 250_000] {
        number += 1;
        let content = bytes(number, length);
        match rig.commit(spool, &content, 1) {
            Ok(receipt) => _ = story.acknowledged.insert(receipt.id()),
            Err(_) => story.refused.push(content),
        }
    }
    story
}

fn check(rig: &Rig, story: &Story, once: bool, at: usize) {
    let (spool, pending) = rig.open();
    let ids = pending_ids(&pending);
    let unique: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "operation {at}: a record is pending twice");
    for id in &story.acknowledged {
        let gone = story.finished.contains(id) || story.unsure.contains(id);
        assert!(gone || unique.contains(id), "operation {at}: an acknowledged record is lost");
        if story.finished.contains(id) {
            assert!(!unique.contains(id), "operation {at}: a finished record is pending again");
        }
    }
    let refused: BTreeSet<_> =
        story.refused.iter().map(|content| *blake3::hash(content).as_bytes()).collect();
    let mut buffer = Vec::new();
    for instance in &pending {
        spool.read_into(instance, &mut buffer).unwrap();
        if once {
            assert!(!refused.contains(&instance.digest().0), "operation {at}: came back");
        }
    }
    spool.finish(&ids).unwrap();
    assert_eq!(spool.used_bytes(), 0, "operation {at}");
    assert_eq!(rig.files().len(), 0, "operation {at}: {:?}", rig.files());
}

/// Fails every operation of the disk in turn, once or from then on.
#[test]
fn whatever_fails_acknowledged_records_stay_and_refused_ones_do_not_come_back() {
    for count in [1, usize::MAX] {
        for at in 1.. {
            let rig = Rig::new();
            let (spool, _) = rig.open();
            rig.disk.fail(at, count);
            let story = live_through(&rig, &spool);
            let stats = spool.stats();
            drop(spool);
            let failed = rig.disk.failed.load(Ordering::SeqCst);
            rig.disk.fail(0, 0);
            let known = story.acknowledged.len() - story.finished.len();
            assert!(stats.pending <= known && stats.pending + story.unsure.len() >= known);
            check(&rig, &story, count == 1, at);
            if !failed {
                assert!(at > 30, "the story has many operations");
                break;
            }
        }
    }
}

#[test]
fn a_failed_sync_refuses_the_whole_batch_and_ends_the_segment() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let kept = rig.commit(&spool, b"before", 1).unwrap();
    let segment = rig.files_named("seg");
    // Free space is asked for once, then one write, then the sync.
    rig.disk.fail(3, 1);
    assert!(matches!(rig.commit(&spool, b"refused", 1), Err(SpoolError::Io { .. })));
    assert!(rig.disk.failed.load(Ordering::SeqCst));
    assert_eq!(std::fs::metadata(&segment[0]).unwrap().len(), 8192, "the batch is cut off");
    let second = rig.commit(&spool, b"refused", 1).unwrap();
    assert_eq!(rig.files_named("seg").len(), 2, "the segment is not written again");
    drop(spool);
    let mut expected = vec![kept.id(), second.id()];
    expected.sort_unstable();
    assert_eq!(pending_ids(&rig.open().1), expected);
}

#[test]
fn a_batch_that_cannot_be_cut_off_is_noted_as_done() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let kept = rig.commit(&spool, b"before", 1).unwrap();
    // The sync fails, and so does the cut.
    rig.disk.fail(3, 2);
    assert!(rig.commit(&spool, b"refused", 1).is_err());
    assert_eq!(rig.files_named("log").len(), 1);
    drop(spool);
    let (spool, pending) = rig.open();
    assert_eq!(pending, vec![kept.clone()]);
    spool.finish(&[kept.id()]).unwrap();
    assert_eq!(spool.used_bytes(), 0);
}

#[test]
fn one_sync_covers_everything_that_waits() {
    let mut rig = Rig::new();
    rig.config.segment_bytes = 4 << 20;
    let (spool, _) = rig.open();
    rig.commit(&spool, b"first", 1).unwrap();
    let before = rig.disk.syncs.load(Ordering::SeqCst);
    rig.disk.hold_syncs.store(true, Ordering::SeqCst);
    thread::scope(|scope| {
        let mut commits = vec![scope.spawn(|| rig.commit(&spool, b"holds the committer", 1))];
        while rig.disk.syncs.load(Ordering::SeqCst) == before {
            thread::yield_now();
        }
        for _ in 0..6 {
            commits.push(scope.spawn(|| rig.commit(&spool, &bytes(1, 30_000), 1)));
        }
        while spool.commits.as_ref().unwrap().len() < 6 {
            thread::yield_now();
        }
        assert_eq!(spool.stats().pending, 1, "nothing is acknowledged before the sync");
        rig.disk.hold_syncs.store(false, Ordering::SeqCst);
        for commit in commits {
            commit.join().unwrap().unwrap();
        }
    });
    assert_eq!(rig.disk.syncs.load(Ordering::SeqCst) - before, 2);
    assert_eq!(spool.stats().pending, 8);
}

#[test]
fn many_threads_commit_and_finish_side_by_side() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    thread::scope(|scope| {
        for worker in 0..4u8 {
            let (spool, rig) = (&spool, &rig);
            scope.spawn(move || {
                let mut buffer = Vec::new();
                for number in 0..100usize {
                    let content = bytes(worker, 100 + number * 997);
                    let receipt = rig.commit(spool, &content, 1).unwrap();
                    spool.read_into(&receipt, &mut buffer).unwrap();
                    assert!(buffer == content);
                    spool.finish(&[receipt.id()]).unwrap();
                }
            });
        }
    });
    assert_eq!((spool.used_bytes(), rig.files().len()), (0, 0));
    let receiving = spool.receive(&hospital()).unwrap();
    drop(spool);
    let mut receiving = receiving;
    receiving.write_all(b"x").unwrap();
    assert!(receiving.commit(meta(1)).is_ok());
}
