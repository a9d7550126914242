//! What was accepted though it is not as the standard has it, or written though it did not come in:
//! reports and certificates say so.

/// Something noticed that did not hold the instance back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Noticed {
    /// No file meta information: the transfer syntax was told by the data set.
    FileMetaMissing,
    /// File meta information in implicit VR.
    FileMetaImplicit,
    /// The data set is in another transfer syntax than the file meta information says, or it says
    /// none.
    TransferSyntaxByEvidence,
    /// The file meta information names another class or instance than the data set.
    FileMetaDiffers,
    /// The study's UID is missing; one was derived.
    StudyUidDerived,
    /// The series' UID is missing; one was derived.
    SeriesUidDerived,
    /// Study, series or instance have a UID that is none; it was replaced.
    InvalidUid,
    /// Patient ID is missing; the study's pseudonym was written.
    PatientIdAdded,
    /// Elements with a value representation that is none.
    OddRepresentation,
    /// Specific Character Set is no defined term; it was left out.
    CharacterSetUnknown,
    /// A rule keeps or changes a value, but its representation is not known: it was removed.
    RuleCannotAct,
    /// An ICC profile cannot be read; it was removed.
    ColourProfileRemoved,
}

impl Noticed {
    /// The stable word in reports and certificates.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FileMetaMissing => "file-meta-missing",
            Self::FileMetaImplicit => "file-meta-implicit-vr",
            Self::TransferSyntaxByEvidence => "transfer-syntax-by-evidence",
            Self::FileMetaDiffers => "file-meta-differs",
            Self::StudyUidDerived => "study-uid-derived",
            Self::SeriesUidDerived => "series-uid-derived",
            Self::InvalidUid => "invalid-uid-replaced",
            Self::PatientIdAdded => "patient-id-added",
            Self::OddRepresentation => "odd-value-representation",
            Self::CharacterSetUnknown => "character-set-unknown",
            Self::RuleCannotAct => "rule-cannot-act",
            Self::ColourProfileRemoved => "colour-profile-removed",
        }
    }
}
