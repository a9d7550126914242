//! A file that is there for a while.

use crate::remove;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file that goes when this value goes, unless it was kept or taken away before.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    stays: bool,
}

impl LocalFile {
    /// A new file at this place, readable as `mode` says.
    ///
    /// # Errors
    /// What the system says, also where something is there.
    pub fn create(path: PathBuf, mode: u32) -> io::Result<(Self, File)> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(mode).open(&path)?;
        Ok((Self::of(path), file))
    }

    /// A file that was made already.
    #[must_use]
    pub fn of(path: PathBuf) -> Self {
        Self { path, stays: false }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets the file stay.
    pub fn keep(mut self) {
        self.stays = true;
    }

    /// Removes the file now, for whoever has to know whether it went.
    ///
    /// # Errors
    /// What the system says; nothing, where the file is not there any more.
    pub fn discard(mut self) -> io::Result<()> {
        self.stays = true;
        remove(&self.path)
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        if !self.stays {
            // What cannot be removed now is swept later.
            let _ = remove(&self.path);
        }
    }
}
