//! What can go wrong between two application entities.

use scanveil_model::{AeTitle, Coded};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a receiver could not start, an association ended early, or a sender could not send.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DimseError {
    /// Neither a plain nor a TLS listener is configured.
    #[error("no DICOM listener is configured")]
    NoListener,
    /// A called AE title that would select two hospitals.
    #[error("the called AE title {0} belongs to two hospitals")]
    DuplicateCalledAe(AeTitle),
    /// A limit outside what the protocol allows.
    #[error("the limit {0} is outside what the protocol allows")]
    BadLimit(&'static str),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// The configured address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A certificate or key file that cannot be used.
    #[error("cannot read {what} from {path}")]
    Pem {
        /// What the file should hold.
        what: &'static str,
        /// The configured path.
        path: PathBuf,
    },
    /// Certificate, key and certificate authorities do not make a TLS configuration.
    #[error("TLS cannot be set up")]
    TlsSetup(#[source] rustls::Error),
    /// The configured name of the peer is no DNS name or address.
    #[error("the TLS name of the peer is no DNS name or address")]
    TlsName,
    /// The TLS handshake failed.
    #[error("the TLS handshake failed")]
    Handshake(#[source] io::Error),
    /// The peer cannot be reached.
    #[error("cannot connect to the peer")]
    Connect(#[source] io::Error),
    /// The peer does not want the association (PS3.8 9.3.4).
    #[error("the peer rejected the association: {0}")]
    Rejected(String),
    /// The peer sent an A-ABORT.
    #[error("the peer aborted the association")]
    Aborted,
    /// The peer went away without a release.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer was too slow.
    #[error("the {0} time limit has passed")]
    Timeout(&'static str),
    /// The peer sends, but too little.
    #[error("the peer sent less than {least} bytes per second for a whole window")]
    TooSlow {
        /// The least rate.
        least: u64,
    },
    /// The association was idle while all places were taken.
    #[error("the association was idle and another needed its place")]
    Yielded,
    /// The configuration was changed while the association was open.
    #[error("the configuration does not allow this sender any more")]
    Withdrawn,
    /// The peer claims or sends more than is allowed.
    #[error("{what}: {length} bytes is over the limit of {limit}")]
    TooLong {
        /// Of what.
        what: &'static str,
        /// Bytes claimed or met.
        length: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The peer broke the protocol.
    #[error("protocol violation: {0}")]
    Protocol(&'static str),
    /// The spool took no more: many senders do not notice a refusal by status (A700), and all do
    /// notice the end of the association.
    #[error("the spool is full: what was not acknowledged has to be sent again")]
    SpoolFull,
    /// This receiver is stopping.
    #[error("the receiver is stopping")]
    Stopping,
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// The peer accepted no presentation context for the instance.
    #[error("the peer accepted no presentation context for this SOP class and transfer syntax")]
    NotAccepted,
    /// More pairs of SOP class and transfer syntax than an association can carry.
    #[error("more than 128 pairs of SOP class and transfer syntax in one association")]
    TooManyContexts,
    /// What should be sent cannot be read.
    #[error("the instance to send cannot be read")]
    Source(#[source] io::Error),
    /// What should be sent is not a Part 10 file that says what it is.
    #[error("the file to send has no usable file meta information")]
    NotAnInstance,
}

impl Coded for DimseError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoListener => "SV-INGEST-101",
            Self::DuplicateCalledAe(_) => "SV-INGEST-102",
            Self::BadLimit(_) => "SV-INGEST-103",
            Self::Bind { .. } => "SV-INGEST-104",
            Self::Pem { .. } => "SV-INGEST-105",
            Self::TlsSetup(_) => "SV-INGEST-106",
            Self::TlsName => "SV-INGEST-107",
            Self::Handshake(_) => "SV-INGEST-108",
            Self::Connect(_) => "SV-INGEST-109",
            Self::Rejected(_) => "SV-INGEST-110",
            Self::Aborted => "SV-INGEST-111",
            Self::Closed => "SV-INGEST-112",
            Self::Timeout(_) => "SV-INGEST-113",
            Self::TooLong { .. } => "SV-INGEST-114",
            Self::Protocol(_) => "SV-INGEST-115",
            Self::Stopping => "SV-INGEST-116",
            Self::Io(_) => "SV-INGEST-117",
            Self::NotAccepted => "SV-INGEST-118",
            Self::TooManyContexts => "SV-INGEST-119",
            Self::Source(_) => "SV-INGEST-120",
            Self::NotAnInstance => "SV-INGEST-121",
            Self::TooSlow { .. } => "SV-INGEST-122",
            Self::Yielded => "SV-INGEST-123",
            Self::SpoolFull => "SV-INGEST-124",
            Self::Withdrawn => "SV-INGEST-125",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::SpoolFull => "find out why the pipeline does not empty the spool",
            Self::NoListener => "configure a TLS listener, or a plain one for a trusted network",
            Self::DuplicateCalledAe(_) => "give each hospital its own called AE title",
            Self::BadLimit(_) => "correct the limit in the configuration",
            Self::Bind { .. } => "free the port, or configure another address",
            Self::Pem { .. } => "check that the file exists, can be read and is PEM",
            Self::TlsSetup(_) => "check that certificate and key belong together",
            Self::TlsName => "give the peer's DNS name or address as its certificate has it",
            Self::Handshake(_) => "check both sides' certificates; TLS 1.3 is required",
            Self::Connect(_) => "check host, port and firewall, and that the peer is running",
            Self::Rejected(_) => "check calling and called AE title, and the peer's allow-list",
            Self::Aborted | Self::Closed => "look into the peer's log, then send again",
            Self::Timeout(_) => "check the network and the peer's load, or raise the limit",
            Self::TooSlow { .. } => {
                "check the network and the peer's load, or lower dimse.limits.min_bytes_per_s"
            }
            Self::Yielded => {
                "the peer associates anew by itself; raise dimse.max_associations if it is frequent"
            }
            Self::Withdrawn => "stop the sender, or allow it again in the hospital's `calling`",
            Self::TooLong { .. } => "raise the limit only for a peer you trust",
            Self::Protocol(_) => "report it to the maker of the peer",
            Self::Stopping => "start the receiver again; the peer repeats what was not confirmed",
            Self::Io(_) => "check the network, then send again",
            Self::NotAccepted => "look which SOP classes and transfer syntaxes the peer takes",
            Self::TooManyContexts => "send in several runs, by SOP class",
            Self::Source(_) => "check that the file can be read",
            Self::NotAnInstance => "send DICOM Part 10 files",
        }
        .into()
    }
}
