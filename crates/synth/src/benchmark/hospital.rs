//! Invented hospitals and their habits.

use super::person::{Name, address};
use super::words::Culture;
use crate::charset::Charset;
use crate::people::Day;
use crate::rng::Rng;

/// A hospital: where it is, how its systems number, how careless its people type.
pub(super) struct Hospital {
    pub(super) culture: Culture,
    pub(super) charset: Charset,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) department: String,
    /// Members of staff whom its systems name.
    pub(super) staff: Vec<Name>,
    /// Percent of descriptions that hold an identifier.
    pub(super) carelessness: u32,
    /// Everything is written in capitals.
    pub(super) capitals: bool,
    /// Optional attributes are filled in.
    pub(super) thorough: bool,
    /// Its UIDs hold dates, as those of some devices do.
    pub(super) dated_uids: bool,
    root: String,
    record_form: u32,
    accession_form: u32,
    issuer: String,
}

/// Where the hospitals are: half of them where English is written.
const PLACES: [Culture; 16] = [
    Culture::American,
    Culture::American,
    Culture::American,
    Culture::American,
    Culture::American,
    Culture::American,
    Culture::British,
    Culture::British,
    Culture::British,
    Culture::German,
    Culture::French,
    Culture::Spanish,
    Culture::Portuguese,
    Culture::Chinese,
    Culture::Japanese,
    Culture::Korean,
];

impl Hospital {
    /// All hospitals of one seed.
    pub(super) fn all(seed: u64) -> Vec<Self> {
        PLACES.iter().enumerate().map(|(n, &culture)| Self::invent(seed, n, culture)).collect()
    }

    fn invent(seed: u64, number: usize, culture: Culture) -> Self {
        let mut rng = Rng::new(seed, &format!("benchmark hospital {number}"));
        let charset = *rng.pick(culture.charsets());
        let own = culture.pick(&mut rng, "hospital");
        let name = match culture {
            Culture::American => format!("{own} {}", rng.word(&["Hospital", "Medical Center"])),
            Culture::British => format!("{own} {}", rng.word(&["Infirmary", "General Hospital"])),
            _ => own.to_owned(),
        };
        let department = match culture {
            Culture::Chinese => "放射科",
            Culture::Japanese => "放射線科",
            Culture::Korean => "영상의학과",
            Culture::German => "Radiologie",
            _ => "Radiology",
        };
        let staff = (0..14).map(|_| {
            let female = rng.below(2) == 0;
            Name::invent(&mut rng, culture, female)
        });
        let staff = staff.collect();
        Self {
            address: address(&mut rng, culture),
            department: department.to_owned(),
            staff,
            carelessness: 10 + rng.below(45),
            capitals: !culture.own_script() && rng.below(3) == 0,
            thorough: rng.below(3) > 0,
            dated_uids: rng.below(3) == 0,
            root: match rng.below(3) {
                0 => format!("1.3.6.1.4.1.{}.{}", 50_000 + rng.below(9_000), 1 + rng.below(9)),
                1 => format!("1.2.826.0.1.3680043.10.{}", 1000 + rng.below(8_000)),
                _ => "2.25".to_owned(),
            },
            record_form: rng.below(6),
            accession_form: rng.below(5),
            issuer: format!("{}{}", rng.word(&["HOSP", "SITE", "MPI", "ADT"]), rng.digits(3)),
            culture,
            charset,
            name,
        }
    }

    /// A record number as this hospital writes it.
    pub(super) fn record_number(&self, rng: &mut Rng) -> String {
        match self.record_form {
            0 => rng.digits(8),
            1 => format!("MRN{}", rng.digits(7)),
            2 => format!("{}-{}", rng.digits(4), rng.digits(4)),
            3 => format!("00{}", rng.digits(6)),
            4 => format!("H{}", rng.digits(9)),
            _ => format!("{}/{}", rng.digits(6), 10 + rng.below(20)),
        }
    }

    /// An accession number as this hospital writes it: often with the study's date in it.
    pub(super) fn accession(&self, rng: &mut Rng, date: Day) -> String {
        match self.accession_form {
            0 => format!("{}{}", date.da(), rng.digits(5)),
            1 => format!("A{}-{}", &date.da()[2..], rng.digits(4)),
            2 => format!("RAD{}", rng.digits(8)),
            3 => format!("{}{}", rng.digits(4), date.da()),
            _ => rng.digits(9),
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A UID of this hospital, at most 64 characters (PS3.5 9).
    pub(super) fn uid(&self, rng: &mut Rng, date: Day) -> String {
        let root = &self.root;
        if root == "2.25" {
            return format!("{root}.{}", rng.digits(38));
        }
        if self.dated_uids {
            return format!("{root}.{}.{}.{}", rng.digits(6), date.da(), rng.digits(10));
        }
        format!("{root}.{}.{}", rng.digits(9), rng.digits(10))
    }
}
