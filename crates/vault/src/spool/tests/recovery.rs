use super::super::record::{ALIGN, DONE_ENTRY, HEADER};
use super::super::*;
use super::support::{Rig, Seeded, TestKeys, bytes, pending_ids};
use std::fs;

/// A segment's log before something happens.
fn log_of(rig: &Rig) -> Vec<u8> {
    fs::read(&rig.files_named("log")[0]).unwrap()
}

fn findings(spool: &Spool) -> Vec<Finding> {
    spool.aside().list().unwrap().iter().map(|found| found.finding).collect()
}

/// Puts a segment's bytes, and its log where there is one, into a fresh spool and opens it: the
/// records that are pending, and what was set aside.
fn recovered(rig: &Rig, segment: &[u8], log: Option<&[u8]>) -> (Vec<SpoolId>, Vec<Finding>) {
    let folder = rig.config.dir.join("segments");
    let name = |extension: &str| folder.join(format!("{:016x}.{extension}", 0));
    let aside = fs::read_dir(rig.config.dir.join("aside")).unwrap();
    for path in rig.files().into_iter().chain(aside.map(|entry| entry.unwrap().path())) {
        fs::remove_file(path).unwrap();
    }
    fs::write(name("seg"), segment).unwrap();
    if let Some(log) = log {
        fs::write(name("log"), log).unwrap();
    }
    let (spool, pending) = rig.open();
    let mut buffer = Vec::new();
    for instance in &pending {
        spool.read_into(instance, &mut buffer).unwrap();
    }
    (pending_ids(&pending), findings(&spool))
}

fn sorted(receipts: &[SpooledInstance]) -> Vec<SpoolId> {
    pending_ids(receipts)
}

/// Three records, a segment's bytes, and its log when the third was not durable and at the end.
fn three(rig: &Rig) -> (Vec<SpooledInstance>, Vec<u8>, [Vec<u8>; 2]) {
    let (spool, _) = rig.open();
    let commit = |number: u8| rig.commit(&spool, &bytes(number, 50), 1).unwrap();
    let mut receipts = vec![commit(0), commit(1)];
    let before = log_of(rig);
    receipts.push(commit(2));
    drop(spool);
    let whole = fs::read(&rig.files_named("seg")[0]).unwrap();
    (receipts, whole, [before, log_of(rig)])
}

#[test]
fn a_torn_tail_is_ignored_wherever_it_is_torn() {
    let rig = Rig::new();
    let (receipts, whole, [log, _]) = three(&rig);
    let start = 3 * ALIGN;
    assert_eq!(whole.len(), start + ALIGN);
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for cut in start..=used {
        let expected = (sorted(if cut < used { &receipts[..2] } else { &receipts }), vec![]);
        assert_eq!(recovered(&rig, &whole[..cut], Some(&log)), expected, "cut at {cut}");
        // A preallocated segment keeps its length: the bytes that were not written are zero.
        let mut zeroed = whole.clone();
        zeroed[cut..].fill(0);
        zeroed.resize(64 * ALIGN, 0);
        assert_eq!(recovered(&rig, &zeroed, Some(&log)), expected, "zero from {cut}");
    }
}

#[test]
fn whatever_is_gone_of_what_was_durable_is_set_aside() {
    let rig = Rig::new();
    let (receipts, whole, [_, log]) = three(&rig);
    let start = 3 * ALIGN;
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let others = sorted(&receipts[..2]);
    for cut in (start..used).step_by(37) {
        for mut file in [whole[..cut].to_vec(), whole.clone()] {
            let from = cut.min(file.len());
            file[from..].fill(0);
            let (pending, aside) = recovered(&rig, &file, Some(&log));
            assert_eq!(pending, others, "from {cut}");
            assert!(
                matches!(aside[..], [Finding::Damaged | Finding::Missing]),
                "{aside:?} from {cut}"
            );
        }
    }
}

#[test]
fn one_changed_bit_anywhere_loses_nothing_that_was_durable() {
    let rig = Rig::new();
    let (receipts, whole, [_, log]) = three(&rig);
    for at in (0..whole.len()).filter(|at| *at < 200 || at % 61 == 0 || whole[*at] != 0) {
        if at % 7 != 0 {
            continue;
        }
        let mut changed = whole.clone();
        changed[at] ^= 4;
        let newer = [8, 9].contains(&(at % ALIGN)) && at < 4 * ALIGN;
        if newer {
            continue;
        }
        let (pending, aside) = recovered_unread(&rig, &changed, &log);
        let kept = pending + aside.iter().filter(|one| **one == Finding::Damaged).count();
        assert_eq!(kept, receipts.len(), "byte {at}: {aside:?}");
    }
}

