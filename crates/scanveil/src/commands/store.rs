//! `scanveil store`.

use crate::cli::StoreCommand;
use crate::output::{Failure, Output, table};
use indicatif::ProgressBar;
use scanveil_pipeline::{Config, rebuild_catalog};
use std::process::ExitCode;

pub(crate) fn run(command: &StoreCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        StoreCommand::Check(arg) => {
            let report = super::site(arg)?.store().object_store().check();
            let good = report.passed();
            output.result(&report, || {
                let mut table = table(&["step", "result"]);
                for step in &report.steps {
                    let result = match (&step.problem, step.note) {
                        (Some(problem), _) => format!("{}: {}", problem.code, problem.message),
                        (None, note) => note.unwrap_or("ok").to_owned(),
                    };
                    table.add_row([step.what.to_owned(), result]);
                }
                let verdict = if good { "can be used" } else { "cannot be used yet" };
                format!("{table}\nThe store ({}) {verdict}.", report.store)
            });
            Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(2) })
        }
        StoreCommand::Rebuild(arg) => {
            let config = Config::load(&arg.config)?;
            let bar =
                if output.draws() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
            let report = rebuild_catalog(&config, |read| {
                bar.set_message(format!("{read} objects read"));
                bar.tick();
            })?;
            bar.finish_and_clear();
            output.result(&report, || {
                let mut table = table(&["zone", "objects"]);
                for (zone, objects) in &report.objects {
                    table.add_row([(*zone).to_owned(), objects.to_string()]);
                }
                let mut text =
                    format!("{table}\n{} instances are in the new catalogue.", report.instances);
                for (code, count) in &report.unreadable {
                    text += &format!("\n{count} objects could not be opened ({code}).");
                }
                text
            });
            let complete = report.unreadable.is_empty();
            Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(2) })
        }
    }
}
