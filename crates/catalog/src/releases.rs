//! The releases that were made.

use crate::publish::Tx;
use crate::row::{Fields, stored};
use crate::{Catalog, CatalogError, RecordId};
use scanveil_model::{Digest, Generation, HospitalId, ProjectName};
use scanveil_seal::StudyKey;
use serde::Serialize;

/// One release as the catalogue remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseRecord {
    /// The release's identifier.
    pub release: RecordId,
    /// The project.
    pub project: ProjectName,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// Version of the engine that made it.
    pub engine: String,
    /// Instances within.
    pub instances: u64,
    /// Bytes of the instances.
    pub bytes: u64,
    /// Digest over the list of instances, as in the manifest.
    pub list_digest: Digest,
}

/// A study within a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedStudy {
    /// The hospital.
    pub hospital: HospitalId,
    /// Keyed hash of the study.
    pub study_key: StudyKey,
    /// The generation that was handed out.
    pub generation: Generation,
    /// Instances of it within the release.
    pub instances: u64,
}

impl Catalog {
    /// Records a release. Recording the same content under the same identifier changes nothing.
    ///
    /// # Errors
    /// [`CatalogError::Exists`] when the identifier stands for other content.
    pub fn record_release(
        &self,
        release: &ReleaseRecord,
        studies: &[ReleasedStudy],
    ) -> Result<(), CatalogError> {
        let instances = stored(release.instances, "a release")?;
        let bytes = stored(release.bytes, "a release")?;
        self.db.run(async {
            let mut tx = self.db.begin().await?;
            sqlx::query(
                "INSERT INTO releases \
                 (release, project, created_at_ms, engine, instances, bytes, list_digest) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (release) DO NOTHING",
            )
            .bind(release.release.as_str())
            .bind(release.project.as_str())
            .bind(release.created_at_ms)
            .bind(&release.engine)
            .bind(instances)
            .bind(bytes)
            .bind(release.list_digest.to_string())
            .execute(&mut *tx)
            .await?;
            let recorded: (String, String) =
                sqlx::query_as("SELECT project, list_digest FROM releases WHERE release = $1")
                    .bind(release.release.as_str())
                    .fetch_one(&mut *tx)
                    .await?;
            let wanted = (release.project.to_string(), release.list_digest.to_string());
            if recorded != wanted {
                return Err(CatalogError::Exists {
                    kind: "release",
                    id: release.release.to_string(),
                });
            }
            for study in studies {
                insert_study(&mut tx, &release.release, study).await?;
            }
            Ok(tx.commit().await?)
        })
    }

    /// All releases, the newest first.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn releases(&self) -> Result<Vec<ReleaseRecord>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query(
                "SELECT release, project, created_at_ms, engine, instances, bytes, list_digest \
                 FROM releases ORDER BY created_at_ms DESC, release",
            )
            .fetch_all(self.db.readers())
            .await?;
            rows.iter()
                .map(|row| {
                    let row = Fields { table: "releases", row };
                    Ok(ReleaseRecord {
                        release: row.id("release")?,
                        project: row.id("project")?,
                        created_at_ms: row.signed("created_at_ms")?,
                        engine: row.text("engine")?,
                        instances: row.number("instances")?,
                        bytes: row.number("bytes")?,
                        list_digest: row.id("list_digest")?,
                    })
                })
                .collect()
        })
    }
}

async fn insert_study(
    tx: &mut Tx,
    release: &RecordId,
    study: &ReleasedStudy,
) -> Result<(), CatalogError> {
    sqlx::query(
        "INSERT INTO release_studies (release, hospital, study_key, generation, instances) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (release, hospital, study_key) DO NOTHING",
    )
    .bind(release.as_str())
    .bind(study.hospital.as_str())
    .bind(study.study_key.to_string())
    .bind(i64::from(study.generation.0))
    .bind(stored(study.instances, "a release")?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
