//! What a person or a program reads: tables or JSON on standard output, errors with a code and a
//! next step, logs on standard error.

use crate::cli::Command;
use comfy_table::{ContentArrangement, Table, TableComponent, presets};
use scanveil_engine::EngineError;
use scanveil_model::{Coded, ErrorReport};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

/// Where results go.
pub(crate) struct Output {
    json: bool,
    /// The first failure of standard output.
    failed: OnceLock<std::io::Error>,
}

/// An error on its way to the person who called: its code and next step are kept.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) ErrorReport);

impl Failure {
    /// An error of the command line itself.
    pub(crate) fn new(code: &str, message: impl Into<String>, next_step: &str) -> Self {
        Self(ErrorReport {
            code: code.to_owned(),
            message: message.into(),
            next_step: next_step.to_owned(),
        })
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.report())
    }
}

/// A file or folder of the command line that cannot be used.
pub(crate) fn io_failure(what: &str, error: &std::io::Error) -> Failure {
    EngineError::path(what, error).into()
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, failed: OnceLock::new() }
    }

    /// Whether a program reads the results.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether progress can be drawn.
    pub(crate) fn draws(&self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    /// Prints a result: as JSON, or as the text that `text` makes.
    pub(crate) fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let out = if self.json {
            serde_json::to_string_pretty(value).unwrap_or_else(|_| "{}".to_owned())
        } else {
            text()
        };
        self.line(out.trim_end());
    }

    /// Prints a line for a person; nothing with `--json`.
    pub(crate) fn say(&self, line: &str) {
        if !self.json {
            self.line(line);
        }
    }

    /// Prints a line for whoever reads, person or program.
    pub(crate) fn line(&self, line: &str) {
        if let Err(error) = writeln!(std::io::stdout(), "{line}") {
            // The first failure is the one to tell.
            let _ = self.failed.set(error);
        }
    }

    /// Ends the printing.
    ///
    /// # Errors
    /// When something did not arrive: standard output is full or closed.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let flushed = std::io::stdout().flush();
        match self.failed.get().map_or(flushed.as_ref().err(), Some) {
            None => Ok(()),
            Some(error) => Err(Failure::new(
                "SV-CLI-040",
                format!("the result could not be printed: {error}"),
                "the command itself is done; see what standard output leads to",
            )),
        }
    }

    /// Whether a person reads standard output, now, and nothing keeps it.
    pub(crate) fn is_terminal(&self) -> bool {
        !self.json && std::io::stdout().is_terminal()
    }

    /// Prints an error.
    pub(crate) fn failure(&self, failure: &Failure) {
        let report = &failure.0;
        let text = if self.json {
            serde_json::to_string_pretty(&serde_json::json!({ "error": report }))
                .unwrap_or_default()
        } else {
            format!("error {}: {}\nnext: {}", report.code, report.message, report.next_step)
        };
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// A table with these columns.
pub(crate) fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    // No line between any two rows: one under the head is enough.
    for part in [
        TableComponent::HorizontalLines,
        TableComponent::MiddleIntersections,
        TableComponent::LeftBorderIntersections,
        TableComponent::RightBorderIntersections,
    ] {
        table.remove_style(part);
    }
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns);
    table
}

/// A count of bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}

/// A time in milliseconds since 1970, for people: UTC, to the second.
pub(crate) fn time(at_ms: i64) -> String {
    jiff::Timestamp::from_second(at_ms.div_euclid(1000)).unwrap_or_default().to_string()
}

/// The file that the demonstration logs into.
static LOG_FILE: OnceLock<File> = OnceLock::new();

/// Makes the file that a command logs into, instead of standard error, from here on.
pub(crate) fn log_into(path: &Path) -> Result<(), Failure> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    let file = file.map_err(|error| io_failure(&path.display().to_string(), &error))?;
    // A second file would be a mistake of ours, and harmless: the first one stays.
    let _ = LOG_FILE.set(file);
    Ok(())
}

fn log_file() -> Box<dyn Write> {
    match LOG_FILE.get() {
        Some(file) => Box::new(file),
        None => Box::new(std::io::stderr()),
    }
}

/// Starts logging to standard error: plain on a terminal, JSON elsewhere for the service. The
/// demonstration logs as the service does, into the file of [`log_into`].
pub(crate) fn start_logging(filter: Option<&str>, command: &Command) {
    let service = matches!(command, Command::Serve(_));
    let demo = matches!(command, Command::Demo(_));
    let filter = filter.unwrap_or(if service || demo { "info" } else { "warn" });
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A log that is full must not end the process: its own complaints would.
    let builder = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
    if demo {
        builder.json().with_writer(log_file).init();
    } else if service && !std::io::stderr().is_terminal() {
        builder.json().with_writer(std::io::stderr).init();
    } else {
        builder.with_target(false).with_writer(std::io::stderr).init();
    }
}
