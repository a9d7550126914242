//! The index at the end of a pack, and sealed headers. The first byte says how much of the input
//! are instances; the rest is the index, sealed by whoever has the key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_model::{HospitalId, ObjectId, SubjectId, Zone};
use scanveil_seal::{
    Entropy, PackReader, SealError, StreamHeader, StreamOpener, StreamSealer, SubjectKey, ZoneKey,
};
use std::io::Write;

struct Same;

impl Entropy for Same {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(3);
    }
}

fn key() -> ZoneKey {
    SubjectKey::generate(&Same).zone_key(Zone::Quarantine)
}

fn seal(plain: &[u8]) -> Vec<u8> {
    let hospital = HospitalId::parse("st-wystan").expect("a name");
    let subject = SubjectId([0xc0; 16]);
    let header = StreamHeader::subject(Zone::Quarantine, hospital, subject, ObjectId([2; 16]));
    let mut sealer = StreamSealer::new(Vec::new(), &header, &key(), &Same).expect("a stream");
    sealer.write_all(plain).expect("memory");
    sealer.finish().expect("a whole stream").0
}

fuzz_target!(|bytes: &[u8]| {
    let _ = StreamOpener::new(bytes, |_| Err(SealError::KeyUnknown));
    let Some((&body, rest)) = bytes.split_first() else { return };
    let index = &rest[usize::from(body).min(rest.len())..];
    let mut plain = rest.to_vec();
    plain.extend((index.len() as u64).to_le_bytes());
    plain.extend(b"SVPACK\r\n");
    if let Ok(pack) = PackReader::open(seal(&plain), |_| Ok(key())) {
        assert_eq!(pack.index().entries.iter().map(|e| e.length).sum::<u64>(), u64::from(body));
        let _ = pack.verify();
    }
    // The trailer too may say anything.
    let _ = PackReader::open(seal(rest), |_| Ok(key()));
});
