use super::*;

#[test]
fn identifiers_are_checked_at_the_edge() {
    let table: &[(&str, bool)] = &[
        ("st-wystan", true),
        ("1", true),
        ("-x", false),
        ("", false),
        ("St", false),
        ("a/b", false),
        ("..", false),
    ];
    for (text, ok) in table {
        assert_eq!(HospitalId::parse(text).is_ok(), *ok, "{text}");
    }
    assert!(HospitalId::parse(&"a".repeat(33)).is_err());
    assert!(Uid::parse("1.2.840.10008.1.2").is_ok());
    assert!(Uid::parse("../../etc/passwd").is_err());
    assert!(Uid::parse(&"1".repeat(65)).is_err());
}

#[test]
fn errors_and_debug_hold_no_value() {
    let uid = Uid::parse("1.2.3.4.5678").unwrap();
    assert!(!format!("{uid:?}").contains("5678"));
    let err = HospitalId::parse("Secret Name").unwrap_err();
    assert!(!err.to_string().contains("Secret"));
}

#[test]
fn hex_identifiers_round_trip() {
    let id = SubjectId([0xab; 16]);
    assert_eq!(SubjectId::parse(&id.to_string()).unwrap(), id);
    assert!(SubjectId::parse("AB").is_err());
}

#[test]
fn hex_takes_exactly_so_many_lower_case_digits() {
    assert_eq!(Hex::encode(&[0, 0xab, 0x7f]), "00ab7f");
    assert_eq!(Hex::decode("00ab7f"), Some([0, 0xab, 0x7f]));
    for wrong in ["00ab7", "00ab7f0", "00AB7F", "00ab7g", "00ab7\u{e9}"] {
        assert_eq!(Hex::decode::<3>(wrong), None, "{wrong}");
    }
}

#[test]
fn reason_codes_are_unique() {
    let mut codes: Vec<_> = ReasonCode::ALL.iter().map(|c| c.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), ReasonCode::ALL.len());
}

#[test]
fn tags_stay_within_s3_limits() {
    let tags = ObjectTags {
        hospital: HospitalId::parse(&"a".repeat(32)).unwrap(),
        zone: Zone::Research,
        retention_class: RetentionClass(HospitalId::parse("clinical-30y").unwrap()),
        retain_until: "2056-01-01".into(),
        profile: "basic@0123456789abcdef".into(),
        generation: Some(Generation(3)),
        project: Some(ProjectName::parse("research").unwrap()),
    };
    let pairs = tags.pairs();
    assert!(pairs.len() <= 10);
    assert!(pairs.iter().all(|(k, v)| k.len() <= 128 && v.len() <= 256));
}
