//! What the folder store confirmed stays there when the power fails at once afterwards.

use super::*;
use scanveil_testkit::PowerLoss;

/// The store as it would be after a power failure now.
fn after_power_loss(power: &PowerLoss, dir: &TempDir) -> (TempDir, FolderStore) {
    let left = TempDir::new().unwrap();
    power.leave(dir.path(), &left.path().join("left"));
    let store = FolderStore::open(&left.path().join("left/objects")).unwrap();
    (left, store)
}

#[test]
fn objects_that_were_put_outlast_a_power_failure() {
    let power = PowerLoss::watch();
    let (dir, store) = folder();
    let given = dir.path().join("given");
    for n in 1..4 {
        if n == 2 {
            fs::write(&given, [n; 100]).unwrap();
            store.put_file(&key(n), &given, &tags(&key(n))).unwrap();
        } else {
            store.put_bytes(&key(n), &[n; 100], &tags(&key(n))).unwrap();
        }
        let (_left, again) = after_power_loss(&power, &dir);
        for n in 1..=n {
            assert_eq!(again.get_range(&key(n), 0..100).unwrap(), [n; 100]);
            assert_eq!(again.tags(&key(n)).unwrap(), tags(&key(n)));
        }
    }
    let later = ObjectTags { retain_until: "2060-01-01".to_owned(), ..tags(&key(1)) };
    store.set_tags(&key(1), &later).unwrap();
    store.delete(&key(2)).unwrap();
    let (_left, again) = after_power_loss(&power, &dir);
    assert_eq!(again.tags(&key(1)).unwrap(), later);
    assert!(matches!(again.head(&key(2)), Err(StorageError::NotFound { .. })));
}

#[test]
fn folders_that_a_stopped_process_made_are_settled_by_the_next() {
    let power = PowerLoss::watch();
    let (dir, store) = folder();
    // Made, and stopped before their names were durable.
    fs::create_dir_all(root(&dir).join("vault/st-wystan/01")).unwrap();
    store.put_bytes(&key(1), b"x", &tags(&key(1))).unwrap();
    let (_left, again) = after_power_loss(&power, &dir);
    assert_eq!(again.get_range(&key(1), 0..1).unwrap(), b"x");
}
