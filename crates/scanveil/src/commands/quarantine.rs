//! `scanveil quarantine`: what is held and why, and what people decide about it.

mod decide;
mod export;

use crate::cli::{HeldArgs, QuarantineCommand, QuarantineListArgs};
use crate::output::{Failure, Output, bytes, table, time};
use scanveil_model::Decision;
use scanveil_pipeline::{
    HeldFilter, HeldGroup, HeldInstance, Site, groups, held_instances, now_ms,
};
use scanveil_scrub::SopClass;
use std::fmt::Write;
use std::process::ExitCode;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Rows that a table for people has at most.
const SHOWN: usize = 200;

pub(crate) fn run(command: &QuarantineCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        QuarantineCommand::List(args) => list(args, output)?,
        QuarantineCommand::Show { config, id } => {
            show(&one(&*super::site(config)?, id)?, output);
        }
        QuarantineCommand::Export(args) => export::run(args, output)?,
        QuarantineCommand::Decide(args) => return decide::run(args, output),
    }
    Ok(ExitCode::SUCCESS)
}

/// What the options mean.
fn filter(args: &HeldArgs, ids: &[String]) -> HeldFilter {
    HeldFilter {
        hospital: args.hospital.clone(),
        study: None,
        code: args.code,
        sender: args.sender.clone(),
        group: args.group.clone(),
        before_ms: args.older_than.map(|days| now_ms() - i64::from(days) * DAY_MS),
        ids: ids.to_vec(),
    }
}

/// The instance of this identifier.
fn one(site: &Site, id: &str) -> Result<HeldInstance, Failure> {
    let filter = HeldFilter { ids: vec![id.to_owned()], ..HeldFilter::default() };
    let found = held_instances(site, &filter)?.pop();
    let unknown = || scanveil_pipeline::QuarantineError::Unknown(id.to_owned());
    Ok(found.ok_or_else(unknown)?)
}

fn list(args: &QuarantineListArgs, output: &Output) -> Result<(), Failure> {
    let site = super::site(&args.config)?;
    let held = held_instances(&site, &filter(&args.held, &[]))?;
    if args.each {
        output.result(&held, || instances_text(&held));
    } else {
        let groups = groups(&held);
        output.result(&groups, || groups_text(&groups));
    }
    Ok(())
}

/// How long ago, in days or hours.
fn age(at_ms: i64) -> String {
    let hours = (now_ms() - at_ms).max(0) / 3_600_000;
    if hours < 48 { format!("{hours} h") } else { format!("{} days", hours / 24) }
}

/// The object definition of a SOP class; the UID of one that is not of the standard is not shown.
fn kind(uid: Option<&str>) -> String {
    let found = uid.and_then(SopClass::find);
    found.map_or("-".to_owned(), |class| class.iod.to_owned())
}

fn groups_text(groups: &[HeldGroup]) -> String {
    if groups.is_empty() {
        return "Nothing is held.".to_owned();
    }
    let columns =
        ["group", "hospital", "reason", "at", "detail", "sender", "kind", "instances", "oldest"];
    let mut table = table(&columns);
    for group in groups.iter().take(SHOWN) {
        table.add_row([
            group.group.clone(),
            group.hospital.to_string(),
            group.code.to_string(),
            group.at.clone().unwrap_or_default(),
            group.detail.clone(),
            group.sender.clone().unwrap_or_default(),
            kind(group.sop_class.as_deref()),
            group.instances.to_string(),
            age(group.oldest_ms),
        ]);
    }
    let more = groups.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n... and {more} more groups") } else { String::new() };
    let total: u64 = groups.iter().map(|group| group.instances).sum();
    format!(
        "{table}{more}\n{total} instances are held. Each: the same command with --each. What ends \
         a reason: scanveil quarantine show ID"
    )
}

fn instances_text(held: &[HeldInstance]) -> String {
    if held.is_empty() {
        return "Nothing is held.".to_owned();
    }
    let mut table =
        table(&["instance", "group", "hospital", "reasons", "sender", "received", "kept until"]);
    for one in held.iter().take(SHOWN) {
        table.add_row([
            short(one),
            one.group.clone(),
            one.hospital.to_string(),
            codes(one).join(", "),
            one.sender.clone().unwrap_or_default(),
            time(one.received_at_ms),
            one.kept_until.clone(),
        ]);
    }
    let more = held.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n... and {more} more") } else { String::new() };
    format!("{table}{more}")
}

/// The first digits of an instance's identifier, as people type them.
fn short(one: &HeldInstance) -> String {
    one.id.to_string().chars().take(16).collect()
}

fn codes(one: &HeldInstance) -> Vec<String> {
    let mut codes: Vec<String> = one.reasons.iter().map(|reason| reason.code.to_string()).collect();
    codes.dedup();
    codes
}

/// The decisions that end every reason of an instance.
fn decisions(one: &HeldInstance) -> Vec<Decision> {
    let ends = |decision: &Decision| one.reasons.iter().all(|reason| decision.ends(reason.code));
    Decision::ALL.iter().copied().filter(ends).collect()
}

fn show(one: &HeldInstance, output: &Output) {
    let mut value = serde_json::to_value(one).unwrap_or_default();
    value["decisions"] = serde_json::to_value(decisions(one)).unwrap_or_default();
    output.result(&value, || {
        let mut text = format!(
            "instance    {}\ngroup       {}\nhospital    {}\nstudy       {}\nreceived    {} ({} \
             ago)\nkept until  {}\nsender      {}\nkind        {}\nsize        {}\n",
            one.id,
            one.group,
            one.hospital,
            one.study,
            time(one.received_at_ms),
            age(one.received_at_ms),
            one.kept_until,
            one.sender.as_deref().unwrap_or("-"),
            kind(one.sop_class.as_deref()),
            bytes(one.bytes),
        );
        // Writing to a String cannot fail.
        for reason in &one.reasons {
            let at = reason.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
            let _ = write!(
                text,
                "\nheld for    {}{at}: {}\n            {}",
                reason.code,
                reason.detail,
                reason.code.next_step()
            );
        }
        if let Some(code) = one.unreadable {
            let _ = write!(text, "\nits object cannot be opened: {code}");
        }
        let words: Vec<&str> = decisions(one).iter().map(|one| one.as_str()).collect();
        let _ = write!(
            text,
            "\n\nTo look at it: scanveil quarantine export {id} --out DIR --as NAME --reason TEXT\n\
             To decide: scanveil quarantine decide {words} {id} --as NAME --reason TEXT",
            id = short(one),
            words = words.join("|"),
        );
        text
    });
}
