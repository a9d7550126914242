//! What is not as the standard has it, and is read by evidence.

use super::*;

const CLASS: &str = "1.2.840.10008.5.1.4.1.1.2";

/// An element whose header is written as given.
fn raw(tag: u32, head: &[u8], value: &[u8]) -> Vec<u8> {
    let (group, element) = ((tag >> 16) as u16, tag as u16);
    [&group.to_le_bytes()[..], &element.to_le_bytes(), head, value].concat()
}

fn data_set(encoding: Encoding) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes);
    writer.element(tags::SOP_CLASS_UID, Vr::UI, CLASS.as_bytes(), encoding);
    writer.element(tags::MODALITY, Vr::CS, b"CT", encoding);
    bytes
}

/// The modality as it is read from a file and from a stream, and the syntax.
fn modality(file: &[u8]) -> (Vec<u8>, &'static str, bool) {
    let (header, _) = open_slice(file, &Limits::default()).unwrap();
    let (streamed, _) = open(file, &Limits::default()).unwrap();
    let read = header.data.text(tags::MODALITY).unwrap().to_vec();
    assert_eq!(streamed.data.text(tags::MODALITY), Some(&read[..]));
    (read, header.syntax.uid, header.meta.by_evidence)
}

#[test]
fn letters_that_are_no_representation_are_read_by_what_follows() {
    let short = |vr: [u8; 2]| [&vr[..], &4u16.to_le_bytes()].concat();
    let long = |vr: [u8; 2]| [&vr[..], &[0, 0], &4u32.to_le_bytes()].concat();
    let implicit = 4u32.to_le_bytes().to_vec();
    for (name, head) in [
        ("blanks", short(*b"  ")),
        ("question marks", short(*b"??")),
        ("zero bytes", short([0, 0])),
        ("small letters", short(*b"lo")),
        ("a long one", long(*b"??")),
        ("unknown letters", long(*b"ZZ")),
        ("unknown letters, short", short(*b"ZZ")),
        ("implicit among explicit", implicit),
    ] {
        for last in [false, true] {
            let mut bytes = file_meta(CLASS, "1.2.3", TransferSyntax::EXPLICIT_LITTLE);
            bytes.extend(data_set(LE));
            bytes.extend(raw(0x0008_1030, &head, b"MR 3"));
            if !last {
                Writer::new(&mut bytes).element(Tag(0x0008_103e), Vr::LO, b"axial", LE);
            }
            for bytes in [&bytes[..], &bytes[..]] {
                let (header, _) = open_slice(bytes, &Limits::default()).unwrap();
                let found = header.data.find(Tag(0x0008_1030)).unwrap();
                assert_eq!(header.data.value(found), b"MR 3", "{name} {last}");
                assert_eq!((found.vr, found.declared, found.odd), (Vr::LO, Vr::UN, true), "{name}");
                let after = header.data.text(Tag(0x0008_103e));
                assert_eq!(after.is_some(), !last, "{name}");
                let (streamed, _) = open(bytes, &Limits::default()).unwrap();
                assert_eq!(streamed.data.elements().len(), header.data.elements().len());
            }
        }
    }
    // Nothing that follows makes sense: held back as before.
    let mut bytes = file_meta(CLASS, "1.2.3", TransferSyntax::EXPLICIT_LITTLE);
    bytes.extend(data_set(LE));
    bytes.extend(raw(0x0008_1030, b"\x01\x02\xff\xff", &[7; 100]));
    let reason = open_slice(&bytes, &Limits::default()).err().unwrap();
    assert_eq!(reason.code, ReasonCode::Malformed);
}

