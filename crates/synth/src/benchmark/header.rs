//! The attributes that all instances of a series share, filled in as hospitals do.

use super::attr as a;
use super::sheet::{Sheet, hipaa};
use super::study::{Kind, Series, Study};
use super::words::Culture;

impl Study {
    /// Everything that the instances of a series share.
    pub(super) fn shared(&self, series: &Series) -> Sheet {
        let mut s = Sheet::new(self.hospital().charset);
        s.plain(a::CHARACTER_SET, self.hospital().charset.declared());
        s.plain(a::SOP_CLASS, series.kind.class());
        s.keep(a::MODALITY, series.kind.modality());
        self.dates(&mut s);
        self.people(&mut s);
        self.general_study(&mut s);
        self.patient_module(&mut s);
        self.patient_study(&mut s);
        self.general_series(&mut s, series);
        self.request(&mut s);
        if self.trial {
            self.trial(&mut s);
        }
        s
    }

    fn dates(&self, s: &mut Sheet) {
        s.date(a::STUDY_DATE, self.date);
        s.date(a::SERIES_DATE, self.date);
        s.date(a::CONTENT_DATE, self.date);
        s.plain(a::STUDY_TIME, self.time());
        s.plain(a::SERIES_TIME, self.time());
        s.plain(a::CONTENT_TIME, self.time());
        if self.has(0) {
            s.date(a::CREATION_DATE, self.date);
            s.uid(a::CREATOR_UID, &format!("{}.3", self.prior_uid));
            s.plain(a::CREATION_TIME, self.time());
        }
        if self.has(1) {
            s.date(a::STEP_DATE, self.date);
            s.plain(a::STEP_TIME, self.time());
        }
    }

    fn people(&self, s: &mut Sheet) {
        let hospital = self.hospital();
        let who = |n: usize| self.people[n].pn();
        s.gone(a::INSTITUTION, &hospital.name, hipaa::OTHER);
        s.replaced(a::REFERRING, &who(0), hipaa::NAME);
        if self.has(2) {
            s.gone(a::REFERRING_PHONE, &self.callback, hipaa::PHONE);
            s.gone(a::INSTITUTION_ADDRESS, &hospital.address, hipaa::PLACE);
            s.plain(a::DEPARTMENT, &hospital.department);
        }
        if self.has(3) {
            s.gone(a::PERFORMING, &who(1), hipaa::NAME);
        }
        if self.has(4) {
            s.gone(a::OPERATORS, &who(2), hipaa::NAME);
        }
        if self.has(5) {
            s.gone(a::READING, &who(3), hipaa::NAME);
        }
        if self.has(6) {
            s.gone(a::PHYSICIANS_OF_RECORD, &who(4), hipaa::NAME);
        }
    }

    fn general_study(&self, s: &mut Sheet) {
        s.uid(a::STUDY_UID, &self.uid);
        s.replaced(a::ACCESSION, &self.accession, hipaa::ACCOUNT);
        s.replaced(a::STUDY_ID, &self.study_id, hipaa::ACCOUNT);
        s.phrase(a::STUDY_DESCRIPTION, &self.description);
        if self.has(7) {
            s.phrase(a::STUDY_COMMENTS, &self.comments);
        }
        if self.has(8) {
            s.phrase(a::REASON_FOR_STUDY, &self.reason);
        }
        s.code(a::PROCEDURE_CODE, ["363679005", "SCT", "Imaging"]);
        if self.has(9) {
            s.item(a::REFERENCED_PATIENT, |item| {
                item.plain(a::REFERENCED_CLASS, "1.2.840.10008.3.1.2.1.1");
                item.uid(a::REFERENCED_INSTANCE, &format!("{}.9", self.prior_uid));
            });
            s.item(a::REFERENCED_STUDY, |item| {
                item.plain(a::REFERENCED_CLASS, "1.2.840.10008.3.1.2.3.1");
                item.uid(a::REFERENCED_INSTANCE, &self.prior_uid);
            });
        }
    }

