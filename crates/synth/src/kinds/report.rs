//! Structured reports with names in TEXT, PNAME and DATE items and in the observers.

use super::class;
use crate::PlantedKind;
use crate::people::{HOSPITALS, fold, staff};
use crate::study::{Draft, Series, Study};
use crate::wire::{DataSet, Vr, code_item};

/// An image a report or a selection points at.
pub(crate) struct Target {
    pub(crate) class: &'static str,
    pub(crate) series_uid: String,
    pub(crate) instance_uid: String,
}

pub(crate) fn basic_text_sr(study: &Study, series: &Series, images: &[Target]) -> Draft {
    let draft = study.start(class::BASIC_TEXT_SR, series, 0);
    let mut draft = document(study, draft, images);
    let content = content(study, &draft.data, images, false);
    draft.data.seq(0x0040_a730, content);
    draft
}

pub(crate) fn comprehensive_sr(study: &Study, series: &Series, images: &[Target]) -> Draft {
    let draft = study.start(class::COMPREHENSIVE_SR, series, 0);
    let mut draft = document(study, draft, images);
    let mut items = content(study, &draft.data, images, true);
    let mut measure = item(&draft.data, "CONTAINS", "NUM", ["G-A22A", "SRT", "Length"]);
    measure.one(0x0040_a300, |value| {
        value.code(0x0040_08ea, ["mm", "UCUM", "millimeter"]);
        value.text(0x0040_a30a, Vr::Ds, "14.5");
    });
    items.push(measure);
    draft.data.seq(0x0040_a730, items);
    draft
}

/// SR Document General (PS3.3 C.17.2) and the root container.
fn document(study: &Study, mut draft: Draft, images: &[Target]) -> Draft {
    let observer = staff(study.charset, study.hospital, 3);
    let (institution, _) = HOSPITALS[study.hospital].name(study.charset);
    let when = format!("{}{}", study.date.da(), &study.time[..6]);
    let d = &mut draft.data;
    d.text(0x0040_a491, Vr::Cs, "COMPLETE");
    d.text(0x0040_a493, Vr::Cs, "VERIFIED");
    d.one(0x0040_a073, |verifier| {
        verifier.text(0x0040_a027, Vr::Lo, institution);
        verifier.text(0x0040_a030, Vr::Dt, &when);
        verifier.text(0x0040_a075, Vr::Pn, observer);
        verifier.seq(0x0040_a088, Vec::new());
    });
    d.one(0x0040_a078, |author| {
        author.text(0x0040_a082, Vr::Dt, &when);
        author.text(0x0040_a084, Vr::Cs, "PSN");
        author.text(0x0040_a123, Vr::Pn, observer);
        author.text(0x0008_0080, Vr::Lo, institution);
        author.seq(0x0008_0082, Vec::new());
        author.seq(0x0040_1101, Vec::new());
    });
    d.seq(0x0008_1111, Vec::new());
    d.seq(0x0040_a372, Vec::new());
    evidence(d, 0x0040_a375, &study.uid, images);
    d.text(0x0040_a040, Vr::Cs, "CONTAINER");
    d.text(0x0040_a050, Vr::Cs, "SEPARATE");
    d.code(0x0040_a043, ["11528-7", "LN", "Radiology Report"]);
    draft.planting(PlantedKind::PersonName, observer)
}

/// Hierarchical SOP Instance Reference (PS3.3 C.17.2.1), one series.
pub(crate) fn evidence(d: &mut DataSet, tag: u32, study_uid: &str, images: &[Target]) {
    let Some(first) = images.first() else {
        return;
    };
    let references = images.iter().map(|image| reference(d, image)).collect();
    let series = d.item(|series| {
        series.seq(0x0008_1199, references);
        series.text(0x0020_000e, Vr::Ui, &first.series_uid);
    });
    d.one(tag, |item| {
        item.seq(0x0008_1115, vec![series]);
        item.text(0x0020_000d, Vr::Ui, study_uid);
    });
}

pub(crate) fn reference(d: &DataSet, image: &Target) -> DataSet {
    d.item(|item| {
        item.text(0x0008_1150, Vr::Ui, image.class);
        item.text(0x0008_1155, Vr::Ui, &image.instance_uid);
    })
}

/// A content item without its value (PS3.3 C.17.3).
pub(crate) fn item(parent: &DataSet, relation: &str, kind: &str, concept: [&str; 3]) -> DataSet {
    parent.item(|item| {
        item.text(0x0040_a010, Vr::Cs, relation);
        item.text(0x0040_a040, Vr::Cs, kind);
        item.seq(0x0040_a043, vec![code_item(parent.charset(), concept)]);
    })
}

fn content(study: &Study, d: &DataSet, images: &[Target], dates: bool) -> Vec<DataSet> {
    let (family, given) = study.patient.latin();
    let (family, given) = (fold(family), fold(given));
    let mut items = Vec::new();
    let mut observer =
        item(d, "HAS OBS CONTEXT", "PNAME", ["121008", "DCM", "Person Observer Name"]);
    observer.text(0x0040_a123, Vr::Pn, staff(study.charset, study.hospital, 3));
    items.push(observer);
    let text = |concept, value: &str| {
        let mut entry = item(d, "CONTAINS", "TEXT", concept);
        entry.text(0x0040_a160, Vr::Ut, value);
        entry
    };
    items.push(text(
        ["121060", "DCM", "History"],
        &format!(
            "{given} {family} (record {}) was seen on {}. Previous examination {}.",
            study.patient.mrn,
            study.date.iso(),
            study.prior.dotted()
        ),
    ));
    items.push(text(
        ["121070", "DCM", "Findings"],
        &format!(
            "No focal consolidation. {} reviewed with {}.",
            study.patient.native().unwrap_or_else(|| family.clone()),
            spoken(staff(study.charset, study.hospital, 2))
        ),
    ));
    if dates {
        let mut date = item(d, "HAS OBS CONTEXT", "DATE", ["121031", "DCM", "Subject Birth Date"]);
        date.text(0x0040_a121, Vr::Da, &study.patient.birth.da());
        let mut uid = item(d, "HAS OBS CONTEXT", "UIDREF", ["121028", "DCM", "Subject UID"]);
        uid.text(0x0040_a124, Vr::Ui, &study.make_uid("subject"));
        items.extend([date, uid]);
    }
    for image in images.iter().take(2) {
        let mut entry = item(d, "CONTAINS", "IMAGE", ["121112", "DCM", "Source of Measurement"]);
        let target = reference(d, image);
        entry.seq(0x0008_1199, vec![target]);
        items.push(entry);
    }
    items
}

/// A name as a report has it: the Latin representation with spaces.
fn spoken(name: &str) -> String {
    fold(name.split('=').next().unwrap_or_default()).replace('^', " ")
}
