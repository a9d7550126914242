//! `scanveil batch`.

use super::store::findings;
use crate::cli::{BatchArgs, BatchCommand, BatchRunArgs};
use crate::output::{Failure, Output, table};
use indicatif::{ProgressBar, ProgressStyle};
use scanveil_pipeline::{BatchOutline, BatchRun, FailedStudy, plan_batch, run_batch};
use std::process::ExitCode;

/// Studies that a printed plan names one by one.
const SHOWN: usize = 20;

pub(crate) fn run(command: &BatchCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        BatchCommand::Plan(args) => plan(args, output),
        BatchCommand::Run(args) => work(args, output),
        BatchCommand::List(arg) => {
            let batches = super::site(arg)?.catalog().batches()?;
            output.result(&batches, || {
                let mut table = table(&["batch", "project", "profile", "done", "failed", "open"]);
                for batch in &batches {
                    table.add_row([
                        batch.batch.to_string(),
                        batch.project.to_string(),
                        batch.profile.clone(),
                        batch.progress.done.to_string(),
                        batch.progress.failed.to_string(),
                        (batch.progress.pending + batch.progress.claimed).to_string(),
                    ]);
                }
                table.to_string()
            });
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn plan(args: &BatchArgs, output: &Output) -> Result<ExitCode, Failure> {
    let site = super::site(&args.config)?;
    let outline = plan_batch(&site, &args.hospital, &args.project, args.profile.as_deref())?;
    output.result(&outline, || outline_text(&outline) + &lost_text(&outline));
    Ok(if outline.lost.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn lost_text(outline: &BatchOutline) -> String {
    if outline.lost.is_empty() {
        return String::new();
    }
    format!(
        "\nGone, so that `run` stops; with --leave-out-unreadable these studies stay as they are:\n{}",
        findings(&outline.lost)
    )
}

fn outline_text(outline: &BatchOutline) -> String {
    let instances: u64 = outline.changes.iter().map(|change| change.instances).sum();
    if outline.changes.is_empty() {
        return format!(
            "Nothing to do: every study of {} in project {} is at profile {}.{}",
            outline.hospital,
            outline.project,
            outline.profile,
            left_out(outline)
        );
    }
    let mut table = table(&["study", "generation", "instances"]);
    for change in outline.changes.iter().take(SHOWN) {
        let from = change.from.map_or("none".to_owned(), |g| g.0.to_string());
        table.add_row([
            change.study.clone(),
            format!("{from} -> {}", change.to.0),
            change.instances.to_string(),
        ]);
    }
    let more = outline.changes.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n... and {more} more") } else { String::new() };
    format!(
        "Batch {} would make {} studies ({instances} instances) again with profile {}:\n{table}\
         {more}{}\nNothing was changed. To do it: the same command with `run`.",
        outline.batch,
        outline.changes.len(),
        outline.profile,
        left_out(outline)
    )
}

fn left_out(outline: &BatchOutline) -> String {
    match outline.without_originals {
        0 => String::new(),
        n => format!("\n{n} outdated studies cannot be made again: their originals were not kept."),
    }
}

fn work(args: &BatchRunArgs, output: &Output) -> Result<ExitCode, Failure> {
    let BatchRunArgs { batch: args, leave_out_unreadable } = args;
    let site = super::site(&args.config)?;
    let mut outline = plan_batch(&site, &args.hospital, &args.project, args.profile.as_deref())?;
    let lost = if *leave_out_unreadable { outline.leave_out_lost() } else { Vec::new() };
    let bar = if output.draws() {
        ProgressBar::new(outline.changes.len() as u64)
    } else {
        ProgressBar::hidden()
    };
    let style = "{bar:40} {pos}/{len} studies, {elapsed} gone, {eta} to go";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()));
    let mut report = run_batch(&site, &outline, args.profile.as_deref(), |studies| {
        bar.set_position(studies);
    })?;
    bar.finish_and_clear();
    report.left_out = lost;
    let failed = !report.failed.is_empty() || !report.left_out.is_empty();
    output.result(&report, || report_text(&outline, &report));
    Ok(if failed { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn report_text(outline: &BatchOutline, report: &BatchRun) -> String {
    let held: u64 = report.held.values().sum();
    let mut text = format!(
        "{} of {} studies of {} in project {} made again: {} instances scrubbed, {held} held back.",
        report.studies - report.failed.values().sum::<u64>(),
        outline.changes.len(),
        outline.hospital,
        outline.project,
        report.scrubbed
    );
    for (code, count) in &report.held {
        text += &format!("\n  {count} x {code}: {}", code.next_step());
    }
    for (code, count) in &report.failed {
        text += &format!("\n  {count} studies failed with {code}");
    }
    for failed in &report.failed_studies {
        text += &format!("\n    {}: {}", study_label(failed), failed.message);
    }
    if !report.failed.is_empty() {
        text += "\nThey stay at their generation: restore what is named, and run this again.";
    }
    if !report.left_out.is_empty() {
        text +=
            &format!("\nLeft as they are, because this is gone:\n{}", findings(&report.left_out));
    }
    text
}

/// What a study is called in research, else its keyed hash.
fn study_label(failed: &FailedStudy) -> String {
    let names: Vec<String> =
        failed.research.iter().map(|name| name.study_instance_uid.as_str().to_owned()).collect();
    if names.is_empty() { failed.study.clone() } else { names.join(", ") }
}
