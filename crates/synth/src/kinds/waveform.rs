//! A 12-lead electrocardiogram with annotations typed at the bedside.

use super::class;
use crate::people::fold;
use crate::study::{Draft, Series, Study};
use crate::wire::{DataSet, Vr, code_item};

const SAMPLES: usize = 1000;
const LEADS: [[&str; 3]; 12] = [
    ["2:1", "MDC", "Lead I"],
    ["2:2", "MDC", "Lead II"],
    ["2:61", "MDC", "Lead III"],
    ["2:62", "MDC", "Lead aVR"],
    ["2:63", "MDC", "Lead aVL"],
    ["2:64", "MDC", "Lead aVF"],
    ["2:3", "MDC", "Lead V1"],
    ["2:4", "MDC", "Lead V2"],
    ["2:5", "MDC", "Lead V3"],
    ["2:6", "MDC", "Lead V4"],
    ["2:7", "MDC", "Lead V5"],
    ["2:8", "MDC", "Lead V6"],
];

pub(crate) fn ecg(study: &Study, series: &Series) -> Draft {
    let (family, given) = study.patient.latin();
    let note = format!("{} {} born {}", fold(given), fold(family), study.patient.birth.dotted());
    study.start(class::ECG_12, series, 0).with(|d| {
        d.text(0x0008_002a, Vr::Dt, &format!("{}{}", study.date.da(), &study.time[..6]));
        d.seq(0x0040_0555, Vec::new());
        let channels = LEADS.iter().map(|lead| channel(d, *lead, &fold(family))).collect();
        d.one(0x5400_0100, |group| {
            group.text(0x003a_0004, Vr::Cs, "ORIGINAL");
            group.us(0x003a_0005, &[LEADS.len() as u16]);
            group.ul(0x003a_0010, &[SAMPLES as u32]);
            group.text(0x003a_001a, Vr::Ds, "500");
            group.text(0x003a_0020, Vr::Sh, "RHYTHM");
            group.seq(0x003a_0200, channels);
            group.us(0x5400_1004, &[16]);
            group.text(0x5400_1006, Vr::Cs, "SS");
            group.bytes(0x5400_1010, Vr::Ow, samples());
        });
        d.one(0x0040_b020, |annotation| {
            annotation.us(0x0040_a0b0, &[1, 1]);
            annotation.us(0x0040_a180, &[1]);
            annotation.text(0x0070_0006, Vr::St, &note);
        });
    })
}

fn channel(d: &DataSet, lead: [&str; 3], family: &str) -> DataSet {
    d.item(|channel| {
        // Only the first lead carries a typed label; the others are as the device made them.
        if lead[0] == "2:1" {
            channel.text(0x003a_0203, Vr::Sh, &family.chars().take(16).collect::<String>());
        }
        channel.seq(0x003a_0208, vec![code_item(d.charset(), lead)]);
        channel.text(0x003a_0210, Vr::Ds, "1");
        channel.code(0x003a_0211, ["uV", "UCUM", "microvolt"]);
        channel.text(0x003a_0212, Vr::Ds, "1");
        channel.text(0x003a_0213, Vr::Ds, "0");
        channel.text(0x003a_0215, Vr::Ds, "0");
        channel.us(0x003a_021a, &[16]);
    })
}

/// A heartbeat a second: baseline, a sharp peak, a slow wave.
fn samples() -> Vec<u8> {
    let mut out = Vec::with_capacity(SAMPLES * LEADS.len() * 2);
    for at in 0..SAMPLES {
        let beat = (at % 500) as i32;
        let peak = 900 - 60 * (beat - 100).abs();
        let wave = 200 - 3 * (beat - 240).abs();
        for lead in 0..LEADS.len() as i32 {
            let value = (peak.max(0) + wave.max(0)) * (lead % 5 - 1) / 2 + beat % 7;
            out.extend((value as i16).to_le_bytes());
        }
    }
    out
}
