//! A benchmark corpus of any size with hospitals' real habits of typing, and the answers that a
//! good research profile gives: PS3.15 basic with Clean Descriptors, Clean Structured Content,
//! Retain Longitudinal Temporal Information with Modified Dates, Retain Patient Characteristics,
//! Retain Device Identity and Retain Safe Private.

mod answer;
mod attr;
mod complete;
mod header;
mod hospital;
mod image;
mod national;
mod person;
mod phrase;
mod private;
mod report;
mod sheet;
mod study;
mod typed;
mod words;

pub use answer::{Answer, AnswerAction, AnswerCategory};
pub use typed::{TypedText, typed_texts};

use crate::SynthError;
use crate::file::{FileParts, Syntax};
use crate::wire::Lengths;
use hospital::Hospital;
use std::sync::Arc;
use study::{Kind, Series, Study};

/// One file of the benchmark. It has no `Debug`: even invented values stay out of logs.
#[derive(Clone)]
pub struct BenchmarkInstance {
    /// The whole Part-10 file.
    pub file: Vec<u8>,
    /// Where it belongs below the corpus' folder; holds numbers only.
    pub path: String,
    /// Modality (0008,0060).
    pub modality: &'static str,
    /// SOP Class UID.
    pub sop_class_uid: &'static str,
    /// Patient ID.
    pub patient_id: String,
    /// Study Instance UID.
    pub study_uid: String,
    /// Series Instance UID.
    pub series_uid: String,
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// MD5 of Pixel Data in hexadecimal digits; empty where there is none.
    pub pixel_digest: String,
    /// What should become of its elements.
    pub answers: Vec<Answer>,
}

/// A benchmark corpus, determined by its seed and size.
#[derive(Clone)]
pub struct Benchmark {
    seed: u64,
    instances: usize,
    hospitals: Arc<Vec<Hospital>>,
}

impl Benchmark {
    /// Invents the hospitals; patients and studies are invented as they are read.
    #[must_use]
    pub fn new(seed: u64, instances: usize) -> Self {
        Self { seed, instances, hospitals: Arc::new(Hospital::all(seed)) }
    }

    /// How many instances there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.instances
    }

    /// Whether none were asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instances == 0
    }

    /// Every instance, made one at a time: memory holds one study's plan.
    #[must_use]
    pub fn instances(&self) -> BenchmarkInstances {
        BenchmarkInstances { benchmark: self.clone(), left: self.instances, study: None, next: 0 }
    }
}

/// The instances of a [`Benchmark`], study by study.
pub struct BenchmarkInstances {
    benchmark: Benchmark,
    left: usize,
    /// The study under way, its number, and the place in it as series and instance.
    study: Option<(Study, usize, (usize, usize))>,
    next: usize,
}

impl Iterator for BenchmarkInstances {
    type Item = Result<BenchmarkInstance, SynthError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (study, number, (series, instance)) = self.study.take().unwrap_or_else(|| {
            let number = self.next;
            self.next += 1;
            let study = Study::invent(self.benchmark.seed, number, &self.benchmark.hospitals);
            (study, number, (0, 0))
        });
        let made = make(&study, number, &study.series[series], instance);
        let after = if instance + 1 < study.series[series].count {
            Some((series, instance + 1))
        } else {
            (series + 1 < study.series.len()).then_some((series + 1, 0))
        };
        self.study = after.map(|place| (study, number, place));
        Some(made)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

fn make(
    study: &Study,
    number: usize,
    series: &Series,
    instance: usize,
) -> Result<BenchmarkInstance, SynthError> {
    let syntax = match (number + series.number as usize) % 8 {
        0 | 1 => Syntax::ImplicitLe,
        2 => Syntax::ExplicitBe,
        3 => Syntax::Deflated,
        _ => Syntax::ExplicitLe,
    };
    let mut sheet = study.shared(series);
    complete::complete(series.kind, &mut sheet);
    let pixel_digest = if series.kind == Kind::Sr {
        report::write(study, series, &mut sheet);
        String::new()
    } else {
        image::write(study, series, instance, syntax, &mut sheet)?
    };
    let (data, answers) = sheet.into_parts();
    let uid = &series.instances[instance];
    let mut parts = FileParts::new(data, series.kind.class(), uid, syntax);
    parts.lengths = if number.is_multiple_of(2) { Lengths::Undefined } else { Lengths::Defined };
    Ok(BenchmarkInstance {
        file: parts.encode()?.bytes,
        path: format!("{number:05}/{:02}/{:04}.dcm", series.number, instance + 1),
        modality: series.kind.modality(),
        sop_class_uid: series.kind.class(),
        patient_id: study.patient.mrn.clone(),
        study_uid: study.uid.clone(),
        series_uid: series.uid.clone(),
        sop_instance_uid: uid.clone(),
        pixel_digest,
        answers,
    })
}

#[cfg(test)]
mod tests;
