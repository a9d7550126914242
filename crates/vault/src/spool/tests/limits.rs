use super::super::*;
use super::support::{Rig, bytes, hospital, meta};
use crate::FullCause;
use scanveil_model::Coded;
use std::io::Write;

fn is_full(error: &SpoolError, cause: FullCause) -> bool {
    matches!(error, SpoolError::Full(found) if *found == cause) && error.code() == "SV-VAULT-001"
}

#[test]
fn the_limit_in_bytes_holds_while_receiving_and_at_the_commit() {
    let mut rig = Rig::new();
    rig.config.max_bytes = 1 << 20;
    let (spool, _) = rig.open();
    let mut receiving = spool.receive(&hospital()).unwrap();
    let content = bytes(1, 100_000);
    let error = loop {
        if let Err(error) = receiving.write_all(&content) {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<SpoolError>()).unwrap();
    assert!(is_full(inner, FullCause::MaxBytes));
    assert!(receiving.write_all(b"more").is_err());
    assert!(is_full(&receiving.commit(meta(1)).unwrap_err(), FullCause::MaxBytes));
    assert_eq!((spool.used_bytes(), rig.files().len()), (0, 0));

    let mut receipts = Vec::new();
    let error = loop {
        match rig.commit(&spool, &bytes(2, 50_000), 1) {
            Ok(receipt) => receipts.push(receipt),
            Err(error) => break error,
        }
    };
    assert!(is_full(&error, FullCause::MaxBytes));
    assert!(spool.used_bytes() <= (1 << 20) + 4096 * 8, "{}", spool.used_bytes());
    assert!(receipts.len() >= 15, "{}", receipts.len());
    assert_eq!(spool.stats().pending, receipts.len());
    let ids: Vec<_> = receipts.iter().map(SpooledInstance::id).collect();
    spool.finish(&ids).unwrap();
    assert_eq!(spool.used_bytes(), 0);
    rig.commit(&spool, &bytes(2, 50_000), 1).unwrap();
}

#[test]
fn the_limit_of_waiting_instances_holds() {
    let mut rig = Rig::new();
    rig.config.max_pending = 2;
    let (spool, _) = rig.open();
    let first = rig.commit(&spool, b"a", 1).unwrap();
    rig.commit(&spool, b"b", 1).unwrap();
    assert!(is_full(&spool.receive(&hospital()).unwrap_err(), FullCause::MaxPending));
    spool.finish(&[first.id()]).unwrap();
    assert!(spool.receive(&hospital()).is_ok());
}

#[test]
fn the_disk_keeps_its_free_space() {
    let mut rig = Rig::new();
    rig.config.min_free_bytes = 1 << 20;
    let (spool, _) = rig.open();
    rig.disk.free.store(1 << 20, Ordering::SeqCst);
    assert!(is_full(&spool.receive(&hospital()).unwrap_err(), FullCause::DiskSpace));
    // Little more than what must stay free: the segment takes its share of that.
    rig.disk.free.store((1 << 20) + 100_000, Ordering::SeqCst);
    rig.commit(&spool, b"small", 1).unwrap();
    let segment = &rig.files_named("seg")[0];
    assert_eq!(std::fs::metadata(segment).unwrap().len(), 6 * 4096, "a quarter of it");
    // Too little for this one's segment, and for another one's file.
    rig.disk.free.store((1 << 20) + 1000, Ordering::SeqCst);
    for length in [60_000, 63_000] {
        let outcome = (0..4).find_map(|_| rig.commit(&spool, &bytes(1, length), 1).err());
        assert!(is_full(&outcome.unwrap(), FullCause::DiskSpace));
    }
    let mut receiving = spool.receive(&hospital()).unwrap();
    rig.disk.free.store(1000, Ordering::SeqCst);
    assert!(receiving.write_all(&bytes(1, 600_000)).is_err());
    assert!(is_full(&receiving.commit(meta(1)).unwrap_err(), FullCause::DiskSpace));
    assert_eq!(rig.files_named("tmp").len(), 0);
}

#[test]
fn a_disk_that_says_it_is_full_is_a_full_spool() {
    let rig = Rig::new();
    rig.disk.errno.store(28, Ordering::SeqCst); // ENOSPC
    for length in [100, 600_000] {
        let (spool, _) = rig.open();
        let used = spool.used_bytes();
        let files = rig.files().len();
        // Asking for the free space is the first operation; the second one writes.
        rig.disk.fail(2, usize::MAX);
        let error = rig.commit(&spool, &bytes(1, length), 1).unwrap_err();
        assert!(is_full(&error, FullCause::DiskSpace), "{error}");
        rig.disk.fail(0, 0);
        assert_eq!((spool.used_bytes(), rig.files().len()), (used, files));
    }
}
