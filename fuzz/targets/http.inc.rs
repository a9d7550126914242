// Included by the targets of requests: a router over an intake that drops what it is given.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use scanveil_ingest::{
    Current, IntakeError, IntakeSink, Receipt, ReceivingSink, TokenTable, WebLimits,
    generate_token, router,
};
use scanveil_model::{Digest, HospitalId, IntakeMeta};
use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

/// Most bytes that one instance may have here.
const INSTANCE: u64 = 1 << 20;

struct Sink(u64);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        assert!(self.0 <= INSTANCE + 1024, "an instance over the limit");
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ReceivingSink for Sink {
    fn commit(self: Box<Self>, _: IntakeMeta) -> Result<Receipt, IntakeError> {
        Ok(Receipt { digest: Digest([0; 32]), length: self.0 })
    }
}

struct Intake;

impl IntakeSink for Intake {
    fn admits(&self) -> Result<(), IntakeError> {
        Ok(())
    }
    fn receive(&self, _: &HospitalId) -> Result<Box<dyn ReceivingSink>, IntakeError> {
        Ok(Box::new(Sink(0)))
    }
}

struct Server {
    runtime: Runtime,
    router: axum::Router,
    token: String,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let (token, digest) = generate_token(&|bytes| bytes.fill(7));
        let hospital = HospitalId::parse("st-wystan").expect("a name");
        let tokens = TokenTable::new([(digest, hospital)]).expect("one token");
        let limits = WebLimits {
            max_instance_bytes: INSTANCE,
            max_parts: 40,
            max_unpacked_bytes: 8 << 20,
            ..WebLimits::default()
        };
        let router = router(Arc::new(Intake), Current::fixed(tokens), limits);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        Server { runtime, router, token }
    })
}

/// Posts a body; the answer must come, and must not be one of a server that failed.
fn post(path: &str, kind: &str, body: &[u8]) {
    let Server { runtime, router, token } = server();
    let request = Request::post(path)
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", kind)
        .body(Body::from(body.to_vec()));
    let Ok(request) = request else { return };
    let mut router = router.clone();
    let answer = runtime.block_on(async move { router.call(request).await });
    let status = answer.map(|answer| answer.status()).unwrap_or(StatusCode::OK);
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
}
