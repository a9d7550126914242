use crate::page::tests::busy;
use crate::*;
use axum::Router;
use axum::routing::post;
use reqwest::blocking::{Client, Response};
use scanveil_ingest::{Current, TokenDigest, generate_token};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// Says what it was told to, and counts how often it was asked.
struct Fixed {
    snapshot: Mutex<StatusSnapshot>,
    asked: AtomicU32,
}

impl Fixed {
    fn new(ready: bool) -> Arc<Self> {
        let snapshot = Mutex::new(StatusSnapshot { ready, ..busy() });
        Arc::new(Self { snapshot, asked: AtomicU32::new(0) })
    }
}

impl StatusSource for Fixed {
    fn snapshot(&self) -> StatusSnapshot {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.snapshot.lock().unwrap().clone()
    }
}

fn plain() -> Listener {
    Listener { address: "127.0.0.1:0".parse().unwrap(), transport: Transport::Plain }
}

fn start_with(config: &ServerConfig, status: Arc<Fixed>, receivers: Router) -> ServerHandle {
    start_for(config, status, receivers, Current::fixed(None))
}

fn start_for(
    config: &ServerConfig,
    status: Arc<Fixed>,
    receivers: Router,
    operator_token: Current<Option<TokenDigest>>,
) -> ServerHandle {
    let parts = ServerParts { receivers, status, metrics: Metrics::detached(), operator_token };
    serve(config, parts).unwrap()
}

fn start(config: &ServerConfig) -> ServerHandle {
    start_with(config, Fixed::new(true), Router::new())
}

