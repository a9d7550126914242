//! Measures the search: what it costs to gather, to build, and to look through.
//!
//! `make bench` runs it last; alone: `cargo bench -p scanveil-verify`

use scanveil_dataset::{Limits, open_slice};
use scanveil_synth::{Corpus, CorpusSpec};
use scanveil_verify::Evidence;
use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

/// The fastest of these is told: the others shared the machine.
const ROUNDS: u32 = 50;
/// Repeated so often within one.
const TIMES: u32 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let instances: Result<Vec<_>, _> = Corpus::generate(1, CorpusSpec::tiny()).collect();
    let instances = instances?;
    let mut out = std::io::stdout();
    for (hospital, study) in [(0, 0), (1, 9), (1, 12)] {
        let files = instances.iter().filter(|i| i.hospital == hospital && i.study == study);
        let Some(file) = files.clone().next() else { continue };
        let (header, _) = open_slice(&file.file, &Limits::default())?;
        let mut times = [Duration::MAX; 4];
        let mut found = 0;
        let clean: Vec<u8> = b"t2 tse tra HEAD 1.2.840.10008.1.2 2.25.12 20210704 -12.25\\0.5 "
            .iter()
            .copied()
            .cycle()
            .take(8 << 10)
            .collect();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let mut evidence = Evidence::new();
            for file in files.clone() {
                let (header, _) = open_slice(&file.file, &Limits::default())?;
                evidence.observe(&header)?;
            }
            times[0] = times[0].min(start.elapsed());
            let again = Instant::now();
            for _ in 0..TIMES {
                evidence.observe(&header)?;
            }
            times[1] = times[1].min(again.elapsed() / TIMES);
            let build = Instant::now();
            let verifier = evidence.verifier(&|_| false)?;
            times[2] = times[2].min(build.elapsed());
            let search = Instant::now();
            for _ in 0..TIMES {
                found += usize::from(verifier.search(std::hint::black_box(&clean)).is_some());
            }
            times[3] = times[3].min(search.elapsed() / TIMES);
        }
        let [gather, again, build, search] = times;
        writeln!(
            out,
            "gather {gather:?}, once more {again:?}, build {build:?}, 8 KiB {search:?}, {found}"
        )?;
    }
    Ok(())
}
