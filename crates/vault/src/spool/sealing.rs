//! The sealed block behind an instance that holds what the receiver knew about it.

use super::{SpoolId, SpoolKeys, SpooledInstance};
use crate::error::SpoolError;
use scanveil_model::{Digest, IntakeMeta, ObjectId};
use scanveil_seal::{Entropy, HEADER_LEN, StreamHeader, StreamOpener, StreamSealer};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};

/// Longest details in plaintext.
const MAX_META: usize = 32 * 1024;
/// Longest block of sealed details: header, chunks and their tags.
pub(crate) const MAX_SEALED_META: u32 = 64 * 1024;
/// The details are short: small chunks keep the buffers small.
const META_CHUNK_LOG2: u8 = 13;
/// The version that is written and read.
const META_VERSION: u32 = 1;

/// The details as they are sealed. Names the record and its plaintext, so that neither the details
/// nor the instance can be put beside another one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    version: u32,
    record: ObjectId,
    digest: Digest,
    length: u64,
    meta: IntakeMeta,
}

/// Seals the details of an instance.
pub(crate) fn seal_meta(
    keys: &dyn SpoolKeys,
    entropy: &dyn Entropy,
    instance: &SpooledInstance,
) -> Result<Vec<u8>, SpoolError> {
    let details = Details {
        version: META_VERSION,
        record: ObjectId(*instance.id().as_bytes()),
        digest: instance.digest(),
        length: instance.length(),
        meta: instance.meta().clone(),
    };
    let plain = serde_json::to_vec(&details)
        .map_err(|_| SpoolError::Details("they cannot be written down"))?;
    if plain.len() > MAX_META {
        return Err(SpoolError::Details("they are too long"));
    }
    let hospital = &details.meta.hospital;
    let header = StreamHeader {
        chunk_log2: META_CHUNK_LOG2,
        ..StreamHeader::intake(hospital.clone(), details.record)
    };
    let out = Vec::with_capacity(HEADER_LEN + plain.len() + 64);
    let mut sealer = StreamSealer::new(out, &header, &keys.intake_key(hospital)?, entropy)?;
    sealer.write_all(&plain).map_err(|error| SpoolError::from_io("seal a record", error))?;
    Ok(sealer.finish()?.0)
}

/// Opens the details of a record and makes its receipt from them.
pub(crate) fn open_meta(
    keys: &dyn SpoolKeys,
    id: SpoolId,
    sealed: &[u8],
) -> Result<SpooledInstance, SpoolError> {
    let opener = StreamOpener::new(sealed, |header| keys.intake_key(&header.hospital))?;
    let hospital = opener.header().hospital.clone();
    let mut plain = Vec::new();
    let read = opener.take(MAX_META as u64 + 1).read_to_end(&mut plain);
    read.map_err(|error| SpoolError::from(scanveil_seal::SealError::from(error)))?;
    let details: Details = serde_json::from_slice(&plain)
        .map_err(|_| SpoolError::Details("they are not in a form this version reads"))?;
    if details.version != META_VERSION
        || details.record.0 != *id.as_bytes()
        || details.meta.hospital != hospital
    {
        return Err(SpoolError::Details("they belong to another record"));
    }
    Ok(SpooledInstance::new(id, details.meta, details.digest, details.length))
}
