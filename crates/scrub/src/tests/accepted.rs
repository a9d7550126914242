//! What is accepted by evidence comes out valid, and what was noticed is said.

use super::*;
use scanveil_dataset::{Encoding, NO_PARENT, TransferSyntax, Vr, Writer, file_meta};

const LE: Encoding = Encoding { explicit: true, big_endian: false };
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const NUMBER: &[u8] = b"QF-7719034";

pub(super) type Values<'v> = BTreeMap<Tag, (Vr, &'v [u8])>;

/// What every instance here has.
pub(super) fn ordinary<'v>() -> Values<'v> {
    BTreeMap::from([
        (tags::SOP_CLASS_UID, (Vr::UI, CT.as_bytes())),
        (tags::SOP_INSTANCE_UID, (Vr::UI, &b"1.2.826.0.1.77.1"[..])),
        (tags::MODALITY, (Vr::CS, b"CT")),
        (tags::PATIENT_NAME, (Vr::PN, b"Quillfeather^Ondine")),
        (tags::PATIENT_ID, (Vr::LO, NUMBER)),
        (tags::STUDY_INSTANCE_UID, (Vr::UI, b"1.2.826.0.1.77.2")),
        (tags::SERIES_INSTANCE_UID, (Vr::UI, b"1.2.826.0.1.77.3")),
    ])
}

fn file(values: &Values<'_>) -> Vec<u8> {
    file_as(CT, values)
}

pub(super) fn file_as(class: &str, values: &Values<'_>) -> Vec<u8> {
    let syntax = TransferSyntax::EXPLICIT_LITTLE;
    file_in(values, file_meta(class, "1.2.826.0.1.77.1", syntax), LE)
}

fn file_in(values: &Values<'_>, mut bytes: Vec<u8>, encoding: Encoding) -> Vec<u8> {
    for (tag, (vr, value)) in values {
        Writer::new(&mut bytes).element(*tag, *vr, value, encoding);
    }
    bytes
}

/// An output, and what was noticed.
pub(super) type Done = (Vec<u8>, Vec<String>);

/// Scrubs the files of one study; gives each output, and what was noticed.
pub(super) fn scrubbed(files: &[Vec<u8>], profile: &Profile) -> Vec<Result<Done, Reason>> {
    let (secret, limits) = (ProjectSecret::new(&[7; 32]), Limits::default());
    let mut identity = StudyIdentity::new();
    for file in files {
        identity.observe(&open_slice(file, &limits).unwrap().0).unwrap();
    }
    let scrubber = StudyScrubber::new(profile, &secret, identity).unwrap();
    let one = |file: &Vec<u8>| {
        let (header, body) = open_slice(file, &limits)?;
        let mut out = Vec::new();
        let done = scrubber.scrub(&header, body, &mut out)?;
        Ok((out, done.noticed().keys().map(|word| (*word).to_owned()).collect()))
    };
    files.iter().map(one).collect()
}

fn one(file: &[u8], profile: &str) -> Done {
    let profile = Profile::builtin(profile).unwrap();
    scrubbed(&[file.to_vec()], &profile).remove(0).unwrap()
}

pub(super) fn text(file: &[u8], tag: Tag) -> Option<String> {
    let (header, _) = open_slice(file, &Limits::default()).unwrap();
    header.data.text(tag).map(|value| String::from_utf8(value.to_vec()).unwrap())
}

