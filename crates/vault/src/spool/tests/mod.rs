mod faults;
mod kill;
mod limits;
mod recovery;
mod support;

use super::*;
use crate::SpoolError;
use scanveil_model::IntakeMeta;
use std::io::Write;
use support::{Rig, bytes, hospital, meta, pending_ids};

#[test]
fn what_is_committed_is_read_back_before_and_after_a_restart() {
    let rig = Rig::new();
    let (spool, pending) = rig.open();
    assert!(pending.is_empty());
    let mut receipts = Vec::new();
    for (number, length) in
        [0, 1, 100, 4096, 60_000, 64_000, 66_000, 300_000, 1_100_000].iter().enumerate()
    {
        let content = bytes(number as u8, *length);
        let receipt = rig.commit(&spool, &content, number as i64).unwrap();
        assert_eq!(receipt.length(), *length as u64);
        assert_eq!(receipt.digest().0, *blake3::hash(&content).as_bytes());
        receipts.push((receipt, content));
    }
    let mut buffer = vec![9; 10];
    for (receipt, content) in &receipts {
        spool.read_into(receipt, &mut buffer).unwrap();
        assert!(buffer == *content);
    }
    drop(spool);
    let (spool, pending) = rig.open();
    assert_eq!(pending, receipts.iter().map(|(receipt, _)| receipt.clone()).collect::<Vec<_>>());
    for (receipt, content) in &receipts {
        let mut read = Vec::new();
        spool.read(receipt).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == *content);
    }
    assert!(spool.take_arrivals().is_empty());
}

#[test]
fn no_plaintext_reaches_the_disk_and_no_name_says_anything() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let canary = b"CANARY^PATIENT^NAME";
    for repeat in [1, 10_000] {
        let mut details = meta(1);
        details.peer = "canary-peer".into();
        details.calling = Some("CANARYAE".into());
        let mut receiving = spool.receive(&hospital()).unwrap();
        for _ in 0..repeat {
            receiving.write_all(canary).unwrap();
        }
        let receipt = receiving.commit(details).unwrap();
        assert!(!format!("{receipt:?} {:?}", receipt.meta()).to_lowercase().contains("canary"));
    }
    for path in rig.files() {
        let content = std::fs::read(&path).unwrap();
        for word in [&canary[..], b"canary-peer", b"CANARYAE", b"1.2.840"] {
            assert!(!content.windows(word.len()).any(|part| part == word), "{path:?}");
        }
    }
}

#[test]
fn finishing_frees_everything_and_can_be_repeated() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let receipts: Vec<_> = (0..40u8)
        .map(|number| {
            rig.commit(&spool, &bytes(number, 40_000 + number as usize * 1000), 5).unwrap()
        })
        .collect();
    assert_eq!(spool.stats().pending, 40);
    assert!(rig.files().len() > 10, "segments roll and large instances have files");
    let ids: Vec<_> = receipts.iter().map(SpooledInstance::id).collect();
    let (first, rest) = ids.split_at(13);
    spool.finish(first).unwrap();
    spool.finish(first).unwrap();
    assert_eq!(spool.stats().pending, 27);
    assert!(matches!(spool.read(&receipts[0]), Err(SpoolError::NotPending)));
    drop(spool);
    let (spool, pending) = rig.open();
    let mut expected = rest.to_vec();
    expected.sort_unstable();
    assert_eq!(pending_ids(&pending), expected);
    assert!(spool.used_bytes() > 0);
    spool.finish(&ids).unwrap();
    assert_eq!(spool.used_bytes(), 0);
    assert_eq!(rig.files(), Vec::<PathBuf>::new());
    let again = rig.commit(&spool, b"more", 6).unwrap();
    assert_eq!(spool.stats().oldest_received_at_ms, Some(6));
    spool.finish(&[again.id()]).unwrap();
    assert_eq!((spool.used_bytes(), rig.files().len()), (0, 0));
}

#[test]
fn finishing_does_not_disturb_a_reader() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    for length in [50_000, 900_000] {
        let content = bytes(3, length);
        let receipt = rig.commit(&spool, &content, 1).unwrap();
        let mut reader = spool.read(&receipt).unwrap();
        spool.finish(&[receipt.id()]).unwrap();
        assert_eq!(spool.used_bytes(), 0);
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert!(read == content);
        assert!(matches!(spool.read(&receipt), Err(SpoolError::NotPending)));
    }
}

#[test]
fn an_instance_that_is_given_up_leaves_nothing() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    for length in [10, 600_000] {
        let mut receiving = spool.receive(&hospital()).unwrap();
        receiving.write_all(&bytes(1, length)).unwrap();
        drop(receiving);
        assert_eq!((spool.used_bytes(), rig.files().len()), (0, 0));
    }
    let mut receiving = spool.receive(&hospital()).unwrap();
    receiving.write_all(b"x").unwrap();
    let mut other = meta(1);
    other.hospital = HospitalId::parse("elsewhere").unwrap();
    assert!(matches!(receiving.commit(other), Err(SpoolError::Details(_))));
    let receiving = spool.receive(&hospital()).unwrap();
    let long = IntakeMeta { peer: "p".repeat(40_000), ..meta(1) };
    assert!(matches!(receiving.commit(long), Err(SpoolError::Details(_))));
    assert_eq!((spool.used_bytes(), rig.files().len(), spool.stats().pending), (0, 0, 0));
}

#[test]
fn handles_may_move_between_threads() {
    fn movable<T: Send + 'static>() {}
    movable::<Receiving>();
    movable::<SpoolReader>();
    movable::<Arc<Spool>>();
}

#[test]
fn a_hospital_without_keys_is_refused() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let unknown = HospitalId::parse("no-keys").unwrap();
    assert!(matches!(spool.receive(&unknown), Err(SpoolError::Key(_))));
}

#[test]
fn one_process_at_a_time_has_the_spool() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    assert!(matches!(rig.try_open(), Err(SpoolError::InUse(_))));
    drop(spool);
    rig.open();
}

#[test]
fn a_receiving_that_outlives_the_spool_still_commits() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let mut receiving = spool.receive(&hospital()).unwrap();
    let arrivals = spool.arrivals();
    drop(spool);
    receiving.write_all(b"late").unwrap();
    let receipt = receiving.commit(meta(2)).unwrap();
    // The channel ends with the last holder of the spool's folder.
    while arrivals.recv().is_ok() {}
    assert_eq!(rig.open().1, vec![receipt]);
}

#[test]
fn arrivals_wake_once_and_are_taken_together() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    let wake = spool.arrivals();
    let receipts: Vec<_> =
        (0..5u8).map(|number| rig.commit(&spool, &[number], 1).unwrap()).collect();
    assert_eq!(wake.len(), 1);
    wake.recv().unwrap();
    assert_eq!(spool.take_arrivals(), receipts);
    assert!(spool.take_arrivals().is_empty());
    let large = rig.commit(&spool, &bytes(1, 500_000), 1).unwrap();
    wake.recv().unwrap();
    assert_eq!(spool.take_arrivals(), vec![large]);
}

#[test]
fn receipts_nobody_takes_do_not_pile_up() {
    let rig = Rig::new();
    let (spool, _) = rig.open();
    for _ in 0..2000 {
        let receipt = rig.commit(&spool, b"x", 1).unwrap();
        spool.finish(&[receipt.id()]).unwrap();
    }
    assert!(spool.take_arrivals().len() <= 1025);
}
