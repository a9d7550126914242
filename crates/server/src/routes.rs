//! The routes beside the receivers: health, metrics, page and status.

use crate::access::{operators_only, without_port};
use crate::page::{SCRIPT, STYLE, render};
use crate::serve::Metrics;
use crate::status::Status;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use scanveil_ingest::{Current, TokenDigest};
use serde::Serialize;
use std::sync::Arc;

/// `/health/live` and `/health/ready`, open to everybody.
pub(crate) fn health(status: Arc<Status>) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .with_state(status)
}

/// `/`, its style and script, and `/api/status`, for operators.
pub(crate) fn operate(status: Arc<Status>, token: Current<Option<TokenDigest>>) -> Router {
    let typed = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind)], text) })
    };
    Router::new()
        .route("/", get(page))
        .route("/api/status", get(api_status))
        .with_state(status)
        .route("/page.css", typed("text/css; charset=utf-8", STYLE))
        .route("/page.js", typed("text/javascript; charset=utf-8", SCRIPT))
        .route_layer(from_fn_with_state(token, operators_only))
}

/// `/metrics` in Prometheus' text format, for operators and their collectors.
pub(crate) fn metrics(
    status: Arc<Status>,
    metrics: Metrics,
    token: Current<Option<TokenDigest>>,
) -> Router {
    Router::new()
        .route("/metrics", get(render_metrics))
        .with_state((status, metrics))
        .route_layer(from_fn_with_state(token, operators_only))
}

async fn render_metrics(State((status, metrics)): State<(Arc<Status>, Metrics)>) -> Response {
    // Who cannot be asked how it is doing is not ready; what was counted is shown all the same.
    let snapshot = status.look().await.unwrap_or_default();
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics.render(&snapshot)).into_response()
}

#[derive(Serialize)]
struct Health<'s> {
    /// Whether instances are received.
    ready: bool,
    /// Whether something else needs an operator.
    degraded: bool,
    /// The codes of what is wrong; the status page says more.
    problems: Vec<&'s str>,
}

async fn ready(State(status): State<Arc<Status>>) -> Response {
    let snapshot = status.look().await;
    let problems = snapshot.iter().flat_map(|look| &look.problems);
    let problems: Vec<&str> = problems.map(|problem| problem.code.as_str()).collect();
    let ready = snapshot.as_ref().is_some_and(|look| look.ready);
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let health = Health { ready, degraded: ready && !problems.is_empty(), problems };
    (code, Json(health)).into_response()
}

async fn api_status(State(status): State<Arc<Status>>) -> Response {
    match status.look().await {
        Some(snapshot) => Json(&*snapshot).into_response(),
        None => unknown(),
    }
}

async fn page(State(status): State<Arc<Status>>, uri: Uri, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = uri.host().or(host.map(without_port)).unwrap_or_default();
    match status.look().await {
        Some(snapshot) => Html(render(&snapshot, plain_host(host))).into_response(),
        None => unknown(),
    }
}

fn unknown() -> Response {
    let text = "The service does not say how it is doing. Look at its log.\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// A host name that may stand in a command; anything else is replaced.
fn plain_host(host: &str) -> &str {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:".contains(&b);
    if !host.is_empty() && host.len() <= 253 && host.bytes().all(plain) { host } else { "SERVER" }
}

#[cfg(test)]
mod tests {
    use super::plain_host;

    #[test]
    fn a_host_that_is_no_host_does_not_get_into_a_command() {
        let table = [
            ("scan.example", "scan.example"),
            ("[::1]", "::1"),
            ("", "SERVER"),
            ("x;rm -rf /", "SERVER"),
            ("$(id)", "SERVER"),
        ];
        for (host, wanted) in table {
            assert_eq!(plain_host(host), wanted);
        }
    }
}
