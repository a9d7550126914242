//! Publishing stored objects and the outcomes of received instances, all in one transaction.

use crate::decisions::SUPERSEDED;
use crate::row::{hex, stored};
use crate::studies::note_name;
use crate::{Arrival, Catalog, CatalogError, KnownOriginal, Outcome, Stage};
use scanveil_model::{Generation, HospitalId, ObjectId, ProjectName, Zone};
use scanveil_seal::{PackIndex, StudyKey};
use scanveil_storage::StoredObject;
use sqlx::{QueryBuilder, Sqlite, Transaction};

/// Instances written by one statement; far below the database's limit on bound values.
const INSTANCES_PER_INSERT: usize = 1000;

/// A stored object to publish.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// Proof that it is stored.
    pub stored: &'a StoredObject,
    /// What it holds.
    pub index: &'a PackIndex,
}

/// A generation of a study that was made, whether or not any instance of it came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyGeneration {
    /// The hospital.
    pub hospital: HospitalId,
    /// The project.
    pub project: ProjectName,
    /// Keyed hash of the study.
    pub study_key: StudyKey,
    /// The generation.
    pub generation: Generation,
    /// Label of the profile applied.
    pub profile: String,
}

/// What becomes visible at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcomes<'a> {
    /// Objects that are stored.
    pub objects: &'a [Publication<'a>],
    /// Generations that were made.
    pub generations: &'a [StudyGeneration],
    /// Spooled instances whose outcome is among the objects, or who were here before.
    pub arrivals: &'a [Arrival],
    /// Objects that are no more: they are taken out of the catalogue.
    pub withdrawn: &'a [ObjectId],
    /// Version of the engine that made the objects and generations.
    pub engine: &'a str,
}

pub(crate) type Tx = Transaction<'static, Sqlite>;

impl Catalog {
    /// Publishes what was stored and what became of spooled instances in one durable transaction:
    /// all of it can be seen afterwards, or none. What is known already changes nothing, so that it
    /// can be repeated after a crash.
    ///
    /// All objects of one generation of a study belong into one call, with the generation itself:
    /// only the newest generation is released, and it is the newest from here on even when nothing
    /// of the study came through.
    ///
    /// # Errors
    /// [`CatalogError::Mismatch`] when an object and its index do not belong together.
    pub fn publish(&self, outcomes: &Outcomes<'_>) -> Result<(), CatalogError> {
        self.db.run(async {
            let mut tx = self.db.begin().await?;
            for object in outcomes.objects {
                publish_object(&mut tx, object, outcomes.engine).await?;
            }
            for generation in outcomes.generations {
                insert_generation(&mut tx, generation, outcomes.engine).await?;
            }
            for arrival in outcomes.arrivals {
                publish_arrival(&mut tx, arrival).await?;
            }
            for object in outcomes.withdrawn {
                // Its instances and reasons go with it.
                sqlx::query("DELETE FROM objects WHERE object = $1")
                    .bind(object.to_string())
                    .execute(&mut *tx)
                    .await?;
            }
            Ok(tx.commit().await?)
        })
    }
}

impl Publication<'_> {
    fn check(&self) -> Result<(), CatalogError> {
        let (key, tags, index) = (self.stored.key(), self.stored.tags(), self.index);
        let mismatch = |what| Err(CatalogError::Mismatch { what });
        if key.zone() != index.zone || tags.zone != index.zone {
            return mismatch("the zone");
        }
        if *key.hospital() != index.hospital || tags.hospital != index.hospital {
            return mismatch("the hospital");
        }
        if tags.project != index.project || tags.generation != index.generation {
            return mismatch("project or generation");
        }
        if index.profile.as_ref().is_some_and(|profile| *profile != tags.profile) {
            return mismatch("the profile");
        }
        Ok(())
    }
}

