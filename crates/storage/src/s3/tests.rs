use super::config::{S3Config, S3Credentials};
use super::*;
use crate::{ConformanceLoad, Store, check_conformance, sample_tags};
use scanveil_model::{Coded, HospitalId, ObjectId, Zone};
use scanveil_testkit::{S3Server, free_port};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

fn key(n: u8) -> ObjectKey {
    let hospital = HospitalId::parse("st-wystan").unwrap();
    ObjectKey::new(Zone::Research, hospital, ObjectId([n; 16]))
}

fn config(endpoint: &str) -> S3Config {
    let mut config = S3Config::new("eu-central-1", "imaging");
    config.endpoint = Some(endpoint.to_owned());
    config.attempts = 1;
    config
}

fn credentials(dir: &TempDir, text: &str, mode: u32) -> PathBuf {
    let path = dir.path().join(format!("credentials-{mode:o}"));
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

const GOOD: &str =
    "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalr/UtnF+E=\n";

#[test]
fn checksums_are_written_and_read_as_s3_does() {
    // CRC-32 of "123456789" is the check value cbf43926.
    assert_eq!(checksum::crc32(b"123456789"), 0xcbf4_3926);
    let table =
        [(0xcbf4_3926, "y/Q5Jg=="), (0, "AAAAAA=="), (u32::MAX, "/////w=="), (1, "AAAAAQ==")];
    for (crc, text) in table {
        assert_eq!(checksum::to_text(crc), text);
        assert_eq!(checksum::from_text(text), Some(crc));
    }
    for text in ["", "y/Q5Jg", "y/Q5Jg==-3", "y/Q5Jh==", "y/Q5J!==", "y/Q5JgAA", "=="] {
        assert_eq!(checksum::from_text(text), None, "{text}");
    }
}

#[test]
fn parts_stay_within_what_s3_and_memory_allow() {
    const MIB: u64 = 1024 * 1024;
    let table = [
        (17 * MIB, Some(8 * MIB)),
        (80_000 * MIB, Some(8 * MIB)),
        (80_000 * MIB + 1, Some(8 * MIB + 1)),
        (upload::MAX_OBJECT_BYTES, Some(16 * MIB)),
        (upload::MAX_OBJECT_BYTES + 1, None),
    ];
    for (bytes, size) in table {
        assert_eq!(upload::part_size(bytes), size, "{bytes}");
        assert!(size.is_none_or(|size| bytes.div_ceil(size) <= 10_000));
    }
}

#[test]
fn settings_that_cannot_be_right_are_refused() {
    let endpoints = [
        ("https://s3.example.org", None),
        ("https://s3.example.org:8443/", None),
        ("https://[::1]:9000", None),
        ("http://127.0.0.1:8333", None),
        ("http://localhost", None),
        ("http://[::1]:8333", None),
        ("http://s3.example.org", Some("SV-STORAGE-005")),
        ("http://127.0.0.1.example.org", Some("SV-STORAGE-005")),
        ("http://10.0.0.7:9000", Some("SV-STORAGE-005")),
        ("s3.example.org", Some("SV-STORAGE-009")),
        ("ftp://s3.example.org", Some("SV-STORAGE-009")),
        ("https://", Some("SV-STORAGE-009")),
        ("https://user:word@s3.example.org", Some("SV-STORAGE-009")),
        ("https://s3.example.org/path", Some("SV-STORAGE-009")),
        ("https://s3.example.org:0", Some("SV-STORAGE-009")),
        ("https://s3.example.org:99999", Some("SV-STORAGE-009")),
        ("https://[not-an-address]", Some("SV-STORAGE-009")),
    ];
    for (endpoint, code) in endpoints {
        let found = config(endpoint).validate().err().map(|e| e.code());
        assert_eq!(found, code, "{endpoint}");
    }
    let mut plain = config("http://10.0.0.7:9000");
    plain.allow_plain_http = true;
    plain.validate().unwrap();
    let change: [fn(&mut S3Config); 6] = [
        |c| c.bucket = "a".to_owned(),
        |c| c.bucket = "Upper".to_owned(),
        |c| c.bucket = "a/b/c".to_owned(),
        |c| c.region = String::new(),
        |c| c.attempts = 0,
        |c| c.attempts = 11,
    ];
    for change in change {
        let mut config = config("https://s3.example.org");
        change(&mut config);
        assert!(matches!(config.validate(), Err(StorageError::Config { .. })), "{config:?}");
    }
}

#[test]
fn settings_are_read_strictly() {
    let text = r#"{"region":"eu-central-1","bucket":"imaging",
        "request_checksum_calculation":"when_required"}"#;
    let read: S3Config = serde_json::from_str(text).unwrap();
    assert_eq!(read.request_checksum_calculation, ChecksumMode::WhenRequired);
    assert_eq!((read.path_style, read.attempts, read.endpoint), (false, 4, None));
    assert!(serde_json::from_str::<S3Config>(&text.replace("region", "regoin")).is_err());
}

