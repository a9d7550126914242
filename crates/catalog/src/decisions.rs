//! What people decided about instances in quarantine, and where it stands.

use crate::row::{Fields, hex};
use crate::{Catalog, CatalogError, KeyedId, RecordId};
use scanveil_model::{Decision, Digest, HospitalId, ObjectId, ProjectName, ReasonCode};
use scanveil_seal::StudyKey;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};
use std::collections::BTreeSet;

/// What stands for a corrected copy that the sender sent: nobody had to decide it.
pub(crate) const SUPERSEDED: &str = "superseded";

/// Reasons that a decision has ended: they stay in the object and are held against nobody any more.
pub(crate) const NOT_DECIDED: &str = "NOT EXISTS (SELECT 1 FROM decisions d \
     WHERE d.hospital = q.hospital AND d.source_digest = i.source_digest \
     AND d.object = q.object AND d.applied = 1 \
     AND ((d.decision = 'correct' AND q.code = 'uid-conflict') \
       OR (d.decision = 'merge' AND q.code = 'mixed-patients')))";

/// Instances that nobody waits for any more.
pub(crate) const NOT_CLOSED: &str = "NOT EXISTS (SELECT 1 FROM decisions k \
     WHERE k.hospital = o.hospital AND k.source_digest = i.source_digest \
     AND k.decision IN ('keep-first', 'superseded'))";

/// A decision about one instance in one object of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedInstance {
    /// The hospital.
    pub hospital: HospitalId,
    /// Keyed hash of the study.
    pub study_key: StudyKey,
    /// Digest of the instance's bytes as they were received.
    pub source: Digest,
    /// The object that holds it.
    pub object: ObjectId,
    /// What was decided.
    pub decision: Decision,
    /// The reasons that it ends.
    pub codes: BTreeSet<ReasonCode>,
    /// [`Decision::Correct`]: the instance that it replaces. [`Decision::Merge`]: the instance
    /// that names the right patient.
    pub other: Option<Digest>,
    /// When, in milliseconds since 1970.
    pub decided_at_ms: i64,
    /// Who and why: the sealed record.
    pub record: RecordId,
}

/// An instance under its UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstancePlace {
    /// Keyed hash of the SOP Instance UID.
    pub sop_key: KeyedId,
    /// Digest of the bytes as they were received.
    pub source: Digest,
    /// Digest of what it holds without its file meta information, where known.
    pub content: Option<Digest>,
}

