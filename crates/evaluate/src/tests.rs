use super::*;
use scanveil_synth::{AnswerAction, AnswerCategory, Benchmark, BenchmarkInstance};
use std::fs;
use std::path::Path;

/// The glue between the two crates' types, as the command line has it.
fn answers_of(instance: &BenchmarkInstance) -> InstanceAnswers {
    let convert = |answer: &scanveil_synth::Answer| {
        let mut category = Category::default();
        match answer.category {
            AnswerCategory::Hipaa(name) => category.hipaa_m = Some(name.to_owned()),
            AnswerCategory::Dicom(name) if answer.action == AnswerAction::TagRetained => {
                category.dicom_iod = Some(name.to_owned());
            }
            AnswerCategory::Dicom(name) => category.dicom_p15 = Some(name.to_owned()),
            AnswerCategory::Tcia(name) => category.tcia_p15 = Some(name.to_owned()),
        }
        Answer {
            scope: "Instance".to_owned(),
            tag: answer.tag.clone(),
            tag_ds: answer.path.clone(),
            tag_name: answer.name.clone(),
            value: answer.value.clone(),
            action: Action::parse(answer.action.as_str()).unwrap(),
            action_text: answer.text.clone(),
            category,
        }
    };
    InstanceAnswers {
        modality: instance.modality.to_owned(),
        sop_class_uid: instance.sop_class_uid.to_owned(),
        patient_id: instance.patient_id.clone(),
        study_uid: instance.study_uid.clone(),
        series_uid: instance.series_uid.clone(),
        sop_instance_uid: instance.sop_instance_uid.clone(),
        digest: instance.pixel_digest.clone(),
        answers: instance.answers.iter().map(convert).collect(),
    }
}

/// Writes a benchmark's key and, when `files` is set, its files.
fn benchmark(root: &Path, count: usize, files: Option<&Path>) -> AnswerKey {
    let path = root.join("answers.db");
    let mut key = AnswerKey::create(&path).unwrap();
    for instance in Benchmark::new(11, count).instances() {
        let instance = instance.unwrap();
        key.append(&answers_of(&instance)).unwrap();
        if let Some(folder) = files {
            let file = folder.join(&instance.path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, &instance.file).unwrap();
        }
    }
    key.finish().unwrap();
    AnswerKey::open(&path).unwrap()
}

#[test]
fn an_untouched_copy_keeps_everything_and_removes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    fs::create_dir(&output).unwrap();
    let key = benchmark(folder.path(), 400, Some(&output));
    fs::write(output.join("report.json"), "{}").unwrap();
    let none = Mapping::default();
    let result = score(&key, &output, (&none, &none), 200, &|_| {}).unwrap();
    let counts = (result.instances, result.missing, result.unexpected, result.other_files);
    assert_eq!(counts, (400, 0, 0, 1));
    let kept: Vec<_> =
        result.failures.iter().filter(|f| f.action == Action::TextRetained).collect();
    assert!(kept.is_empty(), "{kept:?}");
    assert_eq!(result.all.retention.passed, result.all.retention.total, "{:?}", result.by_action);
    assert_eq!(result.all.removal.passed, 0, "{:?}", result.by_action);
    assert!(result.all.removal.total > 5_000 && result.all.retention.total > 5_000);
    assert_eq!(result.by_action.len(), 9);
    assert_eq!(result.written, result.all);
    assert!(!result.is_perfect());
    let total: u64 = result.by_category.values().map(|tally| tally.total).sum();
    assert_eq!((total, result.not_checked), (result.all.overall.total, 0));
}

#[test]
fn an_empty_folder_removes_everything_and_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    fs::create_dir(&output).unwrap();
    let key = benchmark(folder.path(), 50, None);
    let none = Mapping::default();
    let result = score(&key, &output, (&none, &none), 200, &|_| {}).unwrap();
    assert_eq!((result.instances, result.missing), (50, 50));
    assert_eq!(result.all.removal.passed, result.all.removal.total);
    assert_eq!((result.all.retention.passed, result.all.consistency.passed), (0, 0));
    assert_eq!(result.written, Figures::default());
    assert_eq!(result.missing_rows, (1..=50).collect::<Vec<i64>>());
    assert!(result.failures.is_empty() && result.by_element.is_empty() && !result.is_perfect());
    assert!(result.all.removal.percent() > 99.9 && result.all.retention.percent() < 0.1);
}

