//! Batches of studies to de-identify again: planned once, worked off in any number of runs.

use crate::row::{Fields, hex, stored};
use crate::{Catalog, CatalogError, KeyedId, RecordId};
use scanveil_model::{HospitalId, ProjectName};
use scanveil_seal::StudyKey;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

/// Items written by one statement; far below the database's limit on bound values.
const ITEMS_PER_INSERT: usize = 1000;

/// What a batch is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPlan {
    /// The batch's identifier, chosen by the caller.
    pub batch: RecordId,
    /// The hospital whose studies it works on.
    pub hospital: HospitalId,
    /// The project it makes a new generation for.
    pub project: ProjectName,
    /// Label of the profile to apply.
    pub profile: String,
    /// Version of the engine that applies it.
    pub engine: String,
    /// When it was planned, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// Keyed hashes of the studies, in the order in which they are to be worked on.
    pub studies: Vec<StudyKey>,
}

/// A batch and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchRecord {
    /// The batch's identifier.
    pub batch: RecordId,
    /// The hospital.
    pub hospital: HospitalId,
    /// The project.
    pub project: ProjectName,
    /// Label of the profile.
    pub profile: String,
    /// Version of the engine.
    pub engine: String,
    /// When it was planned, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// How far it is.
    pub progress: BatchProgress,
}

/// How many items of a batch are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct BatchProgress {
    /// Not begun.
    pub pending: u64,
    /// Claimed by a run and not finished.
    pub claimed: u64,
    /// Finished.
    pub done: u64,
    /// Given up with an error.
    pub failed: u64,
}

impl BatchProgress {
    /// All items.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.pending + self.claimed + self.done + self.failed
    }
    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.pending == 0 && self.claimed == 0
    }
}

/// One study of a batch, claimed by a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItem {
    /// The item's number within the batch, from 0.
    pub item: u64,
    /// Keyed hash of the study.
    pub study_key: StudyKey,
}

/// How an item of a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemEnd {
    /// The new generation is published.
    Done,
    /// It could not be worked on; the stable code of the error.
    Failed(&'static str),
}

impl Catalog {
    /// Records a batch and its items. The same plan again changes nothing.
    ///
    /// # Errors
    /// [`CatalogError::Exists`] when the identifier stands for another plan.
    pub fn create_batch(&self, plan: &BatchPlan) -> Result<(), CatalogError> {
        self.db.run(async {
            let mut tx = self.db.begin().await?;
            let new = sqlx::query(
                "INSERT INTO batches (batch, hospital, project, profile, engine, created_at_ms) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (batch) DO NOTHING",
            )
            .bind(plan.batch.as_str())
            .bind(plan.hospital.as_str())
            .bind(plan.project.as_str())
            .bind(&plan.profile)
            .bind(&plan.engine)
            .bind(plan.created_at_ms)
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if new == 0 {
                return same_plan(&mut tx, plan).await;
            }
            for (chunk, studies) in plan.studies.chunks(ITEMS_PER_INSERT).enumerate() {
                let first = stored((chunk * ITEMS_PER_INSERT) as u64, "a batch")?;
                let mut insert = QueryBuilder::<Sqlite>::new(
                    "INSERT INTO batch_items (batch, item, study_key, state) ",
                );
                insert.push_values((first..).zip(studies), |mut row, (item, study)| {
                    row.push_bind(plan.batch.as_str().to_owned())
                        .push_bind(item)
                        .push_bind(study.to_string())
                        .push_bind("pending");
                });
                insert.build().execute(&mut *tx).await?;
            }
            Ok(tx.commit().await?)
        })
    }

