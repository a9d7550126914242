//! What the functions of CTP's scripts do, in the words of rules.

use super::attribute::{Attribute, TEXTS};
use super::draft::{Draft, Guard, Place, Treat, is_pattern, literal};
use super::expression::{Call, Part};
use scanveil_dataset::{Tag, Vr, tags};
use scanveil_scrub::{Coarseness, RuleAction};
use std::collections::HashMap;

/// The element that a script is for, and the script's parameters.
pub(super) struct Setting<'s> {
    pub(super) to: &'s Attribute,
    pub(super) parameters: &'s HashMap<&'s str, &'s str>,
}

/// Clinical Trial Subject ID.
const SUBJECT_ID: Tag = Tag::new(0x0012, 0x0040);

impl Setting<'_> {
    /// Whether an argument names the element itself.
    fn is_this(&self, argument: &str) -> bool {
        argument == "this"
            || Attribute::parse(argument).is_some_and(|named| named.pattern == self.to.pattern)
    }

    /// An argument, or the value of the parameter that it names.
    fn value(&self, argument: &str) -> Option<String> {
        match argument.strip_prefix('@') {
            Some(name) => self.parameters.get(name).map(|value| (*value).to_owned()),
            None => Some(argument.to_owned()),
        }
    }

    fn identifies(&self) -> bool {
        [tags::PATIENT_NAME, tags::PATIENT_ID, SUBJECT_ID].iter().any(|&tag| self.to.is(tag))
    }
}

/// What a script does, in order: the first branch whose guard holds decides.
pub(super) fn branches(
    draft: &mut Draft,
    at: Place<'_>,
    setting: &Setting<'_>,
    parts: &[Part],
) -> Vec<(Guard, Treat)> {
    let mut found = Vec::new();
    branch(draft, at, setting, parts, &Guard::default(), &mut found);
    found
}

fn branch(
    draft: &mut Draft,
    at: Place<'_>,
    setting: &Setting<'_>,
    parts: &[Part],
    guard: &Guard,
    found: &mut Vec<(Guard, Treat)>,
) {
    let parts = match parts {
        [Part::Call(call), rest @ ..] if call.name == "always" => {
            draft.note_once(at, "elements that are absent are not added");
            rest
        }
        parts => parts,
    };
    let [Part::Call(call)] = parts else {
        found.push((guard.clone(), fixed(setting, parts)));
        return;
    };
    let none = Vec::new();
    let (first, second) =
        (call.clauses.first().unwrap_or(&none), call.clauses.get(1).unwrap_or(&none));
    match call.name.as_str() {
        "select" => {
            let top = Guard { path: ".".to_owned(), ..guard.clone() };
            branch(draft, at, setting, first, &top, found);
            branch(draft, at, setting, second, guard, found);
        }
        "if" => match condition(draft, at, setting, call, guard) {
            Some(Condition::When(narrow)) => {
                branch(draft, at, setting, first, &narrow, found);
                branch(draft, at, setting, second, guard, found);
            }
            Some(Condition::Always) => branch(draft, at, setting, first, guard, found),
            Some(Condition::Never) => branch(draft, at, setting, second, guard, found),
            None => {
                draft.note(at, "its condition: the stricter of the two clauses always applies");
                let mut both = Vec::new();
                branch(draft, at, setting, first, &Guard::default(), &mut both);
                branch(draft, at, setting, second, &Guard::default(), &mut both);
                found.push((guard.clone(), strictest(both)));
            }
        },
        _ => found.push((guard.clone(), function(draft, at, setting, call))),
    }
}

/// The strictest of several treatments: what cannot be ranked is removed.
fn strictest(both: Vec<(Guard, Treat)>) -> Treat {
    let mut treats = both.into_iter().map(|(_, treat)| treat);
    let Some(first) = treats.next() else { return Treat::REMOVE };
    treats.fold(first, |one, other| match (one, other) {
        (one, other) if one == other => one,
        (Treat::KEEP, other @ (Treat::REMOVE | Treat::EMPTY)) => other,
        (one @ (Treat::REMOVE | Treat::EMPTY), Treat::KEEP) => one,
        _ => Treat::REMOVE,
    })
}

/// Text and parameters put together.
fn fixed(setting: &Setting<'_>, parts: &[Part]) -> Treat {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Call(call) if call.name == "param" => {
                let Some(value) = setting.value(call.argument(0)) else {
                    return Treat::Unknown("a parameter that the script does not have: removed");
                };
                text.push_str(&value);
            }
            Part::Call(_) => {
                return Treat::Unknown("a value put together from others: removed");
            }
        }
    }
    if setting.to.has_vr(&[Vr::UI]) && !text.is_empty() {
        return Treat::Unknown("a fixed UID: removed");
    }
    Treat::With(text)
}

enum Condition {
    When(Guard),
    Always,
    Never,
}

