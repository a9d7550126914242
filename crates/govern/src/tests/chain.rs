//! Whatever is done to a log that was whole, whoever has written down its head finds it.

use super::*;
use crate::AuditLog;
use proptest::prelude::*;
use std::fs;

/// What may be done to the bytes of a log.
#[derive(Debug, Clone)]
enum Change {
    Flip { at: usize, bit: u8 },
    Cut { at: usize, bytes: usize },
    Twice { at: usize, bytes: usize },
    Move { at: usize, bytes: usize, to: usize },
}

fn changes() -> impl Strategy<Value = Change> {
    let (at, bytes) = (any::<usize>(), 1usize..600);
    prop_oneof![
        (at, 0u8..8).prop_map(|(at, bit)| Change::Flip { at, bit }),
        (at, bytes.clone()).prop_map(|(at, bytes)| Change::Cut { at, bytes }),
        (at, bytes.clone()).prop_map(|(at, bytes)| Change::Twice { at, bytes }),
        (at, bytes, at).prop_map(|(at, bytes, to)| Change::Move { at, bytes, to }),
    ]
}

impl Change {
    /// The bytes after the change; places are taken modulo the length.
    fn apply(&self, log: &[u8]) -> Vec<u8> {
        let mut changed = log.to_vec();
        let part = |at: usize, bytes: usize| {
            let at = at % log.len();
            at..(at + bytes).min(log.len())
        };
        match *self {
            Self::Flip { at, bit } => changed[at % log.len()] ^= 1 << bit,
            Self::Cut { at, bytes } => drop(changed.drain(part(at, bytes))),
            Self::Twice { at, bytes } => {
                let part = part(at, bytes);
                changed.splice(part.end..part.end, log[part].iter().copied());
            }
            Self::Move { at, bytes, to } => {
                let moved: Vec<u8> = changed.drain(part(at, bytes)).collect();
                let to = to % (changed.len() + 1);
                changed.splice(to..to, moved);
            }
        }
        changed
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_change_passes_for_the_log(entries in 1i64..6, change in changes()) {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::at(dir.path().join("audit.jsonl"));
        for number in 1..=entries {
            log.append(&event(number)).unwrap();
        }
        let head = log.verify(None).unwrap().head;
        prop_assert!(log.verify(Some(head)).unwrap().is_whole());
        let good = fs::read(log.path()).unwrap();
        let changed = change.apply(&good);
        prop_assume!(changed != good);
        fs::write(log.path(), &changed).unwrap();
        prop_assert!(!log.verify(Some(head)).unwrap().is_whole());
    }

    #[test]
    fn a_log_goes_on_after_any_cut(entries in 1i64..6, at in any::<usize>()) {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::at(dir.path().join("audit.jsonl"));
        for number in 1..=entries {
            log.append(&event(number)).unwrap();
        }
        let good = fs::read(log.path()).unwrap();
        // A power failure in the midst of the last append.
        let before = good[..good.len() - 1].iter().rposition(|&byte| byte == b'\n');
        let last = before.map_or(0, |at| at + 1);
        fs::write(log.path(), &good[..last + at % (good.len() - last)]).unwrap();
        log.append(&event(99)).unwrap();
        let found = log.verify(None).unwrap();
        prop_assert!(found.is_whole(), "{found:?}");
        // What is noted of the torn one is an entry too.
        prop_assert_eq!(found.entries - found.interrupted, u64::try_from(entries).unwrap());
    }
}
