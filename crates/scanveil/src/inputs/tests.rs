use super::*;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write;
use std::path::PathBuf;

/// A member of an archive to be written: its claims can be false.
struct Packed {
    name: &'static str,
    data: Vec<u8>,
    method: u16,
    flags: u16,
    claim: u32,
    crc: u32,
}

fn member(name: &'static str, bytes: &[u8], deflated: bool) -> Packed {
    let mut crc = Crc::new();
    crc.update(bytes);
    let data = if deflated {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    } else {
        bytes.to_vec()
    };
    let (method, claim) = (if deflated { 8 } else { 0 }, bytes.len() as u32);
    Packed { name, data, method, flags: 0, claim, crc: crc.sum() }
}

fn zip(members: &[Packed]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for one in members {
        let at = out.len() as u32;
        let mut common = Vec::new();
        for value in [20, one.flags, one.method, 0, 0] {
            common.extend_from_slice(&u16::to_le_bytes(value));
        }
        for value in [one.crc, one.data.len() as u32, one.claim] {
            common.extend_from_slice(&value.to_le_bytes());
        }
        common.extend_from_slice(&(one.name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(one.name.as_bytes());
        out.extend_from_slice(&one.data);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(one.name.as_bytes());
    }
    let start = out.len() as u32;
    let count = (members.len() as u16).to_le_bytes();
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&[count, count].concat());
    out.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

fn open(bytes: &[u8]) -> Result<Arc<Archive>, ArchiveFault> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Archive::open(file).map(Arc::new)
}

fn slices() -> Vec<Vec<u8>> {
    scanveil_synth::mr_slices(3, 3, 64).map(|slice| slice.unwrap().file).collect()
}

#[test]
fn members_are_read_whatever_their_packing() {
    let slices = slices();
    let archive = open(&zip(&[
        member("a.dcm", &slices[0], true),
        member("folder/", b"", false),
        member("folder/b", &slices[1], false),
        member("notes.txt", b"hello", true),
    ]))
    .unwrap();
    assert_eq!(archive.members(), 3);
    for (number, expected) in [(0, &slices[0]), (1, &slices[1])] {
        let input = Input::member(&archive, number);
        let expected_digest = *blake3::hash(expected).as_bytes();
        let (found, length) = digest(&input, None).unwrap();
        assert_eq!((found.0, length), (expected_digest, expected.len() as u64));
        let keeper = Keeper::new(1 << 20);
        let met = with_header(&input, &keeper, |header| Ok(header.data.elements().len()));
        let Ok(Met::Instance { out, kept }) = met else { panic!("no instance") };
        assert!(out > 50);
        let larder = keeper.finish();
        assert_eq!(kept.as_ref().map(|kept| larder.bytes(kept)), Some(&expected[..]));
    }
    let notes = Input::member(&archive, 2);
    let met = with_header(&notes, &Keeper::new(0), |_| Ok(()));
    let Err(Fault::Reason(reason)) = met else { panic!("an instance") };
    assert_eq!(reason.code, scanveil_model::ReasonCode::NotDicom);
}

#[test]
fn false_claims_end_in_a_fault() {
    let slice = &slices()[0];
    let good = || member("a", slice, true);
    let cases = [
        Packed { claim: slice.len() as u32 + 8, ..good() },
        Packed { crc: 7, ..good() },
        Packed { flags: 1, ..good() },
        Packed { method: 12, ..good() },
        Packed { data: good().data[..100].to_vec(), ..good() },
    ];
    for case in cases {
        let archive = open(&zip(&[case])).unwrap();
        let input = Input::member(&archive, 0);
        assert!(digest(&input, None).is_err());
    }
    let whole = zip(&[good()]);
    let bomb: Vec<Packed> =
        (0..8).map(|_| Packed { claim: 1 << 30, ..member("a", b"x", false) }).collect();
    let huge = Packed { claim: u32::MAX, ..member("a", b"x", false) };
    for (bytes, fault) in [
        (&whole[..whole.len() - 1], ArchiveFault::Damaged("no central directory")),
        (&zip(&bomb), ArchiveFault::Limit("limit: archive ratio")),
        (&zip(&[huge]), ArchiveFault::Limit("limit: archive ratio")),
        (b"PK\x03\x04", ArchiveFault::Damaged("no central directory")),
    ] {
        assert_eq!(open(bytes).err(), Some(fault));
    }
}

#[test]
fn folders_are_walked_in_order_without_links_and_without_the_output() {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name);
    for folder in ["b", "a/c", "out"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for file in ["z", "b/2", "b/1", "a/c/3", "out/4"] {
        fs::write(at(file), file).unwrap();
    }
    std::os::unix::fs::symlink(at("b"), at("link")).unwrap();
    std::os::unix::fs::symlink(at("z"), at("another")).unwrap();
    let inputs = gather(&[temp.path().to_owned(), at("z")], Some(&at("out"))).unwrap();
    let found: Vec<PathBuf> = inputs
        .iter()
        .map(|input| match input.place() {
            Place::File { folder, name } => folder.join(name),
            _ => panic!("no file"),
        })
        .collect();
    assert_eq!(found, [at("z"), at("a/c/3"), at("b/1"), at("b/2"), at("z")]);
    assert_eq!(gather(&[at("none")], None).err().unwrap().0.code, "SV-CLI-010");
}

#[test]
fn the_budget_bounds_what_is_kept() {
    let temp = tempfile::tempdir().unwrap();
    let slice = &slices()[0];
    fs::write(temp.path().join("1"), slice).unwrap();
    let inputs = gather(&[temp.path().to_owned()], None).unwrap();
    // Room for its bytes and for what parsing it gave, once.
    let keeper = Keeper::new(3 * slice.len() / 2);
    for is_kept in [true, false] {
        let met = with_header(&inputs[0], &keeper, |_| Ok(()));
        assert!(matches!(met, Ok(Met::Instance { kept, .. }) if kept.is_some() == is_kept));
    }
}

#[test]
fn no_changed_byte_makes_the_archive_reader_panic() {
    let whole = zip(&[member("a", b"hello hello", true), member("b", b"x", false)]);
    for at in 0..whole.len() {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            let Ok(archive) = open(&bytes) else { continue };
            for number in 0..archive.members().min(10) {
                // Either is right; what is read was checked against its checksum.
                let _ = digest(&Input::member(&archive, number), None);
            }
        }
    }
}
