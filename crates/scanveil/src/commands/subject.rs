//! `scanveil subject`: asks for the patient behind a pseudonym, approves it, and tells it to who
//! asked. Every step and every refusal is an event of the audit log.

pub(super) mod desk;
mod reveal;

use crate::cli::{ApproverCommand, SubjectCommand, SubjectRequestArgs, SubjectStepArgs};
use crate::output::{Failure, Output, table, time};
use desk::{Desk, Recorded, read_token};
use scanveil_govern::{
    APPROVALS, Action, Actor, Approval, Approver, Approvers, Ask, EscrowRequest, Event,
    GovernError, Outcome, PersonName, RequestId, Target, Token,
};
use scanveil_model::{HospitalId, ProjectName};
use scanveil_pipeline::{Config, OsEntropy, now_ms};
use scanveil_seal::Entropy;
use std::process::ExitCode;

const DAY_MS: i64 = 86_400_000;

pub(crate) fn run(command: &SubjectCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        SubjectCommand::Request(args) => request(args, output)?,
        SubjectCommand::Approve(args) => approve(args, output)?,
        SubjectCommand::Reveal(args) => reveal::run(args, output)?,
        SubjectCommand::List(arg) => list(&Desk::open(arg)?, output)?,
        SubjectCommand::Approver(command) => approver(command, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn random(bytes: &mut [u8]) {
    OsEntropy.fill(bytes);
}

/// The hospital that is meant: the named one, or the only one that the project takes.
fn hospital_of(
    config: &Config,
    project: &ProjectName,
    named: Option<&HospitalId>,
) -> Result<HospitalId, Failure> {
    let project = config.project(project)?;
    let taken: Vec<&HospitalId> =
        config.hospitals.iter().map(|one| &one.id).filter(|id| project.takes(id)).collect();
    match (named, taken.as_slice()) {
        (Some(named), _) if taken.contains(&named) => Ok(named.clone()),
        (None, [only]) => Ok((*only).clone()),
        _ => {
            let taken: Vec<&str> = taken.iter().map(|id| id.as_str()).collect();
            Err(Failure::new(
                "SV-CLI-030",
                format!("project {} takes these hospitals: {}", project.name, taken.join(", ")),
                "say with --hospital which one's patient it is",
            ))
        }
    }
}

fn request(args: &SubjectRequestArgs, output: &Output) -> Result<(), Failure> {
    let desk = Desk::open(&args.config)?;
    let hospital = hospital_of(&desk.site.config(), &args.project, args.hospital.as_ref())?;
    let target = match (&args.pseudonym, &args.uid) {
        (Some(pseudonym), _) => Target::pseudonym(pseudonym)?,
        (None, uid) => Target::uid(uid.as_deref().unwrap_or_default())?,
    };
    let (now, id) = (now_ms(), RequestId::generate(&random));
    let ask = Ask {
        id: id.clone(),
        hospital: hospital.clone(),
        project: args.project.clone(),
        target,
        by: args.by.clone(),
        reason: args.reason.clone(),
        asked_at_ms: now,
        expires_at_ms: now + i64::from(args.days) * DAY_MS,
    };
    let event = Event {
        hospital: Some(hospital),
        project: Some(args.project.clone()),
        request: Some(id.clone()),
        ..Event::new(now, Actor::person(&args.by), Action::SUBJECT_REQUEST, Outcome::Done)
    };
    let expires = ask.expires_at_ms;
    let lock = desk.office.lock()?;
    desk.step(
        event,
        Recorded::Before,
        |event| {
            desk.office.approvers()?.find(&args.by)?;
            event.reference = Some(desk.reference(&ask)?);
            Ok(EscrowRequest::new(ask))
        },
        |request, _| desk.save(&lock, &request),
    )?;
    output.result(&serde_json::json!({ "request": id, "expires_at_ms": expires }), || {
        format!(
            "Request {id}. It needs the approval of {APPROVALS} others until {}:\n  \
             scanveil subject approve {id} --as NAME --token-file FILE",
            time(expires)
        )
    });
    Ok(())
}

fn approve(args: &SubjectStepArgs, output: &Output) -> Result<(), Failure> {
    let desk = Desk::open(&args.config)?;
    let token = read_token(args.token_file.as_deref());
    let now = now_ms();
    let event = Event {
        request: Some(args.request.clone()),
        ..Event::new(now, Actor::person(&args.by), Action::SUBJECT_APPROVE, Outcome::Done)
    };
    let lock = desk.office.lock()?;
    let request = desk.step(
        event,
        Recorded::Before,
        |event| {
            let mut request = desk.load(&args.request)?;
            desk.describe(event, request.ask())?;
            request.approve(&desk.office.approvers()?, &args.by, &token?, now)?;
            Ok(request)
        },
        |request, _| {
            desk.save(&lock, &request)?;
            Ok(request)
        },
    )?;
    let state = request.state(&desk.office.approvers()?, now);
    let row = row(&request, state.as_str());
    output.result(&row, || {
        let ask = request.ask();
        format!(
            "{} has approved request {}: {} asks who {} is in project {} of hospital {}, because: \
             {}\nIt is {}.",
            args.by,
            ask.id,
            ask.by,
            ask.target.as_str(),
            ask.project,
            ask.hospital,
            ask.reason.as_str(),
            state.as_str()
        )
    });
    Ok(())
}

/// A request as programs read it.
fn row(request: &EscrowRequest, state: &str) -> serde_json::Value {
    let ask = request.ask();
    let by: Vec<&PersonName> = request.approvals().iter().map(|one: &Approval| &one.by).collect();
    serde_json::json!({
        "request": ask.id, "state": state, "hospital": ask.hospital, "project": ask.project,
        "target": ask.target.as_str(), "by": ask.by, "reason": ask.reason.as_str(),
        "asked_at_ms": ask.asked_at_ms, "expires_at_ms": ask.expires_at_ms, "approved_by": by,
    })
}

fn list(desk: &Desk, output: &Output) -> Result<(), Failure> {
    let (approvers, now) = (desk.office.approvers()?, now_ms());
    let mut rows = Vec::new();
    for id in desk.office.requests()? {
        rows.push(match desk.load(&id) {
            Ok(request) => row(&request, request.state(&approvers, now).as_str()),
            // One that cannot be read does not hide the others.
            Err(failure) => serde_json::json!({ "request": id, "state": failure.0.code }),
        });
    }
    rows.sort_by_key(|row| row["asked_at_ms"].as_i64());
    output.result(&rows, || {
        let columns = ["request", "state", "hospital", "project", "by", "approved by", "expires"];
        let mut table = table(&columns);
        for row in &rows {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let by: Vec<&str> = row["approved_by"]
                .as_array()
                .map(|by| by.iter().filter_map(|name| name.as_str()).collect())
                .unwrap_or_default();
            let expires = row["expires_at_ms"].as_i64().map(time).unwrap_or_default();
            let [request, state, hospital, project, asked] =
                ["request", "state", "hospital", "project", "by"].map(text);
            table.add_row([request, state, hospital, project, asked, by.join(", "), expires]);
        }
        table.to_string()
    });
    Ok(())
}

fn approver(command: &ApproverCommand, output: &Output) -> Result<(), Failure> {
    match command {
        ApproverCommand::Add { config, name } => {
            let token = Token::generate(&random);
            change(&Desk::open(config)?, Action::APPROVER_ADD, name, |people, now| {
                people.add(name, &token, now)
            })?;
            let text = token.to_text();
            output.result(&serde_json::json!({ "name": name, "token": text.as_str() }), || {
                format!(
                    "token of {name}: {}\nIt is shown this once. {name} alone may have it, in a \
                     file of mode 0600; only an image of it is kept here.",
                    *text
                )
            });
        }
        ApproverCommand::Remove { config, name } => {
            change(&Desk::open(config)?, Action::APPROVER_REMOVE, name, |people, _| {
                people.remove(name)
            })?;
            output.result(&serde_json::json!({ "name": name }), || {
                format!("{name} is taken out: approvals given with that token count no more.")
            });
        }
        ApproverCommand::List(arg) => {
            let people = Desk::open(arg)?.office.approvers()?;
            let row = |one: &Approver| {
                let (name, added) = (one.name(), one.added_at_ms());
                serde_json::json!({ "name": name, "added_at_ms": added })
            };
            output.result(&people.people().iter().map(row).collect::<Vec<_>>(), || {
                let mut table = table(&["name", "added"]);
                for one in people.people() {
                    table.add_row([one.name().to_string(), time(one.added_at_ms())]);
                }
                table.to_string()
            });
        }
    }
    Ok(())
}

/// Changes who is registered.
fn change(
    desk: &Desk,
    action: Action,
    name: &PersonName,
    how: impl FnOnce(&mut Approvers, i64) -> Result<(), GovernError>,
) -> Result<(), Failure> {
    let now = now_ms();
    let event = Event {
        person: Some(name.clone()),
        ..Event::new(now, desk::user(), action, Outcome::Done)
    };
    let lock = desk.office.lock()?;
    desk.step(
        event,
        Recorded::Before,
        |_| {
            let mut people = desk.office.approvers()?;
            how(&mut people, now)?;
            Ok(people)
        },
        |people, _| Ok(desk.office.save_approvers(&lock, &people)?),
    )
}
