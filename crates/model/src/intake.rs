//! What is known of an instance when it has arrived.

use crate::{Digest, HospitalId, Uid};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which receiver an instance came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// DICOM message exchange (C-STORE).
    Dimse,
    /// STOW-RS.
    Stow,
    /// An archive that was uploaded.
    Upload,
    /// A watched folder.
    Folder,
}

impl Protocol {
    /// The name as it stands in details and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dimse => "dimse",
            Self::Stow => "stow",
            Self::Upload => "upload",
            Self::Folder => "folder",
        }
    }
}

/// What a receiver knows about an instance. Lies inside the sealed record only, so `Debug` shows
/// nothing that came from the sender.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeMeta {
    /// The hospital it belongs to.
    pub hospital: HospitalId,
    /// When its last byte came, milliseconds since 1970 (UTC).
    pub received_at_ms: i64,
    /// Which receiver.
    pub protocol: Protocol,
    /// The sender's address.
    pub peer: String,
    /// The calling AE title, where there is one.
    pub calling: Option<String>,
    /// SOP Class UID, as far as it is known.
    pub sop_class_uid: Option<Uid>,
    /// SOP Instance UID, as far as it is known.
    pub sop_instance_uid: Option<Uid>,
    /// Study Instance UID, as far as it is known.
    pub study_instance_uid: Option<Uid>,
    /// Series Instance UID, as far as it is known.
    pub series_instance_uid: Option<Uid>,
    /// Transfer syntax UID, as far as it is known.
    pub transfer_syntax: Option<Uid>,
    /// Digest of what the instance holds without its file meta information, as far as it is known;
    /// receivers leave it to who hands the instance to the spool.
    pub content: Option<Digest>,
}

impl fmt::Debug for IntakeMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntakeMeta")
            .field("hospital", &self.hospital)
            .field("received_at_ms", &self.received_at_ms)
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}
