//! The scanveil command line: one binary for every role.

mod cli;
mod commands;
mod inputs;
mod output;

use clap::Parser;
use std::process::ExitCode;

/// Many threads make and drop small things: the system's allocator gives memory back to the kernel
/// and asks for it again for every file. Without large pages: most of one would be cleared in vain.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // HTTP clients take the process's provider; a second call finds the same one in place.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let output = output::Output::new(cli.json);
    output::start_logging(cli.log.as_deref(), &cli.command);
    match commands::run(&cli, &output) {
        Ok(code) => code,
        Err(error) => {
            output.failure(&error);
            ExitCode::from(1)
        }
    }
}
