//! How one key is sealed under another (`docs/formats/keys.md`, "Wrapping").

use crate::SealError;
use crate::keys::{Entropy, Secret};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use scanveil_model::Hex;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Length of a key in bytes.
pub(crate) const KEY_LEN: usize = 32;
/// Length of an AES-256-GCM tag in bytes.
pub(crate) const TAG_LEN: usize = 16;
/// Length of a wrapped key: the key and its tag.
pub(crate) const WRAPPED_LEN: usize = KEY_LEN + TAG_LEN;

const WRAP_CONTEXT: &str = "scanveil v1 key wrap";
const WRAPPED_KEY_VERSION: u32 = 1;

/// An AES-256-GCM key from 32 bytes.
pub(crate) fn cipher(key: &[u8; KEY_LEN]) -> Result<LessSafeKey, SealError> {
    // The length is right by type, so that the library has nothing to refuse.
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| SealError::KeyRefused)?;
    Ok(LessSafeKey::new(key))
}

/// The key that wraps one other key: it depends on the nonce and on the associated data, so that
/// the number of keys wrapped under one parent is not bounded by the 96 bits of a GCM nonce.
fn wrapping_key(
    parent: &Secret,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
) -> Result<LessSafeKey, SealError> {
    let base = parent.derive(WRAP_CONTEXT);
    let mut hasher = Zeroizing::new(blake3::Hasher::new_keyed(base.bytes()));
    hasher.update(nonce);
    hasher.update(aad);
    let mut hash = hasher.finalize();
    let wrapping = cipher(hash.as_bytes());
    hash.zeroize();
    wrapping
}

/// Seals `secret` under `parent`.
pub(crate) fn wrap(
    parent: &Secret,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    secret: &Secret,
) -> Result<[u8; WRAPPED_LEN], SealError> {
    let key = wrapping_key(parent, &nonce, aad)?;
    let mut out = [0; WRAPPED_LEN];
    let (body, tag_at) = out.split_at_mut(KEY_LEN);
    body.copy_from_slice(secret.bytes());
    let sealed =
        key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), body);
    match sealed {
        Ok(tag) => tag_at.copy_from_slice(tag.as_ref()),
        Err(_) => {
            out.zeroize();
            return Err(SealError::KeyRefused);
        }
    }
    Ok(out)
}

/// Opens what [`wrap`] sealed.
pub(crate) fn unwrap(
    parent: &Secret,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    wrapped: &[u8; WRAPPED_LEN],
) -> Option<Secret> {
    let key = wrapping_key(parent, &nonce, aad).ok()?;
    let mut buffer = Zeroizing::new(*wrapped);
    let opened = key
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), buffer.as_mut_slice())
        .ok()?;
    Secret::from_slice(opened)
}

/// What a wrapped key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrapKind {
    /// A hospital's key, wrapped by the root key.
    HospitalKey,
    /// A hospital's pseudonym secret, wrapped by the hospital's key.
    PseudonymSecret,
    /// A subject's key, wrapped by the hospital's key.
    SubjectKey,
}

impl WrapKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::HospitalKey => "hospital-key",
            Self::PseudonymSecret => "pseudonym-secret",
            Self::SubjectKey => "subject-key",
        }
    }

    /// Associated data of a wrapped key: its kind, its hospital and, where it has one, its subject.
    fn aad(self, hospital: &[u8], subject: &[u8]) -> Vec<u8> {
        let mut aad = Vec::with_capacity(128);
        for field in [self.as_str().as_bytes(), hospital, subject] {
            // Every field is at most 32 bytes long by its type.
            aad.push(u8::try_from(field.len()).unwrap_or(u8::MAX));
            aad.extend_from_slice(field);
        }
        aad
    }
}

/// A key sealed under the key above it. Not secret by itself; it is what the keyring stores.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedKey {
    version: u32,
    kind: WrapKind,
    #[serde(with = "Hex")]
    nonce: [u8; NONCE_LEN],
    #[serde(with = "Hex")]
    sealed: [u8; WRAPPED_LEN],
}

impl WrappedKey {
    /// What the wrapped key is.
    #[must_use]
    pub fn kind(&self) -> WrapKind {
        self.kind
    }

    pub(crate) fn seal(
        parent: &Secret,
        kind: WrapKind,
        hospital: &[u8],
        subject: &[u8],
        secret: &Secret,
        entropy: &dyn Entropy,
    ) -> Result<Self, SealError> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let sealed = wrap(parent, nonce, &kind.aad(hospital, subject), secret)?;
        Ok(Self { version: WRAPPED_KEY_VERSION, kind, nonce, sealed })
    }

    pub(crate) fn open(
        &self,
        parent: &Secret,
        kind: WrapKind,
        hospital: &[u8],
        subject: &[u8],
    ) -> Result<Secret, SealError> {
        if self.version != WRAPPED_KEY_VERSION {
            return Err(SealError::WrappedKey("its version is not known"));
        }
        if self.kind != kind {
            return Err(SealError::WrappedKey("it is a key of another kind"));
        }
        unwrap(parent, self.nonce, &kind.aad(hospital, subject), &self.sealed)
            .ok_or(SealError::UnwrapRefused)
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappedKey(..)")
    }
}
