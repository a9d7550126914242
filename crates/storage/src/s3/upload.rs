//! Putting an object: at once when it is small, else in parts, so that memory stays bounded.

use super::bucket::{Bucket, CONTENT_TYPE, confirm};
use super::checksum;
use super::config::ChecksumMode;
use crate::{Result, StorageError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use std::io::Read;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Largest object that is put in one request, in bytes.
pub(super) const SINGLE_PUT_BYTES: u64 = 16 * 1024 * 1024;
/// Part size for all but the largest objects, in bytes.
const PART_BYTES: u64 = 8 * 1024 * 1024;
/// Largest part size, in bytes.
const MAX_PART_BYTES: u64 = 16 * 1024 * 1024;
/// Most parts S3 takes.
const MAX_PARTS: u64 = 10_000;
/// Largest object, in bytes.
pub(super) const MAX_OBJECT_BYTES: u64 = MAX_PARTS * MAX_PART_BYTES;
/// Parts of one object on their way at a time. Each is held in memory.
const PARTS_IN_FLIGHT: usize = 2;

/// What is to be put.
pub(super) struct Source<'a> {
    pub(super) key: &'a str,
    pub(super) reader: &'a mut (dyn Read + Send),
    pub(super) bytes: u64,
    /// The tags, as in the header `x-amz-tagging`.
    pub(super) tagging: String,
}

impl Source<'_> {
    /// Exactly this many bytes more.
    fn take(&mut self, bytes: u64) -> Result<Bytes> {
        let wanted = usize::try_from(bytes).map_err(|_| self.changed())?;
        let mut part = Vec::with_capacity(wanted);
        let read = (&mut *self.reader).take(bytes).read_to_end(&mut part);
        read.map_err(|e| StorageError::io("reading the file to store", e))?;
        if part.len() == wanted { Ok(part.into()) } else { Err(self.changed()) }
    }

    /// Makes sure that there is nothing more.
    fn end(&mut self) -> Result<()> {
        let mut more = Vec::new();
        let read = (&mut *self.reader).take(1).read_to_end(&mut more);
        read.map_err(|e| StorageError::io("reading the file to store", e))?;
        if more.is_empty() { Ok(()) } else { Err(self.changed()) }
    }

    fn changed(&self) -> StorageError {
        StorageError::SourceMismatch { key: self.key.to_owned(), what: "size" }
    }
}

/// The part size for an object of this size; `None` when it is too large.
pub(super) fn part_size(bytes: u64) -> Option<u64> {
    let size = bytes.div_ceil(MAX_PARTS).max(PART_BYTES);
    (size <= MAX_PART_BYTES).then_some(size)
}

pub(super) async fn put(bucket: &Arc<Bucket>, mut source: Source<'_>) -> Result<()> {
    if source.bytes <= SINGLE_PUT_BYTES {
        let bytes = source.take(source.bytes)?;
        source.end()?;
        return bucket.put(source.key, bytes, Some(source.tagging)).await;
    }
    let part = part_size(source.bytes).ok_or(StorageError::TooLarge {
        what: "object",
        bytes: source.bytes,
        limit: MAX_OBJECT_BYTES,
    })?;
    let upload = Upload::begin(bucket, &source).await?;
    let result = match upload.send_parts(&mut source, part).await {
        Ok(parts) => upload.complete(parts, source.bytes).await,
        Err(error) => Err(error),
    };
    if result.is_err() {
        upload.abort().await;
    }
    result
}

/// An upload in parts under way.
#[derive(Clone)]
struct Upload {
    bucket: Arc<Bucket>,
    key: String,
    id: String,
}

