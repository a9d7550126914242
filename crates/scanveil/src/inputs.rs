//! Finds what the command line names: files, folders and members of zip archives, and reads them
//! within bounds. No name of a file leaves this module: an input is known by its number.

mod archive;
mod kept;
mod opened;
#[cfg(test)]
mod tests;

pub(crate) use archive::{Archive, ArchiveFault};
pub(crate) use kept::{Keeper, Kept, Larder};
pub(crate) use opened::{Fault, Met, Work, digest, with_header, with_instance};

use crate::output::Failure;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
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
    Member { archive: Arc<Archive>, number: usize },
    /// A folder that could not be listed.
    Unlisted,
}

/// One input.
pub(crate) struct Input {
    place: Place,
}

impl Input {
    /// A member of an archive.
    pub(crate) fn member(archive: &Arc<Archive>, number: usize) -> Self {
        Self { place: Place::Member { archive: Arc::clone(archive), number } }
    }

    /// The place.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether it is the certificate that scanveil writes beside the series of a study: its name,
    /// and nothing in it but what a certificate has.
    pub(crate) fn is_certificate(&self) -> bool {
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
/// hangs on names alone. Links within folders are not followed; the folder `except` is passed over,
/// for what a run writes is not its input.
///
/// # Errors
/// An argument that is not there or cannot be read, by its number; too many files.
pub(crate) fn gather(
    arguments: &[std::path::PathBuf],
    except: Option<&Path>,
) -> Result<Vec<Input>, Failure> {
    let except = except.and_then(|path| fs::metadata(path).ok()).map(|found| identity(&found));
    let mut inputs = Vec::new();
    for (at, path) in arguments.iter().enumerate() {
        let found = fs::metadata(path).map_err(|error| unusable(at, &error))?;
        if found.is_dir() {
            walk(path, except, &mut inputs)?;
        } else if let Some(name) = path.file_name().filter(|_| found.is_file()) {
            let folder = Arc::from(path.parent().unwrap_or(Path::new("")));
            inputs.push(Input { place: Place::File { folder, name: name.to_owned() } });
        } else {
            return Err(unusable(at, &io::ErrorKind::InvalidInput.into()));
        }
    }
    Ok(inputs)
}

fn unusable(at: usize, error: &io::Error) -> Failure {
    Failure::new(
        "SV-CLI-010",
        format!("input {} of the command line cannot be read: {}", at + 1, error.kind()),
        "name files, folders or zip archives that exist and can be read",
    )
}

/// Device and number: the same folder by whatever path.
fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

fn walk(top: &Path, except: Option<(u64, u64)>, inputs: &mut Vec<Input>) -> Result<(), Failure> {
    let mut folders: Vec<(Arc<Path>, usize)> = vec![(Arc::from(top), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let excepted =
            except.is_some() && fs::metadata(&folder).ok().map(|found| identity(&found)) == except;
        if excepted {
            continue;
        }
        let mut entries: Vec<fs::DirEntry> = match fs::read_dir(&folder) {
            Ok(list) => list.flatten().collect(),
            Err(_) => {
                inputs.push(Input { place: Place::Unlisted });
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
                inputs.push(Input { place: Place::Unlisted });
            }
        }
        folders.extend(below.into_iter().rev());
        if inputs.len() > MOST_INPUTS {
            return Err(Failure::new(
                "SV-CLI-011",
                format!("more than {MOST_INPUTS} files"),
                "divide the input into several runs, study by study",
            ));
        }
    }
    Ok(())
}
