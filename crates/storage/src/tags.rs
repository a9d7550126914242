//! Object tags as stores keep them: checked key and value pairs.

use crate::key::parse_zone;
use crate::{ObjectKey, Result, StorageError};
use scanveil_model::{Generation, HospitalId, ObjectTags, ProjectName, RetentionClass};
use std::fmt::Write;

/// Longest value S3 takes.
const MAX_VALUE_BYTES: usize = 256;
/// Most digits of the version of a hospital's secret.
const MAX_VERSION_DIGITS: usize = 4;

/// Refuses tags that do not belong to the key or that some store could not keep. The free texts are
/// held to the narrow forms they have, so that nothing else can ever get into a tag.
pub(crate) fn check_tags(key: &ObjectKey, tags: &ObjectTags) -> Result<()> {
    let wrong = |what| Err(StorageError::Tags { key: key.to_string(), what });
    if tags.zone != key.zone() || tags.hospital != *key.hospital() {
        return wrong("zone or hospital is not the key's");
    }
    if !is_date(&tags.retain_until) {
        return wrong("retain-until is not a date YYYY-MM-DD");
    }
    if !is_profile(&tags.profile) {
        return wrong("profile is neither `none` nor `<name>@<16 hex digits>[.s<number>]`");
    }
    Ok(())
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| match i {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        })
}

fn is_profile(text: &str) -> bool {
    if text == "none" {
        return true;
    }
    let Some((name, digest)) = text.split_once('@') else { return false };
    // The version of the hospital's secret stands behind it where it is not the first.
    let (digest, version) = match digest.split_once(".s") {
        Some((digest, version)) => (digest, Some(version)),
        None => (digest, None),
    };
    let later = |version: &str| {
        let digits = version.bytes().all(|b| b.is_ascii_digit()) && !version.starts_with('0');
        digits && version != "1" && (1..=MAX_VERSION_DIGITS).contains(&version.len())
    };
    let name_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let digest_byte = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    !name.is_empty()
        && text.len() <= MAX_VALUE_BYTES
        && name.bytes().all(name_byte)
        && digest.len() == 16
        && digest.bytes().all(digest_byte)
        && version.is_none_or(later)
}

/// The tags as S3's `x-amz-tagging` header has them: `key=value&...`, percent-encoded.
pub(crate) fn header_value(tags: &ObjectTags) -> String {
    let mut text = String::new();
    for (key, value) in tags.pairs() {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(key);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// Reads the tags back. Tags of others beside ours are passed over.
pub(crate) fn from_pairs<'a>(
    key: &ObjectKey,
    pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<ObjectTags> {
    let wrong = |what| StorageError::Tags { key: key.to_string(), what };
    let find = |name: &str| pairs.clone().find(|(key, _)| *key == name).map(|(_, value)| value);
    let need = |name| find(name).ok_or_else(|| wrong("a tag of ours is missing"));
    let bad = |_| wrong("a tag of ours is not well formed");
    let tags = ObjectTags {
        hospital: HospitalId::parse(need("scanveil-hospital")?).map_err(bad)?,
        zone: parse_zone(need("scanveil-zone")?).ok_or_else(|| wrong("the zone is not known"))?,
        retention_class: RetentionClass(
            HospitalId::parse(need("scanveil-retention-class")?).map_err(bad)?,
        ),
        retain_until: need("scanveil-retain-until")?.to_owned(),
        profile: need("scanveil-profile")?.to_owned(),
        generation: match find("scanveil-generation") {
            Some(text) => {
                Some(Generation(text.parse().map_err(|_| wrong("the generation is not a number"))?))
            }
            None => None,
        },
        project: find("scanveil-project").map(ProjectName::parse).transpose().map_err(bad)?,
    };
    check_tags(key, &tags)?;
    Ok(tags)
}
