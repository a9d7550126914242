//! `scanveil study`: what became of a study that somebody sent.

use crate::cli::{StudyCommand, StudyStatusArgs};
use crate::output::{Failure, Output, table, time};
use scanveil_pipeline::{StudyQuestion, StudyStatus, study_status};
use std::fmt::Write;
use std::io::{self, BufRead, Read};
use std::process::ExitCode;

/// Studies that a text for people has at most.
const SHOWN: usize = 50;
/// Longest accession number that is read: SH has 16 characters, and some senders write more.
const MOST_READ: u64 = 1024;
/// The first digits of a study's hash, as people compare them.
const DIGITS: usize = 12;

pub(crate) fn run(command: &StudyCommand, output: &Output) -> Result<ExitCode, Failure> {
    let StudyCommand::Status(args) = command;
    let site = super::site(&args.config)?;
    let typed = args.accession.as_deref().map(accession).transpose()?;
    let found = study_status(&site, args.hospital.as_ref(), question(args, typed.as_deref()))?;
    if found.is_empty() {
        return Err(unknown());
    }
    output.result(&found, || text(&found));
    Ok(ExitCode::SUCCESS)
}

fn unknown() -> Failure {
    Failure::new(
        "SV-CLI-083",
        "nothing of such a study has been taken from the spool",
        "what has just arrived is taken up some time after its last instance (`pipeline.quiet_ms`): \
         ask again then, look at the status page for what waits, and compare the identifier with \
         what the sender's log says",
    )
}

/// What the arguments ask. One of the three is there.
fn question<'q>(args: &'q StudyStatusArgs, accession: Option<&'q str>) -> StudyQuestion<'q> {
    match (&args.uid, accession) {
        (Some(uid), _) => StudyQuestion::Uid(uid),
        (None, Some(number)) => StudyQuestion::Accession(number),
        (None, None) => StudyQuestion::Sender {
            name: args.sender.as_deref().unwrap_or_default(),
            from_ms: args.since.map_or(i64::MIN, |time| time.as_millisecond()),
            until_ms: args.until.map_or(i64::MAX, |time| time.as_millisecond()),
        },
    }
}

/// The accession number that was typed, or the first line of standard input.
fn accession(typed: &str) -> Result<String, Failure> {
    if typed != "-" {
        return Ok(typed.to_owned());
    }
    let mut line = String::new();
    let read = io::BufReader::new(io::stdin().lock().take(MOST_READ)).read_line(&mut line);
    match read {
        Ok(_) if !line.trim().is_empty() => Ok(line.trim().to_owned()),
        _ => Err(Failure::new(
            "SV-CLI-084",
            "standard input has no accession number",
            "write it as one line of UTF-8 text to standard input",
        )),
    }
}

fn text(found: &[StudyStatus]) -> String {
    let mut text = String::new();
    for one in found.iter().take(SHOWN) {
        describe(one, &mut text);
    }
    if let Some(more) = found.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        // Writing to a String cannot fail.
        let _ = write!(text, "... and {more} more studies: narrow it with --since and --until");
    }
    text.trim_end().to_owned()
}

fn describe(one: &StudyStatus, text: &mut String) {
    let study: String = one.study.to_string().chars().take(DIGITS).collect();
    let _ = writeln!(
        text,
        "Study {study} of hospital {}: received from {} to {}",
        one.hospital,
        time(one.first_received_ms),
        time(one.last_received_ms),
    );
    for sender in &one.received {
        let name =
            sender.sender.as_deref().unwrap_or("a caller that the configuration does not name");
        let _ = writeln!(text, "  received   {} instances from {name}", sender.instances);
    }
    match &one.originals.until {
        Some(until) => {
            let kept = one.originals.instances;
            let _ = writeln!(text, "  originals  {kept} instances, kept until {until} or longer");
        }
        None => text.push_str("  originals  none are kept\n"),
    }
    let _ = writeln!(text, "  held       {} instances", one.held_instances);
    for held in &one.held {
        let _ = writeln!(text, "             {} for {}", held.instances, held.code);
    }
    if one.held_instances > 0 {
        let _ = writeln!(text, "             see: scanveil quarantine list --each");
    }
    made(one, text);
    if one.releases.is_empty() {
        text.push_str("  released   in no release\n");
    }
    for release in &one.releases {
        let _ = writeln!(
            text,
            "  released   {} instances of generation {} in {} ({}, {})",
            release.instances,
            release.generation.0,
            release.release,
            release.project,
            time(release.created_at_ms),
        );
    }
    text.push('\n');
}

fn made(one: &StudyStatus, text: &mut String) {
    if one.generations.is_empty() {
        text.push_str("  made       nothing: no project takes this hospital\n");
        return;
    }
    let mut rows = table(&["project", "generation", "instances", "profile"]);
    for made in &one.generations {
        rows.add_row([
            made.project.to_string(),
            made.generation.0.to_string(),
            made.instances.to_string(),
            made.profile.clone(),
        ]);
    }
    let _ = writeln!(text, "{rows}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanveil_catalog::{RecordId, StudyGenerationRecord, StudyRelease};
    use scanveil_model::{Generation, HospitalId, ProjectName, ReasonCode};
    use scanveil_pipeline::{StudyHeld, StudyKept, StudySender};
    use serde_json::json;

    fn sender(name: Option<&str>, instances: u64) -> StudySender {
        StudySender {
            sender: name.map(str::to_owned),
            instances,
            first_received_ms: 1_800_000_000_000,
            last_received_ms: 1_800_000_060_000,
        }
    }

    fn status() -> StudyStatus {
        StudyStatus {
            hospital: HospitalId::parse("st-wystan").unwrap(),
            study: serde_json::from_value(json!("0123456789abcdef0123456789abcdef")).unwrap(),
            first_received_ms: 1_800_000_000_000,
            last_received_ms: 1_800_000_060_000,
            received: Vec::new(),
            originals: StudyKept::default(),
            held_instances: 0,
            held: Vec::new(),
            generations: Vec::new(),
            releases: Vec::new(),
        }
    }

    #[test]
    fn what_is_told_of_a_study_is_as_it_was_read() {
        let project = ProjectName::parse("lungs").unwrap();
        let made = |generation, instances| StudyGenerationRecord {
            project: project.clone(),
            generation: Generation(generation),
            profile: "research@0123456789abcdef".into(),
            instances,
        };
        let release = StudyRelease {
            release: RecordId::parse("lungs-3").unwrap(),
            project: project.clone(),
            created_at_ms: 1_800_000_600_000,
            generation: Generation(2),
            instances: 41,
        };
        let held = StudyHeld { code: ReasonCode::BurnedInText, instances: 3 };
        let full = StudyStatus {
            received: vec![sender(Some("WYSTAN_PACS"), 44), sender(None, 2)],
            originals: StudyKept { instances: 44, until: Some("2056-11-30".into()) },
            held_instances: 3,
            held: vec![held],
            generations: vec![made(1, 40), made(2, 41)],
            releases: vec![release],
            ..status()
        };
        insta::assert_snapshot!(text(&[full, status()]));
    }
}
