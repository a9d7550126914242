use super::fixture::{CT, Instance, MR, PLANTED, World, all_files, digest, instance, project};
use crate::{
    LeftOut, ReleaseError, ReleaseFilter, ReleaseMode, ReleaseRequest, Totals, Unreadable, verify,
};
use parquet::file::reader::{FileReader, SerializedFileReader};
use scanveil_catalog::{Outcomes, RecordId, StudyGeneration};
use scanveil_model::{Coded, Generation, HospitalId, ReasonCode, Uid};
use scanveil_seal::StudyKey;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Mutex;

#[test]
fn a_release_holds_what_was_scrubbed_and_nothing_else() {
    let world = World::filled();
    world.quarantine(9, 1, instance(3, 1), ReasonCode::BurnedInText);
    let seen = Mutex::new(Vec::new());
    let manifest = world
        .create_seen(&world.request(), &|progress| seen.lock().unwrap().push(progress))
        .unwrap();
    let bytes: u64 = world.scrubbed.iter().map(|file| file.len() as u64).sum();
    let totals = Totals { patients: 1, studies: 2, series: 3, instances: 5, bytes };
    assert_eq!(*manifest.totals(), totals);
    let left_out = [LeftOut { reason: "burned-in-text".into(), instances: 1 }];
    assert_eq!(manifest.left_out(), left_out);
    assert_eq!(manifest.created_at(), "2026-01-01T00:00:00Z");

    let out = world.out();
    let mut files = all_files(&out.join("data"));
    files.retain(|file| file.extension().is_some_and(|is| is == "dcm"));
    let written: BTreeSet<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(written, world.scrubbed.iter().cloned().collect());
    for one in manifest.instances() {
        let file = fs::read(out.join(&one.path)).unwrap();
        assert_eq!((one.blake3, one.bytes), (digest(&file), file.len() as u64));
        let parts: Vec<&str> = one.path.split('/').collect();
        let name = format!("{}.dcm", one.sop_instance_uid.as_str());
        let (study, series) = (&one.study_instance_uid, &one.series_instance_uid);
        let wanted = ["data", &one.patient_id, study.as_str(), series.as_str(), &name];
        assert_eq!(parts, wanted);
    }
    let report = verify(&out).unwrap();
    assert!(report.is_whole(), "{:?}", report.problems);
    assert_eq!(report.files, 5 + 2 + 6 + 1);

    // b3sum's own format: `b3sum -c manifest.b3` works.
    let list = fs::read(out.join("manifest.b3")).unwrap();
    assert_eq!(digest(&list), manifest.list_digest());
    for line in std::str::from_utf8(&list).unwrap().lines() {
        let (wanted, path) = line.split_once("  ").unwrap();
        assert_eq!(digest(&fs::read(out.join(path)).unwrap()).to_string(), wanted);
    }

    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().any(|p| p.instances == 5 && p.bytes == p.bytes_total));
    let releases = world.catalog.releases().unwrap();
    assert_eq!(releases[0].list_digest, manifest.list_digest());
}

#[test]
fn every_study_has_its_certificates_as_they_were_made() {
    let mut world = World::new();
    // A study that grew after its originals were gone, one of before certificates, and one of which
    // the filter takes nothing.
    let first = world.certified(1, 1, 1, &[instance(1, 1)]);
    let second = world.certified(2, 1, 1, &[instance(1, 2)]);
    world.research(3, 2, 1, &[instance(1, 1)]);
    world.certified(4, 3, 1, &[Instance { sop_class: MR, ..instance(1, 1) }]);
    let filter = ReleaseFilter { modalities: ["CT".to_owned()].into(), ..Default::default() };
    let manifest = world.create(&ReleaseRequest { filter, ..world.request() }).unwrap();
    let [one, two] = manifest.certificates() else {
        panic!("{:?}", manifest.certificates());
    };
    for (found, text, name) in
        [(one, &second, "certificate-2.json"), (two, &first, "certificate.json")]
    {
        let folder = format!("data/{}/{}", found.patient_id, found.study_instance_uid.as_str());
        assert_eq!(found.path, format!("{folder}/{name}"));
        assert_eq!(fs::read_to_string(world.out().join(&found.path)).unwrap(), *text);
        assert_eq!(found.bytes, text.len() as u64);
        assert_eq!(found.blake3, digest(text.as_bytes()));
    }
    let certificates = all_files(&world.out())
        .into_iter()
        .filter(|file| file.extension().is_some_and(|is| is == "json"))
        .count();
    assert_eq!(certificates, 3, "two, and the manifest");
    assert!(verify(&world.out()).unwrap().is_whole());
}

