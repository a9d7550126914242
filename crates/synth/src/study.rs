//! One invented study: whose it is, when and where it was made, and the attributes that all its
//! instances share, filled in the way hospitals really do.

use crate::SynthError;
use crate::charset::Charset;
use crate::file::{FileParts, Syntax, put_pixels};
use crate::key::{Expect, Planted, PlantedKind, SynthInstance};
use crate::people::{Day, HOSPITALS, Patient, fold, staff};
use crate::pixels::Frames;
use crate::rng::Rng;
use crate::wire::{DataSet, Lengths, Vr};

/// A study and everything that identifies it.
pub(crate) struct Study {
    pub(crate) seed: u64,
    pub(crate) hospital: usize,
    pub(crate) index: usize,
    pub(crate) charset: Charset,
    pub(crate) patient: Patient,
    pub(crate) date: Day,
    pub(crate) prior: Day,
    pub(crate) time: String,
    pub(crate) uid: String,
    pub(crate) accession: String,
    pub(crate) order: String,
    pub(crate) admission: String,
    pub(crate) ward: String,
    pub(crate) serial: String,
    pub(crate) station: String,
    pub(crate) doctor_phone: String,
    pub(crate) title: &'static str,
}

/// One series within a study.
pub(crate) struct Series {
    pub(crate) number: u32,
    pub(crate) modality: &'static str,
    pub(crate) description: &'static str,
    pub(crate) manufacturer: &'static str,
    pub(crate) uid: String,
}

/// An instance before it is written.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) data: DataSet,
    pub(crate) class: &'static str,
    pub(crate) uid: String,
    pub(crate) pixels: Option<Frames>,
    pub(crate) expected: Expect,
    /// What only this instance holds.
    pub(crate) own: Vec<(PlantedKind, String)>,
}

impl Study {
    /// Study `index` of a hospital, of patient number `patient`.
    pub(crate) fn invent(
        seed: u64,
        hospital: usize,
        index: usize,
        patient: usize,
        charset: Charset,
        title: &'static str,
    ) -> Self {
        let mut rng = Rng::new(seed, &format!("study {hospital} {index}"));
        let patient = Patient::invent(seed, hospital, patient, charset);
        let day = 8 + rng.below(20) as u8;
        let date = Day { year: 2016, month: 3, day };
        let prior = Day { year: 2016, month: 3, day: 1 + rng.below(7) as u8 };
        let mut study = Self {
            seed,
            hospital,
            index,
            charset,
            date,
            prior,
            time: format!(
                "{:02}{:02}{:02}.{:06}",
                8 + rng.below(9),
                rng.below(60),
                rng.below(60),
                rng.below(999_999)
            ),
            uid: String::new(),
            accession: format!("ACC{}{}", date.da(), rng.digits(4)),
            order: format!("ORD{}", rng.digits(8)),
            admission: format!("ADM{}", rng.digits(8)),
            ward: format!("Ward Samphire {}B", 2 + rng.below(8)),
            serial: format!("SN{}", rng.digits(8)),
            station: format!("{}{}", ["WYSTANRAD", "KIKYORAD"][hospital.min(1)], rng.digits(3)),
            doctor_phone: format!("0{} 555 {}", 161 + rng.below(700), rng.digits(4)),
            patient,
            title,
        };
        study.uid = study.make_uid("study");
        study
    }

    /// A UID that depends on the study and the label. One hospital writes the record number and
    /// the date into its UIDs, as some devices do; the other derives them from random numbers.
    pub(crate) fn make_uid(&self, label: &str) -> String {
        let mut rng = Rng::new(self.seed, &format!("uid {} {} {label}", self.hospital, self.index));
        if self.hospital == 0 {
            let record = self.patient.mrn.trim_start_matches(|c: char| !c.is_ascii_digit());
            let record = record.trim_start_matches('0');
            format!("1.3.6.1.4.1.58999.1.{record}.{}.{}", self.date.da(), rng.digits(9))
        } else {
            format!("2.25.{}", rng.digits(38))
        }
    }

    pub(crate) fn series(
        &self,
        number: u32,
        modality: &'static str,
        description: &'static str,
        manufacturer: &'static str,
    ) -> Series {
        let uid = self.make_uid(&format!("series {number}"));
        Series { number, modality, description, manufacturer, uid }
    }

