//! Finds what a run is to read: files, folders and members of zip archives, and reads them within
//! bounds. An input is known by its number; its name leaves this module only for the eyes of
//! whoever owns it ([`Input::name`]).

mod archive;
mod clutter;
mod kept;
mod opened;
mod seen;
#[cfg(test)]
mod tests;

pub(crate) use archive::Archive;
pub use archive::ArchiveFault;
pub(crate) use kept::{Keeper, Kept, Larder};
pub use opened::{Fault, Passed, Work, visit};
pub(crate) use opened::{Met, digest, with_header, with_instance};
pub(crate) use seen::Seen;

use crate::EngineError;
use crate::paths::{identity, place};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the certificate of a study is called.
pub(crate) const CERTIFICATE: &str = "certificate.json";
/// No certificate is longer.
const LONGEST_CERTIFICATE: u64 = 64 << 10;
/// Most files in one run.
const MOST_INPUTS: usize = 4_000_000;
/// Deepest nesting of folders.
const MOST_FOLDERS_DEEP: usize = 256;

/// Where an input is. No `Debug`: names of files can identify.
pub(crate) enum Place {
    /// A file.
    File { folder: Arc<Path>, name: OsString },
    /// A member of an archive, by its number.
    Member { archive: Arc<Archive>, number: usize, of: Arc<Path> },
    /// A folder that could not be listed.
    Unlisted(Arc<Path>),
}

/// One input. No `Debug`: names of files can identify.
pub struct Input {
    place: Place,
}

impl Input {
    /// The inputs that lie in this one; nothing, where it is no archive.
    ///
    /// # Errors
    /// Why the archive is not opened.
    pub fn unpack(&self) -> Result<Option<Vec<Self>>, ArchiveFault> {
        // An archive is told by its first bytes; nothing is kept.
        let nothing = Keeper::new(0);
        if matches!(self.place, Place::File { .. })
            && let Ok(Met::Archive) = with_header(self, &nothing, |_| Ok(()))
        {
            return Ok(Some(self.members(&self.archive()?)));
        }
        Ok(None)
    }

    /// The members of the archive that the input is.
    pub(crate) fn members(&self, archive: &Arc<Archive>) -> Vec<Self> {
        let of: Arc<Path> = self.path().into();
        let one = |number| Place::Member { archive: Arc::clone(archive), number, of: of.clone() };
        (0..archive.members()).map(|number| Self { place: one(number) }).collect()
    }

    /// The file or folder that the input is, or lies in.
    fn path(&self) -> PathBuf {
        match &self.place {
            Place::File { folder, name } => folder.join(name),
            Place::Member { of, .. } | Place::Unlisted(of) => of.to_path_buf(),
        }
    }

    /// The file, and the member where it is an archive: for its owner's eyes only.
    #[must_use]
    pub fn name(&self) -> (PathBuf, Option<String>) {
        let member = match &self.place {
            Place::Member { archive, number, .. } => Some(archive.name(*number)),
            _ => None,
        };
        (self.path(), member)
    }

    /// Whether its name is that of what systems and viewers leave beside instances. What lies in
    /// it is not looked at: only what is no DICOM may be passed over by its name.
    pub(crate) fn is_clutter(&self) -> bool {
        match &self.place {
            Place::Member { archive, number, .. } => clutter::is_path(&archive.name(*number)),
            _ => clutter::is_path(&self.path().to_string_lossy()),
        }
    }

    /// Whether it is a folder that could not be listed.
    #[must_use]
    pub fn is_unlisted(&self) -> bool {
        matches!(self.place, Place::Unlisted(_))
    }

