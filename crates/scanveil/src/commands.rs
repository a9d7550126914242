//! One module per command.

mod audit;
mod batch;
mod config;
mod demo;
mod evaluate;
mod figures;
mod health;
mod hospital;
mod inspect;
mod keys;
mod profile;
mod project;
mod quarantine;
mod release;
mod scrub;
mod serve;
mod spool;
mod status;
mod store;
mod study;
mod subject;
mod synth;
mod worker;

use crate::cli::{Cli, Command, ConfigArg};
use crate::output::{Failure, Output};
use clap::CommandFactory;
use scanveil_pipeline::{Config, Site, SiteMode};
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the command; the exit code says how it went.
pub(crate) fn run(cli: &Cli, output: &Output) -> Result<ExitCode, Failure> {
    match &cli.command {
        Command::Demo(args) => demo::run(args, output),
        Command::Serve(args) => serve::run(args, output),
        Command::Scrub(args) => scrub::run(args, output),
        Command::Inspect(args) => inspect::run(args, output),
        Command::Hospital(command) => hospital::run(command, output),
        Command::Project(command) => project::run(command, output),
        Command::Profile(command) => profile::run(command, output),
        Command::Batch(command) => batch::run(command, output),
        Command::Release(command) => release::run(command, output),
        Command::Spool(command) => spool::run(command, output),
        Command::Keys(command) => keys::run(command, output),
        Command::Subject(command) => subject::run(command, output),
        Command::Audit(command) => audit::run(command, output),
        Command::Quarantine(command) => quarantine::run(command, output),
        Command::Study(command) => study::run(command, output),
        Command::Store(command) => store::run(command, output),
        Command::Config(command) => config::run(command, output),
        Command::Health(args) => health::run(args, output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "scanveil", &mut script);
            output.line(String::from_utf8_lossy(&script).trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Synth(args) => synth::run(args, output),
        Command::Evaluate(args) => evaluate::run(args, output),
        Command::Worker(command) => worker::run(command),
    }
}

/// Opens the installation beside a running service.
fn site(arg: &ConfigArg) -> Result<Arc<Site>, Failure> {
    let config = Config::load(&arg.config)?;
    Ok(Site::open(config, SiteMode::Command)?.0)
}
