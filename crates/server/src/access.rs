//! Who may see the page, the status and the metrics.
//!
//! They hold no data of patients, but they tell who sends how much. Without an operator token they
//! are shown to the machine itself only; with one, to whoever has it.

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64_NOPAD;
use scanveil_ingest::{Current, TokenDigest};
use std::net::{IpAddr, SocketAddr};

/// Headers that a proxy adds: a request that came through one is not from this machine.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Lets a request through to the operator's routes, or answers it.
pub(crate) async fn operators_only(
    State(token): State<Current<Option<TokenDigest>>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    match *token.now() {
        Some(token) if presented(headers).is_some_and(|text| token.matches(&text)) => {}
        Some(_) => return challenge(),
        None => {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
            if !peer.is_some_and(|peer| from_here(peer.0.ip(), request.uri(), headers)) {
                return (StatusCode::FORBIDDEN, ELSEWHERE).into_response();
            }
        }
    }
    next.run(request).await
}

const ELSEWHERE: &str = "This page is shown to the machine it runs on only.\n\
    To see it from elsewhere, set operator_token in the configuration.\n";

/// A browser asks for name and password then: the password is the token, the name may be anything.
fn challenge() -> Response {
    let mut response =
        (StatusCode::UNAUTHORIZED, "The operator's token is needed here.\n").into_response();
    let basic = HeaderValue::from_static("Basic realm=\"scanveil\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
    response
}

/// The token of a Bearer header, or the password of a Basic one.
fn presented(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    // With or without padding: clients differ.
    let digits = rest.trim().trim_end_matches('=').as_bytes();
    let text = String::from_utf8(BASE64_NOPAD.decode(digits).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// Whether a request comes from this machine, straight, and was meant for it: a page of another
/// site whose name was bent to a loopback address carries that name as its host.
fn from_here(peer: IpAddr, uri: &Uri, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = uri.host().or(host.map(without_port)).unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
    peer.to_canonical().is_loopback()
        && loopback
        && FORWARDED.iter().all(|name| !headers.contains_key(*name))
}

/// The host of a `Host` header without its port.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = header::HeaderName::from_static(name);
                (name, HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    #[test]
    fn only_this_machine_is_from_here() {
        type Case<'a> = (&'a str, &'a [(&'static str, &'a str)], bool);
        let table: &[Case<'_>] = &[
            ("127.0.0.1", &[("host", "127.0.0.1:8042")], true),
            ("::1", &[("host", "[::1]:8042")], true),
            ("::1", &[("host", "[::1]")], true),
            ("::ffff:127.0.0.1", &[("host", "LOCALHOST")], true),
            ("127.0.0.1", &[("host", "evil.example:8042")], false),
            ("127.0.0.1", &[], false),
            ("192.0.2.7", &[("host", "127.0.0.1:8042")], false),
            ("127.0.0.1", &[("host", "localhost"), ("x-forwarded-for", "192.0.2.7")], false),
        ];
        for (peer, pairs, wanted) in table {
            let seen = from_here(peer.parse().unwrap(), &Uri::from_static("/"), &headers(pairs));
            assert_eq!(seen, *wanted, "{peer} {pairs:?}");
        }
        let absolute = Uri::from_static("http://evil.example/");
        let pairs = headers(&[("host", "localhost")]);
        assert!(!from_here("127.0.0.1".parse().unwrap(), &absolute, &pairs));
    }

    #[test]
    fn tokens_come_as_bearer_or_as_a_password() {
        let table: &[(&str, Option<&str>)] = &[
            ("Bearer svt_1", Some("svt_1")),
            ("Basic b3BlcmF0b3I6c3Z0XzE=", Some("svt_1")),
            ("basic OnN2dF8x", Some("svt_1")),
            ("Basic !!!", None),
            ("Basic c3Z0XzE=", None),
            ("Digest svt_1", None),
            ("svt_1", None),
        ];
        for (value, wanted) in table {
            let seen = presented(&headers(&[("authorization", value)]));
            assert_eq!(seen.as_deref(), *wanted, "{value}");
        }
    }
}
