//! The file operations the spool makes, behind one small trait so that tests can fail any of them.

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// What the spool asks of the disk. Every method that changes something can fail in a test.
pub(crate) trait Disk: Send + Sync {
    /// Makes a new file, readable by its owner only; an existing one is an error.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Reserves the blocks of a file, so that later writes change no metadata but the extents.
    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()>;
    /// Writes all bytes at an offset.
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts a file.
    fn truncate(&self, file: &File, bytes: u64) -> io::Result<()>;
    /// Makes a file's bytes durable (fdatasync).
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Makes a folder's entries durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Renames within a folder.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file; a missing one is no error, so that a repeated removal is none either.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Bytes free for us on the file system of a folder.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
}

/// The disk itself.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
    }

    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        match fallocate(file, FallocateFlags::empty(), 0, bytes) {
            // Some file systems cannot: a sparse file is correct there too, only slower to sync.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => file.set_len(bytes),
            other => Ok(other?),
        }
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn truncate(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        scanveil_durable::sync_data(file)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        scanveil_durable::sync_folder(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        scanveil_durable::remove(path)
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let stat = statvfs(folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}
