//! Rows 7 to 15, 20 and 21: groups and elements that are easily passed over.

use super::{EXPLICIT, Maker};
use crate::SynthError;
use crate::key::{Expect, PlantedKind as K};
use crate::pixels::burn;
use crate::wire::Vr;

pub(super) fn cases(maker: &mut Maker) -> Result<(), SynthError> {
    retired(maker)?;
    overlays(maker)?;
    private(maker)?;
    representations(maker)?;
    vendor(maker)?;
    unknown(maker)
}

fn retired(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(7, "retired-text", |c| {
        c.words(&[
            (0x0008_4000, Vr::Lt),
            (0x4000_0010, Vr::Lt),
            (0x4000_4000, Vr::Lt),
            (0x4008_0040, Vr::Sh),
            (0x4008_0042, Vr::Lo),
            (0x4008_0100, Vr::Da),
            (0x4008_0102, Vr::Pn),
            (0x4008_010a, Vr::Pn),
            (0x4008_010b, Vr::St),
            (0x4008_0114, Vr::Pn),
            (0x4008_0115, Vr::Lt),
            (0x4008_0119, Vr::Pn),
            (0x4008_011a, Vr::Lo),
            (0x4008_0300, Vr::St),
            (0x4008_4000, Vr::St),
        ]);
    })?;
    maker.case(8, "curves", |c| {
        for group in (0x5000_0000..=0x501e_0000).step_by(0x2_0000) {
            let data = c.canary(K::Text);
            c.d().us(group | 0x0005, &[1]);
            c.d().us(group | 0x0010, &[6]);
            c.d().us(group | 0x0103, &[0]);
            // As OB, so that big endian does not swap the canary's letters.
            c.d().bytes(group | 0x3000, Vr::Ob, data);
            c.words(&[(group | 0x0022, Vr::Lo), (group | 0x2500, Vr::Lo)]);
        }
    })
}

fn overlays(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(9, "overlays", |c| {
        for group in (0x6000_0000..=0x601e_0000).step_by(0x2_0000) {
            let word = c.canary(K::Text);
            let mut data = word.into_bytes();
            data.resize(32 * 32 / 8, 0);
            c.d().us(group | 0x0010, &[32]);
            c.d().us(group | 0x0011, &[32]);
            c.d().text(group | 0x0040, Vr::Cs, "G");
            c.d().bytes(group | 0x0050, Vr::Ss, [1, 0, 1, 0]);
            c.d().us(group | 0x0100, &[1]);
            c.d().us(group | 0x0102, &[0]);
            c.d().bytes(group | 0x3000, Vr::Ob, data);
            c.words(&[
                (group | 0x0022, Vr::Lo),
                (group | 0x1500, Vr::Lo),
                (group | 0x4000, Vr::Lt),
            ]);
        }
    })?;
    maker.case(10, "overlay-in-the-high-bits", |c| {
        let mut mask = vec![0u8; 32 * 32];
        burn(&mut mask, (32, 1), (0, 8), 1, "QXVW", 1);
        if let Some(frame) = c.draft.pixels.as_mut().and_then(|p| p.frames.first_mut()) {
            // The high byte of each word: bit 12 of the pixel.
            let high = frame.iter_mut().skip(1).step_by(2);
            high.zip(&mask).for_each(|(byte, bit)| *byte |= bit << 4);
        }
        c.d().us(0x6000_0010, &[32]);
        c.d().us(0x6000_0011, &[32]);
        c.d().text(0x6000_0040, Vr::Cs, "G");
        c.d().bytes(0x6000_0050, Vr::Ss, [1, 0, 1, 0]);
        c.d().us(0x6000_0100, &[16]);
        c.d().us(0x6000_0102, &[12]);
        c.expect(Expect::Either);
    })
}

fn private(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(11, "private-elements", |c| {
        c.d().text(0x0035_0010, Vr::Lo, "INVENTED DEVICE 7");
        c.words(&[
            (0x0035_1001, Vr::Lo),
            (0x0035_1002, Vr::Pn),
            (0x0035_1003, Vr::Da),
            (0x0035_1004, Vr::Ui),
            (0x0035_1005, Vr::Ut),
        ]);
        let word = c.canary(K::Text);
        c.d().bytes(0x0035_1006, Vr::Ob, word);
    })?;
    maker.case(11, "private-without-creator", |c| {
        c.words(&[(0x0037_1001, Vr::Lo), (0x0037_0001, Vr::Lo), (0x0037_2010, Vr::Pn)]);
        c.expect(Expect::Either);
    })?;
    maker.case(11, "the-creator-itself", |c| {
        c.words(&[(0x0039_0010, Vr::Lo)]);
        c.d().text(0x0039_1001, Vr::Lo, "nothing");
    })?;
    maker.case(15, "two-creators-in-one-group", |c| {
        c.d().text(0x0029_0010, Vr::Lo, "SIEMENS CSA HEADER");
        c.d().text(0x0029_0011, Vr::Lo, "INVENTED DEVICE 7");
        c.d().text(0x0029_1008, Vr::Cs, "IMAGE NUM 4");
        c.words(&[(0x0029_1108, Vr::Cs), (0x0029_1109, Vr::Lo), (0x0029_1009, Vr::Lo)]);
    })?;
    maker.case(15, "creator-at-an-unusual-block", |c| {
        c.d().text(0x0029_00e1, Vr::Lo, "SIEMENS CSA HEADER");
        c.d().text(0x0029_0042, Vr::Lo, "INVENTED DEVICE 7");
        c.words(&[(0x0029_e109, Vr::Lo), (0x0029_4208, Vr::Cs), (0x0029_42ff, Vr::Pn)]);
    })
}

