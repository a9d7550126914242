//! Private elements: blocks of real makers, some elements of which are on the standard's list of
//! safe ones (PS3.15 table E.3.10-1), beside others that hold identifiers.

use super::sheet::{PrivateAt, Sheet, Wish, hipaa};
use super::study::{Kind, Series, Study};
use crate::file::Syntax;
use crate::rng::Rng;
use crate::wire::Vr;

/// Writes the blocks that the machine of this series writes.
pub(super) fn write(study: &Study, series: &Series, rng: &mut Rng, syntax: Syntax, s: &mut Sheet) {
    let block = *rng.pick(&[0x10, 0x10, 0x10, 0x11, 0x20, 0xe1]);
    let mut writer = Writer { s, block, named: syntax != Syntax::ImplicitLe };
    match (series.kind, series.maker.0) {
        (Kind::Mr, "SIEMENS") => writer.siemens_mr(rng),
        (Kind::Ct | Kind::Mr, "GE MEDICAL SYSTEMS") => writer.general_electric(series.kind, rng),
        (Kind::Ct, "Philips Medical Systems") => writer.elscint(rng),
        (Kind::Mr, "Philips Medical Systems") => writer.philips_mr(rng),
        (Kind::Pt, "Philips Medical Systems") => writer.philips_pet(study, rng),
        (Kind::Mg, "HOLOGIC, Inc.") => writer.hologic(),
        (Kind::Us, "SIEMENS") => writer.sonography(rng),
        _ => writer.archive(rng),
    }
    if rng.below(3) > 0 {
        writer.identifiers(study, rng);
    }
}

struct Writer<'a> {
    s: &'a mut Sheet,
    block: u8,
    /// The file says value representations, so that numbers can be read back.
    named: bool,
}

