//! The keyring: every wrapped key of an installation, in one folder (`docs/formats/keys.md`).

mod cache;
mod error;
mod folder;
mod hospital_file;
mod inspect;
mod notes;
mod secrets;

pub use error::KeyringError;
pub use inspect::{BadKeyFile, bad_key_files};
pub use secrets::SecretVersion;

use crate::SpoolKeys;
use cache::SubjectCache;
use folder::{Folder, Stamp, SubjectFile};
use hospital_file::{HospitalFile, SecretEntry};
use scanveil_durable::Written;
use scanveil_model::{HospitalId, SubjectId, Zone};
use scanveil_seal::{
    Entropy, HospitalKey, PseudonymSecret, ResearchKeys, RootKey, SealError, SubjectKey, ZoneKey,
};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The keys of one hospital.
#[derive(Debug)]
pub struct HospitalKeys {
    /// Wraps the subjects' keys and keys the identifiers.
    pub key: HospitalKey,
    /// Keys the pseudonyms: the version in force.
    pub pseudonym_secret: PseudonymSecret,
    /// Number of the version in force, from 1.
    pub secret_version: u32,
    /// The versions before it, the first one first.
    earlier: Vec<PseudonymSecret>,
}

/// What the keyring holds for one hospital.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HospitalListing {
    /// The hospital.
    pub hospital: HospitalId,
    /// Subjects with a key.
    pub subjects: u64,
    /// Subjects whose key was destroyed.
    pub destroyed: u64,
}

/// Every key of the installation. Keys are made at their first use, and are durable before anything
/// is sealed with them. Several threads and several processes may use one folder.
pub struct Keyring(Arc<Inner>);

struct Inner {
    folder: Folder,
    root: RootKey,
    entropy: Arc<dyn Entropy>,
    hospitals: Mutex<HashMap<HospitalId, Held>>,
    subjects: Mutex<SubjectCache>,
}

/// A hospital's keys in memory, and the content of the file that they were read from.
struct Held {
    stamp: Option<Stamp>,
    keys: Arc<HospitalKeys>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}

/// A panic of another thread leaves these maps whole: each change to them is one insertion.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keyring {
    /// Opens the keyring in a folder; makes folder and root key at the first start.
    ///
    /// # Errors
    /// [`KeyringError::RootKeyExposed`] when others can read the root key,
    /// [`KeyringError::RootKeyMissing`] when there are keys that only a lost one opens, and what
    /// the disk and the root key's text give.
    pub fn open(dir: impl Into<PathBuf>, entropy: Arc<dyn Entropy>) -> Result<Self, KeyringError> {
        let (folder, lock) = Folder::open(dir.into())?;
        let root = open_root(&folder, entropy.as_ref())?;
        drop(lock);
        Ok(Self(Arc::new(Inner {
            folder,
            root,
            entropy,
            hospitals: Mutex::default(),
            subjects: Mutex::default(),
        })))
    }

    /// Whether there are keys in a folder, or what is left of them.
    ///
    /// # Errors
    /// What the disk gives.
    pub fn is_in(dir: &Path) -> Result<bool, KeyringError> {
        let folder = Folder::at(dir.to_owned());
        Ok(folder.has_root()? || folder.has_keys()?)
    }

    /// Where the root key lies: what an operator must back up first.
    #[must_use]
    pub fn root_key_path(&self) -> PathBuf {
        self.0.folder.root_path()
    }

    /// The keys of a hospital; made and durable when they are asked for first.
    ///
    /// # Errors
    /// [`KeyringError::HospitalKeyMissing`] when its file is lost, and what the disk and the files
    /// give.
    pub fn hospital(&self, hospital: &HospitalId) -> Result<Arc<HospitalKeys>, KeyringError> {
        self.0.hospital(hospital)
    }

    /// The keys of a hospital that has some already.
    ///
    /// # Errors
    /// [`KeyringError::HospitalUnknown`], and what the disk and the files give.
    pub fn existing_hospital(
        &self,
        hospital: &HospitalId,
    ) -> Result<Arc<HospitalKeys>, KeyringError> {
        self.0.existing_hospital(hospital)
    }

    /// The key of a subject; made and durable when it is asked for first.
    ///
    /// # Errors
    /// [`KeyringError::SubjectDestroyed`] when it was destroyed, and what the disk and the files
    /// give.
    pub fn subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<Arc<SubjectKey>, KeyringError> {
        self.0.subject(hospital, subject)
    }

    /// The key of a subject that has one already.
    ///
    /// # Errors
    /// [`KeyringError::HospitalUnknown`], [`KeyringError::SubjectUnknown`],
    /// [`KeyringError::SubjectDestroyed`], and what the disk and the files give.
    pub fn existing_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<Arc<SubjectKey>, KeyringError> {
        self.0.existing_subject(hospital, subject)
    }

    /// Destroys a subject's key: everything sealed for the subject, in every zone and every copy,
    /// is unreadable afterwards. Durable when it returns; repeating it is no error.
    ///
    /// # Errors
    /// [`KeyringError::HospitalUnknown`], [`KeyringError::SubjectUnknown`], and what the disk
    /// gives.
    pub fn destroy_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<(), KeyringError> {
        self.0.destroy_subject(hospital, subject)
    }

    /// The hospitals with the numbers of their subjects, in the order of their names.
    ///
    /// # Errors
    /// What the disk gives.
    pub fn list(&self) -> Result<Vec<HospitalListing>, KeyringError> {
        let folder = &self.0.folder;
        let count = |hospital: HospitalId| {
            let (subjects, destroyed) = folder.count_subjects(&hospital)?;
            Ok(HospitalListing { hospital, subjects, destroyed })
        };
        folder.hospitals()?.into_iter().map(count).collect()
    }

    /// Gives keys of the research zone and of no other.
    #[must_use]
    pub fn research_keys(&self) -> Arc<dyn ResearchKeys> {
        Arc::new(ResearchOnly(Arc::clone(&self.0)))
    }
}

