//! Store and catalogue held against each other, both ways, by their lists alone.

use crate::row::Fields;
use crate::{Catalog, CatalogError, ObjectFilter, ObjectRecord, ResearchName};
use scanveil_model::{HospitalId, Zone};
use scanveil_seal::StudyKey;
use scanveil_storage::{KeyPrefix, ObjectKey, StorageError, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Rows read at a time.
const PAGE: u32 = 1000;

/// Says which objects are being put at the moment, or were when a process ended.
pub type UnderWay<'a> = &'a (dyn Fn() -> io::Result<BTreeSet<ObjectKey>> + Sync);

/// What store and catalogue say of the same objects.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Objects that both have.
    pub objects: u64,
    /// Objects that the catalogue knows and the store has not.
    pub missing: Vec<ObjectRecord>,
    /// Objects that are longer or shorter than the catalogue says, with the store's length.
    pub resized: Vec<(ObjectRecord, u64)>,
    /// Objects that the store has and the catalogue does not know.
    pub unknown: Vec<ObjectKey>,
    /// Objects that are being put, or that an interrupted attempt left: they are not published, and
    /// what they hold is processed again.
    pub under_way: u64,
}

impl Catalog {
    /// Compares the objects of a prefix. Objects that are published, put or taken back
    /// meanwhile are no finding.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails, [`CatalogError::Store`] when the store does.
    pub fn compare(
        &self,
        store: &Store,
        prefix: &KeyPrefix,
        under_way: UnderWay<'_>,
    ) -> Result<Comparison, CatalogError> {
        let mut listed = BTreeMap::new();
        for info in store.objects(prefix.clone()) {
            let info = info?;
            listed.insert(info.key, info.bytes);
        }
        // In this order: what is put is noted first, and published before the note goes.
        let noted = under_way().map_err(|source| CatalogError::Io {
            action: "read the notes on objects under way beside",
            path: self.path().to_owned(),
            source,
        })?;
        let mut found = Comparison::default();
        self.each_object::<CatalogError>(&filter(prefix), |record| {
            let key = record.key();
            let bytes = match listed.remove(&key) {
                Some(bytes) if bytes == record.bytes => Some(bytes),
                // Published, or sealed again, after the listing.
                _ => match store.object_store().head(&key) {
                    Ok(info) => Some(info.bytes),
                    Err(StorageError::NotFound { .. }) => None,
                    Err(error) => return Err(error.into()),
                },
            };
            match bytes {
                None => found.missing.push(record),
                Some(bytes) => {
                    found.objects += 1;
                    if bytes != record.bytes {
                        found.resized.push((record, bytes));
                    }
                }
            }
            Ok(())
        })?;
        for key in listed.into_keys() {
            if noted.contains(&key) {
                found.under_way += 1;
                continue;
            }
            // Taken back since the listing.
            match store.object_store().head(&key) {
                Ok(_) => found.unknown.push(key),
                Err(StorageError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Shows every object of a filter, page by page.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails, and what `see` gives.
    pub fn each_object<E: From<CatalogError>>(
        &self,
        filter: &ObjectFilter,
        mut see: impl FnMut(ObjectRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut filter = filter.clone();
        loop {
            let page = self.objects(&filter, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            filter.after = Some(last.object);
            page.into_iter().try_for_each(&mut see)?;
        }
    }

    /// Whether the catalogue knows any object.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn has_objects(&self) -> Result<bool, CatalogError> {
        Ok(!self.objects(&ObjectFilter::default(), 1)?.is_empty())
    }

    /// What a study is called in research, in every project and generation.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn research_names(
        &self,
        hospital: &HospitalId,
        study_key: &StudyKey,
    ) -> Result<Vec<ResearchName>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query(
                "SELECT DISTINCT o.project, i.study_instance_uid FROM objects o \
                 JOIN instances i ON i.object = o.object WHERE o.hospital = $1 \
                 AND o.study_key = $2 AND o.zone = 'research' AND o.project IS NOT NULL \
                 AND i.study_instance_uid IS NOT NULL ORDER BY 1, 2",
            )
            .bind(hospital.as_str())
            .bind(study_key.to_string())
            .fetch_all(self.db.readers())
            .await?;
            rows.iter()
                .map(|row| {
                    let row = Fields { table: "instances", row };
                    Ok(ResearchName {
                        project: row.id("project")?,
                        study_instance_uid: row.id("study_instance_uid")?,
                    })
                })
                .collect()
        })
    }
}

fn filter(prefix: &KeyPrefix) -> ObjectFilter {
    let (zone, hospital): (Option<Zone>, Option<HospitalId>) = match prefix {
        KeyPrefix::All => (None, None),
        KeyPrefix::Zone(zone) => (Some(*zone), None),
        KeyPrefix::Hospital(zone, hospital) => (Some(*zone), Some(hospital.clone())),
    };
    ObjectFilter { zone, hospital, ..ObjectFilter::default() }
}
