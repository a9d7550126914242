//! Command sets (PS3.7 6.3.1).

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| scanveil_ingest::fuzz_command(bytes));
