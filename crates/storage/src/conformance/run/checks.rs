//! The checks themselves.

use super::{Bench, Outcome, in_parallel, sample_tags, text};
use crate::object::{MAX_LIST_KEYS, MAX_RANGE_BYTES};
use crate::{KeyPrefix, Listing, ObjectKey, Page, StorageError};
use scanveil_model::{Generation, ObjectTags, ProjectName, Zone};
use std::collections::BTreeSet;
use std::ops::Range;

type Check = fn(&Bench<'_>) -> Outcome;

/// Every check with what it is about.
pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a file comes back as it was put", file_round_trip),
    ("ranges", ranges),
    ("an empty object", empty_object),
    ("a large object", large_object),
    ("tags at creation and changed later", tags),
    ("tags that do not belong to the key are refused", foreign_tags),
    ("putting again leaves the same object", overwrite),
    ("listing gives every object once", listing),
    ("deleting twice", delete),
    ("a missing object", missing),
    ("a missing source file", missing_source),
    ("the same key put from several threads", same_key_in_parallel),
    ("many keys put from several threads", keys_in_parallel),
];

fn want(holds: bool, why: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(why()) }
}

/// Bytes that repeat with a period no part size divides.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}

fn read(bench: &Bench<'_>, key: &ObjectKey, range: Range<u64>) -> Outcome<Vec<u8>> {
    bench.store.get_range(key, range.clone()).map_err(|e| format!("{range:?}: {e}"))
}

fn file_round_trip(bench: &Bench<'_>) -> Outcome {
    let bytes = pattern(100_003);
    let path = bench.scratch.join("conformance-file");
    std::fs::write(&path, &bytes).map_err(text)?;
    let key = bench.key(1);
    bench.store.put_file(&key, &path, &sample_tags(&key).map_err(text)?).map_err(text)?;
    let info = bench.store.head(&key).map_err(text)?;
    want(info.key == key && info.bytes == 100_003, || format!("head says {} bytes", info.bytes))?;
    want(info.modified_at_ms.is_some_and(|t| t > 0), || "no time of writing".to_owned())?;
    let found = read(bench, &key, 0..100_003)?;
    // A store may take the file or leave it.
    let _ = std::fs::remove_file(&path);
    want(found == bytes, || "other bytes came back".to_owned())
}

fn ranges(bench: &Bench<'_>) -> Outcome {
    let bytes = pattern(1000);
    let key = bench.key(1);
    bench.put(&key, &bytes)?;
    for (from, to) in [(0, 1), (0, 1000), (1, 2), (300, 700), (999, 1000), (0, 0), (1000, 1000)] {
        let found = read(bench, &key, from as u64..to as u64)?;
        want(found == bytes[from..to], || format!("{from}..{to} gave other bytes"))?;
    }
    let backwards = Range { start: 5, end: 4 };
    for range in [0..1001, 999..1001, 1000..1001, 5000..6000, 1001..1001, backwards] {
        match bench.store.get_range(&key, range.clone()) {
            Err(StorageError::OutOfRange { start, end, .. }) if (start..end) == range => {}
            Err(error) => return Err(format!("{range:?} gave the wrong error: {error}")),
            Ok(found) => return Err(format!("{range:?} gave {} bytes", found.len())),
        }
    }
    match bench.store.get_range(&key, 0..MAX_RANGE_BYTES + 1) {
        Err(StorageError::TooLarge { .. }) => Ok(()),
        _ => Err("a range beyond the limit was not refused".to_owned()),
    }
}

fn empty_object(bench: &Bench<'_>) -> Outcome {
    let key = bench.key(1);
    bench.put(&key, b"")?;
    let info = bench.store.head(&key).map_err(text)?;
    want(info.bytes == 0, || format!("head says {} bytes", info.bytes))?;
    want(read(bench, &key, 0..0)?.is_empty(), || "it gave bytes".to_owned())?;
    let over = bench.store.get_range(&key, 0..1);
    want(matches!(over, Err(StorageError::OutOfRange { .. })), || "0..1 is no error".to_owned())
}

