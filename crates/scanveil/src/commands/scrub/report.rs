//! What a run says of itself: the table for people, the report for programs, the mapping for the
//! hospital's own eyes.

use super::held::Held;
use super::plan::Plan;
use super::work::{Done, Outcome};
use crate::cli::ScrubArgs;
use crate::output::{bytes, table};
use scanveil_model::{Action, Digest};
use scanveil_scrub::{Mapping, MappingKind, Profile};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Version of the report's format.
const REPORT_VERSION: u32 = 1;
/// Inputs that the table names of each reason.
const NAMED: usize = 5;

/// Inputs held back for one reason.
#[derive(Serialize)]
struct Group {
    reason: &'static str,
    count: usize,
    /// The first of them, by number.
    inputs: Vec<usize>,
    next_step: &'static str,
}

/// What came of a run.
#[derive(Serialize)]
pub(super) struct Summary {
    inputs: usize,
    studies: usize,
    clean: usize,
    duplicates: usize,
    held_back: usize,
    reasons: Vec<Group>,
    bytes: u64,
    seconds: f64,
    instances_per_second: f64,
}

impl Summary {
    pub(super) fn new(outcomes: &[Done], plan: &Plan<'_>, took: Duration) -> Self {
        let (mut clean, mut duplicates, mut written) = (0, 0, 0);
        let mut groups: BTreeMap<&'static str, Group> = BTreeMap::new();
        for (at, done) in outcomes.iter().enumerate() {
            match &done.outcome {
                Outcome::Clean(one) => {
                    clean += 1;
                    written += one.bytes;
                }
                Outcome::Duplicate(_) => duplicates += 1,
                Outcome::Held(held) => {
                    let group = groups.entry(held.reason).or_insert_with(|| Group {
                        reason: held.reason,
                        count: 0,
                        inputs: Vec::new(),
                        next_step: held.next_step,
                    });
                    group.count += 1;
                    if group.inputs.len() < NAMED {
                        group.inputs.push(at);
                    }
                }
            }
        }
        let seconds = took.as_secs_f64();
        Self {
            inputs: outcomes.len(),
            studies: plan.studies.len(),
            clean,
            duplicates,
            held_back: groups.values().map(|group| group.count).sum(),
            reasons: groups.into_values().collect(),
            bytes: written,
            seconds,
            instances_per_second: outcomes.len() as f64 / seconds.max(1e-9),
        }
    }

    /// Whether nothing was held back.
    pub(super) fn is_clean(&self) -> bool {
        self.held_back == 0
    }

    /// For people.
    pub(super) fn text(&self, dry_run: bool) -> String {
        let mut text = String::new();
        if !self.reasons.is_empty() {
            let mut held = table(&["held back because", "inputs", "for example", "next step"]);
            for group in &self.reasons {
                let mut named: Vec<String> =
                    group.inputs.iter().map(|at| format!("#{at}")).collect();
                if group.count > named.len() {
                    named.push("...".to_owned());
                }
                held.add_row([
                    group.reason.to_owned(),
                    group.count.to_string(),
                    named.join(" "),
                    group.next_step.to_owned(),
                ]);
            }
            text = format!("{held}\n\n");
        }
        let mut totals = table(&[
            "inputs",
            "clean",
            "duplicates",
            "held back",
            "written",
            "seconds",
            "a second",
        ]);
        totals.add_row([
            self.inputs.to_string(),
            self.clean.to_string(),
            self.duplicates.to_string(),
            self.held_back.to_string(),
            if dry_run { "nothing".to_owned() } else { bytes(self.bytes) },
            format!("{:.1}", self.seconds),
            format!("{:.0}", self.instances_per_second),
        ]);
        text + &totals.to_string()
    }
}

#[derive(Serialize)]
struct Report<'r> {
    version: u32,
    engine: &'static str,
    profile: String,
    project: &'r str,
    dry_run: bool,
    totals: &'r Summary,
    instances: Vec<Line<'r>>,
}

