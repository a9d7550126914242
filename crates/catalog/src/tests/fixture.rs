//! A store in a temporary folder, and sealed packs in it.

use crate::{Arrival, Catalog, KeyedId, Outcome, Outcomes, Publication};
use scanveil_model::{
    Digest, Generation, HospitalId, ObjectId, ObjectTags, ProjectName, Reason, ReasonCode,
    RetentionClass, SubjectId, Uid, Zone,
};
use scanveil_seal::{
    Entropy, PackEntry, PackIndex, PackMeta, PackWriter, RawZone, StudyKey, SubjectKey,
};
use scanveil_storage::{FolderStore, Store, StoredObject};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A UID that must not be found in the catalogue.
pub(super) const ORIGINAL: &str = "1.2.826.0.1.3680043.8.498.7351";

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&n[..chunk.len()]);
        }
    }
}

pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    pub(super) catalog: Catalog,
    pub(super) store: Store,
    key: SubjectKey,
    entropy: Counting,
}

/// A pack as it was stored.
pub(super) struct Pack {
    pub(super) stored: StoredObject,
    pub(super) index: PackIndex,
}

pub(super) fn hospital() -> HospitalId {
    HospitalId::parse("st-wystan").unwrap()
}

pub(super) fn project() -> ProjectName {
    ProjectName::parse("lungs").unwrap()
}

pub(super) fn digest(content: &str) -> Digest {
    Digest(*blake3::hash(content.as_bytes()).as_bytes())
}

