//! `scanveil demo`: the whole flow on invented studies of two invented hospitals, through the real
//! receivers, and a search for what was planted in them.

mod account;
mod place;
mod report;
mod search;
mod send;
mod settle;
mod times;

use crate::cli::DemoArgs;
use crate::commands::serve::{Service, Signals};
use crate::output::{Failure, Output, bytes, log_into};
use account::{Account, account};
use indicatif::ProgressBar;
use place::Place;
use report::{Hospital, Release, Report, Stage};
use scanveil_catalog::{RecordId, Stage as Counted};
use scanveil_model::ProjectName;
use scanveil_pipeline::{Config, ENGINE, ReleaseRules, Site, now_ms};
use scanveil_release::{
    ReleaseFilter, ReleaseManifest, ReleaseMode, ReleaseRequest, ReleaseSources, Unreadable,
    VerifyReport, create, verify,
};
use scanveil_server::Metrics;
use search::{Hunters, Search};
use send::{Line, Push, Studies, bar, defect};
use settle::{counter, settle};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;
use times::{StudyTimes, study_times};

/// The project that the release is made for.
const PROJECT: &str = "research";

pub(crate) fn run(args: &DemoArgs, output: &Output) -> Result<ExitCode, Failure> {
    let place = Place::take(args.dir.as_deref())?;
    log_into(&place.log())?;
    output.say(&format!("The demonstration's folder is {}", place.dir.display()));
    output.say("  scanveil.toml  two invented hospitals with different policies");
    output.say("  service.log    what the service logs");
    output.say("  data           keys, spool, object store, catalogue");
    let service = Service::start(Config::load(&place.config())?, Metrics::install()?)?;
    output.say(&format!("The service runs; its page is {}", service.page_url()));
    let report = flow(args, output, &place, &service);
    let report = match report {
        Ok(report) => report,
        Err(failure) => {
            service.stop();
            return Err(failure);
        }
    };
    output.result(&report, || report.text());
    if !args.exit {
        // From here on Ctrl-C means an orderly stop.
        let signals = Signals::new()?;
        output.say(&what_next(&place, &report));
        signals.wait();
        output.say("\nStopping.");
    }
    service.stop();
    Ok(if report.held { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Pushes, waits, releases, checks.
fn flow(
    args: &DemoArgs,
    output: &Output,
    place: &Place,
    service: &Service,
) -> Result<Report, Failure> {
    let site = &service.site;
    let studies = Studies::new(args.seed, args.slices);
    let mut planted = BTreeSet::new();
    let progress = bar(output, studies.len(), "pushing");
    let lines = [Line::c_store(service)?, Line::stow_rs(service, place)?];
    let mut pushes = Vec::new();
    let mut full_spool = None;
    for (number, line) in lines.iter().enumerate() {
        let push = studies.push(number, line, &mut planted, &progress)?;
        if full_spool.is_none() {
            full_spool = Some(Hunters::new(&planted)?.full_spool(place)?);
        }
        progress.suspend(|| output.say(&pushed(&push)));
        pushes.push(push);
    }
    progress.finish_and_clear();

    output.say("Waiting for the pipeline: study by study it scrubs, seals, stores, catalogues.");
    settle(site, &pushes, &place.log(), &bar(output, 0, "pipeline"))?;

    output.say("Making a release for project research, and verifying it.");
    let (manifest, verified, mut last_stages) = release(output, place, site)?;
    let account = account(site, &pushes, &manifest)?;

    output.say("Searching everything for the planted identifiers.");
    let spinner = if output.draws() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let hunters = Hunters::new(&planted)?;
    let samples: Vec<&[u8]> =
        pushes.iter().flat_map(|push| &push.samples).map(Vec::as_slice).collect();
    let search = hunters.everything(place, full_spool, &samples, &spinner)?;

    let times = study_times(&place.log())?;
    let mut stages = stages(&pushes, &times);
    stages.append(&mut last_stages);
    let failures = failures(&account, &search, &verified);
    Ok(Report {
        held: failures.is_empty(),
        failures,
        dir: place.dir.clone(),
        seed: args.seed,
        page: service.page_url(),
        http: service.http_addr(),
        dimse: service.dimse_addr(),
        hospitals: hospitals(site, &pushes, &account, &times)?,
        stages,
        account,
        release: Release {
            id: manifest.release().to_string(),
            path: place.release(),
            totals: *manifest.totals(),
            files_verified: verified.files,
            problems: verified.problems.len(),
        },
        search,
    })
}

fn pushed(push: &Push) -> String {
    format!(
        "{} pushed {} studies, {} instances, {} by {}, and {} of them a second time.",
        push.hospital,
        push.studies,
        push.sent.len(),
        bytes(push.bytes),
        push.way.name(),
        push.repeated,
    )
}

/// Makes and verifies the release; the stages say how long that took.
fn release(
    output: &Output,
    place: &Place,
    site: &Site,
) -> Result<(ReleaseManifest, VerifyReport, Vec<Stage>), Failure> {
    let project = ProjectName::parse(PROJECT).map_err(|error| defect(&error.to_string()))?;
    let now = now_ms();
    let rules = ReleaseRules::of(site, &project)?;
    let request = ReleaseRequest {
        release: RecordId::parse(&format!("{project}-{}", now / 1000))?,
        project,
        out: place.release(),
        mode: ReleaseMode::New,
        admitted: rules.admitted,
        configured: rules.configured,
        profile: rules.profile,
        only_profile: false,
        filter: ReleaseFilter::default(),
        unreadable: Unreadable::Fail,
        created_at_ms: now,
        engine: ENGINE.to_owned(),
        jobs: site.config().pipeline.jobs,
        citation: None,
        contact: None,
    };
    let progress = bar(output, 0, "release");
    let keys = site.keyring().research_keys();
    let begun = Instant::now();
    let sources = ReleaseSources {
        catalog: site.catalog(),
        store: site.store(),
        keys: &*keys,
        under_way: &|| site.under_way(),
    };
    let manifest = create(&request, &sources, &|now| {
        progress.set_length(now.instances_total);
        progress.set_position(now.instances);
    })?;
    progress.finish_and_clear();
    let made = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let verified = verify(&place.release())?;
    let totals = manifest.totals();
    let stage = |stage: &str, bytes, seconds| Stage {
        stage: stage.to_owned(),
        hospital: None,
        instances: totals.instances,
        bytes,
        seconds,
    };
    let stages = vec![
        stage("release", totals.bytes, made),
        stage("verification", verified.bytes, begun.elapsed().as_secs_f64()),
    ];
    Ok((manifest, verified, stages))
}

fn stages(pushes: &[Push], times: &StudyTimes) -> Vec<Stage> {
    let stage = |push: &Push, stage: String, seconds| Stage {
        stage,
        hospital: Some(push.hospital.clone()),
        instances: push.acknowledged(),
        bytes: push.acknowledged_bytes(),
        seconds,
    };
    let received = pushes
        .iter()
        .map(|push| stage(push, format!("{} until durable", push.way.name()), push.seconds));
    let worked = pushes
        .iter()
        .map(|push| stage(push, "scrub to catalogue".to_owned(), times.seconds(&push.hospital)));
    received.chain(worked).collect()
}

fn hospitals(
    site: &Site,
    pushes: &[Push],
    account: &Account,
    times: &StudyTimes,
) -> Result<Vec<Hospital>, Failure> {
    let mut rows = Vec::new();
    for (push, own) in pushes.iter().zip(&account.hospitals) {
        let total = |stage| counter(site.catalog(), &push.hospital, stage);
        let config = site.config();
        let policy = config.hospital(&push.hospital)?;
        rows.push(Hospital {
            hospital: push.hospital.clone(),
            keep_originals: policy.keep_originals,
            retention_class: policy.retention.class.clone(),
            retention_years: policy.retention.years,
            region: policy.region.clone(),
            way: push.way.name(),
            studies: push.studies,
            received: total(Counted::Received)?,
            duplicates: total(Counted::Duplicate)?,
            scrubbed: own.clean,
            quarantined: own.quarantined,
            originals: own.originals,
            objects: total(Counted::Stored)?,
            stored_bytes: total(Counted::StoredBytes)?,
            seconds: times.seconds(&push.hospital),
        });
    }
    Ok(rows)
}

fn failures(account: &Account, search: &Search, verified: &VerifyReport) -> Vec<String> {
    let mut failures = account.failures();
    if search.hits() > 0 {
        failures.push(format!("planted identifiers were found in {} places", search.hits()));
    }
    if search.control.files == 0 || search.control.blind > 0 {
        failures.push("the search is blind: it does not find what was planted".to_owned());
    }
    if !verified.is_whole() {
        let count = verified.problems.len();
        failures.push(format!("{count} files of the release are not as its manifest says"));
    }
    failures
}

/// What a person could try while the service runs.
fn what_next(place: &Place, report: &Report) -> String {
    let [keeper, _] = scanveil_synth::HOSPITALS;
    let config = place.config().display().to_string();
    let program = std::env::args().next().unwrap_or_else(|| "scanveil".to_owned());
    let c_store = report.dimse.map_or_else(String::new, |address| {
        let (calling, called) = (keeper.calling_ae, keeper.called_ae);
        let (host, port) = (address.ip(), address.port());
        format!("storescu -aet {calling} -aec {called} {host} {port} +sd ct")
    });
    format!(
        "\nThe service is still running: {page}\nIn another terminal you could try:\n\
         \n# make some files, and push them by C-STORE\n\
         {program} synth ct --out ct --count 20 --seed 7\n\
         {c_store}\n\
         \n# push one of them by STOW-RS\n\
         curl -H 'Content-Type: application/dicom' --data-binary @ct/ct-00001.dcm \\\n  \
         -H 'Authorization: Bearer {token}' \\\n  \
         http://{http}/studies\n\
         \n# see what became of them\n\
         {program} hospital list --config {config}\n\
         \n# read about the release, and load one of its files\n\
         less {release}/DATASHEET.md\n\
         python3 -c \"import pathlib, pydicom\n\
         print(pydicom.dcmread(next(pathlib.Path('{release}').rglob('*.dcm'))))\"\n\
         \nCtrl-C stops it. Everything lies in {dir}: remove it when you are done.",
        page = report.page,
        token = place.token,
        http = report.http,
        release = place.release().display(),
        dir = place.dir.display(),
    )
}
