use super::cache::MAX_CACHED_SUBJECTS;
use super::*;
use scanveil_model::{Coded, ObjectId};
use scanveil_seal::{StreamHeader, StreamOpener, StreamSealer};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

mod power;
mod secrets;

/// Bytes that never repeat, so that two keys are never equal by accident.
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            part.copy_from_slice(&next[..part.len()]);
        }
    }
}

/// Each keyring of a test draws other bytes, as each process would.
fn entropy() -> Arc<dyn Entropy> {
    static SEED: AtomicU64 = AtomicU64::new(1);
    Arc::new(Counter(AtomicU64::new(SEED.fetch_add(1, Ordering::Relaxed) << 32)))
}

fn open(dir: &Path) -> Keyring {
    Keyring::open(dir, entropy()).unwrap()
}

fn refused(dir: &Path) -> KeyringError {
    Keyring::open(dir, entropy()).unwrap_err()
}

fn hospital() -> HospitalId {
    HospitalId::parse("st-wystan").unwrap()
}

const SUBJECT: SubjectId = SubjectId([0xab; 16]);

fn seal(key: &ZoneKey) -> Vec<u8> {
    let header = match key.zone() {
        Zone::Research => unreachable!("streams of research are packs"),
        zone => StreamHeader::subject(zone, hospital(), SUBJECT, ObjectId([1; 16])),
    };
    let mut sealer =
        StreamSealer::new(Vec::new(), &header, key, &Counter(AtomicU64::new(7))).unwrap();
    sealer.write_all(b"bytes").unwrap();
    sealer.finish().unwrap().0
}

fn opens(sealed: &[u8], key: ZoneKey) -> bool {
    let mut plain = Vec::new();
    match StreamOpener::new(sealed, |_| Ok(key)) {
        Ok(mut opener) => opener.read_to_end(&mut plain).is_ok() && plain == b"bytes",
        Err(_) => false,
    }
}

fn same(a: &SubjectKey, b: &SubjectKey) -> bool {
    opens(&seal(&a.zone_key(Zone::Vault)), b.zone_key(Zone::Vault))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn key_path(dir: &Path) -> PathBuf {
    dir.join("subjects/st-wystan/ab").join(format!("{SUBJECT}.key"))
}

#[test]
fn keys_are_made_once_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("deep/keyring");
    let first = open(dir);
    let keys = first.hospital(&hospital()).unwrap();
    let subject = first.subject(&hospital(), &SUBJECT).unwrap();
    let intake = seal(&first.intake_key(&hospital()).unwrap());
    let id = keys.key.subject_id(b"", b"SYN-1");
    drop(first);

    let second = open(dir);
    let again = second.hospital(&hospital()).unwrap();
    assert_eq!(again.key.subject_id(b"", b"SYN-1"), id);
    assert!(same(&subject, &second.subject(&hospital(), &SUBJECT).unwrap()));
    assert!(same(&subject, &second.existing_subject(&hospital(), &SUBJECT).unwrap()));
    assert!(opens(&intake, second.intake_key(&hospital()).unwrap()));
    assert!(!opens(&intake, subject.zone_key(Zone::Vault)));
    let other = second.subject(&hospital(), &SubjectId([1; 16])).unwrap();
    assert!(!same(&subject, &other));
}

#[test]
fn files_lie_where_the_format_says_with_private_modes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().join("keyring");
    let keyring = open(dir);
    keyring.subject(&hospital(), &SUBJECT).unwrap();
    let files = ["root.key".into(), "hospitals/st-wystan.json".into(), key_path(dir)];
    for file in files.map(|f: PathBuf| dir.join(f)) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        assert_eq!(mode(file.parent().unwrap()), 0o700, "{}", file.display());
    }
    assert_eq!(keyring.root_key_path(), dir.join("root.key"));
    let root = fs::read_to_string(dir.join("root.key")).unwrap();
    assert!(root.starts_with("scanveil-root-key-1:"));
    let text = fs::read_to_string(key_path(dir)).unwrap();
    assert!(text.starts_with(r#"{"version":1,"kind":"subject-key","nonce":""#), "{text}");
    let names = fs::read_dir(key_path(dir).parent().unwrap()).unwrap().count();
    assert_eq!(names, 1, "nothing temporary is left");
    assert_eq!(format!("{keyring:?}"), "Keyring(..)");
}

#[test]
fn what_is_not_asked_to_be_made_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let keyring = open(dir.path());
    let none = keyring.existing_hospital(&hospital()).unwrap_err();
    assert!(matches!(none, KeyringError::HospitalUnknown(_)));
    let none = keyring.existing_subject(&hospital(), &SUBJECT).unwrap_err();
    assert!(matches!(none, KeyringError::HospitalUnknown(_)));
    let none = keyring.destroy_subject(&hospital(), &SUBJECT).unwrap_err();
    assert!(matches!(none, KeyringError::HospitalUnknown(_)));
    keyring.hospital(&hospital()).unwrap();
    let none = keyring.existing_subject(&hospital(), &SUBJECT).unwrap_err();
    assert!(matches!(none, KeyringError::SubjectUnknown(_)));
    let none = keyring.destroy_subject(&hospital(), &SUBJECT).unwrap_err();
    assert!(matches!(none, KeyringError::SubjectUnknown(_)));
    let none = keyring.research_keys().zone_key(&hospital(), &SUBJECT).unwrap_err();
    assert!(matches!(none, SealError::KeyUnknown));
    assert!(!dir.path().join("subjects").exists());
}

