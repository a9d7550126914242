use super::*;
use crate::arrival::testing::{CT, MemorySpool, part10};
use axum::http::StatusCode;
use reqwest::blocking::{Body, Client, RequestBuilder, Response};
use serde_json::{Value, json};
use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;
use tokio::runtime::Runtime;
use zip::write::SimpleFileOptions;

const STUDY: &str = "1.2.3.1";

/// A server over loopback.
struct Server {
    spool: MemorySpool,
    address: SocketAddr,
    token: String,
    /// The token of another hospital.
    other: String,
    tokens: Arc<Mutex<Arc<TokenTable>>>,
    client: Client,
    _runtime: Runtime,
}

impl Server {
    fn new(spool: MemorySpool, limits: WebLimits) -> Self {
        let (token, digest) = generate_token(&|bytes| bytes.fill(9));
        let hospital = HospitalId::parse("st-wystan").unwrap();
        let (other, other_digest) = generate_token(&|bytes| bytes.fill(8));
        let neighbour = HospitalId::parse("kvinesdal").unwrap();
        let tokens = TokenTable::new([(digest, hospital), (other_digest, neighbour)]).unwrap();
        let tokens = Arc::new(Mutex::new(Arc::new(tokens)));
        let seen = Arc::clone(&tokens);
        let now = Current::new(move || Arc::clone(&seen.lock().unwrap()));
        let app = router(Arc::new(spool.clone()), now, limits);
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, app).await });
        // A second installation is refused, and the first one serves.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(None).build().unwrap();
        Self { spool, address, token, other, tokens, client, _runtime: runtime }
    }

    fn start() -> Self {
        Self::new(MemorySpool::default(), WebLimits::default())
    }

    fn post(&self, path: &str, kind: &str) -> RequestBuilder {
        let request = self.client.post(format!("http://{}{path}", self.address));
        request.bearer_auth(&self.token).header("Content-Type", kind)
    }

    fn stow(&self, path: &str, parts: &[Vec<u8>]) -> Response {
        let kind = "multipart/related; type=\"application/dicom\"; boundary=\"frontier 1\"";
        self.post(path, kind).body(multipart("frontier 1", parts)).send().unwrap()
    }

    fn zip(&self, bytes: Vec<u8>) -> (u16, Value) {
        let response = self.post("/upload", "application/zip").body(bytes).send().unwrap();
        (response.status().as_u16(), response.json().unwrap())
    }

    /// Sends bytes as they are, and reads to the end of the connection.
    fn raw(&self, head: &str, body: &[u8], shut: bool) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let token = &self.token;
        write!(stream, "{head}Host: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n")
            .unwrap();
        stream.write_all(body).unwrap();
        if shut {
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let mut answer = Vec::new();
        // A reset after the answer is as good an end as any.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn multipart(boundary: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend(format!("--{boundary}\r\nContent-Type: application/dicom\r\n\r\n").bytes());
        body.extend(part);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").bytes());
    body
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut zip = zip::ZipWriter::new(Cursor::new(&mut bytes));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, data) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(data).unwrap();
    }
    zip.finish().unwrap();
    bytes
}

fn instances(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| part10(STUDY, &format!("1.2.3.4.{n}"), 1000)).collect()
}

#[test]
fn a_study_is_stored_and_every_instance_is_named() {
    let server = Server::start();
    let mut parts = instances(40);
    parts.push(part10(STUDY, "1.2.3.4.40", 3_000_000));
    let response = server.stow("/studies", &parts);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["Content-Type"], "application/dicom+json");
    let answer: Value = response.json().unwrap();
    let named = answer["00081199"]["Value"].as_array().unwrap();
    assert_eq!(named.len(), 41);
    for (number, item) in named.iter().enumerate() {
        assert_eq!(item["00081150"]["Value"], json!([CT]));
        assert_eq!(item["00081155"]["Value"], json!([format!("1.2.3.4.{number}")]));
    }
    assert_eq!(answer.get("00081198"), None);
    let mut stored = server.spool.stored();
    stored.sort();
    parts.sort();
    assert!(stored == parts);
    server.spool.look(|held| {
        let meta = &held.stored[0].1;
        assert_eq!(meta.protocol, Protocol::Stow);
        assert_eq!((meta.peer.as_str(), meta.hospital.as_str()), ("127.0.0.1", "st-wystan"));
    });
}

