//! Measures how many instances a second become durable in the spool.
//!
//! `cargo run --release -p scanveil-vault --example spool_speed -- [FOLDER] [SECONDS]`
//!
//! Put FOLDER on the disk to be measured; a temporary folder in memory measures nothing.

use scanveil_model::{HospitalId, IntakeMeta, Protocol};
use scanveil_seal::{Entropy, HospitalKey, SealError, ZoneKey};
use scanveil_vault::{Spool, SpoolConfig, SpoolKeys};
use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What a DIMSE receiver hands over at a time.
const PART: usize = 16 * 1024;

/// A stream of bytes seeded by the system: for a measurement only.
struct Stream(Mutex<blake3::OutputReader>);

impl Stream {
    fn new() -> std::io::Result<Self> {
        let mut seed = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut seed)?;
        Ok(Self(Mutex::new(blake3::Hasher::new_keyed(&seed).finalize_xof())))
    }
}

impl Entropy for Stream {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill(bytes);
    }
}

struct Keys(HospitalKey);

impl SpoolKeys for Keys {
    fn intake_key(&self, _hospital: &HospitalId) -> Result<ZoneKey, SealError> {
        Ok(self.0.intake_key())
    }
}

fn meta(hospital: &HospitalId) -> IntakeMeta {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    IntakeMeta {
        hospital: hospital.clone(),
        received_at_ms: i64::try_from(now.as_millis()).unwrap_or(0),
        protocol: Protocol::Dimse,
        peer: "192.0.2.7".into(),
        calling: Some("MODALITY".into()),
        sop_class_uid: None,
        sop_instance_uid: None,
        study_instance_uid: None,
        series_instance_uid: None,
        transfer_syntax: None,
        content: None,
    }
}

fn measure(
    folder: &Path,
    threads: usize,
    bytes: usize,
    time: Duration,
) -> Result<f64, Box<dyn Error + Send + Sync>> {
    let dir = folder.join(format!("spool-speed-{}", std::process::id()));
    let entropy = Arc::new(Stream::new()?);
    let keys = Arc::new(Keys(HospitalKey::generate(entropy.as_ref())));
    let hospital = HospitalId::parse("measured")?;
    let (spool, _) = Spool::open(SpoolConfig::new(&dir), keys, entropy)?;
    let count = AtomicU64::new(0);
    let start = Instant::now();
    let outcome = thread::scope(|scope| {
        let worker = || -> Result<(), Box<dyn Error + Send + Sync>> {
            let content = vec![0x5a; bytes];
            let mut done = Vec::new();
            while start.elapsed() < time {
                let mut receiving = spool.receive(&hospital)?;
                for part in content.chunks(PART) {
                    receiving.write_all(part)?;
                }
                done.push(receiving.commit(meta(&hospital))?.id());
                count.fetch_add(1, Ordering::Relaxed);
                if done.len() == 512 {
                    spool.finish(&done)?;
                    done.clear();
                }
            }
            Ok(())
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    });
    let rate = count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    drop(spool);
    std::fs::remove_dir_all(&dir)?;
    outcome.map(|()| rate)
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".into());
    let seconds: u64 = arguments.next().unwrap_or_else(|| "3".into()).parse()?;
    let mut out = std::io::stdout();
    writeln!(out, "{:>8} {:>10} {:>14} {:>10}", "threads", "KiB each", "instances/s", "MiB/s")?;
    for kib in [8, 512] {
        for threads in [1, 4] {
            let rate = measure(folder.as_ref(), threads, kib << 10, Duration::from_secs(seconds))?;
            let volume = rate * kib as f64 / 1024.0;
            writeln!(out, "{threads:>8} {kib:>10} {rate:>14.0} {volume:>10.0}")?;
        }
    }
    Ok(())
}
