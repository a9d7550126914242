//! `scanveil audit`: the log of what was done about identified data.

use super::subject::desk;
use crate::cli::{AuditCommand, AuditListArgs, AuditVerifyArgs};
use crate::output::{Failure, Output, table, time};
use scanveil_govern::{Entry, Office, Verification};
use scanveil_pipeline::Config;
use std::fmt::Write;
use std::process::ExitCode;

pub(crate) fn run(command: &AuditCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        AuditCommand::Verify(args) => verify(args, output),
        AuditCommand::List(args) => list(args, output),
    }
}

fn verify(args: &AuditVerifyArgs, output: &Output) -> Result<ExitCode, Failure> {
    let log = Office::open(desk::folder(&Config::load(&args.config.config)?))?.log();
    let found = log.verify(args.through)?;
    output.result(&found, || account(&found));
    Ok(end(&found))
}

/// 2 where the log is not as it should be.
fn end(found: &Verification) -> ExitCode {
    if found.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn account(found: &Verification) -> String {
    let mut text = format!("{} entries hold. head {}", found.entries, found.head);
    // Writing to a String cannot fail.
    if let Some(broken) = &found.broken {
        let _ = write!(
            text,
            "\nBROKEN at line {}: {}. Nothing from there on proves anything: keep the file, and \
             find out who wrote to it.",
            broken.line, broken.what
        );
    }
    if found.torn_bytes > 0 {
        let _ = write!(
            text,
            "\n{} bytes at the end are what an interrupted append left; the next event notes them.",
            found.torn_bytes
        );
    }
    if found.interrupted > 0 {
        let _ = write!(text, "\n{} interrupted appends are noted in the log.", found.interrupted);
    }
    match found.passes {
        Some(true) => text += "\nThe chain passes through the hash you gave.",
        Some(false) => {
            text += "\nBROKEN: the chain does not pass through the hash you gave: entries were cut \
                     off, or all of it was written anew.";
        }
        None => {}
    }
    text
}

fn list(args: &AuditListArgs, output: &Output) -> Result<ExitCode, Failure> {
    let log = Office::open(desk::folder(&Config::load(&args.config.config)?))?.log();
    let (mut entries, found) = log.entries(|entry| {
        let hospital = args.hospital.as_ref();
        let request = args.request.as_ref();
        hospital.is_none_or(|id| entry.hospital.as_ref() == Some(id))
            && request.is_none_or(|id| entry.request.as_ref() == Some(id))
    })?;
    if let Some(last) = args.last {
        entries.drain(..entries.len().saturating_sub(last));
    }
    output.result(&entries, || {
        let columns =
            ["number", "time", "who", "action", "outcome", "hospital", "project", "request"];
        let mut table = table(&columns);
        for entry in &entries {
            table.add_row(cells(entry));
        }
        let whole = if found.is_whole() { String::new() } else { format!("\n{}", account(&found)) };
        format!("{table}{whole}")
    });
    Ok(end(&found))
}

fn cells(entry: &Entry) -> [String; 8] {
    fn text<T: ToString>(value: Option<&T>) -> String {
        value.map(ToString::to_string).unwrap_or_default()
    }
    let code = text(entry.code.as_ref());
    let person = text(entry.person.as_ref());
    [
        entry.number.to_string(),
        time(entry.at_ms),
        entry.who.to_string(),
        format!("{} {person}", entry.action).trim_end().to_owned(),
        format!("{} {code}", entry.outcome.as_str()).trim_end().to_owned(),
        text(entry.hospital.as_ref()),
        text(entry.project.as_ref()),
        text(entry.request.as_ref()),
    ]
}
