//! `scanveil release`.

use crate::cli::{ReleaseArgs, ReleaseCommand};
use crate::output::{Failure, Output, bytes, table};
use indicatif::{ProgressBar, ProgressStyle};
use scanveil_catalog::RecordId;
use scanveil_pipeline::{ENGINE, now_ms};
use scanveil_release::{ReleaseFilter, ReleaseMode, ReleaseRequest, Unreadable, create, verify};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(command: &ReleaseCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        ReleaseCommand::Create(args) => make(args, output),
        ReleaseCommand::Verify { dir } => {
            let report = verify(dir)?;
            let good = report.problems.is_empty();
            output.result(&report, || {
                if good {
                    return format!("{} files are as the manifest says.", report.files);
                }
                let mut table = table(&["problem", "file"]);
                for problem in &report.problems {
                    table.add_row([format!("{:?}", problem.kind), problem.path.clone()]);
                }
                format!("{table}\nDo not use this copy: fetch it again.")
            });
            Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(2) })
        }
        ReleaseCommand::List(arg) => {
            let releases = super::site(arg)?.catalog().releases()?;
            output.result(&releases, || {
                let mut table = table(&["release", "project", "instances", "bytes"]);
                for release in &releases {
                    table.add_row([
                        release.release.to_string(),
                        release.project.to_string(),
                        release.instances.to_string(),
                        bytes(release.bytes),
                    ]);
                }
                table.to_string()
            });
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The identifier of the release that was begun in a folder: resumed, it is still that one.
fn begun(folder: &Path) -> Option<String> {
    let marker = std::fs::read(folder.join("unfinished.json")).ok()?;
    let marker: serde_json::Value = serde_json::from_slice(&marker).ok()?;
    Some(marker.get("release")?.as_str()?.to_owned())
}

fn make(args: &ReleaseArgs, output: &Output) -> Result<ExitCode, Failure> {
    let site = super::site(&args.config)?;
    site.config().project(&args.project)?;
    let now = now_ms();
    let release = match args.resume.then(|| begun(&args.out)).flatten() {
        Some(begun) => begun,
        None => format!("{}-{now}", args.project),
    };
    let request = ReleaseRequest {
        release: RecordId::parse(&release)?,
        project: args.project.clone(),
        out: args.out.clone(),
        mode: if args.resume { ReleaseMode::Resume } else { ReleaseMode::New },
        filter: ReleaseFilter {
            hospitals: args.hospital.iter().cloned().collect(),
            modalities: args.modality.iter().cloned().collect(),
            ..ReleaseFilter::default()
        },
        unreadable: if args.leave_out_unreadable { Unreadable::LeaveOut } else { Unreadable::Fail },
        created_at_ms: now,
        engine: ENGINE.to_owned(),
        jobs: site.config().pipeline.jobs,
        citation: args.citation.clone(),
        contact: args.contact.clone(),
    };
    let bar = if output.draws() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = "{bar:40} {pos}/{len} instances, {elapsed} gone, {eta} to go";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar()));
    let keys = site.keyring().research_keys();
    let manifest = create(&request, site.catalog(), site.store(), &keys, &|progress| {
        bar.set_length(progress.instances_total);
        bar.set_position(progress.instances);
    })?;
    bar.finish_and_clear();
    output.result(&manifest, || {
        let totals = manifest.totals();
        let mut text = format!(
            "Release {} of project {}: {} instances of {} patients, {}, in {}",
            manifest.release(),
            manifest.project(),
            totals.instances,
            totals.patients,
            bytes(totals.bytes),
            args.out.display()
        );
        for left in manifest.left_out() {
            text += &format!("\n  left out: {} x {}", left.instances, left.reason);
        }
        text + "\nStart with DATASHEET.md; check the copy with `scanveil release verify DIR`."
    });
    Ok(ExitCode::SUCCESS)
}
