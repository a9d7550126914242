//! Where an object lies.

use crate::{Result, StorageError};
use scanveil_model::{HospitalId, ObjectId, Zone};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// What every object's name ends with.
pub(crate) const SUFFIX: &str = ".svo";
/// Every zone, in the order their names sort.
pub(crate) const ZONES: [Zone; 3] = [Zone::Quarantine, Zone::Research, Zone::Vault];

/// The key of a stored object: `<zone>/<hospital>/<first 2 hex digits>/<object id>.svo`.
///
/// Built only from a zone, a hospital and an object id, none of which names a patient, so that no
/// identifier can get into a key. Keys sort as their texts do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectKey {
    zone: Zone,
    hospital: HospitalId,
    object: ObjectId,
}

impl ObjectKey {
    /// The key of this object.
    #[must_use]
    pub fn new(zone: Zone, hospital: HospitalId, object: ObjectId) -> Self {
        Self { zone, hospital, object }
    }

    /// Reads a key back from its text.
    ///
    /// # Errors
    /// [`StorageError::Key`] unless it is exactly what `Display` writes for some key.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text.split('/');
        let mut part = || parts.next().ok_or(StorageError::Key);
        let zone = parse_zone(part()?).ok_or(StorageError::Key)?;
        let hospital = HospitalId::parse(part()?).map_err(|_| StorageError::Key)?;
        let shard = part()?;
        let name = part()?.strip_suffix(SUFFIX).ok_or(StorageError::Key)?;
        let object = ObjectId::parse(name).map_err(|_| StorageError::Key)?;
        if parts.next().is_some() || !name.starts_with(shard) || shard.len() != 2 {
            return Err(StorageError::Key);
        }
        Ok(Self { zone, hospital, object })
    }

    /// The zone.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The hospital.
    #[must_use]
    pub fn hospital(&self) -> &HospitalId {
        &self.hospital
    }

    /// The object.
    #[must_use]
    pub fn object(&self) -> ObjectId {
        self.object
    }
}

pub(crate) fn parse_zone(text: &str) -> Option<Zone> {
    ZONES.into_iter().find(|zone| zone.as_str() == text)
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shard = self.object.0[0];
        let zone = self.zone.as_str();
        write!(f, "{zone}/{}/{shard:02x}/{}{SUFFIX}", self.hospital, self.object)
    }
}

impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let zones = self.zone.as_str().cmp(other.zone.as_str());
        // The slash that ends the hospital's name takes part: `a-b/` sorts before `a/`.
        let hospital = |key: &Self| key.hospital.as_str().bytes().chain([b'/']).collect::<Vec<_>>();
        zones
            .then_with(|| hospital(self).cmp(&hospital(other)))
            .then_with(|| self.object.cmp(&other.object))
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = StorageError;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.to_string()
    }
}

/// Which objects a listing is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPrefix {
    /// All there are.
    All,
    /// Those of one zone.
    Zone(Zone),
    /// Those of one hospital in one zone.
    Hospital(Zone, HospitalId),
}

impl KeyPrefix {
    /// The text with which the keys begin.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Zone(zone) => format!("{}/", zone.as_str()),
            Self::Hospital(zone, hospital) => format!("{}/{hospital}/", zone.as_str()),
        }
    }

    /// Whether the key is one of those.
    #[must_use]
    pub fn holds(&self, key: &ObjectKey) -> bool {
        match self {
            Self::All => true,
            Self::Zone(zone) => key.zone == *zone,
            Self::Hospital(zone, hospital) => key.zone == *zone && key.hospital == *hospital,
        }
    }
}
