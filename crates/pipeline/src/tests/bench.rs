//! An installation in a temporary folder, and instances to put through it.

use crate::content::Content;
use crate::group::StudyId;
use crate::study::{StudyReport, process, study_key};
use crate::{Config, PipelineError, Site, SiteMode};
use scanveil_catalog::{ObjectFilter, Outcome, QuarantineFilter};
use scanveil_dataset::peek_part10;
use scanveil_model::{Digest, HospitalId, IntakeMeta, ProjectName, Protocol, ReasonCode, Zone};
use scanveil_seal::PackReader;
use scanveil_storage::{FaultyStore, FolderStore, KeyPrefix, ObjectKey};
use scanveil_synth::{SynthInstance, ct_slices};
use scanveil_vault::SpooledInstance;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// Keeps its originals.
pub(super) const KEEPER: &str = "mercy";
/// Does not.
pub(super) const OTHER: &str = "grace";

/// A profile under which [`garbled`] instances are held back, while `basic` lets them pass.
pub(super) const HOLDING: &str = "research";

pub(super) struct Bench {
    // Fields drop in this order.
    pub(super) site: Arc<Site>,
    pub(super) store: Arc<FaultyStore>,
    pub(super) dir: TempDir,
    pub(super) more: String,
}

pub(super) fn hospital(id: &str) -> HospitalId {
    HospitalId::parse(id).unwrap()
}

pub(super) fn project() -> ProjectName {
    ProjectName::parse("research").unwrap()
}

/// Two hospitals, of which one keeps its originals.
pub(super) fn config(more: &str) -> String {
    let hospital = |id: &str, keep: bool| {
        format!(
            "[[hospital]]\nid = \"{id}\"\nkeep_originals = {keep}\n\
             retention = {{ class = \"care\", years = 30 }}\n"
        )
    };
    format!(
        "data_dir = \"data\"\n[spool]\nmin_free_bytes = 0\n[pipeline]\nquiet_ms = 0\njobs = 2\n\
         {}{}{more}",
        hospital(KEEPER, true),
        hospital(OTHER, false)
    )
}

impl Bench {
    pub(super) fn new() -> (Self, Vec<SpooledInstance>) {
        Self::with("")
    }

    /// With further lines in the configuration.
    pub(super) fn with(more: &str) -> (Self, Vec<SpooledInstance>) {
        let dir = tempfile::tempdir().unwrap();
        let (site, store, pending) = open(&dir, more);
        (Self { site, store, dir, more: more.to_owned() }, pending)
    }

    pub(super) fn settings(&self) -> Config {
        settings(&self.dir, &self.more)
    }

    /// Ends the process, as far as files can tell, and starts the next one.
    pub(super) fn restart(self) -> (Self, Vec<SpooledInstance>) {
        let Self { site, store, dir, more } = self;
        drop((site, store));
        let (site, store, pending) = open(&dir, &more);
        (Self { site, store, dir, more }, pending)
    }

    pub(super) fn receive(&self, hospital_id: &str, file: &[u8]) -> SpooledInstance {
        let hospital = hospital(hospital_id);
        let spool = self.site.spool().unwrap();
        let mut receiving = spool.receive(&hospital).unwrap();
        receiving.write_all(file).unwrap();
        let peeked = peek_part10(file).ok();
        let uid = |of: fn(&scanveil_dataset::Peeked) -> &Option<scanveil_model::Uid>| {
            peeked.as_ref().and_then(|peeked| of(peeked).clone())
        };
        let mut content = Content::new();
        content.push(file);
        receiving
            .commit(IntakeMeta {
                hospital,
                received_at_ms: 1_700_000_000_000,
                protocol: Protocol::Stow,
                peer: "127.0.0.1".to_owned(),
                calling: None,
                sop_class_uid: uid(|p| &p.sop_class_uid),
                sop_instance_uid: uid(|p| &p.sop_instance_uid),
                study_instance_uid: uid(|p| &p.study_instance_uid),
                series_instance_uid: uid(|p| &p.series_instance_uid),
                transfer_syntax: uid(|p| &p.transfer_syntax),
                content: content.finish(),
            })
            .unwrap()
    }

    /// Processes these, study by study.
    pub(super) fn work(
        &self,
        instances: Vec<SpooledInstance>,
    ) -> Result<Vec<StudyReport>, PipelineError> {
        let spool = self.site.spool().unwrap();
        let mut studies: BTreeMap<StudyId, Vec<SpooledInstance>> = BTreeMap::new();
        for instance in instances {
            let hospital = instance.meta().hospital.clone();
            let keys = self.site.keyring.hospital(&hospital).unwrap();
            let study = study_key(&keys.key, spool, &instance);
            studies.entry((hospital, study)).or_default().push(instance);
        }
        let each = studies.into_iter().map(|((id, study), instances)| {
            process(&self.site, &self.site.settings(), spool, (&id, study), instances)
        });
        each.collect()
    }

    /// Receives files and processes them; nothing may stay in the spool.
    pub(super) fn push(&self, hospital: &str, files: &[Vec<u8>]) -> Vec<StudyReport> {
        let received = files.iter().map(|file| self.receive(hospital, file)).collect();
        let reports = self.work(received).unwrap();
        assert_eq!(self.site.spool().unwrap().stats().pending, 0);
        reports
    }

