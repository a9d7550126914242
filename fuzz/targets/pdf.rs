//! Encapsulated PDF, and what the process that reads one answers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_documents::{from_answer, read_pdf, to_answer};

fuzz_target!(|bytes: &[u8]| {
    let answer = to_answer(read_pdf(bytes));
    assert!(from_answer(&answer).err() != Some(scanveil_documents::Unread::ReaderFailed));
    let _ = from_answer(bytes);
});
