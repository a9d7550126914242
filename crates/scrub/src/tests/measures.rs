//! Pixels that are measures and not shades of grey, and what a copy of an instance says of itself.

use super::accepted::{file_as, ordinary, scrubbed, text};
use super::*;
use scanveil_dataset::Vr;

const RT_DOSE: &str = "1.2.840.10008.5.1.4.1.1.481.2";
const LABEL_MAP: &str = "1.2.840.10008.5.1.4.1.1.66.7";
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const RETRIEVE_AE_TITLE: Tag = Tag::new(0x8, 0x54);

/// Four pixels of the bits that are said, of one frame.
fn pixels(class: &str, bits: [u16; 2], colours: &str, bytes: &[u8]) -> Result<Vec<u8>, ReasonCode> {
    let [allocated, stored] = bits.map(u16::to_le_bytes);
    let high = (bits[1] - 1).to_le_bytes();
    let mut values = ordinary();
    for (tag, vr, value) in [
        (tags::SOP_CLASS_UID, Vr::UI, class.as_bytes()),
        (tags::SAMPLES_PER_PIXEL, Vr::US, &[1, 0]),
        (tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, colours.as_bytes()),
        (tags::ROWS, Vr::US, &[2, 0]),
        (tags::COLUMNS, Vr::US, &[2, 0]),
        (tags::BITS_ALLOCATED, Vr::US, &allocated),
        (tags::BITS_STORED, Vr::US, &stored),
        (tags::HIGH_BIT, Vr::US, &high),
        (tags::PIXEL_REPRESENTATION, Vr::US, &[0, 0]),
        (tags::PIXEL_DATA, Vr::OW, bytes),
    ] {
        values.insert(tag, (vr, value));
    }
    let research = Profile::builtin("research").unwrap();
    let done = scrubbed(&[file_as(class, &values)], &research).remove(0);
    done.map(|(out, _)| {
        let (_, body) = open_slice(&out, &Limits::default()).unwrap();
        body.as_slice().unwrap().to_vec()
    })
    .map_err(|reason| reason.code)
}

#[test]
fn a_dose_of_long_words_comes_out_unless_something_is_beside_it() {
    let dose: Vec<u8> = [7u32, 0xffff, 0, 91].iter().flat_map(|word| word.to_le_bytes()).collect();
    for stored in [16, 32] {
        let out = pixels(RT_DOSE, [32, stored], "MONOCHROME2", &dose);
        assert_eq!(out.as_ref(), Ok(&dose), "{stored} bits");
    }
    let mut beside = dose;
    beside[3] = 1;
    let whole = pixels(RT_DOSE, [32, 32], "MONOCHROME2", &beside);
    assert_eq!(whole.as_ref(), Ok(&beside));
    let part = pixels(RT_DOSE, [32, 16], "MONOCHROME2", &beside);
    assert_eq!(part, Err(ReasonCode::PixelsNotInspected));
}

#[test]
fn the_colours_of_a_label_map_are_its_segments() {
    let labels = [0, 1, 2, 1];
    let out = pixels(LABEL_MAP, [8, 8], "PALETTE COLOR", &labels);
    assert_eq!(out, Ok(labels.to_vec()));
    for (class, colours) in [(LABEL_MAP, "RGB"), (CT, "PALETTE COLOR")] {
        let out = pixels(class, [8, 8], colours, &labels);
        assert_eq!(out, Err(ReasonCode::PixelRisk), "{class} {colours}");
    }
}

#[test]
fn where_a_copy_was_kept_does_not_make_it_another_instance() {
    let profile = Profile::builtin("research").unwrap();
    let plain = ordinary();
    let mut copy = ordinary();
    copy.insert(RETRIEVE_AE_TITLE, (Vr::AE, b"WYSTAN_PACS"));
    let done = scrubbed(&[file_as(CT, &plain), file_as(CT, &copy)], &profile);
    let [first, second] = &done[..] else { panic!("two files") };
    let (first, second) = (&first.as_ref().unwrap().0, &second.as_ref().unwrap().0);
    assert_eq!(text(second, RETRIEVE_AE_TITLE), None);
    assert!(first == second, "the same instance, wherever it was kept");
}
