//! A hospital's keys as they lie on the disk (`docs/formats/keys.md`).

use scanveil_model::Hex;
use scanveil_seal::{HospitalKey, WrappedKey};
use serde::{Deserialize, Serialize};

/// The version that is written and read.
const HOSPITAL_FILE_VERSION: u32 = 1;

/// Use under which the list of secrets is hashed with the hospital's key.
const CHECK_USE: &str = "pseudonym secrets";

/// What the file says first, in any version.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// One version of the hospital's pseudonym secret, as it lies on the disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretEntry {
    pub(super) number: u32,
    /// When it was made, in milliseconds since 1970; the first one does not say.
    pub(super) made_at_ms: Option<i64>,
    /// Why, as a sealed note in hexadecimal; the first one does not say.
    pub(super) reason: Option<String>,
    pub(super) secret: WrappedKey,
}

/// The keys of a hospital, and every version of its secret, the first one first.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HospitalFile {
    version: u32,
    pub(super) hospital_key: WrappedKey,
    pub(super) pseudonym_secrets: Vec<SecretEntry>,
    /// Keyed hash of the list, in hexadecimal: nothing in it was exchanged or left out.
    check: String,
}

/// Why a file is none.
pub(super) enum Unreadable {
    Damaged,
    Newer(u32),
}

impl HospitalFile {
    pub(super) fn new(
        key: &HospitalKey,
        hospital_key: WrappedKey,
        pseudonym_secrets: Vec<SecretEntry>,
    ) -> Self {
        let check = check(key, &pseudonym_secrets);
        Self { version: HOSPITAL_FILE_VERSION, hospital_key, pseudonym_secrets, check }
    }

    /// Reads a file, and refuses another version.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        // The parser's message may quote the file, so that only its kind is told.
        let damaged = |_| Unreadable::Damaged;
        match serde_json::from_slice::<VersionOnly>(bytes).map_err(damaged)?.version {
            HOSPITAL_FILE_VERSION => {
                let file: Self = serde_json::from_slice(bytes).map_err(damaged)?;
                let numbers = file.pseudonym_secrets.iter().map(|entry| entry.number);
                let counted = numbers.eq(1..=file.in_force()) && file.in_force() > 0;
                if counted { Ok(file) } else { Err(Unreadable::Damaged) }
            }
            0 => Err(Unreadable::Damaged),
            newer => Err(Unreadable::Newer(newer)),
        }
    }

    /// Number of the newest secret.
    pub(super) fn in_force(&self) -> u32 {
        self.pseudonym_secrets.last().map_or(0, |entry| entry.number)
    }

    /// Whether the list is the one that was written.
    pub(super) fn is_whole(&self, key: &HospitalKey) -> bool {
        self.check == check(key, &self.pseudonym_secrets)
    }
}

fn check(key: &HospitalKey, secrets: &[SecretEntry]) -> String {
    // Numbers and texts always serialize.
    let list = serde_json::to_vec(secrets).unwrap_or_default();
    Hex::encode(&key.keyed_id(CHECK_USE, &list))
}
