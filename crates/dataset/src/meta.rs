//! File meta information (PS3.10 7.1).

use crate::element::trim;
use crate::parse::{Encoding, Parser, Stop};
use crate::{Element, Limits, NO_PARENT, Tag, Vr, tags};
use scanveil_model::{Reason, ReasonCode};

/// What the file meta information says, as far as anything here uses it.
#[derive(Default, Clone)]
pub struct FileMeta {
    /// Media Storage SOP Class UID.
    pub sop_class_uid: Option<Vec<u8>>,
    /// Media Storage SOP Instance UID.
    pub sop_instance_uid: Option<Vec<u8>>,
    /// Transfer Syntax UID; `None` when there is no file meta information, or none in it.
    pub transfer_syntax: Option<Vec<u8>>,
    /// It is in implicit VR, which PS3.10 7.1 does not allow and some write.
    pub implicit: bool,
    /// The data set is in another transfer syntax than it says, or it says none.
    pub by_evidence: bool,
    /// The preamble holds something.
    pub preamble: bool,
    /// Elements that name applications or are private; empty in most files.
    pub surplus: Vec<Tag>,
}

impl FileMeta {
    /// Nothing was said: there is no file meta information, or nothing in it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        let said = [&self.sop_class_uid, &self.sop_instance_uid, &self.transfer_syntax];
        said.iter().all(|value| value.is_none())
    }
}

const EXPLICIT_LITTLE: Encoding = Encoding { explicit: true, big_endian: false };

/// Reads group 0002 from `at`; gives what it says and where the data set begins. The group length
/// is not believed: the group ends where another group begins.
pub(crate) fn read_meta(
    bytes: &[u8],
    mut at: usize,
    limits: &Limits,
) -> Result<(FileMeta, usize), Stop> {
    let mut meta = FileMeta::default();
    let start = at;
    let mut scratch: Vec<Element> = Vec::new();
    loop {
        let Some(group) = bytes.get(at..at + 2) else { return Err(Stop::NeedMore(at + 2)) };
        if group != [2, 0] {
            return Ok((meta, at));
        }
        if at - start > limits.meta_bytes {
            return Err(Reason::new(ReasonCode::LimitExceeded, "limit: meta bytes").into());
        }
        scratch.clear();
        let vr = bytes.get(at + 4..at + 6).ok_or(Stop::NeedMore(at + 8))?;
        let implicit = !Vr([vr[0], vr[1]]).is_known();
        meta.implicit |= implicit;
        let encoding = if implicit { Encoding::IMPLICIT_LITTLE } else { EXPLICIT_LITTLE };
        let mut parser = Parser { bytes, elements: &mut scratch, limits, whole: false };
        let next = parser.element(at, at + limits.meta_bytes, encoding, 0, NO_PARENT)?;
        if let Some(element) = scratch.first() {
            let from = element.start as usize;
            let value = trim(&bytes[from..from + element.length as usize]).to_vec();
            match element.tag {
                tags::MEDIA_STORAGE_SOP_CLASS_UID => meta.sop_class_uid = said(value),
                tags::MEDIA_STORAGE_SOP_INSTANCE_UID => meta.sop_instance_uid = said(value),
                tags::TRANSFER_SYNTAX_UID => meta.transfer_syntax = said(value),
                // Group length, version, implementation class and version (PS3.10 Table 7.1-1).
                tag if matches!(tag.element(), 0 | 1 | 0x12 | 0x13) => {}
                tag => meta.surplus.push(tag),
            }
        }
        at = next;
    }
}

/// An empty value says nothing.
fn said(value: Vec<u8>) -> Option<Vec<u8>> {
    Some(value).filter(|value| !value.is_empty())
}

/// Implementation Class UID of scanveil: a UID derived from a random UUID (PS3.5 B.2).
const IMPLEMENTATION_CLASS_UID: &str = "2.25.48536924685001016898451832837057309696";
/// Implementation Version Name.
const IMPLEMENTATION_VERSION: &str = "SCANVEIL_0_1";

/// A preamble of zeros, `DICM` and file meta information built from nothing but these three UIDs
/// (PS3.10 7.1): nobody's AE title, no private information.
#[must_use]
pub fn file_meta(sop_class: &str, sop_instance: &str, transfer_syntax: &str) -> Vec<u8> {
    let mut group = Vec::with_capacity(256);
    // File Meta Information Version (0002,0001), OB, 00H 01H.
    group.extend_from_slice(&[2, 0, 1, 0, b'O', b'B', 0, 0, 2, 0, 0, 0, 0, 1]);
    let mut put = |tag: Tag, vr: [u8; 2], text: &str, pad: u8| {
        let odd = text.len() % 2;
        group.extend_from_slice(&tag.group().to_le_bytes());
        group.extend_from_slice(&tag.element().to_le_bytes());
        group.extend_from_slice(&vr);
        group.extend_from_slice(&((text.len() + odd) as u16).to_le_bytes());
        group.extend_from_slice(text.as_bytes());
        group.extend(std::iter::repeat_n(pad, odd));
    };
    put(tags::MEDIA_STORAGE_SOP_CLASS_UID, *b"UI", sop_class, 0);
    put(tags::MEDIA_STORAGE_SOP_INSTANCE_UID, *b"UI", sop_instance, 0);
    put(tags::TRANSFER_SYNTAX_UID, *b"UI", transfer_syntax, 0);
    put(Tag::new(2, 0x12), *b"UI", IMPLEMENTATION_CLASS_UID, 0);
    put(Tag::new(2, 0x13), *b"SH", IMPLEMENTATION_VERSION, b' ');
    let mut out = vec![0; 128];
    out.extend_from_slice(b"DICM");
    out.extend_from_slice(&[2, 0, 0, 0, b'U', b'L', 4, 0]);
    out.extend_from_slice(&(group.len() as u32).to_le_bytes());
    out.extend_from_slice(&group);
    out
}
