//! Peers that are silent, slow or many, beside an honest one that gets through.

use super::kit::{CT, Door, EXPLICIT, Memory, Mood, Stage, Step, data_set, limits, uid};
use super::tls::{Authority, authority};
use super::wire::{pdata, request, store_command};
use crate::current::Current;
use crate::dimse::secure::{Secure, prepare};
use crate::dimse::{
    ClientAuth, DimseConfig, DimseError, DimseLimits, DimseServer, PlainListener, Sender,
    SenderOptions, Status, TlsClient, TlsListener, TlsServer,
};
use crate::intake::{CallingRule, HospitalRoute, Network};
use rustls::ClientConnection;
use scanveil_model::{AeTitle, HospitalId};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(20);
/// A deadline that passes soon.
const SOON: Duration = Duration::from_millis(150);
/// The dimse context of [`request`] for CT.
const STORE: u8 = 3;

fn route(name: &str, network: &str) -> HospitalRoute {
    HospitalRoute {
        hospital: HospitalId::parse(&name.to_lowercase()).unwrap(),
        called_ae: AeTitle::parse(name).unwrap(),
        calling: vec![CallingRule { ae: None, network: Network::parse(network).unwrap() }],
    }
}

struct Receiver {
    server: DimseServer,
    memory: Arc<Memory>,
    trusted: Option<TlsClient>,
}

impl Receiver {
    fn new(limits: DimseLimits, routes: Vec<HospitalRoute>, tls: Option<&Authority>) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let memory = Memory::new(Mood::Takes);
        let config = DimseConfig {
            plain: tls.is_none().then_some(PlainListener { address }),
            tls: tls.map(|ours| {
                let auth = ClientAuth::Required(ours.ca.clone());
                let tls = TlsServer::from_pem_files(&ours.certificate, &ours.key, &auth).unwrap();
                TlsListener { address, tls }
            }),
            routes: Current::fixed(routes),
            limits,
        };
        let server = DimseServer::start(config, Arc::new(Door(Arc::clone(&memory)))).unwrap();
        let trusted = tls.map(|ours| {
            let own = Some((ours.certificate.as_path(), ours.key.as_path()));
            TlsClient::from_pem_files(&ours.ca, "localhost", own).unwrap()
        });
        Self { server, memory, trusted }
    }

    fn plain(limits: DimseLimits) -> Self {
        Self::new(limits, vec![route("WYSTAN", "127.0.0.0/8")], None)
    }

    fn address(&self) -> SocketAddr {
        self.server.plain_address().or(self.server.tls_address()).unwrap()
    }

    fn options(&self, called: &str) -> SenderOptions {
        SenderOptions {
            peer: self.address().to_string(),
            calling: AeTitle::parse("PACS").unwrap(),
            called: AeTitle::parse(called).unwrap(),
            tls: self.trusted.clone(),
            limits: limits(),
        }
    }

    fn associate(&self, called: &str) -> Result<Sender, DimseError> {
        Sender::associate(&self.options(called), &[(uid(CT), uid(EXPLICIT))])
    }

    /// An honest sender brings one instance.
    fn takes_from(&self, called: &str) {
        let before = self.memory.count();
        let mut sender = self.associate(called).unwrap();
        let data = data_set(CT, "1.2.3", 1000);
        let sent = sender.store(&uid(CT), &uid("1.2.3"), &uid(EXPLICIT), &data[..]).unwrap();
        assert_eq!(sent, Status::SUCCESS);
        sender.release().unwrap();
        assert_eq!(self.memory.count(), before + 1);
    }
}

/// Waits until the receiver has closed a connection; gives what it said before.
fn heard(mut stream: &TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // A reset is as good an end as any.
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Writes the bytes one by one, the last one again and again, until the receiver has closed; gives
/// what it heard.
fn trickle(mut stream: &TcpStream, bytes: &[u8]) -> Vec<u8> {
    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let mut said = Vec::new();
    for byte in bytes.iter().chain(std::iter::repeat(bytes.last().unwrap())) {
        let mut answer = [0; 256];
        match stream.read(&mut answer) {
            Ok(0) => return said,
            Ok(count) => said.extend_from_slice(&answer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return said,
        }
        if stream.write_all(&[*byte]).is_err() {
            return said;
        }
    }
    said
}

#[test]
fn silent_connections_take_no_association_and_end() {
    let limits = DimseLimits {
        max_associations: 8,
        max_opening: 8,
        max_opening_per_address: 6,
        artim_timeout: SOON,
        ..limits()
    };
    let receiver = Receiver::plain(limits);
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(receiver.address()).unwrap());
        receiver.takes_from("WYSTAN");
    }
    for stream in silent {
        let answer = heard(&stream);
        // Some gave way to others, the rest hears an A-ABORT at the deadline.
        assert!(answer.is_empty() || answer[0] == 7, "{answer:?}");
    }
    assert_eq!(receiver.server.stop(GRACE), 0);
}

