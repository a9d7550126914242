use super::*;
use crate::Charset;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write;

fn planted(kind: PlantedKind, value: &str, charset: Charset) -> Planted {
    Planted { kind, value: value.to_owned(), encoded: charset.encode(value) }
}

fn key() -> Vec<Planted> {
    use PlantedKind as K;
    vec![
        planted(K::PersonName, "Grünewäldt^Philippa^Jane Araminta", Charset::Latin1),
        planted(K::PersonName, "Zhuge^Mingyue=诸葛^明月", Charset::Gb18030),
        planted(K::PersonName, "Kobayakawa^Rei=小早川^静香=こばやかわ^しずか", Charset::Iso2022Jp),
        planted(K::PersonName, "Hwangbo^Seo=皇甫^瑞英=황보^서영", Charset::Iso2022Kr),
        planted(K::PatientId, "MRN07437410", Charset::Latin1),
        planted(K::Date, "19310912", Charset::Latin1),
        planted(K::Phone, "0161 496 0123", Charset::Latin1),
        planted(K::Uid, "1.3.6.1.4.1.58999.1.7437410", Charset::Latin1),
        planted(K::Address, "14 Larkspur Mews, Ashcombe", Charset::Latin1),
    ]
}

fn hunter(min_form: usize) -> Hunter {
    Hunter::new(&key(), min_form).unwrap()
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

/// Every form and encoding, and what the hunter must call it.
fn finds() -> Vec<(Vec<u8>, Form, Encoding)> {
    let utf8 = |text: &str| text.as_bytes().to_vec();
    vec![
        (utf8("Grünewäldt^Philippa^Jane Araminta"), Form::Whole, Encoding::Utf8),
        (utf8("GRÜNEWÄLDT"), Form::Part, Encoding::Utf8),
        (utf8("Grunewaldt"), Form::Part, Encoding::Utf8),
        (b"gr\xfcnew\xe4ldt".to_vec(), Form::Part, Encoding::Latin1),
        (utf8("pHiLiPPa"), Form::Part, Encoding::Utf8),
        (utf8("Jane"), Form::Part, Encoding::Utf8),
        (utf8("Philippa Grünewäldt"), Form::Order, Encoding::Utf8),
        (utf8("Grünewäldt, Philippa"), Form::Order, Encoding::Utf8),
        (utf8("philippagrunewaldt"), Form::Order, Encoding::Utf8),
        (utf16("Philippa", false), Form::Part, Encoding::Utf16Le),
        (utf16("Philippa", true), Form::Part, Encoding::Utf16Be),
        (utf8("诸葛"), Form::Part, Encoding::Utf8),
        (Charset::Gb18030.encode("诸葛"), Form::Part, Encoding::Gb18030),
        (Charset::Gb18030.encode("诸葛明月"), Form::Order, Encoding::Gb18030),
        (Charset::Iso2022Jp.encode("小早川"), Form::Part, Encoding::Jis),
        (Charset::Iso2022Jp.encode("静香"), Form::Part, Encoding::Jis),
        (Charset::Iso2022Kr.encode("황보"), Form::Part, Encoding::KsX),
        (utf16("小早川", false), Form::Part, Encoding::Utf16Le),
        (Charset::Gb18030.encode("Zhuge^Mingyue=诸葛^明月"), Form::Whole, Encoding::Gb18030),
        (utf8("MRN07437410"), Form::Whole, Encoding::Utf8),
        (utf8("record 07437410."), Form::Digits, Encoding::Utf8),
        (utf8("19310912"), Form::Whole, Encoding::Utf8),
        (utf8("1931-09-12"), Form::Date, Encoding::Utf8),
        (utf8("1931.09.12"), Form::Date, Encoding::Utf8),
        (utf8("12.09.1931"), Form::Date, Encoding::Utf8),
        (utf8("12/09/1931"), Form::Date, Encoding::Utf8),
        (utf8("09/12/1931"), Form::Date, Encoding::Utf8),
        (utf8("12 September 1931"), Form::Date, Encoding::Utf8),
        (utf8("SEP 12, 1931"), Form::Date, Encoding::Utf8),
        (utf8("1931年9月12日"), Form::Date, Encoding::Utf8),
        (utf16("12.09.1931", true), Form::Date, Encoding::Utf16Be),
        (utf8("0161 496 0123"), Form::Whole, Encoding::Utf8),
        (utf8("01614960123"), Form::Digits, Encoding::Utf8),
        (utf8("0161-496-0123"), Form::Order, Encoding::Utf8),
        (utf8("1.3.6.1.4.1.58999.1.7437410"), Form::Whole, Encoding::Utf8),
        (utf8("14 Larkspur Mews"), Form::Part, Encoding::Utf8),
    ]
}

fn has(report: &HuntReport, form: Form, encoding: Encoding, layer: Layer) -> bool {
    report.hits.iter().any(|h| h.form == form && h.encoding == encoding && h.layer == layer)
}

#[test]
fn every_form_and_encoding_is_found_in_a_folder() {
    let hunter = hunter(TEXT_MIN_FORM);
    for (i, (bytes, form, encoding)) in finds().into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let content = [b"\x00\xffclean before ".as_slice(), &bytes, b" clean after"].concat();
        std::fs::write(inner.join("c.bin"), &content).unwrap();
        let report = hunter.hunt_folder(folder.path()).unwrap();
        assert_eq!((report.files, report.bytes), (1, content.len() as u64));
        assert!(has(&report, form, encoding, Layer::Content), "form {i}");
        assert!(report.hits.iter().all(|hit| hit.path == "a/b/c.bin"), "form {i}");
        std::fs::write(inner.join("c.bin"), b"clean before and after").unwrap();
        assert!(hunter.hunt_folder(folder.path()).unwrap().is_clean(), "form {i}");
    }
}

