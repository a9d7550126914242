//! The one way a file becomes durable: written under a temporary name, fsync, rename, fsync of the
//! folder. What is written so is there whole or not at all, also after a power failure.

mod folder;
mod local;
mod observe;
mod temporary;

pub use folder::{make_folder, sweep};
pub use local::LocalFile;
pub use observe::{Observing, Synced, observe};
pub use temporary::{TempFile, Written};

use observe::tell;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Who may read a file that holds what identifies, or keys: its owner.
pub const PRIVATE: u32 = 0o600;
/// Who may read a file that is handed to others, as far as the process' mask allows.
pub const SHARED: u32 = 0o644;

/// Writes a private file that must not be there yet. Whoever comes first wins, across threads and
/// processes; either way the file is durable when this returns.
///
/// # Errors
/// What the system says; nothing is left then.
pub fn write_first(path: &Path, bytes: &[u8]) -> io::Result<Written> {
    let mut file = TempFile::create(path, PRIVATE)?;
    file.write_all(bytes)?;
    file.finish_first()
}

/// Writes a private file, in the place of one that may be there: it has the old content or the new
/// one, whole, at any moment. Durable when this returns.
///
/// # Errors
/// What the system says; what was there stays then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = TempFile::create(path, PRIVATE)?;
    file.write_all(bytes)?;
    file.finish()
}

/// Gives a file, whose bytes are durable, another name in the same folder, durably.
///
/// # Errors
/// What the system says.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_parent(to)
}

/// Gives a file a second name that is free: a link, or a copy where the file system knows none.
/// Durable only after [`sync_parent`].
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where the name is taken, and what else the system says.
pub fn second_name(file: &Path, name: &Path) -> io::Result<()> {
    match fs::hard_link(file, name) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            let mut options = fs::OpenOptions::new();
            let mut copy = options.write(true).create_new(true).mode(PRIVATE).open(name)?;
            copy.set_permissions(fs::metadata(file)?.permissions())?;
            io::copy(&mut File::open(file)?, &mut copy)?;
            sync_file(&copy)
        }
        result => result,
    }
}

/// Removes a file; a missing one is no error, so that a repeated removal is none either. Durable
/// only after [`sync_parent`].
///
/// # Errors
/// What the system says.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes what interrupted writes of a file left beside it.
///
/// # Errors
/// What the system says.
pub fn remove_leftovers(path: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let begin = format!(".{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.file_name();
        let found = found.to_string_lossy();
        if found.starts_with(&begin) && temporary::is_temporary(&found) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes a file's bytes durable, and what else is known of it (fsync).
///
/// # Errors
/// What the system says.
pub fn sync_file(file: &File) -> io::Result<()> {
    file.sync_all()?;
    tell(Synced::File(file));
    Ok(())
}

/// Makes a file's bytes and length durable (fdatasync).
///
/// # Errors
/// What the system says.
pub fn sync_data(file: &File) -> io::Result<()> {
    file.sync_data()?;
    tell(Synced::File(file));
    Ok(())
}

/// Makes the names in a folder durable.
///
/// # Errors
/// What the system says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = File::open(folder)?;
    folder.sync_all()?;
    tell(Synced::Folder(&folder));
    Ok(())
}

/// Makes the name of a file or a folder durable.
///
/// # Errors
/// What the system says.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}

/// Makes everything on the file system of a folder durable: one call where many files were written.
///
/// # Errors
/// What the system says.
pub fn sync_file_system(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(&File::open(folder)?)?)
}

/// A whole small file, or none where there is none. A file that is not shorter than `limit` is an
/// error.
///
/// # Errors
/// What the system says; [`io::ErrorKind::FileTooLarge`].
pub fn read_small(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
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