#[test]
fn a_root_key_that_others_can_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path());
    let root = dir.path().join("root.key");
    for mode in [0o640, 0o604, 0o620, 0o601, 0o660] {
        fs::set_permissions(&root, fs::Permissions::from_mode(mode)).unwrap();
        let err = refused(dir.path());
        assert!(matches!(err, KeyringError::RootKeyExposed { .. }), "{mode:o}: {err}");
        assert_eq!(err.code(), "SV-VAULT-102");
    }
    fs::set_permissions(&root, fs::Permissions::from_mode(0o400)).unwrap();
    open(dir.path());
}

#[test]
fn lost_and_foreign_keys_are_refused_and_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (root, file) = (dir.path().join("root.key"), dir.path().join("hospitals/st-wystan.json"));
    let keyring = open(dir.path());
    keyring.subject(&hospital(), &SUBJECT).unwrap();
    drop(keyring);
    let kept = fs::read(&root).unwrap();

    fs::remove_file(&root).unwrap();
    assert!(matches!(refused(dir.path()), KeyringError::RootKeyMissing(_)));
    assert!(!root.exists());

    // The root key of another installation.
    let other = tempfile::tempdir().unwrap();
    open(other.path());
    fs::copy(other.path().join("root.key"), &root).unwrap();
    let err = open(dir.path()).hospital(&hospital()).unwrap_err();
    assert!(matches!(err, KeyringError::Seal { source: SealError::UnwrapRefused, .. }), "{err}");

    fs::write(&root, "scanveil-root-key-1:00").unwrap();
    assert!(matches!(refused(dir.path()), KeyringError::Seal { .. }));
    fs::write(&root, &kept).unwrap();

    fs::remove_file(&file).unwrap();
    let err = open(dir.path()).hospital(&hospital()).unwrap_err();
    assert!(matches!(err, KeyringError::HospitalKeyMissing(_)), "{err}");
    assert!(!file.exists());
    // Subjects alone are enough to miss the root key.
    fs::remove_file(&root).unwrap();
    assert!(matches!(refused(dir.path()), KeyringError::RootKeyMissing(_)));
}

