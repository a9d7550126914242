//! Whole invented files: everything is found before, and nothing after.

use super::*;
use scanveil_dataset::{DataSet, Element, Kind};
use scanveil_synth::{Corpus, CorpusSpec, SynthInstance, leak_vectors};
use std::collections::BTreeMap;

/// The data set of a file as it is searched: inflated.
fn elements_of(data: &DataSet<'_>) -> Vec<u8> {
    let end = data.elements().iter().map(|e| e.start as usize + e.length as usize).max();
    data.raw(0, end.unwrap_or(0)).to_vec()
}

fn evidence_of<'i>(instances: impl Iterator<Item = &'i SynthInstance>) -> Verifier {
    let mut evidence = Evidence::new();
    for instance in instances {
        if let Ok((header, _)) = open_slice(&instance.file, &Limits::default()) {
            evidence.observe(&header).unwrap();
        }
    }
    evidence.verifier(&|_| false).unwrap()
}

/// A stand-in for a scrubber: UIDs keyed, dates moved, everything that people type taken out.
fn cleaned(data: &DataSet<'_>) -> Vec<u8> {
    let mut out =
        file_meta("1.2.840.10008.5.1.4.1.1.2", "2.25.4711", TransferSyntax::EXPLICIT_LITTLE);
    let mut writer = Writer::new(&mut out);
    let mut at = 0;
    while let Some(element) = data.elements().get(at) {
        at = element.next as usize;
        if element.kind == Kind::Leaf && !element.tag.is_private() {
            let value = replaced(element, data.value(element));
            writer.element(element.tag, element.vr, &value, LE);
        }
    }
    out
}

fn replaced(element: &Element, value: &[u8]) -> Vec<u8> {
    match &element.vr.0 {
        b"UI" if value.starts_with(b"1.2.840.10008.") => value.to_vec(),
        b"UI" => b"2.25.200000000000000000000000000000000000001".to_vec(),
        b"PN" => b"SUBJECT-0001".to_vec(),
        b"DA" => b"20210704".to_vec(),
        b"DT" => b"20210704101112".to_vec(),
        b"OB" | b"UN" => Vec::new(),
        // What people type into codes and numbers.
        b"CS" | b"DS" | b"IS" | b"TM" if value.iter().any(u8::is_ascii_lowercase) => Vec::new(),
        b"LO" | b"SH" | b"LT" | b"ST" | b"UT" | b"UC" | b"UR" | b"AE" | b"AS" => {
            match element.tag.0 {
                0x0008_0070 | 0x0008_1090 | 0x0018_1020 => value.to_vec(),
                _ => b"t2 tse tra, HEAD, no acute lesion of the left lobe".to_vec(),
            }
        }
        b"DS" | b"IS" | b"TM" if value.len() > 7 && !value.contains(&b'.') => Vec::new(),
        _ if value.windows(4).any(|four| four.iter().all(u8::is_ascii_alphabetic)) => {
            if element.vr.is_string() { value.to_vec() } else { Vec::new() }
        }
        _ if !element.vr.is_string() && element.encoding.big_endian => Vec::new(),
        _ => value.to_vec(),
    }
}

fn corpus(seed: u64) -> Vec<SynthInstance> {
    let corpus = Corpus::new(seed, CorpusSpec::tiny());
    corpus.instances().map(|instance| instance.unwrap()).collect()
}

#[test]
fn every_file_of_a_corpus_is_found_before_and_clean_after() {
    for seed in [1, 2] {
        let instances = corpus(seed);
        let mut checked = 0;
        for instance in &instances {
            let study = instances.iter().filter(|other| {
                (other.hospital, other.study) == (instance.hospital, instance.study)
            });
            let verifier = evidence_of(study);
            let (header, _) = open_slice(&instance.file, &Limits::default()).unwrap();
            let found = verifier.search(&elements_of(&header.data));
            assert!(found.is_some(), "{}", instance.transfer_syntax);
            let cleaned = cleaned(&header.data);
            assert_eq!(verifier.check(&cleaned, &[], &[]), Ok(()));
            checked += 1;
        }
        assert!(checked > 30, "{checked}");
    }
}

/// What the verifier does not gather: text that names nobody by its element.
fn gathered(kind: scanveil_synth::PlantedKind) -> bool {
    !matches!(kind, scanveil_synth::PlantedKind::Text)
}

#[test]
fn nearly_every_planted_value_is_found_by_itself() {
    let (mut found, mut missed): (usize, BTreeMap<String, usize>) = (0, BTreeMap::new());
    for instance in &corpus(3) {
        let verifier = evidence_of(std::iter::once(instance));
        for planted in instance.planted.iter().filter(|planted| gathered(planted.kind)) {
            let alone = [b"\x00\x00", &planted.encoded[..], b"\x00\x00"].concat();
            if verifier.search(&alone).is_some() {
                found += 1;
            } else {
                *missed.entry(format!("{:?}", planted.kind)).or_default() += 1;
            }
        }
    }
    assert!(found >= 1050 && missed.is_empty(), "{found}, {missed:?}");
}

#[test]
fn leak_vectors_are_found_before_and_clean_after() {
    let (mut found, mut missed) = (0, Vec::new());
    for vector in leak_vectors(1).unwrap() {
        let verifier = evidence_of(std::iter::once(&vector.instance));
        let file = &vector.instance.file;
        let Ok((header, _)) = open_slice(file, &Limits::default()) else { continue };
        if verifier.search(&elements_of(&header.data)).is_some() {
            found += 1;
        } else {
            missed.push(vector.name);
        }
        assert_eq!(verifier.check(&cleaned(&header.data), &[], &[]), Ok(()), "{}", vector.name);
    }
    assert!(found >= 350 && missed.is_empty(), "{found}, {missed:?}");
}

/// Every value planted in a leak vector, alone: those that stand in texts and blobs only are no
/// evidence, because nothing says what they are; there are few.
#[test]
fn nearly_every_canary_is_found_by_itself() {
    let mut missed: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    let mut found = 0;
    for vector in leak_vectors(1).unwrap() {
        if open_slice(&vector.instance.file, &Limits::default()).is_err() {
            continue;
        }
        let verifier = evidence_of(std::iter::once(&vector.instance));
        for planted in vector.instance.planted.iter().filter(|planted| gathered(planted.kind)) {
            if verifier.search(&planted.encoded).is_some() {
                found += 1;
            } else {
                *missed.entry((vector.row, vector.name)).or_default() += 1;
            }
        }
    }
    let all: usize = missed.values().sum();
    assert!(found >= 10_500 && all <= 91, "{found}, {missed:?}");
    assert!(!missed.keys().any(|(row, _)| matches!(row, 26 | 27 | 43)), "{missed:?}");
}
