//! Every leak vector under every profile that is shipped: what was planted is in no output, unless
//! the profile's options keep the element that it stands in. Being held back is safe, and counted.

use super::*;
use scanveil_dataset::{Header, Kind};
use scanveil_synth::{Expect, Hunter, LeakVector, TEXT_MIN_FORM, leak_vectors};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::Read;

/// The most instances that a profile may hold back although nothing need be held: of no harm to
/// anybody but the researcher.
const HELD_IN_VAIN: &[(&str, usize)] = &[
    ("basic", 0),
    ("full-dates", 0),
    ("internal-quality", 0),
    ("longitudinal", 0),
    ("research", 0),
    ("strict", 0),
];

/// What came of the vectors under one profile.
#[derive(Default)]
struct Outcome {
    clean: usize,
    held: usize,
    /// Held back in vain, by reason.
    in_vain: BTreeMap<&'static str, usize>,
    /// Held back where the vector leaves the choice, by reason.
    by_choice: BTreeMap<&'static str, usize>,
    /// Came out with a value that the options keep.
    kept: usize,
    wrong: Vec<String>,
}

#[test]
fn no_leak_vector_leaks_under_any_profile() {
    let vectors = leak_vectors(11).unwrap();
    let hunters: Vec<Hunter> = vectors
        .iter()
        .map(|vector| Hunter::new(&vector.instance.planted, TEXT_MIN_FORM).unwrap())
        .collect();
    let (vectors, hunters) = (&vectors, &hunters);
    let names: Vec<&str> = HELD_IN_VAIN.iter().map(|(name, _)| *name).collect();
    let mut shipped: Vec<&str> = Profile::builtin_names().collect();
    shipped.sort_unstable();
    assert_eq!(names, shipped);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let running: Vec<_> =
            names.iter().map(|name| scope.spawn(move || run(name, vectors, hunters))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut table = format!("{} leak vectors\n", vectors.len());
    table.push_str("| profile | clean | with kept values | held | by choice | in vain |\n");
    table.push_str("| --- | ---: | ---: | ---: | --- | --- |\n");
    let mut wrong = String::new();
    for ((name, most), outcome) in HELD_IN_VAIN.iter().zip(&outcomes) {
        let Outcome { clean, held, in_vain, by_choice, kept, wrong: found } = outcome;
        let vain: usize = in_vain.values().sum();
        writeln!(table, "| {name} | {clean} | {kept} | {held} | {by_choice:?} | {in_vain:?} |")
            .unwrap();
        found.iter().for_each(|line| writeln!(wrong, "{name}: {line}").unwrap());
        if vain > *most {
            writeln!(wrong, "{name}: {vain} held in vain instead of {most}").unwrap();
        }
        assert!(clean > held, "{name}: most must be of use");
        // The search does find what an option keeps.
        let keeps = !kept_by_option(&Profile::builtin(name).unwrap()).is_empty();
        assert_eq!(*kept > 0, keeps, "{name}");
    }
    eprintln!("{table}");
    assert!(wrong.is_empty(), "{wrong}");
}

fn run(name: &str, vectors: &[LeakVector], hunters: &[Hunter]) -> Outcome {
    let profile = Profile::builtin(name).unwrap();
    let kept = kept_by_option(&profile);
    let secret = ProjectSecret::new(&[7; 32]);
    let mut studies: BTreeMap<Vec<u8>, StudyIdentity> = BTreeMap::new();
    for vector in vectors {
        if let Ok((header, _)) = open_slice(&vector.instance.file, &Limits::default()) {
            studies.entry(study_of(&header)).or_default().observe(&header).unwrap();
        }
    }
    let scrubbers: BTreeMap<_, _> = studies
        .into_iter()
        .map(|(study, identity)| (study, StudyScrubber::new(&profile, &secret, identity)))
        .collect();
    let mut outcome = Outcome::default();
    for (vector, hunter) in vectors.iter().zip(hunters) {
        let expected = vector.instance.expected;
        let place = (vector.row, vector.name, vector.syntax);
        let out = match scrub_vector(vector, &scrubbers) {
            Ok(out) => out,
            Err(reason) => {
                outcome.held += 1;
                let count = match expected {
                    Expect::Quarantine => continue,
                    Expect::Clean => {
                        eprintln!("{name}: {place:?} was held back: {reason}");
                        &mut outcome.in_vain
                    }
                    Expect::Either => &mut outcome.by_choice,
                };
                *count.entry(reason.code.as_str()).or_default() += 1;
                continue;
            }
        };
        outcome.clean += 1;
        if expected == Expect::Quarantine
            // That two instances have one UID shows only to who sees both.
            && vector.name != "same-uid-second"
        {
            outcome.wrong.push(format!("{place:?} came out"));
        }
        if found(hunter, &out).is_empty() {
            continue;
        }
        outcome.kept += 1;
        let leaks = found(hunter, &without(&out, &kept));
        if !leaks.is_empty() {
            outcome.wrong.push(format!("{place:?} came out with {leaks:?}"));
        }
    }
    outcome
}

/// What a hunter finds in bytes.
fn found<'h>(hunter: &'h Hunter, bytes: &[u8]) -> BTreeSet<&'h str> {
    let mut hits: BTreeSet<&str> =
        hunter.hunt_bytes(bytes).unwrap().hits.iter().map(|hit| hunter.value(hit)).collect();
    // Image Type says PRIMARY, and somebody is called Mary.
    hits.remove("Mary");
    hits
}

/// The attributes that an option of the profile keeps as they are, by Table E.1-1.
fn kept_by_option(profile: &Profile) -> BTreeSet<Tag> {
    let options: Vec<&str> = profile.options().map(ProfileOption::name).collect();
    rows()
        .filter(|row| {
            row.options.iter().any(|(name, code)| options.contains(name) && *code == Code::K)
        })
        .filter_map(|row| row.tag)
        .collect()
}

/// All values of a file but those of some attributes.
fn without(file: &[u8], attributes: &BTreeSet<Tag>) -> Vec<u8> {
    let (header, mut body) = open_slice(file, &Limits::default()).unwrap();
    // Preamble and file meta information, by the group's length (PS3.10 7.1).
    let meta = u32::from_le_bytes(file[140..144].try_into().unwrap()) as usize;
    let mut rest = file[..144 + meta].to_vec();
    for element in header.data.elements() {
        if element.kind == Kind::Leaf && !attributes.contains(&element.tag) {
            rest.extend_from_slice(header.data.value(element));
            rest.extend_from_slice(&[0; 2]);
        }
    }
    body.read_to_end(&mut rest).unwrap();
    rest
}

fn study_of(header: &Header<'_>) -> Vec<u8> {
    header.data.text(tags::STUDY_INSTANCE_UID).unwrap_or(b"").to_vec()
}

fn scrub_vector(
    vector: &LeakVector,
    scrubbers: &BTreeMap<Vec<u8>, Result<StudyScrubber<'_>, Reason>>,
) -> Result<Vec<u8>, Reason> {
    let (header, body) = open_slice(&vector.instance.file, &Limits::default())?;
    let scrubber = scrubbers[&study_of(&header)].as_ref().map_err(Clone::clone)?;
    let mut out = Vec::new();
    scrubber.scrub(&header, body, &mut out)?;
    Ok(out)
}
