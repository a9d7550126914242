use super::super::record::{ALIGN, DONE_ENTRY, HEADER};
use super::super::*;
use super::support::{Rig, Seeded, TestKeys, bytes, pending_ids};
use std::fs;

/// Puts a segment's bytes (and its done log) into a fresh spool and opens it.
fn recovered(rig: &Rig, segment: &[u8], done: Option<&[u8]>) -> Vec<SpoolId> {
    let folder = rig.config.dir.join("segments");
    let name = |extension: &str| folder.join(format!("{:016x}.{extension}", 0));
    for path in rig.files() {
        fs::remove_file(path).unwrap();
    }
    fs::write(name("seg"), segment).unwrap();
    if let Some(done) = done {
        fs::write(name("done"), done).unwrap();
    }
    let (spool, pending) = rig.open();
    assert_eq!(spool.stats().unreadable, 0, "an incomplete record is left out, not kept");
    let mut buffer = Vec::new();
    for instance in &pending {
        spool.read_into(instance, &mut buffer).unwrap();
    }
    pending_ids(&pending)
}

fn sorted(receipts: &[SpooledInstance]) -> Vec<SpoolId> {
    pending_ids(receipts)
}

#[test]
fn a_torn_tail_is_ignored_wherever_it_is_torn() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let receipts: Vec<_> =
        (0..3u8).map(|number| rig.commit(&spool, &bytes(number, 50), 1).unwrap()).collect();
    drop(spool);
    let whole = fs::read(&rig.files_named("seg")[0]).unwrap();
    let start = 3 * ALIGN;
    assert_eq!(whole.len(), start + ALIGN);
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for cut in start..=used {
        let expected = sorted(if cut < used { &receipts[..2] } else { &receipts });
        assert_eq!(recovered(&rig, &whole[..cut], None), expected, "cut at {cut}");
        // A preallocated segment keeps its length: the bytes that were not written are zero.
        let mut zeroed = whole.clone();
        zeroed[cut..].fill(0);
        zeroed.resize(64 * ALIGN, 0);
        assert_eq!(recovered(&rig, &zeroed, None), expected, "zero from {cut}");
    }
}

#[test]
fn what_the_disk_had_not_written_of_the_last_batch_is_left_out() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let first = rig.commit(&spool, b"an earlier batch", 1).unwrap();
    // Two records in one batch: they wait while another one is made durable.
    let syncs = rig.disk.syncs.load(Ordering::SeqCst);
    rig.disk.hold_syncs.store(true, Ordering::SeqCst);
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
        let expected = sorted(&[first.clone(), held.clone(), other.clone()]);
        assert_eq!(recovered(&rig, &holed, None), expected, "page {page}");
        assert_eq!(rig.files_named("seg").len(), 1);
    }
}

#[test]
fn a_damaged_record_hides_no_other_and_its_segment_is_kept() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let receipts: Vec<_> =
        (0..4u8).map(|number| rig.commit(&spool, &bytes(number, 50), 1).unwrap()).collect();
    drop(spool);
    let path = rig.files_named("seg").remove(0);
    let mut content = fs::read(&path).unwrap();
    content[2 * ALIGN + 20] ^= 1;
    fs::write(&path, content).unwrap();
    let (spool, pending) = rig.open();
    let others = [receipts[0].clone(), receipts[2].clone(), receipts[3].clone()];
    assert_eq!(pending_ids(&pending), sorted(&others));
    spool.finish(&sorted(&others)).unwrap();
    assert_eq!(spool.used_bytes(), 0);
    assert_eq!(rig.files_named("damaged").len(), 1);
    assert_eq!(rig.files().len(), 1);
    drop(spool);
    assert!(rig.open().1.is_empty());
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
fn a_torn_done_log_loses_no_record() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let receipts: Vec<_> =
        (0..4u8).map(|number| rig.commit(&spool, &bytes(number, 50), 1).unwrap()).collect();
    spool.finish(&[receipts[0].id()]).unwrap();
    spool.finish(&[receipts[1].id()]).unwrap();
    drop(spool);
    let segment = fs::read(&rig.files_named("seg")[0]).unwrap();
    let done = fs::read(&rig.files_named("done")[0]).unwrap();
    assert_eq!(done.len(), 2 * DONE_ENTRY);
    for cut in 0..=done.len() {
        let expected = sorted(&receipts[cut / DONE_ENTRY..]);
        assert_eq!(recovered(&rig, &segment, Some(&done[..cut])), expected, "cut at {cut}");
    }
    let mut torn = done.clone();
    torn[3] ^= 1;
    let expected = sorted(&[receipts[0].clone(), receipts[2].clone(), receipts[3].clone()]);
    assert_eq!(recovered(&rig, &segment, Some(&torn)), expected);
    // An entry is written over a torn one, not behind it.
    recovered(&rig, &segment, Some(&done[..DONE_ENTRY + 7]));
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
    fs::write(segments.join("0000000000000003.done"), b"the log of a removed segment").unwrap();
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
fn a_segment_with_a_damaged_header_is_put_aside() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    rig.commit(&spool, &bytes(1, 50), 1).unwrap();
    drop(spool);
    let path = rig.files_named("seg").remove(0);
    let mut content = fs::read(&path).unwrap();
    content[20] ^= 1;
    fs::write(&path, &content).unwrap();
    assert!(rig.open().1.is_empty());
    assert_eq!(fs::read(&rig.files_named("damaged")[0]).unwrap(), content);
}
