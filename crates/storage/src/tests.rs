use super::*;
use scanveil_model::{Coded, Digest, HospitalId, ObjectId, ObjectTags, SubjectId, Zone};
use scanveil_seal::{
    Entropy, PackEntry, PackMeta, PackReader, PackWriter, RawZone, ReadAt, SealedObject, StudyKey,
    SubjectKey, ZoneKey,
};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

mod power;

fn hospital(name: &str) -> HospitalId {
    HospitalId::parse(name).unwrap()
}

fn key(n: u8) -> ObjectKey {
    ObjectKey::new(Zone::Vault, hospital("st-wystan"), ObjectId([n; 16]))
}

fn tags(key: &ObjectKey) -> ObjectTags {
    sample_tags(key).unwrap()
}

fn folder() -> (TempDir, FolderStore) {
    let dir = TempDir::new().unwrap();
    let store = FolderStore::open(&dir.path().join("objects")).unwrap();
    (dir, store)
}

fn root(dir: &TempDir) -> PathBuf {
    dir.path().join("objects")
}

/// Every file below the folder, relative to it.
fn files(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

#[test]
fn keys_are_read_back_and_nothing_else_is() {
    let text = "research/st-wystan/ab/abababababababababababababababab.svo";
    let parsed = ObjectKey::parse(text).unwrap();
    assert_eq!(parsed.to_string(), text);
    assert_eq!(parsed.zone(), Zone::Research);
    assert_eq!(serde_json::to_string(&parsed).unwrap(), format!("{text:?}"));
    let wrong = [
        "",
        "research/st-wystan/ab",
        "elsewhere/st-wystan/ab/abababababababababababababababab.svo",
        "research/../ab/abababababababababababababababab.svo",
        "research/St/ab/abababababababababababababababab.svo",
        "research/st-wystan/ac/abababababababababababababababab.svo",
        "research/st-wystan//abababababababababababababababab.svo",
        "research/st-wystan/aba/abababababababababababababababab.svo",
        "research/st-wystan/ab/abababababababababababababababab.svo/x",
        "research/st-wystan/ab/ABABABABABABABABABABABABABABABAB.svo",
        "research/st-wystan/ab/abababababababababababababababab",
        "research/st-wystan/ab/ab.svo",
        "/research/st-wystan/ab/abababababababababababababababab.svo",
    ];
    for text in wrong {
        assert!(matches!(ObjectKey::parse(text), Err(StorageError::Key)), "{text}");
    }
}

#[test]
fn keys_sort_as_their_texts() {
    let mut keys = Vec::new();
    for zone in [Zone::Vault, Zone::Research, Zone::Quarantine] {
        for name in ["a", "a-b", "a0", "ab", "b"] {
            for n in [0, 7, 255] {
                keys.push(ObjectKey::new(zone, hospital(name), ObjectId([n; 16])));
            }
        }
    }
    let mut texts: Vec<_> = keys.iter().map(ToString::to_string).collect();
    keys.sort();
    texts.sort();
    assert_eq!(keys.iter().map(ToString::to_string).collect::<Vec<_>>(), texts);
}

#[test]
fn the_folder_conforms() {
    let (dir, store) = folder();
    let load = ConformanceLoad { many_objects: 130, large_bytes: 40 * 1024 * 1024 + 123 };
    assert_eq!(check_conformance(&store, dir.path(), load), Vec::<String>::new());
    assert_eq!(files(&root(&dir)), Vec::<String>::new(), "it was left clean");
    let report = store.check();
    assert!(report.passed() && report.steps.len() == 4, "{report:?}");
}

#[test]
fn the_suite_notices_a_store_that_does_not_conform() {
    let (dir, store) = folder();
    let faulty = FaultyStore::new(Arc::new(store));
    // The first reads belong to the first checks; a lost byte must be seen in each of them.
    faulty.fail(StoreCall::GetRange, 1, StoreFault::FlipBit);
    faulty.fail(StoreCall::GetRange, 3, StoreFault::ShortRead);
    faulty.fail(StoreCall::SetTags, 1, StoreFault::LoseAnswer);
    let load = ConformanceLoad { many_objects: 3, large_bytes: 1000 };
    let failures = check_conformance(&faulty, dir.path(), load);
    assert_eq!(failures.len(), 3, "{failures:?}");
}

#[test]
fn the_folder_takes_the_file_and_keeps_it_private() {
    let (dir, store) = folder();
    let source = dir.path().join("sealed");
    fs::write(&source, b"sealed bytes").unwrap();
    fs::set_permissions(&source, fs::Permissions::from_mode(0o644)).unwrap();
    let inode = fs::metadata(&source).unwrap().ino();
    store.put_file(&key(1), &source, &tags(&key(1))).unwrap();
    assert!(!source.exists());
    let path = root(&dir).join(key(1).to_string());
    let found = fs::metadata(&path).unwrap();
    assert_eq!((found.ino(), found.mode() & 0o777), (inode, 0o600));
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
    let id = "01".repeat(16);
    let expected = ["svo", "tags.json"].map(|end| format!("vault/st-wystan/01/{id}.{end}"));
    assert_eq!(files(&root(&dir)), expected);
    // A link is not followed into a file that is somebody else's.
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(store.put_file(&key(2), &link, &tags(&key(2))), Err(StorageError::Io { .. })));
}

