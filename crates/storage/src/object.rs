//! The interface every store has.

use crate::{KeyPrefix, ObjectKey, Result, StorageError};
use scanveil_model::{Coded, ErrorReport, ObjectTags};
use serde::Serialize;
use std::ops::Range;
use std::path::Path;

/// Most keys that one listing gives; S3's own limit.
pub(crate) const MAX_LIST_KEYS: usize = 1000;
/// Most bytes that one read gives.
pub(crate) const MAX_RANGE_BYTES: u64 = 64 * 1024 * 1024;

/// A store of whole, immutable, content-addressed objects with tags.
///
/// All methods block. The S3 store runs a runtime of its own, so asynchronous code must call it
/// from a thread that may block (`tokio::task::spawn_blocking`).
///
/// A key belongs to one content: putting it again, also from several threads at once, is safe and
/// leaves the same object. A reader sees an object whole or not at all.
pub trait ObjectStore: Send + Sync {
    /// Stores a file's bytes with the tags and returns when they are durable.
    ///
    /// The file may be gone afterwards: a store on the same file system takes it by renaming it. A
    /// caller that no longer needs it removes it if it is still there.
    ///
    /// # Errors
    /// [`StorageError`]; nothing of the object can be seen then, or the whole object.
    fn put_file(&self, key: &ObjectKey, path: &Path, tags: &ObjectTags) -> Result<()>;

    /// Stores these bytes with the tags and returns when they are durable.
    ///
    /// # Errors
    /// As [`ObjectStore::put_file`].
    fn put_bytes(&self, key: &ObjectKey, bytes: &[u8], tags: &ObjectTags) -> Result<()>;

    /// The bytes of the range, all of them, at most [`MAX_RANGE_BYTES`].
    ///
    /// # Errors
    /// [`StorageError::OutOfRange`] when the object ends before the range does.
    fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Vec<u8>>;

    /// What the store says about the object.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when there is none.
    fn head(&self, key: &ObjectKey) -> Result<ObjectInfo>;

    /// The object's tags.
    ///
    /// # Errors
    /// [`StorageError::NotFound`]; [`StorageError::Tags`] when they are not ours.
    fn tags(&self, key: &ObjectKey) -> Result<ObjectTags>;

    /// Replaces all the object's tags.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when there is no such object.
    fn set_tags(&self, key: &ObjectKey, tags: &ObjectTags) -> Result<()>;

    /// Removes the object and its tags. An object that is not there is no error.
    ///
    /// # Errors
    /// [`StorageError`] when it may still be there.
    fn delete(&self, key: &ObjectKey) -> Result<()>;

    /// The next page of objects. Every object that is there during the whole listing comes exactly
    /// once; the order is the store's own.
    ///
    /// # Errors
    /// [`StorageError`].
    fn list(&self, prefix: &KeyPrefix, page: &Page) -> Result<Listing>;

    /// Tries everything a store must be able to do, with an object of its own that it removes
    /// again, and tells step by step what held.
    fn check(&self) -> CheckReport;
}

/// What a store says about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// The key.
    pub key: ObjectKey,
    /// Size in bytes.
    pub bytes: u64,
    /// When it was last written, in milliseconds since 1970, by the store's clock.
    pub modified_at_ms: Option<i64>,
    /// CRC-32 (IEEE) over the whole object, where the store keeps one.
    pub crc32: Option<u32>,
}

/// Which part of a listing is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Go on after this key: [`Listing::next`] of the page before.
    pub after: Option<ObjectKey>,
    /// Most keys wanted, 1 to [`MAX_LIST_KEYS`]; other values are brought into that range.
    pub limit: usize,
}

impl Page {
    /// The first page, as long as can be.
    #[must_use]
    pub fn first() -> Self {
        Self { after: None, limit: MAX_LIST_KEYS }
    }

    pub(crate) fn clamped_limit(&self) -> usize {
        self.limit.clamp(1, MAX_LIST_KEYS)
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The objects.
    pub objects: Vec<ObjectInfo>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<ObjectKey>,
}

/// What [`ObjectStore::check`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// `folder` or `s3`.
    pub store: &'static str,
    /// What was tried, in order. The first failure ends the attempt.
    pub steps: Vec<CheckStep>,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckStep {
    /// What.
    pub what: &'static str,
    /// What is worth knowing though it is no failure.
    pub note: Option<&'static str>,
    /// Why it failed, if it did.
    pub problem: Option<ErrorReport>,
}

impl CheckReport {
    pub(crate) fn new(store: &'static str) -> Self {
        Self { store, steps: Vec::new() }
    }

    /// Whether everything held.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.problem.is_none())
    }

    /// Notes one step and tells whether to go on.
    pub(crate) fn step<T>(&mut self, what: &'static str, result: Result<T>) -> Option<T> {
        let (value, problem) = match result {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error.report())),
        };
        self.steps.push(CheckStep { what, note: None, problem });
        value
    }

    /// Notes a step that held, with something worth knowing if there is.
    pub(crate) fn held(&mut self, what: &'static str, note: Option<&'static str>) {
        self.steps.push(CheckStep { what, note, problem: None });
    }
}

/// The length of a range, refused when it runs backwards or is beyond [`MAX_RANGE_BYTES`].
pub(crate) fn range_length(key: &ObjectKey, range: &Range<u64>) -> Result<u64> {
    let length = range.end.checked_sub(range.start).ok_or_else(|| out_of_range(key, range))?;
    if length > MAX_RANGE_BYTES {
        let (what, limit) = ("range of an object", MAX_RANGE_BYTES);
        return Err(StorageError::TooLarge { what, bytes: length, limit });
    }
    Ok(length)
}

pub(crate) fn out_of_range(key: &ObjectKey, range: &Range<u64>) -> StorageError {
    StorageError::OutOfRange { key: key.to_string(), start: range.start, end: range.end }
}
