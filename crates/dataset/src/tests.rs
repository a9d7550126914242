mod odd;

use super::*;
use scanveil_model::ReasonCode;

const LE: Encoding = Encoding { explicit: true, big_endian: false };

fn file(syntax: &str, body: &[u8]) -> Vec<u8> {
    let mut out = file_meta("1.2.840.10008.5.1.4.1.1.2", "1.2.3", syntax);
    out.extend_from_slice(body);
    out
}

fn sample(encoding: Encoding, undefined: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut w = Writer::new(&mut out);
    w.element(tags::SOP_INSTANCE_UID, Vr::UI, b"1.2.3", encoding);
    w.element(tags::PATIENT_NAME, Vr::PN, b"Doe^Jo", encoding);
    let seq = w.open_sequence(Tag::new(0x10, 0x1002), Vr::SQ, undefined, encoding);
    let item = w.open_item(undefined, encoding);
    w.element(tags::PATIENT_ID, Vr::LO, b"77", encoding);
    w.close_item(&item);
    w.close_sequence(&seq);
    w.element(tags::ROWS, Vr::US, &[2, 0], encoding);
    w.head(tags::PIXEL_DATA, Vr::OW, 4, encoding);
    out.extend_from_slice(&[1, 2, 3, 4]);
    out
}

