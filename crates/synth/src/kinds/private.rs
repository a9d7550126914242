//! Private elements as three vendors write them, with what hospitals leave in them.

use crate::study::Study;
use crate::wire::{DataSet, Vr, implicit_items};

/// Siemens: CSA headers in group 0029, and a shadow group.
pub(crate) fn siemens_block(study: &Study, d: &mut DataSet) {
    d.text(0x0029_0010, Vr::Lo, "SIEMENS CSA HEADER");
    d.text(0x0029_1008, Vr::Cs, "IMAGE NUM 4");
    d.text(0x0029_1009, Vr::Lo, &study.date.da());
    d.bytes(0x0029_1010, Vr::Ob, csa_header(study));
    d.text(0x0051_0010, Vr::Lo, "SIEMENS MR HEADER");
    d.text(0x0051_100c, Vr::Lo, "FoV 240*240");
    d.text(0x0051_100f, Vr::Lo, "HE1-4");
}

/// GE: identification and parameter groups.
pub(crate) fn ge_block(study: &Study, d: &mut DataSet) {
    d.text(0x0009_0010, Vr::Lo, "GEMS_IDEN_01");
    d.text(0x0009_1001, Vr::Lo, "GE_GENESIS_FF");
    d.text(0x0009_1002, Vr::Sh, &study.station);
    d.text(0x0009_1004, Vr::Sh, "SIGNA");
    d.text(0x0009_1030, Vr::Sh, &study.serial);
    d.text(0x0011_0010, Vr::Lo, "GEMS_PATI_01");
    d.text(0x0011_1012, Vr::Lo, &study.patient.mrn);
    d.text(0x0043_0010, Vr::Lo, "GEMS_PARM_01");
    d.text(0x0043_1061, Vr::Ui, &study.uid);
    d.text(0x0043_10ba, Vr::Lo, &study.patient.phone);
}

/// Philips: numbers, and a private sequence of unknown VR that holds a name.
pub(crate) fn philips_block(study: &Study, d: &mut DataSet) {
    d.text(0x2001_0010, Vr::Lo, "Philips Imaging DD 001");
    d.fl(0x2001_1003, &[1000.0]);
    d.text(0x2001_1063, Vr::Cs, "ELSEWHERE");
    let item = d.item(|item| {
        item.text(0x0010_0010, Vr::Pn, &study.patient.name);
        item.text(0x2001_0010, Vr::Lo, "Philips Imaging DD 001");
        item.text(0x2001_10f0, Vr::Lo, &study.patient.mrn);
    });
    d.bytes(0x2001_105f, Vr::Un, implicit_items(&[item]));
    d.text(0x2005_0010, Vr::Lo, "Philips MR Imaging DD 001");
    d.text(0x2005_1410, Vr::Lo, &study.admission);
}

/// A Siemens CSA2 header: `SV10`, then named tags with their items. One item is the scan protocol
/// as text, which carries the patient's name and birth date.
pub(crate) fn csa_header(study: &Study) -> Vec<u8> {
    let (family, given) = study.patient.latin();
    let protocol = format!(
        "### ASCCONV BEGIN ###\ntPatientName\t = \t\"{family}^{given}\"\n\
         tPatientsBirthDate\t = \t\"{}\"\nsTXSPEC.asNucleusInfo[0].tNucleus\t = \t\"1H\"\n\
         ### ASCCONV END ###",
        study.patient.birth.da()
    );
    let tags: [(&str, &[u8; 2], &str); 4] = [
        ("EchoLinePosition", b"IS", "112"),
        ("UsedPatientWeight", b"IS", "71"),
        ("ReferencedImageSequence", b"UI", &study.uid),
        ("MrPhoenixProtocol", b"UN", &protocol),
    ];
    let mut out = b"SV10\x04\x03\x02\x01".to_vec();
    out.extend((tags.len() as u32).to_le_bytes());
    out.extend(77u32.to_le_bytes());
    for (name, vr, text) in tags {
        let mut field = [0u8; 64];
        field[..name.len()].copy_from_slice(name.as_bytes());
        out.extend(field);
        out.extend(1u32.to_le_bytes());
        out.extend([vr[0], vr[1], 0, 0]);
        out.extend(0u32.to_le_bytes());
        out.extend(1u32.to_le_bytes());
        out.extend(77u32.to_le_bytes());
        let length = text.len() as u32;
        [length, length, 77, length].iter().for_each(|word| out.extend(word.to_le_bytes()));
        out.extend(text.as_bytes());
        out.extend(std::iter::repeat_n(0, (4 - text.len() % 4) % 4));
    }
    out
}
