use super::*;
use scanveil_model::{Coded, ProjectName};
use scanveil_scrub::{Coarseness, RuleAction, RuleDocument};
use std::fmt::Write;

fn imported(kind: ImportKind, text: &str) -> Imported {
    let name = ProjectName::parse("harbour").unwrap();
    import(kind, &name, text).unwrap_or_else(|error| panic!("{error}"))
}

/// The actions of the rules about an attribute, in order, with when they apply.
fn rules_of(imported: &Imported, tag: &str) -> Vec<(RuleAction, String)> {
    let about = |rule: &&RuleDocument| rule.tags.iter().any(|known| known == tag);
    imported
        .document
        .rules
        .iter()
        .filter(about)
        .map(|rule| {
            let path = if rule.path.is_empty() { "" } else { "@" };
            let value = if rule.value.is_some() { "~" } else { "" };
            let when = describe_condition(rule);
            (rule.action, format!("{path}{}{value}{when}", rule.path))
        })
        .collect()
}

fn noted(imported: &Imported, what: &str) -> bool {
    imported.not_expressed.iter().any(|note| note.what.contains(what) || note.place.contains(what))
}

fn expect(imported: &Imported, table: &[(&str, &[(RuleAction, &str)])]) {
    for (tag, wanted) in table {
        let wanted: Vec<_> =
            wanted.iter().map(|(action, when)| (*action, (*when).to_owned())).collect();
        assert_eq!(rules_of(imported, tag), wanted, "{tag}");
    }
}

use RuleAction::{Clean, Empty, Generalize, Hash, Keep, Pseudonym, Remap, Remove, Replace, Shift};

#[test]
fn ctp_scripts() {
    let ctp = imported(ImportKind::Ctp, include_str!("../fixtures/ctp.xml"));
    expect(
        &ctp,
        &[
            ("SOPInstanceUID", &[(Remap, ""), (Remap, "")]),
            ("StudyDate", &[(Shift, "")]),
            ("SeriesDate", &[(Generalize, "")]),
            ("AcquisitionDate", &[(Generalize, "")]),
            ("ContentDate", &[(Remove, "")]),
            ("AccessionNumber", &[(Hash, "")]),
            ("Modality", &[(Keep, ""), (Keep, "")]),
            ("Manufacturer", &[(Clean, "")]),
            ("InstitutionName", &[(Replace, "")]),
            ("ReferringPhysicianName", &[(Empty, "")]),
            ("StationName", &[]),
            ("StudyDescription", &[(Remove, "~"), (Clean, "")]),
            ("SeriesDescription", &[(Clean, "modality CT"), (Remove, "")]),
            ("PerformingPhysicianName", &[]),
            ("OperatorsName", &[(Empty, "")]),
            ("ReferencedImageSequence", &[(Keep, "")]),
            ("ReferencedSOPInstanceUID", &[(Remove, "@."), (Remap, "")]),
            ("PatientName", &[(Pseudonym, ""), (Pseudonym, "")]),
            ("PatientID", &[(Pseudonym, ""), (Pseudonym, "")]),
            ("PatientBirthDate", &[(Remove, "")]),
            ("PatientAge", &[(Generalize, "")]),
            ("EthnicGroup", &[(Remove, "")]),
            ("PatientComments", &[(Replace, "")]),
            ("DeidentificationMethod", &[]),
            ("(0013,1010)", &[]),
            ("(0013,xx11)", &[(Remove, "")]),
            ("BodyPartExamined", &[(Remove, "")]),
            ("ProtocolName", &[(Remove, "")]),
        ],
    );
    let coarse = |tag: &str| {
        let rule = ctp.document.rules.iter().find(|rule| rule.tags.iter().any(|t| t == tag));
        rule.and_then(|rule| rule.to)
    };
    assert_eq!(coarse("SeriesDate"), Some(Coarseness::Year));
    assert_eq!(coarse("AcquisitionDate"), Some(Coarseness::Month));
    assert_eq!(coarse("PatientAge"), Some(Coarseness::AgeBand10));
    assert_eq!(ctp.document.options, ["retain-safe-private"]);
    for what in [
        "ContentDate",
        "PerformingPhysicianName",
        "OperatorName",
        "EthnicGroup",
        "00131010",
        "BodyPartExamined",
        "ProtocolName",
        "DeIdentificationMethod",
        "keep 0018",
        "overlays",
        "unspecifiedelements",
    ] {
        assert!(noted(&ctp, what), "{what}: {:#?}", ctp.not_expressed);
    }
    // The unspecified go, but the group that is kept follows the Basic Profile.
    let rest = ctp.document.rules.last().unwrap();
    assert!(rest.tags.contains(&"0008xxxx".to_owned()) && rest.action == Remove);
    assert!(!rest.tags.contains(&"0018xxxx".to_owned()));
    let at = ctp.not_expressed.iter().find(|note| note.what.contains("EthnicGroup")).unwrap();
    assert_eq!(at.place, "line 28");
}

