//! Invariant 5: a process that is killed at any moment has lost nothing it acknowledged.

use super::super::*;
use super::support::{Seeded, TestKeys, bytes, hospital, meta};
use scanveil_model::{Digest, ObjectId};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const ROUNDS: u64 = 24;
/// The folder of the spool, in the child's environment.
const CHILD_DIR: &str = "SCANVEIL_TEST_SPOOL_DIR";
const CHILD_SEED: &str = "SCANVEIL_TEST_SPOOL_SEED";

fn open(dir: &Path, seed: u64) -> (Arc<Spool>, Vec<SpooledInstance>) {
    let config = SpoolConfig {
        min_free_bytes: 0,
        inline_limit: 64 << 10,
        segment_bytes: 1 << 20,
        ..SpoolConfig::new(dir)
    };
    Spool::open(config, Arc::new(TestKeys::new(7)), Arc::new(Seeded::new(seed))).unwrap()
}

/// What the killed process does: commits from four threads and says each receipt once it has it.
/// Without the environment of a child it is nothing.
#[test]
fn child_commits_until_it_is_killed() {
    let (Ok(dir), Ok(seed)) = (std::env::var(CHILD_DIR), std::env::var(CHILD_SEED)) else {
        return;
    };
    let seed: u64 = seed.parse().unwrap();
    let (spool, pending) = open(Path::new(&dir), seed);
    // Part of what an earlier child left is finished meanwhile: the kill meets that as well.
    let old: Vec<_> = pending.iter().map(SpooledInstance::id).collect();
    thread::scope(|scope| {
        for worker in 0..4u64 {
            let spool = &spool;
            scope.spawn(move || {
                for number in 0u64.. {
                    let mix = seed * 31 + worker * 7 + number;
                    let length =
                        if mix.is_multiple_of(9) { 150_000 } else { 200 + (mix % 13) * 1500 };
                    let mut receiving = spool.receive(&hospital()).unwrap();
                    receiving.write_all(&bytes(mix as u8, length as usize)).unwrap();
                    let receipt = receiving.commit(meta(1)).unwrap();
                    let line = format!("ack {} {}\n", receipt.id(), receipt.digest());
                    // One write, so that a line is there whole or not at all.
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
        let spool = &spool;
        scope.spawn(move || {
            for id in old.chunks(3).step_by(2).flatten() {
                let started = format!("finishing {id} -\n");
                std::io::stdout().lock().write_all(started.as_bytes()).unwrap();
                spool.finish(&[*id]).unwrap();
            }
        });
    });
}

#[test]
fn a_killed_process_has_lost_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut owed: BTreeMap<SpoolId, Digest> = BTreeMap::new();
    let mut unsure: BTreeSet<SpoolId> = BTreeSet::new();
    let mut total = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "spool::tests::kill::child_commits_until_it_is_killed"])
            .args(["--nocapture", "--test-threads=1"])
            .env(CHILD_DIR, folder.path())
            .env(CHILD_SEED, (round + 1).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The kill falls where the child happens to be after a number of lines that differs.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let target = 5 + (round * 37) % 90;
        let mut seen = 0;
        while let Some(Ok(line)) = lines.next() {
            // The test harness writes its own words into the first line.
            let words: Vec<_> = line.split_whitespace().rev().take(3).collect();
            let [third, second, first] = words[..] else { continue };
            let Ok(id) = ObjectId::parse(second) else { continue };
            let id = SpoolId::from_bytes(id.0);
            if first == "finishing" {
                owed.remove(&id);
                unsure.insert(id);
                continue;
            }
            assert_eq!(first, "ack");
            assert!(owed.insert(id, Digest::parse(third).unwrap()).is_none());
            seen += 1;
            if seen == target {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen >= target, "round {round}: the child ended by itself");
        total += seen;
        let (spool, pending) = open(folder.path(), 1_000_000 + round);
        let mut found = BTreeMap::new();
        let mut buffer = Vec::new();
        for instance in &pending {
            spool.read_into(instance, &mut buffer).unwrap();
            assert_eq!(*blake3::hash(&buffer).as_bytes(), instance.digest().0);
            assert!(found.insert(instance.id(), instance.digest()).is_none(), "pending twice");
        }
        for (id, digest) in &owed {
            assert_eq!(found.get(id), Some(digest), "round {round}: an acknowledged one is lost");
        }
        // Of what is pending beyond that, nothing was acknowledged or its finish was under way.
        // Later rounds owe it too, since a restart has seen it.
        owed = found;
        for id in &unsure {
            owed.remove(id);
        }
    }
    assert!(total > ROUNDS * 20);
}
