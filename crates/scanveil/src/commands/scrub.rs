//! `scanveil scrub`.

use crate::cli::ScrubArgs;
use crate::output::{Failure, Output};
use std::process::ExitCode;

pub(crate) fn run(_: &ScrubArgs, _: &Output) -> Result<ExitCode, Failure> {
    Err(Failure::new("SV-CLI-000", "being built", "wait"))
}
