//! Where identified bytes are read from: the spool, or an original in the vault.

use crate::PipelineError;
use scanveil_model::{Digest, Uid};
use scanveil_seal::{PackEntry, PackReader};
use scanveil_storage::StoredReader;
use scanveil_vault::{Spool, SpooledInstance};
use std::io::Read;
use std::sync::Arc;

/// One instance to scrub.
pub(crate) enum Source {
    /// Just received.
    Spooled(Arc<Spool>, SpooledInstance),
    /// Kept in the vault.
    Original(Arc<PackReader<StoredReader>>, PackEntry),
}

impl Source {
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Spooled(_, instance) => instance.digest(),
            Self::Original(_, entry) => entry.digest,
        }
    }

    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Spooled(_, instance) => instance.length(),
            Self::Original(_, entry) => entry.length,
        }
    }

    /// Series, for packing what belongs together.
    pub(crate) fn series_instance_uid(&self) -> Option<&Uid> {
        match self {
            Self::Spooled(_, instance) => instance.meta().series_instance_uid.as_ref(),
            Self::Original(_, entry) => entry.series_instance_uid.as_ref(),
        }
    }

    /// Opens the instance's bytes, authenticated as they are read.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + '_>, PipelineError> {
        Ok(match self {
            Self::Spooled(spool, instance) => Box::new(spool.read(instance)?),
            Self::Original(pack, entry) => Box::new(pack.instance(entry)?),
        })
    }
}
