//! One study of the benchmark: its plan, and the attributes that its instances share.

use super::hospital::Hospital;
use super::person::{Name, Patient, phone};
use super::phrase::{Habit, Phrase, Scene};
use crate::people::Day;
use crate::rng::Rng;
use std::sync::Arc;

/// What makes the images or the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cr,
    Ct,
    Dx,
    Mg,
    Mr,
    Pt,
    Sr,
    Us,
}

impl Kind {
    pub(super) fn modality(self) -> &'static str {
        match self {
            Self::Cr => "CR",
            Self::Ct => "CT",
            Self::Dx => "DX",
            Self::Mg => "MG",
            Self::Mr => "MR",
            Self::Pt => "PT",
            Self::Sr => "SR",
            Self::Us => "US",
        }
    }

    /// SOP Class UID (PS3.4 table B.5-1).
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Cr => "1.2.840.10008.5.1.4.1.1.1",
            Self::Ct => "1.2.840.10008.5.1.4.1.1.2",
            Self::Dx => "1.2.840.10008.5.1.4.1.1.1.1",
            Self::Mg => "1.2.840.10008.5.1.4.1.1.1.2",
            Self::Mr => "1.2.840.10008.5.1.4.1.1.4",
            Self::Pt => "1.2.840.10008.5.1.4.1.1.128",
            Self::Sr => "1.2.840.10008.5.1.4.1.1.88.33",
            Self::Us => "1.2.840.10008.5.1.4.1.1.6.1",
        }
    }
}

/// How often each kind is the topic of a study.
const TOPICS: [Kind; 24] = {
    use Kind::{Cr, Ct, Dx, Mg, Mr, Pt, Sr, Us};
    [Ct, Ct, Ct, Ct, Mr, Mr, Mr, Mr, Cr, Cr, Cr, Dx, Dx, Dx, Mg, Mg, Pt, Pt, Us, Us, Us, Sr, Sr, Sr]
};

const MAKERS: [(&str, &str); 6] = [
    ("SIEMENS", "Somatom Go"),
    ("GE MEDICAL SYSTEMS", "Discovery 750"),
    ("Philips Medical Systems", "Ingenuity"),
    ("FUJIFILM Corporation", "FCR 5000"),
    ("HOLOGIC, Inc.", "Selenia"),
    ("Agfa", "ADC 5146"),
];

/// The maker of a kind's machines, one of those that make them.
fn maker(rng: &mut Rng, kind: Kind) -> (&'static str, &'static str) {
    let makers: &[usize] = match kind {
        Kind::Cr => &[3, 5],
        Kind::Dx => &[1, 2, 3],
        Kind::Mg => &[1, 4],
        _ => &[0, 1, 2],
    };
    MAKERS[*rng.pick(makers)]
}

/// A series before it is written.
pub(super) struct Series {
    pub(super) kind: Kind,
    pub(super) number: u32,
    pub(super) count: usize,
    pub(super) uid: String,
    pub(super) frame_of_reference: String,
    pub(super) maker: (&'static str, &'static str),
    pub(super) station: String,
    pub(super) serial: String,
    pub(super) description: Phrase,
    pub(super) protocol: Phrase,
    pub(super) step: Phrase,
    pub(super) instances: Vec<String>,
}

/// A study and everything in its header.
pub(super) struct Study {
    hospitals: Arc<Vec<Hospital>>,
    at: usize,
    pub(super) patient: Patient,
    pub(super) date: Day,
    pub(super) prior: Day,
    time: String,
    pub(super) uid: String,
    pub(super) prior_uid: String,
    pub(super) accession: String,
    pub(super) description: Phrase,
    pub(super) requested: Phrase,
    pub(super) reason: Phrase,
    pub(super) comments: Phrase,
    pub(super) history: Phrase,
    pub(super) patient_comments: Phrase,
    pub(super) series: Vec<Series>,
    pub(super) step_comments: Phrase,
    pub(super) request_comments: Phrase,
    pub(super) callback: String,
    pub(super) trial: bool,
    pub(super) study_id: String,
    pub(super) request_ids: [String; 3],
    pub(super) people: Vec<Name>,
    extras: u64,
}

