//! What the demonstration found: numbers for programs, tables for people.

use super::account::Account;
use super::search::{Control, Search};
use crate::output::{bytes, table};
use comfy_table::{CellAlignment, Table};
use scanveil_model::{HospitalId, ReasonCode, RetentionClass};
use scanveil_release::Totals;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that the demonstration found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether everything held.
    pub(super) held: bool,
    /// What did not, in plain words.
    pub(super) failures: Vec<String>,
    pub(super) dir: PathBuf,
    pub(super) seed: u64,
    pub(super) page: String,
    pub(super) http: SocketAddr,
    pub(super) dimse: Option<SocketAddr>,
    pub(super) hospitals: Vec<Hospital>,
    pub(super) stages: Vec<Stage>,
    pub(super) account: Account,
    pub(super) release: Release,
    pub(super) search: Search,
}

/// One hospital's row.
#[derive(Debug, Serialize)]
pub(super) struct Hospital {
    pub(super) hospital: HospitalId,
    pub(super) keep_originals: bool,
    pub(super) retention_class: RetentionClass,
    pub(super) retention_years: u32,
    pub(super) region: Option<String>,
    pub(super) way: &'static str,
    pub(super) studies: u64,
    pub(super) received: u64,
    pub(super) duplicates: u64,
    pub(super) scrubbed: u64,
    pub(super) quarantined: u64,
    pub(super) originals: u64,
    pub(super) objects: u64,
    pub(super) stored_bytes: u64,
    pub(super) seconds: f64,
}

/// How long one stage took.
#[derive(Debug, Serialize)]
pub(super) struct Stage {
    pub(super) stage: String,
    pub(super) hospital: Option<HospitalId>,
    pub(super) instances: u64,
    pub(super) bytes: u64,
    pub(super) seconds: f64,
}

/// The release.
#[derive(Debug, Serialize)]
pub(super) struct Release {
    pub(super) id: String,
    pub(super) path: PathBuf,
    #[serde(flatten)]
    pub(super) totals: Totals,
    pub(super) files_verified: u64,
    pub(super) problems: usize,
}

impl Stage {
    fn rate(&self, amount: u64) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let amount = amount as f64;
        (self.seconds > 0.0).then(|| amount / self.seconds)
    }
}

/// Numbers to the right.
fn numbers_right(mut table: Table, columns: &[usize]) -> Table {
    for &column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.2}")
}

/// How things are counted in a sentence.
fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

