//! `scanveil scrub`: de-identifies files, folders and archives, with no server.
//!
//! Two looks at everything, because the study is the unit: the first gathers who each study is
//! about, the second scrubs. Outputs are made in a folder of their own beside their place and moved
//! there study by study, so that no name ever stands for a part of a file.

mod held;
mod output;
mod plan;
mod report;
mod secret;
mod work;

use crate::cli::ScrubArgs;
use crate::inputs::gather;
use crate::output::{Failure, Output, io_failure};
use indicatif::{ProgressBar, ProgressStyle};
use output::Staging;
use plan::Plan;
use report::{Mappings, Summary};
use scanveil_pipeline::DocumentProcess;
use scanveil_scrub::Profile;
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use work::Scrubbing;

pub(crate) fn run(args: &ScrubArgs, output: &Output) -> Result<ExitCode, Failure> {
    quiet_panics();
    let started = Instant::now();
    let profile = profile(&args.profile)?;
    let secret = secret::project_secret(&args.secret, &args.project, args.dry_run, output)?;
    let inputs = gather(&args.inputs, args.out.as_deref())?;
    let staging = match &args.out {
        Some(out) if !args.dry_run => Some(Staging::new(out)?),
        _ => None,
    };
    let pool = pool(args.jobs)?;
    let bar = progress_bar(output, 2 * inputs.len() as u64);
    let plan = pool.install(|| Plan::make(inputs, &bar))?;
    let mappings = args.mapping.is_some().then(Mappings::default);
    let scrubbing = Scrubbing {
        profile: &profile,
        secret: &secret,
        plan: &plan,
        staging: staging.as_ref(),
        mappings: mappings.as_ref(),
        reported: args.report.is_some(),
        bar: &bar,
    };
    let outcomes = pool.install(|| scrubbing.run())?;
    bar.finish_and_clear();
    if let (Some(path), Some(mappings)) = (&args.mapping, mappings.filter(|_| !args.dry_run)) {
        mappings.write(path).map_err(|error| io_failure("the mapping", &error))?;
    }
    let summary = Summary::new(&outcomes, &plan, started.elapsed());
    if let Some(path) = &args.report {
        report::write(path, args, &profile, &summary, &outcomes)
            .map_err(|error| io_failure("the report", &error))?;
    }
    output.result(&summary, || summary.text(args.dry_run));
    Ok(if summary.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// A panic's message can quote what it met: only its place is logged.
pub(crate) fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, ToString::to_string);
        tracing::error!(place, "internal fault");
    }));
}

/// A profile by name or by file.
fn profile(name: &str) -> Result<Profile, Failure> {
    let reader = Arc::new(DocumentProcess::default());
    if let Some(profile) = Profile::builtin(name) {
        return Ok(profile.with_reader(reader));
    }
    let text = fs::read_to_string(name).map_err(|error| {
        let names: Vec<&str> = Profile::builtin_names().collect();
        Failure::new(
            "SV-CLI-012",
            format!("profile `{name}` is none that comes with scanveil, and no file: {error}"),
            &format!("name a file, or one of: {}", names.join(", ")),
        )
    })?;
    Ok(Profile::from_toml(&text)?.with_reader(reader))
}

/// The threads.
pub(crate) fn pool(jobs: usize) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(|error| {
        Failure::new("SV-CLI-013", format!("no threads: {error}"), "give a smaller --jobs")
    })
}

/// Progress, drawn on a terminal only.
pub(crate) fn progress_bar(output: &Output, length: u64) -> ProgressBar {
    if !output.draws() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% {elapsed} of {duration}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}
