mod accepted;
mod documents;
mod every_row;
mod leaks;
mod lone_values;
mod measures;
mod rules;
mod unshifted;
mod validity;

use super::*;
use scanveil_dataset::{Limits, Tag, open, open_slice, tags};
use scanveil_model::{Reason, ReasonCode};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    if !path.exists() {
        // Past the harness, which keeps what a passing test prints to itself.
        let _ = writeln!(std::io::stderr(), "skipped in part: ../shared/{name} is not there");
        return None;
    }
    Some(path)
}

fn scrub_one(bytes: &[u8], profile: &Profile) -> Result<Vec<u8>, Reason> {
    let limits = Limits::default();
    let secret = ProjectSecret::new(&[7; 32]);
    let mut identity = StudyIdentity::new();
    let (header, body) = open_slice(bytes, &limits)?;
    identity.observe(&header)?;
    let scrubber = StudyScrubber::new(profile, &secret, identity)?;
    let mut out = Vec::new();
    let scrubbed = scrubber.scrub(&header, body, &mut out)?;
    assert_eq!(scrubbed.length(), out.len() as u64);
    // The same through a stream: the same bytes.
    let (header, body) = open(bytes, &limits)?;
    let mut again = Vec::new();
    let streamed = scrubber.scrub(&header, body, &mut again)?;
    assert_eq!(streamed.digest(), scrubbed.digest());
    assert!(out == again);
    Ok(out)
}

#[test]
fn the_table_is_read_whole_and_agrees_with_the_reference() {
    assert_eq!(rows().count(), 656);
    let Some(path) = shared("reference/ps3.15-table-e1-1-2026c.csv") else { return };
    let reference = std::fs::read_to_string(path).unwrap();
    // Names with line breaks span lines: a record is told by its tag.
    let mut compared = 0;
    for row in rows().filter(|row| row.tag.is_some()) {
        let tag = row.tag.unwrap().to_string();
        let at = reference.find(&format!("\"{tag}\",")).unwrap_or_else(|| panic!("{tag}"));
        let fields: Vec<&str> =
            reference[at..].lines().next().unwrap().split(',').skip(2).collect();
        let code = format!("{:?}", row.basic).replace('*', "");
        assert_eq!(fields[1].replace(['/', '*'], ""), code, "{tag}");
        let names =
            ["full-dates", "modified-dates", "retain-uids", "retain-patient-characteristics"];
        for (name, field) in names.iter().zip(&fields[5..9]) {
            let ours = row.options.iter().find(|(found, _)| found == name);
            let ours = ours.map_or(String::new(), |(_, code)| format!("{code:?}"));
            assert_eq!(ours, **field, "{tag} {name}");
        }
        compared += 1;
    }
    assert_eq!(compared, 652);
}

#[test]
fn profiles_are_strict() {
    for (text, code) in [
        ("format = 1\nname = \"x\"\nversion = \"1\"\ncolour = 3", "SV-SCRUB-001"),
        ("format = 3\nname = \"x\"\nversion = \"1\"", "SV-SCRUB-002"),
        ("format = 1\nname = \"x\"\nversion = \"1\"\noptions = [\"magic\"]", "SV-SCRUB-003"),
        (
            "format = 1\nname = \"x\"\nversion = \"1\"\noptions = [\"full-dates\", \"modified-dates\"]",
            "SV-SCRUB-004",
        ),
    ] {
        let error = Profile::from_toml(text).err().unwrap();
        assert_eq!(scanveil_model::Coded::code(&error), code);
    }
    for name in Profile::builtin_names() {
        assert!(Profile::builtin(name).is_some(), "{name}");
    }
    let basic = Profile::builtin("basic").unwrap();
    assert!(basic.label().starts_with("basic@") && basic.label().len() == 22);
    assert_ne!(basic.digest(), Profile::builtin("longitudinal").unwrap().digest());
    let comments = basic.explain(Tag::new(0x10, 0x4000), &Case::default());
    assert_eq!((comments.treatment, comments.because.as_str()), ("remove", "basic-profile"));
    assert_eq!(comments.why, "PS3.15 Table E.1-1 (2026c): X");
}

#[test]
fn a_declaration_is_believed_only_when_the_profile_says_so() {
    let basic = Profile::builtin("basic").unwrap();
    let text = Profile::builtin_text("basic").unwrap().to_owned();
    let believing = text + "\n[pixels]\nburned-in-annotation = \"believe\"\n";
    let believing = Profile::from_toml(&believing).unwrap();
    let mut instances = scanveil_synth::Benchmark::new(3, 200).instances();
    let declares = |bytes: &[u8]| {
        let (header, _) = open_slice(bytes, &Limits::default()).unwrap();
        header.data.find(tags::BURNED_IN_ANNOTATION).map(|element| element.start as usize)
    };
    let found = instances.find_map(|instance| {
        let file = instance.unwrap();
        (file.modality == "US").then(|| Some((declares(&file.file)?, file.file)))?
    });
    let (at, declared) = found.unwrap();
    // The same with Quality Control Image (0028,0300) in its place.
    let mut undeclared = declared.clone();
    assert_eq!(undeclared[at - 8..at - 2], [0x28, 0, 1, 3, b'C', b'S']);
    undeclared[at - 6] = 0;
    for (bytes, profile, held) in
        [(&declared, &basic, true), (&declared, &believing, false), (&undeclared, &believing, true)]
    {
        let outcome = scrub_one(bytes, profile);
        assert_eq!(outcome.as_ref().err().is_some_and(|r| r.code == ReasonCode::PixelRisk), held);
        assert_eq!(outcome.is_err(), held);
    }
}

#[test]
fn pseudonyms_hang_on_the_secret() {
    let (one, two) = (ProjectSecret::new(&[1; 32]), ProjectSecret::new(&[2; 32]));
    assert_eq!(one.pseudonym(b"77"), ProjectSecret::new(&[1; 32]).pseudonym(b"77"));
    assert_ne!(one.pseudonym(b"77"), two.pseudonym(b"77"));
    assert_ne!(one.uid(b"1.2.3"), two.uid(b"1.2.3"));
    assert!(one.uid(b"1.2.3").len() <= 64);
    for patient in 0..200u32 {
        let days = one.offset_days(&patient.to_le_bytes(), 30, 730);
        assert!((30..=730).contains(&days));
    }
}

/// Every real file: clean or held back with a reason, and the answer key's expectations.
#[test]
fn real_files_end_clean_or_held_back() {
    let Some(root) = shared("dicom") else { return };
    let profile = Profile::builtin("basic").unwrap();
    let mut folders = vec![root.clone()];
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let (mut files, mut clean) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            match scrub_one(&bytes, &profile) {
                Ok(_) => clean += 1,
                Err(reason) => {
                    assert_ne!(reason.code, ReasonCode::Internal, "{path:?}: {reason}");
                    *reasons.entry(reason.code.to_string()).or_default() += 1;
                }
            }
        }
    }
    eprintln!("{files} files, {clean} clean, held back: {reasons:?}");
    assert_eq!(files, clean + reasons.values().sum::<usize>());
    assert!(clean > 150, "too few are useful: {clean}");
}
