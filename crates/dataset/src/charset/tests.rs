use super::*;
use proptest::prelude::*;

fn sets(value: &str) -> CharacterSets {
    CharacterSets::parse(value.as_bytes()).unwrap()
}

/// Declared, bytes, text: from PS3.5 Annexes H to K, and one name in each single-byte set.
const STANDARD: &[(&str, &[u8], &str)] = &[
    (
        "\\ISO 2022 IR 87",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ),
    (
        "ISO 2022 IR 13\\ISO 2022 IR 87",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    ),
    (
        "\\ISO 2022 IR 149",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        "Hong^Gildong=洪^吉洞=홍^길동",
    ),
    (
        "\\ISO 2022 IR 58",
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
        "Zhang^XiaoDong=张^小东=",
    ),
    (
        "\\ISO 2022 IR 58",
        b"1. \x1b$)A\xb5\xda\xd2\xbb\xd0\xd0.\r\n2. \x1b$)A\xb5\xda\xb6\xfe\xd0\xd0.\r\n",
        "1. 第一行.\r\n2. 第二行.\r\n",
    ),
    ("ISO_IR 192", "Wang^XiaoDong=王^小東=".as_bytes(), "Wang^XiaoDong=王^小東="),
    ("GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
    ("GBK", b"\xcd\xf5^\x8a\x5c", "王^奬"),
    ("GB18030", b"\x81\x39\xee\x39", "\u{3400}"),
    ("ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
    ("ISO_IR 100", b"\xc4neas^R\xfcdiger", "Äneas^Rüdiger"),
    ("ISO_IR 101", b"Dvo\xf8\xe1k", "Dvořák"),
    ("ISO_IR 109", b"\xa6a\xa1", "ĤaĦ"),
    ("ISO_IR 110", b"K\xe0rlis", "Kārlis"),
    ("ISO_IR 144", b"\xbb\xee\xda", "Люк"),
    ("ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"),
    ("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
    ("ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"),
    ("ISO_IR 148", b"\xde\xfd\xf0", "Şığ"),
    ("ISO_IR 203", b"\xbc\xa4", "Œ€"),
    ("ISO_IR 166", b"\xb9\xd2\xc2", "นาย"),
    ("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
    ("\\ISO 2022 IR 159", b"\x1b$(D0!\x1b(B", "丂"),
    (
        "ISO 2022 IR 100\\ISO 2022 IR 144",
        b"M\xfcller \x1b-L\xbb\xee\xda\x1b-A^M\xfcller",
        "Müller Люк^Müller",
    ),
];

#[test]
fn the_examples_of_the_standard_are_read_and_written() {
    for (declared, bytes, text) in STANDARD {
        let sets = sets(declared);
        assert_eq!(sets.decode(bytes).unwrap(), *text, "{declared}");
        assert_eq!(sets.encode(text).unwrap(), *bytes, "{declared}");
        assert_eq!(sets.term(), Some(*declared));
    }
}

#[test]
fn what_senders_write_otherwise_is_read() {
    let table: &[(&str, &[u8], &str)] = &[
        // Back to JIS X 0201 without declaring it; the edition of 1978; no return at the line end.
        ("\\ISO 2022 IR 87", b"\x1b$B;3\x1b(J^A", "山^A"),
        ("\\ISO 2022 IR 87", b"\x1b$@;3\x1b(BA", "山A"),
        ("\\ISO 2022 IR 87", b"\x1b$B;3\r\nA", "山\r\nA"),
        ("\\ISO 2022 IR 87", b"\x1b$B;3 ED\x1b(B", "山 田"),
        // A two-byte set as the first and only value.
        ("ISO 2022 IR 149", b"\x1b$)C\xc8\xab", "홍"),
        ("ISO 2022 IR 100", b"M\xfcller", "Müller"),
        ("ISO IR 100", b"M\xfcller", "Müller"),
        ("iso_ir 192", "é".as_bytes(), "é"),
        ("ISO_IR 100\\ISO 2022 IR 87", b"M\xfc \x1b$B;3\x1b(B", "Mü 山"),
        // Further values beside a set that takes none.
        ("ISO_IR 192\\ISO 2022 IR 87", "山".as_bytes(), "山"),
    ];
    for (declared, bytes, text) in table {
        assert_eq!(sets(declared).decode(bytes).unwrap(), *text, "{declared}");
    }
}

#[test]
fn terms_are_said_in_the_words_of_the_standard() {
    for (declared, term) in [
        ("", ""),
        ("ISO_IR 6", ""),
        ("ISO 2022 IR 6", "ISO 2022 IR 6"),
        ("iso-ir 100", "ISO_IR 100"),
        ("ISO_IR 100\\ISO 2022 IR 87", "ISO 2022 IR 100\\ISO 2022 IR 87"),
        ("ISO2022 IR 13\\ISO2022 IR 87", "ISO 2022 IR 13\\ISO 2022 IR 87"),
        ("\\ISO 2022 IR 87 ", "\\ISO 2022 IR 87"),
        ("ISO_IR 192\\ISO 2022 IR 87", "ISO_IR 192"),
    ] {
        assert_eq!(sets(declared).term(), Some(term), "{declared}");
    }
    assert_eq!(sets(""), CharacterSets::DEFAULT);
    assert_eq!(sets("ISO_IR 192"), CharacterSets::UTF8);
    for unknown in ["KLINGON", "ISO_IR 87", "ISO 2022 IR 192", "ISO 2022 IR 6\\ISO_IR 192"] {
        assert_eq!(CharacterSets::parse(unknown.as_bytes()), Err(CharsetError::UnknownTerm));
    }
}

#[test]
fn bytes_outside_the_declared_sets_are_refused() {
    let table: &[(&str, &[u8])] = &[
        ("", b"M\xfcller"),
        ("", b"\x1b$B;3\x1b(B"),
        ("ISO_IR 100", b"\x1b$B;3\x1b(B"),
        ("\\ISO 2022 IR 149", b"\x1b$B;3\x1b(B"),
        ("\\ISO 2022 IR 87", b"\x1b$)C\xc8\xab"),
        ("\\ISO 2022 IR 87", b"\x1b$B;\x1b(B"),
        ("\\ISO 2022 IR 87", b"\x1b"),
        ("\\ISO 2022 IR 87", b"\x1b$B;3\xfc"),
        ("\\ISO 2022 IR 149", b"\x1b$)C\xc8"),
        ("\\ISO 2022 IR 149", b"\x1b$)C\x81\x81"),
        ("ISO_IR 13", b"\x8e\x52"),
        ("ISO_IR 192", b"M\xfcller"),
        ("GB18030", b"\x80"),
        ("GBK", b"\x81\x39\xee\x39"),
        ("GBK", b"\xcd"),
    ];
    for (declared, bytes) in table {
        assert_eq!(sets(declared).decode(bytes), Err(CharsetError::Undecodable), "{declared}");
    }
}

#[test]
fn single_byte_sets_hold_no_c1() {
    for row in REPERTOIRES.iter().filter(|row| row.alone && row.number != "6") {
        let sets = sets(&format!("ISO_IR {}", row.number));
        for byte in 0x80..0xa0u8 {
            assert!(sets.decode(&[b'a', byte]).is_err(), "IR {} {byte:x}", row.number);
            assert!(sets.encode(&char::from(byte).to_string()).is_none());
        }
        // Where windows-1254 and windows-874 have the euro, TIS 620 and Latin-5 have C1.
        let euro = matches!(row.number, "126" | "203");
        assert_eq!(sets.encode("€").is_some(), euro, "IR {}", row.number);
    }
}

#[test]
fn what_cannot_be_represented_is_refused() {
    for (declared, text) in [
        ("", "é"),
        ("", "a\x1b"),
        ("ISO_IR 192", "\x1b(B"),
        ("ISO_IR 100", "Люк"),
        ("ISO_IR 144", "é"),
        ("\\ISO 2022 IR 87", "홍"),
        ("\\ISO 2022 IR 149", "é"),
        ("\\ISO 2022 IR 58", "奬"),
        ("\\ISO 2022 IR 58", "ⅰ"),
        ("\\ISO 2022 IR 100", "山"),
        ("GBK", "\u{3400}"),
        // Yen and overline have no place of their own: 5C and 7E are backslash and tilde.
        ("ISO_IR 13", "¥"),
        ("ISO_IR 13", "‾"),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", "¥"),
    ] {
        assert_eq!(sets(declared).encode(text), None, "{declared} {text}");
    }
}

#[test]
fn every_character_of_every_set_comes_back() {
    let count = |declared: &str| {
        let sets = sets(declared);
        let all = ('\u{80}'..='\u{2ffff}').filter(|c| {
            let text = c.to_string();
            let encoded = sets.encode(&text);
            if let Some(bytes) = &encoded {
                assert_eq!(sets.decode(bytes).unwrap(), text, "{declared} {c}");
            }
            encoded.is_some()
        });
        all.count()
    };
    for (declared, characters) in [
        ("ISO_IR 13", 63),
        ("ISO_IR 100", 96),
        ("ISO_IR 101", 96),
        ("ISO_IR 109", 89),
        ("ISO_IR 110", 96),
        ("ISO_IR 144", 96),
        ("ISO_IR 127", 51),
        ("ISO_IR 126", 93),
        ("ISO_IR 138", 60),
        ("ISO_IR 148", 96),
        ("ISO_IR 203", 96),
        ("ISO_IR 166", 88),
        ("\\ISO 2022 IR 58", 7445),
        ("\\ISO 2022 IR 159", 6067),
    ] {
        assert_eq!(count(declared), characters, "{declared}");
    }
    for (declared, least) in
        [("\\ISO 2022 IR 87", 6879), ("\\ISO 2022 IR 149", 8226), ("GB18030", 190_000)]
    {
        assert!(count(declared) >= least, "{declared}: {}", count(declared));
    }
}

/// Texts of the languages that PS3.5's annexes H to K have examples of, under what declares them.
const WRITTEN: &[(&str, &[&str])] = &[
    ("", &["Adams^John Robert Quincy", "CT chest"]),
    ("ISO_IR 100", &["Äneas^Rüdiger", "Buc^Jérôme", "37 °C"]),
    ("ISO_IR 101", &["Wałęsa", "Dvořák^Jiří"]),
    ("ISO_IR 126", &["Διονυσιος"]),
    ("ISO_IR 127", &["قباني^لنزار"]),
    ("ISO_IR 138", &["שרון^דבורה"]),
    ("ISO_IR 144", &["Люкceмбypг"]),
    ("ISO_IR 166", &["สมชาย"]),
    ("ISO_IR 192", &["Wang^XiaoDong=王^小東", "Yamada^Tarou=山田^太郎=やまだ^たろう"]),
    ("GB18030", &["Wang^XiaoDong=王^小东", "㐀𠀀"]),
    ("\\ISO 2022 IR 87", &["Yamada^Tarou=山田^太郎=やまだ^たろう", "胸部\r\n所見"]),
    ("ISO 2022 IR 13\\ISO 2022 IR 87", &["ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"]),
    ("\\ISO 2022 IR 149", &["Hong^Gildong=洪^吉洞=홍^길동"]),
    ("\\ISO 2022 IR 58", &["Zhang^XiaoDong=张^小东"]),
    ("ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126", &["Buc^Jérôme\\Люк\\Διον"]),
];

#[test]
fn texts_are_written_and_read_again_in_every_set() {
    for (declared, texts) in WRITTEN {
        let sets = CharacterSets::parse(declared.as_bytes()).unwrap();
        for text in *texts {
            let written = sets.encode(text).unwrap_or_else(|| panic!("{declared}: {text}"));
            assert_eq!(sets.decode(&written).unwrap(), *text, "{declared}");
        }
    }
}

/// Values of an instance, and the term of the set that they are in; `-` where none is declared.
const EVIDENCE: &[(&[&[u8]], Option<&str>)] = &[
    (&[], Some("")),
    (&[b"Doe^Jo", b"CT chest"], Some("")),
    (&["Müller^Jörgen".as_bytes()], Some("ISO_IR 192")),
    (&["诸葛^明月".as_bytes(), b"t2"], Some("ISO_IR 192")),
    (&["小早川^静香".as_bytes(), b"M\xfcller"], None),
    (&[b"\xd6\xee\xb8\xf0^\xc3\xf7\xd4\xc2"], Some("GB18030")),
    (&[b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab"], Some("GB18030")),
    // A surname of two characters that GBK added.
    (&[b"\xcd\xf5^\xd0\xa1\xb6\xab\x86\xb4"], Some("GB18030")),
    // Hong Gildong in EUC-KR without escapes.
    (&[b"Hong^Gildong==\xc8\xab^\xb1\xe6\xb5\xbf"], Some("-")),
    // Yamada Tarou in Shift JIS, with its reading.
    (&[b"\x8e\x52\x93\x63^\x91\xbe\x98\x59=\x82\xe2\x82\xdc\x82\xbe"], Some("-")),
    // The same without: windows-1252 could be it, too.
    (&[b"\x8e\x52\x93\x63"], None),
    // Half-width katakana alone are anything.
    (&[b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"], None),
    (&[b"Gr\xfcnew\xe4ldt^J\xf6rgen"], Some("ISO_IR 100")),
    (&[b"\xc5se", b"37 \xb0C"], Some("ISO_IR 100")),
    (&[b"37 \xb0C"], None),
    (&[b"it\x92s"], None),
    // Greek, Russian in single bytes; EUC-JP.
    (&[b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2"], None),
    (&[b"\xbb\xee\xda\xe1\xd5\xdc"], None),
    (&[b"\xbb\xb3\xc5\xc4=\xa4\xe4\xa4\xde\xa4\xc0"], None),
    // One character decides nothing.
    (&[b"\xcd\xf5"], None),
    // Chinese that is valid UTF-8 by chance.
    (&[b"\xd0\xbb^\xd3\xa2"], None),
    (&["É^Ñ".as_bytes()], Some("ISO_IR 192")),
    (&[b"\x1b$B;3ED\x1b(B", b"M"], Some("\\ISO 2022 IR 87")),
    (&[b"\x1b$B;3ED\x1b(B^\x1b$(D0!\x1b(B"], Some("\\ISO 2022 IR 87\\ISO 2022 IR 159")),
    (&[b"\xd4\xcf\xc0\xde=\x1b$B;3ED\x1b(J"], Some("ISO 2022 IR 13\\ISO 2022 IR 87")),
    (&[b"\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"], Some("\\ISO 2022 IR 149")),
    (&[b"\x1b$)A\xd5\xc5"], Some("\\ISO 2022 IR 58")),
    (&[b"\x1b-L\xbb\xee\xda"], Some("\\ISO 2022 IR 144")),
    (&[b"\x1b(BA"], Some("ISO 2022 IR 6")),
    (&[b"\x1b(JA"], Some("ISO 2022 IR 13")),
    (&[b"\x1b$)C\xc8\xab", b"\xc8\xab"], None),
    (&[b"\x1b$)C\xc8\xab", "é".as_bytes()], None),
    (&[b"\x1bZ"], None),
];

#[test]
fn evidence_decides_or_not() {
    for (values, term) in EVIDENCE {
        let found = CharacterSets::evidence(&mut values.iter().copied());
        let found = found.as_ref().map(|sets| sets.term().unwrap_or("-"));
        assert_eq!(found, *term, "{values:x?}");
    }
}

#[test]
fn sets_found_by_evidence_read_and_write() {
    for (bytes, text) in [
        (&b"Hong^Gildong==\xc8\xab^\xb1\xe6\xb5\xbf"[..], "Hong^Gildong==홍^길동"),
        (b"\x8e\x52\x93\x63^\x91\xbe\x98\x59=\x82\xe2\x82\xdc\x82\xbe", "山田^太郎=やまだ"),
    ] {
        let sets = CharacterSets::evidence(&mut [bytes].into_iter()).unwrap();
        assert_eq!(sets.decode(bytes).unwrap(), text);
        assert_eq!(sets.encode(text).unwrap(), bytes);
        assert_eq!(CharacterSets::UTF8.encode(text).unwrap(), text.as_bytes());
    }
}

const DECLARED: &[&str] = &[
    "",
    "ISO_IR 100",
    "ISO_IR 144",
    "ISO_IR 13",
    "ISO_IR 192",
    "GB18030",
    "GBK",
    "\\ISO 2022 IR 87",
    "\\ISO 2022 IR 87\\ISO 2022 IR 159",
    "ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159",
    "\\ISO 2022 IR 149",
    "\\ISO 2022 IR 58",
    "ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126\\ISO 2022 IR 149\\ISO 2022 IR 87",
];

proptest! {
    #[test]
    fn text_comes_back(
        which in 0..DECLARED.len(),
        text in "[ -~\\\\^=\r\né-üА-яα-ω山田太郎丂홍길동王小东ﾔﾏﾀやまだ]{0,24}",
    ) {
        let sets = sets(DECLARED[which]);
        let all = text.chars().all(|c| sets.encode(&c.to_string()).is_some());
        let encoded = sets.encode(&text);
        prop_assert_eq!(encoded.is_some(), all);
        if let Some(bytes) = encoded {
            prop_assert_eq!(sets.decode(&bytes).unwrap(), text.as_str());
            // Every line, value and component stands on its own.
            if !matches!(sets.term(), Some("GB18030" | "GBK")) && !bytes.windows(2).any(|w| w == b"$B") {
                for (part, of) in bytes.split(|b| *b == b'^').zip(text.split('^')) {
                    prop_assert_eq!(sets.decode(part).unwrap(), of);
                }
            }
        }
    }

    #[test]
    fn what_is_read_can_be_written(which in 0..DECLARED.len(), bytes: Vec<u8>) {
        let sets = sets(DECLARED[which]);
        if let Ok(text) = sets.decode(&bytes)
            && let Some(written) = sets.encode(&text)
        {
            prop_assert_eq!(sets.decode(&written).unwrap(), text);
        }
        let _ = CharacterSets::evidence(&mut [&bytes[..]].into_iter());
    }

    #[test]
    fn declared_values_are_found_again_by_evidence(
        text in "[A-Z][a-z]{2,6}=[山田太郎]{1,3}",
    ) {
        for (declared, found) in [
            ("\\ISO 2022 IR 87", Some("\\ISO 2022 IR 87")),
            ("ISO_IR 192", Some("ISO_IR 192")),
        ] {
            let bytes = sets(declared).encode(&text).unwrap();
            let evidence = CharacterSets::evidence(&mut [&bytes[..]].into_iter()).unwrap();
            prop_assert_eq!(evidence.term(), found);
            prop_assert_eq!(evidence.decode(&bytes).unwrap(), text.as_str());
        }
    }
}

/// JIS X 0212-1990 has 6,067 characters (245 signs and letters, 5,801 kanji, and 21 in row 2).
#[test]
fn every_character_of_jis_x_0212_is_written_as_it_is_read() {
    let set = repertoire::Set::Jis0212;
    let codes = (0x21..=0x7e_u8).flat_map(|row| (0x21..=0x7e_u8).map(move |column| [row, column]));
    let mut count = 0;
    for code in codes {
        let mut text = String::new();
        if set.decode(&code, &mut text).is_none() {
            continue;
        }
        let mut characters = text.chars();
        let (Some(c), None) = (characters.next(), characters.next()) else { panic!("{code:?}") };
        assert_eq!(set.code(c).unwrap().as_slice(), code, "{c}");
        count += 1;
    }
    assert_eq!(count, 6067);
}
