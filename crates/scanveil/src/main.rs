//! The scanveil command line: one binary for every role.

mod cli;
mod commands;
mod exit;
mod outfile;
mod output;
mod protect;
mod stop;

use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;
use zeroizing_alloc::ZeroAlloc;

/// Many threads make and drop small things: the system's allocator gives memory back to the kernel
/// and asks for it again for every file. Without large pages: most of one would be cleared in vain.
/// What is given back is wiped: what a finished study was made of stays readable nowhere.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<MiMalloc> = ZeroAlloc(MiMalloc);

fn main() -> ExitCode {
    let protected = protect::memory();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => return told_by_parser(&told),
    };
    // HTTP clients take the process's provider; a second call finds the same one in place.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let output = output::Output::new(cli.json);
    output::start_logging(cli.log.as_deref(), &cli.command);
    if let Err(error) = protected {
        tracing::warn!(%error, "the system lets images of this process's memory be written");
    }
    let done = commands::run(&cli, &output).and_then(|code| output.finish().map(|()| code));
    match done {
        Ok(code) => code,
        Err(error) => {
            output.failure(&error);
            ExitCode::from(exit::FAILED)
        }
    }
}

/// Help, the version, or what is wrong with the command line.
fn told_by_parser(told: &clap::Error) -> ExitCode {
    match (told.use_stderr(), told.print()) {
        (true, _) => ExitCode::from(exit::USAGE),
        (false, Ok(())) => ExitCode::SUCCESS,
        (false, Err(_)) => ExitCode::from(exit::FAILED),
    }
}
