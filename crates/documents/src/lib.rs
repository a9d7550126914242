//! Encapsulated documents: CDA rewritten by an allow-list of its structure, PDF read whole or not
//! at all.
//!
//! Nothing here knows a patient. What a text, a date or an identifier becomes is handed in
//! ([`CdaRules`]); what a PDF says is handed out ([`PdfText`]) for others to search. A document
//! that is not understood to its last byte is [`Unread`], with the reason.

mod cda;
mod pdf;
mod reader;
mod unread;
mod xml;

pub use cda::{CdaPeople, CdaRules, cda_people, cda_text, cda_words, clean_cda};
pub use pdf::{PdfText, read_pdf};
pub use reader::{DocumentReader, InProcess, MOST_ANSWER, from_answer, to_answer};
pub use unread::Unread;

/// Bytes of one document that are looked into.
pub const MOST_DOCUMENT: usize = 32 << 20;

#[cfg(test)]
mod tests;
