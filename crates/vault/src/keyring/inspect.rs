//! Looks whether every key file can be used; nothing is made, changed or locked.

use super::error::KeyringError;
use super::folder::Folder;
use super::{Inner, at};
use scanveil_model::{Coded, ErrorReport, HospitalId};
use scanveil_seal::{Entropy, HospitalKey, RootKey};
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A key file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadKeyFile {
    /// Its path below the keyring's folder.
    pub file: PathBuf,
    /// What is wrong with it.
    pub report: ErrorReport,
    /// Whether nothing at all opens without it.
    pub is_root: bool,
}

/// Makes no key: what is looked at is there or not.
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// Opens every key file of the keyring in a folder, and gives those that cannot be used.
#[must_use]
pub fn bad_key_files(dir: &Path) -> Vec<BadKeyFile> {
    let folder = Folder::at(dir.to_owned());
    let mut bad = Vec::new();
    let root_path = folder.root_path();
    let root = match folder.read_root() {
        Ok(Some(content)) => RootKey::from_file(content).map_err(at(&root_path)),
        Ok(None) => match folder.has_keys() {
            Ok(false) => return bad,
            Ok(true) => Err(KeyringError::RootKeyMissing(root_path.clone())),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    match root {
        Ok(root) => look(folder, root, &mut bad),
        Err(error) => {
            let file = folder.below(&root_path);
            bad.push(BadKeyFile { file, report: error.report(), is_root: true });
        }
    }
    bad
}

fn look(folder: Folder, root: RootKey, bad: &mut Vec<BadKeyFile>) {
    let inner = Inner {
        folder,
        root,
        entropy: Arc::new(NoEntropy),
        hospitals: Mutex::new(HashMap::new()),
        subjects: Mutex::default(),
    };
    let folder = &inner.folder;
    let mut tell = |path: &Path, error: &KeyringError| {
        let file = folder.below(path);
        bad.push(BadKeyFile { file, report: error.report(), is_root: false });
    };
    let hospitals = match folder.hospitals() {
        Ok(hospitals) => hospitals,
        Err(error) => return tell(Path::new("hospitals"), &error),
    };
    for hospital in hospitals {
        match inner.load_hospital(&hospital) {
            Ok(Some(keys)) => look_at_subjects(folder, &hospital, &keys.key, &mut tell),
            Ok(None) => {}
            Err(error) => tell(&folder.hospital_path(&hospital), &error),
        }
    }
}

fn look_at_subjects(
    folder: &Folder,
    hospital: &HospitalId,
    key: &HospitalKey,
    tell: &mut impl FnMut(&Path, &KeyringError),
) {
    let subjects = match folder.subjects(hospital) {
        Ok(subjects) => subjects,
        Err(error) => return tell(&Path::new("subjects").join(hospital.as_str()), &error),
    };
    for subject in subjects {
        let path = folder.subject_path(hospital, &subject);
        let opened = match folder.read_key(hospital, &subject) {
            Ok(Some(wrapped)) => {
                key.unwrap_subject(hospital, &subject, &wrapped).map(drop).map_err(at(&path))
            }
            // Destroyed in this moment.
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        // The mark of a destroyed key always wins.
        if let Err(error) = opened
            && !folder.is_destroyed(hospital, &subject).unwrap_or(false)
        {
            tell(&path, &error);
        }
    }
}