    /// Everything that identifies this study, wherever in its files it stands.
    pub(crate) fn key(&self) -> Vec<(PlantedKind, String)> {
        use PlantedKind as K;
        let (institution, address) = HOSPITALS[self.hospital].name(self.charset);
        let p = &self.patient;
        let mut key: Vec<(K, String)> = [
            (K::PersonName, p.name.as_str()),
            (K::PersonName, &p.maiden_name),
            (K::PersonName, &p.mother),
            (K::PatientId, &p.mrn),
            (K::PatientId, &p.other_id),
            (K::PatientId, &self.admission),
            (K::Accession, &self.accession),
            (K::Accession, &self.order),
            (K::Address, &p.address),
            (K::Address, address),
            (K::Phone, &p.phone),
            (K::Phone, &self.doctor_phone),
            (K::Institution, institution),
            (K::Institution, &self.ward),
            (K::Device, &self.serial),
            (K::Device, &self.station),
            (K::Uid, &self.uid),
        ]
        .map(|(kind, value)| (kind, value.to_owned()))
        .to_vec();
        for n in 0..6 {
            key.push((K::PersonName, staff(self.charset, self.hospital, n).to_owned()));
        }
        for day in [p.birth, self.date, self.prior] {
            key.push((K::Date, day.da()));
        }
        key
    }

    /// The attributes every instance of the study carries, in the file's character set.
    pub(crate) fn data_set(
        &self,
        class: &str,
        uid: &str,
        series: &Series,
        instance: usize,
    ) -> DataSet {
        let mut d = DataSet::new(self.charset);
        d.text(0x0008_0005, Vr::Cs, self.charset.declared());
        d.text(0x0008_0016, Vr::Ui, class);
        d.text(0x0008_0018, Vr::Ui, uid);
        self.dates(&mut d);
        self.people(&mut d, series);
        self.patient_module(&mut d);
        d.text(0x0008_0060, Vr::Cs, series.modality);
        d.text(0x0008_103e, Vr::Lo, series.description);
        d.text(0x0020_000d, Vr::Ui, &self.uid);
        d.text(0x0020_000e, Vr::Ui, &series.uid);
        d.text(0x0020_0010, Vr::Sh, &self.accession[3..]);
        d.text(0x0020_0011, Vr::Is, &series.number.to_string());
        d.text(0x0020_0013, Vr::Is, &(instance + 1).to_string());
        self.requests(&mut d);
        d
    }

    fn dates(&self, d: &mut DataSet) {
        let date = self.date.da();
        for tag in [0x0008_0012, 0x0008_0020, 0x0008_0021, 0x0008_0023] {
            d.text(tag, Vr::Da, &date);
        }
        for tag in [0x0008_0013, 0x0008_0030, 0x0008_0031, 0x0008_0033] {
            d.text(tag, Vr::Tm, &self.time);
        }
    }

    fn people(&self, d: &mut DataSet, series: &Series) {
        let (institution, address) = HOSPITALS[self.hospital].name(self.charset);
        let who = |n| staff(self.charset, self.hospital, n);
        let (family, given) = self.patient.latin();
        d.text(0x0008_0050, Vr::Sh, &self.accession);
        d.text(0x0008_0070, Vr::Lo, series.manufacturer);
        d.text(0x0008_0080, Vr::Lo, institution);
        d.text(0x0008_0081, Vr::St, address);
        d.text(0x0008_0090, Vr::Pn, who(0));
        d.text(0x0008_0094, Vr::Sh, &self.doctor_phone);
        d.text(0x0008_1010, Vr::Sh, &self.station);
        let family = encodable(self.charset, family);
        d.text(0x0008_1030, Vr::Lo, &format!("{} {family} {}", self.title, self.prior.dotted()));
        d.text(0x0008_1048, Vr::Pn, who(1));
        d.text(0x0008_1050, Vr::Pn, who(2));
        d.text(0x0008_1060, Vr::Pn, who(3));
        d.text(0x0008_1070, Vr::Pn, who(4));
        d.text(0x0008_1090, Vr::Lo, "Imager One");
        d.text(0x0018_1000, Vr::Lo, &self.serial);
        d.text(0x0018_1020, Vr::Lo, "VB17");
        let given = encodable(self.charset, given);
        let native = self.patient.native().unwrap_or_default();
        d.text(
            0x0020_4000,
            Vr::Lt,
            &format!(
                "pt {given} {family} {native} ({}), compare {}, call {}",
                self.patient.mrn,
                self.prior.us_slashes(),
                self.patient.phone
            ),
        );
    }

