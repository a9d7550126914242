//! Making the catalogue again from the objects in the store.

use crate::database::{Mode, settle};
use crate::publish::{note_instance, publish_object, supersede_unless_known};
use crate::{Catalog, CatalogError, KnownOriginal, Outcome, Publication};
use scanveil_durable::{rename, second_name, sync_file, sync_parent};
use scanveil_model::{HospitalId, ObjectId};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a database.
const LOGS: [&str; 2] = ["-wal", "-shm"];
/// What is put behind the catalogue's name while it is being rebuilt.
const SUFFIX: &str = ".rebuild";

/// What an old catalogue is renamed to, with a number behind it.
const OLD_SUFFIX: &str = ".old-";
/// Old catalogues kept beside the one in use.
const MAX_OLD: u32 = 10_000;

/// What the store knows nothing of, or less than the old catalogue does. Objects that the store has
/// not, or that cannot be read, stay known: what is gone must be missed.
const CARRIED: &[&str] = &[
    // The store may have less than there was: first and last are what either knows.
    "INSERT INTO subjects SELECT * FROM old.subjects WHERE true \
     ON CONFLICT (hospital, subject) DO UPDATE SET \
     first_received_ms = MIN(first_received_ms, excluded.first_received_ms)",
    "INSERT INTO studies SELECT * FROM old.studies WHERE true \
     ON CONFLICT (hospital, study_key) DO UPDATE SET \
     first_received_ms = MIN(first_received_ms, excluded.first_received_ms), \
     last_received_ms = MAX(last_received_ms, excluded.last_received_ms)",
    "INSERT OR IGNORE INTO objects SELECT * FROM old.objects \
     WHERE object NOT IN (SELECT object FROM left_out)",
    "INSERT OR IGNORE INTO instances SELECT * FROM old.instances \
     WHERE object NOT IN (SELECT object FROM left_out)",
    "INSERT OR IGNORE INTO quarantine SELECT * FROM old.quarantine \
     WHERE object NOT IN (SELECT object FROM left_out)",
    "INSERT OR IGNORE INTO intake SELECT * FROM old.intake",
    "INSERT OR REPLACE INTO arrivals SELECT * FROM old.arrivals",
    "INSERT OR REPLACE INTO generations SELECT * FROM old.generations",
    "INSERT OR REPLACE INTO decisions SELECT * FROM old.decisions",
    "INSERT OR REPLACE INTO quarantine_tries SELECT * FROM old.quarantine_tries",
    "INSERT OR IGNORE INTO batches SELECT * FROM old.batches",
    "INSERT OR IGNORE INTO batch_items SELECT * FROM old.batch_items",
    "INSERT OR IGNORE INTO releases SELECT * FROM old.releases",
    "INSERT OR IGNORE INTO release_studies SELECT * FROM old.release_studies",
    "INSERT OR IGNORE INTO study_names SELECT * FROM old.study_names",
    "DELETE FROM counters",
    "INSERT INTO counters SELECT * FROM old.counters",
    "UPDATE objects SET engine = COALESCE((SELECT o.engine FROM old.objects o \
     WHERE o.object = objects.object), engine), digest = COALESCE(digest, (SELECT o.digest \
     FROM old.objects o WHERE o.object = objects.object))",
];

/// A catalogue that is being rebuilt beside the old one and takes its place at the end. Dropped
/// before that, it leaves the old one as it was.
pub struct Rebuild {
    catalog: Catalog,
    target: PathBuf,
}

impl Catalog {
    /// Begins to rebuild the catalogue at this path, which need not exist.
    ///
    /// # Errors
    /// [`CatalogError::Io`] when the remains of an earlier attempt cannot be removed.
    pub fn begin_rebuild(path: &Path) -> Result<Rebuild, CatalogError> {
        let fresh = beside(path, SUFFIX);
        remove(&fresh)?;
        let catalog = Self::open_as(&fresh, Mode::Building)?;
        Ok(Rebuild { catalog, target: path.to_owned() })
    }
}

impl Rebuild {
    /// Records objects in one transaction. The version of the engine is not written in a pack:
    /// it stays `unknown` unless [`Rebuild::carry_over`] knows it.
    ///
    /// # Errors
    /// As [`Catalog::publish`].
    pub fn add(&self, objects: &[Publication<'_>]) -> Result<(), CatalogError> {
        let db = &self.catalog.db;
        db.run(async {
            let mut tx = db.begin().await?;
            for object in objects {
                publish_object(&mut tx, object, "unknown").await?;
            }
            Ok(tx.commit().await?)
        })
    }

    /// Remembers an original by the keyed hash of its SOP instance UID, so that duplicates are
    /// found again.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn add_known(
        &self,
        hospital: &HospitalId,
        instances: &[KnownOriginal],
    ) -> Result<(), CatalogError> {
        let db = &self.catalog.db;
        db.run(async {
            let mut tx = db.begin().await?;
            for instance in instances {
                note_instance(&mut tx, hospital, instance).await?;
                if instance.outcome == Outcome::Quarantined {
                    supersede_unless_known(&mut tx, hospital, instance).await?;
                }
            }
            Ok(tx.commit().await?)
        })
    }

