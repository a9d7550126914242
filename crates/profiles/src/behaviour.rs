//! Behaviour tests as data: a small data set, the profile, and what must be left of each element.
//!
//! The instance is written as bytes, goes through the same public functions as any other, and what
//! comes out is parsed again: nothing of the scrubber is looked into.

mod build;
mod document;
mod judge;
mod path;

use self::build::{Instance, instance};
use self::document::{CaseDocument, TestDocument};
use self::judge::judge;
use crate::ProfilesError;
use scanveil_dataset::{Limits, open_slice};
use scanveil_model::Reason;
use scanveil_scrub::{Profile, ProjectSecret, StudyIdentity, StudyScrubber};
use serde::Serialize;

/// The secret of every test: any other gives other pseudonyms and the same verdicts.
const SECRET: [u8; 32] = [0x5a; 32];
/// Most cases of a document, and most bytes of it.
const MOST_CASES: usize = 10_000;
const MOST_BYTES: usize = 8 << 20;

/// The tests that come with scanveil, by the profile's name.
const BUILTIN: [(&str, &str); 6] = [
    ("basic", include_str!("../../../pipelines/tests/basic.toml")),
    ("research", include_str!("../../../pipelines/tests/research.toml")),
    ("strict", include_str!("../../../pipelines/tests/strict.toml")),
    ("full-dates", include_str!("../../../pipelines/tests/full-dates.toml")),
    ("longitudinal", include_str!("../../../pipelines/tests/longitudinal.toml")),
    ("internal-quality", include_str!("../../../pipelines/tests/internal-quality.toml")),
];

/// The behaviour tests of a profile that comes with scanveil.
#[must_use]
pub fn builtin_tests(profile: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(name, _)| *name == profile).map(|(_, text)| *text)
}

/// What became of one case. Holds no value of any element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// The case's name.
    pub case: String,
    /// Where its elements stood: `.` for the top level, or the sequence.
    pub place: String,
    /// How many expectations were looked at.
    pub checks: usize,
    /// Those that were not met.
    pub failures: Vec<CaseFailure>,
}

impl CaseResult {
    /// Whether all was as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// An expectation that was not met, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseFailure {
    /// The element, as the case names it, or `the instance`.
    pub element: String,
    /// What should have become of it.
    pub expected: String,
    /// What became of it.
    pub found: String,
}

/// Runs a document of tests against a profile.
///
/// # Errors
/// [`ProfilesError`] when the document cannot be read, or a case cannot be made into an instance.
pub fn run(tests: &str, profile: &Profile) -> Result<Vec<CaseResult>, ProfilesError> {
    if tests.len() > MOST_BYTES {
        let (what, limit) = ("the test document", MOST_BYTES);
        return Err(ProfilesError::TooLarge { what, limit, unit: "bytes" });
    }
    let document = TestDocument::parse(tests)?;
    if document.cases.len() > MOST_CASES {
        let (what, limit) = ("the test document", MOST_CASES);
        return Err(ProfilesError::TooLarge { what, limit, unit: "cases" });
    }
    let mut results = Vec::new();
    for case in &document.cases {
        for place in &case.within {
            let instance = instance(case, place)?;
            let outcome = scrub(case, &instance, profile);
            let (checks, failures) = judge(case, place, &instance, outcome)?;
            let (case, place) = (case.name.clone(), place.clone());
            results.push(CaseResult { case, place, checks, failures });
        }
    }
    Ok(results)
}

/// What came out: the bytes and the patient's pseudonym.
struct Output {
    bytes: Vec<u8>,
    pseudonym: String,
}

fn scrub(case: &CaseDocument, instance: &Instance, profile: &Profile) -> Result<Output, Reason> {
    let limits = Limits::default();
    let secret = ProjectSecret::new(&SECRET);
    let (header, body) = open_slice(&instance.bytes, &limits)?;
    let mut identity = StudyIdentity::new();
    identity.observe(&header)?;
    let mut scrubber = StudyScrubber::new(profile, &secret, identity)?;
    if let Some(hospital) = &case.hospital {
        scrubber = scrubber.of_hospital(hospital.as_str());
    }
    let mut bytes = Vec::new();
    scrubber.scrub(&header, body, &mut bytes)?;
    Ok(Output { bytes, pseudonym: scrubber.pseudonym().to_owned() })
}
