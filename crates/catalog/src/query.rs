//! Questions about objects, studies and quarantine.

use crate::decisions::{NOT_CLOSED, NOT_DECIDED};
use crate::row::{Fields, stored};
use crate::{
    BatchCandidates, BatchStudy, Catalog, CatalogError, HeldBack, InstanceRecord, ObjectFilter,
    ObjectRecord, QuarantineCount, QuarantineFilter, QuarantineRecord, StudyRecord,
};
use scanveil_model::{Generation, HospitalId, ObjectId, ProjectName, RetentionClass, Zone};
use scanveil_seal::StudyKey;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};
use std::collections::{BTreeMap, BTreeSet};

const OBJECT_COLUMNS: &str = "SELECT o.object, o.zone, o.hospital, o.subject, o.study_key, \
     o.project, o.generation, o.profile, o.engine, o.retention_class, o.retain_until, o.bytes, \
     o.digest, o.entries, o.received_at_ms, o.certificate FROM objects o";

/// Only what the newest generation of a study holds. An object is of a generation also where the
/// row that tells of the generation is gone.
pub(crate) const NEWEST: &str = "NOT EXISTS (SELECT 1 FROM generations g \
     WHERE g.hospital = o.hospital AND g.project = o.project AND g.study_key = o.study_key \
     AND g.generation > o.generation) \
     AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.hospital = o.hospital \
     AND n.project = o.project AND n.study_key = o.study_key AND n.zone = 'research' \
     AND n.generation > o.generation)";

/// Quarantined instances of which no released generation has a clean copy: a later profile may
/// have let them pass. Beside it stands [`NOT_CLOSED`].
pub(crate) const STILL_HELD: &str = "NOT EXISTS (SELECT 1 FROM instances c \
     JOIN objects r ON r.object = c.object AND r.zone = 'research' AND r.hospital = o.hospital \
     WHERE c.source_digest = i.source_digest AND r.generation = \
     (SELECT MAX(g.generation) FROM generations g WHERE g.hospital = r.hospital \
      AND g.project = r.project AND g.study_key = r.study_key))";

