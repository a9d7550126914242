//! Lower-case hexadecimal.

use data_encoding::HEXLOWER;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// Bytes as lower-case hexadecimal, and fields of fixed size from it. For fields of documents:
/// `#[serde(with = "Hex")]`.
#[derive(Debug, Clone, Copy)]
pub struct Hex;

impl Hex {
    /// Bytes as digits, in one allocation: a secret leaves no copy behind.
    #[must_use]
    pub fn encode(bytes: &[u8]) -> String {
        HEXLOWER.encode(bytes)
    }

    /// Exactly `N` bytes from their digits; nothing from upper-case digits.
    #[must_use]
    pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
        let mut out = [0; N];
        // The library takes an output of the right length only.
        (text.len() == N * 2).then_some(())?;
        HEXLOWER.decode_mut(text.as_bytes(), &mut out).ok()?;
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