#[test]
fn damaged_and_newer_files_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).subject(&hospital(), &SUBJECT).unwrap();
    let file = dir.path().join("hospitals/st-wystan.json");
    let good = fs::read_to_string(&file).unwrap();
    let long = " ".repeat(300 << 10);
    let newer = good.replacen(r#""version":1"#, r#""version":2"#, 1);
    let table: &[(&str, &str)] = &[
        ("", "SV-VAULT-108"),
        ("{}", "SV-VAULT-108"),
        (&good[..good.len() - 1], "SV-VAULT-108"),
        (&good.replace("pseudonym_secrets", "pseudonym"), "SV-VAULT-108"),
        (&good.replacen('{', r#"{"colour":1,"#, 1), "SV-VAULT-108"),
        (&newer, "SV-VAULT-110"),
        (&newer.replacen('{', r#"{"colour":1,"#, 1), "SV-VAULT-110"),
        (&long, "SV-VAULT-101"),
    ];
    for (content, code) in table {
        fs::write(&file, content).unwrap();
        let err = open(dir.path()).hospital(&hospital()).unwrap_err();
        assert_eq!(err.code(), *code, "{content}: {err}");
        assert!(!err.to_string().contains("colour"));
    }
    fs::write(&file, &good).unwrap();

    // A subject's key under another subject's name does not open.
    let other = SubjectId([0xac; 16]);
    let stolen = dir.path().join(format!("subjects/st-wystan/ac/{other}.key"));
    fs::create_dir(stolen.parent().unwrap()).unwrap();
    fs::copy(key_path(dir.path()), stolen).unwrap();
    let err = open(dir.path()).subject(&hospital(), &other).unwrap_err();
    assert_eq!(err.code(), "SV-VAULT-109");
}

#[test]
fn destroying_a_subject_is_final() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (open(dir.path()), open(dir.path()));
    let key = here.subject(&hospital(), &SUBJECT).unwrap();
    there.subject(&hospital(), &SUBJECT).unwrap();
    let leftover = key_path(dir.path()).with_file_name(format!(".{SUBJECT}.key.9-9.tmp"));
    fs::copy(key_path(dir.path()), &leftover).unwrap();
    assert!(here.research_keys().zone_key(&hospital(), &SUBJECT).is_ok());

    here.destroy_subject(&hospital(), &SUBJECT).unwrap();
    here.destroy_subject(&hospital(), &SUBJECT).unwrap();
    assert!(!key_path(dir.path()).exists() && !leftover.exists());
    // The other keyring held the key in memory: it must not give it any more.
    for keyring in [&here, &there, &open(dir.path())] {
        for result in [
            keyring.subject(&hospital(), &SUBJECT),
            keyring.existing_subject(&hospital(), &SUBJECT),
        ] {
            assert!(matches!(result, Err(KeyringError::SubjectDestroyed(_))));
        }
        let research = keyring.research_keys().zone_key(&hospital(), &SUBJECT);
        assert!(matches!(research, Err(SealError::KeyDestroyed)));
    }
    assert!(!key_path(dir.path()).exists());
    drop(key);
    let listed = there.list().unwrap();
    assert_eq!((listed[0].subjects, listed[0].destroyed), (0, 1));
}

#[test]
fn an_interrupted_destruction_is_finished_by_the_next_look() {
    let dir = tempfile::tempdir().unwrap();
    let keyring = open(dir.path());
    keyring.subject(&hospital(), &SUBJECT).unwrap();
    // The mark is durable, the key not removed yet.
    fs::write(key_path(dir.path()).with_extension("destroyed"), "").unwrap();
    let result = keyring.subject(&hospital(), &SUBJECT);
    assert!(matches!(result, Err(KeyringError::SubjectDestroyed(_))));
    assert!(!key_path(dir.path()).exists());
}

#[test]
fn a_damaged_key_can_be_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    let keyring = open(dir.path());
    keyring.subject(&hospital(), &SUBJECT).unwrap();
    fs::write(key_path(dir.path()), "rubbish").unwrap();
    fs::write(dir.path().join("hospitals/st-wystan.json"), "rubbish").unwrap();
    open(dir.path()).destroy_subject(&hospital(), &SUBJECT).unwrap();
    assert!(!key_path(dir.path()).exists());
}

#[test]
fn a_key_that_went_missing_is_not_used_from_memory() {
    let dir = tempfile::tempdir().unwrap();
    let keyring = open(dir.path());
    let lost = keyring.subject(&hospital(), &SUBJECT).unwrap();
    fs::remove_file(key_path(dir.path())).unwrap();
    assert!(keyring.existing_subject(&hospital(), &SUBJECT).is_err());
    assert!(!same(&lost, &keyring.subject(&hospital(), &SUBJECT).unwrap()));
}

#[test]
fn of_many_makers_one_makes_the_key() {
    let dir = tempfile::tempdir().unwrap();
    // Two keyrings share nothing but the folder, as two processes would.
    let keyrings = [open(dir.path()), open(dir.path())];
    let start = Barrier::new(8);
    let keys: Vec<(u8, Arc<SubjectKey>)> = std::thread::scope(|scope| {
        let make = |thread: usize| {
            let (keyring, start) = (&keyrings[thread % 2], &start);
            scope.spawn(move || {
                start.wait();
                let make = |n| (n, keyring.subject(&hospital(), &SubjectId([n; 16])).unwrap());
                (0..10).map(make).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..8).map(make).collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(keys.len(), 80);
    let fresh = open(dir.path());
    for (n, key) in &keys {
        let durable = fresh.existing_subject(&hospital(), &SubjectId([*n; 16])).unwrap();
        assert!(same(&durable, key), "subject {n}");
    }
    let expected = HospitalListing { hospital: hospital(), subjects: 10, destroyed: 0 };
    assert_eq!(fresh.list().unwrap(), [expected]);
}

#[test]
fn of_many_first_starts_one_makes_the_root_key() {
    let dir = tempfile::tempdir().unwrap();
    let start = Barrier::new(4);
    let ids: Vec<SubjectId> = std::thread::scope(|scope| {
        let make = |_| {
            let (dir, start) = (dir.path(), &start);
            scope.spawn(move || {
                start.wait();
                open(dir).hospital(&hospital()).unwrap().key.subject_id(b"", b"SYN-1")
            })
        };
        let threads: Vec<_> = (0..4).map(make).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[test]
fn the_cache_is_bounded() {
    let mut cache = SubjectCache::default();
    let id = |n: usize| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_le_bytes());
        SubjectId(id)
    };
    let entropy = Counter(AtomicU64::new(1));
    let key = Arc::new(SubjectKey::generate(&entropy));
    for n in 0..MAX_CACHED_SUBJECTS.get() + 10 {
        cache.put(&hospital(), &id(n), Arc::clone(&key));
        cache.put(&hospital(), &id(n), Arc::clone(&key));
    }
    assert_eq!(cache.len(), MAX_CACHED_SUBJECTS.get());
    assert!(cache.get(&hospital(), &id(9)).is_none());
    assert!(cache.get(&hospital(), &id(10)).is_some());
    cache.forget(&hospital(), &id(10));
    cache.forget(&hospital(), &id(10));
    assert_eq!(cache.len(), MAX_CACHED_SUBJECTS.get() - 1);
}

#[test]
fn the_list_counts_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let keyring = open(dir.path());
    assert_eq!(keyring.list().unwrap(), []);
    let second = HospitalId::parse("a-clinic").unwrap();
    keyring.hospital(&second).unwrap();
    for n in 0..3 {
        keyring.subject(&hospital(), &SubjectId([n; 16])).unwrap();
    }
    keyring.destroy_subject(&hospital(), &SubjectId([1; 16])).unwrap();
    fs::write(key_path(dir.path()).with_file_name("x"), "x").unwrap_err();
    fs::write(dir.path().join("subjects/st-wystan/00/notes.key"), "x").unwrap();
    let listed = keyring.list().unwrap();
    let expected = [
        HospitalListing { hospital: second, subjects: 0, destroyed: 0 },
        HospitalListing { hospital: hospital(), subjects: 2, destroyed: 1 },
    ];
    assert_eq!(listed, expected);
}

#[test]
fn damaged_key_files_are_named_and_nothing_is_made() {
    let temp = tempfile::tempdir().unwrap();
    let none = temp.path().join("none");
    assert!(!Keyring::is_in(&none).unwrap() && bad_key_files(&none).is_empty());
    assert!(!none.exists());

    let dir = temp.path().join("keys");
    let keyring = open(&dir);
    keyring.subject(&hospital(), &SUBJECT).unwrap();
    keyring.subject(&hospital(), &SubjectId([0xcd; 16])).unwrap();
    drop(keyring);
    assert!(Keyring::is_in(&dir).unwrap() && bad_key_files(&dir).is_empty());
    let damage = |file: &Path| {
        let whole = fs::read(dir.join(file)).unwrap();
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(dir.join(file), bytes).unwrap();
        whole
    };
    let subject = key_path(Path::new(""));
    let table = [
        (PathBuf::from("root.key"), true),
        (PathBuf::from("hospitals/st-wystan.json"), false),
        (subject.clone(), false),
    ];
    for (file, is_root) in table {
        let whole = damage(&file);
        let found = bad_key_files(&dir);
        // A root key whose digits changed is another key: then nothing else opens.
        let named = found.iter().any(|bad| bad.file == file && bad.is_root == is_root);
        assert!(named || (is_root && !found.is_empty()), "{file:?}: {found:?}");
        assert!(found.iter().all(|bad| bad.report.next_step.contains("backup")), "{found:?}");
        fs::write(dir.join(&file), whole).unwrap();
    }
    damage(&subject);
    open(&dir).destroy_subject(&hospital(), &SUBJECT).unwrap();
    assert!(bad_key_files(&dir).is_empty());
    fs::remove_file(dir.join("root.key")).unwrap();
    assert!(Keyring::is_in(&dir).unwrap());
    assert_eq!(bad_key_files(&dir)[0].report.code, "SV-VAULT-103");
}