impl Catalog {
    /// Objects in the order of their identifiers, at most `limit`; the next page begins after the
    /// last of this one.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn objects(
        &self,
        filter: &ObjectFilter,
        limit: u32,
    ) -> Result<Vec<ObjectRecord>, CatalogError> {
        let mut select = QueryBuilder::<Sqlite>::new(OBJECT_COLUMNS);
        let mut glue = Glue::new();
        if let Some(zone) = filter.zone {
            select.push(glue.next()).push("o.zone = ").push_bind(zone.as_str());
        }
        if let Some(hospital) = &filter.hospital {
            select.push(glue.next()).push("o.hospital = ").push_bind(hospital.to_string());
        }
        if let Some(subject) = &filter.subject {
            select.push(glue.next()).push("o.subject = ").push_bind(subject.to_string());
        }
        if let Some(study) = &filter.study_key {
            select.push(glue.next()).push("o.study_key = ").push_bind(study.to_string());
        }
        if let Some(project) = &filter.project {
            select.push(glue.next()).push("o.project = ").push_bind(project.to_string());
        }
        if let Some(after) = &filter.after {
            select.push(glue.next()).push("o.object > ").push_bind(after.to_string());
        }
        select.push(" ORDER BY o.object LIMIT ").push_bind(i64::from(limit));
        self.db.run(async {
            let rows = select.build().fetch_all(self.db.readers()).await?;
            rows.iter().map(object_record).collect()
        })
    }

    /// The instances within an object, in its order.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn instances(&self, object: &ObjectId) -> Result<Vec<InstanceRecord>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query(
                "SELECT entry, study_instance_uid, series_instance_uid, sop_instance_uid, \
                 sop_class_uid, transfer_syntax, digest, source_digest FROM instances \
                 WHERE object = $1 ORDER BY entry",
            )
            .bind(object.to_string())
            .fetch_all(self.db.readers())
            .await?;
            rows.iter()
                .map(|row| {
                    let row = Fields { table: "instances", row };
                    Ok(InstanceRecord {
                        entry: row.number("entry")?,
                        study_instance_uid: row.optional_id("study_instance_uid")?,
                        series_instance_uid: row.optional_id("series_instance_uid")?,
                        sop_instance_uid: row.optional_id("sop_instance_uid")?,
                        sop_class_uid: row.optional_id("sop_class_uid")?,
                        transfer_syntax: row.optional_id("transfer_syntax")?,
                        digest: row.id("digest")?,
                        source: row.optional_id("source_digest")?,
                    })
                })
                .collect()
        })
    }

    /// The research objects of a project's current generation: of each study only what its newest
    /// generation holds, so that what a newer run held back never comes out of an older one.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn current_objects(
        &self,
        project: &ProjectName,
    ) -> Result<Vec<ObjectRecord>, CatalogError> {
        let mut select = QueryBuilder::<Sqlite>::new(OBJECT_COLUMNS);
        select
            .push(" WHERE o.zone = 'research' AND o.project = ")
            .push_bind(project.to_string())
            .push(" AND ")
            .push(NEWEST)
            .push(" ORDER BY o.hospital, o.study_key, o.object");
        self.db.run(async {
            let rows = select.build().fetch_all(self.db.readers()).await?;
            rows.iter().map(object_record).collect()
        })
    }

    /// How many instances of a project's studies are in quarantine and have no clean copy in the
    /// newest generation, by hospital and first reason, so that the numbers add up.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn held_back(&self, project: &ProjectName) -> Result<Vec<HeldBack>, CatalogError> {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT hospital, code, COUNT(*) AS instances FROM \
             (SELECT o.hospital AS hospital, MIN(q.code) AS code \
             FROM quarantine q JOIN objects o ON o.object = q.object \
             JOIN instances i ON i.object = q.object AND i.entry = q.entry \
             WHERE q.ordinal = 0 AND EXISTS (SELECT 1 FROM generations p \
               WHERE p.hospital = o.hospital AND p.study_key = o.study_key AND p.project = ",
        );
        select.push_bind(project.to_string()).push(") AND ").push(STILL_HELD);
        select.push(" AND ").push(NOT_CLOSED);
        select.push(
            " GROUP BY o.hospital, i.source_digest) AS held \
             GROUP BY hospital, code ORDER BY hospital, code",
        );
        self.db.run(async {
            let rows = select.build().fetch_all(self.db.readers()).await?;
            rows.iter()
                .map(|row| {
                    let row = Fields { table: "quarantine", row };
                    Ok(HeldBack {
                        hospital: row.id("hospital")?,
                        code: row.reason("code")?,
                        instances: row.number("instances")?,
                    })
                })
                .collect()
        })
    }

    /// The studies of a project with their newest generation.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn studies(&self, project: &ProjectName) -> Result<Vec<StudyRecord>, CatalogError> {
        let mut select = QueryBuilder::<Sqlite>::new(
            "WITH newest AS (SELECT hospital, project, study_key, MAX(generation) AS generation \
               FROM generations GROUP BY hospital, project, study_key) \
             SELECT n.hospital, n.study_key, n.generation, s.subject, \
               CAST(COALESCE((SELECT SUM(o.entries) FROM objects o \
                 WHERE o.hospital = n.hospital AND o.study_key = n.study_key \
                 AND o.zone = 'research' AND o.project = n.project \
                 AND o.generation = n.generation), 0) AS BIGINT) AS released, \
               (SELECT COUNT(DISTINCT i.source_digest) FROM objects o \
                 JOIN instances i ON i.object = o.object WHERE o.hospital = n.hospital \
                 AND o.study_key = n.study_key AND o.zone = 'quarantine' AND ",
        );
        select
            .push(STILL_HELD)
            .push(" AND ")
            .push(NOT_CLOSED)
            .push(
                ") AS quarantined FROM newest n \
                 JOIN studies s ON s.hospital = n.hospital AND s.study_key = n.study_key \
                 WHERE n.project = ",
            )
            .push_bind(project.to_string())
            .push(" ORDER BY n.hospital, n.study_key");
        self.db.run(async {
            let rows = select.build().fetch_all(self.db.readers()).await?;
            rows.iter().map(study_record).collect()
        })
    }

    /// All generations a project has of a study, the oldest first.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn generations(
        &self,
        hospital: &HospitalId,
        project: &ProjectName,
        study_key: &StudyKey,
    ) -> Result<Vec<Generation>, CatalogError> {
        self.db.run(async {
            let numbers: Vec<i64> = sqlx::query_scalar(
                "SELECT generation FROM generations WHERE hospital = $1 AND project = $2 \
                 AND study_key = $3 ORDER BY generation",
            )
            .bind(hospital.as_str())
            .bind(project.as_str())
            .bind(study_key.to_string())
            .fetch_all(self.db.readers())
            .await?;
            numbers
                .into_iter()
                .map(|n| {
                    u32::try_from(n).map(Generation).map_err(|_| CatalogError::Corrupt {
                        table: "generations",
                        column: "generation",
                    })
                })
                .collect()
        })
    }

    /// The studies of a hospital that a batch with this profile and engine would work on: those
    /// whose newest generation in the project was made, even in part, with another profile or
    /// another engine, those with originals that the project never had, and those about which
    /// something was decided. Where no originals are kept, what is in quarantine is there.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn studies_for_batch(
        &self,
        hospital: &HospitalId,
        project: &ProjectName,
        profile: &str,
        engine: &str,
    ) -> Result<BatchCandidates, CatalogError> {
        let rows = self.db.run(async {
            sqlx::query(
                "WITH newest AS (SELECT study_key, MAX(generation) AS generation \
                   FROM generations WHERE hospital = $1 AND project = $2 GROUP BY study_key) \
                 SELECT n.study_key, n.generation FROM newest n \
                 WHERE EXISTS (SELECT 1 FROM generations g WHERE g.hospital = $1 \
                   AND g.project = $2 AND g.study_key = n.study_key \
                   AND g.generation = n.generation AND (g.profile <> $3 OR g.engine <> $4)) \
                 OR EXISTS (SELECT 1 FROM objects o WHERE o.hospital = $1 \
                   AND o.project = $2 AND o.study_key = n.study_key \
                   AND o.generation = n.generation AND (o.profile <> $3 OR o.engine <> $4)) \
                 UNION \
                 SELECT DISTINCT o.study_key, NULL FROM objects o WHERE o.hospital = $1 \
                   AND o.zone IN ('vault', 'quarantine') \
                   AND o.study_key NOT IN (SELECT study_key FROM newest) \
                 ORDER BY 1",
            )
            .bind(hospital.as_str())
            .bind(project.as_str())
            .bind(profile)
            .bind(engine)
            .fetch_all(self.db.readers())
            .await
        })?;
        let mut wanted = BTreeMap::new();
        for row in &rows {
            let row = Fields { table: "generations", row };
            wanted.insert(row.study_key("study_key")?, row.generation("generation")?);
        }
        let decided = self.studies_to_decide(hospital)?;
        for study in &decided {
            if !wanted.contains_key(study) {
                let newest = self.generations(hospital, project, study)?.last().copied();
                wanted.insert(*study, newest);
            }
        }
        let mut found = BatchCandidates::default();
        for (study_key, generation) in wanted {
            let mut originals = self.originals(hospital, &study_key)?;
            if originals.is_empty()
                && (decided.contains(&study_key)
                    || !self.is_tried(hospital, project, &study_key, profile, engine)?)
            {
                originals = self.held_objects(hospital, &study_key)?;
            }
            match originals.first() {
                // Of a study that was never made, nothing may be left that waits.
                None if generation.is_none() => {}
                None => found.without_originals += 1,
                Some(first) => found.studies.push(BatchStudy {
                    study_key,
                    subject: first.subject,
                    generation,
                    originals,
                }),
            }
        }
        Ok(found)
    }

    /// The objects of a study's quarantine in which somebody or something still waits.
    fn held_objects(
        &self,
        hospital: &HospitalId,
        study_key: &StudyKey,
    ) -> Result<Vec<ObjectRecord>, CatalogError> {
        let filter = QuarantineFilter {
            hospital: Some(hospital.clone()),
            study_key: Some(*study_key),
            ..QuarantineFilter::default()
        };
        let held = self.quarantine(&filter, u32::MAX)?;
        let held: BTreeSet<ObjectId> = held.into_iter().map(|record| record.object).collect();
        let filter = ObjectFilter {
            zone: Some(Zone::Quarantine),
            hospital: Some(hospital.clone()),
            study_key: Some(*study_key),
            ..ObjectFilter::default()
        };
        let mut objects = self.objects(&filter, u32::MAX)?;
        objects.retain(|object| held.contains(&object.object));
        Ok(objects)
    }

    /// The identified originals of a study, in the order of their identifiers.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn originals(
        &self,
        hospital: &HospitalId,
        study_key: &StudyKey,
    ) -> Result<Vec<ObjectRecord>, CatalogError> {
        let filter = ObjectFilter {
            zone: Some(Zone::Vault),
            hospital: Some(hospital.clone()),
            study_key: Some(*study_key),
            ..ObjectFilter::default()
        };
        self.objects(&filter, u32::MAX)
    }

    /// What is held in quarantine and why, what a later generation let pass left out, in the order
    /// of object and entry, at most `limit`.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn quarantine(
        &self,
        filter: &QuarantineFilter,
        limit: u32,
    ) -> Result<Vec<QuarantineRecord>, CatalogError> {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT q.object, q.entry, q.ordinal, q.hospital, q.code, q.at_tag, q.detail, \
             o.received_at_ms, i.source_digest, o.study_key, o.subject, o.retain_until \
             FROM quarantine q JOIN objects o ON o.object = q.object \
             JOIN instances i ON i.object = q.object AND i.entry = q.entry",
        );
        let mut glue = Glue::new();
        for condition in [STILL_HELD, NOT_CLOSED, NOT_DECIDED] {
            select.push(glue.next()).push(condition);
        }
        if let Some(hospital) = &filter.hospital {
            select.push(glue.next()).push("q.hospital = ").push_bind(hospital.to_string());
        }
        if let Some(code) = filter.code {
            select.push(glue.next()).push("q.code = ").push_bind(code.as_str());
        }
        if let Some(study) = &filter.study_key {
            select.push(glue.next()).push("o.study_key = ").push_bind(study.to_string());
        }
        if let Some((object, entry, ordinal)) = &filter.after {
            let entry = stored(*entry, "an entry")?;
            let ordinal = stored(*ordinal, "an ordinal")?;
            select.push(glue.next()).push("(q.object, q.entry, q.ordinal) > (");
            select.push_bind(object.to_string()).push(", ").push_bind(entry);
            select.push(", ").push_bind(ordinal).push(")");
        }
        select.push(" ORDER BY q.object, q.entry, q.ordinal LIMIT ").push_bind(i64::from(limit));
        self.db.run(async {
            let rows = select.build().fetch_all(self.db.readers()).await?;
            rows.iter().map(quarantine_record).collect()
        })
    }

    /// How many instances are held, by hospital and reason; an instance with two reasons counts for
    /// both, one that a later generation let pass for none.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn quarantine_counts(&self) -> Result<Vec<QuarantineCount>, CatalogError> {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT q.hospital, q.code, COUNT(DISTINCT i.source_digest) AS instances \
             FROM quarantine q JOIN objects o ON o.object = q.object \
             JOIN instances i ON i.object = q.object AND i.entry = q.entry WHERE ",
        );
        select.push(STILL_HELD).push(" AND ").push(NOT_CLOSED).push(" AND ").push(NOT_DECIDED);
        select.push(" GROUP BY q.hospital, q.code ORDER BY q.hospital, q.code");
        self.db.run(async {
            let rows = select.build().fetch_all(self.db.readers()).await?;
            rows.iter()
                .map(|row| {
                    let row = Fields { table: "quarantine", row };
                    Ok(QuarantineCount {
                        hospital: row.id("hospital")?,
                        code: row.reason("code")?,
                        instances: row.number("instances")?,
                    })
                })
                .collect()
        })
    }
}