    /// Takes from the old catalogue what the store does not know: finished spool records,
    /// duplicates, generations that hold nothing, counters, batches and releases, and objects that
    /// were not added, but for those of `left_out`. To be called after all objects were added.
    /// Gives false when there is no old catalogue that can be read.
    ///
    /// # Errors
    /// [`CatalogError::NewerVersion`] when a newer program wrote the old one.
    pub fn carry_over(&self, left_out: &[ObjectId]) -> Result<bool, CatalogError> {
        if !self.target.is_file() {
            return Ok(false);
        }
        match Catalog::open(&self.target) {
            // Opening it brings its schema to the newest version.
            Ok(old) => old.db.close(),
            Err(error @ (CatalogError::NewerVersion { .. } | CatalogError::Busy)) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(%error, "the old catalogue cannot be read; nothing is carried over");
                return Ok(false);
            }
        }
        let db = &self.catalog.db;
        let target = self.target.to_string_lossy().into_owned();
        db.run(async {
            let mut connection = db.writer().acquire().await?;
            sqlx::query("ATTACH DATABASE $1 AS old").bind(target).execute(&mut *connection).await?;
            sqlx::query("BEGIN").execute(&mut *connection).await?;
            sqlx::query("CREATE TEMP TABLE left_out (object TEXT NOT NULL PRIMARY KEY)")
                .execute(&mut *connection)
                .await?;
            for object in left_out {
                sqlx::query("INSERT OR IGNORE INTO left_out (object) VALUES ($1)")
                    .bind(object.to_string())
                    .execute(&mut *connection)
                    .await?;
            }
            for statement in CARRIED {
                sqlx::query(*statement).execute(&mut *connection).await?;
            }
            sqlx::query("COMMIT").execute(&mut *connection).await?;
            sqlx::query("DROP TABLE temp.left_out").execute(&mut *connection).await?;
            sqlx::query("DETACH DATABASE old").execute(&mut *connection).await?;
            Ok(true)
        })
    }

    /// The catalogue as far as it is rebuilt.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Puts the rebuilt catalogue in the old one's place, durably. Nothing else may have either
    /// open. The old one stays under another name, which is given.
    ///
    /// # Errors
    /// [`CatalogError::Busy`] when another process has the old one open; the old one stays.
    pub fn finish(self) -> Result<Option<PathBuf>, CatalogError> {
        let fresh = self.catalog.path().to_owned();
        self.catalog.db.close();
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| CatalogError::Io { action, path, source }
        };
        File::open(&fresh).and_then(|f| sync_file(&f)).map_err(failed("sync", &fresh))?;
        // The old file's log must be gone before the new file has its name: SQLite would replay it.
        let mut kept = None;
        if self.target.is_file() {
            match self.catalog.db.run(settle(&self.target)) {
                Err(CatalogError::Busy) => return Err(CatalogError::Busy),
                Err(error) => tracing::warn!(%error, "the old catalogue is not readable"),
                Ok(()) => {}
            }
            kept = Some(keep(&self.target)?);
        }
        for suffix in LOGS {
            remove(&beside(&self.target, suffix))?;
        }
        sync_parent(&self.target).map_err(failed("sync", &self.target))?;
        rename(&fresh, &self.target).map_err(failed("replace", &self.target))?;
        Ok(kept)
    }
}

/// Gives the old catalogue, with what SQLite could not fold into it, a second name that is free.
/// There is a catalogue under the first name at every moment.
fn keep(target: &Path) -> Result<PathBuf, CatalogError> {
    let failed = |source| CatalogError::Io { action: "keep", path: target.to_owned(), source };
    for number in 1..=MAX_OLD {
        let name = beside(target, &format!("{OLD_SUFFIX}{number}"));
        match second_name(target, &name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            result => result.map_err(failed)?,
        }
        for suffix in LOGS {
            match second_name(&beside(target, suffix), &beside(&name, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        return Ok(name);
    }
    Err(failed(io::ErrorKind::AlreadyExists.into()))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), CatalogError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(CatalogError::Io { action: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
