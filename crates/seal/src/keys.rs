//! The key hierarchy: root, hospital, subject, zone, data key (`docs/formats/keys.md`).
//!
//! No key can be cloned, serialized or shown; every one is zeroized when it is dropped.

use crate::SealError;
use crate::wrap::{KEY_LEN, WrapKind, WrappedKey};
use scanveil_model::{Hex, HospitalId, ProjectName, SubjectId, Zone};
use scanveil_scrub::ProjectSecret;
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

const ROOT_TEXT_PREFIX: &str = "scanveil-root-key-1:";
const ROOT_CHECK_CONTEXT: &str = "scanveil v1 root key check";
const ROOT_CHECK_LEN: usize = 4;
const INTAKE_CONTEXT: &str = "scanveil v1 intake key";
const VAULT_CONTEXT: &str = "scanveil v1 zone key vault";
const RESEARCH_CONTEXT: &str = "scanveil v1 zone key research";
const QUARANTINE_CONTEXT: &str = "scanveil v1 zone key quarantine";
const SUBJECT_ID_CONTEXT: &str = "scanveil v1 subject id";
const KEYED_ID_CONTEXT: &str = "scanveil v1 keyed id";
const PROJECT_CONTEXT: &str = "scanveil v1 project secret";

/// Where random bytes come from. The edge of the program supplies the operating system's source;
/// tests supply a counter.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with unpredictable bytes. An implementation that cannot must not return.
    fn fill(&self, bytes: &mut [u8]);
}

/// One key, in memory made for keys.
pub(crate) struct Secret(scanveil_secret::Secret);

impl Secret {
    pub(crate) fn generate(entropy: &dyn Entropy) -> Self {
        Self(scanveil_secret::Secret::new(|bytes| entropy.fill(bytes)))
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; KEY_LEN] = bytes.try_into().ok()?;
        Some(Self(scanveil_secret::Secret::new(|place| place.copy_from_slice(bytes))))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        self.0.bytes()
    }

    /// BLAKE3's key derivation mode.
    pub(crate) fn derive(&self, context: &'static str) -> Self {
        let mut hasher = Zeroizing::new(blake3::Hasher::new_derive_key(context));
        hasher.update(self.bytes());
        Self(scanveil_secret::Secret::new(|place| hasher.finalize_xof().fill(place)))
    }

    /// BLAKE3's keyed mode, under a key derived for `context`, over fields with their lengths.
    fn keyed(&self, context: &'static str, fields: &[&[u8]]) -> blake3::Hash {
        let key = self.derive(context);
        let mut hasher = Zeroizing::new(blake3::Hasher::new_keyed(key.bytes()));
        for field in fields {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        hasher.finalize()
    }
}

fn first_16(hash: &blake3::Hash) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&hash.as_bytes()[..16]);
    out
}

