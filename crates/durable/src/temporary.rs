//! A file that has not got its name yet.

use crate::local::LocalFile;
use crate::{remove, sync_file, sync_parent};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Names tried for a temporary file before giving up.
const MAX_NAMES: usize = 16;

const EXTENSION: &str = ".tmp";

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Who gave a file its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// This call.
    First,
    /// Somebody else, before it; nothing was changed.
    Before,
}

/// An unfinished file beside its final name. It goes when this value goes unfinished, or, after a
/// crash, with the next [`sweep`](crate::sweep): it is locked as long as its writer lives.
#[derive(Debug)]
pub struct TempFile {
    // Goes first: its lock is held as long as it is there.
    local: LocalFile,
    file: File,
    name: PathBuf,
}

impl TempFile {
    /// A new file that is to get the name, readable as `mode` says.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(name: &Path, mode: u32) -> io::Result<Self> {
        let short = name.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        for _ in 0..MAX_NAMES {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let process = std::process::id();
            let path = name.with_file_name(format!(".{short}.{process}-{number}{EXTENSION}"));
            let (local, file) = match LocalFile::create(path, mode) {
                Ok(made) => made,
                // Left by a dead process that had our number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // A sweep can come between making the file and locking it; the name is gone then.
            if file.try_lock().is_ok() && file.metadata()?.nlink() == 1 {
                return Ok(Self { file, local, name: name.to_owned() });
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free temporary name"))
    }

    /// Where it lies until it gets its name.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.local.path()
    }

    /// The file itself.
    pub fn file_mut(&mut self) -> &mut File {
        &mut self.file
    }

    /// Makes the bytes durable.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> io::Result<()> {
        sync_file(&self.file)
    }

    /// Gives the file its name, in the place of what has it. Neither the name nor bytes that were
    /// not synced are durable then: for callers that make many files durable at once.
    ///
    /// # Errors
    /// What the system says.
    pub fn place(self) -> io::Result<()> {
        fs::rename(self.local.path(), &self.name)?;
        self.local.keep();
        Ok(())
    }

    /// Gives the file its name, in the place of what has it; durable when this returns.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(self) -> io::Result<()> {
        self.sync()?;
        let name = self.name.clone();
        self.place()?;
        sync_parent(&name)
    }

    /// Gives the file its name unless something has it; what has it is durable either way.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish_first(self) -> io::Result<Written> {
        self.sync()?;
        let written = rename_first(self.local.path(), &self.name)?;
        if written == Written::First {
            self.local.keep();
        }
        sync_parent(&self.name)?;
        Ok(written)
    }
}

impl Write for TempFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether a name is one of an unfinished file.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(EXTENSION)
}

fn rename_first(from: &Path, to: &Path) -> io::Result<Written> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Written::First),
        Err(Errno::EXIST) => Ok(Written::Before),
        // Some network file systems know hard links only; those refuse to replace as well.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_first(from, to),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn link_first(from: &Path, to: &Path) -> io::Result<Written> {
    match fs::hard_link(from, to) {
        Ok(()) => {
            remove(from)?;
            Ok(Written::First)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Written::Before),
        Err(error) => Err(error),
    }
}
