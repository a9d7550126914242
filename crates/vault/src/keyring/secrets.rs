//! Versions of a hospital's pseudonym secret: the newest is in force, the earlier ones stay sealed.

use super::folder::Folder;
use super::hospital_file::{HospitalFile, SecretEntry};
use super::{HospitalKeys, Keyring, KeyringError, at};
use data_encoding::HEXLOWER;
use scanveil_model::{Hex, HospitalId};
use scanveil_seal::PseudonymSecret;
use serde::Serialize;

/// Versions that one hospital can have.
pub(super) const MAX_SECRETS: usize = 100;
/// Longest reason of a change, in bytes.
const MAX_REASON_BYTES: usize = 400;

/// One version of a hospital's pseudonym secret. Not the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretVersion {
    /// Its number, from 1; the greatest one is in force.
    pub number: u32,
    /// When it was made, in milliseconds since 1970; not known of the first.
    pub made_at_ms: Option<i64>,
    /// Why it was made; not known of the first.
    pub reason: Option<String>,
}

impl HospitalKeys {
    /// A version of the pseudonym secret, the one in force or an earlier one.
    #[must_use]
    pub fn secret(&self, number: u32) -> Option<&PseudonymSecret> {
        if number == self.secret_version {
            return Some(&self.pseudonym_secret);
        }
        self.earlier.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }
}

impl Keyring {
    /// Makes a new version of the hospital's pseudonym secret, which is in force from here on, and
    /// gives its number. Earlier ones stay. Durable when it returns; whoever else has the keyring
    /// open takes it up at the next use.
    ///
    /// # Errors
    /// [`KeyringError::HospitalUnknown`], [`KeyringError::TooManySecrets`], and what the disk and
    /// the files give.
    pub fn change_secret(
        &self,
        hospital: &HospitalId,
        reason: &str,
        now_ms: i64,
    ) -> Result<u32, KeyringError> {
        let _one_at_a_time = self.0.folder.lock()?;
        let keys = self.existing_hospital(hospital)?;
        let unknown = || KeyringError::HospitalUnknown(hospital.clone());
        let file = self.0.folder.read_hospital(hospital)?.ok_or_else(unknown)?;
        let path = self.0.folder.hospital_path(hospital);
        if !file.is_whole(&keys.key) {
            return Err(KeyringError::Damaged(path));
        }
        let number = file.in_force() + 1;
        if file.pseudonym_secrets.len() >= MAX_SECRETS || reason.len() > MAX_REASON_BYTES {
            return Err(KeyringError::TooManySecrets(hospital.clone()));
        }
        let entropy = self.0.entropy.as_ref();
        let secret = PseudonymSecret::generate(entropy);
        let mut entries = file.pseudonym_secrets;
        entries.push(SecretEntry {
            number,
            made_at_ms: Some(now_ms),
            reason: Some(Hex::encode(&self.seal_note(
                hospital,
                &note_name(number),
                reason.as_bytes(),
            )?)),
            secret: keys
                .key
                .wrap_pseudonym_secret(hospital, &secret, entropy)
                .map_err(at(&path))?,
        });
        let file = HospitalFile::new(&keys.key, file.hospital_key, entries);
        self.0.folder.replace_hospital(hospital, &file)?;
        Ok(number)
    }

    /// The versions of the hospital's pseudonym secret, the first one first.
    ///
    /// # Errors
    /// [`KeyringError::HospitalUnknown`], [`KeyringError::Note`], and what the disk and the files
    /// give.
    pub fn secret_versions(
        &self,
        hospital: &HospitalId,
    ) -> Result<Vec<SecretVersion>, KeyringError> {
        // Opened once, so that a list that was tampered with is not shown.
        self.existing_hospital(hospital)?;
        let file = self.0.folder.read_hospital(hospital)?;
        let file = file.ok_or_else(|| KeyringError::HospitalUnknown(hospital.clone()))?;
        let version = |entry: &SecretEntry| {
            let reason = entry.reason.as_ref().map(|sealed| {
                let sealed = HEXLOWER
                    .decode(sealed.as_bytes())
                    .map_err(|_| self.0.folder.damaged(hospital))?;
                let (_, text) = self.open_note(&note_name(entry.number), &sealed)?;
                String::from_utf8(text).map_err(|_| self.0.folder.damaged(hospital))
            });
            let (number, made_at_ms) = (entry.number, entry.made_at_ms);
            Ok(SecretVersion { number, made_at_ms, reason: reason.transpose()? })
        };
        file.pseudonym_secrets.iter().map(version).collect()
    }
}

impl Folder {
    fn damaged(&self, hospital: &HospitalId) -> KeyringError {
        KeyringError::Damaged(self.hospital_path(hospital))
    }
}

fn note_name(number: u32) -> String {
    format!("reason of secret {number}")
}