#[test]
fn what_is_missing_is_derived_and_said() {
    for (missing, noticed) in [
        (tags::STUDY_INSTANCE_UID, "study-uid-derived"),
        (tags::SERIES_INSTANCE_UID, "series-uid-derived"),
        (tags::PATIENT_ID, "patient-id-added"),
    ] {
        for empty in [false, true] {
            let mut values = ordinary();
            values.remove(&missing);
            if empty {
                values.insert(missing, (Vr::UI, b""));
            }
            let (out, said) = one(&file(&values), "basic");
            let value = text(&out, missing).unwrap();
            let ours = if missing == tags::PATIENT_ID { "SV" } else { "2.25." };
            let right = value.starts_with(ours) || missing == tags::SOP_CLASS_UID && value == CT;
            assert!(right, "{missing} {value}");
            // An empty Patient ID came in, and is filled as every other.
            let is_said = said.contains(&noticed.to_owned());
            assert_eq!(is_said, !(empty && missing == tags::PATIENT_ID), "{missing} {said:?}");
            let (header, _) = open_slice(&out, &Limits::default()).unwrap();
            let top = header.data.elements().iter().filter(|e| e.parent == NO_PARENT);
            assert!(top.is_sorted_by(|a, b| a.tag < b.tag), "{missing}");
        }
    }
    let (_, said) = one(&file(&ordinary()), "basic");
    assert_eq!(said, Vec::<String>::new());
    // Two instances of a study that has no UID stay together, and two series of it apart.
    let mut values = ordinary();
    values.remove(&tags::STUDY_INSTANCE_UID);
    values.remove(&tags::SERIES_INSTANCE_UID);
    values.insert(Tag::new(8, 0x50), (Vr::SH, b"ACC5519207"));
    let first = one(&file(&values), "basic").0;
    values.insert(Tag::new(0x20, 0x11), (Vr::IS, b"2"));
    let second = one(&file(&values), "basic").0;
    let uid = |out: &[u8], tag| text(out, tag).unwrap();
    let study = tags::STUDY_INSTANCE_UID;
    assert_eq!(uid(&first, study), uid(&second, study));
    assert_ne!(uid(&first, tags::SERIES_INSTANCE_UID), uid(&second, tags::SERIES_INSTANCE_UID));
}

#[test]
fn a_patient_is_one_whatever_an_instance_leaves_out() {
    let basic = Profile::builtin("basic").unwrap();
    let mut without = ordinary();
    without.remove(&tags::PATIENT_ID);
    let outs = scrubbed(&[file(&ordinary()), file(&without)], &basic);
    let ids: Vec<_> =
        outs.into_iter().map(|out| text(&out.unwrap().0, tags::PATIENT_ID).unwrap()).collect();
    assert_eq!(ids[0], ids[1]);
    let pseudonym = |name: &'static [u8]| {
        let mut values = ordinary();
        values.remove(&tags::PATIENT_ID);
        values.insert(tags::PATIENT_NAME, (Vr::PN, name));
        text(&one(&file(&values), "basic").0, tags::PATIENT_ID).unwrap()
    };
    let plain = pseudonym(b"Quillfeather^Ondine");
    for name in [&b"Quillfeather^Ondine^"[..], b"Quillfeather^Ondine^^^", b"Quillfeather ^ Ondine="]
    {
        assert_eq!(pseudonym(name), plain);
    }
    assert_ne!(pseudonym(b"Quillfeather^Ondina"), plain);
}

#[test]
fn what_names_nobody_is_not_one_patient_over_all_studies() {
    let pseudonym = |series: &'static [u8]| {
        let mut values = ordinary();
        for tag in [tags::PATIENT_ID, tags::PATIENT_NAME, tags::STUDY_INSTANCE_UID] {
            values.remove(&tag);
        }
        values.insert(tags::SERIES_INSTANCE_UID, (Vr::UI, series));
        text(&one(&file(&values), "basic").0, tags::PATIENT_ID).unwrap()
    };
    assert_eq!(pseudonym(b"1.2.826.0.1.77.8"), pseudonym(b"1.2.826.0.1.77.8"));
    assert_ne!(pseudonym(b"1.2.826.0.1.77.8"), pseudonym(b"1.2.826.0.1.77.9"));
}

#[test]
fn file_meta_information_that_differs_is_written_anew() {
    let meta = file_meta("1.2.840.10008.5.1.4.1.1.7", "1.2.3.4", TransferSyntax::EXPLICIT_LITTLE);
    let (out, said) = one(&file_in(&ordinary(), meta, LE), "basic");
    assert_eq!(said, ["file-meta-differs"]);
    let (header, _) = open_slice(&out, &Limits::default()).unwrap();
    assert_eq!(header.meta.sop_class_uid.as_deref(), Some(CT.as_bytes()));
    assert_eq!(header.meta.sop_instance_uid.as_deref(), header.data.text(tags::SOP_INSTANCE_UID));
    let (_, said) = one(&file_in(&ordinary(), Vec::new(), LE), "basic");
    assert_eq!(said, ["file-meta-missing", "transfer-syntax-by-evidence"]);
}

