//! What was found damaged or missing in the spool, kept aside until somebody decides.
//!
//! Each find has a note, `aside/<id>.json`, and, where there are bytes to keep, `aside/<id>.rec`:
//! sealed as they were. Notes are plain files, so that they can be read while the service runs.

use super::SpoolId;
use crate::error::SpoolError;
use scanveil_durable as durable;
use scanveil_model::{HospitalId, ObjectId};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The folder below the spool's.
pub(crate) const FOLDER: &str = "aside";
const NOTE: &str = "json";
/// The note of a record that stays in the spool and waits for its key.
const WAITS: &str = "waits";
/// The version of a note.
const VERSION: u32 = 1;
/// Longest note that is read.
const MAX_NOTE_BYTES: u64 = 8 << 10;

/// What is wrong with what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Its bytes were changed after they were durable: its sender was told "success".
    Damaged,
    /// Its bytes are incomplete, and whether its sender was told "success" is not known: the
    /// machine stopped while it was written, or the log that says so is lost.
    InDoubt,
    /// It was durable, and its bytes are gone.
    Missing,
    /// A header was changed; everything behind it could be read, and nothing is lost.
    Mended,
    /// It is whole, and no key opens it. It stays in the spool, and is tried at each start.
    NoKey,
}

impl Finding {
    /// The word in tables and notes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::InDoubt => "in-doubt",
            Self::Missing => "missing",
            Self::Mended => "mended",
            Self::NoKey => "no-key",
        }
    }

    /// What it means and what can be done, for people.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Damaged => {
                "its bytes were changed after it was acknowledged: have the sender send the study \
                 again, then discard it; check the disk"
            }
            Self::InDoubt => {
                "it is incomplete, and whether its sender was told success is not known: have the \
                 sender send the study again, then discard it"
            }
            Self::Missing => {
                "it was acknowledged and its file is gone: restore the file, or have the senders \
                 of that time send again, then discard the note"
            }
            Self::Mended => "nothing is lost; check the disk, then discard the note",
            Self::NoKey => "restore the keyring; it is tried again at each start",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAside {
    pub(crate) version: u32,
    /// Its id: the record's, where that is known.
    pub id: ObjectId,
    /// What is wrong with it.
    pub finding: Finding,
    /// Whose it is, where that can be told.
    pub hospital: Option<HospitalId>,
    /// Where it was found: a file below the spool's folder.
    pub file: String,
    /// Where in that file.
    pub offset: u64,
    /// Instances, where they could be counted.
    pub instances: u64,
    /// Bytes that are kept.
    pub bytes: u64,
    /// When it was received, milliseconds since 1970 (UTC), where that is known.
    pub received_at_ms: Option<i64>,
    /// When it was found, milliseconds since 1970 (UTC).
    pub found_at_ms: i64,
    /// Somebody asked to try it again.
    #[serde(default)]
    pub retry: bool,
}

impl SetAside {
    pub(crate) fn new(id: SpoolId, finding: Finding, file: String, offset: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            version: VERSION,
            id: ObjectId(*id.as_bytes()),
            finding,
            hospital: None,
            file,
            offset,
            instances: 1,
            bytes: 0,
            received_at_ms: None,
            found_at_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
            retry: false,
        }
    }
}

/// A stable id for what has none of its own: found again, it is the same find.
pub(crate) fn derived_id(segment: &[u8], what: &str, offset: u64) -> SpoolId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(segment).update(what.as_bytes()).update(&offset.to_le_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    SpoolId::from_bytes(id)
}

/// The folder of what was set aside. Can be read, and decided about, beside a running service.
#[derive(Debug)]
pub struct AsideFolder(PathBuf);