#[test]
fn credentials_files_are_read_only_when_private_and_well_formed() {
    let dir = TempDir::new().unwrap();
    let load = |path: &Path| S3Credentials::load(Some(path)).map(|_| ()).map_err(|e| e.code());
    assert_eq!(load(&credentials(&dir, GOOD, 0o600)), Ok(()));
    assert_eq!(load(&credentials(&dir, GOOD, 0o400)), Ok(()));
    for mode in [0o640, 0o604, 0o644, 0o660] {
        assert_eq!(load(&credentials(&dir, GOOD, mode)), Err("SV-STORAGE-006"), "{mode:o}");
    }
    let wrong = [
        "aws_access_key_id = AKID\n".to_owned(),
        format!("{GOOD}{GOOD}"),
        format!("{GOOD}[other]\n"),
        format!("{GOOD}region = eu\n"),
        format!("{GOOD}nonsense\n"),
        GOOD.replace("AKIDEXAMPLE", ""),
        GOOD.replace("AKIDEXAMPLE", "\"AKIDEXAMPLE\""),
        "#".repeat(20_000),
    ];
    for text in wrong {
        let path = credentials(&dir, &text, 0o600);
        let error = S3Credentials::load(Some(&path)).unwrap_err();
        assert_eq!(error.code(), "SV-STORAGE-007");
        let shown = format!("{error} {error:?} {}", error.next_step());
        assert!(!shown.contains("AKIDEX") && !shown.contains("wJalr"), "{shown}");
        fs::remove_file(path).unwrap();
    }
    assert_eq!(load(&dir.path().join("missing")), Err("SV-STORAGE-013"));
    assert_eq!(load(dir.path()), Err("SV-STORAGE-007"));
}

#[test]
fn credentials_of_the_environment_must_be_whole() {
    let with = |names: &'static [&str]| {
        S3Credentials::from_variables(move |name| {
            names.contains(&name).then(|| "wJalrUtnFEMI".to_owned())
        })
    };
    let both = with(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]).unwrap();
    assert_eq!(format!("{both:?}"), "S3Credentials(..)");
    for names in [&[][..], &["AWS_ACCESS_KEY_ID"], &["AWS_SECRET_ACCESS_KEY"]] {
        let error = with(names).unwrap_err();
        assert!(matches!(error, StorageError::CredentialsMissing { .. }));
    }
}

#[test]
fn a_store_that_does_not_answer_is_unreachable() {
    let dir = TempDir::new().unwrap();
    let mut config = config(&format!("http://127.0.0.1:{}", free_port()));
    config.credentials_file = Some(credentials(&dir, GOOD, 0o600));
    let store = S3Store::new(&config).unwrap();
    let error = store.head(&key(1)).unwrap_err();
    assert!(matches!(error, StorageError::Unreachable { .. }), "{error:?}");
    assert!(error.is_transient());
    let report = store.check();
    assert_eq!(report.steps.len(), 1);
    assert_eq!(report.steps[0].problem.as_ref().unwrap().code, "SV-STORAGE-003");
    let shown = format!("{store:?} {config:?} {error:?}");
    assert!(!shown.contains("wJalr") && !shown.contains("AKIDEX"), "{shown}");
}

#[test]
fn the_last_owner_may_be_an_asynchronous_task() {
    let dir = TempDir::new().unwrap();
    let mut config = config("http://127.0.0.1:1");
    config.credentials_file = Some(credentials(&dir, GOOD, 0o600));
    let store = S3Store::new(&config).unwrap();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async move { drop(store) });
}

