//! Rows 17, 25, 28 and 41 to 44: sequences, frames, thumbnails and identifiers.

use super::Maker;
use crate::SynthError;
use crate::charset::Charset;
use crate::file::Syntax;
use crate::key::{Expect, PlantedKind as K};
use crate::kinds::{self, Shop};
use crate::pixels::{Noise, burn};
use crate::wire::Vr;

pub(super) fn cases(maker: &mut Maker) -> Result<(), SynthError> {
    sequences(maker)?;
    frames(maker)?;
    icon(maker)?;
    uids(maker)?;
    signatures(maker)?;
    numbers(maker)?;
    mixed(maker)
}

fn sequences(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(17, "identity-in-sequences", |c| {
        let name: Vec<String> = (0..7).map(|_| c.canary(K::PersonName)).collect();
        let id: Vec<String> = (0..7).map(|_| c.canary(K::PatientId)).collect();
        let uid: Vec<String> = (0..5).map(|_| c.canary(K::Uid)).collect();
        let d = c.d();
        let person = |n: usize| {
            let (name, id) = (name[n].clone(), id[n].clone());
            move |item: &mut crate::wire::DataSet| {
                item.text(0x0010_0010, Vr::Pn, &name);
                item.text(0x0010_0020, Vr::Lo, &id);
            }
        };
        let reference = |n: usize| {
            let uid = uid[n].clone();
            move |item: &mut crate::wire::DataSet| {
                item.text(0x0008_1150, Vr::Ui, "1.2.840.10008.3.1.2.1.1");
                item.text(0x0008_1155, Vr::Ui, &uid);
            }
        };
        d.one(0x0010_1002, person(0));
        d.one(0x0008_1120, reference(0));
        d.one(0x0008_1110, reference(1));
        d.one(0x0008_1111, reference(2));
        d.one(0x0038_0004, reference(3));
        d.one(0x0400_0561, |original| {
            let modified = vec![original.item(person(1)), original.item(person(2))];
            original.seq(0x0400_0550, modified);
            original.text(0x0400_0564, Vr::Lo, &id[3]);
        });
        d.one(0x0400_0550, person(4));
        d.one(0x0040_0275, |request| {
            request.text(0x0040_1001, Vr::Sh, &id[5]);
            request.text(0x0032_1033, Vr::Lo, &id[6]);
            request.one(0x0008_1110, reference(4));
            request.text(0x0040_2008, Vr::Pn, &name[5]);
        });
        d.one(0x0008_1049, |doctor| {
            doctor.text(0x0040_1102, Vr::St, &id[3]);
            doctor.text(0x0008_0080, Vr::Lo, &name[6]);
        });
        d.text(0x0010_2299, Vr::Lo, &name[3]);
    })
}

fn frames(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(25, "functional-groups", |c| {
        let series = c.study.series(1, "MR", "spine t2", "Imager");
        let shop = Shop { noise: Noise::new(c.study.seed), shrink: 1 };
        c.draft = kinds::enhanced_mr(&c.study, &series, 2, &shop);
        let word = [(); 3].map(|()| c.canary(K::Text));
        let (date, uid, name) = (c.canary(K::Date), c.canary(K::Uid), c.canary(K::PersonName));
        let groups = |n: usize| {
            c.draft.data.item(|group| {
                group.one(0x0020_9111, |content| {
                    content.text(0x0018_9074, Vr::Dt, &format!("{date}101112"));
                    content.text(0x0020_9158, Vr::Lt, &word[n]);
                    content.ul(0x0020_9157, &[n as u32 + 1]);
                });
                group.one(0x0008_2112, |source| {
                    source.text(0x0008_1150, Vr::Ui, "1.2.840.10008.5.1.4.1.1.4");
                    source.text(0x0008_1155, Vr::Ui, &uid);
                });
                group.text(0x0035_0010, Vr::Lo, "INVENTED DEVICE 7");
                group.text(0x0035_1001, Vr::Pn, &name);
                group.one(0x0040_9096, |real_world| {
                    real_world.text(0x0028_3003, Vr::Lo, &word[2]);
                });
            })
        };
        let items = vec![groups(0), groups(1)];
        c.d().seq(0x5200_9230, items);
        c.expect(Expect::Either);
    })
}

fn icon(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(28, "icon-image", |c| {
        const SIDE: u16 = 64;
        let word = c.canary(K::Text);
        let mut pixels = vec![20; usize::from(SIDE) * usize::from(SIDE)];
        let family = c.study.patient.latin().0.to_uppercase();
        burn(&mut pixels, (usize::from(SIDE), 1), (0, 4), 1, &family, 230);
        // The last line holds a word as bytes: a search can see whether the icon survived.
        let at = pixels.len() - word.len();
        pixels[at..].copy_from_slice(word.as_bytes());
        c.d().one(0x0088_0200, |icon| {
            icon.us(0x0028_0002, &[1]);
            icon.text(0x0028_0004, Vr::Cs, "MONOCHROME2");
            icon.us(0x0028_0010, &[SIDE]);
            icon.us(0x0028_0011, &[SIDE]);
            icon.us(0x0028_0100, &[8]);
            icon.us(0x0028_0101, &[8]);
            icon.us(0x0028_0102, &[7]);
            icon.us(0x0028_0103, &[0]);
            icon.bytes(0x7fe0_0010, Vr::Ob, pixels);
        });
    })
}

