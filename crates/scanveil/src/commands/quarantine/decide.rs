//! `scanveil quarantine decide`: planned, signed, recorded, then carried out study by study.

use super::super::subject::desk::{Desk, Recorded};
use super::export::Signer;
use super::{filter, one, short};
use crate::cli::QuarantineDecideArgs;
use crate::exit::ATTENTION;
use crate::output::{Failure, Output, io_failure, table};
use scanveil_catalog::RecordId;
use scanveil_govern::{Action, Actor, Event, Outcome};
use scanveil_model::{Decision, Digest, Hex};
use scanveil_pipeline::{
    DecisionPlan, DecisionRecord, DecisionResult, OsEntropy, PlannedStudy, RecordedInstance,
    SignedRecord, carry_out, held_instances, now_ms, plan_decision,
};
use scanveil_seal::Entropy;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;

/// Instances that a plan names one by one.
const SHOWN: usize = 20;

pub(super) fn run(args: &QuarantineDecideArgs, output: &Output) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&args.config)?;
    let plan = plan(&desk, args)?;
    if args.sign.dry_run {
        output.result(&plan, || plan_text(&plan));
        return Ok(ending(&plan, &DecisionResult::default()));
    }
    if args.ids.is_empty() && args.plan.as_deref() != Some(plan.plan.as_str()) {
        return Err(Failure::new(
            "SV-CLI-061",
            "without instances a plan is needed, the one of what is held now",
            "run the same command with --dry-run, look at the plan, and give it with --plan",
        ));
    }
    let signer = Signer::read(&args.sign)?;
    let mut certificate = certificate(args)?;
    let mut result = DecisionResult::default();
    let mut records = Vec::new();
    for study in &plan.studies {
        let (signed, digest, made) = decide(&desk, &plan, study, &signer)?;
        result.add(&made);
        records.push(serde_json::json!({
            "record": signed.record, "signature": signed.signature, "digest": digest,
        }));
    }
    if let Some(file) = &mut certificate {
        let text =
            serde_json::json!({ "format": 1, "decision": plan.decision, "records": records });
        let written = serde_json::to_writer_pretty(&mut *file, &text).map_err(Into::into);
        let written = written
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| scanveil_durable::sync_file(file));
        written.map_err(|error| io_failure("the certificate", &error))?;
    }
    let value = serde_json::json!({
        "decision": plan.decision, "instances": plan.instances(), "result": result,
        "refused": plan.refused,
    });
    output.result(&value, || result_text(&plan, &result, args));
    Ok(ending(&plan, &result))
}

/// Something needs a look where something is still held, or cannot be decided like this.
fn ending(plan: &DecisionPlan, result: &DecisionResult) -> ExitCode {
    let left = !plan.refused.is_empty() || !result.held.is_empty();
    if left { ExitCode::from(ATTENTION) } else { ExitCode::SUCCESS }
}

fn plan(desk: &Desk, args: &QuarantineDecideArgs) -> Result<DecisionPlan, Failure> {
    let into = args.into.as_deref().map(|id| one(&desk.site, id)).transpose()?;
    let held = held_instances(&desk.site, &filter(&args.held, &args.ids))?;
    let into = into.map(|one| one.id);
    let one_by_one = !args.ids.is_empty();
    Ok(plan_decision(&desk.site, args.decision, held, into, one_by_one)?)
}