impl SpoolKeys for Keyring {
    fn intake_key(&self, hospital: &HospitalId) -> Result<ZoneKey, SealError> {
        Ok(self.0.hospital(hospital)?.key.intake_key())
    }
}

/// The keyring seen from research: it gives no key of another zone.
struct ResearchOnly(Arc<Inner>);

impl ResearchKeys for ResearchOnly {
    fn zone_key(&self, hospital: &HospitalId, subject: &SubjectId) -> Result<ZoneKey, SealError> {
        Ok(self.0.existing_subject(hospital, subject)?.zone_key(Zone::Research))
    }
}

/// Reads the root key, or makes the first one. The folder is locked.
fn open_root(folder: &Folder, entropy: &dyn Entropy) -> Result<RootKey, KeyringError> {
    let path = folder.root_path();
    if let Some(content) = folder.read_root()? {
        return RootKey::from_file(content).map_err(at(&path));
    }
    if folder.has_keys()? {
        return Err(KeyringError::RootKeyMissing(path));
    }
    folder.write_root(&RootKey::generate(entropy).to_text())?;
    // What counts is what a later start will find.
    let content = folder.read_root()?.ok_or_else(|| KeyringError::RootKeyMissing(path.clone()))?;
    RootKey::from_file(content).map_err(at(&path))
}

fn at(path: &Path) -> impl FnOnce(SealError) -> KeyringError {
    let path = path.to_owned();
    move |source| KeyringError::Seal { path, source }
}

impl Inner {
    fn hospital(&self, hospital: &HospitalId) -> Result<Arc<HospitalKeys>, KeyringError> {
        match self.known_hospital(hospital)? {
            Some(keys) => Ok(keys),
            None => {
                let keys = Arc::new(self.make_hospital(hospital)?);
                self.hold(hospital, self.folder.stamp(hospital)?, &keys);
                Ok(keys)
            }
        }
    }

    fn existing_hospital(&self, hospital: &HospitalId) -> Result<Arc<HospitalKeys>, KeyringError> {
        let known = self.known_hospital(hospital)?;
        known.ok_or_else(|| KeyringError::HospitalUnknown(hospital.clone()))
    }

    /// The hospital's keys, from memory as long as its file is the one that was read: another
    /// process may have made a new version of the secret.
    fn known_hospital(
        &self,
        hospital: &HospitalId,
    ) -> Result<Option<Arc<HospitalKeys>>, KeyringError> {
        // The stamp is taken first: a change while reading is met at the next look.
        let stamp = self.folder.stamp(hospital)?;
        if let Some(held) = locked(&self.hospitals).get(hospital)
            && (held.stamp == stamp || stamp.is_none())
        {
            return Ok(Some(Arc::clone(&held.keys)));
        }
        let Some(keys) = self.load_hospital(hospital)? else { return Ok(None) };
        let keys = Arc::new(keys);
        self.hold(hospital, stamp, &keys);
        Ok(Some(keys))
    }

    fn hold(&self, hospital: &HospitalId, stamp: Option<Stamp>, keys: &Arc<HospitalKeys>) {
        let held = Held { stamp, keys: Arc::clone(keys) };
        locked(&self.hospitals).insert(hospital.clone(), held);
    }

    fn load_hospital(&self, hospital: &HospitalId) -> Result<Option<HospitalKeys>, KeyringError> {
        let Some(file) = self.folder.read_hospital(hospital)? else { return Ok(None) };
        let path = self.folder.hospital_path(hospital);
        let key = self.root.unwrap_hospital(hospital, &file.hospital_key).map_err(at(&path))?;
        if !file.is_whole(&key) {
            return Err(KeyringError::Damaged(path));
        }
        let mut earlier = Vec::new();
        for entry in &file.pseudonym_secrets {
            let secret = key.unwrap_pseudonym_secret(hospital, &entry.secret).map_err(at(&path))?;
            earlier.push(secret);
        }
        let in_force = earlier.pop().ok_or(KeyringError::Damaged(path))?;
        let secret_version = file.in_force();
        Ok(Some(HospitalKeys { key, pseudonym_secret: in_force, secret_version, earlier }))
    }

