//! STOW-RS: the first line is the media type with its parameters, the rest is the body.

#![no_main]

include!("http.inc.rs");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let (kind, body) = bytes.split_at(end);
    let Ok(kind) = std::str::from_utf8(kind) else { return };
    post("/studies", kind, body.get(1..).unwrap_or(&[]));
});
