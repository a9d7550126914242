//! Versions of a hospital's secret, and sealed notes.

use super::*;
use crate::keyring::secrets::MAX_SECRETS;
use scanveil_seal::{PseudonymSecret, WrappedKey};

/// Equal for equal secrets: wrapped with the same nonce.
fn print(keys: &HospitalKeys, secret: &PseudonymSecret) -> WrappedKey {
    let entropy = Counter(AtomicU64::new(7));
    keys.key.wrap_pseudonym_secret(&hospital(), secret, &entropy).unwrap()
}

fn in_force(keyring: &Keyring) -> (u32, WrappedKey) {
    let keys = keyring.hospital(&hospital()).unwrap();
    (keys.secret_version, print(&keys, &keys.pseudonym_secret))
}

#[test]
fn earlier_secrets_are_kept_beside_the_one_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let keyring = open(dir.path());
    let (number, old) = in_force(&keyring);
    assert_eq!(number, 1);
    keyring.subject(&hospital(), &SUBJECT).unwrap();
    let first = SecretVersion { number: 1, made_at_ms: None, reason: None };
    assert_eq!(keyring.secret_versions(&hospital()).unwrap(), [first]);

    assert_eq!(keyring.change_secret(&hospital(), "yearly change", 1_000).unwrap(), 2);
    let file = dir.path().join("hospitals/st-wystan.json");
    assert!(fs::read_to_string(&file).unwrap().starts_with(r#"{"version":1,"#));
    assert_eq!(mode(&file), 0o600);
    for keyring in [keyring, open(dir.path())] {
        let (number, print_of_new) = in_force(&keyring);
        assert_eq!(number, 2);
        assert_ne!(print_of_new, old);
        let keys = keyring.hospital(&hospital()).unwrap();
        assert_eq!(print(&keys, keys.secret(1).unwrap()), old);
        assert_eq!(print(&keys, keys.secret(2).unwrap()), print_of_new);
        assert!(keys.secret(0).is_none() && keys.secret(3).is_none());
        keyring.existing_subject(&hospital(), &SUBJECT).unwrap();
    }
}

#[test]
fn a_change_is_taken_up_by_whoever_has_the_keyring_open() {
    let dir = tempfile::tempdir().unwrap();
    let (service, command) = (open(dir.path()), open(dir.path()));
    let before = in_force(&service);
    let sealed = seal(&service.intake_key(&hospital()).unwrap());
    assert_eq!(command.change_secret(&hospital(), "a leak of ours", 5).unwrap(), 2);
    let after = in_force(&service);
    assert_eq!((before.0, after.0), (1, 2));
    assert_ne!(before.1, after.1);
    assert_eq!(in_force(&command), after);
    // What was sealed under the hospital's key has nothing to do with it.
    assert!(opens(&sealed, service.intake_key(&hospital()).unwrap()));
    assert_eq!(service.change_secret(&hospital(), "again", 6).unwrap(), 3);
    let versions = command.secret_versions(&hospital()).unwrap();
    let told: Vec<_> =
        versions.iter().map(|one| (one.number, one.made_at_ms, one.reason.as_deref())).collect();
    let expected =
        [(1, None, None), (2, Some(5), Some("a leak of ours")), (3, Some(6), Some("again"))];
    assert_eq!(told, expected);
    let text = fs::read_to_string(dir.path().join("hospitals/st-wystan.json")).unwrap();
    assert!(!text.contains("leak"), "reasons are sealed");
    let names = fs::read_dir(dir.path().join("hospitals")).unwrap().count();
    assert_eq!(names, 1, "nothing temporary is left");
}

#[test]
fn of_many_changes_at_once_each_counts() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).hospital(&hospital()).unwrap();
    let start = Barrier::new(4);
    let mut numbers: Vec<u32> = std::thread::scope(|scope| {
        let change = |_| {
            let (dir, start) = (dir.path(), &start);
            scope.spawn(move || {
                let keyring = open(dir);
                start.wait();
                keyring.change_secret(&hospital(), "at once", 1).unwrap()
            })
        };
        let threads: Vec<_> = (0..4).map(change).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3, 4, 5]);
    assert_eq!(in_force(&open(dir.path())).0, 5);
}