#[test]
fn ctp_scripts_of_the_older_form() {
    let ctp = imported(ImportKind::Ctp, include_str!("../fixtures/ctp.txt"));
    expect(
        &ctp,
        &[
            ("SOPInstanceUID", &[(Remap, "")]),
            ("StudyDate", &[(Keep, "")]),
            ("StudyDescription", &[]),
            ("PatientName", &[(Remove, "")]),
        ],
    );
    assert!(noted(&ctp, "keep 0018") && noted(&ctp, "elements without an enabled script"));
}

#[test]
fn orthanc_bodies() {
    let orthanc = imported(ImportKind::Orthanc, include_str!("../fixtures/orthanc.json"));
    expect(
        &orthanc,
        &[
            ("PatientName", &[(Pseudonym, "")]),
            ("InstitutionName", &[(Replace, "")]),
            ("(0009,xx01)", &[(Replace, "")]),
            ("RequestedProcedureDescription", &[(Remove, "")]),
            ("StudyDescription", &[(Remove, "")]),
            ("ReferencedSOPInstanceUID", &[(Remove, "@ReferencedImageSequence")]),
            ("StudyDate", &[(Keep, "@.")]),
            ("SeriesDescription", &[(Clean, "@.")]),
            ("SOPInstanceUID", &[]),
            ("SeriesDate", &[(Keep, "@ReferencedSeriesSequence")]),
            ("SeriesTime", &[]),
            ("OperatorsName", &[]),
        ],
    );
    for place in [
        "Replace.PatientName",
        "Remove.NoSuchAttribute",
        "Keep.SOPInstanceUID",
        "Keep.OperatorsName",
        "Keep.ReferencedSeriesSequence[1].SeriesTime",
        "KeepPrivateTags",
        "DicomVersion",
        "Force",
        "Colour",
        "Remove.ReferencedImageSequence[0].ReferencedSOPInstanceUID",
    ] {
        assert!(noted(&orthanc, place), "{place}");
    }
    assert!(orthanc.document.options.is_empty());
}

#[test]
fn deid_recipes() {
    let deid = imported(ImportKind::Deid, include_str!("../fixtures/deid.dicom"));
    expect(
        &deid,
        &[
            ("PatientIdentityRemoved", &[]),
            ("ClinicalTrialProtocolID", &[(Replace, "")]),
            ("PatientID", &[(Pseudonym, ""), (Pseudonym, "")]),
            ("SOPInstanceUID", &[(Remap, ""), (Remap, "")]),
            ("StudyDescription", &[(Remove, "")]),
            ("StationName", &[(Replace, "")]),
            ("StudyDate", &[(Shift, "")]),
            ("AccessionNumber", &[(Empty, "")]),
            ("SeriesDescription", &[(Clean, "")]),
            ("PatientAge", &[(Keep, "")]),
            ("OperatorsName", &[(Remove, "")]),
            ("PatientAddress", &[(Remove, "")]),
            ("InstitutionAddress", &[(Remove, "")]),
            ("PatientComments", &[(Remove, "")]),
            ("(0033,xx1E)", &[(Remove, "")]),
            ("ReferringPhysicianName", &[(Remove, "")]),
        ],
    );
    assert!(deid.document.rules.iter().any(|rule| rule.vr == ["PN"] && rule.action == Remove));
    for what in [
        "LABEL",
        "REPLACE StudyDescription",
        "JITTER StudyTime",
        "KEEP select:GROUP:0018",
        "REMOVE values:patient",
        "REMOVE PatientComments",
        "ADD PatientIdentityRemoved",
    ] {
        assert!(noted(&deid, what), "{what}: {:#?}", deid.not_expressed);
    }
}