    fn patient_module(&self, s: &mut Sheet) {
        let p = &self.patient;
        s.replaced(a::PATIENT_NAME, &p.name.pn(), hipaa::NAME);
        s.patient_id(&p.mrn);
        s.replaced(a::BIRTH_DATE, &p.birth.da(), hipaa::DATE);
        s.keep(a::SEX, if p.female { "F" } else { "M" });
        if self.has(10) {
            s.item(a::OTHER_PATIENT_IDS_SEQUENCE, |item| {
                item.gone(a::PATIENT_ID, &p.other_id, hipaa::RECORD);
                item.gone(a::ISSUER_OF_PATIENT_ID, self.hospital().issuer(), hipaa::OTHER);
                item.plain(a::TYPE_OF_PATIENT_ID, "TEXT");
            });
        }
        if self.has(11) {
            s.gone(a::OTHER_PATIENT_IDS, &p.national, hipaa::SOCIAL);
        }
        if self.has(12) {
            s.gone(a::ADDRESS, &p.address, hipaa::PLACE);
            s.gone(a::PHONE, &p.phone, hipaa::PHONE);
        }
        if self.has(13) {
            s.gone(a::MOTHER, &p.mother.pn(), hipaa::NAME);
        }
        if self.has(14) {
            s.phrase(a::PATIENT_COMMENTS, &self.patient_comments);
        }
        if self.has(15) {
            s.gone(a::RECORD_LOCATOR, &format!("shelf {}", self.study_id), hipaa::RECORD);
            s.gone(a::RELIGION, "Quaker", hipaa::OTHER);
            s.gone(a::INSURANCE, &format!("POL{}", &p.other_id), hipaa::PLAN);
            s.gone(a::OTHER_PATIENT_NAMES, &p.name.pn(), hipaa::NAME);
        }
    }

    fn patient_study(&self, s: &mut Sheet) {
        let p = &self.patient;
        let rng = &mut self.rng("patient study");
        let years = p.birth.years_until(self.date);
        let age = format!("{years:03}Y");
        match years {
            0..=89 => s.keep(a::AGE, &age),
            // What stands for every age above 89 as well.
            90 => s.there(a::AGE, &age),
            _ => s.gone(a::AGE, &age, hipaa::DATE),
        }
        s.keep(a::WEIGHT, &format!("{}.5", 48 + rng.below(60)));
        s.keep(a::SIZE, &format!("1.{}", 50 + rng.below(45)));
        let culture = self.hospital().culture;
        if self.has(16) {
            s.keep(a::MEDICAL_ALERTS, &culture.clinical(rng, "alert"));
        }
        if self.has(17) {
            s.keep(a::ALLERGIES, &culture.clinical(rng, "allergy"));
        }
        if self.has(18) {
            s.phrase(a::HISTORY, &self.history);
        }
        if self.has(19) {
            s.keep(a::ADMITTING_DIAGNOSES, &culture.clinical(rng, "diagnosis"));
            let admission = format!("ADM{}", rng.digits(8));
            s.gone(a::ADMISSION, &admission, hipaa::ACCOUNT);
            s.gone(a::LOCATION, &format!("Ward {}-{}", rng.digits(4), rng.digits(2)), hipaa::OTHER);
        }
        if self.has(20) {
            s.keep(a::SMOKING, rng.word(&["YES", "NO", "UNKNOWN"]));
            if p.female {
                s.there(a::PREGNANCY, "");
                s.data().us(a::PREGNANCY.tag, &[1 + rng.below(4) as u16]);
            }
        }
        if self.has(21) && culture == Culture::American {
            s.keep(a::ETHNIC_GROUP, rng.word(&["Hispanic", "Asian", "Caucasian", "Unknown"]));
        }
    }

