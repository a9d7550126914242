//! Where identified bytes are read from: the spool, or an original in the vault.

use crate::PipelineError;
use scanveil_engine::guarded;
use scanveil_model::{Digest, Reason, Uid};
use scanveil_seal::{PackEntry, PackReader, SealError};
use scanveil_storage::{ObjectKey, StoredReader};
use scanveil_vault::{Spool, SpoolError, SpooledInstance};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// One instance to scrub.
pub(crate) enum Source {
    /// Just received.
    Spooled(Arc<Spool>, SpooledInstance),
    /// Kept in the vault.
    Original(Arc<PackReader<StoredReader>>, Box<PackEntry>),
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

    pub(crate) fn sop_instance_uid(&self) -> Option<&Uid> {
        match self {
            Self::Spooled(_, instance) => instance.meta().sop_instance_uid.as_ref(),
            Self::Original(_, entry) => entry.sop_instance_uid.as_ref(),
        }
    }

    /// Opens the instance's bytes, authenticated as they are read.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + '_>, PipelineError> {
        Ok(match self {
            Self::Spooled(spool, instance) => Box::new(spool.read(instance)?),
            Self::Original(pack, entry) => {
                Box::new(pack.instance(entry).map_err(|error| in_pack(pack, error))?)
            }
        })
    }

    /// What the reader of these bytes says, as the error it is.
    pub(crate) fn read_error(&self, error: io::Error) -> PipelineError {
        match (error.downcast::<SpoolError>(), self) {
            (Ok(spool), _) => spool.into(),
            (Err(error), Self::Spooled(..)) => SpoolError::from(SealError::from(error)).into(),
            (Err(error), Self::Original(pack, _)) => in_pack(pack, SealError::from(error)),
        }
    }

    /// Runs code over the instance's bytes. What is wrong with the data, or a panic over it, is a
    /// reason to hold it. That the bytes could not be read is an error: nothing is known then, and
    /// holding the instance back would lose it from the study.
    pub(crate) fn read<T>(
        &self,
        code: impl FnOnce(&mut Watched<Box<dyn Read + '_>>) -> Result<T, Reason>,
    ) -> Result<Result<T, Reason>, PipelineError> {
        let mut reader = Watched::new(self.open()?);
        let outcome = guarded(|| code(&mut reader));
        match reader.into_parts() {
            (_, Some(error)) => Err(self.read_error(error)),
            (_, None) => Ok(outcome),
        }
    }
}

/// An error of reading an original, with the object that it lies in.
fn in_pack(pack: &PackReader<StoredReader>, error: SealError) -> PipelineError {
    let header = pack.header();
    let key = ObjectKey::new(header.zone, header.hospital.clone(), header.object_id);
    PipelineError::from(error).in_object(&key)
}

/// Remembers that reading or writing failed, whatever the code in between makes of it.
pub(crate) struct Watched<T> {
    inner: T,
    failed: Option<io::Error>,
}

impl<T> Watched<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, failed: None }
    }

    /// What was watched, and its first failure.
    pub(crate) fn into_parts(self) -> (T, Option<io::Error>) {
        (self.inner, self.failed)
    }

    fn watch<R>(&mut self, result: io::Result<R>) -> io::Result<R> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failed.get_or_insert(error);
            }
            kind.into()
        })
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(out);
        self.watch(result)
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.inner.write(bytes);
        self.watch(result)
    }
    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.watch(result)
    }
}
