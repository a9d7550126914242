//! A look at the first bytes of an instance: just enough for a receiver to route it. Nothing is
//! decided here; the scrubber parses the whole.

use crate::element::trim;
use crate::open::{find_meta, syntax_of};
use crate::parse::{Encoding, Parser};
use crate::{Element, Limits, NO_PARENT, Tag, TransferSyntax, tags};
use flate2::read::DeflateDecoder;
use scanveil_model::{Reason, ReasonCode, Uid};
use std::io::Read;

/// What the first bytes of an instance say of it. No `Debug`: these are identifying values.
#[derive(Clone, Default)]
pub struct Peeked {
    /// SOP Class UID.
    pub sop_class_uid: Option<Uid>,
    /// SOP Instance UID.
    pub sop_instance_uid: Option<Uid>,
    /// Study Instance UID.
    pub study_instance_uid: Option<Uid>,
    /// Series Instance UID.
    pub series_instance_uid: Option<Uid>,
    /// Transfer Syntax UID.
    pub transfer_syntax: Option<Uid>,
    /// Patient ID as written, without padding.
    pub patient_id: Option<Vec<u8>>,
    /// Where the data set begins.
    pub data_set_at: usize,
}

fn uid(value: &[u8]) -> Option<Uid> {
    Uid::parse(std::str::from_utf8(trim(value)).ok()?).ok()
}

/// Peeks into a Part 10 file by its first bytes (256 KiB are plenty).
///
/// # Errors
/// [`ReasonCode::NotDicom`] when it is no DICOM file.
pub fn peek_part10(prefix: &[u8]) -> Result<Peeked, Reason> {
    let (meta, data_set_at) = find_meta(prefix, &Limits::default()).map_err(|_| {
        Reason::new(ReasonCode::NotDicom, "no DICM prefix and no file meta information")
    })?;
    let data = &prefix[data_set_at..];
    let transfer_syntax = match syntax_of(&meta, data) {
        Ok((syntax, _)) => uid(syntax.uid.as_bytes()),
        // One that is not known here: the scrubber says so.
        Err(_) => meta.transfer_syntax.as_deref().and_then(uid),
    };
    let mut peeked = match &transfer_syntax {
        Some(syntax) => peek_data_set(data, syntax.as_str()),
        None => Peeked::default(),
    };
    peeked.transfer_syntax = transfer_syntax;
    peeked.data_set_at = data_set_at;
    peeked.sop_class_uid =
        peeked.sop_class_uid.or_else(|| meta.sop_class_uid.as_deref().and_then(uid));
    peeked.sop_instance_uid =
        peeked.sop_instance_uid.or_else(|| meta.sop_instance_uid.as_deref().and_then(uid));
    Ok(peeked)
}

/// Peeks into a data set by its first bytes. What cannot be read stays `None`.
#[must_use]
pub fn peek_data_set(prefix: &[u8], transfer_syntax: &str) -> Peeked {
    let Some(syntax) = TransferSyntax::find(transfer_syntax) else { return Peeked::default() };
    let encoding = syntax.encoding();
    if !syntax.deflated {
        return scan(prefix, encoding);
    }
    let mut inflated = Vec::new();
    // A cut stream ends in an error; what came out before it is what there is to look at.
    let _ = DeflateDecoder::new(prefix).take(256 << 10).read_to_end(&mut inflated);
    scan(&inflated, encoding)
}

/// Nothing that is looked for stands behind this tag.
const LAST: Tag = tags::SERIES_INSTANCE_UID;

fn scan(bytes: &[u8], encoding: Encoding) -> Peeked {
    let mut peeked = Peeked::default();
    let limits = Limits::default();
    let mut list: Vec<Element> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        list.clear();
        let mut parser = Parser { bytes, elements: &mut list, limits: &limits, whole: false };
        let Ok(next) = parser.element(at, usize::MAX, encoding, 0, NO_PARENT) else { break };
        let Some(element) = list.first() else { break };
        let from = element.start as usize;
        let value = &bytes[from..from + element.length as usize];
        match element.tag {
            tags::SOP_CLASS_UID => peeked.sop_class_uid = uid(value),
            tags::SOP_INSTANCE_UID => peeked.sop_instance_uid = uid(value),
            tags::STUDY_INSTANCE_UID => peeked.study_instance_uid = uid(value),
            tags::SERIES_INSTANCE_UID => peeked.series_instance_uid = uid(value),
            tags::PATIENT_ID => peeked.patient_id = Some(trim(value).to_vec()),
            tag if tag > LAST => break,
            _ => {}
        }
        at = next;
    }
    peeked
}
