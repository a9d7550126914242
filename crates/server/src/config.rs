//! Where the server listens and how it is protected.

use scanveil_ingest::TokenDigest;
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
    /// Where operators look: `/` and `/api/status`; with the receivers when absent.
    #[serde(default)]
    pub operate: Option<Listener>,
    /// Where `/metrics` is read; with the page when absent.
    #[serde(default)]
    pub metrics: Option<Listener>,
    /// Digest of the token that opens page, status and metrics. Without one they are shown to the
    /// machine itself only.
    #[serde(default)]
    pub operator_token: Option<TokenDigest>,
    /// Most connections at once, over all listeners.
    #[serde(default = "default_max_connections")]
    pub max_connections: usize,
    /// How long a connection may be silent, milliseconds.
    #[serde(default = "default_idle_connection_ms")]
    pub idle_connection_ms: u64,
    /// How long requests at work may go on after a shutdown was asked for, milliseconds.
    #[serde(default = "default_shutdown_grace_ms")]
    pub shutdown_grace_ms: u64,
}

fn default_max_connections() -> usize {
    1024
}
fn default_idle_connection_ms() -> u64 {
    120_000
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
            operate: None,
            metrics: None,
            operator_token: None,
            max_connections: default_max_connections(),
            idle_connection_ms: default_idle_connection_ms(),
            shutdown_grace_ms: default_shutdown_grace_ms(),
        }
    }
}
