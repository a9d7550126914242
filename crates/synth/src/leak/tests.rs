use super::*;
use crate::{Hunter, Planted, TEXT_MIN_FORM};
use std::collections::BTreeSet;

fn vectors() -> Vec<LeakVector> {
    leak_vectors(1).unwrap()
}

#[test]
fn every_row_about_headers_and_structure_has_a_vector() {
    let rows: BTreeSet<u8> = vectors().iter().map(|vector| vector.row).collect();
    let wanted: BTreeSet<u8> = (1..=35).chain(40..=44).chain([47]).collect();
    assert_eq!(rows, wanted);
}

#[test]
fn vectors_are_told_apart_by_name_and_way_of_writing() {
    let mut seen = BTreeSet::new();
    for v in vectors() {
        assert!(seen.insert((v.name, v.syntax.uid(), v.lengths == Lengths::Defined)), "{}", v.name);
    }
}

#[test]
fn every_planted_value_is_found_in_its_file() {
    for v in vectors() {
        for planted in &v.instance.planted {
            let one: &[Planted] = std::slice::from_ref(planted);
            let hunter = Hunter::new(one, TEXT_MIN_FORM).unwrap();
            let report = hunter.hunt_bytes(&v.instance.file).unwrap();
            assert!(!report.is_clean(), "{} {:?} {:?}", v.name, v.syntax, planted.kind);
        }
    }
}

#[test]
fn vectors_depend_on_the_seed_alone() {
    let (a, b) = (vectors(), vectors());
    assert!(a.iter().zip(&b).all(|(x, y)| x.instance.file == y.instance.file));
}
