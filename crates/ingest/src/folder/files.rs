//! Files of a watched folder, opened step by step without following links.

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, renameat, statat,
    unlinkat,
};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What changes when a file changes: its identity, length and times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(stat: &Stat) -> Self {
        Self {
            inode: stat.st_ino,
            length: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or(0)),
        }
    }
}

/// The stamp of an open file.
pub(super) fn stamp(file: &File) -> io::Result<Stamp> {
    Ok(Stamp::of(&fstat(file)?))
}

/// A regular file below the folder.
pub(super) struct Entry {
    /// Its path below the folder.
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
}

/// The watched folder, held open.
pub(super) struct Folder(OwnedFd);

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, path, flags, Mode::empty())?))
    }

    /// Makes a folder in it, where there is none yet.
    pub(super) fn make(&self, name: &str) -> io::Result<()> {
        match mkdirat(&self.0, name, Mode::RWXU) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => step(&self.0, OsStr::new(name)).map(|_| ()),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows its regular files to `found`, down to `max_depth`, until that says that it has enough.
    /// A folder that cannot be read does not hide the others; the error is returned at the end.
    pub(super) fn list(
        &self,
        max_depth: usize,
        skip: &dyn Fn(&str, usize) -> bool,
        found: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut walk = Walk { max_depth, skip, found, enough: false };
        walk.folder(&self.0, Path::new(""), 0)
    }

    /// Shows the regular files of one of the folders that [`Folder::make`] made.
    pub(super) fn list_own(
        &self,
        folder: &str,
        found: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let own = step(&self.0, OsStr::new(folder))?;
        let mut walk = Walk { max_depth: 0, skip: &|_, _| false, found, enough: false };
        walk.folder(&own, Path::new(folder), 0)
    }

    /// The stamp of a file by its path.
    pub(super) fn stamp(&self, path: &Path) -> io::Result<Stamp> {
        let (folder, name) = self.parent(path)?;
        Ok(Stamp::of(&statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Opens a file for reading.
    pub(super) fn read(&self, path: &Path) -> io::Result<(File, Stamp)> {
        let (folder, name) = self.parent(path)?;
        // NONBLOCK: a pipe that took the file's place must not hold us.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(folder, name, flags, Mode::empty())?);
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok((file, Stamp::of(&stat)))
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        let (folder, name) = self.parent(path)?;
        Ok(unlinkat(folder, name, AtFlags::empty())?)
    }

    /// Moves a file into one of the folders that [`Folder::make`] made.
    pub(super) fn move_to(&self, path: &Path, folder: &str, name: &str) -> io::Result<()> {
        let (from, old) = self.parent(path)?;
        let into = step(&self.0, OsStr::new(folder))?;
        Ok(renameat(from, old, into, name)?)
    }

    fn parent<'p>(&self, path: &'p Path) -> io::Result<(OwnedFd, &'p OsStr)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut folder = self.0.try_clone()?;
        for part in path.parent().into_iter().flat_map(Path::components) {
            folder = step(&folder, part.as_os_str())?;
        }
        Ok((folder, name))
    }
}

/// One step down, never through a link.
fn step(folder: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(folder, name, flags, Mode::empty())?)
}

struct Walk<'a> {
    max_depth: usize,
    skip: &'a dyn Fn(&str, usize) -> bool,
    found: &'a mut dyn FnMut(Entry) -> ControlFlow<()>,
    enough: bool,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &OwnedFd, path: &Path, depth: usize) -> io::Result<()> {
        let mut result = Ok(());
        for entry in Dir::read_from(folder)? {
            if self.enough {
                break;
            }
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            let hidden = name == "." || name == "..";
            if hidden || name.to_str().is_some_and(|name| (self.skip)(name, depth)) {
                continue;
            }
            // A file that has gone since is no error.
            let Ok(stat) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {
                    let entry = Entry { path: path.join(name), stamp: Stamp::of(&stat) };
                    self.enough = (self.found)(entry).is_break();
                }
                FileType::Directory if depth < self.max_depth => {
                    let below = step(folder, name)
                        .and_then(|below| self.folder(&below, &path.join(name), depth + 1));
                    result = result.and(below);
                }
                _ => {}
            }
        }
        result
    }
}
