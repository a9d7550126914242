//! `scanveil config`.

use crate::cli::ConfigCommand;
use crate::output::{Failure, Output, table};
use scanveil_pipeline::{Config, StoreKind, load_profile};
use std::fmt::Write;
use std::process::ExitCode;

/// The example, which a test keeps valid.
pub(crate) const EXAMPLE: &str = include_str!("../../../../docs/example.toml");

pub(crate) fn run(command: &ConfigCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        ConfigCommand::Example => output.say(EXAMPLE.trim_end()),
        ConfigCommand::Check(arg) => check(&Config::load(&arg.config)?, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check(config: &Config, output: &Output) -> Result<(), Failure> {
    for project in &config.projects {
        load_profile(&project.profile)?;
    }
    let store = match config.store.kind() {
        StoreKind::Folder => "a folder".to_owned(),
        StoreKind::S3 => format!("S3 bucket {}", config.store.bucket.as_deref().unwrap_or("?")),
    };
    let names = |ids: Vec<String>| if ids.is_empty() { "all".to_owned() } else { ids.join(", ") };
    output.result(
        &serde_json::json!({
            "ok": true,
            "hospitals": config.hospitals.iter().map(|h| &h.id).collect::<Vec<_>>(),
            "projects": config.projects.iter().map(|p| &p.name).collect::<Vec<_>>(),
        }),
        || {
            let mut text = format!("The configuration can be used. Objects go to {store}.\n");
            let mut hospitals =
                table(&["hospital", "AE title", "originals", "retention", "senders", "tokens"]);
            for hospital in &config.hospitals {
                hospitals.add_row([
                    hospital.id.to_string(),
                    hospital.called_ae.as_ref().map_or("-".into(), ToString::to_string),
                    if hospital.keep_originals { "kept" } else { "not kept" }.to_owned(),
                    format!("{} ({} years)", hospital.retention.class.0, hospital.retention.years),
                    hospital.calling.len().to_string(),
                    hospital.tokens.len().to_string(),
                ]);
            }
            let mut projects = table(&["project", "profile", "hospitals"]);
            for project in &config.projects {
                let ids = project.hospitals.iter().map(ToString::to_string).collect();
                projects.add_row([project.name.to_string(), project.profile.clone(), names(ids)]);
            }
            let _ = write!(text, "{hospitals}\n\n{projects}");
            text
        },
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_can_be_used() {
        Config::parse(EXAMPLE).unwrap();
    }
}