fn large_object(bench: &Bench<'_>) -> Outcome {
    const STEP: usize = 7 * 1024 * 1024 + 13;
    let bytes = pattern(bench.load.large_bytes);
    let path = bench.scratch.join("conformance-large");
    std::fs::write(&path, &bytes).map_err(text)?;
    let key = bench.key(1);
    let tags = sample_tags(&key).map_err(text)?;
    bench.store.put_file(&key, &path, &tags).map_err(text)?;
    let _ = std::fs::remove_file(&path);
    let info = bench.store.head(&key).map_err(text)?;
    want(info.bytes == bytes.len() as u64, || format!("head says {} bytes", info.bytes))?;
    want(bench.store.tags(&key).map_err(text)? == tags, || "other tags".to_owned())?;
    let mut at = 0;
    for piece in bytes.chunks(STEP) {
        let found = read(bench, &key, at..at + piece.len() as u64)?;
        want(found == piece, || format!("other bytes from {at} on"))?;
        at += piece.len() as u64;
    }
    want(read(bench, &key, at - 1..at)? == bytes[bytes.len() - 1..], || "last byte".to_owned())
}

fn tags(bench: &Bench<'_>) -> Outcome {
    let key = bench.key(1);
    let mut first = sample_tags(&key).map_err(text)?;
    first.generation = Some(Generation(7));
    first.project = Some(ProjectName::parse("lung-nodules").map_err(text)?);
    first.profile = "basic@0123456789abcdef".to_owned();
    bench.store.put_bytes(&key, b"content", &first).map_err(text)?;
    want(bench.store.tags(&key).map_err(text)? == first, || "other tags at creation".to_owned())?;
    // Fewer tags than before: all must have been replaced.
    let mut second = sample_tags(&key).map_err(text)?;
    second.retain_until = "2031-12-01".to_owned();
    second.profile = "basic@0123456789abcdef.s12".to_owned();
    bench.store.set_tags(&key, &second).map_err(text)?;
    want(bench.store.tags(&key).map_err(text)? == second, || "other tags later".to_owned())?;
    want(read(bench, &key, 0..7)? == b"content", || "the content changed".to_owned())
}

fn foreign_tags(bench: &Bench<'_>) -> Outcome {
    let key = bench.key(1);
    let good = sample_tags(&key).map_err(text)?;
    let mut zone = good.clone();
    zone.zone = Zone::Vault;
    let mut hospital = good.clone();
    hospital.hospital = bench.neighbour.clone();
    let mut date = good.clone();
    date.retain_until = "31.01.2056".to_owned();
    let profiles = ["free text", "basic@0123", "basic@0123456789abcdef.s1", "b@0123456789abcdef.s"];
    let profiles = profiles.map(|profile| {
        let profile = profile.to_owned();
        ObjectTags { profile, ..good.clone() }
    });
    for tags in [zone, hospital, date].into_iter().chain(profiles) {
        match bench.store.put_bytes(&key, b"x", &tags) {
            Err(StorageError::Tags { .. }) => {}
            _ => return Err("they were not refused".to_owned()),
        }
        let found = bench.store.head(&key);
        want(matches!(found, Err(StorageError::NotFound { .. })), || "it was stored".to_owned())?;
    }
    bench.store.put_bytes(&key, b"x", &good).map_err(text)
}

fn overwrite(bench: &Bench<'_>) -> Outcome {
    let key = bench.key(1);
    for _ in 0..3 {
        bench.put(&key, b"the same")?;
    }
    want(read(bench, &key, 0..8)? == b"the same", || "other bytes".to_owned())?;
    let prefix = KeyPrefix::Hospital(key.zone(), key.hospital().clone());
    let found = bench.store.list(&prefix, &Page::first()).map_err(text)?;
    want(found.objects.len() == 1, || format!("{} objects listed", found.objects.len()))
}

fn listing(bench: &Bench<'_>) -> Outcome {
    let many = bench.load.many_objects;
    let mine: Vec<_> = (0..many).map(|n| bench.key(n)).collect();
    let mut near: Vec<_> =
        (0..5).map(|n| bench.key_in(Zone::Research, &bench.neighbour, n)).collect();
    near.push(bench.key_in(Zone::Vault, &bench.hospital, 0));
    let all: Vec<_> = mine.iter().chain(&near).cloned().collect();
    in_parallel(&all, |key| bench.put(key, b"x"))?;

    let prefix = KeyPrefix::Hospital(Zone::Research, bench.hospital.clone());
    let expected: BTreeSet<_> = mine.into_iter().collect();
    for limit in [usize::MAX, 100, many as usize] {
        want(collect(bench, &prefix, limit, many)? == expected, || {
            format!("other objects of the hospital in pages of {limit}")
        })?;
    }
    // Page borders between hospitals and zones, whose folders may hold other objects as well.
    let expected: BTreeSet<_> = all.into_iter().collect();
    for prefix in [KeyPrefix::All, KeyPrefix::Zone(Zone::Research)] {
        let expected: BTreeSet<_> =
            expected.iter().filter(|key| prefix.holds(key)).cloned().collect();
        let found = collect(bench, &prefix, 64, u32::MAX)?;
        want(found.is_superset(&expected), || format!("objects missing below {prefix:?}"))?;
        want(found.iter().all(|key| prefix.holds(key)), || format!("others below {prefix:?}"))?;
    }
    let one = Page { after: None, limit: 0 };
    let Listing { objects, next } = bench.store.list(&prefix, &one).map_err(text)?;
    want(objects.len() == 1 && next.is_some() == (many > 1), || "a page of one".to_owned())
}

