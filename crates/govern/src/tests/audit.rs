use super::*;
use crate::{Action, AuditLog, ChainHash, Entry, ErrorCode, GovernError, RequestId, Verification};
use scanveil_model::Coded;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The vector of `docs/formats/audit-log.md`: two entries.
const VECTOR: &str = include_str!("audit-vector.jsonl");

fn log(dir: &Path) -> AuditLog {
    AuditLog::at(dir.join("audit.jsonl"))
}

/// A log with this many entries.
fn filled(dir: &Path, entries: i64) -> AuditLog {
    let log = log(dir);
    for number in 1..=entries {
        assert_eq!(log.append(&event(number)).unwrap(), u64::try_from(number).unwrap());
    }
    log
}

fn verified(log: &AuditLog) -> Verification {
    log.verify(None).unwrap()
}

fn full_event() -> Event {
    Event {
        code: ErrorCode::parse("SV-GOVERN-014"),
        hospital: Some(hospital()),
        project: Some(research()),
        person: Some(person("ben")),
        request: Some(RequestId::parse("00112233445566ff").unwrap()),
        reference: Some([0xab; 16]),
        outcome: Outcome::Refused,
        ..event(1_763_700_000_000)
    }
}

#[test]
fn the_vector_of_the_format_is_what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path());
    let rotate = Event {
        hospital: Some(hospital()),
        ..Event::new(0, Actor::user(1000), Action::KEYS_ROTATE, Outcome::Done)
    };
    log.append(&rotate).unwrap();
    log.append(&full_event()).unwrap();
    assert_eq!(fs::read_to_string(log.path()).unwrap(), VECTOR);
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats/audit-log.md");
    let document = fs::read_to_string(document).unwrap();
    for line in VECTOR.lines() {
        assert!(document.contains(line), "the document shows another vector");
    }
}

#[test]
fn entries_are_told_as_they_were_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path());
    assert_eq!(verified(&log).entries, 0);
    assert!(verified(&log).is_whole());
    log.append(&event(5)).unwrap();
    log.append(&full_event()).unwrap();
    let (all, found) = log.entries(|_| true).unwrap();
    assert_eq!((all.len(), found.entries, found.interrupted), (2, 2, 0));
    let told = |entry: &Entry| Event {
        at_ms: entry.at_ms,
        who: entry.who.clone(),
        action: entry.action.clone(),
        outcome: entry.outcome,
        code: entry.code.clone(),
        hospital: entry.hospital.clone(),
        project: entry.project.clone(),
        person: entry.person.clone(),
        request: entry.request.clone(),
        reference: entry.reference,
        record: entry.record,
    };
    assert_eq!([told(&all[0]), told(&all[1])], [event(5), full_event()]);
    let (refused, _) = log.entries(|entry| entry.outcome == Outcome::Refused).unwrap();
    assert_eq!(refused.iter().map(|entry| entry.number).collect::<Vec<_>>(), [2]);
    assert_eq!(fs::metadata(log.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn every_change_of_an_entry_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 4);
    let good = fs::read_to_string(log.path()).unwrap();
    assert!(verified(&log).is_whole());
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let swapped = [lines[0], lines[2], lines[1], lines[3]].concat();
    let table = [
        ("a value", good.replacen("\"at_ms\":2", "\"at_ms\":9", 1), 2),
        ("the first", good.replacen("\"at_ms\":1", "\"at_ms\":9", 1), 1),
        ("the last", good.replacen("\"at_ms\":4", "\"at_ms\":9", 1), 4),
        ("removed in the middle", [lines[0], lines[2], lines[3]].concat(), 2),
        ("removed at the beginning", lines[1..].concat(), 1),
        ("twice", [lines[0], lines[0], lines[1]].concat(), 2),
        ("in another order", swapped, 2),
        ("a line put in", [lines[0], "{}\n", lines[1]].concat(), 2),
        ("an empty line put in", [lines[0], "\n", lines[1]].concat(), 2),
        ("a field put in", good.replacen("{\"format\":1", "{\"x\":1,\"format\":1", 1), 1),
        ("another format", good.replacen("\"format\":1", "\"format\":2", 1), 1),
        ("another ending", good.replacen("\n", "\r\n", 1), 1),
        ("very long", [lines[0], &"x".repeat(100_000), "\n", lines[1]].concat(), 2),
    ];
    for (what, text, line) in table {
        fs::write(log.path(), &text).unwrap();
        let found = verified(&log);
        assert_eq!(found.broken.as_ref().map(|broken| broken.line), Some(line), "{what}");
        assert_eq!(found.entries, line - 1, "{what}");
        assert!(!found.is_whole());
    }
}

#[test]
fn any_byte_changed_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 3);
    let good = fs::read(log.path()).unwrap();
    for at in 0..good.len() {
        let mut touched = good.clone();
        touched[at] ^= 0x01;
        fs::write(log.path(), &touched).unwrap();
        assert!(!verified(&log).is_whole(), "byte {at}");
    }
}

