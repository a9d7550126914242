//! Trying out what the store needs of a bucket.

use super::bucket::Bucket;
use crate::object::CheckReport;
use crate::{Result, StorageError};
use bytes::Bytes;
use std::time::{SystemTime, UNIX_EPOCH};

const PROBE: &[u8] = b"scanveil";

pub(super) async fn run(bucket: &Bucket) -> CheckReport {
    let mut report = CheckReport::new("s3");
    let Some(told) = report.step("the bucket can be reached", reach(bucket).await) else {
        return report;
    };
    match region(bucket, told).await {
        Some(region) if region == bucket.region => {
            report.held("it is in the configured region", None);
        }
        Some(region) => {
            let error = bucket.during("asking for the region", "").other_region(Some(&region));
            report.step("it is in the configured region", Err::<(), _>(error));
            return report;
        }
        None => {
            report.held("it is in the configured region", Some("the store does not name a region"));
        }
    }
    // Two checks at a time, also from two machines, must not meet.
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_nanos());
    let key = format!("scanveil-check/{}-{nanos}", std::process::id());
    let body = Bytes::from_static(PROBE);
    let tagging = Some("scanveil-check=1".to_owned());
    if report.step("an object can be written", bucket.put(&key, body, tagging).await).is_none() {
        return report;
    }
    if report.step("it reads back the same", read_back(bucket, &key).await).is_some()
        && report.step("its tags are kept", tags_kept(bucket, &key, "1").await).is_some()
        && report.step("its tags can be changed", retag(bucket, &key).await).is_some()
    {
        report.step("objects can be listed", list(bucket).await);
    }
    report.step("it can be deleted", delete(bucket, &key).await);
    report
}

async fn reach(bucket: &Bucket) -> Result<Option<String>> {
    let during = bucket.during("reaching the bucket", "");
    match bucket.client.head_bucket().bucket(&bucket.name).send().await {
        Ok(answer) => Ok(answer.bucket_region().filter(|r| !r.is_empty()).map(ToOwned::to_owned)),
        Err(error) => Err(match during.failed(error) {
            StorageError::NotFound { .. } => StorageError::BucketMissing,
            other => other,
        }),
    }
}

/// Where the bucket is, if the store can be made to say it.
async fn region(bucket: &Bucket, told: Option<String>) -> Option<String> {
    if told.is_some() {
        return told;
    }
    // Not being allowed to ask is no failure: nothing else needs this right.
    let answer = bucket.client.get_bucket_location().bucket(&bucket.name).send().await.ok()?;
    match answer.location_constraint().map(|place| place.as_str()).unwrap_or_default() {
        // Amazon's way of saying us-east-1; of other stores it says nothing.
        "" => (!bucket.own_endpoint).then(|| "us-east-1".to_owned()),
        "EU" => Some("eu-west-1".to_owned()),
        name => Some(name.to_owned()),
    }
}

async fn read_back(bucket: &Bucket, key: &str) -> Result<()> {
    let found = bucket.get(key, &(0..PROBE.len() as u64)).await?;
    confirmed(key, found.as_deref() == Some(PROBE), "content")
}

async fn tags_kept(bucket: &Bucket, key: &str, value: &str) -> Result<()> {
    let pairs = bucket.tag_pairs(key).await?;
    let kept = pairs.iter().any(|(name, found)| name == "scanveil-check" && found == value);
    confirmed(key, kept, "tags")
}

async fn retag(bucket: &Bucket, key: &str) -> Result<()> {
    bucket.set_tag_pairs(key, vec![("scanveil-check", "2".to_owned())]).await?;
    tags_kept(bucket, key, "2").await
}

async fn list(bucket: &Bucket) -> Result<()> {
    let page = crate::Page { after: None, limit: 1 };
    bucket.list(&crate::KeyPrefix::All, &page).await.map(|_| ())
}

async fn delete(bucket: &Bucket, key: &str) -> Result<()> {
    bucket.delete(key).await?;
    match bucket.head(key).await {
        Err(StorageError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => confirmed(key, false, "it is still there after its deletion, which"),
    }
}

fn confirmed(key: &str, held: bool, what: &'static str) -> Result<()> {
    if held { Ok(()) } else { Err(StorageError::NotConfirmed { key: key.to_owned(), what }) }
}
