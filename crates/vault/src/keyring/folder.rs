//! The files of the keyring (`docs/formats/keys.md`, "The keyring on disk").

use super::error::KeyringError;
use super::hospital_file::{HospitalFile, Unreadable};
use scanveil_durable::{self as durable, Written};
use scanveil_model::{HospitalId, SubjectId};
use scanveil_seal::WrappedKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Longest file of a root key or of a subject's key that is read.
const MAX_FILE_BYTES: u64 = 8 << 10;
/// Longest hospital's file that is read: it has room for every version of the secret.
const MAX_HOSPITAL_BYTES: u64 = 256 << 10;
/// The newest format of a subject's key file.
const SUBJECT_FILE_VERSION: u32 = 1;
const KEY_EXTENSION: &str = "key";
const DESTROYED_EXTENSION: &str = "destroyed";

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// Tells one content of a hospital's file from another: each is written under a new name first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

/// What lies on the disk for a subject.
pub(super) enum SubjectFile {
    Key(WrappedKey),
    Destroyed,
    Missing,
}

/// The keyring's folder: paths, reading and durable writing, no keys.
pub(super) struct Folder(PathBuf);

fn io_error(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyringError {
    let path = path.to_owned();
    move |source| KeyringError::Io { op, path, source }
}

impl Folder {
    /// A folder as it is: nothing is made.
    pub(super) fn at(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// Whether there is a file of the root key.
    pub(super) fn has_root(&self) -> Result<bool, KeyringError> {
        exists(&self.root_path())
    }

    /// Makes the folder where there is none, and locks it until the guard is dropped.
    pub(super) fn open(dir: PathBuf) -> Result<(Self, fs::File), KeyringError> {
        durable::make_folder(&dir).map_err(io_error("make the folder", &dir))?;
        let folder = Self(dir);
        let lock = folder.lock()?;
        Ok((folder, lock))
    }

    /// Keeps other processes and threads out of what may be done by one at a time, until the guard
    /// is dropped.
    pub(super) fn lock(&self) -> Result<fs::File, KeyringError> {
        let path = self.0.join(".lock");
        let mut options = fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(io_error("lock", &path))
    }

    pub(super) fn root_path(&self) -> PathBuf {
        self.0.join("root.key")
    }

    pub(super) fn hospital_path(&self, hospital: &HospitalId) -> PathBuf {
        self.0.join("hospitals").join(format!("{hospital}.json"))
    }

    pub(super) fn subject_path(&self, hospital: &HospitalId, subject: &SubjectId) -> PathBuf {
        let name = subject.to_string();
        let folder = self.subjects_of(hospital).join(&name[..2]);
        folder.join(name).with_extension(KEY_EXTENSION)
    }

    fn subjects_of(&self, hospital: &HospitalId) -> PathBuf {
        self.0.join("subjects").join(hospital.as_str())
    }

    /// What the root key's file holds, or none where there is no file.
    pub(super) fn read_root(&self) -> Result<Option<Vec<u8>>, KeyringError> {
        let path = self.root_path();
        match fs::metadata(&path) {
            Ok(found) if found.mode() & 0o077 != 0 => {
                return Err(KeyringError::RootKeyExposed { path, mode: found.mode() & 0o7777 });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("look at", &path)(error)),
        }
        durable::read_small(&path, MAX_FILE_BYTES).map_err(io_error("read", &path))
    }

    /// Writes the root key; the caller holds the lock.
    pub(super) fn write_root(&self, text: &str) -> Result<(), KeyringError> {
        let path = self.root_path();
        durable::remove_leftovers(&path)
            .and_then(|()| durable::write_first(&path, text.as_bytes()))
            .map_err(io_error("write", &path))?;
        Ok(())
    }

    /// Whether anything below was sealed by a root key.
    pub(super) fn has_keys(&self) -> Result<bool, KeyringError> {
        Ok(!self.hospitals()?.is_empty() || has_entries(&self.0.join("subjects"))?)
    }

    /// Whether the hospital has subjects' keys.
    pub(super) fn has_subjects(&self, hospital: &HospitalId) -> Result<bool, KeyringError> {
        has_entries(&self.subjects_of(hospital))
    }

    pub(super) fn hospitals(&self) -> Result<Vec<HospitalId>, KeyringError> {
        let names = names(&self.0.join("hospitals"))?;
        let parse = |name: &String| HospitalId::parse(name.strip_suffix(".json")?).ok();
        Ok(names.iter().filter_map(parse).collect())
    }

    pub(super) fn read_hospital(
        &self,
        hospital: &HospitalId,
    ) -> Result<Option<HospitalFile>, KeyringError> {
        let path = self.hospital_path(hospital);
        let bytes = durable::read_small(&path, MAX_HOSPITAL_BYTES);
        let Some(bytes) = bytes.map_err(io_error("read", &path))? else { return Ok(None) };
        HospitalFile::parse(&bytes).map(Some).map_err(|why| match why {
            Unreadable::Damaged => KeyringError::Damaged(path),
            Unreadable::Newer(version) => KeyringError::NewerVersion { path, version },
        })
    }

    /// Which content the hospital's file has, without reading it; none where there is no file.
    pub(super) fn stamp(&self, hospital: &HospitalId) -> Result<Option<Stamp>, KeyringError> {
        let path = self.hospital_path(hospital);
        match fs::metadata(&path) {
            Ok(found) => Ok(Some(Stamp {
                inode: found.ino(),
                length: found.len(),
                changed: (found.mtime(), found.mtime_nsec()),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("look at", &path)(error)),
        }
    }

    pub(super) fn write_hospital(
        &self,
        hospital: &HospitalId,
        file: &HospitalFile,
    ) -> Result<Written, KeyringError> {
        write_json(&self.hospital_path(hospital), file)
    }

    /// Puts a new content in the place of a hospital's file; the caller holds the lock.
    pub(super) fn replace_hospital(
        &self,
        hospital: &HospitalId,
        file: &HospitalFile,
    ) -> Result<(), KeyringError> {
        let path = self.hospital_path(hospital);
        let json = serde_json::to_vec(file).map_err(|_| KeyringError::Damaged(path.clone()))?;
        durable::remove_leftovers(&path)
            .and_then(|()| durable::replace(&path, &json))
            .map_err(io_error("write", &path))
    }

    pub(super) fn read_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<SubjectFile, KeyringError> {
        let path = self.subject_path(hospital, subject);
        if self.is_destroyed(hospital, subject)? {
            // An interrupted destruction may have left the key; the mark always wins.
            remove_key(&path)?;
            return Ok(SubjectFile::Destroyed);
        }
        Ok(read_json(&path)?.map_or(SubjectFile::Missing, SubjectFile::Key))
    }

    pub(super) fn is_destroyed(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<bool, KeyringError> {
        exists(&self.subject_path(hospital, subject).with_extension(DESTROYED_EXTENSION))
    }

    /// Whether the subject's key can still be used: its file is there and not marked.
    pub(super) fn is_held(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<bool, KeyringError> {
        let held = exists(&self.subject_path(hospital, subject))?;
        Ok(held && !self.is_destroyed(hospital, subject)?)
    }

    pub(super) fn write_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
        key: &WrappedKey,
    ) -> Result<Written, KeyringError> {
        write_json(&self.subject_path(hospital, subject), key)
    }

    /// Makes the name of a key file durable that somebody else may have written a moment ago.
    pub(super) fn settle_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<(), KeyringError> {
        let path = self.subject_path(hospital, subject);
        let folder = path.parent().unwrap_or(&self.0);
        durable::sync_folder(folder).map_err(io_error("sync", folder))
    }

    /// Marks the subject as destroyed, then removes its key. `false` when it has no key. The key is
    /// not read: a damaged one must be destroyed all the same.
    pub(super) fn destroy_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<bool, KeyringError> {
        let path = self.subject_path(hospital, subject);
        if !exists(&path)? && !self.is_destroyed(hospital, subject)? {
            return Ok(false);
        }
        let mark = path.with_extension(DESTROYED_EXTENSION);
        durable::write_first(&mark, b"").map_err(io_error("write", &mark))?;
        remove_key(&path)?;
        Ok(true)
    }

    /// The subjects of a hospital whose key is there.
    pub(super) fn subjects(&self, hospital: &HospitalId) -> Result<Vec<SubjectId>, KeyringError> {
        let mut found = Vec::new();
        let folder = self.subjects_of(hospital);
        for shard in names(&folder)? {
            for name in names(&folder.join(shard))? {
                let id = name.strip_suffix(KEY_EXTENSION).and_then(|id| id.strip_suffix('.'));
                found.extend(id.and_then(|id| SubjectId::parse(id).ok()));
            }
        }
        Ok(found)
    }

    /// The file of a subject's key, whether it is marked as destroyed or not.
    pub(super) fn read_key(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<Option<WrappedKey>, KeyringError> {
        read_json(&self.subject_path(hospital, subject))
    }

    /// A path of ours as it is told: from the keyring's folder on.
    pub(super) fn below(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.0).unwrap_or(path).to_owned()
    }

    /// How many subjects of a hospital have a key, and how many had one that was destroyed.
    pub(super) fn count_subjects(&self, hospital: &HospitalId) -> Result<(u64, u64), KeyringError> {
        let (mut held, mut destroyed) = (0, 0);
        let folder = self.subjects_of(hospital);
        for shard in names(&folder)? {
            for name in names(&folder.join(shard))? {
                match name.rsplit_once('.') {
                    Some((id, KEY_EXTENSION)) if SubjectId::parse(id).is_ok() => held += 1,
                    Some((id, DESTROYED_EXTENSION)) if SubjectId::parse(id).is_ok() => {
                        destroyed += 1;
                    }
                    _ => {}
                }
            }
        }
        Ok((held, destroyed))
    }
}

/// Removes a key file and what an interrupted write of it left, durably.
fn remove_key(path: &Path) -> Result<(), KeyringError> {
    let folder = path.parent().unwrap_or(path);
    durable::remove(path)
        .and_then(|()| durable::remove_leftovers(path))
        .and_then(|()| durable::sync_folder(folder))
        .map_err(io_error("remove", path))
}

fn exists(path: &Path) -> Result<bool, KeyringError> {
    fs::exists(path).map_err(io_error("look at", path))
}

/// The names in a folder; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, KeyringError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("list", folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io_error("list", folder))?;
        // A name that is not UTF-8 is not ours.
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

fn has_entries(folder: &Path) -> Result<bool, KeyringError> {
    Ok(!names(folder)?.is_empty())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, KeyringError> {
    let bytes = durable::read_small(path, MAX_FILE_BYTES).map_err(io_error("read", path))?;
    let Some(bytes) = bytes else { return Ok(None) };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        // The parser's message may quote the file, so that only its kind is told.
        Err(_) => Err(match serde_json::from_slice::<VersionOnly>(&bytes) {
            Ok(found) if found.version > SUBJECT_FILE_VERSION => {
                KeyringError::NewerVersion { path: path.to_owned(), version: found.version }
            }
            _ => KeyringError::Damaged(path.to_owned()),
        }),
    }
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<Written, KeyringError> {
    let json = serde_json::to_vec(value).map_err(|_| KeyringError::Damaged(path.to_owned()))?;
    let folder = path.parent().unwrap_or(path);
    durable::make_folder(folder).map_err(io_error("make the folder", folder))?;
    durable::write_first(path, &json).map_err(io_error("write", path))
}
