//! Opening stored objects, whatever zone they are in.

use crate::PipelineError;
use scanveil_seal::{KeyId, PackReader, SealError};
use scanveil_storage::{ObjectKey, Store, StoredReader};
use scanveil_vault::Keyring;

/// Opens the pack at this place with its subject's key, and sees that it is the one that belongs
/// there: a pack under another name than its own would stand for an object that it is not.
///
/// # Errors
/// What the store, the keyring and the pack give.
pub(crate) fn open_object(
    keyring: &Keyring,
    store: &Store,
    key: &ObjectKey,
) -> Result<PackReader<StoredReader>, PipelineError> {
    let reader = store.open(key)?;
    let pack = PackReader::open(reader, |header| {
        let KeyId::Subject(subject) = header.key_id else {
            return Err(SealError::ZoneMismatch);
        };
        let subject = keyring.existing_subject(&header.hospital, &subject)?;
        Ok(subject.zone_key(header.zone))
    })?;
    let named = pack.header().object_id == key.object();
    if !named || pack.index().zone != key.zone() || pack.index().hospital != *key.hospital() {
        return Err(SealError::Header("the object lies under another object's key").into());
    }
    Ok(pack)
}
