//! Sealed objects, packs and the key hierarchy. Pure: no I/O of its own (readers and writers are
//! given by the caller), no clock, and no randomness but what [`Entropy`] supplies.
//!
//! The byte-level specifications are `docs/formats/sealed-object.md`, `docs/formats/pack.md` and
//! `docs/formats/keys.md`; the test vectors in `vectors/` follow them.

mod chunk;
mod error;
mod header;
mod keys;
mod opener;
mod pack;
mod range;
mod sealer;
mod wrap;

pub use error::SealError;
pub use header::{HEADER_LEN, KeyId, MIN_CHUNK_LOG2, StreamHeader};
pub use keys::{Entropy, HospitalKey, PseudonymSecret, ResearchKeys, RootKey, SubjectKey, ZoneKey};
pub use opener::StreamOpener;
pub use pack::{
    InstanceReader, PACK_MAX_INSTANCES, PACK_TARGET_BYTES, PackEntry, PackIndex, PackMeta,
    PackReader, PackWriter, RawZone, ResearchMeta, ResearchPack, ResearchSlot, SealedObject, Slot,
    StudyKey,
};
pub use range::{RangeOpener, RangeReader, ReadAt};
pub use scanveil_secret::is_locked as key_memory_is_locked;
pub use sealer::{SealedSummary, StreamSealer};
pub use wrap::{WrapKind, WrappedKey};

#[cfg(test)]
mod tests;
