//! `scanveil health`: for container health checks and scripts.

use crate::cli::HealthArgs;
use crate::output::{Failure, Output};
use std::process::ExitCode;
use std::time::Duration;

pub(crate) fn run(args: &HealthArgs, output: &Output) -> Result<ExitCode, Failure> {
    let failed = |error: reqwest::Error| {
        Failure::new(
            "SV-CLI-006",
            format!("the service does not answer: {}", error.without_url()),
            "check that it runs and that --url is its HTTP address",
        )
    };
    let client = reqwest::blocking::Client::builder().timeout(Duration::from_secs(5)).build();
    let url = format!("{}/health/ready", args.url.trim_end_matches('/'));
    let answer = client.and_then(|client| client.get(url).send()).map_err(failed)?;
    let ready = answer.status().is_success();
    output.result(&serde_json::json!({ "ready": ready }), || {
        if ready { "ready" } else { "not ready: look at the status page" }.to_owned()
    });
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::from(2) })
}