#[test]
fn a_trickled_request_or_handshake_ends_at_its_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority(folder.path(), "ours");
    let limits = DimseLimits { artim_timeout: SOON, handshake_timeout: SOON, ..limits() };
    let plain = Receiver::plain(limits.clone());
    let stream = TcpStream::connect(plain.address()).unwrap();
    let said = trickle(&stream, &[1, 0, 0, 0, 0xFF, 0, 0]);
    assert!(said.is_empty() || said[0] == 7);
    plain.takes_from("WYSTAN");
    let secure = Receiver::new(limits, vec![route("WYSTAN", "127.0.0.0/8")], Some(&ours));
    // A record that announces 16 KiB of a client hello.
    let stream = TcpStream::connect(secure.address()).unwrap();
    trickle(&stream, &[22, 3, 1, 0x40, 0, 1, 0]);
    let silent = TcpStream::connect(secure.address()).unwrap();
    assert!(heard(&silent).is_empty());
    // The handshake is done, and what is trickled is a record of the association request.
    let (client, stream) = handshaken(&secure);
    trickle(&stream, &record(client, &request("WYSTAN", "PACS")));
    secure.takes_from("WYSTAN");
    assert_eq!((plain.server.stop(GRACE), secure.server.stop(GRACE)), (0, 0));
}

/// A client whose handshake is over, and its socket.
fn handshaken(receiver: &Receiver) -> (ClientConnection, TcpStream) {
    let stream = TcpStream::connect(receiver.address()).unwrap();
    prepare(&stream, &limits()).unwrap();
    let tls = receiver.trusted.as_ref().unwrap();
    let mut client = ClientConnection::new(Arc::clone(&tls.config), tls.name.clone()).unwrap();
    while client.is_handshaking() || client.wants_write() {
        match client.complete_io(&mut (&stream)) {
            Ok(_) => {}
            Err(error) => assert!(crate::dimse::secure::is_pause(&error), "{error}"),
        }
    }
    (client, stream)
}

/// The record of TLS that carries these bytes, without its last byte.
fn record(mut client: ClientConnection, bytes: &[u8]) -> Vec<u8> {
    client.writer().write_all(bytes).unwrap();
    let mut record = Vec::new();
    client.write_tls(&mut record).unwrap();
    // More is announced than will come, so that the record is never whole.
    record[3] = 0x40;
    record
}

#[test]
fn a_peer_that_sends_too_little_is_aborted_however_it_cuts_it() {
    let limits = DimseLimits {
        least_rate: 1000,
        rate_window: Duration::from_secs(10),
        association_timeout: Duration::from_secs(100_000),
        ..limits()
    };
    let command = pdata(&[(STORE, 3, &store_command())]);
    let data = data_set(CT, "1.2.3.4.5", 100_000);
    // Fragments of so many bytes, one a second.
    for (size, statuses, stored) in [(0, 0, 0), (100, 0, 0), (900, 0, 0), (1100, 1, 1)] {
        let mut steps = vec![Step::Bytes(request("WYSTAN", "PACS")), Step::Bytes(command.clone())];
        let pieces: Vec<&[u8]> =
            if size == 0 { vec![&[]; 200] } else { data.chunks(size).collect() };
        for (at, piece) in pieces.iter().enumerate() {
            let last = if at + 1 == pieces.len() && size > 0 { 2 } else { 0 };
            steps.push(Step::Pause(Duration::from_secs(1)));
            steps.push(Step::Bytes(pdata(&[(STORE, last, piece)])));
        }
        let (pdus, memory) = Stage { limits: limits.clone(), ..Stage::default() }.play(steps);
        let answers = pdus.iter().filter(|pdu| pdu[0] == 4).count();
        assert_eq!((answers, memory.count()), (statuses, stored), "{size} bytes a second");
        assert_eq!(pdus.iter().any(|pdu| pdu[0] == 7), stored == 0, "{size} bytes a second");
    }
}

