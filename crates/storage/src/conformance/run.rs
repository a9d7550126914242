//! What every [`ObjectStore`] must do, as checks to run against a real one.

mod checks;

use crate::{KeyPrefix, ObjectKey, ObjectStore, Page, Result};
use scanveil_model::{HospitalId, IdError, ObjectId, ObjectTags, RetentionClass, Zone};
use std::path::Path;

/// How much a run puts into the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConformanceLoad {
    /// Objects of the listing check; more than [`crate::object::MAX_LIST_KEYS`] proves S3's paging.
    pub(crate) many_objects: u32,
    /// Size of the large object in bytes; more than 16 MiB makes S3 take it in parts.
    pub(crate) large_bytes: usize,
}

/// Runs every check and gives what failed, one line each; empty when the store conforms. Removes
/// what it stored. `scratch` is a folder for files to be put.
#[must_use]
pub(crate) fn check_conformance(
    store: &dyn ObjectStore,
    scratch: &Path,
    load: ConformanceLoad,
) -> Vec<String> {
    let mut failures = Vec::new();
    for (number, (name, check)) in (0u8..).zip(checks::CHECKS) {
        let result = Bench::new(store, scratch, load, number).and_then(|bench| {
            let result = check(&bench);
            result.and(bench.wipe())
        });
        if let Err(why) = result {
            failures.push(format!("{name}: {why}"));
        }
    }
    failures
}

/// Tags that fit the key.
///
/// # Errors
/// Never for the fixed words used here.
pub(crate) fn sample_tags(key: &ObjectKey) -> Result<ObjectTags, IdError> {
    Ok(ObjectTags {
        hospital: key.hospital().clone(),
        zone: key.zone(),
        retention_class: RetentionClass(HospitalId::parse("clinical-30y")?),
        retain_until: "2056-01-31".to_owned(),
        profile: "none".to_owned(),
        generation: None,
        project: None,
    })
}

/// One check's own hospitals in the store.
struct Bench<'a> {
    store: &'a dyn ObjectStore,
    scratch: &'a Path,
    load: ConformanceLoad,
    number: u8,
    hospital: HospitalId,
    /// Its name begins with the other's, so that a sloppy prefix finds too much.
    neighbour: HospitalId,
}

/// A check's outcome; the text says what was seen.
type Outcome<T = ()> = Result<T, String>;

impl<'a> Bench<'a> {
    fn new(
        store: &'a dyn ObjectStore,
        scratch: &'a Path,
        load: ConformanceLoad,
        number: u8,
    ) -> Outcome<Self> {
        let name = |end| HospitalId::parse(&format!("conform-{number}{end}")).map_err(text);
        let (hospital, neighbour) = (name("")?, name("-b")?);
        Ok(Self { store, scratch, load, number, hospital, neighbour })
    }

    /// The n-th key of this check; ids are spread over the folders.
    fn key(&self, n: u32) -> ObjectKey {
        self.key_in(Zone::Research, &self.hospital, n)
    }

    fn key_in(&self, zone: Zone, hospital: &HospitalId, n: u32) -> ObjectKey {
        let mut id = [self.number; 16];
        id[..4].copy_from_slice(&n.wrapping_mul(0x9E37_79B1).to_be_bytes());
        ObjectKey::new(zone, hospital.clone(), ObjectId(id))
    }

    fn put(&self, key: &ObjectKey, bytes: &[u8]) -> Outcome {
        self.store.put_bytes(key, bytes, &sample_tags(key).map_err(text)?).map_err(text)
    }

    /// Removes everything this check may have stored.
    fn wipe(&self) -> Outcome {
        for zone in [Zone::Vault, Zone::Research, Zone::Quarantine] {
            for hospital in [&self.hospital, &self.neighbour] {
                let prefix = KeyPrefix::Hospital(zone, hospital.clone());
                loop {
                    let found = self.store.list(&prefix, &Page::first()).map_err(text)?.objects;
                    if found.is_empty() {
                        break;
                    }
                    in_parallel(&found, |info| self.store.delete(&info.key).map_err(text))?;
                }
            }
        }
        Ok(())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Runs the work on every item, on eight threads; gives the first failure.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Outcome + Sync) -> Outcome {
    const THREADS: usize = 8;
    let work = &work;
    std::thread::scope(|scope| {
        let share = items.len().div_ceil(THREADS).max(1);
        let threads: Vec<_> = items
            .chunks(share)
            .map(|items| scope.spawn(move || items.iter().try_for_each(work)))
            .collect();
        let ended = |thread: std::thread::ScopedJoinHandle<'_, Outcome>| {
            thread.join().unwrap_or_else(|_| Err("a thread panicked".to_owned()))
        };
        threads.into_iter().map(ended).fold(Ok(()), Outcome::and)
    })
}
