//! The typed side of a store: what goes in was sealed, what comes out was confirmed.

use crate::object::MAX_RANGE_BYTES;
use crate::{KeyPrefix, Listing, ObjectInfo, ObjectKey, ObjectStore, Page, Result, StorageError};
use flate2::Crc;
use scanveil_model::{Digest, ObjectId, ObjectTags};
use scanveil_seal::{ReadAt, SealedObject};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// How much of a file is hashed at a time.
const HASH_BYTES: usize = 256 * 1024;

/// A store that takes only sealed objects.
#[derive(Clone)]
pub struct Store(Arc<dyn ObjectStore>);

impl Store {
    /// The typed side of this store.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self(objects)
    }

    /// Stores a sealed object, whose sealed bytes are the file's, and asks the store whether it is
    /// there: its size, and its checksum where the store keeps one. Safe to repeat.
    ///
    /// The file may be gone afterwards ([`ObjectStore::put_file`]).
    ///
    /// # Errors
    /// [`StorageError::SourceMismatch`] when the file is not that object,
    /// [`StorageError::Tags`] when the tags say other than the object,
    /// [`StorageError::NotConfirmed`] when the store holds something else, and what the store says.
    pub fn put_sealed(
        &self,
        object: &SealedObject,
        path: &Path,
        tags: &ObjectTags,
    ) -> Result<StoredObject> {
        let key = ObjectKey::new(object.zone(), object.hospital().clone(), object.object_id());
        check_custody(&key, object, tags)?;
        let crc32 = check_source(&key, object, path)?;
        self.0.put_file(&key, path, tags)?;
        let found = self.0.head(&key)?;
        let differs = if found.bytes != object.bytes() {
            Some("size")
        } else if found.crc32.is_some_and(|found| found != crc32) {
            Some("checksum")
        } else {
            None
        };
        if let Some(what) = differs {
            return Err(StorageError::NotConfirmed { key: key.to_string(), what });
        }
        let digest = Some(object.digest());
        Ok(StoredObject { key, bytes: found.bytes, digest, tags: tags.clone() })
    }

    /// An object that is in the store already, as the store describes it: what a rebuilt catalogue
    /// begins with.
    ///
    /// # Errors
    /// [`StorageError::NotFound`]; [`StorageError::Tags`] when its tags are not ours.
    pub fn confirm(&self, key: &ObjectKey) -> Result<StoredObject> {
        let bytes = self.0.head(key)?.bytes;
        let tags = self.0.tags(key)?;
        Ok(StoredObject { key: key.clone(), bytes, digest: None, tags })
    }

    /// Opens an object for reading at any place.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when there is no such object.
    pub fn open(&self, key: &ObjectKey) -> Result<StoredReader> {
        let bytes = self.0.head(key)?.bytes;
        Ok(StoredReader { objects: Arc::clone(&self.0), key: key.clone(), bytes })
    }

    /// Replaces an object's tags.
    ///
    /// # Errors
    /// As [`ObjectStore::set_tags`].
    pub fn set_tags(&self, key: &ObjectKey, tags: &ObjectTags) -> Result<()> {
        self.0.set_tags(key, tags)
    }

    /// One page of objects, see [`ObjectStore::list`].
    ///
    /// # Errors
    /// As [`ObjectStore::list`].
    pub fn list(&self, prefix: &KeyPrefix, page: &Page) -> Result<Listing> {
        self.0.list(prefix, page)
    }

    /// All objects of the prefix, fetched page by page.
    #[must_use]
    pub fn objects(&self, prefix: KeyPrefix) -> Objects {
        let page = Page::first();
        Objects { store: self.clone(), prefix, page: Some(page), ready: Vec::new().into_iter() }
    }

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    /// As [`ObjectStore::delete`].
    pub fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.0.delete(key)
    }

    /// The store itself.
    #[must_use]
    pub fn object_store(&self) -> &dyn ObjectStore {
        &*self.0
    }
}

