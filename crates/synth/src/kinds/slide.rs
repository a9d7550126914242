//! Whole-slide microscopy: tiles of tissue, and the glass slide's label with text burned in.

use super::{Shop, class};
use crate::PlantedKind;
use crate::people::fold;
use crate::pixels::{Frames, Phantom, burn};
use crate::study::{Draft, Series, Study};
use crate::wire::{DataSet, Vr};

const TILE: u16 = 256;

/// Four tiles of stained tissue.
pub(crate) fn slide_volume(study: &Study, series: &Series, shop: &Shop) -> Draft {
    let side = TILE / shop.shrink;
    let mut draft = study.start(class::SLIDE, series, 0);
    describe(study, &mut draft.data, "VOLUME", (side, 4));
    let tiles = (0..4u16).map(|tile| {
        let base = Phantom::Chest.draw(side, side, f32::from(tile) / 4.0);
        let texture = crate::pixels::noisy8(&base, &shop.noise, usize::from(tile));
        // Eosin and haematoxylin: pink where the phantom is thin, violet where it is dense.
        texture.iter().flat_map(|&v| [235 - v / 2, 200 - v, 225 - v / 3]).collect()
    });
    let tiles = Frames::colour(side, side, tiles.collect());
    finish(study, draft.pixels(tiles))
}

/// The label: one white frame with accession, name, record number and date.
pub(crate) fn slide_label(study: &Study, series: &Series) -> Draft {
    let mut draft = study.start(class::SLIDE, series, 1);
    describe(study, &mut draft.data, "LABEL", (TILE, 1));
    let columns = usize::from(TILE);
    let mut image = vec![250; columns * columns * 3];
    let (family, given) = study.patient.latin();
    let lines = [
        study.accession.clone(),
        family.to_uppercase(),
        given.to_owned(),
        study.patient.mrn.clone(),
        study.date.iso(),
    ];
    for (i, line) in lines.iter().enumerate() {
        burn(&mut image, (columns, 3), (6, 20 + i * 40), 2, line, 15);
    }
    let draft = draft.pixels(Frames::colour(TILE, TILE, vec![image]));
    finish(study, draft).quarantined()
}

fn finish(study: &Study, draft: Draft) -> Draft {
    draft
        .planting(PlantedKind::PatientId, &specimen(study))
        .planting(PlantedKind::PatientId, &container(study))
        .planting(PlantedKind::Uid, &study.make_uid("specimen"))
}

fn specimen(study: &Study) -> String {
    format!("S16-{}", &study.order[3..])
}

fn container(study: &Study) -> String {
    format!("BLOCK-{}", &study.admission[3..])
}

fn describe(study: &Study, d: &mut DataSet, flavour: &str, (side, frames): (u16, u16)) {
    let columns = if frames == 4 { side * 2 } else { side };
    let label = flavour == "LABEL";
    let frame_of_reference = study.make_uid("frame of reference");
    d.text(0x0008_0008, Vr::Cs, &format!("ORIGINAL\\PRIMARY\\{flavour}\\NONE"));
    d.text(0x0008_002a, Vr::Dt, &format!("{}{}", study.date.da(), &study.time[..6]));
    d.fd(0x0018_9073, &[60.0]);
    d.text(0x0020_0052, Vr::Ui, &frame_of_reference);
    d.text(0x0020_1040, Vr::Lo, "SLIDE_CORNER");
    d.text(0x0028_0008, Vr::Is, &frames.to_string());
    d.text(0x0028_0301, Vr::Cs, if label { "YES" } else { "NO" });
    d.text(0x0028_2110, Vr::Cs, "00");
    d.fl(0x0048_0001, &[15.0]);
    d.fl(0x0048_0002, &[15.0]);
    d.fl(0x0048_0003, &[1.0]);
    d.ul(0x0048_0006, &[u32::from(columns)]);
    d.ul(0x0048_0007, &[u32::from(columns)]);
    d.one(0x0048_0008, |origin| {
        origin.text(0x0040_072a, Vr::Ds, "0");
        origin.text(0x0040_073a, Vr::Ds, "0");
    });
    d.text(0x0048_0010, Vr::Cs, if label { "YES" } else { "NO" });
    d.text(0x0048_0011, Vr::Cs, "AUTO");
    d.text(0x0048_0012, Vr::Cs, "NO");
    d.ul(0x0048_0302, &[1]);
    d.ul(0x0048_0303, &[1]);
    d.text(0x0008_9206, Vr::Cs, "VOLUME");
    super::enhanced::dimensions(study, d);
    d.text(0x0048_0102, Vr::Ds, "0\\1\\0\\1\\0\\0");
    optical_path(d);
    specimen_module(study, d);
    d.text(0x0020_9311, Vr::Cs, "TILED_FULL");
    d.one(0x5200_9229, |shared| {
        shared.one(0x0028_9110, |measures| {
            measures.text(0x0018_0050, Vr::Ds, "0.004");
            measures.text(0x0028_0030, Vr::Ds, "0.0005\\0.0005");
        });
        shared.one(0x0040_0710, |kind| {
            kind.text(0x0008_9007, Vr::Cs, &format!("ORIGINAL\\PRIMARY\\{flavour}\\NONE"));
        });
        shared.one(0x0048_0207, |path| {
            path.text(0x0048_0106, Vr::Sh, "1");
        });
    });
    d.seq(0x0040_0555, Vec::new());
    let barcode = format!("{} {}", study.accession, study.patient.mrn);
    if label {
        d.text(0x2200_0002, Vr::Ut, &study.patient.latin().0.to_ascii_uppercase());
        d.text(0x2200_0005, Vr::Lt, &barcode);
    }
}

fn optical_path(d: &mut DataSet) {
    d.one(0x0048_0105, |path| {
        path.code(0x0022_0016, ["111744", "DCM", "Brightfield illumination"]);
        path.code(0x0048_0108, ["R-102C0", "SRT", "Full Spectrum"]);
        path.text(0x0048_0106, Vr::Sh, "1");
        // An ICC profile's header, without tags: 128 bytes with "acsp" at 36, then a count of 0.
        let mut profile = vec![0; 132];
        profile[3] = 132;
        profile[36..40].copy_from_slice(b"acsp");
        path.bytes(0x0028_2000, Vr::Ob, profile);
    });
}

/// PS3.3 C.7.6.22: container and specimen, each with a number the laboratory gave.
fn specimen_module(study: &Study, d: &mut DataSet) {
    d.text(0x0040_0512, Vr::Lo, &container(study));
    d.seq(0x0040_0513, Vec::new());
    d.code(0x0040_0518, ["A-0101B", "SRT", "Microscope slide"]);
    d.one(0x0040_0560, |item| {
        item.text(0x0040_0551, Vr::Lo, &specimen(study));
        item.text(0x0040_0554, Vr::Ui, &study.make_uid("specimen"));
        item.seq(0x0040_0562, Vec::new());
        item.seq(0x0040_0610, Vec::new());
        let (family, _) = study.patient.latin();
        let family = fold(family);
        item.text(0x0040_0600, Vr::Lo, &format!("biopsy {family}"));
    });
}