/// A reader that hands out one byte at a time: every cut is met.
struct Drip<'a>(&'a [u8]);
impl std::io::Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = usize::from(!self.0.is_empty() && !out.is_empty());
        out[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

#[test]
fn every_native_encoding_parses_alike() {
    for (uid, encoding) in [
        ("1.2.840.10008.1.2", Encoding::IMPLICIT_LITTLE),
        ("1.2.840.10008.1.2.1", LE),
        ("1.2.840.10008.1.2.2", Encoding { explicit: true, big_endian: true }),
    ] {
        for undefined in [false, true] {
            let bytes = file(uid, &sample(encoding, undefined));
            let (slice, body) = open_slice(&bytes, &Limits::default()).unwrap();
            assert_eq!(body.as_slice().unwrap(), [1, 2, 3, 4]);
            let (stream, mut rest) = open(Drip(&bytes), &Limits::default()).unwrap();
            let mut pixels = Vec::new();
            std::io::Read::read_to_end(&mut rest, &mut pixels).unwrap();
            assert_eq!(pixels, [1, 2, 3, 4]);
            for header in [&slice, &stream] {
                assert_eq!(header.data.text(tags::PATIENT_NAME), Some(&b"Doe^Jo"[..]));
                assert_eq!(header.data.elements().len(), 6);
                assert_eq!(header.data.path(4).0, "(0010,1002)[0](0010,0020)");
                assert_eq!(header.pixel.unwrap().length, Some(4));
            }
        }
    }
}

#[test]
fn long_headers_are_read_in_steps() {
    let mut body = Vec::new();
    let mut w = Writer::new(&mut body);
    w.element(tags::SOP_INSTANCE_UID, Vr::UI, b"1.2.3", LE);
    let seq = w.open_sequence(Tag::new(0x5200, 0x9230), Vr::SQ, true, LE);
    for _ in 0..3000 {
        let item = w.open_item(true, LE);
        w.element(Tag::new(0x20, 0x9056), Vr::SH, &[b'x'; 64], LE);
        w.close_item(&item);
    }
    w.close_sequence(&seq);
    w.element(Tag::new(0x5400, 0x1010), Vr::OB, &[7; 300_000], LE);
    w.head(tags::PIXEL_DATA, Vr::OW, 4, LE);
    body.extend_from_slice(&[1, 2, 3, 4]);
    let bytes = file(TransferSyntax::EXPLICIT_LITTLE, &body);
    let (slice, _) = open_slice(&bytes, &Limits::default()).unwrap();
    let (stream, _) = open(&bytes[..], &Limits::default()).unwrap();
    assert_eq!(slice.data.elements().len(), stream.data.elements().len());
    assert_eq!(slice.data.elements().len(), 2 + 6000 + 1);
    assert_eq!(stream.data.path(4).0, "(5200,9230)[1]");
}

#[test]
fn every_cut_is_truncated_or_still_whole() {
    let bytes = file(TransferSyntax::EXPLICIT_LITTLE, &sample(LE, true));
    let pixels_at = bytes.len() - 4;
    for cut in 140..pixels_at {
        // A cut at the end of an element looks whole: no pixel data was met.
        match open_slice(&bytes[..cut], &Limits::default()) {
            Ok((header, _)) => assert!(header.pixel.is_none()),
            Err(reason) => assert!(
                matches!(reason.code, ReasonCode::Truncated | ReasonCode::NotDicom),
                "{reason}"
            ),
        }
    }
}

#[test]
fn limits_hold() {
    let mut deep = Vec::new();
    for _ in 0..100 {
        deep.extend_from_slice(&[8, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xff, 0xff, 0xff, 0xff]);
        deep.extend_from_slice(&[0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff]);
    }
    let mut huge = vec![0x10, 0, 0x10, 0, b'U', b'T', 0, 0];
    huge.extend_from_slice(&0xffff_fff0u32.to_le_bytes());
    for (body, code) in [
        (deep, ReasonCode::LimitExceeded),
        (huge, ReasonCode::LimitExceeded),
        (vec![0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0], ReasonCode::Malformed),
    ] {
        let bytes = file(TransferSyntax::EXPLICIT_LITTLE, &body);
        let reason = open(&bytes[..], &Limits::default()).err().unwrap();
        assert_eq!(reason.code, code, "{reason}");
    }
}

#[test]
fn a_deflate_bomb_is_refused() {
    use std::io::Write;
    let mut body = Vec::new();
    Writer::new(&mut body).element(tags::SOP_INSTANCE_UID, Vr::UI, b"1.2.3", LE);
    Writer::new(&mut body).head(tags::PIXEL_DATA, Vr::OW, 64 << 20, LE);
    body.resize(64 << 20, 0);
    let mut enc = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    enc.write_all(&body).unwrap();
    let bytes = file("1.2.840.10008.1.2.1.99", &enc.finish().unwrap());
    let (header, mut rest) = open(&bytes[..], &Limits::default()).unwrap();
    assert_eq!(header.data.text(tags::SOP_INSTANCE_UID), Some(&b"1.2.3"[..]));
    let error = std::io::copy(&mut rest, &mut std::io::sink()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
}

#[test]
fn unknown_value_representations_hold_what_the_dictionary_says() {
    // Other Patient IDs Sequence as UN of defined length, its items implicit (PS3.5 6.2.2).
    let mut items = Vec::new();
    let mut w = Writer::new(&mut items);
    let item = w.open_item(false, Encoding::IMPLICIT_LITTLE);
    w.element(tags::PATIENT_ID, Vr::LO, b"77", Encoding::IMPLICIT_LITTLE);
    w.close_item(&item);
    let mut body = Vec::new();
    let mut w = Writer::new(&mut body);
    w.element(Tag::new(0x10, 0x1002), Vr::UN, &items, LE);
    w.element(tags::PATIENT_NAME, Vr::UN, b"Doe^Jo", LE);
    w.element(Tag::new(0x40, 0x275), Vr::UN, b"no items", LE);
    let bytes = file(TransferSyntax::EXPLICIT_LITTLE, &body);
    let (header, _) = open_slice(&bytes, &Limits::default()).unwrap();
    let list = header.data.elements();
    assert_eq!((list[0].kind, list[0].declared), (Kind::Sequence, Vr::UN));
    assert_eq!(header.data.value(&list[2]), b"77");
    assert_eq!((list[3].vr, list[3].declared), (Vr::PN, Vr::UN));
    assert_eq!((list[4].vr, list[4].kind), (Vr::UN, Kind::Leaf));
}

#[test]
fn files_without_meta_are_decided_by_evidence() {
    for encoding in [LE, Encoding::IMPLICIT_LITTLE] {
        let body = sample(encoding, false);
        let (header, _) = open_slice(&body, &Limits::default()).unwrap();
        assert_eq!(header.syntax.explicit, encoding.explicit);
    }
    for junk in [&b""[..], b"hello, this is no DICOM file at all", &[0; 200]] {
        assert_eq!(open_slice(junk, &Limits::default()).err().unwrap().code, ReasonCode::NotDicom);
    }
}

#[test]
fn peeking_finds_the_routing_uids() {
    let mut body = Vec::new();
    let mut w = Writer::new(&mut body);
    w.element(tags::SOP_CLASS_UID, Vr::UI, b"1.2.840.10008.5.1.4.1.1.2", LE);
    w.element(tags::SOP_INSTANCE_UID, Vr::UI, b"1.2.3", LE);
    w.element(tags::PATIENT_ID, Vr::LO, b"77 ", LE);
    w.element(tags::STUDY_INSTANCE_UID, Vr::UI, b"1.2.4", LE);
    w.element(tags::SERIES_INSTANCE_UID, Vr::UI, b"1.2.5", LE);
    w.head(tags::PIXEL_DATA, Vr::OW, 1 << 20, LE);
    let peeked = peek_part10(&file(TransferSyntax::EXPLICIT_LITTLE, &body)).unwrap();
    assert_eq!(peeked.study_instance_uid.unwrap().as_str(), "1.2.4");
    assert_eq!(peeked.series_instance_uid.unwrap().as_str(), "1.2.5");
    assert_eq!(peeked.patient_id.unwrap(), b"77");
    assert!(peek_part10(b"nothing").is_err());
}

#[test]
fn character_sets_decode() {
    let table: &[(&[u8], &[u8], &str)] = &[
        (b"", b"Doe^Jo", "Doe^Jo"),
        (b"ISO_IR 100", b"M\xfcller", "Müller"),
        (b"ISO_IR 192", "山田^太郎".as_bytes(), "山田^太郎"),
        (b"GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
        (
            b"\\ISO 2022 IR 87",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
            "Yamada^Tarou=山田^太郎",
        ),
        (
            b"\\ISO 2022 IR 149",
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7",
            "Hong^Gildong=洪^吉洞",
        ),
        (b"ISO 2022 IR 13\\ISO 2022 IR 87", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
        (b"ISO_IR 144", b"\xbb\xee\xda", "Люк"),
    ];
    for (declared, bytes, text) in table {
        let sets = CharacterSets::parse(declared).unwrap();
        assert_eq!(sets.decode(bytes).unwrap(), *text);
    }
    assert_eq!(CharacterSets::DEFAULT.decode(b"M\xfcller"), Err(CharsetError::Undecodable));
    assert_eq!(CharacterSets::parse(b"KLINGON"), Err(CharsetError::UnknownTerm));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(mut noise: Vec<u8>, at in 0usize..200, flip: u8) {
        let _ = open_slice(&noise, &Limits::default());
        let mut bytes = file(TransferSyntax::EXPLICIT_LITTLE, &sample(LE, true));
        let index = 132 + at % (bytes.len() - 132);
        bytes[index] ^= flip;
        let slice = open_slice(&bytes, &Limits::default()).map(|(h, _)| h.data.elements().len());
        let stream = open(&bytes[..], &Limits::default()).map(|(h, _)| h.data.elements().len());
        proptest::prop_assert_eq!(slice, stream);
        noise.splice(0..0, file(TransferSyntax::IMPLICIT_LITTLE, &[]));
        let _ = open_slice(&noise, &Limits::default());
    }
}
