//! The answer database: SQLite, one table, one row an instance.

use crate::answer::{InstanceAnswers, from_json, to_json};
use crate::error::EvaluateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow, SqliteSynchronous};
use sqlx::{Connection, Row};
use std::fs::OpenOptions;
use std::future::Future;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::runtime::Runtime;

/// The table as the benchmark has it.
const SCHEMA: &str = r#"CREATE TABLE answer_data (
    "index" INTEGER, "group" TEXT, Modality TEXT, SOPClassUID TEXT, PatientID TEXT,
    StudyInstanceUID TEXT, SeriesInstanceUID TEXT, SOPInstanceUID TEXT, Digest TEXT,
    AnswerData TEXT)"#;

const INSERT: &str = r#"INSERT INTO answer_data ("index", "group", Modality, SOPClassUID, PatientID,
    StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, Digest, AnswerData)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"#;

/// Answers longer than this are refused before they are read: 64 MiB of JSON.
const SELECT: &str = r#"SELECT rowid AS number, CAST(Modality AS TEXT) AS modality,
    CAST(SOPClassUID AS TEXT) AS class, CAST(PatientID AS TEXT) AS patient,
    CAST(StudyInstanceUID AS TEXT) AS study, CAST(SeriesInstanceUID AS TEXT) AS series,
    CAST(SOPInstanceUID AS TEXT) AS instance, CAST(Digest AS TEXT) AS digest,
    CASE WHEN length(AnswerData) <= 67108864 THEN CAST(AnswerData AS TEXT) END AS answers
    FROM answer_data WHERE rowid > $1 ORDER BY rowid LIMIT $2"#;

/// Rows written in one transaction.
const ROWS_A_COMMIT: u64 = 512;

/// An answer database. All methods block; do not call them from asynchronous code.
pub struct AnswerKey {
    runtime: Runtime,
    connection: Mutex<SqliteConnection>,
    written: u64,
}

impl AnswerKey {
    /// Makes a new answer database; a file that exists is not touched.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, EvaluateError> {
        let made = OpenOptions::new().write(true).create_new(true).open(path);
        made.map_err(EvaluateError::io("create", path))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .synchronous(SqliteSynchronous::Normal)
            .create_if_missing(false);
        let key = Self::connect(path, &options)?;
        key.run(async |connection| {
            sqlx::raw_sql(SCHEMA).execute(&mut *connection).await?;
            sqlx::raw_sql("BEGIN").execute(connection).await?;
            Ok(())
        })?;
        Ok(key)
    }

    /// Opens an answer database for reading.
    ///
    /// # Errors
    /// When the file is not there or not an answer database.
    pub fn open(path: &Path) -> Result<Self, EvaluateError> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let key = Self::connect(path, &options)?;
        key.instances()?;
        Ok(key)
    }

    fn connect(path: &Path, options: &SqliteConnectOptions) -> Result<Self, EvaluateError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(EvaluateError::io("start a worker for", path))?;
        let connection = runtime.block_on(SqliteConnection::connect_with(options))?;
        Ok(Self { runtime, connection: Mutex::new(connection), written: 0 })
    }

    fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, EvaluateError> {
        let mut guard: MutexGuard<'_, SqliteConnection> =
            self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(block_on(&self.runtime, work(&mut guard))?)
    }

    /// Adds one instance. Instances are safe in the file after [`AnswerKey::finish`].
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn append(&mut self, instance: &InstanceAnswers) -> Result<(), EvaluateError> {
        let number = i64::try_from(self.written).unwrap_or(i64::MAX);
        let answers = to_json(&instance.answers);
        let commit = (self.written + 1).is_multiple_of(ROWS_A_COMMIT);
        self.run(async |connection| {
            sqlx::query(INSERT)
                .bind(number)
                .bind(&instance.modality)
                .bind(&instance.modality)
                .bind(&instance.sop_class_uid)
                .bind(&instance.patient_id)
                .bind(&instance.study_uid)
                .bind(&instance.series_uid)
                .bind(&instance.sop_instance_uid)
                .bind(&instance.digest)
                .bind(answers)
                .execute(&mut *connection)
                .await?;
            if commit {
                sqlx::raw_sql("COMMIT; BEGIN").execute(connection).await?;
            }
            Ok(())
        })?;
        self.written += 1;
        Ok(())
    }

    /// Writes what is left and closes the file.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn finish(self) -> Result<(), EvaluateError> {
        let Self { runtime, connection, .. } = self;
        let mut connection = connection.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(block_on(&runtime, async move {
            sqlx::raw_sql("COMMIT").execute(&mut connection).await?;
            connection.close().await
        })?)
    }

    /// How many instances it has.
    ///
    /// # Errors
    /// When the file is not an answer database.
    pub fn instances(&self) -> Result<u64, EvaluateError> {
        let count: i64 = self.run(async |connection| {
            sqlx::query_scalar("SELECT COUNT(*) FROM answer_data").fetch_one(connection).await
        })?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// At most `limit` instances after row `after` (0 for the first), each with its row.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn page(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, InstanceAnswers)>, EvaluateError> {
        let rows = self.run(async |connection| {
            sqlx::query(SELECT).bind(after).bind(limit).fetch_all(connection).await
        })?;
        rows.iter().map(instance).collect()
    }
}

fn block_on<T>(runtime: &Runtime, work: impl Future<Output = T>) -> T {
    runtime.block_on(work)
}

fn instance(row: &SqliteRow) -> Result<(i64, InstanceAnswers), EvaluateError> {
    let number: i64 = row.try_get("number")?;
    let text = |column: &str| -> Result<String, sqlx::Error> {
        Ok(row.try_get::<Option<String>, _>(column)?.unwrap_or_default())
    };
    let answers: Option<String> = row.try_get("answers")?;
    let answers = answers.ok_or("AnswerData").and_then(|json| from_json(&json));
    let answers = answers.map_err(|what| EvaluateError::Answers { row: number, what })?;
    let instance = InstanceAnswers {
        modality: text("modality")?,
        sop_class_uid: text("class")?,
        patient_id: text("patient")?,
        study_uid: text("study")?,
        series_uid: text("series")?,
        sop_instance_uid: text("instance")?,
        digest: text("digest")?,
        answers,
    };
    Ok((number, instance))
}
