//! Sealed files in the work folder, on their way to the store.

use crate::PipelineError;
use scanveil_seal::{Entropy, SealedObject};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file of the work folder: removed when dropped. A folder store has taken it by then; with S3 it
/// is still there.
pub(crate) struct LocalFile(PathBuf);

impl Drop for LocalFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl LocalFile {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A new file under a random name, which a sweep of local packs knows by its ending.
    pub(crate) fn create(dir: &Path, entropy: &dyn Entropy) -> Result<(Self, File), PipelineError> {
        let mut name = [0; 16];
        entropy.fill(&mut name);
        let path = dir.join(format!("{:032x}.svo-local", u128::from_le_bytes(name)));
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file =
            file.map_err(|source| PipelineError::Folder { what: "the work folder", source })?;
        Ok((Self(path), file))
    }
}

/// A sealed pack on the local disk, waiting to be stored.
pub(crate) struct LocalObject {
    pub(crate) object: SealedObject,
    pub(crate) file: LocalFile,
}

impl LocalObject {
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }
}
