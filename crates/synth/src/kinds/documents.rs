//! An encapsulated PDF: a small document made by hand, with the patient's name on its page.

use super::class;
use crate::people::{HOSPITALS, fold};
use crate::study::{Draft, Series, Study};
use crate::wire::Vr;

pub(crate) fn encapsulated_pdf(study: &Study, series: &Series) -> Draft {
    let (family, given) = study.patient.latin();
    let line = format!("{} {} {}", fold(given), fold(family), study.patient.mrn);
    let document = pdf(&line, &study.patient.birth.dotted());
    let length = document.len() as u32;
    study
        .start(class::PDF, series, 0)
        .with(|d| {
            d.text(0x0008_002a, Vr::Dt, &format!("{}{}", study.date.da(), &study.time[..6]));
            d.text(0x0008_0064, Vr::Cs, "SD");
            d.text(0x0028_0301, Vr::Cs, "YES");
            d.text(0x0042_0010, Vr::St, &format!("Letter of {}", HOSPITALS[study.hospital].id));
            d.seq(0x0040_a043, Vec::new());
            d.bytes(0x0042_0011, Vr::Ob, document);
            d.text(0x0042_0012, Vr::Lo, "application/pdf");
            d.ul(0x0042_0015, &[length]);
        })
        .quarantined()
}

/// A one-page PDF 1.4 with a line of text and the name in its metadata.
fn pdf(line: &str, birth: &str) -> Vec<u8> {
    let page = format!("BT /F1 18 Tf 72 720 Td ({line}) Tj 0 -24 Td (born {birth}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        format!("<< /Title (Letter for {line}) >>"),
    ];
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (i, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", i + 1).bytes());
    }
    let xref = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in &offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    let size = objects.len() + 1;
    out.extend(
        format!("trailer\n<< /Size {size} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{xref}\n%%EOF\n")
            .bytes(),
    );
    out
}
