//! What kinds of identifying values there are.

/// What was found: a kind, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum What {
    /// A person's name, or a part of it.
    Name,
    /// A number or code of a patient, an order, a visit, a specimen, a trial.
    Identifier,
    /// A date.
    Date,
    /// An age over 89 years.
    Age,
    /// A UID that the standard did not register.
    Uid,
    /// An institution, a department, an address.
    Place,
    /// A telephone number or a mail address.
    Contact,
    /// A device: serial number, station, application entity.
    Device,
}

impl What {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Name,
        Self::Identifier,
        Self::Date,
        Self::Age,
        Self::Uid,
        Self::Place,
        Self::Contact,
        Self::Device,
    ];

    /// What names a person: kept nowhere but where a rule keeps just that.
    pub(crate) fn is_personal(self) -> bool {
        matches!(self, Self::Name | Self::Identifier | Self::Contact)
    }

    /// Fixed words for reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "a person's name",
            Self::Identifier => "an identifier",
            Self::Date => "a date",
            Self::Age => "an age over 89",
            Self::Uid => "a UID",
            Self::Place => "a place or institution",
            Self::Contact => "a telephone number or mail address",
            Self::Device => "a device",
        }
    }
}
