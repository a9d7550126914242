-- Version 4. What people decided about instances in quarantine, by the digest of the bytes as they
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
