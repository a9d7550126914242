//! Hospitals' tokens: 256 random bits each, of which the configuration holds a digest only.

use super::WebError;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use scanveil_model::HospitalId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// What every token starts with, so that a leaked one can be recognised by scanners.
const TOKEN_PREFIX: &str = "svt_";
const DIGEST_PREFIX: &str = "sha256:";

/// The SHA-256 digest of a token's text, written `sha256:` and 64 hexadecimal digits. A token has
/// 256 random bits, so that its digest may stand in a configuration file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of a token as it is sent.
    #[must_use]
    pub fn of(token: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(bytes)
    }

    /// Parses `sha256:` and 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`WebError::TokenDigest`] when it is anything else.
    pub fn parse(text: &str) -> Result<Self, WebError> {
        let hex = text.strip_prefix(DIGEST_PREFIX).ok_or(WebError::TokenDigest)?;
        let digest = scanveil_model::Digest::parse(hex).map_err(|_| WebError::TokenDigest)?;
        Ok(Self(digest.0))
    }

    /// Whether a token has this digest, compared in constant time.
    #[must_use]
    pub fn matches(&self, token: &str) -> bool {
        verify_slices_are_equal(&self.0, &Self::of(token).0).is_ok()
    }
}

impl fmt::Display for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DIGEST_PREFIX}{}", scanveil_model::Digest(self.0))
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(..)")
    }
}

impl TryFrom<String> for TokenDigest {
    type Error = WebError;
    fn try_from(text: String) -> Result<Self, WebError> {
        Self::parse(&text)
    }
}

impl From<TokenDigest> for String {
    fn from(digest: TokenDigest) -> Self {
        digest.to_string()
    }
}

/// Which token belongs to which hospital. A hospital may have several, so that one can be replaced
/// without a gap. There is no default token: an empty table admits nobody.
#[derive(Debug, Clone, Default)]
pub struct TokenTable(Vec<(TokenDigest, HospitalId)>);

impl TokenTable {
    /// Makes the table.
    ///
    /// # Errors
    /// [`WebError::TokenTwice`] when two entries have the same digest.
    pub fn new(
        entries: impl IntoIterator<Item = (TokenDigest, HospitalId)>,
    ) -> Result<Self, WebError> {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort();
        if entries.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(WebError::TokenTwice);
        }
        Ok(Self(entries))
    }

    /// The hospital a token belongs to, and the token's digest. Every entry is looked at, so that
    /// the time says nothing.
    #[must_use]
    pub fn find(&self, token: &str) -> Option<(TokenDigest, &HospitalId)> {
        let seen = TokenDigest::of(token);
        let mut found = None;
        for (digest, hospital) in &self.0 {
            if verify_slices_are_equal(&digest.0, &seen.0).is_ok() {
                found = Some((seen, hospital));
            }
        }
        found
    }

    /// Whether a token of this digest belongs to a hospital.
    #[must_use]
    pub fn has(&self, digest: &TokenDigest, hospital: &HospitalId) -> bool {
        self.0.iter().any(|(own, of)| own == digest && of == hospital)
    }

    /// How many hospitals have a token.
    #[must_use]
    pub fn hospitals(&self) -> usize {
        self.0.iter().map(|(_, hospital)| hospital).collect::<BTreeSet<_>>().len()
    }
}

/// Makes a token: its text, to be shown once and handed to the hospital, and its digest for the
/// configuration. `fill` fills the slice with random bytes.
#[must_use]
pub fn generate_token(fill: &dyn Fn(&mut [u8])) -> (String, TokenDigest) {
    let mut secret = [0; 32];
    fill(&mut secret);
    let text = format!("{TOKEN_PREFIX}{}", scanveil_model::Hex::encode(&secret));
    let digest = TokenDigest::of(&text);
    (text, digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hospital(name: &str) -> HospitalId {
        HospitalId::parse(name).unwrap()
    }

    #[test]
    fn a_token_selects_its_hospital_and_nothing_else_does() {
        let (one, one_digest) = generate_token(&|bytes| bytes.fill(1));
        let (two, two_digest) = generate_token(&|bytes| bytes.fill(2));
        let entries = [(one_digest, hospital("a")), (two_digest, hospital("b"))];
        let table = TokenTable::new(entries).unwrap();
        assert_eq!(table.find(&one), Some((one_digest, &hospital("a"))));
        assert_eq!(table.find(&two), Some((two_digest, &hospital("b"))));
        assert_eq!(table.hospitals(), 2);
        for wrong in ["", "svt_", &one[..one.len() - 1], &one.to_uppercase(), "svt_00"] {
            assert_eq!(table.find(wrong), None);
        }
        assert_eq!(TokenTable::default().find(""), None);
    }

    #[test]
    fn digests_are_read_as_they_are_written() {
        let (token, digest) = generate_token(&|bytes| bytes.fill(7));
        assert_eq!(TokenDigest::parse(&digest.to_string()), Ok(digest));
        assert!(digest.matches(&token) && !digest.matches("svt_"));
        assert!(!format!("{digest:?}").contains(&digest.to_string()[10..]));
        for bad in ["", "sha256:", "sha256:00", &digest.to_string()[7..], &token] {
            assert_eq!(TokenDigest::parse(bad), Err(WebError::TokenDigest));
        }
    }

    #[test]
    fn one_token_cannot_stand_for_two_hospitals() {
        let (_, digest) = generate_token(&|bytes| bytes.fill(1));
        let entries = [(digest, hospital("a")), (digest, hospital("b"))];
        assert_eq!(TokenTable::new(entries).unwrap_err(), WebError::TokenTwice);
    }
}
