//! Archives as they are uploaded, and the instances in them.

#![no_main]

include!("http.inc.rs");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| post("/upload", "application/zip", bytes));
