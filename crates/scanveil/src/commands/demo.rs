//! `scanveil demo`.

use crate::cli::DemoArgs;
use crate::output::{Failure, Output};
use std::process::ExitCode;

pub(crate) fn run(_: &DemoArgs, _: &Output) -> Result<ExitCode, Failure> {
    Err(Failure::new("SV-CLI-000", "being built", "wait"))
}
