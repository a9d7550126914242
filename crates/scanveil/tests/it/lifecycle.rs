//! What becomes of studies over time: received, released, made again, completed, rebuilt, erased.

use crate::kit::{
    HOSPITAL, Holdings, Installation, Wish, by_c_store, files_below, mercy, research,
};
use crate::running::LONG;
use scanveil_catalog::{
    ObjectFilter, ObjectRecord, QuarantineFilter, QuarantineRecord, Stage, StudyRecord,
};
use scanveil_ingest::Status;
use scanveil_model::{Digest, Generation, ReasonCode, Uid, Zone};
use scanveil_synth::{
    Corpus, CorpusSpec, Hunter, Planted, PlantedKind, SEALED_MIN_FORM, SynthInstance,
    TEXT_MIN_FORM, big_multiframe, ct_slices,
};
use scanveil_testkit::{peak_rss_kib, wait_until};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Every kind of object of one hospital, and one slice that comes late.
fn corpus() -> (Vec<SynthInstance>, SynthInstance) {
    let spec = CorpusSpec { ct_slices: 3, shrink: 8, ..CorpusSpec::tiny() };
    let all = Corpus::generate(31, spec).map(Result::unwrap);
    let mut all: Vec<SynthInstance> = all.filter(|one| one.hospital == 0).collect();
    let late = all.remove(1);
    (all, late)
}

fn digests<'i>(instances: impl IntoIterator<Item = &'i SynthInstance>) -> BTreeSet<Digest> {
    instances.into_iter().map(by_c_store).collect()
}

/// What is in the zone; nothing is there twice.
fn once(holdings: &Holdings, zone: Zone) -> BTreeSet<Digest> {
    let found = holdings.get(&zone).cloned().unwrap_or_default();
    let set: BTreeSet<Digest> = found.iter().copied().collect();
    assert_eq!(set.len(), found.len(), "something is in {} twice", zone.as_str());
    set
}

/// Everything is an original once, and in research or in quarantine once.
fn assert_all_there(installation: &Installation, instances: &[SynthInstance]) {
    let holdings = installation.holdings();
    let (clean, held) = (once(&holdings, Zone::Research), once(&holdings, Zone::Quarantine));
    assert_eq!(once(&holdings, Zone::Vault), digests(instances));
    assert!(clean.is_disjoint(&held) && clean.len() > 4 && held.len() > 2);
    assert_eq!(clean.union(&held).copied().collect::<BTreeSet<_>>(), digests(instances));
}

fn generations(installation: &Installation) -> Vec<Generation> {
    let studies = installation.catalog().studies(&research()).unwrap();
    studies.iter().map(|study| study.generation).collect()
}

/// All that the catalogue says of stored things and that a rebuilt one can know.
#[derive(Debug, PartialEq)]
struct Picture {
    objects: Vec<ObjectRecord>,
    studies: Vec<StudyRecord>,
    quarantine: Vec<QuarantineRecord>,
}

fn picture(installation: &Installation) -> Picture {
    let catalog = installation.catalog();
    let mut objects = catalog.objects(&ObjectFilter::default(), u32::MAX).unwrap();
    for object in &mut objects {
        // Neither stands in a pack.
        object.engine.clear();
        object.digest = None;
    }
    let mut studies = catalog.studies(&research()).unwrap();
    // How often nothing was made of a study is not known from what was stored.
    for study in studies.iter_mut().filter(|study| study.released == 0) {
        study.generation = Generation(1);
    }
    Picture {
        objects,
        studies,
        quarantine: catalog.quarantine(&QuarantineFilter::default(), u32::MAX).unwrap(),
    }
}

/// What only one of two lists has.
fn unlike<'l, T: PartialEq>(one: &'l [T], other: &'l [T]) -> Vec<&'l T> {
    let missing = one.iter().filter(|it| !other.contains(it));
    missing.chain(other.iter().filter(|it| !one.contains(it))).collect()
}

/// The files of a release that do not name the release.
fn data_of(installation: &Installation, release: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files_below(&installation.path(release));
    files.retain(|path, _| path.starts_with("data") || path.starts_with("tables"));
    assert!(files.len() > 8);
    assert!(files.keys().any(|path| path.ends_with("certificate.json")));
    files
}

