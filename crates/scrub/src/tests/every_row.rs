//! Every row of Table E.1-1, under every option, at the top level, in a sequence and in a private
//! sequence: what the table says is what comes out.

use super::*;
use crate::days::{Published, published};
use crate::iod::{Attributes, TOP, Type};
use crate::sop::SopClass;
use scanveil_dataset::{Encoding, Kind, TransferSyntax, Vr, Writer, file_meta, lookup};

const LE: Encoding = Encoding { explicit: true, big_endian: false };
const CLASSES: [&str; 3] =
    ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.481.5"];
/// A sequence that the table does not list, so that its items are treated.
const OUTER: Tag = Tag::new(0x8, 0x1115);
const CREATOR: Tag = Tag::new(0x9, 0x10);
const PRIVATE: Tag = Tag::new(0x9, 0x1010);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Top,
    Nested,
    NestedInPrivate,
}

/// A value that identifies nobody, and one that names the patient.
fn values(vr: Vr) -> [Vec<u8>; 2] {
    let item = |text: &[u8]| {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        let mark = writer.open_item(false, LE);
        writer.element(Tag::new(8, 0x104), Vr::LO, text, LE);
        writer.close_item(&mark);
        bytes
    };
    let pair = |one: &[u8], other: &[u8]| [one.to_vec(), other.to_vec()];
    match &vr.0 {
        b"DA" => pair(b"20210712", b"19410712"),
        b"TM" => pair(b"101112", b"Garrowby"),
        b"DT" => pair(b"20210712101112", b"19410712 Garrowby"),
        b"UI" => pair(b"1.2.826.0.1.99.1", b"1.2.826.0.1.99.2"),
        b"CS" | b"AE" => pair(b"CHEST", b"GARROWBY"),
        b"AS" => pair(b"045Y", b"Garrowby"),
        b"DS" | b"IS" => pair(b"47", b"Garrowby"),
        b"PN" => pair(b"Mill^Ada", b"Garrowby^Ann"),
        b"SQ" => [item(b"CHEST"), item(b"Ann Garrowby")],
        b"US" | b"SS" => pair(&[7, 0], &[9, 0]),
        b"UL" | b"SL" | b"FL" | b"AT" => pair(&[7, 0, 0, 0], &[9, 0, 0, 0]),
        b"FD" | b"SV" | b"UV" => pair(&[7, 0, 0, 0, 0, 0, 0, 0], &[9, 0, 0, 0, 0, 0, 0, 0]),
        b"OB" | b"OW" | b"OD" | b"OF" | b"OL" | b"OV" => pair(&[1; 8], b"Garrowby"),
        _ => pair(b"CHEST", b"Ann Garrowby CHEST"),
    }
}

/// An instance with the element at the place.
pub(super) fn instance(class: &str, tag: Tag, vr: Vr, value: &[u8], place: Place) -> Vec<u8> {
    instance_with(class, &[(tag, vr, value.to_vec())], place)
}

/// An instance with elements, in order of their tags, at the place.
pub(super) fn instance_with(class: &str, elements: &[(Tag, Vr, Vec<u8>)], place: Place) -> Vec<u8> {
    let mut top: BTreeMap<Tag, (Vr, Vec<u8>)> = BTreeMap::new();
    for (tag, vr, value) in [
        (tags::SOP_CLASS_UID, Vr::UI, class),
        (tags::SOP_INSTANCE_UID, Vr::UI, "1.2.826.0.1.1"),
        (tags::PATIENT_NAME, Vr::PN, "Garrowby^Ann"),
        (tags::PATIENT_ID, Vr::LO, "GW-0047110815"),
        (tags::PATIENT_BIRTH_DATE, Vr::DA, "19410712"),
        (tags::STUDY_INSTANCE_UID, Vr::UI, "1.2.826.0.1.2"),
        (tags::SERIES_INSTANCE_UID, Vr::UI, "1.2.826.0.1.3"),
    ] {
        top.insert(tag, (vr, value.as_bytes().to_vec()));
    }
    let mut inner = Vec::new();
    for (tag, vr, value) in elements {
        Writer::new(&mut inner).element(*tag, *vr, value, LE);
    }
    let item = |inner: &[u8]| {
        let mut bytes = Vec::new();
        let mark = Writer::new(&mut bytes).open_item(false, LE);
        bytes.extend_from_slice(inner);
        Writer::new(&mut bytes).close_item(&mark);
        bytes
    };
    match place {
        Place::Top => {
            top.extend(elements.iter().map(|(tag, vr, value)| (*tag, (*vr, value.clone()))));
        }
        Place::Nested => _ = top.insert(OUTER, (Vr::SQ, item(&inner))),
        Place::NestedInPrivate => {
            top.insert(CREATOR, (Vr::LO, b"SOMEBODY".to_vec()));
            top.insert(PRIVATE, (Vr::SQ, item(&inner)));
        }
    }
    let mut bytes = file_meta(class, "1.2.826.0.1.1", TransferSyntax::EXPLICIT_LITTLE);
    for (tag, (vr, value)) in &top {
        Writer::new(&mut bytes).element(*tag, *vr, value, LE);
    }
    bytes
}

