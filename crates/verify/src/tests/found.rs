//! Which spellings are found, and which words are left alone.

use super::*;
use proptest::prelude::*;

fn finds(verifier: &Verifier, text: &[u8], what: Option<What>) {
    let found = verifier.search(text).map(|residue| residue.what);
    assert_eq!(found, what, "{}", String::from_utf8_lossy(text));
}

#[test]
fn names_are_found_in_every_order_and_spelling() {
    let table: &[(&str, &[&str], &[&str])] = &[
        (
            "Dunmorrow^Philippa^Ann^Dr^Jr",
            &[
                "Dunmorrow",
                "DUNMORROW, PHILIPPA",
                "philippa dunmorrow",
                "PhilippaDunmorrow",
                "xxdunmorrowxx",
                "Mrs Philippa",
                "seen by ann today",
                "P. Dunmorrow",
            ],
            &["Dr Jr", "Annual", "Dunmore", "Philip", "anniversary", "Planning"],
        ),
        (
            "Kim^Minjun",
            &["KIM", "Kim^M", "Minjun", "MinjunKim", "pt_kim_2", "MINJUN1", "患者Kim检查"],
            &["Kimono", "skim", "minjung", "alminjun"],
        ),
        // Two letters count only beside the other part.
        ("Li^Na", &["Li Na", "Li^Na", "na, li", "LI-NA"], &["Li", "Na", "linac", "NaCl Li"]),
        ("Xu^Bo", &["XU BO", "bo.xu", "xubo"], &["xubox", "exubo"]),
        // Common words count only beside the other part.
        ("Long^Rose", &["Rose Long", "LONG^ROSE", "RoseLong"], &["long axis", "Rose"]),
        ("Head^Marigold", &["marigold", "Head Marigold"], &["HEAD", "Body", "head first supine"]),
        ("Primary^Axial", &["axial primary", "PRIMARYAXIAL"], &["ORIGINAL\\PRIMARY\\AXIAL"]),
        ("O'Brannigan^Anne-Marie", &["Brannigan", "OBRANNIGAN", "Anne", "annemarie"], &["mariet"]),
        ("Grünewäldt^Jörgen", &["GRÜNEWÄLDT", "Gruenewaeldt", "grunewaldt", "joergen"], &["green"]),
        ("Şimşek^Ağca", &["SIMSEK", "şimşek", "Agca"], &["simple"]),
        ("Люкова^Ким", &["Люкова", "ЛЮКОВА", "(ким)"], &["Кимберлит"]),
        ("王^芳", &["王芳", "王 芳", "王^芳", "芳王", "患者王芳女士"], &["王", "芳", "王先生芳香"]),
        ("诸葛^明月", &["诸葛", "明月", "诸葛明月"], &["明", "日月"]),
        ("김^민준", &["민준", "김민준"], &["김", "민주"]),
        ("やまだ^ゆい", &["やまだ", "やまだゆい"], &["ゆいいつ"]),
        ("Wu^Xiaodong=吴^晓东", &["吴晓东", "晓东", "XIAODONG"], &["吴", "Wu"]),
        ("Patient 4711223", &["4711223", "no. 4711223."], &["Patient", "14711223"]),
        ("ANONYMOUS", &[], &["ANONYMOUS", "anonymous"]),
        ("TEST^PHANTOM", &["Test Phantom"], &["phantom", "test"]),
    ];
    for (name, yes, no) in table {
        let verifier = named(name);
        yes.iter().for_each(|text| finds(&verifier, text.as_bytes(), Some(What::Name)));
        no.iter().for_each(|text| finds(&verifier, text.as_bytes(), None));
    }
}