#[test]
fn a_file_of_another_file_system_is_copied() {
    let (dir, store) = folder();
    let shm = Path::new("/dev/shm");
    let other = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    if other(shm).is_none() || other(shm) == other(dir.path()) {
        eprintln!("skipped: no second file system at /dev/shm");
        return;
    }
    let file = tempfile::NamedTempFile::new_in(shm).unwrap();
    fs::write(file.path(), b"from afar").unwrap();
    store.put_file(&key(1), file.path(), &tags(&key(1))).unwrap();
    assert_eq!(store.get_range(&key(1), 0..9).unwrap(), b"from afar");
    assert_eq!(files(&root(&dir)).len(), 2);
}

#[test]
fn what_a_dead_writer_left_is_passed_over_and_swept() {
    let (dir, store) = folder();
    store.put_bytes(&key(1), b"x", &tags(&key(1))).unwrap();
    let shard = root(&dir).join("vault/st-wystan/01");
    let dead = shard.join(".x.4242-0.tmp");
    let living = shard.join(".x.4242-1.tmp");
    fs::write(&dead, b"half").unwrap();
    fs::write(&living, b"half").unwrap();
    fs::write(root(&dir).join(".x.4242-2.tmp"), b"half").unwrap();
    fs::write(shard.join("note.txt"), b"of somebody").unwrap();
    let writer = File::open(&living).unwrap();
    writer.lock().unwrap();
    let listed = store.list(&KeyPrefix::All, &Page::first()).unwrap();
    assert_eq!(listed.objects.len(), 1);
    assert_eq!(listed.next, None);
    FolderStore::open(&root(&dir)).unwrap();
    assert!(!dead.exists() && living.exists() && !root(&dir).join(".x.4242-2.tmp").exists());
    assert!(shard.join("note.txt").exists());
    drop(writer);
    FolderStore::open(&root(&dir)).unwrap();
    assert!(!living.exists());
}

#[test]
fn a_damaged_tags_file_is_an_error_and_a_new_put_mends_it() {
    let (dir, store) = folder();
    store.put_bytes(&key(1), b"x", &tags(&key(1))).unwrap();
    let path = root(&dir).join(format!("vault/st-wystan/01/{}.tags.json", "01".repeat(16)));
    let good = fs::read_to_string(&path).unwrap();
    assert!(good.starts_with("{\"version\":1,"), "{good}");
    let damaged = [
        good.replace("\"version\":1", "\"version\":2"),
        good.replace("\"version\":1", "\"version\":1,\"more\":1"),
        good.replace("\"vault\"", "\"research\""),
        good[..good.len() / 2].to_owned(),
        String::new(),
    ];
    for text in damaged {
        fs::write(&path, &text).unwrap();
        assert!(matches!(store.tags(&key(1)), Err(StorageError::Tags { .. })), "{text}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(store.tags(&key(1)), Err(StorageError::Tags { .. })));
    store.put_bytes(&key(1), b"x", &tags(&key(1))).unwrap();
    assert_eq!(store.tags(&key(1)).unwrap(), tags(&key(1)));
}

/// Invented randomness: a counter.
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            piece.copy_from_slice(&number[..piece.len()]);
        }
    }
}

struct Sealed {
    object: SealedObject,
    bytes: Vec<u8>,
    key: ZoneKey,
    plain: Vec<u8>,
}

