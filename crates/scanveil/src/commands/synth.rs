//! `scanveil synth`: invented files for trying out, tests and evaluations.

mod benchmark;

use crate::cli::{SynthArgs, SynthKind};
use crate::output::{Failure, Output, bytes, io_failure};
use scanveil_synth::{
    Corpus, CorpusSpec, HOSPITALS, SynthError, SynthInstance, big_multiframe, ct_slices,
    leak_vectors, mr_slices,
};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Columns and rows of a CT slice.
const CT_SIDE: u16 = 512;
/// Columns and rows of an MR slice.
const MR_SIDE: u16 = 64;
/// Bytes of one `big` file.
const BIG_BYTES: u64 = 500_000_000;

pub(crate) fn run(args: &SynthArgs, output: &Output) -> Result<ExitCode, Failure> {
    let mut folder = Folder { root: args.out.clone(), files: 0, bytes: 0 };
    folder.make(Path::new(""))?;
    match args.kind {
        SynthKind::Ct => folder.series("ct", ct_slices(args.seed, args.count, CT_SIDE))?,
        SynthKind::Mr => folder.series("mr", mr_slices(args.seed, args.count, MR_SIDE))?,
        SynthKind::Big => folder.big(args.seed, args.count)?,
        SynthKind::Corpus => folder.corpus(args.seed)?,
        SynthKind::LeakVectors => folder.vectors(args.seed)?,
        SynthKind::Benchmark => return benchmark::run(args, folder, output),
    }
    let Folder { files, bytes: total, .. } = folder;
    output.result(&serde_json::json!({ "files": files, "bytes": total }), || {
        format!("{files} files, {}, in {}", bytes(total), args.out.display())
    });
    Ok(ExitCode::SUCCESS)
}

/// The folder that is being filled.
struct Folder {
    root: PathBuf,
    files: u64,
    bytes: u64,
}

impl Folder {
    fn make(&self, below: &Path) -> Result<PathBuf, Failure> {
        let path = self.root.join(below);
        fs::create_dir_all(&path).map_err(|error| failed(&path, &error))?;
        Ok(path)
    }

    fn put(&mut self, below: &Path, name: &str, file: &[u8]) -> Result<(), Failure> {
        let path = self.make(below)?.join(name);
        fs::write(&path, file).map_err(|error| failed(&path, &error))?;
        self.files += 1;
        self.bytes += file.len() as u64;
        Ok(())
    }

    fn series(
        &mut self,
        name: &str,
        instances: impl Iterator<Item = Result<SynthInstance, SynthError>>,
    ) -> Result<(), Failure> {
        for (at, instance) in instances.enumerate() {
            let name = format!("{name}-{:05}.dcm", at + 1);
            self.put(Path::new(""), &name, &instance?.file)?;
        }
        Ok(())
    }

    fn big(&mut self, seed: u64, count: usize) -> Result<(), Failure> {
        for (at, seed) in (seed..).take(count).enumerate() {
            let path = self.root.join(format!("big-{:05}.dcm", at + 1));
            let file = File::create(&path).map_err(|error| failed(&path, &error))?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
            self.bytes += big_multiframe(seed, BIG_BYTES, &mut out)?;
            out.flush().map_err(|error| failed(&path, &error))?;
            self.files += 1;
        }
        Ok(())
    }

    /// Hospital by hospital, study by study.
    fn corpus(&mut self, seed: u64) -> Result<(), Failure> {
        for (at, instance) in Corpus::generate(seed, CorpusSpec::demo()).enumerate() {
            let instance = instance?;
            let hospital = HOSPITALS[instance.hospital].id;
            let below = PathBuf::from(hospital).join(format!("study-{:02}", instance.study));
            self.put(&below, &format!("{:05}.dcm", at + 1), &instance.file)?;
        }
        Ok(())
    }

    /// Row by row of the table of leak vectors.
    fn vectors(&mut self, seed: u64) -> Result<(), Failure> {
        for (at, vector) in leak_vectors(seed)?.into_iter().enumerate() {
            let below = PathBuf::from(format!("row-{:02}", vector.row));
            let name = format!("{:04}-{}-{}.dcm", at + 1, vector.name, vector.syntax.name());
            self.put(&below, &name, &vector.instance.file)?;
        }
        Ok(())
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    io_failure(&path.display().to_string(), error)
}
