use crate::database::migrate;
use crate::{Catalog, CatalogError};
use scanveil_model::Coded;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

const FIRST: &str = "CREATE TABLE a (x BIGINT)";
const SECOND: &str = "ALTER TABLE a ADD COLUMN y TEXT; INSERT INTO a VALUES (1, 'two')";
const BROKEN: &str = "CREATE TABLE b (x BIGINT); CREATE TABLE b (x BIGINT)";

fn on_file<T>(path: &std::path::Path, work: impl AsyncFnOnce(SqlitePool) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let result = work(pool.clone()).await;
        pool.close().await;
        result
    })
}

#[test]
fn steps_are_applied_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    on_file(&folder.path().join("db"), async |pool| {
        for steps in [&[FIRST][..], &[FIRST, SECOND], &[FIRST, SECOND]] {
            migrate(&pool, steps).await.unwrap();
        }
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT x, y FROM a").fetch_all(&pool).await.unwrap();
        assert_eq!(rows, [(1, "two".to_owned())]);
    });
}

#[test]
fn a_step_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    on_file(&folder.path().join("db"), async |pool| {
        assert!(migrate(&pool, &[FIRST, BROKEN]).await.is_err());
        let version: i64 = sqlx::query_scalar("SELECT MAX(version) FROM schema_version")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(version, 1);
        // The broken step's first statement is undone, so that the repaired step can be applied.
        migrate(&pool, &[FIRST, "CREATE TABLE b (x BIGINT)"]).await.unwrap();
    });
}

#[test]
fn a_newer_catalogue_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    drop(Catalog::open(&path).unwrap());
    on_file(&path, async |pool| {
        sqlx::query("INSERT INTO schema_version VALUES (99)").execute(&pool).await.unwrap();
    });
    let error = Catalog::open(&path).unwrap_err();
    assert!(matches!(error, CatalogError::NewerVersion { found: 99, known: 1 }), "{error}");
    assert_eq!(error.code(), "SV-CATALOG-004");
}

#[test]
fn what_is_no_database_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    assert!(matches!(Catalog::open(&path), Err(CatalogError::Database { .. })));
    assert!(Catalog::open(&folder.path().join("no/such/folder/catalog.db")).is_err());
}
