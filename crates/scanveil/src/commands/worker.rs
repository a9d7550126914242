//! `scanveil worker`: what the program starts itself, to do apart what could fail.

use crate::cli::WorkerCommand;
use crate::commands::scrub::quiet_panics;
use crate::output::{Failure, io_failure};
use rustix::process::{Resource, Rlimit, setrlimit};
use scanveil_documents::{DocumentReader, InProcess, MOST_DOCUMENT, to_answer};
use std::io::{Read, Write};
use std::process::ExitCode;

/// What the process may take: address space in bytes, seconds of the processor, files to write,
/// open files, and no image of its memory when it crashes.
const LIMITS: [(Resource, u64); 5] = [
    (Resource::As, 512 << 20),
    (Resource::Cpu, 30),
    (Resource::Fsize, 0),
    (Resource::Nofile, 16),
    (Resource::Core, 0),
];

pub(crate) fn run(command: &WorkerCommand) -> Result<ExitCode, Failure> {
    quiet_panics();
    for (resource, most) in LIMITS {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).map_err(|error| io_failure("a limit", &error.into()))?;
    }
    match command {
        WorkerCommand::Document => document(),
    }
}

/// Reads a document on standard input and answers on standard output.
fn document() -> Result<ExitCode, Failure> {
    let mut bytes = Vec::new();
    // One byte more says that it is too large.
    let most = MOST_DOCUMENT as u64 + 1;
    let read = Read::take(std::io::stdin(), most).read_to_end(&mut bytes);
    read.map_err(|error| io_failure("standard input", &error))?;
    let answer = to_answer(InProcess.read_pdf(&bytes));
    let written = std::io::stdout().write_all(&answer);
    written.map_err(|error| io_failure("standard output", &error))?;
    Ok(ExitCode::SUCCESS)
}