fn hunt(planted: &[&Planted], shortest: usize, folder: &Path) {
    let hunter = Hunter::new(planted.iter().copied(), shortest).unwrap();
    let found = hunter.hunt_folder(folder).unwrap();
    assert!(found.files > 3, "{found:?}");
    assert!(found.is_clean(), "{:?}", &found.hits[..found.hits.len().min(5)]);
}

const LONGITUDINAL: [&str; 4] = ["--hospital", HOSPITAL, "--profile", "longitudinal"];

/// Kills a batch run before a study that is not the first, and runs it again to its end.
fn batch_killed_in_the_middle(installation: &Installation) {
    let before = picture(installation);
    let plan = installation.json(&[&["batch", "plan"][..], &LONGITUDINAL].concat());
    let changes: Vec<String> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["study"].as_str().unwrap().to_owned())
        .collect();
    assert!(changes.len() > 5);
    let text = installation.run(&[&["batch", "plan"][..], &LONGITUDINAL].concat());
    assert!(String::from_utf8_lossy(&text.stdout).contains("Nothing was changed"));
    assert_eq!(picture(installation), before);
    assert!(installation.catalog().batches().unwrap().is_empty());

    // Whoever holds the lock of a study keeps the batch waiting there. Studies share locks.
    let lock = |study: &str| format!("data/work/locks/study-{}", &study[..2]);
    let first_of = |name: &str| changes.iter().position(|study| lock(study) == name).unwrap();
    let name = changes.iter().rev().map(|study| lock(study)).find(|name| first_of(name) > 0);
    let name = name.expect("not all studies share one lock");
    let done_first = first_of(&name) as u64;
    let held = File::options().write(true).open(installation.path(&name)).unwrap();
    held.lock().unwrap();
    let mut batch = installation.begin(&[&["batch", "run"][..], &LONGITUDINAL].concat());
    let waits = || {
        let batches = installation.catalog().batches().unwrap();
        batches
            .first()
            .is_some_and(|batch| (batch.progress.done, batch.progress.claimed) == (done_first, 1))
    };
    assert!(wait_until(LONG, waits), "{}", installation.last_words());
    batch.kill();
    drop(held);

    let run = installation.json(&[&["batch", "run"][..], &LONGITUDINAL].concat());
    assert_eq!(run["studies"], changes.len() as u64 - done_first);
    assert_eq!(run["failed"], serde_json::json!({}));
    let batches = installation.catalog().batches().unwrap();
    let [batch] = &batches[..] else { panic!("one batch: {batches:?}") };
    assert_eq!(
        (batch.progress.done, batch.progress.total()),
        (changes.len() as u64, batch.progress.done)
    );
    assert!(generations(installation).iter().all(|generation| *generation == Generation(2)));
    let after = picture(installation);
    let again = installation.json(&[&["batch", "run"][..], &LONGITUDINAL].concat());
    assert_eq!(again["studies"], 0);
    assert_eq!(picture(installation), after);
}

