use super::fixture::{World, arrival, digest, hospital, project};
use crate::{
    Arrival, Holding, NameKind, ObjectFilter, Outcome, QuarantineFilter, RecordId, ReleaseRecord,
    ReleasedStudy, StudyName,
};
use scanveil_model::{Generation, ObjectId, ReasonCode, SubjectId, Zone};
use scanveil_seal::{RawZone, StudyKey};

#[test]
fn objects_are_found_by_what_they_are() {
    let world = World::new();
    let packs = [
        world.pack(1, RawZone::Vault, 1, &[("a", &[])]),
        world.pack(2, RawZone::Vault, 2, &[("b", &[])]),
        world.pack(3, RawZone::Quarantine, 2, &[("c", &[ReasonCode::Video])]),
    ];
    world.publish(&packs.iter().collect::<Vec<_>>(), &[]);
    let all = ObjectFilter::default;
    let study = |n| Some(StudyKey([n; 16]));
    let table: Vec<(ObjectFilter, &[u8])> = vec![
        (all(), &[1, 2, 3]),
        (ObjectFilter { zone: Some(Zone::Vault), ..all() }, &[1, 2]),
        (ObjectFilter { study_key: study(2), ..all() }, &[2, 3]),
        (ObjectFilter { zone: Some(Zone::Vault), study_key: study(2), ..all() }, &[2]),
        (ObjectFilter { hospital: Some(hospital()), ..all() }, &[1, 2, 3]),
        (ObjectFilter { subject: Some(SubjectId([7; 16])), ..all() }, &[1, 2, 3]),
        (ObjectFilter { subject: Some(SubjectId([8; 16])), ..all() }, &[]),
        (ObjectFilter { project: Some(project()), ..all() }, &[]),
        (ObjectFilter { after: Some(ObjectId([1; 16])), ..all() }, &[2, 3]),
    ];
    for (i, (filter, wanted)) in table.iter().enumerate() {
        let found = world.catalog.objects(filter, 10).unwrap();
        let ids: Vec<u8> = found.iter().map(|object| object.object.0[0]).collect();
        assert_eq!(ids, *wanted, "case {i}");
    }
    assert_eq!(world.catalog.objects(&all(), 2).unwrap().len(), 2);
    let first = &world.catalog.objects(&all(), 1).unwrap()[0];
    assert_eq!(first.digest, packs[0].stored.digest());
    assert_eq!((first.entries, first.received_at_ms), (1, 1001));
    assert_eq!(world.catalog.instances(&first.object).unwrap()[0].sop_instance_uid, None);
}

#[test]
fn only_the_newest_generation_is_current() {
    let world = World::new();
    let originals = [
        world.pack(1, RawZone::Vault, 1, &[("a", &[])]),
        world.pack(2, RawZone::Vault, 2, &[("b", &[])]),
    ];
    world.publish(&originals.iter().collect::<Vec<_>>(), &[]);
    world.research(10, 1, 1, "a");
    world.research(11, 2, 1, "b");
    let current = || -> Vec<u8> {
        let objects = world.catalog.current_objects(&project()).unwrap();
        objects.iter().map(|object| object.object.0[0]).collect()
    };
    assert_eq!(current(), [10, 11]);
    world.research(12, 1, 2, "a");
    assert_eq!(current(), [12, 11]);
    // A generation that holds nothing takes the older one's place too: nothing leaks from there.
    world.generation(2, 2, "strict@0123456789abcdef", "1.0.0");
    assert_eq!(current(), [12]);
    let studies = world.catalog.studies(&project()).unwrap();
    let shown: Vec<_> = studies.iter().map(|s| (s.generation.0, s.released)).collect();
    assert_eq!(shown, [(2, 1), (2, 0)]);
    let generations =
        world.catalog.generations(&hospital(), &project(), &StudyKey([1; 16])).unwrap();
    assert_eq!(generations, [Generation(1), Generation(2)]);
}

#[test]
fn holdings_are_what_is_there_now() {
    let world = World::new();
    assert!(world.catalog.holdings().unwrap().is_empty());
    let packs = [
        world.pack(1, RawZone::Vault, 1, &[("a", &[]), ("b", &[]), ("c", &[])]),
        world.pack(2, RawZone::Quarantine, 1, &[("c", &[ReasonCode::Video, ReasonCode::Internal])]),
        world.pack(3, RawZone::Quarantine, 1, &[("b", &[ReasonCode::Video])]),
    ];
    world.publish(&packs.iter().collect::<Vec<_>>(), &[]);
    // Two generations of one instance, each of ten bytes, and one that was let out of quarantine.
    world.research(10, 1, 1, "a");
    world.research(11, 1, 2, "a");
    world.research(12, 1, 2, "b");
    let holdings = world.catalog.holdings().unwrap();
    let wanted = Holding {
        stored_instances: 2,
        stored_bytes: 20,
        held_instances: 1,
        last_received_ms: Some(1003),
    };
    assert_eq!(holdings[&hospital()], wanted);
}

