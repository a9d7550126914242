//! Who reads documents: this process, or one that may fail in its place.

use crate::{PdfText, Unread, read_pdf};
use serde::{Deserialize, Serialize};

/// Bytes of an answer, at most.
pub const MOST_ANSWER: usize = 64 << 20;

/// Version of the answer's format.
const FORMAT: u32 = 1;

/// Reads documents of formats whose parsers are not trusted with this process.
pub trait DocumentReader: Send + Sync {
    /// What a PDF says.
    ///
    /// # Errors
    /// [`Unread`] when a part of it was not understood, or the reader failed.
    fn read_pdf(&self, document: &[u8]) -> Result<PdfText, Unread>;
}

/// Reads in this process: for the process that was started for it, and for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl DocumentReader for InProcess {
    fn read_pdf(&self, document: &[u8]) -> Result<PdfText, Unread> {
        read_pdf(document)
    }
}

/// What a reading process answers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Answer {
    format: u32,
    read: Result<PdfText, Unread>,
}

/// What was read, for another process of the same version.
#[must_use]
pub fn to_answer(read: Result<PdfText, Unread>) -> Vec<u8> {
    // Strings and words only: it cannot fail, and an empty answer is none.
    serde_json::to_vec(&Answer { format: FORMAT, read }).unwrap_or_default()
}

/// What another process has read.
///
/// # Errors
/// What it said, or [`Unread::ReaderFailed`] when it said nothing that is understood.
pub fn from_answer(answer: &[u8]) -> Result<PdfText, Unread> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| Unread::ReaderFailed)?;
    if answer.format == FORMAT { answer.read } else { Err(Unread::ReaderFailed) }
}
