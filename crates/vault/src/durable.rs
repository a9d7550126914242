//! Small files that are there whole or not at all: temporary file, fsync, rename, fsync of the
//! folder. Files have mode 0600 and folders 0700.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Names tried for a temporary file before giving up.
const MAX_NAMES: usize = 16;

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Who gave a file its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// This call.
    First,
    /// Somebody else, before it; nothing was changed.
    Before,
}

/// Writes a file that must not be there yet. Whoever comes first wins, across threads and
/// processes; either way the file is durable when this returns.
pub(crate) fn write_first(path: &Path, bytes: &[u8]) -> io::Result<Written> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let (mut file, temporary) = create_temporary(path)?;
    let renamed = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| rename_first(&temporary, path));
    match renamed {
        Ok(Written::First) => {}
        // The name did not move: what was written is of no use.
        Ok(Written::Before) => remove(&temporary)?,
        Err(error) => {
            let _ = remove(&temporary);
            return Err(error);
        }
    }
    sync_folder(folder)?;
    renamed
}

/// Writes a file, in the place of one that may be there: it has the old content or the new one,
/// whole, at any moment. Durable when this returns.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let (mut file, temporary) = create_temporary(path)?;
    let renamed = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = renamed {
        let _ = remove(&temporary);
        return Err(error);
    }
    sync_folder(folder)
}

fn create_temporary(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    for _ in 0..MAX_NAMES {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary) {
            Ok(file) => return Ok((file, temporary)),
            // Left by a dead process that had our number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free temporary name"))
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

fn link_first(from: &Path, to: &Path) -> io::Result<Written> {
    match fs::hard_link(from, to) {
        Ok(()) => {
            remove(from)?;
            Ok(Written::First)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Written::Before),
        Err(error) => Err(error),
    }
}

/// Removes a file; a missing one is no error, so that a repeated removal is none either.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes what interrupted writes of a file left beside it.
pub(crate) fn remove_leftovers(path: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let begin = format!(".{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.file_name();
        let found = found.to_string_lossy();
        if found.starts_with(&begin) && found.ends_with(".tmp") {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes a folder and what is missing above it, each durable in its parent.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        // Also where somebody else has just made it: its name may not be durable yet.
        Ok(()) => sync_parent(folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => sync_parent(folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folder(folder.parent().ok_or(error)?)?;
            make_folder(folder)
        }
        Err(error) => Err(error),
    }
}

fn sync_parent(folder: &Path) -> io::Result<()> {
    match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A whole small file, or none where there is none. A file longer than `limit` is an error.
pub(crate) fn read_small(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // Room for all of it at once: growing would leave copies of a key behind.
    let mut bytes = Vec::with_capacity(usize::try_from(limit).unwrap_or(usize::MAX));
    file.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is too long"));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests;
