//! Our sender against our receiver over loopback.

use super::kit::{CT, Door, EXPLICIT, Memory, Mood, data_set, limits, part10, routes, uid};
use crate::current::Current;
use crate::dimse::{
    DimseConfig, DimseError, DimseLimits, DimseServer, OutgoingFile, PlainListener, Sender,
    SenderOptions, Status, send_all,
};
use scanveil_model::{AeTitle, Coded};
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(20);

fn config(limits: DimseLimits) -> DimseConfig {
    DimseConfig {
        plain: Some(PlainListener { address: "127.0.0.1:0".parse().unwrap() }),
        tls: None,
        routes: Current::fixed(routes()),
        limits,
    }
}

fn start(mood: Mood, limits: DimseLimits) -> (DimseServer, Arc<Memory>, SenderOptions) {
    let memory = Memory::new(mood);
    let server = DimseServer::start(config(limits), Arc::new(Door(Arc::clone(&memory)))).unwrap();
    let options = SenderOptions {
        peer: server.plain_address().unwrap().to_string(),
        calling: AeTitle::parse("PACS").unwrap(),
        called: AeTitle::parse("WYSTAN").unwrap(),
        tls: None,
        limits: super::kit::limits(),
    };
    (server, memory, options)
}

#[test]
fn instances_of_many_sizes_arrive_as_they_were_sent() {
    for max_pdu_length in [1018, 4096, 131_072] {
        let (server, memory, options) =
            start(Mood::Takes, DimseLimits { max_pdu_length, ..limits() });
        // Around the fragment boundary of the largest PDU, and over several fragments.
        let head = data_set(CT, "1.2.3", 0).len();
        let mut files = Vec::new();
        for (at, length) in
            [head, 131_064, 131_066, 131_068, 262_132, 600_000].into_iter().enumerate()
        {
            files.push(part10(&format!("1.2.{at}"), length - head));
        }
        let sent: Vec<_> =
            files.iter().map(|file| OutgoingFile::from_bytes(file.clone()).unwrap()).collect();
        let summary = send_all(&options, &sent, 2);
        assert_eq!((summary.taken, summary.unsent), (files.len(), 0), "{:?}", summary.errors);
        assert_eq!(server.stop(GRACE), 0);
        let mut stored: Vec<_> =
            memory.stored.lock().unwrap().iter().map(|s| s.bytes.clone()).collect();
        stored.sort();
        files.sort();
        assert!(stored == files, "PDUs of {max_pdu_length}");
    }
}

#[test]
fn a_full_spool_refuses_and_takes_again_later() {
    let (server, memory, options) = start(Mood::Full, limits());
    let mut sender = Sender::associate(&options, &[(uid(CT), uid(EXPLICIT))]).unwrap();
    assert_eq!(sender.echo().unwrap(), Status::SUCCESS);
    let data = data_set(CT, "1.2.3", 300_000);
    let send = |sender: &mut Sender| {
        sender.store(&uid(CT), &uid("1.2.3"), &uid(EXPLICIT), &data[..]).unwrap()
    };
    assert_eq!(send(&mut sender), Status::OUT_OF_RESOURCES);
    assert!(sender.echo().is_err(), "the association has ended");
    *memory.mood.lock().unwrap() = Mood::Closed;
    let again = || Sender::associate(&options, &[(uid(CT), uid(EXPLICIT))]);
    assert!(matches!(again(), Err(DimseError::Rejected(_))));
    *memory.mood.lock().unwrap() = Mood::Takes;
    let mut sender = again().unwrap();
    assert_eq!(send(&mut sender), Status::SUCCESS);
    sender.release().unwrap();
    server.stop(GRACE);
    assert_eq!(memory.count(), 1);
}

#[test]
fn a_sender_that_is_taken_off_the_list_ends_between_two_instances() {
    let memory = Memory::new(Mood::Takes);
    let current = Arc::new(Mutex::new(Arc::new(routes())));
    let seen = Arc::clone(&current);
    let routes_now = Current::new(move || Arc::clone(&seen.lock().unwrap()));
    let config = DimseConfig { routes: routes_now, ..config(limits()) };
    let server = DimseServer::start(config, Arc::new(Door(Arc::clone(&memory)))).unwrap();
    let options = SenderOptions {
        peer: server.plain_address().unwrap().to_string(),
        calling: AeTitle::parse("PACS").unwrap(),
        called: AeTitle::parse("WYSTAN").unwrap(),
        tls: None,
        limits: super::kit::limits(),
    };
    let associate = || Sender::associate(&options, &[(uid(CT), uid(EXPLICIT))]);
    let data = data_set(CT, "1.2.3", 3_000);
    let send =
        |sender: &mut Sender| sender.store(&uid(CT), &uid("1.2.3"), &uid(EXPLICIT), &data[..]);
    let mut sender = associate().unwrap();
    assert_eq!(send(&mut sender).unwrap(), Status::SUCCESS);

    let mut others = routes();
    others[0].calling[0].ae = Some(AeTitle::parse("OTHER").unwrap());
    others[0].calling.truncate(1);
    *current.lock().unwrap() = Arc::new(others);
    assert!(send(&mut sender).is_err(), "the association has ended");
    assert!(matches!(associate(), Err(DimseError::Rejected(_))));
    *current.lock().unwrap() = Arc::new(Vec::new());
    assert!(associate().is_err(), "no hospital allows this address");

    *current.lock().unwrap() = Arc::new(routes());
    let mut sender = associate().unwrap();
    assert_eq!(send(&mut sender).unwrap(), Status::SUCCESS);
    sender.release().unwrap();
    server.stop(GRACE);
    assert_eq!(memory.count(), 2);
}

