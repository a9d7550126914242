//! One newtype per identifier, parsed once at the edge.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not the identifier it claims to be. Holds no part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Wrong length.
    #[error("{what}: length {len} is outside {min}..={max}")]
    Length {
        /// Which identifier.
        what: &'static str,
        /// Length met, in bytes.
        len: usize,
        /// Shortest allowed.
        min: usize,
        /// Longest allowed.
        max: usize,
    },
    /// A character that this identifier cannot have.
    #[error("{what}: character at byte {at} is not allowed")]
    Character {
        /// Which identifier.
        what: &'static str,
        /// Byte offset of the first bad character.
        at: usize,
    },
}

fn check(
    what: &'static str,
    text: &str,
    max: usize,
    ok: impl Fn(usize, u8) -> bool,
) -> Result<(), IdError> {
    if text.is_empty() || text.len() > max {
        return Err(IdError::Length { what, len: text.len(), min: 1, max });
    }
    match text.bytes().enumerate().find(|&(i, b)| !ok(i, b)) {
        Some((at, _)) => Err(IdError::Character { what, at }),
        None => Ok(()),
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $ok:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses and checks the identifier.
            ///
            /// # Errors
            /// [`IdError`] when the length or a character is not allowed.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check($what, text, $max, $ok)?;
                Ok(Self(text.to_owned()))
            }
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }
    };
}

macro_rules! shown {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

fn slug(i: usize, b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || (i > 0 && b == b'-')
}

text_id!(
    /// A hospital (tenant): `[a-z0-9][a-z0-9-]*`, at most 32 characters. Safe in paths, keys and
    /// tags.
    HospitalId, "hospital", 32, slug
);
shown!(HospitalId);
text_id!(
    /// A research project: `[a-z0-9][a-z0-9-]*`, at most 32 characters. Safe in paths, keys and
    /// tags.
    ProjectName, "project", 32, slug
);
shown!(ProjectName);
text_id!(
    /// A DICOM application entity title (PS3.5 6.2, VR AE): 1 to 16 printable characters without
    /// backslash. Leading and trailing spaces are not significant and must be trimmed before.
    AeTitle, "AE title", 16, |_, b| (0x20..0x7f).contains(&b) && b != b'\\'
);
shown!(AeTitle);
text_id!(
    /// A DICOM unique identifier (PS3.5 9.1): 1 to 64 digits and dots. It identifies a patient's
    /// study, so `Debug` hides it and there is no `Display`.
    Uid, "UID", 64, |_, b| b.is_ascii_digit() || b == b'.'
);
impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uid({} bytes)", self.0.len())
    }
}

macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $n:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub [u8; $n]);

        impl $name {
            /// Parses lower-case hexadecimal.
            ///
            /// # Errors
            /// [`IdError`] when it is not exactly the right number of lower-case hex digits.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                if text.len() != $n * 2 {
                    return Err(IdError::Length {
                        what: $what, len: text.len(), min: $n * 2, max: $n * 2,
                    });
                }
                let mut out = [0u8; $n];
                match HEXLOWER.decode_mut(text.as_bytes(), &mut out) {
                    Ok(_) => Ok(Self(out)),
                    Err(at) => {
                        Err(IdError::Character { what: $what, at: at.error.position })
                    }
                }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                HEXLOWER.encode_display(&self.0).fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

bytes_id!(
    /// A patient within a hospital: a keyed hash of the patient identifier, never the identifier.
    SubjectId, "subject id", 16
);
bytes_id!(
    /// A stored object: a keyed hash of what went into it, so that a repeated write is the same
    /// object.
    ObjectId, "object id", 16
);
bytes_id!(
    /// A BLAKE3 digest (256 bits).
    Digest, "digest", 32
);

/// Which run of de-identification a research copy comes from: 1 for the first, one more for each
/// re-anonymization or late arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);
