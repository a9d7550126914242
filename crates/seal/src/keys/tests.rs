use super::*;
use crate::tests::{Replay, bytes, secret, vector};
use scanveil_model::Coded;

fn hospital() -> HospitalId {
    HospitalId::parse("st-wystan").unwrap()
}

#[test]
fn the_vectors_hold() {
    let v = vector("keys");
    let root = RootKey(secret(&v["root_key"]));
    assert_eq!(*root.to_text(), v["root_text"].as_str().unwrap());
    let hospital_key = HospitalKey(secret(&v["hospital_key"]));
    let subject_key = SubjectKey(secret(&v["subject_key"]));
    let pseudonyms = PseudonymSecret(secret(&v["pseudonym_secret"]));
    let subject = SubjectId::parse(v["subject"].as_str().unwrap()).unwrap();

    assert_eq!(hospital_key.intake_key().secret.bytes()[..], bytes(&v["intake_key"]));
    for zone in [Zone::Vault, Zone::Research, Zone::Quarantine] {
        let key = subject_key.zone_key(zone);
        assert_eq!(key.zone(), zone);
        assert_eq!(key.secret.bytes()[..], bytes(&v["zone_keys"][zone.as_str()]), "{zone:?}");
    }
    for case in v["subject_ids"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap().as_bytes();
        let id = hospital_key.subject_id(text("issuer"), text("patient_id"));
        assert_eq!(id.to_string(), case["subject_id"].as_str().unwrap());
    }
    let keyed = &v["keyed_id"];
    let id = hospital_key.keyed_id(keyed["use"].as_str().unwrap(), &bytes(&keyed["bytes"]));
    assert_eq!(id[..], bytes(&keyed["id"]));
    let project = v["project_secret"]["project"].as_str().unwrap();
    let made = pseudonyms.project_bytes(&ProjectName::parse(project).unwrap());
    assert_eq!(made.as_bytes()[..], bytes(&v["project_secret"]["secret"]));

    for wrap in v["wraps"].as_array().unwrap() {
        let wrapped: WrappedKey = serde_json::from_value(wrap["wrapped"].clone()).unwrap();
        assert_eq!(serde_json::to_value(&wrapped).unwrap(), wrap["wrapped"]);
        let entropy = Replay::of(&bytes(&wrap["wrapped"]["nonce"]));
        let (opened, sealed) = match wrapped.kind() {
            WrapKind::HospitalKey => (
                root.unwrap_hospital(&hospital(), &wrapped).unwrap().0,
                root.wrap_hospital(&hospital(), &hospital_key, &entropy).unwrap(),
            ),
            WrapKind::SubjectKey => (
                hospital_key.unwrap_subject(&hospital(), &subject, &wrapped).unwrap().0,
                hospital_key.wrap_subject(&hospital(), &subject, &subject_key, &entropy).unwrap(),
            ),
            WrapKind::PseudonymSecret => (
                hospital_key.unwrap_pseudonym_secret(&hospital(), &wrapped).unwrap().0,
                hospital_key.wrap_pseudonym_secret(&hospital(), &pseudonyms, &entropy).unwrap(),
            ),
        };
        assert_eq!(opened.bytes()[..], bytes(&wrap["secret"]));
        assert!(sealed == wrapped);
    }
}

#[test]
fn a_wrapped_key_opens_only_where_it_belongs() {
    let entropy = Replay::counter();
    let (root, other_root) = (RootKey::generate(&entropy), RootKey::generate(&entropy));
    let key = HospitalKey::generate(&entropy);
    let wrapped = root.wrap_hospital(&hospital(), &key, &entropy).unwrap();
    let elsewhere = HospitalId::parse("st-other").unwrap();
    assert!(root.unwrap_hospital(&hospital(), &wrapped).is_ok());
    assert!(root.unwrap_hospital(&elsewhere, &wrapped).is_err());
    assert!(other_root.unwrap_hospital(&hospital(), &wrapped).is_err());

    let subject_key = SubjectKey::generate(&entropy);
    let (a, b) = (SubjectId([1; 16]), SubjectId([2; 16]));
    let wrapped = key.wrap_subject(&hospital(), &a, &subject_key, &entropy).unwrap();
    assert!(key.unwrap_subject(&hospital(), &a, &wrapped).is_ok());
    assert!(matches!(key.unwrap_subject(&hospital(), &b, &wrapped), Err(SealError::UnwrapRefused)));
    assert!(matches!(
        key.unwrap_pseudonym_secret(&hospital(), &wrapped),
        Err(SealError::WrappedKey(_))
    ));
}