fn client() -> Client {
    // A second installation is refused, and the first one serves.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

fn get(url: &str) -> Response {
    client().get(url).send().unwrap()
}

fn operator() -> (String, TokenDigest) {
    generate_token(&|bytes| bytes.fill(3))
}

#[test]
fn page_status_metrics_and_health_are_served() {
    let server = start(&ServerConfig::new(plain()));
    let base = format!("http://{}", server.local_addr());
    let page = get(&server.page_url());
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert_eq!(page.headers()["x-request-id"].len(), 16);
    assert!(page.text().unwrap().contains("lung-screening-3"));
    let status: StatusSnapshot = get(&format!("{base}/api/status")).json().unwrap();
    let web = Entrance { address: server.local_addr(), tls: false };
    assert_eq!(status, StatusSnapshot { web: Some(web), ..busy() });
    assert_eq!(get(&format!("{base}/health/live")).status(), 200);
    let health = get(&format!("{base}/health/ready")).text().unwrap();
    assert_eq!(health, r#"{"ready":true,"degraded":false,"problems":[]}"#);
    let metrics = get(&format!("{base}/metrics")).text().unwrap();
    for line in [
        "scanveil_ready 1",
        "scanveil_spool_oldest_seconds 94",
        "scanveil_hospital_waiting_instances{hospital=\"st-wystan\"} 212",
        "scanveil_quarantined_instances{hospital=\"st-wystan\",reason=\"slide-label\"} 9",
        "scanveil_quarantined_instances{hospital=\"kvinesdal\",reason=\"slide-label\"} 0",
        "scanveil_store_reachable 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
    }
    assert_eq!(get(&format!("{base}/nothing")).status(), 404);
    for asset in ["page.css", "page.js"] {
        assert_eq!(get(&format!("{base}/{asset}")).status(), 200);
    }
}

#[test]
fn one_look_serves_all_who_ask() {
    let status = Fixed::new(false);
    let server = start_with(&ServerConfig::new(plain()), Arc::clone(&status), Router::new());
    let ready = format!("http://{}/health/ready", server.local_addr());
    let started = std::time::Instant::now();
    for _ in 0..5 {
        assert_eq!(get(&ready).status(), 503);
    }
    let most = 1 + started.elapsed().as_secs() as u32;
    assert!(status.asked.load(Ordering::Relaxed) <= most + 1);
}

#[test]
fn an_operator_token_closes_what_operators_see() {
    let (token, digest) = operator();
    let current = Arc::new(Mutex::new(Arc::new(Some(digest))));
    let seen = Arc::clone(&current);
    let token_now = Current::new(move || Arc::clone(&seen.lock().unwrap()));
    let config = ServerConfig::new(plain());
    let server = start_for(&config, Fixed::new(true), Router::new(), token_now);
    let base = format!("http://{}", server.local_addr());
    for path in ["/", "/api/status", "/metrics"] {
        let url = format!("{base}{path}");
        let closed = get(&url);
        assert_eq!(closed.status(), 401, "{path}");
        assert!(closed.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
        assert_eq!(client().get(&url).bearer_auth("svt_0").send().unwrap().status(), 401);
        assert_eq!(client().get(&url).bearer_auth(&token).send().unwrap().status(), 200);
        let basic = client().get(&url).basic_auth("operator", Some(&token));
        assert_eq!(basic.send().unwrap().status(), 200);
    }
    assert_eq!(get(&format!("{base}/health/ready")).status(), 200);
    // Another token takes its place, while the server runs.
    let (other, digest) = generate_token(&|bytes| bytes.fill(4));
    *current.lock().unwrap() = Arc::new(Some(digest));
    let status = format!("{base}/api/status");
    assert_eq!(client().get(&status).bearer_auth(&token).send().unwrap().status(), 401);
    assert_eq!(client().get(&status).bearer_auth(&other).send().unwrap().status(), 200);
}

#[test]
fn without_a_token_only_this_machine_sees_the_page() {
    let server = start(&ServerConfig::new(plain()));
    for (name, value) in [("Host", "evil.example"), ("X-Forwarded-For", "192.0.2.7")] {
        let response = client().get(server.page_url()).header(name, value).send().unwrap();
        assert_eq!(response.status(), 403, "{name}");
    }
}

#[test]
fn what_needs_attention_does_not_end_readiness() {
    let status = Fixed::new(true);
    status.snapshot.lock().unwrap().problems = vec![Problem {
        code: "SV-STORE-005".into(),
        message: "the store does not answer".into(),
        next_step: "look at it".into(),
    }];
    let server = start_with(&ServerConfig::new(plain()), status, Router::new());
    let ready = get(&format!("http://{}/health/ready", server.local_addr()));
    assert_eq!(ready.status(), 200);
    let text = ready.text().unwrap();
    assert_eq!(text, r#"{"ready":true,"degraded":true,"problems":["SV-STORE-005"]}"#);
}

fn tls(folder: &Path) -> (Listener, Client) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let root = reqwest::Certificate::from_der(made.cert.der()).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    let transport = Transport::Tls { certificate, key };
    (Listener { address: "127.0.0.1:0".parse().unwrap(), transport }, client)
}

#[test]
fn tls_is_spoken_in_its_newest_version_only() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, client) = tls(folder.path());
    let server = start(&ServerConfig::new(listener));
    let port = server.local_addr().port();
    let response = client.get(format!("https://localhost:{port}/")).send().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    assert!(response.headers().contains_key("strict-transport-security"));
    assert!(server.page_url().starts_with("https://"));
    // A hello that offers TLS 1.2 at most gets an alert (21), not a server hello (22).
    let mut stream = TcpStream::connect(server.local_addr()).unwrap();
    stream.write_all(&hello_of_tls_1_2()).unwrap();
    let mut answer = [0; 1];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [21]);
    // Plain HTTP gets nothing.
    let mut stream = TcpStream::connect(server.local_addr()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
}

/// A client hello without supported_versions: RFC 8446 4.2.1 takes it as TLS 1.2.
fn hello_of_tls_1_2() -> Vec<u8> {
    let mut extensions = Vec::new();
    for (kind, data) in [
        (0x000A_u16, &[0, 2, 0, 0x17][..]),
        (0x000B, &[1, 0]),
        (0x000D, &[0, 4, 4, 3, 8, 4]),
        (0x0017, &[]),
    ] {
        extensions.extend(kind.to_be_bytes());
        extensions.extend((data.len() as u16).to_be_bytes());
        extensions.extend(data);
    }
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xC0, 0x2F, 0xC0, 0x2B, 1, 0]);
    hello.extend((extensions.len() as u16).to_be_bytes());
    hello.extend(extensions);
    let mut message = vec![1, 0];
    message.extend((hello.len() as u16).to_be_bytes());
    message.extend(hello);
    let mut record = vec![22, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

#[test]
fn what_cannot_be_started_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (good, _) = tls(folder.path());
    let Transport::Tls { certificate, key } = good.transport else { unreachable!() };
    let other = tempfile::tempdir().unwrap();
    let (strange, _) = tls(other.path());
    let Transport::Tls { key: strange_key, .. } = strange.transport else { unreachable!() };
    let tls = |certificate: &Path, key: &Path| Transport::Tls {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
    };
    let table = [
        (address, Transport::Plain, "SV-SERVER-001"),
        (good.address, tls(Path::new("/nonexistent.crt"), &key), "SV-SERVER-002"),
        (good.address, tls(&certificate, &certificate), "SV-SERVER-002"),
        (good.address, tls(&certificate, &strange_key), "SV-SERVER-003"),
    ];
    for (address, transport, code) in table {
        let config = ServerConfig::new(Listener { address, transport });
        let parts = ServerParts {
            receivers: Router::new(),
            status: Fixed::new(true),
            metrics: Metrics::detached(),
            operator_token: Current::fixed(None),
        };
        let Err(error) = serve(&config, parts) else { panic!("it started: {code}") };
        assert_eq!(scanveil_model::Coded::code(&error), code, "{error}");
    }
}

