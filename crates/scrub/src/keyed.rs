//! Keyed functions: the same input gives the same pseudonym on any machine in any run, and nothing
//! can be reversed or joined across projects without the secret (BLAKE3 keyed mode).

use scanveil_model::ProjectName;
use scanveil_secret::Secret;

/// Inputs up to this size are hashed in one piece, which is much faster.
const SHORT: usize = 256;

/// The secret of one project in one hospital. Every pseudonym, UID and date offset hangs on it.
pub struct ProjectSecret(Secret);

impl std::fmt::Debug for ProjectSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProjectSecret")
    }
}

impl ProjectSecret {
    /// Takes 32 secret bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Secret::new(|place| place.copy_from_slice(bytes)))
    }

    /// Derives the secret of a project from one that is shared by all projects.
    #[must_use]
    pub fn derive(root: &[u8; 32], project: &ProjectName) -> Self {
        let mut hasher =
            blake3::Hasher::new_derive_key("scanveil 2026-11-22 project secret from a secret file");
        hasher.update(root);
        hasher.update(project.as_str().as_bytes());
        Self(Secret::new(|place| hasher.finalize_xof().fill(place)))
    }

    /// Hashes a purpose and a value; the length between them keeps other pairs apart.
    fn hash(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        let mut input = [0; SHORT];
        let parts = [purpose.as_bytes(), &(value.len() as u64).to_le_bytes(), value];
        let length = parts.iter().map(|part| part.len()).sum();
        let Some(mut rest) = input.get_mut(..length) else {
            let mut hasher = blake3::Hasher::new_keyed(self.0.bytes());
            parts.iter().for_each(|part| {
                hasher.update(part);
            });
            return *hasher.finalize().as_bytes();
        };
        for part in parts {
            let (place, after) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = after;
        }
        *blake3::keyed_hash(self.0.bytes(), &input[..length]).as_bytes()
    }

    /// The pseudonym of a patient: `SV` and 16 characters of Crockford's base 32 (80 bits).
    pub(crate) fn pseudonym(&self, patient: &[u8]) -> String {
        spelled("SV", 16, &self.hash("patient", patient))
    }

    /// A value's keyed hash: `SVH` and 13 characters (65 bits), which an SH can hold.
    pub(crate) fn hashed_text(&self, value: &[u8]) -> String {
        spelled("SVH", 13, &self.hash("value", value))
    }

    /// A number's keyed hash: nine digits.
    pub(crate) fn hashed_number(&self, value: &[u8]) -> String {
        let hash = self.hash("number", value);
        let number = u64::from_be_bytes(hash[..8].try_into().unwrap_or_default());
        (100_000_000 + number % 900_000_000).to_string()
    }

    /// A UID derived from 128 keyed bits (PS3.5 B.2): `2.25.` and a decimal number.
    pub(crate) fn uid(&self, uid: &[u8]) -> String {
        let hash = self.hash("uid", uid);
        let number = u128::from_be_bytes(hash[..16].try_into().unwrap_or_default());
        format!("2.25.{number}")
    }

    /// The patient's date offset: days to subtract, between `min` and `max`.
    pub(crate) fn offset_days(&self, patient: &[u8], min: u32, max: u32) -> i64 {
        let hash = self.hash("date-offset", patient);
        let number = u64::from_be_bytes(hash[..8].try_into().unwrap_or_default());
        let span = u64::from(max - min) + 1;
        i64::from(min) + (number % span) as i64
    }
}

/// A prefix and the first bits of a hash in Crockford's base 32, five a character.
fn spelled(prefix: &str, characters: usize, hash: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bits = u128::from_be_bytes(hash[..16].try_into().unwrap_or_default());
    let mut out = String::with_capacity(prefix.len() + characters);
    out.push_str(prefix);
    for _ in 0..characters {
        out.push(char::from(ALPHABET[(bits >> 123) as usize]));
        bits <<= 5;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_values_are_hashed_alike() {
        let secret = ProjectSecret::new(&[7; 32]);
        for length in [0, 1, 64, SHORT - 11, SHORT - 10, 1000] {
            let value = vec![b'1'; length];
            let mut hasher = blake3::Hasher::new_keyed(&[7; 32]);
            hasher.update(b"uid").update(&(length as u64).to_le_bytes()).update(&value);
            assert_eq!(secret.hash("uid", &value), *hasher.finalize().as_bytes());
        }
    }
}
