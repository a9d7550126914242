//! A whole corpus: two hospitals, nine studies each, made one instance at a time.

use crate::SynthError;
use crate::charset::Charset;
use crate::file::Syntax;
use crate::key::SynthInstance;
use crate::kinds::{self, Shop, class};
use crate::pixels::Noise;
use crate::study::{Draft, Series, Study};
use crate::wire::Lengths;
use std::sync::Arc;

/// How large a corpus is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CorpusSpec {
    /// Slices of each CT series.
    pub ct_slices: usize,
    /// Slices of each MR series.
    pub mr_slices: usize,
    /// Columns and rows of an MR slice.
    pub mr_side: u16,
    /// Slices of each PET series.
    pub pet_slices: usize,
    /// Frames of each ultrasound loop.
    pub us_frames: u16,
    /// Frames of each enhanced MR or CT.
    pub enhanced_frames: u16,
    /// CT (512), CR (1024), PET (192) and slide tiles (256) have their side divided by this; 1
    /// for real sizes.
    pub shrink: u16,
}

impl CorpusSpec {
    /// The corpus of the demonstration: about 120 instances.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            ct_slices: 16,
            mr_slices: 24,
            mr_side: 256,
            pet_slices: 8,
            us_frames: 6,
            enhanced_frames: 8,
            shrink: 1,
        }
    }

    /// The smallest corpus that still has every kind of object, for tests.
    #[must_use]
    pub fn tiny() -> Self {
        Self {
            ct_slices: 2,
            mr_slices: 2,
            mr_side: 64,
            pet_slices: 2,
            us_frames: 2,
            enhanced_frames: 2,
            shrink: 4,
        }
    }
}

/// What one study is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Ct,
    Mr,
    Cr,
    Ultrasound,
    Pet,
    Slide,
    Enhanced,
    Letter,
    Ecg,
}

struct Plan {
    topic: Topic,
    title: &'static str,
    /// Number of the patient within the hospital; the MR study is of the CT study's patient.
    patient: usize,
    charsets: [Charset; 2],
    syntaxes: [Syntax; 2],
}

const fn plan(
    topic: Topic,
    title: &'static str,
    patient: usize,
    charsets: [Charset; 2],
    syntaxes: [Syntax; 2],
) -> Plan {
    Plan { topic, title, patient, charsets, syntaxes }
}

const PLANS: [Plan; 9] = {
    use Charset::{Gb18030 as Cn, Iso2022Jp as Jp, Iso2022Kr as Kr, Latin1, Utf8};
    use Syntax::{Deflated, ExplicitBe, ExplicitLe, ImplicitLe, Rle};
    [
        plan(Topic::Ct, "CT chest", 0, [Latin1, Jp], [ExplicitLe, Rle]),
        plan(Topic::Mr, "MR brain", 0, [Latin1, Jp], [ImplicitLe, Deflated]),
        plan(Topic::Cr, "CR chest pa", 1, [Utf8, Cn], [ExplicitBe, ExplicitLe]),
        plan(Topic::Ultrasound, "US abdomen", 2, [Latin1, Kr], [ExplicitLe, ImplicitLe]),
        plan(Topic::Pet, "PET whole body", 3, [Latin1, Cn], [ExplicitLe, ExplicitBe]),
        plan(Topic::Slide, "SM biopsy", 4, [Utf8, Kr], [ExplicitLe, ExplicitLe]),
        plan(Topic::Enhanced, "MR spine", 5, [Latin1, Utf8], [ExplicitLe, Deflated]),
        plan(Topic::Letter, "Letter", 6, [Utf8, Jp], [ExplicitLe, ImplicitLe]),
        plan(Topic::Ecg, "ECG", 7, [Latin1, Cn], [ExplicitLe, ImplicitLe]),
    ]
};

/// One instance to make: which, in which study.
#[derive(Clone, Copy)]
struct Job {
    study: usize,
    piece: Piece,
}

