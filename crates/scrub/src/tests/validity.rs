//! What comes out is as valid as what went in: dciodvfy (Debian's dicom3tools) finds no error that
//! it did not find before.

use super::*;
use scanveil_dataset::{Encoding, TransferSyntax, Writer, file_meta};
use std::collections::BTreeSet;
use std::process::Command;

/// The errors that dciodvfy finds, without what differs from run to run.
fn errors(bytes: &[u8], folder: &Path) -> BTreeSet<String> {
    let path = folder.join("instance.dcm");
    std::fs::write(&path, inflated(bytes)).unwrap();
    let output = Command::new("dciodvfy").arg("-new").arg(&path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().filter(|line| line.starts_with("Error")).map(plain).collect()
}

/// A line without the value it quotes: the same error names a new UID.
fn plain(line: &str) -> String {
    line.split_once(" = <").map_or(line, |(before, _)| before).to_owned()
}

/// The instance in explicit VR little endian: dciodvfy does not inflate.
fn inflated(bytes: &[u8]) -> Vec<u8> {
    let (header, mut body) = open(bytes, &Limits::default()).unwrap();
    if !header.syntax.deflated {
        return bytes.to_vec();
    }
    let text = |tag| std::str::from_utf8(header.data.text(tag).unwrap()).unwrap();
    let (class, uid) = (text(tags::SOP_CLASS_UID), text(tags::SOP_INSTANCE_UID));
    let mut out = file_meta(class, uid, TransferSyntax::EXPLICIT_LITTLE);
    // All that stands before the pixel data, and its head.
    let last = header.data.elements().last().unwrap();
    let end = last.start + last.length;
    let top = std::iter::successors(Some(last), |e| header.data.elements().get(e.parent as usize));
    let closed = top.filter(|e| e.undefined_length).count();
    out.extend_from_slice(header.data.raw(0, end as usize + 8 * closed));
    if let Some(pixel) = header.pixel {
        let encoding = Encoding { explicit: true, big_endian: false };
        Writer::new(&mut out).head(pixel.tag, pixel.vr, pixel.length.unwrap_or(u32::MAX), encoding);
        std::io::Read::read_to_end(&mut body, &mut out).unwrap();
    }
    out
}

fn is_there() -> bool {
    if Command::new("dciodvfy").arg("-version").output().is_ok() {
        return true;
    }
    assert!(std::env::var("SCANVEIL_REQUIRE_SERVERS").is_err(), "dciodvfy is required");
    eprintln!("skipped: dciodvfy (dicom3tools) is not installed");
    false
}

/// One input and what it is called when its output is worse.
struct Input {
    name: String,
    bytes: Vec<u8>,
}

/// What was found over some inputs: outputs by profile, and new errors with how many outputs have
/// them and the name of one input.
#[derive(Default)]
struct Found {
    outputs: BTreeMap<&'static str, usize>,
    worse: BTreeMap<String, (usize, String)>,
}

impl Found {
    fn add(&mut self, other: Self) {
        for (profile, n) in other.outputs {
            *self.outputs.entry(profile).or_default() += n;
        }
        for (error, (n, name)) in other.worse {
            self.worse.entry(error).or_insert((0, name)).0 += n;
        }
    }
}

/// The profiles whose outputs are held against their inputs.
const PROFILES: [&str; 3] = ["basic", "research", "strict"];

/// Compares the outputs of every profile with their inputs.
fn compare(inputs: &[Input]) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let profiles = PROFILES.map(|name| (name, Profile::builtin(name).unwrap()));
    let mut found = Found::default();
    for Input { name, bytes } in inputs {
        // It is read by evidence; dciodvfy believes the file meta information and reads nothing.
        if name.ends_with("explicit_data_declared_implicit.dcm") {
            continue;
        }
        let mut before = None;
        for (profile_name, profile) in &profiles {
            let Ok(out) = scrub_one(bytes, profile) else { continue };
            *found.outputs.entry(profile_name).or_default() += 1;
            let before = before.get_or_insert_with(|| errors(bytes, folder.path()));
            for error in errors(&out, folder.path()).difference(before) {
                let entry = found.worse.entry(format!("{profile_name}: {error}"));
                entry.or_insert_with(|| (0, name.clone())).0 += 1;
            }
        }
    }
    found
}

/// The same on all cores: there must be no new error, and at least so many outputs of each profile.
fn assert_none_worse(inputs: &[Input], at_least: usize) {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mut found = Found::default();
    std::thread::scope(|scope| {
        let parts = inputs.chunks(inputs.len().div_ceil(cores));
        let running: Vec<_> = parts.map(|part| scope.spawn(|| compare(part))).collect();
        running.into_iter().for_each(|part| found.add(part.join().unwrap()));
    });
    eprintln!("of {} inputs, outputs compared: {:?}", inputs.len(), found.outputs);
    let list: Vec<String> =
        found.worse.iter().map(|(error, (n, input))| format!("{n} x {error} ({input})")).collect();
    assert!(list.is_empty(), "{}", list.join("\n"));
    for name in PROFILES {
        let outputs = found.outputs.get(name).copied().unwrap_or_default();
        assert!(outputs >= at_least, "{name}: {outputs}");
    }
}

#[test]
fn no_new_error_in_any_output() {
    if !is_there() {
        return;
    }
    let mut inputs: Vec<Input> = scanveil_synth::leak_vectors(11)
        .unwrap()
        .into_iter()
        .map(|vector| Input {
            name: format!("{} {:?}", vector.name, vector.syntax),
            bytes: vector.instance.file,
        })
        .collect();
    if let Some(root) = shared("dicom") {
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                inputs.push(Input { name: path.display().to_string(), bytes });
            }
        }
    }
    assert_none_worse(&inputs, 150);
}

/// Instances of the benchmark corpus that are looked through for some of every kind.
const LOOKED_THROUGH: usize = 1500;
/// Of every kind in every transfer syntax.
const OF_EVERY_KIND: usize = 2;

/// The synthetic corpus with hospitals' habits of typing. `SCANVEIL_VALIDITY_INSTANCES` takes as
/// many instances as it says instead of a few of every kind.
#[test]
fn no_new_error_over_the_benchmark_corpus() {
    if !is_there() {
        return;
    }
    let asked = std::env::var("SCANVEIL_VALIDITY_INSTANCES").ok();
    let asked: Option<usize> = asked.map(|number| number.parse().unwrap());
    let corpus = scanveil_synth::Benchmark::new(23, asked.unwrap_or(LOOKED_THROUGH));
    let mut kinds: BTreeMap<(&str, Vec<u8>), usize> = BTreeMap::new();
    let mut inputs = Vec::new();
    for instance in corpus.instances() {
        let instance = instance.unwrap();
        let (header, _) = open_slice(&instance.file, &Limits::default()).unwrap();
        let syntax = header.meta.transfer_syntax.clone();
        let met = kinds.entry((instance.sop_class_uid, syntax.unwrap())).or_default();
        *met += 1;
        if asked.is_some() || *met <= OF_EVERY_KIND {
            let name = format!("{} {}", instance.modality, instance.path);
            inputs.push(Input { name, bytes: instance.file });
        }
    }
    let classes: BTreeSet<&str> = kinds.keys().map(|(class, _)| *class).collect();
    eprintln!("{} kinds of objects, {} with their syntaxes", classes.len(), kinds.len());
    assert_eq!(classes.len(), 8);
    // Ultrasound is held back: nobody has looked into its pixels.
    assert_none_worse(&inputs, inputs.len() * 3 / 4);
}
