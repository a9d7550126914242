-- Version 1. TEXT and BIGINT columns only, so that PostgreSQL takes the same file. Identifiers are
-- lower-case hexadecimal of keyed hashes, or pseudonymous UIDs; nothing here names a person.

CREATE TABLE subjects (
    hospital TEXT NOT NULL,
    subject TEXT NOT NULL,
    first_received_ms BIGINT NOT NULL,
    PRIMARY KEY (hospital, subject)
);

CREATE TABLE studies (
    hospital TEXT NOT NULL,
    study_key TEXT NOT NULL,
    subject TEXT NOT NULL,
    first_received_ms BIGINT NOT NULL,
    last_received_ms BIGINT NOT NULL,
    PRIMARY KEY (hospital, study_key),
    FOREIGN KEY (hospital, subject) REFERENCES subjects (hospital, subject)
);

-- One sealed object: a pack of instances of one series. Project and generation are empty where
-- they do not apply (a vault object belongs to no project).
CREATE TABLE objects (
    object TEXT NOT NULL PRIMARY KEY,
    zone TEXT NOT NULL,
    hospital TEXT NOT NULL,
    subject TEXT NOT NULL,
    study_key TEXT NOT NULL,
    project TEXT,
    generation BIGINT,
    profile TEXT NOT NULL,
    engine TEXT NOT NULL,
    retention_class TEXT NOT NULL,
    retain_until TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    digest TEXT,
    entries BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    -- BLAKE3 digest of the certificate that the pack carries; empty where it carries none.
    certificate TEXT
);
CREATE INDEX objects_by_study ON objects (hospital, study_key, zone);
CREATE INDEX objects_by_subject ON objects (hospital, subject, zone);
CREATE INDEX objects_by_project ON objects (project, zone, generation);

-- One instance within an object. The UIDs are the new ones and stand only beside research copies.
CREATE TABLE instances (
    object TEXT NOT NULL REFERENCES objects (object) ON DELETE CASCADE,
    entry BIGINT NOT NULL,
    study_instance_uid TEXT,
    series_instance_uid TEXT,
    sop_instance_uid TEXT,
    sop_class_uid TEXT,
    transfer_syntax TEXT,
    digest TEXT NOT NULL,
    source_digest TEXT,
    PRIMARY KEY (object, entry)
);
CREATE INDEX instances_by_uid ON instances (sop_instance_uid);
CREATE INDEX instances_by_source ON instances (source_digest);

-- Why an instance of a quarantine object is held; an instance can have several reasons.
CREATE TABLE quarantine (
    object TEXT NOT NULL REFERENCES objects (object) ON DELETE CASCADE,
    entry BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    hospital TEXT NOT NULL,
    code TEXT NOT NULL,
    at_tag TEXT,
    detail TEXT NOT NULL,
    PRIMARY KEY (object, entry, ordinal)
);
CREATE INDEX quarantine_by_code ON quarantine (hospital, code);

-- Spooled instances whose outcome is stored: what makes hand-over from the spool exactly-once.
CREATE TABLE intake (
    spool TEXT NOT NULL PRIMARY KEY
);

-- One row per SOP instance ever taken in, by its keyed hash: finds duplicates and UID conflicts.
CREATE TABLE arrivals (
    hospital TEXT NOT NULL,
    sop_key TEXT NOT NULL,
    source_digest TEXT NOT NULL,
    outcome TEXT NOT NULL,
    repeats BIGINT NOT NULL,
    -- Of what the instance holds without its file meta information, which each receiver writes its
    -- own way; empty where it is not known.
    content_digest TEXT,
    PRIMARY KEY (hospital, sop_key)
);

CREATE TABLE counters (
    hospital TEXT NOT NULL,
    stage TEXT NOT NULL,
    total BIGINT NOT NULL,
    PRIMARY KEY (hospital, stage)
);

-- A generation stands here even when it holds nothing: then everything of the study is held back.
CREATE TABLE generations (
    hospital TEXT NOT NULL,
    project TEXT NOT NULL,
    study_key TEXT NOT NULL,
    generation BIGINT NOT NULL,
    profile TEXT NOT NULL,
    engine TEXT NOT NULL,
    PRIMARY KEY (hospital, project, study_key, generation)
);

CREATE TABLE batches (
    batch TEXT NOT NULL PRIMARY KEY,
    hospital TEXT NOT NULL,
    project TEXT NOT NULL,
    profile TEXT NOT NULL,
    engine TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE batch_items (
    batch TEXT NOT NULL REFERENCES batches (batch) ON DELETE CASCADE,
    item BIGINT NOT NULL,
    study_key TEXT NOT NULL,
    state TEXT NOT NULL,
    run TEXT,
    code TEXT,
    PRIMARY KEY (batch, item)
);
CREATE INDEX batch_items_by_state ON batch_items (batch, state, item);

CREATE TABLE releases (
    release TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    engine TEXT NOT NULL,
    instances BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    list_digest TEXT NOT NULL
);
CREATE INDEX releases_by_project ON releases (project, created_at_ms);

-- The studies within a release, with the generation that was handed out.
CREATE TABLE release_studies (
    release TEXT NOT NULL REFERENCES releases (release) ON DELETE CASCADE,
    hospital TEXT NOT NULL,
    study_key TEXT NOT NULL,
    generation BIGINT NOT NULL,
    instances BIGINT NOT NULL,
    PRIMARY KEY (release, hospital, study_key)
);
CREATE INDEX releases_by_study ON release_studies (hospital, study_key);

-- What people ask for a study by: keyed hashes of its accession numbers and of who sent it, with
-- what has arrived under each, also what was here before.
CREATE TABLE study_names (
    hospital TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    study_key TEXT NOT NULL,
    first_received_ms BIGINT NOT NULL,
    last_received_ms BIGINT NOT NULL,
    instances BIGINT NOT NULL,
    PRIMARY KEY (hospital, kind, name, study_key)
);
CREATE INDEX names_by_study ON study_names (hospital, study_key);

-- What people decided about instances in quarantine, by the digest of the bytes as they
-- were received and by the object that holds them for the reason; `superseded` stands for a
-- corrected copy that the sender sent. Each decision is applied when its study was made again.

CREATE TABLE decisions (
    hospital TEXT NOT NULL,
    source_digest TEXT NOT NULL,
    decision TEXT NOT NULL,
    object TEXT NOT NULL,
    study_key TEXT NOT NULL,
    codes TEXT NOT NULL,
    other_digest TEXT,
    decided_at_ms BIGINT NOT NULL,
    record TEXT NOT NULL,
    applied BIGINT NOT NULL,
    PRIMARY KEY (hospital, source_digest, decision, object)
);
CREATE INDEX decisions_by_study ON decisions (hospital, study_key);

-- By which profile and engine the quarantine of a study was last scrubbed again, where its
-- originals were not kept.
CREATE TABLE quarantine_tries (
    hospital TEXT NOT NULL,
    project TEXT NOT NULL,
    study_key TEXT NOT NULL,
    profile TEXT NOT NULL,
    engine TEXT NOT NULL,
    PRIMARY KEY (hospital, project, study_key)
);
