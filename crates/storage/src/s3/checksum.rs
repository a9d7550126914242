//! CRC-32 as S3 writes it: four bytes, big-endian, in base64 (RFC 4648 section 4).

use data_encoding::BASE64;
use flate2::Crc;

/// The CRC-32 (IEEE) of the bytes.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The text of the header: eight characters, the last two `==`.
pub(super) fn to_text(crc: u32) -> String {
    BASE64.encode(&crc.to_be_bytes())
}

/// Reads it back; `None` for anything else, such as the composite checksum of a multipart upload.
pub(super) fn from_text(text: &str) -> Option<u32> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok().map(u32::from_be_bytes)
}
