//! `scanveil scrub`: de-identifies files, folders and archives, with no server.
//!
//! Two looks at everything, because the study is the unit: the first gathers who each study is
//! about, the second scrubs. Outputs are made in a folder of their own beside their place and moved
//! there study by study, so that no name ever stands for a part of a file.

mod held;
mod journal;
mod output;
mod plan;
mod private;
mod report;
mod secret;
mod work;

use crate::cli::ScrubArgs;
use crate::exit::ATTENTION;
use crate::inputs::{Input, gather, keep_apart};
use crate::outfile::{OutFile, Privacy, Wanted, keep_out};
use crate::output::{Failure, Output};
use crate::stop::Stop;
use indicatif::{ProgressBar, ProgressStyle};
use output::Staging;
use plan::Plan;
use private::Mappings;
use report::Summary;
use scanveil_pipeline::DocumentProcess;
use scanveil_scrub::Profile;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use work::Scrubbing;

pub(crate) fn run(args: &ScrubArgs, output: &Output) -> Result<ExitCode, Failure> {
    quiet_panics();
    let (started, stop) = (Instant::now(), Stop::listen()?);
    let profile = profile(&args.profile)?;
    let files = Files::claim(args)?;
    let inputs = gather(&args.inputs)?;
    files.spare(args, &inputs)?;
    let (secret, marks) =
        secret::project_secret(&args.secret, &args.project, args.dry_run, output)?;
    let mut staging = match &args.out {
        Some(out) if !args.dry_run => Some(Staging::new(out)?),
        _ => None,
    };
    if let Some(file) = &files.report {
        report::begin(file, args, &profile, inputs.len())?;
    }
    let pool = pool(args.jobs)?;
    let bar = progress_bar(output, 2 * inputs.len() as u64);
    let plan = pool.install(|| Plan::make(inputs, &bar, &stop));
    plan.has_something_to_do()?;
    let finished = match staging.as_mut().filter(|_| !stop.is_asked()) {
        Some(staging) => {
            let same = journal::circumstances(&profile.digest(), args.report.is_some());
            plan.finished(&staging.take_over(&plan.mark(&marks, &same))?)
        }
        None => HashMap::new(),
    };
    let mappings = args.mapping.is_some().then(Mappings::default);
    let scrubbing = Scrubbing {
        profile: &profile,
        secret: &secret,
        plan: &plan,
        staging: staging.as_ref(),
        mappings: mappings.as_ref(),
        reported: args.report.is_some(),
        finished,
        stop: &stop,
        bar: &bar,
    };
    let outcomes = pool.install(|| scrubbing.run())?;
    bar.finish_and_clear();
    if let (Some(file), Some(mappings)) = (&files.mapping, mappings.filter(|_| !args.dry_run)) {
        mappings.write(file)?;
    }
    let summary = Summary::new(&outcomes, plan.studies.len(), started.elapsed());
    if let Some(file) = &files.report {
        report::write(file, args, &profile, &summary, &outcomes)?;
    }
    if let Some(file) = &files.held {
        private::write_held(file, &plan, &outcomes)?;
    }
    output.result(&summary, || {
        let named = (!summary.is_clean() && output.is_terminal())
            .then(|| private::held_table(&plan, &outcomes) + "\n\n");
        named.unwrap_or_default() + &summary.text(args)
    });
    Ok(ended(&summary, &stop, staging.as_ref(), output))
}

/// How the run came out. One that was stopped leaves its journal to the next.
fn ended(summary: &Summary, stop: &Stop, staging: Option<&Staging>, output: &Output) -> ExitCode {
    if let Some(code) = stop.exit_code().filter(|_| summary.not_reached() > 0) {
        output.failure(&stopped(summary.not_reached()));
        return ExitCode::from(code);
    }
    if let Some(staging) = staging {
        staging.done();
    }
    if summary.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(ATTENTION) }
}

fn stopped(left: usize) -> Failure {
    Failure::new(
        "SV-CLI-048",
        format!("stopped: {left} inputs are not done"),
        "run the same command again: it goes on with the studies that are left",
    )
}

/// The files that a run writes beside its output folder.
struct Files {
    report: Option<OutFile>,
    mapping: Option<OutFile>,
    held: Option<OutFile>,
}

impl Files {
    /// Looks whether they may be written, before anything is done.
    fn claim(args: &ScrubArgs) -> Result<Self, Failure> {
        let claim = |option, path: &Option<PathBuf>, privacy, ours| {
            let wanted = |path| Wanted { option, path, privacy, ours, force: args.force };
            path.as_deref().map(|path| OutFile::claim(&wanted(path))).transpose()
        };
        let report = claim("--report", &args.report, Privacy::Plain, report::is_report)?;
        let mapping = claim("--mapping", &args.mapping, Privacy::Private, private::is_mapping)?;
        let held = claim("--held", &args.held, Privacy::Private, private::is_held_list)?;
        let files = Self { report, mapping, held };
        let all: Vec<&OutFile> = files.all().collect();
        for (at, file) in all.iter().enumerate() {
            all[..at].iter().try_for_each(|other| file.differs_from(other))?;
        }
        if let Some(out) = &args.out {
            keep_apart(&args.inputs, out)?;
            all.iter().try_for_each(|file| file.keeps_out_of(out))?;
            keep_out("--secret", &args.secret, out)?;
        }
        Ok(files)
    }

    fn all(&self) -> impl Iterator<Item = &OutFile> {
        [&self.report, &self.mapping, &self.held].into_iter().flatten()
    }

    /// Refuses to replace what the run reads.
    fn spare(&self, args: &ScrubArgs, inputs: &[Input]) -> Result<(), Failure> {
        for file in self.all().filter(|file| file.replaces()) {
            file.spare(&args.secret)?;
            file.spare(Path::new(&args.profile))?;
            inputs.iter().try_for_each(|input| file.spare(&input.name().0))?;
        }
        Ok(())
    }
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
