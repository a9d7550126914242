use super::index::{MAX_CERTIFICATE_BYTES, MAX_INDEX_BYTES, TRAILER_LEN, TRAILER_MAGIC};
use super::research::Proof;
use super::*;
use crate::header::DEFAULT_CHUNK_LOG2;
use crate::sealer::DigestOf;
use crate::tests::{Replay, bytes, secret, test_header, test_key, vector};
use crate::{SealError, StreamSealer, SubjectKey, ZoneKey};
use scanveil_model::{
    Digest, Generation, HospitalId, ObjectId, ProjectName, Reason, ReasonCode, SubjectId, Uid, Zone,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};

fn digest(bytes: &[u8]) -> Digest {
    Digest(*blake3::hash(bytes).as_bytes())
}

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn entry(body: &[u8]) -> PackEntry {
    PackEntry {
        sop_instance_uid: Some(uid("2.25.4")),
        sop_class_uid: Some(uid("1.2.840.10008.5.1.4.1.1.2")),
        series_instance_uid: None,
        study_instance_uid: None,
        transfer_syntax: None,
        offset: 77,
        length: body.len() as u64,
        digest: digest(body),
        source: None,
        reasons: vec![],
        attributes: BTreeMap::new(),
    }
}

fn meta(zone: RawZone) -> PackMeta {
    PackMeta {
        zone,
        hospital: HospitalId::parse("st-wystan").unwrap(),
        subject: SubjectId([1; 16]),
        study_key: StudyKey([5; 16]),
        received_at_ms: 12,
    }
}

fn writer(zone: RawZone) -> PackWriter<Vec<u8>> {
    let key = test_key(zone.zone());
    PackWriter::new(Vec::new(), ObjectId([2; 16]), meta(zone), &key, &Replay::counter()).unwrap()
}

fn open(sealed: Vec<u8>, zone: Zone) -> Result<PackReader<Vec<u8>>, SealError> {
    PackReader::open(sealed, |_| Ok(test_key(zone)))
}

fn contents(pack: &PackReader<Vec<u8>>) -> Vec<Vec<u8>> {
    let read = |e: &PackEntry| {
        let mut out = Vec::new();
        pack.read_instance(e, &mut out).unwrap();
        out
    };
    pack.index().entries.iter().map(read).collect()
}

#[test]
fn the_vector_is_written_and_read() {
    let v = vector("pack-two-instances");
    let random = ["nonce_prefix", "wrap_nonce", "data_key"].map(|n| bytes(&v[n])).concat();
    let key = || -> ZoneKey {
        SubjectKey::from_secret(secret(&v["subject_key"])).zone_key(Zone::Quarantine)
    };
    let index: PackIndex = serde_json::from_value(v["index"].clone()).unwrap();
    let meta = PackMeta {
        zone: RawZone::Quarantine,
        hospital: index.hospital.clone(),
        subject: index.subject,
        study_key: index.study_key,
        received_at_ms: index.received_at_ms,
    };
    let object_id = ObjectId::parse(v["object_id"].as_str().unwrap()).unwrap();
    let mut pack =
        PackWriter::new(Vec::new(), object_id, meta, &key(), &Replay::of(&random)).unwrap();
    let pattern = bytes(&v["repeat"]);
    let bodies: Vec<Vec<u8>> = index
        .entries
        .iter()
        .map(|e| {
            let length = usize::try_from(e.length).unwrap();
            pattern.iter().copied().cycle().take(length).collect()
        })
        .collect();
    for (entry, body) in index.entries.iter().zip(&bodies) {
        pack.append(entry.clone(), body).unwrap();
    }
    let (sealed, object) = pack.finish().unwrap();
    assert_eq!(sealed, bytes(&v["sealed"]));
    assert_eq!(object.digest().to_string(), v["blake3"].as_str().unwrap());
    assert_eq!(object.bytes(), sealed.len() as u64);

    let pack = PackReader::open(sealed, |_| Ok(key())).unwrap();
    assert_eq!(*pack.index(), index);
    assert_eq!(contents(&pack), bodies);
    pack.verify().unwrap();
}

