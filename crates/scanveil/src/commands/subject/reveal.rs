//! `scanveil subject reveal`: tells who asked who it is.

use super::desk::{Desk, Recorded, read_token};
use crate::cli::SubjectRevealArgs;
use crate::output::{Failure, Output, io_failure};
use scanveil_durable::{sync_file, sync_parent};
use scanveil_govern::{Action, Actor, EscrowRequest, Event, GovernError, Outcome, Target, Token};
use scanveil_pipeline::{FoundSubject, Sought, SubjectSearch, find_subjects, now_ms};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

pub(super) fn run(args: &SubjectRevealArgs, output: &Output) -> Result<(), Failure> {
    let desk = Desk::open(&args.step.config)?;
    let token = read_token(args.step.token_file.as_deref());
    let event = Event {
        request: Some(args.step.request.clone()),
        ..Event::new(now_ms(), Actor::person(&args.step.by), Action::SUBJECT_REVEAL, Outcome::Begun)
    };
    let patients = desk.step(
        event,
        Recorded::Around,
        |event| {
            let request = desk.load(&args.step.request)?;
            desk.describe(event, request.ask())?;
            let token = token?;
            allowed(&desk, &request, args, &token)?;
            Ok((request, token))
        },
        |(request, token), event| {
            let found = find(&desk, &request)?;
            event.reference = found.first().map(|one| one.subject.0);
            // The search took its time: somebody may have been taken out, or told meanwhile.
            let lock = desk.office.lock()?;
            let mut request = desk.load(&args.step.request)?;
            allowed(&desk, &request, args, &token)?;
            write(&args.out, &request, &found)
                .map_err(|error| io_failure(&args.out.display().to_string(), &error))?;
            request.revealed(now_ms());
            desk.save(&lock, &request)?;
            Ok(found.len())
        },
    )?;
    let result = serde_json::json!({ "request": args.step.request, "patients": patients });
    output.result(&result, || {
        format!(
            "Request {} is answered, in {} (mode 0600). Remove the file when it has served its \
             purpose.",
            args.step.request,
            args.out.display()
        )
    });
    Ok(())
}

fn allowed(
    desk: &Desk,
    request: &EscrowRequest,
    args: &SubjectRevealArgs,
    token: &Token,
) -> Result<(), Failure> {
    Ok(request.may_reveal(&desk.office.approvers()?, &args.step.by, token, now_ms())?)
}

fn find(desk: &Desk, request: &EscrowRequest) -> Result<BTreeSet<FoundSubject>, Failure> {
    let ask = request.ask();
    let sought = match &ask.target {
        Target::Pseudonym(text) => Sought::Pseudonym(text),
        Target::Uid(uid) => Sought::Uid(uid),
    };
    let SubjectSearch { found, copies, not_recomputed, .. } =
        find_subjects(&desk.site, &ask.hospital, &ask.project, sought)?;
    if !found.is_empty() {
        return Ok(found);
    }
    Err(match (copies, not_recomputed) {
        (0, _) => GovernError::NotFound,
        (_, 0) => GovernError::NoOriginal,
        _ => GovernError::NotRecomputed,
    }
    .into())
}

const COLUMNS: [&str; 6] =
    ["pseudonym", "patient_id", "issuer", "hospital", "project", "secret_version"];

/// Writes the answer into a file that is not there yet, for its owner's eyes.
fn write(path: &Path, request: &EscrowRequest, found: &BTreeSet<FoundSubject>) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut rows = csv::Writer::from_writer(file);
    rows.write_record(COLUMNS)?;
    for one in found {
        rows.write_record([
            &one.pseudonym,
            &one.patient_id,
            &one.issuer,
            &request.ask().hospital.to_string(),
            &request.ask().project.to_string(),
            &one.secret_version.to_string(),
        ])?;
    }
    let file = rows.into_inner().map_err(csv::IntoInnerError::into_error)?;
    sync_file(&file)?;
    sync_parent(path)
}
