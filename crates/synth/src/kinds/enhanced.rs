//! Enhanced multi-frame CT and MR: shared and per-frame functional groups, with dates in each.

use super::images::frame_of_reference;
use super::{Shop, class};
use crate::PlantedKind;
use crate::pixels::{Frames, Phantom, noisy16};
use crate::study::{Draft, Series, Study};
use crate::wire::{DataSet, Vr};

const SIDE: u16 = 128;

pub(crate) fn enhanced_mr(study: &Study, series: &Series, frames: u16, shop: &Shop) -> Draft {
    let draft = multi_frame(study, series, class::ENHANCED_MR, frames);
    draft.pixels(images(frames, shop)).with(|d| {
        d.text(0x0008_0008, Vr::Cs, "ORIGINAL\\PRIMARY\\T2\\NONE");
        d.text(0x0008_9208, Vr::Cs, "MAGNITUDE");
        d.text(0x0008_9209, Vr::Cs, "T2");
        d.text(0x0018_0023, Vr::Cs, "2D");
        d.text(0x0018_0087, Vr::Ds, "3");
        d.text(0x0018_9004, Vr::Cs, "RESEARCH");
        d.text(0x0018_9005, Vr::Sh, "tse2d1_9");
        d.text(0x0018_9008, Vr::Cs, "SPIN");
        d.text(0x0018_9011, Vr::Cs, "NO");
        d.text(0x0018_9012, Vr::Cs, "NO");
        d.text(0x0018_9014, Vr::Cs, "NO");
        d.text(0x0018_9015, Vr::Cs, "NO");
        d.text(0x0018_9017, Vr::Cs, "NONE");
        d.text(0x0018_9018, Vr::Cs, "NO");
        d.text(0x0018_9024, Vr::Cs, "NO");
        d.text(0x0018_9025, Vr::Cs, "NONE");
        d.text(0x0018_9029, Vr::Cs, "NONE");
        d.text(0x0018_9032, Vr::Cs, "RECTILINEAR");
        d.text(0x0018_9033, Vr::Cs, "SINGLE");
        d.text(0x0018_9034, Vr::Cs, "REVERSE_LINEAR");
        d.us(0x0018_9093, &[1]);
        d.text(0x0018_9100, Vr::Cs, "1H");
        d.text(0x0018_9174, Vr::Cs, "NONE");
    })
}

pub(crate) fn enhanced_ct(study: &Study, series: &Series, frames: u16, shop: &Shop) -> Draft {
    enhanced_ct_header(study, series, frames).pixels(images(frames, shop))
}

/// The same without its pixels.
pub(crate) fn enhanced_ct_header(study: &Study, series: &Series, frames: u16) -> Draft {
    let draft = multi_frame(study, series, class::ENHANCED_CT, frames);
    draft.with(|d| {
        d.text(0x0008_0008, Vr::Cs, "ORIGINAL\\PRIMARY\\VOLUME\\NONE");
        d.text(0x0018_9004, Vr::Cs, "RESEARCH");
        d.text(0x0018_0060, Vr::Ds, "120");
    })
}

fn images(frames: u16, shop: &Shop) -> Frames {
    let images = (0..usize::from(frames)).map(|frame| {
        let phase = frame as f32 / f32::from(frames.max(1));
        noisy16(&Phantom::Head.draw(SIDE, SIDE, phase), &shop.noise, frame, 7)
    });
    Frames::grey16(SIDE, SIDE, 12, images.collect())
}