pub(crate) async fn publish_object(
    tx: &mut Tx,
    publication: &Publication<'_>,
    engine: &str,
) -> Result<(), CatalogError> {
    publication.check()?;
    let Publication { stored: stored_object, index } = publication;
    let object = stored_object.object().to_string();
    let bytes = stored_object.bytes();
    let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM objects WHERE object = $1")
        .bind(&object)
        .fetch_one(&mut **tx)
        .await?;
    if known > 0 {
        // Sealed again with other keys after a crash: the same plaintext, other bytes.
        sqlx::query(
            "UPDATE objects SET bytes = $1, digest = COALESCE($2, digest) WHERE object = $3",
        )
        .bind(stored(bytes, "an object")?)
        .bind(stored_object.digest().map(|d| d.to_string()))
        .bind(&object)
        .execute(&mut **tx)
        .await?;
        return Ok(());
    }
    insert_study(tx, index).await?;
    if let (Some(project), Some(generation), Some(profile)) =
        (&index.project, index.generation, &index.profile)
    {
        let made = StudyGeneration {
            hospital: index.hospital.clone(),
            project: project.clone(),
            study_key: index.study_key,
            generation,
            profile: profile.clone(),
        };
        insert_generation(tx, &made, engine).await?;
    }
    insert_object(tx, publication, engine, &object).await?;
    insert_instances(tx, index, &object).await?;
    insert_reasons(tx, index, &object).await?;
    let stage = match index.zone {
        Zone::Vault => Stage::Kept,
        Zone::Research => Stage::Scrubbed,
        Zone::Quarantine => Stage::Quarantined,
    };
    count(tx, &index.hospital, stage, index.entries.len() as u64).await?;
    count(tx, &index.hospital, Stage::Stored, 1).await?;
    count(tx, &index.hospital, Stage::StoredBytes, bytes).await
}

