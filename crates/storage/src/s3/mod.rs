//! The store in a bucket of an S3-compatible service.

mod bucket;
mod check;
mod checksum;
mod config;
mod failure;
mod upload;

pub use config::{ChecksumMode, S3Config, S3Credentials};

use crate::object::{out_of_range, range_length};
use crate::tags::{check_tags, from_pairs, header_value};
use crate::{
    CheckReport, KeyPrefix, Listing, ObjectInfo, ObjectKey, ObjectStore, Page, Result, StorageError,
};
use bucket::Bucket;
use scanveil_model::ObjectTags;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::{Builder, Handle, Runtime};

/// Threads that do the network's work; the callers' own threads wait.
const WORKER_THREADS: usize = 2;

/// Objects in a bucket. Runs its own asynchronous runtime; its methods block and must not be called
/// from an asynchronous task. Uploads are sent with a CRC-32 (unless told otherwise), objects above
/// 16 MiB in parts of 8 MiB, two at a time.
///
/// A process that is killed during an upload in parts leaves parts behind: give the bucket a
/// lifecycle rule that aborts incomplete multipart uploads.
pub struct S3Store {
    bucket: Arc<Bucket>,
    handle: Handle,
    runtime: Option<Runtime>,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Store(bucket {}, region {})", self.bucket.name, self.bucket.region)
    }
}

impl S3Store {
    /// Makes a client; sends nothing yet. Credentials come from `credentials_file` or, without it,
    /// from the environment ([`S3Credentials::load`]).
    ///
    /// # Errors
    /// [`StorageError`] about a setting or the credentials.
    pub fn new(config: &S3Config) -> Result<Self> {
        config.validate()?;
        let credentials = S3Credentials::load(config.credentials_file.as_deref())?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKER_THREADS)
            .thread_name("scanveil-s3")
            .enable_all()
            .build()
            .map_err(|e| StorageError::io("starting the network threads", e))?;
        let bucket = Arc::new(Bucket::new(config, &credentials));
        Ok(Self { bucket, handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.handle.block_on(work)
    }

    fn put_from(
        &self,
        key: &ObjectKey,
        reader: &mut (dyn Read + Send),
        bytes: u64,
        tags: &ObjectTags,
    ) -> Result<()> {
        check_tags(key, tags)?;
        let text = key.to_string();
        let source = upload::Source { key: &text, reader, bytes, tagging: header_value(tags) };
        self.wait(async {
            upload::put(&self.bucket, source).await?;
            if bytes <= upload::SINGLE_PUT_BYTES {
                return Ok(());
            }
            // Ceph's gateway drops the tags of an upload in parts; a retention tag must be there.
            let pairs = self.bucket.tag_pairs(&text).await?;
            if parse_pairs(key, &pairs).is_ok_and(|found| found == *tags) {
                return Ok(());
            }
            self.bucket.set_tag_pairs(&text, tags.pairs()).await
        })
    }
}

impl Drop for S3Store {
    fn drop(&mut self) {
        // The plain drop waits, which is forbidden where the last owner is an asynchronous task.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn parse_pairs(key: &ObjectKey, pairs: &[(String, String)]) -> Result<ObjectTags> {
    from_pairs(key, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

impl ObjectStore for S3Store {
    /// Reads the file and leaves it where it is.
    fn put_file(&self, key: &ObjectKey, path: &Path, tags: &ObjectTags) -> Result<()> {
        let failed = |error| StorageError::io("reading the file to store", error);
        let mut file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        self.put_from(key, &mut file, bytes, tags)
    }

    fn put_bytes(&self, key: &ObjectKey, bytes: &[u8], tags: &ObjectTags) -> Result<()> {
        let mut reader = bytes;
        self.put_from(key, &mut reader, bytes.len() as u64, tags)
    }

    fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Vec<u8>> {
        let length = range_length(key, &range)?;
        let text = key.to_string();
        let found = self.wait(async {
            if length > 0 {
                return self.bucket.get(&text, &range).await;
            }
            // HTTP has no empty range; the object must still be there and reach so far.
            let head = self.bucket.head(&text).await?;
            Ok((range.end <= head.bytes).then(Vec::new))
        })?;
        found.ok_or_else(|| out_of_range(key, &range))
    }

    fn head(&self, key: &ObjectKey) -> Result<ObjectInfo> {
        let head = self.wait(self.bucket.head(&key.to_string()))?;
        Ok(head.into_info(key.clone()))
    }

    fn tags(&self, key: &ObjectKey) -> Result<ObjectTags> {
        let pairs = self.wait(self.bucket.tag_pairs(&key.to_string()))?;
        parse_pairs(key, &pairs)
    }

    fn set_tags(&self, key: &ObjectKey, tags: &ObjectTags) -> Result<()> {
        check_tags(key, tags)?;
        self.wait(self.bucket.set_tag_pairs(&key.to_string(), tags.pairs()))
    }

    fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.wait(self.bucket.delete(&key.to_string()))
    }

    fn list(&self, prefix: &KeyPrefix, page: &Page) -> Result<Listing> {
        self.wait(self.bucket.list(prefix, page))
    }

    fn check(&self) -> CheckReport {
        self.wait(check::run(&self.bucket))
    }
}

#[cfg(test)]
mod tests;
