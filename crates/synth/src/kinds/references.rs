//! Objects that point at images: presentation states, key objects, RT structure sets.

use super::class;
use super::report::{Target, evidence, item, reference};
use crate::PlantedKind;
use crate::people::{fold, staff};
use crate::study::{Draft, Series, Study};
use crate::wire::{DataSet, Vr};

/// Grayscale softcopy presentation state with a text object that names the patient.
pub(crate) fn presentation_state(study: &Study, series: &Series, images: &[Target]) -> Draft {
    let (family, _) = study.patient.latin();
    let family = fold(family);
    let mut draft = study.start(class::GSPS, series, 0);
    let d = &mut draft.data;
    let creator = staff(study.charset, study.hospital, 3);
    d.text(0x0020_0060, Vr::Cs, "");
    d.text(0x0070_0080, Vr::Cs, "ANNOTATED");
    d.text(0x0070_0081, Vr::Lo, &format!("Marked for {family}"));
    d.text(0x0070_0082, Vr::Da, &study.date.da());
    d.text(0x0070_0083, Vr::Tm, &study.time);
    d.text(0x0070_0084, Vr::Pn, creator);
    let references: Vec<DataSet> = images.iter().map(|image| reference(d, image)).collect();
    if let Some(first) = images.first() {
        let list = references.clone();
        d.one(0x0008_1115, |series| {
            series.seq(0x0008_1140, list);
            series.text(0x0020_000e, Vr::Ui, &first.series_uid);
        });
    }
    let text = d.item(|text| {
        text.text(0x0070_0004, Vr::Cs, "PIXEL");
        text.text(0x0070_0006, Vr::St, &format!("{family} {}", study.prior.us_slashes()));
        text.fl(0x0070_0014, &[10.0, 10.0]);
        text.text(0x0070_0015, Vr::Cs, "N");
    });
    d.one(0x0070_0001, |graphic| {
        graphic.seq(0x0008_1140, references);
        graphic.text(0x0070_0002, Vr::Cs, "NOTES");
        graphic.seq(0x0070_0008, vec![text]);
    });
    d.one(0x0070_0060, |layer| {
        layer.text(0x0070_0002, Vr::Cs, "NOTES");
        layer.text(0x0070_0062, Vr::Is, "1");
        layer.text(0x0070_0068, Vr::Lo, &format!("layer of {creator}"));
    });
    d.one(0x0070_005a, |area| {
        area.bytes(0x0070_0052, Vr::Sl, [1i32, 1].map(i32::to_le_bytes).concat());
        area.bytes(0x0070_0053, Vr::Sl, [256i32, 256].map(i32::to_le_bytes).concat());
        area.text(0x0070_0100, Vr::Cs, "SCALE TO FIT");
        area.text(0x0070_0102, Vr::Is, "1\\1");
    });
    d.text(0x2050_0020, Vr::Cs, "IDENTITY");
    draft.planting(PlantedKind::PersonName, creator)
}

/// Key object selection with a remark.
pub(crate) fn key_object(study: &Study, series: &Series, images: &[Target]) -> Draft {
    let mut draft = study.start(class::KEY_OBJECT, series, 0);
    let d = &mut draft.data;
    d.seq(0x0008_1111, Vec::new());
    evidence(d, 0x0040_a375, &study.uid, images);
    d.text(0x0040_a040, Vr::Cs, "CONTAINER");
    d.text(0x0040_a050, Vr::Cs, "SEPARATE");
    d.code(0x0040_a043, ["113000", "DCM", "Of Interest"]);
    d.one(0x0040_a504, |template| {
        template.text(0x0008_0105, Vr::Cs, "DCMR");
        template.text(0x0040_db00, Vr::Cs, "2010");
    });
    let mut remark = item(d, "CONTAINS", "TEXT", ["113012", "DCM", "Key Object Description"]);
    let (family, _) = study.patient.latin();
    let family = fold(family);
    remark.text(0x0040_a160, Vr::Ut, &format!("show to family {family}, {}", study.patient.phone));
    let mut items = vec![remark];
    for image in images {
        let target = reference(d, image);
        items.push(d.item(|item| {
            item.text(0x0040_a010, Vr::Cs, "CONTAINS");
            item.text(0x0040_a040, Vr::Cs, "IMAGE");
            item.seq(0x0008_1199, vec![target]);
        }));
    }
    d.seq(0x0040_a730, items);
    draft
}

