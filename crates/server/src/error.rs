//! Why the server could not start.

use scanveil_model::Coded;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address as configured.
        address: SocketAddr,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// A certificate or key file cannot be read.
    #[error("{path} is not a PEM file with a {what}")]
    Pem {
        /// The file as configured.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What failed.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not make a TLS server.
    #[error("the certificate {path} cannot be used with its key")]
    Certificate {
        /// The certificate file as configured.
        path: PathBuf,
        /// What failed.
        #[source]
        source: rustls::Error,
    },
    /// The runtime could not be started.
    #[error("the server's threads could not be started")]
    Runtime(#[source] io::Error),
    /// Something in this process records metrics already.
    #[error("metrics are recorded already in this process")]
    Metrics,
}

impl Coded for ServerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Bind { .. } => "SV-SERVER-001",
            Self::Pem { .. } => "SV-SERVER-002",
            Self::Certificate { .. } => "SV-SERVER-003",
            Self::Runtime(_) => "SV-SERVER-004",
            Self::Metrics => "SV-SERVER-005",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::Bind { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "stop the program that uses the address, or configure another port"
            }
            Self::Bind { .. } => "configure an address of this machine and a port it may use",
            Self::Pem { .. } => "check the path, who may read the file, and that it is PEM",
            Self::Certificate { .. } => "check that the key belongs to the certificate",
            Self::Runtime(_) => "check the limits on threads and open files",
            Self::Metrics => "start one service in a process",
        }
        .to_owned()
    }
}
