//! `scanveil scrub`: de-identifies files, folders and archives, with no server.

mod private;
mod report;

use crate::cli::ScrubArgs;
use crate::exit::ATTENTION;
use crate::outfile::{OutFile, Privacy, Wanted, keep_out};
use crate::output::{Failure, Output};
use crate::stop::Stop;
use indicatif::{ProgressBar, ProgressStyle};
use report::Summary;
use scanveil_engine::{
    Input, Missing, Origin, Secrets, Settings, Staging, Step, Watch, gather, keep_apart, scrub,
};
use scanveil_pipeline::DocumentProcess;
use scanveil_scrub::Profile;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn run(args: &ScrubArgs, output: &Output) -> Result<ExitCode, Failure> {
    quiet_panics();
    let (started, stop) = (Instant::now(), Stop::listen()?);
    let profile = profile(&args.profile)?;
    let files = Files::claim(args)?;
    let inputs = gather(&args.inputs)?;
    files.spare(args, &inputs)?;
    let secrets = secrets(args, output)?;
    let mut staging = match &args.out {
        Some(out) if !args.dry_run => Some(Staging::new(out)?),
        _ => None,
    };
    if let Some(file) = &files.report {
        report::begin(file, args, &profile, inputs.len())?;
    }
    let pool = pool(args.jobs)?;
    let bar = progress_bar(output, 2 * inputs.len() as u64);
    let watch = Watch {
        told: &|step| match step {
            Step::Looked => bar.inc(1),
            Step::More(looks) => bar.inc_length(looks),
        },
        is_stopped: &|| stop.is_asked(),
    };
    let settings = Settings {
        profile: &profile,
        secrets: &secrets,
        reported: args.report.is_some(),
        mapped: args.mapping.is_some(),
    };
    let results = pool.install(|| scrub(inputs, staging.as_mut(), &settings, &watch))?;
    bar.finish_and_clear();
    if let (Some(file), Some(pairs)) = (&files.mapping, results.pairs().filter(|_| !args.dry_run)) {
        private::write_mapping(file, pairs)?;
    }
    let summary = Summary::new(results.outcomes(), results.studies(), started.elapsed());
    if let Some(file) = &files.report {
        report::write(file, args, &profile, &summary, results.outcomes())?;
    }
    if let Some(file) = &files.held {
        private::write_held(file, &results)?;
    }
    output.result(&summary, || {
        let named = (!summary.is_clean() && output.is_terminal())
            .then(|| private::held_table(&results) + "\n\n");
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

/// The secret, which a dry run leaves in no file.
fn secrets(args: &ScrubArgs, output: &Output) -> Result<Secrets, Failure> {
    let missing = if args.dry_run { Missing::Invent } else { Missing::Make };
    let (secrets, origin) = Secrets::open(&args.secret, &args.project, missing)?;
    if origin == Origin::Made {
        output.say(
            "made a new secret file: keep it, the same pseudonyms hang on it; whoever has it can \
             link them to patients",
        );
    }
    Ok(secrets)
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
