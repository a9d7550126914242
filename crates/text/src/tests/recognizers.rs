use crate::{Cleaner, Kind, Known};

/// The first finding of a text: the piece and the rule.
fn first(text: &str) -> Option<(String, &'static str)> {
    let found = Cleaner::new(&[]).find(&Known::nothing(), text);
    found.first().map(|f| (text[f.range.clone()].to_owned(), f.rule))
}

#[test]
fn every_recognizer_finds_the_whole_of_its_kind() {
    let cases = [
        ("on 2021-07-12 10:23:45.12 CT", "2021-07-12 10:23:45.12", "numeric-date"),
        ("x 12/07/2021, CT", "12/07/2021", "numeric-date"),
        ("12 07 2021", "12 07 2021", "numeric-date"),
        ("31/02/1987", "31/02/1987", "numeric-date"),
        ("12. 7. 2021", "12. 7. 2021", "numeric-date"),
        ("2021/07", "2021/07", "numeric-month"),
        ("12JUL2021", "12JUL2021", "day-month-year"),
        ("12 de julho de 2021", "12 de julho de 2021", "day-month-year"),
        ("July 12th, 2021", "July 12th, 2021", "month-day-year"),
        ("July 12", "July 12", "month-day"),
        ("12. Juli", "12. Juli", "day-month"),
        ("Sept 2021", "Sept 2021", "month-year"),
        ("20210712", "20210712", "compact-date"),
        ("20210712103000", "20210712103000", "compact-date"),
        ("2021年7月12日10時30分", "2021年7月12日10時30分", "eastern-date"),
        ("7月12日", "7月12日", "eastern-month-day"),
        ("平成30年5月6日", "平成30年5月6日", "eastern-date"),
        ("2021년 7월 12일", "2021년 7월 12일", "eastern-date"),
        ("二〇二一年七月", "二〇二一年七月", "han-date"),
        ("H30.5.6", "H30.5.6", "japanese-era-date"),
        ("92 y/o", "92 y/o", "age-over-89"),
        ("年龄 93", "93", "age-over-89"),
        ("94歳", "94歳", "age-over-89"),
        ("tel 555 0199", "555 0199", "telephone-cue"),
        ("+81 90 1234 5678", "+81 90 1234 5678", "telephone-shape"),
        ("090-1234-5678", "090-1234-5678", "telephone-shape"),
        ("06 12 34 56 78", "06 12 34 56 78", "telephone-shape"),
        ("a.b-c@example.co.uk,", "a.b-c@example.co.uk", "email"),
        ("(https://example.org/a?b=c)", "https://example.org/a?b=c", "url"),
        ("pacs1 host.example.org", "host.example.org", "host-name"),
        ("172.16.40.7", "172.16.40.7", "ipv4"),
        ("2001:db8::8a2e:370:7334", "2001:db8::8a2e:370:7334", "ipv6"),
        ("00-1A-2B-3C-4D-5E", "00-1A-2B-3C-4D-5E", "mac-address"),
        ("1.3.12.2.1107.5.2.32.35162", "1.3.12.2.1107.5.2.32.35162", "uid"),
        ("219-09-9999", "219-09-9999", "us-ssn"),
        ("943 476 5919", "943 476 5919", "uk-nhs"),
        ("9434765919", "9434765919", "uk-nhs"),
        ("11010519491231002X", "11010519491231002X", "cn-resident-identity"),
        ("900101-1234568", "900101-1234568", "kr-rrn"),
        ("1234 5678 9018", "1234 5678 9018", "jp-my-number"),
        ("A123456(3)", "A123456(3)", "hk-identity-card"),
        ("S1234567D", "S1234567D", "sg-nric"),
        ("86095742719", "86095742719", "de-steuer-id"),
        ("255081416802538", "255081416802538", "fr-nir"),
        ("12345678Z", "12345678Z", "es-dni"),
        ("X1234567L", "X1234567L", "es-dni"),
        ("501442600", "501442600", "pt-nif"),
        ("529.982.247-25", "529.982.247-25", "br-cpf"),
        ("4111 1111 1111 1111", "4111 1111 1111 1111", "credit-card-luhn"),
        ("passport: X1234567", "X1234567", "passport-cue"),
        ("MRN0621936", "MRN0621936", "letters-and-digits"),
        ("MRN AB-12", "AB-12", "record-cue"),
        ("病历号 0042", "0042", "record-cue"),
        ("visit 12345", "12345", "number-cue"),
        ("AB12345", "AB12345", "letters-and-digits"),
        ("1234567", "1234567", "digit-run"),
        ("12-3456-789", "12-3456-789", "grouped-digits"),
        ("45 Oak Avenue", "45 Oak Avenue", "street"),
        ("Musterstr. 5a, 10115 Berlin", "Musterstr. 5a, 10115 Berlin", "german-street"),
        ("朝阳路88号", "朝阳路88号", "eastern-street"),
        ("SW1 2AA", "SW1 2AA", "uk-postcode"),
        ("PLZ 10115", "10115", "postcode-cue"),
    ];
    for (text, piece, rule) in cases {
        assert_eq!(first(text), Some((piece.to_owned(), rule)), "{text}");
    }
}

