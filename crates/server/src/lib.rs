//! The HTTP side of the service: receivers, health, metrics and the status page, over TLS 1.3.
//!
//! The server owns its runtime: callers stay synchronous and hold a [`ServerHandle`]. What the page
//! shows comes from a [`StatusSource`]; the server itself knows nothing of spools, stores or
//! catalogues.

mod access;
mod config;
mod connection;
mod error;
mod gauges;
mod observe;
mod page;
mod routes;
mod serve;
mod status;
mod tls;

pub use config::{Listener, ServerConfig, Transport};
pub use error::ServerError;
pub use serve::{Metrics, ServerHandle, ServerParts, serve};
pub use status::{
    Entrance, HospitalStatus, PipelineStatus, Problem, QuarantineStatus, ReleaseStatus,
    SpoolStatus, StatusSnapshot, StatusSource, StoreStatus, Volume,
};

#[cfg(test)]
mod tests;