#[test]
fn studies_are_received_released_made_again_completed_rebuilt_and_erased() {
    let (mut instances, late) = corpus();
    let mut installation = Installation::started(Wish::default());
    installation.push_all(&instances);
    installation.settle();
    assert_all_there(&installation, &instances);
    let first = installation.release("first");
    let released = |manifest: &serde_json::Value| manifest["instances"].as_array().unwrap().len();
    assert_eq!(released(&first), installation.holdings()[&Zone::Research].len());
    let verified = installation.json(&["release", "verify", "first"]);
    assert_eq!(verified["problems"], serde_json::json!([]));

    // What is sent again changes nothing.
    let before = picture(&installation);
    installation.push_all(&instances[..4]);
    installation.settle();
    assert_eq!(picture(&installation), before);

    batch_killed_in_the_middle(&installation);
    assert_all_there(&installation, &instances);
    let second = installation.release("second");
    for one in second["instances"].as_array().unwrap() {
        assert_eq!(one["generation"], 2);
        assert!(one["profile"].as_str().unwrap().starts_with("longitudinal@"));
    }

    // A late instance makes a generation that holds everything of its study.
    installation.push_all(std::slice::from_ref(&late));
    installation.settle();
    instances.push(late);
    assert_all_there(&installation, &instances);
    let newest = generations(&installation);
    assert_eq!(newest.iter().filter(|generation| **generation == Generation(3)).count(), 1);
    let third = installation.release("third");
    assert_eq!(released(&third), released(&second) + 1);
    installation.stop();

    let before = picture(&installation);
    for file in fs::read_dir(installation.path("data")).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("catalog.sqlite") {
            // Whoever closes the catalogue last removes its log: that may be just now.
            match fs::remove_file(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.unwrap(),
            }
        }
    }
    assert!(!installation.path("data/catalog.sqlite").exists());
    let report = installation.json(&["store", "rebuild"]);
    assert_eq!((&report["carried_over"], &report["unpublished"]), (&false.into(), &0.into()));
    let after = picture(&installation);
    assert_eq!(unlike(&before.objects, &after.objects), [] as [&ObjectRecord; 0]);
    assert_eq!(unlike(&before.studies, &after.studies), [] as [&StudyRecord; 0]);
    assert_eq!(unlike(&before.quarantine, &after.quarantine), [] as [&QuarantineRecord; 0]);
    installation.release("rebuilt");
    assert!(data_of(&installation, "rebuilt") == data_of(&installation, "third"));
    installation.start();
    installation.push_all(&instances[..4]);
    installation.settle();
    assert_all_there(&installation, &instances);
    installation.stop();

    let planted: Vec<&Planted> = instances.iter().flat_map(|one| &one.planted).collect();
    hunt(&planted, SEALED_MIN_FORM, &installation.path("data"));
    let log = installation.log();
    let hunter = Hunter::new(planted.iter().copied(), TEXT_MIN_FORM).unwrap();
    assert!(log.contains("study done") && hunter.hunt_bytes(log.as_bytes()).unwrap().is_clean());
    hunt(&planted, TEXT_MIN_FORM, &installation.path("first"));
    // The longitudinal profile keeps what names a device.
    let planted: Vec<&Planted> =
        planted.into_iter().filter(|one| one.kind != PlantedKind::Device).collect();
    for release in ["second", "third", "rebuilt"] {
        hunt(&planted, TEXT_MIN_FORM, &installation.path(release));
    }

    erased(&installation);
}

