//! Every limit of the DIMSE receiver and sender, by name.

use crate::places::PlaceLimits;
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
/// Bytes taken from the socket at once before there is an association.
pub(super) const OPENING_BUFFER_BYTES: usize = 8 * 1024;
/// Threads of connections whose place was given away and that have not ended yet.
pub(super) const MAX_ENDING: usize = 256;

/// What the receiver allows a peer, and for how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DimseLimits {
    /// Associations at the same time.
    pub max_associations: usize,
    /// Associations of one address; of one network of 64 bits with IPv6.
    pub max_per_address: usize,
    /// Associations that are kept for each hospital; half of an even share when not set.
    pub kept_per_hospital: Option<usize>,
    /// Connections that have not asked for an association yet. When all of these places are taken,
    /// the oldest of the address that has the most is closed for the next.
    pub max_opening: usize,
    /// Such connections of one address.
    pub max_opening_per_address: usize,
    /// An association that is idle for so long is ended when another needs its place.
    pub yields_after: Duration,
    /// Least bytes per second within a message, over the time spent waiting for them.
    pub least_rate: u64,
    /// How much waiting is looked at together for the least rate.
    pub rate_window: Duration,
    /// Longest P-DATA-TF we announce and take, in bytes (PS3.8 D.1).
    pub max_pdu_length: u32,
    /// Longest data set, in bytes.
    pub max_instance_bytes: u64,
    /// Longest TLS handshake, from its first to its last byte.
    pub handshake_timeout: Duration,
    /// ARTIM: longest wait for an A-ASSOCIATE-RQ, and for a peer to close (PS3.8 9.1.5).
    pub artim_timeout: Duration,
    /// Longest pause between two messages.
    pub idle_timeout: Duration,
    /// Longest time spent waiting for the bytes of one PDU, or for the next one of a message.
    pub read_timeout: Duration,
    /// Longest wait for a peer to take what is written to it at once.
    pub write_timeout: Duration,
    /// Longest association.
    pub association_timeout: Duration,
    /// How often a waiting association looks whether the receiver is stopping.
    pub poll_interval: Duration,
}

impl Default for DimseLimits {
    fn default() -> Self {
        Self {
            max_associations: 128,
            max_per_address: 32,
            kept_per_hospital: None,
            max_opening: 256,
            max_opening_per_address: 64,
            yields_after: Duration::from_secs(10),
            least_rate: 1024,
            rate_window: Duration::from_secs(120),
            max_pdu_length: 131_072,
            max_instance_bytes: 16 * 1024 * 1024 * 1024,
            handshake_timeout: Duration::from_secs(10),
            artim_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(600),
            read_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            association_timeout: Duration::from_secs(24 * 3600),
            poll_interval: Duration::from_millis(250),
        }
    }
}

impl DimseLimits {
    /// The places of connections that have not asked for an association yet.
    pub(super) fn opening(&self) -> PlaceLimits {
        PlaceLimits {
            most: self.max_opening,
            per_address: self.max_opening_per_address,
            per_token: usize::MAX,
            kept_per_hospital: Some(0),
            yields_after: Duration::ZERO,
        }
    }

    /// The places of associations.
    pub(super) fn associations(&self) -> PlaceLimits {
        PlaceLimits {
            most: self.max_associations,
            per_address: self.max_per_address,
            per_token: usize::MAX,
            kept_per_hospital: self.kept_per_hospital,
            yields_after: self.yields_after,
        }
    }
}
