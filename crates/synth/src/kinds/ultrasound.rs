//! Multi-frame ultrasound with a banner burned into every frame.

use super::{Shop, class};
use crate::pixels::{Frames, Phantom, burn, noisy8};
use crate::study::{Draft, Series, Study};
use crate::wire::{DataSet, Vr};

const COLUMNS: u16 = 512;
const ROWS: u16 = 384;

pub(crate) fn ultrasound(
    study: &Study,
    series: &Series,
    number: usize,
    frames: u16,
    shop: &Shop,
) -> Draft {
    let mut draft = study.start(class::US_MULTIFRAME, series, number);
    describe(&mut draft.data, frames);
    let base = Phantom::Head.draw(COLUMNS, ROWS, 0.5);
    let images = (0..usize::from(frames)).map(|frame| {
        let mut image = noisy8(&base, &shop.noise, frame + 100);
        banner(study, &mut image);
        image
    });
    let images = Frames::grey8(COLUMNS, ROWS, images.collect());
    draft.pixels(images).quarantined()
}

fn describe(d: &mut DataSet, frames: u16) {
    d.text(0x0008_0008, Vr::Cs, "ORIGINAL\\PRIMARY\\ABDOMINAL\\0001");
    d.text(0x0018_1063, Vr::Ds, "40");
    d.text(0x0020_0020, Vr::Cs, "");
    d.text(0x0020_0060, Vr::Cs, "");
    d.text(0x0028_0008, Vr::Is, &frames.to_string());
    d.at(0x0028_0009, &[0x0018_1063]);
    d.text(0x0028_0301, Vr::Cs, "YES");
    // PS3.3 C.8.5.5: the image proper lies below the banner.
    d.one(0x0018_6011, |region| {
        region.us(0x0018_6012, &[1]);
        region.us(0x0018_6014, &[1]);
        region.ul(0x0018_6016, &[0]);
        region.ul(0x0018_6018, &[0]);
        region.ul(0x0018_601a, &[78]);
        region.ul(0x0018_601c, &[u32::from(COLUMNS) - 1]);
        region.ul(0x0018_601e, &[u32::from(ROWS) - 1]);
        region.us(0x0018_6024, &[3]);
        region.us(0x0018_6026, &[3]);
        region.fd(0x0018_602c, &[0.04]);
        region.fd(0x0018_602e, &[0.04]);
    });
}

fn banner(study: &Study, image: &mut [u8]) {
    let columns = usize::from(COLUMNS);
    image[..columns * 74].fill(0);
    let (family, given) = study.patient.latin();
    let lines = [
        format!("{}, {given}", family.to_uppercase()),
        format!("DOB {} {}", study.patient.birth.dotted(), study.patient.mrn),
        study.date.iso(),
    ];
    for (i, line) in lines.iter().enumerate() {
        burn(image, (columns, 1), (8, 6 + i * 22), 2, line, 235);
    }
}