fn seal() -> Sealed {
    let entropy = Counter(AtomicU64::new(0));
    let key = SubjectKey::generate(&entropy).zone_key(Zone::Vault);
    let meta = PackMeta {
        zone: RawZone::Vault,
        hospital: hospital("st-wystan"),
        subject: SubjectId([3; 16]),
        study_key: StudyKey([4; 16]),
        received_at_ms: 5,
    };
    let plain = b"an instance ".repeat(60_000);
    let mut pack = PackWriter::new(Vec::new(), ObjectId([9; 16]), meta, &key, &entropy).unwrap();
    let entry = PackEntry {
        sop_instance_uid: None,
        sop_class_uid: None,
        series_instance_uid: None,
        study_instance_uid: None,
        transfer_syntax: None,
        offset: 0,
        length: plain.len() as u64,
        digest: Digest(*blake3::hash(&plain).as_bytes()),
        source: None,
        reasons: Vec::new(),
        attributes: BTreeMap::new(),
    };
    pack.append(entry, &plain).unwrap();
    let (bytes, object) = pack.finish().unwrap();
    Sealed { object, bytes, key, plain }
}

#[test]
fn a_sealed_object_is_stored_confirmed_and_opened() {
    let (dir, folder) = folder();
    let Sealed { object, bytes, key: zone_key, plain } = seal();
    let store = Store::new(Arc::new(folder));
    let source = dir.path().join("sealed");
    fs::write(&source, &bytes).unwrap();
    let key = key(9);
    let stored = store.put_sealed(&object, &source, &tags(&key)).unwrap();
    assert_eq!((stored.key(), stored.object()), (&key, object.object_id()));
    assert_eq!((stored.bytes(), stored.digest()), (object.bytes(), Some(object.digest())));
    assert_eq!(stored.tags(), &tags(&key));

    let reader = store.open(&key).unwrap();
    let mut past = [0; 4];
    assert_eq!(reader.read_at(object.bytes(), &mut past).unwrap(), 0);
    assert_eq!(reader.read_at(object.bytes() - 1, &mut past).unwrap(), 1);
    assert_eq!(reader.read_at(u64::MAX, &mut past).unwrap(), 0);
    // `ZoneKey` cannot be copied, so the closure gives the only one away.
    let pack = PackReader::open(reader, move |_| Ok(zone_key)).unwrap();
    let mut found = Vec::new();
    pack.read_instance(&pack.index().entries[0], &mut found).unwrap();
    assert_eq!(found, plain);

    let found = store.confirm(&key).unwrap();
    assert_eq!(
        (found.bytes(), found.digest(), found.tags()),
        (bytes.len() as u64, None, &tags(&key))
    );
    store.delete(&key).unwrap();
    assert!(matches!(store.open(&key), Err(StorageError::NotFound { .. })));
    assert!(matches!(store.confirm(&key), Err(StorageError::NotFound { .. })));
}

#[test]
fn a_file_that_is_not_the_sealed_object_is_refused() {
    let (dir, folder) = folder();
    let Sealed { object, bytes, .. } = seal();
    let store = Store::new(Arc::new(folder));
    let source = dir.path().join("sealed");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    let longer = [bytes.as_slice(), b"x"].concat();
    for (bytes, expected) in
        [(&flipped[..], "digest"), (&longer[..], "size"), (&bytes[1..], "size"), (b"", "size")]
    {
        fs::write(&source, bytes).unwrap();
        match store.put_sealed(&object, &source, &tags(&key(9))) {
            Err(StorageError::SourceMismatch { what, .. }) => assert_eq!(what, expected),
            other => panic!("{other:?}"),
        }
    }
    fs::write(&source, &bytes).unwrap();
    let mut other = tags(&key(9));
    other.zone = Zone::Research;
    let refused = store.put_sealed(&object, &source, &other);
    assert!(matches!(refused, Err(StorageError::Tags { .. })));
    assert_eq!(files(&root(&dir)), Vec::<String>::new());
    assert!(source.exists(), "a refused file is left where it is");
}

#[test]
fn no_stored_object_without_the_stores_word() {
    let cases = [
        (StoreCall::Put, StoreFault::Refuse, "SV-STORAGE-003", false),
        (StoreCall::Put, StoreFault::LoseAnswer, "SV-STORAGE-003", true),
        (StoreCall::Put, StoreFault::ShortWrite, "SV-STORAGE-016", true),
        (StoreCall::Head, StoreFault::Refuse, "SV-STORAGE-003", true),
    ];
    for (call, fault, code, there) in cases {
        let (dir, folder) = folder();
        let faulty = Arc::new(FaultyStore::new(Arc::new(folder)));
        let store = Store::new(Arc::clone(&faulty) as Arc<dyn ObjectStore>);
        let Sealed { object, bytes, .. } = seal();
        let source = dir.path().join("sealed");
        fs::write(&source, &bytes).unwrap();
        faulty.fail(call, 1, fault);
        let error = store.put_sealed(&object, &source, &tags(&key(9))).unwrap_err();
        assert_eq!(error.code(), code, "{call:?} {fault:?}");
        assert!(error.is_transient());
        assert_eq!(!files(&root(&dir)).is_empty(), there, "{call:?} {fault:?}");
        // The same again, with the file written again where it was taken, ends well.
        fs::write(&source, &bytes).unwrap();
        let stored = store.put_sealed(&object, &source, &tags(&key(9))).unwrap();
        assert_eq!(stored.bytes(), object.bytes());
        assert_eq!(faulty.calls(StoreCall::Put), 2);
    }
}