#[test]
fn a_shortened_log_is_found_by_a_hash_that_was_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 2);
    let early = verified(&log).head;
    log.append(&event(3)).unwrap();
    let late = verified(&log).head;
    for hash in [ChainHash::parse(&"0".repeat(64)).unwrap(), early, late] {
        let found = log.verify(Some(hash)).unwrap();
        assert!(found.passes == Some(true) && found.is_whole());
    }
    let text = fs::read_to_string(log.path()).unwrap();
    let shorter: String = text.split_inclusive('\n').take(2).collect();
    fs::write(log.path(), shorter).unwrap();
    assert!(log.verify(Some(early)).unwrap().is_whole());
    let found = log.verify(Some(late)).unwrap();
    assert_eq!((found.broken.is_some(), found.passes), (false, Some(false)));
    assert!(!found.is_whole() && verified(&log).is_whole());
}

#[test]
fn an_append_cut_short_anywhere_is_reported_and_noted() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 2);
    let good = fs::read(log.path()).unwrap();
    let second = good.iter().position(|b| *b == b'\n').unwrap() + 1;
    for end in (second + 1)..good.len() {
        fs::write(log.path(), &good[..end]).unwrap();
        let found = verified(&log);
        assert_eq!((found.entries, found.torn_bytes), (1, (end - second) as u64), "{end}");
        assert!(found.broken.is_none() && !found.is_whole());
        // The next append keeps what is there, notes it, and goes on.
        assert_eq!(log.append(&event(7)).unwrap(), 3);
        let text = fs::read(log.path()).unwrap();
        assert!(text.starts_with(&good[..end]), "nothing is dropped");
        let (all, found) = log.entries(|_| true).unwrap();
        assert!(found.is_whole(), "{end}: {found:?}");
        assert_eq!((all.len(), found.interrupted), (3, 1));
        let skipped = all[1].skipped.unwrap();
        assert_eq!(skipped.bytes, (end - second) as u64 + 2);
        assert_eq!(all[1].action, Action::LOG_INTERRUPTED);
        // What was passed over cannot be changed afterwards either.
        let mut touched = text;
        touched[second] ^= 1;
        fs::write(log.path(), &touched).unwrap();
        assert!(!verified(&log).is_whole());
    }
}

#[test]
fn a_first_append_cut_short_and_an_interrupted_note_are_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path());
    fs::write(log.path(), "{\"event\":{\"for").unwrap();
    assert_eq!(verified(&log).torn_bytes, 14);
    assert_eq!(log.append(&event(1)).unwrap(), 2);
    assert_eq!((verified(&log).entries, verified(&log).interrupted), (2, 1));
    // The note of the interruption is itself cut short, with the end of line before it.
    let good = fs::read(log.path()).unwrap();
    for end in 17..good.len() {
        fs::write(log.path(), &good[..end]).unwrap();
        log.append(&event(2)).unwrap();
        assert!(verified(&log).is_whole(), "{end}: {:?}", verified(&log));
    }
}

#[test]
fn a_log_with_a_broken_end_takes_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 3);
    let good = fs::read_to_string(log.path()).unwrap();
    let long = format!("{good}{}", "x".repeat(20_000));
    let changed = good.replacen("\"at_ms\":3", "\"at_ms\":9", 1);
    for text in [format!("{good}rubbish\n"), long, changed, "rubbish\n".to_owned()] {
        fs::write(log.path(), &text).unwrap();
        let refused = log.append(&event(4)).unwrap_err();
        assert_eq!(refused.code(), "SV-GOVERN-002", "{refused}");
        assert_eq!(fs::read_to_string(log.path()).unwrap(), text);
    }
    fs::remove_file(log.path()).unwrap();
    fs::create_dir(log.path()).unwrap();
    assert!(matches!(log.append(&event(4)), Err(GovernError::Io { .. })));
}

#[test]
fn many_writers_share_one_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut numbers: Vec<u64> = std::thread::scope(|scope| {
        let write = |_| {
            // Each has the file open by itself, as another process would.
            let log = log(dir.path());
            scope.spawn(move || (0..10).map(|at| log.append(&event(at)).unwrap()).collect())
        };
        let threads: Vec<std::thread::ScopedJoinHandle<'_, Vec<u64>>> = (0..4).map(write).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    let found = verified(&log(dir.path()));
    assert!(found.is_whole() && found.entries == 40);
}

#[test]
fn words_hold_no_value() {
    for bad in ["", "Anna", "anna müller", "a\nb", &"a".repeat(49), "a^b"] {
        assert!(Actor::parse(bad).is_none(), "{bad}");
    }
    assert!(Action::parse("Subject").is_none() && Action::parse("a1").is_none());
    assert!(ErrorCode::parse("sv-1").is_none());
    assert_eq!(Actor::user(0).as_str(), "uid:0");
    assert_eq!(Actor::parse(Actor::user(u32::MAX).as_str()), Some(Actor::user(u32::MAX)));
}
