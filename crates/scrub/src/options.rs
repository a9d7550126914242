//! The options of PS3.15 Annex E and their codes in CID 7050.

/// An option of the Basic Profile (PS3.15 E.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ProfileOption {
    /// Clean Pixel Data: the pixels are looked into, and what text is in them is blanked.
    CleanPixelData,
    /// Clean Recognizable Visual Features.
    CleanVisualFeatures,
    /// Clean Graphics.
    CleanGraphics,
    /// Clean Structured Content.
    CleanStructuredContent,
    /// Clean Descriptors.
    CleanDescriptors,
    /// Retain Longitudinal Temporal Information With Full Dates.
    FullDates,
    /// Retain Longitudinal Temporal Information With Modified Dates.
    ModifiedDates,
    /// Retain Patient Characteristics.
    RetainPatientCharacteristics,
    /// Retain Device Identity.
    RetainDeviceIdentity,
    /// Retain UIDs.
    RetainUids,
    /// Retain Safe Private.
    RetainSafePrivate,
    /// Retain Institution Identity.
    RetainInstitutionIdentity,
}

/// Name in profiles and in the tables, code value and meaning in CID 7050, in order of the codes.
const NAMES: [(&str, &str, &str); ProfileOption::ALL.len()] = [
    ("clean-pixel-data", "113101", "Clean Pixel Data Option"),
    ("clean-visual-features", "113102", "Clean Recognizable Visual Features Option"),
    ("clean-graphics", "113103", "Clean Graphics Option"),
    ("clean-structured-content", "113104", "Clean Structured Content Option"),
    ("clean-descriptors", "113105", "Clean Descriptors Option"),
    ("full-dates", "113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    ("modified-dates", "113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("retain-patient-characteristics", "113108", "Retain Patient Characteristics Option"),
    ("retain-device-identity", "113109", "Retain Device Identity Option"),
    ("retain-uids", "113110", "Retain UIDs Option"),
    ("retain-safe-private", "113111", "Retain Safe Private Option"),
    ("retain-institution-identity", "113112", "Retain Institution Identity Option"),
];

impl ProfileOption {
    /// Every option, in order of their codes.
    pub const ALL: [Self; 12] = [
        Self::CleanPixelData,
        Self::CleanVisualFeatures,
        Self::CleanGraphics,
        Self::CleanStructuredContent,
        Self::CleanDescriptors,
        Self::FullDates,
        Self::ModifiedDates,
        Self::RetainPatientCharacteristics,
        Self::RetainDeviceIdentity,
        Self::RetainUids,
        Self::RetainSafePrivate,
        Self::RetainInstitutionIdentity,
    ];

    /// The option with this name in a profile.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.name() == name)
    }

    /// Every option's name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// The name in profiles and in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES[self as usize].0
    }

    /// Code value and meaning in CID 7050, coding scheme DCM.
    #[must_use]
    pub fn code(self) -> (&'static str, &'static str) {
        (NAMES[self as usize].1, NAMES[self as usize].2)
    }

    /// Whether scrubbing itself carries it out; the others are declared for the work on pixels.
    #[must_use]
    pub fn is_carried_out(self) -> bool {
        !matches!(self, Self::CleanPixelData | Self::CleanVisualFeatures)
    }
}
