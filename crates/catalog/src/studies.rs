//! What people ask about one study: by which names it is known, what was made of it, and what was
//! handed out.

use crate::publish::Tx;
use crate::row::{Fields, hex};
use crate::{Arrival, Catalog, CatalogError, KeyedId, RecordId};
use scanveil_model::{Generation, HospitalId, ProjectName};
use scanveil_seal::StudyKey;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;

/// What a study is asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameKind {
    /// Accession Number (0008,0050).
    Accession,
    /// Who sent it: a calling AE title, or the receiver where there is none.
    Sender,
}

impl NameKind {
    /// The word in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accession => "accession",
            Self::Sender => "sender",
        }
    }
}

/// One name of an arrival's study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StudyName {
    /// What it is.
    pub kind: NameKind,
    /// Its keyed hash within the hospital.
    pub name: KeyedId,
}

/// What has arrived of a study under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedStudy {
    /// The study.
    pub study_key: StudyKey,
    /// The name's keyed hash, as [`KeyedId`].
    pub name: KeyedId,
    /// When the first instance was received, in milliseconds since 1970.
    pub first_received_ms: i64,
    /// When the last one was.
    pub last_received_ms: i64,
    /// How many were, with those that came again.
    pub instances: u64,
}

/// A generation of a study in a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StudyGenerationRecord {
    /// The project.
    pub project: ProjectName,
    /// The generation.
    pub generation: Generation,
    /// Label of the profile applied.
    pub profile: String,
    /// Instances that the store has of it.
    pub instances: u64,
}

/// A release that holds something of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StudyRelease {
    /// The release.
    pub release: RecordId,
    /// Its project.
    pub project: ProjectName,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// The generation of the study within.
    pub generation: Generation,
    /// Instances of the study within.
    pub instances: u64,
}