#[test]
fn what_was_not_negotiated_is_not_sent() {
    let (server, memory, options) = start(Mood::Takes, limits());
    let mut sender = Sender::associate(&options, &[(uid(CT), uid(EXPLICIT))]).unwrap();
    let refused = sender.store(&uid(CT), &uid("1.2.3"), &uid("1.2.840.10008.1.2"), &[0; 8][..]);
    assert!(matches!(refused, Err(DimseError::NotAccepted)));
    assert_eq!(sender.echo().unwrap(), Status::SUCCESS);
    sender.release().unwrap();
    server.stop(GRACE);
    assert_eq!(memory.count(), 0);
}

#[test]
fn an_association_carries_128_pairs_and_no_more() {
    let (server, _, options) = start(Mood::Takes, limits());
    let pairs: Vec<_> = (0..129).map(|at| (uid(&format!("1.2.3.{at}")), uid(EXPLICIT))).collect();
    assert!(matches!(Sender::associate(&options, &pairs), Err(DimseError::TooManyContexts)));
    let mut sender = Sender::associate(&options, &pairs[..128]).unwrap();
    let data = data_set("1.2.3.127", "1.2.3", 10);
    let sent = sender.store(&pairs[127].0, &uid("1.2.3"), &uid(EXPLICIT), &data[..]).unwrap();
    assert_eq!(sent, Status::SUCCESS);
    sender.release().unwrap();
    server.stop(GRACE);
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

#[test]
fn a_source_that_breaks_aborts_and_leaves_nothing() {
    let (server, memory, options) = start(Mood::Takes, limits());
    let mut sender = Sender::associate(&options, &[(uid(CT), uid(EXPLICIT))]).unwrap();
    let begun = data_set(CT, "1.2.3", 500_000);
    let sent =
        sender.store(&uid(CT), &uid("1.2.3"), &uid(EXPLICIT), begun[..400_000].chain(Broken));
    assert!(matches!(sent, Err(DimseError::Source(_))));
    server.stop(GRACE);
    assert_eq!((memory.count(), memory.open.load(Ordering::SeqCst)), (0, 0));
}

#[test]
fn one_association_too_many_is_turned_away_for_now() {
    let (server, _, options) = start(Mood::Takes, DimseLimits { max_associations: 1, ..limits() });
    let mut first = Sender::associate(&options, &[]).unwrap();
    let second = Sender::associate(&options, &[]);
    let Err(DimseError::Rejected(reason)) = second else { panic!("not rejected") };
    assert_eq!(reason, "local limit exceeded");
    assert_eq!(first.echo().unwrap(), Status::SUCCESS);
    first.release().unwrap();
    server.stop(GRACE);
}

#[test]
fn a_stop_ends_idle_associations() {
    let (server, _, options) = start(Mood::Takes, limits());
    let mut sender = Sender::associate(&options, &[]).unwrap();
    assert_eq!(sender.echo().unwrap(), Status::SUCCESS);
    let stopped = std::thread::spawn(move || server.stop(GRACE));
    // The A-ABORT arrives in place of an answer; or the connection is gone already.
    let mut last = sender.echo();
    while last.is_ok() {
        last = sender.echo();
    }
    drop(sender);
    assert_eq!(stopped.join().unwrap(), 0);
    assert!(matches!(Sender::associate(&options, &[]), Err(DimseError::Connect(_))));
}

#[test]
fn configurations_that_contradict_themselves_do_not_start() {
    let twice = [routes(), routes()].concat();
    let table: Vec<(DimseConfig, &str)> = vec![
        (DimseConfig { plain: None, ..config(limits()) }, "SV-INGEST-101"),
        (DimseConfig { routes: Current::fixed(twice), ..config(limits()) }, "SV-INGEST-102"),
        (config(DimseLimits { max_pdu_length: 100, ..limits() }), "SV-INGEST-103"),
        (config(DimseLimits { max_associations: 0, ..limits() }), "SV-INGEST-103"),
        (config(DimseLimits { poll_interval: Duration::ZERO, ..limits() }), "SV-INGEST-103"),
    ];
    for (config, code) in table {
        let started = DimseServer::start(config, Arc::new(Door(Memory::new(Mood::Takes))));
        assert_eq!(started.err().map(|error| error.code()), Some(code));
    }
}