#[test]
fn what_deflate_hides_is_found() {
    let secret = b"some text with Philippa in it".repeat(3);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&secret).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&secret).unwrap();
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
    raw.write_all(&secret).unwrap();
    let raw = raw.finish().unwrap();
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM\x02\x00\x00\x00UL\x04\x00");
    let element = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99";
    dicom.extend((element.len() as u32).to_le_bytes());
    dicom.extend(element);
    dicom.extend(&raw);
    let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
    zip.extend([0; 16]);
    zip.extend([1, 0, 0, 0]);
    zip.push(b'x');
    zip.extend(&raw);
    let files = [gzip.finish().unwrap(), zlib.finish().unwrap(), dicom, zip];
    for (i, bytes) in files.iter().enumerate() {
        let report = hunter(TEXT_MIN_FORM).hunt_bytes(bytes).unwrap();
        assert!(has(&report, Form::Part, Encoding::Utf8, Layer::Inflated), "file {i}");
        assert_eq!(report.inflated_bytes, secret.len() as u64, "file {i}");
        assert!(report.hits.iter().all(|hit| hit.layer == Layer::Inflated), "file {i}");
    }
}

#[test]
fn compressed_bytes_are_searched_for_long_forms_only() {
    let packed = |word: &[u8]| {
        let mut bytes = vec![0; 128];
        bytes.extend(b"DICM\x02\x00\x00\x00UL\x04\x00\x1e\x00\x00\x00");
        bytes.extend(b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99");
        bytes.extend([0xff; 100]);
        bytes.extend(word);
        bytes
    };
    let hunter = hunter(TEXT_MIN_FORM);
    assert!(hunter.hunt_bytes(&packed(b"Zhuge")).unwrap().is_clean());
    assert!(!hunter.hunt_bytes(&packed(b"Philippa")).unwrap().is_clean());
    let mut clear = packed(b"");
    clear[60..65].copy_from_slice(b"Zhuge");
    assert!(!hunter.hunt_bytes(&clear).unwrap().is_clean());
}

#[test]
fn names_of_files_and_folders_are_searched() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("Grünewäldt")).unwrap();
    std::fs::write(folder.path().join("scan_19310912.dcm"), b"nothing").unwrap();
    let report = hunter(TEXT_MIN_FORM).hunt_folder(folder.path()).unwrap();
    assert!(has(&report, Form::Part, Encoding::Utf8, Layer::Name));
    assert!(has(&report, Form::Whole, Encoding::Utf8, Layer::Name));
    assert!(report.hits.iter().all(|hit| hit.layer == Layer::Name));
}

