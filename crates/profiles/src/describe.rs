//! Rules in words.

use scanveil_scrub::{Coarseness, RuleAction, RuleDocument};

/// Tags that are written out before the rest is counted.
const SHOWN: usize = 8;

/// The word for an action, as profiles write it.
#[must_use]
fn action_word(action: RuleAction) -> &'static str {
    match action {
        RuleAction::Keep => "keep",
        RuleAction::Remove => "remove",
        RuleAction::Empty => "empty",
        RuleAction::Replace => "replace",
        RuleAction::Pseudonym => "pseudonym",
        RuleAction::Remap => "remap",
        RuleAction::Shift => "shift",
        RuleAction::Clean => "clean",
        RuleAction::Generalize => "generalize",
        RuleAction::Hash => "hash",
    }
}

/// What a rule is about, in a line.
#[must_use]
pub fn describe_subject(rule: &RuleDocument) -> String {
    let mut words = match rule.tags.len() {
        0 => "any element".to_owned(),
        many if many > SHOWN => {
            format!("{} and {} more", rule.tags[..SHOWN].join(", "), many - SHOWN)
        }
        _ => rule.tags.join(", "),
    };
    if !rule.vr.is_empty() {
        words.push_str(&format!(" of VR {}", rule.vr.join(", ")));
    }
    if let Some(creator) = &rule.creator {
        words.push_str(&format!(" of creator \"{creator}\""));
    }
    match rule.path.as_str() {
        "" => {}
        "." => words.push_str(" at the top level"),
        path => words.push_str(&format!(" in {path}")),
    }
    if let Some(value) = &rule.value {
        words.push_str(&format!(", value like /{value}/"));
    }
    words
}

/// When a rule applies, in a line; empty for always.
#[must_use]
pub fn describe_condition(rule: &RuleDocument) -> String {
    let when = &rule.when;
    let parts = [
        ("modality", &when.modality),
        ("SOP class", &when.sop_class),
        ("manufacturer", &when.manufacturer),
        ("model", &when.model),
        ("hospital", &when.hospital),
    ];
    let given = parts.iter().filter(|(_, list)| !list.is_empty());
    given.map(|(name, list)| format!("{name} {}", list.join(" or "))).collect::<Vec<_>>().join(", ")
}

/// What a rule does, in a line.
#[must_use]
pub fn describe_action(rule: &RuleDocument) -> String {
    let word = action_word(rule.action);
    match (&rule.with, rule.to) {
        (Some(value), _) => format!("{word} by \"{value}\""),
        (None, Some(to)) => format!("{word} to {}", coarseness_word(to)),
        (None, None) => word.to_owned(),
    }
}

fn coarseness_word(to: Coarseness) -> &'static str {
    match to {
        Coarseness::AgeBand5 => "bands of five years",
        Coarseness::AgeBand10 => "bands of ten years",
        Coarseness::Year => "the year",
        Coarseness::Month => "the month",
    }
}

/// A whole rule, in a line.
pub(crate) fn describe(rule: &RuleDocument) -> String {
    let condition = describe_condition(rule);
    let when = if condition.is_empty() { condition } else { format!(", when {condition}") };
    format!("{}: {}{when}", describe_action(rule), describe_subject(rule))
}
