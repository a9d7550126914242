//! What a peer may send over a DIMSE connection: PDUs, presentation data values, commands. An even
//! first byte leaves the request for an association to the input, an odd one puts a good one first.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, session)) = bytes.split_first() else { return };
    scanveil_ingest::fuzz_session(kind % 2 == 1, session);
});