/// `WHERE` before the first condition, `AND` before the others.
struct Glue(&'static str);

impl Glue {
    fn new() -> Self {
        Self(" WHERE ")
    }
    fn next(&mut self) -> &'static str {
        std::mem::replace(&mut self.0, " AND ")
    }
}

fn object_record(row: &SqliteRow) -> Result<ObjectRecord, CatalogError> {
    let row = Fields { table: "objects", row };
    Ok(ObjectRecord {
        object: row.id("object")?,
        zone: row.zone("zone")?,
        hospital: row.id("hospital")?,
        subject: row.id("subject")?,
        study_key: row.study_key("study_key")?,
        project: row.optional_id("project")?,
        generation: row.generation("generation")?,
        profile: row.text("profile")?,
        engine: row.text("engine")?,
        retention_class: RetentionClass(row.id("retention_class")?),
        retain_until: row.text("retain_until")?,
        bytes: row.number("bytes")?,
        digest: row.optional_id("digest")?,
        entries: row.number("entries")?,
        received_at_ms: row.signed("received_at_ms")?,
        certificate: row.optional_id("certificate")?,
    })
}

fn study_record(row: &SqliteRow) -> Result<StudyRecord, CatalogError> {
    let row = Fields { table: "generations", row };
    Ok(StudyRecord {
        hospital: row.id("hospital")?,
        study_key: row.study_key("study_key")?,
        subject: row.id("subject")?,
        generation: row.generation("generation")?.ok_or_else(|| row.corrupt("generation"))?,
        released: row.number("released")?,
        quarantined: row.number("quarantined")?,
    })
}

fn quarantine_record(row: &SqliteRow) -> Result<QuarantineRecord, CatalogError> {
    let row = Fields { table: "quarantine", row };
    Ok(QuarantineRecord {
        object: row.id("object")?,
        entry: row.number("entry")?,
        ordinal: row.number("ordinal")?,
        hospital: row.id("hospital")?,
        code: row.reason("code")?,
        at: row.optional_text("at_tag")?,
        detail: row.text("detail")?,
        received_at_ms: row.signed("received_at_ms")?,
        source: row.id("source_digest")?,
        study_key: row.study_key("study_key")?,
        subject: row.id("subject")?,
        retain_until: row.text("retain_until")?,
    })
}