impl AsideFolder {
    /// That of a spool's folder.
    #[must_use]
    pub fn of(spool: &Path) -> Self {
        Self(spool.join(FOLDER))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn file(&self, id: &ObjectId, extension: &str) -> PathBuf {
        self.0.join(format!("{id}.{extension}"))
    }

    /// Where the bytes of a find lie.
    pub(crate) fn bytes_path(&self, id: &SpoolId) -> PathBuf {
        self.file(&ObjectId(*id.as_bytes()), "rec")
    }

    /// How many finds wait for a decision.
    pub(crate) fn count(&self) -> u64 {
        let names = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let notes = names.filter(|entry| entry.path().extension().is_some_and(|end| end == NOTE));
        notes.count() as u64
    }

    /// Everything that was found, the oldest first; records that wait for their key included.
    ///
    /// # Errors
    /// [`SpoolError::Io`].
    pub fn list(&self) -> Result<Vec<SetAside>, SpoolError> {
        let failed = |error| SpoolError::io("read what was set aside", error);
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|end| end == NOTE || end == WAITS) {
                found.extend(self.read(&path)?);
            }
        }
        found.sort_by_key(|note: &SetAside| (note.found_at_ms, note.id));
        Ok(found)
    }

    /// One find. A note that cannot be read is one all the same: its bytes are kept.
    fn read(&self, path: &Path) -> Result<Option<SetAside>, SpoolError> {
        let failed = |error| SpoolError::io("read what was set aside", error);
        let Some(bytes) = durable::read_small(path, MAX_NOTE_BYTES).map_err(failed)? else {
            return Ok(None);
        };
        if let Ok(note) = serde_json::from_slice::<SetAside>(&bytes) {
            return Ok(Some(note));
        }
        let id = path.file_stem().and_then(|stem| ObjectId::parse(stem.to_str()?).ok());
        let unreadable = |id: ObjectId| {
            let id = SpoolId::from_bytes(id.0);
            SetAside::new(id, Finding::InDoubt, format!("{FOLDER}/{id}.{NOTE}"), 0)
        };
        Ok(id.map(unreadable))
    }

    /// The find with this id.
    ///
    /// # Errors
    /// [`SpoolError::NotAside`] when there is none, [`SpoolError::Io`].
    pub fn get(&self, id: &ObjectId) -> Result<SetAside, SpoolError> {
        self.read(&self.file(id, NOTE))?.ok_or(SpoolError::NotAside(*id))
    }

    /// Asks the service to try a find again: within seconds where it runs, else at its start.
    ///
    /// # Errors
    /// As [`AsideFolder::get`].
    pub fn ask_retry(&self, id: &ObjectId) -> Result<(), SpoolError> {
        let note = SetAside { retry: true, ..self.get(id)? };
        self.write(&note)
    }

    /// Removes a find for good, its bytes first: an interrupted removal can be repeated.
    ///
    /// # Errors
    /// As [`AsideFolder::get`].
    pub fn discard(&self, id: &ObjectId) -> Result<(), SpoolError> {
        self.get(id)?;
        self.remove(id)
    }

    pub(crate) fn remove(&self, id: &ObjectId) -> Result<(), SpoolError> {
        let failed = |error| SpoolError::io("remove what was set aside", error);
        for extension in ["rec", NOTE] {
            durable::remove(&self.file(id, extension)).map_err(failed)?;
        }
        durable::sync_folder(&self.0).map_err(failed)
    }

    /// Writes a note; durable when it returns.
    pub(crate) fn write(&self, note: &SetAside) -> Result<(), SpoolError> {
        let failed = |error| SpoolError::io("note what was set aside", error);
        let extension = if note.finding == Finding::NoKey { WAITS } else { NOTE };
        let text = serde_json::to_vec(note).map_err(|error| failed(error.into()))?;
        durable::replace(&self.file(&note.id, extension), &text).map_err(failed)
    }

    /// Forgets which records wait for their key: a start finds them anew.
    pub(crate) fn forget_waiting(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == WAITS || end == "tmp") {
                durable::remove(&path)?;
            }
        }
        Ok(())
    }

    /// Notes bytes that have no note: whoever set them aside was interrupted.
    pub(crate) fn complete_notes(&self) -> Result<(), SpoolError> {
        let failed = |error| SpoolError::io("read what was set aside", error);
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let id = path.file_stem().and_then(|stem| ObjectId::parse(stem.to_str()?).ok());
            let (Some(id), true) = (id, path.extension().is_some_and(|end| end == "rec")) else {
                continue;
            };
            if !self.file(&id, NOTE).exists() {
                let spool = SpoolId::from_bytes(id.0);
                let bytes = fs::metadata(&path).map_err(failed)?.len();
                let file = format!("{FOLDER}/{spool}.rec");
                self.write(&SetAside { bytes, ..SetAside::new(spool, Finding::Damaged, file, 0) })?;
            }
        }
        Ok(())
    }
}