#[test]
fn progress_is_told_and_results_hold_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    fs::create_dir(&output).unwrap();
    let key = benchmark(folder.path(), 150, Some(&output));
    let none = Mapping::default();
    let told = std::cell::RefCell::new(Vec::new());
    let result = score(&key, &output, (&none, &none), 200, &|n| told.borrow_mut().push(n)).unwrap();
    assert_eq!(*told.borrow(), [128, 150]);
    let json = serde_json::to_string(&result).unwrap();
    assert!(json.contains("\"text_removed\"") && json.contains("\"by_category\""));
    for (_, instance) in key.page(0, 1000).unwrap() {
        for answer in instance.answers.iter().filter(|a| a.action == Action::TextRemoved) {
            let words = answer.action_text.as_deref().unwrap_or("").split(' ');
            for word in words.filter(|word| word.len() > 4) {
                assert!(!json.contains(word), "a value of {}", answer.tag_ds);
            }
        }
    }
}

/// A data set in explicit VR little endian.
#[derive(Default)]
struct File(Vec<u8>);

impl File {
    fn element(mut self, tag: u32, vr: &[u8; 2], value: &[u8]) -> Self {
        self.0.extend(((tag >> 16) as u16).to_le_bytes());
        self.0.extend((tag as u16).to_le_bytes());
        self.0.extend(vr);
        if matches!(vr, b"SQ" | b"OW" | b"OB" | b"UN" | b"UT") {
            self.0.extend([0, 0]);
            self.0.extend((value.len() as u32).to_le_bytes());
        } else {
            self.0.extend((value.len() as u16).to_le_bytes());
        }
        self.0.extend(value);
        self
    }

    fn text(self, tag: u32, vr: &[u8; 2], value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(if vr == b"UI" { 0 } else { b' ' });
        }
        self.element(tag, vr, &bytes)
    }

    fn items(self, tag: u32, items: &[Self]) -> Self {
        let mut content = Vec::new();
        for item in items {
            content.extend([0xfe, 0xff, 0x00, 0xe0]);
            content.extend((item.0.len() as u32).to_le_bytes());
            content.extend(&item.0);
        }
        self.element(tag, b"SQ", &content)
    }

    fn write(self, path: &Path) {
        let mut file = vec![0; 128];
        file.extend(b"DICM");
        let meta = Self::default().text(0x0002_0010, b"UI", "1.2.840.10008.1.2.1");
        let length = (meta.0.len() as u32).to_le_bytes();
        file.extend(Self::default().element(0x0002_0000, b"UL", &length).0);
        file.extend(meta.0);
        file.extend(self.0);
        fs::write(path, file).unwrap();
    }
}

fn check(tag_ds: &str, action: Action, value: &str, text: Option<&str>) -> Answer {
    Answer {
        scope: "Instance".to_owned(),
        tag: String::new(),
        tag_ds: tag_ds.to_owned(),
        tag_name: String::new(),
        value: value.to_owned(),
        action,
        action_text: text.map(str::to_owned),
        category: Category::default(),
    }
}

/// A key with one instance; scores it and gives the passes in the order of the answers, and the
/// number of those not checked.
fn verdicts(file: File, answers: Vec<Answer>) -> (Vec<bool>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    fs::create_dir(&output).unwrap();
    file.write(&output.join("any-name"));
    let path = folder.path().join("answers.db");
    let mut uids = Mapping::default();
    uids.insert("1.2.3", "9.8.7");
    uids.insert("1.1", "9.1");
    let mut patients = Mapping::default();
    patients.insert("P-77", "SUBJECT");
    let (mut passes, mut unchecked) = (Vec::new(), 0);
    for (n, answer) in answers.into_iter().enumerate() {
        let path = path.with_extension(n.to_string());
        let mut key = AnswerKey::create(&path).unwrap();
        let instance = InstanceAnswers {
            modality: String::new(),
            sop_class_uid: String::new(),
            patient_id: String::new(),
            study_uid: String::new(),
            series_uid: String::new(),
            sop_instance_uid: "1.2.3".to_owned(),
            digest: String::new(),
            answers: vec![answer],
        };
        key.append(&instance).unwrap();
        key.finish().unwrap();
        let key = AnswerKey::open(&path).unwrap();
        let result = score(&key, &output, (&uids, &patients), 200, &|_| {}).unwrap();
        assert_eq!(result.missing, 0);
        passes.push(result.all.overall.passed == 1);
        unchecked += result.not_checked;
    }
    (passes, unchecked)
}