fn multi_frame(study: &Study, series: &Series, sop_class: &'static str, frames: u16) -> Draft {
    let mut draft = study.start(sop_class, series, 0);
    let d = &mut draft.data;
    let frame_uid = frame_of_reference(study, d);
    let concatenation = study.make_uid("concatenation");
    let source = study.make_uid("concatenation source");
    d.text(0x0018_5100, Vr::Cs, "HFS");
    d.text(0x0008_002a, Vr::Dt, &format!("{}{}", study.date.da(), study.time));
    d.text(0x0008_9205, Vr::Cs, "MONOCHROME");
    d.text(0x0008_9206, Vr::Cs, "VOLUME");
    d.text(0x0008_9207, Vr::Cs, "NONE");
    d.fd(0x0018_9073, &[12_000.0]);
    d.text(0x0020_9161, Vr::Ui, &concatenation);
    d.us(0x0020_9162, &[1]);
    d.us(0x0020_9163, &[2]);
    d.text(0x0020_0242, Vr::Ui, &source);
    d.ul(0x0020_9228, &[0]);
    d.seq(0x0040_0555, Vec::new());
    d.text(0x0028_0008, Vr::Is, &frames.to_string());
    d.text(0x0028_0301, Vr::Cs, "NO");
    d.text(0x0028_2110, Vr::Cs, "00");
    d.text(0x2050_0020, Vr::Cs, "IDENTITY");
    dimensions(study, d);
    shared_groups(study, d, if sop_class == class::ENHANCED_CT { "HU" } else { "US" });
    let groups = (0..frames).map(|frame| frame_groups(study, d, frame)).collect();
    d.seq(0x5200_9230, groups);
    draft
        .planting(PlantedKind::Uid, &frame_uid)
        .planting(PlantedKind::Uid, &concatenation)
        .planting(PlantedKind::Uid, &source)
}

pub(super) fn dimensions(study: &Study, d: &mut DataSet) {
    let uid = study.make_uid("dimension");
    d.one(0x0020_9221, |item| {
        item.text(0x0020_9164, Vr::Ui, &uid);
    });
    d.one(0x0020_9222, |item| {
        item.text(0x0020_9164, Vr::Ui, &uid);
        item.at(0x0020_9165, &[0x0020_9057]);
        item.at(0x0020_9167, &[0x0020_9111]);
        item.text(0x0020_9421, Vr::Lo, "In-stack position");
    });
}

fn shared_groups(study: &Study, d: &mut DataSet, unit: &str) {
    let orientation = d.item(|item| {
        item.text(0x0020_0037, Vr::Ds, "1\\0\\0\\0\\1\\0");
    });
    let measures = d.item(|item| {
        item.text(0x0018_0050, Vr::Ds, "4");
        item.text(0x0028_0030, Vr::Ds, "1.875\\1.875");
    });
    let reference = d.item(|item| {
        item.text(0x0008_1150, Vr::Ui, class::MR);
        item.text(0x0008_1155, Vr::Ui, &study.make_uid("planned on"));
        item.code(0x0040_a170, ["121311", "DCM", "Localizer"]);
    });
    // Every instance that a functional group points at is listed once more (PS3.3 C.8.13.2.1).
    let planned = super::Target {
        class: class::MR,
        series_uid: study.make_uid("planned on series"),
        instance_uid: study.make_uid("planned on"),
    };
    super::report::evidence(d, 0x0008_9092, &study.uid, &[planned]);
    d.one(0x5200_9229, |shared| {
        shared.one(0x0020_9071, |anatomy| {
            anatomy.code(0x0008_2218, ["T-11500", "SRT", "Spine"]);
            anatomy.text(0x0020_9072, Vr::Cs, "U");
        });
        shared.one(0x0028_9145, |transform| {
            transform.text(0x0028_1052, Vr::Ds, "0");
            transform.text(0x0028_1053, Vr::Ds, "1");
            transform.text(0x0028_1054, Vr::Lo, unit);
        });
        shared.seq(0x0008_1140, vec![reference]);
        shared.seq(0x0020_9116, vec![orientation]);
        shared.seq(0x0028_9110, vec![measures]);
    });
}

fn frame_groups(study: &Study, d: &DataSet, frame: u16) -> DataSet {
    let when = format!("{}{}", study.date.da(), study.time);
    d.item(|group| {
        group.one(0x0020_9111, |content| {
            content.text(0x0018_9074, Vr::Dt, &when);
            content.text(0x0018_9151, Vr::Dt, &when);
            content.fd(0x0018_9220, &[120.0]);
            content.text(0x0020_9056, Vr::Sh, "1");
            content.ul(0x0020_9057, &[u32::from(frame) + 1]);
            content.us(0x0020_9156, &[frame + 1]);
            content.ul(0x0020_9157, &[u32::from(frame) + 1]);
            content.text(0x0020_9158, Vr::Lt, &format!("frame of {}", study.patient.mrn));
        });
        group.one(0x0020_9113, |position| {
            position.text(0x0020_0032, Vr::Ds, &format!("-120\\-120\\{}", frame * 4));
        });
    })
}