#[test]
fn slots_and_whole_instances_mix() {
    let mut pack = writer(RawZone::Vault);
    let long: Vec<u8> = (0..600_000u32).map(|n| (n >> 3).to_le_bytes()[0]).collect();
    pack.append(entry(b"first"), b"first").unwrap();
    let mut slot = pack.open_slot().unwrap();
    for part in long.chunks(1000) {
        slot.write_all(part).unwrap();
    }
    slot.close(entry(&long)).unwrap();
    pack.append(entry(b""), b"").unwrap();
    assert_eq!(pack.instances(), 3);
    let (sealed, object) = pack.finish().unwrap();
    assert_eq!(object.zone(), Zone::Vault);
    assert_eq!(object.hospital().as_str(), "st-wystan");
    assert_eq!((object.object_id(), object.subject()), (ObjectId([2; 16]), SubjectId([1; 16])));
    assert_eq!((object.digest(), object.bytes()), (digest(&sealed), sealed.len() as u64));

    let pack = open(sealed, Zone::Vault).unwrap();
    assert_eq!(pack.index(), object.index());
    assert_eq!(pack.header().object_id, ObjectId([2; 16]));
    assert!(contents(&pack) == [b"first".to_vec(), long, vec![]]);
    let offsets: Vec<u64> = pack.index().entries.iter().map(|e| e.offset).collect();
    assert_eq!(offsets, [0, 5, 600_005]);
}

#[test]
fn bytes_that_are_not_the_entrys_are_refused() {
    let mut pack = writer(RawZone::Vault);
    let refused = pack.append(entry(b"other"), b"bytes").unwrap_err();
    assert!(matches!(refused, SealError::InstanceMismatch { what: "digest", .. }));
    let refused = pack.append(entry(b"longer"), b"bytes").unwrap_err();
    assert!(matches!(refused, SealError::InstanceMismatch { what: "length", .. }));
    pack.append(entry(b"bytes"), b"bytes").unwrap();

    let mut slot = pack.open_slot().unwrap();
    slot.write_all(b"changed").unwrap();
    let refused = slot.close(entry(b"CHANGED")).unwrap_err();
    assert!(matches!(refused, SealError::InstanceMismatch { entry: 1, what: "digest" }));
    assert!(matches!(pack.append(entry(b"x"), b"x"), Err(SealError::Poisoned)));
    assert!(matches!(pack.open_slot().err(), Some(SealError::Poisoned)));
    assert!(matches!(pack.finish().err(), Some(SealError::Poisoned)));
}

#[test]
fn a_dropped_slot_poisons_the_pack() {
    let mut pack = writer(RawZone::Vault);
    pack.append(entry(b"bytes"), b"bytes").unwrap();
    drop(pack.open_slot().unwrap());
    assert!(matches!(pack.finish().err(), Some(SealError::Poisoned)));
}

#[test]
fn an_empty_pack_cannot_be_finished() {
    assert!(matches!(writer(RawZone::Vault).finish().err(), Some(SealError::Index(_))));
}

#[test]
fn packs_have_room_up_to_their_limits() {
    let mut pack = writer(RawZone::Vault);
    assert!(pack.has_room_for(u64::MAX));
    pack.append(entry(b"bytes"), b"bytes").unwrap();
    assert!(pack.has_room_for(PACK_TARGET_BYTES - 5));
    assert!(!pack.has_room_for(PACK_TARGET_BYTES - 4));
    assert!(!pack.has_room_for(u64::MAX));
    for _ in 1..PACK_MAX_INSTANCES {
        assert!(pack.has_room_for(0));
        pack.append(entry(b""), b"").unwrap();
    }
    assert!(!pack.has_room_for(0));
}