#[test]
fn wrapped_keys_in_json_are_strict() {
    let entropy = Replay::counter();
    let root = RootKey::generate(&entropy);
    let key = HospitalKey::generate(&entropy);
    let wrapped = root.wrap_hospital(&hospital(), &key, &entropy).unwrap();
    let json = serde_json::to_value(&wrapped).unwrap();
    type Edit = fn(&mut serde_json::Value);
    let broken: &[Edit] = &[
        |v| v["extra"] = 1.into(),
        |v| v["nonce"] = "00".into(),
        |v| v["sealed"] = "zz".repeat(48).into(),
        |v| v["kind"] = "root-key".into(),
    ];
    for (number, edit) in broken.iter().enumerate() {
        let mut value = json.clone();
        edit(&mut value);
        assert!(serde_json::from_value::<WrappedKey>(value).is_err(), "{number}");
    }
    let mut newer = json;
    newer["version"] = 2.into();
    let newer: WrappedKey = serde_json::from_value(newer).unwrap();
    let refused = root.unwrap_hospital(&hospital(), &newer).unwrap_err();
    assert_eq!(refused.code(), "SV-SEAL-019");
}

#[test]
fn root_key_text_finds_mistakes() {
    let root = RootKey::generate(&Replay::counter());
    let text = root.to_text();
    let read = RootKey::from_text(&format!("  {}\n", *text)).unwrap();
    assert_eq!(read.0.bytes(), root.0.bytes());
    let read = RootKey::from_file(format!("{}\n", *text).into_bytes()).unwrap();
    assert_eq!(read.0.bytes(), root.0.bytes());
    assert!(RootKey::from_file(vec![0xff; 90]).is_err());
    let swapped = text.replacen("0102", "0201", 1);
    assert_ne!(swapped, *text);
    let cases = [
        String::new(),
        swapped,
        text.to_uppercase(),
        text[..text.len() - 1].to_owned(),
        text.replace("key-1", "key-2"),
        text.rsplit_once(':').unwrap().0.to_owned(),
    ];
    for case in cases {
        let err = RootKey::from_text(&case).err().unwrap();
        assert!(matches!(err, SealError::KeyText(_)));
        assert!(!err.to_string().contains("0102"), "the key is in its error");
    }
}

#[test]
fn keyed_ids_differ_by_use_hospital_and_field_borders() {
    let entropy = Replay::counter();
    let (a, b) = (HospitalKey::generate(&entropy), HospitalKey::generate(&entropy));
    let ids = [
        a.keyed_id("study", b"1.2"),
        a.keyed_id("object", b"1.2"),
        b.keyed_id("study", b"1.2"),
        a.keyed_id("study1", b".2"),
        a.subject_id(b"study", b"1.2").0,
        a.subject_id(b"study1", b".2").0,
        a.subject_id(b"", b"study1.2").0,
    ];
    for (at, id) in ids.iter().enumerate() {
        assert!(!ids[..at].contains(id), "{at}");
    }
    assert_eq!(a.subject_id(b"", b"  "), a.subject_id(b"", b""));
    assert_ne!(a.subject_id(b"", b"1 2"), a.subject_id(b"", b"12"));
}

#[test]
fn debug_shows_nothing() {
    let entropy = Replay::counter();
    let key = SubjectKey::generate(&entropy);
    assert_eq!(format!("{key:?}"), "SubjectKey(..)");
    assert_eq!(format!("{:?}", key.zone_key(Zone::Vault)), "ZoneKey(..)");
    assert_eq!(format!("{:?}", RootKey::generate(&entropy)), "RootKey(..)");
    let wrapped = HospitalKey::generate(&entropy)
        .wrap_subject(&hospital(), &SubjectId([0; 16]), &key, &entropy)
        .unwrap();
    assert_eq!(format!("{wrapped:?}"), "WrappedKey(..)");
}
