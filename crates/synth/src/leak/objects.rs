//! Rows 29 to 35 and 47: objects that are not plain images.

use super::{Case, Maker};
use crate::SynthError;
use crate::file::Syntax;
use crate::key::{Expect, PlantedKind as K};
use crate::kinds::{self, Shop, Target, class};
use crate::pixels::{Frames, Noise};
use crate::wire::Vr;

/// The syntaxes of objects without pixels.
const PLAIN: &[Syntax] = &Syntax::NATIVE;

pub(super) fn cases(maker: &mut Maker) -> Result<(), SynthError> {
    slides(maker)?;
    documents(maker)?;
    reports(maker)?;
    references(maker)?;
    radiotherapy(maker)?;
    waveforms(maker)?;
    video(maker)?;
    maker.case(47, "nothing-but-the-usual", |_| {})
}

fn slides(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(29, "slide-label", |c| {
        let series = c.study.series(1, "SM", "biopsy he", "Imager");
        c.draft = kinds::slide_label(&c.study, &series);
        c.syntaxes = &[Syntax::ExplicitLe, Syntax::JpegBaseline];
    })?;
    for (name, flavour) in [("slide-overview", "OVERVIEW"), ("slide-thumbnail", "THUMBNAIL")] {
        maker.case(29, name, |c| {
            let series = c.study.series(1, "SM", "biopsy he", "Imager");
            c.draft = kinds::slide_label(&c.study, &series);
            c.d().text(0x0008_0008, Vr::Cs, &format!("DERIVED\\PRIMARY\\{flavour}\\RESAMPLED"));
            c.d().text(0x0048_0010, Vr::Cs, "NO");
            c.syntaxes = &[Syntax::ExplicitLe];
        })?;
    }
    maker.case(29, "slide-volume-that-points-at-its-label", |c| {
        let series = c.study.series(1, "SM", "biopsy he", "Imager");
        let shop = Shop { noise: Noise::new(c.study.seed), shrink: 8 };
        c.draft = kinds::slide_volume(&c.study, &series, &shop);
        let label = c.study.instance_uid(&series, 1);
        c.plant(K::Uid, &label);
        c.d().one(0x0008_114a, |reference| {
            reference.text(0x0008_1150, Vr::Ui, class::SLIDE);
            reference.text(0x0008_1155, Vr::Ui, &label);
        });
        c.syntaxes = &[Syntax::ExplicitLe];
        c.expect(Expect::Either);
    })
}

fn documents(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(30, "encapsulated-pdf", |c| {
        let series = c.study.series(1, "DOC", "letter", "Imager");
        c.draft = kinds::encapsulated_pdf(&c.study, &series);
        c.syntaxes = PLAIN;
    })?;
    let kinds: [(&str, &str, &str, &str); 4] = [
        ("encapsulated-cda", "1.2.840.10008.5.1.4.1.1.104.2", "text/XML", "<patient>{}</patient>"),
        ("encapsulated-stl", "1.2.840.10008.5.1.4.1.1.104.3", "model/stl", "solid {}"),
        ("encapsulated-obj", "1.2.840.10008.5.1.4.1.1.104.4", "model/obj", "# {}\no {}"),
        ("encapsulated-mtl", "1.2.840.10008.5.1.4.1.1.104.5", "model/mtl", "newmtl {}"),
    ];
    for (name, class, media_type, template) in kinds {
        maker.case(30, name, |c| {
            let series = c.study.series(1, "DOC", "letter", "Imager");
            c.draft = kinds::encapsulated_pdf(&c.study, &series);
            c.draft.class = class;
            let (word, title) = (c.canary(K::Text), c.canary(K::Text));
            c.d().text(0x0008_0016, Vr::Ui, class);
            c.d().text(0x0042_0010, Vr::St, &title);
            c.d().bytes(0x0042_0011, Vr::Ob, template.replace("{}", &word));
            c.d().text(0x0042_0012, Vr::Lo, media_type);
            c.d().remove(0x0042_0015);
            c.syntaxes = PLAIN;
        })?;
    }
    Ok(())
}

/// The image that reports and references of a case point at.
fn targets(c: &Case) -> [Target; 1] {
    let series = c.study.series(3, "MR", "t2 tse tra", "Imager");
    let instance_uid = c.study.instance_uid(&series, 0);
    [Target { class: class::MR, series_uid: series.uid, instance_uid }]
}

fn reports(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(31, "basic-text-report", |c| {
        let series = c.study.series(1, "SR", "report", "Imager");
        c.draft = kinds::basic_text_sr(&c.study, &series, &targets(c));
        c.syntaxes = PLAIN;
        c.expect(Expect::Either);
    })?;
    maker.case(31, "comprehensive-report", |c| {
        let series = c.study.series(1, "SR", "report", "Imager");
        c.draft = kinds::comprehensive_sr(&c.study, &series, &targets(c));
        let (concept, template) = (c.canary(K::Text), c.canary(K::Text));
        c.d().code(0x0040_a043, ["L1", "99LOCAL", &format!("Report of {concept}")]);
        c.d().one(0x0040_a504, |item| {
            item.text(0x0008_0105, Vr::Cs, "DCMR");
            item.text(0x0040_db00, Vr::Cs, &template.to_uppercase());
        });
        c.syntaxes = PLAIN;
        c.expect(Expect::Either);
    })
}

