//! The answer key: what was planted, where it came from, and what should become of the file.

use serde::{Deserialize, Serialize};

/// What a planted value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PlantedKind {
    /// A person's name as DICOM writes it (`Family^Given=...`): patient, relative or staff.
    PersonName,
    /// A record, admission or other patient number.
    PatientId,
    /// An accession or order number.
    Accession,
    /// A date (`YYYYMMDD`).
    Date,
    /// A postal address.
    Address,
    /// A telephone number.
    Phone,
    /// The name of a hospital, department or ward.
    Institution,
    /// A device's serial number or station name.
    Device,
    /// A DICOM UID.
    Uid,
    /// Any other text that must not survive.
    Text,
}

/// One planted value. It has no `Debug`: even invented values stay out of logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Planted {
    /// What it is.
    pub kind: PlantedKind,
    /// The value as Unicode text.
    pub value: String,
    /// The value's bytes in the character set of the file it stands in.
    pub encoded: Vec<u8>,
}

/// What should become of a file under the Basic Profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// De-identified and released.
    Clean,
    /// Held back: its pixels or its document cannot be proven clean.
    Quarantine,
    /// Either of the two, so long as nothing planted comes out. Only leak vectors say this.
    Either,
}

/// One invented file. It has no `Debug` for the same reason as [`Planted`].
#[derive(Clone)]
pub struct SynthInstance {
    /// Index into [`crate::HOSPITALS`].
    pub hospital: usize,
    /// Number of the study within the corpus, from 0.
    pub study: usize,
    /// SOP Class UID.
    pub sop_class: &'static str,
    /// SOP Instance UID.
    pub sop_instance: String,
    /// Transfer Syntax UID.
    pub transfer_syntax: &'static str,
    /// The whole Part-10 file.
    pub file: Vec<u8>,
    /// The identifiers that really stand in this file.
    pub planted: Vec<Planted>,
    /// What should become of it.
    pub expected: Expect,
}
