//! What each kind of image adds to the shared attributes.

use super::attr as a;
use super::phrase::Habit;
use super::private;
use super::sheet::Sheet;
use super::study::{Kind, Series, Study};
use crate::SynthError;
use crate::file::{Syntax, put_pixels};
use crate::pixels::Frames;
use crate::rng::Rng;
use md5::{Digest, Md5};
use scanveil_model::Hex;

/// Columns and rows of every image: small, so that thousands of files are quickly written.
const SIDE: u16 = 32;

/// None of which comes in pairs, so that no side has to be told.
const BODY_PARTS: [&str; 12] = [
    "CHEST", "ABDOMEN", "PELVIS", "HEAD", "NECK", "SPINE", "BRAIN", "HEART", "LIVER", "CSPINE",
    "LSPINE", "SKULL",
];

/// Writes one image of a series; gives the MD5 of its Pixel Data.
pub(super) fn write(
    study: &Study,
    series: &Series,
    number: usize,
    syntax: Syntax,
    s: &mut Sheet,
) -> Result<String, SynthError> {
    let uid = &series.instances[number];
    let rng = &mut Rng::new(number as u64, uid);
    s.uid(a::SOP_INSTANCE, uid);
    s.there(a::INSTANCE_NUMBER, &(number + 1).to_string());
    s.there(a::IMAGE_TYPE, image_type(series.kind));
    references(study, series, number, s);
    let fixed = &mut study.rng(&format!("series {}", series.number));
    match series.kind {
        Kind::Ct => ct(study, series, fixed, number, s),
        Kind::Mr => mr(study, series, fixed, number, s),
        Kind::Pt => pt(study, series, fixed, number, s),
        Kind::Us => us(study, fixed, s),
        _ => projection(study, series, fixed, s),
    }
    if rng.below(3) == 0 {
        let clinical = study.hospital().culture.clinical(rng, "finding");
        let comments = study.scene().type_in(rng, clinical, Habit::Long);
        s.phrase(a::IMAGE_COMMENTS, &comments);
    }
    private::write(study, series, fixed, syntax, s);
    pixels(rng, series.kind, syntax, s)
}

fn image_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Ct | Kind::Mr => "ORIGINAL\\PRIMARY\\AXIAL",
        _ => "ORIGINAL\\PRIMARY",
    }
}

/// References to the image before this one and to an image of the study before.
fn references(study: &Study, series: &Series, number: usize, s: &mut Sheet) {
    let class = series.kind.class();
    if number > 0 {
        s.item(a::REFERENCED_IMAGE, |item| {
            item.plain(a::REFERENCED_CLASS, class);
            item.uid(a::REFERENCED_INSTANCE, &series.instances[number - 1]);
        });
    }
    if number % 3 == 2 {
        s.item(a::SOURCE_IMAGE, |item| {
            item.plain(a::REFERENCED_CLASS, class);
            item.uid(a::REFERENCED_INSTANCE, &series.instances[0]);
        });
        s.keep(a::DERIVATION, "MPR reformat 3 mm, edge enhanced");
    }
    if study.prior.day.is_multiple_of(5) {
        s.item(a::REFERENCED_STEP, |item| {
            item.plain(a::REFERENCED_CLASS, "1.2.840.10008.3.1.2.3.3");
            item.uid(a::REFERENCED_INSTANCE, &format!("{}.1", study.uid));
        });
    }
}

fn contrast(study: &Study, rng: &mut Rng, s: &mut Sheet) {
    if rng.below(2) == 0 {
        let agent = study.hospital().culture.pick(rng, "agent");
        s.keep(a::CONTRAST, agent);
        s.keep(a::REQUESTED_CONTRAST, agent);
    }
}

fn volume(study: &Study, series: &Series, number: usize, s: &mut Sheet) {
    s.uid(a::FRAME_OF_REFERENCE, &series.frame_of_reference);
    if series.kind != Kind::Pt {
        s.keep(a::PATIENT_POSITION, "HFS");
    }
    s.plain(a::POSITION_REFERENCE, "");
    s.plain(a::IMAGE_POSITION, &format!("-100\\-100\\{}", number * 5));
    s.plain(a::IMAGE_ORIENTATION, "1\\0\\0\\0\\1\\0");
    s.plain(a::PIXEL_SPACING, "0.75\\0.75");
    s.keep(a::SLICE_THICKNESS, "5");
    s.date(a::ACQUISITION_DATE, study.date);
    s.there(a::ACQUISITION_TIME, study.time());
}

fn rescale(s: &mut Sheet) {
    s.keep(a::RESCALE_INTERCEPT, "-1024");
    s.keep(a::RESCALE_SLOPE, "1");
    s.plain(a::WINDOW_CENTER, "40");
    s.plain(a::WINDOW_WIDTH, "400");
}

fn ct(study: &Study, series: &Series, rng: &mut Rng, number: usize, s: &mut Sheet) {
    volume(study, series, number, s);
    rescale(s);
    s.keep(a::BODY_PART, rng.word(&BODY_PARTS));
    s.keep(a::SCAN_OPTIONS, "HELICAL MODE");
    s.keep(a::KVP, rng.word(&["80", "100", "120", "140"]));
    s.keep(a::EXPOSURE, &(20 + rng.below(300)).to_string());
    s.keep(a::KERNEL, rng.word(&["B31f", "B70s", "STANDARD", "LUNG", "BONEPLUS", "I40f"]));
    contrast(study, rng, s);
    s.keep(
        a::ACQUISITION_COMMENTS,
        rng.word(&["breath hold", "prospective gating", "free breathing"]),
    );
}