#[test]
fn names_are_found_in_every_encoding() {
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    let declared = |term: &str, text: &str| {
        CharacterSets::parse(term.as_bytes()).unwrap().encode(text).unwrap()
    };
    for (name, text, sets) in [
        ("Jörgen^Åsa", "Dr Åsa Jörgen", &["ISO_IR 100", "ISO_IR 148"][..]),
        ("Kārlis^Ēriks", "Ēriks Kārlis", &["ISO_IR 110"]),
        ("Διονυσιος^Παυλος", "τον Παυλος", &["ISO_IR 126"]),
        ("שרון^דבורה", "שרון", &["ISO_IR 138"]),
        ("Люкова^Анна", "об Анна", &["ISO_IR 144"]),
        ("诸葛^明月", "患者诸葛明月", &["GB18030", "GBK", "\\ISO 2022 IR 58"]),
        (
            "小早川^静香",
            "患者小早川静香様",
            &["\\ISO 2022 IR 87", "ISO 2022 IR 13\\ISO 2022 IR 87"],
        ),
        ("황보^서영", "환자 황보서영 씨", &["\\ISO 2022 IR 149"]),
        ("王^芳", "王^芳", &["\\ISO 2022 IR 87", "\\ISO 2022 IR 58", "GB18030"]),
        ("남^궁", "남 궁", &["\\ISO 2022 IR 149"]),
    ] {
        let verifier = named(name);
        finds(&verifier, text.as_bytes(), Some(What::Name));
        finds(&verifier, &utf16(text, u16::to_le_bytes), Some(What::Name));
        finds(&verifier, &utf16(text, u16::to_be_bytes), Some(What::Name));
        for term in sets {
            finds(&verifier, &declared(term, text), Some(What::Name));
        }
    }
    let yamada = named("Yamada^Tarou=山田^太郎");
    finds(&yamada, b"\x8e\x52\x93\x63\x91\xbe\x98\x59", Some(What::Name));
    // The codes of a name in another row, and among ASCII.
    finds(&yamada, b"\x1b$B!;3ED!\x1b(B", None);
    finds(&yamada, b"code ;3ED.", None);
    finds(&yamada, b"\x1b$B!!;3ED\x1b(B", Some(What::Name));
    // The letters of a name among two-byte codes.
    finds(&named("Kim^Bob"), b"\x1b$B!(Kim(!\x1b(B", None);
}

