//! The index at the end of a pack (`docs/formats/pack.md`, "Index").

use crate::{KeyId, SealError, StreamHeader};
use scanveil_model::{
    Digest, Generation, Hex, HospitalId, ProjectName, Reason, SubjectId, Uid, Zone,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The version of the index that is written and read.
pub(super) const PACK_INDEX_VERSION: u32 = 1;
/// Longest certificate that an index may carry, in bytes.
pub(super) const MAX_CERTIFICATE_BYTES: usize = 1 << 20;
/// Longest index that is read or written, in bytes.
pub(super) const MAX_INDEX_BYTES: u64 = 64 << 20;
/// Most entries that an index may have.
pub(super) const MAX_INDEX_ENTRIES: usize = 1_000_000;

pub(super) const TRAILER_LEN: u64 = 16;
pub(super) const TRAILER_MAGIC: [u8; 8] = *b"SVPACK\r\n";

/// A study within a hospital: a keyed hash of its identifier, never the identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StudyKey(#[serde(with = "Hex")] pub [u8; 16]);

impl StudyKey {
    /// Parses 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Hex::decode(text).map(Self)
    }
}

impl fmt::Display for StudyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Hex::encode(&self.0))
    }
}

impl fmt::Debug for StudyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StudyKey({self})")
    }
}

/// One instance of a pack. In the vault and in quarantine an identifier is missing where the bytes
/// did not give one; in research all five are there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackEntry {
    /// SOP Instance UID.
    pub sop_instance_uid: Option<Uid>,
    /// SOP Class UID.
    pub sop_class_uid: Option<Uid>,
    /// Series Instance UID.
    pub series_instance_uid: Option<Uid>,
    /// Study Instance UID.
    pub study_instance_uid: Option<Uid>,
    /// Transfer Syntax UID.
    pub transfer_syntax: Option<Uid>,
    /// Where the instance begins in the plaintext. Set by the writer; what a caller puts is
    /// ignored.
    pub offset: u64,
    /// Length of the instance in bytes.
    pub length: u64,
    /// BLAKE3 digest of the instance's bytes.
    pub digest: Digest,
    /// Digest of the original bytes, for research copies.
    pub source: Option<Digest>,
    /// Why the instance is held, in quarantine.
    pub reasons: Vec<Reason>,
    /// Attributes of the cleaned instance for tables, by keyword, for research copies.
    pub attributes: BTreeMap<String, String>,
}

impl fmt::Debug for PackEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackEntry")
            .field("offset", &self.offset)
            .field("length", &self.length)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// What a pack holds: enough to rebuild the catalogue's rows for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackIndex {
    /// Version of the index.
    pub version: u32,
    /// The zone, as in the sealed header.
    pub zone: Zone,
    /// The hospital, as in the sealed header.
    pub hospital: HospitalId,
    /// The subject, as in the sealed header.
    pub subject: SubjectId,
    /// The project, for research packs.
    pub project: Option<ProjectName>,
    /// The generation, for research packs.
    pub generation: Option<Generation>,
    /// Label of the profile (`basic@16 hex digits`), for research packs.
    pub profile: Option<String>,
    /// The patient's pseudonym, for research packs.
    pub patient_pseudonym: Option<String>,
    /// The study, as a keyed hash.
    pub study_key: StudyKey,
    /// When the newest of the instances arrived, in milliseconds since 1970-01-01 UTC.
    pub received_at_ms: i64,
    /// The certificate of the run that made the study, as it is written into a file: in one pack
    /// of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The instances, in the order in which they lie in the plaintext.
    pub entries: Vec<PackEntry>,
}

impl fmt::Debug for PackIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackIndex")
            .field("zone", &self.zone)
            .field("hospital", &self.hospital)
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

impl PackIndex {
    /// BLAKE3 digest of the certificate, where there is one.
    #[must_use]
    pub fn certificate_digest(&self) -> Option<Digest> {
        let text = self.certificate.as_ref()?;
        Some(Digest(*blake3::hash(text.as_bytes()).as_bytes()))
    }

    /// Reads an index and checks it against the sealed header and the length of the instances.
    pub(super) fn read(
        json: &[u8],
        header: &StreamHeader,
        instance_bytes: u64,
    ) -> Result<Self, SealError> {
        let index: Self = match serde_json::from_slice(json) {
            Ok(index) => index,
            // The parser's own message may quote the text, so that only its kind is told.
            Err(_) => {
                return Err(match serde_json::from_slice::<VersionOnly>(json) {
                    Ok(found) if found.version != PACK_INDEX_VERSION => {
                        SealError::UnknownIndexVersion(found.version)
                    }
                    _ => SealError::Index("it is not the JSON document it has to be"),
                });
            }
        };
        if index.version != PACK_INDEX_VERSION {
            return Err(SealError::UnknownIndexVersion(index.version));
        }
        index.check(header, instance_bytes)?;
        Ok(index)
    }

    pub(super) fn check(
        &self,
        header: &StreamHeader,
        instance_bytes: u64,
    ) -> Result<(), SealError> {
        if self.zone != header.zone || self.hospital != header.hospital {
            return Err(SealError::Index("its zone or hospital is not the header's"));
        }
        if KeyId::Subject(self.subject) != header.key_id {
            return Err(SealError::Index("its subject is not the header's"));
        }
        self.check_certificate()?;
        if self.entries.is_empty() {
            return Err(SealError::Index("it has no entries"));
        }
        if self.entries.len() > MAX_INDEX_ENTRIES {
            return Err(SealError::Index("it has too many entries"));
        }
        let mut end = 0u64;
        for entry in &self.entries {
            if entry.offset != end {
                return Err(SealError::Index("its entries do not follow one another"));
            }
            end = end
                .checked_add(entry.length)
                .ok_or(SealError::Index("an entry's length is out of range"))?;
        }
        if end != instance_bytes {
            return Err(SealError::Index("its entries do not fill the space before it"));
        }
        if self.zone == Zone::Research {
            self.check_research()?;
        }
        Ok(())
    }

    fn check_certificate(&self) -> Result<(), SealError> {
        let Some(certificate) = &self.certificate else { return Ok(()) };
        if self.zone != Zone::Research {
            return Err(SealError::Index("it has a certificate where none belongs"));
        }
        if certificate.len() > MAX_CERTIFICATE_BYTES {
            return Err(SealError::Index("its certificate is longer than one may be"));
        }
        Ok(())
    }

    fn check_research(&self) -> Result<(), SealError> {
        let named = self.project.is_some()
            && self.generation.is_some()
            && self.profile.is_some()
            && self.patient_pseudonym.is_some();
        if !named {
            return Err(SealError::Index(
                "a research pack names its project, generation, profile and pseudonym",
            ));
        }
        let complete = self.entries.iter().all(|e| {
            e.sop_instance_uid.is_some()
                && e.sop_class_uid.is_some()
                && e.series_instance_uid.is_some()
                && e.study_instance_uid.is_some()
                && e.transfer_syntax.is_some()
        });
        if complete {
            Ok(())
        } else {
            Err(SealError::Index("an instance of a research pack lacks one of its UIDs"))
        }
    }
}