#[test]
fn one_instance_may_come_alone() {
    let server = Server::start();
    let bytes = part10(STUDY, "1.2.3.4", 200_000);
    let request = server.post(&format!("/studies/{STUDY}"), "application/dicom");
    let response = request.header("Accept", "application/dicom+xml").body(bytes.clone()).send();
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["Content-Type"], "application/dicom+xml");
    assert!(response.text().unwrap().contains("<Value number=\"1\">1.2.3.4</Value>"));
    assert_eq!(server.spool.stored(), [bytes]);
}

#[test]
fn only_the_token_of_a_hospital_opens() {
    let server = Server::start();
    let wrong = format!("Bearer {}0", server.token);
    let basic = format!("Basic {}", server.token);
    for (path, value) in [
        ("/studies", None),
        ("/studies", Some(wrong.as_str())),
        ("/studies/1.2", Some(&basic)),
        ("/upload", Some("Bearer ")),
        ("/upload", Some("svt_")),
    ] {
        let mut request = server.client.post(format!("http://{}{path}", server.address));
        if let Some(value) = value {
            request = request.header("Authorization", value);
        }
        let response = request.header("Content-Type", "application/dicom").body("x").send();
        let response = response.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path} {value:?}");
        assert!(response.headers()["WWW-Authenticate"].to_str().unwrap().starts_with("Bearer"));
    }
    assert!(server.spool.stored().is_empty());
}

/// Gives its bytes, after something was done.
struct After<F>(Option<F>, Cursor<Vec<u8>>);

impl<F: FnOnce()> Read for After<F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if let Some(first) = self.0.take() {
            first();
        }
        self.1.read(buffer)
    }
}

#[test]
fn a_token_that_is_taken_away_ends_at_the_next_instance() {
    let server = Server::start();
    // Once so many are stored: what was sent before may still be on its way.
    let take_away = |stored: usize| {
        let (tokens, spool) = (Arc::clone(&server.tokens), server.spool.clone());
        move || {
            spool.wait(|held| held.stored.len() == stored);
            *tokens.lock().unwrap() = Arc::new(TokenTable::default());
        }
    };
    let all = server.tokens.lock().unwrap().clone();
    // Two instances; the second begins when the token is no longer there.
    let kind = "multipart/related; type=\"application/dicom\"; boundary=cut";
    let body = multipart("cut", &instances(2));
    let second = body.len() / 2 + 20;
    let rest = After(Some(take_away(1)), Cursor::new(body[second..].to_vec()));
    let body = Body::new(Cursor::new(body[..second].to_vec()).chain(rest));
    let response = server.post("/studies", kind).body(body).send().unwrap();
    // The sender hears why the rest is missing, and what is stored all the same.
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let answer: Value = serde_json::from_str(&response.text().unwrap()).unwrap();
    assert_eq!(answer["00081199"]["Value"].as_array().unwrap().len(), 1);
    assert_eq!(server.spool.stored().len(), 1);
    assert_eq!(server.stow("/studies", &instances(1)).status(), StatusCode::UNAUTHORIZED);

    *server.tokens.lock().unwrap() = all;
    let members = instances(2);
    let body = zip(&[("1", &members[0]), ("2", &members[1])]);
    // In the local file header of the second, behind that of the first: 30 bytes and a name.
    let second = 40 + members[0].len();
    let rest = After(Some(take_away(2)), Cursor::new(body[second..].to_vec()));
    let body = Body::new(Cursor::new(body[..second].to_vec()).chain(rest));
    let response = server.post("/upload", "application/zip").body(body).send().unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let report: Value = response.json().unwrap();
    assert_eq!(
        (&report["stored"], &report["stopped"]["code"]),
        (&json!(1), &json!("SV-INGEST-301"))
    );
}