    fn make_hospital(&self, hospital: &HospitalId) -> Result<HospitalKeys, KeyringError> {
        if self.folder.has_subjects(hospital)? {
            return Err(KeyringError::HospitalKeyMissing(hospital.clone()));
        }
        let path = self.folder.hospital_path(hospital);
        let entropy = self.entropy.as_ref();
        let key = HospitalKey::generate(entropy);
        let pseudonym_secret = PseudonymSecret::generate(entropy);
        let first = SecretEntry {
            number: 1,
            made_at_ms: None,
            reason: None,
            secret: key
                .wrap_pseudonym_secret(hospital, &pseudonym_secret, entropy)
                .map_err(at(&path))?,
        };
        let wrapped = self.root.wrap_hospital(hospital, &key, entropy).map_err(at(&path))?;
        let file = HospitalFile::new(&key, wrapped, vec![first]);
        match self.folder.write_hospital(hospital, &file)? {
            Written::First => {
                let earlier = Vec::new();
                Ok(HospitalKeys { key, pseudonym_secret, secret_version: 1, earlier })
            }
            // Another process was first: its keys are the hospital's.
            Written::Before => self
                .load_hospital(hospital)?
                .ok_or_else(|| KeyringError::HospitalUnknown(hospital.clone())),
        }
    }

    fn subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<Arc<SubjectKey>, KeyringError> {
        if let Some(key) = self.cached(hospital, subject)? {
            return Ok(key);
        }
        let keys = self.hospital(hospital)?;
        let key = match self.load_subject(&keys, hospital, subject)? {
            Some(key) => {
                self.folder.settle_subject(hospital, subject)?;
                key
            }
            None => self.make_subject(&keys, hospital, subject)?,
        };
        Ok(self.cache(hospital, subject, key))
    }

    fn existing_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<Arc<SubjectKey>, KeyringError> {
        if let Some(key) = self.cached(hospital, subject)? {
            return Ok(key);
        }
        let keys = self.existing_hospital(hospital)?;
        match self.load_subject(&keys, hospital, subject)? {
            Some(key) => Ok(self.cache(hospital, subject, key)),
            None => Err(KeyringError::SubjectUnknown(*subject)),
        }
    }

    /// A key from memory, if its file still allows it: another process may have destroyed it.
    fn cached(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<Option<Arc<SubjectKey>>, KeyringError> {
        let Some(key) = locked(&self.subjects).get(hospital, subject) else { return Ok(None) };
        if self.folder.is_held(hospital, subject)? {
            return Ok(Some(key));
        }
        locked(&self.subjects).forget(hospital, subject);
        Ok(None)
    }

    fn cache(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
        key: SubjectKey,
    ) -> Arc<SubjectKey> {
        let key = Arc::new(key);
        locked(&self.subjects).put(hospital, subject, Arc::clone(&key));
        key
    }

    fn load_subject(
        &self,
        keys: &HospitalKeys,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<Option<SubjectKey>, KeyringError> {
        match self.folder.read_subject(hospital, subject)? {
            SubjectFile::Missing => Ok(None),
            SubjectFile::Destroyed => Err(KeyringError::SubjectDestroyed(*subject)),
            SubjectFile::Key(wrapped) => {
                let path = self.folder.subject_path(hospital, subject);
                keys.key.unwrap_subject(hospital, subject, &wrapped).map(Some).map_err(at(&path))
            }
        }
    }

    fn make_subject(
        &self,
        keys: &HospitalKeys,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<SubjectKey, KeyringError> {
        let path = self.folder.subject_path(hospital, subject);
        let key = SubjectKey::generate(self.entropy.as_ref());
        let wrapped = keys
            .key
            .wrap_subject(hospital, subject, &key, self.entropy.as_ref())
            .map_err(at(&path))?;
        let written = self.folder.write_subject(hospital, subject, &wrapped)?;
        // Read again either way: another process may have been first, or may have destroyed the
        // key between our look and our write; the mark is met and the new file removed then.
        let held = self.load_subject(keys, hospital, subject)?;
        match (written, held) {
            (Written::First, Some(_)) => Ok(key),
            (Written::Before, Some(theirs)) => Ok(theirs),
            (_, None) => Err(KeyringError::SubjectUnknown(*subject)),
        }
    }

    fn destroy_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
    ) -> Result<(), KeyringError> {
        if !self.folder.destroy_subject(hospital, subject)? {
            self.existing_hospital(hospital)?;
            return Err(KeyringError::SubjectUnknown(*subject));
        }
        locked(&self.subjects).forget(hospital, subject);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
