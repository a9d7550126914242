//! Other tools' recipes as profiles.
//!
//! Two things hold for every import. The profile stands on the Basic Profile: an attribute that the
//! recipe does not name, or names in a way that is not understood, is treated by Table E.1-1 and by
//! its value representation, and what the recipe would change but cannot be expressed is removed.
//! And every difference is told: [`Imported::not_expressed`] is the whole list.

mod attribute;
mod ctp;
mod ctp_function;
mod deid;
mod draft;
mod expression;
mod orthanc;
mod private_list;

use crate::ProfilesError;
use scanveil_model::ProjectName;
use scanveil_scrub::{Profile, ProfileDocument};
use serde::Serialize;

/// Most bytes of a recipe; the longest in use have one or two million.
const MOST_BYTES: usize = 16 << 20;
/// Most rules and most differences of one import.
const MOST_RULES: usize = 20_000;

/// Whose recipe it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    /// An anonymizer script of RSNA's Clinical Trial Processor, XML or text.
    Ctp,
    /// The body of Orthanc's `/anonymize`, JSON.
    Orthanc,
    /// A recipe of pydicom's deid.
    Deid,
    /// A list of private elements, CSV: TCIA's knowledge base, or Table E.3.10-1 of PS3.15.
    TciaKb,
}

impl ImportKind {
    /// Every kind, with the name that commands use.
    pub const ALL: [(&'static str, Self); 4] = [
        ("ctp", Self::Ctp),
        ("orthanc", Self::Orthanc),
        ("deid", Self::Deid),
        ("tcia-kb", Self::TciaKb),
    ];

    /// The kind with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// The name that commands use.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// Something that the recipe says and the profile does not, or says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotExpressed {
    /// Where: a line, or a key.
    pub place: String,
    /// The directive and the attribute.
    pub what: String,
    /// Why, and what holds instead.
    pub why: &'static str,
}

/// A recipe as a profile.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The profile.
    pub document: ProfileDocument,
    /// What it does otherwise than the recipe.
    pub not_expressed: Vec<NotExpressed>,
}

impl Imported {
    /// The profile as TOML, to be kept and edited.
    ///
    /// # Errors
    /// [`ProfilesError::Syntax`] when it cannot be written, which no import leads to.
    pub fn to_toml(&self) -> Result<String, ProfilesError> {
        toml::to_string(&self.document).map_err(|error| ProfilesError::Syntax {
            kind: "the profile",
            place: "its end".into(),
            why: error.to_string(),
        })
    }
}

/// Reads a recipe.
///
/// # Errors
/// [`ProfilesError`] when the text is not a recipe of that kind, or is longer than any real one.
pub fn import(kind: ImportKind, name: &ProjectName, text: &str) -> Result<Imported, ProfilesError> {
    if text.len() > MOST_BYTES {
        let limit = MOST_BYTES;
        return Err(ProfilesError::TooLarge { what: "the recipe", limit, unit: "bytes" });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let draft = match kind {
        ImportKind::Ctp => ctp::read(text)?,
        ImportKind::Orthanc => orthanc::read(text)?,
        ImportKind::Deid => deid::read(text)?,
        ImportKind::TciaKb => private_list::read(text)?,
    };
    let imported = draft.finish(name)?;
    Profile::from_toml(&imported.to_toml()?)?;
    Ok(imported)
}