#[test]
fn uids_that_are_none_are_replaced_also_where_uids_are_retained() {
    let retaining = "format = 2\nname = \"t\"\nversion = \"1\"\noptions = [\"retain-uids\"]\n";
    let retaining = Profile::from_toml(retaining).unwrap();
    let long = [&b"1.2.3."[..], &[b'9'; 70]].concat();
    for odd in [&b"study Quillfeather"[..], b"1.2.3-4", b"1.2..3", &long] {
        let mut values = ordinary();
        values.insert(tags::STUDY_INSTANCE_UID, (Vr::UI, odd));
        for profile in [&retaining, &Profile::builtin("basic").unwrap()] {
            let (out, said) = scrubbed(&[file(&values)], profile).remove(0).unwrap();
            assert!(text(&out, tags::STUDY_INSTANCE_UID).unwrap().starts_with("2.25."));
            assert_eq!(said, ["invalid-uid-replaced"]);
        }
    }
    let mut values = ordinary();
    values.insert(tags::SOP_INSTANCE_UID, (Vr::UI, b"image-1"));
    let (out, _) = scrubbed(&[file(&values)], &retaining).remove(0).unwrap();
    assert!(text(&out, tags::SOP_INSTANCE_UID).unwrap().starts_with("2.25."));
    // What no network could have asked for names nothing.
    values.insert(tags::SOP_INSTANCE_UID, (Vr::UI, &long));
    let reason = scrubbed(&[file(&values)], &retaining).remove(0).unwrap_err();
    assert_eq!(reason.code, ReasonCode::InvalidUid);
}

#[test]
fn specific_character_set_is_a_defined_term_or_not_there() {
    let tag = tags::SPECIFIC_CHARACTER_SET;
    for (declared, name, expected) in [
        (&b"XXX XXXX"[..], &b"Quillfeather^Ondine"[..], None),
        (b"ISO 2022 IR 6\\IS", b"\xd1\xe8\xed^\xc0", None),
        (b"iso_ir 100", b"Bj\xf8rnskov^\xc5se", Some("ISO_IR 100")),
        (b"ISO IR 192", b"Quillfeather^Ondine", Some("ISO_IR 192")),
        (b"ISO_IR 100", b"Quillfeather^Ondine", Some("ISO_IR 100")),
    ] {
        let mut values = ordinary();
        values.insert(tag, (Vr::CS, declared));
        values.insert(tags::PATIENT_NAME, (Vr::PN, name));
        let (out, said) = one(&file(&values), "basic");
        assert_eq!(text(&out, tag).as_deref(), expected);
        let unknown = said.contains(&"character-set-unknown".to_owned());
        assert_eq!(unknown, expected.is_none());
    }
}

#[test]
fn an_odd_representation_goes_out_as_what_it_is() {
    let mut bytes = file(&ordinary());
    // Modality, which stands as `CS`, in four odd ways.
    let at = bytes.windows(8).position(|w| w == [8, 0, 0x60, 0, b'C', b'S', 2, 0]).unwrap();
    for odd in [*b"??", *b"  ", *b"cs", [0, 0]] {
        bytes[at + 4..at + 6].copy_from_slice(&odd);
        let (out, said) = one(&bytes, "basic");
        assert_eq!(said, ["odd-value-representation"]);
        assert!(out.windows(10).any(|w| w == [8, 0, 0x60, 0, b'C', b'S', 2, 0, b'C', b'T']));
    }
}

#[test]
fn a_rule_that_says_what_an_element_is_acts_in_implicit_vr() {
    let profile = |vr: &str| {
        let rule = format!(
            "format = 2\nname = \"t\"\nversion = \"1\"\n[[rule]]\nmatch = [\"(0019,xx0C)\"]\n\
             creator = \"INITECH\"\naction = \"keep\"\n{vr}\n"
        );
        Profile::from_toml(&rule).unwrap()
    };
    let (tag, creator) = (Tag::new(0x19, 0x100c), Tag::new(0x19, 0x10));
    let mut values = ordinary();
    values.insert(creator, (Vr::LO, b"INITECH"));
    values.insert(tag, (Vr::IS, b"800"));
    let implicit = file_in(
        &values,
        file_meta(CT, "1.2.826.0.1.77.1", TransferSyntax::IMPLICIT_LITTLE),
        Encoding::IMPLICIT_LITTLE,
    );
    for (vr, bytes, kept, idle) in [
        ("", file(&values), true, true),
        ("", implicit.clone(), false, true),
        ("vr = [\"IS\"]", file(&values), true, false),
        ("vr = [\"IS\"]", implicit.clone(), true, false),
        ("vr = [\"DA\"]", implicit, false, false),
    ] {
        let profile = profile(vr);
        let (out, said) = scrubbed(&[bytes], &profile).remove(0).unwrap();
        assert_eq!(text(&out, tag).as_deref() == Some("800"), kept, "{vr}");
        assert_eq!(said.contains(&"rule-cannot-act".to_owned()), vr.is_empty() && !kept, "{vr}");
        assert_eq!(!profile.idle_rules().is_empty(), idle, "{vr}");
        let case = Case { creator: Some("INITECH"), ..Case::default() };
        assert_eq!(profile.explain(tag, &case).note.is_some(), idle, "{vr}");
    }
    let look = Profile::builtin("basic").unwrap().explain(tags::PIXEL_DATA, &Case::default());
    assert_eq!((look.treatment, look.because.as_str()), ("look", "pixels"));
}