/// Tags decide on retention and on who may be handed the object, so they must tell the same as what
/// was sealed.
fn check_custody(key: &ObjectKey, object: &SealedObject, tags: &ObjectTags) -> Result<()> {
    let index = object.index();
    // Only research packs name a project, a generation and a profile.
    let agrees = |told: bool, same: bool| !told || same;
    let same = tags.zone == index.zone
        && tags.hospital == index.hospital
        && agrees(index.project.is_some(), tags.project == index.project)
        && agrees(index.generation.is_some(), tags.generation == index.generation)
        && index.profile.as_ref().is_none_or(|profile| *profile == tags.profile);
    if same {
        return Ok(());
    }
    let what = "zone, hospital, project, generation or profile is not the sealed object's";
    Err(StorageError::Tags { key: key.to_string(), what })
}

/// Reads the file once: it must be what was sealed. Gives its CRC-32.
fn check_source(key: &ObjectKey, object: &SealedObject, path: &Path) -> Result<u32> {
    let failed = |error| StorageError::io("reading a sealed file", error);
    let differs = |what| Err(StorageError::SourceMismatch { key: key.to_string(), what });
    let mut file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.len() != object.bytes() {
        return differs("size");
    }
    let (mut crc, mut digest) = (Crc::new(), blake3::Hasher::new());
    let mut buffer = vec![0; HASH_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                crc.update(&buffer[..n]);
                digest.update(&buffer[..n]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    if digest.finalize().as_bytes() != &object.digest().0 {
        return differs("digest");
    }
    Ok(crc.sum())
}

/// An object the store has confirmed to hold. Made only by [`Store`].
///
/// No other crate can make one, or change one:
///
/// ```
/// fn reads(one: &scanveil_storage::StoredObject) { let _ = one.key(); }
/// ```
/// ```compile_fail
/// fn forges(one: scanveil_storage::StoredObject) -> scanveil_storage::StoredObject {
///     scanveil_storage::StoredObject { bytes: 0, ..one }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    key: ObjectKey,
    bytes: u64,
    digest: Option<Digest>,
    tags: ObjectTags,
}

impl StoredObject {
    /// Where it lies.
    #[must_use]
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// Its id.
    #[must_use]
    pub fn object(&self) -> ObjectId {
        self.key.object()
    }

    /// Its sealed size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// BLAKE3 digest of the sealed bytes; `None` for an object that was found and not written.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Its tags.
    #[must_use]
    pub fn tags(&self) -> &ObjectTags {
        &self.tags
    }
}

/// Reads an object at any place, one request to the store a call.
pub struct StoredReader {
    objects: Arc<dyn ObjectStore>,
    key: ObjectKey,
    bytes: u64,
}

impl ReadAt for StoredReader {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let wanted = (buf.len() as u64).min(MAX_RANGE_BYTES).min(self.bytes.saturating_sub(offset));
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.objects.get_range(&self.key, offset..offset + wanted);
        let bytes = read.map_err(|error| match error {
            StorageError::NotFound { .. } => io::Error::new(io::ErrorKind::NotFound, error),
            _ => io::Error::other(error),
        })?;
        match buf.get_mut(..bytes.len()) {
            Some(place) => place.copy_from_slice(&bytes),
            None => return Err(io::Error::other("the store gave more bytes than asked for")),
        }
        Ok(bytes.len())
    }
}

/// All objects of a prefix, page by page. Ends after the first error.
pub struct Objects {
    store: Store,
    prefix: KeyPrefix,
    page: Option<Page>,
    ready: std::vec::IntoIter<ObjectInfo>,
}

impl Iterator for Objects {
    type Item = Result<ObjectInfo>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(info) = self.ready.next() {
                return Some(Ok(info));
            }
            let page = self.page.take()?;
            match self.store.list(&self.prefix, &page) {
                Ok(Listing { objects, next }) => {
                    self.ready = objects.into_iter();
                    self.page = next.map(|after| Page { after: Some(after), ..page });
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
