//! A lone ordinary value of any attribute never holds an instance back, under any shipped profile,
//! alone or in an item: the scrubber and the verification agree about it, whatever they do.

use super::*;
use scanveil_dataset::{Encoding, TransferSyntax, Vr, Writer, file_meta, lookup};
use std::collections::BTreeSet;

const LE: Encoding = Encoding { explicit: true, big_endian: false };
const CLASS: &str = "1.2.840.10008.5.1.4.1.1.2";
/// A sequence that no table lists, so that its items are treated.
const OUTER: Tag = Tag::new(0x8, 0x1115);

/// Ordinary values of a representation: what devices and people write every day.
fn values(vr: Vr) -> Vec<Vec<u8>> {
    let texts = |list: &[&str]| list.iter().map(|text| text.as_bytes().to_vec()).collect();
    match &vr.0 {
        b"DA" => texts(&["20240517", "19000101", "20240101"]),
        b"TM" => texts(&["101112", "101112.123456"]),
        b"DT" => texts(&["20240517101112", "20240517"]),
        b"UI" => texts(&["1.2.826.0.1.3680043.10.1338.77.5", "2.25.7719034"]),
        b"CS" => texts(&["CHEST", "HFS", "ISO_IR 100"]),
        b"AE" => texts(&["CT1AE", "PACS", "SYNAPSE_01", "AE1\\AE2"]),
        b"AS" => texts(&["045Y", "090Y", "094Y"]),
        b"DS" | b"IS" => texts(&["47", "7719034", "20240517"]),
        b"PN" => texts(&["Quillfeather^Ondine", "TEST^PHANTOM", "Regression^Test", "HFS"]),
        b"LO" | b"SH" | b"ST" | b"LT" | b"UT" | b"UC" => {
            texts(&["CT1AE", "Dosimetry", "QF-7719034", "Saint Wystan Infirmary, Radiotherapy"])
        }
        b"UR" => texts(&["https://pacs.wystan.example/wado"]),
        b"US" | b"SS" => vec![vec![7, 0]],
        b"UL" | b"SL" | b"FL" | b"AT" => vec![vec![7, 0, 0, 0]],
        b"FD" | b"SV" | b"UV" => vec![vec![7, 0, 0, 0, 0, 0, 0, 0]],
        b"OB" | b"OW" | b"OD" | b"OF" | b"OL" | b"OV" | b"UN" => vec![vec![1; 8]],
        _ => Vec::new(),
    }
}

/// Groups of data sets that hold attributes (PS3.6), without pixels, curves and overlays.
const GROUPS: [u16; 64] = [
    0x0008, 0x0010, 0x0012, 0x0014, 0x0016, 0x0018, 0x0020, 0x0022, 0x0024, 0x0028, 0x0032, 0x0034,
    0x0038, 0x003a, 0x0040, 0x0042, 0x0044, 0x0046, 0x0048, 0x0050, 0x0052, 0x0054, 0x0060, 0x0062,
    0x0064, 0x0066, 0x0068, 0x006a, 0x0070, 0x0072, 0x0074, 0x0076, 0x0078, 0x0080, 0x0082, 0x0088,
    0x0100, 0x0400, 0x2000, 0x2010, 0x2020, 0x2030, 0x2040, 0x2050, 0x2100, 0x2110, 0x2120, 0x2130,
    0x2200, 0x3002, 0x3004, 0x3006, 0x3008, 0x300a, 0x300c, 0x300e, 0x3010, 0x4000, 0x4008, 0x4010,
    0x4ffe, 0x5200, 0x5400, 0x5600,
];

/// Every attribute of the dictionary that a data set can carry beside what every instance has, and
/// that makes the instance no other one.
fn attributes() -> Vec<(Tag, Vr)> {
    let tags = GROUPS.iter().flat_map(|&group| (1..=u16::MAX).map(move |e| Tag::new(group, e)));
    let ours = |tag: &Tag| {
        crate::header::is_inserted(*tag)
            || matches!(
                *tag,
                tags::SOP_CLASS_UID
                    | tags::SOP_INSTANCE_UID
                    | tags::SPECIFIC_CHARACTER_SET
                    | crate::study::documents::ENCAPSULATED_DOCUMENT
            )
    };
    tags.filter(|tag| !ours(tag)).filter_map(|tag| Some((tag, lookup(tag)?.vr))).collect()
}

