//! What a configuration is refused for, what tags say, and when a study is complete.

use super::bench::{Bench, KEEPER, config, hospital, slices};
use crate::group::Groups;
use crate::{Config, PipelineError};
use scanveil_model::{Coded, HospitalId, Zone};
use scanveil_seal::StudyKey;
use scanveil_vault::KeyringError;
use std::time::{Duration, Instant};

#[test]
fn a_configuration_that_contradicts_itself_is_refused() {
    let third = |lines: &str| format!("[[hospital]]\nid = \"third\"\n{lines}\n");
    let kept = "retention = { class = \"care\", years = 30 }";
    let project = |lines: &str| format!("[[project]]\nname = \"p\"\n{lines}\n");
    let table: &[(&str, String, &str)] = &[
        ("not TOML", "[[".into(), "SV-PIPELINE-001"),
        ("an unknown key", third(&format!("{kept}\ncolour = 1")), "SV-PIPELINE-001"),
        ("no retention", third(""), "SV-PIPELINE-001"),
        ("a name that is none", config("").replace("mercy", "Mercy!"), "SV-PIPELINE-001"),
        ("twice", third(kept).replace("third", "mercy"), "SV-PIPELINE-002"),
        (
            "one AE title for two",
            third(&format!("{kept}\ncalled_ae = \"A\""))
                + &third(&format!("{kept}\ncalled_ae = \"A\"")).replace("third", "fourth"),
            "SV-PIPELINE-002",
        ),
        ("years out of range", third(kept).replace("30", "0"), "SV-PIPELINE-002"),
        ("years without end", third(kept).replace("30", "4000000000"), "SV-PIPELINE-002"),
        (
            "days out of range",
            third(&kept.replace("30", "30, quarantine_days = 9000000")),
            "SV-PIPELINE-002",
        ),
        (
            "another region",
            third(&format!("region = \"eu-west-2\"\n{kept}")) + "[store]\nregion = \"us-east-1\"\n",
            "SV-PIPELINE-002",
        ),
        (
            "no originals and no project",
            third(&format!("keep_originals = false\n{kept}")) + &project("hospitals = [\"mercy\"]"),
            "SV-PIPELINE-002",
        ),
        ("a project twice", project("") + &project(""), "SV-PIPELINE-002"),
        ("a project of nobody", project("hospitals = [\"grace\", \"fifth\"]"), "SV-PIPELINE-004"),
        ("S3 without a region", "[store]\nbucket = \"images\"\n".into(), "SV-PIPELINE-002"),
        ("open to all", "[http]\nlisten = \"0.0.0.0:8042\"\n".into(), "SV-PIPELINE-002"),
    ];
    for (what, more, code) in table {
        let text = if more.contains("data_dir") { more.clone() } else { config(more) };
        let error = Config::parse(&text).err().unwrap_or_else(|| panic!("{what} is taken"));
        assert_eq!(error.code(), *code, "{what}: {error}");
    }
}

#[test]
fn a_configuration_without_projects_has_one_that_takes_everybody() {
    let config = Config::parse(&config("")).unwrap();
    let [project] = &config.projects[..] else { panic!("one project") };
    assert_eq!((project.name.as_str(), project.profile.as_str()), ("research", "basic"));
    assert!(project.takes(&hospital(KEEPER)));
    let unknown = config.hospital(&hospital("nobody"));
    assert!(matches!(unknown, Err(PipelineError::Unknown { what: "hospital", .. })));
}

#[test]
fn tags_say_how_long_to_keep() {
    let (bench, _) = Bench::new();
    let config = bench.site.config();
    let keeper = config.hospital(&hospital(KEEPER)).unwrap();
    // 2024-02-29T12:00:00Z: thirty years on there is no such day.
    let day = 1_709_208_000_000;
    for (zone, until) in [
        (Zone::Vault, "2054-02-28"),
        (Zone::Research, "2054-02-28"),
        (Zone::Quarantine, "2024-05-29"),
    ] {
        let tags = bench.site.tags(keeper, zone, day);
        assert_eq!((tags.retain_until.as_str(), tags.zone), (until, zone));
        assert_eq!(tags.retention_class.0.as_str(), "care");
    }
}