fn proof(body: &[u8], patient: &str, study: &str) -> Proof {
    let mut entry = entry(body);
    entry.series_instance_uid = Some(uid("2.25.6"));
    entry.study_instance_uid = Some(uid(study));
    entry.transfer_syntax = Some(uid("1.2.840.10008.1.2.1"));
    entry.source = Some(digest(b"original"));
    Proof { patient_pseudonym: patient.to_owned(), study_instance_uid: uid(study), entry }
}

fn research() -> ResearchPack<Vec<u8>> {
    let meta = ResearchMeta {
        hospital: HospitalId::parse("st-wystan").unwrap(),
        subject: SubjectId([1; 16]),
        project: ProjectName::parse("lungs").unwrap(),
        generation: Generation(3),
        profile: "basic@0123456789abcdef".to_owned(),
        study_key: StudyKey([5; 16]),
        received_at_ms: 12,
    };
    let key = test_key(Zone::Research);
    ResearchPack::new(Vec::new(), ObjectId([2; 16]), meta, &key, &Replay::counter()).unwrap()
}

#[test]
fn a_research_pack_holds_one_patient_and_one_study() {
    let mut pack = research();
    pack.append_proof(proof(b"one", "SV-1", "2.25.5"), b"one").unwrap();
    let refused = pack.append_proof(proof(b"two", "SV-2", "2.25.5"), b"two").unwrap_err();
    assert!(matches!(refused, SealError::MixedPack { entry: 1, what: "patient" }));
    let refused = pack.append_proof(proof(b"two", "SV-1", "2.25.6"), b"two").unwrap_err();
    assert!(matches!(refused, SealError::MixedPack { entry: 1, what: "study" }));
    let refused = pack.append_proof(proof(b"two", "SV-1", "2.25.5"), b"not").unwrap_err();
    assert!(matches!(refused, SealError::InstanceMismatch { entry: 1, what: "digest" }));
    let mut slot = pack.open_slot().unwrap();
    slot.write_all(b"two").unwrap();
    slot.close_proof(proof(b"two", "SV-1", "2.25.5")).unwrap();
    let (sealed, object) = pack.finish().unwrap();
    assert_eq!(object.zone(), Zone::Research);

    let pack = open(sealed, Zone::Research).unwrap();
    assert_eq!(pack.index().patient_pseudonym.as_deref(), Some("SV-1"));
    assert_eq!(pack.index().generation, Some(Generation(3)));
    assert_eq!(pack.index().profile.as_deref(), Some("basic@0123456789abcdef"));
    assert_eq!(pack.index().entries[0].source, Some(digest(b"original")));
    assert_eq!(contents(&pack), [b"one".to_vec(), b"two".to_vec()]);
}

#[test]
fn a_research_slot_checks_the_proof() {
    let mut pack = research();
    let mut slot = pack.open_slot().unwrap();
    slot.write_all(b"on").unwrap();
    let refused = slot.close_proof(proof(b"one", "SV-1", "2.25.5")).unwrap_err();
    assert!(matches!(refused, SealError::InstanceMismatch { what: "length", .. }));
    assert!(matches!(pack.finish().err(), Some(SealError::Poisoned)));
}

/// Seals a plaintext that claims to be a pack.
fn forged(zone: Zone, plain: &[u8]) -> Vec<u8> {
    let header = test_header(zone, DEFAULT_CHUNK_LOG2);
    let entropy = Replay::counter();
    let key = test_key(zone);
    let mut sealer =
        StreamSealer::start(Vec::new(), &header, &key, &entropy, DigestOf::Plain).unwrap();
    sealer.write_all(plain).unwrap();
    sealer.finish().unwrap().0
}

fn plain_pack(body: &[u8], index: &[u8], length: u64, magic: &[u8]) -> Vec<u8> {
    [body, index, &length.to_le_bytes(), magic].concat()
}