fn references(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(32, "presentation-state", |c| {
        let series = c.study.series(1, "PR", "marks", "Imager");
        c.draft = kinds::presentation_state(&c.study, &series, &targets(c));
        c.syntaxes = PLAIN;
        c.expect(Expect::Either);
    })?;
    maker.case(32, "key-object", |c| {
        let series = c.study.series(1, "KO", "key images", "Imager");
        c.draft = kinds::key_object(&c.study, &series, &targets(c));
        c.syntaxes = PLAIN;
        c.expect(Expect::Either);
    })?;
    maker.case(32, "registration", |c| {
        let series = c.study.series(1, "REG", "registration", "Imager");
        c.draft = c.study.start("1.2.840.10008.5.1.4.1.1.66.1", &series, 0);
        c.words(&[
            (0x0070_0081, Vr::Lo),
            (0x0070_0084, Vr::Pn),
            (0x0070_0082, Vr::Da),
            (0x0020_0052, Vr::Ui),
        ]);
        let (frame, comment) = (c.canary(K::Uid), c.canary(K::Text));
        c.d().text(0x0070_0080, Vr::Cs, "REGISTRATION");
        c.d().one(0x0070_0308, |item| {
            item.text(0x0020_0052, Vr::Ui, &frame);
            item.one(0x0070_0309, |registration| {
                registration.text(0x3006_00c8, Vr::Lo, &comment);
                registration.one(0x0070_030a, |matrix| {
                    matrix.text(0x0070_030c, Vr::Cs, "RIGID");
                    matrix.text(
                        0x3006_00c6,
                        Vr::Ds,
                        "1\\0\\0\\0\\0\\1\\0\\0\\0\\0\\1\\0\\0\\0\\0\\1",
                    );
                });
            });
        });
        c.syntaxes = PLAIN;
        c.expect(Expect::Either);
    })
}

fn radiotherapy(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(33, "structure-set", |c| {
        let series = c.study.series(1, "RTSTRUCT", "contours", "Planner");
        c.draft = kinds::rt_structure_set(&c.study, &series, &targets(c));
        c.syntaxes = PLAIN;
        c.expect(Expect::Either);
    })?;
    maker.case(33, "plan", |c| {
        let series = c.study.series(1, "RTPLAN", "plan", "Planner");
        c.draft = c.study.start("1.2.840.10008.5.1.4.1.1.481.5", &series, 0);
        c.words(&[
            (0x300a_0002, Vr::Sh),
            (0x300a_0003, Vr::Lo),
            (0x300a_0004, Vr::St),
            (0x300a_0006, Vr::Da),
            (0x300a_000e, Vr::St),
            (0x300a_0016, Vr::Lo),
            (0x300e_0004, Vr::Da),
            (0x300e_0008, Vr::Pn),
        ]);
        let (beam, machine) = (c.canary(K::Text), c.canary(K::Text));
        c.d().text(0x300a_000c, Vr::Cs, "PATIENT");
        c.d().text(0x300e_0002, Vr::Cs, "APPROVED");
        c.d().one(0x300a_00b0, |item| {
            item.text(0x300a_00b2, Vr::Sh, &machine);
            item.text(0x300a_00c0, Vr::Is, "1");
            item.text(0x300a_00c2, Vr::Lo, &beam);
        });
        c.syntaxes = PLAIN;
        c.expect(Expect::Either);
    })
}

fn waveforms(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(34, "electrocardiogram", |c| {
        let series = c.study.series(1, "ECG", "resting", "Imager");
        c.draft = kinds::ecg(&c.study, &series);
        c.syntaxes = PLAIN;
        c.expect(Expect::Either);
    })
}

fn video(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(35, "video-with-user-data", |c| {
        let series = c.study.series(1, "ES", "endoscopy", "Imager");
        c.draft = c.study.start(class::VIDEO_ENDOSCOPIC, &series, 0);
        let (user, sei) = (c.canary(K::Text), c.canary(K::Text));
        // An MP4 box with user data, then an SEI message: what players show as a title.
        let mut stream = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".to_vec();
        stream.extend((8 + user.len() as u32).to_be_bytes());
        stream.extend(b"udta");
        stream.extend(user.bytes());
        stream.extend(b"\0\0\0\x01\x06\x05");
        stream.push(16 + sei.len() as u8);
        stream.extend([0x5a; 16]);
        stream.extend(sei.bytes());
        stream.push(0x80);
        let frames = Frames::colour(64, 64, vec![stream]);
        c.draft = c.draft.clone().pixels(frames).quarantined();
        c.d().text(0x0018_0040, Vr::Is, "25");
        c.d().text(0x0028_0008, Vr::Is, "10");
        c.d().at(0x0028_0009, &[0x0018_1063]);
        c.d().text(0x0018_1063, Vr::Ds, "40");
        c.syntaxes = &[Syntax::Mpeg4];
    })
}
