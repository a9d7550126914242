//! Why the keyring refused or failed.

use scanveil_model::{Coded, HospitalId, SubjectId};
use scanveil_seal::SealError;
use std::io;
use std::path::PathBuf;

/// What can go wrong with the keyring. Names hospitals, subject ids and our own paths; never a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The disk failed.
    #[error("could not {op} {}", .path.display())]
    Io {
        /// What was tried.
        op: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Others than its owner can read the root key.
    #[error("others than its owner can use the root key {} (mode {mode:04o})", .path.display())]
    RootKeyExposed {
        /// The root key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There are keys, and not the root key that opens them.
    #[error("the root key {} is missing, and there are keys that only it opens", .0.display())]
    RootKeyMissing(PathBuf),
    /// There is no key at all, and there is something that was sealed under one.
    #[error("there are no keys in {}, and there is {found} that only the lost ones open",
        .path.display())]
    Lost {
        /// The keyring's folder.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// There are subjects' keys, and not the hospital's key that opens them.
    #[error("the key file of hospital {0} is missing, and it has subjects' keys")]
    HospitalKeyMissing(HospitalId),
    /// The keyring has no key for the hospital.
    #[error("there is no key for hospital {0}")]
    HospitalUnknown(HospitalId),
    /// The keyring has no key for the subject.
    #[error("there is no key for subject {0}")]
    SubjectUnknown(SubjectId),
    /// The subject's key was destroyed.
    #[error("the key of subject {0} was destroyed")]
    SubjectDestroyed(SubjectId),
    /// A file of the keyring is not what was written.
    #[error("{} is not a readable key file", .0.display())]
    Damaged(PathBuf),
    /// A key does not open under the key above it, or could not be sealed under it.
    #[error("{} does not hold the key it should", .path.display())]
    Seal {
        /// The key file.
        path: PathBuf,
        /// Why.
        #[source]
        source: SealError,
    },
    /// A file of the keyring was written by a newer version.
    #[error("{} was written by a newer version (format {version})", .path.display())]
    NewerVersion {
        /// The key file.
        path: PathBuf,
        /// The format version met.
        version: u32,
    },
    /// A sealed note could not be sealed or opened.
    #[error("a sealed note of the hospital does not open")]
    Note(#[source] SealError),
    /// The hospital's secret has no such version.
    #[error("hospital {hospital} has no version {version} of its secret")]
    SecretUnknown {
        /// The hospital.
        hospital: HospitalId,
        /// The version.
        version: u32,
    },
    /// The hospital's file has no room for another version of the secret.
    #[error("hospital {0} has as many versions of its secret as it can have, or too long a reason")]
    TooManySecrets(HospitalId),
}

impl From<KeyringError> for SealError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::SubjectUnknown(_) | KeyringError::HospitalUnknown(_) => Self::KeyUnknown,
            KeyringError::SubjectDestroyed(_) => Self::KeyDestroyed,
            other => Self::KeyStore(Box::new(other)),
        }
    }
}

impl Coded for KeyringError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "SV-VAULT-101",
            Self::RootKeyExposed { .. } => "SV-VAULT-102",
            Self::RootKeyMissing(_) => "SV-VAULT-103",
            Self::HospitalKeyMissing(_) => "SV-VAULT-104",
            Self::HospitalUnknown(_) => "SV-VAULT-105",
            Self::SubjectUnknown(_) => "SV-VAULT-106",
            Self::SubjectDestroyed(_) => "SV-VAULT-107",
            Self::Damaged(_) => "SV-VAULT-108",
            Self::Seal { .. } => "SV-VAULT-109",
            Self::NewerVersion { .. } => "SV-VAULT-110",
            Self::Note(_) => "SV-VAULT-111",
            Self::TooManySecrets(_) => "SV-VAULT-112",
            Self::SecretUnknown { .. } => "SV-VAULT-113",
            Self::Lost { .. } => "SV-VAULT-114",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::Io { .. } => "check the disk and the permissions of the keyring's folder",
            Self::RootKeyExposed { .. } => {
                "run chmod 600 on it, and think about who may have read it"
            }
            Self::RootKeyMissing(_) | Self::HospitalKeyMissing(_) => {
                "restore it from the keyring's backup; a new one would open nothing"
            }
            Self::Lost { .. } => {
                "restore the backup of the keys into that folder, or set keys_dir to where they \
                 are; new ones would open nothing"
            }
            Self::HospitalUnknown(_) => "check the hospital's name against `scanveil keys list`",
            Self::SubjectUnknown(_) => {
                "restore the keyring from its backup, or re-import the study"
            }
            Self::SubjectDestroyed(_) => "nothing: the subject was erased on purpose",
            Self::Damaged(_) | Self::Seal { .. } | Self::SecretUnknown { .. } => {
                "restore the keyring from its backup"
            }
            Self::NewerVersion { .. } => "run the newer version of scanveil that wrote it",
            Self::Note(_) => "restore the file that holds it, or the keyring, from its backup",
            Self::TooManySecrets(_) => "give a shorter reason, or keep the secret that is in force",
        }
        .to_owned()
    }
}