pub(super) fn arrival(spool: u8, sop: u8, content: &str, outcome: Outcome) -> Arrival {
    Arrival {
        spool_id: [spool; 16],
        hospital: hospital(),
        sop_key: Some([sop; 16]),
        source: digest(content),
        // Of content `a.1` and `a.2` only the file meta information is another.
        content: Some(digest(content.split('.').next().unwrap_or_default())),
        outcome,
        study_key: StudyKey([3; 16]),
        received_at_ms: 1000,
        names: Vec::new(),
    }
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let entropy = Counting(AtomicU64::new(1));
        let store = Store::new(Arc::new(FolderStore::open(&folder.path().join("store")).unwrap()));
        Self {
            catalog: Catalog::open(&folder.path().join("catalog.db")).unwrap(),
            store,
            key: SubjectKey::generate(&entropy),
            entropy,
            folder,
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("catalog.db")
    }

    /// Seals and stores a pack whose instances have these contents.
    pub(super) fn pack(
        &self,
        object: u8,
        zone: RawZone,
        study: u8,
        contents: &[(&str, &[ReasonCode])],
    ) -> Pack {
        let meta = PackMeta {
            zone,
            hospital: hospital(),
            subject: SubjectId([7; 16]),
            study_key: StudyKey([study; 16]),
            received_at_ms: 1000 + i64::from(object),
        };
        let key = self.key.zone_key(zone.zone());
        let mut pack =
            PackWriter::new(Vec::new(), ObjectId([object; 16]), meta, &key, &self.entropy).unwrap();
        for (content, codes) in contents {
            let entry = PackEntry {
                sop_instance_uid: Some(Uid::parse(ORIGINAL).unwrap()),
                sop_class_uid: Some(Uid::parse(ORIGINAL).unwrap()),
                series_instance_uid: Some(Uid::parse(ORIGINAL).unwrap()),
                study_instance_uid: Some(Uid::parse(ORIGINAL).unwrap()),
                transfer_syntax: None,
                offset: 0,
                length: content.len() as u64,
                digest: digest(content),
                source: None,
                reasons: codes.iter().map(|code| Reason::new(*code, "fixed words")).collect(),
                attributes: BTreeMap::new(),
            };
            pack.append(entry, content.as_bytes()).unwrap();
        }
        let (bytes, sealed) = pack.finish().unwrap();
        let file = self.folder.path().join("sealed");
        std::fs::write(&file, bytes).unwrap();
        let tags = ObjectTags {
            hospital: hospital(),
            zone: zone.zone(),
            retention_class: RetentionClass(HospitalId::parse("clinical-30y").unwrap()),
            retain_until: "2056-01-01".into(),
            profile: "none".into(),
            generation: None,
            project: None,
        };
        let stored = self.store.put_sealed(&sealed, &file, &tags).unwrap();
        Pack { stored, index: sealed.index().clone() }
    }

    pub(super) fn publish(&self, packs: &[&Pack], arrivals: &[Arrival]) {
        let objects: Vec<_> = packs.iter().map(|pack| pack.publication()).collect();
        let outcomes =
            Outcomes { objects: &objects, arrivals, engine: "1.0.0", ..Outcomes::default() };
        self.catalog.publish(&outcomes).unwrap();
    }

    /// Puts a research object with one instance into the tables: packs of that zone can be made
    /// from scrubbed instances only, which this crate has none of.
    pub(super) fn research(&self, object: u8, study: u8, generation: u32, source: &str) {
        self.catalog.db.run(async {
            let mut tx = self.catalog.db.begin().await.unwrap();
            sqlx::query(
                "INSERT INTO objects SELECT $1, 'research', hospital, subject, $2, $3, $4, \
                 'basic@0123456789abcdef', '1.0.0', 'research-10y', '2036-01-01', 10, NULL, 1, 5, NULL \
                 FROM subjects",
            )
            .bind(ObjectId([object; 16]).to_string())
            .bind(StudyKey([study; 16]).to_string())
            .bind(project().as_str())
            .bind(i64::from(generation))
            .execute(&mut *tx)
            .await
            .unwrap();
            sqlx::query(
                "INSERT INTO instances (object, entry, digest, source_digest) \
                 VALUES ($1, 0, $2, $2)",
            )
            .bind(ObjectId([object; 16]).to_string())
            .bind(digest(source).to_string())
            .execute(&mut *tx)
            .await
            .unwrap();
            tx.commit().await.unwrap();
        });
        self.generation(study, generation, "basic@0123456789abcdef", "1.0.0");
    }

    pub(super) fn generation(&self, study: u8, generation: u32, profile: &str, engine: &str) {
        let made = crate::StudyGeneration {
            hospital: hospital(),
            project: project(),
            study_key: StudyKey([study; 16]),
            generation: Generation(generation),
            profile: profile.into(),
        };
        let outcomes = Outcomes { generations: &[made], engine, ..Outcomes::default() };
        self.catalog.publish(&outcomes).unwrap();
    }

    /// Every row of every table, as text.
    pub(super) fn dump(&self) -> Vec<String> {
        dump(&self.catalog)
    }
}

impl Pack {
    pub(super) fn publication(&self) -> Publication<'_> {
        Publication { stored: &self.stored, index: &self.index }
    }
    pub(super) fn zone(&self) -> Zone {
        self.index.zone
    }
}

pub(super) fn dump(catalog: &Catalog) -> Vec<String> {
    use sqlx::{AssertSqlSafe, Column, Row, TypeInfo, ValueRef};
    catalog.db.run(async {
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
                .fetch_all(catalog.db.readers())
                .await
                .unwrap();
        let mut rows = Vec::new();
        for table in tables {
            let all = sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}")))
                .fetch_all(catalog.db.readers())
                .await
                .unwrap();
            for row in all {
                let mut text = table.clone();
                for column in row.columns() {
                    let at = column.ordinal();
                    let value = row.try_get_raw(at).unwrap();
                    let shown = if value.is_null() {
                        "null".to_owned()
                    } else if value.type_info().name() == "TEXT" {
                        row.get::<String, _>(at)
                    } else {
                        row.get::<i64, _>(at).to_string()
                    };
                    text.push_str(&format!(" {}={shown}", column.name()));
                }
                rows.push(text);
            }
        }
        rows.sort();
        rows
    })
}

pub(super) fn run_id(n: u8) -> KeyedId {
    [n; 16]
}
