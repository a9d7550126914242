//! What a run says of itself: the table for people, the report for programs.

use crate::cli::ScrubArgs;
use crate::outfile::OutFile;
use crate::output::{Failure, bytes, table};
use scanveil_engine::{Done, Held, Outcome, Passed};
use scanveil_model::{Action, Digest};
use scanveil_scrub::Profile;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// Version of the report's format.
const REPORT_VERSION: u32 = 1;
/// How a report begins, whatever its version.
const HEAD: &[u8] = b"{\n  \"version\": ";
/// What follows the version.
const ENGINE: &[u8] = b",\n  \"engine\": \"";
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
    /// No instance: a DICOMDIR, or what systems and viewers leave.
    skipped: usize,
    /// Left when the run was stopped.
    not_reached: usize,
    reasons: Vec<Group>,
    bytes: u64,
    seconds: f64,
    instances_per_second: f64,
}

impl Summary {
    pub(super) fn new(outcomes: &[Done], studies: usize, took: Duration) -> Self {
        let (mut clean, mut duplicates, mut skipped, mut written) = (0, 0, 0, 0);
        let mut not_reached = 0;
        let mut groups: BTreeMap<&'static str, Group> = BTreeMap::new();
        for (at, done) in outcomes.iter().enumerate() {
            match &done.outcome {
                Outcome::Clean(one) => {
                    clean += 1;
                    written += one.bytes;
                }
                Outcome::Duplicate(_) => duplicates += 1,
                Outcome::Passed(_) => skipped += 1,
                Outcome::NotReached => not_reached += 1,
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
            studies,
            clean,
            duplicates,
            held_back: groups.values().map(|group| group.count).sum(),
            skipped,
            not_reached,
            reasons: groups.into_values().collect(),
            bytes: written,
            seconds,
            instances_per_second: outcomes.len() as f64 / seconds.max(1e-9),
        }
    }

    /// Inputs that were left when the run was stopped.
    pub(super) fn not_reached(&self) -> usize {
        self.not_reached
    }

    /// Whether nothing was held back.
    pub(super) fn is_clean(&self) -> bool {
        self.held_back == 0
    }

    /// For people.
    pub(super) fn text(&self, args: &ScrubArgs) -> String {
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
            let hint = match args.held {
                None => "--held FILE writes which files they are, and where in them\n\n",
                Some(_) => "",
            };
            text = format!("{held}\n{hint}\n");
        }
        let mut totals = table(&[
            "inputs",
            "clean",
            "duplicates",
            "held back",
            "skipped",
            "written",
            "seconds",
            "a second",
        ]);
        totals.add_row([
            self.inputs.to_string(),
            self.clean.to_string(),
            self.duplicates.to_string(),
            self.held_back.to_string(),
            self.skipped.to_string(),
            if args.dry_run { "nothing".to_owned() } else { bytes(self.bytes) },
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
    /// Whether every input was reached: false while a run lasts, and of one that was stopped.
    complete: bool,
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
    /// What was passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'static str>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    noticed: Option<&'r BTreeMap<String, u32>>,
}

fn line(index: usize, done: &Done) -> Line<'_> {
    let mut line = Line {
        index,
        input_digest: done.input.map(|(digest, _)| digest),
        input_bytes: done.input.map(|(_, length)| length),
        status: "held-back",
        duplicate_of: None,
        skipped: None,
        held: None,
        output: None,
        output_digest: None,
        output_bytes: None,
        actions: None,
        noticed: None,
    };
    match &done.outcome {
        Outcome::Held(held) => line.held = Some(held),
        Outcome::Duplicate(of) => {
            line.status = "duplicate";
            line.duplicate_of = Some(*of);
        }
        Outcome::NotReached => line.status = "not-reached",
        Outcome::Passed(passed) => {
            line.status = "skipped";
            line.skipped = Some(match passed {
                Passed::Directory => "dicomdir",
                Passed::Clutter => "no-dicom",
            });
        }
        Outcome::Clean(clean) => {
            line.status = "clean";
            line.output = clean.details.as_ref().map(|details| details.output.as_str());
            line.output_digest = clean.digest;
            line.output_bytes = Some(clean.bytes);
            line.actions = clean.details.as_ref().map(|details| &details.actions);
            let noticed = clean.details.as_ref().map(|details| &details.noticed);
            line.noticed = noticed.filter(|noticed| !noticed.is_empty());
        }
    }
    line
}

/// Whether a file begins as a report does.
pub(super) fn is_report(head: &[u8]) -> bool {
    let after = head.strip_prefix(HEAD).unwrap_or_default();
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && after[digits..].starts_with(ENGINE)
}

/// Leaves a report that says that the run is not done, before it is: a kill leaves no other.
pub(super) fn begin(
    file: &OutFile,
    args: &ScrubArgs,
    profile: &Profile,
    inputs: usize,
) -> Result<(), Failure> {
    let mut totals = Summary::new(&[], 0, Duration::ZERO);
    (totals.inputs, totals.not_reached) = (inputs, inputs);
    write(file, args, profile, &totals, &[])
}

/// Writes the report: what was done to each input, by number and digest, never by name.
pub(super) fn write(
    file: &OutFile,
    args: &ScrubArgs,
    profile: &Profile,
    totals: &Summary,
    outcomes: &[Done],
) -> Result<(), Failure> {
    let report = Report {
        version: REPORT_VERSION,
        engine: env!("CARGO_PKG_VERSION"),
        profile: profile.label(),
        project: args.project.as_str(),
        dry_run: args.dry_run,
        complete: totals.inputs == outcomes.len() && totals.not_reached == 0,
        totals,
        instances: outcomes.iter().enumerate().map(|(at, done)| line(at, done)).collect(),
    };
    file.write(|out| {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_told_from_other_files() {
        let report = |version: u32| {
            let value = serde_json::json!({ "version": version });
            let text = serde_json::to_string_pretty(&value).unwrap();
            text.replace("\n}", ",\n  \"engine\": \"0.1.0\"\n}")
        };
        for (head, expected) in [
            (report(1), true),
            (report(12), true),
            (report(1).replace("engine", "other"), false),
            ("{}".to_owned(), false),
            (String::new(), false),
            ("DICM".to_owned(), false),
        ] {
            assert_eq!(is_report(head.as_bytes()), expected, "{head}");
        }
    }
}
