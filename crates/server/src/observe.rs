//! What every request gets: an id, a line in the log, a count, and the headers of a careful server.
//!
//! The log holds routes, not paths: a path may hold a Study Instance UID. It holds no query, no
//! header of the sender and no host name.

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the requests of a listener share.
#[derive(Clone)]
pub(crate) struct Observer {
    tls: bool,
    ids: Arc<Ids>,
}

/// Request ids: a number that starts anew at a random place with every process.
struct Ids {
    start: u64,
    count: AtomicU64,
}

impl Observer {
    pub(crate) fn new(tls: bool) -> Self {
        let start = RandomState::new().build_hasher().finish();
        Self { tls, ids: Arc::new(Ids { start, count: AtomicU64::new(0) }) }
    }

    fn id(&self) -> String {
        let count = self.ids.count.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}", self.ids.start.wrapping_add(count))
    }
}

/// Wraps every request of a listener.
pub(crate) async fn observe(
    State(observer): State<Observer>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (route, method) = (route(request.uri().path()), method(request.method()));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|peer| peer.0.ip().to_canonical().to_string()).unwrap_or_default();
    let id = observer.id();
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    metrics::counter!("scanveil_http_requests_total",
        "route" => route, "method" => method, "status" => status.to_string())
    .increment(1);
    metrics::histogram!("scanveil_http_request_seconds", "route" => route)
        .record(elapsed.as_secs_f64());
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if matches!(route, "/studies" | "/studies/{study}" | "/upload") || status >= 400 {
        tracing::info!(id, method, route, status, ms, peer, "request");
    } else {
        tracing::debug!(id, method, route, status, ms, peer, "request");
    }
    harden(response.headers_mut(), observer.tls);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn harden(headers: &mut HeaderMap, tls: bool) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if tls {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
}

/// The route a path belongs to, as a fixed word.
fn route(path: &str) -> &'static str {
    const ROUTES: [&str; 9] = [
        "/",
        "/studies",
        "/upload",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/api/status",
        "/page.css",
        "/page.js",
    ];
    match ROUTES.iter().find(|route| **route == path) {
        Some(route) => route,
        None if path.starts_with("/studies/") => "/studies/{study}",
        None => "other",
    }
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_hold_routes_and_never_paths() {
        let table = [
            ("/studies", "/studies"),
            ("/studies/1.2.840.1", "/studies/{study}"),
            ("/studies/DOE^JANE/series", "/studies/{study}"),
            ("/DOE", "other"),
            ("/", "/"),
        ];
        for (path, wanted) in table {
            assert_eq!(route(path), wanted);
        }
        assert_eq!(method(&Method::from_bytes(b"DOE").unwrap()), "other");
    }

    #[test]
    fn request_ids_differ() {
        let observer = Observer::new(false);
        let (one, two) = (observer.id(), observer.clone().id());
        assert!(one != two && one.len() == 16);
    }
}