impl Upload {
    async fn begin(bucket: &Arc<Bucket>, source: &Source<'_>) -> Result<Self> {
        let during = bucket.during("beginning an upload", source.key);
        let algorithm = match bucket.checksums {
            ChecksumMode::WhenSupported => Some(ChecksumAlgorithm::Crc32),
            ChecksumMode::WhenRequired => None,
        };
        let answer = bucket
            .client
            .create_multipart_upload()
            .bucket(&bucket.name)
            .key(source.key)
            .content_type(CONTENT_TYPE)
            .tagging(&source.tagging)
            .set_checksum_algorithm(algorithm)
            .send()
            .await
            .map_err(|e| during.failed(e))?;
        let id = answer.upload_id.ok_or_else(|| during.odd("answer without an upload id"))?;
        Ok(Self { bucket: Arc::clone(bucket), key: source.key.to_owned(), id })
    }

    async fn send_parts(&self, source: &mut Source<'_>, size: u64) -> Result<Vec<CompletedPart>> {
        let mut tasks = JoinSet::new();
        let sent = self.send_parts_by(&mut tasks, source, size).await;
        // No part may still be on its way when the upload is aborted.
        tasks.shutdown().await;
        sent
    }

    async fn send_parts_by(
        &self,
        tasks: &mut JoinSet<Result<CompletedPart>>,
        source: &mut Source<'_>,
        size: u64,
    ) -> Result<Vec<CompletedPart>> {
        let mut parts = Vec::new();
        let mut left = source.bytes;
        let mut number = 0;
        while left > 0 {
            if tasks.len() >= PARTS_IN_FLIGHT {
                self.collect_one(tasks, &mut parts).await?;
            }
            let bytes = source.take(left.min(size))?;
            left -= bytes.len() as u64;
            number += 1;
            let upload = self.clone();
            tasks.spawn(async move { upload.send_part(number, bytes).await });
        }
        source.end()?;
        while !tasks.is_empty() {
            self.collect_one(tasks, &mut parts).await?;
        }
        parts.sort_unstable_by_key(CompletedPart::part_number);
        Ok(parts)
    }

    async fn collect_one(
        &self,
        tasks: &mut JoinSet<Result<CompletedPart>>,
        parts: &mut Vec<CompletedPart>,
    ) -> Result<()> {
        let ended = || self.bucket.during("writing a part", &self.key).odd("its task ended early");
        match tasks.join_next().await {
            Some(Ok(part)) => parts.push(part?),
            Some(Err(_)) => return Err(ended()),
            None => {}
        }
        Ok(())
    }

    async fn send_part(&self, number: i32, bytes: Bytes) -> Result<CompletedPart> {
        let during = self.bucket.during("writing a part", &self.key);
        let crc = self.bucket.checksum_of(&bytes);
        let text = crc.map(checksum::to_text);
        let answer = self
            .bucket
            .client
            .upload_part()
            .bucket(&self.bucket.name)
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(number)
            .set_checksum_crc32(text.clone())
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|e| during.failed(e))?;
        confirm(&self.key, crc, answer.checksum_crc32())?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag);
        // Handed back as they were sent: S3 refuses to complete without them.
        Ok(part.set_checksum_crc32(text).build())
    }

    async fn complete(&self, parts: Vec<CompletedPart>, bytes: u64) -> Result<()> {
        let during = self.bucket.during("completing an upload", &self.key);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let sent = self
            .bucket
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket.name)
            .key(&self.key)
            .upload_id(&self.id)
            .multipart_upload(parts)
            .send()
            .await
            .map_err(|e| during.failed(e));
        match sent {
            Ok(_) => Ok(()),
            // A repeated request whose first answer was lost: the upload is gone, being done.
            Err(StorageError::Failed { status: 404, .. }) => {
                match self.bucket.head(&self.key).await?.bytes {
                    found if found == bytes => Ok(()),
                    _ => Err(during.odd("the upload is gone and the object is another")),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the parts' room back. When this fails too, the bucket's rule for unfinished uploads
    /// has to do it; the first error is the one that counts.
    async fn abort(&self) {
        let request = self.bucket.client.abort_multipart_upload();
        let request = request.bucket(&self.bucket.name).key(&self.key).upload_id(&self.id);
        if request.send().await.is_err() {
            tracing::warn!(key = %self.key, "an unfinished upload could not be aborted");
        }
    }
}
