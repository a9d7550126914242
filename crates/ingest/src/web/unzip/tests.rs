use super::*;
use proptest::prelude::*;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog, the quick brown fox";

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

fn deflated() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

/// An archive as a packer with a seekable file writes it, or as a streaming one does.
fn archive(members: &[(&str, SimpleFileOptions, &[u8])], streaming: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    if streaming {
        let mut zip = ZipWriter::new_stream(&mut bytes);
        for (name, options, data) in members {
            zip.start_file(*name, *options).unwrap();
            zip.write_all(data).unwrap();
        }
        zip.finish().unwrap();
    } else {
        let mut zip = ZipWriter::new(Cursor::new(&mut bytes));
        for (name, options, data) in members {
            zip.start_file(*name, *options).unwrap();
            zip.write_all(data).unwrap();
        }
        zip.finish().unwrap();
    }
    bytes
}

type Read1 = (Kind, Ended, Vec<u8>);

fn read_all(bytes: &[u8], limits: &WebLimits) -> Result<Vec<Read1>, WebError> {
    let mut unzip = Unzip::new(bytes, limits);
    let mut members = Vec::new();
    while let Some(member) = unzip.next_member()? {
        let mut data = Vec::new();
        let ended = unzip.read(&member, &mut |bytes| {
            data.extend_from_slice(bytes);
            true
        })?;
        members.push((member.kind, ended, data));
    }
    Ok(members)
}

#[test]
fn archives_of_all_packers_are_read() {
    let large: Vec<u8> = (0..300_000_u32).flat_map(|n| (n % 1000).to_le_bytes()).collect();
    let members: &[(&str, SimpleFileOptions, &[u8])] = &[
        ("a.dcm", deflated(), TEXT),
        ("empty", deflated(), b""),
        ("folder/b", deflated(), &large),
        ("wide", deflated().large_file(true), TEXT),
    ];
    for streaming in [false, true] {
        let read = read_all(&archive(members, streaming), &WebLimits::default()).unwrap();
        assert_eq!(read.len(), members.len());
        for ((_, _, wanted), (kind, ended, data)) in members.iter().zip(&read) {
            assert_eq!((*kind, *ended), (Kind::File, Ended::Whole));
            assert!(data == wanted);
        }
    }
    let members: &[(&str, SimpleFileOptions, &[u8])] =
        &[("a", stored(), TEXT), ("b", stored(), b""), ("c", stored().large_file(true), &large)];
    let read = read_all(&archive(members, false), &WebLimits::default()).unwrap();
    assert!(read.iter().zip(members).all(|(read, wanted)| read.2 == wanted.2));
    assert!(read.iter().all(|(_, ended, _)| *ended == Ended::Whole));
}

#[test]
fn what_file_managers_add_is_told_from_files() {
    let table: &[(&str, Kind)] = &[
        ("a.dcm", Kind::File),
        ("x/y/IM0001", Kind::File),
        ("x/", Kind::Clutter),
        ("__MACOSX/x/._a.dcm", Kind::Clutter),
        ("x/.DS_Store", Kind::Clutter),
        ("x\\Thumbs.db", Kind::Clutter),
        ("", Kind::Clutter),
    ];
    for (name, wanted) in table {
        assert_eq!(kind(name.as_bytes()), *wanted, "{name}");
    }
}

#[test]
fn a_member_that_is_not_wanted_is_passed_over() {
    for streaming in [false, true] {
        let members: &[(&str, SimpleFileOptions, &[u8])] =
            &[("a", deflated(), &[7; 500_000]), ("b", deflated(), TEXT)];
        let bytes = archive(members, streaming);
        let limits = WebLimits::default();
        let mut unzip = Unzip::new(&bytes[..], &limits);
        let first = unzip.next_member().unwrap().unwrap();
        unzip.read(&first, &mut |_| false).unwrap();
        let second = unzip.next_member().unwrap().unwrap();
        let mut data = Vec::new();
        let ended = unzip.read(&second, &mut |bytes| {
            data.extend_from_slice(bytes);
            true
        });
        assert_eq!((ended, data.as_slice()), (Ok(Ended::Whole), TEXT));
    }
}

