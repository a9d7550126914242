//! `scanveil synth benchmark`: a corpus with its answer key.

use super::Folder;
use crate::cli::SynthArgs;
use crate::commands::scrub::progress_bar;
use crate::output::{Failure, Output, bytes, table};
use scanveil_evaluate::{Action, Answer, AnswerKey, Category, InstanceAnswers};
use scanveil_synth::{AnswerAction, AnswerCategory, Benchmark, BenchmarkInstance};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Where the files go, below the corpus' folder.
const FILES: &str = "files";
/// The answer key, beside them.
const ANSWERS: &str = "answers.db";

/// What was made.
#[derive(Serialize)]
struct Made {
    instances: u64,
    checks: u64,
    bytes: u64,
    seconds: f64,
}

/// Makes the files below `folder` and the key beside them.
pub(super) fn run(
    args: &SynthArgs,
    mut folder: Folder,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let mut key = AnswerKey::create(&args.out.join(ANSWERS))?;
    let bar = progress_bar(output, args.count as u64);
    let mut checks = 0;
    for instance in Benchmark::new(args.seed, args.count).instances() {
        let instance = instance?;
        let (below, name) = instance.path.rsplit_once('/').unwrap_or(("", &instance.path));
        folder.put(&Path::new(FILES).join(below), name, &instance.file)?;
        key.append(&answers(&instance))?;
        checks += instance.answers.len() as u64;
        bar.inc(1);
    }
    key.finish()?;
    bar.finish_and_clear();
    let made = Made {
        instances: folder.files,
        checks,
        bytes: folder.bytes,
        seconds: started.elapsed().as_secs_f64(),
    };
    output.result(&made, || {
        let mut totals = table(&["instances", "checks", "written", "seconds"]);
        totals.add_row([
            made.instances.to_string(),
            made.checks.to_string(),
            bytes(made.bytes),
            format!("{:.1}", made.seconds),
        ]);
        totals.to_string()
    });
    Ok(ExitCode::SUCCESS)
}

/// The key's row of an instance.
fn answers(instance: &BenchmarkInstance) -> InstanceAnswers {
    InstanceAnswers {
        modality: instance.modality.to_owned(),
        sop_class_uid: instance.sop_class_uid.to_owned(),
        patient_id: instance.patient_id.clone(),
        study_uid: instance.study_uid.clone(),
        series_uid: instance.series_uid.clone(),
        sop_instance_uid: instance.sop_instance_uid.clone(),
        digest: instance.pixel_digest.clone(),
        answers: instance.answers.iter().map(answer).collect(),
    }
}

/// The category in the field of its kind.
fn category(answer: &scanveil_synth::Answer) -> Category {
    let mut category = Category::default();
    let there = matches!(answer.action, AnswerAction::TagRetained | AnswerAction::TextNotNull);
    let (field, name) = match answer.category {
        AnswerCategory::Hipaa(name) => (&mut category.hipaa_m, name),
        // The benchmark reports these two actions by the object's definition, others by PS3.15.
        AnswerCategory::Dicom(name) if there => (&mut category.dicom_iod, name),
        AnswerCategory::Dicom(name) => (&mut category.dicom_p15, name),
        AnswerCategory::Tcia(name) if there => (&mut category.dicom_safe, name),
        AnswerCategory::Tcia(name) if name.starts_with("TCIA-PTKB") => {
            (&mut category.tcia_ptkb, name)
        }
        AnswerCategory::Tcia(name) if name.starts_with("TCIA-REV") => {
            (&mut category.tcia_rev, name)
        }
        AnswerCategory::Tcia(name) => (&mut category.tcia_p15, name),
    };
    *field = Some(name.to_owned());
    category
}

fn answer(answer: &scanveil_synth::Answer) -> Answer {
    Answer {
        // The benchmark joins by instance alone.
        scope: "Instance".to_owned(),
        tag: answer.tag.clone(),
        tag_ds: answer.path.clone(),
        tag_name: answer.name.clone(),
        value: answer.value.clone(),
        action: action(answer.action),
        action_text: answer.text.clone(),
        category: category(answer),
    }
}

fn action(action: AnswerAction) -> Action {
    match action {
        AnswerAction::TagRetained => Action::TagRetained,
        AnswerAction::TextNotNull => Action::TextNotNull,
        AnswerAction::TextRetained => Action::TextRetained,
        AnswerAction::TextRemoved => Action::TextRemoved,
        AnswerAction::DateShifted => Action::DateShifted,
        AnswerAction::UidChanged => Action::UidChanged,
        AnswerAction::UidConsistent => Action::UidConsistent,
        AnswerAction::PatientIdConsistent => Action::PatientIdConsistent,
        AnswerAction::PixelsRetained => Action::PixelsRetained,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_keep_their_names() {
        for instance in Benchmark::new(2, 40).instances() {
            for asked in instance.unwrap().answers {
                assert_eq!(action(asked.action).as_str(), asked.action.as_str());
                let written = answer(&asked);
                let (group, name) = written.category.reported(action(asked.action));
                assert!(group != "unknown" && name != "unknown", "{} {}", asked.tag, group);
            }
        }
    }
}
