//! A store that fails when told to.

use crate::{
    CheckReport, KeyPrefix, Listing, ObjectInfo, ObjectKey, ObjectStore, Page, Result, StorageError,
};
use scanveil_model::ObjectTags;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The calls that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreCall {
    /// `put_file` and `put_bytes`, counted together.
    Put,
    /// `get_range`.
    GetRange,
    /// `head`.
    Head,
    /// `tags`.
    Tags,
    /// `set_tags`.
    SetTags,
    /// `delete`.
    Delete,
    /// `list`.
    List,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFault {
    /// Nothing is done; the caller gets an error.
    Refuse,
    /// All is done, and the answer is lost: the caller gets an error.
    LoseAnswer,
    /// A put stores only the first half and claims success. As `Refuse` for other calls.
    ShortWrite,
    /// A read gives only the first half and claims success. As `Refuse` for other calls.
    ShortRead,
    /// A read gives the right number of bytes with one bit changed. As `Refuse` for other calls.
    FlipBit,
}

/// A store around another that fails the n-th call of a kind, and counts the calls.
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    plan: Mutex<Vec<(StoreCall, u64, StoreFault)>>,
    counts: [AtomicU64; 7],
}

impl FaultyStore {
    /// Around this store, without a fault so far.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            plan: Mutex::new(Vec::new()),
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Makes the n-th call of the kind from now on fail in this way; 1 is the next.
    pub fn fail(&self, call: StoreCall, nth: u64, fault: StoreFault) {
        let at = self.calls(call) + nth;
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).push((call, at, fault));
    }

    /// How many calls of the kind there were.
    #[must_use]
    pub fn calls(&self, call: StoreCall) -> u64 {
        self.counts[call as usize].load(Ordering::SeqCst)
    }

    fn next_fault(&self, call: StoreCall) -> Option<StoreFault> {
        let number = self.counts[call as usize].fetch_add(1, Ordering::SeqCst) + 1;
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.iter().find(|(kind, at, _)| *kind == call && *at == number).map(|(_, _, fault)| *fault)
    }

    fn call<T>(&self, call: StoreCall, run: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.next_fault(call) {
            None => run(),
            Some(StoreFault::LoseAnswer) => run().and_then(|_| Err(injected())),
            Some(_) => Err(injected()),
        }
    }

    fn put(
        &self,
        key: &ObjectKey,
        tags: &ObjectTags,
        whole: impl FnOnce() -> Result<()>,
        bytes: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<()> {
        match self.next_fault(StoreCall::Put) {
            None => whole(),
            Some(StoreFault::LoseAnswer) => whole().and_then(|()| Err(injected())),
            Some(StoreFault::ShortWrite) => {
                let bytes = bytes()?;
                self.inner.put_bytes(key, &bytes[..bytes.len() / 2], tags)
            }
            Some(_) => Err(injected()),
        }
    }
}

fn injected() -> StorageError {
    StorageError::Unreachable { action: "failing on purpose", why: "a fault was injected" }
}

impl ObjectStore for FaultyStore {
    fn put_file(&self, key: &ObjectKey, path: &Path, tags: &ObjectTags) -> Result<()> {
        let read = || std::fs::read(path).map_err(|e| StorageError::io("reading a file", e));
        self.put(key, tags, || self.inner.put_file(key, path, tags), read)
    }

    fn put_bytes(&self, key: &ObjectKey, bytes: &[u8], tags: &ObjectTags) -> Result<()> {
        self.put(key, tags, || self.inner.put_bytes(key, bytes, tags), || Ok(bytes.to_vec()))
    }

    fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Vec<u8>> {
        let fault = self.next_fault(StoreCall::GetRange);
        if fault == Some(StoreFault::Refuse) || fault == Some(StoreFault::ShortWrite) {
            return Err(injected());
        }
        let mut bytes = self.inner.get_range(key, range)?;
        match fault {
            Some(StoreFault::ShortRead) => bytes.truncate(bytes.len() / 2),
            Some(StoreFault::FlipBit) => {
                let middle = bytes.len() / 2;
                if let Some(byte) = bytes.get_mut(middle) {
                    *byte ^= 1;
                }
            }
            Some(_) => return Err(injected()),
            None => {}
        }
        Ok(bytes)
    }

    fn head(&self, key: &ObjectKey) -> Result<ObjectInfo> {
        self.call(StoreCall::Head, || self.inner.head(key))
    }

    fn tags(&self, key: &ObjectKey) -> Result<ObjectTags> {
        self.call(StoreCall::Tags, || self.inner.tags(key))
    }

    fn set_tags(&self, key: &ObjectKey, tags: &ObjectTags) -> Result<()> {
        self.call(StoreCall::SetTags, || self.inner.set_tags(key, tags))
    }

    fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.call(StoreCall::Delete, || self.inner.delete(key))
    }

    fn list(&self, prefix: &KeyPrefix, page: &Page) -> Result<Listing> {
        self.call(StoreCall::List, || self.inner.list(prefix, page))
    }

    fn check(&self) -> CheckReport {
        self.inner.check()
    }
}