macro_rules! hidden {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

/// For tests, which know their keys.
macro_rules! known {
    ($($name:ident),*) => {$(
        #[cfg(test)]
        impl $name {
            pub(crate) fn from_secret(secret: Secret) -> Self {
                Self(secret)
            }
        }
    )*};
}
known!(HospitalKey, SubjectKey);
hidden!(RootKey, HospitalKey, SubjectKey, PseudonymSecret, ZoneKey);

/// The installation's key; it wraps the hospitals' keys and nothing else.
pub struct RootKey(Secret);

impl RootKey {
    /// A new random key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::generate(entropy))
    }

    /// Reads the form that [`RootKey::to_text`] writes; white space around it is ignored.
    ///
    /// # Errors
    /// [`SealError::KeyText`] when the form or the check digits are wrong.
    pub fn from_text(text: &str) -> Result<Self, SealError> {
        let rest = text
            .trim()
            .strip_prefix(ROOT_TEXT_PREFIX)
            .ok_or(SealError::KeyText("it does not begin as a root key does"))?;
        let (key, check) =
            rest.split_once(':').ok_or(SealError::KeyText("its check digits are missing"))?;
        let mut bytes = Hex::decode::<KEY_LEN>(key)
            .ok_or(SealError::KeyText("its key is not 64 hexadecimal digits"))?;
        let secret = Secret::from_slice(&bytes);
        bytes.zeroize();
        let secret = secret.ok_or(SealError::KeyText("its key has the wrong length"))?;
        if Hex::decode::<ROOT_CHECK_LEN>(check) != Some(Self::check(&secret)) {
            return Err(SealError::KeyText("its check digits do not fit its key"));
        }
        Ok(Self(secret))
    }

    /// Reads the content of a root key file as [`RootKey::from_text`] does, and zeroizes it.
    ///
    /// # Errors
    /// [`SealError::KeyText`] when the form or the check digits are wrong.
    pub fn from_file(content: Vec<u8>) -> Result<Self, SealError> {
        let content = Zeroizing::new(content);
        let text =
            std::str::from_utf8(&content).map_err(|_| SealError::KeyText("it is not text"))?;
        Self::from_text(text)
    }

    /// The key as one line of text, for the root key file and for its backup on paper.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(Hex::encode(self.0.bytes()));
        let check = Hex::encode(&Self::check(&self.0));
        // Sized before so that growing leaves no copy of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(128));
        for part in [ROOT_TEXT_PREFIX, key.as_str(), ":", &check] {
            text.push_str(part);
        }
        text
    }

    fn check(secret: &Secret) -> [u8; ROOT_CHECK_LEN] {
        let hash = secret.keyed(ROOT_CHECK_CONTEXT, &[]);
        let mut out = [0; ROOT_CHECK_LEN];
        out.copy_from_slice(&hash.as_bytes()[..ROOT_CHECK_LEN]);
        out
    }

    /// Seals a hospital's key under the root key.
    ///
    /// # Errors
    /// [`SealError::KeyRefused`] when the cipher fails.
    pub fn wrap_hospital(
        &self,
        hospital: &HospitalId,
        key: &HospitalKey,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey, SealError> {
        let name = hospital.as_str().as_bytes();
        WrappedKey::seal(&self.0, WrapKind::HospitalKey, name, &[], &key.0, entropy)
    }

    /// Opens a hospital's key.
    ///
    /// # Errors
    /// [`SealError::WrappedKey`] and [`SealError::UnwrapRefused`] when it is not this hospital's
    /// key under this root key.
    pub fn unwrap_hospital(
        &self,
        hospital: &HospitalId,
        wrapped: &WrappedKey,
    ) -> Result<HospitalKey, SealError> {
        let name = hospital.as_str().as_bytes();
        wrapped.open(&self.0, WrapKind::HospitalKey, name, &[]).map(HospitalKey)
    }
}

/// A hospital's key; it wraps its subjects' keys and keys its identifiers.
pub struct HospitalKey(Secret);