fn representations(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(13, "known-tags-as-un", |c| {
        for (tag, kind) in [
            (0x0010_1005, K::PersonName),
            (0x0010_2180, K::Text),
            (0x0008_0080, K::Text),
            (0x0010_1000, K::PatientId),
            (0x0018_1200, K::Date),
            (0x0018_1002, K::Uid),
        ] {
            let word = c.canary(kind);
            c.d().bytes(tag, Vr::Un, word);
        }
        c.syntaxes = EXPLICIT;
    })?;
    maker.case(13, "known-tags-with-the-wrong-vr", |c| {
        for (tag, vr, kind) in [
            (0x0010_1005, Vr::Lo, K::PersonName),
            (0x0010_2180, Vr::Ob, K::Text),
            (0x0008_0080, Vr::Ui, K::Text),
            (0x0010_1000, Vr::Sh, K::PatientId),
            (0x0018_1200, Vr::Lo, K::Date),
            (0x0018_1002, Vr::Lt, K::Uid),
        ] {
            let word = c.canary(kind);
            c.d().bytes(tag, vr, word);
        }
        c.syntaxes = EXPLICIT;
        c.expect(Expect::Either);
    })
}

fn vendor(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(14, "csa-medcom-and-protocol", |c| {
        let csa = crate::kinds::csa_header(&c.study);
        let (medcom, protocol, blob) =
            (c.canary(K::Text), c.canary(K::PersonName), c.canary(K::Text));
        let d = c.d();
        d.text(0x0029_0010, Vr::Lo, "SIEMENS CSA HEADER");
        d.bytes(0x0029_1010, Vr::Ob, csa.clone());
        d.bytes(0x0029_1020, Vr::Un, csa);
        d.text(0x0029_0011, Vr::Lo, "SIEMENS MEDCOM HEADER");
        d.bytes(0x0029_1120, Vr::Ob, format!("<MedCom><Patient>{medcom}</Patient></MedCom>"));
        d.text(0x0021_0010, Vr::Lo, "SIEMENS MR SDS 01");
        d.bytes(0x0021_1019, Vr::Ob, format!("### ASCCONV BEGIN ###\ntPatientName = {protocol}"));
        d.text(0x0025_0010, Vr::Lo, "GEMS_SERS_01");
        d.bytes(0x0025_101b, Vr::Ob, blob);
    })
}

fn unknown(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(20, "unknown-even-groups", |c| {
        c.words(&[
            (0x0008_eee0, Vr::Lo),
            (0x0018_eee2, Vr::Pn),
            (0x0010_eee4, Vr::Lt),
            (0x0f10_0010, Vr::Lo),
            (0x7ff0_0010, Vr::Ut),
        ]);
        c.expect(Expect::Either);
    })?;
    maker.case(20, "unknown-even-group-as-un", |c| {
        let word = c.canary(K::Text);
        c.d().bytes(0x0020_eee6, Vr::Un, word);
        c.syntaxes = EXPLICIT;
        c.expect(Expect::Either);
    })?;
    maker.case(21, "addresses-and-devices", |c| {
        let (url, uri) = (c.canary(K::Text), c.canary(K::Text));
        c.d().text(0x0008_1190, Vr::Ur, &format!("https://{url}.example/studies/1"));
        c.d().text(0x0040_e010, Vr::Ur, &format!("https://archive.example/{uri}?p=1"));
        c.words(&[
            (0x0008_0054, Vr::Ae),
            (0x0008_0055, Vr::Ae),
            (0x0008_1010, Vr::Sh),
            (0x0018_1000, Vr::Lo),
            (0x0018_1002, Vr::Ui),
            (0x0018_1003, Vr::Lo),
            (0x0018_1004, Vr::Lo),
            (0x0018_1005, Vr::Lo),
            (0x0018_1007, Vr::Lo),
            (0x0018_1008, Vr::Lo),
            (0x0018_1009, Vr::Ut),
            (0x0018_700a, Vr::Sh),
            (0x0040_0001, Vr::Ae),
            (0x0040_0010, Vr::Sh),
            (0x0040_0011, Vr::Sh),
            (0x0040_0241, Vr::Ae),
            (0x0040_0242, Vr::Sh),
            (0x0040_0243, Vr::Sh),
            (0x3010_002d, Vr::Lo),
            (0x300a_00b2, Vr::Sh),
        ]);
    })
}
