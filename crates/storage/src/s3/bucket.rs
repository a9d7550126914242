//! One bucket: each request it is asked, as an asynchronous call on a plain key.

use super::checksum;
use super::config::{
    ATTEMPT_TIMEOUT_MS, CONNECT_TIMEOUT_MS, ChecksumMode, READ_TIMEOUT_MS, S3Config, S3Credentials,
};
use super::failure::During;
use crate::{KeyPrefix, Listing, ObjectInfo, ObjectKey, Page, Result, StorageError};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{BuildError, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumMode as AnswerChecksum, ChecksumType, Tag, Tagging};
use bytes::Bytes;
use std::ops::Range;
use std::time::Duration;

/// What every object is to S3.
pub(super) const CONTENT_TYPE: &str = "application/octet-stream";

/// A client and the bucket it is for.
pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) region: String,
    pub(super) own_endpoint: bool,
    pub(super) checksums: ChecksumMode,
}

/// What a HEAD says.
pub(super) struct Head {
    pub(super) bytes: u64,
    modified_at_ms: Option<i64>,
    crc32: Option<u32>,
}

impl Head {
    pub(super) fn into_info(self, key: ObjectKey) -> ObjectInfo {
        let Self { bytes, modified_at_ms, crc32 } = self;
        ObjectInfo { key, bytes, modified_at_ms, crc32 }
    }
}