impl Report {
    /// The report for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.paragraphs().into_iter().for_each(|paragraph| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n{}", paragraph.trim_end());
        });
        text
    }

    fn paragraphs(&self) -> Vec<String> {
        let mut all = vec![
            format!("What became of the studies\n{}", self.hospital_table()),
            format!("How fast\n{}", self.stage_table()),
        ];
        if !self.account.quarantine.is_empty() {
            all.push(format!("Held back, sealed in quarantine\n{}", self.quarantine_table()));
        }
        all.push(self.release_text());
        all.push(format!("Search for what was planted\n{}", self.search_table()));
        all.push(self.search_text());
        all.push(self.verdict());
        all
    }

    /// One column for each hospital.
    fn hospital_table(&self) -> Table {
        type Row = (&'static str, fn(&Hospital) -> String);
        let rows: [Row; 12] = [
            ("pushed by", |one| one.way.to_owned()),
            ("region", |one| one.region.clone().unwrap_or_default()),
            ("kept for", |one| format!("{} years, {}", one.retention_years, one.retention_class.0)),
            ("studies", |one| one.studies.to_string()),
            ("instances received", |one| one.received.to_string()),
            ("  were duplicates", |one| one.duplicates.to_string()),
            ("  scrubbed, clean", |one| one.scrubbed.to_string()),
            ("  quarantined", |one| one.quarantined.to_string()),
            ("originals kept", |one| match one.keep_originals {
                true => one.originals.to_string(),
                false => format!("{}, by policy", one.originals),
            }),
            ("objects stored", |one| one.objects.to_string()),
            ("bytes stored", |one| bytes(one.stored_bytes)),
            ("seconds in the pipeline", |one| seconds(one.seconds)),
        ];
        let mut columns = vec![""];
        columns.extend(self.hospitals.iter().map(|one| one.hospital.as_str()));
        let mut table = table(&columns);
        for (name, cell) in rows {
            let cells = self.hospitals.iter().map(cell);
            table.add_row([name.to_owned()].into_iter().chain(cells));
        }
        numbers_right(table, &[1, 2])
    }

    fn stage_table(&self) -> Table {
        let mut table =
            table(&["stage", "hospital", "instances", "bytes", "seconds", "instances/s", "MB/s"]);
        for row in &self.stages {
            let rate = |amount, unit: f64| {
                row.rate(amount)
                    .map_or_else(|| "-".to_owned(), |rate| format!("{:.0}", rate / unit))
            };
            table.add_row([
                row.stage.clone(),
                row.hospital.as_ref().map_or_else(|| "both".to_owned(), ToString::to_string),
                row.instances.to_string(),
                bytes(row.bytes),
                seconds(row.seconds),
                rate(row.instances, 1.0),
                rate(row.bytes, 1e6),
            ]);
        }
        numbers_right(table, &[2, 3, 4, 5, 6])
    }

    /// One row for each reason, one column for each hospital.
    fn quarantine_table(&self) -> Table {
        let mut columns = vec!["reason"];
        columns.extend(self.hospitals.iter().map(|one| one.hospital.as_str()));
        columns.push("next step");
        let mut table = table(&columns);
        let held = &self.account.quarantine;
        let reasons: BTreeSet<ReasonCode> = held.iter().map(|row| row.reason).collect();
        for reason in reasons {
            let of = |hospital: &HospitalId| {
                let rows = held.iter().filter(|row| row.hospital == *hospital);
                rows.filter(|row| row.reason == reason).map(|row| row.instances).sum::<u64>()
            };
            let mut cells = vec![reason.to_string()];
            cells.extend(self.hospitals.iter().map(|one| of(&one.hospital).to_string()));
            cells.push(reason.next_step().to_owned());
            table.add_row(cells);
        }
        numbers_right(table, &[1, 2])
    }

    fn release_text(&self) -> String {
        let Release { totals, path, files_verified, problems, .. } = &self.release;
        let whole = match problems {
            0 => format!("{files_verified} files verified against its manifest"),
            n => format!("{n} files are not as its manifest says"),
        };
        format!(
            "The release for project research\n  {} of {} and {}, {}; {whole}\n  {}",
            count(totals.instances, "instance", "instances"),
            count(totals.patients, "patient", "patients"),
            count(totals.studies, "study", "studies"),
            bytes(totals.bytes),
            path.display(),
        )
    }

    fn search_table(&self) -> Table {
        let mut table = table(&["place", "files", "bytes", "hits"]);
        for row in &self.search.places {
            table.add_row([
                row.place.to_owned(),
                row.files.to_string(),
                bytes(row.bytes),
                row.hits.to_string(),
            ]);
        }
        numbers_right(table, &[1, 2, 3])
    }

    fn search_text(&self) -> String {
        let Search { planted, forms, seconds, .. } = &self.search;
        let mut text = format!(
            "{planted} planted names, numbers, dates, addresses and UIDs were looked for in {forms} \
             spellings and\nencodings, in every byte, compressed ones included, and in every file \
             name ({seconds:.1} s). "
        );
        if self.search.hits() == 0 {
            let Control { files, hits, .. } = &self.search.control;
            let _ = write!(
                text,
                "There are none.\nThe identified originals exist only sealed. (In {files} files as \
                 they were sent the same search finds {hits}.)"
            );
            return text;
        }
        text += "THERE ARE SOME:";
        for place in &self.search.places {
            for hit in &place.first_hits {
                let _ = write!(
                    text,
                    "\n  {}: {} at byte {}: {:?} ({:?}, {:?})",
                    place.place, hit.path, hit.offset, hit.kind, hit.form, hit.layer
                );
            }
        }
        text
    }

    fn verdict(&self) -> String {
        let Account { useful, held_in_vain, quarantine, .. } = &self.account;
        let mut text = if self.held {
            let sent: u64 = self.account.hospitals.iter().map(|one| one.sent).sum();
            format!(
                "Everything held: each of the {sent} instances is there exactly once, clean and \
                 released or held back\nfor a reason, and nothing came through that should not."
            )
        } else {
            let lines = self.failures.iter().map(|what| format!("\n  - {what}"));
            format!("NOT everything held:{}", lines.collect::<String>())
        };
        if *held_in_vain > 0 {
            let reasons: BTreeSet<&str> = quarantine
                .iter()
                .filter(|row| row.in_vain > 0)
                .map(|row| row.reason.as_str())
                .collect();
            let _ = write!(
                text,
                "\n{held_in_vain} of {useful} useful instances were held back to be on the safe \
                 side: {}.",
                Vec::from_iter(reasons).join(", ")
            );
        }
        text
    }
}