impl HospitalKey {
    /// A new random key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::generate(entropy))
    }

    /// Seals a subject's key under the hospital's.
    ///
    /// # Errors
    /// [`SealError::KeyRefused`] when the cipher fails.
    pub fn wrap_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
        key: &SubjectKey,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey, SealError> {
        let name = hospital.as_str().as_bytes();
        WrappedKey::seal(&self.0, WrapKind::SubjectKey, name, &subject.0, &key.0, entropy)
    }

    /// Opens a subject's key.
    ///
    /// # Errors
    /// [`SealError::WrappedKey`] and [`SealError::UnwrapRefused`] when it is not this subject's key
    /// under this hospital's key.
    pub fn unwrap_subject(
        &self,
        hospital: &HospitalId,
        subject: &SubjectId,
        wrapped: &WrappedKey,
    ) -> Result<SubjectKey, SealError> {
        let name = hospital.as_str().as_bytes();
        wrapped.open(&self.0, WrapKind::SubjectKey, name, &subject.0).map(SubjectKey)
    }

    /// Seals the hospital's pseudonym secret under its key.
    ///
    /// # Errors
    /// [`SealError::KeyRefused`] when the cipher fails.
    pub fn wrap_pseudonym_secret(
        &self,
        hospital: &HospitalId,
        secret: &PseudonymSecret,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey, SealError> {
        let name = hospital.as_str().as_bytes();
        WrappedKey::seal(&self.0, WrapKind::PseudonymSecret, name, &[], &secret.0, entropy)
    }

    /// Opens the hospital's pseudonym secret.
    ///
    /// # Errors
    /// [`SealError::WrappedKey`] and [`SealError::UnwrapRefused`] when it is not this hospital's.
    pub fn unwrap_pseudonym_secret(
        &self,
        hospital: &HospitalId,
        wrapped: &WrappedKey,
    ) -> Result<PseudonymSecret, SealError> {
        let name = hospital.as_str().as_bytes();
        wrapped.open(&self.0, WrapKind::PseudonymSecret, name, &[]).map(PseudonymSecret)
    }

    /// The zone key of the spool, where the subject is not known yet.
    #[must_use]
    pub fn intake_key(&self) -> ZoneKey {
        ZoneKey { zone: Zone::Vault, secret: self.0.derive(INTAKE_CONTEXT) }
    }

    /// The subject that a patient identifier and its issuer stand for within this hospital: a keyed
    /// hash. Padding (PS3.5 6.2: spaces around an LO value, a trailing zero byte) makes no other
    /// subject.
    #[must_use]
    pub fn subject_id(&self, issuer: &[u8], patient_id: &[u8]) -> SubjectId {
        let fields = [significant(issuer), significant(patient_id)];
        SubjectId(first_16(&self.0.keyed(SUBJECT_ID_CONTEXT, &fields)))
    }

    /// A keyed hash of anything else, for object ids, study keys and catalogue columns. `context`
    /// names the use; two uses never give the same id for the same bytes.
    #[must_use]
    pub fn keyed_id(&self, context: &str, bytes: &[u8]) -> [u8; 16] {
        first_16(&self.0.keyed(KEYED_ID_CONTEXT, &[context.as_bytes(), bytes]))
    }
}

/// The value without the padding that PS3.5 6.2 calls not significant.
fn significant(value: &[u8]) -> &[u8] {
    let padding = |b: &u8| *b == b' ' || *b == 0;
    let start = value.iter().position(|b| !padding(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !padding(b)).map_or(start, |at| at + 1);
    &value[start..end]
}

/// A patient's key. Destroying every copy of it makes all objects of the patient unreadable.
pub struct SubjectKey(Secret);

impl SubjectKey {
    /// A new random key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::generate(entropy))
    }

    /// The key of one zone. Holding one zone's key opens nothing in another zone.
    #[must_use]
    pub fn zone_key(&self, zone: Zone) -> ZoneKey {
        let context = match zone {
            Zone::Vault => VAULT_CONTEXT,
            Zone::Research => RESEARCH_CONTEXT,
            Zone::Quarantine => QUARANTINE_CONTEXT,
        };
        ZoneKey { zone, secret: self.0.derive(context) }
    }
}

/// What a hospital's pseudonyms are keyed with.
pub struct PseudonymSecret(Secret);

impl PseudonymSecret {
    /// A new random secret.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::generate(entropy))
    }

    /// The secret of one project, so that pseudonyms of two projects cannot be joined.
    #[must_use]
    pub fn project_secret(&self, project: &ProjectName) -> ProjectSecret {
        let mut hash = self.project_bytes(project);
        let secret = ProjectSecret::new(hash.as_bytes());
        hash.zeroize();
        secret
    }

    fn project_bytes(&self, project: &ProjectName) -> blake3::Hash {
        self.0.keyed(PROJECT_CONTEXT, &[project.as_str().as_bytes()])
    }
}

/// The key of a subject (or of a hospital's intake) in one zone; it wraps the data keys of objects.
pub struct ZoneKey {
    pub(crate) zone: Zone,
    pub(crate) secret: Secret,
}

impl ZoneKey {
    /// The zone whose objects this key opens.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.zone
    }
}

/// Gives the keys of the research zone and of no other: what `release` holds instead of a keyring.
pub trait ResearchKeys: Send + Sync {
    /// The research-zone key of a subject.
    ///
    /// # Errors
    /// [`SealError::KeyUnknown`], [`SealError::KeyDestroyed`] or [`SealError::KeyStore`].
    fn zone_key(&self, hospital: &HospitalId, subject: &SubjectId) -> Result<ZoneKey, SealError>;
}

#[cfg(test)]
mod tests;
