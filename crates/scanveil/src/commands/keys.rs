//! `scanveil keys`.

use crate::cli::KeysCommand;
use crate::output::{Failure, Output, table};
use std::process::ExitCode;

pub(crate) fn run(command: &KeysCommand, output: &Output) -> Result<ExitCode, Failure> {
    let KeysCommand::List(arg) = command;
    let site = super::site(arg)?;
    let listing = site.keyring().list()?;
    let rows: Vec<serde_json::Value> = listing
        .iter()
        .map(|entry| {
            serde_json::json!({
                "hospital": entry.hospital, "subjects": entry.subjects,
                "destroyed": entry.destroyed,
            })
        })
        .collect();
    output.result(&rows, || {
        let mut table = table(&["hospital", "subject keys", "destroyed"]);
        for entry in &listing {
            table.add_row([
                entry.hospital.to_string(),
                entry.subjects.to_string(),
                entry.destroyed.to_string(),
            ]);
        }
        let root = site.keyring().root_key_path();
        format!("{table}\nroot key: {} (back it up: without it nothing opens)", root.display())
    });
    Ok(ExitCode::SUCCESS)
}