impl Catalog {
    /// Records decisions; one that is known changes nothing. The instances of `corrected` take the
    /// places of those that were accepted under their UIDs.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn decide(
        &self,
        decided: &[DecidedInstance],
        corrected: &[(HospitalId, InstancePlace)],
    ) -> Result<(), CatalogError> {
        self.db.run(async {
            let mut tx = self.db.begin().await?;
            for one in decided {
                let codes: Vec<&str> = one.codes.iter().map(|code| code.as_str()).collect();
                sqlx::query(
                    "INSERT INTO decisions (hospital, source_digest, decision, object, study_key, \
                     codes, other_digest, decided_at_ms, record, applied) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                     ON CONFLICT (hospital, source_digest, decision, object) DO UPDATE SET \
                     applied = excluded.applied, other_digest = excluded.other_digest",
                )
                .bind(one.hospital.as_str())
                .bind(one.source.to_string())
                .bind(one.decision.as_str())
                .bind(one.object.to_string())
                .bind(one.study_key.to_string())
                .bind(codes.join(" "))
                .bind(one.other.map(|digest| digest.to_string()))
                .bind(one.decided_at_ms)
                .bind(one.record.as_str())
                // Nothing has to be made again where everything stays as it is.
                .bind(i64::from(one.decision == Decision::KeepFirst))
                .execute(&mut *tx)
                .await?;
            }
            for (hospital, place) in corrected {
                sqlx::query(
                    "INSERT INTO arrivals (hospital, sop_key, source_digest, outcome, repeats, \
                     content_digest) VALUES ($1, $2, $3, 'quarantined', 0, $4) \
                     ON CONFLICT (hospital, sop_key) DO UPDATE SET \
                     source_digest = excluded.source_digest, outcome = excluded.outcome, \
                     repeats = 0, content_digest = excluded.content_digest \
                     WHERE arrivals.source_digest <> excluded.source_digest",
                )
                .bind(hospital.as_str())
                .bind(hex(&place.sop_key))
                .bind(place.source.to_string())
                .bind(place.content.map(|digest| digest.to_string()))
                .execute(&mut *tx)
                .await?;
            }
            Ok(tx.commit().await?)
        })
    }

    /// What was decided about instances of a study.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn decisions(
        &self,
        hospital: &HospitalId,
        study_key: &StudyKey,
    ) -> Result<Vec<DecidedInstance>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query(
                "SELECT hospital, study_key, source_digest, object, decision, codes, \
                 other_digest, decided_at_ms, record FROM decisions \
                 WHERE hospital = $1 AND study_key = $2 AND decision <> $3 \
                 ORDER BY source_digest, decision, object",
            )
            .bind(hospital.as_str())
            .bind(study_key.to_string())
            .bind(SUPERSEDED)
            .fetch_all(self.db.readers())
            .await?;
            rows.iter().map(decided).collect()
        })
    }

    /// The study was made again, for every project, as was decided.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn decisions_applied(
        &self,
        hospital: &HospitalId,
        study_key: &StudyKey,
    ) -> Result<(), CatalogError> {
        self.db.run(async {
            sqlx::query(
                "UPDATE decisions SET applied = 1 WHERE hospital = $1 AND study_key = $2 \
                 AND applied = 0",
            )
            .bind(hospital.as_str())
            .bind(study_key.to_string())
            .execute(self.db.writer())
            .await?;
            Ok(())
        })
    }

    /// The reasons for which instances of a study are in quarantine, without those that a decision
    /// has ended.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn open_reasons(
        &self,
        hospital: &HospitalId,
        study_key: &StudyKey,
    ) -> Result<Vec<(Digest, ReasonCode)>, CatalogError> {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT DISTINCT i.source_digest, q.code FROM quarantine q \
             JOIN objects o ON o.object = q.object \
             JOIN instances i ON i.object = q.object AND i.entry = q.entry WHERE o.hospital = ",
        );
        select.push_bind(hospital.to_string()).push(" AND o.study_key = ");
        select.push_bind(study_key.to_string()).push(" AND ").push(NOT_DECIDED);
        self.db.run(async {
            let rows = select.build().fetch_all(self.db.readers()).await?;
            rows.iter()
                .map(|row| {
                    let row = Fields { table: "quarantine", row };
                    Ok((row.id("source_digest")?, row.reason("code")?))
                })
                .collect()
        })
    }

    /// Studies of a hospital with decisions that wait to be applied.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn studies_to_decide(
        &self,
        hospital: &HospitalId,
    ) -> Result<BTreeSet<StudyKey>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query(
                "SELECT DISTINCT study_key FROM decisions WHERE hospital = $1 AND applied = 0",
            )
            .bind(hospital.as_str())
            .fetch_all(self.db.readers())
            .await?;
            rows.iter().map(|row| fields(row).study_key("study_key")).collect()
        })
    }

    /// Instances in whose place another one was taken: no release holds them any more.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn replaced(&self) -> Result<BTreeSet<(HospitalId, Digest)>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query(
                "SELECT DISTINCT hospital, other_digest FROM decisions \
                 WHERE decision = 'correct' AND other_digest IS NOT NULL",
            )
            .fetch_all(self.db.readers())
            .await?;
            rows.iter()
                .map(|row| Ok((fields(row).id("hospital")?, fields(row).id("other_digest")?)))
                .collect()
        })
    }

    /// Instances that were held and came out clean since: another content under their UIDs is a
    /// conflict from now on.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn accept(
        &self,
        hospital: &HospitalId,
        instances: &[(KeyedId, Digest)],
    ) -> Result<(), CatalogError> {
        self.each_arrival("UPDATE arrivals SET outcome = 'accepted'", hospital, instances)
    }

    /// Forgets instances that are no more: sent again, they are received again.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn forget_instances(
        &self,
        hospital: &HospitalId,
        instances: &[(KeyedId, Digest)],
    ) -> Result<(), CatalogError> {
        self.each_arrival("DELETE FROM arrivals", hospital, instances)
    }

    /// Changes what is remembered of instances, as long as it is these bytes.
    fn each_arrival(
        &self,
        change: &'static str,
        hospital: &HospitalId,
        instances: &[(KeyedId, Digest)],
    ) -> Result<(), CatalogError> {
        if instances.is_empty() {
            return Ok(());
        }
        self.db.run(async {
            let mut tx = self.db.begin().await?;
            for (sop_key, source) in instances {
                let mut query = QueryBuilder::<Sqlite>::new(change);
                query.push(" WHERE hospital = ").push_bind(hospital.to_string());
                query.push(" AND sop_key = ").push_bind(hex(sop_key));
                query.push(" AND source_digest = ").push_bind(source.to_string());
                query.build().execute(&mut *tx).await?;
            }
            Ok(tx.commit().await?)
        })
    }

    /// Whether a study's quarantine was scrubbed again by this profile and engine.
    pub(crate) fn is_tried(
        &self,
        hospital: &HospitalId,
        project: &ProjectName,
        study_key: &StudyKey,
        profile: &str,
        engine: &str,
    ) -> Result<bool, CatalogError> {
        self.db.run(async {
            let found: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM quarantine_tries WHERE hospital = $1 AND project = $2 \
                 AND study_key = $3 AND profile = $4 AND engine = $5",
            )
            .bind(hospital.as_str())
            .bind(project.as_str())
            .bind(study_key.to_string())
            .bind(profile)
            .bind(engine)
            .fetch_one(self.db.readers())
            .await?;
            Ok(found > 0)
        })
    }

    /// Remembers by which profile and engine a study's quarantine was scrubbed again.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn tried(
        &self,
        hospital: &HospitalId,
        project: &ProjectName,
        study_key: &StudyKey,
        profile: &str,
        engine: &str,
    ) -> Result<(), CatalogError> {
        self.db.run(async {
            sqlx::query(
                "INSERT INTO quarantine_tries (hospital, project, study_key, profile, engine) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hospital, project, study_key) \
                 DO UPDATE SET profile = excluded.profile, engine = excluded.engine",
            )
            .bind(hospital.as_str())
            .bind(project.as_str())
            .bind(study_key.to_string())
            .bind(profile)
            .bind(engine)
            .execute(self.db.writer())
            .await?;
            Ok(())
        })
    }
}

fn fields(row: &SqliteRow) -> Fields<'_> {
    Fields { table: "decisions", row }
}

fn decided(row: &SqliteRow) -> Result<DecidedInstance, CatalogError> {
    let row = fields(row);
    let code = |word: &str| {
        let known = ReasonCode::ALL.iter().copied().find(|code| code.as_str() == word);
        known.ok_or_else(|| row.corrupt("codes"))
    };
    Ok(DecidedInstance {
        hospital: row.id("hospital")?,
        study_key: row.study_key("study_key")?,
        source: row.id("source_digest")?,
        object: row.id("object")?,
        decision: Decision::parse(&row.text("decision")?).ok_or_else(|| row.corrupt("decision"))?,
        codes: row
            .text("codes")?
            .split(' ')
            .filter(|c| !c.is_empty())
            .map(code)
            .collect::<Result<_, _>>()?,
        other: row.optional_id("other_digest")?,
        decided_at_ms: row.signed("decided_at_ms")?,
        record: row.id("record")?,
    })
}