async fn insert_generation(
    tx: &mut Tx,
    made: &StudyGeneration,
    engine: &str,
) -> Result<(), CatalogError> {
    sqlx::query(
        "INSERT INTO generations (hospital, project, study_key, generation, profile, engine) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (hospital, project, study_key, generation) DO NOTHING",
    )
    .bind(made.hospital.as_str())
    .bind(made.project.as_str())
    .bind(made.study_key.to_string())
    .bind(i64::from(made.generation.0))
    .bind(&made.profile)
    .bind(engine)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert_study(tx: &mut Tx, index: &PackIndex) -> Result<(), CatalogError> {
    sqlx::query(
        "INSERT INTO subjects (hospital, subject, first_received_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (hospital, subject) DO UPDATE SET first_received_ms = \
         CASE WHEN excluded.first_received_ms < subjects.first_received_ms \
         THEN excluded.first_received_ms ELSE subjects.first_received_ms END",
    )
    .bind(index.hospital.as_str())
    .bind(index.subject.to_string())
    .bind(index.received_at_ms)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO studies (hospital, study_key, subject, first_received_ms, last_received_ms) \
         VALUES ($1, $2, $3, $4, $4) ON CONFLICT (hospital, study_key) DO UPDATE SET \
         first_received_ms = CASE WHEN excluded.first_received_ms < studies.first_received_ms \
         THEN excluded.first_received_ms ELSE studies.first_received_ms END, last_received_ms = CASE WHEN excluded.last_received_ms > studies.last_received_ms \
         THEN excluded.last_received_ms ELSE studies.last_received_ms END",
    )
    .bind(index.hospital.as_str())
    .bind(index.study_key.to_string())
    .bind(index.subject.to_string())
    .bind(index.received_at_ms)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert_object(
    tx: &mut Tx,
    publication: &Publication<'_>,
    engine: &str,
    object: &str,
) -> Result<(), CatalogError> {
    let Publication { stored: stored_object, index } = publication;
    let tags = stored_object.tags();
    sqlx::query(
        "INSERT INTO objects (object, zone, hospital, subject, study_key, project, generation, \
         profile, engine, retention_class, retain_until, bytes, digest, entries, received_at_ms, \
         certificate) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(object)
    .bind(index.zone.as_str())
    .bind(index.hospital.as_str())
    .bind(index.subject.to_string())
    .bind(index.study_key.to_string())
    .bind(tags.project.as_ref().map(ToString::to_string))
    .bind(tags.generation.map(|g| i64::from(g.0)))
    .bind(&tags.profile)
    .bind(engine)
    .bind(tags.retention_class.0.as_str())
    .bind(&tags.retain_until)
    .bind(stored(stored_object.bytes(), "an object")?)
    .bind(stored_object.digest().map(|d| d.to_string()))
    .bind(stored(index.entries.len() as u64, "a pack")?)
    .bind(index.received_at_ms)
    .bind(index.certificate_digest().map(|d| d.to_string()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert_instances(
    tx: &mut Tx,
    index: &PackIndex,
    object: &str,
) -> Result<(), CatalogError> {
    // Original UIDs identify; only the new ones of research copies are written down.
    let research = index.zone == Zone::Research;
    for (chunk, entries) in index.entries.chunks(INSTANCES_PER_INSERT).enumerate() {
        let first = stored((chunk * INSTANCES_PER_INSERT) as u64, "a pack")?;
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO instances (object, entry, study_instance_uid, series_instance_uid, \
             sop_instance_uid, sop_class_uid, transfer_syntax, digest, source_digest) ",
        );
        insert.push_values((first..).zip(entries), |mut row, (number, entry)| {
            row.push_bind(object.to_owned()).push_bind(number);
            let uids = [
                &entry.study_instance_uid,
                &entry.series_instance_uid,
                &entry.sop_instance_uid,
                &entry.sop_class_uid,
                &entry.transfer_syntax,
            ];
            for uid in uids {
                let text = uid.as_ref().filter(|_| research).map(|uid| uid.as_str().to_owned());
                row.push_bind(text);
            }
            // Vault and quarantine hold the bytes as they were received.
            let source = if research { entry.source } else { Some(entry.digest) };
            row.push_bind(entry.digest.to_string()).push_bind(source.map(|d| d.to_string()));
        });
        insert.build().execute(&mut **tx).await?;
    }
    Ok(())
}

async fn insert_reasons(tx: &mut Tx, index: &PackIndex, object: &str) -> Result<(), CatalogError> {
    if index.zone != Zone::Quarantine {
        return Ok(());
    }
    for (number, entry) in (0i64..).zip(&index.entries) {
        for (ordinal, reason) in (0i64..).zip(&entry.reasons) {
            sqlx::query(
                "INSERT INTO quarantine (object, entry, ordinal, hospital, code, at_tag, detail) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(object)
            .bind(number)
            .bind(ordinal)
            .bind(index.hospital.as_str())
            .bind(reason.code.as_str())
            .bind(reason.at.as_ref().map(ToString::to_string))
            .bind(&reason.detail)
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(())
}

async fn publish_arrival(tx: &mut Tx, arrival: &Arrival) -> Result<(), CatalogError> {
    let new = sqlx::query("INSERT INTO intake (spool) VALUES ($1) ON CONFLICT (spool) DO NOTHING")
        .bind(hex(&arrival.spool_id))
        .execute(&mut **tx)
        .await?
        .rows_affected();
    if new == 0 {
        return Ok(());
    }
    count(tx, &arrival.hospital, Stage::Received, 1).await?;
    for name in &arrival.names {
        note_name(tx, arrival, name).await?;
    }
    let Some(sop_key) = arrival.sop_key else { return Ok(()) };
    let Arrival { source, content, outcome, .. } = *arrival;
    let instance = KnownOriginal { sop_key, source, content, outcome };
    if note_instance(tx, &arrival.hospital, &instance).await? {
        count(tx, &arrival.hospital, Stage::Duplicate, 1).await?;
    }
    Ok(())
}

/// Remembers an instance by its UID; tells whether it was here before with the same bytes, or with
/// the same content behind another file meta information. An accepted instance is never replaced;
/// one in quarantine gives way to whatever comes next.
pub(crate) async fn note_instance(
    tx: &mut Tx,
    hospital: &HospitalId,
    instance: &KnownOriginal,
) -> Result<bool, CatalogError> {
    let sop_key = hex(&instance.sop_key);
    let known: Option<(String, Option<String>, String)> = sqlx::query_as(
        "SELECT source_digest, content_digest, outcome FROM arrivals \
         WHERE hospital = $1 AND sop_key = $2",
    )
    .bind(hospital.as_str())
    .bind(&sop_key)
    .fetch_optional(&mut **tx)
    .await?;
    let source = instance.source.to_string();
    let content = instance.content.map(|digest| digest.to_string());
    let repeated = known.as_ref().is_some_and(|(known_source, known_content, _)| {
        *known_source == source || (content.is_some() && *known_content == content)
    });
    let keep = known.as_ref().is_some_and(|(_, _, known)| known == Outcome::Accepted.as_str());
    if repeated {
        sqlx::query(
            "UPDATE arrivals SET repeats = repeats + 1, outcome = CASE WHEN $1 = 'accepted' \
             THEN 'accepted' ELSE outcome END, content_digest = COALESCE(content_digest, $2) \
             WHERE hospital = $3 AND sop_key = $4",
        )
        .bind(instance.outcome.as_str())
        .bind(content)
        .bind(hospital.as_str())
        .bind(sop_key)
        .execute(&mut **tx)
        .await?;
    } else if !keep {
        if let Some((before, _, _)) = &known {
            supersede(tx, hospital, before).await?;
        }
        sqlx::query(
            "INSERT INTO arrivals (hospital, sop_key, source_digest, outcome, repeats, \
             content_digest) VALUES ($1, $2, $3, $4, 0, $5) \
             ON CONFLICT (hospital, sop_key) DO UPDATE SET \
             source_digest = excluded.source_digest, outcome = excluded.outcome, repeats = 0, \
             content_digest = excluded.content_digest",
        )
        .bind(hospital.as_str())
        .bind(sop_key)
        .bind(source)
        .bind(instance.outcome.as_str())
        .bind(content)
        .execute(&mut **tx)
        .await?;
    }
    Ok(repeated)
}

/// An instance in quarantine that has not the place under its UID was replaced by a corrected copy.
pub(crate) async fn supersede_unless_known(
    tx: &mut Tx,
    hospital: &HospitalId,
    instance: &KnownOriginal,
) -> Result<(), CatalogError> {
    let known: Option<String> = sqlx::query_scalar(
        "SELECT source_digest FROM arrivals WHERE hospital = $1 AND sop_key = $2",
    )
    .bind(hospital.as_str())
    .bind(hex(&instance.sop_key))
    .fetch_optional(&mut **tx)
    .await?;
    let source = instance.source.to_string();
    match known {
        Some(known) if known != source => supersede(tx, hospital, &source).await,
        _ => Ok(()),
    }
}

/// Nobody has to decide about an instance in quarantine of which the sender sent a corrected copy.
async fn supersede(tx: &mut Tx, hospital: &HospitalId, source: &str) -> Result<(), CatalogError> {
    sqlx::query(
        "INSERT INTO decisions (hospital, source_digest, decision, object, study_key, codes, \
         decided_at_ms, record, applied) SELECT DISTINCT o.hospital, i.source_digest, $1, \
         o.object, o.study_key, '', 0, '', 1 FROM instances i JOIN objects o \
         ON o.object = i.object AND o.zone = 'quarantine' AND o.hospital = $2 \
         WHERE i.source_digest = $3 \
         ON CONFLICT (hospital, source_digest, decision, object) DO NOTHING",
    )
    .bind(SUPERSEDED)
    .bind(hospital.as_str())
    .bind(source)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn count(
    tx: &mut Tx,
    hospital: &HospitalId,
    stage: Stage,
    n: u64,
) -> Result<(), CatalogError> {
    sqlx::query(
        "INSERT INTO counters (hospital, stage, total) VALUES ($1, $2, $3) \
         ON CONFLICT (hospital, stage) DO UPDATE SET total = counters.total + excluded.total",
    )
    .bind(hospital.as_str())
    .bind(stage.as_str())
    .bind(stored(n, "a counter")?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