#[derive(Clone, Copy)]
enum Piece {
    Slice(usize),
    Loop { jpeg: bool },
    Volume,
    Label,
    EnhancedMr,
    EnhancedCt,
    KeyObject,
    State,
    Structures,
    BasicReport,
    Report,
    Pdf,
    Ecg,
}

/// A corpus, determined by its seed and spec.
#[derive(Clone)]
pub struct Corpus {
    spec: CorpusSpec,
    studies: Arc<Vec<Study>>,
    shop: Arc<Shop>,
}

impl Corpus {
    /// Invents the patients and studies; the instances are made by [`Corpus::instances`].
    #[must_use]
    pub fn new(seed: u64, spec: CorpusSpec) -> Self {
        let studies = (0..2).flat_map(|hospital| {
            PLANS.iter().enumerate().map(move |(n, plan)| {
                let index = hospital * PLANS.len() + n;
                let charset = plan.charsets[hospital];
                Study::invent(seed, hospital, index, plan.patient, charset, plan.title)
            })
        });
        let shop = Shop { noise: Noise::new(seed), shrink: spec.shrink.clamp(1, 16) };
        Self { spec, studies: Arc::new(studies.collect()), shop: Arc::new(shop) }
    }

    /// Every instance of a new corpus, made one at a time as the iterator is read: hospital by
    /// hospital, study by study, images before what refers to them.
    pub fn generate(
        seed: u64,
        spec: CorpusSpec,
    ) -> impl Iterator<Item = Result<SynthInstance, SynthError>> + Send {
        Self::new(seed, spec).instances()
    }