/// All keys below the prefix, page by page; each page in its limit, no key twice.
fn collect(
    bench: &Bench<'_>,
    prefix: &KeyPrefix,
    limit: usize,
    at_most: u32,
) -> Outcome<BTreeSet<ObjectKey>> {
    let mut found = BTreeSet::new();
    let mut page = Page { after: None, limit };
    loop {
        let Listing { objects, next } = bench.store.list(prefix, &page).map_err(text)?;
        let length = objects.len();
        want(length <= limit.min(MAX_LIST_KEYS), || format!("{length} in a page"))?;
        for info in objects {
            want(found.insert(info.key), || format!("a key twice, pages of {limit}"))?;
        }
        want(found.len() <= at_most as usize, || "more than there are".to_owned())?;
        match next {
            Some(after) => page.after = Some(after),
            None => return Ok(found),
        }
    }
}

fn delete(bench: &Bench<'_>) -> Outcome {
    let key = bench.key(1);
    bench.put(&key, b"x")?;
    for _ in 0..2 {
        bench.store.delete(&key).map_err(text)?;
        not_found(bench, &key)?;
    }
    let prefix = KeyPrefix::Hospital(key.zone(), key.hospital().clone());
    let left = bench.store.list(&prefix, &Page::first()).map_err(text)?.objects.len();
    want(left == 0, || "it is still listed".to_owned())?;
    bench.put(&key, b"xy")?;
    let info = bench.store.head(&key).map_err(text)?;
    want(info.bytes == 2, || "it cannot be put again".to_owned())
}

fn missing(bench: &Bench<'_>) -> Outcome {
    not_found(bench, &bench.key(1))
}

fn not_found(bench: &Bench<'_>, key: &ObjectKey) -> Outcome {
    let tags = sample_tags(key).map_err(text)?;
    let results = [
        ("head", bench.store.head(key).map(|_| ())),
        ("get_range", bench.store.get_range(key, 0..1).map(|_| ())),
        ("get_range of nothing", bench.store.get_range(key, 0..0).map(|_| ())),
        ("tags", bench.store.tags(key).map(|_| ())),
        ("set_tags", bench.store.set_tags(key, &tags)),
    ];
    for (call, result) in results {
        match result {
            Err(StorageError::NotFound { key: named }) if named == key.to_string() => {}
            Err(error) => return Err(format!("{call} gave the wrong error: {error}")),
            Ok(()) => return Err(format!("{call} gave no error")),
        }
    }
    Ok(())
}

fn missing_source(bench: &Bench<'_>) -> Outcome {
    let key = bench.key(1);
    let path = bench.scratch.join("there-is-no-such-file");
    let put = bench.store.put_file(&key, &path, &sample_tags(&key).map_err(text)?);
    want(matches!(put, Err(StorageError::Io { .. })), || format!("it gave {put:?}"))?;
    not_found(bench, &key)
}

fn same_key_in_parallel(bench: &Bench<'_>) -> Outcome {
    let bytes = pattern(300_000);
    let key = bench.key(1);
    in_parallel(&[0; 16], |_| {
        bench.put(&key, &bytes)?;
        // While the others still put, a reader sees the whole object.
        let info = bench.store.head(&key).map_err(text)?;
        want(info.bytes == 300_000, || format!("head says {} bytes", info.bytes))?;
        want(read(bench, &key, 0..300_000)? == bytes, || "other bytes".to_owned())
    })
}

fn keys_in_parallel(bench: &Bench<'_>) -> Outcome {
    let keys: Vec<_> = (0..64).map(|n| bench.key(n)).collect();
    let content = |key: &ObjectKey| key.to_string().repeat(50).into_bytes();
    in_parallel(&keys, |key| bench.put(key, &content(key)))?;
    in_parallel(&keys, |key| {
        let expected = content(key);
        let found = read(bench, key, 0..expected.len() as u64)?;
        want(found == expected, || "other bytes".to_owned())
    })
}
