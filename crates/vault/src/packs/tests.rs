use super::*;
use crate::intake::{SpoolId, SpoolKeys};
use crate::spool::SpoolConfig;
use scanveil_model::{Digest, IntakeMeta, Protocol, ReasonCode, Uid, Zone};
use scanveil_seal::{PackReader, SealError, ZoneKey};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        blake3::Hasher::new().update(&number.to_le_bytes()).finalize_xof().fill(bytes);
    }
}

struct Keys(HospitalKey);

impl SpoolKeys for Keys {
    fn intake_key(&self, _hospital: &HospitalId) -> Result<ZoneKey, SealError> {
        Ok(self.0.intake_key())
    }
}

fn meta(series: &str, instance: &str) -> IntakeMeta {
    let uid = |text: &str| Some(Uid::parse(text).unwrap());
    IntakeMeta {
        hospital: HospitalId::parse("st-test").unwrap(),
        received_at_ms: 77,
        protocol: Protocol::Stow,
        peer: "192.0.2.7".into(),
        calling: None,
        sop_class_uid: uid("1.2.840.10008.5.1.4.1.1.2"),
        sop_instance_uid: uid(instance),
        study_instance_uid: uid("1.2.3"),
        series_instance_uid: uid(series),
        transfer_syntax: uid("1.2.840.10008.1.2.1"),
        content: Some(Digest([3; 32])),
    }
}

fn receipt(number: u8, series: &str, length: u64) -> SpooledInstance {
    let id = SpoolId::from_bytes([number; 16]);
    let instance = meta(series, &format!("1.2.3.{number}"));
    SpooledInstance::new(id, instance, Digest([number; 32]), length)
}

struct Bench {
    dir: tempfile::TempDir,
    spool: Arc<Spool>,
    entropy: Arc<Counter>,
    hospital: HospitalId,
    hospital_key: HospitalKey,
    subject_key: SubjectKey,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let entropy = Arc::new(Counter(AtomicU64::new(0)));
        let keys = Arc::new(Keys(HospitalKey::generate(entropy.as_ref())));
        let config = SpoolConfig {
            inline_limit: 64 << 10,
            segment_bytes: 1 << 20,
            min_free_bytes: 0,
            ..SpoolConfig::new(dir.path().join("spool"))
        };
        let source: Arc<dyn Entropy> = entropy.clone();
        let (spool, _) = Spool::open(config, keys, source).unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        Self {
            hospital: HospitalId::parse("st-test").unwrap(),
            hospital_key: HospitalKey::generate(entropy.as_ref()),
            subject_key: SubjectKey::generate(entropy.as_ref()),
            dir,
            spool,
            entropy,
        }
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn receive(&self, content: &[u8], instance: &str) -> SpooledInstance {
        let mut receiving = self.spool.receive(&self.hospital).unwrap();
        receiving.write_all(content).unwrap();
        receiving.commit(meta("1.2.3.1", instance)).unwrap()
    }

    fn owner(&self) -> PackOwner<'_> {
        PackOwner {
            hospital: &self.hospital,
            hospital_key: &self.hospital_key,
            subject: SubjectId([4; 16]),
            subject_key: &self.subject_key,
            study_key: StudyKey([5; 16]),
        }
    }

    fn read(&self, pack: &LocalPack) -> (Vec<PackEntry>, Vec<Vec<u8>>) {
        let zone = pack.object().zone();
        let sealed = fs::read(pack.path()).unwrap();
        assert_eq!(sealed.len() as u64, pack.object().bytes());
        assert_eq!(*blake3::hash(&sealed).as_bytes(), pack.object().digest().0);
        let reader = PackReader::open(sealed, |_| Ok(self.subject_key.zone_key(zone))).unwrap();
        let content = |entry: &PackEntry| {
            let mut out = Vec::new();
            reader.instance(entry).unwrap().read_to_end(&mut out).unwrap();
            out
        };
        let entries = reader.index().entries.clone();
        let contents = entries.iter().map(content).collect();
        (entries, contents)
    }
}