/// An output with everything the hand-made cases ask about.
fn sample() -> File {
    let reference = File::default().text(0x0008_1150, b"UI", "1.2").text(0x0008_1155, b"UI", "9.1");
    File::default()
        .text(0x0008_0005, b"CS", "ISO_IR 192")
        .text(0x0008_0018, b"UI", "9.8.7")
        .text(0x0008_0020, b"DA", "20160310")
        .text(0x0008_0050, b"SH", "")
        .text(0x0008_1030, b"LO", "XR CHEST AP PORTABLE for")
        .items(0x0008_1140, &[File::default().text(0x0008_1150, b"UI", "1"), reference])
        .text(0x0010_0020, b"LO", "SUBJECT")
        .text(0x0010_1030, b"DS", "71.50")
        .text(0x0010_4000, b"LT", "Grünewald wurde aufgeklärt")
        .text(0x0019_0011, b"LO", "Acme 1.0")
        .text(0x0019_1192, b"LO", "kept")
        .element(0x0028_0002, b"US", &[1, 0])
        .element(0x0028_0010, b"US", &[2, 0])
        .element(0x0028_0011, b"US", &[3, 0])
        .element(0x0028_0100, b"US", &[8, 0])
        .element(0x7fe0_0010, b"OB", &[7, 7, 1, 7, 7, 2])
}

#[test]
fn each_action_passes_when_the_benchmark_says_so() {
    use Action::*;
    const STUDY: &str = "<(0008,1030)>";
    let md5 = "6118586b21ba4e596886fd730b7673d8";
    let table: Vec<(&str, Action, &str, Option<&str>, bool)> = vec![
        ("<(0008,0050)>", TagRetained, "", None, true),
        ("<(0008,0090)>", TagRetained, "", None, false),
        ("<(0008,0050)>", TextNotNull, "", None, false),
        ("<(0008,0020)>", TextNotNull, "", None, true),
        ("<(0008,0090)>", TextNotNull, "", None, false),
        (STUDY, TextRetained, "", Some("XR Chest AP portable"), true),
        (STUDY, TextRetained, "", Some("portable chest"), true),
        (STUDY, TextRetained, "", Some("XR chest lateral"), false),
        ("<(0008,0050)>", TextRetained, "", Some("A1"), false),
        ("<(0008,0090)>", TextRetained, "", Some("A1"), false),
        ("<(0010,1030)>", TextRetained, "", Some("71.5"), true),
        ("<(0010,1030)>", TextRetained, "", Some("71"), false),
        (STUDY, TextRemoved, "", Some("Douglas Davidson"), true),
        (STUDY, TextRemoved, "", Some("for Douglas"), true),
        (STUDY, TextRemoved, "", Some("Douglas AP"), false),
        ("<(0008,0050)>", TextRemoved, "", Some("A1"), true),
        ("<(0008,0090)>", TextRemoved, "", Some("A1"), true),
        ("<(0010,1030)>", TextRemoved, "", Some("71.500"), false),
        ("<(0010,1030)>", TextRemoved, "", Some("7"), true),
        ("<(0010,4000)>", TextRemoved, "", Some("GRÜNEWALD"), false),
        ("<(0008,0020)>", DateShifted, "20160312", None, true),
        ("<(0008,0020)>", DateShifted, "20160310", None, false),
        ("<(0008,0021)>", DateShifted, "20160310", None, true),
        ("<(0008,1140)>[<0001>]<(0008,1155)>", UidChanged, "1.1", None, true),
        ("<(0008,1140)>[<0001>]<(0008,1150)>", UidChanged, "1.2", None, false),
        ("<(0008,1140)>[<0001>]<(0008,1155)>", UidConsistent, "1.1", None, true),
        ("<(0008,1140)>[<0001>]<(0008,1155)>", UidConsistent, "1.1.1", None, false),
        ("<(0008,1140)>[<0000>]<(0008,1155)>", UidConsistent, "1.1.1", None, true),
        ("<(0008,1140)>[<0001>]<(0008,1150)>", UidConsistent, "1.1", None, false),
        ("<(0010,0020)>", PatientIdConsistent, "P-77", None, true),
        ("<(0010,0020)>", PatientIdConsistent, "P-78", None, false),
        ("<(0019,\"ACME 1.0\",92)>", TextRetained, "", Some("kept"), true),
        ("<(0019,\"acme 1.0\",92)>", TagRetained, "", None, true),
        ("<(0019,\"OTHER\",92)>", TagRetained, "", None, false),
        ("<(7fe0,0010)>", PixelsRetained, "", Some(md5), true),
        ("<(7fe0,0010)>", PixelsRetained, "", Some("d41d8cd98f00b204e9800998ecf8427e"), false),
    ];
    let answers =
        table.iter().map(|(path, action, value, text, _)| check(path, *action, value, *text));
    let (passes, unchecked) = verdicts(sample(), answers.collect());
    assert_eq!(unchecked, 0);
    for (row, passed) in table.iter().zip(passes) {
        assert_eq!(passed, row.4, "{} {:?} {:?}", row.0, row.1, row.3);
    }
}