/// Destroys one patient's key: nothing of the patient can be released or made again.
fn erased(installation: &Installation) {
    let site = installation.open();
    let study = site.catalog().studies(&research()).unwrap();
    let study = study.iter().find(|study| study.released > 0).unwrap();
    site.keyring().destroy_subject(&mercy(), &study.subject).unwrap();
    let objects = site.catalog().current_objects(&research()).unwrap();
    let gone = objects.iter().filter(|object| object.subject == study.subject);
    let gone: u64 = gone.map(|object| object.entries).sum();
    drop(site);
    // Gone on purpose: it stops nothing, and is counted.
    let arguments = ["release", "create", "--project", "research", "--out", "partly"];
    let manifest = installation.json(&arguments);
    let left = manifest["left_out"].as_array().unwrap();
    let erased = left.iter().find(|left| left["reason"] == "erased").unwrap();
    assert_eq!(erased["instances"], gone);
    let arguments = ["batch", "run", "--json", "--hospital", HOSPITAL, "--profile", "basic"];
    let batch = installation.run(&arguments);
    assert_eq!(batch.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_slice(&batch.stdout).unwrap();
    assert!(report["failed"]["SV-VAULT-107"].as_u64().is_some_and(|n| n > 0), "{report}");
}

/// Where the value of a short explicit little-endian element stands.
fn value(file: &[u8], head: [u8; 6]) -> std::ops::Range<usize> {
    let at = file.windows(6).position(|six| six == head).unwrap();
    at + 8..at + 8 + usize::from(u16::from_le_bytes([file[at + 6], file[at + 7]]))
}

#[test]
fn conflicts_and_strangers_are_held_and_the_rest_goes_on() {
    let slices: Vec<SynthInstance> = ct_slices(41, 4, 48).map(Result::unwrap).collect();
    let installation = Installation::started(Wish::default());
    let mut conflict = slices[0].clone();
    let last = conflict.file.len() - 1;
    conflict.file[last] ^= 1;
    let mut stranger = slices[2].clone();
    let patient = value(&stranger.file, *b"\x10\x00\x20\x00LO");
    for byte in stranger.file[patient].iter_mut().filter(|byte| byte.is_ascii_digit()) {
        *byte = b'9' - (*byte - b'0');
    }
    let steps: [(&[SynthInstance], &[ReasonCode], usize); 4] = [
        (&slices[..2], &[], 2),
        (&[conflict], &[ReasonCode::UidConflict], 2),
        (&[stranger], &[ReasonCode::MixedPatients, ReasonCode::UidConflict], 2),
        (&slices[3..], &[ReasonCode::MixedPatients, ReasonCode::UidConflict], 3),
    ];
    for (sent, reasons, clean) in steps {
        installation.push_all(sent);
        installation.settle();
        let counts = installation.catalog().quarantine_counts().unwrap();
        assert_eq!(counts.iter().map(|count| count.code).collect::<Vec<_>>(), reasons);
        assert_eq!(once(&installation.holdings(), Zone::Research).len(), clean);
    }
    // Two patients at once: nobody knows which is right.
    let other = Installation::started(Wish::default());
    let mut mixed = slices[..2].to_vec();
    let patient = value(&mixed[1].file, *b"\x10\x00\x20\x00LO");
    mixed[1].file[patient.end - 2] ^= 1;
    other.push_all(&mixed);
    other.settle();
    let counts = other.catalog().quarantine_counts().unwrap();
    assert_eq!((counts[0].code, counts[0].instances), (ReasonCode::MixedPatients, 2));
    assert!(!other.holdings().contains_key(&Zone::Research));
}

#[test]
fn the_same_instance_by_c_store_and_by_stow_is_one() {
    let slices: Vec<SynthInstance> = ct_slices(47, 2, 48).map(Result::unwrap).collect();
    let installation = Installation::started(Wish::default());
    installation.push_all(&slices);
    installation.settle();
    let files: Vec<&[u8]> = slices.iter().map(|one| one.file.as_slice()).collect();
    assert_eq!(installation.stow(&files), 200);
    installation.settle();
    let holdings = installation.holdings();
    assert_eq!(once(&holdings, Zone::Vault), digests(&slices));
    assert_eq!(once(&holdings, Zone::Research), digests(&slices));
    assert!(!holdings.contains_key(&Zone::Quarantine));
    let counters = installation.catalog().counters().unwrap();
    let total = |stage| counters.iter().find(|c| c.stage == stage).map_or(0, |c| c.total);
    assert_eq!((total(Stage::Received), total(Stage::Duplicate)), (4, 2));
}

#[test]
fn a_large_instance_goes_through_in_little_memory() {
    const BYTES: u64 = 500_000_000;
    // Half of one copy: what is held at once passes, what holds the instance does not.
    const MOST_KIB: u64 = BYTES / 2 / 1024;
    let installation = Installation::started(Wish::default());
    let path = installation.path("large.dcm");
    big_multiframe(43, BYTES, &mut BufWriter::new(File::create(&path).unwrap())).unwrap();
    let mut head = vec![0; 64 << 10];
    let mut file = File::open(&path).unwrap();
    file.read_exact(&mut head).unwrap();
    let peeked = scanveil_dataset::peek_part10(&head).unwrap();
    file.seek(SeekFrom::Start(peeked.data_set_at as u64)).unwrap();
    let class = peeked.sop_class_uid.unwrap();
    let syntax = peeked.transfer_syntax.unwrap_or(Uid::parse("1.2.840.10008.1.2.1").unwrap());
    let mut sender = installation.sender(&[(class.clone(), syntax.clone())]).unwrap();
    let name = peeked.sop_instance_uid.unwrap();
    let status = sender.store(&class, &name, &syntax, BufReader::new(file)).unwrap();
    assert_eq!(status, Status::SUCCESS);
    sender.release().unwrap();
    installation.settle();
    let counters = installation.json(&["hospital", "list"]);
    let scrubbed = counters.as_array().unwrap().iter().find(|one| one["stage"] == "scrubbed");
    assert_eq!(scrubbed.map(|one| &one["total"]), Some(&1.into()), "{}", installation.last_words());
    let peak = peak_rss_kib(installation.pid()).unwrap();

    assert!(peak < MOST_KIB, "{peak} KiB");
}
