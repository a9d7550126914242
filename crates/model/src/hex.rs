//! Lower-case hexadecimal.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};
use std::fmt::Write as _;

/// Bytes as lower-case hexadecimal, and fields of fixed size from it. For fields of documents:
/// `#[serde(with = "Hex")]`.
#[derive(Debug, Clone, Copy)]
pub struct Hex;

impl Hex {
    /// Bytes as digits, in one allocation: a secret leaves no copy behind.
    #[must_use]
    pub fn encode(bytes: &[u8]) -> String {
        let mut out = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(out, "{byte:02x}");
        }
        out
    }

    /// Exactly `N` bytes from their digits; nothing from upper-case digits.
    #[must_use]
    pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
        let digits = text.as_bytes();
        if digits.len() != N * 2 {
            return None;
        }
        let mut out = [0; N];
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(out)
    }

    /// Writes a field as its digits.
    ///
    /// # Errors
    /// What the serializer says.
    pub fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Self::encode(bytes))
    }

    /// Reads a field from its digits.
    ///
    /// # Errors
    /// When it is not a text of exactly so many lower-case digits.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::decode(&text)
            .ok_or_else(|| D::Error::custom("not lower-case hexadecimal of the right length"))
    }
}

pub(crate) fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
