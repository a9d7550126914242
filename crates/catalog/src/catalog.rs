//! The handle on the catalogue, and what concerns single received instances.

use crate::database::{Database, Mode};
use crate::records::Outcome;
use crate::row::{Fields, hex};
use crate::{CatalogError, Counter, KeyedId, KnownInstance, Stage};
use scanveil_model::HospitalId;
use std::path::{Path, PathBuf};

/// The catalogue. Can be shared between threads.
pub struct Catalog {
    pub(crate) db: Database,
    path: PathBuf,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Catalog {
    /// Opens the catalogue, makes it when it is not there, and brings its schema to the newest
    /// version.
    ///
    /// # Errors
    /// [`CatalogError::NewerVersion`] when a newer program wrote it.
    pub fn open(path: &Path) -> Result<Self, CatalogError> {
        Self::open_as(path, Mode::Live)
    }

    pub(crate) fn open_as(path: &Path, mode: Mode) -> Result<Self, CatalogError> {
        Ok(Self { db: Database::open(path, mode)?, path: path.to_owned() })
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is known of an instance that arrived before under the same UID.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn known_instance(
        &self,
        hospital: &HospitalId,
        sop_key: &KeyedId,
    ) -> Result<Option<KnownInstance>, CatalogError> {
        self.db.run(async {
            let row = sqlx::query(
                "SELECT source_digest, content_digest, outcome, repeats FROM arrivals \
                 WHERE hospital = $1 AND sop_key = $2",
            )
            .bind(hospital.as_str())
            .bind(hex(sop_key))
            .fetch_optional(self.db.readers())
            .await?;
            row.map(|row| {
                let row = Fields { table: "arrivals", row: &row };
                let outcome = row.text("outcome")?;
                Ok(KnownInstance {
                    source: row.id("source_digest")?,
                    content: row.optional_id("content_digest")?,
                    outcome: [Outcome::Accepted, Outcome::Quarantined]
                        .into_iter()
                        .find(|known| known.as_str() == outcome)
                        .ok_or_else(|| row.corrupt("outcome"))?,
                    repeats: row.number("repeats")?,
                })
            })
            .transpose()
        })
    }

    /// Whether the outcome of a spooled instance is recorded already.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn is_finished(&self, spool_id: &KeyedId) -> Result<bool, CatalogError> {
        self.db.run(async {
            let found: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM intake WHERE spool = $1")
                .bind(hex(spool_id))
                .fetch_one(self.db.readers())
                .await?;
            Ok(found > 0)
        })
    }

    /// Forgets spooled instances: to be called when they are gone from the spool for good.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn forget_finished(&self, spool_ids: &[KeyedId]) -> Result<(), CatalogError> {
        self.db.run(async {
            let mut tx = self.db.begin().await?;
            for id in spool_ids {
                sqlx::query("DELETE FROM intake WHERE spool = $1")
                    .bind(hex(id))
                    .execute(&mut *tx)
                    .await?;
            }
            Ok(tx.commit().await?)
        })
    }

    /// All counters that are not zero, by hospital, in the order of [`Stage`].
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn counters(&self) -> Result<Vec<Counter>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query("SELECT hospital, stage, total FROM counters")
                .fetch_all(self.db.readers())
                .await?;
            let mut counters = Vec::with_capacity(rows.len());
            for row in &rows {
                let row = Fields { table: "counters", row };
                let stage = row.text("stage")?;
                counters.push(Counter {
                    hospital: row.id("hospital")?,
                    stage: Stage::ALL
                        .iter()
                        .copied()
                        .find(|known| known.as_str() == stage)
                        .ok_or_else(|| row.corrupt("stage"))?,
                    total: row.number("total")?,
                });
            }
            counters.sort_by(|a, b| (&a.hospital, a.stage).cmp(&(&b.hospital, b.stage)));
            Ok(counters)
        })
    }
}