#[test]
fn hidden_pixels_are_blank_boxes_or_not_checked() {
    let hidden = |text: &str| check("<(7fe0,0010)>", Action::PixelsHidden, "", Some(text));
    let answers = vec![
        hidden(r#"{"text": "A B", "top_left": [0, 0], "bottom_right": [2, 2]}"#),
        hidden(r#"{"text": "A B", "top_left": [1, 0], "bottom_right": [3, 2]}"#),
        hidden(r#"{"text": "A B"}"#),
        hidden(r#"{"text": "A B", "top_left": [9, 9], "bottom_right": [12, 12]}"#),
    ];
    let (passes, unchecked) = verdicts(sample(), answers);
    assert_eq!((passes, unchecked), (vec![true, false, false, false], 2));
}

#[test]
fn encapsulated_pixels_are_digested_without_their_delimiter() {
    let mut stream = vec![0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0];
    stream.extend([0xfe, 0xff, 0x00, 0xe0, 2, 0, 0, 0, 5, 6]);
    let expected = pixels::md5(&stream);
    stream.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
    assert_eq!(pixels::digest(&mut stream.as_slice(), None), Some(expected));
    assert_eq!(pixels::digest(&mut [1u8, 2].as_slice(), Some(4)), None);
}

#[test]
fn a_file_that_cannot_be_read_twice_passes_nothing_and_one_under_its_old_uid_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    fs::create_dir(&output).unwrap();
    File::default().text(0x0008_0018, b"UI", "1.2.3").write(&output.join("leaked"));
    let mut key = AnswerKey::create(&folder.path().join("a.db")).unwrap();
    let mut instance = answers_of(&Benchmark::new(1, 1).instances().next().unwrap().unwrap());
    instance.sop_instance_uid = "1.2.3".to_owned();
    instance.answers = vec![check("<(0008,0018)>", Action::UidChanged, "1.2.3", None)];
    key.append(&instance).unwrap();
    key.finish().unwrap();
    let key = AnswerKey::open(&folder.path().join("a.db")).unwrap();
    let mut uids = Mapping::default();
    uids.insert("1.2.3", "9.8.7");
    let result = score(&key, &output, (&uids, &Mapping::default()), 200, &|_| {}).unwrap();
    assert_eq!((result.missing, result.all.removal.passed, result.all.removal.total), (0, 0, 1));
    assert_eq!(result.failures[0].file, "leaked");
}

#[test]
fn the_database_has_the_benchmarks_schema_and_gives_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.db");
    let instances: Vec<InstanceAnswers> =
        Benchmark::new(7, 600).instances().map(|instance| answers_of(&instance.unwrap())).collect();
    let mut key = AnswerKey::create(&path).unwrap();
    instances.iter().for_each(|instance| key.append(instance).unwrap());
    key.finish().unwrap();
    assert!(AnswerKey::create(&path).is_err(), "a file that exists is not touched");
    let key = AnswerKey::open(&path).unwrap();
    assert_eq!(key.instances().unwrap(), 600);
    let (first, rest) = (key.page(0, 500).unwrap(), key.page(500, 500).unwrap());
    let read: Vec<_> = first.into_iter().chain(rest).map(|(_, instance)| instance).collect();
    assert!(read == instances);
    let bytes = fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for column in ["\"index\"", "\"group\"", "SOPClassUID", "Digest", "AnswerData"] {
        assert!(text.contains(column), "{column}");
    }
    assert!(text.contains(r#""action":"<text_removed>""#) && text.contains("<(0010,0010)>"));
}

#[test]
fn answers_are_read_as_the_benchmark_writes_them() {
    let json = r#"{"1": {"scope": "<Instance>", "tag": "<(0010,0010)>", "tag_ds": "<(0010,0010)>",
        "tag_name": "<Patient's Name>", "value": "<A^B>", "action": "<text_removed>",
        "action_text": "<A^B>", "answer_category": "<3>", "answer_category_v2": {"prev_cat": 3,
        "hipaa": {"z": "", "m": "HIPAA-A"}, "dicom": {"p15": null, "iod": "2", "safe": null},
        "tcia": {"ptkb": null, "p15": null, "rev": null}}},
        "0": {"tag_ds": "<(0008,0020)>", "value": null, "action": "<tag_retained>",
        "action_text": null}}"#;
    let answers = answer::from_json(json).unwrap();
    assert_eq!(answers[0].action, Action::TagRetained);
    assert_eq!((answers[0].value.as_str(), &answers[0].action_text), ("", &None));
    assert_eq!(answers[1].category.reported(answers[1].action), ("hipaa", "HIPAA-A"));
    assert_eq!(answers[1].action_text.as_deref(), Some("A^B"));
    for broken in ["", "[]", r#"{"x": {}}"#, r#"{"0": {"tag_ds": "<a>", "action": "<other>"}}"#] {
        assert!(answer::from_json(broken).is_err(), "{broken}");
    }
}

#[test]
fn mappings_are_read_in_both_forms_and_written_in_the_benchmarks() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.csv");
    fs::write(&plain, "id_old,id_new\n1.2,9.1\n1.2,9.2\n\"a,b\",c\n").unwrap();
    let mapping = Mapping::read(&plain, IdKind::Uid).unwrap();
    assert_eq!(
        (mapping.get("1.2"), mapping.get("a,b"), mapping.len()),
        (Some("9.1"), Some("c"), 2)
    );
    let both = folder.path().join("both.csv");
    fs::write(&both, "kind,id_old,id_new\nuid,1.3,9.3\npatient,P1,S1\n").unwrap();
    let patients = Mapping::read(&both, IdKind::Patient).unwrap();
    assert_eq!((patients.get("P1"), patients.get("1.3")), (Some("S1"), None));
    let written = folder.path().join("written.csv");
    mapping.write(&written).unwrap();
    assert_eq!(fs::read_to_string(&written).unwrap(), "id_old,id_new\n1.2,9.1\n\"a,b\",c\n");
    let (mut uids, mut patients) = (Mapping::default(), Mapping::default());
    fs::write(&both, "\u{feff}kind,id_old,id_new\nuid,1.3,9.3\npatient,P1,S1\nother,x,y\n")
        .unwrap();
    Mapping::read_kinds(&both, &mut uids, &mut patients).unwrap();
    assert_eq!((uids.len(), uids.get("1.3")), (1, Some("9.3")));
    assert_eq!((patients.len(), patients.get("P1")), (1, Some("S1")));
    let untold = Mapping::read_kinds(&plain, &mut uids, &mut patients);
    assert!(matches!(untold, Err(EvaluateError::Mapping { line: 1, .. })));
    for broken in ["old,new\n1,2\n", "", "id_old,id_new\n1.2\n"] {
        fs::write(&plain, broken).unwrap();
        assert!(Mapping::read(&plain, IdKind::Uid).is_err(), "{broken}");
    }
}

#[test]
fn failures_are_counted_by_element_and_named_up_to_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    fs::create_dir(&output).unwrap();
    let key = benchmark(folder.path(), 30, Some(&output));
    let none = Mapping::default();
    let result = score(&key, &output, (&none, &none), 3, &|_| {}).unwrap();
    let changed: Vec<_> =
        result.failures.iter().filter(|f| f.action == Action::UidChanged).collect();
    assert_eq!(changed.len(), 3);
    let counted: u64 = result.by_element.iter().map(|element| element.failures).sum();
    assert_eq!(counted, result.failures.len() as u64 + result.failures_left_out);
    assert!(result.by_element.is_sorted_by_key(|element| std::cmp::Reverse(element.failures)));
    let instance =
        |e: &&ElementFailures| e.tag == "<(0008,0018)>" && e.action == Action::UidChanged;
    assert_eq!(result.by_element.iter().find(instance).map(|e| e.failures), Some(30));
    assert!(result.by_element.iter().any(|e| e.tag.contains("[]")));
    assert_eq!(
        path::without_items("<(0009,\"A[1]\",10)>[<0002>]<(0008,0018)>"),
        "<(0009,\"A[1]\",10)>[]<(0008,0018)>"
    );
}

#[test]
fn a_key_without_instances_scores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let key = benchmark(folder.path(), 0, None);
    let none = Mapping::default();
    let result = score(&key, folder.path(), (&none, &none), 1, &|_| {});
    assert!(matches!(result, Err(EvaluateError::Empty)));
}
