use crate::{Cleaner, Kind, Known, KnownBuilder};

fn left(known: &Known, text: &str) -> String {
    Cleaner::new(&[]).clean(known, text).text.into_owned()
}

#[test]
fn a_person_in_every_order_and_spelling() {
    let mut builder = KnownBuilder::new();
    builder.person("Bellweather-Stone^Müriel Jo^Q^Dr^MD=山田^花子=やまだ^はなこ");
    builder.person("Hart^Li");
    let known = builder.build().expect("few values");
    let gone = [
        "Bellweather",
        "BELLWEATHER, MURIEL",
        "Müriel Bellweather",
        "mueriel bellweather",
        "MUERIEL",
        "bellweathermuriel",
        "murielbellweather",
        "BellweatherStone",
        "mbellweather",
        "Muriel Stone",
        "stone, muriel",
        "bellweathers",
        "山田花子",
        "山田 花子",
        "花子",
        "ヤマダ",
        "ﾔﾏﾀﾞ ﾊﾅｺ",
        "Hart Li",
        "LI HART",
        "Mu\u{308}riel",
        "Ｍｕｒｉｅｌ",
        "Muri\u{ad}el",
    ];
    for text in gone {
        assert_eq!(left(&known, text), "", "{text}");
        assert_eq!(left(&known, &format!("CT head {text}")), "CT head", "{text}");
    }
    let found = Cleaner::new(&[]).find(&known, "CT for Muriel Bellweather");
    assert!(found.iter().all(|f| f.kind == Kind::KnownName), "{found:?}");
    for text in ["kidney stone", "Heart size", "MR T2 heart", "lipoma"] {
        assert_eq!(left(&known, text), text);
    }
}

#[test]
fn a_known_name_goes_even_when_it_is_a_clinical_word() {
    let mut builder = KnownBuilder::new();
    builder.person("COLON^Maria");
    let known = builder.build().expect("few values");
    assert_eq!(left(&known, "CT COLON"), "CT");
    assert_eq!(left(&known, "CT COLONOGRAPHY"), "CT COLONOGRAPHY");
    assert_eq!(left(&known, "Sigmoid colon normal, seen by Maria Colon"), "Sigmoid colon normal");
}

#[test]
fn a_short_name_in_the_wrong_order_cuts_no_word() {
    let mut builder = KnownBuilder::new();
    builder.person("党^强");
    let known = builder.build().expect("few values");
    assert_eq!(left(&known, "平扫加增强 党强女士"), "平扫加增强");
    assert_eq!(left(&known, "强党 胸部CT"), "胸部CT");
}

#[test]
fn numbers_places_dates_and_words() {
    let mut builder = KnownBuilder::new();
    builder.identifier("0004711-22").identifier("AB.12345").identifier("12");
    builder.place("St. Garrowby General Hospital").place("RADIOLOGY").place("12 Quillford Lane");
    builder.date("19550712").uid("1.2.276.0.7230010.3.1").word("Projekt X");
    let known = builder.build().expect("few values");
    let gone = [
        "0004711-22",
        "000471122",
        "471122",
        "4711-22",
        "471 122",
        "AB12345",
        "ab-12345",
        "AB 12345",
        "Garrowby",
        "St. Garrowby General Hospital",
        "Quillford Lane",
        "12.07.1955",
        "12/7/55",
        "7/12/1955",
        "19550712",
        "550712",
        "12 July",
        "12jul55",
        "1955年7月12日",
        "Jul 12",
        "1.2.276.0.7230010.3.1",
        "Projekt X",
    ];
    for text in gone {
        assert_eq!(left(&known, &format!("CT head {text}")), "CT head", "{text}");
    }
    for text in ["Radiology report", "general view", "12 slices", "hospital bed", "4711"] {
        assert_eq!(left(&known, text), text);
    }
}

#[test]
fn whoever_has_no_name_takes_no_words_away() {
    let mut builder = KnownBuilder::new();
    builder.person("Anonymous^Patient").person("^^^^").person("").person("X").identifier("CT");
    builder.date("").date("1955").place("").uid("").word("");
    let known = builder.build().expect("few values");
    for text in ["patient supine", "test bolus", "CT 1955"] {
        assert_eq!(left(&known, text), text);
    }
}

