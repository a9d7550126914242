//! `scanveil spool`: what the spool found damaged, and what becomes of it.

use super::subject::desk::{self, Recorded};
use crate::cli::{ConfigArg, SpoolCommand, SpoolItemArgs};
use crate::output::{Failure, Output, table, time};
use scanveil_govern::{Action, Event, Office, Outcome};
use scanveil_model::{HospitalId, ObjectId};
use scanveil_pipeline::{Config, now_ms};
use scanveil_vault::{AsideFolder, SetAside, SpoolError};
use std::collections::BTreeSet;
use std::process::ExitCode;

pub(crate) fn run(command: &SpoolCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        SpoolCommand::List(arg) => list(arg, output),
        SpoolCommand::Retry(args) => {
            decide(args, Action::SPOOL_RETRY, AsideFolder::ask_retry, output)?;
            output.say("A running service tries it within seconds, else the next start does.");
            Ok(ExitCode::SUCCESS)
        }
        SpoolCommand::Discard(args) => {
            decide(args, Action::SPOOL_DISCARD, AsideFolder::discard, output)?;
            output.say("It is removed for good.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// 2 where something waits for a decision.
fn list(arg: &ConfigArg, output: &Output) -> Result<ExitCode, Failure> {
    let config = Config::load(&arg.config)?;
    let found = AsideFolder::of(&config.spool_folder()).list()?;
    output.result(&found, || account(&found));
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn account(found: &[SetAside]) -> String {
    if found.is_empty() {
        return "nothing in the spool is damaged".to_owned();
    }
    let columns =
        ["id", "finding", "hospital", "instances", "bytes", "received", "found", "file", "offset"];
    let mut rows = table(&columns);
    for one in found {
        rows.add_row([
            one.id.to_string(),
            one.finding.as_str().to_owned(),
            one.hospital.as_ref().map_or("unknown".to_owned(), HospitalId::to_string),
            one.instances.to_string(),
            one.bytes.to_string(),
            one.received_at_ms.map_or("unknown".to_owned(), time),
            time(one.found_at_ms),
            one.file.clone(),
            one.offset.to_string(),
        ]);
    }
    let kinds: BTreeSet<_> = found.iter().map(|one| one.finding).collect();
    let advice = kinds.iter().map(|kind| format!("\n{}: {}", kind.as_str(), kind.advice()));
    format!("{rows}{}", advice.collect::<String>())
}

/// Records a decision, and carries it out.
fn decide(
    args: &SpoolItemArgs,
    action: Action,
    act: impl FnOnce(&AsideFolder, &ObjectId) -> Result<(), SpoolError>,
    output: &Output,
) -> Result<(), Failure> {
    let config = Config::load(&args.config.config)?;
    let folder = AsideFolder::of(&config.spool_folder());
    let log = Office::open(desk::folder(&config))?.log();
    let event = Event {
        reference: Some(args.id.0),
        ..Event::new(now_ms(), desk::user(), action, Outcome::Begun)
    };
    let found = desk::step(
        &log,
        event,
        Recorded::Around,
        |event| {
            let found = folder.get(&args.id)?;
            event.hospital.clone_from(&found.hospital);
            Ok(found)
        },
        |found, _| {
            act(&folder, &args.id)?;
            Ok(found)
        },
    )?;
    if output.is_json() {
        output.result(&found, String::new);
    }
    Ok(())
}