fn instance(tag: Tag, vr: Vr, value: &[u8], nested: bool) -> Vec<u8> {
    let mut top: BTreeMap<Tag, (Vr, Vec<u8>)> = BTreeMap::new();
    for (tag, vr, value) in [
        (tags::SOP_CLASS_UID, Vr::UI, CLASS),
        (tags::SOP_INSTANCE_UID, Vr::UI, "1.2.826.0.1.1"),
        (tags::MODALITY, Vr::CS, "CT"),
        (tags::PATIENT_NAME, Vr::PN, "Marchbanks^Tobias"),
        (tags::PATIENT_ID, Vr::LO, "TM-5519207"),
        (tags::STUDY_INSTANCE_UID, Vr::UI, "1.2.826.0.1.2"),
        (tags::SERIES_INSTANCE_UID, Vr::UI, "1.2.826.0.1.3"),
    ] {
        top.insert(tag, (vr, value.as_bytes().to_vec()));
    }
    if nested {
        let mut item = Vec::new();
        let mark = Writer::new(&mut item).open_item(false, LE);
        Writer::new(&mut item).element(tag, vr, value, LE);
        Writer::new(&mut item).close_item(&mark);
        top.insert(OUTER, (Vr::SQ, item));
    } else {
        top.insert(tag, (vr, value.to_vec()));
    }
    let mut bytes = file_meta(CLASS, "1.2.826.0.1.1", TransferSyntax::EXPLICIT_LITTLE);
    for (tag, (vr, value)) in &top {
        Writer::new(&mut bytes).element(*tag, *vr, value, LE);
    }
    bytes
}

/// What is held back under one profile, of every attribute.
fn held(name: &str, attributes: &[(Tag, Vr)]) -> (usize, Vec<String>) {
    let profile = Profile::builtin(name).unwrap();
    let (mut cases, mut held) = (0, Vec::new());
    let listed: BTreeSet<Tag> = scanveil_verify::listed_elements().map(|(tag, _)| tag).collect();
    for (tag, vr) in attributes {
        // In an item, too, where the verification looks for it whatever its representation.
        let places = if listed.contains(tag) { &[false, true][..] } else { &[false] };
        for value in values(*vr) {
            for &nested in places {
                cases += 1;
                if let Err(reason) = scrub_once(&instance(*tag, *vr, &value, nested), &profile) {
                    let value = String::from_utf8_lossy(&value).into_owned();
                    held.push(format!("{name} {tag} {vr:?} {value:?} nested {nested}: {reason}"));
                }
            }
        }
    }
    (cases, held)
}

fn scrub_once(bytes: &[u8], profile: &Profile) -> Result<(), Reason> {
    let secret = ProjectSecret::new(&[7; 32]);
    let mut identity = StudyIdentity::new();
    let (header, body) = open_slice(bytes, &Limits::default())?;
    identity.observe(&header)?;
    StudyScrubber::new(profile, &secret, identity)?.scrub(&header, body, &mut Vec::new())?;
    Ok(())
}

#[test]
fn a_lone_ordinary_value_never_holds_an_instance_back() {
    let attributes = attributes();
    assert!(attributes.len() > 4000, "{}", attributes.len());
    let names: Vec<&str> = Profile::builtin_names().collect();
    let parts: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let of = |name| {
            let attributes = &attributes;
            scope.spawn(move || held(name, attributes))
        };
        let running: Vec<_> = names.into_iter().map(of).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let cases: usize = parts.iter().map(|part| part.0).sum();
    let held: Vec<&String> = parts.iter().flat_map(|part| &part.1).collect();
    eprintln!("{cases} cases");
    assert!(held.is_empty(), "{} of {cases}\n{:#?}", held.len(), &held[..held.len().min(60)]);
}
