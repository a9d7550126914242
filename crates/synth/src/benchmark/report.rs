//! Structured reports (PS3.3 C.17): a comprehensive report with text, names, dates, numbers and
//! UIDs. Items that may be dropped as a whole come last, so that no path changes when they are.

use super::attr as a;
use super::phrase::{Habit, Phrase};
use super::sheet::{Sheet, hipaa};
use super::study::{Series, Study};
use crate::rng::Rng;

/// Writes the report of a series.
pub(super) fn write(study: &Study, series: &Series, s: &mut Sheet) {
    let uid = &series.instances[0];
    let rng = &mut Rng::new(1, uid);
    s.uid(a::SOP_INSTANCE, uid);
    s.there(a::INSTANCE_NUMBER, "1");
    s.plain(a::VALUE_TYPE, "CONTAINER");
    s.plain(a::CONTINUITY, "SEPARATE");
    s.plain(a::COMPLETION, "COMPLETE");
    s.plain(a::VERIFICATION, "VERIFIED");
    s.code(a::CONCEPT_NAME, ["18748-4", "LN", "Diagnostic Imaging Report"]);
    s.item(a::VERIFYING_SEQUENCE, |item| {
        item.gone(a::VERIFYING_ORGANIZATION, &study.hospital().name, hipaa::OTHER);
        item.date_time(a::VERIFICATION_TIME, study.date, study.time());
        item.data().seq(a::VERIFYING_CODES.tag, Vec::new());
        item.gone(a::VERIFYING_NAME, &study.people[3].pn(), hipaa::NAME);
    });
    texts(study, rng, s);
    measurements(rng, s);
    identifying(study, series, s);
}

/// A content item (PS3.3 C.17.3): relationship, value type, concept.
fn content(
    s: &mut Sheet,
    relationship: &str,
    value_type: &str,
    concept: [&str; 3],
    fill: impl FnOnce(&mut Sheet),
) {
    s.item(a::CONTENT, |item| {
        item.plain(a::RELATIONSHIP, relationship);
        item.plain(a::VALUE_TYPE, value_type);
        item.code(a::CONCEPT_NAME, concept);
        fill(item);
    });
}

/// A content item that may go as a whole: nobody asks for its concept.
fn passing(
    s: &mut Sheet,
    (relationship, value_type): (&str, &str),
    concept: [&str; 3],
    fill: impl FnOnce(&mut Sheet),
) {
    s.item(a::CONTENT, |item| {
        item.plain(a::RELATIONSHIP, relationship);
        item.plain(a::VALUE_TYPE, value_type);
        let name = crate::wire::code_item(item.data().charset(), concept);
        item.data().seq(a::CONCEPT_NAME.tag, vec![name]);
        fill(item);
    });
}

/// Concepts whose text is cleaned under Clean Structured Content and Clean Descriptors
/// (PS3.15 table E.3.4-1).
fn texts(study: &Study, rng: &mut Rng, s: &mut Sheet) {
    let culture = study.hospital().culture;
    for (concept, section) in [
        (["121065", "DCM", "Procedure Description"], "study.CT"),
        (["121071", "DCM", "Finding"], "finding"),
        (["121071", "DCM", "Finding"], "finding"),
        (["121077", "DCM", "Conclusion"], "conclusion"),
        (["11329-0", "LN", "History"], "history"),
        (["121075", "DCM", "Recommendation"], "recommendation"),
        (["121106", "DCM", "Comment"], "finding"),
    ] {
        let clinical = culture.clinical(rng, section);
        let text: Phrase = study.scene().type_in(rng, clinical, Habit::Long);
        content(s, "CONTAINS", "TEXT", concept, |item| item.phrase(a::TEXT_VALUE, &text));
    }
}

fn measurements(rng: &mut Rng, s: &mut Sheet) {
    for _ in 0..2 {
        let value = format!("{}.{}", 2 + rng.below(60), rng.below(10));
        content(s, "CONTAINS", "NUM", ["103355008", "SCT", "Width"], |item| {
            item.item(a::MEASURED_VALUE, |measured| {
                measured.keep(a::NUMERIC_VALUE, &value);
                measured.code(a::UNITS, ["mm", "UCUM", "millimeter"]);
            });
        });
    }
    content(s, "CONTAINS", "CODE", ["121071", "DCM", "Finding"], |item| {
        item.code(a::CONCEPT_CODE, ["416940007", "SCT", "Past history of procedure"]);
    });
}

/// Names, dates and UIDs: first those that get another value, then those that may go whole.
fn identifying(study: &Study, series: &Series, s: &mut Sheet) {
    let p = &study.patient;
    let observer = ["121008", "DCM", "Person Observer Name"];
    content(s, "HAS OBS CONTEXT", "PNAME", observer, |item| {
        item.gone(a::PERSON_NAME, &study.people[4].pn(), hipaa::NAME);
    });
    content(s, "HAS OBS CONTEXT", "PNAME", ["121029", "DCM", "Subject Name"], |item| {
        item.gone(a::PERSON_NAME, &p.name.pn(), hipaa::NAME);
    });
    let tracking = ["112040", "DCM", "Tracking Unique Identifier"];
    content(s, "CONTAINS", "UIDREF", tracking, |item| {
        item.uid(a::UID, &series.frame_of_reference);
    });
    content(s, "CONTAINS", "DATE", ["111060", "DCM", "Study Date"], |item| {
        item.date(a::DATE, study.date);
    });
    passing(s, ("HAS OBS CONTEXT", "TEXT"), ["121030", "DCM", "Subject ID"], |item| {
        item.gone(a::TEXT_VALUE, &p.mrn, hipaa::RECORD);
    });
    passing(s, ("HAS OBS CONTEXT", "DATE"), ["121031", "DCM", "Subject Birth Date"], |item| {
        item.gone(a::DATE, &p.birth.da(), hipaa::DATE);
    });
    passing(s, ("CONTAINS", "TEXT"), ["121022", "DCM", "Accession Number"], |item| {
        item.gone(a::TEXT_VALUE, &study.accession, hipaa::ACCOUNT);
    });
    let component = ["121018", "DCM", "Procedure Study Instance UID"];
    passing(s, ("CONTAINS", "UIDREF"), component, |item| item.uid(a::UID, &study.uid));
}