#[test]
fn what_only_looks_alike_is_left() {
    let near = [
        "1.5T",
        "3/4",
        "L4/5",
        "T2 2.0",
        "5/12 slices",
        "512x512",
        "TE 2.46",
        "VB17A",
        "B30f",
        "10.0.19",
        "13/32/21",
        "v1.2.10",
        "version 4.12.21",
        "TR/TE 2000/12",
        "32 July",
        "MAR 3",
        "OCT 5",
        "may 5 mm",
        "3年後",
        "2週間",
        "45歳",
        "89 y/o",
        "90 mm",
        "95 kg",
        "12345",
        "0.9765625",
        "4.99999999",
        "TE 30 60 90 120",
        "512 512 100",
        "400-1000",
        "2019-2020",
        "10-20-40-60",
        "b500b1000",
        "TR2000TE30",
        "IM0001",
        "1000000 counts",
        "300000 ms",
        "10:23:45",
        "ACR::BIRADS",
        "2.6.1.0",
        "version 1.2.3.4",
        "1.2.840.10008.5.1.4.1.1.2",
        "a@",
        "C: drive",
        "www",
        "3 Vessel runoff",
        "2 head ct",
        "L4 5MM",
        "MRN",
        "ID",
        "acc 2",
        "series no 5",
        "ext rotation",
        "call back",
        "C1234",
        "Definium 8000",
        "120kV",
        "C2-C7",
    ];
    for text in near {
        assert_eq!(first(text), None, "{text}");
    }
}

#[test]
fn a_wrong_check_digit_changes_the_kind_only() {
    for (right, wrong) in [
        ("9434765919", "9434765918"),
        ("11010519491231002X", "110105194912310021"),
        ("S1234567D", "S1234567E"),
        ("12345678Z", "12345678A"),
        ("501442600", "501442601"),
        ("4111111111111111", "4111111111111112"),
    ] {
        let kind =
            |text: &str| Cleaner::new(&[]).find(&Known::nothing(), text).first().map(|f| f.kind);
        let certain = kind(right);
        assert!(
            matches!(certain, Some(Kind::NationalIdentifier | Kind::CreditCard)),
            "{right}: {certain:?}"
        );
        assert_eq!(kind(wrong), Some(Kind::RecordNumber), "{wrong}");
    }
}

#[test]
fn a_text_over_the_limit_goes_whole() {
    let (cleaner, known) = (Cleaner::new(&[]), Known::nothing());
    let long = "knee ".repeat((16 << 20) / 5 + 1);
    let cleaned = cleaner.clean(&known, &long);
    assert_eq!(cleaned.text, "");
    assert_eq!(cleaned.findings.len(), 1);
    assert_eq!(cleaned.findings[0].rule, "too-long");
}
