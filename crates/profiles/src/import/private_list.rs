//! Lists of private elements as CSV: TCIA's knowledge base, with a disposition for each, and Table
//! E.3.10-1 of PS3.15, whose every element is safe.

use super::attribute::{Attribute, TEXTS, hex};
use super::draft::{Draft, Guard, Place, Treat, rule_of};
use crate::ProfilesError;
use scanveil_dataset::{Vr, tag_of};
use scanveil_scrub::{RuleAction, RuleDocument};
use std::collections::BTreeMap;

/// What a list says of an element, from the mildest to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Disposition {
    Keep,
    Shift,
    Hash,
    Remove,
}

/// An element: the sequences above it, its group, creator and place in the block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Signature {
    path: String,
    creator: String,
    group: u16,
    element: u8,
}

/// Columns of a list.
struct Columns {
    element: usize,
    creator: Option<usize>,
    vr: usize,
    disposition: Option<usize>,
}

/// Reads a list.
pub(super) fn read(text: &str) -> Result<Draft, ProfilesError> {
    let purpose = "Imported from a list of private elements: those that it keeps stay, all others \
                   go with the Basic Profile.";
    let mut draft = Draft::new("the list of private elements", purpose);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = reader.headers().ok().and_then(columns).ok_or_else(|| {
        let why = "the columns are element_sig_pattern, vr and private_disposition, or Data \
                   Element, Private Creator and VR";
        draft.unreadable("line 1", why)
    })?;
    let mut list: BTreeMap<Signature, (Disposition, bool)> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            draft.unreadable(format!("line {line}"), "it is no CSV")
        })?;
        let place = format!("line {}", record.position().map_or(0, csv::Position::line));
        let field = |at: usize| record.get(at).unwrap_or("").trim();
        let what = field(columns.element).to_owned();
        let at = Place { place: &place, what: &what };
        let creator = columns.creator.map(field);
        match signature(&what, creator) {
            Ok(signature) => {
                let said = columns.disposition.map_or("k", field);
                let disposition = disposition(&mut draft, at, said, field(columns.vr));
                let typed = field(columns.vr) == "UI";
                list.entry(signature)
                    .and_modify(|known| *known = (known.0.max(disposition), known.1 & typed))
                    .or_insert((disposition, typed));
            }
            Err(why) => draft.note(at, why),
        }
    }
    rules(&mut draft, &list);
    Ok(draft)
}

fn columns(headers: &csv::StringRecord) -> Option<Columns> {
    let find = |name: &str| headers.iter().position(|header| header.trim() == name);
    if let (Some(element), Some(vr), Some(disposition)) =
        (find("element_sig_pattern"), find("vr"), find("private_disposition"))
    {
        return Some(Columns { element, creator: None, vr, disposition: Some(disposition) });
    }
    let (element, creator) = (find("Data Element")?, find("Private Creator")?);
    Some(Columns { element, creator: Some(creator), vr: find("VR")?, disposition: None })
}

fn disposition(draft: &mut Draft, at: Place<'_>, said: &str, vr: &str) -> Disposition {
    match said.to_ascii_lowercase().as_str() {
        // Names are not kept, whatever a list says.
        "k" if vr == "PN" => {
            draft.note(at, "names of persons are not kept: removed");
            Disposition::Remove
        }
        "k" => Disposition::Keep,
        "h" => Disposition::Hash,
        // Offset: only of dates, and of what may hold one as text.
        "o" if matches!(vr, "DA" | "DT" | "LO" | "SH" | "") => Disposition::Shift,
        "d" => Disposition::Remove,
        _ => {
            draft.note(at, "a disposition that rules do not have: removed");
            Disposition::Remove
        }
    }
}

/// `(0029,"CREATOR",10)[<0>](0008,1150)`: the last is the element, those before are sequences.
fn signature(text: &str, creator: Option<&str>) -> Result<Signature, &'static str> {
    const UNREADABLE: &str = "a signature that cannot be read: removed";
    if let Some(creator) = creator {
        let inner = text.trim_start_matches('(').trim_end_matches(')');
        let (group, element) = inner.split_once(',').ok_or(UNREADABLE)?;
        let element = element.to_ascii_lowercase();
        let element = hex(element.strip_prefix("xx").ok_or(UNREADABLE)?, 2).ok_or(UNREADABLE)?;
        let (group, element) = (hex(group, 4).ok_or(UNREADABLE)?, element as u8);
        return Ok(Signature { path: ".".into(), creator: creator.into(), group, element });
    }
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(')').ok_or(UNREADABLE)?;
        let (part, after) = rest.split_at(end + 1);
        let Some(next) = after.find('(').and_then(|at| after.get(at..)) else {
            return leaf(part, &steps);
        };
        // A private sequence stands in some block, so that it has no one tag.
        steps.push(if tag_of(part).is_some() { part.to_ascii_uppercase() } else { "*".into() });
        rest = next;
    }
}

fn leaf(part: &str, steps: &[String]) -> Result<Signature, &'static str> {
    if tag_of(part).is_some() {
        return Err("a public element in a private sequence: the Basic Profile applies to it");
    }
    // The list has lost the opening quotes of some creators.
    let inner = part.trim_start_matches('(').trim_end_matches(')').replace('"', "");
    let mut fields = inner.splitn(2, ',');
    let group = fields.next().and_then(|text| hex(text, 4));
    let (creator, element) =
        fields.next().and_then(|rest| rest.rsplit_once(',')).unwrap_or(("", ""));
    let (Some(group), Some(element)) = (group, hex(element, 2)) else {
        return Err("a signature that cannot be read: removed");
    };
    if creator.trim().is_empty() {
        return Err("no creator: removed");
    }
    let path = if steps.is_empty() { ".".into() } else { steps.join(".") };
    Ok(Signature { path, creator: creator.trim().into(), group, element: element as u8 })
}

fn rules(draft: &mut Draft, list: &BTreeMap<Signature, (Disposition, bool)>) {
    for (signature, (disposition, uid)) in list {
        let Signature { path, creator, group, element } = signature;
        let to = Attribute::private(*group, creator, *element);
        let guard = || Guard { path: path.clone(), ..Guard::default() };
        let mut rule = |treat, vr: &[Vr]| {
            let vr = vr.iter().map(|vr| String::from_utf8_lossy(&vr.0).into_owned()).collect();
            draft.rule(RuleDocument { vr, ..rule_of(&to, guard(), treat) });
        };
        match disposition {
            Disposition::Remove => {}
            Disposition::Keep => {
                // Whoever made the list did not see every text that stands in the element.
                rule(Treat::Do(RuleAction::Clean), &TEXTS);
                rule(Treat::KEEP, &[]);
            }
            Disposition::Shift => {
                rule(Treat::Do(RuleAction::Shift), &[Vr::DA, Vr::DT]);
                rule(Treat::Do(RuleAction::Clean), &TEXTS);
            }
            Disposition::Hash if *uid => rule(Treat::Do(RuleAction::Remap), &[]),
            Disposition::Hash => {
                rule(Treat::Do(RuleAction::Remap), &[Vr::UI]);
                rule(Treat::Do(RuleAction::Hash), &TEXTS);
            }
        }
    }
}
