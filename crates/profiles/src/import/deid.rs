//! Recipes of pydicom's deid: `FORMAT dicom`, sections `%header`, `%fields`, `%values`, `%filter`.

mod field;

use self::field::{Field, Fields};
use super::MOST_RULES;
use super::attribute::Attribute;
use super::draft::{Draft, Guard, Place, Treat, empty, too_many};
use crate::ProfilesError;
use scanveil_dataset::{Vr, tags};
use scanveil_scrub::{RuleAction, RuleDocument};
use std::collections::{HashMap, HashSet};

/// What a header line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Blank,
    Jitter,
    Keep,
    Remove,
    Replace,
}

const VERBS: [(&str, Verb); 6] = [
    ("ADD", Verb::Add),
    ("BLANK", Verb::Blank),
    ("JITTER", Verb::Jitter),
    ("KEEP", Verb::Keep),
    ("REMOVE", Verb::Remove),
    ("REPLACE", Verb::Replace),
];

/// A line of the header section.
struct Action<'t> {
    place: String,
    what: String,
    verb: Verb,
    field: &'t str,
    value: &'t str,
}

/// Groups of fields by name.
type Groups<'t> = HashMap<&'t str, Vec<&'t str>>;

/// Reads a recipe.
pub(super) fn read(text: &str) -> Result<Draft, ProfilesError> {
    let mut draft = Draft::new("the deid recipe", "Imported from a deid recipe.");
    let mut actions = Vec::new();
    let mut groups = Groups::new();
    let mut section = ("", "");
    let mut format = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let place = format!("line {}", at + 1);
        let first = line.split_whitespace().next().unwrap_or("");
        let rest = line.get(first.len()..).unwrap_or("").trim();
        match first.to_ascii_uppercase().as_str() {
            "" => {}
            word if word.starts_with('#') => {}
            "FORMAT" if rest.eq_ignore_ascii_case("dicom") => format = true,
            "FORMAT" => return Err(draft.unreadable(place, "only recipes for DICOM are imported")),
            word if word.starts_with('%') => {
                let name = rest.split('#').next().unwrap_or("").trim();
                section = (first.get(1..).unwrap_or(""), name);
            }
            word => line_of(
                &mut draft,
                (&mut actions, &mut groups),
                section,
                &Line { place, word, first, rest },
            ),
        }
    }
    if !format {
        return Err(draft.unreadable("its first line", "a recipe says FORMAT dicom"));
    }
    if actions.len() > MOST_RULES {
        return Err(too_many("lines"));
    }
    build(&mut draft, &actions, &mut Fields::new(&groups))?;
    Ok(draft)
}

/// A line that is neither comment nor section.
struct Line<'l, 't> {
    place: String,
    /// The first word in upper case, and as it is.
    word: &'l str,
    first: &'t str,
    rest: &'t str,
}

fn line_of<'t>(
    draft: &mut Draft,
    (actions, groups): (&mut Vec<Action<'t>>, &mut Groups<'t>),
    (section, group): (&str, &'t str),
    line: &Line<'_, 't>,
) {
    let at = Place { place: &line.place, what: line.first };
    match section.to_ascii_lowercase().as_str() {
        "header" => match VERBS.iter().find(|(name, _)| *name == line.word) {
            Some(&(_, verb)) => {
                let (field, value) = field::split(line.rest);
                let what = format!("{} {field}", line.word);
                let place = line.place.clone();
                actions.push(Action { place, what, verb, field, value });
            }
            None => draft.note(at, "not an action: nothing is done with it"),
        },
        "fields" if line.word == "FIELD" => groups.entry(group).or_default().push(line.rest),
        "values" => {
            let why = "values of a group: the study's own identifying values are always searched";
            draft.note(at, why);
        }
        "filter" if line.word == "LABEL" => {
            draft.note(at, "filters and their pixel regions are not imported");
        }
        // The criteria and coordinates of a filter, told with its label.
        "filter" => {}
        _ => draft.note(at, "not known: nothing is done with it"),
    }
}