fn good_index() -> Value {
    let (a, b) = (entry(b"aaa"), entry(b"bb"));
    let mut entries = [serde_json::to_value(a).unwrap(), serde_json::to_value(b).unwrap()];
    entries[0]["offset"] = 0.into();
    entries[1]["offset"] = 3.into();
    json!({
        "version": 1, "zone": "vault", "hospital": "st-wystan",
        "subject": "01010101010101010101010101010101", "project": null, "generation": null,
        "profile": null, "patient_pseudonym": null,
        "study_key": "05050505050505050505050505050505", "received_at_ms": 1, "entries": entries,
    })
}

fn refusal(index: &Value) -> Option<SealError> {
    let json = index.to_string().into_bytes();
    let plain = plain_pack(b"aaabb", &json, json.len() as u64, &TRAILER_MAGIC);
    open(forged(Zone::Vault, &plain), Zone::Vault).err()
}

#[test]
fn an_index_that_contradicts_its_pack_is_refused() {
    assert!(refusal(&good_index()).is_none());
    type Edit = (&'static str, fn(&mut Value), &'static str);
    let table: &[Edit] = &[
        ("unknown field", |v| v["colour"] = "red".into(), "SV-SEAL-014"),
        ("unknown field of an entry", |v| v["entries"][0]["colour"] = 1.into(), "SV-SEAL-014"),
        ("missing field", |v| drop(v.as_object_mut().unwrap().remove("entries")), "SV-SEAL-014"),
        ("newer version", |v| v["version"] = 2.into(), "SV-SEAL-013"),
        ("version 0", |v| v["version"] = 0.into(), "SV-SEAL-013"),
        ("a certificate outside of research", |v| v["certificate"] = "{}".into(), "SV-SEAL-014"),
        (
            "newer version with new fields",
            |v| (v["version"], v["x"]) = (4.into(), 1.into()),
            "SV-SEAL-013",
        ),
        ("other zone", |v| v["zone"] = "quarantine".into(), "SV-SEAL-014"),
        ("other hospital", |v| v["hospital"] = "st-other".into(), "SV-SEAL-014"),
        ("other subject", |v| v["subject"] = "00".repeat(16).into(), "SV-SEAL-014"),
        ("gap", |v| v["entries"][1]["offset"] = 4.into(), "SV-SEAL-014"),
        ("overlap", |v| v["entries"][1]["offset"] = 2.into(), "SV-SEAL-014"),
        ("too short", |v| v["entries"][1]["length"] = 1.into(), "SV-SEAL-014"),
        ("too long", |v| v["entries"][1]["length"] = 3.into(), "SV-SEAL-014"),
        ("huge", |v| v["entries"][1]["length"] = u64::MAX.into(), "SV-SEAL-014"),
        ("no entries", |v| v["entries"] = json!([]), "SV-SEAL-014"),
        ("bad UID", |v| v["entries"][0]["sop_class_uid"] = "../x".into(), "SV-SEAL-014"),
        ("not an object", |v| *v = json!([1]), "SV-SEAL-014"),
    ];
    for (name, edit, code) in table {
        let mut index = good_index();
        edit(&mut index);
        let err = refusal(&index).expect(name);
        assert_eq!(scanveil_model::Coded::code(&err), *code, "{name}: {err}");
        assert!(!err.to_string().contains("colour"), "{name}");
    }
}

#[test]
fn a_research_index_names_everything() {
    let mut index = good_index();
    index["zone"] = "research".into();
    let json = index.to_string().into_bytes();
    let plain = plain_pack(b"aaabb", &json, json.len() as u64, &TRAILER_MAGIC);
    let refused = open(forged(Zone::Research, &plain), Zone::Research).err().unwrap();
    assert!(matches!(refused, SealError::Index(_)), "{refused}");
}