#[test]
fn failures_are_listed_and_the_others_are_stored() {
    let server = Server::start();
    let mut parts = instances(3);
    parts[1] = part10("1.2.3.2", "1.2.3.5", 10);
    parts.push(b"Jane^Doe is not DICOM".to_vec());
    let response = server.stow(&format!("/studies/{STUDY}"), &parts);
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let text = response.text().unwrap();
    assert!(!text.contains("Doe"));
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["00081199"]["Value"].as_array().unwrap().len(), 2);
    let failed = &answer["00081198"]["Value"][0];
    assert_eq!(failed["00081155"]["Value"], json!(["1.2.3.5"]));
    assert_eq!(failed["00081197"]["Value"], json!([0xA901]));
    assert_eq!(
        answer["0008119A"]["Value"],
        json!([{ "00081197": { "vr": "US", "Value": [0xC000] } }])
    );
    assert_eq!(server.stow("/studies/1.9.9", &parts).status(), StatusCode::CONFLICT);
    assert_eq!(server.spool.stored().len(), 2);
}

#[test]
fn a_full_spool_is_said_so() {
    let server = Server::new(MemorySpool::with_room(0), WebLimits::default());
    let response = server.stow("/studies", &instances(2));
    assert_eq!(response.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert!(response.headers().contains_key("Retry-After"));
    let answer: Value = response.json().unwrap();
    assert_eq!(answer["00081198"]["Value"][1]["00081197"]["Value"], json!([0xA700]));
    let (status, report) = server.zip(zip(&[("a", &instances(1)[0])]));
    assert_eq!((status, &report["failures"][0]["code"]), (507, &json!("spool-full")));
    server.spool.set_room(Some(1));
    let response = server.stow("/studies", &instances(3));
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(server.spool.stored().len(), 1);
}

#[test]
fn requests_that_cannot_be_taken_are_refused_with_a_reason() {
    let server = Server::start();
    let related = "multipart/related; type=\"application/dicom\"; boundary=b";
    let one = multipart("b", &instances(1));
    let cut = &one[..one.len() - 10];
    let other_type = b"--b\r\nContent-Type: image/jpeg\r\n\r\nxx\r\n--b--\r\n";
    /// Path, content type, accepted answer, body; status, and what the answer holds.
    type Case<'a> = (&'a str, &'a str, &'a str, &'a [u8], u16, &'a str);
    let table: &[Case<'_>] = &[
        ("/studies", "application/json", "*/*", b"{}", 415, "SV-INGEST-303"),
        ("/studies", "multipart/form-data; boundary=b", "*/*", &one, 415, "SV-INGEST-303"),
        ("/studies", "multipart/related", "*/*", &one, 400, "SV-INGEST-304"),
        ("/studies", related, "image/png", &one, 406, "SV-INGEST-302"),
        ("/studies/Doe", related, "*/*", &one, 400, "SV-INGEST-305"),
        ("/studies", related, "*/*", b"", 400, "SV-INGEST-306"),
        ("/studies", related, "*/*", b"no boundary at all", 400, "SV-INGEST-306"),
        ("/studies", related, "*/*", b"--b--\r\n", 400, "SV-INGEST-307"),
        ("/studies", related, "*/*", b"--b\r\nbad header\r\n\r\nx\r\n--b--", 400, "SV-INGEST-306"),
        ("/studies", related, "*/*", cut, 400, "00081197"),
        ("/studies", related, "*/*", other_type, 415, "0008119A"),
        ("/upload", "text/plain", "*/*", b"PK", 415, "SV-INGEST-303"),
        ("/upload", "application/zip", "*/*", b"", 400, "SV-INGEST-314"),
    ];
    for (path, kind, accept, body, status, holds) in table {
        let request = server.post(path, kind).header("Accept", *accept).body(body.to_vec());
        let response = request.send().unwrap();
        let seen = response.status().as_u16();
        let text = response.text().unwrap();
        assert_eq!(seen, *status, "{path} {kind}: {text}");
        assert!(text.contains(holds), "{path} {kind}: {text}");
        assert!(!text.contains("Doe") && !text.contains("bad header"), "{text}");
    }
    let request = server.post("/studies", "application/dicom").header("Content-Encoding", "gzip");
    assert_eq!(request.body(one).send().unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(server.spool.stored().is_empty());
    server.spool.look(|held| assert_eq!(held.open, 0));
}

#[test]
fn limits_hold_whatever_the_sender_announces() {
    let spool = MemorySpool::default();
    let limits = WebLimits {
        max_body_bytes: 100_000,
        max_instance_bytes: 80_000,
        max_parts: 3,
        max_part_header_bytes: 1_000,
        ..WebLimits::default()
    };
    let server = Server::new(spool, limits);
    assert_eq!(server.stow("/studies", &instances(3)).status(), StatusCode::OK);
    assert_eq!(server.stow("/studies", &instances(4)).status(), StatusCode::PAYLOAD_TOO_LARGE);
    let large = part10(STUDY, "1.2.3.9", 90_000);
    assert_eq!(server.stow("/studies", &[large]).status(), StatusCode::PAYLOAD_TOO_LARGE);
    let members: Vec<_> = instances(4);
    let members: Vec<_> = members.iter().map(|bytes| ("x", &bytes[..])).collect();
    let stored = server.spool.stored().len();
    // Announced in full: refused before a byte is read.
    let head = "POST /studies HTTP/1.1\r\nContent-Type: application/dicom\r\n\
                Content-Length: 100001\r\n";
    assert!(server.raw(head, b"\r\n", false).starts_with("HTTP/1.1 413"));
    // Not announced: refused when it is too much.
    let body = Body::new(std::io::repeat(7));
    let sent = server.post("/studies", "application/dicom").body(body).send();
    assert!(sent.is_err() || sent.unwrap().status() == StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(server.spool.stored().len(), stored);
    let related = "multipart/related; boundary=b";
    for junk in [vec![b'-'; 50_000], [&b"--b\r\nX: "[..], &[b'x'; 50_000]].concat()] {
        let body = Body::new(Cursor::new(junk).chain(std::io::repeat(b'y').take(40_000)));
        let response = server.post("/studies", related).body(body).send().unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(response.text().unwrap().contains("SV-INGEST-310"));
    }
    let names = ["a", "b", "c", "d"];
    let members: Vec<_> = names.into_iter().zip(members).map(|(n, (_, b))| (n, b)).collect();
    let (status, report) = server.zip(zip(&members));
    assert_eq!((status, &report["stored"]), (202, &json!(3)));
    assert_eq!(report["stopped"]["code"], "SV-INGEST-309");
}

#[test]
fn a_silent_sender_is_not_waited_for() {
    let limits = WebLimits { idle_timeout_ms: 20, ..WebLimits::default() };
    let server = Server::new(MemorySpool::default(), limits);
    let head = "POST /studies HTTP/1.1\r\nContent-Type: application/dicom\r\n\
                Content-Length: 200000\r\n";
    let body = [&b"\r\n"[..], &part10(STUDY, "1.2.3.4", 100_000)].concat();
    let answer = server.raw(head, &body, false);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    server.spool.wait(|held| held.dropped == 1);
    assert!(server.spool.stored().is_empty());
}

#[test]
fn a_broken_connection_leaves_nothing() {
    let server = Server::start();
    let kind = "multipart/related; boundary=b";
    let head =
        format!("POST /studies HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: 300000\r\n");
    let parts = [part10(STUDY, "1.2.3.4", 1_000), part10(STUDY, "1.2.3.5", 200_000)];
    let body = multipart("b", &parts);
    let body = [b"\r\n", &body[..150_000]].concat();
    server.raw(&head, &body, true);
    server.spool.wait(|held| held.dropped == 1 && held.open == 0);
    assert_eq!(server.spool.stored(), parts[..1]);
    let archive = zip(&[("a", &parts[0]), ("b", &parts[1])]);
    let head = "POST /upload HTTP/1.1\r\nContent-Type: application/zip\r\n\
                Transfer-Encoding: chunked\r\n";
    let cut = archive.len() - 50_000;
    let body = [format!("\r\n{:x}\r\n", archive.len()).as_bytes(), &archive[..cut]].concat();
    server.raw(head, &body, true);
    server.spool.wait(|held| held.dropped == 2 && held.open == 0);
    assert_eq!(server.spool.stored().len(), 2);
}

mod slow;

#[test]
fn a_nearly_full_spool_asks_to_come_back() {
    let server = Server::start();
    server.spool.set_closed(true);
    let response = server.stow("/studies", &instances(1));
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("Retry-After"));
    assert!(response.text().unwrap().contains("SV-INGEST-321"));
}

#[test]
fn more_senders_than_allowed_are_asked_to_come_back() {
    let limits = WebLimits { max_uploads: 0, ..WebLimits::default() };
    let server = Server::new(MemorySpool::default(), limits);
    let response = server.stow("/studies", &instances(1));
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("Retry-After"));
    assert!(response.text().unwrap().contains("all places are taken"));
}