#[test]
fn a_study_with_too_many_values_is_refused() {
    let mut builder = KnownBuilder::new();
    for number in 0..100_000_u32 {
        builder.identifier(&format!("{number:09}"));
    }
    let refused = builder.build().err().expect("over the limit");
    assert!(refused.to_string().starts_with("too many "), "{refused}");
    assert!(!refused.to_string().contains('9'));
}

#[test]
fn words_that_stay_on_purpose_are_told() {
    let spared = |name: &str, text: &str| -> Vec<String> {
        let mut builder = KnownBuilder::new();
        builder.person(name).identifier("DOSIMETRY").place("Ward, Radiotherapy");
        let known = builder.build().expect("few values");
        let left = left(&known, text);
        let pieces = Cleaner::new(&[]).spared(&known, &left);
        pieces.into_iter().map(|piece| left[piece].to_owned()).collect()
    };
    for (name, text, told) in [
        ("Test^Regression", "a regression test", &["regression test"][..]),
        ("Chest^Phantom", "CT CHEST of a phantom", &["CHEST", "phantom"]),
        ("Chest^Phantom", "MR head", &[]),
        ("Brain^Mary", "MRI brain without contrast", &["brain"]),
        ("Doe^Jo", "dosimetry of radiotherapy", &["dosimetry", "radiotherapy"]),
        ("Grün^Test", "Übersicht test", &["test"]),
        // A whole name goes, also where each of its words is another word.
        ("Colon^Stone", "seen: colon stone", &[]),
        ("Colon^Stone", "seen by Stone", &[]),
        ("Young^Long", "Young, Long seen", &[]),
        ("Hill^Grace", "report for grace hill", &[]),
        ("Garrowby^Ann", "CT Garrowby", &[]),
    ] {
        assert_eq!(spared(name, text), told, "{name}: {text}");
    }
}

#[test]
fn a_whole_name_goes_where_each_of_its_words_is_another_word() {
    for (name, text, gone) in [
        ("Colon^Stone", "seen: colon stone", "stone"),
        ("Colon^Stone", "seen by Stone", "Stone"),
        ("Young^Long", "Young, Long seen", "Young"),
        ("Hill^Grace", "report for grace hill", "hill"),
    ] {
        let mut builder = KnownBuilder::new();
        builder.person(name);
        let known = builder.build().expect("few values");
        let left = left(&known, text);
        assert!(!left.contains(gone), "{name}: {left}");
    }
}

#[test]
fn an_identifier_goes_in_whatever_groups() {
    let mut builder = KnownBuilder::new();
    builder.identifier("12345678").identifier("QF-7719034").identifier("54821");
    let known = builder.build().expect("few values");
    let gone = [
        "12 345 678",
        "1234-5678",
        "12.345.678",
        "12,345,678",
        "12'345'678",
        "1 2 3 4 5 6 7 8",
        "12/34/56/78",
        "1234 - 5678",
        "12_345_678",
        "0012 345 678",
        "12\u{a0}345\u{a0}678",
        "77 19 034",
        "QF 77 19 034",
        "7719-034",
        "54 821",
        "54-821",
    ];
    for text in gone {
        assert_eq!(left(&known, &format!("CT head {text}")), "CT head", "{text}");
    }
    let nothing = Known::nothing();
    let stays = [
        "12 345 ml",
        "matrix 512 345",
        "12 345 679",
        "5 4 8 2 1",
        "1, 2, 3, 4, 5, 6, 7, 8",
        "112 345 678",
        "77 19",
        "30 77 19",
    ];
    for text in stays {
        assert_eq!(left(&known, text), text);
        assert_eq!(left(&nothing, text), text);
    }
    assert_eq!(left(&nothing, "77 19 034 counts"), "77 19 034 counts");
}

#[test]
fn a_known_day_goes_with_a_roman_month() {
    let mut builder = KnownBuilder::new();
    builder.date("19570412");
    let known = builder.build().expect("few values");
    for text in ["12.IV.1957", "12 iv 57", "12.IV", "12/iv/57", "1957-IV-12", "12.04.57"] {
        assert_eq!(left(&known, &format!("CT head {text}")), "CT head", "{text}");
    }
    for text in ["stage IV", "12 IV bags", "segment IV"] {
        assert_eq!(left(&known, text), text);
    }
}

