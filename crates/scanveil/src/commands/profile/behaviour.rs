//! `scanveil profile test`.

use crate::output::{Failure, Output, io_failure, table};
use scanveil_pipeline::load_profile;
use scanveil_profiles::{CaseResult, builtin_tests, run as run_tests};
use scanveil_scrub::Profile;
use std::path::Path;
use std::process::ExitCode;

/// Runs the tests of the profiles named, or of all that come with scanveil.
pub(super) fn run(
    profiles: &[String],
    tests: Option<&Path>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| io_failure(&path.display().to_string(), &error))
    };
    let own = tests.map(read).transpose()?;
    let names: Vec<String> = match profiles {
        [] => Profile::builtin_names()
            .filter(|name| own.is_some() || builtin_tests(name).is_some())
            .map(str::to_owned)
            .collect(),
        names => names.to_vec(),
    };
    let mut results: Vec<(String, Vec<CaseResult>)> = Vec::new();
    for name in names {
        let profile = load_profile(&name)?;
        let text = own.as_deref().or_else(|| builtin_tests(profile.name())).ok_or_else(|| {
            Failure::new(
                "SV-CLI-007",
                format!("profile {name} has no tests of its own"),
                "name a file of tests with --tests",
            )
        })?;
        results.push((profile.label(), run_tests(text, &profile)?));
    }
    let failed = results.iter().flat_map(|(_, cases)| cases).any(|case| !case.passed());
    print(&results, output);
    Ok(if failed { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn print(results: &[(String, Vec<CaseResult>)], output: &Output) {
    let json: Vec<_> = results
        .iter()
        .map(|(profile, cases)| serde_json::json!({ "profile": profile, "cases": cases }))
        .collect();
    output.result(&json, || {
        let mut summary = table(&["profile", "cases", "checks", "failed"]);
        let mut failures = table(&["profile", "case", "at", "element", "expected", "found"]);
        let mut any = false;
        for (profile, cases) in results {
            let checks: usize = cases.iter().map(|case| case.checks).sum();
            let failed = cases.iter().filter(|case| !case.passed()).count();
            let counts = [cases.len(), checks, failed].map(|count| count.to_string());
            summary.add_row([profile, &counts[0], &counts[1], &counts[2]]);
            for case in cases {
                for failure in &case.failures {
                    any = true;
                    failures.add_row([
                        profile,
                        &case.case,
                        &case.place,
                        &failure.element,
                        &failure.expected,
                        &failure.found,
                    ]);
                }
            }
        }
        if any { format!("{summary}\n\n{failures}") } else { summary.to_string() }
    });
}