#[test]
fn deid_recipes_that_remove_all() {
    let text = "FORMAT dicom\n%header\nKEEP SliceThickness\nREMOVE ALL\nKEEP ALL\n";
    let deid = imported(ImportKind::Deid, text);
    expect(&deid, &[("SliceThickness", &[(Keep, "")]), ("SOPInstanceUID", &[(Remap, "")])]);
    let rest = deid.document.rules.last().unwrap();
    assert!(rest.tags.contains(&"0018xxxx".to_owned()) && rest.action == Remove);
    assert!(noted(&deid, "KEEP ALL"));
}

#[test]
fn lists_of_private_elements() {
    let list = imported(ImportKind::TciaKb, include_str!("../fixtures/private.csv"));
    expect(
        &list,
        &[
            ("(0019,xx23)", &[(Clean, "@."), (Keep, "@.")]),
            ("(0019,xx24)", &[]),
            ("(0019,xx25)", &[(Clean, "@."), (Keep, "@.")]),
            ("(0009,xx27)", &[]),
            ("(0009,xx28)", &[(Shift, "@."), (Clean, "@.")]),
            ("(0009,xx30)", &[(Remap, "@.")]),
            ("(0009,xx31)", &[(Remap, "@."), (Hash, "@.")]),
            ("(0009,xxE6)", &[]),
            ("(0025,xx13)", &[(Clean, "@*"), (Keep, "@*")]),
            ("(0021,xx01)", &[(Clean, "@(5200,9229).*"), (Keep, "@(5200,9229).*")]),
        ],
    );
    let creators: Vec<_> =
        list.document.rules.iter().filter_map(|r| r.creator.as_deref()).collect();
    assert!(creators.contains(&"GEMS_ACQU_01") && creators.contains(&"SIEMENS MR SDS 01"));
    for what in ["(0009,,02)", "27)", "e6)", "(0008,1150)", "nonsense"] {
        assert!(noted(&list, what), "{what}: {:#?}", list.not_expressed);
    }
    let safe = imported(ImportKind::TciaKb, include_str!("../fixtures/safe.csv"));
    expect(&safe, &[("(7053,xx00)", &[(Clean, "@."), (Keep, "@.")])]);
    assert!(safe.not_expressed.is_empty());
}

/// A list as long as TCIA's: some thousand elements of some hundred creators.
#[test]
fn a_list_of_thousands_becomes_few_rules() {
    let mut text = String::from("element_sig_pattern,tag_name,vr,private_disposition\n");
    for creator in 0..120 {
        for element in 0..32 {
            let group = 0x0019 + 2 * (creator % 8);
            let keeps = if element % 4 == 3 { "d" } else { "k" };
            writeln!(
                text,
                "\"({group:04x},MAKER {creator:03}\"\",{element:02x})\",Thing,DS,{keeps}"
            )
            .unwrap();
        }
    }
    let list = imported(ImportKind::TciaKb, &text);
    let tags: usize = list.document.rules.iter().map(|rule| rule.tags.len()).sum();
    // Each twice: its texts are cleaned, what is no text is kept.
    assert_eq!(tags, 2 * 120 * 24);
    assert!(list.document.rules.len() <= 2 * 120, "{}", list.document.rules.len());
}

#[test]
fn what_is_no_recipe_is_refused() {
    let name = ProjectName::parse("x").unwrap();
    for (kind, text) in [
        (ImportKind::Ctp, "<script><e></script>"),
        (ImportKind::Ctp, "<pixels/>"),
        (ImportKind::Ctp, "hello"),
        (ImportKind::Orthanc, "[]"),
        (ImportKind::Orthanc, "{\"Keep\": \"StudyDate\"}"),
        (ImportKind::Orthanc, "{"),
        (ImportKind::Deid, "REMOVE ALL"),
        (ImportKind::Deid, "FORMAT nifti"),
        (ImportKind::TciaKb, "a,b\n1,2\n"),
    ] {
        let error = import(kind, &name, text).err().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(error.code(), "SV-PROFILES-002", "{text}");
    }
    let many = "KEEP contains:a\n".repeat(200);
    let many = format!("FORMAT dicom\n%header\n{many}");
    for (kind, text) in [
        (ImportKind::Ctp, "set.[0010,4000]PatientComments=@keep()\n".repeat(30_000)),
        (ImportKind::Deid, many),
        (ImportKind::Deid, format!("FORMAT dicom\n%header\n{}", "KEEP StudyDate\n".repeat(30_000))),
    ] {
        assert_eq!(import(kind, &name, &text).err().unwrap().code(), "SV-PROFILES-001");
    }
    let long = " ".repeat(17 << 20);
    assert_eq!(import(ImportKind::Ctp, &name, &long).err().unwrap().code(), "SV-PROFILES-001");
}