    fn general_series(&self, s: &mut Sheet, series: &Series) {
        s.uid(a::SERIES_UID, &series.uid);
        s.there(a::SERIES_NUMBER, &series.number.to_string());
        s.phrase(a::SERIES_DESCRIPTION, &series.description);
        s.keep(a::MANUFACTURER, series.maker.0);
        s.keep(a::MODEL, series.maker.1);
        s.keep(a::STATION_NAME, &series.station);
        s.keep(a::SERIAL, &series.serial);
        s.keep(a::SOFTWARE, "syngo.7 VB20");
        if series.kind != Kind::Sr {
            s.phrase(a::PROTOCOL, &series.protocol);
            s.plain(a::BURNED_IN, "NO");
        }
        if self.has(22) {
            s.gone(a::STEP_ID, &self.request_ids[2], hipaa::ACCOUNT);
            s.phrase(a::STEP_COMMENTS, &self.step_comments);
            s.phrase(a::STEP_DESCRIPTION, &series.step);
        }
    }

    fn request(&self, s: &mut Sheet) {
        if self.has(7) {
            s.gone(a::ORDER_ENTERED_BY, &self.people[1].pn(), hipaa::NAME);
            s.gone(a::ORDER_PHONE, &self.callback, hipaa::PHONE);
            s.phrase(a::REQUEST_REASON, &self.reason);
            s.phrase(a::REQUEST_COMMENTS, &self.request_comments);
            s.gone(a::FILLER_ORDER, &format!("FO{}", self.study_id), hipaa::ACCOUNT);
        }
        if self.has(23) {
            s.gone(a::REQUESTING, &self.people[5].pn(), hipaa::NAME);
            s.phrase(a::REQUESTED_DESCRIPTION, &self.requested);
        }
        if self.has(3) {
            s.item(a::REQUEST_ATTRIBUTES, |item| {
                item.phrase(a::REQUESTED_DESCRIPTION, &self.requested);
                item.phrase(a::SCHEDULED_DESCRIPTION, &self.requested);
                item.gone(a::SCHEDULED_ID, &self.request_ids[1], hipaa::ACCOUNT);
                item.gone(a::REQUESTED_ID, &self.request_ids[0], hipaa::ACCOUNT);
                item.phrase(a::REASON, &self.reason);
            });
        }
        if self.has(5) {
            s.item(a::ORIGINAL_ATTRIBUTES, |item| {
                item.item(a::MODIFIED_ATTRIBUTES, |old| {
                    old.gone(a::PATIENT_NAME, &self.patient.name.pn(), hipaa::NAME);
                    old.gone(a::PATIENT_ID, &self.patient.other_id, hipaa::RECORD);
                });
                item.date_time(a::MODIFICATION_TIME, self.date, self.time());
                item.plain(a::MODIFYING_SYSTEM, "ARCHIVE");
                item.plain(a::MODIFICATION_SOURCE, self.hospital().issuer());
                item.plain(a::MODIFICATION_REASON, "CORRECT");
            });
        }
    }

    fn trial(&self, s: &mut Sheet) {
        let rng = &mut self.rng("trial");
        let number = rng.digits(5);
        let site = rng.digits(4);
        s.gone(a::TRIAL_SPONSOR, &format!("Sponsor{number} Pharma"), hipaa::OTHER);
        s.gone(a::TRIAL_PROTOCOL, &format!("PROT-{number}"), hipaa::OTHER);
        s.gone(a::TRIAL_PROTOCOL_NAME, &format!("Study{number} of Compound{site}"), hipaa::OTHER);
        s.gone(a::TRIAL_TIME_POINT, &format!("VISIT{site}"), hipaa::OTHER);
        s.gone(a::TRIAL_CENTER, &format!("Core Laboratory{site}"), hipaa::OTHER);
        s.gone(a::TRIAL_SITE, &format!("SITE{site}"), hipaa::OTHER);
        s.gone(a::TRIAL_SITE_NAME, &self.hospital().name, hipaa::OTHER);
        s.gone(a::TRIAL_SUBJECT, &format!("SUBJ-{}", rng.digits(6)), hipaa::RECORD);
        s.keep(a::TRIAL_TIME_POINT_TEXT, rng.word(&["baseline", "week 12", "end of treatment"]));
    }
}