    /// Digests of what a zone holds by the catalogue, each as often as it is there. In research
    /// only what the newest generations were made from.
    pub(super) fn holds(&self, zone: Zone) -> Vec<Digest> {
        let objects = match zone {
            Zone::Research => self.site.catalog.current_objects(&project()).unwrap(),
            zone => {
                let filter = ObjectFilter { zone: Some(zone), ..ObjectFilter::default() };
                self.site.catalog.objects(&filter, u32::MAX).unwrap()
            }
        };
        let mut digests = Vec::new();
        for object in objects {
            // What the catalogue says is what the pack holds, byte for byte.
            let key = ObjectKey::new(zone, object.hospital.clone(), object.object);
            let subject =
                self.site.keyring.existing_subject(&object.hospital, &object.subject).unwrap();
            let reader = self.site.store.open(&key).unwrap();
            let pack = PackReader::open(reader, |_| Ok(subject.zone_key(zone))).unwrap();
            pack.verify().unwrap();
            let records = self.site.catalog.instances(&object.object).unwrap();
            assert_eq!(records.len(), pack.index().entries.len());
            for (record, entry) in records.iter().zip(&pack.index().entries) {
                assert_eq!(record.digest, entry.digest);
                digests.push(record.source.unwrap_or(record.digest));
            }
        }
        digests.sort_unstable();
        digests
    }

    /// Reasons of what is held, sorted.
    pub(super) fn reasons(&self) -> Vec<ReasonCode> {
        let held = self.site.catalog.quarantine(&QuarantineFilter::default(), 1000).unwrap();
        let mut codes: Vec<ReasonCode> = held.into_iter().map(|record| record.code).collect();
        codes.sort_unstable();
        codes
    }

    /// What is remembered of an instance.
    pub(super) fn outcome(&self, hospital_id: &str, file: &[u8]) -> Option<Outcome> {
        let hospital = hospital(hospital_id);
        let uid = peek_part10(file).unwrap().sop_instance_uid.unwrap();
        let keys = self.site.keyring.hospital(&hospital).unwrap();
        let sop = keys.key.keyed_id("instance", uid.as_str().as_bytes());
        let known = self.site.catalog.known_instance(&hospital, &sop).unwrap();
        known.map(|known| known.outcome)
    }

    /// The store has what the catalogue says and nothing else, and nothing else is left over.
    pub(super) fn assert_tidy(&self) {
        let stored: BTreeSet<_> = self
            .site
            .store
            .objects(KeyPrefix::All)
            .map(|info| info.unwrap().key.object())
            .collect();
        let all = self.site.catalog.objects(&ObjectFilter::default(), u32::MAX).unwrap();
        let known: BTreeSet<_> = all.into_iter().map(|object| object.object).collect();
        assert_eq!(stored, known);
        for folder in ["attempts", "service"] {
            let left: Vec<PathBuf> =
                std::fs::read_dir(self.dir.path().join("data/work").join(folder))
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
                    .collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }
}

fn settings(dir: &TempDir, more: &str) -> Config {
    let mut config = Config::parse(&config(more)).unwrap();
    config.data_dir = dir.path().join("data");
    config
}

fn open(dir: &TempDir, more: &str) -> (Arc<Site>, Arc<FaultyStore>, Vec<SpooledInstance>) {
    let config = settings(dir, more);
    let objects = config.data_dir.join("objects");
    std::fs::create_dir_all(&objects).unwrap();
    let folder = FolderStore::open(&objects).unwrap();
    let store = Arc::new(FaultyStore::new(Arc::new(folder)));
    let (site, pending) =
        Site::open_on(config, SiteMode::Service, Arc::clone(&store) as _).unwrap();
    (site, store, pending)
}

/// Slices of one CT series.
pub(super) fn slices(n: usize) -> Vec<Vec<u8>> {
    instances(n).into_iter().map(|instance| instance.file).collect()
}

pub(super) fn instances(n: usize) -> Vec<SynthInstance> {
    ct_slices(11, n, 32).map(Result::unwrap).collect()
}

pub(super) fn digest(file: &[u8]) -> Digest {
    Digest(*blake3::hash(file).as_bytes())
}

pub(super) fn digests(files: &[Vec<u8>]) -> Vec<Digest> {
    let mut digests: Vec<Digest> = files.iter().map(|file| digest(file)).collect();
    digests.sort_unstable();
    digests
}

/// The same instance with other pixels.
pub(super) fn other_pixels(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let last = file.len() - 2;
    file[last] ^= 1;
    file
}

/// Where the value of a short explicit little-endian element stands.
fn value(file: &[u8], tag: [u8; 4], vr: &[u8; 2]) -> std::ops::Range<usize> {
    let head = [tag.as_slice(), vr].concat();
    let at = file.windows(6).position(|six| six == head).expect("the element is there");
    let length = u16::from_le_bytes([file[at + 6], file[at + 7]]);
    at + 8..at + 8 + usize::from(length)
}

/// The same instance of another patient.
pub(super) fn other_patient(file: &[u8]) -> Vec<u8> {
    let at = value(file, [0x10, 0, 0x20, 0], b"LO");
    let mut file = file.to_vec();
    for byte in &mut file[at] {
        if byte.is_ascii_digit() {
            *byte = b'0' + (*byte - b'0' + 5) % 10;
        }
    }
    file
}

/// The same instance, declared to have text in its pixels: it is held back.
pub(super) fn burned_in(file: &[u8]) -> Vec<u8> {
    let at = value(file, [0x28, 0, 0x01, 0x03], b"CS");
    let mut file = file.to_vec();
    assert_eq!(&file[at.clone()], b"NO");
    file.splice(at, *b"YE");
    file
}

/// The same instance with a description that is in no character set: a profile that keeps cleaned
/// descriptions cannot tell what it says.
pub(super) fn garbled(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = value(&file, [0x08, 0, 0x30, 0x10], b"LO");
    file[at.start - 2..at.start].copy_from_slice(&8u16.to_le_bytes());
    file.splice(at, *b"\xff\x81\xff\x81 \xff\x81 ");
    file
}
