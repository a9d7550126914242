//! Where the server listens and how it is protected.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// How connections of a listener are protected. There is no default: plain HTTP is spoken only
/// where the configuration says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Transport {
    /// Plain HTTP, for loopback or behind a proxy that speaks TLS.
    Plain,
    /// TLS 1.3.
    Tls {
        /// Certificate chain, PEM.
        certificate: PathBuf,
        /// Private key, PEM.
        key: PathBuf,
    },
}

/// One address the server listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// How it is protected.
    pub transport: Transport,
}

/// The server's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where hospitals send to: `/studies` and `/upload`.
    pub receive: Listener,
    /// Where health, metrics, page and status are also read, with connections and threads that the
    /// receivers cannot take.
    #[serde(default)]
    pub watch: Option<Listener>,
    /// Most connections at once on each listener.
    #[serde(default = "default_max_connections")]
    pub max_connections: usize,
    /// Most of one address; of one network of 64 bits with IPv6.
    #[serde(default = "default_max_per_address")]
    pub max_connections_per_address: usize,
    /// Longest time without a request at work: TLS handshake, a whole header, the time between two
    /// requests, taking an answer; milliseconds.
    #[serde(default = "default_header_timeout_ms")]
    pub header_timeout_ms: u64,
    /// How long requests at work may go on after a shutdown was asked for, milliseconds.
    #[serde(default = "default_shutdown_grace_ms")]
    pub shutdown_grace_ms: u64,
}

fn default_max_connections() -> usize {
    512
}
fn default_max_per_address() -> usize {
    128
}
fn default_header_timeout_ms() -> u64 {
    30_000
}
fn default_shutdown_grace_ms() -> u64 {
    10_000
}

impl ServerConfig {
    /// Everything on one listener, with the default limits.
    #[must_use]
    pub fn new(receive: Listener) -> Self {
        Self {
            receive,
            watch: None,
            max_connections: default_max_connections(),
            max_connections_per_address: default_max_per_address(),
            header_timeout_ms: default_header_timeout_ms(),
            shutdown_grace_ms: default_shutdown_grace_ms(),
        }
    }
}
