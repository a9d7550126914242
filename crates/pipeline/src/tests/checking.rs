//! A check of the store names what is gone, damaged or unknown, and batches stop at it.

use super::bench::*;
use crate::{
    CheckDepth, Finding, FindingKind, PipelineError, StoreCheck, check_store, plan_batch, run_batch,
};
use scanveil_catalog::Outcomes;
use scanveil_model::{Coded, Zone};
use scanveil_storage::{KeyPrefix, ObjectKey, StoreCall, StoreFault};
use std::fs;
use std::path::PathBuf;

/// One object in each zone.
fn filled() -> Bench {
    let (bench, _) = Bench::new();
    let files = slices(3);
    bench.push(KEEPER, &[files[0].clone(), files[1].clone(), burned_in(&files[2])]);
    bench
}

fn key(bench: &Bench, zone: Zone) -> ObjectKey {
    bench.site.store.objects(KeyPrefix::Zone(zone)).next().unwrap().unwrap().key
}

fn file(bench: &Bench, key: &ObjectKey) -> PathBuf {
    bench.dir.path().join("data/objects").join(key.to_string())
}

fn flip(path: &PathBuf, at: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

fn check(bench: &Bench, depth: CheckDepth) -> StoreCheck {
    check_store(&bench.site, depth, |_, _| {}).unwrap()
}

fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    findings.iter().map(|finding| finding.kind).collect()
}

type Fault = fn(&Bench, &ObjectKey);

/// What is done to an object of the zone, and what looks at both depths have to find.
fn assert_found(zone: Zone, name: &str, fault: Fault, wanted: [&[FindingKind]; 2]) {
    let bench = filled();
    let key = key(&bench, zone);
    fault(&bench, &key);
    for (depth, wanted) in [CheckDepth::Quick, CheckDepth::Contents].into_iter().zip(wanted) {
        let found = check(&bench, depth);
        assert_eq!(kinds(&found.findings), *wanted, "{name} {}", zone.as_str());
        assert_eq!(found.passed(), wanted.is_empty());
        for finding in &found.findings {
            let place = (finding.zone, &finding.hospital, finding.object);
            assert_eq!(place, (zone, key.hospital(), key.object()), "{name}");
            assert!(name.contains("damaged") || finding.study.is_some(), "{name}");
        }
    }
}

#[test]
fn each_fault_of_an_object_is_found_and_named() {
    // What is done, what a quick look sees of it, and what reading everything does.
    let table: &[(&str, Fault, &[FindingKind], &[FindingKind])] = &[
        ("nothing", |_, _| {}, &[], &[]),
        (
            "the object is gone",
            |bench, key| fs::remove_file(file(bench, key)).unwrap(),
            &[FindingKind::Missing],
            &[FindingKind::Missing],
        ),
        (
            "its rows are gone",
            |bench, key| {
                let withdrawn = &[key.object()];
                let outcomes = Outcomes { withdrawn, ..Outcomes::default() };
                bench.site.catalog.publish(&outcomes).unwrap();
            },
            &[FindingKind::Unknown],
            &[FindingKind::Unknown],
        ),
        (
            "its header is damaged",
            |bench, key| flip(&file(bench, key), |_| 20),
            &[FindingKind::Damaged],
            &[FindingKind::Damaged],
        ),
        (
            "its index is damaged",
            |bench, key| flip(&file(bench, key), |length| length - 40),
            &[FindingKind::Damaged],
            &[FindingKind::Damaged],
        ),
        (
            "it was cut short",
            |bench, key| {
                let length = fs::metadata(file(bench, key)).unwrap().len();
                let file = fs::OpenOptions::new().write(true).open(file(bench, key)).unwrap();
                file.set_len(length - 10).unwrap();
            },
            &[FindingKind::Size, FindingKind::Damaged],
            &[FindingKind::Size, FindingKind::Damaged],
        ),
        (
            "its tags are damaged",
            |bench, key| flip(&file(bench, key).with_extension("tags.json"), |_| 3),
            &[FindingKind::Tags],
            &[FindingKind::Tags],
        ),
        (
            "its tags are gone",
            |bench, key| {
                fs::remove_file(file(bench, key).with_extension("tags.json")).unwrap();
            },
            &[FindingKind::Tags],
            &[FindingKind::Tags],
        ),
        (
            "its tags are others",
            |bench, key| {
                let mut tags = bench.site.store.object_store().tags(key).unwrap();
                tags.retain_until = "2001-01-01".to_owned();
                bench.site.store.set_tags(key, &tags).unwrap();
            },
            &[FindingKind::Tags],
            &[FindingKind::Tags],
        ),
    ];
    for zone in [Zone::Vault, Zone::Research, Zone::Quarantine] {
        for (name, fault, quick, whole) in table {
            assert_found(zone, name, *fault, [*quick, *whole]);
        }
    }
}

