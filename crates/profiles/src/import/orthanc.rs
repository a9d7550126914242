//! The body of Orthanc's `/anonymize`: JSON with `Remove`, `Replace` and `Keep`.

use super::attribute::{Attribute, hex};
use super::draft::{Draft, Guard, Place, Treat};
use crate::ProfilesError;
use serde_json::{Map, Value};

/// Keys about jobs, storage and transport: they say nothing of what becomes of the data.
const ABOUT_JOBS: [&str; 11] = [
    "Asynchronous",
    "Force",
    "KeepLabels",
    "KeepSource",
    "LossyQuality",
    "Permissive",
    "Priority",
    "Resources",
    "Synchronous",
    "Transcode",
    "UserData",
];

/// Reads a body.
pub(super) fn read(text: &str) -> Result<Draft, ProfilesError> {
    let mut draft =
        Draft::new("the Orthanc body", "Imported from the body of an Orthanc anonymization.");
    let body: Value = serde_json::from_str(text).map_err(|error| {
        draft.unreadable(format!("line {}", error.line()), "it is no JSON, or too deep")
    })?;
    let Value::Object(body) = body else {
        return Err(draft.unreadable("its beginning", "the body of an anonymization is an object"));
    };
    let creator = body.get("PrivateCreator").and_then(Value::as_str);
    // Orthanc replaces after it has removed, and keeps what neither names.
    for (target, value) in entries(&draft, &body, "Replace")? {
        let treat = match value {
            Value::String(text) => Treat::With(text.clone()),
            Value::Number(number) => Treat::With(number.to_string()),
            _ => Treat::Unknown("a value that is no text: removed"),
        };
        directive(&mut draft, "Replace", target, creator, &treat);
    }
    draft.next_block();
    for target in names(&draft, &body, "Remove")? {
        directive(&mut draft, "Remove", target, creator, &Treat::REMOVE);
    }
    draft.next_block();
    for target in names(&draft, &body, "Keep")? {
        directive(&mut draft, "Keep", target, creator, &Treat::KEEP);
    }
    for (key, value) in &body {
        other(&mut draft, key, value);
    }
    Ok(draft)
}

fn other(draft: &mut Draft, key: &str, value: &Value) {
    let at = Place { place: key, what: key };
    match key {
        "Remove" | "Replace" | "Keep" | "PrivateCreator" => {}
        "KeepPrivateTags" if *value != Value::Bool(true) => {}
        "KeepPrivateTags" => {
            draft.note(at, "private elements go unless a rule or retain-safe-private keeps them");
        }
        "RemovePrivateTags" => {}
        "DicomVersion" => {
            draft.note(at, "the edition of Table E.1-1 is the one that scanveil has");
        }
        key if ABOUT_JOBS.contains(&key) => {
            draft.note(at, "about Orthanc's own work: nothing is done with it");
        }
        _ => draft.note(at, "not known: nothing is done with it"),
    }
}

fn entries<'b>(
    draft: &Draft,
    body: &'b Map<String, Value>,
    key: &str,
) -> Result<Vec<(&'b str, &'b Value)>, ProfilesError> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(map)) => Ok(map.iter().map(|(key, v)| (key.as_str(), v)).collect()),
        Some(_) => Err(draft.unreadable(key, "it must be an object of tags and values")),
    }
}

fn names<'b>(
    draft: &Draft,
    body: &'b Map<String, Value>,
    key: &str,
) -> Result<Vec<&'b str>, ProfilesError> {
    let wrong = || draft.unreadable(key, "it must be a list of tags");
    match body.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => {
            list.iter().map(|name| name.as_str().ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// One tag, or one path such as `ReferencedImageSequence[*].ReferencedSOPInstanceUID`.
fn directive(draft: &mut Draft, key: &str, target: &str, creator: Option<&str>, treat: &Treat) {
    let place = format!("{key}.{target}");
    let at = Place { place: &place, what: key };
    let Some((steps, leaf)) = path(target, creator) else {
        return draft.note(at, "not a tag: nothing is done with it");
    };
    let single = steps.iter().any(|step| step.single);
    let keeps = *treat == Treat::KEEP;
    if single && keeps {
        return draft.note(at, "items of a sequence are not told apart: nothing is kept");
    }
    if single {
        draft.note(at, "items of a sequence are not told apart: it is done in all");
    }
    // What goes, goes everywhere; what stays, stays only where it was meant.
    let path = match steps.as_slice() {
        [] if keeps => ".".to_owned(),
        [] => String::new(),
        steps => steps.iter().map(|step| step.sequence.as_str()).collect::<Vec<_>>().join("."),
    };
    draft.treat(at, &leaf, Guard { path, ..Guard::default() }, treat.clone());
}

struct Step {
    sequence: String,
    /// Only one item is meant.
    single: bool,
}

fn path(target: &str, creator: Option<&str>) -> Option<(Vec<Step>, Attribute)> {
    let mut parts: Vec<&str> = target.split('.').collect();
    let leaf = parts.pop()?;
    let leaf = match leaf.split_once('[') {
        // `Sequence[*]` at the end is the sequence itself.
        Some((name, _)) => name,
        None => leaf,
    };
    let mut steps = Vec::with_capacity(parts.len());
    for part in parts {
        let (name, item) = part.split_once('[').unwrap_or((part, "*]"));
        steps.push(Step { sequence: attribute(name, None)?.pattern, single: item != "*]" });
    }
    Some((steps, attribute(leaf, creator)?))
}

fn attribute(name: &str, creator: Option<&str>) -> Option<Attribute> {
    let found = Attribute::parse(name)?;
    let (Some(creator), Some(tag)) = (creator, found.tag.filter(|tag| tag.is_private())) else {
        return Some(found);
    };
    let element = hex(&format!("{:04X}", tag.element()), 4)? as u8;
    Some(Attribute::private(tag.group(), creator, element))
}