#[test]
fn file_meta_information_is_read_in_any_form_and_is_not_believed() {
    let implicit = Encoding::IMPLICIT_LITTLE;
    let element = |tag: u32, value: &[u8]| {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes).element(Tag(tag), Vr::UI, value, implicit);
        bytes
    };
    let prefix = [&[0; 128][..], b"DICM"].concat();
    let meta = [
        element(0x0002_0002, CLASS.as_bytes()),
        element(0x0002_0010, TransferSyntax::IMPLICIT_LITTLE.as_bytes()),
    ]
    .concat();
    let of = |meta: &[u8], encoding| [&prefix[..], meta, &data_set(encoding)].concat();
    let declared = |uid: &str| file_meta(CLASS, "1.2.3", uid)[132..].to_vec();
    let (explicit_uid, implicit_uid) =
        (TransferSyntax::EXPLICIT_LITTLE, TransferSyntax::IMPLICIT_LITTLE);
    let big = Encoding { explicit: true, big_endian: true };
    let no_length = declared(explicit_uid)[12..].to_vec();
    let zero_length = raw(0x0002_0000, b"UL\x04\x00", &[0; 4]);
    let empty_syntax = raw(0x0002_0010, b"UI\x00\x00", b"");
    for (name, file, syntax, by_evidence) in [
        ("in implicit VR", of(&meta, implicit), implicit_uid, false),
        ("without its length", of(&no_length, LE), explicit_uid, false),
        ("of no length", of(&zero_length, LE), explicit_uid, true),
        ("with an empty syntax", of(&empty_syntax, implicit), implicit_uid, true),
        ("not there", of(&[], LE), explicit_uid, true),
        ("not there, nor a preamble", data_set(LE), explicit_uid, true),
        ("not there, implicit", data_set(implicit), implicit_uid, true),
        ("not there, big endian", data_set(big), TransferSyntax::EXPLICIT_BIG, true),
        ("explicit, and is implicit", of(&declared(explicit_uid), implicit), implicit_uid, true),
        ("implicit, and is explicit", of(&declared(implicit_uid), LE), explicit_uid, true),
        (
            "little, and is big",
            of(&declared(explicit_uid), big),
            TransferSyntax::EXPLICIT_BIG,
            true,
        ),
        ("right", of(&declared(implicit_uid), implicit), implicit_uid, false),
    ] {
        assert_eq!(modality(&file), (b"CT".to_vec(), syntax, by_evidence), "{name}");
        let peeked = peek_part10(&file).unwrap();
        assert_eq!(peeked.transfer_syntax.unwrap().as_str(), syntax, "{name}");
        assert_eq!(peeked.sop_class_uid.unwrap().as_str(), CLASS, "{name}");
    }
}

#[test]
fn items_in_unknown_are_read_as_they_are() {
    for encoding in [LE, Encoding::IMPLICIT_LITTLE] {
        for undefined in [false, true] {
            let mut items = Vec::new();
            let mut writer = Writer::new(&mut items);
            let item = writer.open_item(undefined, Encoding::IMPLICIT_LITTLE);
            writer.element(Tag(0x0008_1150), Vr::UI, CLASS.as_bytes(), encoding);
            writer.element(Tag(0x0008_1155), Vr::UI, b"1.2.3.4", encoding);
            writer.close_item(&item);
            let length = items.len() as u32;
            if undefined {
                items.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
            }
            let length = if undefined { u32::MAX } else { length };
            let mut bytes = file_meta(CLASS, "1.2.3", TransferSyntax::EXPLICIT_LITTLE);
            bytes.extend(data_set(LE));
            let head = [&b"UN\0\0"[..], &length.to_le_bytes()].concat();
            bytes.extend(raw(0x0008_1140, &head, &items));
            Writer::new(&mut bytes).element(Tag(0x0010_0020), Vr::LO, b"P-1", LE);
            let (header, _) = open_slice(&bytes, &Limits::default()).unwrap();
            let found: Vec<&[u8]> = header
                .data
                .elements()
                .iter()
                .filter(|element| element.tag == Tag(0x0008_1155))
                .map(|element| header.data.value(element).trim_ascii_end())
                .collect();
            assert_eq!(found.len(), 1, "{encoding:?} {undefined}");
            assert_eq!(found[0].strip_suffix(b"\0"), Some(&b"1.2.3.4"[..]), "{encoding:?}");
            assert_eq!(header.data.text(tags::PATIENT_ID), Some(&b"P-1"[..]));
        }
    }
}