/// What came of the element: `None` when it is gone.
pub(super) fn outcome(bytes: &[u8], tag: Tag, place: Place) -> Option<Vec<u8>> {
    let (header, _) = open_slice(bytes, &Limits::default()).unwrap();
    let data = &header.data;
    let outer = match place {
        Place::Top => None,
        Place::Nested => Some(OUTER),
        Place::NestedInPrivate => Some(PRIVATE),
    };
    let found = data.elements().iter().find(|element| {
        let item = data.elements().get(element.parent as usize);
        let holder = item.and_then(|item| data.elements().get(item.parent as usize));
        element.tag == tag && element.kind != Kind::Item && holder.map(|h| h.tag) == outer
    });
    found.map(|element| data.value(element).to_vec())
}

/// What the table asks for, told in its own words and not in the engine's.
fn expected(row: &TableRow, options: &[&str], kind: Type) -> Code {
    // An archive is no device.
    let options = if row.tag == Some(Tag::new(0x8, 0x54)) { &[] } else { options };
    let under =
        |wanted| row.options.iter().any(|(name, code)| *code == wanted && options.contains(name));
    // A date that some option keeps moves with the others: one that stays gives them away.
    let dated = row.options.contains(&("modified-dates", Code::C));
    let moves = dated && options.contains(&"modified-dates");
    match row.tag.filter(|_| moves).and_then(published) {
        // What everybody can look up gives them away when it moves.
        Some(Published::Keep) => return Code::K,
        Some(Published::Remove) => {
            return match kind {
                Type::One => Code::D,
                Type::Two => Code::Z,
                Type::Three => Code::X,
            };
        }
        None if under(Code::K) && !moves => return Code::K,
        None if under(Code::C) => return Code::C,
        None => {}
    }
    match (row.basic, kind) {
        (Code::X | Code::XZ | Code::XD | Code::XZD, Type::Three) => Code::X,
        (Code::X | Code::XZ | Code::XD | Code::XZD | Code::ZD | Code::Z, Type::Two) => Code::Z,
        (Code::X | Code::XZ | Code::XD | Code::XZD | Code::ZD | Code::Z, Type::One) => Code::D,
        (Code::Z | Code::ZD, Type::Three) => Code::Z,
        (Code::XZU, _) => Code::U,
        (code, _) => code,
    }
}

/// Whether the outcome of a harmless value is what the code says.
fn is_right(tag: Tag, code: Code, vr: Vr, before: &[u8], after: Option<&[u8]>) -> bool {
    let value = after.map(|value| value.trim_ascii_end());
    let before = before.trim_ascii_end();
    let kept = value == Some(before);
    match code {
        Code::X => value.is_none(),
        Code::Z => value == Some(b""),
        // Of content items the values are replaced; this one has none.
        Code::D if tag == Tag::new(0x40, 0xa730) => kept,
        Code::D => value.is_some_and(|value| !value.is_empty()) && !kept,
        Code::U if vr == Vr::SQ => value.is_some_and(|value| !value.is_empty()),
        Code::U => value.is_some_and(|value| value.starts_with(b"2.25.")),
        Code::K if vr == Vr::SQ => value.is_some_and(|value| !value.is_empty()),
        Code::K => kept,
        // Days move, times of day stay; texts without identifiers stay.
        Code::C if vr == Vr::DA || vr == Vr::DT => {
            value.is_some_and(|value| value.len() == before.len()) && !kept
        }
        Code::C if matches!(&vr.0, b"OB" | b"OW") => value.is_none(),
        Code::C if vr == Vr::SQ => value.is_some_and(|value| !value.is_empty()),
        Code::C => kept,
        _ => false,
    }
}