#[test]
fn nothing_that_identifies_is_in_a_release() {
    let world = World::filled();
    world.quarantine(9, 1, instance(3, 1), ReasonCode::BurnedInText);
    world.create(&world.request()).unwrap();
    let mut searched = 0;
    for file in all_files(&world.out()) {
        let bytes = fs::read(&file).unwrap();
        let name = file.strip_prefix(world.folder.path()).unwrap().to_string_lossy().into_owned();
        searched += bytes.len();
        for planted in PLANTED {
            let found = bytes.windows(planted.len()).any(|part| part == planted.as_bytes());
            assert!(!found && !name.contains(planted), "{planted} in {name}");
        }
    }
    assert!(searched > 1000);
}

/// Every row of a Parquet table as texts, by its column names.
fn parquet_rows(world: &World, table: &str) -> Vec<Vec<(String, String)>> {
    let path = world.out().join(format!("tables/{table}.parquet"));
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| {
        let row = row.unwrap();
        row.get_column_iter().map(|(name, field)| (name.clone(), field.to_string())).collect()
    })
    .collect()
}

#[test]
fn the_tables_say_the_same_in_csv_and_parquet() {
    let world = World::filled();
    world.create(&world.request()).unwrap();
    for (table, rows) in [("instances", 5), ("series", 3), ("studies", 2)] {
        let path = world.out().join(format!("tables/{table}.csv"));
        let mut csv = csv::Reader::from_path(path).unwrap();
        let names: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
        let parquet = parquet_rows(&world, table);
        assert_eq!(parquet.len(), rows, "{table}");
        for (record, row) in csv.records().zip(&parquet) {
            let record = record.unwrap();
            let columns: Vec<&String> = row.iter().map(|(name, _)| name).collect();
            assert_eq!(columns, names.iter().collect::<Vec<_>>());
            for ((name, exact), cell) in row.iter().zip(&record) {
                let exact = exact.trim_matches('"').replace("\\\\", "\\");
                let wanted = match exact.as_str() {
                    "null" => "",
                    "=1+2" => "'=1+2",
                    other => other,
                };
                assert_eq!(cell, wanted, "{table} {name}");
            }
        }
    }
    let value = |table: &str, row: usize, column: &str| {
        let rows = parquet_rows(&world, table);
        rows[row].iter().find(|(name, _)| name == column).map(|(_, value)| value.clone()).unwrap()
    };
    let series = parquet_rows(&world, "series");
    let counts: BTreeSet<String> = (0..3).map(|row| value("series", row, "instances")).collect();
    assert_eq!(counts, BTreeSet::from(["1".to_owned(), "3".to_owned()]));
    assert!(series.iter().all(|row| row.iter().any(|(name, v)| name == "Rows" && v == "8")));
    // What differs within a group is null there.
    let three = (0..3).find(|row| value("series", *row, "instances") == "3").unwrap();
    assert_eq!(value("series", three, "InstanceNumber"), "null");
    assert_eq!(value("series", three, "SliceThickness"), "\"1.5\"");
    let modalities: BTreeSet<String> =
        (0..2).map(|row| value("studies", row, "ModalitiesInStudy")).collect();
    assert_eq!(modalities, BTreeSet::from(["\"CT\"".to_owned(), "\"MR\"".to_owned()]));
}

