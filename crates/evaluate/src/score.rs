//! Scoring a folder: every answer of the key against the file that holds its instance.

use crate::answer::{Action, Aim, Answer, InstanceAnswers};
use crate::error::EvaluateError;
use crate::index::Index;
use crate::key::AnswerKey;
use crate::mapping::Mapping;
use crate::output::Output;
use crate::path::without_items;
use crate::rules::{Maps, Verdict, check, check_missing, needs};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Instances whose answers are in memory at once.
const INSTANCES_AT_ONCE: u32 = 128;

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

/// All checks together, and the three figures that are told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// All checks, unweighted: the benchmark's own score.
    pub overall: Tally,
    /// What had to go: text removed, dates shifted, UIDs changed, pixels hidden.
    pub removal: Tally,
    /// What had to stay: elements, text, pixels.
    pub retention: Tally,
    /// Identifiers that had to agree with the mapping.
    pub consistency: Tally,
}

impl Figures {
    fn add(&mut self, action: Action, passed: bool) {
        let aimed = match action.aim() {
            Aim::Removal => &mut self.removal,
            Aim::Retention => &mut self.retention,
            Aim::Consistency => &mut self.consistency,
        };
        aimed.add(passed);
        self.overall.add(passed);
    }
}

/// Failures of one element, wherever it stood in the data set's sequences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ElementFailures {
    /// The element's path without the numbers of the items.
    pub tag: String,
    /// What was asked for.
    pub action: Action,
    /// How often it failed.
    pub failures: u64,
}

/// A check that failed. Names where, never what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Row of the instance in the answer database.
    pub row: i64,
    /// The output file, relative to the folder.
    pub file: String,
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
    /// Rows of the first of them in the answer database.
    pub missing_rows: Vec<i64>,
    /// Files whose instance the key does not have.
    pub unexpected: u64,
    /// Files that are no instance.
    pub other_files: u64,
    /// Files whose SOP Instance UID another file has, too; only the first is looked at.
    pub repeated: u64,
    /// Every instance of the key, as the benchmark counts.
    pub all: Figures,
    /// The instances that have a file: what was held back is left out.
    pub written: Figures,
    /// Hidden pixels that nobody looked at; in no other figure.
    pub not_checked: u64,
    /// By action.
    pub by_action: BTreeMap<Action, Tally>,
    /// By category and subcategory, as the benchmark reports them: `hipaa HIPAA-C`.
    pub by_category: BTreeMap<String, Tally>,
    /// Failures by element, most frequent first; those of missing instances are not among them.
    pub by_element: Vec<ElementFailures>,
    /// The first failures of each action, without those of missing instances.
    pub failures: Vec<Failure>,
    /// Failures beyond those listed.
    pub failures_left_out: u64,
}

impl Score {
    /// Whether every check passed; those that nobody made do not count.
    #[must_use]
    pub fn is_perfect(&self) -> bool {
        self.all.overall.passed == self.all.overall.total
    }

    /// Counts a check; says whether it passed, if it was made.
    fn add(&mut self, answer: &Answer, verdict: Verdict) -> Option<bool> {
        if verdict == Verdict::NotChecked {
            self.not_checked += 1;
            return None;
        }
        let passed = verdict == Verdict::Passed;
        self.all.add(answer.action, passed);
        self.by_action.entry(answer.action).or_default().add(passed);
        let (group, name) = answer.category.reported(answer.action);
        self.by_category.entry(format!("{group} {name}")).or_default().add(passed);
        Some(passed)
    }
}

/// A score that is being counted.
struct Counting<'o> {
    score: Score,
    output: &'o Path,
    /// Failures to list of each action.
    listed: u64,
    by_element: HashMap<(String, Action), u64>,
    /// Failures listed so far.
    named: BTreeMap<Action, u64>,
}

impl Counting<'_> {
    fn instance(
        &mut self,
        row: i64,
        instance: &InstanceAnswers,
        file: Option<&Path>,
        verdicts: &[Verdict],
    ) {
        self.score.instances += 1;
        if file.is_none() {
            self.score.missing += 1;
            if self.score.missing <= self.listed {
                self.score.missing_rows.push(row);
            }
        }
        for (answer, &verdict) in instance.answers.iter().zip(verdicts) {
            let passed = self.score.add(answer, verdict);
            let (Some(file), Some(passed)) = (file, passed) else { continue };
            self.score.written.add(answer.action, passed);
            if !passed {
                self.failure(row, file, answer);
            }
        }
    }

    fn failure(&mut self, row: i64, file: &Path, answer: &Answer) {
        let element = (without_items(&answer.tag_ds), answer.action);
        *self.by_element.entry(element).or_default() += 1;
        let named = self.named.entry(answer.action).or_default();
        if *named >= self.listed {
            self.score.failures_left_out += 1;
            return;
        }
        *named += 1;
        let file = file.strip_prefix(self.output).unwrap_or(file);
        self.score.failures.push(Failure {
            row,
            file: file.to_string_lossy().into_owned(),
            tag: answer.tag_ds.clone(),
            action: answer.action,
        });
    }

    fn finish(mut self) -> Score {
        let elements = self.by_element.into_iter();
        let elements =
            elements.map(|((tag, action), failures)| ElementFailures { tag, action, failures });
        self.score.by_element = elements.collect();
        self.score
            .by_element
            .sort_by(|a, b| (b.failures, &a.tag, a.action).cmp(&(a.failures, &b.tag, b.action)));
        self.score
    }
}

/// Scores the files below `output` by the answers of `key`. A file belongs to the instance whose
/// SOP Instance UID the mapping leads to, or, where the mapping leads nowhere, to its own.
/// Of each action the first `listed` failures are named, and as many missing instances. `progress`
/// hears the number of instances done. In memory are the files' UIDs and paths, the answers of some
/// instances, and one file a thread.
///
/// # Errors
/// When the folder or the key cannot be read, or the key is empty.
pub fn score(
    key: &AnswerKey,
    output: &Path,
    (uids, patients): (&Mapping, &Mapping),
    listed: u64,
    progress: &dyn Fn(u64),
) -> Result<Score, EvaluateError> {
    let index = Index::read(output)?;
    let maps = Maps { uids, patients };
    let score = Score { other_files: index.others, repeated: index.repeated, ..Score::default() };
    let mut counting =
        Counting { score, output, listed, by_element: HashMap::new(), named: BTreeMap::new() };
    let (mut after, mut found) = (0, 0);
    loop {
        let page = key.page(after, INSTANCES_AT_ONCE)?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        let checked: Vec<_> =
            page.par_iter().map(|(_, instance)| check_instance(instance, &index, maps)).collect();
        for ((row, instance), (file, verdicts)) in page.iter().zip(checked) {
            found += u64::from(file.is_some());
            counting.instance(*row, instance, file, &verdicts);
        }
        progress(counting.score.instances);
    }
    let mut score = counting.finish();
    if score.instances == 0 {
        return Err(EvaluateError::Empty);
    }
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
