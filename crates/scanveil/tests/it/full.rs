//! A spool that is full: senders are told to wait, nothing is lost, and it goes on by itself.

use crate::kit::{Installation, Wish, by_c_store};
use scanveil_ingest::Status;
use scanveil_model::Zone;
use scanveil_synth::{SynthInstance, ct_slices, mr_slices};
use std::collections::BTreeSet;
use std::fs::{self, File};

/// Keeps the pipeline from working on any study.
pub(crate) fn hold_the_pipeline(installation: &Installation) -> Vec<File> {
    let folder = installation.path("data/work/locks");
    fs::create_dir_all(&folder).unwrap();
    let lock = |number: u16| {
        let file = File::create(folder.join(format!("study-{number:02x}"))).unwrap();
        file.lock().unwrap();
        file
    };
    (0..256).map(lock).collect()
}

#[test]
fn a_full_spool_refuses_loses_nothing_and_takes_again_when_it_is_empty() {
    let slices: Vec<SynthInstance> = ct_slices(51, 40, 64).map(Result::unwrap).collect();
    let other = mr_slices(51, 1, 256).next().unwrap().unwrap();
    let spool = "max_bytes = 300_000".to_owned();
    let installation = Installation::started(Wish { spool, ..Wish::default() });
    let held = hold_the_pipeline(&installation);
    let mut taken = BTreeSet::new();
    let status = installation.push(&slices, |one| {
        taken.insert(one.sop_instance.clone());
    });
    assert_eq!(status, Some(Status::OUT_OF_RESOURCES));
    assert!((5..40).contains(&taken.len()), "{} were taken", taken.len());
    // What room there may be left belongs to those who have begun: come back later.
    assert_eq!(installation.stow(&[&other.file]), 503);
    let log = installation.log();
    let line = log.lines().find(|line| line.contains("SV-VAULT-001")).expect("a line in the log");
    assert!(line.contains("the spool is full") && line.contains("raise its limit"), "{line}");

    drop(held);
    let mut rounds = 0;
    while taken.len() < slices.len() {
        installation.settle();
        let left: Vec<&SynthInstance> =
            slices.iter().filter(|one| !taken.contains(&one.sop_instance)).collect();
        installation.push(left.iter().copied(), |one| {
            taken.insert(one.sop_instance.clone());
        });
        rounds += 1;
        assert!(rounds < 20, "{}", installation.last_words());
    }
    installation.settle();
    assert_eq!(installation.stow(&[&other.file]), 200);
    installation.settle();
    let mut found = installation.holdings().remove(&Zone::Vault).unwrap();
    let mut wanted: Vec<_> = slices.iter().map(by_c_store).collect();
    wanted.push(scanveil_model::Digest(*blake3::hash(&other.file).as_bytes()));
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}