/// RT structure set with two regions; labels and names as typed in planning.
pub(crate) fn rt_structure_set(study: &Study, series: &Series, images: &[Target]) -> Draft {
    let mut draft = study.start(class::RT_STRUCTURE_SET, series, 0);
    let d = &mut draft.data;
    let (family, _) = study.patient.latin();
    let family = fold(family);
    let frame = study.make_uid("frame of reference");
    d.text(0x0020_0052, Vr::Ui, &frame);
    d.text(0x0020_1040, Vr::Lo, "");
    d.text(0x3006_0002, Vr::Sh, "PLAN1");
    d.text(0x3006_0004, Vr::Lo, &format!("contours {family}"));
    d.text(0x3006_0008, Vr::Da, &study.date.da());
    d.text(0x3006_0009, Vr::Tm, &study.time);
    referenced_frame(study, d, &frame, images);
    let names = ["Heart".to_owned(), format!("GTV {family}")];
    let rois = names.iter().zip(1..).map(|(name, number)| {
        d.item(|roi| {
            roi.text(0x3006_0022, Vr::Is, &format!("{number}"));
            roi.text(0x3006_0024, Vr::Ui, &frame);
            roi.text(0x3006_0026, Vr::Lo, name);
            roi.text(0x3006_0036, Vr::Cs, "MANUAL");
        })
    });
    let rois = rois.collect();
    d.seq(0x3006_0020, rois);
    let contours = (1..=2).map(|number| contour(d, number, images)).collect();
    d.seq(0x3006_0039, contours);
    let interpreter = staff(study.charset, study.hospital, 1);
    let observations = (1..=2).map(|number| {
        d.item(|observation| {
            observation.text(0x3006_0082, Vr::Is, &format!("{number}"));
            observation.text(0x3006_0084, Vr::Is, &format!("{number}"));
            observation.text(0x3006_00a4, Vr::Cs, ["ORGAN", "GTV"][number - 1]);
            observation.text(0x3006_00a6, Vr::Pn, interpreter);
        })
    });
    let observations = observations.collect();
    d.seq(0x3006_0080, observations);
    d.text(0x300e_0002, Vr::Cs, "APPROVED");
    d.text(0x300e_0004, Vr::Da, &study.date.da());
    d.text(0x300e_0005, Vr::Tm, &study.time);
    d.text(0x300e_0008, Vr::Pn, interpreter);
    draft.planting(PlantedKind::Uid, &frame)
}

fn referenced_frame(study: &Study, d: &mut DataSet, frame: &str, images: &[Target]) {
    let Some(first) = images.first() else {
        return;
    };
    let references = images.iter().map(|image| reference(d, image)).collect();
    let series = d.item(|series| {
        series.text(0x0020_000e, Vr::Ui, &first.series_uid);
        series.seq(0x3006_0016, references);
    });
    let study_item = d.item(|item| {
        // Detached Study Management SOP Class (retired), as the standard still asks here.
        item.text(0x0008_1150, Vr::Ui, "1.2.840.10008.3.1.2.3.1");
        item.text(0x0008_1155, Vr::Ui, &study.uid);
        item.seq(0x3006_0014, vec![series]);
    });
    d.one(0x3006_0010, |item| {
        item.text(0x0020_0052, Vr::Ui, frame);
        item.seq(0x3006_0012, vec![study_item]);
    });
}

fn contour(d: &DataSet, number: usize, images: &[Target]) -> DataSet {
    let image = images.first().map(|image| reference(d, image));
    let line = d.item(|line| {
        line.seq(0x3006_0016, image.into_iter().collect());
        line.text(0x3006_0042, Vr::Cs, "CLOSED_PLANAR");
        line.text(0x3006_0046, Vr::Is, "4");
        line.text(0x3006_0050, Vr::Ds, "10\\10\\-120\\30\\10\\-120\\30\\30\\-120\\10\\30\\-120");
    });
    d.item(|roi| {
        roi.text(0x3006_002a, Vr::Is, "255\\0\\0");
        roi.seq(0x3006_0040, vec![line]);
        roi.text(0x3006_0084, Vr::Is, &format!("{number}"));
    })
}
