//! The SQLite file: opening, schema versions, pools and the runtime behind the blocking methods.

use crate::CatalogError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection, SqlSafeStr, Sqlite, Transaction};
use std::fs::{OpenOptions, Permissions};
use std::future::Future;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

/// How long a writer waits for another process before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that only read; writes go through one connection of their own.
const READERS: u32 = 4;

/// The schema, step by step; the position in the list is the version.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_first.sql")];

/// Whether the file is the catalogue in use or one that is being built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write-ahead log, fsync at every commit.
    Live,
    /// No log beside the file, no fsync before the end: a crash throws the file away.
    Building,
}

pub(crate) struct Database {
    runtime: Option<tokio::runtime::Runtime>,
    writer: SqlitePool,
    readers: SqlitePool,
}

fn options(path: &Path, mode: Mode) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    match mode {
        Mode::Live => {
            options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
        }
        Mode::Building => {
            options.journal_mode(SqliteJournalMode::Memory).synchronous(SqliteSynchronous::Off)
        }
    }
}

impl Database {
    pub(crate) fn open(path: &Path, mode: Mode) -> Result<Self, CatalogError> {
        make_private(path).map_err(|source| CatalogError::Io {
            action: "make or close to others",
            path: path.to_owned(),
            source,
        })?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("catalog")
            .enable_all()
            .build()
            .map_err(|source| CatalogError::Io {
                action: "start a worker for",
                path: path.to_owned(),
                source,
            })?;
        let (writer, readers) = runtime.block_on(async {
            let pool = |n: u32| SqlitePoolOptions::new().max_connections(n);
            let writer = pool(1).connect_with(options(path, mode)).await?;
            migrate(&writer, MIGRATIONS).await?;
            let readers = pool(READERS).connect_lazy_with(options(path, mode));
            Ok::<_, CatalogError>((writer, readers))
        })?;
        Ok(Self { runtime: Some(runtime), writer, readers })
    }

    /// Runs a future to its end on the calling thread. Not to be called from asynchronous code.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => unreachable!("the runtime is taken only by drop"),
        }
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins a transaction that holds the write lock from its start, so that it never fails half
    /// way because another process wrote in between.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, CatalogError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// Closes every connection; SQLite folds its log into the file when the last one closes.
    pub(crate) fn close(&self) {
        self.run(async {
            self.readers.close().await;
            self.writer.close().await;
        });
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A plain drop would block, which tokio forbids inside asynchronous code.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Makes the file, for its owner only, or takes the right to it from others. SQLite gives what it
/// writes beside it the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        tracing::warn!("the catalogue could be read by others than its owner; now it cannot");
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Brings the schema to the newest version; each step is one transaction.
pub(crate) async fn migrate(pool: &SqlitePool, steps: &[&'static str]) -> Result<(), CatalogError> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)")
        .execute(&mut *tx)
        .await?;
    let found: Option<i64> =
        sqlx::query_scalar("SELECT MAX(version) FROM schema_version").fetch_one(&mut *tx).await?;
    tx.commit().await?;
    let found = found.unwrap_or(0);
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(CatalogError::NewerVersion { found, known });
    }
    for (version, step) in (1i64..).zip(steps) {
        if version <= found {
            continue;
        }
        let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
        // Another process may have taken the step between the look and the lock.
        let taken: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM schema_version WHERE version = $1")
                .bind(version)
                .fetch_one(&mut *tx)
                .await?;
        if taken == 0 {
            sqlx::raw_sql(step.into_sql_str()).execute(&mut *tx).await?;
            sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
                .bind(version)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Takes the existing file out of write-ahead logging, so that nothing beside it matters any more.
/// Fails with [`CatalogError::Busy`] while another process has it open.
pub(crate) async fn settle(path: &Path) -> Result<(), CatalogError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Delete)
        .busy_timeout(Duration::ZERO);
    let connection = SqliteConnection::connect_with(&options).await?;
    connection.close().await?;
    Ok(())
}
