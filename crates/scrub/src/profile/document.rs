//! A profile as its author writes it: TOML, format 2, strict about unknown keys.
//!
//! The document says nothing of how a rule is carried out; that is compiled from it. Format 1 is
//! format 2 without rules, texts and private elements, and is read as such.

use serde::{Deserialize, Serialize};

/// A profile document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProfileDocument {
    /// Version of this format: 1 or 2.
    pub format: u32,
    /// Name, as commands and manifests call the profile.
    pub name: scanveil_model::ProjectName,
    /// Version, as the author counts.
    pub version: String,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    /// Options of PS3.15 Annex E, by name.
    #[serde(default)]
    pub options: Vec<String>,
    /// What becomes of attributes that no rule and no row of Table E.1-1 names.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unlisted: Unlisted,
    /// The date offset and the cap of ages.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dates: DateSettings,
    /// Free text.
    #[serde(default, skip_serializing_if = "is_default")]
    pub text: TextSettings,
    /// Encapsulated documents.
    #[serde(default, skip_serializing_if = "is_default")]
    pub documents: DocumentSettings,
    /// Pixel data.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pixels: PixelSettings,
    /// Rules that go before the options and the table: the first that applies decides.
    #[serde(default, rename = "rule", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleDocument>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What becomes of attributes that nothing names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unlisted {
    /// Treated by value representation: texts are cleaned, dates follow the options.
    #[default]
    ByRepresentation,
    /// Kept only where the instance's own object definition has the attribute, and then treated by
    /// value representation; free text goes.
    Defined,
}

/// The date offset of a patient and the cap of ages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DateSettings {
    /// Smallest offset in days, at least 1.
    #[serde(alias = "shift_min")]
    pub shift_min: u32,
    /// Largest offset in days.
    #[serde(alias = "shift_max")]
    pub shift_max: u32,
    /// Oldest age in years that is told; older ones are given as one year more.
    pub age_cap: u32,
}

impl Default for DateSettings {
    fn default() -> Self {
        Self { shift_min: 30, shift_max: 730, age_cap: 89 }
    }
}

/// Free text: what to know beside the built-in vocabularies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TextSettings {
    /// Words that are never a name here: protocols, local abbreviations.
    pub keep: Vec<String>,
    /// Words that always go: names of staff, of sites.
    pub remove: Vec<String>,
}

/// What becomes of encapsulated documents. Of other kinds than these none comes out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DocumentSettings {
    /// PDF.
    pub pdf: PdfRule,
    /// CDA.
    pub cda: CdaRule,
}

/// What is taken for proven of pixel data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PixelSettings {
    /// Burned In Annotation (0028,0301).
    pub burned_in_annotation: Declaration,
}

/// What a declaration that nothing is burned in is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Declaration {
    /// Nothing: native images of classes that often carry text, and images in colour, are held
    /// back.
    #[default]
    Distrust,
    /// `NO` is believed of those, for they cannot be looked into; grey images are looked into all
    /// the same.
    Believe,
}

impl Declaration {
    /// The word in profiles.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Distrust => "distrust",
            Self::Believe => "believe",
        }
    }
}

/// What becomes of a PDF.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PdfRule {
    /// It is held back.
    #[default]
    Quarantine,
    /// It comes out as it is when all of it was understood and nothing in it identifies.
    Search,
}

/// What becomes of a CDA document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CdaRule {
    /// It is held back.
    #[default]
    Quarantine,
    /// It comes out without people, its texts cleaned; what is not on the list of the format holds
    /// it back.
    Clean,
}

impl PdfRule {
    /// The word in profiles.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quarantine => "quarantine",
            Self::Search => "search",
        }
    }
}

impl CdaRule {
    /// The word in profiles.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quarantine => "quarantine",
            Self::Clean => "clean",
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleDocument {
    /// What the rule is about: keywords (`StudyDescription`) and tags (`00081030`, `(0008,1030)`),
    /// tags with `x` for any digit (`0018xxxx`). Empty: any tag, narrowed by the other keys.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Only these value representations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vr: Vec<String>,
    /// Only at this place: keywords or tags of the sequences above, outermost first, joined by
    /// `.`; `*` for one sequence of any kind, `**` for any number; empty for any place, `.` for the
    /// top level only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Private elements of this creator (matched without case, padding aside); their tags are then
    /// written with the block as `xx`: `(0019,xx0C)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// Only values that this regular expression matches somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Only instances that are so.
    #[serde(default, skip_serializing_if = "is_default")]
    pub when: Condition,
    /// What is done.
    pub action: RuleAction,
    /// The new value, for `replace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// How coarse, for `generalize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Coarseness>,
    /// Why: shown by `profile explain` and counted in certificates.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Which instances a rule is about: every key that is given must hold; in a list one is enough.
/// `*` stands for any characters; case does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Condition {
    /// Modality (0008,0060).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modality: Vec<String>,
    /// SOP Class UID, or the name of its object definition (`ct-image`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sop_class: Vec<String>,
    /// Manufacturer (0008,0070).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manufacturer: Vec<String>,
    /// Manufacturer's Model Name (0008,1090).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub model: Vec<String>,
    /// The hospital that sent the instance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hospital: Vec<String>,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleAction {
    /// Keep; of a sequence the items are treated each by its own rules.
    Keep,
    /// Leave out.
    Remove,
    /// Zero length.
    Empty,
    /// A fixed value (`with`), or a dummy fit for the value representation.
    Replace,
    /// The patient's pseudonym.
    Pseudonym,
    /// A keyed UID.
    Remap,
    /// Dates by the patient's offset.
    Shift,
    /// Take out the words that identify.
    Clean,
    /// Coarser, by `to`.
    Generalize,
    /// A keyed hash of the value, the same for the same value within a project.
    Hash,
}

/// How coarse a generalized value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coarseness {
    /// Ages: the lower bound of a band of five years.
    AgeBand5,
    /// Ages: the lower bound of a band of ten years.
    AgeBand10,
    /// Dates: the first of January of the year.
    Year,
    /// Dates: the first of the month.
    Month,
}
