//! A project with scrubbed, sealed and stored instances.

use crate::{
    Progress, ReleaseError, ReleaseFilter, ReleaseManifest, ReleaseMode, ReleaseRequest,
    ReleaseSources, Unreadable, create,
};
use scanveil_catalog::{Catalog, Outcomes, Publication, RecordId};
use scanveil_dataset::{Encoding, Limits, Tag, Vr, Writer, file_meta, open_slice};
use scanveil_model::{
    Digest, Generation, HospitalId, ObjectId, ObjectTags, ProjectName, Reason, ReasonCode,
    RetentionClass, SubjectId, Zone,
};
use scanveil_scrub::{Certifying, Profile, ProjectSecret, StudyIdentity, StudyScrubber};
use scanveil_seal::{
    Entropy, PackEntry, PackMeta, PackWriter, RawZone, ResearchKeys, ResearchMeta, ResearchPack,
    SealError, SealedObject, StudyKey, SubjectKey, ZoneKey,
};
use scanveil_storage::{FolderStore, ObjectKey, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const LITTLE: &str = "1.2.840.10008.1.2.1";
pub(super) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(super) const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
/// What identifies and must not be found in a release.
pub(super) const PLANTED: &[&str] =
    &["Planted^Name", "PLANTED-77", "1.2.826.0.1.3680043.8.498", "st-wystan"];

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&n[..chunk.len()]);
        }
    }
}

/// One subject's key, which can be destroyed.
pub(super) struct Keys {
    key: SubjectKey,
    pub(super) destroyed: AtomicBool,
}

impl ResearchKeys for Keys {
    fn zone_key(&self, _: &HospitalId, _: &SubjectId) -> Result<ZoneKey, SealError> {
        if self.destroyed.load(Ordering::Relaxed) {
            return Err(SealError::KeyDestroyed);
        }
        Ok(self.key.zone_key(Zone::Research))
    }
}

/// One instance before it is scrubbed.
#[derive(Clone, Copy)]
pub(super) struct Instance {
    pub(super) sop_class: &'static str,
    pub(super) series: u32,
    pub(super) number: u32,
    pub(super) side: u16,
    pub(super) manufacturer: &'static str,
    pub(super) pixel: u8,
}

pub(super) fn instance(series: u32, number: u32) -> Instance {
    Instance { sop_class: CT, series, number, side: 8, manufacturer: "Acme", pixel: 7 }
}

impl Instance {
    fn bytes(&self, study: u8) -> Vec<u8> {
        let root = format!("{}.{study}", PLANTED[2]);
        let (series, sop) = (format!("{root}.{}", self.series), {
            format!("{root}.{}.{}", self.series, self.number)
        });
        let modality: &[u8] = if self.sop_class == CT { b"CT" } else { b"MR" };
        let mut bytes = file_meta(self.sop_class, &sop, LITTLE);
        let encoding = Encoding { explicit: true, big_endian: false };
        let mut writer = Writer::new(&mut bytes);
        let mut put = |tag: u32, vr, value: &[u8]| {
            let tag = Tag::new((tag >> 16) as u16, tag as u16);
            writer.element(tag, vr, value, encoding);
        };
        let word = |n: u16| n.to_le_bytes();
        put(0x0008_0008, Vr::CS, b"ORIGINAL\\PRIMARY\\AXIAL");
        put(0x0008_0016, Vr::UI, self.sop_class.as_bytes());
        put(0x0008_0018, Vr::UI, sop.as_bytes());
        put(0x0008_0020, Vr::DA, b"20260102");
        put(0x0008_0060, Vr::CS, modality);
        put(0x0008_0070, Vr::LO, self.manufacturer.as_bytes());
        put(0x0010_0010, Vr::PN, PLANTED[0].as_bytes());
        put(0x0010_0020, Vr::LO, PLANTED[1].as_bytes());
        put(0x0018_0050, Vr::DS, b"1.5");
        put(0x0020_000d, Vr::UI, root.as_bytes());
        put(0x0020_000e, Vr::UI, series.as_bytes());
        put(0x0020_0011, Vr::IS, self.series.to_string().as_bytes());
        put(0x0020_0013, Vr::IS, self.number.to_string().as_bytes());
        put(0x0028_0002, Vr::US, &word(1));
        put(0x0028_0004, Vr::CS, b"MONOCHROME2");
        put(0x0028_0010, Vr::US, &word(self.side));
        put(0x0028_0011, Vr::US, &word(self.side));
        put(0x0028_0030, Vr::DS, b"0.5\\0.5");
        put(0x0028_0100, Vr::US, &word(16));
        put(0x0028_0101, Vr::US, &word(12));
        put(0x0028_0102, Vr::US, &word(11));
        put(0x0028_0103, Vr::US, &word(0));
        let pixels = vec![self.pixel & 0x0f; usize::from(self.side) * usize::from(self.side) * 2];
        put(0x7fe0_0010, Vr::OW, &pixels);
        bytes
    }
}

pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    pub(super) catalog: Catalog,
    pub(super) store: Store,
    pub(super) keys: Arc<Keys>,
    pub(super) profile: Profile,
    /// Whose instances are made.
    pub(super) hospital: HospitalId,
    secret: ProjectSecret,
    entropy: Counting,
    /// What must be in the release: path below `data/` by content, as the scrubber wrote it.
    pub(super) scrubbed: Vec<Vec<u8>>,
}

pub(super) fn hospital() -> HospitalId {
    HospitalId::parse("st-wystan").unwrap()
}

pub(super) fn project() -> ProjectName {
    ProjectName::parse("lungs").unwrap()
}

pub(super) fn digest(bytes: &[u8]) -> Digest {
    Digest(*blake3::hash(bytes).as_bytes())
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let entropy = Counting(AtomicU64::new(1));
        let store = FolderStore::open(&folder.path().join("store")).unwrap();
        let key = SubjectKey::generate(&entropy);
        Self {
            catalog: Catalog::open(&folder.path().join("catalog.db")).unwrap(),
            store: Store::new(Arc::new(store)),
            keys: Arc::new(Keys { key, destroyed: AtomicBool::new(false) }),
            profile: Profile::builtin("basic").unwrap(),
            hospital: hospital(),
            secret: ProjectSecret::new(&[7; 32]),
            entropy,
            scrubbed: Vec::new(),
            folder,
        }
    }

    /// Two studies: a CT with two series, and an MR. Each has its certificate.
    pub(super) fn filled() -> Self {
        let mut world = Self::new();
        world.research(1, 1, 1, &[instance(1, 1), instance(1, 2), instance(1, 3)]);
        world.certified(2, 1, 1, &[Instance { manufacturer: "=1+2", ..instance(2, 1) }]);
        world.certified(3, 2, 1, &[Instance { sop_class: MR, ..instance(1, 1) }]);
        world
    }

    /// Scrubs, seals, stores and publishes instances of one study, in a pack that carries no
    /// certificate.
    pub(super) fn research(
        &mut self,
        object: u8,
        study: u8,
        generation: u32,
        instances: &[Instance],
    ) {
        let (pack, _) = self.pack(object, study, generation, instances);
        let (bytes, sealed) = pack.finish().unwrap();
        self.publish(&sealed, &bytes);
    }

    /// The same, in a pack that carries a certificate, which is given.
    pub(super) fn certified(
        &mut self,
        object: u8,
        study: u8,
        generation: u32,
        instances: &[Instance],
    ) -> String {
        let (pack, certifying) = self.pack(object, study, generation, instances);
        let certificate = certifying.finish(&self.profile).unwrap();
        let (bytes, sealed) = pack.finish_certified(&certificate).unwrap();
        self.publish(&sealed, &bytes);
        certificate.to_json()
    }

    fn pack(
        &mut self,
        object: u8,
        study: u8,
        generation: u32,
        instances: &[Instance],
    ) -> (ResearchPack<Vec<u8>>, Certifying) {
        let mut certifying = Certifying::new();
        let meta = ResearchMeta {
            hospital: self.hospital.clone(),
            subject: SubjectId([7; 16]),
            project: project(),
            generation: Generation(generation),
            profile: self.profile.label(),
            study_key: StudyKey([study; 16]),
            received_at_ms: 1000,
        };
        let key = self.keys.key.zone_key(Zone::Research);
        let id = ObjectId([object; 16]);
        let mut pack = ResearchPack::new(Vec::new(), id, meta, &key, &self.entropy).unwrap();
        let limits = Limits::default();
        for one in instances {
            let bytes = one.bytes(study);
            let (header, body) = open_slice(&bytes, &limits).unwrap();
            let mut identity = StudyIdentity::new();
            identity.observe(&header).unwrap();
            let scrubber = StudyScrubber::new(&self.profile, &self.secret, identity).unwrap();
            let mut out = Vec::new();
            let scrubbed = scrubber.scrub(&header, body, &mut out).unwrap();
            pack.append(&scrubbed, digest(&bytes), &out).unwrap();
            certifying.clean(&scrubbed);
            self.scrubbed.push(out);
        }
        (pack, certifying)
    }

    /// Puts an original of a study into quarantine.
    pub(super) fn quarantine(&self, object: u8, study: u8, one: Instance, code: ReasonCode) {
        let meta = PackMeta {
            zone: RawZone::Quarantine,
            hospital: self.hospital.clone(),
            subject: SubjectId([7; 16]),
            study_key: StudyKey([study; 16]),
            received_at_ms: 1000,
        };
        let key = self.keys.key.zone_key(Zone::Quarantine);
        let id = ObjectId([object; 16]);
        let mut pack = PackWriter::new(Vec::new(), id, meta, &key, &self.entropy).unwrap();
        let bytes = one.bytes(study);
        let entry = PackEntry {
            sop_instance_uid: None,
            sop_class_uid: None,
            series_instance_uid: None,
            study_instance_uid: None,
            transfer_syntax: None,
            offset: 0,
            length: bytes.len() as u64,
            digest: digest(&bytes),
            source: None,
            reasons: vec![Reason::new(code, "fixed words")],
            attributes: BTreeMap::new(),
        };
        pack.append(entry, &bytes).unwrap();
        let (bytes, sealed) = pack.finish().unwrap();
        self.publish(&sealed, &bytes);
    }

    fn publish(&self, sealed: &SealedObject, bytes: &[u8]) {
        let index = sealed.index();
        let file = self.folder.path().join("sealed");
        std::fs::write(&file, bytes).unwrap();
        let tags = ObjectTags {
            hospital: index.hospital.clone(),
            zone: index.zone,
            retention_class: RetentionClass(HospitalId::parse("research-10y").unwrap()),
            retain_until: "2036-01-01".into(),
            profile: index.profile.clone().unwrap_or_else(|| "none".into()),
            generation: index.generation,
            project: index.project.clone(),
        };
        let stored = self.store.put_sealed(sealed, &file, &tags).unwrap();
        let objects = [Publication { stored: &stored, index }];
        let outcomes = Outcomes { objects: &objects, engine: "1.0.0", ..Outcomes::default() };
        self.catalog.publish(&outcomes).unwrap();
    }

    /// The key of a research object.
    pub(super) fn key(&self, object: u8) -> ObjectKey {
        ObjectKey::new(Zone::Research, hospital(), ObjectId([object; 16]))
    }

    /// The file of a research object in the store's folder.
    pub(super) fn object_file(&self, object: u8) -> PathBuf {
        let wanted = self.key(object).to_string();
        let files = all_files(&self.folder.path().join("store"));
        files.into_iter().find(|file| file.to_string_lossy().ends_with(&wanted)).unwrap()
    }

    pub(super) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub(super) fn request(&self) -> ReleaseRequest {
        ReleaseRequest {
            release: RecordId::parse("lungs-1").unwrap(),
            project: project(),
            out: self.out(),
            mode: ReleaseMode::New,
            admitted: [hospital()].into(),
            configured: [hospital()].into(),
            profile: self.profile.label(),
            only_profile: false,
            filter: ReleaseFilter::default(),
            unreadable: Unreadable::Fail,
            created_at_ms: 1_767_225_600_000,
            engine: "1.0.0".into(),
            jobs: 2,
            citation: None,
            contact: Some("data@example.org".into()),
        }
    }

    pub(super) fn create(&self, request: &ReleaseRequest) -> Result<ReleaseManifest, ReleaseError> {
        self.create_seen(request, &|_| {})
    }

    pub(super) fn create_seen(
        &self,
        request: &ReleaseRequest,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<ReleaseManifest, ReleaseError> {
        self.create_beside(request, progress, &BTreeSet::new)
    }

    /// As [`World::create`], under another name.
    pub(super) fn create_as(
        &self,
        name: &str,
        request: ReleaseRequest,
    ) -> Result<ReleaseManifest, ReleaseError> {
        let release = RecordId::parse(name).unwrap();
        self.create(&ReleaseRequest { release, ..request })
    }

    /// As [`World::create`], while objects are being put.
    pub(super) fn create_beside(
        &self,
        request: &ReleaseRequest,
        progress: &(dyn Fn(Progress) + Sync),
        under_way: &(dyn Fn() -> BTreeSet<ObjectKey> + Sync),
    ) -> Result<ReleaseManifest, ReleaseError> {
        let sources = ReleaseSources {
            catalog: &self.catalog,
            store: &self.store,
            keys: &*self.keys,
            under_way: &|| Ok(under_way()),
        };
        create(request, &sources, progress)
    }
}

pub(super) fn all_files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(all_files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}
