//! Encapsulated documents, through the whole scrubber.

use super::*;
use scanveil_dataset::{Encoding, TransferSyntax, Vr, Writer, file_meta};
use scanveil_documents::{DocumentReader, InProcess, PdfText, Unread, cda_text};
use std::sync::Arc;

const PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";
const CDA: &str = "1.2.840.10008.5.1.4.1.1.104.2";
const STL: &str = "1.2.840.10008.5.1.4.1.1.104.3";

const SEARCH: &str = "format = 2\nname = \"x\"\nversion = \"1\"\noptions = [\"clean-descriptors\"]\n\
     [documents]\npdf = \"search\"\n";

/// An instance of an invented patient that holds a document.
fn instance(class: &str, mime_type: &str, document: &[u8], changes: &[(u32, Vr, &str)]) -> Vec<u8> {
    let length = u32::try_from(document.len()).unwrap().to_le_bytes();
    let mut elements: BTreeMap<u32, (Vr, Vec<u8>)> = [
        (0x0008_0016, Vr::UI, class),
        (0x0008_0018, Vr::UI, "1.2.840.99999.5.1"),
        (0x0008_0020, Vr::DA, "20240301"),
        (0x0008_0060, Vr::CS, "DOC"),
        (0x0010_0010, Vr::PN, "Ashgrove^Ottoline"),
        (0x0010_0020, Vr::LO, "MRN5191125"),
        (0x0010_0030, Vr::DA, "19530627"),
        (0x0020_000d, Vr::UI, "1.2.840.99999.5.2"),
        (0x0020_000e, Vr::UI, "1.2.840.99999.5.3"),
        (0x0042_0012, Vr::LO, mime_type),
    ]
    .into_iter()
    .chain(changes.iter().copied())
    .map(|(tag, vr, value)| (tag, (vr, value.as_bytes().to_vec())))
    .collect();
    elements.insert(0x0042_0011, (Vr::OB, document.to_vec()));
    elements.insert(0x0042_0015, (Vr::UL, length.to_vec()));
    let mut bytes = file_meta(class, "1.2.840.99999.5.1", TransferSyntax::EXPLICIT_LITTLE);
    let encoding = Encoding { explicit: true, big_endian: false };
    for (tag, (vr, value)) in &elements {
        let tag = Tag::new((tag >> 16) as u16, *tag as u16);
        Writer::new(&mut bytes).element(tag, *vr, value, encoding);
    }
    bytes
}

/// A file of one page with this content, its objects in a row.
fn pdf(content: &str) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = "%PDF-1.4\n".to_owned();
    let mut table = "xref\n0 6\n0000000000 65535 f \n".to_owned();
    for (at, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let section = out.len();
    let end = format!("trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{section}\n%%EOF\n");
    (out + &table + &end).into_bytes()
}