fn mr(study: &Study, series: &Series, rng: &mut Rng, number: usize, s: &mut Sheet) {
    volume(study, series, number, s);
    s.keep(a::BODY_PART, rng.word(&BODY_PARTS));
    s.keep(a::SCANNING_SEQUENCE, rng.word(&["SE", "GR", "EP"]));
    s.keep(a::SEQUENCE_VARIANT, rng.word(&["SK", "SP", "OSP"]));
    s.plain(a::SCAN_OPTIONS, "");
    s.keep(a::ACQUISITION_TYPE, rng.word(&["2D", "3D"]));
    s.keep(a::SEQUENCE_NAME, rng.word(&["*tse2d1_15", "*fl3d1", "*ep_b1000t", "se2d1", "*tir2d1"]));
    s.keep(a::REPETITION_TIME, &(400 + rng.below(6000)).to_string());
    s.keep(a::ECHO_TIME, &(8 + rng.below(110)).to_string());
    s.keep(a::ECHO_TRAIN, &(1 + rng.below(24)).to_string());
    s.keep(a::FIELD_STRENGTH, rng.word(&["1.5", "3"]));
    s.keep(a::FLIP_ANGLE, rng.word(&["90", "150", "12"]));
    contrast(study, rng, s);
}

fn pt(study: &Study, series: &Series, rng: &mut Rng, number: usize, s: &mut Sheet) {
    volume(study, series, number, s);
    s.keep(a::RESCALE_INTERCEPT, "0");
    s.keep(a::RESCALE_SLOPE, &format!("1.{}", rng.digits(4)));
    s.keep(a::BODY_PART, "WHOLEBODY");
    s.keep(a::PET_UNITS, "BQML");
    s.keep(a::DECAY_CORRECTION, "START");
    s.item(a::RADIOPHARMACEUTICALS, |item| {
        item.keep(a::RADIOPHARMACEUTICAL, "FDG");
        item.there(a::RADIO_START, study.time());
        item.keep(a::HALF_LIFE, "6586.2");
        item.data().seq(a::RADIONUCLIDE.tag, Vec::new());
    });
}

fn us(study: &Study, rng: &mut Rng, s: &mut Sheet) {
    s.keep(a::TRANSDUCER, rng.word(&["SECTOR_PHASED", "CURVED LINEAR", "LINEAR"]));
    s.keep(a::BODY_PART, rng.word(&BODY_PARTS));
    s.plain(a::PATIENT_ORIENTATION, "");
    s.date_time(a::ACQUISITION_DATETIME, study.date, study.time());
}

/// CR, DX and MG.
fn projection(study: &Study, series: &Series, rng: &mut Rng, s: &mut Sheet) {
    s.date(a::ACQUISITION_DATE, study.date);
    s.keep(a::VIEW_POSITION, rng.word(&["AP", "PA", "LL", "RL"]));
    s.keep(a::KVP, &(25 + rng.below(90)).to_string());
    s.keep(a::EXPOSURE, &(1 + rng.below(60)).to_string());
    s.keep(a::ACQUISITION_PROCESSING, rng.word(&["UNIQUE: S:200 L:2.0", "MUSICA", "EDR soft"]));
    if series.kind == Kind::Cr {
        s.keep(a::BODY_PART, rng.word(&BODY_PARTS));
        return;
    }
    s.keep(a::PRESENTATION_INTENT, "FOR PRESENTATION");
    s.keep(a::DETECTOR_TYPE, "DIRECT");
    s.keep(a::DETECTOR_ID, &rng.digits(6));
    s.plain(a::PATIENT_ORIENTATION, "L\\F");
    s.keep(a::RESCALE_INTERCEPT, "0");
    s.keep(a::RESCALE_SLOPE, "1");
    s.plain(a::WINDOW_CENTER, "2048");
    s.plain(a::WINDOW_WIDTH, "4096");
    if series.kind == Kind::Mg {
        s.keep(a::BODY_PART, "BREAST");
        s.keep(a::IMAGE_LATERALITY, rng.word(&["L", "R"]));
        s.keep(a::COMPRESSION_FORCE, &(60 + rng.below(100)).to_string());
        s.item(a::VIEW_CODE, |item| {
            item.plain(a::CODE_VALUE, "399162004");
            item.plain(a::CODE_SCHEME, "SCT");
            item.keep(a::CODE_MEANING, "cranio-caudal");
            item.data().seq(a::VIEW_MODIFIER.tag, Vec::new());
        });
    } else {
        s.keep(a::BODY_PART, "CHEST");
        s.keep(a::IMAGE_LATERALITY, rng.word(&["L", "R", "U"]));
    }
}

/// Noise, and its digest as it stands in the file.
fn pixels(rng: &mut Rng, kind: Kind, syntax: Syntax, s: &mut Sheet) -> Result<String, SynthError> {
    let side = usize::from(SIDE);
    let colour = kind == Kind::Us;
    let mut frame = vec![0; if colour { side * side * 3 } else { side * side * 2 }];
    rng.fill(&mut frame);
    let frames = if colour {
        Frames::colour(SIDE, SIDE, vec![frame.clone()])
    } else {
        frame.chunks_exact_mut(2).for_each(|word| word[1] &= 0x0f);
        let stored = if kind == Kind::Pt { 16 } else { 12 };
        Frames::grey16(SIDE, SIDE, stored, vec![frame.clone()])
    };
    put_pixels(s.data(), frames, syntax)?;
    if syntax == Syntax::ExplicitBe && !colour {
        frame.chunks_exact_mut(2).for_each(<[u8]>::reverse);
    }
    let digest = Hex::encode(&Md5::digest(&frame));
    s.pixels(&digest);
    Ok(digest)
}