#[test]
fn a_rule_that_keeps_a_number_keeps_it_in_its_own_element() {
    let rule = "format = 2\nname = \"t\"\nversion = \"1\"\noptions = [\"clean-descriptors\"]\n\
                [[rule]]\nmatch = [\"PatientID\"]\naction = \"keep\"\n";
    let profile = Profile::from_toml(rule).unwrap();
    let mut values = ordinary();
    values.insert(Tag::new(8, 0x1030), (Vr::LO, b"CT chest QF-7719034"));
    let (out, _) = scrubbed(&[file(&values)], &profile).remove(0).unwrap();
    assert_eq!(text(&out, tags::PATIENT_ID).as_deref(), Some("QF-7719034"));
    assert_eq!(text(&out, Tag::new(8, 0x1030)).as_deref(), Some("CT chest"));
}

/// A grey image of 16 by 16 with an offset table that native pixel data has no use for.
#[test]
fn secondary_grey_images_are_looked_into_and_offsets_go() {
    let (two, one_sample) = ([16u8, 0], [1u8, 0]);
    let mut values = ordinary();
    for (tag, vr, value) in [
        (tags::IMAGE_TYPE, Vr::CS, &b"DERIVED\\SECONDARY\\ADC"[..]),
        (tags::SAMPLES_PER_PIXEL, Vr::US, &one_sample),
        (tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, b"MONOCHROME2"),
        (tags::ROWS, Vr::US, &two),
        (tags::COLUMNS, Vr::US, &two),
        (tags::BITS_ALLOCATED, Vr::US, &two),
        (tags::BITS_STORED, Vr::US, &two),
        (tags::HIGH_BIT, Vr::US, &[15, 0]),
        (Tag::new(0x7fe0, 1), Vr::OV, &[0; 8]),
        (Tag::new(0x7fe0, 2), Vr::OV, &[8; 8]),
        (tags::PIXEL_DATA, Vr::OW, &[3; 512]),
    ] {
        values.insert(tag, (vr, value));
    }
    let (out, _) = one(&file(&values), "research");
    let (header, body) = open_slice(&out, &Limits::default()).unwrap();
    assert_eq!(body.as_slice().unwrap(), [3; 512]);
    assert!(header.data.find(Tag::new(0x7fe0, 1)).is_none());
    assert!(header.data.find(Tag::new(0x7fe0, 2)).is_none());
    values.insert(tags::IMAGE_TYPE, (Vr::CS, b"DERIVED\\SECONDARY\\SCREEN SAVE"));
    let research = Profile::builtin("research").unwrap();
    let reason = scrubbed(&[file(&values)], &research).remove(0).unwrap_err();
    assert_eq!(reason.code, ReasonCode::PixelRisk);
}

#[test]
fn an_icc_profile_comes_out_without_words_or_not_at_all() {
    let icc = crate::unlisted::ICC_PROFILE;
    let words = [(b"desc", b"desc\0\0\0\0\0\0\0\x0bDunmorrow 1\0\0\0".to_vec())];
    let good = crate::icc::tests::profile(2, &words);
    let bad = [&good[..40], b"Dunmorrow"].concat();
    for profile in ["basic", "research"] {
        for (value, stays) in [(&good, true), (&bad, false)] {
            let mut values = ordinary();
            values.insert(icc, (Vr::OB, value));
            let (out, noticed) = one(&file(&values), profile);
            assert!(!out.windows(9).any(|bytes| bytes == b"Dunmorrow"), "{profile}");
            let (header, _) = open_slice(&out, &Limits::default()).unwrap();
            let written = header.data.elements().iter().find(|element| element.tag == icc);
            let written = written.map(|element| header.data.value(element).to_vec());
            assert_eq!(written, crate::icc::cleaned(value), "{profile}");
            assert_eq!(written.is_some(), stays, "{profile}");
            assert_eq!(noticed, if stays { &[][..] } else { &["colour-profile-removed"] });
        }
    }
}