    /// How many instances there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs().count()
    }

    /// Whether there are none (never, in practice).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every instance, made one at a time as the iterator is read.
    pub fn instances(
        &self,
    ) -> impl Iterator<Item = Result<SynthInstance, SynthError>> + Send + use<> {
        let corpus = self.clone();
        let jobs: Vec<Job> = self.jobs().collect();
        jobs.into_iter().map(move |job| corpus.make(job))
    }

    /// Hospital and name of every study's patient.
    #[cfg(test)]
    pub(crate) fn patient_names(&self) -> impl Iterator<Item = (usize, &str)> {
        self.studies.iter().map(|study| (study.hospital, study.patient.name.as_str()))
    }

    fn jobs(&self) -> impl Iterator<Item = Job> + '_ {
        (0..self.studies.len()).flat_map(|study| {
            let topic = PLANS[study % PLANS.len()].topic;
            self.pieces(topic).into_iter().map(move |piece| Job { study, piece })
        })
    }

    fn pieces(&self, topic: Topic) -> Vec<Piece> {
        let slices = |n: usize| (0..n).map(Piece::Slice);
        match topic {
            Topic::Ct => slices(self.spec.ct_slices)
                .chain([Piece::KeyObject, Piece::Structures, Piece::Report])
                .collect(),
            Topic::Mr => slices(self.spec.mr_slices).collect(),
            Topic::Cr => slices(1).chain([Piece::State, Piece::BasicReport]).collect(),
            Topic::Ultrasound => vec![Piece::Loop { jpeg: false }, Piece::Loop { jpeg: true }],
            Topic::Pet => slices(self.spec.pet_slices).collect(),
            Topic::Slide => vec![Piece::Volume, Piece::Label],
            Topic::Enhanced => vec![Piece::EnhancedMr, Piece::EnhancedCt],
            Topic::Letter => vec![Piece::Pdf, Piece::BasicReport],
            Topic::Ecg => vec![Piece::Ecg],
        }
    }

    fn make(&self, job: Job) -> Result<SynthInstance, SynthError> {
        let study = &self.studies[job.study];
        let plan = &PLANS[job.study % PLANS.len()];
        let mut syntax = plan.syntaxes[study.hospital];
        let draft = self.draft(study, plan.topic, job.piece);
        match job.piece {
            Piece::Loop { jpeg: true } => syntax = Syntax::JpegBaseline,
            // What has no pixels cannot be in a syntax that compresses them.
            _ if draft.pixels.is_none() && syntax == Syntax::Rle => syntax = Syntax::ExplicitLe,
            _ => {}
        }
        let lengths =
            if job.study.is_multiple_of(2) { Lengths::Undefined } else { Lengths::Defined };
        study.write(draft, syntax, lengths)
    }

    fn draft(&self, study: &Study, topic: Topic, piece: Piece) -> Draft {
        let images = images_series(study, topic);
        let targets = || self.targets(study, topic, &images);
        let shop = &*self.shop;
        let other = |number, modality, title| study.series(number, modality, title, "Planner");
        match piece {
            Piece::Slice(number) => self.slice(study, topic, &images, number),
            Piece::Loop { jpeg } => {
                kinds::ultrasound(study, &images, usize::from(jpeg), self.spec.us_frames, shop)
            }
            Piece::Volume => kinds::slide_volume(study, &images, shop),
            Piece::Label => kinds::slide_label(study, &images),
            Piece::EnhancedMr => {
                kinds::enhanced_mr(study, &images, self.spec.enhanced_frames, shop)
            }
            Piece::EnhancedCt => {
                let series = study.series(2, "CT", "spine bone", "Imager");
                kinds::enhanced_ct(study, &series, self.spec.enhanced_frames, shop)
            }
            Piece::KeyObject => {
                kinds::key_object(study, &other(81, "KO", "key images"), &targets())
            }
            Piece::State => kinds::presentation_state(study, &other(82, "PR", "marks"), &targets()),
            Piece::Structures => {
                kinds::rt_structure_set(study, &other(83, "RTSTRUCT", "contours"), &targets())
            }
            Piece::BasicReport => {
                kinds::basic_text_sr(study, &other(84, "SR", "report"), &targets())
            }
            Piece::Report => kinds::comprehensive_sr(study, &other(85, "SR", "report"), &targets()),
            Piece::Pdf => kinds::encapsulated_pdf(study, &other(86, "DOC", "letter")),
            Piece::Ecg => kinds::ecg(study, &other(1, "ECG", "resting 12 lead")),
        }
    }

    fn slice(&self, study: &Study, topic: Topic, series: &Series, number: usize) -> Draft {
        let slice = |of| kinds::Slice { number, of };
        match topic {
            Topic::Mr => {
                let slice = slice(self.spec.mr_slices);
                kinds::mr(study, series, slice, self.spec.mr_side, &self.shop)
            }
            Topic::Pet => kinds::pet(study, series, slice(self.spec.pet_slices), &self.shop),
            Topic::Cr => kinds::cr(study, series, number, &self.shop),
            _ => kinds::ct(study, series, slice(self.spec.ct_slices), &self.shop),
        }
    }

    /// The first images of the study, for objects that refer to images.
    fn targets(&self, study: &Study, topic: Topic, series: &Series) -> Vec<kinds::Target> {
        let (class, count) = match topic {
            Topic::Ct => (class::CT, self.spec.ct_slices),
            Topic::Cr => (class::CR, 1),
            _ => return Vec::new(),
        };
        let target = |number| kinds::Target {
            class,
            series_uid: series.uid.clone(),
            instance_uid: study.instance_uid(series, number),
        };
        (0..count.min(4)).map(target).collect()
    }
}

fn images_series(study: &Study, topic: Topic) -> Series {
    let maker = ["SIEMENS", "GE MEDICAL SYSTEMS"][study.hospital];
    match topic {
        Topic::Ct => study.series(2, "CT", "thorax 5.0 B31f", maker),
        Topic::Mr => study.series(3, "MR", "t2 tse tra", ["SIEMENS", "Philips"][study.hospital]),
        Topic::Cr => study.series(1, "CR", "pa erect", "Imager"),
        Topic::Ultrasound => study.series(1, "US", "liver loop", "Imager"),
        Topic::Pet => study.series(4, "PT", "wb ac", maker),
        Topic::Slide => study.series(1, "SM", "biopsy he", "Imager"),
        Topic::Enhanced => study.series(1, "MR", "spine t2", "Imager"),
        Topic::Letter => study.series(1, "DOC", "letter", "Imager"),
        Topic::Ecg => study.series(1, "ECG", "resting", "Imager"),
    }
}
