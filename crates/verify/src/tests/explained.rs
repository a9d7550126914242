//! What the writing itself explains, and what it does not.

use super::*;
use std::ops::Range;

const STUDY: &[Value<'static>] = &[
    (0x0008_0018, Vr::UI, b"1.3.6.1.4.1.58999.1.20160310.1"),
    (0x0008_0020, Vr::DA, b"20160310"),
    (0x0008_0080, Vr::LO, b"Dunmorrow Infirmary"),
    (0x0008_1010, Vr::SH, b"PACS0815"),
    (NAME, Vr::PN, b"Dunmorrow^Philippa^Ann"),
    (0x0010_0020, Vr::LO, b"4711223"),
    (0x0010_0030, Vr::DA, b"19311103"),
    (0x0018_1000, Vr::LO, b"Pseudo-77"),
    (0x0020_000d, Vr::UI, b"2.25.99999999999999999999"),
];

#[test]
fn the_element_that_holds_a_residue_is_named() {
    let verifier = verifier(STUDY);
    let mut nested = file(&[(NAME, Vr::PN, b"P-1")]);
    let mut writer = Writer::new(&mut nested);
    let sequence = writer.open_sequence(Tag(0x0040_0275), Vr::SQ, true, LE);
    for text in [&b"MR brain"[..], b"MR brain of Philippa"] {
        let item = writer.open_item(true, LE);
        writer.element(Tag(0x0040_0007), Vr::LO, text, LE);
        writer.close_item(&item);
    }
    writer.close_sequence(&sequence);
    let reason = verifier.check(&nested, &[], &[]).unwrap_err();
    assert_eq!(reason.code, ReasonCode::ResidualIdentifier);
    assert_eq!(reason.at.unwrap().0, "(0040,0275)[1](0040,0007)");
    assert_eq!(reason.detail, "found by verification: a person's name");
}

