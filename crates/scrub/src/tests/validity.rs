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

/// Compares one instance under a profile; the new errors.
fn compare(bytes: &[u8], profile: &Profile, folder: &Path) -> Option<Vec<String>> {
    let out = scrub_one(bytes, profile).ok()?;
    let before = errors(bytes, folder);
    Some(errors(&out, folder).difference(&before).cloned().collect())
}

#[test]
fn no_new_error_in_any_output() {
    if !is_there() {
        return;
    }
    let mut inputs: Vec<(String, Vec<u8>)> = scanveil_synth::leak_vectors(11)
        .unwrap()
        .into_iter()
        .map(|vector| (format!("{} {:?}", vector.name, vector.syntax), vector.instance.file))
        .collect();
    if let Some(root) = shared("dicom") {
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => inputs.push((path.display().to_string(), std::fs::read(path).unwrap())),
                }
            }
        }
    }
    let mut worse: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for name in ["basic", "research"] {
        let profile = Profile::builtin(name).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let compared = inputs.iter().filter_map(|(input, bytes)| {
            let new = compare(bytes, &profile, folder.path())?;
            new.into_iter().for_each(|error| {
                let entry = worse.entry(format!("{name}: {error}"));
                entry.or_insert_with(|| (0, input.clone())).0 += 1;
            });
            Some(())
        });
        let compared = compared.count();
        eprintln!("{compared} outputs of {name} compared with their inputs");
        assert!(compared > 150);
    }
    let list: Vec<String> =
        worse.iter().map(|(error, (n, input))| format!("{n} x {error} ({input})")).collect();
    assert!(list.is_empty(), "{}", list.join("\n"));
}
