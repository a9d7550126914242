//! The catalogue against a model: whatever is published, sent again, superseded and withdrawn, in
//! any order, every question is answered as a few sets in memory answer it.

use super::fixture::{Pack, World, arrival, digest, hospital, project};
use crate::{Outcome, Outcomes, QuarantineFilter};
use proptest::prelude::*;
use scanveil_model::{Generation, ObjectId, ReasonCode};
use scanveil_seal::{RawZone, StudyKey};
use std::collections::{BTreeMap, BTreeSet};

const STUDIES: u8 = 2;
const CONTENTS: u8 = 4;

#[derive(Debug, Clone)]
enum Step {
    /// An instance of a study comes into quarantine.
    Hold { study: u8, content: u8 },
    /// A clean copy of an instance is made, in the newest generation of its study or a new one.
    Copy { study: u8, content: u8, new_generation: bool },
    /// A generation is made in which nothing comes through.
    Nothing { study: u8 },
    /// An object is taken out.
    Withdraw { object: u8 },
    /// A quarantined object is published again, as after a crash.
    Again { nth: u8 },
    /// An instance arrives under a UID.
    Arrive { sop: u8, content: u8, accepted: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (study, content) = (1..=STUDIES, 1..=CONTENTS);
    let step = prop_oneof![
        3 => (study.clone(), content.clone())
            .prop_map(|(study, content)| Step::Hold { study, content }),
        3 => (study.clone(), content.clone(), any::<bool>()).prop_map(
            |(study, content, new_generation)| Step::Copy { study, content, new_generation }
        ),
        1 => study.prop_map(|study| Step::Nothing { study }),
        1 => (1..20_u8).prop_map(|object| Step::Withdraw { object }),
        1 => (0..8_u8).prop_map(|nth| Step::Again { nth }),
        4 => (1..=2_u8, content, any::<bool>())
            .prop_map(|(sop, content, accepted)| Step::Arrive { sop, content, accepted }),
    ];
    prop::collection::vec(step, 1..20)
}

/// What the catalogue has to know.
#[derive(Default)]
struct Model {
    /// Objects with a clean copy: study, generation, content.
    copies: BTreeMap<u8, (u8, u32, u8)>,
    /// Objects of the quarantine: study and content.
    held: BTreeMap<u8, (u8, u8)>,
    generations: BTreeMap<u8, BTreeSet<u32>>,
    /// By UID: content, outcome, how often it was sent again.
    arrivals: BTreeMap<u8, (u8, Outcome, u64)>,
    /// Contents of which a corrected copy came.
    superseded: BTreeSet<u8>,
}

impl Model {
    fn newest(&self, study: u8) -> u32 {
        self.generations.get(&study).and_then(|all| all.last().copied()).unwrap_or(0)
    }

    fn is_current(&self, (study, generation, _): (u8, u32, u8)) -> bool {
        generation == self.newest(study)
    }

    /// Objects, studies and contents that somebody still has to look at.
    fn waiting(&self) -> impl Iterator<Item = (u8, u8, u8)> {
        let current: BTreeSet<u8> = self
            .copies
            .values()
            .filter(|copy| self.is_current(**copy))
            .map(|copy| copy.2)
            .collect();
        self.held
            .iter()
            .map(|(object, (study, content))| (*object, *study, *content))
            .filter(move |(_, _, content)| !current.contains(content))
            .filter(|(_, _, content)| !self.superseded.contains(content))
    }

    fn arrive(&mut self, sop: u8, content: u8, outcome: Outcome) {
        match self.arrivals.get_mut(&sop) {
            Some((known, before, repeats)) if *known == content => {
                *repeats += 1;
                if outcome == Outcome::Accepted {
                    *before = outcome;
                }
            }
            // What was accepted is never replaced.
            Some((_, Outcome::Accepted, _)) => {}
            known => {
                if let Some((before, _, _)) = known
                    && self.held.values().any(|(_, held)| held == before)
                {
                    self.superseded.insert(*before);
                }
                self.arrivals.insert(sop, (content, outcome, 0));
            }
        }
    }
}

fn name(content: u8) -> String {
    format!("content {content}")
}

/// The catalogue, the model, and what was made for both.
struct Run {
    world: World,
    model: Model,
    packs: Vec<(u8, u8, u8, Pack)>,
    next: u8,
}

impl Run {
    fn new() -> Self {
        let world = World::new();
        // Every study has an original, so that it is known before a copy of it is made.
        let kept: Vec<Pack> = (1..=STUDIES)
            .map(|study| world.pack(200 + study, RawZone::Vault, study, &[("original", &[])]))
            .collect();
        world.publish(&kept.iter().collect::<Vec<_>>(), &[]);
        Self { world, model: Model::default(), packs: Vec::new(), next: 1 }
    }