/// As [`recovered`], where a record may be pending whose bytes are changed: it is set aside when it
/// is read.
fn recovered_unread(rig: &Rig, segment: &[u8], log: &[u8]) -> (usize, Vec<Finding>) {
    let folder = rig.config.dir.join("segments");
    let aside = fs::read_dir(rig.config.dir.join("aside")).unwrap();
    for path in rig.files().into_iter().chain(aside.map(|entry| entry.unwrap().path())) {
        fs::remove_file(path).unwrap();
    }
    fs::write(folder.join(format!("{:016x}.seg", 0)), segment).unwrap();
    fs::write(folder.join(format!("{:016x}.log", 0)), log).unwrap();
    let (spool, pending) = rig.open();
    let mut buffer = Vec::new();
    let mut read = 0;
    for instance in &pending {
        match spool.read_into(instance, &mut buffer) {
            Ok(()) => read += 1,
            Err(_) => spool.set_aside(instance).unwrap(),
        }
    }
    let first = findings(&spool);
    drop(spool);
    // Whatever was found is still known after the next start.
    assert_eq!(findings(&rig.open().0), first);
    (read, first)
}

#[test]
fn without_its_log_what_is_torn_is_in_doubt() {
    let rig = Rig::new();
    let (receipts, whole, _) = three(&rig);
    let cut = 3 * ALIGN + HEADER + 60;
    let expected = (sorted(&receipts[..2]), vec![Finding::InDoubt]);
    assert_eq!(recovered(&rig, &whole[..cut], None), expected);
    assert_eq!(recovered(&rig, &whole, None), (sorted(&receipts), vec![]));
}

#[test]
fn files_that_are_gone_are_missed() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    for length in [50, 60] {
        rig.commit(&spool, &bytes(1, length), 1).unwrap();
    }
    let done = rig.commit(&spool, &bytes(2, 50), 1).unwrap();
    spool.finish(&[done.id()]).unwrap();
    rig.commit(&spool, &bytes(3, 300_000), 1).unwrap();
    drop(spool);
    fs::remove_file(rig.files_named("seg").remove(0)).unwrap();
    fs::remove_file(rig.files_named("rec").remove(0)).unwrap();
    for _ in 0..2 {
        let (spool, pending) = rig.open();
        assert!(pending.is_empty());
        let found = spool.aside().list().unwrap();
        assert!(found.iter().all(|one| one.finding == Finding::Missing));
        assert_eq!(found.iter().map(|one| one.instances).sum::<u64>(), 3);
        assert_eq!(spool.stats().set_aside, 2);
    }
    let (spool, _) = rig.open();
    for one in spool.aside().list().unwrap() {
        spool.aside().discard(&one.id).unwrap();
    }
    drop(spool);
    assert_eq!(rig.open().0.stats().set_aside, 0);
}

#[test]
fn what_was_set_aside_comes_back_when_its_bytes_do() {
    let rig = Rig::new();
    let (receipts, whole, [_, log]) = three(&rig);
    let at = 3 * ALIGN + HEADER + 70;
    let mut changed = whole;
    changed[at] ^= 1;
    let (pending, aside) = recovered(&rig, &changed, Some(&log));
    assert_eq!((pending, aside), (sorted(&receipts[..2]), vec![Finding::Damaged]));
    let (spool, _) = rig.open();
    let found = spool.aside().list().unwrap().remove(0);
    assert_eq!(found.hospital, Some(super::support::hospital()));
    spool.aside().ask_retry(&found.id).unwrap();
    assert_eq!(spool.take_back().unwrap(), 0, "it is still damaged");
    assert_eq!(spool.stats().set_aside, 1);
    let kept = rig.config.dir.join("aside").join(format!("{}.rec", found.id));
    let mut content = fs::read(&kept).unwrap();
    content[HEADER + 70] ^= 1;
    fs::write(&kept, content).unwrap();
    spool.aside().ask_retry(&found.id).unwrap();
    assert_eq!(spool.take_back().unwrap(), 1);
    assert_eq!(spool.stats().set_aside, 0);
    drop(spool);
    let (spool, pending) = rig.open();
    assert_eq!(pending_ids(&pending), sorted(&receipts));
    spool.read_into(&receipts[2], &mut Vec::new()).unwrap();
}

