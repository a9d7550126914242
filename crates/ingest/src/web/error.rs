//! Why a whole request was refused, or a token could not be read.

use crate::places::Full;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use scanveil_model::Coded;

/// A request that was refused as a whole, or a token that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// No token, or one that no hospital has.
    #[error("the request carries no token that is known here")]
    Unauthorized,
    /// The `Accept` header names nothing that can be answered.
    #[error("none of the accepted media types can be answered")]
    NotAcceptable,
    /// The body is of a kind that is not taken here.
    #[error("the body's media type or coding is not taken here")]
    MediaType,
    /// The multipart boundary is missing or not allowed by RFC 2046.
    #[error("the content type names no usable boundary")]
    Boundary,
    /// The study in the address is not a UID.
    #[error("the study in the address is not a UID")]
    StudyUid,
    /// The structure of the body is broken, or it ended early.
    #[error("the body is malformed or ended early")]
    Malformed,
    /// The body holds no instance.
    #[error("the body holds no instance")]
    Empty,
    /// The body is longer than the limit.
    #[error("the body is longer than max_body_bytes allows")]
    TooLarge,
    /// The body has more parts, or the archive more members, than the limit.
    #[error("the body has more parts than max_parts allows")]
    TooMany,
    /// The header of a part, or the text before the first one, is longer than the limit.
    #[error("a part's header is longer than max_part_header_bytes allows")]
    PartHeader,
    /// As many requests as allowed are being received.
    #[error("too many requests are being received: {0}")]
    Busy(Full),
    /// What room the spool has belongs to those who have begun.
    #[error("the spool is nearly full")]
    NoRoom,
    /// The sender sent nothing for too long.
    #[error("the sender sent nothing for idle_timeout_ms")]
    Idle,
    /// The sender sent too little for too long.
    #[error("the sender sent less than min_bytes_per_s over rate_window_ms")]
    TooSlow,
    /// The request took too long.
    #[error("the request took longer than request_timeout_ms")]
    Overtime,
    /// The connection broke.
    #[error("the connection broke before the end of the body")]
    Disconnected,
    /// The archive cannot be read as a stream from here on.
    #[error("the archive cannot be read: {0}")]
    Archive(&'static str),
    /// The archive unpacks to more than the limits allow.
    #[error("the archive unpacks to more than {0} allows")]
    Bomb(&'static str),
    /// The receiver itself failed.
    #[error("the receiver failed")]
    Internal,
    /// A token digest in the configuration is not one.
    #[error("a token digest is not sha256: and 64 hexadecimal digits")]
    TokenDigest,
    /// Two entries of the configuration have the same token digest.
    #[error("the same token digest stands twice in the configuration")]
    TokenTwice,
}

impl WebError {
    /// The HTTP status that goes with it (PS3.18 8.5 and 10.5.3.1).
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge | Self::TooMany | Self::PartHeader | Self::Bomb(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Busy(_) | Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::Idle | Self::TooSlow | Self::Overtime => StatusCode::REQUEST_TIMEOUT,
            Self::Internal | Self::TokenDigest | Self::TokenTwice => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl Coded for WebError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "SV-INGEST-301",
            Self::NotAcceptable => "SV-INGEST-302",
            Self::MediaType => "SV-INGEST-303",
            Self::Boundary => "SV-INGEST-304",
            Self::StudyUid => "SV-INGEST-305",
            Self::Malformed => "SV-INGEST-306",
            Self::Empty => "SV-INGEST-307",
            Self::TooLarge => "SV-INGEST-308",
            Self::TooMany => "SV-INGEST-309",
            Self::PartHeader => "SV-INGEST-310",
            Self::Busy(_) => "SV-INGEST-311",
            Self::Idle => "SV-INGEST-312",
            Self::Disconnected => "SV-INGEST-313",
            Self::Archive(_) => "SV-INGEST-314",
            Self::Bomb(_) => "SV-INGEST-315",
            Self::Internal => "SV-INGEST-316",
            Self::TokenDigest => "SV-INGEST-317",
            Self::TokenTwice => "SV-INGEST-318",
            Self::TooSlow => "SV-INGEST-319",
            Self::Overtime => "SV-INGEST-320",
            Self::NoRoom => "SV-INGEST-321",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::Unauthorized => "send the hospital's token as Authorization: Bearer TOKEN",
            Self::NotAcceptable => "accept application/dicom+json or application/dicom+xml",
            Self::MediaType => {
                "send multipart/related; type=\"application/dicom\" or application/dicom to \
                 /studies, application/zip to /upload, without Content-Encoding"
            }
            Self::Boundary => "name the boundary in the Content-Type header",
            Self::StudyUid => "put a Study Instance UID after /studies/, or nothing",
            Self::Malformed => {
                "send it again; if that fails, look at how the sender makes the body"
            }
            Self::Empty => "put at least one instance into the request",
            Self::TooLarge => "split it, or have the operator raise max_body_bytes",
            Self::TooMany => "split it, or have the operator raise max_parts",
            Self::PartHeader => "send parts with Content-Type and no other long headers",
            Self::Busy(_) => {
                "send it again in a few seconds, and fewer at a time; if that does not help, have \
                 the operator see who sends slowly, or raise max_uploads"
            }
            Self::NoRoom => {
                "send it again in a minute; if that does not help, have the operator find out why \
                 the pipeline does not empty the spool"
            }
            Self::TooSlow => {
                "look at the network, then send it again; on a slow line, have the operator lower \
                 min_bytes_per_s"
            }
            Self::Overtime => "send it in several requests",
            Self::Idle | Self::Disconnected => "look at the network, then send it again",
            Self::Archive(_) => {
                "pack it again as a plain zip (stored or deflate, one file), or send the \
                 instances to /studies"
            }
            Self::Bomb(_) => {
                "send the instances to /studies, or have the operator raise the named limit"
            }
            Self::Internal => "send it again, and tell the operator with the request's id",
            Self::TokenDigest => "make a token with `scanveil hospital token` and copy its digest",
            Self::TokenTwice => "give every hospital a token of its own",
        }
        .to_owned()
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.report())).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized => {
                let challenge = HeaderValue::from_static("Bearer realm=\"scanveil\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::Busy(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::NoRoom => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            _ => {}
        }
        response
    }
}