#[test]
fn an_archive_is_unpacked_and_members_are_named_by_their_place() {
    let server = Server::start();
    let parts = instances(30);
    let nested = zip(&[("inner.dcm", &parts[0])]);
    let mut members: Vec<(String, &[u8])> = vec![
        ("DOE^JANE/readme.txt".into(), b"not DICOM"),
        ("__MACOSX/._x".into(), b"clutter"),
        ("nested.zip".into(), &nested),
    ];
    members.extend(parts.iter().enumerate().map(|(n, part)| (format!("IM{n}"), &part[..])));
    let members: Vec<_> = members.iter().map(|(name, data)| (name.as_str(), *data)).collect();
    let (status, report) = server.zip(zip(&members));
    assert_eq!(status, 202, "{report}");
    assert_eq!((&report["stored"], &report["failed"]), (&json!(30), &json!(2)));
    assert_eq!(report["skipped"], json!(1));
    let places: Vec<_> = report["failures"].as_array().unwrap().iter().collect();
    assert_eq!((&places[0]["index"], &places[1]["index"]), (&json!(0), &json!(2)));
    assert_eq!(places[0]["code"], "not-dicom");
    assert!(!report.to_string().contains("DOE"));
    let mut stored = server.spool.stored();
    stored.sort();
    let mut wanted = parts.clone();
    wanted.sort();
    assert!(stored == wanted);
    assert_eq!(server.zip(zip(&[("a", &parts[0])])).0, 200);
    let (status, report) = server.zip(zip(&[("x", b"junk")]));
    assert_eq!((status, &report["failures"][0]["index"]), (409, &json!(0)));
}

