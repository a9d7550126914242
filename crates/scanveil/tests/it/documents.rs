//! Encapsulated documents through the program itself: read in a process of their own, cleaned or
//! held back.

use scanveil_dataset::{Encoding, Limits, Tag, TransferSyntax, Vr, Writer, file_meta, open_slice};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PDF: (&str, &str) = ("1.2.840.10008.5.1.4.1.1.104.1", "application/pdf");
const CDA: (&str, &str) = ("1.2.840.10008.5.1.4.1.1.104.2", "text/XML");

const PROFILE: &str = "format = 2\nname = \"letters\"\nversion = \"1\"\n\
     options = [\"clean-descriptors\", \"clean-structured-content\", \"modified-dates\"]\n\
     [documents]\npdf = \"search\"\ncda = \"clean\"\n";

const FINDING: &str = "No acute fracture of the left radius.";

fn run(arguments: &[&str], folder: &Path) -> Output {
    let program = env!("CARGO_BIN_EXE_scanveil");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env_remove("SCANVEIL_LOG").output().unwrap()
}

/// An instance of an invented patient that holds a document.
fn instance(number: u32, (class, mime_type): (&str, &str), document: &[u8]) -> Vec<u8> {
    let length = u32::try_from(document.len()).unwrap().to_le_bytes();
    let uid = format!("1.2.840.99999.7.{number}");
    let study = format!("1.2.840.99999.8.{number}");
    let elements: [(u32, Vr, &[u8]); 14] = [
        (0x0008_0016, Vr::UI, class.as_bytes()),
        (0x0008_0018, Vr::UI, uid.as_bytes()),
        (0x0008_0020, Vr::DA, b"20240301"),
        (0x0008_0060, Vr::CS, b"DOC"),
        (0x0010_0010, Vr::PN, b"Ashgrove^Ottoline"),
        (0x0010_0020, Vr::LO, b"MRN5191125"),
        (0x0010_0030, Vr::DA, b"19530627"),
        (0x0010_0040, Vr::CS, b"F"),
        (0x0020_000d, Vr::UI, study.as_bytes()),
        (0x0020_000e, Vr::UI, study.as_bytes()),
        (0x0042_0010, Vr::ST, b""),
        (0x0042_0011, Vr::OB, document),
        (0x0042_0012, Vr::LO, mime_type.as_bytes()),
        (0x0042_0015, Vr::UL, &length),
    ];
    let mut bytes = file_meta(class, &uid, TransferSyntax::EXPLICIT_LITTLE);
    for (tag, vr, value) in elements {
        let tag = Tag::new((tag >> 16) as u16, tag as u16);
        let encoding = Encoding { explicit: true, big_endian: false };
        Writer::new(&mut bytes).element(tag, vr, value, encoding);
    }
    bytes
}

