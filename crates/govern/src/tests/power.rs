//! What was recorded stays recorded when the power fails at once afterwards.

use super::*;
use crate::{Approvers, AuditLog, Office, RequestId};
use scanveil_testkit::PowerLoss;
use std::fs;
use std::path::Path;

/// A log as it would be after a power failure now.
fn after_power_loss<T>(power: &PowerLoss, dir: &Path, look: impl FnOnce(&Path) -> T) -> T {
    let left = tempfile::tempdir().unwrap();
    let left = left.path().join("left");
    power.leave(dir, &left);
    look(&left)
}

fn entries(dir: &Path) -> u64 {
    let found = AuditLog::at(dir.join("audit.jsonl")).verify(None).unwrap();
    assert!(found.is_whole(), "{found:?}");
    found.entries
}

#[test]
fn events_that_were_recorded_outlast_a_power_failure() {
    let power = PowerLoss::watch();
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::at(dir.path().join("audit.jsonl"));
    for number in 1..4 {
        log.append(&event(number)).unwrap();
        let left = after_power_loss(&power, dir.path(), entries);
        assert_eq!(left, u64::try_from(number).unwrap());
    }
}

#[test]
fn a_log_whose_maker_was_stopped_is_settled_by_the_next_event() {
    let (dir, before) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    AuditLog::at(before.path().join("audit.jsonl")).append(&event(1)).unwrap();
    let power = PowerLoss::watch();
    // Written, and stopped before its name was durable.
    fs::copy(before.path().join("audit.jsonl"), dir.path().join("audit.jsonl")).unwrap();
    AuditLog::at(dir.path().join("audit.jsonl")).append(&event(2)).unwrap();
    assert_eq!(after_power_loss(&power, dir.path(), entries), 2);
}

#[test]
fn people_and_requests_outlast_a_power_failure() {
    let power = PowerLoss::watch();
    let dir = tempfile::tempdir().unwrap();
    let office = Office::open(dir.path().join("govern")).unwrap();
    let id = RequestId::parse("00112233445566ff").unwrap();
    let mut approvers = Approvers::default();
    approvers.add(&person("anna"), &token(), 3).unwrap();
    let lock = office.lock().unwrap();
    office.save_approvers(&lock, &approvers).unwrap();
    for state in [b"one", b"two"] {
        office.save_request(&lock, &id, state).unwrap();
        after_power_loss(&power, dir.path(), |left| {
            let office = Office::open(left.join("govern")).unwrap();
            assert_eq!(office.approvers().unwrap(), approvers);
            assert_eq!(office.request(&id).unwrap(), state);
        });
    }
}
