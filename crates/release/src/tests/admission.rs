//! Who may be in a release is decided when it is made, by the configuration of the day.

use super::fixture::{World, hospital, instance};
use crate::{LeftOut, ReleaseError, ReleaseFilter, ReleaseMode, ReleaseRequest, verify};
use scanveil_model::{HospitalId, ReasonCode};
use scanveil_scrub::Profile;
use std::fs;

fn other() -> HospitalId {
    HospitalId::parse("grace").unwrap()
}

/// Two hospitals; of each something is held back too.
fn of_two() -> World {
    let mut world = World::filled();
    world.quarantine(9, 1, instance(3, 1), ReasonCode::BurnedInText);
    world.hospital = other();
    world.certified(21, 5, 1, &[instance(1, 1), instance(1, 2)]);
    world.quarantine(22, 5, instance(3, 2), ReasonCode::Video);
    world
}

fn reasons(left_out: &[LeftOut]) -> Vec<(&str, u64)> {
    left_out.iter().map(|left| (left.reason.as_str(), left.instances)).collect()
}

#[test]
fn a_hospital_that_was_taken_out_is_left_out_and_counted() {
    let world = of_two();
    let both = || [hospital(), other()].into();
    let request = ReleaseRequest { admitted: both(), configured: both(), ..world.request() };
    let manifest = world.create_as("of-both", request).unwrap();
    assert_eq!(manifest.totals().instances, 7);
    assert_eq!(reasons(manifest.left_out()), [("burned-in-text", 1), ("video", 1)]);

    let table = [
        // Out of the project, and out of the configuration; a filter does not bring it back.
        (both(), "hospital-not-in-project"),
        ([hospital()].into(), "hospital-not-configured"),
    ];
    for (configured, reason) in table {
        fs::remove_dir_all(world.out()).unwrap();
        let request = ReleaseRequest { configured, ..world.request() };
        let manifest = world.create_as(reason, request.clone()).unwrap();
        assert_eq!(manifest.totals().instances, 5);
        assert_eq!(reasons(manifest.left_out()), [("burned-in-text", 1), (reason, 3)]);
        let sheet = fs::read_to_string(world.out().join("DATASHEET.md")).unwrap();
        assert!(sheet.contains(&format!("| {reason} | 3 |")), "{sheet}");
        assert!(!sheet.contains("grace"), "which hospital it was is not for researchers");
        assert!(verify(&world.out()).unwrap().is_whole());

        let filter = ReleaseFilter { hospitals: [other()].into(), ..ReleaseFilter::default() };
        let out = world.folder.path().join("filtered");
        let error = world.create(&ReleaseRequest { filter, out, ..request }).unwrap_err();
        assert!(matches!(error, ReleaseError::Empty { .. }), "{error}");
    }
}

#[test]
fn a_resumed_release_goes_by_the_configuration_of_the_day_it_is_finished() {
    let world = of_two();
    let both = || [hospital(), other()].into();
    let request = ReleaseRequest { admitted: both(), configured: both(), ..world.request() };
    let before = world.create(&request).unwrap();
    fs::remove_file(world.out().join("manifest.json")).unwrap();
    let marker = r#"{"version":1,"release":"lungs-1","project":"lungs"}"#;
    fs::write(world.out().join("unfinished.json"), marker).unwrap();
    let request =
        ReleaseRequest { mode: ReleaseMode::Resume, configured: both(), ..world.request() };
    // The release is recorded under its identifier with what it held before.
    let error = world.create(&request).unwrap_err();
    assert!(matches!(error, ReleaseError::Catalog { .. }), "{error}");
    let gone = before.instances().iter().filter(|one| !world.out().join(&one.path).exists());
    assert_eq!(gone.count(), 2, "nothing of the hospital stays in the folder");
}

#[test]
fn what_another_profile_made_is_said_and_can_be_left_out() {
    let world = World::filled();
    let label = Profile::builtin("strict").unwrap().label();
    let request = ReleaseRequest { profile: label.clone(), ..world.request() };
    let manifest = world.create(&request).unwrap();
    assert_eq!((manifest.profile(), manifest.of_other_profiles()), (label.as_str(), 5));
    let sheet = fs::read_to_string(world.out().join("DATASHEET.md")).unwrap();
    assert!(sheet.contains("5 instances were made with another profile"), "{sheet}");
    assert!(sheet.contains(&label), "{sheet}");
    let out = world.folder.path().join("only");
    let request = ReleaseRequest { only_profile: true, out, ..request };
    let error = world.create(&request).unwrap_err();
    assert!(matches!(error, ReleaseError::Empty { left_out: 5 }), "{error}");
    // What was made with a later secret of the hospital was made with the same profile.
    let own = world.profile.label();
    fs::remove_dir_all(world.out()).unwrap();
    let request = ReleaseRequest { profile: own, only_profile: true, ..world.request() };
    assert_eq!(world.create_as("own", request).unwrap().of_other_profiles(), 0);
}
