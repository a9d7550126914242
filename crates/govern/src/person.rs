//! Who may ask and approve, and how each proves who he is.

use crate::GovernError;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use scanveil_model::Hex;
use scanveil_secret::Secret;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// How a token begins, so that it is recognized where it should not lie.
const TOKEN_PREFIX: &str = "svg_";
/// Length of a token, of a signing key and of a public key, in bytes.
const KEY_LEN: usize = 32;
/// People who can be registered.
const MAX_PEOPLE: usize = 1000;
/// The newest format of the file of people.
const PEOPLE_FORMAT: u32 = 1;
/// What goes before the bytes of a record that is signed: an approval is never one.
const RECORD_HEADER: &[u8] = b"scanveil decision 1\n";
const SIGNING_CONTEXT: &str = "scanveil v1 approval signing key";

/// A person of the staff: `[a-z][a-z0-9._-]*`, at most 32 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonName(String);

impl PersonName {
    /// Parses and checks the name.
    ///
    /// # Errors
    /// [`GovernError::Name`].
    pub fn parse(text: &str) -> Result<Self, GovernError> {
        let ok = |(at, b): (usize, u8)| {
            b.is_ascii_lowercase() || (at > 0 && (b.is_ascii_digit() || b"._-".contains(&b)))
        };
        if text.is_empty() || text.len() > 32 || !text.bytes().enumerate().all(ok) {
            return Err(GovernError::Name);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PersonName {
    type Error = GovernError;
    fn try_from(text: String) -> Result<Self, GovernError> {
        Self::parse(&text)
    }
}

impl From<PersonName> for String {
    fn from(name: PersonName) -> Self {
        name.0
    }
}

impl std::str::FromStr for PersonName {
    type Err = GovernError;
    fn from_str(text: &str) -> Result<Self, GovernError> {
        Self::parse(text)
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonName({})", self.0)
    }
}

/// What a person proves himself with, and signs approvals with. Made once, shown once, kept by the
/// person alone.
pub struct Token(Secret);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// A new token; `fill` fills the slice with unpredictable bytes.
    #[must_use]
    pub fn generate(fill: &dyn Fn(&mut [u8])) -> Self {
        Self(Secret::new(|bytes| fill(bytes)))
    }

    /// Reads the form that [`Token::to_text`] writes; white space around it is ignored.
    ///
    /// # Errors
    /// [`GovernError::TokenForm`].
    pub fn parse(text: &str) -> Result<Self, GovernError> {
        let digits = text.trim().strip_prefix(TOKEN_PREFIX);
        let bytes = digits.and_then(Hex::decode::<KEY_LEN>).map(Zeroizing::new);
        let bytes = bytes.ok_or(GovernError::TokenForm)?;
        Ok(Self(Secret::new(|place| place.copy_from_slice(bytes.as_slice()))))
    }

    /// The token as one line of text.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(Hex::encode(self.0.bytes()));
        Zeroizing::new([TOKEN_PREFIX, &digits].concat())
    }

    fn key_pair(&self) -> Result<Ed25519KeyPair, GovernError> {
        let seed = Zeroizing::new(blake3::derive_key(SIGNING_CONTEXT, self.0.bytes()));
        Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| GovernError::Signing)
    }

    /// Signs as the token's owner.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64], GovernError> {
        let signature = self.key_pair()?.sign(message);
        signature.as_ref().try_into().map_err(|_| GovernError::Signing)
    }

    fn public_key(&self) -> Result<[u8; KEY_LEN], GovernError> {
        let pair = self.key_pair()?;
        pair.public_key().as_ref().try_into().map_err(|_| GovernError::Signing)
    }
}

/// A registered person. What is kept is a one-way image of the token: the public key of what it
/// signs with. Whoever reads it can check an approval, and neither make one nor find the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    name: PersonName,
    #[serde(with = "Hex")]
    public_key: [u8; KEY_LEN],
    added_at_ms: i64,
}

impl Approver {
    /// The person's name.
    #[must_use]
    pub fn name(&self) -> &PersonName {
        &self.name
    }

    /// When the person was registered, in milliseconds since 1970.
    #[must_use]
    pub fn added_at_ms(&self) -> i64 {
        self.added_at_ms
    }

    /// Whether the person made this signature.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public_key).verify(message, signature).is_ok()
    }
}

/// Everybody who may ask and approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvers {
    format: u32,
    people: Vec<Approver>,
}

impl Default for Approvers {
    fn default() -> Self {
        Self { format: PEOPLE_FORMAT, people: Vec::new() }
    }
}

impl Approvers {
    /// The newest format that is known.
    pub(crate) const FORMAT: u32 = PEOPLE_FORMAT;

    /// The people, in the order in which they were registered.
    #[must_use]
    pub fn people(&self) -> &[Approver] {
        &self.people
    }

    /// Registers a person with a token.
    ///
    /// # Errors
    /// [`GovernError::PersonKnown`], [`GovernError::TooManyPeople`].
    pub fn add(
        &mut self,
        name: &PersonName,
        token: &Token,
        now_ms: i64,
    ) -> Result<(), GovernError> {
        if self.find(name).is_ok() {
            return Err(GovernError::PersonKnown(name.clone()));
        }
        if self.people.len() >= MAX_PEOPLE {
            return Err(GovernError::TooManyPeople(MAX_PEOPLE));
        }
        let public_key = token.public_key()?;
        self.people.push(Approver { name: name.clone(), public_key, added_at_ms: now_ms });
        Ok(())
    }

    /// Takes a person out: the token is of no use any more, and approvals given with it do not
    /// count.
    ///
    /// # Errors
    /// [`GovernError::PersonUnknown`].
    pub fn remove(&mut self, name: &PersonName) -> Result<(), GovernError> {
        self.find(name)?;
        self.people.retain(|person| person.name != *name);
        Ok(())
    }

    /// A registered person.
    ///
    /// # Errors
    /// [`GovernError::PersonUnknown`].
    pub fn find(&self, name: &PersonName) -> Result<&Approver, GovernError> {
        let found = self.people.iter().find(|person| person.name == *name);
        found.ok_or_else(|| GovernError::PersonUnknown(name.clone()))
    }

    /// The person, who has shown the right token. Compared in constant time.
    ///
    /// # Errors
    /// [`GovernError::PersonUnknown`], [`GovernError::WrongToken`].
    pub fn prove(&self, name: &PersonName, token: &Token) -> Result<&Approver, GovernError> {
        let person = self.find(name)?;
        verify_slices_are_equal(&person.public_key, &token.public_key()?)
            .map_err(|_| GovernError::WrongToken(name.clone()))?;
        Ok(person)
    }

    /// The signature of a registered person under a record.
    ///
    /// # Errors
    /// [`GovernError::PersonUnknown`], [`GovernError::WrongToken`].
    pub fn sign_record(
        &self,
        name: &PersonName,
        token: &Token,
        record: &[u8],
    ) -> Result<[u8; 64], GovernError> {
        self.prove(name, token)?;
        token.sign(&[RECORD_HEADER, record].concat())
    }

    /// Whether a registered person has signed a record.
    #[must_use]
    pub fn has_signed_record(&self, name: &PersonName, record: &[u8], signature: &[u8]) -> bool {
        let message = [RECORD_HEADER, record].concat();
        self.find(name).is_ok_and(|person| person.has_signed(&message, signature))
    }
}
