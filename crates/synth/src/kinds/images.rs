//! CT, MR and CR: one frame an instance.

use super::{Shop, class, csa_header, ge_block, philips_block, siemens_block};
use crate::PlantedKind;
use crate::pixels::{Frames, Phantom, noisy16};
use crate::study::{Draft, Series, Study};
use crate::wire::{DataSet, Vr};

/// Number and place of a slice within its series.
#[derive(Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) number: usize,
    pub(crate) of: usize,
}

impl Slice {
    pub(crate) fn phase(self) -> f32 {
        self.number as f32 / self.of.max(1) as f32
    }
}

pub(crate) fn frame_of_reference(study: &Study, d: &mut DataSet) -> String {
    let uid = study.make_uid("frame of reference");
    d.text(0x0020_0052, Vr::Ui, &uid);
    d.text(0x0020_1040, Vr::Lo, "");
    uid
}

fn plane(d: &mut DataSet, slice: Slice, spacing: &str, thickness: f32) {
    let z = slice.number as f32 * thickness - 120.0;
    d.text(0x0018_0050, Vr::Ds, &format!("{thickness}"));
    d.text(0x0018_5100, Vr::Cs, "HFS");
    d.text(0x0020_0032, Vr::Ds, &format!("-160.5\\-160.5\\{z:.2}"));
    d.text(0x0020_0037, Vr::Ds, "1\\0\\0\\0\\1\\0");
    d.text(0x0020_1041, Vr::Ds, &format!("{z:.2}"));
    d.text(0x0028_0030, Vr::Ds, spacing);
}

fn acquisition(study: &Study, d: &mut DataSet) {
    d.text(0x0008_0022, Vr::Da, &study.date.da());
    d.text(0x0008_0032, Vr::Tm, &study.time);
    d.text(0x0020_0012, Vr::Is, "1");
}

pub(crate) fn ct(study: &Study, series: &Series, slice: Slice, shop: &Shop) -> Draft {
    let side = 512 / shop.shrink;
    let base = Phantom::Chest.draw(side, side, slice.phase());
    let frames = vec![noisy16(&base, &shop.noise, slice.number, 4)];
    ct_header(study, series, slice).pixels(Frames::grey16(side, side, 12, frames))
}

pub(crate) fn ct_header(study: &Study, series: &Series, slice: Slice) -> Draft {
    let mut draft = study.start(class::CT, series, slice.number);
    let d = &mut draft.data;
    let frame = frame_of_reference(study, d);
    acquisition(study, d);
    plane(d, slice, "0.703125\\0.703125", 5.0);
    ct_technique(d);
    if study.hospital == 0 {
        siemens_block(study, d);
    } else {
        ge_block(study, d);
    }
    draft.planting(PlantedKind::Uid, &frame)
}

pub(crate) fn ct_technique(d: &mut DataSet) {
    d.text(0x0008_0008, Vr::Cs, "ORIGINAL\\PRIMARY\\AXIAL");
    d.text(0x0018_0015, Vr::Cs, "CHEST");
    d.text(0x0018_0022, Vr::Cs, "HELICAL MODE");
    d.text(0x0018_0060, Vr::Ds, "120");
    d.text(0x0018_0090, Vr::Ds, "500");
    d.text(0x0018_1030, Vr::Lo, "Thorax routine");
    d.text(0x0018_1120, Vr::Ds, "0");
    d.text(0x0018_1140, Vr::Cs, "CW");
    d.text(0x0018_1150, Vr::Is, "500");
    d.text(0x0018_1151, Vr::Is, "210");
    d.text(0x0018_1152, Vr::Is, "105");
    d.text(0x0018_1210, Vr::Sh, "B31f");
    d.text(0x0028_0301, Vr::Cs, "NO");
    d.text(0x0028_1050, Vr::Ds, "40");
    d.text(0x0028_1051, Vr::Ds, "400");
    d.text(0x0028_1052, Vr::Ds, "-1024");
    d.text(0x0028_1053, Vr::Ds, "1");
    d.text(0x0028_1054, Vr::Lo, "HU");
}

pub(crate) fn mr(study: &Study, series: &Series, slice: Slice, side: u16, shop: &Shop) -> Draft {
    let base = Phantom::Head.draw(side, side, slice.phase());
    let frames = vec![noisy16(&base, &shop.noise, slice.number, 7)];
    mr_header(study, series, slice).pixels(Frames::grey16(side, side, 12, frames))
}

