//! Receivers over HTTP: STOW-RS (PS3.18 10.5) and the upload of zip archives.
//!
//! A token selects the hospital. Bodies stream through bounded channels into the spool: memory does
//! not grow with the size of an instance, an archive or a request.

mod answer;
mod body;
mod error;
mod media;
mod stow;
mod token;
mod unzip;
mod upload;

pub use error::WebError;
pub use token::{TokenDigest, TokenTable, generate_token};

use crate::arrival::Origin;
use crate::current::Current;
use crate::intake::Intake;
use crate::places::{Guest, Place, PlaceLimits, Places};
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use body::Metered;
use scanveil_model::{HospitalId, Protocol};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Limits of the receivers over HTTP. None of them allocates what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebLimits {
    /// Longest request body, bytes.
    pub max_body_bytes: u64,
    /// Longest single instance, bytes.
    pub max_instance_bytes: u64,
    /// Most parts in a request, and most members in an archive.
    pub max_parts: u32,
    /// Longest header of one part, and longest text before the first part, bytes.
    pub max_part_header_bytes: usize,
    /// Most requests that are received at once; more are asked to come back.
    pub max_uploads: usize,
    /// Most of them with one token.
    pub max_uploads_per_token: usize,
    /// Most of them from one address; of all behind one proxy, which has one address.
    pub max_uploads_per_address: usize,
    /// How many of them are kept for each hospital; half of an even share when not set.
    pub kept_per_hospital: Option<usize>,
    /// Least bytes per second of a body, over the time spent waiting for them.
    pub min_bytes_per_s: u64,
    /// How much waiting is looked at together for the least rate, milliseconds.
    pub rate_window_ms: u64,
    /// Longest request, from the end of its header to the last byte of its body, milliseconds.
    pub request_timeout_ms: u64,
    /// Instances of one request that may wait to become durable while the next ones arrive.
    pub max_commits_in_flight: usize,
    /// How long a sender may send nothing, milliseconds.
    pub idle_timeout_ms: u64,
    /// Most bytes that one archive may unpack to.
    pub max_unpacked_bytes: u64,
    /// Highest ratio of unpacked to packed bytes of an archive's member, once it is large.
    pub max_unpack_ratio: u64,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            max_body_bytes: 64 << 30,
            max_instance_bytes: 16 << 30,
            max_parts: 20_000,
            max_part_header_bytes: 16 << 10,
            max_uploads: 64,
            max_uploads_per_token: 32,
            max_uploads_per_address: 48,
            kept_per_hospital: None,
            min_bytes_per_s: 1024,
            rate_window_ms: 120_000,
            request_timeout_ms: 6 * 3_600_000,
            max_commits_in_flight: 16,
            idle_timeout_ms: 60_000,
            max_unpacked_bytes: 128 << 30,
            max_unpack_ratio: 400,
        }
    }
}

/// What the handlers share.
struct Web {
    intake: Intake,
    tokens: Current<TokenTable>,
    limits: WebLimits,
    uploads: Places,
}

/// Who sends a request.
#[derive(Clone)]
struct Sender {
    hospital: HospitalId,
    token: TokenDigest,
    address: IpAddr,
}

/// The routes `POST /studies`, `POST /studies/{study}` and `POST /upload`.
///
/// A token that is taken out of the table is refused at once: what is on its way with it ends
/// before its next instance.
///
/// Serve it with connection information (`into_make_service_with_connect_info::<SocketAddr>`), so
/// that the sender's address is known.
pub fn router(intake: Intake, tokens: Current<TokenTable>, limits: WebLimits) -> Router {
    let places = PlaceLimits {
        most: limits.max_uploads,
        per_address: limits.max_uploads_per_address,
        per_token: limits.max_uploads_per_token,
        kept_per_hospital: limits.kept_per_hospital,
        yields_after: Duration::MAX,
    };
    let counted = tokens.clone();
    let uploads = Places::new(places, move || counted.now().hospitals());
    Router::new()
        .route("/studies", post(stow::store))
        .route("/studies/{study}", post(stow::store_in_study))
        .route("/upload", post(upload::upload))
        .with_state(Arc::new(Web { intake, tokens, limits, uploads }))
}

impl Web {
    /// Answers a request. Where that is an error, a bounded rest of the body is read first, so that
    /// the sender gets to read it.
    async fn answer(
        &self,
        request: Request,
        receive: impl AsyncFnOnce(Parts, Metered) -> Result<Response, WebError>,
    ) -> Response {
        let (parts, body) = request.into_parts();
        // Who expects a 100 has sent nothing yet, and is not to be asked for it.
        let waits = parts.headers.contains_key(header::EXPECT);
        let body = Metered::new(body, &self.limits);
        let rest = body.rest();
        let response = receive(parts, body).await.unwrap_or_else(WebError::into_response);
        let refused = response.status().is_client_error() || response.status().is_server_error();
        if refused && !waits {
            rest.drain().await;
        }
        response
    }

    /// The hospital whose token the request carries.
    fn sender(&self, parts: &Parts) -> Result<Sender, WebError> {
        let tokens = self.tokens.now();
        let found = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .and_then(|(_, token)| tokens.find(token.trim()));
        let Some((token, hospital)) = found else {
            count_refused("unknown", "no-token");
            return Err(WebError::Unauthorized);
        };
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |info| info.0.ip().to_canonical());
        Ok(Sender { hospital: hospital.clone(), token, address })
    }

    /// Whether a sender whose request is at work may still send.
    fn check_sender(&self, sender: &Sender) -> Result<(), WebError> {
        if self.tokens.now().has(&sender.token, &sender.hospital) {
            return Ok(());
        }
        count_refused(sender.hospital.as_str(), "no-token");
        Err(WebError::Unauthorized)
    }

    /// Refuses what can be refused before a byte of the body is read.
    fn admit(&self, sender: &Sender, headers: &HeaderMap) -> Result<Place, WebError> {
        if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(WebError::MediaType);
        }
        let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
        let length = length.and_then(|text| text.parse::<u64>().ok());
        if length.is_some_and(|length| length > self.limits.max_body_bytes) {
            return Err(WebError::TooLarge);
        }
        if self.intake.admits().is_err() {
            count_refused(sender.hospital.as_str(), "spool-full");
            return Err(WebError::NoRoom);
        }
        let guest = Guest {
            address: sender.address,
            hospital: Some(sender.hospital.clone()),
            token: Some(sender.token),
        };
        let place = self.uploads.take(guest, || ()).map_err(|full| {
            count_refused(sender.hospital.as_str(), full.label());
            WebError::Busy(full)
        })?;
        place.busy();
        Ok(place)
    }
}

impl Sender {
    fn origin(&self, protocol: Protocol) -> Origin {
        Origin { hospital: self.hospital.clone(), protocol, peer: self.address.to_string() }
    }
}

fn count_refused(hospital: &str, reason: &'static str) {
    metrics::counter!("scanveil_refused_requests_total",
        "hospital" => hospital.to_owned(), "reason" => reason)
    .increment(1);
}

#[cfg(test)]
mod tests;
