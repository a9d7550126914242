//! `scanveil store`.

use crate::cli::{StoreCheckArgs, StoreCommand, StoreRebuildArgs};
use crate::output::{Failure, Output, bytes, table};
use indicatif::ProgressBar;
use scanveil_pipeline::{
    CheckDepth, Config, Finding, Losses, RebuildReport, StoreCheck, check_store, rebuild_catalog,
};
use scanveil_vault::BadKeyFile;
use std::process::ExitCode;

/// Findings that a table has; `--json` has all.
const SHOWN: usize = 1000;

pub(crate) fn run(command: &StoreCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        StoreCommand::Check(args) => check(args, output),
        StoreCommand::Rebuild(args) => rebuild(args, output),
    }
}

fn spinner(output: &Output) -> ProgressBar {
    if output.draws() { ProgressBar::new_spinner() } else { ProgressBar::hidden() }
}

fn verdict(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn check(args: &StoreCheckArgs, output: &Output) -> Result<ExitCode, Failure> {
    let site = super::site(&args.config)?;
    let bar = spinner(output);
    let depth = if args.quick { CheckDepth::Quick } else { CheckDepth::Contents };
    let check = check_store(&site, depth, |objects, size| {
        bar.set_message(format!("{objects} objects looked into, {}", bytes(size)));
        bar.tick();
    })?;
    bar.finish_and_clear();
    output.result(&check, || check_text(&check));
    Ok(verdict(check.passed()))
}

fn check_text(check: &StoreCheck) -> String {
    let mut steps = table(&["step", "result"]);
    for step in &check.usable.steps {
        let result = match (&step.problem, step.note) {
            (Some(problem), _) => format!("{}: {}", problem.code, problem.message),
            (None, note) => note.unwrap_or("ok").to_owned(),
        };
        steps.add_row([step.what.to_owned(), result]);
    }
    let store = check.usable.store;
    if !check.usable.passed() {
        return format!("{steps}\nThe store ({store}) cannot be used yet.");
    }
    let mut text = format!("{steps}\nThe store ({store}) can be used.\n");
    for (zone, objects) in &check.objects {
        text +=
            &format!("{objects} objects of zone {zone} are in the store and in the catalogue.\n");
    }
    if check.under_way > 0 {
        text += &format!("{} objects are being stored.\n", check.under_way);
    }
    if check.erased > 0 {
        text += &format!("{} objects are of patients who were erased.\n", check.erased);
    }
    if !check.contents_read {
        text += "Contents were not read: without --quick they are.\n";
    }
    for BadKeyFile { file, report, .. } in &check.key_files {
        let file = file.display();
        text += &format!(
            "Key file {file}: {} ({}); {}.\n",
            report.message, report.code, report.next_step
        );
    }
    if check.findings.is_empty() {
        if !check.key_files.is_empty() {
            return text;
        }
        return text + "Nothing is missing, damaged or unknown.";
    }
    format!(
        "{text}{}\nRestore what is missing or damaged from a copy, or make research copies again \
         with `scanveil batch run`; for what the catalogue does not know run `scanveil store \
         rebuild`.",
        findings(&check.findings)
    )
}

/// A table of what is wrong, one row for each object.
pub(crate) fn findings(findings: &[Finding]) -> String {
    let mut table =
        table(&["problem", "hospital", "zone", "object", "study", "instances", "what was seen"]);
    for finding in findings.iter().take(SHOWN) {
        table.add_row([
            finding.kind.as_str().to_owned(),
            finding.hospital.to_string(),
            finding.zone.as_str().to_owned(),
            finding.object.to_string(),
            finding.study_label(),
            finding.instances.map_or("not known".to_owned(), |count| count.to_string()),
            finding.detail.clone(),
        ]);
    }
    let more = findings.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n... and {more} more: see --json") } else { String::new() };
    format!("{table}{more}")
}

fn rebuild(args: &StoreRebuildArgs, output: &Output) -> Result<ExitCode, Failure> {
    let config = Config::load(&args.config.config)?;
    let bar = spinner(output);
    let losses = if args.accept_loss { Losses::Accepted } else { Losses::Missed };
    let report = rebuild_catalog(&config, losses, |read| {
        bar.set_message(format!("{read} objects read"));
        bar.tick();
    })?;
    bar.finish_and_clear();
    output.result(&report, || rebuild_text(&report, losses));
    Ok(verdict(report.findings.is_empty()))
}

fn rebuild_text(report: &RebuildReport, losses: Losses) -> String {
    let mut table = table(&["zone", "objects"]);
    for (zone, objects) in &report.objects {
        table.add_row([(*zone).to_owned(), objects.to_string()]);
    }
    let mut text = format!("{table}\n{} instances are in the new catalogue.", report.instances);
    if report.erased > 0 {
        text += &format!("\n{} objects are of patients who were erased.", report.erased);
    }
    if report.unpublished > 0 {
        text += &format!(
            "\n{} objects were left by an interrupted attempt; what they hold is processed again.",
            report.unpublished
        );
    }
    if let Some(old) = &report.old_catalog {
        text += &format!("\nThe old catalogue is now {}.", old.display());
    }
    if report.findings.is_empty() {
        return text;
    }
    text += &format!("\n{}", findings(&report.findings));
    text + match (losses, report.carried_over) {
        (Losses::Accepted, _) => "\nWhat is gone is forgotten.",
        (Losses::Missed, true) => {
            "\nWhat the old catalogue knew of this stays known: releases and batches stop at it until \
             it is restored. If it is lost for good: `--accept-loss`."
        }
        (Losses::Missed, false) => "\nRestore these objects, or the keyring, and rebuild again.",
    }
}
