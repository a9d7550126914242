use super::*;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use scanveil_model::Coded;
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

fn input(archive: &Arc<Archive>, number: usize) -> Input {
    let of = Arc::from(Path::new("a.zip"));
    Input { place: Place::Member { archive: Arc::clone(archive), number, of } }
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
        let input = input(&archive, number);
        let expected_digest = *blake3::hash(expected).as_bytes();
        let (found, length) = digest(&input, None, None).ok().unwrap();
        assert_eq!((found.0, length), (expected_digest, expected.len() as u64));
        let keeper = Keeper::new(1 << 20);
        let met = with_header(&input, &keeper, |header| Ok(header.data.elements().len()));
        let Ok(Met::Instance { out, kept, .. }) = met else { panic!("no instance") };
        assert!(out > 50);
        let larder = keeper.finish();
        assert_eq!(kept.as_ref().map(|kept| larder.bytes(kept)), Some(&expected[..]));
    }
    let met = with_header(&input(&archive, 2), &Keeper::new(0), |_| Ok(()));
    assert!(matches!(met, Ok(Met::Passed(Passed::Clutter))));
    assert_eq!(input(&archive, 1).name(), ("a.zip".into(), Some("folder/b".to_owned())));
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
        assert!(digest(&input(&archive, 0), None, None).is_err());
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
fn folders_are_walked_in_order_without_links() {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name);
    for folder in ["b", "a/c", "empty"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for file in ["z", "b/2", "b/1", "a/c/3"] {
        fs::write(at(file), file).unwrap();
    }
    std::os::unix::fs::symlink(at("b"), at("link")).unwrap();
    std::os::unix::fs::symlink(at("z"), at("another")).unwrap();
    let inputs = gather(&[temp.path().to_owned(), at("z")]).unwrap();
    let found: Vec<PathBuf> = inputs.iter().map(|input| input.name().0).collect();
    assert_eq!(found, [at("z"), at("a/c/3"), at("b/1"), at("b/2"), at("z")]);
    assert_eq!(gather(&[at("none")]).err().unwrap().code(), "SV-CLI-010");
    assert_eq!(gather(&[at("empty")]).err().unwrap().code(), "SV-CLI-041");
}

#[test]
fn an_output_folder_lies_beside_the_inputs() {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name);
    fs::create_dir_all(at("in/deep")).unwrap();
    fs::write(at("in/scan"), "").unwrap();
    std::os::unix::fs::symlink(at("in"), at("link")).unwrap();
    for (input, out, fits) in [
        ("in", "out", true),
        ("in", "in-out", true),
        ("in/scan", "out", true),
        ("in", "in", false),
        ("in", "in/out", false),
        ("in", "link/out", false),
        ("link", "in/new/out", false),
        ("in", "in/../in/out", false),
        ("in/deep", "in", false),
        ("in/deep", "link", false),
        ("in/scan", "in", false),
        ("in", ".", false),
        ("in", "none/../in/out", false),
    ] {
        let found = keep_apart(&[at(input)], &at(out));
        assert_eq!(found.is_ok(), fits, "{input} {out}");
    }
}

/// What the first look saw of an input.
fn seen(input: &Input) -> Seen {
    match with_header(input, &Keeper::new(0), |_| Ok(())) {
        Ok(Met::Instance { seen, .. }) => seen,
        _ => panic!("no instance"),
    }
}

/// The second look, at nothing in particular.
struct Nothing;

impl Work for Nothing {
    type Out = ();
    fn run<R: io::Read>(
        &mut self,
        _: &scanveil_dataset::Header<'_>,
        _: scanveil_dataset::Body<'_, R>,
    ) -> Result<(), scanveil_model::Reason> {
        Ok(())
    }
}

#[test]
fn a_file_that_was_exchanged_between_the_looks_is_not_taken() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.dcm");
    let [first, second] = [&slices()[0], &slices()[1]].map(Clone::clone);
    assert_eq!(first.len(), second.len());
    fs::write(&path, &first).unwrap();
    let inputs = gather(std::slice::from_ref(&path)).unwrap();
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let seen = seen(&inputs[0]);
    let look = || with_instance(&inputs[0], None, Some(&seen), &mut Nothing);
    assert!(look().is_ok());
    // In place, as long, and with the old time: only the header tells.
    fs::write(&path, &second).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    assert!(matches!(look(), Err(Fault::Changed)));
    fs::write(&path, &first).unwrap();
    assert!(matches!(look(), Err(Fault::Changed)), "another time");
    assert!(matches!(digest(&inputs[0], None, Some(&seen)), Err(Fault::Changed)));
    file.set_modified(modified).unwrap();
    assert!(look().is_ok());
    // Another file under the name.
    fs::write(temp.path().join("b"), &first).unwrap();
    fs::rename(temp.path().join("b"), &path).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert!(matches!(look(), Err(Fault::Changed)));
}

#[test]
fn only_what_is_no_dicom_is_passed_over_by_its_name() {
    let temp = tempfile::tempdir().unwrap();
    let slice = &slices()[0];
    let mut prefixed = vec![0; 128];
    prefixed.extend_from_slice(b"DICMnothing more");
    let meta = |class: &str| scanveil_dataset::file_meta(class, "1.2.3", "1.2.840.10008.1.2.1");
    // File-set ID (0004,1130), and then SOP Instance UID where it is more than a directory.
    let id = b"\x04\0\x30\x11CS\x02\0AB".to_vec();
    let named = b"\x08\0\x18\0UI\x04\x001.2\0".to_vec();
    let directory = [meta("1.2.840.10008.1.3.10"), id.clone()].concat();
    let says_so = [meta("1.2.840.10008.1.3.10"), id, named].concat();
    for (name, bytes, expected) in [
        ("README.txt", b"view me".to_vec(), "clutter"),
        ("no-name", b"view me".to_vec(), "fault"),
        ("README", prefixed, "fault"),
        ("Thumbs.db", slice.clone(), "instance"),
        ("._scan", slice[132..].to_vec(), "instance"),
        ("DICOMDIR", directory.clone(), "directory"),
        ("scan.dcm", directory, "directory"),
        ("DICOMDIR", says_so, "instance"),
        ("DICOMDIR", slice.clone(), "instance"),
        ("empty.dcm", Vec::new(), "fault"),
        (".DS_Store", Vec::new(), "clutter"),
    ] {
        let path = temp.path().join(name);
        fs::write(&path, bytes).unwrap();
        let input = gather(&[path]).unwrap().remove(0);
        let met = with_header(&input, &Keeper::new(0), |_| Ok(()));
        let found = match met {
            Ok(Met::Passed(Passed::Clutter)) => "clutter",
            Ok(Met::Passed(Passed::Directory)) => "directory",
            Ok(Met::Instance { .. }) => "instance",
            Ok(Met::Archive) => "archive",
            Err(_) => "fault",
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn the_budget_bounds_what_is_kept() {
    let temp = tempfile::tempdir().unwrap();
    let slice = &slices()[0];
    fs::write(temp.path().join("1"), slice).unwrap();
    let inputs = gather(&[temp.path().to_owned()]).unwrap();
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
                let _ = digest(&input(&archive, number), None, None);
            }
        }
    }
}
