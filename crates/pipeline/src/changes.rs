//! What is different between two configurations, for the log, the audit log and whoever reloads.
//! Nothing in it is a secret: tokens are counted.

use crate::settings::Settings;
use crate::{Config, Hospital, Project};
use scanveil_ingest::CallingRule;
use scanveil_model::{HospitalId, ProjectName};
use serde::Serialize;
use serde_json::Value;
use std::fmt::{self, Display};

/// The part of the configuration that is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "part", content = "name", rename_all = "kebab-case")]
pub enum ConfigPart {
    /// A hospital.
    Hospital(HospitalId),
    /// A project.
    Project(ProjectName),
    /// The operator's token.
    OperatorToken,
}

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It is another.
    Changed,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigChange {
    /// Of what.
    #[serde(flatten)]
    pub part: ConfigPart,
    /// What happened to it.
    pub change: ChangeKind,
    /// In what it is another.
    pub details: Vec<String>,
}

impl Display for ConfigPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hospital(id) => write!(f, "hospital {id}"),
            Self::Project(name) => write!(f, "project {name}"),
            Self::OperatorToken => f.write_str("http.operator_token"),
        }
    }
}

impl Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        })
    }
}

/// What a reload changes.
#[must_use]
pub fn changes(old: &Settings, new: &Settings) -> Vec<ConfigChange> {
    let mut found = Vec::new();
    let hospitals = [&old.config.hospitals[..], &new.config.hospitals[..]];
    let key = |hospital: &Hospital| ConfigPart::Hospital(hospital.id.clone());
    compare(hospitals, key, hospital_details, &mut found);
    let projects = [&old.config.projects[..], &new.config.projects[..]];
    let key = |project: &Project| ConfigPart::Project(project.name.clone());
    let details = |a: &Project, b: &Project| project_details([old, new], a, b);
    compare(projects, key, details, &mut found);
    let change = match (*old.operator_token, *new.operator_token) {
        (old, new) if old == new => return found,
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        _ => ChangeKind::Changed,
    };
    found.push(ConfigChange { part: ConfigPart::OperatorToken, change, details: Vec::new() });
    found
}

/// Compares what two lists name.
fn compare<T>(
    [old, new]: [&[T]; 2],
    key: impl Fn(&T) -> ConfigPart,
    details: impl Fn(&T, &T) -> Vec<String>,
    found: &mut Vec<ConfigChange>,
) {
    for one in old {
        let part = key(one);
        let (change, details) = match new.iter().find(|other| key(other) == part) {
            None => (ChangeKind::Removed, Vec::new()),
            Some(other) => (ChangeKind::Changed, details(one, other)),
        };
        if change == ChangeKind::Removed || !details.is_empty() {
            found.push(ConfigChange { part, change, details });
        }
    }
    for one in new {
        let part = key(one);
        if !old.iter().any(|other| key(other) == part) {
            let change = ChangeKind::Added;
            found.push(ConfigChange { part, change, details: Vec::new() });
        }
    }
}

fn hospital_details(old: &Hospital, new: &Hospital) -> Vec<String> {
    // Taken apart so that a new setting cannot be forgotten here.
    let Hospital {
        id: _,
        region,
        keep_originals,
        retention,
        called_ae,
        calling,
        allow_plain_dimse,
        tokens,
        folder,
        folder_after,
    } = old;
    let mut details = lists("calling", [calling, &new.calling], caller);
    for (more, fewer, word) in [(&new.tokens, tokens, "added"), (tokens, &new.tokens, "removed")] {
        let count = more.iter().filter(|one| !fewer.contains(one)).count();
        details.extend((count > 0).then(|| format!("tokens: {count} {word}")));
    }
    for (name, differs) in [
        ("region", *region != new.region),
        ("keep_originals", *keep_originals != new.keep_originals),
        ("retention", *retention != new.retention),
        ("called_ae", *called_ae != new.called_ae),
        ("allow_plain_dimse", *allow_plain_dimse != new.allow_plain_dimse),
        ("folder", *folder != new.folder),
        ("folder_after", *folder_after != new.folder_after),
    ] {
        details.extend(differs.then(|| name.to_owned()));
    }
    details
}

fn caller(rule: &CallingRule) -> String {
    let network = String::from(rule.network);
    match &rule.ae {
        Some(ae) => format!("{ae} from {network}"),
        None => format!("anybody from {network}"),
    }
}

fn project_details([before, after]: [&Settings; 2], old: &Project, new: &Project) -> Vec<String> {
    let Project { name, profile, hospitals } = old;
    let mut details = lists("hospitals", [hospitals, &new.hospitals], ToString::to_string);
    if hospitals.is_empty() != new.hospitals.is_empty() {
        let all = if new.hospitals.is_empty() { "takes all" } else { "does not take all any more" };
        details.push(format!("hospitals: it {all}"));
    }
    let label = |settings: &Settings| settings.profile(name).ok().map(|profile| profile.label());
    if *profile != new.profile {
        details.push("profile".to_owned());
    } else if label(before) != label(after) {
        details.push("profile: the content of its file".to_owned());
    }
    details
}

/// What was added to a list and removed from it.
fn lists<T: PartialEq>(
    name: &str,
    [old, new]: [&Vec<T>; 2],
    shown: impl Fn(&T) -> String,
) -> Vec<String> {
    let without = |one: &[T], other: &[T], word: &str| -> Vec<String> {
        let left = one.iter().filter(|item| !other.contains(item));
        left.map(|item| format!("{name}: {} {word}", shown(item))).collect()
    };
    let mut found = without(new, old, "added");
    found.extend(without(old, new, "removed"));
    found
}

/// The settings, by name, that are another in a new configuration and that a running service does
/// not take over.
#[must_use]
pub fn needs_restart(running: &Config, new: &Config) -> Vec<String> {
    let mut found = Vec::new();
    let tree = |config: &Config| serde_json::to_value(config).unwrap_or_default();
    differ("", &tree(&running.reloaded(new)), &tree(new), &mut found);
    found
}

/// Names of values that are not the same in both.
fn differ(name: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let names = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
            for key in names {
                let below = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or_default()
                };
                differ(&below, &of(old), &of(new), found);
            }
        }
        (old, new) if old != new => found.push(name.to_owned()),
        _ => {}
    }
}