/// Rules in the order in which they win: changes, keeps, removals. Of several changes of a field
/// the last one counts, as in deid.
fn build(
    draft: &mut Draft,
    actions: &[Action<'_>],
    fields: &mut Fields<'_>,
) -> Result<(), ProfilesError> {
    let mut decided = HashSet::new();
    let changes = |verb| !matches!(verb, Verb::Keep | Verb::Remove);
    for action in actions.iter().rev().filter(|action| changes(action.verb)) {
        apply(draft, action, fields, Some(&mut decided))?;
    }
    for verb in [Verb::Keep, Verb::Remove] {
        draft.next_block();
        for action in actions.iter().filter(|action| action.verb == verb) {
            apply(draft, action, fields, None)?;
        }
    }
    let all = |action: &&Action<'_>| action.verb == Verb::Remove && is_all(action.field);
    if let Some(action) = actions.iter().find(all) {
        draft.remove_rest(Place { place: &action.place, what: &action.what }, &[]);
    } else {
        let at = Place { place: "the recipe", what: "fields without an action" };
        draft.note(at, "deid keeps them; here they follow the Basic Profile");
    }
    Ok(())
}

fn is_all(field: &str) -> bool {
    field.eq_ignore_ascii_case("all")
}

fn apply(
    draft: &mut Draft,
    action: &Action<'_>,
    fields: &mut Fields<'_>,
    mut decided: Option<&mut HashSet<String>>,
) -> Result<(), ProfilesError> {
    let at = Place { place: &action.place, what: &action.what };
    if action.verb == Verb::Remove && !action.value.is_empty() {
        draft.note(at, "its condition: the field is always removed");
    }
    if is_all(action.field) {
        match action.verb {
            Verb::Remove => {}
            Verb::Keep => draft.note(at, "everything is never kept: the Basic Profile applies"),
            _ => draft.note(at, "not done to every field: the Basic Profile applies"),
        }
        return Ok(());
    }
    let found = fields.of(action.field)?;
    if found.is_empty() {
        draft.note(at, "no field that rules can name: nothing is done with it");
    }
    for field in found {
        match field {
            Field::One(attribute) => {
                let new = decided.as_mut().is_none_or(|seen| {
                    let creator = attribute.creator.as_deref().unwrap_or("");
                    seen.insert(format!("{}{creator}", attribute.pattern))
                });
                if new {
                    let treat = treat(draft, at, action, &attribute);
                    draft.treat(at, &attribute, Guard::default(), treat);
                }
            }
            Field::Kind(vr, tags) => {
                draft.next_block();
                kind(draft, at, action, vr, tags);
                draft.next_block();
            }
        }
    }
    Ok(())
}

/// A whole value representation or a whole group.
fn kind(draft: &mut Draft, at: Place<'_>, action: &Action<'_>, vr: Vec<String>, tags: Vec<String>) {
    let dates = vr.iter().all(|vr| vr == "DA" || vr == "DT") && !vr.is_empty();
    let rule = match action.verb {
        Verb::Keep => return draft.note(at, "a whole kind of fields is never kept"),
        Verb::Remove => empty(RuleAction::Remove),
        Verb::Blank => empty(RuleAction::Empty),
        Verb::Jitter if dates => empty(RuleAction::Shift),
        Verb::Replace if vr == ["UI"] => empty(RuleAction::Remap),
        _ => {
            draft.note(at, "one change for a whole kind of fields: they are removed");
            empty(RuleAction::Remove)
        }
    };
    // What an instance cannot be without, and the patient's pseudonym, go before.
    draft.essentials();
    draft.rule(RuleDocument { vr, tags, ..rule });
}

fn treat(draft: &mut Draft, at: Place<'_>, action: &Action<'_>, to: &Attribute) -> Treat {
    match action.verb {
        Verb::Keep => Treat::KEEP,
        Verb::Remove => Treat::REMOVE,
        Verb::Blank => Treat::EMPTY,
        Verb::Jitter => jitter(draft, at, to),
        Verb::Add => {
            draft.note_once(at, "elements that are absent are not added");
            replacement(draft, at, action.value, to)
        }
        Verb::Replace => replacement(draft, at, action.value, to),
    }
}

fn jitter(draft: &mut Draft, at: Place<'_>, to: &Attribute) -> Treat {
    if !to.has_vr(&[Vr::DA, Vr::DT]) {
        return Treat::Unknown("only dates are shifted: removed");
    }
    draft.note_once(at, "dates move by the patient's own offset, within [dates]");
    Treat::Do(RuleAction::Shift)
}

/// A literal, `var:name` from the program's own table, or `func:` and `deid_func:`.
fn replacement(draft: &mut Draft, at: Place<'_>, value: &str, to: &Attribute) -> Treat {
    let Some((kind, name)) = value.split_once(':') else {
        return Treat::With(value.to_owned());
    };
    match kind {
        "var" | "func" | "deid_func" if to.is(tags::PATIENT_NAME) || to.is(tags::PATIENT_ID) => {
            draft.note_once(at, "the project's own pseudonym stands for a patient");
            Treat::Do(RuleAction::Pseudonym)
        }
        "var" | "func" | "deid_func" if to.has_vr(&[Vr::UI]) => {
            draft.note_once(at, "UIDs are keyed with the project's secret");
            Treat::Do(RuleAction::Remap)
        }
        "deid_func" if name.split_whitespace().next() == Some("jitter") => jitter(draft, at, to),
        "var" => Treat::Unknown("a value from the program's own table: removed"),
        "func" | "deid_func" => Treat::Unknown("a function of the program: removed"),
        _ => Treat::With(value.to_owned()),
    }
}
