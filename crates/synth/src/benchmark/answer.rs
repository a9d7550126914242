//! What should become of each element: the answer key's rows.

/// What an answer asks for: the ten actions of the MIDI-B benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnswerAction {
    /// The element is there, empty or not.
    TagRetained,
    /// The element is there and not empty.
    TextNotNull,
    /// Every word of the text is there.
    TextRetained,
    /// No word of the text is there.
    TextRemoved,
    /// The date as it was is not there.
    DateShifted,
    /// The UID as it was is not there.
    UidChanged,
    /// The UID, where it is there, is the one that the mapping names.
    UidConsistent,
    /// The patient's identifier, where it is there, is the one that the mapping names.
    PatientIdConsistent,
    /// The bytes of Pixel Data have the digest.
    PixelsRetained,
}

impl AnswerAction {
    /// The action's name in the benchmark.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TagRetained => "tag_retained",
            Self::TextNotNull => "text_notnull",
            Self::TextRetained => "text_retained",
            Self::TextRemoved => "text_removed",
            Self::DateShifted => "date_shifted",
            Self::UidChanged => "uid_changed",
            Self::UidConsistent => "uid_consistent",
            Self::PatientIdConsistent => "patid_consistent",
            Self::PixelsRetained => "pixels_retained",
        }
    }
}

/// Why an answer is asked for: HIPAA's safe harbour, DICOM, or the archive's own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnswerCategory {
    /// An identifier by 45 CFR 164.514(b)(2)(i), letters A to R: `HIPAA-A`.
    Hipaa(&'static str),
    /// Needed by the object's definition or by PS3.15 Annex E: `DICOM-IOD`.
    Dicom(&'static str),
    /// Kept by the archive's choice of options: `TCIA-P15-DESC-C`.
    Tcia(&'static str),
}

/// One check. It has no `Debug`: even invented values stay out of logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The element: `(0008,1030)`, or `(0019,"CREATOR",0c)` when private.
    pub tag: String,
    /// Where it stands: `<(0008,1140)>[<0000>]<(0008,1155)>`.
    pub path: String,
    /// The element's name.
    pub name: String,
    /// The element's value, or for dates and UIDs in text the part that is meant.
    pub value: String,
    /// What is asked for.
    pub action: AnswerAction,
    /// The words that must stay or go, where the action is about words; the digest of pixels.
    pub text: Option<String>,
    /// Why.
    pub category: AnswerCategory,
}
