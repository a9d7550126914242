//! A segment of the spool with one record, which opens or is kept aside: the spool never refuses to
//! open for it. The input is 24 bytes for the header's numbers, the log of what is done up to the
//! next line end, and the details, sealed as whoever has the key would seal them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_model::{HospitalId, ObjectId};
use scanveil_seal::{Entropy, HospitalKey, SealError, StreamHeader, StreamSealer, ZoneKey};
use scanveil_vault::{Spool, SpoolConfig, SpoolKeys};
use std::fs;
use std::io::Write;
use std::sync::Arc;

const PAGE: usize = 4096;
const SEGMENT: [u8; 16] = [9; 16];
const RECORD: [u8; 16] = [5; 16];
const BODY: &[u8] = b"not a sealed instance, which nobody looks into yet";

struct Same;

impl Entropy for Same {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(3);
    }
}

struct Keys;

impl SpoolKeys for Keys {
    fn intake_key(&self, _: &HospitalId) -> Result<ZoneKey, SealError> {
        Ok(HospitalKey::generate(&Same).intake_key())
    }
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let hospital = HospitalId::parse("st-wystan").expect("a name");
    let key = HospitalKey::generate(&Same).intake_key();
    let header = StreamHeader::intake(hospital, ObjectId(RECORD));
    let mut sealer = StreamSealer::new(Vec::new(), &header, &key, &Same).expect("a stream");
    sealer.write_all(plain).expect("memory");
    sealer.finish().expect("a whole stream").0
}

fn checked(mut header: Vec<u8>) -> Vec<u8> {
    let check = blake3::hash(&header);
    header.extend(check.as_bytes());
    header
}

/// docs/formats/spool.md, with numbers that differ from the truth by what the input says.
fn segment(numbers: &[u8; 24], details: &[u8]) -> Vec<u8> {
    let off = |at: usize| u64::from_le_bytes(numbers[at..at + 8].try_into().expect("8 bytes"));
    let mut head = b"svspools\x01\0\0\0\0\0\0\0".to_vec();
    head.extend(SEGMENT);
    let mut out = checked(head);
    out.resize(PAGE, 0);
    let mut record = b"svspoolr\x01\0\0\0".to_vec();
    record.extend((details.len() as u32).wrapping_add(off(0) as u32).to_le_bytes());
    record.extend((BODY.len() as u64).wrapping_add(off(8)).to_le_bytes());
    record.extend(off(16).wrapping_add(1).to_le_bytes());
    record.extend(RECORD);
    record.extend(SEGMENT);
    let mut digest = blake3::Hasher::new();
    digest.update(BODY).update(details);
    record.extend(digest.finalize().as_bytes());
    out.extend(checked(record));
    out.extend(BODY);
    out.extend(details);
    out.resize(out.len().next_multiple_of(PAGE), 0);
    out
}

fuzz_target!(|bytes: &[u8]| {
    let Some((numbers, rest)) = bytes.split_first_chunk::<24>() else { return };
    let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (done, details) = rest.split_at(end);
    let folder = tempfile::tempdir().expect("a folder");
    let segments = folder.path().join("segments");
    fs::create_dir(&segments).expect("a folder");
    let segment = segment(numbers, &sealed(details));
    fs::write(segments.join("0000000000000001.seg"), segment).expect("a file");
    fs::write(segments.join("0000000000000001.done"), done).expect("a file");
    let config = SpoolConfig {
        min_free_bytes: 0,
        inline_limit: 1 << 16,
        segment_bytes: 1 << 18,
        ..SpoolConfig::new(folder.path())
    };
    let (_spool, pending) =
        Spool::open(config, Arc::new(Keys), Arc::new(Same)).expect("a spool that opens");
    assert!(pending.len() <= 1);
});