#[test]
fn nested_and_broken_expressions_end() {
    let deep = format!("{}@keep(){}", "@if(this,exists){".repeat(40), "}".repeat(40));
    let text = format!("set.[0008,1030]StudyDescription={deep}\nset.[0008,103e]S=@if(((((\n");
    let ctp = imported(ImportKind::Ctp, &text);
    expect(&ctp, &[("StudyDescription", &[(Remove, "")]), ("SeriesDescription", &[(Remove, "")])]);
}

#[test]
fn an_import_is_written_and_read_again() {
    for (kind, text) in [
        (ImportKind::Ctp, include_str!("../fixtures/ctp.xml")),
        (ImportKind::Orthanc, include_str!("../fixtures/orthanc.json")),
        (ImportKind::Deid, include_str!("../fixtures/deid.dicom")),
        (ImportKind::TciaKb, include_str!("../fixtures/private.csv")),
    ] {
        let imported = imported(kind, text);
        let profile = Profile::from_toml(&imported.to_toml().unwrap()).unwrap();
        assert_eq!(profile.document(), &imported.document);
        assert_eq!(profile.name(), "harbour");
        assert_eq!(ImportKind::find(kind.name()), Some(kind));
    }
}

/// Whatever a recipe keeps, who the patient is does not come out of an imported profile.
#[test]
fn imported_profiles_let_nobody_through() {
    let tests = builtin_tests("basic").unwrap();
    let cases = [
        "patient",
        "patient-implicit",
        "patient-big-endian",
        "persons-and-places",
        "descriptions",
        "names-in-other-attributes",
        "private-sequence",
        "chinese",
        "japanese-with-extensions",
        "gb18030",
        "another-value-representation",
        "report",
        "the-identifier-as-a-number",
    ];
    for (kind, text) in [
        (ImportKind::Ctp, include_str!("../fixtures/ctp.xml")),
        (ImportKind::Ctp, include_str!("../fixtures/ctp.txt")),
        (ImportKind::Orthanc, include_str!("../fixtures/orthanc.json")),
        (ImportKind::Deid, include_str!("../fixtures/deid.dicom")),
        (ImportKind::TciaKb, include_str!("../fixtures/private.csv")),
        (ImportKind::Ctp, KEEPS_ALL),
    ] {
        let imported = imported(kind, text);
        let profile = Profile::from_toml(&imported.to_toml().unwrap()).unwrap();
        let results = run(tests, &profile).unwrap();
        let mut looked = 0;
        for result in results.iter().filter(|result| cases.contains(&result.case.as_str())) {
            looked += 1;
            let there = result.failures.iter().find(|failure| failure.found == "it is there");
            assert!(there.is_none(), "{}, {}: {there:?}", kind.name(), result.case);
        }
        assert!(looked >= cases.len(), "{looked}");
    }
}

/// A script that asks for everything that identifies to be kept.
const KEEPS_ALL: &str = "\
set.[0010,0010]PatientName=@keep()
set.[0010,0020]PatientID=@contents(this)
set.[0010,0030]PatientBirthDate=@keep()
set.[0010,1000]OtherPatientIDs=@require()
set.[0010,1001]OtherPatientNames=@value(this)
set.[0010,1005]PatientBirthName=@keep()
set.[0010,1040]PatientAddress=@keep()
set.[0010,2154]PatientPhoneNumbers=@keep()
set.[0010,4000]PatientComments=@keep()
set.[0010,21b0]AdditionalPatientHistory=@if(this,exists){@keep()}{@remove()}
set.[0010,1002]OtherPatientIDsSeq=@process()
set.[0008,0090]ReferringPhysicianName=@keep()
set.[0008,1030]StudyDescription=@keep()
set.[0008,103e]SeriesDescription=@uppercase(this)
set.[0018,1030]ProtocolName=@keep()
set.[0020,4000]ImageComments=@keep()
set.[0040,a730]ContentSeq=@process()
set.[0020,000d]StudyInstanceUID=@keep()
set.[0029,1010]CSA=@keep()
set.[0011,1001]Private=@keep()
keep.group10=
keep.group08=
";
