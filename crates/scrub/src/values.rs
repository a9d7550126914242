//! Dummy values fit for a VR (PS3.15 E.1.1, action D): they identify nobody and stay valid.

use scanveil_dataset::Vr;

/// A dummy value for an element of this VR, in the byte order of the data set.
pub(crate) fn dummy(vr: Vr, big_endian: bool) -> Vec<u8> {
    let short = |n: u16| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    match &vr.0 {
        b"DA" => b"19000101".to_vec(),
        b"DT" => b"19000101000000".to_vec(),
        b"TM" => b"000000".to_vec(),
        b"AS" => b"000Y".to_vec(),
        b"DS" | b"IS" => b"0".to_vec(),
        b"PN" => b"ANONYMOUS".to_vec(),
        b"UI" => b"2.25.0".to_vec(),
        b"UR" => b"about:blank".to_vec(),
        b"AE" | b"CS" | b"LO" | b"LT" | b"SH" | b"ST" | b"UC" | b"UT" => b"REMOVED".to_vec(),
        b"US" | b"SS" => short(0).to_vec(),
        b"UL" | b"SL" | b"FL" | b"AT" => vec![0; 4],
        b"FD" | b"SV" | b"UV" | b"OD" | b"OV" => vec![0; 8],
        b"OF" | b"OL" => vec![0; 4],
        _ => vec![0; 2],
    }
}

/// The dummy values that are words or dates: what the verification must not take for a residue.
pub(crate) const DUMMIES: &[&[u8]] =
    &[b"19000101", b"19000101000000", b"ANONYMOUS", b"REMOVED", b"about:blank"];
