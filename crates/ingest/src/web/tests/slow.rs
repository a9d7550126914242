//! Senders whose uploads are slow or many, beside one of another hospital.

use super::*;
use std::io::ErrorKind;

const HEAD: &str = "POST /studies HTTP/1.1\r\nHost: x\r\nContent-Type: application/dicom\r\n\
    Content-Length: 200000\r\n";

/// Begins an upload that has come far enough to be in the spool, and goes no further.
fn begin(server: &Server, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    write!(stream, "{HEAD}Authorization: Bearer {token}\r\n\r\n").unwrap();
    stream.write_all(&part10(STUDY, "1.2.3.4", 100_000)).unwrap();
    stream
}

fn stow_as(server: &Server, token: &str) -> Response {
    let request = server.client.post(format!("http://{}/studies", server.address));
    let request = request.bearer_auth(token).header("Content-Type", "application/dicom");
    request.body(part10(STUDY, "1.2.3.5", 1000)).send().unwrap()
}

#[test]
fn slow_uploads_of_one_hospital_stop_no_other() {
    let limits = WebLimits { max_uploads: 8, ..WebLimits::default() };
    let server = Server::new(MemorySpool::default(), limits);
    // Two of eight places are kept for the other hospital.
    let slow: Vec<TcpStream> = (0..6).map(|_| begin(&server, &server.token)).collect();
    server.spool.wait(|held| held.open == 6);
    let refused = stow_as(&server, &server.token);
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("Retry-After"));
    let said = refused.text().unwrap();
    assert!(said.contains("SV-INGEST-311") && said.contains("other hospitals"), "{said}");
    assert_eq!(stow_as(&server, &server.other).status(), StatusCode::OK);
    drop(slow);
    server.spool.wait(|held| held.open == 0);
    assert_eq!(stow_as(&server, &server.token).status(), StatusCode::OK);
}

#[test]
fn a_token_has_its_share_of_the_places() {
    let limits = WebLimits { max_uploads_per_token: 1, ..WebLimits::default() };
    let server = Server::new(MemorySpool::default(), limits);
    let _slow = begin(&server, &server.token);
    server.spool.wait(|held| held.open == 1);
    assert_eq!(stow_as(&server, &server.token).status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(stow_as(&server, &server.other).status(), StatusCode::OK);
}

#[test]
fn an_address_has_its_share_of_the_places() {
    let limits = WebLimits { max_uploads_per_address: 1, ..WebLimits::default() };
    let server = Server::new(MemorySpool::default(), limits);
    let slow = begin(&server, &server.token);
    server.spool.wait(|held| held.open == 1);
    let refused = stow_as(&server, &server.other);
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.text().unwrap().contains("one address"));
    drop(slow);
    server.spool.wait(|held| held.open == 0);
    assert_eq!(stow_as(&server, &server.other).status(), StatusCode::OK);
}

/// Sends a body byte by byte until there is an answer.
fn trickle(server: &Server, path: &str, kind: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let token = &server.token;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\n\
         Content-Length: 200000\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let mut answer = Vec::new();
    for byte in part10(STUDY, "1.2.3.4", 100_000) {
        let mut piece = [0; 1024];
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
        // After the answer nothing more is taken; it may still be read.
        let _ = stream.write_all(&[byte]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_sender_that_is_too_slow_or_takes_too_long_is_told_so() {
    let slow = WebLimits { min_bytes_per_s: 100_000, rate_window_ms: 60, ..WebLimits::default() };
    let long = WebLimits { min_bytes_per_s: 0, request_timeout_ms: 60, ..WebLimits::default() };
    for (limits, code) in [(slow, "SV-INGEST-319"), (long, "SV-INGEST-320")] {
        let server = Server::new(MemorySpool::default(), limits);
        for (path, kind) in
            [("/studies", "multipart/related; boundary=b"), ("/upload", "application/zip")]
        {
            let answer = trickle(&server, path, kind);
            assert!(answer.starts_with("HTTP/1.1 408"), "{path} {code}: {answer}");
            assert!(answer.contains(code), "{path} {code}: {answer}");
        }
        assert_eq!(stow_as(&server, &server.other).status(), StatusCode::OK);
        assert_eq!(server.spool.look(|held| held.open), 0);
    }
}