fn uids(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(41, "uids-everywhere", |c| {
        c.words(&[
            (0x0008_0014, Vr::Ui),
            (0x0008_0058, Vr::Ui),
            (0x0008_1195, Vr::Ui),
            (0x0008_3010, Vr::Ui),
            (0x0018_1002, Vr::Ui),
            (0x0020_0052, Vr::Ui),
            (0x0020_0200, Vr::Ui),
            (0x0020_9161, Vr::Ui),
            (0x0020_9164, Vr::Ui),
            (0x0040_a124, Vr::Ui),
            (0x0062_0021, Vr::Ui),
            (0x0088_0140, Vr::Ui),
            (0x0400_0100, Vr::Ui),
        ]);
        let (private, typed, linked) = (c.canary(K::Uid), c.canary(K::Uid), c.canary(K::Uid));
        let mrn: String = c.study.patient.mrn.chars().filter(char::is_ascii_digit).collect();
        let embedded = format!("1.3.6.1.4.1.58999.9.{}.1", mrn.trim_start_matches('0'));
        c.plant(K::Uid, &embedded);
        let d = c.d();
        d.text(0x0035_0010, Vr::Lo, "INVENTED DEVICE 7");
        d.text(0x0035_1004, Vr::Ui, &private);
        d.text(0x0020_4000, Vr::Lt, &format!("see {typed}"));
        d.text(0x0008_1190, Vr::Ur, &format!("https://pacs.example/studies/{linked}"));
        d.one(0x0008_1140, |image| {
            image.text(0x0008_1150, Vr::Ui, "1.2.840.10008.5.1.4.1.1.4");
            image.text(0x0008_1155, Vr::Ui, &embedded);
        });
    })
}

fn signatures(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(42, "signatures-and-encryption", |c| {
        let (uid, date) = (c.canary(K::Uid), c.canary(K::Date));
        let word = [(); 3].map(|()| c.canary(K::Text));
        let d = c.d();
        d.one(0x4ffe_0001, |mac| {
            mac.us(0x0400_0005, &[1]);
            mac.text(0x0400_0010, Vr::Ui, "1.2.840.10008.1.2.1");
            mac.text(0x0400_0015, Vr::Cs, "SHA256");
            mac.at(0x0400_0020, &[0x0010_0010]);
        });
        d.one(0xfffa_fffa, |signature| {
            signature.us(0x0400_0005, &[1]);
            signature.text(0x0400_0100, Vr::Ui, &uid);
            signature.text(0x0400_0105, Vr::Dt, &format!("{date}101112"));
            signature.text(0x0400_0110, Vr::Cs, "X509_1993_SIG");
            signature.bytes(0x0400_0115, Vr::Ob, word[0].as_bytes());
            signature.bytes(0x0400_0120, Vr::Ob, word[1].as_bytes());
        });
        d.one(0x0400_0500, |encrypted| {
            encrypted.text(0x0400_0510, Vr::Ui, "1.2.840.10008.1.2.1");
            encrypted.bytes(0x0400_0520, Vr::Ob, word[2].as_bytes());
        });
    })
}

fn numbers(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(43, "specimen-trial-order-and-visit", |c| {
        c.words(&[
            (0x0008_0050, Vr::Sh),
            (0x0010_0021, Vr::Lo),
            (0x0010_1000, Vr::Lo),
            (0x0010_1050, Vr::Lo),
            (0x0010_1090, Vr::Lo),
            (0x0012_0010, Vr::Lo),
            (0x0012_0020, Vr::Lo),
            (0x0012_0021, Vr::Lo),
            (0x0012_0030, Vr::Lo),
            (0x0012_0031, Vr::Lo),
            (0x0012_0040, Vr::Lo),
            (0x0012_0042, Vr::Lo),
            (0x0012_0050, Vr::Lo),
            (0x0012_0051, Vr::St),
            (0x0012_0060, Vr::Lo),
            (0x0012_0071, Vr::Lo),
            (0x0038_0010, Vr::Lo),
            (0x0038_0060, Vr::Lo),
            (0x0040_0512, Vr::Lo),
            (0x0040_1001, Vr::Sh),
            (0x0040_2016, Vr::Lo),
            (0x0040_2017, Vr::Lo),
            (0x0040_050a, Vr::Lo),
        ]);
        let (specimen, uid) = (c.canary(K::PatientId), c.canary(K::Uid));
        c.d().one(0x0040_0560, |item| {
            item.text(0x0040_0551, Vr::Lo, &specimen);
            item.text(0x0040_0554, Vr::Ui, &uid);
        });
    })
}

fn mixed(maker: &mut Maker) -> Result<(), SynthError> {
    // Two instances of one study: with another patient's identifiers, and with the same UID.
    for (first, second, same_uid) in [
        ("two-patients-first", "two-patients-second", false),
        ("same-uid-first", "same-uid-second", true),
    ] {
        let number = maker.cases;
        let mut one = maker.new_case(0, Charset::Latin1);
        one.syntaxes = &[Syntax::ExplicitLe];
        one.expect(Expect::Either);
        let mut two = maker.new_case(0, Charset::Latin1);
        two.study = maker.study(0, number, Charset::Latin1);
        two.draft = super::small_mr(&two.study);
        two.syntaxes = one.syntaxes;
        two.expect(Expect::Quarantine);
        if same_uid {
            two.words(&[(0x0010_2180, Vr::Sh)]);
        } else {
            let (name, id) = (two.canary(K::PersonName), two.canary(K::PatientId));
            let uid = two.canary(K::Uid);
            two.d().text(0x0010_0010, Vr::Pn, &name);
            two.d().text(0x0010_0020, Vr::Lo, &id);
            two.d().text(0x0008_0018, Vr::Ui, &uid);
            two.draft.uid = uid;
        }
        maker.finish(44, first, one)?;
        maker.finish(44, second, two)?;
    }
    Ok(())
}
