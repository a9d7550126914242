//! What the keyring said is there stays there when the power fails at once afterwards.

use super::*;
use scanveil_testkit::PowerLoss;

/// A keyring's folder, what becomes durable of it, and what power failures left.
struct Machine {
    dir: tempfile::TempDir,
    power: PowerLoss,
    left: Vec<tempfile::TempDir>,
}

impl Machine {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), power: PowerLoss::watch(), left: Vec::new() }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("deep/keys")
    }

    /// The keyring as it would be after a power failure now.
    fn after_power_loss(&mut self) -> Keyring {
        let left = tempfile::tempdir().unwrap();
        let root = left.path().join("left");
        self.power.leave(self.dir.path(), &root);
        self.left.push(left);
        open(&root.join("deep/keys"))
    }
}

#[test]
fn keys_that_were_given_out_outlast_a_power_failure() {
    let mut machine = Machine::new();
    let keyring = open(&machine.folder());
    let keys = keyring.hospital(&hospital()).unwrap();
    let id = keys.key.subject_id(b"", b"SYN-1");
    let again = machine.after_power_loss().existing_hospital(&hospital()).unwrap();
    assert_eq!(again.key.subject_id(b"", b"SYN-1"), id);

    let subject = keyring.subject(&hospital(), &SUBJECT).unwrap();
    let left = machine.after_power_loss();
    assert!(same(&left.existing_subject(&hospital(), &SUBJECT).unwrap(), &subject));

    assert_eq!(keyring.change_secret(&hospital(), "a test", 1).unwrap(), 2);
    let left = machine.after_power_loss();
    assert_eq!(left.secret_versions(&hospital()).unwrap().len(), 2);
}

#[test]
fn a_key_that_somebody_made_and_did_not_settle_is_settled_by_who_uses_it() {
    let mut machine = Machine::new();
    let keyring = open(&machine.folder());
    keyring.hospital(&hospital()).unwrap();
    let path = key_path(&machine.folder());
    scanveil_durable::make_folder(path.parent().unwrap()).unwrap();
    // A maker that was stopped between the rename and what makes that durable.
    let folder = machine.folder();
    let maker = std::thread::spawn(move || open(&folder).subject(&hospital(), &SUBJECT).map(drop));
    maker.join().unwrap().unwrap();
    scanveil_durable::sync_file(&fs::File::open(&path).unwrap()).unwrap();
    let error = machine.after_power_loss().existing_subject(&hospital(), &SUBJECT).unwrap_err();
    assert!(matches!(error, KeyringError::SubjectUnknown(_)), "nobody was given it: {error}");

    let subject = keyring.subject(&hospital(), &SUBJECT).unwrap();
    let left = machine.after_power_loss();
    assert!(same(&left.existing_subject(&hospital(), &SUBJECT).unwrap(), &subject));
}

#[test]
fn a_key_that_was_destroyed_does_not_come_back_with_the_power() {
    let mut machine = Machine::new();
    let keyring = open(&machine.folder());
    keyring.subject(&hospital(), &SUBJECT).unwrap();
    keyring.destroy_subject(&hospital(), &SUBJECT).unwrap();
    let error = machine.after_power_loss().existing_subject(&hospital(), &SUBJECT).unwrap_err();
    assert!(matches!(error, KeyringError::SubjectDestroyed(_)), "{error}");
    let shard = key_path(&machine.left[0].path().join("left/deep/keys"));
    assert!(!shard.exists(), "the key itself is gone too");
}
