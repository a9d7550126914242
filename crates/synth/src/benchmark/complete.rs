//! Attributes that the objects' definitions ask for (PS3.3 Annex A) and the key does not: with
//! them an instance is valid, so that a checker can say what a de-identification broke.

use super::sheet::Sheet;
use super::study::Kind;
use crate::wire::Vr;

/// Tag, value representation and text; a sequence is empty.
type Row = (u32, Vr, &'static str);

const CT: &[Row] = &[(0x0020_0012, Vr::Is, "1")];
const CR: &[Row] = &[(0x0020_0020, Vr::Cs, "")];
const PT: &[Row] = &[
    (0x0018_1181, Vr::Cs, ""),
    (0x0018_1242, Vr::Is, ""),
    (0x0028_0051, Vr::Cs, ""),
    (0x0054_0410, Vr::Sq, ""),
    (0x0054_0414, Vr::Sq, ""),
    (0x0054_1000, Vr::Cs, "WHOLE BODY\\IMAGE"),
    (0x0054_1002, Vr::Cs, "EMISSION"),
    (0x0054_1300, Vr::Ds, "0"),
    (0x0054_1321, Vr::Ds, "1"),
];
const DX: &[Row] = &[
    (0x0018_1164, Vr::Ds, "0.1\\0.1"),
    (0x0018_1508, Vr::Cs, ""),
    (0x0028_1040, Vr::Cs, "LOG"),
    (0x0028_1054, Vr::Lo, "US"),
    (0x0028_2110, Vr::Cs, "00"),
    (0x0040_0555, Vr::Sq, ""),
    (0x2050_0020, Vr::Cs, "IDENTITY"),
];
const MG: &[Row] = &[(0x0018_1508, Vr::Cs, "MAMMOGRAPHIC"), (0x0040_0318, Vr::Cs, "BREAST")];
const SR: &[Row] = &[(0x0008_1111, Vr::Sq, ""), (0x0040_a372, Vr::Sq, "")];

/// Fills in what an object of this kind needs.
pub(super) fn complete(kind: Kind, s: &mut Sheet) {
    let rows = match kind {
        Kind::Cr => CR,
        Kind::Ct => CT,
        Kind::Dx | Kind::Mg => DX,
        Kind::Pt => PT,
        Kind::Sr => SR,
        Kind::Mr | Kind::Us => &[],
    };
    fill(rows, s);
    match kind {
        Kind::Pt => {
            s.data().us(0x0054_0081, &[1]);
            s.data().us(0x0054_1330, &[1]);
        }
        Kind::Dx | Kind::Mg => {
            s.data().bytes(0x0028_1041, Vr::Ss, 1i16.to_le_bytes());
        }
        _ => {}
    }
    let region = match kind {
        Kind::Mg => ["76752008", "SCT", "Breast"],
        Kind::Dx => ["51185008", "SCT", "Chest"],
        _ => return,
    };
    if kind == Kind::Mg {
        fill(MG, s);
    }
    let item = crate::wire::code_item(s.data().charset(), region);
    s.data().seq(0x0008_2218, vec![item]);
}

fn fill(rows: &[Row], s: &mut Sheet) {
    for &(tag, vr, text) in rows {
        match vr {
            Vr::Sq => s.data().seq(tag, Vec::new()),
            vr => s.data().text(tag, vr, text),
        };
    }
}