#[test]
fn damage_is_told_by_the_checksum_and_the_next_member_is_read() {
    for options in [stored(), deflated()] {
        let members: &[(&str, SimpleFileOptions, &[u8])] =
            &[("a", options, TEXT), ("b", options, TEXT)];
        let mut bytes = archive(members, false);
        let data_at = 30 + 1;
        bytes[data_at + 5] ^= 0x55;
        let read = read_all(&bytes, &WebLimits::default()).unwrap();
        assert_eq!(read[0].1, Ended::Damaged);
        assert_eq!((read[1].1, &read[1].2[..]), (Ended::Whole, TEXT));
    }
}

#[test]
fn methods_that_are_not_read_are_passed_over() {
    let members: &[(&str, SimpleFileOptions, &[u8])] =
        &[("a", stored(), TEXT), ("b", stored(), TEXT)];
    // The method, then the encryption flag, of the first member.
    for (at, value) in [(8, 99), (6, 1)] {
        let mut bytes = archive(members, false);
        bytes[at] = value;
        let read = read_all(&bytes, &WebLimits::default()).unwrap();
        assert_eq!(read[0].1, Ended::Packing);
        assert_eq!(read[1].1, Ended::Whole);
    }
}

#[test]
fn broken_archives_are_named() {
    let whole = archive(&[("a", deflated(), TEXT), ("b", stored(), TEXT)], false);
    let first = archive(&[("a", deflated(), TEXT)], false);
    let data_end = first.windows(4).position(|four| four == CENTRAL_HEADER).unwrap();
    let mut stray = first[..data_end].to_vec();
    stray.extend(b"stray bytes");
    let mut endless = archive(&[("a", stored(), TEXT)], false);
    endless[6] |= 8;
    endless[18..22].fill(0);
    let limits = WebLimits { max_parts: 1, ..WebLimits::default() };
    let table: &[(&[u8], &WebLimits, WebError)] = &[
        (b"", &limits, ENDS_EARLY),
        (b"not a zip archive", &limits, WebError::Archive("it is not a zip archive")),
        (&first[..20], &limits, ENDS_EARLY),
        (&first[..data_end - 3], &limits, ENDS_EARLY),
        (&first[..data_end], &limits, ENDS_EARLY),
        (&stray, &limits, WebError::Archive("there is no member where one is expected")),
        (&endless, &limits, WebError::Archive("there is no member where one is expected")),
        (&whole, &limits, WebError::TooMany),
    ];
    for (at, (bytes, limits, wanted)) in table.iter().enumerate() {
        assert_eq!(read_all(bytes, limits).unwrap_err(), *wanted, "case {at}");
    }
}

#[test]
fn bombs_stop_at_the_limits() {
    let zeros = vec![0; 65 << 20];
    let bomb = archive(&[("a", deflated(), &zeros)], false);
    assert!(bomb.len() < 100_000);
    let ratio = WebLimits::default();
    assert_eq!(read_all(&bomb, &ratio), Err(WebError::Bomb("max_unpack_ratio")));
    let many = archive(&[("a", deflated(), TEXT), ("b", deflated(), TEXT)], true);
    let total = WebLimits { max_unpacked_bytes: 100, ..WebLimits::default() };
    assert_eq!(read_all(&many, &total), Err(WebError::Bomb("max_unpacked_bytes")));
    let total = WebLimits { max_unpacked_bytes: 2 * TEXT.len() as u64, ..WebLimits::default() };
    assert_eq!(read_all(&many, &total).unwrap().len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_break_the_reader(
        flips in proptest::collection::vec((0_usize..400, any::<u8>()), 0..6),
        cut in 0_usize..500,
        streaming: bool,
    ) {
        let members: &[(&str, SimpleFileOptions, &[u8])] =
            &[("a", deflated(), TEXT), ("b", deflated(), b""), ("c", deflated(), TEXT)];
        let mut bytes = archive(members, streaming);
        for (at, value) in flips {
            let length = bytes.len();
            bytes[at % length] ^= value;
        }
        bytes.truncate(cut);
        let limits = WebLimits { max_unpacked_bytes: 1 << 20, ..WebLimits::default() };
        // Whatever comes out, it comes to an end, and nothing whole differs from what was packed.
        if let Ok(read) = read_all(&bytes, &limits) {
            prop_assert!(read.len() <= 3);
        }
    }
}