pub(crate) fn mr_header(study: &Study, series: &Series, slice: Slice) -> Draft {
    let mut draft = study.start(class::MR, series, slice.number);
    let d = &mut draft.data;
    let frame = frame_of_reference(study, d);
    acquisition(study, d);
    plane(d, slice, "0.9375\\0.9375", 2.5);
    mr_technique(d);
    if study.hospital == 0 {
        siemens_block(study, d);
        d.text(0x0029_0011, Vr::Lo, "SIEMENS MEDCOM HEADER");
        d.bytes(0x0029_1110, Vr::Ob, csa_header(study));
    } else {
        philips_block(study, d);
    }
    draft.planting(PlantedKind::Uid, &frame)
}

pub(crate) fn mr_technique(d: &mut DataSet) {
    d.text(0x0008_0008, Vr::Cs, "ORIGINAL\\PRIMARY\\M\\ND");
    d.text(0x0018_0015, Vr::Cs, "BRAIN");
    d.text(0x0018_0020, Vr::Cs, "SE");
    d.text(0x0018_0021, Vr::Cs, "SK");
    d.text(0x0018_0022, Vr::Cs, "");
    d.text(0x0018_0023, Vr::Cs, "2D");
    d.text(0x0018_0024, Vr::Sh, "tse2d1_9");
    d.text(0x0018_0025, Vr::Cs, "N");
    d.text(0x0018_0080, Vr::Ds, "4000");
    d.text(0x0018_0081, Vr::Ds, "92");
    d.text(0x0018_0083, Vr::Ds, "2");
    d.text(0x0018_0084, Vr::Ds, "123.2");
    d.text(0x0018_0085, Vr::Sh, "1H");
    d.text(0x0018_0086, Vr::Is, "1");
    d.text(0x0018_0087, Vr::Ds, "3");
    d.text(0x0018_0088, Vr::Ds, "3.0");
    d.text(0x0018_0089, Vr::Is, "224");
    d.text(0x0018_0091, Vr::Is, "9");
    d.text(0x0018_0095, Vr::Ds, "220");
    d.text(0x0018_1030, Vr::Lo, "t2_tse_tra");
    d.text(0x0018_1251, Vr::Sh, "Body");
    d.us(0x0018_1310, &[0, 256, 224, 0]);
    d.text(0x0018_1312, Vr::Cs, "ROW");
    d.text(0x0018_1314, Vr::Ds, "150");
    d.text(0x0018_1316, Vr::Ds, "0.42");
    d.text(0x0028_0301, Vr::Cs, "NO");
    d.text(0x0028_1050, Vr::Ds, "600");
    d.text(0x0028_1051, Vr::Ds, "1400");
}

pub(crate) fn cr(study: &Study, series: &Series, number: usize, shop: &Shop) -> Draft {
    let side = 1024 / shop.shrink;
    let mut draft = study.start(class::CR, series, number);
    let d = &mut draft.data;
    acquisition(study, d);
    d.text(0x0008_0008, Vr::Cs, "ORIGINAL\\PRIMARY");
    d.text(0x0018_0015, Vr::Cs, "CHEST");
    d.text(0x0018_0060, Vr::Ds, "125");
    d.text(0x0018_1000, Vr::Lo, &study.serial);
    d.text(0x0018_1004, Vr::Lo, &study.station);
    d.text(0x0018_1164, Vr::Ds, "0.2\\0.2");
    d.text(0x0018_1260, Vr::Sh, "PLATE");
    d.text(0x0018_1401, Vr::Lo, "101");
    d.text(0x0018_5101, Vr::Cs, "PA");
    d.text(0x0020_0020, Vr::Cs, "L\\F");
    d.text(0x0028_0301, Vr::Cs, "NO");
    d.text(0x0028_1050, Vr::Ds, "1400");
    d.text(0x0028_1051, Vr::Ds, "2400");
    let base = Phantom::Projection.draw(side, side, 0.0);
    let frames = vec![noisy16(&base, &shop.noise, number, 5)];
    draft.pixels(Frames::grey16(side, side, 12, frames))
}