#[test]
fn what_is_ours_is_passed_over_and_nothing_else() {
    let verifier = verifier(STUDY);
    let ours: &[&[u8]] = &[b"Pseudo-77 P", b"PHILIPPA", b"19311103", b""];
    let table: &[(Value<'_>, bool)] = &[
        ((NAME, Vr::PN, b"Pseudo-77 P"), true),
        ((0x0010_4000, Vr::LT, b"for Pseudo-77 P ok"), true),
        ((0x0010_4000, Vr::LT, b"for Pseudo-77 Q"), false),
        ((0x0010_4000, Vr::LT, b"PHILIPPA"), true),
        ((0x0010_4000, Vr::LT, b"PHILIPPA Dunmorrow"), false),
        ((0x0010_0030, Vr::DA, b"19311103"), true),
        // Keyed UIDs, but not those of the study.
        ((0x0020_000e, Vr::UI, b"2.25.4711223"), true),
        ((0x0020_000e, Vr::UI, b"2.25.99999999999999999999"), false),
        ((0x0020_000e, Vr::UI, b"1.2.3.4711223.4"), false),
        ((0x0008_1030, Vr::LO, b"see 4711223"), false),
        // Numbers in groups, in texts.
        ((0x0008_1030, Vr::LO, b"see 47 11 223"), false),
        ((0x0008_103e, Vr::LO, b"4711-223/2"), false),
        ((0x0008_103e, Vr::LO, b"no 4.711.223"), false),
        ((0x0010_4000, Vr::LT, b"no. 4 7 1 1 2 2 3"), false),
        ((0x0020_0032, Vr::DS, b"47.11223\\1\\1"), true),
        ((0x0020_000e, Vr::UI, b"1.2.47.11223"), true),
        ((0x0042_0011, Vr::OB, b" 47 11 223"), true),
        // Numbers by chance.
        ((0x0028_0106, Vr::US, b"4711223 "), true),
        ((0x0028_3006, Vr::OW, b" 4711223"), true),
        ((0x0028_3006, Vr::OW, b" Dunmorrow"), false),
        ((0x0042_0011, Vr::OB, b" 4711223"), false),
        ((0x0020_0032, Vr::DS, b"4711223\\1\\1"), true),
        ((0x0018_1151, Vr::IS, b"4711223"), false),
        ((0x0018_1151, Vr::IS, b"19311104"), true),
        // A date of the study, where it stood and where it was shifted to.
        ((0x0008_0020, Vr::DA, b"20160310"), false),
        ((0x0008_0021, Vr::DA, b"20160310"), true),
        ((0x0008_002a, Vr::DT, b"20160310101112"), true),
        ((0x0008_1030, Vr::LO, b"20160310"), false),
        // Defined terms.
        ((0x0018_9179, Vr::CS, b"ANN_B1RMS"), true),
        ((0x0018_9179, Vr::CS, b"ANN"), false),
        ((0x0008_0005, Vr::CS, b"ISO_IR 100"), true),
        ((0x0008_0005, Vr::CS, b"ANN"), false),
        // The de-identification attributes.
        ((0x0012_0063, Vr::LO, b"PACS0815"), true),
        ((0x0012_0040, Vr::LO, b"PACS0815"), false),
    ];
    for ((tag, vr, value), explained) in table {
        let written = file(&[(*tag, *vr, value)]);
        let outcome = verifier.check(&written, ours, &[]);
        assert_eq!(outcome.is_ok(), *explained, "{} {vr:?}", Tag(*tag));
        if let Err(reason) = outcome {
            assert_eq!(reason.at.unwrap().0, Tag(*tag).to_string());
        }
    }
}

#[test]
fn the_codes_of_the_method_are_passed_over() {
    let verifier = verifier(&[(0x0008_1010, Vr::SH, b"DCM113100")]);
    for (tag, explained) in [(0x0012_0064, true), (0x0040_0275, false)] {
        let mut written = file(&[]);
        let mut writer = Writer::new(&mut written);
        let sequence = writer.open_sequence(Tag(tag), Vr::SQ, false, LE);
        let item = writer.open_item(false, LE);
        writer.element(Tag(0x0008_0100), Vr::SH, b"DCM113100", LE);
        writer.close_item(&item);
        writer.close_sequence(&sequence);
        assert_eq!(verifier.check(&written, &[], &[]).is_ok(), explained);
    }
}

#[test]
fn what_the_profile_keeps_is_no_evidence() {
    let keeps_uids = |tag: Tag| matches!(tag.0, 0x0008_0018 | 0x0020_000d);
    let verifier = verifier_keeping(STUDY, &keeps_uids);
    let kept = file(STUDY.get(..1).unwrap());
    assert!(verifier.search(&kept).is_some(), "the date within");
    assert_eq!(verifier.check(&kept, &[], &[told(&kept, What::ALL, None)]), Ok(()));
    assert!(verifier.check(&file(STUDY.get(1..2).unwrap()), &[], &[]).is_err());
    let verifier = verifier_keeping(STUDY, &|tag| tag.0 == 0x0008_0080);
    // An institution that is kept, and named like the patient: somebody has to look.
    let named = file(&[STUDY[2]]);
    assert!(verifier.check(&named, &[], &[told(&named, &[What::Place], None)]).is_err());
    let verifier = verifier_keeping(STUDY, &|tag| matches!(tag.0, 0x0008_0020 | 0x0010_0030));
    assert_eq!(verifier.check(&file(&[STUDY[1], STUDY[6]]), &[], &[]), Ok(()));
    // What names the patient is kept in its own element, and found in every other one.
    let verifier = verifier_keeping(STUDY, &|tag| tag.0 == 0x0010_0020);
    let number = file(&[STUDY[5]]);
    assert_eq!(verifier.check(&number, &[], &[told(&number, What::ALL, None)]), Ok(()));
    assert!(verifier.check(&number, &[], &[]).is_err());
    assert!(verifier.check(&file(&[(0x0010_4000, Vr::LT, b"4711223")]), &[], &[]).is_err());
}

/// What the verification is told of the first element of a file.
fn told(file: &[u8], kinds: &'static [What], word: Option<Range<usize>>) -> Kept {
    let (header, _) = open_slice(file, &Limits::default()).unwrap();
    let element = header.data.elements()[0];
    Kept { at: element.start as usize, tag: element.tag, kinds, words: word.into_iter().collect() }
}

#[test]
fn words_that_mean_something_else_stay_where_the_writer_says_so() {
    let verifier = named("Regression^Philippa");
    let text = &b"regression of Philippa"[..];
    let written = file(&[(0x0018_1030, Vr::LO, text)]);
    let kept = |word: Range<usize>| [told(&written, &[], Some(word))];
    // The word is told, the name beside it is not.
    assert!(verifier.check(&written, &[], &kept(0..10)).is_err());
    let written = file(&[(0x0018_1030, Vr::LO, b"a regression")]);
    let kept = |word: Range<usize>| [told(&written, &[], Some(word))];
    assert_eq!(verifier.check(&written, &[], &kept(2..12)), Ok(()));
    assert!(verifier.check(&written, &[], &kept(3..12)).is_err());
    assert!(verifier.check(&written, &[], &[]).is_err());
    // Told of one element, it is found in another, and in another place of the same tag.
    let other = file(&[(0x0018_1030, Vr::LO, b"a b"), (0x0018_1032, Vr::LO, b"a regression")]);
    assert!(verifier.check(&other, &[], &kept(2..12)).is_err());
    let mut elsewhere = told(&written, What::ALL, None);
    elsewhere.at += 2;
    assert!(verifier.check(&written, &[], &[elsewhere]).is_err());
}

#[test]
fn manufacturers_are_no_evidence() {
    let study = [
        (0x0008_0070, Vr::LO, &b"Imager Works"[..]),
        (0x0008_0080, Vr::LO, b"Imager Works"),
        (0x0008_1010, Vr::SH, b"Sonata77"),
        (0x0008_1090, Vr::LO, b"Sonata77"),
        (NAME, Vr::PN, b"Works^Philippa"),
    ];
    assert_eq!(verifier(&study[..4]).search(b"IMAGER WORKS Sonata77"), None);
    // But a person's name stays one, wherever somebody typed it.
    assert!(verifier(&study).search(b"IMAGER WORKS Sonata77").is_some());
}

#[test]
fn places_that_are_no_elements_are_judged() {
    let verifier = verifier(STUDY);
    let mut preamble = file(&[(0x0008_0060, Vr::CS, b"MR")]);
    preamble[..9].copy_from_slice(b"Dunmorrow");
    let reason = verifier.check(&preamble, &[], &[]).unwrap_err();
    assert_eq!(
        reason.detail,
        "found by verification: a person's name in the file meta information"
    );
    let mut pixels = file(&[(0x0008_0060, Vr::CS, b"MR")]);
    Writer::new(&mut pixels).head(tags::PIXEL_DATA, Vr::OW, 10, LE);
    let end = pixels.len();
    pixels.extend_from_slice(b" 4711223 .");
    assert_eq!(verifier.check(&pixels, &[], &[]), Ok(()));
    pixels[end..].copy_from_slice(b"Dunmorrow.");
    let reason = verifier.check(&pixels, &[], &[]).unwrap_err();
    assert_eq!(reason.detail, "found by verification: a person's name behind the elements");
    // Found, and nobody knows where.
    assert_eq!(verifier.check(b"Dunmorrow", &[], &[]).unwrap_err().code, ReasonCode::Internal);
}

#[test]
fn elements_to_be_deflated_are_judged_before() {
    let verifier = verifier(STUDY);
    let uid = "1.2.840.10008.1.2.1.99";
    let written = file_in(uid, LE, &[(0x0008_1030, Vr::LO, b"see Philippa")]);
    assert_eq!(verifier.check(&written, &[], &[]).unwrap_err().at.unwrap().0, "(0008,1030)");
    let written = file_in(uid, LE, &[(0x0028_0106, Vr::US, b"4711223 ")]);
    assert_eq!(verifier.check(&written, &[], &[]), Ok(()));
}