fn page(text: &str) -> Vec<u8> {
    pdf(&format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET"))
}

fn profile(text: &str) -> Profile {
    Profile::from_toml(text).unwrap().with_reader(Arc::new(InProcess))
}

fn value(bytes: &[u8], tag: Tag) -> Vec<u8> {
    let (header, _) = open_slice(bytes, &Limits::default()).unwrap();
    header.data.text(tag).unwrap_or_default().to_vec()
}

const DOCUMENT: Tag = Tag::new(0x42, 0x11);
const FINDING: &str = "No acute fracture of the left radius.";

#[test]
fn a_pdf_goes_out_by_a_profile_that_says_so() {
    let clean = page(FINDING);
    let bytes = instance(PDF, "application/pdf", &clean, &[]);
    let out = scrub_one(&bytes, &profile(SEARCH)).unwrap();
    assert_eq!(value(&out, DOCUMENT), clean);
    assert_eq!(value(&out, tags::BURNED_IN_ANNOTATION), b"NO");
    assert_eq!(value(&out, Tag::new(0x42, 0x12)), b"application/pdf");
    for name in Profile::builtin_names() {
        let builtin = Profile::builtin(name).unwrap().with_reader(Arc::new(InProcess));
        let reason = scrub_one(&bytes, &builtin).unwrap_err();
        assert_eq!(reason.code, ReasonCode::EncapsulatedDocument, "{name}");
    }
    let reason = scrub_one(&bytes, &Profile::from_toml(SEARCH).unwrap()).unwrap_err();
    assert_eq!(reason.detail, "no process to read documents in");
}

#[test]
fn a_pdf_in_which_something_is_found_stays() {
    let search = profile(SEARCH);
    for (text, detail) in [
        ("Report for Ottoline Ashgrove", "found in its text: known-name"),
        ("\\101shgrove", "found in its text: known-name"),
        ("born 27.06.1953", "found in its text: date"),
        ("MRN5191125", "found in its text: known-identifier"),
        ("Seen by Dr. Barnaby Castellan", "found in its text: name-by-dictionary"),
        ("Call 206-555-0142", "found in its text: telephone"),
        ("2024-05-06", "found in its text: date"),
    ] {
        let bytes = instance(PDF, "application/pdf", &page(text), &[]);
        let reason = scrub_one(&bytes, &search).unwrap_err();
        assert_eq!(reason.code, ReasonCode::EncapsulatedDocument, "{text}");
        assert_eq!(reason.detail, detail, "{text}");
    }
    // A name in letters that are drawn one by one, from the last to the first.
    let letters = "Ashgrove".chars().enumerate().collect::<Vec<_>>();
    let drawn = letters
        .into_iter()
        .rev()
        .map(|(at, letter)| format!("1 0 0 1 {} 700 Tm ({letter}) Tj ", 72 + at * 8));
    let content = format!("BT /F1 12 Tf {}ET", drawn.collect::<String>());
    let bytes = instance(PDF, "application/pdf", &pdf(&content), &[]);
    assert!(scrub_one(&bytes, &search).is_err());
}

/// A reader whose process has failed.
struct Failing;

impl DocumentReader for Failing {
    fn read_pdf(&self, _: &[u8]) -> Result<PdfText, Unread> {
        Err(Unread::ReaderFailed)
    }
}

#[test]
fn what_does_not_fit_is_held_back() {
    let clean = page(FINDING);
    let behind = [&clean[..], b"Ottoline Ashgrove"].concat();
    let search = profile(SEARCH);
    let long = instance(PDF, "application/pdf", &clean, &[]);
    let cut = {
        let at = long.windows(4).rposition(|w| w == (clean.len() as u32).to_le_bytes()).unwrap();
        let mut cut = long.clone();
        cut[at..at + 4].copy_from_slice(&9u32.to_le_bytes());
        cut
    };
    for (name, bytes) in [
        ("STL", instance(STL, "model/stl", b"solid x", &[])),
        ("a PDF that says to be CDA", instance(PDF, "text/XML", &clean, &[])),
        ("a CDA that is a PDF", instance(CDA, "application/pdf", &clean, &[])),
        ("nothing", instance(PDF, "application/pdf", b"", &[])),
        ("bytes behind its end", instance(PDF, "application/pdf", &behind, &[])),
        ("a length that is too short", cut),
        (
            "parts of other kinds",
            instance(PDF, "application/pdf", &clean, &[(0x0042_0014, Vr::LO, "image/jpeg")]),
        ),
    ] {
        let reason = scrub_one(&bytes, &search).unwrap_err();
        assert_eq!(reason.code, ReasonCode::EncapsulatedDocument, "{name}");
        assert!(!reason.to_string().contains("Ashgrove"), "{name}");
    }
    let declared = instance(PDF, "application/pdf", &clean, &[(0x0028_0301, Vr::CS, "YES")]);
    assert_eq!(scrub_one(&declared, &search).unwrap_err().code, ReasonCode::BurnedInText);
    let failing = Profile::from_toml(SEARCH).unwrap().with_reader(Arc::new(Failing));
    let reason = scrub_one(&long, &failing).unwrap_err();
    assert_eq!(reason.detail, "the process that read it failed");
}

fn cda(narrative: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<id root="1.2.840.99999.5.1"/><code code="18748-4" codeSystem="2.16.840.1.113883.6.1"/>
<title>CT chest</title><effectiveTime value="20240301101500"/>
<setId root="1.2.840.99999.5.9" extension="ACC-77123"/>
<recordTarget><patientRole><id root="1.2.840.99999.6" extension="MRN5191125"/><patient>
<name><given>Ottoline</given><family>Ashgrove</family></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/></patient></patientRole>
</recordTarget><author><time value="20240301"/><assignedAuthor><assignedPerson>
<name><given>Radial</given><family>Quench</family></name></assignedPerson></assignedAuthor></author>
<component><structuredBody><component><section><title>Findings</title>
<text><paragraph>{narrative}</paragraph></text></section></component></structuredBody></component>
</ClinicalDocument>"#
    )
}

#[test]
fn a_cda_document_is_cleaned_and_consistent() {
    let research = Profile::builtin("research").unwrap();
    let source = cda("Dictated by R. &#81;uench: no pneumothorax, fracture of the left rib.");
    let changes = [(0x0040_e001, Vr::ST, "1.2.840.99999.5.9^ACC-77123")];
    let bytes = instance(CDA, "text/XML", source.as_bytes(), &changes);
    let out = scrub_one(&bytes, &research).unwrap();
    let document = value(&out, DOCUMENT);
    let said = cda_text(&document).unwrap();
    for gone in ["Quench", "Ashgrove", "Ottoline", "MRN5191125", "ACC-77123", "20240301"] {
        assert!(!said.contains(gone), "{gone} in {said}");
    }
    for kept in ["no pneumothorax", "fracture of the left rib", "18748-4", "CT chest"] {
        assert!(said.contains(kept), "{kept} not in {said}");
    }
    // What the header says is what the document says.
    let text = |tag| String::from_utf8(value(&out, tag)).unwrap();
    for tag in [tags::SOP_INSTANCE_UID, tags::PATIENT_ID] {
        assert!(said.contains(&text(tag)), "{tag}");
    }
    assert!(said.contains(&text(tags::STUDY_DATE)), "the date moved by the same days");
    let (root, extension) = {
        let identifier = text(Tag::new(0x40, 0xe001));
        let (root, extension) = identifier.split_once('^').unwrap();
        (root.to_owned(), extension.to_owned())
    };
    assert!(said.contains(&root) && said.contains(&extension));
    let length = value(&out, Tag::new(0x42, 0x15));
    assert_eq!(length, (document.len() as u32).to_le_bytes()[..length.len()]);
    for name in ["basic", "strict", "full-dates", "internal-quality", "longitudinal"] {
        let reason = scrub_one(&bytes, &Profile::builtin(name).unwrap()).unwrap_err();
        assert_eq!(reason.code, ReasonCode::EncapsulatedDocument, "{name}");
    }
    let damaged = instance(CDA, "text/XML", b"<patient>Ottoline</patient>", &[]);
    let reason = scrub_one(&damaged, &research).unwrap_err();
    assert_eq!(reason.detail, "not an HL7 clinical document");
}