#[test]
fn a_study_is_complete_after_a_quiet_time_and_failures_wait_longer_each_time() {
    let (bench, _) = Bench::new();
    let files = slices(3);
    let received: Vec<_> = files.iter().map(|file| bench.receive(KEEPER, file)).collect();
    let (one, two) = ((hospital(KEEPER), StudyKey([1; 16])), (hospital(KEEPER), StudyKey([2; 16])));
    let start = Instant::now();
    let after = |seconds: u64| start + Duration::from_secs(seconds);
    let quiet = Duration::from_secs(10);
    let mut groups = Groups::default();
    let all = |_: &HospitalId| true;
    groups.add(one.clone(), received[0].clone(), start);
    groups.add(two.clone(), received[1].clone(), after(1));
    groups.add(one.clone(), received[2].clone(), after(5));
    assert!(groups.complete(quiet, after(10), all).is_none());
    let complete = groups.complete(quiet, after(20), all).unwrap();
    assert_eq!((&complete.study, complete.instances.len()), (&two, 1));
    assert_eq!(groups.failing(), None);
    assert_eq!(groups.failed(complete, "SV-X-001", after(20)), Duration::from_secs(1));
    // One that fails does not keep the other back.
    let other = groups.complete(quiet, after(20), all).unwrap();
    assert_eq!(
        (&other.study, other.instances),
        (&one, vec![received[0].clone(), received[2].clone()])
    );
    assert_eq!(groups.failing(), Some("SV-X-001"));
    assert!(groups.complete(quiet, after(20), all).is_none());
    let mut now = 21;
    for wait in [2, 4, 8, 16, 32, 60, 60] {
        let again = groups.complete(quiet, after(now), all).unwrap();
        assert_eq!(groups.failed(again, "SV-X-001", after(now)), Duration::from_secs(wait));
        now += wait;
    }
    // What arrives meanwhile comes behind, and has its quiet time.
    let again = groups.complete(quiet, after(now), all).unwrap();
    groups.add(two.clone(), received[2].clone(), after(now));
    groups.put_back(again);
    assert!(groups.complete(quiet, after(now + 9), all).is_none());
    let whole = groups.complete(quiet, after(now + 60), all).unwrap();
    assert_eq!(whole.instances, vec![received[1].clone(), received[2].clone()]);
    assert_eq!(groups.instances(), 0);
}

#[test]
fn keys_lie_where_they_are_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scanveil.toml");
    let set = |line: &str| {
        std::fs::write(&file, format!("data_dir = \"data\"\n{line}\n")).unwrap();
        Config::load(&file).unwrap()
    };
    assert_eq!(set("").keys_dir(), dir.path().join("data/keys"));
    let config = set("keys_dir = \"apart\"");
    assert_eq!(config.keys_dir(), dir.path().join("apart"));
    let (site, _) = crate::Site::open(config, crate::SiteMode::Command).unwrap();
    assert_eq!(site.keyring().root_key_path(), dir.path().join("apart/root.key"));
    assert!(!dir.path().join("data/keys").exists());
}

#[test]
fn no_keys_are_made_where_something_was_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scanveil.toml");
    std::fs::write(&file, "data_dir = \"data\"\n").unwrap();
    let config = Config::load(&file).unwrap();
    let keys = config.keys_dir();
    let found = |error: PipelineError| match error {
        PipelineError::Keyring(KeyringError::Lost { path, found }) => {
            assert_eq!(path, keys);
            found
        }
        other => panic!("{other}"),
    };
    let open = || crate::Site::open(config.clone(), crate::SiteMode::Command).map(drop);
    open().unwrap();
    let data = dir.path().join("data");
    let record = data.join("spool/segments/0000000000000001.seg");
    let object = data.join("objects/vault/mercy/00/00112233445566778899aabbccddeeff.svo");
    let table = [(data.join("catalog.sqlite"), "a catalogue"), (record, "a record in the spool")];
    for (beside, wanted) in table.into_iter().chain([(object, "an object in the store")]) {
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::create_dir_all(beside.parent().unwrap()).unwrap();
        std::fs::write(&beside, "sealed").unwrap();
        assert_eq!(found(open().unwrap_err()), wanted);
        assert_eq!(
            found(crate::rebuild_catalog(&config, crate::Losses::Missed, |_| ()).unwrap_err()),
            wanted
        );
        assert!(!keys.join("root.key").exists());
    }
}