/// What a condition asks of, as a rule can say it.
fn condition(
    draft: &mut Draft,
    at: Place<'_>,
    setting: &Setting<'_>,
    call: &Call,
    guard: &Guard,
) -> Option<Condition> {
    let (element, test) = (call.argument(0), call.argument(1));
    let value = setting.value(call.argument(2))?;
    if setting.is_this(element) {
        let pattern = match test {
            // An absent element has no rule, and an empty one nothing to hide.
            "exists" => return Some(Condition::Always),
            "isblank" => {
                draft.note_once(at, "an empty value stays empty");
                return Some(Condition::Never);
            }
            "equals" => format!(r"(?i)^[ \x00]*{}[ \x00]*$", literal(&value)),
            "contains" => format!("(?i){}", literal(&value)),
            "matches" => format!(r"^[ \x00]*(?:{})[ \x00]*$", value.trim()),
            _ => return None,
        };
        if guard.value.is_some() || !is_pattern(&pattern) {
            return None;
        }
        return Some(Condition::When(Guard { value: Some(pattern), ..guard.clone() }));
    }
    let like = match test {
        _ if value.contains('*') || value.trim().is_empty() => return None,
        "equals" => value,
        "contains" => format!("*{value}*"),
        _ => return None,
    };
    let mut narrow = guard.clone();
    let list = match Attribute::parse(element)?.tag? {
        tags::MODALITY => &mut narrow.when.modality,
        tags::SOP_CLASS_UID => &mut narrow.when.sop_class,
        MANUFACTURER => &mut narrow.when.manufacturer,
        MODEL => &mut narrow.when.model,
        _ => return None,
    };
    if !list.is_empty() {
        return None;
    }
    list.push(like);
    Some(Condition::When(narrow))
}

const MANUFACTURER: Tag = Tag::new(0x0008, 0x0070);
const MODEL: Tag = Tag::new(0x0008, 0x1090);

fn function(draft: &mut Draft, at: Place<'_>, setting: &Setting<'_>, call: &Call) -> Treat {
    let to = setting.to;
    let this = |at: usize| setting.is_this(call.argument(at));
    match call.name.as_str() {
        "remove" => Treat::REMOVE,
        "empty" | "blank" => Treat::EMPTY,
        "keep" => Treat::KEEP,
        "require" => {
            draft.note_once(at, "elements that are absent are not added");
            Treat::KEEP
        }
        "process" => {
            if to.has_vr(&[Vr::SQ]) {
                Treat::KEEP
            } else {
                Treat::Unknown("its items cannot be treated, it is no sequence: removed")
            }
        }
        "contents" | "value" | "lowercase" | "uppercase"
            if this(0) && call.arguments.len() == 1 =>
        {
            Treat::KEEP
        }
        "hashuid" if this(1) && to.has_vr(&[Vr::UI]) => Treat::Do(RuleAction::Remap),
        "hashptid" | "hash" | "hashname" | "integer" | "encrypt" | "lookup" | "initials"
            if setting.identifies() =>
        {
            draft.note_once(at, "the project's own pseudonym stands for a patient");
            Treat::Do(RuleAction::Pseudonym)
        }
        "hash" if this(0) && (to.has_vr(&TEXTS) || to.has_vr(&[Vr::PN])) => {
            draft.note_once(
                at,
                "hashes are keyed with the project's secret, and of their own length",
            );
            Treat::Do(RuleAction::Hash)
        }
        "incrementdate" | "hashdate" if this(0) && to.has_vr(&[Vr::DA, Vr::DT]) => {
            draft.note_once(at, "dates move by the patient's own offset, within [dates]");
            Treat::Do(RuleAction::Shift)
        }
        "modifydate" if this(0) && to.has_vr(&[Vr::DA, Vr::DT]) => coarser_date(setting, call),
        "round" if this(0) && to.has_vr(&[Vr::AS]) => {
            match setting.value(call.argument(1)).as_deref().map(str::trim) {
                Some("5") => Treat::To(Coarseness::AgeBand5),
                Some("10") => Treat::To(Coarseness::AgeBand10),
                _ => Treat::Unknown("ages are rounded to five or ten years only: removed"),
            }
        }
        "date" | "time" => Treat::Unknown("the moment of the run is not written: removed"),
        "quarantine" | "skip" => {
            Treat::Unknown("a rule does not hold an instance back: the element is removed")
        }
        "append" => Treat::Unknown("nothing is appended to a value: removed"),
        "lookup" | "dateinterval" | "timeinterval" | "integer" => {
            Treat::Unknown("tables of values are not imported: removed")
        }
        "call" => Treat::Unknown("a plug-in's function: removed"),
        "param" => fixed(setting, &[Part::Call(call.clone())]),
        _ => Treat::Unknown("a function that rules do not have: removed"),
    }
}

/// `@modifydate(this,year,month,day)`, where `*` leaves a part as it is.
fn coarser_date(setting: &Setting<'_>, call: &Call) -> Treat {
    let part = |at| setting.value(call.argument(at)).unwrap_or_default();
    match (part(1).trim(), part(2).trim(), part(3).trim()) {
        ("*", "*", "*") => Treat::KEEP,
        ("*", "*", "1") => Treat::To(Coarseness::Month),
        ("*", "1", "1") => Treat::To(Coarseness::Year),
        _ => Treat::Unknown("dates become coarser by month or by year only: removed"),
    }
}
