//! A spool in a temporary folder, and a disk whose operations can be counted, held and failed.

use super::super::disk::{Disk, RealDisk};
use super::super::*;
use scanveil_model::{Digest, IntakeMeta, Protocol, Uid};
use scanveil_seal::{HospitalKey, SealError, ZoneKey};
use std::fs::{self, File};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

/// Bytes that never repeat, from a seed.
pub(crate) struct Seeded {
    seed: u64,
    counter: AtomicU64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, counter: AtomicU64::new(0) }
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(&self.counter.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}

/// The same key in every process, for every hospital but one.
pub(crate) struct TestKeys(HospitalKey);

impl TestKeys {
    pub(crate) fn new(seed: u64) -> Self {
        Self(HospitalKey::generate(&Seeded::new(seed)))
    }
}

impl SpoolKeys for TestKeys {
    fn intake_key(&self, hospital: &HospitalId) -> Result<ZoneKey, SealError> {
        if hospital.as_str() == "no-keys" {
            return Err(SealError::KeyUnknown);
        }
        Ok(self.0.intake_key())
    }
}

pub(crate) fn hospital() -> HospitalId {
    HospitalId::parse("st-test").unwrap()
}

pub(crate) fn meta(received_at_ms: i64) -> IntakeMeta {
    let uid = |text: &str| Some(Uid::parse(text).unwrap());
    IntakeMeta {
        hospital: hospital(),
        received_at_ms,
        protocol: Protocol::Dimse,
        peer: "192.0.2.7".into(),
        calling: Some("MODALITY".into()),
        sop_class_uid: uid("1.2.840.10008.5.1.4.1.1.2"),
        sop_instance_uid: uid("1.2.3.4"),
        study_instance_uid: uid("1.2.3"),
        series_instance_uid: uid("1.2.3.1"),
        transfer_syntax: uid("1.2.840.10008.1.2.1"),
        content: Some(Digest([3; 32])),
    }
}

/// Content that differs from page to page.
pub(crate) fn bytes(seed: u8, length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut out);
    out
}

pub(crate) fn pending_ids(pending: &[SpooledInstance]) -> Vec<SpoolId> {
    let mut ids: Vec<_> = pending.iter().map(SpooledInstance::id).collect();
    ids.sort_unstable();
    ids
}

/// A spool's folder with small limits, so that segments roll and files of their own are made.
pub(crate) struct Rig {
    _dir: tempfile::TempDir,
    pub(crate) config: SpoolConfig,
    pub(crate) disk: Arc<TestDisk>,
    entropy: Arc<Seeded>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = SpoolConfig {
            max_bytes: 64 << 20,
            min_free_bytes: 0,
            inline_limit: 64 << 10,
            segment_bytes: 256 << 10,
            max_pending: 1000,
            ..SpoolConfig::new(dir.path().join("deep/spool"))
        };
        let disk = Arc::new(TestDisk::default());
        Self { _dir: dir, config, disk, entropy: Arc::new(Seeded::new(1)) }
    }

    pub(crate) fn try_open(&self) -> Result<(Arc<Spool>, Vec<SpooledInstance>), SpoolError> {
        let keys = Arc::new(TestKeys::new(7));
        let entropy = Arc::clone(&self.entropy);
        let disk = Arc::clone(&self.disk);
        Spool::open_on(self.config.clone(), keys, entropy, disk)
    }

    pub(crate) fn open(&self) -> (Arc<Spool>, Vec<SpooledInstance>) {
        self.try_open().unwrap()
    }

    pub(crate) fn commit(
        &self,
        spool: &Spool,
        content: &[u8],
        received_at_ms: i64,
    ) -> Result<SpooledInstance, SpoolError> {
        let mut receiving = spool.receive(&hospital())?;
        for part in content.chunks(16_000) {
            if receiving.write_all(part).is_err() {
                break;
            }
        }
        receiving.commit(meta(received_at_ms))
    }

    /// The segments' and records' files there are; not the lock.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let folders = ["segments", "large"].map(|name| self.config.dir.join(name));
        let list = |folder: &PathBuf| fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
        let mut files: Vec<_> = folders.iter().flat_map(list).collect();
        files.sort();
        files
    }

    pub(crate) fn files_named(&self, extension: &str) -> Vec<PathBuf> {
        self.files().into_iter().filter(|path| path.extension().unwrap() == extension).collect()
    }
}

/// The disk with a hook before every operation. Syncs are skipped: no test here cuts the power, and
/// the kernel keeps what a killed process wrote.
#[derive(Default)]
pub(crate) struct TestDisk {
    pub(crate) operations: AtomicUsize,
    pub(crate) syncs: AtomicUsize,
    /// The number of the operation that fails, from 1; 0 for none.
    pub(crate) fail_at: AtomicUsize,
    /// How many operations fail from that one on.
    pub(crate) fail_count: AtomicUsize,
    pub(crate) failed: AtomicBool,
    /// While set, a sync waits.
    pub(crate) hold_syncs: AtomicBool,
    /// Overrides the free space when not 0.
    pub(crate) free: AtomicU64,
    pub(crate) errno: AtomicUsize,
}

impl TestDisk {
    /// Fails operations from now on: the one with this number (0 for none) and those behind it.
    pub(crate) fn fail(&self, at: usize, count: usize) {
        self.operations.store(0, Ordering::SeqCst);
        self.failed.store(false, Ordering::SeqCst);
        self.fail_count.store(count, Ordering::SeqCst);
        self.fail_at.store(at, Ordering::SeqCst);
    }

    fn step(&self) -> io::Result<()> {
        let number = self.operations.fetch_add(1, Ordering::SeqCst) + 1;
        let at = self.fail_at.load(Ordering::SeqCst);
        let count = self.fail_count.load(Ordering::SeqCst);
        if at > 0 && number >= at && number - at < count {
            self.failed.store(true, Ordering::SeqCst);
            let errno = match self.errno.load(Ordering::SeqCst) {
                0 => rustix::io::Errno::IO.raw_os_error(),
                other => i32::try_from(other).unwrap(),
            };
            return Err(io::Error::from_raw_os_error(errno));
        }
        Ok(())
    }
}

impl Disk for TestDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.step()?;
        RealDisk.create(path)
    }
    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.step()?;
        RealDisk.allocate(file, bytes)
    }
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if let Err(error) = self.step() {
            // What a failing disk took before it failed.
            RealDisk.write_at(file, &bytes[..bytes.len() / 2], offset)?;
            return Err(error);
        }
        RealDisk.write_at(file, bytes, offset)
    }
    fn truncate(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.step()?;
        RealDisk.truncate(file, bytes)
    }
    fn sync(&self, _file: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        while self.hold_syncs.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        self.step()
    }
    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        self.step()
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.remove(path)
    }
    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        self.step()?;
        match self.free.load(Ordering::SeqCst) {
            0 => RealDisk.free_bytes(folder),
            free => Ok(free),
        }
    }
}
