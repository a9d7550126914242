//! `scanveil inspect`.

use crate::cli::InspectArgs;
use crate::output::{Failure, Output};
use std::process::ExitCode;

pub(crate) fn run(_: &InspectArgs, _: &Output) -> Result<ExitCode, Failure> {
    Err(Failure::new("SV-CLI-000", "being built", "wait"))
}
