//! `scanveil release`.

use crate::cli::{ReleaseArgs, ReleaseCommand};
use crate::output::{Failure, Output, bytes, table};
use indicatif::{ProgressBar, ProgressStyle};
use scanveil_catalog::RecordId;
use scanveil_pipeline::{ENGINE, ReleaseRules, now_ms};
use scanveil_release::{
    ReleaseFilter, ReleaseManifest, ReleaseMode, ReleaseRequest, ReleaseSources, Unreadable,
    create, verify,
};
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
    let rules = ReleaseRules::of(&site, &args.project)?;
    for hospital in &args.hospital {
        rules.admits(hospital, &args.project)?;
    }
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
        admitted: rules.admitted,
        configured: rules.configured,
        profile: rules.profile,
        only_profile: args.only_current_profile,
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
    let sources = ReleaseSources {
        catalog: site.catalog(),
        store: site.store(),
        keys: &*keys,
        under_way: &|| site.under_way(),
    };
    let manifest = create(&request, &sources, &|progress| {
        bar.set_length(progress.instances_total);
        bar.set_position(progress.instances);
    })?;
    bar.finish_and_clear();
    output.result(&manifest, || text_of(&manifest, &args.out));
    Ok(ExitCode::SUCCESS)
}

/// What a person reads of a release.
fn text_of(manifest: &ReleaseManifest, out: &Path) -> String {
    let totals = manifest.totals();
    let mut text = format!(
        "Release {} of project {}: {} instances of {} patients, {}, in {}",
        manifest.release(),
        manifest.project(),
        totals.instances,
        totals.patients,
        bytes(totals.bytes),
        out.display()
    );
    for left in manifest.left_out() {
        text += &format!("\n  left out: {} x {}", left.instances, left.reason);
    }
    if manifest.of_other_profiles() > 0 {
        text += &format!(
            "\n{} instances were made with another profile than the project has today ({}): \
             `scanveil batch run` makes them again, `--only-current-profile` leaves them out.",
            manifest.of_other_profiles(),
            manifest.profile()
        );
    }
    text + "\nStart with DATASHEET.md; check the copy with `scanveil release verify DIR`."
}
