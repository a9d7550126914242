//! What the fuzz targets call: the parsers of this module are no part of the crate's interface.

use super::kit::{CT, EXPLICIT, Stage, Step, VERIFICATION};
use crate::dimse::command::Command;
use dicom_ul::pdu::{AssociationRQ, Pdu, PresentationContextProposed, UserVariableItem};
use std::sync::atomic::Ordering;

/// Reads a command set.
pub fn fuzz_command(bytes: &[u8]) {
    let _ = Command::parse(bytes);
}

/// Serves a peer that sends these bytes, behind a good request for an association or not. Whatever
/// it sends, nothing is left open, and nothing is stored that is longer than what came.
pub fn fuzz_session(requested: bool, bytes: &[u8]) {
    let mut steps = Vec::new();
    if requested {
        steps.push(Step::Bytes(request()));
    }
    steps.push(Step::Bytes(bytes.to_vec()));
    let (_, memory) = Stage::default().play(steps);
    assert_eq!(memory.open.load(Ordering::SeqCst), 0, "a begun instance is left");
    let stored = memory.stored.lock().unwrap();
    assert!(stored.iter().all(|instance| instance.bytes.len() <= bytes.len() + 1024));
}

fn request() -> Vec<u8> {
    let context = |id, class: &str| PresentationContextProposed {
        id,
        abstract_syntax: class.into(),
        transfer_syntaxes: vec![EXPLICIT.into()],
    };
    let pdu = Pdu::AssociationRQ(AssociationRQ {
        protocol_version: 1,
        calling_ae_title: "PACS".into(),
        called_ae_title: "WYSTAN".into(),
        application_context_name: "1.2.840.10008.3.1.1.1".into(),
        presentation_contexts: vec![context(1, VERIFICATION), context(3, CT)],
        user_variables: vec![UserVariableItem::MaxLength(16_384)],
    });
    let mut bytes = Vec::new();
    dicom_ul::write_pdu(&mut bytes, &pdu).unwrap();
    bytes
}

#[cfg(test)]
#[test]
fn the_entries_take_whatever_comes() {
    for bytes in [&b""[..], b"GET / HTTP/1.1", &[4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 3, 3]] {
        fuzz_command(bytes);
        fuzz_session(true, bytes);
        fuzz_session(false, bytes);
    }
}
