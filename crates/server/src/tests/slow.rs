//! Clients that are silent, slow or many, beside one that is none of it.

use super::*;
use std::net::SocketAddr;
use std::time::Duration;

/// A short time for connections without a request at work.
fn short(ms: u64) -> ServerConfig {
    ServerConfig { header_timeout_ms: ms, ..ServerConfig::new(plain()) }
}

/// Waits until the server has closed a connection; gives what it said before.
fn heard(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // A reset is as good an end as any.
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Writes the same bytes again and again until the server closes; gives how often it could.
fn trickle(address: SocketAddr, head: &[u8], drop: &[u8]) -> u64 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let mut sent = 0;
    loop {
        let mut answer = [0; 64];
        let ended = match stream.read(&mut answer) {
            Ok(count) => count == 0,
            Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock),
        };
        if ended || stream.write_all(drop).is_err() {
            return sent;
        }
        sent += 1;
    }
}

fn is_live(address: SocketAddr) -> bool {
    get(&format!("http://{address}/health/live")).status() == 200
}

#[test]
fn a_trickle_does_not_keep_a_connection_open() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, _) = tls(folder.path());
    let secure = ServerConfig { header_timeout_ms: 150, ..ServerConfig::new(listener) };
    let (plain, secure) = (start(&short(150)), start(&secure));
    // A record of TLS that announces 16 KiB of a client hello.
    let hello = [22, 3, 1, 0x40, 0];
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let ping = b"\0\0\x08\x06\0\0\0\0\0abcdefgh";
    for (server, head, drop) in [
        (&plain, &b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: "[..], &b"x"[..]),
        (&plain, b"", b"\r\n"),
        (&plain, preface, ping),
        (&secure, &hello, b"\x01"),
    ] {
        assert!(trickle(server.local_addr(), head, drop) > 0);
    }
    assert!(is_live(plain.local_addr()));
    let silent = TcpStream::connect(plain.local_addr()).unwrap();
    let silent_tls = TcpStream::connect(secure.local_addr()).unwrap();
    assert!(heard(silent).is_empty() && heard(silent_tls).is_empty());
}

#[test]
fn a_request_at_work_is_not_ended_by_the_deadline_of_headers() {
    let (receivers, is_entered, let_go) = slow_receivers();
    let server = start_with(&short(50), Fixed::new(true), receivers);
    let address = server.local_addr();
    let sender = std::thread::spawn(move || {
        client().post(format!("http://{address}/studies")).send().unwrap().text().unwrap()
    });
    is_entered.recv().unwrap();
    // Long enough: a silent connection that began later has ended meanwhile.
    assert!(heard(TcpStream::connect(address).unwrap()).is_empty());
    let_go.send(()).unwrap();
    assert_eq!(sender.join().unwrap(), "done");
}

#[test]
fn many_silent_connections_of_one_address_keep_nobody_out() {
    let config = ServerConfig {
        max_connections: 16,
        max_connections_per_address: 8,
        ..ServerConfig::new(plain())
    };
    let server = start(&config);
    let address = server.local_addr();
    let mut silent: Vec<TcpStream> = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
        silent.push(stream);
        assert!(is_live(address), "after {} silent connections", silent.len());
    }
    // The oldest gave way, long before any deadline.
    assert!(heard(silent.remove(0)).is_empty());
}

#[test]
fn requests_at_work_are_not_more_than_the_share_and_do_not_give_way() {
    let (receivers, is_entered, let_go) = slow_receivers();
    let config = ServerConfig {
        max_connections_per_address: 2,
        watch: Some(plain()),
        ..ServerConfig::new(plain())
    };
    let server = start_with(&config, Fixed::new(true), receivers);
    let url = format!("http://{}/studies", server.local_addr());
    let senders: Vec<_> = (0..2)
        .map(|_| {
            let url = url.clone();
            let sender = std::thread::spawn(move || client().post(url).send().unwrap().text());
            is_entered.recv().unwrap();
            sender
        })
        .collect();
    assert!(client().post(&url).send().is_err());
    // Health and metrics have connections of their own.
    let watch = server.watch_addr().unwrap();
    assert!(is_live(watch));
    for path in ["health/ready", "metrics", "api/status", ""] {
        assert_eq!(get(&format!("http://{watch}/{path}")).status(), 200, "{path}");
    }
    for sender in senders {
        let_go.send(()).unwrap();
        assert_eq!(sender.join().unwrap().unwrap(), "done");
    }
    // The places are free again as soon as the connections of before have gone.
    assert!(is_live(server.local_addr()));
}