#[test]
fn filters_leave_out_and_say_so() {
    let world = World::filled();
    let other = HospitalId::parse("other").unwrap();
    let uid = |text: &str| Uid::parse(text).unwrap();
    type Case = (ReleaseFilter, u64, Option<(&'static str, u64)>);
    let table: Vec<Case> = vec![
        (ReleaseFilter::default(), 5, None),
        (
            ReleaseFilter { modalities: ["MR".to_owned()].into(), ..Default::default() },
            1,
            Some(("filter-modality", 4)),
        ),
        (
            ReleaseFilter { sop_classes: [uid(CT)].into(), ..Default::default() },
            4,
            Some(("filter-sop-class", 1)),
        ),
        (ReleaseFilter { sop_classes: [uid(CT), uid(MR)].into(), ..Default::default() }, 5, None),
    ];
    for (i, (filter, instances, left_out)) in table.into_iter().enumerate() {
        let request = ReleaseRequest {
            release: RecordId::parse(&format!("r{i}")).unwrap(),
            out: world.folder.path().join(format!("out{i}")),
            filter,
            ..world.request()
        };
        let manifest = world.create(&request).unwrap();
        assert_eq!(manifest.totals().instances, instances, "case {i}");
        let said: Vec<_> =
            manifest.left_out().iter().map(|l| (l.reason.as_str(), l.instances)).collect();
        assert_eq!(said, left_out.into_iter().collect::<Vec<_>>(), "case {i}");
    }
    let filter = ReleaseFilter { hospitals: [other].into(), ..Default::default() };
    let error = world.create(&ReleaseRequest { filter, ..world.request() }).unwrap_err();
    assert!(matches!(error, ReleaseError::Empty { left_out: 5 }), "{error}");
    assert_eq!(error.code(), "SV-RELEASE-009");
    assert_eq!(all_files(&world.out()).len(), 0, "the folder can be used again");
}

#[test]
fn only_the_newest_generation_is_released() {
    let mut world = World::filled();
    world.scrubbed.clear();
    world.research(11, 1, 2, &[instance(1, 1)]);
    let manifest = world.create(&world.request()).unwrap();
    let mut generations: Vec<u32> =
        manifest.instances().iter().map(|one| one.generation.0).collect();
    generations.sort_unstable();
    assert_eq!(generations, [1, 2], "study 2 stays at 1, study 1 has the new copy alone");
    // A newer profile holds everything of study 1 back.
    let made = StudyGeneration {
        hospital: HospitalId::parse("st-wystan").unwrap(),
        project: project(),
        study_key: StudyKey([1; 16]),
        generation: Generation(3),
        profile: "strict@0123456789abcdef".into(),
    };
    let outcomes = Outcomes { generations: &[made], engine: "1.0.0", ..Outcomes::default() };
    world.catalog.publish(&outcomes).unwrap();
    let request = ReleaseRequest {
        release: RecordId::parse("lungs-2").unwrap(),
        out: world.folder.path().join("out2"),
        ..world.request()
    };
    assert_eq!(world.create(&request).unwrap().totals().instances, 1);
}

#[test]
fn copies_are_taken_once_and_conflicts_not_at_all() {
    let mut world = World::new();
    world.research(1, 1, 1, &[instance(1, 1), instance(1, 2)]);
    world.research(2, 1, 1, &[instance(1, 1), Instance { pixel: 3, ..instance(1, 2) }]);
    let manifest = world.create(&world.request()).unwrap();
    assert_eq!(manifest.totals().instances, 1);
    let left_out = [LeftOut { reason: "conflicting-copies".into(), instances: 2 }];
    assert_eq!(manifest.left_out(), left_out);
    assert!(verify(&world.out()).unwrap().is_whole());
}

#[test]
fn a_folder_that_is_not_empty_is_refused() {
    let world = World::filled();
    fs::create_dir_all(world.out()).unwrap();
    fs::write(world.out().join("thesis.txt"), "mine").unwrap();
    let table = [
        (ReleaseMode::New, "SV-RELEASE-001"),
        // Not begun by us: nothing in it may be removed.
        (ReleaseMode::Resume, "SV-RELEASE-002"),
    ];
    for (mode, code) in table {
        let error = world.create(&ReleaseRequest { mode, ..world.request() }).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(!error.next_step().is_empty());
    }
    assert_eq!(fs::read(world.out().join("thesis.txt")).unwrap(), b"mine");
}

#[test]
fn a_half_written_release_is_resumed() {
    let world = World::filled();
    let wanted = world.create(&world.request()).unwrap();
    let out = world.out();
    // As a killed process leaves it: no manifest, some files, one short, one under its first name.
    fs::remove_file(out.join("manifest.json")).unwrap();
    fs::remove_file(out.join("manifest.b3")).unwrap();
    fs::remove_dir_all(out.join("tables")).unwrap();
    let path = |i: usize| out.join(&wanted.instances()[i].path);
    fs::remove_file(path(0)).unwrap();
    fs::write(path(1), b"short").unwrap();
    let same_length = vec![0; fs::metadata(path(2)).unwrap().len() as usize];
    fs::write(path(2), same_length).unwrap();
    fs::write(path(3).with_file_name(".x.1-1.tmp"), b"half").unwrap();
    fs::write(path(3).with_file_name("1.2.3.dcm"), b"of an older generation").unwrap();
    let certificate = out.join(&wanted.certificates()[0].path);
    fs::write(certificate.with_file_name("certificate-9.json"), b"{}").unwrap();
    fs::write(certificate, b"short").unwrap();
    let kept = fs::metadata(path(4)).unwrap().ino();
    let resume = ReleaseRequest { mode: ReleaseMode::Resume, ..world.request() };

    let error = world.create(&resume).unwrap_err();
    assert!(matches!(error, ReleaseError::NotResumable { .. }), "no marker, not ours: {error}");
    let marker = r#"{"version":1,"release":"lungs-1","project":"lungs"}"#;
    fs::write(out.join("unfinished.json"), marker).unwrap();
    let other = RecordId::parse("lungs-2").unwrap();
    let error = world.create(&ReleaseRequest { release: other, ..resume.clone() }).unwrap_err();
    assert!(matches!(error, ReleaseError::NotResumable { .. }), "another release: {error}");

    let again = world.create(&resume).unwrap();
    assert_eq!(again, wanted);
    assert_eq!(fs::metadata(path(4)).unwrap().ino(), kept, "right files are kept");
    let report = verify(&out).unwrap();
    assert!(report.is_whole(), "{:?}", report.problems);
    assert_eq!(world.catalog.releases().unwrap().len(), 1);
}

#[test]
fn a_release_that_stops_leaves_its_marker() {
    let world = World::filled();
    let (file, aside) = (world.object_file(1), world.folder.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    let error = world.create(&world.request()).unwrap_err();
    assert!(matches!(error, ReleaseError::Short { .. }), "{error}");
    assert!(verify(&world.out()).is_err(), "no manifest");
    fs::rename(&aside, &file).unwrap();
    let resume = ReleaseRequest { mode: ReleaseMode::Resume, ..world.request() };
    assert_eq!(world.create(&resume).unwrap().totals().instances, 5);
}

#[test]
fn a_changed_pack_is_never_released() {
    // Where the byte is: the header, an inner chunk (met while writing), the index at the end.
    let big = Instance { side: 600, ..instance(1, 2) };
    for place in [20usize, 300_000, usize::MAX] {
        let mut world = World::new();
        world.research(1, 1, 1, &[instance(1, 1), big]);
        world.research(2, 2, 1, &[instance(1, 1)]);
        let file = world.object_file(1);
        let mut bytes = fs::read(&file).unwrap();
        let place = place.min(bytes.len() - 30);
        bytes[place] ^= 1;
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        permissions.set_readonly(false);
        fs::set_permissions(&file, permissions).unwrap();
        fs::write(&file, &bytes).unwrap();
        let error = world.create(&world.request()).unwrap_err();
        let ReleaseError::Short { lost } = &error else { panic!("{place}: {error}") };
        assert_eq!((lost.len(), &lost[0].object), (1, &world.key(1)), "{place}: {error}");
        assert!(!world.out().join("manifest.json").exists());
        let half = all_files(&world.out()).into_iter().any(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            name.ends_with(".tmp") || fs::metadata(file).unwrap().len() > 500_000
        });
        assert!(!half, "no partial file stays");

        let request = ReleaseRequest {
            mode: ReleaseMode::Resume,
            unreadable: Unreadable::LeaveOut,
            ..world.request()
        };
        let manifest = world.create(&request).unwrap();
        assert_eq!(manifest.totals().instances, 1, "{place}");
        let left_out = [LeftOut { reason: "unreadable".into(), instances: 2 }];
        assert_eq!(manifest.left_out(), left_out);
        let report = verify(&world.out()).unwrap();
        assert!(report.is_whole(), "{:?}", report.problems);
    }
}

#[test]
fn the_data_sheet_tells_what_it_has_to() {
    let world = World::filled();
    world.quarantine(9, 1, instance(3, 1), ReasonCode::BurnedInText);
    world.create(&world.request()).unwrap();
    let text = fs::read_to_string(world.out().join("DATASHEET.md")).unwrap();
    let wanted = [
        "| CT | 1 | 1 | 4 |".to_owned(),
        "| MR | 1 | 1 | 1 |".to_owned(),
        format!("| {} | 1 | 2 | 5 |", world.profile.label()),
        "| burned-in-text | 1 |".to_owned(),
        "pydicom.dcmread".to_owned(),
        "SimpleITK".to_owned(),
        "b3sum -c manifest.b3".to_owned(),
        "data@example.org".to_owned(),
        "How to cite: not given".to_owned(),
        "## What is not guaranteed".to_owned(),
    ];
    for line in wanted {
        assert!(text.contains(&line), "{line}\n{text}");
    }
}