#[test]
fn a_file_that_says_nothing_is_kept_whole() {
    let rig = Rig::new();
    drop(rig.open());
    let content = bytes(9, 3 * ALIGN);
    fs::write(rig.config.dir.join("segments/0000000000000002.seg"), &content).unwrap();
    let (spool, pending) = rig.open();
    assert!(pending.is_empty() && rig.files().is_empty());
    let found = spool.aside().list().unwrap().remove(0);
    let kept = rig.config.dir.join("aside").join(format!("{}.rec", found.id));
    assert_eq!((found.finding, fs::read(kept).unwrap()), (Finding::Damaged, content));
}

#[test]
fn what_the_disk_had_not_written_of_the_last_batch_is_left_out() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let first = rig.commit(&spool, b"an earlier batch", 1).unwrap();
    // Two records in one batch: they wait while another one is made durable.
    let syncs = rig.disk.syncs.load(Ordering::SeqCst);
    rig.disk.hold_syncs.store(true, Ordering::SeqCst);
    let mut log = Vec::new();
    let mut batch: Vec<_> = thread::scope(|scope| {
        let held = scope.spawn(|| rig.commit(&spool, b"held", 1));
        while rig.disk.syncs.load(Ordering::SeqCst) == syncs {
            thread::yield_now();
        }
        let last = [1, 2].map(|seed| {
            let (rig, spool) = (&rig, &spool);
            scope.spawn(move || rig.commit(spool, &bytes(seed, 9000), 1))
        });
        while spool.commits.as_ref().unwrap().len() < 2 {
            thread::yield_now();
        }
        log = log_of(&rig);
        rig.disk.hold_syncs.store(false, Ordering::SeqCst);
        let waited = last.into_iter().map(|commit| commit.join().unwrap().unwrap());
        std::iter::once(held.join().unwrap().unwrap()).chain(waited.collect::<Vec<_>>()).collect()
    });
    // The two stood in the queue in any order: the order on the disk is that of their offsets.
    let offset = |instance: &SpooledInstance| match spool.shared.state().index[&instance.id()].place
    {
        state::Place::Segment { offset, .. } => offset,
        state::Place::Large => unreachable!("they are small"),
    };
    batch.sort_by_key(offset);
    drop(spool);
    let whole = fs::read(&rig.files_named("seg")[0]).unwrap();
    let start = 3 * ALIGN;
    assert_eq!(whole.len(), start + 2 * 3 * ALIGN);
    let [held, one, two] = [0, 1, 2].map(|number| batch[number].clone());
    for page in 0..6 {
        let mut holed = whole.clone();
        holed[start + page * ALIGN..start + (page + 1) * ALIGN].fill(0);
        let other = if page < 3 { &two } else { &one };
        let expected = (sorted(&[first.clone(), held.clone(), other.clone()]), vec![]);
        assert_eq!(recovered(&rig, &holed, Some(&log)), expected, "page {page}");
        assert_eq!(rig.files_named("seg").len(), 1);
    }
}

#[test]
fn a_changed_header_is_made_again() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let receipts: Vec<_> =
        (0..4u8).map(|number| rig.commit(&spool, &bytes(number, 50), 1).unwrap()).collect();
    drop(spool);
    let path = rig.files_named("seg").remove(0);
    let mut content = fs::read(&path).unwrap();
    content[2 * ALIGN + 20] ^= 1;
    fs::write(&path, content).unwrap();
    for _ in 0..2 {
        let (spool, pending) = rig.open();
        assert_eq!(pending_ids(&pending), sorted(&receipts));
        assert_eq!(findings(&spool), [Finding::Mended], "the disk is to be looked at");
    }
    let (spool, _) = rig.open();
    spool.finish(&sorted(&receipts)).unwrap();
    assert_eq!(spool.used_bytes(), 0);
    assert!(rig.files().is_empty());
}

#[test]
fn a_changed_byte_is_never_read() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let small = rig.commit(&spool, &bytes(1, 5000), 1).unwrap();
    rig.commit(&spool, b"a later batch", 1).unwrap();
    let large = rig.commit(&spool, &bytes(2, 700_000), 1).unwrap();
    drop(spool);
    for (path, at) in [
        (rig.files_named("seg").remove(0), ALIGN + HEADER + 400),
        (rig.files_named("rec").remove(0), HEADER + 600_000),
    ] {
        let mut content = fs::read(&path).unwrap();
        content[at] ^= 1;
        fs::write(&path, content).unwrap();
    }
    let (spool, pending) = rig.open();
    assert_eq!(pending.len(), 3);
    let mut buffer = Vec::new();
    for instance in [&small, &large] {
        let outcome = spool.read_into(instance, &mut buffer);
        assert!(matches!(outcome, Err(SpoolError::Sealed(_))), "{outcome:?}");
        assert!(buffer.is_empty());
    }
}

