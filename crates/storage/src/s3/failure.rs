//! What the SDK's errors mean to us. Nothing a server wrote gets through but its error code.

use crate::StorageError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// Longest error code that is passed on.
const MAX_CODE_BYTES: usize = 64;

/// What was being done to what when it failed.
#[derive(Clone, Copy)]
pub(super) struct During<'a> {
    pub(super) action: &'static str,
    pub(super) key: &'a str,
    pub(super) region: &'a str,
}

impl During<'_> {
    pub(super) fn failed<E: ProvideErrorMetadata>(
        self,
        error: SdkError<E, HttpResponse>,
    ) -> StorageError {
        let action = self.action;
        let unreachable = |why| StorageError::Unreachable { action, why };
        match &error {
            SdkError::TimeoutError(_) => unreachable("timed out"),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => unreachable("timed out"),
            SdkError::DispatchFailure(failure) if failure.is_io() => {
                unreachable("no connection, or it broke")
            }
            SdkError::DispatchFailure(_) => unreachable("no connection, or TLS was refused"),
            SdkError::ServiceError(context) => {
                let response = context.raw();
                self.answered(context.err().code(), response)
            }
            SdkError::ResponseError(context) => {
                self.answered(Some("UnreadableAnswer"), context.raw())
            }
            _ => self.odd("the request could not be built"),
        }
    }

    fn answered(self, code: Option<&str>, response: &HttpResponse) -> StorageError {
        let status = response.status().as_u16();
        let code = code.filter(|code| {
            code.len() <= MAX_CODE_BYTES && code.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        let code = code.unwrap_or("unnamed").to_owned();
        let action = self.action;
        match (status, code.as_str()) {
            (_, "NoSuchBucket") => StorageError::BucketMissing,
            (_, "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException")
            | (301 | 307, _) => {
                let told = response.headers().get("x-amz-bucket-region");
                self.other_region(told)
            }
            (404, "NoSuchUpload") => StorageError::Failed { action, status, code },
            (404, _) => StorageError::NotFound { key: self.key.to_owned() },
            (401 | 403, _) => StorageError::Denied { action, status, code },
            (507, _) => StorageError::Full { action },
            _ => StorageError::Failed { action, status, code },
        }
    }

    /// The bucket is in `told` and not where the configuration says.
    pub(super) fn other_region(self, told: Option<&str>) -> StorageError {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let told = told.filter(|name| name.len() <= 32 && name.bytes().all(plain));
        StorageError::RegionMismatch {
            configured: self.region.to_owned(),
            actual: told.unwrap_or("another").to_owned(),
        }
    }

    /// An answer that cannot be, in fixed words.
    pub(super) fn odd(self, what: &'static str) -> StorageError {
        StorageError::Failed { action: self.action, status: 0, code: what.to_owned() }
    }
}
