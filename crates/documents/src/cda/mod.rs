//! HL7 CDA R2: read as XML without a document type, written again by an allow-list of its
//! structure. Comments and processing instructions are never written.

mod forms;
mod narrative;
mod out;
mod people;
mod plain;
mod rewrite;
mod structure;

pub use people::{CdaPeople, cda_people};
pub use plain::{cda_text, cda_words};

use crate::{Unread, xml};
use rewrite::Rewriter;

/// The namespace of HL7 version 3.
pub(crate) const HL7: &str = "urn:hl7-org:v3";
/// The namespace of XML Schema's attributes in instances.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What becomes of the values of a CDA document.
pub struct CdaRules<'r> {
    /// A text without what identifies: a part of the text, in its order.
    pub text: &'r dyn Fn(&str) -> String,
    /// A date or time (`YYYYMMDD`, with a time of day behind it or not); `None`: it goes.
    pub date: &'r dyn Fn(&str) -> Option<String>,
    /// An identifier that is a UID.
    pub uid: &'r dyn Fn(&str) -> String,
    /// The extension of an identifier, with the UID of who gave it.
    pub extension: &'r dyn Fn(&str, &str) -> String,
    /// The patient's pseudonym.
    pub pseudonym: &'r str,
    /// Whether the patient's sex stays.
    pub characteristics: bool,
}

/// The document without what identifies, as UTF-8.
///
/// # Errors
/// [`Unread`] when it holds something that is not on the list.
pub fn clean_cda(document: &[u8], rules: &CdaRules<'_>) -> Result<Vec<u8>, Unread> {
    let text = xml::decode(document)?;
    let tree = xml::parse(&text)?;
    let root = tree.root_element();
    if !root.has_tag_name((HL7, "ClinicalDocument")) {
        return Err(Unread::NotCda);
    }
    Rewriter::new(rules).document(root)
}
