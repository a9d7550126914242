//! What every receiver shares: how an instance is handed to the spool, and which hospital it is
//! for.
//!
//! A receiver asks the [`IntakeSink`] for a [`ReceivingSink`], writes one Part 10 file into it and
//! commits it. Only the [`Receipt`] of a commit lets it tell the sender "success" (invariant 5).

use ipnet::{IpNet, Ipv4Net};
use scanveil_model::{AeTitle, Coded, Digest, HospitalId, IntakeMeta};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many bytes of an instance a receiver keeps to peek at its identifying UIDs.
pub(crate) const PEEK_BYTES: usize = 64 * 1024;

/// Where receivers hand over what arrives, shared by all of them.
pub type Intake = Arc<dyn IntakeSink>;

/// The entrance of the spool.
pub trait IntakeSink: Send + Sync {
    /// Whether a new sender may begin: an association, a request, a file of a watched folder. Says
    /// no before nothing can be received any more, so that those who have begun can go on.
    ///
    /// # Errors
    /// [`IntakeError`] when only those may.
    fn admits(&self) -> Result<(), IntakeError>;

    /// Opens a place for one instance of a hospital.
    ///
    /// # Errors
    /// [`IntakeError`] when the spool is full, refuses the hospital, or fails.
    fn receive(&self, hospital: &HospitalId) -> Result<Box<dyn ReceivingSink>, IntakeError>;
}

/// One instance on its way in: a Part 10 file is written to it. Dropped without a commit, nothing
/// of it is left.
pub trait ReceivingSink: Write + Send {
    /// Makes the instance durable.
    ///
    /// # Errors
    /// [`IntakeError`]; nothing of the instance is left then.
    fn commit(self: Box<Self>, meta: IntakeMeta) -> Result<Receipt, IntakeError>;
}

/// Proof that an instance is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Digest of the Part 10 file as it was written.
    pub digest: Digest,
    /// Its length in bytes.
    pub length: u64,
}

/// Why the spool did not take an instance.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// The spool has reached its limit; the sender should try again later.
    #[error("the spool is full")]
    Full,
    /// The spool refuses this instance or hospital for good.
    #[error("the spool refuses the instance: {0}")]
    Refused(&'static str),
    /// Reading or writing failed.
    #[error("the spool could not be written")]
    Io(#[source] io::Error),
}

impl From<io::Error> for IntakeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

impl Coded for IntakeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Full => "SV-INGEST-001",
            Self::Refused(_) => "SV-INGEST-002",
            Self::Io(_) => "SV-INGEST-003",
        }
    }
    fn next_step(&self) -> String {
        match self {
            Self::Full => {
                "free space for the spool, raise its limit, or find out why the pipeline \
                           does not empty it; senders repeat what was refused"
                    .into()
            }
            Self::Refused(_) => "check that the hospital is configured and has keys".into(),
            Self::Io(_) => {
                "check the disk that holds the spool, then have the sender repeat".into()
            }
        }
    }
}

/// A range of addresses such as `10.1.0.0/16`, `2001:db8::/32`, or one address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

/// A text that is not an address or an address range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an address or address range such as 10.1.0.0/16")]
pub struct NetworkError;

impl Network {
    /// Every IPv4 and IPv6 address that is the peer's own machine.
    #[must_use]
    pub fn loopback() -> [Self; 2] {
        let v4 = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
        [Self(v4.into()), Self(IpAddr::from(Ipv6Addr::LOCALHOST).into())]
    }

    /// Parses `address/prefix length`, or one address.
    ///
    /// # Errors
    /// [`NetworkError`] when it is neither.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let text = text.trim();
        let network = match text.parse::<IpAddr>() {
            Ok(address) => address.into(),
            Err(_) => text.parse().map_err(|_| NetworkError)?,
        };
        Ok(Self(network))
    }

    /// Whether an address lies in the range. An IPv4 address mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;
    fn try_from(text: String) -> Result<Self, NetworkError> {
        Self::parse(&text)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

/// Who may call: an AE title (or any) from an address range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallingRule {
    /// The calling AE title; any when absent.
    pub ae: Option<AeTitle>,
    /// The addresses it may call from.
    pub network: Network,
}

/// How a hospital is reached, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HospitalRoute {
    /// The hospital.
    pub hospital: HospitalId,
    /// The AE title its senders call us by.
    pub called_ae: AeTitle,
    /// Who may send for it; nobody when empty.
    pub calling: Vec<CallingRule>,
}

impl HospitalRoute {
    /// Whether a calling AE title may send from an address.
    #[must_use]
    pub fn admits(&self, calling: &AeTitle, address: IpAddr) -> bool {
        self.calling.iter().any(|rule| {
            rule.network.contains(address) && rule.ae.as_ref().is_none_or(|ae| ae == calling)
        })
    }

    /// Whether anybody may send from an address.
    #[must_use]
    pub fn reaches(&self, address: IpAddr) -> bool {
        self.calling.iter().any(|rule| rule.network.contains(address))
    }

    /// Whether the configuration names a calling AE title: what else a stranger calls himself is
    /// not shown in a metric.
    #[must_use]
    pub fn names(&self, calling: &AeTitle) -> bool {
        self.calling.iter().any(|rule| rule.ae.as_ref() == Some(calling))
    }
}

/// Milliseconds since 1970 (UTC), the time receivers note.
#[must_use]
pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| i64::try_from(elapsed.as_millis()).ok())
        .unwrap_or(0)
}

/// The first bytes of an instance as it streams by, for the peek at its commit.
pub(crate) struct Prefix(Vec<u8>);

impl Prefix {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(PEEK_BYTES))
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = PEEK_BYTES - self.0.len();
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses_only() {
        let table: &[(&str, &str, bool)] = &[
            ("10.1.0.0/16", "10.1.255.3", true),
            ("10.1.0.0/16", "10.2.0.1", false),
            ("10.1.0.0/16", "::ffff:10.1.2.3", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
        ];
        for (network, address, inside) in table {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), *inside, "{network:?}");
            assert_eq!(Network::parse(&String::from(network)).unwrap(), network);
        }
        for bad in ["", "10.1.0.0/33", "::/129", "10.1/8", "host", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_full_disk_is_a_full_spool() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(IntakeError::from(full), IntakeError::Full));
        let other = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(matches!(IntakeError::from(other), IntakeError::Io(_)));
    }

    #[test]
    fn a_prefix_never_grows_past_its_limit() {
        let mut prefix = Prefix::new();
        prefix.push(&vec![1; PEEK_BYTES - 1]);
        prefix.push(&[2, 3, 4]);
        assert_eq!(prefix.bytes().len(), PEEK_BYTES);
        assert_eq!(prefix.bytes().last(), Some(&2));
    }
}