/// The certificate's file, made before anything is discarded.
fn certificate(args: &QuarantineDecideArgs) -> Result<Option<File>, Failure> {
    let Some(path) = &args.certificate else {
        if args.decision == Decision::Discard {
            return Err(Failure::new(
                "SV-CLI-062",
                "discard needs --certificate",
                "name a new file: who discarded what, when and why is written into it",
            ));
        }
        return Ok(None);
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map(Some).map_err(|error| io_failure(&path.display().to_string(), &error))
}

/// Signs and records the decision about one study, and carries it out.
fn decide(
    desk: &Desk,
    plan: &DecisionPlan,
    study: &PlannedStudy,
    signer: &Signer,
) -> Result<(SignedRecord, Digest, DecisionResult), Failure> {
    let record = record(plan.decision, study, signer)?;
    let event = Event {
        hospital: Some(study.hospital.clone()),
        ..Event::new(
            record.decided_at_ms,
            Actor::person(&signer.by),
            Action::quarantine(plan.decision),
            Outcome::Begun,
        )
    };
    desk.step(
        event,
        Recorded::Around,
        |event| {
            let people = desk.office.approvers()?;
            let sign = |bytes: &[u8]| people.sign_record(&signer.by, &signer.token, bytes);
            let signed = SignedRecord::sign(&record, sign)?;
            event.record = Some(signed.digest());
            Ok(signed)
        },
        |signed, _| {
            let made = carry_out(&desk.site, &signed)?;
            let digest = signed.digest();
            Ok((signed, digest, made))
        },
    )
}

fn record(
    decision: Decision,
    study: &PlannedStudy,
    signer: &Signer,
) -> Result<DecisionRecord, Failure> {
    let mut id = [0; 8];
    OsEntropy.fill(&mut id);
    let instances = study.instances.iter().map(|one| {
        let ended = one.reasons.iter();
        let mut objects: Vec<_> = ended.clone().map(|reason| reason.object).collect();
        objects.sort_unstable();
        objects.dedup();
        RecordedInstance {
            source: one.id,
            objects,
            codes: ended.map(|reason| reason.code).collect(),
            sop_key: one.sop_key(),
            content: one.content(),
            other: study.other.get(&one.id).copied(),
            bytes: one.bytes,
        }
    });
    Ok(DecisionRecord {
        format: DecisionRecord::FORMAT,
        id: RecordId::parse(&Hex::encode(&id))?,
        hospital: study.hospital.clone(),
        study: study.study,
        decision,
        by: signer.by.to_string(),
        reason: signer.reason.as_str().to_owned(),
        decided_at_ms: now_ms(),
        instances: instances.collect(),
    })
}

fn plan_text(plan: &DecisionPlan) -> String {
    let mut decided = table(&["instance", "hospital", "reason", "sender"]);
    let each = plan.studies.iter().flat_map(|study| &study.instances);
    for one in each.take(SHOWN) {
        decided.add_row([
            short(one),
            one.hospital.to_string(),
            super::codes(one).join(", "),
            one.sender.clone().unwrap_or_default(),
        ]);
    }
    let more = plan.instances().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n... and {more} more") } else { String::new() };
    format!(
        "`{}` for {} instances of {} studies:\n{decided}{more}{}\nNothing was changed. To do it: \
         the same command with --plan {} instead of --dry-run, and --as and --reason.",
        plan.decision,
        plan.instances(),
        plan.studies.len(),
        refused_text(plan),
        plan.plan,
    )
}

fn refused_text(plan: &DecisionPlan) -> String {
    let mut by_why: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for refused in &plan.refused {
        *by_why.entry(&refused.why).or_default() += 1;
    }
    let lines = by_why.iter().map(|(why, count)| format!("\n{count} left out: {why}"));
    lines.collect()
}

fn result_text(
    plan: &DecisionPlan,
    result: &DecisionResult,
    args: &QuarantineDecideArgs,
) -> String {
    let mut text = format!("`{}` for {} instances.", plan.decision, plan.instances());
    for (count, what) in [
        (result.clean, "came through and are in the newest generation"),
        (result.closed, "stay where they are; nobody waits for them any more"),
        (result.discarded, "are gone from quarantine and from the originals"),
    ] {
        if count > 0 {
            text += &format!("\n{count} {what}.");
        }
    }
    for (code, count) in &result.held {
        text += &format!("\n{count} are still held: {code}. {}.", code.next_step());
    }
    if let Some(path) = &args.certificate {
        text += &format!("\nCertificate: {} (mode 0600)", path.display());
    }
    text + &refused_text(plan)
}