#[test]
fn a_pack_with_a_certificate_is_read() {
    let v = vector("pack-with-certificate");
    let sealed = bytes(&v["sealed"]);
    assert_eq!(digest(&sealed).to_string(), v["blake3"].as_str().unwrap());
    let key = || SubjectKey::from_secret(secret(&v["subject_key"])).zone_key(Zone::Research);
    let pack = PackReader::open(sealed, |_| Ok(key())).unwrap();
    pack.verify().unwrap();
    let index: PackIndex = serde_json::from_value(v["index"].clone()).unwrap();
    assert_eq!(pack.index(), &index);
    let text = index.certificate.as_deref().unwrap();
    assert_eq!(index.certificate_digest(), Some(digest(text.as_bytes())));

    let mut long = v["index"].clone();
    long["certificate"] = " ".repeat(MAX_CERTIFICATE_BYTES + 1).into();
    let header = pack.header().clone();
    let long: PackIndex = serde_json::from_value(long).unwrap();
    assert!(matches!(long.check(&header, 200), Err(SealError::Index(_))));
    assert!(index.check(&header, 200).is_ok());
}

#[test]
fn a_trailer_that_lies_is_refused() {
    let json = good_index().to_string().into_bytes();
    let n = json.len() as u64;
    let table: &[(&str, Vec<u8>)] = &[
        ("empty", vec![]),
        ("shorter than a trailer", vec![0; 15]),
        ("other magic", plain_pack(b"aaabb", &json, n, b"SVPACK\r\r")),
        ("index longer than the object", plain_pack(b"aaabb", &json, n + 6, &TRAILER_MAGIC)),
        ("index above the limit", plain_pack(b"", &json, MAX_INDEX_BYTES + 1, &TRAILER_MAGIC)),
        ("index of no bytes", plain_pack(b"aaabb", &json, 0, &TRAILER_MAGIC)),
        ("index begins early", plain_pack(b"aaabb", &json, n + 1, &TRAILER_MAGIC)),
        ("length wraps", plain_pack(b"aaabb", &json, u64::MAX, &TRAILER_MAGIC)),
    ];
    for (name, plain) in table {
        let refused = open(forged(Zone::Vault, plain), Zone::Vault).err().expect(name);
        assert!(matches!(refused, SealError::NotPack(_) | SealError::Index(_)), "{name}");
    }
    assert_eq!(TRAILER_LEN, 16);
}

#[test]
fn an_instance_with_another_digest_is_an_error_at_its_end() {
    let mut index = good_index();
    index["entries"][1]["digest"] = "00".repeat(32).into();
    let json = index.to_string().into_bytes();
    let plain = plain_pack(b"aaabb", &json, json.len() as u64, &TRAILER_MAGIC);
    let pack = open(forged(Zone::Vault, &plain), Zone::Vault).unwrap();
    let entries = &pack.index().entries;
    pack.read_instance(&entries[0], &mut Vec::new()).unwrap();
    let refused = pack.read_instance(&entries[1], &mut Vec::new()).unwrap_err();
    assert!(matches!(refused, SealError::InstanceMismatch { entry: 1, what: "digest" }));
    assert!(pack.verify().is_err());
    let mut reader = pack.instance(&entries[1]).unwrap();
    assert!(reader.read_to_end(&mut Vec::new()).is_err());
    assert!(reader.read(&mut [0; 1]).is_err(), "the error does not go away");

    let mut stray = entries[0].clone();
    stray.length = u64::MAX;
    assert!(matches!(pack.instance(&stray).err(), Some(SealError::Range { .. })));
}

#[test]
fn debug_shows_no_identifier() {
    let mut pack = writer(RawZone::Quarantine);
    let mut held = entry(b"x");
    held.sop_instance_uid = Some(uid("1.2.3.4.5678"));
    held.attributes.insert("PatientName".into(), "WYSTAN^EDITH".into());
    held.reasons.push(Reason::new(ReasonCode::NotDicom, "no magic"));
    pack.append(held, b"x").unwrap();
    let (_, object) = pack.finish().unwrap();
    let text = format!("{object:?} {:?}", object.index().entries);
    assert!(!text.contains("5678") && !text.contains("EDITH"), "{text}");
    assert_eq!(StudyKey::parse(&StudyKey([5; 16]).to_string()), Some(StudyKey([5; 16])));
    assert_eq!(StudyKey::parse("0505"), None);
}
