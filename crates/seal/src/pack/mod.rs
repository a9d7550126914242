//! Packs: the instances of a series in one sealed object (`docs/formats/pack.md`).

mod index;
mod reader;
mod research;
mod writer;

pub use index::{PackEntry, PackIndex, StudyKey};
pub use reader::{InstanceReader, PackReader};
pub use research::{ResearchMeta, ResearchPack, ResearchSlot};
pub use writer::{
    PACK_MAX_INSTANCES, PACK_TARGET_BYTES, PackMeta, PackWriter, RawZone, SealedObject, Slot,
};

#[cfg(test)]
mod tests;
