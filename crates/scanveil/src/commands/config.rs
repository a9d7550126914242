//! `scanveil config`.

mod reload;

use crate::cli::ConfigCommand;
use crate::exit::ATTENTION;
use crate::output::{Failure, Output, table};
use scanveil_pipeline::{Config, Problem, Severity, StoreKind, check_addresses, preflight};
use std::fmt::Write;
use std::process::ExitCode;

/// The example, which a test keeps valid.
pub(crate) const EXAMPLE: &str = include_str!("../../../../docs/example.toml");

pub(crate) fn run(command: &ConfigCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        ConfigCommand::Example => {
            output.line(EXAMPLE.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Reload(arg) => reload::run(arg, output),
        ConfigCommand::Check(arg) => Ok(check(&Config::load(&arg.config)?, output)),
    }
}

fn check(config: &Config, output: &Output) -> ExitCode {
    let mut problems = preflight(config);
    problems.extend(check_addresses(config));
    if !scanveil_seal::key_memory_is_locked() {
        problems.push(unlocked());
    }
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    let usable = problems.iter().all(|problem| problem.severity == Severity::Note);
    let store = match config.store.kind() {
        StoreKind::Folder => "a folder".to_owned(),
        StoreKind::S3 => format!("S3 bucket {}", config.store.bucket.as_deref().unwrap_or("?")),
    };
    let names = |ids: Vec<String>| if ids.is_empty() { "all".to_owned() } else { ids.join(", ") };
    output.result(
        &serde_json::json!({
            "ok": usable,
            "problems": problems.iter().map(|problem| serde_json::json!({
                "severity": problem.severity.as_str(), "setting": problem.setting,
                "what": problem.what, "next_step": problem.next_step,
            })).collect::<Vec<_>>(),
            "hospitals": config.hospitals.iter().map(|h| &h.id).collect::<Vec<_>>(),
            "projects": config.projects.iter().map(|p| &p.name).collect::<Vec<_>>(),
        }),
        || {
            let mut text = format!("Objects go to {store}.\n");
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
            let _ = write!(text, "{hospitals}\n\n{projects}\n\n{}", told(&problems, usable));
            text
        },
    );
    if usable { ExitCode::SUCCESS } else { ExitCode::from(ATTENTION) }
}

/// The problems, and what they come to.
fn told(problems: &[Problem], usable: bool) -> String {
    let verdict = match usable {
        true => "The configuration can be used.",
        false => "The configuration cannot be used as it is.",
    };
    if problems.is_empty() {
        return verdict.to_owned();
    }
    let mut rows = table(&["problem", "setting", "what", "next step"]);
    for problem in problems {
        rows.add_row([
            problem.severity.as_str(),
            &problem.setting,
            &problem.what,
            &problem.next_step,
        ]);
    }
    format!("{rows}\n\n{verdict}")
}

/// Keys can reach a swap file.
fn unlocked() -> Problem {
    Problem {
        severity: Severity::Note,
        setting: "the system's limits".to_owned(),
        what: "the memory of keys cannot be locked: it may be written to swap".to_owned(),
        next_step: "raise the limit of locked memory (ulimit -l, LimitMEMLOCK), or encrypt swap"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_can_be_used() {
        Config::parse(EXAMPLE).unwrap();
    }

    #[test]
    fn the_limits_of_the_example_are_the_defaults() {
        let example = Config::parse(EXAMPLE).unwrap();
        let plain = Config::parse("data_dir = \"data\"").unwrap();
        assert_eq!(example.dimse.max_associations, plain.dimse.max_associations);
        assert_eq!(example.dimse.limits, plain.dimse.limits);
        assert_eq!(example.http.connections, plain.http.connections);
        assert_eq!(example.http.limits, plain.http.limits);
        // Every limit is shown, or stands there as a comment.
        for line in format!("{:#?}{:#?}", example.dimse.limits, example.http.limits).lines() {
            let name = line.trim().split(':').next().unwrap_or_default();
            assert!(!line.contains(": ") || EXAMPLE.contains(&format!("{name} =")), "{name}");
        }
    }
}