#[test]
fn a_batch_takes_what_another_profile_or_engine_made() {
    let world = World::new();
    let profile = "basic@0123456789abcdef";
    for study in 1..=5 {
        if study != 4 {
            let pack = world.pack(study, RawZone::Vault, study, &[("a", &[])]);
            world.publish(&[&pack], &[]);
        }
    }
    world.pack(9, RawZone::Quarantine, 4, &[("x", &[ReasonCode::Video])]);
    world.generation(1, 1, profile, "1.0.0");
    world.generation(2, 1, "old@0123456789abcdef", "1.0.0");
    world.generation(2, 2, profile, "1.0.0");
    world.generation(3, 1, profile, "0.9.0");
    world.generation(4, 1, "old@0123456789abcdef", "1.0.0");
    let found = world.catalog.studies_for_batch(&hospital(), &project(), profile, "1.0.0").unwrap();
    let studies: Vec<_> =
        found.studies.iter().map(|s| (s.study_key.0[0], s.generation.map(|g| g.0))).collect();
    // 3: another engine. 5: never made for this project. 4 has nothing to read from.
    assert_eq!(studies, [(3, Some(1)), (5, None)]);
    assert_eq!(found.without_originals, 1);
    assert_eq!(found.studies[0].originals[0].object, ObjectId([3; 16]));
    // A late instance put beside the newest generation with an older profile makes it outdated.
    world.research(20, 1, 1, "a");
    let other = world.catalog.studies_for_batch(&hospital(), &project(), "new@0", "1.0.0").unwrap();
    assert_eq!(other.studies.len(), 4);
}

#[test]
fn quarantine_is_listed_page_by_page_and_counted() {
    use ReasonCode::{BurnedInText, FreeText, Video};
    let world = World::new();
    let held = world.pack(
        1,
        RawZone::Quarantine,
        1,
        &[("a", &[Video]), ("b", &[BurnedInText, FreeText]), ("c", &[Video])],
    );
    world.publish(&[&held], &[]);
    let mut filter = QuarantineFilter::default();
    let mut seen = Vec::new();
    loop {
        let page = world.catalog.quarantine(&filter, 1).unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some((last.object, last.entry, last.ordinal));
        seen.extend(page.iter().map(|q| (q.entry, q.code)));
    }
    assert_eq!(seen, [(0, Video), (1, BurnedInText), (1, FreeText), (2, Video)]);
    let only = QuarantineFilter { code: Some(FreeText), ..QuarantineFilter::default() };
    assert_eq!(world.catalog.quarantine(&only, 10).unwrap().len(), 1);
    let counts = || -> Vec<_> {
        let counts = world.catalog.quarantine_counts().unwrap();
        counts.into_iter().map(|c| (c.code, c.instances)).collect()
    };
    assert_eq!(counts(), [(BurnedInText, 1), (FreeText, 1), (Video, 2)]);
    world.generation(1, 1, "basic@0123456789abcdef", "1.0.0");
    let back = || -> Vec<_> {
        let held = world.catalog.held_back(&project()).unwrap();
        held.into_iter().map(|h| (h.code, h.instances)).collect()
    };
    assert_eq!(back(), [(BurnedInText, 1), (Video, 2)]);
    assert_eq!(world.catalog.studies(&project()).unwrap()[0].quarantined, 3);
    // A later generation lets one pass; then a still later one holds it back again.
    world.research(10, 1, 2, "b");
    assert_eq!(back(), [(Video, 2)]);
    assert_eq!(counts(), [(Video, 2)]);
    world.generation(1, 3, "strict@0123456789abcdef", "1.0.0");
    assert_eq!(back(), [(BurnedInText, 1), (Video, 2)]);
}

#[test]
fn a_study_is_known_by_its_names_and_its_releases() {
    let world = World::new();
    let pack = world.pack(1, RawZone::Vault, 1, &[("a", &[])]);
    let name = |kind, byte| StudyName { kind, name: [byte; 16] };
    let (sender, number) = (name(NameKind::Sender, 8), name(NameKind::Accession, 9));
    let arrivals: Vec<Arrival> = [(1, 2000, 1), (2, 1000, 1), (3, 5000, 2)]
        .map(|(spool, received_at_ms, study)| Arrival {
            study_key: StudyKey([study; 16]),
            received_at_ms,
            names: if spool == 1 { vec![sender, number] } else { vec![sender] },
            ..arrival(spool, spool, "a", Outcome::Accepted)
        })
        .into();
    world.publish(&[&pack], &arrivals);
    // Told again after a crash, it counts once.
    world.publish(&[&pack], &arrivals);
    let ask = |name: &StudyName, from, until| {
        let found = world.catalog.studies_named(&hospital(), name, (from, until)).unwrap();
        found.iter().map(|one| (one.study_key.0[0], one.instances)).collect::<Vec<_>>()
    };
    assert_eq!(ask(&sender, i64::MIN, i64::MAX), [(1, 2), (2, 1)]);
    assert_eq!(ask(&sender, 2001, i64::MAX), [(2, 1)]);
    assert_eq!(ask(&sender, i64::MIN, 999), []);
    assert_eq!(ask(&number, i64::MIN, i64::MAX), [(1, 1)]);
    assert_eq!(ask(&name(NameKind::Accession, 8), i64::MIN, i64::MAX), []);
    let study = StudyKey([1; 16]);
    let names = world.catalog.names_of_study(&hospital(), &study, NameKind::Sender).unwrap();
    assert_eq!((names[0].first_received_ms, names[0].last_received_ms), (1000, 2000));
    assert_eq!(world.catalog.study_received(&hospital(), &study).unwrap(), Some((1001, 1001)));

    let release = ReleaseRecord {
        release: RecordId::parse("r1").unwrap(),
        project: project(),
        created_at_ms: 7,
        engine: "1.0.0".into(),
        instances: 3,
        bytes: 30,
        list_digest: digest("list"),
    };
    let within = ReleasedStudy {
        hospital: hospital(),
        study_key: study,
        generation: Generation(4),
        instances: 3,
    };
    world.catalog.record_release(&release, &[within]).unwrap();
    let found = world.catalog.releases_of_study(&hospital(), &study).unwrap();
    let [one] = &found[..] else { panic!("one release: {found:?}") };
    assert_eq!((one.release.as_str(), one.generation, one.instances), ("r1", Generation(4), 3));
    assert_eq!(world.catalog.releases_of_study(&hospital(), &StudyKey([2; 16])).unwrap(), []);
}