#[test]
fn names_in_undeclared_bytes_are_found_as_they_stand() {
    for (declared, name, text) in [
        (&b""[..], &b"\xd6\xee\xb8\xf0^\xc3\xf7\xd4\xc2"[..], &b"seen \xd6\xee\xb8\xf0"[..]),
        (b"", b"\xd6\xee\xb8\xf0^\xc3\xf7\xd4\xc2", "诸葛".as_bytes()),
        (b"", b"Gr\xfcnew\xe4ldt^J\xf6rgen", b"J\xd6RGEN"),
        (b"ISO_IR 100", "诸葛^明月".as_bytes(), "诸葛".as_bytes()),
        (b"ISO_IR 999", b"Gr\xfcnew\xe4ldt", "GRÜNEWÄLDT".as_bytes()),
        // Nobody can read it.
        (b"", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3\xff", b"\xd4\xcf\xc0\xde"),
    ] {
        let verifier = verifier(&[(0x0008_0005, Vr::CS, declared), (NAME, Vr::PN, name)]);
        finds(&verifier, text, Some(What::Name));
    }
}

#[test]
fn an_item_declares_its_own_character_set() {
    let mut bytes = file(&[(0x0008_0005, Vr::CS, b"ISO_IR 100")]);
    let mut writer = Writer::new(&mut bytes);
    let sequence = writer.open_sequence(Tag(0x0010_1002), Vr::SQ, true, LE);
    let item = writer.open_item(true, LE);
    writer.element(tags::SPECIFIC_CHARACTER_SET, Vr::CS, b"GB18030", LE);
    writer.element(tags::PATIENT_NAME, Vr::PN, b"\xd6\xee\xb8\xf0^\xc3\xf7\xd4\xc2", LE);
    writer.close_item(&item);
    writer.close_sequence(&sequence);
    writer.element(Tag(0x0032_1032), Vr::PN, b"J\xf6rgen", LE);
    let (header, _) = open_slice(&bytes, &Limits::default()).unwrap();
    let mut evidence = Evidence::new();
    evidence.observe(&header).unwrap();
    let verifier = evidence.verifier(&|_| false).unwrap();
    finds(&verifier, "明月".as_bytes(), Some(What::Name));
    finds(&verifier, "Jörgen".as_bytes(), Some(What::Name));
}

#[test]
fn dates_are_found_in_every_spelling() {
    for value in ["19311103", "1931.11.03", "1931-11-03", "19311103101112.5+0100", "19311103 10:11"]
    {
        let verifier = verifier(&[(0x0010_0030, Vr::DT, value.as_bytes())]);
        for text in [
            "19311103",
            "1931-11-03",
            "1931.11.03",
            "1931/11/03",
            "03.11.1931",
            "11/03/1931",
            "03/11/1931",
            "3.11.1931",
            "03NOV1931",
            "03-nov-1931",
            "3 November 1931",
            "November 3, 1931",
            "1931年11月3日",
            "03111931",
            "born 19311103.",
            "19311103101112.000",
            "1931110310",
            "1.3.6.1.4.1.58999.8.19311103.1",
            "A19311103",
        ] {
            finds(&verifier, text.as_bytes(), Some(What::Date));
        }
        for text in ["119311103", "193111033", "19311104", "1931", "0.19311103", "13.11.1931"] {
            finds(&verifier, text.as_bytes(), None);
        }
    }
    for nothing in ["", "1931", "193111", "00000000", "20011301", "TODAY"] {
        let verifier = verifier(&[(0x0010_0030, Vr::DA, nothing.as_bytes())]);
        finds(&verifier, b"193111 00000000 20011301 TODAY", None);
    }
}

/// An element with its value, what it is evidence of, texts that hold it, texts that do not.
type Typed = (u32, Vr, &'static str, What, &'static [&'static str], &'static [&'static str]);

#[test]
fn everything_else_is_found_as_it_is_typed() {
    use What::{Age, Contact, Device, Identifier, Place};
    let table: &[Typed] = &[
        (
            0x0010_0020,
            Vr::LO,
            "MRN01234567",
            Identifier,
            &["mrn01234567", "01234567", "1234567", "58999.1.1234567.2", "x1234567y"],
            &["11234567", "12345678", "0.1234567", "234567"],
        ),
        (0x0010_0020, Vr::LO, "12-34-567", Identifier, &["1234567", "12-34-567"], &["12-34-5678"]),
        (0x0010_0020, Vr::LO, "AB12", Identifier, &["ab12", "(AB12)"], &["AB123", "XAB12"]),
        (0x0010_0020, Vr::LO, "12345", Identifier, &[], &["12345"]),
        (0x0010_0020, Vr::LO, "000000", Identifier, &[], &["000000"]),
        (0x0010_0020, Vr::LO, "UNKNOWN", Identifier, &[], &["UNKNOWN"]),
        (0x0008_0050, Vr::SH, "Qxzpfgh", Identifier, &["qxzpfgh"], &["qxzpfghs"]),
        (0x0020_0010, Vr::SH, "1", Identifier, &[], &["1"]),
        (0x0018_1000, Vr::LO, "SN-123456", Device, &["SN-123456", "sn123456"], &["SN-12345"]),
        (0x0008_1010, Vr::SH, "MR", Device, &[], &["MR"]),
        (0x0008_1010, Vr::SH, "CTAWP7", Device, &["ctawp7"], &["CTAWP71"]),
        (0x0008_0080, Vr::LO, "St Wystan Infirmary", Place, &["st wystan infirmary"], &["Wystan"]),
        (0x0008_0080, Vr::LO, "General Hospital", Place, &[], &["General Hospital"]),
        (0x0008_0080, Vr::LO, "桔梗综合医院", Place, &["在桔梗综合医院做"], &["综合医院"]),
        (
            0x0010_1040,
            Vr::LO,
            "12 Larkspur Mews, Ashcombe",
            Place,
            &["12 larkspur mews", "12 Larkspur Mews, Ashcombe"],
            &["Ashcombe", "2 larkspur mew"],
        ),
        (
            0x0010_2154,
            Vr::SH,
            "0161 496 1234",
            Contact,
            &["0161-496-1234", "01614961234", "tel 0161.496.1234", "1614961234"],
            &["0161 496 12345", "4961234"],
        ),
        (0x0010_2155, Vr::LT, "p.dun@mail.example", Contact, &["P.DUN@mail.example"], &["mail"]),
        (0x0010_1010, Vr::AS, "104Y", Age, &["104Y"], &["04Y", "1104Y"]),
        (0x0010_1010, Vr::AS, "072Y", Age, &[], &["072Y"]),
    ];
    for (tag, vr, value, what, yes, no) in table {
        let verifier =
            verifier(&[(0x0008_0005, Vr::CS, b"ISO_IR 192"), (*tag, *vr, value.as_bytes())]);
        for text in *yes {
            finds(&verifier, text.as_bytes(), Some(*what));
        }
        no.iter().for_each(|text| finds(&verifier, text.as_bytes(), None));
    }
}

#[test]
fn uids_are_found_whole() {
    const UID: &str = "1.3.6.1.4.1.58999.7.123";
    let keyed = "2.25.12345678901234567890";
    let verifier = verifier(&[
        (0x0008_0016, Vr::UI, b"1.3.12.2.1107.5.9.1"),
        (0x0008_0018, Vr::UI, UID.as_bytes()),
        (0x0009_1001, Vr::UI, keyed.as_bytes()),
        (0x0020_0052, Vr::UI, b"1.2.840.10008.1.4.1.1"),
        (0x0020_0200, Vr::UI, b"1.2.3"),
    ]);
    let wide: Vec<u8> = UID.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for text in [
        UID.as_bytes(),
        b"study 1.3.6.1.4.1.58999.7.123.",
        b"https://x.example/1.3.6.1.4.1.58999.7.123/frames",
        keyed.as_bytes(),
        &wide,
    ] {
        finds(&verifier, text, Some(What::Uid));
    }
    for text in [
        "1.3.6.1.4.1.58999.7.1234",
        "1.3.6.1.4.1.58999.7.12",
        "1.1.3.6.1.4.1.58999.7.123",
        "1.3.12.2.1107.5.9.1",
        "1.2.840.10008.1.4.1.1",
        "1.2.3",
        "2.25.123456789012345678901",
    ] {
        finds(&verifier, text.as_bytes(), None);
    }
}

#[test]
fn headers_beside_a_value_are_no_letters() {
    // Lengths, groups and VRs that look like letters or digits, in both byte orders.
    let (kim, number) = (named("Kim^Minjun"), verifier(&[(0x0010_0020, Vr::LO, b"1234567")]));
    for length in (4..=130usize).step_by(2) {
        for (syntax, encoding) in
            [(TransferSyntax::EXPLICIT_LITTLE, LE), ("1.2.840.10008.1.2.2", BE)]
        {
            for (first, next) in [
                (0x0010_4000, 0x0032_1060),
                (0x0028_4000, 0x0032_1060),
                (0x0032_4000, 0x0038_4000),
                (0x0010_4000, 0x0040_1400),
                (0x0010_4000, 0x3006_0008),
                (0x0010_4000, 0x7053_0010),
            ] {
                for (value, verifier) in [("Kim", &kim), ("1234567", &number)] {
                    let pad = length.max(8) - value.len();
                    for text in [
                        format!("{value}{}", " ".repeat(pad)),
                        format!("{}{value}", " ".repeat(pad)),
                    ] {
                        let utf16: Vec<u8> =
                            text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                        for bytes in [text.as_bytes(), &utf16] {
                            let values = [(first, Vr::LT, bytes), (next, Vr::LO, b"ABCD")];
                            let written = file_in(syntax, encoding, &values);
                            assert!(verifier.search(&written).is_some(), "{first:x} {next:x}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn short_forms_do_not_count_in_compressed_bytes() {
    let verifier = named("Kim^Philippa");
    assert!(verifier.search(b"\x00 Kim \x00").is_some());
    assert!(verifier.search_packed(b"\x00 Kim \x00").is_none());
    let at = 3;
    let residue = Residue { at, what: What::Name };
    assert_eq!(verifier.search_packed(b"\xff\xfe PHILIPPA"), Some(residue));
}

#[test]
fn limits_hold() {
    let long = "Q".repeat(20_000);
    let bytes = file(&[(0x0010_1040, Vr::UT, long.as_bytes())]);
    let (header, _) = open_slice(&bytes, &Limits::default()).unwrap();
    let reason: scanveil_model::Reason = Evidence::new().observe(&header).unwrap_err().into();
    assert_eq!(reason.code, ReasonCode::LimitExceeded);
    let mut evidence = Evidence::new();
    let refused = (0..30_000).find(|n| {
        let name = format!("Person{n}");
        let bytes = file(&[(NAME, Vr::PN, name.as_bytes())]);
        let (header, _) = open_slice(&bytes, &Limits::default()).unwrap();
        evidence.observe(&header).is_err()
    });
    assert_eq!(refused, Some(20_000));
    // A value seen before is nothing new.
    let mut evidence = Evidence::new();
    let bytes = file(&[(NAME, Vr::PN, b"Dunmorrow^Philippa")]);
    let (header, _) = open_slice(&bytes, &Limits::default()).unwrap();
    (0..30_000).for_each(|_| evidence.observe(&header).unwrap());
}

/// Words of reports and headers; none of them is part of a name below.
const CLINICAL: &[&str] = &[
    "MR",
    "brain",
    "t2",
    "tse",
    "tra",
    "HEAD",
    "AXIAL",
    "PRIMARY",
    "ORIGINAL",
    "contrast",
    "Gadovist",
    "0.1",
    "mmol/kg",
    "lesion",
    "of",
    "the",
    "left",
    "temporal",
    "lobe",
    "12",
    "mm",
    "no",
    "acute",
    "haemorrhage",
    "chest",
    "PA",
    "erect",
    "Parkinson",
    "disease",
    "Baker",
    "cyst",
    "1.5T",
    "-125.123456",
    "0.0035",
    "101112.123456",
    "20190604",
    "2.25.329800735698586629295641",
];

proptest! {
    #[test]
    fn clinical_text_is_no_false_alarm(
        words in prop::collection::vec(0..CLINICAL.len(), 0..40),
        mark in "[ \\\\,;\n]",
    ) {
        let text = words.iter().map(|at| CLINICAL[*at]).collect::<Vec<_>>().join(&mark);
        let verifier = verifier(&[
            (0x0008_0005, Vr::CS, b"ISO_IR 192"),
            (0x0008_0020, Vr::DA, b"20160310"),
            (0x0008_0050, Vr::SH, b"ACC201603101234"),
            (0x0008_0080, Vr::LO, b"St Wystan Infirmary"),
            (0x0008_0090, Vr::PN, b"Head^Rose\\Parkinson^James\\Li^Na\\Baker^Tom"),
            (NAME, Vr::PN, "Dunmorrow^Philippa^Ann=王^芳=김^민준".as_bytes()),
            (0x0010_0020, Vr::LO, b"123456"),
            (0x0020_000d, Vr::UI, b"2.25.3298007356985866292956419"),
        ]);
        prop_assert_eq!(verifier.search(text.as_bytes()), None);
        // And with a name among it, there is one.
        let named = format!("{text}{mark}Philippa{mark}{text}");
        let at = text.len() + mark.len();
        prop_assert_eq!(verifier.search(named.as_bytes()), Some(Residue { at, what: What::Name }));
    }

    #[test]
    fn no_bytes_make_the_search_panic(noise: Vec<u8>, name in "[A-Za-z王芳ü^=\\\\' -]{0,20}") {
        let verifier = named(&name);
        let _ = verifier.search(&noise);
        let mut bytes = noise.clone();
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&noise);
        let _ = verifier.search(&bytes);
        let _ = verifier.check(&bytes, &[], &[]);
    }
}
