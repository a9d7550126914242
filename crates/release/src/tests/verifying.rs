use super::fixture::{World, all_files};
use crate::{ProblemKind, verify};
use std::fs;
use std::path::{Path, PathBuf};

/// A name, what is done to the folder and its first instance, and what must be found.
type Case = (&'static str, fn(&Path, &str), &'static [(&'static str, ProblemKind)]);

/// The certificate of the study of an instance.
fn certificate_of(root: &Path, instance: &str) -> PathBuf {
    root.join(instance).ancestors().nth(2).unwrap().join("certificate.json")
}

fn check(table: &[Case]) {
    for (name, damage, wanted) in table {
        let world = World::filled();
        let manifest = world.create(&world.request()).unwrap();
        let first = manifest.instances()[0].path.clone();
        damage(&world.out(), &first);
        let report = verify(&world.out()).unwrap();
        assert_eq!(report.is_whole(), wanted.is_empty(), "{name}: {:?}", report.problems);
        for (path, kind) in *wanted {
            let study = first.rsplitn(3, '/').last().unwrap();
            let path = match *path {
                "FIRST" => first.clone(),
                "CERTIFICATE" => format!("{study}/certificate.json"),
                "SECOND" => format!("{study}/certificate-2.json"),
                other => other.to_owned(),
            };
            let found = report.problems.iter().any(|p| p.path == path && p.kind == *kind);
            assert!(found, "{name}: {:?}", report.problems);
        }
    }
}

#[test]
fn every_changed_file_is_found() {
    use ProblemKind::{Changed, Missing, Unexpected, Unfinished};
    check(&[
        ("nothing", |_, _| {}, &[]),
        (
            "a bit of an instance",
            |root, first| {
                let mut bytes = fs::read(root.join(first)).unwrap();
                bytes[200] ^= 1;
                fs::write(root.join(first), bytes).unwrap();
            },
            &[("FIRST", Changed)],
        ),
        (
            "an instance is gone",
            |root, first| fs::remove_file(root.join(first)).unwrap(),
            &[("FIRST", Missing)],
        ),
        (
            "an instance is a link to its own content",
            |root, first| {
                fs::rename(root.join(first), root.join("../moved")).unwrap();
                std::os::unix::fs::symlink(root.join("../moved"), root.join(first)).unwrap();
            },
            &[("FIRST", Changed)],
        ),
        (
            "something more",
            |root, _| fs::write(root.join("data/extra file"), b"x").unwrap(),
            &[("data/extra?file", Unexpected)],
        ),
        (
            "a table",
            |root, _| fs::write(root.join("tables/series.csv"), b"x").unwrap(),
            &[("tables/series.csv", Changed)],
        ),
        (
            "a certificate",
            |root, first| {
                let certificate = certificate_of(root, first);
                let text = fs::read_to_string(&certificate).unwrap();
                let changed = text.replacen("\"format\": ", "\"format\": 9", 1);
                assert_ne!(changed, text);
                fs::write(certificate, changed).unwrap();
            },
            &[("CERTIFICATE", Changed)],
        ),
        (
            "a certificate is gone",
            |root, first| fs::remove_file(certificate_of(root, first)).unwrap(),
            &[("CERTIFICATE", Missing)],
        ),
        (
            "a certificate that nobody listed",
            |root, first| {
                let more = certificate_of(root, first).with_file_name("certificate-2.json");
                fs::write(more, b"{}").unwrap();
            },
            &[("SECOND", Unexpected)],
        ),
        (
            "the marker is still there",
            |root, _| fs::write(root.join("unfinished.json"), b"{}").unwrap(),
            &[("unfinished.json", Unfinished)],
        ),
    ]);
}

#[test]
fn a_changed_list_is_found() {
    use ProblemKind::{Changed, Contradicted, Missing, Unexpected};
    check(&[
        (
            "the list is gone",
            |root, _| fs::remove_file(root.join("manifest.b3")).unwrap(),
            &[("manifest.b3", Missing), ("DATASHEET.md", Unexpected)],
        ),
        (
            "an instance and its line in the list",
            |root, first| {
                fs::write(root.join(first), b"other").unwrap();
                let list = fs::read_to_string(root.join("manifest.b3")).unwrap();
                let other = blake3::hash(b"other").to_hex();
                let changed: Vec<String> = list
                    .lines()
                    .map(|line| match line.split_once("  ") {
                        Some((_, path)) if path == first => format!("{other}  {path}"),
                        _ => line.to_owned(),
                    })
                    .collect();
                fs::write(root.join("manifest.b3"), changed.join("\n") + "\n").unwrap();
            },
            &[("FIRST", Changed), ("FIRST", Contradicted), ("manifest.b3", Changed)],
        ),
        (
            "the list points elsewhere",
            |root, _| {
                let list = fs::read_to_string(root.join("manifest.b3")).unwrap();
                let line = format!("{}  ../../secret\n", blake3::hash(b"").to_hex());
                fs::write(root.join("manifest.b3"), list + &line).unwrap();
            },
            &[("manifest.b3", Changed)],
        ),
    ]);
}

#[test]
fn what_is_no_release_is_an_error() {
    let world = World::filled();
    world.create(&world.request()).unwrap();
    let path = world.out().join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let table = [
        ("", "SV-RELEASE-014"),
        ("{}", "SV-RELEASE-014"),
        (&text.replacen("\"version\": 1", "\"version\": 2", 1), "SV-RELEASE-015"),
        (&text.replacen("\"version\": 1", "\"version\": 0", 1), "SV-RELEASE-014"),
        (&text.replacen("\"version\"", "\"colour\": 3, \"version\"", 1), "SV-RELEASE-014"),
        (&text.replacen("\"lungs\"", "\"../x\"", 1), "SV-RELEASE-014"),
    ];
    for (changed, code) in table {
        fs::write(&path, changed).unwrap();
        let error = verify(&world.out()).unwrap_err();
        assert_eq!(scanveil_model::Coded::code(&error), code, "{error}");
    }
    fs::remove_file(&path).unwrap();
    assert!(verify(&world.out()).is_err());
    assert!(all_files(&world.out()).len() > 5);
}