/// Who a document names is cleaned from the other instances of its study, too.
#[test]
fn who_a_document_names_is_known_to_the_study() {
    let research = Profile::builtin("research").unwrap();
    let secret = ProjectSecret::new(&[7; 32]);
    let document = instance(CDA, "text/XML", cda("x").as_bytes(), &[]);
    let other = "1.2.840.10008.5.1.4.1.1.88.59";
    let other = instance(other, "", b"", &[(0x0008_103e, Vr::LO, "chest for radial quench")]);
    let limits = Limits::default();
    let mut identity = StudyIdentity::new();
    for bytes in [&document, &other] {
        identity.observe(&open_slice(bytes, &limits).unwrap().0).unwrap();
    }
    let scrubber = StudyScrubber::new(&research, &secret, identity).unwrap();
    let (header, body) = open_slice(&document, &limits).unwrap();
    let mut out = Vec::new();
    scrubber.scrub(&header, body, &mut out).unwrap();
    let (header, body) = open_slice(&other, &limits).unwrap();
    // A document where none belongs holds it back; without it, the name is gone.
    assert!(scrubber.scrub(&header, body, &mut Vec::new()).is_err());
    let end = other.windows(4).position(|w| w == b"\x42\x00\x11\x00").unwrap();
    let (header, body) = open_slice(&other[..end], &limits).unwrap();
    let mut out = Vec::new();
    scrubber.scrub(&header, body, &mut out).unwrap();
    let description = value(&out, Tag::new(0x8, 0x103e));
    assert_eq!(String::from_utf8_lossy(&description), "chest");
}

#[test]
fn profiles_say_what_becomes_of_documents() {
    let cda = "format = 2\nname = \"x\"\nversion = \"1\"\n[documents]\ncda = \"clean\"\n";
    let error = Profile::from_toml(cda).err().unwrap();
    assert_eq!(scanveil_model::Coded::code(&error), "SV-SCRUB-004");
    for text in ["pdf = \"release\"", "stl = \"search\"", "cda = true"] {
        let text = format!("format = 2\nname = \"x\"\nversion = \"1\"\n[documents]\n{text}\n");
        let error = Profile::from_toml(&text).err().unwrap();
        assert_eq!(scanveil_model::Coded::code(&error), "SV-SCRUB-001", "{text}");
    }
    let explained = profile(SEARCH).explain(DOCUMENT, &Case::default());
    assert_eq!((explained.treatment, explained.because.as_str()), ("by-kind", "documents"));
    assert_eq!(
        explained.why,
        "documents of the profile: PDF search, CDA quarantine, others quarantine"
    );
}

/// What inspection says of the document of an instance.
fn inspected(bytes: &[u8]) -> Option<crate::Trace> {
    let (header, _) = open_slice(bytes, &Limits::default()).unwrap();
    let mut found = None;
    let inspector = crate::Inspector::new().with_reader(Arc::new(InProcess));
    inspector.look(&header, |place, trace| {
        if place == crate::TracePlace::Tag(DOCUMENT) {
            found = Some(trace);
        }
    });
    found
}

#[test]
fn inspection_reads_documents() {
    use crate::Trace;
    let source = cda("No pneumothorax.");
    let original = instance(CDA, "text/XML", source.as_bytes(), &[]);
    assert_eq!(inspected(&original), Some(Trace::PersonInText));
    let research = Profile::builtin("research").unwrap();
    assert_eq!(inspected(&scrub_one(&original, &research).unwrap()), None);
    for (text, expected) in [
        (FINDING, None),
        ("Seen by Dr. Barnaby Castellan", Some(Trace::PersonInText)),
        ("Call 206-555-0142", Some(Trace::NumberInText)),
    ] {
        let bytes = instance(PDF, "application/pdf", &page(text), &[]);
        assert_eq!(inspected(&bytes), expected, "{text}");
    }
    let model = instance(STL, "model/stl", b"solid x", &[]);
    assert_eq!(inspected(&model), Some(Trace::Unread));
}
