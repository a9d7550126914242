//! `scanveil config reload`: asks the running service to read its configuration again.

use crate::cli::ConfigArg;
use crate::commands::serve::control::{RELOAD, connect, is_whole};
use crate::exit::ATTENTION;
use crate::output::{Failure, Output};
use scanveil_model::ErrorReport;
use scanveil_pipeline::Config;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

/// How long the service may take: it waits for a watched folder's file at hand.
const PATIENCE: Duration = Duration::from_secs(600);
/// The longest answer that is read.
const MOST_BYTES: u64 = 4 << 20;

pub(crate) fn run(arg: &ConfigArg, output: &Output) -> Result<ExitCode, Failure> {
    // A file that cannot be read at all is refused here: the service would say the same.
    let config = Config::load(&arg.config)?;
    let answer = ask(&config).map_err(|error| {
        let data = config.data_dir.display();
        Failure::new(
            "SV-CLI-081",
            format!("no running service answers for the data folder {data}: {error}"),
            "check that it runs, as this user, with this data_dir (another one needs a restart)",
        )
    })?;
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    if let Some(refused) = answer.get("refused") {
        let text = |name: &str| refused[name].as_str().unwrap_or_default().to_owned();
        return Err(Failure(ErrorReport {
            code: text("code"),
            message: format!("not reloaded, nothing has changed: {}", text("message")),
            next_step: text("next_step"),
        }));
    }
    let Some(reloaded) = answer.get("reloaded") else {
        return Err(Failure::new(
            "SV-CLI-082",
            "the service did not say what it did",
            "look into its log; it may have been stopped",
        ));
    };
    output.result(reloaded, || account(reloaded));
    Ok(if is_whole(reloaded) { ExitCode::SUCCESS } else { ExitCode::from(ATTENTION) })
}

fn ask(config: &Config) -> io::Result<Vec<u8>> {
    let mut stream = connect(config)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(RELOAD.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer)?;
    Ok(answer)
}

/// What a reload did, for people.
fn account(reloaded: &Value) -> String {
    let list = |name: &str| reloaded[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut out = format!("read {}\n", text(&reloaded["file"]));
    // Writing to a String cannot fail.
    for change in list("changes") {
        let details: Vec<String> =
            change["details"].as_array().into_iter().flatten().map(text).collect();
        let (part, name) = (text(&change["part"]), text(&change["name"]));
        let details = details.join("; ");
        let _ = writeln!(out, "  {:8} {part} {name}  {details}", text(&change["change"]));
    }
    if list("changes").is_empty() {
        out.push_str("  nothing that can be reloaded has changed\n");
    }
    for setting in list("needs_restart") {
        let _ = writeln!(out, "needs a restart, not in force: {}", text(&setting));
    }
    for problem in list("problems") {
        let (said, step) = (text(&problem["message"]), text(&problem["next_step"]));
        let _ = writeln!(out, "needs a look: {said}; {step}");
    }
    for waiting in list("waiting") {
        let hospital = text(&waiting["hospital"]);
        let _ = writeln!(
            out,
            "{} instances of hospital {hospital} wait in the spool: {}",
            waiting["instances"],
            crate::commands::serve::reload::WAITING_STEP
        );
    }
    out
}
