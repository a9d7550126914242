use super::*;
use crate::keys::Secret;
use crate::sealer::DigestOf;
use proptest::prelude::*;
use scanveil_model::{Coded, Digest, HospitalId, ObjectId, SubjectId, Zone};
use serde_json::Value;
use std::io::{Cursor, Read, Write};
use std::sync::Mutex;

/// Gives bytes that are written down, then counts on from them.
pub(crate) struct Replay(Mutex<(Vec<u8>, u8)>);

impl Replay {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Mutex::new((bytes.to_vec(), 0)))
    }
    pub(crate) fn counter() -> Self {
        Self::of(&[])
    }
}

impl Entropy for Replay {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for byte in bytes {
            if state.0.is_empty() {
                state.1 = state.1.wrapping_add(1);
                *byte = state.1;
            } else {
                *byte = state.0.remove(0);
            }
        }
    }
}

pub(crate) fn vector(name: &str) -> Value {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn vectors(prefix: &str) -> Vec<String> {
    let folder = format!("{}/vectors", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|e| {
            e.unwrap().file_name().to_str().unwrap().strip_suffix(".json").map(str::to_owned)
        })
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    names
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub(crate) fn secret(value: &Value) -> Secret {
    Secret::from_slice(&bytes(value)).unwrap()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn header_of(good: &Value) -> StreamHeader {
    let key_id = match good["key_id"].as_str() {
        Some(id) => KeyId::Subject(SubjectId::parse(id).unwrap()),
        None => KeyId::Intake,
    };
    StreamHeader {
        zone: serde_json::from_value(good["zone"].clone()).unwrap(),
        hospital: HospitalId::parse(good["hospital"].as_str().unwrap()).unwrap(),
        key_id,
        object_id: ObjectId::parse(good["object_id"].as_str().unwrap()).unwrap(),
        chunk_log2: u8::try_from(good["chunk_log2"].as_u64().unwrap()).unwrap(),
    }
}

fn zone_key(key: &Value, zone: Zone) -> ZoneKey {
    match key.get("intake") {
        Some(hospital) => HospitalKey::from_secret(secret(hospital)).intake_key(),
        None => SubjectKey::from_secret(secret(&key["subject"])).zone_key(zone),
    }
}

fn plain_of(good: &Value) -> Vec<u8> {
    let pattern = bytes(&good["plain"]["repeat"]);
    pattern.iter().copied().cycle().take(number(&good["plain"]["length"])).collect()
}

/// The sealed bytes of a good vector, made here from its inputs.
fn seal_vector(good: &Value) -> Vec<u8> {
    let header = header_of(good);
    let random = ["nonce_prefix", "wrap_nonce", "data_key"].map(|n| bytes(&good[n])).concat();
    let key = zone_key(&good["key"], header.zone);
    let entropy = Replay::of(&random);
    let mut sealer =
        StreamSealer::start(Vec::new(), &header, &key, &entropy, DigestOf::Plain).unwrap();
    sealer.write_all(&plain_of(good)).unwrap();
    sealer.finish().unwrap().0
}

fn hash(data: &[u8]) -> String {
    blake3::hash(data).to_hex().to_string()
}

fn open_stream(sealed: &[u8], key: ZoneKey) -> Result<Vec<u8>, SealError> {
    let mut opener = StreamOpener::new(sealed, |_| Ok(key))?;
    let mut plain = Vec::new();
    opener.read_to_end(&mut plain)?;
    Ok(plain)
}

fn open_ranges(sealed: &[u8], key: ZoneKey) -> Result<Vec<u8>, SealError> {
    let opener = RangeOpener::new(sealed.to_vec(), |_| Ok(key))?;
    let mut plain = Vec::new();
    opener.read_range(0, opener.plain_len(), &mut plain)?;
    Ok(plain)
}

#[test]
fn good_vectors_seal_and_open() {
    let names = vectors("good-");
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let good = vector(&name);
        let sealed = seal_vector(&good);
        let expected = &good["sealed"];
        assert_eq!(sealed[..HEADER_LEN], bytes(&expected["header"]), "{name}");
        assert_eq!(sealed.len(), number(&expected["length"]), "{name}");
        assert_eq!(hash(&sealed), expected["blake3"].as_str().unwrap(), "{name}");
        if expected["hex"].is_string() {
            assert_eq!(sealed, bytes(&expected["hex"]), "{name}");
        }
        let header = header_of(&good);
        let plain = plain_of(&good);
        assert_eq!(hash(&plain), good["plain"]["blake3"].as_str().unwrap(), "{name}");
        let key = || zone_key(&good["key"], header.zone);
        assert_eq!(open_stream(&sealed, key()).unwrap(), plain, "{name}");
        assert_eq!(open_ranges(&sealed, key()).unwrap(), plain, "{name}");
        let opener = StreamOpener::new(&sealed[..], |found| {
            assert_eq!(*found, header);
            Ok(key())
        });
        assert_eq!(*opener.unwrap().header(), header, "{name}");
    }
}

fn apply(edits: &Value, sealed: &mut Vec<u8>) {
    for edit in edits.as_array().unwrap() {
        if edit["set"].is_u64() {
            let (at, value) = (number(&edit["set"]), bytes(&edit["hex"]));
            sealed[at..at + value.len()].copy_from_slice(&value);
        } else if edit["xor"].is_u64() {
            sealed[number(&edit["xor"])] ^= u8::try_from(number(&edit["mask"])).unwrap();
        } else if edit["cut"].is_u64() {
            sealed.truncate(number(&edit["cut"]));
        } else if edit["append"].is_string() {
            sealed.extend(bytes(&edit["append"]));
        } else {
            let (a, b) = (number(&edit["swap"][0]), number(&edit["swap"][1]));
            for at in 0..number(&edit["length"]) {
                sealed.swap(a + at, b + at);
            }
        }
    }
}

#[test]
fn bad_vectors_are_refused_with_their_code() {
    let names = vectors("bad-");
    assert!(names.len() >= 18, "{names:?}");
    for name in names {
        let bad = vector(&name);
        let good = vector(bad["base"].as_str().unwrap_or("good-one-byte"));
        let mut sealed = match bad["hex"].as_str() {
            Some(_) => bytes(&bad["hex"]),
            None => seal_vector(&good),
        };
        if bad["edits"].is_array() {
            apply(&bad["edits"], &mut sealed);
        }
        assert_eq!(hash(&sealed), bad["blake3"].as_str().unwrap(), "{name}");
        let key = || match bad["key"].is_object() {
            true => zone_key(&bad["key"], Zone::Vault),
            false => zone_key(&good["key"], Zone::Vault),
        };
        let stream = open_stream(&sealed, key()).unwrap_err();
        assert_eq!(stream.code(), bad["stream_error"].as_str().unwrap(), "{name}: {stream}");
        let ranged = open_ranges(&sealed, key()).unwrap_err();
        assert_eq!(ranged.code(), bad["range_error"].as_str().unwrap(), "{name}: {ranged}");
    }
}

pub(crate) fn test_key(zone: Zone) -> ZoneKey {
    SubjectKey::from_secret(Secret::from_slice(&[7; 32]).unwrap()).zone_key(zone)
}

pub(crate) fn test_header(zone: Zone, chunk_log2: u8) -> StreamHeader {
    let hospital = HospitalId::parse("st-wystan").unwrap();
    let header = StreamHeader::subject(zone, hospital, SubjectId([1; 16]), ObjectId([2; 16]));
    StreamHeader { chunk_log2, ..header }
}

fn sealed(plain: &[u8], chunk_log2: u8) -> (Vec<u8>, SealedSummary) {
    let header = test_header(Zone::Vault, chunk_log2);
    let key = test_key(Zone::Vault);
    let mut sealer = StreamSealer::new(Vec::new(), &header, &key, &Replay::counter()).unwrap();
    sealer.write_all(plain).unwrap();
    sealer.finish().unwrap()
}

#[test]
fn the_summary_counts_and_digests_the_plaintext() {
    let plain = vec![3; 10_000];
    let (out, summary) = sealed(&plain, 12);
    assert_eq!(summary.bytes, 10_000);
    assert_eq!(summary.digest, Digest(*blake3::hash(&plain).as_bytes()));
    assert_eq!(summary.sealed_bytes, out.len() as u64);
}

#[test]
fn research_streams_need_a_research_pack() {
    let header = test_header(Zone::Research, 18);
    let key = test_key(Zone::Research);
    let refused = StreamSealer::new(Vec::new(), &header, &key, &Replay::counter());
    assert!(matches!(refused.err(), Some(SealError::ResearchUnscrubbed)));
}

#[test]
fn a_key_of_another_zone_is_refused_on_both_sides() {
    let header = test_header(Zone::Vault, 18);
    let key = test_key(Zone::Quarantine);
    let refused = StreamSealer::new(Vec::new(), &header, &key, &Replay::counter());
    assert!(matches!(refused.err(), Some(SealError::ZoneMismatch)));
    let (out, _) = sealed(b"x", 18);
    let refused = StreamOpener::new(&out[..], |_| Ok(test_key(Zone::Quarantine)));
    assert!(matches!(refused.err(), Some(SealError::ZoneMismatch)));
}

#[test]
fn the_intake_key_is_for_the_vault_only_and_chunk_sizes_have_limits() {
    let mut header = test_header(Zone::Quarantine, 18);
    header.key_id = KeyId::Intake;
    let key = test_key(Zone::Quarantine);
    let refused = StreamSealer::new(Vec::new(), &header, &key, &Replay::counter());
    assert!(matches!(refused.err(), Some(SealError::Header(_))));
    for log2 in [0, 11, 23, 64, 255] {
        let header = test_header(Zone::Vault, log2);
        let refused =
            StreamSealer::new(Vec::new(), &header, &test_key(Zone::Vault), &Replay::counter());
        assert!(matches!(refused.err(), Some(SealError::Header(_))), "{log2}");
    }
}

#[test]
fn an_unfinished_stream_opens_nowhere() {
    let header = test_header(Zone::Vault, 12);
    let mut out = Vec::new();
    let mut sealer =
        StreamSealer::new(&mut out, &header, &test_key(Zone::Vault), &Replay::counter()).unwrap();
    sealer.write_all(&[1; 9000]).unwrap();
    sealer.flush().unwrap();
    drop(sealer);
    assert_eq!(out.len(), HEADER_LEN + 2 * (4096 + 16));
    let err = open_stream(&out, test_key(Zone::Vault)).unwrap_err();
    assert!(matches!(err, SealError::Chunk(1)), "{err}");
}

/// Fails once, when it has taken so many bytes.
struct FailsAt(usize);

impl Write for FailsAt {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        match self.0.checked_sub(data.len()) {
            Some(left) => {
                self.0 = left;
                Ok(data.len())
            }
            None => {
                self.0 = usize::MAX;
                Err(std::io::ErrorKind::StorageFull.into())
            }
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_a_failed_write_nothing_is_sealed_again() {
    let header = test_header(Zone::Vault, 12);
    let key = test_key(Zone::Vault);
    let mut sealer = StreamSealer::new(FailsAt(5000), &header, &key, &Replay::counter()).unwrap();
    let failed = sealer.write_all(&[1; 20_000]).unwrap_err();
    assert_eq!(failed.kind(), std::io::ErrorKind::StorageFull);
    assert!(matches!(SealError::from(failed), SealError::Io(_)));
    let again = SealError::from(sealer.write_all(&[1; 10]).unwrap_err());
    assert!(matches!(again, SealError::Poisoned), "{again}");
    assert!(matches!(sealer.finish().err(), Some(SealError::Poisoned)));
}

#[test]
fn an_opener_that_failed_stays_failed() {
    let (mut out, _) = sealed(&[9; 9000], 12);
    out[HEADER_LEN + 4112 + 5] ^= 1;
    let mut opener = StreamOpener::new(&out[..], |_| Ok(test_key(Zone::Vault))).unwrap();
    let mut plain = Vec::new();
    assert!(opener.read_to_end(&mut plain).is_err());
    assert_eq!(plain, [9; 4096], "only what authenticated comes out");
    assert!(opener.read(&mut [0; 1]).is_err());
}

/// Counts what is fetched, and gives short answers.
struct Counting {
    data: Vec<u8>,
    fetched: Mutex<u64>,
}

impl ReadAt for Counting {
    fn len(&self) -> std::io::Result<u64> {
        Ok(self.data.len() as u64)
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let most = buf.len().min(1000);
        let read = self.data.read_at(offset, &mut buf[..most])?;
        *self.fetched.lock().unwrap() += read as u64;
        Ok(read)
    }
}

#[test]
fn a_range_fetches_only_its_chunks() {
    let plain: Vec<u8> = (0..100_000u32).map(|n| n.to_le_bytes()[0]).collect();
    let (out, _) = sealed(&plain, 12);
    let source = Counting { data: out, fetched: Mutex::new(0) };
    let opener = RangeOpener::new(source, |_| Ok(test_key(Zone::Vault))).unwrap();
    let opened = *opener.source().fetched.lock().unwrap();
    assert_eq!(opened, (HEADER_LEN + 100_000 % 4096 + 16) as u64);
    let table: &[(u64, u64, u64)] =
        &[(0, 1, 1), (4095, 2, 2), (4096, 4096, 1), (99_999, 1, 0), (90_000, 10_000, 3), (5, 0, 0)];
    for &(offset, length, chunks) in table {
        let before = *opener.source().fetched.lock().unwrap();
        let mut got = Vec::new();
        opener.read_range(offset, length, &mut got).unwrap();
        let from = usize::try_from(offset).unwrap();
        assert_eq!(got, plain[from..from + usize::try_from(length).unwrap()]);
        let fetched = *opener.source().fetched.lock().unwrap() - before;
        assert_eq!(fetched, chunks * 4112, "{offset}+{length}");
    }
    for (offset, length) in [(100_000, 1), (0, 100_001), (u64::MAX, 1), (1, u64::MAX)] {
        let refused = opener.read_range(offset, length, &mut Vec::new());
        assert!(matches!(refused, Err(SealError::Range { .. })), "{offset}+{length}");
    }
}

#[test]
fn a_range_error_serves_nothing_later() {
    let (mut out, _) = sealed(&[9; 20_000], 12);
    out[HEADER_LEN + 3] ^= 1;
    let opener = RangeOpener::new(out, |_| Ok(test_key(Zone::Vault))).unwrap();
    let mut reader = opener.reader(0, 20_000).unwrap();
    for _ in 0..2 {
        assert!(reader.read(&mut [0; 10]).is_err());
    }
    let mut good = Vec::new();
    opener.read_range(4096, 4096, &mut good).unwrap();
    assert_eq!(good, [9; 4096]);
}

#[test]
fn long_ranges_are_fetched_in_bounded_pieces() {
    let plain: Vec<u8> = (0..9_500_000u32).map(|n| (n >> 7).to_le_bytes()[0]).collect();
    let (out, _) = sealed(&plain, 18);
    let opener = RangeOpener::new(out, |_| Ok(test_key(Zone::Vault))).unwrap();
    let mut got = Vec::new();
    opener.reader(1, plain.len() as u64 - 1).unwrap().read_to_end(&mut got).unwrap();
    assert!(got == plain[1..]);
}

#[test]
fn error_codes_are_unique_and_texts_lower_case() {
    let io = || std::io::Error::other("x");
    let all = [
        SealError::NotSealed,
        SealError::UnknownVersion(2),
        SealError::Header("x"),
        SealError::KeyRefused,
        SealError::Chunk(0),
        SealError::Truncated,
        SealError::TooLong,
        SealError::Range { offset: 0, length: 0, plain: 0 },
        SealError::ZoneMismatch,
        SealError::ResearchUnscrubbed,
        SealError::Poisoned,
        SealError::NotPack("x"),
        SealError::UnknownIndexVersion(2),
        SealError::Index("x"),
        SealError::PackFull("x"),
        SealError::InstanceMismatch { entry: 0, what: "length" },
        SealError::MixedPack { entry: 0, what: "study" },
        SealError::KeyText("x"),
        SealError::WrappedKey("x"),
        SealError::UnwrapRefused,
        SealError::KeyUnknown,
        SealError::KeyDestroyed,
        SealError::KeyStore(Box::new(io())),
        SealError::Io(io()),
    ];
    let mut codes: Vec<_> = all.iter().map(Coded::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    for err in &all {
        assert!(!err.to_string().starts_with(char::is_uppercase), "{err}");
        assert!(!err.next_step().is_empty());
    }
}

/// Lengths near the ends of chunks are the ones that break.
fn lengths(chunk_log2: u8) -> impl Strategy<Value = usize> {
    let chunk = 1usize << chunk_log2;
    prop_oneof![
        0..3 * chunk,
        (0usize..4).prop_map(move |n| n * chunk),
        (1usize..4).prop_map(move |n| n * chunk - 1),
        (0usize..4).prop_map(move |n| n * chunk + 1),
    ]
}

fn bodies() -> impl Strategy<Value = (u8, Vec<u8>)> {
    (12u8..=14, any::<u64>()).prop_flat_map(|(log2, seed)| {
        lengths(log2).prop_map(move |length| {
            let mut body = vec![0; length];
            blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut body);
            (log2, body)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn bodies_round_trip((log2, body) in bodies(), piece in 1usize..9000) {
        let header = test_header(Zone::Vault, log2);
        let key = test_key(Zone::Vault);
        let mut sealer =
            StreamSealer::new(Vec::new(), &header, &key, &Replay::counter()).unwrap();
        for part in body.chunks(piece) {
            sealer.write_all(part).unwrap();
        }
        let (out, _) = sealer.finish().unwrap();
        let (whole, _) = sealed(&body, log2);
        prop_assert!(out == whole, "the pieces written do not show");
        prop_assert!(open_stream(&out, test_key(Zone::Vault)).unwrap() == body);
        prop_assert!(open_ranges(&out, test_key(Zone::Vault)).unwrap() == body);
    }

    #[test]
    fn ranges_give_what_was_sealed((log2, body) in bodies(), a in any::<u64>(), b in any::<u64>()) {
        let (out, _) = sealed(&body, log2);
        let opener = RangeOpener::new(out, |_| Ok(test_key(Zone::Vault))).unwrap();
        let len = body.len() as u64 + 1;
        let (from, to) = ((a % len).min(b % len), (a % len).max(b % len));
        let mut got = Vec::new();
        opener.read_range(from, to - from, &mut got).unwrap();
        let from = usize::try_from(from).unwrap();
        prop_assert!(got == body[from..usize::try_from(to).unwrap()]);
    }

    #[test]
    fn any_changed_byte_or_cut_is_an_error(
        (log2, body) in bodies(),
        at in any::<u64>(),
        mask in 1u8..,
    ) {
        let (out, _) = sealed(&body, log2);
        let at = usize::try_from(at % out.len() as u64).unwrap();
        let mut flipped = out.clone();
        flipped[at] ^= mask;
        for changed in [&flipped[..], &out[..at]] {
            prop_assert!(open_stream(changed, test_key(Zone::Vault)).is_err());
            prop_assert!(open_ranges(changed, test_key(Zone::Vault)).is_err());
        }
        // What came out before the error is a true beginning of the plaintext.
        if let Ok(mut opener) =
            StreamOpener::new(Cursor::new(flipped), |_| Ok(test_key(Zone::Vault)))
        {
            let mut plain = Vec::new();
            prop_assert!(opener.read_to_end(&mut plain).is_err());
            prop_assert!(body.starts_with(&plain));
        }
    }
}
