//! Free texts alone, without the files they stand in: many more of them in the same time.

use super::hospital::Hospital;
use super::person::Patient;
use super::phrase::{Habit, Part, Scene};
use super::study::day;
use crate::rng::Rng;

/// A free text as somebody types it, and what the other attributes of its study say. It has no
/// `Debug`: even invented values stay out of logs.
#[derive(Clone)]
pub struct TypedText {
    /// The text.
    pub text: String,
    /// Its clinical words, which must stay.
    pub stays: Vec<String>,
    /// Names, numbers and places in it, which must go.
    pub goes: Vec<String>,
    /// Dates and UIDs in it, which must go or change.
    pub changes: Vec<String>,
    /// Words between them, of which nobody asks.
    pub others: String,
    /// Person names of the study's attributes, as VR PN writes them.
    pub people: Vec<String>,
    /// Numbers of the study's attributes.
    pub identifiers: Vec<String>,
    /// Addresses and institutions of the study's attributes.
    pub places: Vec<String>,
    /// Days of the study's attributes, as VR DA writes them.
    pub days: Vec<String>,
}

/// What texts are about, and how they are typed.
const SECTIONS: [(&str, Habit); 16] = [
    ("study.CT", Habit::Short),
    ("study.MR", Habit::Short),
    ("study.CR", Habit::Short),
    ("study.US", Habit::Short),
    ("study.MG", Habit::Short),
    ("study.PT", Habit::Short),
    ("series.CT", Habit::Short),
    ("series.MR", Habit::Short),
    ("protocol", Habit::Short),
    ("reason", Habit::Short),
    ("reason", Habit::Long),
    ("finding", Habit::Long),
    ("finding", Habit::Long),
    ("history", Habit::Long),
    ("conclusion", Habit::Long),
    ("recommendation", Habit::Long),
];

/// Texts that depend on the seed alone, without end: all of careless people, and sixteen about each
/// patient.
pub fn typed_texts(seed: u64) -> impl Iterator<Item = TypedText> {
    (0..).flat_map(move |number| about_one(seed, number))
}

fn about_one(seed: u64, number: u64) -> Vec<TypedText> {
    let mut rng = Rng::new(seed, &format!("typed texts {number}"));
    let mut hospitals = Hospital::all(rng.u64());
    let at = rng.below(hospitals.len() as u32) as usize;
    let mut hospital = hospitals.swap_remove(at);
    hospital.carelessness = 100;
    let mrn = hospital.record_number(&mut rng);
    let patient = Patient::invent(&mut rng, hospital.culture, mrn);
    let date = day(&mut rng, 2020);
    let accession = hospital.accession(&mut rng, date);
    let prior = day(&mut rng, 2018);
    let study_uid = hospital.uid(&mut rng, prior);
    let scene = Scene {
        hospital: &hospital,
        patient: &patient,
        prior,
        accession: &accession,
        study_uid: &study_uid,
    };
    let named = (0..6).map(|_| rng.pick(&hospital.staff).pn()).collect::<Vec<_>>();
    let people = [patient.name.pn(), patient.mother.pn()].into_iter().chain(named).collect();
    let study = TypedText {
        text: String::new(),
        stays: Vec::new(),
        goes: Vec::new(),
        changes: Vec::new(),
        others: String::new(),
        people,
        identifiers: vec![
            patient.mrn.clone(),
            patient.other_id.clone(),
            patient.phone.clone(),
            accession.clone(),
        ],
        places: vec![patient.address.clone(), hospital.name.clone(), hospital.address.clone()],
        days: vec![patient.birth.da(), date.da()],
    };
    SECTIONS.iter().map(|section| type_one(&mut rng, &scene, *section, study.clone())).collect()
}

fn type_one(
    rng: &mut Rng,
    scene: &Scene<'_>,
    (section, habit): (&str, Habit),
    study: TypedText,
) -> TypedText {
    let clinical = scene.hospital.culture.clinical(rng, section);
    let phrase = scene.type_in(rng, clinical, habit);
    let mut typed = TypedText { text: phrase.text(), others: phrase.others(), ..study };
    for part in phrase.parts {
        match part {
            Part::Keep(text) => typed.stays.push(text),
            Part::Gone(text, _) => typed.goes.push(text),
            Part::Date(text) | Part::Uid(text) => typed.changes.push(text),
            Part::Filler(_) => {}
        }
    }
    typed
}
