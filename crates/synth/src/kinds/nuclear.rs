//! PET with what is needed for standardized uptake values.

use super::images::{Slice, frame_of_reference};
use super::{Shop, class};
use crate::PlantedKind;
use crate::pixels::{Frames, Phantom, noisy16};
use crate::study::{Draft, Series, Study};
use crate::wire::{DataSet, Vr};

pub(crate) fn pet(study: &Study, series: &Series, slice: Slice, shop: &Shop) -> Draft {
    let side = 192 / shop.shrink;
    let mut draft = study.start(class::PET, series, slice.number);
    let d = &mut draft.data;
    let frame = frame_of_reference(study, d);
    technique(d, slice);
    d.text(0x0008_0022, Vr::Da, &study.date.da());
    d.text(0x0008_0032, Vr::Tm, &study.time);
    radiopharmaceutical(study, d);
    let base = Phantom::Chest.draw(side, side, slice.phase());
    let frames = vec![noisy16(&base, &shop.noise, slice.number, 4)];
    draft.planting(PlantedKind::Uid, &frame).pixels(Frames::grey16(side, side, 16, frames))
}

fn technique(d: &mut DataSet, slice: Slice) {
    let z = slice.number as f32 * 3.27;
    d.text(0x0008_0008, Vr::Cs, "ORIGINAL\\PRIMARY");
    d.text(0x0018_0015, Vr::Cs, "CHEST");
    d.text(0x0018_0050, Vr::Ds, "3.27");
    d.text(0x0018_1181, Vr::Cs, "NONE");
    d.text(0x0018_1242, Vr::Is, "180000");
    d.text(0x0020_0032, Vr::Ds, &format!("-320\\-320\\{z:.2}"));
    d.text(0x0020_0037, Vr::Ds, "1\\0\\0\\0\\1\\0");
    d.text(0x0028_0030, Vr::Ds, "3.64\\3.64");
    d.text(0x0028_0051, Vr::Cs, "DECY\\ATTN\\SCAT\\RAN\\NORM");
    d.text(0x0028_1052, Vr::Ds, "0");
    d.text(0x0028_1053, Vr::Ds, "12.5");
    d.us(0x0054_0081, &[slice.of as u16]);
    d.text(0x0054_1000, Vr::Cs, "WHOLE BODY\\IMAGE");
    d.text(0x0054_1001, Vr::Cs, "BQML");
    d.text(0x0054_1002, Vr::Cs, "EMISSION");
    d.text(0x0054_1100, Vr::Cs, "DLYD");
    d.text(0x0054_1101, Vr::Lo, "measured");
    d.text(0x0054_1102, Vr::Cs, "START");
    d.text(0x0054_1103, Vr::Lo, "OSEM 3i24s");
    d.text(0x0054_1105, Vr::Lo, "model-based");
    d.text(0x0054_1300, Vr::Ds, "90000");
    d.text(0x0054_1321, Vr::Ds, "1.02");
    d.us(0x0054_1330, &[slice.number as u16 + 1]);
}

/// PS3.3 C.8.9.2: what was injected, when, and how much.
fn radiopharmaceutical(study: &Study, d: &mut DataSet) {
    d.one(0x0054_0016, |item| {
        item.text(0x0018_0031, Vr::Lo, "Fluorodeoxyglucose");
        item.text(0x0018_1071, Vr::Ds, "5");
        item.text(0x0018_1072, Vr::Tm, "081500");
        item.text(0x0018_1074, Vr::Ds, "350000000");
        item.text(0x0018_1075, Vr::Ds, "6586.2");
        item.text(0x0018_1076, Vr::Ds, "0.967");
        item.text(0x0018_1078, Vr::Dt, &format!("{}081500", study.date.da()));
        item.code(0x0054_0300, ["C-111A1", "SRT", "^18^Fluorine"]);
        item.code(0x0054_0302, ["G-D101", "SRT", "Intravenous route"]);
        item.code(0x0054_0304, ["C-B1031", "SRT", "Fluorodeoxyglucose F^18^"]);
    });
    d.code(0x0054_0410, ["F-10450", "SRT", "recumbent"]);
    d.code(0x0054_0414, ["F-10470", "SRT", "headfirst"]);
}