#[test]
fn originals_come_out_of_their_pack_as_they_were_received() {
    let bench = Bench::new();
    let contents = [b"first".to_vec(), vec![7; 700_000], Vec::new()];
    let instances: Vec<_> = contents
        .iter()
        .enumerate()
        .map(|(number, content)| bench.receive(content, &format!("1.2.3.1.{number}")))
        .collect();
    let dir = bench.work();
    let place = PackBench { spool: &bench.spool, dir: &dir, entropy: bench.entropy.as_ref() };
    let pack = pack_originals(&place, &bench.owner(), &instances).unwrap();
    assert_eq!(pack.object().zone(), Zone::Vault);
    let (entries, read) = bench.read(&pack);
    assert!(read == contents);
    assert_eq!(entries[1].sop_instance_uid, instances[1].meta().sop_instance_uid);
    assert_eq!(entries[1].digest, instances[1].digest());
    assert_eq!(entries[0].attributes["intake.protocol"], "stow");
    assert_eq!(entries[0].attributes["intake.received_at_ms"], "77");
    assert!(entries.iter().all(|entry| entry.reasons.is_empty()));

    let again = pack_originals(&place, &bench.owner(), &instances).unwrap();
    assert_eq!(again.object().object_id(), pack.object().object_id());
    let fewer = pack_originals(&place, &bench.owner(), &instances[1..]).unwrap();
    assert_ne!(fewer.object().object_id(), pack.object().object_id());
    drop((pack, again, fewer));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
}

#[test]
fn quarantined_instances_keep_their_reasons() {
    let bench = Bench::new();
    let instance = bench.receive(b"burned in", "1.2.3.1.9");
    let reasons = vec![Reason::new(ReasonCode::BurnedInText, "2 regions")];
    let dir = bench.work();
    let place = PackBench { spool: &bench.spool, dir: &dir, entropy: bench.entropy.as_ref() };
    let held = [(instance.clone(), reasons.clone())];
    let pack = pack_quarantined(&place, &bench.owner(), &held).unwrap();
    assert_eq!(pack.object().zone(), Zone::Quarantine);
    let (entries, read) = bench.read(&pack);
    assert_eq!((&entries[0].reasons, &read[0]), (&reasons, &b"burned in".to_vec()));
    let original = pack_originals(&place, &bench.owner(), &[instance]).unwrap();
    assert_ne!(original.object().object_id(), pack.object().object_id());
}

#[test]
fn a_pack_that_fails_leaves_no_file() {
    let bench = Bench::new();
    let kept = bench.receive(b"kept", "1.2.3.1.1");
    let finished = bench.receive(b"finished", "1.2.3.1.2");
    bench.spool.finish(&[finished.id()]).unwrap();
    let dir = bench.work();
    let place = PackBench { spool: &bench.spool, dir: &dir, entropy: bench.entropy.as_ref() };
    let gone = pack_originals(&place, &bench.owner(), &[kept.clone(), finished]);
    assert!(matches!(gone, Err(SpoolError::NotPending)), "{gone:?}");
    let elsewhere = HospitalId::parse("elsewhere").unwrap();
    let owner = PackOwner { hospital: &elsewhere, ..bench.owner() };
    assert!(matches!(pack_originals(&place, &owner, &[kept]), Err(SpoolError::Details(_))));
    assert!(matches!(pack_originals(&place, &bench.owner(), &[]), Err(SpoolError::Sealed(_))));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    fs::write(dir.join(format!("{}.{LOCAL_EXTENSION}", "ab".repeat(16))), b"left").unwrap();
    fs::write(dir.join("other"), b"not ours").unwrap();
    sweep_local_packs(&dir).unwrap();
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
}

#[test]
fn groups_keep_series_apart_and_sizes_within_limits() {
    const MIB: u64 = 1 << 20;
    type Row = (&'static [(&'static str, u64)], &'static [usize]);
    let table: &[Row] = &[
        (&[], &[]),
        (&[("1.1", 1), ("1.1", 1), ("1.2", 1)], &[2, 1]),
        (&[("1.1", 40 * MIB), ("1.1", 20 * MIB), ("1.1", 5 * MIB)], &[2, 1]),
        (&[("1.1", 1), ("1.1", 500 * MIB), ("1.1", 1)], &[1, 1, 1]),
    ];
    for (instances, expected) in table {
        let receipts: Vec<_> = instances
            .iter()
            .enumerate()
            .map(|(number, (series, length))| receipt(number as u8, series, *length))
            .collect();
        let mut reversed = receipts.clone();
        reversed.reverse();
        let groups = pack_groups(receipts);
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), *expected);
        assert_eq!(pack_groups(reversed), groups);
    }
    let many = (0..PACK_MAX_INSTANCES + 1).map(|n| receipt(n as u8, "1.1", 1)).collect();
    let lengths: Vec<_> = pack_groups(many).iter().map(Vec::len).collect();
    assert_eq!(lengths, [PACK_MAX_INSTANCES, 1]);
}
