//! The options of PS3.15 Annex E and their codes in CID 7050.

/// An option of the Basic Profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProfileOption {
    /// Retain Longitudinal Temporal Information With Full Dates.
    FullDates,
    /// Retain Longitudinal Temporal Information With Modified Dates.
    ModifiedDates,
    /// Retain UIDs.
    RetainUids,
    /// Retain Patient Characteristics.
    RetainPatientCharacteristics,
    /// Retain Device Identity.
    RetainDeviceIdentity,
    /// Retain Institution Identity.
    RetainInstitutionIdentity,
}

/// Name in profiles and in the table, code value and meaning in CID 7050.
const NAMES: &[(ProfileOption, &str, &str, &str)] = &[
    (
        ProfileOption::FullDates,
        "full-dates",
        "113106",
        "Retain Longitudinal Temporal Information Full Dates Option",
    ),
    (
        ProfileOption::ModifiedDates,
        "modified-dates",
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    (
        ProfileOption::RetainPatientCharacteristics,
        "retain-patient-characteristics",
        "113108",
        "Retain Patient Characteristics Option",
    ),
    (
        ProfileOption::RetainDeviceIdentity,
        "retain-device-identity",
        "113109",
        "Retain Device Identity Option",
    ),
    (ProfileOption::RetainUids, "retain-uids", "113110", "Retain UIDs Option"),
    (
        ProfileOption::RetainInstitutionIdentity,
        "retain-institution-identity",
        "113112",
        "Retain Institution Identity Option",
    ),
];

impl ProfileOption {
    /// The option with this name in a profile.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        NAMES.iter().find(|entry| entry.1 == name).map(|entry| entry.0)
    }

    /// Every option that a profile can name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|entry| entry.1)
    }

    fn entry(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        NAMES.iter().find(|entry| entry.0 == self).unwrap_or(&NAMES[0])
    }

    /// The name in profiles and in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Code value and meaning in CID 7050, coding scheme DCM.
    #[must_use]
    pub fn code(self) -> (&'static str, &'static str) {
        (self.entry().2, self.entry().3)
    }
}