/// The cases of one set of options: how many there were, and what was wrong.
#[derive(Default)]
struct Tally {
    cases: usize,
    held: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn case(&mut self, profile: &Profile, class: &str, row: &TableRow, code: Code, place: Place) {
        let tag = row.tag.unwrap();
        let vr = lookup(tag).map_or(Vr::LO, |entry| entry.vr);
        let [harmless, naming] = values(vr);
        self.cases += 1;
        match scrub_one(&instance(class, tag, vr, &harmless, place), profile) {
            Ok(out) => {
                let after = outcome(&out, tag, place);
                if !is_right(tag, code, vr, &harmless, after.as_deref()) {
                    self.wrong.push(format!("{tag} {} {place:?} {code:?} {class}", row.name));
                }
            }
            // An encapsulated document, a label: the attribute makes the instance another one.
            Err(_) => self.held += 1,
        }
        let out = scrub_one(&instance(class, tag, vr, &naming, place), profile);
        let text = out.map(|out| String::from_utf8_lossy(&out).to_lowercase()).unwrap_or_default();
        // A day that an option keeps may be the day that somebody was born on.
        let day = code != Code::K && text.contains("19410712");
        if text.contains("garrowby") || day {
            self.wrong.push(format!("{tag} {} {place:?} leaks", row.name));
        }
    }
}

fn tally(options: &[&str]) -> Tally {
    let list = options.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    let text = format!("format = 2\nname = \"t\"\nversion = \"1\"\noptions = [{list}]\n");
    let plain = Profile::from_toml(&text).unwrap();
    let rule = "[[rule]]\nmatch = [\"(0009,xx10)\"]\ncreator = \"somebody\"\naction = \"keep\"\n";
    let opened = Profile::from_toml(&format!("{text}{rule}")).unwrap();
    let mut tally = Tally::default();
    for class in CLASSES {
        let types = Attributes::of(SopClass::find(class).unwrap().iod);
        for row in rows().filter(is_testable) {
            let tag = row.tag.unwrap();
            let at = |parent| expected(&row, options, types.kind(parent, tag));
            tally.case(&plain, class, &row, at(TOP), Place::Top);
            tally.case(&plain, class, &row, at(OUTER), Place::Nested);
            tally.case(&opened, class, &row, at(PRIVATE), Place::NestedInPrivate);
            // Without the rule the private sequence is gone with all that is in it.
            let bytes = instance(class, tag, Vr::LO, b"CHEST", Place::NestedInPrivate);
            let out = scrub_one(&bytes, &plain).unwrap();
            assert_eq!(outcome(&out, PRIVATE, Place::Top), None);
        }
    }
    tally
}

#[test]
fn every_row_under_every_option_at_every_place() {
    let mut sets: Vec<Vec<&str>> = vec![vec![]];
    sets.extend(ProfileOption::names().map(|name| vec![name]));
    sets.push(vec!["clean-descriptors", "modified-dates", "retain-device-identity"]);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let running: Vec<_> = sets.iter().map(|set| scope.spawn(|| tally(set))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let cases: usize = tallies.iter().map(|tally| tally.cases).sum();
    let held: usize = tallies.iter().map(|tally| tally.held).sum();
    eprintln!("{cases} cases, {held} of them held back");
    let wrong: Vec<String> = sets
        .iter()
        .zip(&tallies)
        .flat_map(|(set, tally)| tally.wrong.iter().map(move |wrong| format!("{set:?} {wrong}")))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong[..wrong.len().min(2000)].join("\n")
    );
    assert!(cases > 60_000 && held * 100 < cases, "{cases} {held}");
}

/// Rows of attributes that an instance can carry as they are: not what scanveil writes itself, not
/// groups that no instance has, not what makes the instance another one.
fn is_testable(row: &TableRow) -> bool {
    let Some(tag) = row.tag else { return false };
    tag.group() >= 8
        && !matches!(tag.group(), 0x4000 | 0x4008 | 0xfffa | 0xfffc)
        && tag.group() & 0xff00 != 0x6000
        && !crate::header::is_inserted(tag)
        && !matches!(
            tag,
            tags::PATIENT_NAME
                | tags::PATIENT_ID
                | tags::PATIENT_BIRTH_DATE
                | tags::SOP_INSTANCE_UID
                | tags::STUDY_INSTANCE_UID
                | tags::SERIES_INSTANCE_UID
        )
}
