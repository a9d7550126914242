//! `scanveil evaluate`: the score of a de-identified folder, by the rules of the MIDI-B benchmark.

use crate::cli::{EvaluateArgs, MappingArgs};
use crate::commands::scrub::progress_bar;
use crate::output::{Failure, Output, table};
use scanveil_evaluate::{AnswerKey, Figures, IdKind, Mapping, Score, Tally, score};
use serde::Serialize;
use std::process::ExitCode;

/// Failures that the table names of each action.
const NAMED: u64 = 5;
/// Elements that the table counts failures of.
const ELEMENTS: usize = 20;

pub(crate) fn run(args: &EvaluateArgs, output: &Output) -> Result<ExitCode, Failure> {
    let (uids, patients) = mappings(&args.mappings)?;
    let key = AnswerKey::open(&args.answers)?;
    let bar = progress_bar(output, key.instances()?);
    let all = if output.is_json() { u64::MAX } else { NAMED };
    let named = args.failures.unwrap_or(all);
    let progress = |instances| bar.set_position(instances);
    let score = score(&key, &args.output, (&uids, &patients), named, &progress)?;
    bar.finish_and_clear();
    output.result(&Shown::of(&score), || text(&score));
    Ok(if score.is_perfect() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn mappings(args: &MappingArgs) -> Result<(Mapping, Mapping), Failure> {
    let (mut uids, mut patients) = (Mapping::default(), Mapping::default());
    for path in &args.mapping {
        Mapping::read_kinds(path, &mut uids, &mut patients)?;
    }
    for path in &args.uid_mapping {
        uids.read_more(path, IdKind::Uid)?;
    }
    for path in &args.patient_mapping {
        patients.read_more(path, IdKind::Patient)?;
    }
    Ok((uids, patients))
}

/// The score with its figures in percent, for programs.
#[derive(Serialize)]
struct Shown<'s> {
    percent: Percent,
    written_percent: Percent,
    #[serde(flatten)]
    score: &'s Score,
}

#[derive(Serialize)]
struct Percent {
    overall: f64,
    removal: f64,
    retention: f64,
    consistency: f64,
}

impl<'s> Shown<'s> {
    fn of(score: &'s Score) -> Self {
        let percent = |figures: &Figures| Percent {
            overall: figures.overall.percent(),
            removal: figures.removal.percent(),
            retention: figures.retention.percent(),
            consistency: figures.consistency.percent(),
        };
        Self { percent: percent(&score.all), written_percent: percent(&score.written), score }
    }
}

/// The score, for people.
fn text(score: &Score) -> String {
    let mut parts = vec![figures(score), actions(score), categories(score), rest(score)];
    parts.extend(failures(score));
    parts.join("\n\n")
}

/// Percent to two decimals, cut off: what reads 100.00 is all of them.
fn percent(tally: Tally) -> String {
    if tally.total == 0 {
        return "-".to_owned();
    }
    let hundredths = u128::from(tally.passed) * 10_000 / u128::from(tally.total);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn cells(name: &str, tally: Tally) -> [String; 4] {
    [name.to_owned(), tally.passed.to_string(), tally.total.to_string(), percent(tally)]
}

fn figures(score: &Score) -> String {
    let mut table = table(&["", "passed", "checks", "%", "of what came out, %"]);
    let (all, written) = (&score.all, &score.written);
    for (name, tally, of_written) in [
        ("overall", all.overall, written.overall),
        ("removal", all.removal, written.removal),
        ("retention", all.retention, written.retention),
        ("consistency", all.consistency, written.consistency),
    ] {
        let [name, passed, total, whole] = cells(name, tally);
        table.add_row([name, passed, total, whole, percent(of_written)]);
    }
    table.to_string()
}

fn actions(score: &Score) -> String {
    let mut table = table(&["action", "passed", "checks", "%"]);
    for (action, tally) in &score.by_action {
        table.add_row(cells(action.as_str(), *tally));
    }
    table.to_string()
}

fn categories(score: &Score) -> String {
    let mut table = table(&["category", "passed", "checks", "%"]);
    for (category, tally) in &score.by_category {
        table.add_row(cells(category, *tally));
    }
    table.to_string()
}

/// What the figures do not say.
fn rest(score: &Score) -> String {
    let mut table = table(&["instances and files", ""]);
    for (name, count) in [
        ("instances of the key", score.instances),
        ("instances without a file", score.missing),
        ("files of instances that the key does not have", score.unexpected),
        ("files that are no instance", score.other_files),
        ("files with the SOP Instance UID of another", score.repeated),
        ("checks of hidden pixels that were not made", score.not_checked),
    ] {
        table.add_row([name.to_owned(), count.to_string()]);
    }
    table.to_string()
}

/// Where it failed.
fn failures(score: &Score) -> Option<String> {
    if score.failures.is_empty() {
        return None;
    }
    let mut elements = table(&["element", "action", "failed"]);
    for element in score.by_element.iter().take(ELEMENTS) {
        let count = element.failures.to_string();
        elements.add_row([element.tag.as_str(), element.action.as_str(), &count]);
    }
    let mut named = table(&["file", "element", "action"]);
    for failure in &score.failures {
        named.add_row([failure.file.as_str(), &failure.tag, failure.action.as_str()]);
    }
    let mut parts = vec![elements.to_string(), named.to_string()];
    if score.by_element.len() > ELEMENTS || score.failures_left_out > 0 {
        let more = score.by_element.len().saturating_sub(ELEMENTS);
        let left = score.failures_left_out;
        parts.push(format!("{more} more elements, {left} more failures (--failures, --json)."));
    }
    Some(parts.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_percent_is_all_of_them() {
        let table = [
            (1, 1, "100.00"),
            (57, 100, "57.00"),
            (99_999, 100_000, "99.99"),
            (999_999, 1_000_000, "99.99"),
            (1, 3, "33.33"),
            (0, 5, "0.00"),
            (0, 0, "-"),
        ];
        for (passed, total, expected) in table {
            assert_eq!(percent(Tally { passed, total }), expected);
        }
    }
}
