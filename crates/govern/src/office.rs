//! The folder of the audit log, the registered people and the sealed requests.

use crate::{Approvers, AuditLog, GovernError, RequestId};
use scanveil_durable::{make_folder, replace};
use serde::Deserialize;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Longest file of people that is read.
const MAX_PEOPLE_BYTES: u64 = 1 << 20;
/// Longest sealed state of a request that is read.
const MAX_REQUEST_BYTES: u64 = 256 << 10;
/// What the file of a request ends in.
const EXTENSION: &str = "sealed";

/// Keeps others from changing people and requests, until it is dropped.
#[derive(Debug)]
pub struct OfficeGuard(#[allow(dead_code, reason = "the lock is held as long as it is open")] File);

/// The folder in which people, requests and the log are kept. Several processes may use one.
#[derive(Debug)]
pub struct Office {
    dir: PathBuf,
}

fn io_error(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> GovernError {
    let path = path.to_owned();
    move |source| GovernError::Io { op, path, source }
}

impl Office {
    /// Opens the folder; makes it, with mode 0700, where there is none.
    ///
    /// # Errors
    /// [`GovernError::Io`].
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, GovernError> {
        let office = Self { dir: dir.into() };
        for folder in [&office.dir, &office.requests_dir()] {
            make_folder(folder).map_err(io_error("make the folder", folder))?;
        }
        Ok(office)
    }

    /// The audit log.
    #[must_use]
    pub fn log(&self) -> AuditLog {
        AuditLog::at(self.dir.join("audit.jsonl"))
    }

    /// Waits until nobody else changes anything.
    ///
    /// # Errors
    /// [`GovernError::Io`].
    pub fn lock(&self) -> Result<OfficeGuard, GovernError> {
        let path = self.dir.join(".lock");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        let locked = file.and_then(|file| file.lock().map(|()| file));
        locked.map(OfficeGuard).map_err(io_error("lock", &path))
    }

    /// The registered people; none where there is no file yet.
    ///
    /// # Errors
    /// [`GovernError::Io`], [`GovernError::NewerFormat`], [`GovernError::Damaged`].
    pub fn approvers(&self) -> Result<Approvers, GovernError> {
        #[derive(Deserialize)]
        struct FormatOnly {
            format: u32,
        }
        let path = self.people_path();
        let Some(bytes) = read(&path, MAX_PEOPLE_BYTES)? else { return Ok(Approvers::default()) };
        let damaged = |_| GovernError::Damaged(path.clone());
        let found: FormatOnly = serde_json::from_slice(&bytes).map_err(damaged)?;
        match found.format {
            Approvers::FORMAT => serde_json::from_slice(&bytes).map_err(damaged),
            0 => Err(GovernError::Damaged(path)),
            format => Err(GovernError::NewerFormat { what: "the file of people", format }),
        }
    }

    /// Writes the registered people; durable when it returns. The lock is held.
    ///
    /// # Errors
    /// [`GovernError::Io`].
    pub fn save_approvers(
        &self,
        _lock: &OfficeGuard,
        approvers: &Approvers,
    ) -> Result<(), GovernError> {
        let path = self.people_path();
        let json = serde_json::to_vec(approvers).map_err(|_| GovernError::Damaged(path.clone()))?;
        replace(&path, &json).map_err(io_error("write", &path))
    }

    /// The sealed state of a request.
    ///
    /// # Errors
    /// [`GovernError::RequestUnknown`], [`GovernError::Io`].
    pub fn request(&self, id: &RequestId) -> Result<Vec<u8>, GovernError> {
        let bytes = read(&self.request_path(id), MAX_REQUEST_BYTES)?;
        bytes.ok_or_else(|| GovernError::RequestUnknown(id.clone()))
    }

    /// Writes the sealed state of a request; durable when it returns. The lock is held.
    ///
    /// # Errors
    /// [`GovernError::Io`].
    pub fn save_request(
        &self,
        _lock: &OfficeGuard,
        id: &RequestId,
        sealed: &[u8],
    ) -> Result<(), GovernError> {
        let path = self.request_path(id);
        replace(&path, sealed).map_err(io_error("write", &path))
    }

    /// Writes the sealed reason of an export from quarantine; durable when it returns. The lock is
    /// held.
    ///
    /// # Errors
    /// [`GovernError::Io`].
    pub fn save_export(
        &self,
        _lock: &OfficeGuard,
        id: &RequestId,
        sealed: &[u8],
    ) -> Result<(), GovernError> {
        let dir = self.dir.join("exports");
        make_folder(&dir).map_err(io_error("make the folder", &dir))?;
        let path = dir.join(id.as_str()).with_extension(EXTENSION);
        replace(&path, sealed).map_err(io_error("write", &path))
    }

    /// All requests, in the order of their identifiers.
    ///
    /// # Errors
    /// [`GovernError::Io`].
    pub fn requests(&self) -> Result<Vec<RequestId>, GovernError> {
        let dir = self.requests_dir();
        let mut ids = Vec::new();
        for entry in fs::read_dir(&dir).map_err(io_error("list", &dir))? {
            let name = entry.map_err(io_error("list", &dir))?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(EXTENSION)?.strip_suffix('.'));
            ids.extend(id.and_then(|id| RequestId::parse(id).ok()));
        }
        ids.sort();
        Ok(ids)
    }

    fn people_path(&self) -> PathBuf {
        self.dir.join("approvers.json")
    }

    fn requests_dir(&self) -> PathBuf {
        self.dir.join("requests")
    }

    fn request_path(&self, id: &RequestId) -> PathBuf {
        self.requests_dir().join(id.as_str()).with_extension(EXTENSION)
    }
}

/// A whole file, or none where there is none.
fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, GovernError> {
    scanveil_durable::read_small(path, limit + 1).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => GovernError::Damaged(path.to_owned()),
        _ => io_error("read", path)(error),
    })
}