    fn step(&mut self, step: &Step) {
        let (world, model, object) = (&self.world, &mut self.model, self.next);
        match *step {
            Step::Hold { study, content } => {
                let reasons: &[ReasonCode] = &[ReasonCode::Video];
                let entries = [(&*name(content), reasons)];
                let pack = world.pack(object, RawZone::Quarantine, study, &entries);
                world.publish(&[&pack], &[]);
                model.held.insert(object, (study, content));
                self.packs.push((object, study, content, pack));
            }
            Step::Copy { study, content, new_generation } => {
                let generation = model.newest(study).max(1) + u32::from(new_generation);
                world.research(object, study, generation, &name(content));
                model.generations.entry(study).or_default().insert(generation);
                model.copies.insert(object, (study, generation, content));
            }
            Step::Nothing { study } => {
                let generation = model.newest(study) + 1;
                world.generation(study, generation, "basic@0123456789abcdef", "1.0.0");
                model.generations.entry(study).or_default().insert(generation);
            }
            Step::Withdraw { object } => {
                let withdrawn = [ObjectId([object; 16])];
                let outcomes = Outcomes { withdrawn: &withdrawn, ..Outcomes::default() };
                world.catalog.publish(&outcomes).unwrap();
                model.held.remove(&object);
                model.copies.remove(&object);
            }
            Step::Again { nth } => {
                if let Some((object, study, content, pack)) = self.packs.get(usize::from(nth)) {
                    world.publish(&[pack], &[]);
                    model.held.insert(*object, (*study, *content));
                }
            }
            Step::Arrive { sop, content, accepted } => {
                let outcome = if accepted { Outcome::Accepted } else { Outcome::Quarantined };
                // Told twice, as after a crash: it counts once.
                for _ in 0..2 {
                    world.publish(&[], &[arrival(object, sop, &name(content), outcome)]);
                }
                model.arrive(sop, content, outcome);
            }
        }
        self.next += 1;
    }

    fn compare(&self) {
        let (catalog, model) = (&self.world.catalog, &self.model);
        let number = |object: &ObjectId| object.0[0];
        let current: BTreeSet<u8> = catalog
            .current_objects(&project())
            .unwrap()
            .iter()
            .map(|o| number(&o.object))
            .collect();
        let copies = model.copies.iter().filter(|(_, copy)| model.is_current(**copy));
        assert_eq!(current, copies.map(|(object, _)| *object).collect(), "what may be released");

        let held = catalog.quarantine(&QuarantineFilter::default(), 100).unwrap();
        let held: BTreeSet<u8> = held.iter().map(|record| number(&record.object)).collect();
        assert_eq!(held, model.waiting().map(|(object, _, _)| object).collect(), "what is held");

        for study in catalog.studies(&project()).unwrap() {
            let of = study.study_key.0[0];
            assert_eq!(study.generation, Generation(model.newest(of)), "study {of}");
            let copies = model.copies.values().filter(|c| c.0 == of && model.is_current(**c));
            assert_eq!(study.released, copies.count() as u64, "released of {of}");
            let waiting: BTreeSet<u8> =
                model.waiting().filter(|one| one.1 == of).map(|one| one.2).collect();
            assert_eq!(study.quarantined, waiting.len() as u64, "held of {of}");
        }
        for study in 1..=STUDIES {
            let key = StudyKey([study; 16]);
            let made = catalog.generations(&hospital(), &project(), &key).unwrap();
            let made: BTreeSet<u32> = made.into_iter().map(|generation| generation.0).collect();
            assert_eq!(made, model.generations.get(&study).cloned().unwrap_or_default());
        }

        let holding = catalog.holdings().unwrap().remove(&hospital()).unwrap();
        let stored: BTreeSet<u8> = model
            .copies
            .values()
            .filter(|copy| model.is_current(**copy))
            .map(|copy| copy.2)
            .collect();
        let waiting: BTreeSet<u8> = model.waiting().map(|one| one.2).collect();
        let counted = (holding.stored_instances, holding.held_instances);
        assert_eq!(counted, (stored.len() as u64, waiting.len() as u64), "the status page");

        for sop in 1..=2 {
            let known = catalog.known_instance(&hospital(), &[sop; 16]).unwrap();
            let known = known.map(|known| (known.source, known.outcome, known.repeats));
            let wanted = model.arrivals.get(&sop);
            let wanted =
                wanted.map(|(content, outcome, n)| (digest(&name(*content)), *outcome, *n));
            assert_eq!(known, wanted, "UID {sop}");
        }
    }
}

proptest! {
    // Every step is a durable transaction.
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_catalogue_knows_what_a_model_of_it_knows(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
            run.compare();
        }
    }
}
