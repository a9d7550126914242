//! The one way a file comes into the folder store: temporary file, fsync, rename, fsync of the
//! folder.

use crate::{Result, StorageError};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What every unfinished file's name begins with.
pub(crate) const TEMP_PREFIX: &str = ".tmp-";
/// Names tried for a temporary file before giving up.
const MAX_NAMES: usize = 16;

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// An unfinished file in its final folder, mode 0600. It goes when this value goes uncommitted, or,
/// after a crash, with the next [`sweep`]: it is locked as long as its writer lives.
pub(crate) struct TempFile {
    file: File,
    path: PathBuf,
    committed: bool,
}

impl TempFile {
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        for _ in 0..MAX_NAMES {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{TEMP_PREFIX}{}-{number}", std::process::id()));
            let mut options = OpenOptions::new();
            let file = match options.read(true).write(true).create_new(true).mode(0o600).open(&path)
            {
                Ok(file) => file,
                // Left by a dead process that had our number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // A sweep can come between making the file and locking it; the name is gone then.
            if file.try_lock().is_ok() && file.metadata()?.nlink() == 1 {
                return Ok(Self { file, path, committed: false });
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free temporary name"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the bytes durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives the file, whose bytes are durable, its name. The name is durable only after
    /// [`sync_folder`].
    pub(crate) fn commit(mut self, name: &Path) -> io::Result<()> {
        fs::rename(&self.path, name)?;
        self.committed = true;
        Ok(())
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

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.committed {
            // What cannot be removed now is swept later.
            let _ = fs::remove_file(&self.path);
        }
    }
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes the folder and what is missing above it, mode 0700, each made durable in its parent.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
            _ => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folder(folder.parent().ok_or(error)?)?;
            make_folder(folder)
        }
        Err(error) => Err(error),
    }
}

/// Removes the unfinished files of dead writers from one folder.
pub(crate) fn sweep(folder: &Path) -> Result<()> {
    for name in names(folder)? {
        if !name.starts_with(TEMP_PREFIX) {
            continue;
        }
        let path = folder.join(name);
        // A lock that can be had means that the writer is dead; a file gone meanwhile is fine.
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}

/// The names in a folder, sorted; none when there is no such folder. A name that is not UTF-8 is
/// not ours.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = |error| StorageError::io("reading a folder of the store", error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}