#[test]
fn a_house_goes_by_its_letters() {
    let letters = |name: &str, text: &str| {
        let mut builder = KnownBuilder::new();
        builder.place(name);
        left(&builder.build().expect("few values"), &format!("CT head {text}"))
    };
    for (name, text) in [
        ("St. Elsewhere General Hospital", "SEGH"),
        ("St. Elsewhere General Hospital", "StEGH"),
        ("St. Elsewhere General Hospital", "S.E.G.H."),
        ("St. Elsewhere General Hospital", "segh_"),
        ("St. Elsewhere General Hospital, Radiology", "SEGH"),
        ("St. Elsewhere General Hospital Radiology Dept", "SEGH"),
        ("Garrowby's Own Hospital", "GOH"),
        ("University of Quixwell", "UofQ"),
        ("University of Quixwell", "U of Q"),
        ("University Hospital of North Quixwell", "UHNQ"),
        ("Universitätsklinikum Quixstadt", "UKQ"),
        ("UniKlinikum Quixstadt", "UKQ"),
        ("UQX", "UQX"),
        ("UQX", "UofQX"),
        ("UQX", "U of QX"),
        ("QGH Radiology", "QGH"),
        ("Hôpital de la Croix Quixonne", "HCQ"),
    ] {
        assert_eq!(letters(name, text), "CT head", "{name}: {text}");
    }
    assert_eq!(letters("St. Elsewhere General Hospital", "SEGHBrain"), "CT head Brain");
    for (name, text) in [
        ("Saint Wystan Infirmary", "SWI"),
        ("Central Town", "CT"),
        ("Mercy Roads", "MR"),
        ("Ida Cole University", "ICU"),
        ("East Riding", "ER"),
        ("Penrose Eastern Trust", "PET"),
        ("Dunmorrow West Institute", "DWI"),
        ("St. Elsewhere General Hospital", "general hospital bed"),
        ("St. Elsewhere General Hospital", "segments"),
        ("University of Quixwell", "UQ 3"),
    ] {
        assert_eq!(letters(name, text), format!("CT head {text}"), "{name}");
    }
}

#[test]
fn initials_go_with_full_stops_or_beside_a_day() {
    let mut builder = KnownBuilder::new();
    builder.person("Marchbanks^Tobias^John").person("Peters^Anna").person("Inman^Vera");
    let known = builder.build().expect("few values");
    for text in ["T.M.", "M.T.", "T. J. M.", "TM 17.05.2024", "12MAY2024 TJM", "TM Fri 17"] {
        assert_eq!(left(&known, &format!("CT head {text}")), "CT head", "{text}");
    }
    for text in ["TM joint", "A.P. view", "A.P. and lateral", "I.V. contrast", "CT TM"] {
        assert_eq!(left(&known, text), text);
    }
}

#[test]
fn how_old_somebody_is_goes_in_whatever_form_and_measures_stay() {
    let mut builder = KnownBuilder::new();
    [93, 94, 95, 1930].into_iter().for_each(|number| _ = builder.old(number));
    let known = builder.build().expect("few values");
    for text in [
        "Pat. 94 J",
        "94 j m",
        "94w",
        "w 94",
        "94jr",
        "M94Y",
        "F94",
        "age94",
        "94y3m",
        "woman of 94",
        "95th year of life",
        "94. Geburtstag",
        "né en 1930",
        "f. 1930",
        "(1930)",
        "MRT 094Y",
    ] {
        let left = left(&known, text);
        assert!(!left.contains("94") && !left.contains("95") && !left.contains("1930"), "{text}");
    }
    for text in ["94 mm", "94%", "dose 94 mGy", "1.94 mm", "94.5 kV", "b1000", "T2 193"] {
        assert_eq!(left(&known, text), text);
    }
    // Of somebody of whom an age may be told, numbers are numbers.
    assert_eq!(left(&Known::nothing(), "slice 94 of 195"), "slice 94 of 195");
}
