//! What a person can decide about an instance in quarantine, and which reasons that ends.

use crate::ReasonCode;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A decision about an instance in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is the right one of two under the same UID: it takes the place of the first.
    Correct,
    /// The first of two under the same UID stays the right one.
    KeepFirst,
    /// The patient identifiers of its study are one person's.
    Merge,
    /// Somebody has looked at its pixels and vouches that they identify nobody.
    Release,
    /// It is not to be kept: it goes, and a certificate stays.
    Discard,
}

impl Decision {
    /// Every decision there is.
    pub const ALL: &'static [Self] =
        &[Self::Correct, Self::KeepFirst, Self::Merge, Self::Release, Self::Discard];

    /// The word in commands, records and the catalogue.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::KeepFirst => "keep-first",
            Self::Merge => "merge",
            Self::Release => "release",
            Self::Discard => "discard",
        }
    }

    /// The decision of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|decision| decision.as_str() == word)
    }

    /// Whether it ends this reason. What a look at the pixels can tell is all that somebody can
    /// vouch for: an identifier that was found, or a text that was not read, stays a reason.
    #[must_use]
    pub fn ends(self, code: ReasonCode) -> bool {
        match self {
            Self::Correct | Self::KeepFirst => code == ReasonCode::UidConflict,
            Self::Merge => code == ReasonCode::MixedPatients,
            Self::Release => matches!(
                code,
                ReasonCode::PixelRisk | ReasonCode::PixelsNotInspected | ReasonCode::BurnedInText
            ),
            Self::Discard => true,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_an_end_and_identifiers_are_never_vouched_for() {
        for code in ReasonCode::ALL {
            assert!(Decision::ALL.iter().any(|decision| decision.ends(*code)), "{code}");
        }
        for code in [
            ReasonCode::ResidualIdentifier,
            ReasonCode::FreeText,
            ReasonCode::EncapsulatedDocument,
            ReasonCode::SlideLabel,
            ReasonCode::Video,
            ReasonCode::CharacterSet,
        ] {
            assert!(!Decision::Release.ends(code), "{code}");
        }
        for decision in Decision::ALL {
            assert_eq!(Decision::parse(decision.as_str()), Some(*decision));
        }
    }
}