#[test]
fn reading_through_a_failing_store_never_gives_wrong_bytes() {
    for fault in [StoreFault::Refuse, StoreFault::FlipBit, StoreFault::ShortRead] {
        for nth in 1..=4 {
            let (dir, folder) = folder();
            let faulty = Arc::new(FaultyStore::new(Arc::new(folder)));
            let store = Store::new(Arc::clone(&faulty) as Arc<dyn ObjectStore>);
            let Sealed { object, bytes, key: zone_key, plain } = seal();
            let source = dir.path().join("sealed");
            fs::write(&source, &bytes).unwrap();
            store.put_sealed(&object, &source, &tags(&key(9))).unwrap();
            faulty.fail(StoreCall::GetRange, nth, fault);
            let reader = store.open(&key(9)).unwrap();
            let mut found = Vec::new();
            let read = PackReader::open(reader, move |_| Ok(zone_key))
                .and_then(|pack| pack.read_instance(&pack.index().entries[0], &mut found));
            assert!(read.is_err() || found == plain, "{fault:?} at {nth}");
            // A short read is legal and is gone on with; anything else must be an error.
            assert!(
                read.is_err()
                    || fault == StoreFault::ShortRead
                    || faulty.calls(StoreCall::GetRange) < nth
            );
        }
    }
}

#[test]
fn objects_are_walked_page_by_page_up_to_the_first_error() {
    let (_dir, folder) = folder();
    for n in 0..20 {
        folder.put_bytes(&key(n), b"x", &tags(&key(n))).unwrap();
    }
    let faulty = Arc::new(FaultyStore::new(Arc::new(folder)));
    let store = Store::new(Arc::clone(&faulty) as Arc<dyn ObjectStore>);
    let walk = |prefix| store.objects(prefix).collect::<Vec<_>>();
    assert_eq!(walk(KeyPrefix::Zone(Zone::Vault)).len(), 20);
    assert_eq!(walk(KeyPrefix::Zone(Zone::Research)).len(), 0);
    assert_eq!(walk(KeyPrefix::Hospital(Zone::Vault, hospital("st"))).len(), 0);
    faulty.fail(StoreCall::List, 1, StoreFault::Refuse);
    let failed = walk(KeyPrefix::All);
    assert!(failed.len() == 1 && failed[0].is_err());
}

#[test]
fn every_error_has_a_code_of_its_own_and_a_next_step() {
    let (key, action, what) = (String::from("k"), "reading", "size");
    let path = PathBuf::from("/etc/scanveil/credentials");
    let errors = [
        StorageError::NotFound { key: key.clone() },
        StorageError::Denied { action, status: 403, code: "AccessDenied".into() },
        StorageError::Unreachable { action, why: "timed out" },
        StorageError::RegionMismatch { configured: "a".into(), actual: "b".into() },
        StorageError::InsecureEndpoint,
        StorageError::CredentialsFileMode { path: path.clone(), mode: 0o644 },
        StorageError::CredentialsFileFormat { path, what },
        StorageError::CredentialsMissing { variable: "AWS_ACCESS_KEY_ID" },
        StorageError::Config { setting: "region", what },
        StorageError::BucketMissing,
        StorageError::OutOfRange { key: key.clone(), start: 0, end: 1 },
        StorageError::TooLarge { what, bytes: 2, limit: 1 },
        StorageError::io(action, std::io::ErrorKind::PermissionDenied.into()),
        StorageError::io(action, std::io::ErrorKind::StorageFull.into()),
        StorageError::Failed { action, status: 500, code: "InternalError".into() },
        StorageError::NotConfirmed { key: key.clone(), what },
        StorageError::SourceMismatch { key: key.clone(), what },
        StorageError::Tags { key, what },
        StorageError::Key,
    ];
    let codes: HashSet<_> = errors.iter().map(Coded::code).collect();
    assert_eq!(codes.len(), errors.len());
    for error in &errors {
        assert!(error.next_step().len() > 10);
        assert!(error.to_string().starts_with(|c: char| !c.is_uppercase()), "{error}");
    }
}
