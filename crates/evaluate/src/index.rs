//! Which output file holds which instance.

use crate::error::EvaluateError;
use crate::output::sop_instance_uid;
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders nested deeper than this are refused.
const DEPTH: usize = 64;
/// Files whose UIDs are read at once.
const FILES_AT_ONCE: usize = 1024;

/// The files of a folder by SOP Instance UID.
pub(crate) struct Index {
    by_uid: HashMap<String, PathBuf>,
    /// Files that are no instance, such as reports and tables.
    pub(crate) others: u64,
    /// Files whose SOP Instance UID another file has, too.
    pub(crate) repeated: u64,
}

impl Index {
    /// Reads the header of every file below `root`.
    pub(crate) fn read(root: &Path) -> Result<Self, EvaluateError> {
        let mut index = Self { by_uid: HashMap::new(), others: 0, repeated: 0 };
        let mut waiting = Vec::new();
        index.folder(root, 0, &mut waiting)?;
        index.take_in(&mut waiting);
        Ok(index)
    }

    fn folder(
        &mut self,
        folder: &Path,
        depth: usize,
        waiting: &mut Vec<PathBuf>,
    ) -> Result<(), EvaluateError> {
        if depth > DEPTH {
            return Err(EvaluateError::TooDeep { limit: DEPTH });
        }
        let failed = || EvaluateError::io("read", folder);
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            entries.push((entry.path(), entry.file_type().map_err(failed())?));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, kind) in entries {
            if kind.is_dir() {
                self.folder(&path, depth + 1, waiting)?;
            } else if kind.is_file() {
                waiting.push(path);
                if waiting.len() >= FILES_AT_ONCE {
                    self.take_in(waiting);
                }
            }
        }
        Ok(())
    }

    /// Reads the files' UIDs, many at once, and keeps them in the order of the paths.
    fn take_in(&mut self, waiting: &mut Vec<PathBuf>) {
        let uids: Vec<Option<String>> =
            waiting.par_iter().map(|path| sop_instance_uid(path)).collect();
        for (path, uid) in waiting.drain(..).zip(uids) {
            match uid {
                None => self.others += 1,
                Some(uid) if self.by_uid.contains_key(&uid) => self.repeated += 1,
                Some(uid) => {
                    self.by_uid.insert(uid, path);
                }
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_uid.len()
    }

    pub(crate) fn find(&self, uid: &str) -> Option<&Path> {
        self.by_uid.get(uid).map(PathBuf::as_path)
    }
}
