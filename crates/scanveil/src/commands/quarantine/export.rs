//! `scanveil quarantine export`: identified bytes, for somebody who has to look at them.

use super::super::subject::desk::{Desk, Recorded, read_token};
use super::{one, short};
use crate::cli::{QuarantineExportArgs, SignArgs};
use crate::output::{Failure, Output, io_failure};
use scanveil_govern::{Action, Actor, Event, Outcome, PersonName, Reason, Token};
use scanveil_pipeline::{HeldInstance, now_ms, read_first, read_held};
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Who does something, proven when it is recorded.
pub(super) struct Signer {
    pub(super) by: PersonName,
    pub(super) reason: Reason,
    pub(super) token: Token,
}

impl Signer {
    pub(super) fn read(args: &SignArgs) -> Result<Self, Failure> {
        // Asked for by the command line, unless nothing is done.
        let missing = || {
            Failure::new(
                "SV-CLI-060",
                "--as and --reason are missing",
                "say who you are and why: it is recorded",
            )
        };
        let by = args.by.clone().ok_or_else(missing)?;
        let reason = args.reason.clone().ok_or_else(missing)?;
        let token = read_token(args.token_file.as_deref())?;
        Ok(Self { by, reason, token })
    }
}

pub(super) fn run(args: &QuarantineExportArgs, output: &Output) -> Result<(), Failure> {
    let desk = Desk::open(&args.config)?;
    let mut held = Vec::new();
    for id in &args.ids {
        held.push(one(&desk.site, id)?);
    }
    if args.sign.dry_run {
        output.result(&held, || format!("{} instances would be written.", held.len()));
        return Ok(());
    }
    let signer = Signer::read(&args.sign)?;
    folder(&args.out).map_err(|error| io_failure(&args.out.display().to_string(), &error))?;
    let mut written = Vec::new();
    for one in &held {
        written.extend(export(&desk, one, &signer, args)?);
    }
    let names: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    output.result(&serde_json::json!({ "written": names }), || {
        format!(
            "{}\nThese files identify their patients (mode 0600). Remove them when they have \
             served their purpose.",
            names.join("\n")
        )
    });
    Ok(())
}

fn folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

/// Records that one instance is taken out, and writes it.
fn export(
    desk: &Desk,
    one: &HeldInstance,
    signer: &Signer,
    args: &QuarantineExportArgs,
) -> Result<Vec<PathBuf>, Failure> {
    let event = Event {
        hospital: Some(one.hospital.clone()),
        record: Some(one.id),
        ..Event::new(now_ms(), Actor::person(&signer.by), Action::QUARANTINE_EXPORT, Outcome::Begun)
    };
    desk.step(
        event,
        Recorded::Around,
        |event| {
            desk.office.approvers()?.prove(&signer.by, &signer.token)?;
            event.request = Some(desk.keep_reason(&one.hospital, &signer.by, &signer.reason)?);
            Ok(())
        },
        |(), _| {
            let first = args.out.join(format!("{}.dcm", short(one)));
            write(&first, |out| Ok(read_held(&desk.site, one, out).map(|()| true)?))?;
            let mut written = vec![first];
            if args.with_first {
                let other = args.out.join(format!("{}.first.dcm", short(one)));
                let found = write(&other, |out| Ok(read_first(&desk.site, one, out)?))?;
                written.extend(found.then_some(other));
            }
            Ok(written)
        },
    )
}

/// Writes a new file; nothing stays of it when there is nothing to write.
fn write(
    path: &Path,
    fill: impl FnOnce(&mut dyn io::Write) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let failed = |error: io::Error| io_failure(&path.display().to_string(), &error);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(failed)?;
    let filled = fill(&mut file).and_then(|filled| {
        scanveil_durable::sync_file(&file).map_err(failed)?;
        Ok(filled)
    });
    if !matches!(filled, Ok(true)) {
        std::fs::remove_file(path).map_err(failed)?;
    }
    filled
}
