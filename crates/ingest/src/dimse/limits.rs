//! Every limit of the DIMSE receiver and sender, by name.

use std::time::Duration;

/// Presentation contexts in one association: odd numbers from 1 to 255 (PS3.8 9.3.2.2).
pub(super) const MAX_PRESENTATION_CONTEXTS: usize = 128;
/// Transfer syntaxes looked at in one presentation context.
pub(super) const MAX_TRANSFER_SYNTAXES: usize = 256;
/// Bytes of an A-ASSOCIATE-RQ or -AC; a hundred contexts with sixty syntaxes each stay below it.
pub(super) const MAX_ASSOCIATE_LENGTH: u32 = 1024 * 1024;
/// Bytes of an A-RELEASE, A-ABORT or A-ASSOCIATE-RJ; each has four.
pub(super) const MAX_CONTROL_LENGTH: u32 = 1024;
/// Bytes of a command set; C-STORE-RQ needs about 300.
pub(super) const MAX_COMMAND_LENGTH: usize = 16 * 1024;
/// Bytes taken from the socket at once.
pub(super) const BUFFER_BYTES: usize = 256 * 1024;
/// Bytes thrown away while waiting for a peer to close.
pub(super) const MAX_LINGER_BYTES: usize = 1024 * 1024;
/// Connections over the limit of associations that still get a proper rejection at the same time.
pub(super) const MAX_REJECTING: usize = 16;

/// What the receiver allows a peer, and for how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DimseLimits {
    /// Associations at the same time.
    pub max_associations: usize,
    /// Longest P-DATA-TF we announce and take, in bytes (PS3.8 D.1).
    pub max_pdu_length: u32,
    /// Longest data set, in bytes.
    pub max_instance_bytes: u64,
    /// Longest TLS handshake.
    pub handshake_timeout: Duration,
    /// ARTIM: longest wait for an A-ASSOCIATE-RQ, and for a peer to close (PS3.8 9.1.5).
    pub artim_timeout: Duration,
    /// Longest pause between two messages.
    pub idle_timeout: Duration,
    /// Longest time spent waiting for the bytes of one PDU, or for the next one of a message.
    pub read_timeout: Duration,
    /// Longest wait for a peer to take a response.
    pub write_timeout: Duration,
    /// Longest association.
    pub association_timeout: Duration,
    /// How often a waiting association looks whether the receiver is stopping.
    pub poll_interval: Duration,
}

impl Default for DimseLimits {
    fn default() -> Self {
        Self {
            max_associations: 64,
            max_pdu_length: 131_072,
            max_instance_bytes: 16 * 1024 * 1024 * 1024,
            handshake_timeout: Duration::from_secs(15),
            artim_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(600),
            read_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            association_timeout: Duration::from_secs(24 * 3600),
            poll_interval: Duration::from_millis(250),
        }
    }
}