#[test]
fn empty_pdus_do_not_renew_an_idle_association() {
    let mut steps = vec![Step::Bytes(request("WYSTAN", "PACS"))];
    for _ in 0..5 {
        steps.push(Step::Pause(Duration::from_secs(300)));
        steps.push(Step::Bytes(pdata(&[])));
    }
    let (pdus, _) = Stage::default().play(steps);
    let kinds: Vec<u8> = pdus.iter().map(|pdu| pdu[0]).collect();
    assert_eq!(kinds, [2, 7]);
}

#[test]
fn idle_associations_give_way_when_all_places_are_taken() {
    let limits = DimseLimits { max_associations: 2, yields_after: Duration::ZERO, ..limits() };
    let receiver = Receiver::plain(limits);
    let mut first = receiver.associate("WYSTAN").unwrap();
    let mut second = receiver.associate("WYSTAN").unwrap();
    assert_eq!(second.echo().unwrap(), Status::SUCCESS);
    assert_eq!(first.echo().unwrap(), Status::SUCCESS);
    receiver.takes_from("WYSTAN");
    // The one that was idle longest hears an A-ABORT, or that the connection is gone.
    while second.echo().is_ok() {}
    assert_eq!(first.echo().unwrap(), Status::SUCCESS);
    first.release().unwrap();
    assert_eq!(receiver.server.stop(GRACE), 0);
}

#[test]
fn one_hospital_does_not_take_the_places_of_another() {
    let limits = DimseLimits { max_associations: 4, ..limits() };
    let routes = vec![route("ONE", "127.0.0.0/8"), route("TWO", "127.0.0.0/8")];
    let receiver = Receiver::new(limits, routes, None);
    let held: Vec<Sender> = (0..8).map_while(|_| receiver.associate("ONE").ok()).collect();
    assert_eq!(held.len(), 3);
    let refused = receiver.associate("ONE");
    let Err(DimseError::Rejected(reason)) = refused else { panic!("not rejected") };
    assert_eq!(reason, "local limit exceeded");
    receiver.takes_from("TWO");
    drop(held);
    assert_eq!(receiver.server.stop(GRACE), 0);
}

#[test]
fn an_address_that_no_hospital_allows_gets_not_even_a_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority(folder.path(), "ours");
    for tls in [None, Some(&ours)] {
        let receiver = Receiver::new(limits(), vec![route("WYSTAN", "192.0.2.0/24")], tls);
        for _ in 0..300 {
            let stream = TcpStream::connect(receiver.address()).unwrap();
            assert!(heard(&stream).is_empty());
        }
        assert!(receiver.associate("WYSTAN").is_err());
        assert_eq!(receiver.server.stop(GRACE), 0);
    }
}

#[test]
fn an_answer_that_nobody_takes_ends_the_association() {
    // Echo after echo, and no answer is read: when the buffers are full, the time limit counts.
    let limits = DimseLimits { write_timeout: SOON, ..limits() };
    let receiver = Receiver::plain(limits);
    let mut stream = TcpStream::connect(receiver.address()).unwrap();
    stream.write_all(&request("WYSTAN", "PACS")).unwrap();
    let echo = crate::dimse::command::echo_request(1, &uid("1.2.840.10008.1.1"));
    let echo = pdata(&[(1, 3, &echo)]);
    let many = echo.repeat(1000);
    while stream.write_all(&many).is_ok() {}
    receiver.takes_from("WYSTAN");
    assert_eq!(receiver.server.stop(GRACE), 0);
}

#[test]
fn a_handshake_goes_on_only_while_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority(folder.path(), "ours");
    let receiver = Receiver::new(limits(), vec![route("WYSTAN", "127.0.0.0/8")], Some(&ours));
    let tls = receiver.trusted.as_ref().unwrap();
    let client = ClientConnection::new(Arc::clone(&tls.config), tls.name.clone()).unwrap();
    let stream = TcpStream::connect(receiver.address()).unwrap();
    let stopped = Secure::shake_hands(client, stream, || false);
    assert!(matches!(stopped, Err(DimseError::Handshake(_))));
}