#[test]
fn what_cannot_be_changed_stays() {
    let dir = tempfile::tempdir().unwrap();
    let keyring = open(dir.path());
    let none = keyring.change_secret(&hospital(), "early", 1).unwrap_err();
    assert!(matches!(none, KeyringError::HospitalUnknown(_)), "{none}");
    keyring.hospital(&hospital()).unwrap();
    let long = "x".repeat(401);
    assert_eq!(keyring.change_secret(&hospital(), &long, 1).unwrap_err().code(), "SV-VAULT-112");
    for _ in 1..MAX_SECRETS {
        keyring.change_secret(&hospital(), &long[..400], 1).unwrap();
    }
    assert_eq!(keyring.change_secret(&hospital(), "one", 1).unwrap_err().code(), "SV-VAULT-112");
    assert_eq!(in_force(&open(dir.path())).0, 100);
}

#[test]
fn a_list_of_secrets_that_was_touched_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let keyring = open(dir.path());
    keyring.hospital(&hospital()).unwrap();
    keyring.change_secret(&hospital(), "one", 1).unwrap();
    keyring.change_secret(&hospital(), "two", 2).unwrap();
    let file = dir.path().join("hospitals/st-wystan.json");
    let good = fs::read_to_string(&file).unwrap();
    let mut exchanged: serde_json::Value = serde_json::from_str(&good).unwrap();
    let entries = exchanged["pseudonym_secrets"].as_array_mut().unwrap();
    let (second, third) = (entries[1]["secret"].clone(), entries[2]["secret"].clone());
    (entries[1]["secret"], entries[2]["secret"]) = (third, second);
    let mut shortened: serde_json::Value = serde_json::from_str(&good).unwrap();
    shortened["pseudonym_secrets"].as_array_mut().unwrap().pop();
    let mut empty = shortened.clone();
    empty["pseudonym_secrets"].as_array_mut().unwrap().clear();
    let mut unchecked: serde_json::Value = serde_json::from_str(&good).unwrap();
    unchecked["check"] = serde_json::Value::Null;
    for touched in [exchanged, shortened, empty, unchecked] {
        fs::write(&file, touched.to_string()).unwrap();
        // The keyring that is open looks again, because the file is another one.
        for keyring in [&keyring, &open(dir.path())] {
            let refused = keyring.hospital(&hospital()).unwrap_err();
            assert!(matches!(refused, KeyringError::Damaged(_)), "{refused}");
            assert!(keyring.change_secret(&hospital(), "three", 3).is_err());
        }
    }
    fs::write(&file, &good).unwrap();
    assert_eq!(in_force(&keyring).0, 3);
}

#[test]
fn notes_open_under_their_name_and_key_only() {
    let dir = tempfile::tempdir().unwrap();
    let keyring = open(dir.path());
    assert!(keyring.seal_note(&hospital(), "a", b"text").is_err());
    keyring.hospital(&hospital()).unwrap();
    let sealed = keyring.seal_note(&hospital(), "a", b"text").unwrap();
    assert!(!sealed.windows(4).any(|four| four == b"text"));
    let (of, note) = keyring.open_note("a", &sealed).unwrap();
    assert_eq!((of, note.as_slice()), (hospital(), &b"text"[..]));
    assert_eq!(keyring.open_note("b", &sealed).unwrap_err().code(), "SV-VAULT-111");
    for at in [0, 10, sealed.len() - 1] {
        let mut touched = sealed.clone();
        touched[at] ^= 1;
        assert!(keyring.open_note("a", &touched).is_err(), "{at}");
    }
    assert!(keyring.open_note("a", &sealed[..sealed.len() - 1]).is_err());
    let other = tempfile::tempdir().unwrap();
    let other = open(other.path());
    other.hospital(&hospital()).unwrap();
    assert!(other.open_note("a", &sealed).is_err());
    let most = vec![1; notes::MAX_NOTE_BYTES];
    let sealed = keyring.seal_note(&hospital(), "long", &most).unwrap();
    assert!(keyring.open_note("long", &sealed).unwrap().1 == most);
    assert!(keyring.seal_note(&hospital(), "long", &[most, vec![1]].concat()).is_err());
}