/// A file of one page; `font` and `more` objects beside it.
fn pdf(content: &str, font: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let page = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R \
                /Resources << /Font << /F1 5 0 R >> >> >>";
    let mut objects: Vec<Vec<u8>> = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page.as_bytes().to_vec(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()).into_bytes(),
        format!("<< /Type /Font {font} >>").into_bytes(),
    ];
    objects.extend_from_slice(more);
    let mut out = b"%PDF-1.4\n".to_vec();
    let size = objects.len() + 1;
    let mut table = format!("xref\n0 {size}\n0000000000 65535 f \n");
    for (at, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend(format!("{} 0 obj\n", at + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let section = out.len();
    let trailer = format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{section}\n%%EOF\n");
    out.extend(table.bytes().chain(trailer.bytes()));
    out
}

const HELVETICA: &str = "/Subtype /Type1 /BaseFont /Helvetica";

fn page(text: &str) -> Vec<u8> {
    pdf(&format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET"), HELVETICA, &[])
}

/// A font whose mapping to characters is about four thousand million of them.
fn crash() -> Vec<u8> {
    let mapping = "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n\
         /CMapName /X def\n1 begincodespacerange\n<00000000> <ffffffff>\nendcodespacerange\n\
         1 beginbfrange\n<00000000> <ffffffff> <0041>\nendbfrange\nendcmap\n\
         CMapName currentdict /CMap defineresource pop\nend\nend\n";
    let mapping = format!("<< /Length {} >>\nstream\n{mapping}\nendstream", mapping.len());
    let font = "/Subtype /TrueType /BaseFont /A /ToUnicode 6 0 R";
    pdf("BT /F1 12 Tf (a) Tj ET", font, &[mapping.into_bytes()])
}

const LETTER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><!-- Ottoline -->
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<id root="1.2.840.99999.9" extension="ACC77123"/>
<code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="Diagnostic imaging report"/>
<title>CT of the chest</title><effectiveTime value="20240301101500"/>
<recordTarget><patientRole><id root="1.2.840.99999.6" extension="MRN5191125"/><patient>
<name><given>Ottoline</given><family>Ashgrove</family></name><birthTime value="19530627"/></patient>
</patientRole></recordTarget>
<author><time value="20240301"/><assignedAuthor><assignedPerson><name>Radial Quench</name>
</assignedPerson></assignedAuthor></author>
<component><structuredBody><component><section><title>Findings</title><text><paragraph>
Dictated by &#81;uench for <![CDATA[Ashgrove]]>: no pneumothorax.</paragraph></text></section>
</component></structuredBody></component></ClinicalDocument>"#;

#[test]
fn documents_are_cleaned_or_held_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("in")).unwrap();
    fs::write(at("letters.toml"), PROFILE).unwrap();
    let clean = page(FINDING);
    let inputs: [(&str, (&str, &str), Vec<u8>); 6] = [
        ("clean", PDF, clean.clone()),
        ("named", PDF, page("Report for Ottoline Ashgrove")),
        ("image", PDF, pdf("BI /W 1 /H 1 /BPC 8 /CS /G ID x\nEI", HELVETICA, &[])),
        ("crash", PDF, crash()),
        ("letter", CDA, LETTER.as_bytes().to_vec()),
        ("media", CDA, LETTER.replace("<title>", "<nonXMLBody/><title>").into_bytes()),
    ];
    for (number, (name, kind, document)) in (1..).zip(&inputs) {
        fs::write(at("in").join(name), instance(number, *kind, document)).unwrap();
    }
    let arguments = ["scrub", "in", "--profile", "letters.toml", "--out", "out"];
    let arguments = [&arguments[..], &["--report", "report.json", "--json"]].concat();
    let output = run(&arguments, folder.path());
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let report = fs::read_to_string(at("report.json")).unwrap();
    for (name, detail) in [
        ("named", "found in its text: known-name"),
        ("image", "an image"),
        ("crash", "the process that read it failed"),
        ("media", "an element or attribute that is not on the list"),
    ] {
        assert!(report.contains(detail), "{name}: {report}");
    }
    let mut documents = Vec::new();
    let mut folders = vec![at("out")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|ending| ending == "dcm") {
                let bytes = fs::read(entry.path()).unwrap();
                let (header, _) = open_slice(&bytes, &Limits::default()).unwrap();
                documents.push(header.data.text(Tag::new(0x42, 0x11)).unwrap().to_vec());
                for canary in ["Ashgrove", "Ottoline", "Quench", "MRN5191125", "19530627", "ACC77"]
                {
                    let found = bytes.windows(canary.len()).any(|w| w == canary.as_bytes());
                    assert!(!found, "{canary}");
                }
            }
        }
    }
    assert_eq!(documents.len(), 2);
    assert!(documents.contains(&clean));
    let letter = documents.iter().find(|document| **document != clean).unwrap();
    let letter = String::from_utf8_lossy(letter);
    assert!(letter.contains("no pneumothorax.") && letter.contains("18748-4"), "{letter}");
}

#[test]
fn without_a_word_in_the_profile_documents_stay() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    let bytes = instance(1, PDF, &page(FINDING));
    fs::write(folder.path().join("in/letter"), bytes).unwrap();
    for profile in ["basic", "research"] {
        let arguments = ["scrub", "in", "--profile", profile, "--out", profile, "--json"];
        let output = run(&arguments, folder.path());
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(2), "{summary}");
        assert!(summary.to_string().contains("encapsulated-document"), "{summary}");
    }
    let shown = run(&["profile", "show", "research"], folder.path());
    let shown: BTreeMap<&str, bool> = ["PDF documents", "CDA documents"]
        .map(|line| (line, String::from_utf8_lossy(&shown.stdout).contains(line)))
        .into();
    assert!(shown.values().all(|found| *found), "{shown:?}");
}

#[test]
fn the_worker_answers_and_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(&["--help"], folder.path());
    assert!(!String::from_utf8_lossy(&help.stdout).contains("worker"));
    for (document, answered, said) in [
        (page(FINDING), true, FINDING),
        (b"no document".to_vec(), true, "malformed"),
        (crash(), false, ""),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_scanveil"))
            .args(["worker", "document"])
            // As the program sets it for its own: the allocator's reserve lies within the limit.
            .env("MIMALLOC_ARENA_RESERVE", "32768")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that refuses has ended before it has read.
        let _ = child.stdin.take().unwrap().write_all(&document);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.success(), answered, "{said}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(said), "{said}");
    }
}
