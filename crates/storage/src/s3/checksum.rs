//! CRC-32 as S3 writes it: four bytes, big-endian, in base64 (RFC 4648 section 4).

use flate2::Crc;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The CRC-32 (IEEE) of the bytes.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The text of the header: eight characters, the last two `==`.
pub(super) fn to_text(crc: u32) -> String {
    let bits = u64::from(crc) << 4;
    let digits = (0..6).rev().map(|i| char::from(ALPHABET[(bits >> (6 * i)) as usize & 63]));
    digits.chain("==".chars()).collect()
}

/// Reads it back; `None` for anything else, such as the composite checksum of a multipart upload.
pub(super) fn from_text(text: &str) -> Option<u32> {
    let digits = text.strip_suffix("==").filter(|digits| digits.len() == 6)?;
    let mut bits = 0u64;
    for digit in digits.bytes() {
        let value = ALPHABET.iter().position(|b| *b == digit)?;
        bits = bits << 6 | value as u64;
    }
    if bits & 15 != 0 {
        return None;
    }
    u32::try_from(bits >> 4).ok()
}