impl Bucket {
    pub(super) fn new(config: &S3Config, credentials: &S3Credentials) -> Self {
        let (requests, answers) = match config.request_checksum_calculation {
            ChecksumMode::WhenSupported => (
                RequestChecksumCalculation::WhenSupported,
                ResponseChecksumValidation::WhenSupported,
            ),
            ChecksumMode::WhenRequired => {
                (RequestChecksumCalculation::WhenRequired, ResponseChecksumValidation::WhenRequired)
            }
        };
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
            .read_timeout(Duration::from_millis(READ_TIMEOUT_MS))
            .operation_attempt_timeout(Duration::from_millis(ATTEMPT_TIMEOUT_MS))
            .build();
        let mut builder = aws_sdk_s3::Config::builder()
            .region(Region::new(config.region.clone()))
            .credentials_provider(credentials.provider())
            .force_path_style(config.path_style)
            .request_checksum_calculation(requests)
            .response_checksum_validation(answers)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(config.attempts));
        if let Some(endpoint) = &config.endpoint {
            builder = builder.endpoint_url(endpoint);
        }
        Self {
            client: Client::from_conf(builder.build()),
            name: config.bucket.clone(),
            region: config.region.clone(),
            own_endpoint: config.endpoint.is_some(),
            checksums: config.request_checksum_calculation,
        }
    }

    pub(super) fn during<'a>(&'a self, action: &'static str, key: &'a str) -> During<'a> {
        During { action, key, region: &self.region }
    }

    /// The CRC-32 to send with these bytes, if any is to be sent.
    pub(super) fn checksum_of(&self, bytes: &[u8]) -> Option<u32> {
        match self.checksums {
            ChecksumMode::WhenSupported => Some(checksum::crc32(bytes)),
            ChecksumMode::WhenRequired => None,
        }
    }

    pub(super) async fn put(&self, key: &str, bytes: Bytes, tagging: Option<String>) -> Result<()> {
        let during = self.during("writing an object", key);
        let crc = self.checksum_of(&bytes);
        let answer = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .content_type(CONTENT_TYPE)
            .set_tagging(tagging)
            .set_checksum_crc32(crc.map(checksum::to_text))
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|e| during.failed(e))?;
        confirm(key, crc, answer.checksum_crc32())
    }

    pub(super) async fn head(&self, key: &str) -> Result<Head> {
        let during = self.during("looking for an object", key);
        let mode = match self.checksums {
            ChecksumMode::WhenSupported => Some(AnswerChecksum::Enabled),
            ChecksumMode::WhenRequired => None,
        };
        let answer = self
            .client
            .head_object()
            .bucket(&self.name)
            .key(key)
            .set_checksum_mode(mode)
            .send()
            .await
            .map_err(|e| during.failed(e))?;
        read_head(&answer).ok_or_else(|| during.odd("answer without a length"))
    }

    /// The bytes of the range, which must not be empty, or `None` when the object has not got them.
    pub(super) async fn get(&self, key: &str, range: &Range<u64>) -> Result<Option<Vec<u8>>> {
        let during = self.during("reading an object", key);
        let sent = self
            .client
            .get_object()
            .bucket(&self.name)
            .key(key)
            .range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1)))
            .send()
            .await;
        let mut answer = match sent {
            Ok(answer) => answer,
            Err(SdkError::ServiceError(e)) if e.raw().status().as_u16() == 416 => return Ok(None),
            Err(error) => return Err(during.failed(error)),
        };
        let wanted = range.end - range.start;
        let mut bytes = Vec::new();
        while let Some(piece) = answer.body.next().await {
            let piece = piece.map_err(|_| StorageError::Unreachable {
                action: during.action,
                why: "the answer broke off",
            })?;
            if bytes.len() as u64 + piece.len() as u64 > wanted {
                return Err(during.odd("more bytes than asked for"));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(if bytes.len() as u64 == wanted { Some(bytes) } else { None })
    }

    pub(super) async fn tag_pairs(&self, key: &str) -> Result<Vec<(String, String)>> {
        let during = self.during("reading an object's tags", key);
        let request = self.client.get_object_tagging().bucket(&self.name).key(key);
        let answer = request.send().await.map_err(|e| during.failed(e))?;
        Ok(answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    pub(super) async fn set_tag_pairs(&self, key: &str, pairs: Vec<(&str, String)>) -> Result<()> {
        let during = self.during("writing an object's tags", key);
        let tag = |(key, value)| Tag::builder().key(key).value(value).build();
        let tags: Result<Vec<Tag>, BuildError> = pairs.into_iter().map(tag).collect();
        let tagging = tags
            .and_then(|tags| Tagging::builder().set_tag_set(Some(tags)).build())
            .map_err(|_| during.odd("the tags could not be built"))?;
        let request = self.client.put_object_tagging().bucket(&self.name).key(key);
        request.tagging(tagging).send().await.map_err(|e| during.failed(e))?;
        Ok(())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let during = self.during("deleting an object", key);
        let request = self.client.delete_object().bucket(&self.name).key(key);
        match request.send().await.map_err(|e| during.failed(e)) {
            Ok(_) | Err(StorageError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn list(&self, prefix: &KeyPrefix, page: &Page) -> Result<Listing> {
        let during = self.during("listing objects", "");
        let limit = page.clamped_limit();
        let mut objects: Vec<ObjectInfo> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            // At most MAX_LIST_KEYS, which fits.
            let wanted = i32::try_from(limit - objects.len()).unwrap_or(i32::MAX);
            let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix.text());
            let after = page.after.as_ref().filter(|_| token.is_none());
            let answer = request
                .set_start_after(after.map(ToString::to_string))
                .set_continuation_token(token.clone())
                .max_keys(wanted)
                .send()
                .await
                .map_err(|e| during.failed(e))?;
            for object in answer.contents() {
                // What is not ours in the bucket is passed over.
                let Some(Ok(key)) = object.key().map(ObjectKey::parse) else { continue };
                let bytes = object.size().and_then(|size| u64::try_from(size).ok());
                let bytes = bytes.ok_or_else(|| during.odd("answer without a size"))?;
                let modified_at_ms = object.last_modified().and_then(to_millis);
                objects.push(ObjectInfo { key, bytes, modified_at_ms, crc32: None });
            }
            if answer.is_truncated() != Some(true) {
                return Ok(Listing { objects, next: None });
            }
            if objects.len() >= limit {
                let next = objects.last().map(|info| info.key.clone());
                return Ok(Listing { objects, next });
            }
            let next = answer.next_continuation_token.filter(|next| Some(next) != token.as_ref());
            token = Some(next.ok_or_else(|| during.odd("the listing does not go on"))?);
        }
    }
}

/// Compares the checksum the store answers with, if it does, with the one that was sent.
pub(super) fn confirm(key: &str, sent: Option<u32>, answered: Option<&str>) -> Result<()> {
    match (sent, answered.and_then(checksum::from_text)) {
        (Some(sent), Some(answered)) if sent != answered => {
            Err(StorageError::NotConfirmed { key: key.to_owned(), what: "checksum" })
        }
        _ => Ok(()),
    }
}

fn read_head(answer: &HeadObjectOutput) -> Option<Head> {
    // The checksum of an upload in parts is over the parts' checksums and says nothing here.
    let whole = answer.checksum_type() != Some(&ChecksumType::Composite);
    Some(Head {
        bytes: u64::try_from(answer.content_length()?).ok()?,
        modified_at_ms: answer.last_modified().and_then(to_millis),
        crc32: answer.checksum_crc32().filter(|_| whole).and_then(checksum::from_text),
    })
}

fn to_millis(time: &DateTime) -> Option<i64> {
    time.to_millis().ok()
}
