//! A store that fails: the study stays in the spool, and is complete and not doubled later.

use super::bench::*;
use crate::{PipelineError, plan_batch, run_batch};
use scanveil_model::Zone;
use scanveil_storage::{KeyPrefix, ObjectKey, StoreCall, StoreFault};
use scanveil_synth::ct_slices;
use std::collections::BTreeSet;

#[test]
fn a_failing_store_loses_and_doubles_nothing() {
    let files = slices(3);
    let mixed = [files[0].clone(), burned_in(&files[1])];
    for call in [StoreCall::Put, StoreCall::Head] {
        for fault in [StoreFault::Refuse, StoreFault::LoseAnswer, StoreFault::ShortWrite] {
            // Research, vault and quarantine: three objects.
            for nth in 1..=3 {
                if fault == StoreFault::ShortWrite && call == StoreCall::Head {
                    continue;
                }
                let (bench, _) = Bench::new();
                let received: Vec<_> =
                    mixed.iter().map(|file| bench.receive(KEEPER, file)).collect();
                bench.store.fail(call, nth, fault);
                let error = bench.work(received).expect_err("the fault is met");
                assert!(matches!(error, PipelineError::Storage(_)), "{error}");
                assert_eq!(bench.site.spool().unwrap().stats().pending, 2);
                assert!(bench.holds(Zone::Vault).is_empty() && bench.reasons().is_empty());
                // The next process finds one more, so that the packs are others.
                let (bench, mut pending) = bench.restart();
                pending.push(bench.receive(KEEPER, &files[2]));
                bench.work(pending).unwrap();
                assert_eq!(bench.site.spool().unwrap().stats().pending, 0);
                assert_eq!(
                    bench.holds(Zone::Research),
                    digests(&[files[0].clone(), files[2].clone()])
                );
                assert_eq!(bench.holds(Zone::Quarantine), digests(&mixed[1..]));
                assert_eq!(bench.holds(Zone::Vault).len(), 3);
                bench.assert_tidy();
            }
        }
    }
}

#[test]
fn an_original_that_cannot_be_read_is_no_reason_to_leave_it_out() {
    // So large that a pack has several chunks, which are fetched when they are needed.
    let files: Vec<Vec<u8>> = ct_slices(11, 4, 300).map(|slice| slice.unwrap().file).collect();
    // How often a whole run reads.
    let reads = {
        let (bench, _) = Bench::new();
        bench.push(KEEPER, &files[..3]);
        let before = bench.store.calls(StoreCall::GetRange);
        bench.push(KEEPER, &files[3..]);
        bench.store.calls(StoreCall::GetRange) - before
    };
    assert!(reads >= 5, "{reads}");
    for fault in [StoreFault::Refuse, StoreFault::FlipBit, StoreFault::ShortRead] {
        for nth in 1..=reads {
            let (bench, _) = Bench::new();
            bench.push(KEEPER, &files[..3]);
            let late = vec![bench.receive(KEEPER, &files[3])];
            bench.store.fail(StoreCall::GetRange, nth, fault);
            // A short answer may be asked for again; whatever happens, nothing is left out.
            if bench.work(late.clone()).is_err() {
                assert_eq!(bench.holds(Zone::Research), digests(&files[..3]));
                bench.work(late).unwrap();
            }
            assert_eq!(bench.holds(Zone::Research), digests(&files));
            bench.assert_tidy();
        }
    }
}

#[test]
fn a_batch_stops_at_a_store_that_fails_and_goes_on_later() {
    let (bench, _) = Bench::new();
    let files = slices(2);
    bench.push(KEEPER, &files);
    let keeper = hospital(KEEPER);
    let plan = || plan_batch(&bench.site, &keeper, &project(), Some("longitudinal")).unwrap();
    for call in [StoreCall::GetRange, StoreCall::Put] {
        bench.store.fail(call, 1, StoreFault::Refuse);
        let stopped = run_batch(&bench.site, &plan(), Some("longitudinal"), |_| {});
        assert!(stopped.is_err_and(|error| error.concerns_all()));
    }
    let run = run_batch(&bench.site, &plan(), Some("longitudinal"), |_| {}).unwrap();
    assert_eq!((run.studies, run.scrubbed), (1, 2));
    assert_eq!(bench.holds(Zone::Research), digests(&files));
    bench.assert_tidy();
}

#[test]
fn the_same_instances_make_the_same_objects_again() {
    let files = [slices(2), vec![burned_in(&slices(3)[2])]].concat();
    let (bench, _) = Bench::new();
    let received: Vec<_> = files.iter().map(|file| bench.receive(KEEPER, file)).collect();
    bench.store.fail(StoreCall::Put, 3, StoreFault::LoseAnswer);
    bench.work(received).unwrap_err();
    let stored = |bench: &Bench| -> BTreeSet<ObjectKey> {
        bench.site.store.objects(KeyPrefix::All).map(|info| info.unwrap().key).collect()
    };
    let before = stored(&bench);
    assert_eq!(before.len(), 3);
    let (bench, mut pending) = bench.restart();
    // In whatever order they are found.
    pending.reverse();
    bench.work(pending).unwrap();
    assert_eq!(stored(&bench), before);
    bench.assert_tidy();
}