#[test]
fn damaged_archives_and_bombs_stop_and_say_so() {
    let limits = WebLimits { max_unpacked_bytes: 100_000, ..WebLimits::default() };
    let server = Server::new(MemorySpool::default(), limits);
    let parts = instances(2);
    let archive = zip(&[("a", &parts[0]), ("b", &parts[1])]);
    let (status, report) = server.zip(archive[..2_000].to_vec());
    assert_eq!((status, &report["stopped"]["code"]), (202, &json!("SV-INGEST-314")));
    let (status, report) = server.zip(b"Rar!".to_vec());
    assert_eq!((status, &report["stopped"]["code"]), (400, &json!("SV-INGEST-314")));
    // What is no DICOM is passed over without unpacking it; what begins as DICOM is unpacked.
    let bomb = [&parts[0][..], &[0; 1_000_000]].concat();
    let (status, report) = server.zip(zip(&[("bomb", &bomb)]));
    assert_eq!((status, &report["stopped"]["code"]), (413, &json!("SV-INGEST-315")));
    assert_eq!(server.spool.look(|held| held.open), 0);
}

#[test]
fn a_large_instance_goes_through_small_buffers() {
    // Slower than the sender, the spool holds it back: nothing piles up in between.
    let server = Server::start();
    let mut bytes = part10(STUDY, "1.2.3.4", 30_000_000);
    let body = Body::new(Cursor::new(multipart("b", &[bytes.clone(), bytes.clone()])));
    let kind = "multipart/related; boundary=b";
    let response = server.post("/studies", kind).timeout(Duration::from_secs(600)).body(body);
    assert_eq!(response.send().unwrap().status(), StatusCode::OK);
    let stored = server.spool.stored();
    assert!(stored.len() == 2 && stored[0] == bytes);
    bytes.clear();
}