/// What the report says of one input.
#[derive(Serialize)]
struct Line<'r> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_bytes: Option<u64>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<usize>,
    #[serde(flatten)]
    held: Option<&'r Held>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<&'r BTreeMap<Action, u32>>,
}

fn line(index: usize, done: &Done) -> Line<'_> {
    let mut line = Line {
        index,
        input_digest: done.input.map(|(digest, _)| digest),
        input_bytes: done.input.map(|(_, length)| length),
        status: "held-back",
        duplicate_of: None,
        held: None,
        output: None,
        output_digest: None,
        output_bytes: None,
        actions: None,
    };
    match &done.outcome {
        Outcome::Held(held) => line.held = Some(held),
        Outcome::Duplicate(of) => {
            line.status = "duplicate";
            line.duplicate_of = Some(*of);
        }
        Outcome::Clean(clean) => {
            line.status = "clean";
            line.output = clean.details.as_ref().map(|details| details.output.as_str());
            line.output_digest = clean.digest;
            line.output_bytes = Some(clean.bytes);
            line.actions = clean.details.as_ref().map(|details| &details.actions);
        }
    }
    line
}

/// Writes the report: what was done to each input, by number and digest, never by name.
pub(super) fn write(
    path: &Path,
    args: &ScrubArgs,
    profile: &Profile,
    totals: &Summary,
    outcomes: &[Done],
) -> io::Result<()> {
    let report = Report {
        version: REPORT_VERSION,
        engine: env!("CARGO_PKG_VERSION"),
        profile: profile.label(),
        project: args.project.as_str(),
        dry_run: args.dry_run,
        totals,
        instances: outcomes.iter().enumerate().map(|(at, done)| line(at, done)).collect(),
    };
    replace(path, 0o644, |out| {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)
    })
}

/// Writes a file under another name, and gives it its own when it is whole.
fn replace(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut BufWriter<fs::File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".part-{}", std::process::id()));
    let part = path.with_file_name(name);
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
    let mut out = BufWriter::new(file);
    let done = fill(&mut out)
        .and_then(|()| out.flush())
        .and_then(|()| out.get_ref().sync_all())
        .and_then(|()| fs::rename(&part, path));
    if done.is_err() {
        fs::remove_file(&part)?;
    }
    done
}

/// Old and new identifiers, each pair once.
#[derive(Default)]
pub(super) struct Mappings(Mutex<BTreeSet<(MappingKind, String, String)>>);

impl Mappings {
    pub(super) fn add(&self, found: Vec<Mapping>) {
        let mut pairs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.extend(found.into_iter().map(|pair| (pair.kind, pair.old, pair.new)));
    }

    /// Writes `kind,id_old,id_new` with mode 0600.
    pub(super) fn write(self, path: &Path) -> io::Result<()> {
        let pairs = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        replace(path, 0o600, |out| {
            writeln!(out, "kind,id_old,id_new")?;
            pairs.iter().try_for_each(|(kind, old, new)| {
                writeln!(out, "{},{},{}", kind.as_str(), quoted(old), quoted(new))
            })
        })
    }
}

/// A field as RFC 4180 has it. One that a spreadsheet would take for a formula stays what it is:
/// the file is for joining, and its values are the hospital's own.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn mappings_are_private_quoted_and_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mapping.csv");
        let pair = |kind, old: &str| Mapping { kind, old: old.into(), new: "new".into() };
        for _ in 0..2 {
            let mappings = Mappings::default();
            for _ in 0..2 {
                mappings.add(vec![
                    pair(MappingKind::Patient, "a,\"b\""),
                    pair(MappingKind::Uid, "1.2"),
                ]);
            }
            mappings.write(&path).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "kind,id_old,id_new\nuid,1.2,new\npatient,\"a,\"\"b\"\"\",new\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