mod slow;

/// Receivers whose one route says when it was entered, and answers when it is let go.
fn slow_receivers() -> (Router, Receiver<()>, Sender<()>) {
    let (entered, is_entered) = channel();
    let (let_go, wait) = channel();
    let wait = Arc::new(Mutex::new(wait));
    let handler = move || {
        let (entered, wait) = (entered.clone(), Arc::clone(&wait));
        async move {
            let waited = tokio::task::spawn_blocking(move || {
                entered.send(()).unwrap();
                wait.lock().unwrap().recv().unwrap();
            });
            waited.await.unwrap();
            "done"
        }
    };
    (Router::new().route("/studies", post(handler)), is_entered, let_go)
}

#[test]
fn a_shutdown_lets_requests_at_work_end() {
    let (receivers, is_entered, let_go) = slow_receivers();
    let server = start_with(&ServerConfig::new(plain()), Fixed::new(true), receivers);
    let address = server.local_addr();
    let sender = std::thread::spawn(move || {
        client().post(format!("http://{address}/studies")).send().unwrap().text().unwrap()
    });
    is_entered.recv().unwrap();
    let stopper = std::thread::spawn(move || server.shutdown());
    let_go.send(()).unwrap();
    assert_eq!(sender.join().unwrap(), "done");
    stopper.join().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn the_configuration_names_its_transport() {
    let text = r#"{"receive":{"address":"127.0.0.1:0","transport":"plain"}}"#;
    let config: ServerConfig = serde_json::from_str(text).unwrap();
    assert_eq!(config.receive.transport, Transport::Plain);
    for bad in [
        r#"{"receive":{"address":"127.0.0.1:0"}}"#,
        r#"{"receive":{"address":"127.0.0.1:0","transport":{"tls":{"certificate":"x"}}}}"#,
        r#"{"receive":{"address":"127.0.0.1:0","transport":"plain"},"recieve":1}"#,
    ] {
        assert!(serde_json::from_str::<ServerConfig>(bad).is_err(), "{bad}");
    }
}