    /// Frees what earlier runs had claimed and not finished: to be called once at the start of a
    /// run, when no other run works on this batch. Gives the number of items freed.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn take_over_batch(&self, batch: &RecordId, run: &KeyedId) -> Result<u64, CatalogError> {
        self.db.run(async {
            let freed = sqlx::query(
                "UPDATE batch_items SET state = 'pending', run = NULL \
                 WHERE batch = $1 AND state = 'claimed' AND run <> $2",
            )
            .bind(batch.as_str())
            .bind(hex(run))
            .execute(self.db.writer())
            .await?;
            Ok(freed.rows_affected())
        })
    }

    /// Makes the failed items of a batch pending again. Gives their number.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn retry_failed(&self, batch: &RecordId) -> Result<u64, CatalogError> {
        self.db.run(async {
            let freed = sqlx::query(
                "UPDATE batch_items SET state = 'pending', run = NULL, code = NULL \
                 WHERE batch = $1 AND state = 'failed'",
            )
            .bind(batch.as_str())
            .execute(self.db.writer())
            .await?;
            Ok(freed.rows_affected())
        })
    }

    /// Claims the next pending item for a run; none when nothing is pending.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn next_item(
        &self,
        batch: &RecordId,
        run: &KeyedId,
    ) -> Result<Option<BatchItem>, CatalogError> {
        self.db.run(async {
            let mut tx = self.db.begin().await?;
            let row = sqlx::query(
                "UPDATE batch_items SET state = 'claimed', run = $2 WHERE batch = $1 AND item = \
                 (SELECT MIN(item) FROM batch_items WHERE batch = $1 AND state = 'pending') \
                 RETURNING item, study_key",
            )
            .bind(batch.as_str())
            .bind(hex(run))
            .fetch_optional(&mut *tx)
            .await?;
            let item = row
                .map(|row| {
                    let row = Fields { table: "batch_items", row: &row };
                    Ok::<_, CatalogError>(BatchItem {
                        item: row.number("item")?,
                        study_key: row.study_key("study_key")?,
                    })
                })
                .transpose()?;
            tx.commit().await?;
            Ok(item)
        })
    }

    /// Records how an item ended. Repeating it for a finished item changes nothing and gives false.
    ///
    /// # Errors
    /// [`CatalogError::ClaimLost`] when another run took the item over.
    pub fn finish_item(
        &self,
        batch: &RecordId,
        item: u64,
        run: &KeyedId,
        end: ItemEnd,
    ) -> Result<bool, CatalogError> {
        let (state, code) = match end {
            ItemEnd::Done => ("done", None),
            ItemEnd::Failed(code) => ("failed", Some(code)),
        };
        let number = stored(item, "an item")?;
        self.db.run(async {
            let mut tx = self.db.begin().await?;
            let changed = sqlx::query(
                "UPDATE batch_items SET state = $1, code = $2 \
                 WHERE batch = $3 AND item = $4 AND state = 'claimed' AND run = $5",
            )
            .bind(state)
            .bind(code)
            .bind(batch.as_str())
            .bind(number)
            .bind(hex(run))
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if changed == 0 {
                let finished: i64 = sqlx::query_scalar(
                    "SELECT COUNT(*) FROM batch_items \
                     WHERE batch = $1 AND item = $2 AND state IN ('done', 'failed')",
                )
                .bind(batch.as_str())
                .bind(number)
                .fetch_one(&mut *tx)
                .await?;
                if finished == 0 {
                    return Err(CatalogError::ClaimLost { batch: batch.to_string(), item });
                }
            }
            tx.commit().await?;
            Ok(changed > 0)
        })
    }

    /// One batch and its progress.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] when there is no such batch.
    pub fn batch(&self, batch: &RecordId) -> Result<BatchRecord, CatalogError> {
        self.batch_records(Some(batch))?
            .pop()
            .ok_or_else(|| CatalogError::NotFound { kind: "batch", id: batch.to_string() })
    }

    /// All batches with their progress, the newest first.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn batches(&self) -> Result<Vec<BatchRecord>, CatalogError> {
        self.batch_records(None)
    }

    fn batch_records(&self, only: Option<&RecordId>) -> Result<Vec<BatchRecord>, CatalogError> {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT b.batch, b.hospital, b.project, b.profile, b.engine, b.created_at_ms, \
             COUNT(CASE WHEN i.state = 'pending' THEN 1 END) AS pending, \
             COUNT(CASE WHEN i.state = 'claimed' THEN 1 END) AS claimed, \
             COUNT(CASE WHEN i.state = 'done' THEN 1 END) AS done, \
             COUNT(CASE WHEN i.state = 'failed' THEN 1 END) AS failed \
             FROM batches b LEFT JOIN batch_items i ON i.batch = b.batch",
        );
        if let Some(batch) = only {
            select.push(" WHERE b.batch = ").push_bind(batch.as_str().to_owned());
        }
        select.push(
            " GROUP BY b.batch, b.hospital, b.project, b.profile, b.engine, b.created_at_ms \
             ORDER BY b.created_at_ms DESC, b.batch",
        );
        self.db.run(async {
            let rows = select.build().fetch_all(self.db.readers()).await?;
            rows.iter().map(batch_record).collect()
        })
    }

    /// The failed items of a batch: study and code.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn failed_items(&self, batch: &RecordId) -> Result<Vec<(BatchItem, String)>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query(
                "SELECT item, study_key, code FROM batch_items \
                 WHERE batch = $1 AND state = 'failed' ORDER BY item",
            )
            .bind(batch.as_str())
            .fetch_all(self.db.readers())
            .await?;
            rows.iter()
                .map(|row| {
                    let row = Fields { table: "batch_items", row };
                    let item = BatchItem {
                        item: row.number("item")?,
                        study_key: row.study_key("study_key")?,
                    };
                    Ok((item, row.text("code")?))
                })
                .collect()
        })
    }
}

fn batch_record(row: &SqliteRow) -> Result<BatchRecord, CatalogError> {
    let row = Fields { table: "batches", row };
    Ok(BatchRecord {
        batch: row.id("batch")?,
        hospital: row.id("hospital")?,
        project: row.id("project")?,
        profile: row.text("profile")?,
        engine: row.text("engine")?,
        created_at_ms: row.signed("created_at_ms")?,
        progress: BatchProgress {
            pending: row.number("pending")?,
            claimed: row.number("claimed")?,
            done: row.number("done")?,
            failed: row.number("failed")?,
        },
    })
}

/// Whether the recorded batch is the planned one; the time of planning may differ.
async fn same_plan(
    tx: &mut sqlx::Transaction<'static, Sqlite>,
    plan: &BatchPlan,
) -> Result<(), CatalogError> {
    let id = plan.batch.as_str();
    let head: (String, String, String, String) =
        sqlx::query_as("SELECT hospital, project, profile, engine FROM batches WHERE batch = $1")
            .bind(id)
            .fetch_one(&mut **tx)
            .await?;
    let studies: Vec<String> =
        sqlx::query_scalar("SELECT study_key FROM batch_items WHERE batch = $1 ORDER BY item")
            .bind(id)
            .fetch_all(&mut **tx)
            .await?;
    let same = head.0 == plan.hospital.as_str()
        && head.1 == plan.project.as_str()
        && head.2 == plan.profile
        && head.3 == plan.engine
        && studies.len() == plan.studies.len()
        && studies.iter().zip(&plan.studies).all(|(have, want)| *have == want.to_string());
    if same { Ok(()) } else { Err(CatalogError::Exists { kind: "batch", id: id.to_owned() }) }
}