#[test]
fn damage_in_the_middle_is_found_by_reading_everything() {
    let (bench, _) = Bench::new();
    // Several chunks, so that neither header nor index is hit.
    let files: Vec<Vec<u8>> =
        scanveil_synth::ct_slices(11, 4, 300).map(|slice| slice.unwrap().file).collect();
    bench.push(KEEPER, &files);
    let vault = key(&bench, Zone::Vault);
    flip(&file(&bench, &vault), |length| length / 3);
    assert!(check(&bench, CheckDepth::Quick).passed());
    let found = check(&bench, CheckDepth::Contents);
    assert_eq!(kinds(&found.findings), [FindingKind::Damaged]);
    assert_eq!(found.findings[0].object, vault.object());
    // A batch leaves the study at its generation, and names study and object.
    let plan = plan_batch(&bench.site, &hospital(KEEPER), &project(), Some("longitudinal"));
    let run = run_batch(&bench.site, &plan.unwrap(), Some("longitudinal"), |_| {}).unwrap();
    let [failed] = &run.failed_studies[..] else { panic!("{run:?}") };
    assert!(failed.message.contains(&vault.object().to_string()), "{}", failed.message);
    assert_eq!((failed.code, failed.research.len()), ("SV-SEAL-005", 1));
    assert_eq!(bench.holds(Zone::Research).len(), 4, "what was released is still there");
}

#[test]
fn what_is_being_stored_and_what_was_erased_is_no_finding() {
    let (bench, _) = Bench::new();
    bench.push(KEEPER, &slices(1));
    let other: Vec<Vec<u8>> =
        scanveil_synth::mr_slices(11, 1, 32).map(|slice| slice.unwrap().file).collect();
    let received = vec![bench.receive(KEEPER, &other[0])];
    bench.store.fail(StoreCall::Put, 2, StoreFault::Refuse);
    bench.work(received).unwrap_err();
    let found = check(&bench, CheckDepth::Contents);
    assert_eq!((found.findings.len(), found.under_way), (0, 1));
    let subject = bench.site.catalog.studies(&project()).unwrap()[0].subject;
    bench.site.keyring.destroy_subject(&hospital(KEEPER), &subject).unwrap();
    let found = check(&bench, CheckDepth::Contents);
    assert_eq!((found.findings.len(), found.erased), (0, 2));
}

#[test]
fn a_store_that_does_not_answer_is_no_loss() {
    let bench = filled();
    bench.store.fail(StoreCall::GetRange, 2, StoreFault::Refuse);
    let error = check_store(&bench.site, CheckDepth::Contents, |_, _| {}).unwrap_err();
    assert!(error.code().starts_with("SV-S"), "{error}");
}

#[test]
fn a_batch_stops_at_what_is_gone_and_can_go_on_without() {
    let longitudinal = Some("longitudinal");
    let (bench, _) = Bench::new();
    bench.push(KEEPER, &slices(2));
    let gone = key(&bench, Zone::Vault);
    let other: Vec<Vec<u8>> =
        scanveil_synth::mr_slices(11, 2, 32).map(|slice| slice.unwrap().file).collect();
    bench.push(KEEPER, &other);
    fs::remove_file(file(&bench, &gone)).unwrap();
    let keeper = hospital(KEEPER);
    let mut plan = plan_batch(&bench.site, &keeper, &project(), longitudinal).unwrap();
    assert_eq!(kinds(&plan.lost), [FindingKind::Missing]);
    let error = run_batch(&bench.site, &plan, longitudinal, |_| {}).unwrap_err();
    assert_eq!(error.code(), "SV-PIPELINE-020");
    for part in [KEEPER, "vault", &gone.object().to_string()] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
    assert_eq!(plan.leave_out_lost().len(), 1);
    let run = run_batch(&bench.site, &plan, longitudinal, |_| {}).unwrap();
    assert_eq!((run.studies, run.scrubbed, run.failed.len()), (1, 2, 0));
    // Rows that are gone stop a batch too: it would take the study for a new one.
    for zone in [Zone::Vault, Zone::Research] {
        let bench = filled();
        let withdrawn = &[key(&bench, zone).object()];
        bench.site.catalog.publish(&Outcomes { withdrawn, ..Outcomes::default() }).unwrap();
        let plan = plan_batch(&bench.site, &keeper, &project(), longitudinal).unwrap();
        assert_eq!(kinds(&plan.lost), [FindingKind::Unknown], "{}", zone.as_str());
        let stopped = run_batch(&bench.site, &plan, longitudinal, |_| {});
        assert!(matches!(stopped, Err(PipelineError::Incomplete(_))));
    }
    // A research copy that is gone is made again.
    let bench = filled();
    fs::remove_file(file(&bench, &key(&bench, Zone::Research))).unwrap();
    let plan = plan_batch(&bench.site, &keeper, &project(), longitudinal).unwrap();
    let run = run_batch(&bench.site, &plan, longitudinal, |_| {}).unwrap();
    assert_eq!((plan.lost.len(), run.scrubbed), (0, 2));
}
