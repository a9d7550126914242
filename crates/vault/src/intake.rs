//! The durable receipt of an instance that has arrived.

use data_encoding::HEXLOWER;
use scanveil_model::{Digest, HospitalId, IntakeMeta};
use scanveil_seal::{SealError, ZoneKey};
use std::fmt;
use std::sync::Arc;

/// Names one record of the spool: random, so it says nothing about the instance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpoolId([u8; 16]);

impl SpoolId {
    /// The id with these bytes, as the catalogue keeps it.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SpoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXLOWER.encode_display(&self.0).fmt(f)
    }
}

impl fmt::Debug for SpoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpoolId({self})")
    }
}

/// The durable receipt of one instance: only the spool makes it, and only when the sealed record is
/// on the disk. Cheap to clone.
///
/// No other crate can make one, or change one:
///
/// ```
/// fn reads(one: &scanveil_vault::SpooledInstance) { let _ = one.length(); }
/// ```
/// ```compile_fail
/// fn forges(one: scanveil_vault::SpooledInstance) -> scanveil_vault::SpooledInstance {
///     scanveil_vault::SpooledInstance(one.0)
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SpooledInstance(Arc<Receipt>);

#[derive(PartialEq, Eq)]
struct Receipt {
    id: SpoolId,
    meta: IntakeMeta,
    digest: Digest,
    length: u64,
}

impl SpooledInstance {
    pub(crate) fn new(id: SpoolId, meta: IntakeMeta, digest: Digest, length: u64) -> Self {
        Self(Arc::new(Receipt { id, meta, digest, length }))
    }

    /// The record's random id.
    #[must_use]
    pub fn id(&self) -> SpoolId {
        self.0.id
    }

    /// What the receiver knew.
    #[must_use]
    pub fn meta(&self) -> &IntakeMeta {
        &self.0.meta
    }

    /// BLAKE3 of the instance's bytes as they were received.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// Length of the instance in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length
    }
}

impl fmt::Debug for SpooledInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpooledInstance")
            .field("id", &self.0.id)
            .field("hospital", &self.0.meta.hospital)
            .field("length", &self.0.length)
            .finish_non_exhaustive()
    }
}

/// Where the spool gets the keys from that it seals arriving instances with.
pub trait SpoolKeys: Send + Sync {
    /// The hospital's intake key.
    ///
    /// # Errors
    /// [`SealError::KeyUnknown`] or [`SealError::KeyStore`].
    fn intake_key(&self, hospital: &HospitalId) -> Result<ZoneKey, SealError>;
}
