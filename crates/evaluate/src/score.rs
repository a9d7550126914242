//! Scoring a folder: every answer of the key against the file that holds its instance.

use crate::answer::{Action, Aim, Answer, InstanceAnswers};
use crate::error::EvaluateError;
use crate::index::Index;
use crate::key::AnswerKey;
use crate::mapping::Mapping;
use crate::output::Output;
use crate::rules::{Maps, Verdict, check, check_missing, needs};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Instances whose answers are in memory at once.
const INSTANCES_AT_ONCE: u32 = 128;
/// Failures listed of each action; the rest are counted.
const FAILURES_LISTED: usize = 200;

/// How many of a group of checks passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Checks that passed.
    pub passed: u64,
    /// All checks.
    pub total: u64,
}

impl Tally {
    fn add(&mut self, passed: bool) {
        self.passed += u64::from(passed);
        self.total += 1;
    }

    /// Passes in percent; 100 when there was nothing to check.
    #[must_use]
    pub fn percent(&self) -> f64 {
        if self.total == 0 { 100.0 } else { self.passed as f64 * 100.0 / self.total as f64 }
    }
}

/// A check that failed. Names where, never what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Row of the instance in the answer database.
    pub row: i64,
    /// The output file, relative to the folder; nothing when there is none.
    pub file: Option<String>,
    /// The element's path.
    pub tag: String,
    /// What was asked for.
    pub action: Action,
}

/// The result of an evaluation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Instances in the key.
    pub instances: u64,
    /// Instances of the key that have no file.
    pub missing: u64,
    /// Files whose instance the key does not have.
    pub unexpected: u64,
    /// Files that are no instance.
    pub other_files: u64,
    /// Files whose SOP Instance UID another file has, too; only the first is looked at.
    pub repeated: u64,
    /// All checks, unweighted: the benchmark's own score.
    pub overall: Tally,
    /// What had to go: text removed, dates shifted, UIDs changed, pixels hidden.
    pub removal: Tally,
    /// What had to stay: elements, text, pixels.
    pub retention: Tally,
    /// Identifiers that had to agree with the mapping.
    pub consistency: Tally,
    /// Hidden pixels that nobody looked at; in no other figure.
    pub not_checked: u64,
    /// By action.
    pub by_action: BTreeMap<Action, Tally>,
    /// By category and subcategory, as the benchmark reports them: `hipaa HIPAA-C`.
    pub by_category: BTreeMap<String, Tally>,
    /// The first failures of each action.
    pub failures: Vec<Failure>,
    /// Failures beyond those listed.
    pub failures_left_out: u64,
}

impl Score {
    fn add(&mut self, answer: &Answer, verdict: Verdict, listed: impl FnOnce() -> Failure) {
        if verdict == Verdict::NotChecked {
            self.not_checked += 1;
            return;
        }
        let passed = verdict == Verdict::Passed;
        let aimed = match answer.action.aim() {
            Aim::Removal => &mut self.removal,
            Aim::Retention => &mut self.retention,
            Aim::Consistency => &mut self.consistency,
        };
        aimed.add(passed);
        self.overall.add(passed);
        let action = self.by_action.entry(answer.action).or_default();
        action.add(passed);
        let failed = action.total - action.passed;
        let (group, name) = answer.category.reported(answer.action);
        self.by_category.entry(format!("{group} {name}")).or_default().add(passed);
        if passed {
            return;
        }
        if failed <= FAILURES_LISTED as u64 {
            self.failures.push(listed());
        } else {
            self.failures_left_out += 1;
        }
    }
}

/// Scores the files below `output` by the answers of `key`. A file belongs to the instance whose
/// SOP Instance UID the mapping leads to, or, where the mapping leads nowhere, to its own.
/// `progress` hears the number of instances done. In memory are the files' UIDs and paths, the
/// answers of some instances, and one file a thread.
///
/// # Errors
/// When the folder or the key cannot be read.
pub fn score(
    key: &AnswerKey,
    output: &Path,
    uids: &Mapping,
    patients: &Mapping,
    progress: &dyn Fn(u64),
) -> Result<Score, EvaluateError> {
    let index = Index::read(output)?;
    let maps = Maps { uids, patients };
    let mut score =
        Score { other_files: index.others, repeated: index.repeated, ..Score::default() };
    let (mut after, mut found) = (0, 0);
    loop {
        let page = key.page(after, INSTANCES_AT_ONCE)?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        let checked: Vec<_> =
            page.par_iter().map(|(_, instance)| check_instance(instance, &index, maps)).collect();
        for ((row, instance), (file, verdicts)) in page.iter().zip(checked) {
            score.instances += 1;
            found += u64::from(file.is_some());
            let file = file.map(|file| file.strip_prefix(output).unwrap_or(file));
            let file = file.map(|file| file.to_string_lossy().into_owned());
            for (answer, verdict) in instance.answers.iter().zip(verdicts) {
                score.add(answer, verdict, || Failure {
                    row: *row,
                    file: file.clone(),
                    tag: answer.tag_ds.clone(),
                    action: answer.action,
                });
            }
        }
        progress(score.instances);
    }
    score.missing = score.instances - found;
    score.unexpected = (index.len() as u64).saturating_sub(found);
    Ok(score)
}

/// The file of an instance and what came of each of its answers.
fn check_instance<'a>(
    instance: &InstanceAnswers,
    index: &'a Index,
    maps: Maps<'_>,
) -> (Option<&'a Path>, Vec<Verdict>) {
    let old = instance.sop_instance_uid.as_str();
    let mapped = maps.uids.get(old).and_then(|new| index.find(new));
    // A file that came out under its old UID is no missing file.
    let file = mapped.or_else(|| index.find(old));
    let answers = &instance.answers;
    let read = file.and_then(|path| Output::read(path, needs(answers)));
    let verdicts = match (&read, file) {
        (Some(output), _) => answers.iter().map(|answer| check(answer, output, maps)).collect(),
        // What can no longer be read shows nothing: no check passes.
        (None, Some(_)) => vec![Verdict::Failed; answers.len()],
        (None, None) => answers.iter().map(check_missing).collect(),
    };
    (file, verdicts)
}