#[test]
fn values_across_window_borders_are_found_once() {
    let hunter = hunter(TEXT_MIN_FORM);
    for shift in [0, 1, 7, 8, 31, 40, 500] {
        let at = (1 << 20) - shift;
        let mut bytes = vec![b'.'; (2 << 20) + 100];
        bytes[at..at + 8].copy_from_slice(b"Philippa");
        let report = hunter.hunt_bytes(&bytes).unwrap();
        let offsets: Vec<u64> = report.hits.iter().map(|hit| hit.offset).collect();
        assert_eq!(offsets, [at as u64], "shift {shift}");
    }
}

#[test]
fn short_digits_inside_digests_and_uids_are_chance() {
    let hunter = hunter(TEXT_MIN_FORM);
    let chance = ["2.25.33333333319310912333333333333333", "abcdef0123193109120123456789abcdef"];
    for text in chance {
        assert!(hunter.hunt_bytes(text.as_bytes()).unwrap().is_clean(), "{text}");
    }
    for text in ["ACC193109120001", "1.2.3.19310912.4", "x19310912"] {
        assert!(!hunter.hunt_bytes(text.as_bytes()).unwrap().is_clean(), "{text}");
    }
}

#[test]
fn sealed_data_is_searched_for_long_forms_only() {
    let (text, sealed) = (hunter(TEXT_MIN_FORM), hunter(SEALED_MIN_FORM));
    assert!(text.forms() > sealed.forms());
    for (word, in_sealed) in [("Jane", false), ("Zhuge", false), ("Philippa", true)] {
        assert!(!text.hunt_bytes(word.as_bytes()).unwrap().is_clean(), "{word}");
        assert_eq!(!sealed.hunt_bytes(word.as_bytes()).unwrap().is_clean(), in_sealed, "{word}");
    }
}

#[test]
fn random_bytes_and_ordinary_words_are_clean() {
    let mut noise = vec![0; 4 << 20];
    crate::rng::Rng::new(1, "hunt").fill(&mut noise);
    assert!(hunter(SEALED_MIN_FORM).hunt_bytes(&noise).unwrap().is_clean());
    let words =
        b"Anonymous patient, male, chest study of unknown series 20160101, 1.2.840.10008.1.2";
    assert!(hunter(TEXT_MIN_FORM).hunt_bytes(words).unwrap().is_clean());
}

#[test]
fn too_common_parts_are_not_looked_for() {
    let key = [planted(PlantedKind::PersonName, "Patient^Ermintrude", Charset::Latin1)];
    let hunter = Hunter::new(&key, TEXT_MIN_FORM).unwrap();
    assert!(hunter.hunt_bytes(b"the patient is well").unwrap().is_clean());
    assert!(!hunter.hunt_bytes(b"Ermintrude").unwrap().is_clean());
    assert!(!hunter.hunt_bytes(b"Patient^Ermintrude").unwrap().is_clean());
}

#[test]
fn reports_hold_no_value_until_asked_and_are_bounded() {
    let hunter = hunter(TEXT_MIN_FORM);
    let report = hunter.hunt_bytes(&b"Philippa ".repeat(1500)).unwrap();
    assert_eq!(report.hits.len(), Hunter::HIT_LIMIT);
    assert_eq!(report.hits_left_out, 500);
    assert!(!format!("{report:?}").contains("Philippa"));
    assert_eq!(hunter.value(&report.hits[0]), "Philippa");
}

#[test]
fn a_folder_that_cannot_be_read_is_an_error() {
    let missing = std::path::Path::new("/nonexistent-folder-for-this-test");
    assert!(matches!(hunter(TEXT_MIN_FORM).hunt_folder(missing), Err(SynthError::Io { .. })));
}
