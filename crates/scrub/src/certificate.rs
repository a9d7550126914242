//! What was done to a study, for whoever has to answer for it: the same input, profile and engine
//! give the same certificate, byte for byte. It holds new identifiers only, and no time.

use crate::outcome::Counts;
use crate::profile::Profile;
use crate::scrubbed::ScrubbedInstance;
use crate::table::EDITION;
use crate::treatment::Because;
use scanveil_model::{Action, Digest};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Version of the certificate's format.
const FORMAT: u32 = 1;

/// How many elements met an action for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What was done.
    pub action: Action,
    /// The stable word for why: `basic-profile`, an option's name, `rule-3` ...
    pub because: String,
    /// Elements.
    pub elements: u64,
}

/// What was done to a study (format 1, docs/formats/certificate.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certificate {
    format: u32,
    /// Version of scanveil.
    engine: &'static str,
    /// `name@digest`.
    profile: String,
    /// Digest of profile, tables and rules.
    profile_digest: String,
    /// Edition of PS3.15.
    edition: &'static str,
    options: Vec<&'static str>,
    /// The patient's pseudonym in the project.
    patient: String,
    /// New Study Instance UID.
    study: String,
    /// Instances that came out.
    instances: u64,
    /// Instances held back, by reason.
    held_back: BTreeMap<&'static str, u64>,
    /// Elements by action and reason.
    elements: Vec<Count>,
    /// What was taken out of texts, by kind.
    findings: BTreeMap<&'static str, u64>,
    /// What was accepted by evidence, and written though it did not come in: instances, or elements
    /// where it is about those.
    noticed: BTreeMap<&'static str, u64>,
    /// BLAKE3 over the new SOP Instance UIDs in order, each with the digest of its file up to the
    /// pixel data, which passes as it is.
    outputs: String,
}

impl Certificate {
    /// Its keys, by which one is recognized.
    pub const KEYS: [&str; 14] = [
        "format",
        "engine",
        "profile",
        "profile_digest",
        "edition",
        "options",
        "patient",
        "study",
        "instances",
        "held_back",
        "elements",
        "findings",
        "noticed",
        "outputs",
    ];

    /// As JSON with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).unwrap_or_default();
        json + "\n"
    }

    /// The new Study Instance UID.
    #[must_use]
    pub fn study(&self) -> &str {
        &self.study
    }
}

/// Gathers what is done to the instances of a study, in any order.
#[derive(Default)]
pub struct Certifying {
    patient: String,
    study: String,
    held_back: BTreeMap<&'static str, u64>,
    elements: Counts,
    findings: BTreeMap<&'static str, u64>,
    noticed: BTreeMap<&'static str, u64>,
    outputs: BTreeSet<(String, Digest)>,
}

impl Certifying {
    /// Nothing done yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An instance came out.
    pub fn clean(&mut self, instance: &ScrubbedInstance) {
        self.patient.clear();
        self.patient.push_str(instance.patient_pseudonym());
        self.study.clear();
        self.study.push_str(instance.names().study.as_str());
        self.elements.add(&instance.outcome.counts);
        for (kind, count) in instance.findings() {
            *self.findings.entry(kind).or_default() += u64::from(*count);
        }
        for (noticed, count) in instance.noticed() {
            *self.noticed.entry(noticed).or_default() += u64::from(*count);
        }
        let name = instance.names().sop_instance.as_str().to_owned();
        self.outputs.insert((name, instance.header_digest()));
    }

    /// An instance was held back, for the reason with this code.
    pub fn held_back(&mut self, reason: &'static str) {
        *self.held_back.entry(reason).or_default() += 1;
    }

    /// The certificate, if anything came out.
    #[must_use]
    pub fn finish(self, profile: &Profile) -> Option<Certificate> {
        if self.outputs.is_empty() {
            return None;
        }
        let mut outputs = blake3::Hasher::new();
        for (uid, digest) in &self.outputs {
            outputs.update(uid.as_bytes()).update(&[0]).update(&digest.0);
        }
        let mut elements: Vec<(Action, Because, u64)> = self.elements.iter().collect();
        elements.sort_by_key(|(action, because, _)| (*action, *because));
        Some(Certificate {
            format: FORMAT,
            engine: env!("CARGO_PKG_VERSION"),
            profile: profile.label(),
            profile_digest: profile.digest().to_string(),
            edition: EDITION,
            options: profile.options().map(crate::ProfileOption::name).collect(),
            patient: self.patient,
            study: self.study,
            instances: self.outputs.len() as u64,
            held_back: self.held_back,
            elements: elements
                .into_iter()
                .map(|(action, because, elements)| Count {
                    action,
                    because: because.word(),
                    elements,
                })
                .collect(),
            findings: self.findings,
            noticed: self.noticed,
            outputs: outputs.finalize().to_hex().to_string(),
        })
    }
}
