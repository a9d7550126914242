//! DICOM bytes: transfer syntaxes, file meta information, the bounded header parser and the writer.

#![allow(missing_docs)]
use scanveil_model::{Reason, ReasonCode, Uid};

#[derive(Clone, Default)]
pub struct Peeked {
    pub sop_class_uid: Option<Uid>,
    pub sop_instance_uid: Option<Uid>,
    pub study_instance_uid: Option<Uid>,
    pub series_instance_uid: Option<Uid>,
    pub transfer_syntax: Option<Uid>,
    pub patient_id: Option<Vec<u8>>,
    pub data_set_at: usize,
}
pub fn peek_part10(prefix: &[u8]) -> Result<Peeked, Reason> {
    let _ = prefix;
    Err(Reason::new(ReasonCode::NotDicom, "stub"))
}
#[must_use]
pub fn peek_data_set(prefix: &[u8], transfer_syntax: &str) -> Peeked {
    let _ = (prefix, transfer_syntax);
    Peeked::default()
}
#[must_use]
pub fn file_meta(sop_class: &str, sop_instance: &str, transfer_syntax: &str) -> Vec<u8> {
    let _ = (sop_class, sop_instance, transfer_syntax);
    Vec::new()
}
pub struct Limits;
pub struct Header;
impl Header {
    pub fn read(
        input: &mut impl std::io::Read,
        total: Option<u64>,
        limits: &Limits,
    ) -> Result<Self, Reason> {
        let _ = (input, total, limits);
        Err(Reason::new(ReasonCode::NotDicom, "stub"))
    }
}