impl Study {
    /// Study number `index` of a seed. Every fourth is of the same patient as the one before.
    pub(super) fn invent(seed: u64, index: usize, hospitals: &Arc<Vec<Hospital>>) -> Self {
        let number = index / 4 * 3 + (index % 4).min(2);
        let mut own = Rng::new(seed, &format!("benchmark patient {number}"));
        let at = own.below(hospitals.len() as u32) as usize;
        let hospital = &hospitals[at];
        let record = hospital.record_number(&mut own);
        let patient = Patient::invent(&mut own, hospital.culture, record);
        let rng = &mut Rng::new(seed, &format!("benchmark study {index}"));
        let year = 2012 + rng.below(11) as u16;
        let date = day(rng, year);
        let prior = day(rng, date.year - 2);
        let topic = *rng.pick(&TOPICS);
        let accession = hospital.accession(rng, date);
        let prior_uid = hospital.uid(rng, prior);
        let scene = Scene {
            hospital,
            patient: &patient,
            prior,
            accession: &accession,
            study_uid: &prior_uid,
        };
        let culture = hospital.culture;
        let say = |rng: &mut Rng, section: &str, habit| {
            let clinical = culture.clinical(rng, section);
            scene.type_in(rng, clinical, habit)
        };
        let title = format!("study.{}", topic.modality());
        let description = say(rng, &title, Habit::Short);
        let requested = say(rng, &title, Habit::Short);
        let reason = say(rng, "reason", Habit::Short);
        let comments = say(rng, "finding", Habit::Long);
        let history = say(rng, "history", Habit::Long);
        let patient_comments = say(rng, "history", Habit::Long);
        let step_comments = say(rng, "finding", Habit::Long);
        let request_comments = say(rng, "reason", Habit::Long);
        let callback = phone(rng, culture);
        let series = plan(rng, topic, &scene, date);
        let people = (0..6).map(|_| rng.pick(&hospital.staff).clone()).collect();
        Self {
            time: format!("{:02}{:02}{:02}", 7 + rng.below(12), rng.below(60), rng.below(60)),
            uid: hospital.uid(rng, date),
            trial: rng.below(8) == 0,
            study_id: format!("{}{}", rng.word(&["S", "ST", "E"]), rng.digits(6)),
            request_ids: ["RP", "SPS", "PPS"].map(|id| format!("{id}{}", rng.digits(7))),
            extras: rng.u64(),
            hospitals: Arc::clone(hospitals),
            at,
            patient,
            date,
            prior,
            prior_uid,
            accession,
            description,
            requested,
            reason,
            comments,
            history,
            patient_comments,
            step_comments,
            request_comments,
            callback,
            series,
            people,
        }
    }

    pub(super) fn hospital(&self) -> &Hospital {
        &self.hospitals[self.at]
    }

    /// Whether an optional attribute is filled in: the same for all instances of the study.
    pub(super) fn has(&self, bit: u32) -> bool {
        let thorough = self.hospital().thorough;
        self.extras >> bit & 1 == 1 || (thorough && self.extras >> (bit + 24) & 1 == 1)
    }

    /// A stream for one purpose, the same for all instances.
    pub(super) fn rng(&self, purpose: &str) -> Rng {
        Rng::new(self.extras, purpose)
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            hospital: self.hospital(),
            patient: &self.patient,
            prior: self.prior,
            accession: &self.accession,
            study_uid: &self.prior_uid,
        }
    }

    pub(super) fn time(&self) -> &str {
        &self.time
    }
}

pub(super) fn day(rng: &mut Rng, year: u16) -> Day {
    Day { year, month: 1 + rng.below(12) as u8, day: 1 + rng.below(28) as u8 }
}

/// The series of a study about `topic`, sometimes with a report.
fn plan(rng: &mut Rng, topic: Kind, scene: &Scene<'_>, date: Day) -> Vec<Series> {
    let count = match topic {
        Kind::Sr => 1,
        Kind::Mg => 2 + rng.below(3),
        _ => 1 + rng.below(3),
    };
    let mut series: Vec<Series> =
        (0..count).map(|n| one_series(rng, topic, n + 1, scene, date)).collect();
    if topic != Kind::Sr && rng.below(4) == 0 {
        series.push(one_series(rng, Kind::Sr, 99, scene, date));
    }
    series
}

fn one_series(rng: &mut Rng, kind: Kind, number: u32, scene: &Scene<'_>, date: Day) -> Series {
    let hospital = scene.hospital;
    let title = format!("series.{}", kind.modality());
    let say = |rng: &mut Rng, section: &str| {
        let clinical = hospital.culture.clinical(rng, section);
        scene.type_in(rng, clinical, Habit::Short)
    };
    let count = match kind {
        Kind::Ct | Kind::Mr | Kind::Pt => 2 + rng.below(7),
        Kind::Us => 1 + rng.below(4),
        Kind::Sr => 1,
        _ => 1 + rng.below(2),
    };
    Series {
        kind,
        number,
        count: count as usize,
        uid: hospital.uid(rng, date),
        frame_of_reference: hospital.uid(rng, date),
        maker: maker(rng, kind),
        station: format!("{}{}", kind.modality(), rng.digits(3)),
        serial: rng.digits(6),
        description: say(rng, &title),
        protocol: say(rng, "protocol"),
        step: say(rng, &format!("study.{}", kind.modality())),
        instances: (0..count).map(|_| hospital.uid(rng, date)).collect(),
    }
}