impl Catalog {
    /// Studies of which something has arrived under a name within a time, both ends included, in
    /// the order of their arrival.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn studies_named(
        &self,
        hospital: &HospitalId,
        name: &StudyName,
        (from_ms, until_ms): (i64, i64),
    ) -> Result<Vec<NamedStudy>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query(
                "SELECT study_key, name, first_received_ms, last_received_ms, instances \
                 FROM study_names WHERE hospital = $1 AND kind = $2 AND name = $3 \
                 AND last_received_ms >= $4 AND first_received_ms <= $5 \
                 ORDER BY first_received_ms, study_key",
            )
            .bind(hospital.as_str())
            .bind(name.kind.as_str())
            .bind(hex(&name.name))
            .bind(from_ms)
            .bind(until_ms)
            .fetch_all(self.db.readers())
            .await?;
            rows.iter().map(named_study).collect()
        })
    }

    /// The names of one kind that a study is known by.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn names_of_study(
        &self,
        hospital: &HospitalId,
        study: &StudyKey,
        kind: NameKind,
    ) -> Result<Vec<NamedStudy>, CatalogError> {
        self.db.run(async {
            let rows = sqlx::query(
                "SELECT study_key, name, first_received_ms, last_received_ms, instances \
                 FROM study_names WHERE hospital = $1 AND study_key = $2 AND kind = $3 \
                 ORDER BY first_received_ms, name",
            )
            .bind(hospital.as_str())
            .bind(study.to_string())
            .bind(kind.as_str())
            .fetch_all(self.db.readers())
            .await?;
            rows.iter().map(named_study).collect()
        })
    }

    /// When a study's first and last instance of which something is stored were received, in
    /// milliseconds since 1970; `None` for a study of which nothing ever was.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn study_received(
        &self,
        hospital: &HospitalId,
        study: &StudyKey,
    ) -> Result<Option<(i64, i64)>, CatalogError> {
        self.db.run(async {
            let found: Option<(i64, i64)> = sqlx::query_as(
                "SELECT first_received_ms, last_received_ms FROM studies \
                 WHERE hospital = $1 AND study_key = $2",
            )
            .bind(hospital.as_str())
            .bind(study.to_string())
            .fetch_optional(self.db.readers())
            .await?;
            Ok(found)
        })
    }

    /// All generations of a study, by project, the oldest first.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn generations_of_study(
        &self,
        hospital: &HospitalId,
        study: &StudyKey,
    ) -> Result<Vec<StudyGenerationRecord>, CatalogError> {
        let rows = self.of_study(
            "SELECT g.project, g.generation, g.profile, CAST(COALESCE((SELECT SUM(o.entries) \
                   FROM objects o WHERE o.hospital = g.hospital AND o.study_key = g.study_key \
                   AND o.zone = 'research' AND o.project = g.project \
                   AND o.generation = g.generation), 0) AS BIGINT) AS instances \
                 FROM generations g WHERE g.hospital = $1 AND g.study_key = $2 \
                 ORDER BY g.project, g.generation",
            hospital,
            study,
        )?;
        let record = |row| {
            let row = Fields { table: "generations", row };
            Ok(StudyGenerationRecord {
                project: row.id("project")?,
                generation: number(&row, "generation")?,
                profile: row.text("profile")?,
                instances: row.number("instances")?,
            })
        };
        rows.iter().map(record).collect()
    }

    /// The releases that hold something of a study, the oldest first.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn releases_of_study(
        &self,
        hospital: &HospitalId,
        study: &StudyKey,
    ) -> Result<Vec<StudyRelease>, CatalogError> {
        let rows = self.of_study(
            "SELECT r.release, r.project, r.created_at_ms, s.generation, s.instances \
                 FROM release_studies s JOIN releases r ON r.release = s.release \
                 WHERE s.hospital = $1 AND s.study_key = $2 ORDER BY r.created_at_ms, r.release",
            hospital,
            study,
        )?;
        let record = |row| {
            let row = Fields { table: "release_studies", row };
            Ok(StudyRelease {
                release: row.id("release")?,
                project: row.id("project")?,
                created_at_ms: row.signed("created_at_ms")?,
                generation: number(&row, "generation")?,
                instances: row.number("instances")?,
            })
        };
        rows.iter().map(record).collect()
    }

    /// The rows of a question about one study: its hospital is $1, its hash $2.
    fn of_study(
        &self,
        question: &'static str,
        hospital: &HospitalId,
        study: &StudyKey,
    ) -> Result<Vec<SqliteRow>, CatalogError> {
        self.db.run(async {
            let query = sqlx::query(question).bind(hospital.as_str()).bind(study.to_string());
            Ok(query.fetch_all(self.db.readers()).await?)
        })
    }
}

fn number(row: &Fields<'_>, column: &'static str) -> Result<Generation, CatalogError> {
    row.generation(column)?.ok_or_else(|| row.corrupt(column))
}

fn named_study(row: &SqliteRow) -> Result<NamedStudy, CatalogError> {
    let row = Fields { table: "study_names", row };
    Ok(NamedStudy {
        study_key: row.study_key("study_key")?,
        // A keyed hash of a study has the same form.
        name: row.study_key("name")?.0,
        first_received_ms: row.signed("first_received_ms")?,
        last_received_ms: row.signed("last_received_ms")?,
        instances: row.number("instances")?,
    })
}

/// Notes under which name an instance of a study has arrived.
pub(crate) async fn note_name(
    tx: &mut Tx,
    arrival: &Arrival,
    name: &StudyName,
) -> Result<(), CatalogError> {
    sqlx::query(
        "INSERT INTO study_names (hospital, kind, name, study_key, first_received_ms, \
         last_received_ms, instances) VALUES ($1, $2, $3, $4, $5, $5, 1) \
         ON CONFLICT (hospital, kind, name, study_key) DO UPDATE SET \
         first_received_ms = CASE WHEN excluded.first_received_ms < study_names.first_received_ms \
         THEN excluded.first_received_ms ELSE study_names.first_received_ms END, \
         last_received_ms = CASE WHEN excluded.last_received_ms > study_names.last_received_ms \
         THEN excluded.last_received_ms ELSE study_names.last_received_ms END, \
         instances = study_names.instances + 1",
    )
    .bind(arrival.hospital.as_str())
    .bind(name.kind.as_str())
    .bind(hex(&name.name))
    .bind(arrival.study_key.to_string())
    .bind(arrival.received_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