impl Writer<'_> {
    fn put(&mut self, (group, creator, element): At, vr: Vr, bytes: Vec<u8>, wish: Wish) {
        let at = PrivateAt { group, creator, block: self.block, element };
        self.s.private(at, vr, bytes, wish);
    }

    /// Text of a safe element.
    fn safe(&mut self, at: At, vr: Vr, text: &str) {
        self.put(at, vr, text.as_bytes().to_vec(), Wish::Keep(text.to_owned()));
    }

    /// Binary numbers of a safe element.
    fn number(&mut self, at: At, vr: Vr, bytes: Vec<u8>, shown: String) {
        let wish = if self.named { Wish::Keep(shown) } else { Wish::There };
        self.put(at, vr, bytes, wish);
    }

    fn float(&mut self, at: At, value: f32) {
        self.number(at, Vr::Fl, value.to_le_bytes().to_vec(), format!("{value:?}"));
    }

    fn siemens_mr(&mut self, rng: &mut Rng) {
        const HEADER: &str = "SIEMENS MR HEADER";
        self.safe((0x0019, HEADER, 0x0c), Vr::Is, rng.word(&["0", "500", "800", "1000"]));
        self.safe((0x0019, HEADER, 0x0d), Vr::Cs, rng.word(&["NONE", "DIRECTIONAL"]));
        let gradient = [0.5f64, -0.5, 0.25].iter().flat_map(|v| v.to_le_bytes()).collect();
        self.put((0x0019, HEADER, 0x0e), Vr::Fd, gradient, Wish::There);
        let matrix = [1.0f64; 6].iter().flat_map(|v| v.to_le_bytes()).collect();
        self.put((0x0019, HEADER, 0x27), Vr::Fd, matrix, Wish::There);
    }

    fn general_electric(&mut self, kind: Kind, rng: &mut Rng) {
        if kind == Kind::Mr {
            self.safe((0x0019, "GEMS_ACQU_01", 0x9e), Vr::Lo, rng.word(&["FSE-XL", "EPI2", "SE"]));
            self.put(
                (0x0043, "GEMS_PARM_01", 0x39),
                Vr::Is,
                b"1000\\8\\0\\0".to_vec(),
                Wish::There,
            );
            return;
        }
        self.safe((0x0019, "GEMS_ACQU_01", 0x23), Vr::Ds, rng.word(&["9.375", "5.625", "20.62"]));
        self.safe((0x0019, "GEMS_ACQU_01", 0x27), Vr::Ds, rng.word(&["0.8", "0.5", "1.0"]));
        self.safe((0x0043, "GEMS_PARM_01", 0x27), Vr::Sh, rng.word(&["0.938:1", "1.375:1"]));
        let rows = *rng.pick(&[16i16, 64, 128]);
        let at = (0x0045, "GEMS_HELIOS_01", 0x01);
        self.number(at, Vr::Ss, rows.to_le_bytes().to_vec(), rows.to_string());
        self.float((0x0045, "GEMS_HELIOS_01", 0x02), 0.625);
    }

    fn elscint(&mut self, rng: &mut Rng) {
        self.safe((0x00e1, "ELSCINT1", 0x21), Vr::Ds, &format!("{}.5", 100 + rng.below(900)));
        self.safe((0x00e1, "ELSCINT1", 0x50), Vr::Ds, &format!("{}.2", 2 + rng.below(9)));
        self.safe((0x01f1, "ELSCINT1", 0x01), Vr::Cs, rng.word(&["HELIX", "AXIAL"]));
        self.safe((0x01f1, "ELSCINT1", 0x26), Vr::Ds, rng.word(&["0.899", "1.172"]));
        self.safe((0x01f1, "ELSCINT1", 0x27), Vr::Ds, rng.word(&["0.75", "0.5"]));
    }

    fn philips_mr(&mut self, rng: &mut Rng) {
        let factor = *rng.pick(&[0.0f32, 600.0, 1000.0]);
        self.float((0x2001, "Philips Imaging DD 001", 0x03), factor);
        self.safe((0x2001, "Philips Imaging DD 001", 0x04), Vr::Cs, rng.word(&["P", "M", "S"]));
        self.float((0x2005, "Philips MR Imaging DD 001", 0x0d), 0.0);
        self.float((0x2005, "Philips MR Imaging DD 001", 0x0e), 0.5);
    }

    fn philips_pet(&mut self, study: &Study, rng: &mut Rng) {
        const PET: &str = "Philips PET Private Group";
        self.safe((0x7053, PET, 0x00), Vr::Ds, &format!("0.000{}", rng.digits(4)));
        self.safe((0x7053, PET, 0x09), Vr::Ds, &format!("1.{}", rng.digits(4)));
        // The file's name on the scanner holds the patient's: same block, not on the list.
        let name = format!("{}_{}.img", study.patient.name.latin.0, study.patient.mrn);
        let bytes = crate::people::fold(&name).into_bytes();
        let gone = Wish::Gone(study.patient.mrn.clone(), hipaa::RECORD);
        self.put((0x7053, PET, 0x03), Vr::St, bytes, gone);
    }

    fn hologic(&mut self) {
        self.safe((0x7e01, "HOLOGIC, Inc.", 0x01), Vr::Lo, "1.1.0");
        self.safe((0x7e01, "HOLOGIC, Inc.", 0x02), Vr::Sh, "BITS:12");
    }

    fn sonography(&mut self, rng: &mut Rng) {
        const SC2000: &str = "SIEMENS Ultrasound SC2000";
        self.safe((0x0119, SC2000, 0x00), Vr::Lo, "AMI 2.0");
        self.safe((0x0119, SC2000, 0x13), Vr::Is, &(10 + rng.below(40)).to_string());
    }

    fn archive(&mut self, rng: &mut Rng) {
        for element in [0x10, 0x11] {
            let value = rng.below(2) as u16;
            let at = (0x0903, "GEIIS PACS", element);
            self.number(at, Vr::Us, value.to_le_bytes().to_vec(), value.to_string());
        }
    }

    /// Identifiers in blocks that nobody vouches for.
    fn identifiers(&mut self, study: &Study, rng: &mut Rng) {
        let (creator, group) = *rng.pick(&[
            ("SIEMENS MED", 0x0021),
            ("GEMS_IDEN_01", 0x0009),
            ("SPI-P Release 1", 0x0009),
            ("MITRA LINKED ATTRIBUTES 1.0", 0x0031),
            ("ACUSON", 0x0009),
            ("KODAK PACS 4", 0x0029),
            ("PAPYRUS 3.0", 0x0041),
        ]);
        let p = &study.patient;
        let plain = |text: &str| crate::people::fold(text);
        let name = plain(&format!("{} {}", p.name.latin.0, p.name.latin.1));
        let staff = plain(&format!("{} {}", study.people[2].latin.1, study.people[2].latin.0));
        let texts = [
            (0xa1, Vr::Lo, Wish::Gone(name, hipaa::NAME)),
            (0xa2, Vr::Lo, Wish::Gone(p.mrn.clone(), hipaa::RECORD)),
            (0xa3, Vr::Da, Wish::Date(study.date.da())),
            (0xa4, Vr::Ui, Wish::Uid(study.uid.clone())),
            (0xa5, Vr::Lo, Wish::Gone(p.phone.clone(), hipaa::PHONE)),
            (0xa6, Vr::Sh, Wish::Gone(study.accession.clone(), hipaa::ACCOUNT)),
            (0xa7, Vr::Lo, Wish::Gone(staff, hipaa::NAME)),
            (0xa8, Vr::Da, Wish::Date(p.birth.da())),
        ];
        for (element, vr, wish) in texts {
            let (Wish::Gone(text, _) | Wish::Date(text) | Wish::Uid(text)) = &wish else {
                continue;
            };
            let bytes = text.clone().into_bytes();
            if rng.below(2) == 0 {
                self.put((group, creator, element), vr, bytes, wish);
            }
        }
    }
}

/// Group, creator and element of a private attribute.
type At = (u16, &'static str, u8);