#[test]
fn a_bucket_of_a_real_server_conforms() {
    let Some(mut server) = S3Server::start() else { return };
    let mut config = S3Config::new(server.region(), server.bucket());
    config.endpoint = Some(server.endpoint());
    config.path_style = true;
    config.credentials_file = Some(server.credentials_file().to_owned());
    let large = 40 * 1024 * 1024 + 123;
    let store = S3Store::new(&config).unwrap();
    let load = ConformanceLoad { many_objects: 1020, large_bytes: large };
    assert_eq!(check_conformance(&store, server.dir(), load), Vec::<String>::new());
    let report = store.check();
    assert!(report.passed(), "{report:?}");
    assert!(report.steps.len() >= 7);

    checksums_are_kept(&store);
    a_shrinking_source_leaves_nothing(&store);
    wrong_settings_are_told(&config, server.dir());

    // The mode for stores that know no checksums.
    config.request_checksum_calculation = ChecksumMode::WhenRequired;
    let plain = S3Store::new(&config).unwrap();
    let load = ConformanceLoad { many_objects: 10, large_bytes: large };
    assert_eq!(check_conformance(&plain, server.dir(), load), Vec::<String>::new());

    // The server goes away: an error, not a hang and not a panic.
    server.kill();
    config.attempts = 1;
    let store = S3Store::new(&config).unwrap();
    let error = Store::new(Arc::new(store)).confirm(&key(1)).unwrap_err();
    assert!(matches!(error, StorageError::Unreachable { .. }), "{error:?}");
}

fn checksums_are_kept(store: &S3Store) {
    let key = key(2);
    store.put_bytes(&key, b"123456789", &sample_tags(&key).unwrap()).unwrap();
    assert_eq!(store.head(&key).unwrap().crc32, Some(0xcbf4_3926));
    // Of an object in parts: none, or the right one.
    let large = vec![5; 17 << 20];
    store.put_bytes(&key, &large, &sample_tags(&key).unwrap()).unwrap();
    let kept = store.head(&key).unwrap().crc32;
    assert!(kept.is_none_or(|crc| crc == checksum::crc32(&large)), "{kept:?}");
    store.delete(&key).unwrap();
}

/// A file that ends before its length says: the upload in parts is aborted.
fn a_shrinking_source_leaves_nothing(store: &S3Store) {
    let key = key(3);
    let tags = sample_tags(&key).unwrap();
    for (says, has) in [(40u64 << 20, 30u64 << 20), (20 << 20, 21 << 20), (10, 9), (10, 11)] {
        let mut reader = std::io::repeat(7).take(has);
        let put = store.put_from(&key, &mut reader, says, &tags);
        assert!(matches!(put, Err(StorageError::SourceMismatch { .. })), "{put:?}");
        assert!(matches!(store.head(&key), Err(StorageError::NotFound { .. })));
    }
    let bucket = &store.bucket;
    let uploads = bucket.client.list_multipart_uploads().bucket(&bucket.name).send();
    assert_eq!(store.wait(uploads).unwrap().uploads().len(), 0);
}

fn wrong_settings_are_told(config: &S3Config, dir: &Path) {
    let mut other = config.clone();
    other.bucket = "no-such-bucket".to_owned();
    let store = S3Store::new(&other).unwrap();
    let report = store.check();
    assert_eq!(report.steps[0].problem.as_ref().unwrap().code, "SV-STORAGE-010");
    // Not by a put: this server makes a missing bucket for whoever may make one.
    let listed = store.list(&KeyPrefix::All, &Page::first());
    assert!(matches!(listed, Err(StorageError::BucketMissing)), "{listed:?}");

    let path = dir.join("wrong-credentials");
    fs::write(&path, GOOD).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut other = config.clone();
    other.credentials_file = Some(path);
    let store = S3Store::new(&other).unwrap();
    let error = store.put_bytes(&key(4), b"x", &sample_tags(&key(4)).unwrap()).unwrap_err();
    assert!(matches!(&error, StorageError::Denied { code, .. } if code == "InvalidAccessKeyId"));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("AKIDEX") && !shown.contains("wJalr"), "{shown}");
}