    /// Whether it is the certificate that scanveil writes beside the series of a study: its name,
    /// and nothing in it but what a certificate has.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        let Place::File { folder, name } = &self.place else { return false };
        if name.as_os_str() != CERTIFICATE {
            return false;
        }
        let bytes = File::open(folder.join(name)).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(LONGEST_CERTIFICATE).read_to_end(&mut bytes).map(|_| bytes)
        });
        let read = bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(serde_json::Value::Object(keys)) = read else { return false };
        keys.len() == scanveil_scrub::Certificate::KEYS.len()
            && keys.keys().all(|key| scanveil_scrub::Certificate::KEYS.contains(&key.as_str()))
    }

    /// Opens the file that the input is.
    fn file(&self) -> io::Result<File> {
        match &self.place {
            Place::File { folder, name } => File::open(folder.join(name)),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The archive that the input is, if its first bytes say so.
    ///
    /// # Errors
    /// Why the archive is not opened.
    pub(crate) fn archive(&self) -> Result<Arc<Archive>, ArchiveFault> {
        let file = self.file().map_err(|_| ArchiveFault::Damaged("it cannot be read"))?;
        Archive::open(file).map(Arc::new)
    }
}

/// Lists every file that the arguments name, folders with all that is below them, in an order that
/// hangs on names alone. Links within folders are not followed.
///
/// # Errors
/// An argument that is not there or cannot be read, by its number; no file; too many files.
pub fn gather(arguments: &[PathBuf]) -> Result<Vec<Input>, EngineError> {
    let mut inputs = Vec::new();
    for (at, path) in arguments.iter().enumerate() {
        let found = fs::metadata(path).map_err(|error| unusable(at, &error))?;
        if found.is_dir() {
            walk(path, &mut inputs)?;
        } else if let Some(name) = path.file_name().filter(|_| found.is_file()) {
            let folder = Arc::from(path.parent().unwrap_or(Path::new("")));
            inputs.push(Input { place: Place::File { folder, name: name.to_owned() } });
        } else {
            return Err(unusable(at, &io::ErrorKind::InvalidInput.into()));
        }
    }
    if inputs.is_empty() {
        return Err(EngineError::NoInput);
    }
    Ok(inputs)
}

/// Refuses an output folder that lies within an input, or is or holds one: a run would read what it
/// writes, or write into what it reads.
///
/// # Errors
/// When it does.
pub fn keep_apart(arguments: &[PathBuf], out: &Path) -> Result<(), EngineError> {
    let real_out = place(out);
    for (at, input) in arguments.iter().enumerate() {
        let real = place(input);
        let how = if real_out.starts_with(&real) || holds(&real, &real_out) {
            "lies within"
        } else if real.starts_with(&real_out) || holds(&real_out, &real) {
            "is or holds"
        } else {
            continue;
        };
        return Err(EngineError::Overlap { how, number: at + 1 });
    }
    Ok(())
}

/// Whether one of the folders that a path lies in is this one, by whatever name.
fn holds(folder: &Path, path: &Path) -> bool {
    let Ok(folder) = fs::metadata(folder).map(|found| identity(&found)) else { return false };
    path.ancestors().any(|above| fs::metadata(above).is_ok_and(|it| identity(&it) == folder))
}

fn unusable(at: usize, error: &io::Error) -> EngineError {
    EngineError::Input { number: at + 1, kind: error.kind() }
}

fn walk(top: &Path, inputs: &mut Vec<Input>) -> Result<(), EngineError> {
    let mut folders: Vec<(Arc<Path>, usize)> = vec![(Arc::from(top), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let mut entries: Vec<fs::DirEntry> = match fs::read_dir(&folder) {
            Ok(list) => list.flatten().collect(),
            Err(_) => {
                inputs.push(Input { place: Place::Unlisted(folder) });
                continue;
            }
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut below = Vec::new();
        for entry in entries {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_file() {
                let (folder, name) = (Arc::clone(&folder), entry.file_name());
                inputs.push(Input { place: Place::File { folder, name } });
            } else if kind.is_dir() && depth < MOST_FOLDERS_DEEP {
                below.push((Arc::from(entry.path()), depth + 1));
            } else if kind.is_dir() {
                inputs.push(Input { place: Place::Unlisted(Arc::from(entry.path())) });
            }
        }
        folders.extend(below.into_iter().rev());
        if inputs.len() > MOST_INPUTS {
            return Err(EngineError::TooMany { most: MOST_INPUTS });
        }
    }
    Ok(())
}
