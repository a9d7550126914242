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