    fn patient_module(&self, d: &mut DataSet) {
        let p = &self.patient;
        d.text(0x0010_0010, Vr::Pn, &p.name);
        d.text(0x0010_0020, Vr::Lo, &p.mrn);
        d.text(0x0010_0030, Vr::Da, &p.birth.da());
        d.text(0x0010_0040, Vr::Cs, if p.female { "F" } else { "M" });
        d.one(0x0010_1002, |item| {
            item.text(0x0010_0020, Vr::Lo, &p.other_id);
            item.text(0x0010_0022, Vr::Cs, "TEXT");
        });
        let latin = matches!(self.charset, Charset::Latin1 | Charset::Utf8);
        if latin {
            d.text(0x0010_1001, Vr::Pn, &p.maiden_name);
            d.text(0x0010_1060, Vr::Pn, &p.mother);
        }
        d.text(0x0010_1010, Vr::As, &format!("{:03}Y", p.birth.years_until(self.date)));
        d.text(0x0010_1020, Vr::Ds, "1.68");
        d.text(0x0010_1030, Vr::Ds, "71.5");
        d.text(0x0010_1040, Vr::Lo, &p.address);
        d.text(0x0010_2154, Vr::Sh, &p.phone);
        d.text(0x0010_4000, Vr::Lt, &format!("born {}; tel. {}", p.birth.dotted(), p.phone));
    }

    fn requests(&self, d: &mut DataSet) {
        d.text(0x0032_1032, Vr::Pn, staff(self.charset, self.hospital, 5));
        d.text(0x0038_0010, Vr::Lo, &self.admission);
        d.text(0x0038_0300, Vr::Lo, &self.ward);
        d.text(0x0040_0244, Vr::Da, &self.date.da());
        d.text(0x0040_0245, Vr::Tm, &self.time);
        d.text(0x0040_0253, Vr::Sh, &self.order);
        d.one(0x0040_0275, |item| {
            item.text(0x0032_1060, Vr::Lo, self.title);
            item.text(0x0040_0007, Vr::Lo, self.title);
            item.text(0x0040_0009, Vr::Sh, &self.order);
            item.text(0x0040_1001, Vr::Sh, &self.accession);
        });
        // A correction of the record number, as archives leave it behind.
        let item = d.item(|item| {
            item.one(0x0400_0550, |old| {
                old.text(0x0010_0010, Vr::Pn, &self.patient.name);
                old.text(0x0010_0020, Vr::Lo, &self.patient.other_id);
            });
            let when = format!("{}{}", self.date.da(), &self.time[..6]);
            item.text(0x0400_0562, Vr::Dt, &when);
            item.text(0x0400_0563, Vr::Lo, &self.station);
            item.text(0x0400_0564, Vr::Lo, HOSPITALS[self.hospital].calling_ae);
            item.text(0x0400_0565, Vr::Cs, "CORRECT");
        });
        d.seq(0x0400_0561, vec![item]);
    }

    /// Writes a draft as a file and keeps of the key what really stands in it.
    pub(crate) fn write(
        &self,
        draft: Draft,
        syntax: Syntax,
        lengths: Lengths,
    ) -> Result<SynthInstance, SynthError> {
        let Draft { mut data, class, uid, pixels, expected, own } = draft;
        if let Some(frames) = pixels {
            put_pixels(&mut data, frames, syntax)?;
        }
        let mut candidates = self.key();
        candidates.extend(own);
        candidates.push((PlantedKind::Uid, uid.clone()));
        let mut parts = FileParts::new(data, class, &uid, syntax);
        parts.lengths = lengths;
        let encoded = parts.encode()?;
        Ok(SynthInstance {
            hospital: self.hospital,
            study: self.index,
            sop_class: class,
            sop_instance: uid,
            transfer_syntax: syntax.uid(),
            planted: present(candidates, self.charset, &encoded.readable),
            file: encoded.bytes,
            expected,
        })
    }
}

/// Names in a Latin script that the character set cannot write lose their marks in free text.
fn encodable(charset: Charset, text: &str) -> String {
    match charset {
        Charset::Latin1 | Charset::Utf8 => text.to_owned(),
        _ => fold(text),
    }
}

/// The candidates whose bytes stand in `readable`, without repeats.
pub(crate) fn present(
    mut candidates: Vec<(PlantedKind, String)>,
    charset: Charset,
    readable: &[u8],
) -> Vec<Planted> {
    candidates.sort();
    candidates.dedup();
    candidates
        .into_iter()
        .map(|(kind, value)| Planted { kind, encoded: charset.encode(&value), value })
        .filter(|planted| contains(readable, &planted.encoded))
        .collect()
}

/// Whether `needle` (not empty) stands in `haystack`.
pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}