#[test]
fn a_torn_log_loses_no_record() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let receipts: Vec<_> =
        (0..4u8).map(|number| rig.commit(&spool, &bytes(number, 50), 1).unwrap()).collect();
    spool.finish(&[receipts[0].id()]).unwrap();
    spool.finish(&[receipts[1].id()]).unwrap();
    drop(spool);
    let segment = fs::read(&rig.files_named("seg")[0]).unwrap();
    let log = log_of(&rig);
    assert_eq!(log.len(), ALIGN + 2 * DONE_ENTRY);
    for cut in (0..=2 * DONE_ENTRY).map(|entries| ALIGN + entries) {
        let expected = (sorted(&receipts[(cut - ALIGN) / DONE_ENTRY..]), vec![]);
        assert_eq!(recovered(&rig, &segment, Some(&log[..cut])), expected, "cut at {cut}");
    }
    let mut torn = log.clone();
    torn[ALIGN + 3] ^= 1;
    let expected = sorted(&[receipts[0].clone(), receipts[2].clone(), receipts[3].clone()]);
    assert_eq!(recovered(&rig, &segment, Some(&torn)), (expected, vec![]));
    // Both marks are changed: what is done is still known, and nothing is dropped.
    let mut unmarked = log.clone();
    unmarked[100] ^= 1;
    unmarked[612] ^= 1;
    let expected = (sorted(&receipts[2..]), vec![]);
    assert_eq!(recovered(&rig, &segment, Some(&unmarked)), expected);
    // An entry is written over a torn one, not behind it.
    recovered(&rig, &segment, Some(&log[..ALIGN + DONE_ENTRY + 7]));
    let (spool, _) = rig.open();
    spool.finish(&[receipts[3].id()]).unwrap();
    drop(spool);
    assert_eq!(pending_ids(&rig.open().1), sorted(&receipts[1..3]));
}

#[test]
fn what_an_interrupted_process_left_is_swept() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let kept = rig.commit(&spool, &bytes(1, 300_000), 1).unwrap();
    drop(spool);
    let segments = rig.config.dir.join("segments");
    fs::write(segments.join("0000000000000007.tmp"), b"half a segment").unwrap();
    fs::write(segments.join("0000000000000003.log"), b"the log of a removed segment").unwrap();
    let large = rig.config.dir.join("large");
    fs::write(large.join(format!("{}.tmp", "ab".repeat(16))), b"half a record").unwrap();
    let (spool, pending) = rig.open();
    assert_eq!(pending, vec![kept.clone()]);
    assert_eq!(rig.files().len(), 1);
    rig.commit(&spool, b"next", 1).unwrap();
    assert!(rig.files().contains(&segments.join("0000000000000008.seg")), "numbers go on");
}

#[test]
fn records_whose_keys_are_missing_wait_for_them() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let receipts: Vec<_> =
        [50, 300_000].map(|length| rig.commit(&spool, &bytes(1, length), 1).unwrap()).into();
    let finished = rig.commit(&spool, b"finished", 1).unwrap();
    spool.finish(&[finished.id()]).unwrap();
    drop(spool);
    let other = Arc::new(TestKeys::new(8));
    let entropy = Arc::new(Seeded::new(2));
    let (spool, pending) = Spool::open(rig.config.clone(), other, entropy).unwrap();
    assert!(pending.is_empty());
    assert_eq!(spool.stats().unreadable, 2);
    assert!(spool.used_bytes() > 300_000);
    drop(spool);
    assert_eq!(pending_ids(&rig.open().1), sorted(&receipts));
}

#[test]
fn a_newer_format_is_left_alone() {
    for (kind, length) in [("seg", 50), ("rec", 300_000)] {
        let rig = Rig::new();
        let (spool, _) = rig.open();
        rig.commit(&spool, &bytes(1, length), 1).unwrap();
        drop(spool);
        let path = rig.files_named(kind).remove(0);
        let mut content = fs::read(&path).unwrap();
        content[8] = 2;
        fs::write(&path, &content).unwrap();
        assert!(matches!(rig.try_open(), Err(SpoolError::NewerVersion { version: 2, .. })));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn a_segment_with_a_changed_header_is_read_all_the_same() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let receipt = rig.commit(&spool, &bytes(1, 50), 1).unwrap();
    drop(spool);
    let path = rig.files_named("seg").remove(0);
    let mut content = fs::read(&path).unwrap();
    content[20] ^= 1;
    fs::write(&path, &content).unwrap();
    for _ in 0..2 {
        let (spool, pending) = rig.open();
        assert_eq!(pending_ids(&pending), [receipt.id()]);
        assert_eq!(findings(&spool), [Finding::Mended]);
    }
}
