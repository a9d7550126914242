//! `scanveil project`.

use crate::cli::ProjectCommand;
use crate::output::{Failure, Output, table};
use std::process::ExitCode;

pub(crate) fn run(command: &ProjectCommand, output: &Output) -> Result<ExitCode, Failure> {
    let ProjectCommand::List(arg) = command;
    let site = super::site(arg)?;
    let mut rows = Vec::new();
    for project in &site.config().projects {
        let studies = site.catalog().studies(&project.name)?;
        let released: u64 = studies.iter().map(|study| study.released).sum();
        rows.push(serde_json::json!({
            "project": project.name,
            "profile": site.settings().profile(&project.name)?.label(),
            "studies": studies.len(),
            "instances": released,
        }));
    }
    output.result(&rows, || {
        let mut table = table(&["project", "profile", "studies", "instances"]);
        for row in &rows {
            let cell = |name: &str| match &row[name] {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            table.add_row(["project", "profile", "studies", "instances"].map(cell));
        }
        table.to_string()
    });
    Ok(ExitCode::SUCCESS)
}
