//! What was found, where, and by which rule.

use std::ops::Range;

/// What a piece of text was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A name that this study says is somebody's.
    KnownName,
    /// An identifier, accession number or telephone number of this study.
    KnownIdentifier,
    /// An address, institution or department of this study.
    KnownPlace,
    /// A date of this study.
    KnownDate,
    /// A UID of this study.
    KnownUid,
    /// A word that the profile wants gone.
    KnownWord,
    /// A calendar date, with the time that hangs on it.
    Date,
    /// An age over 89 years.
    Age,
    /// A telephone, fax or pager number.
    Telephone,
    /// An e-mail address.
    Email,
    /// An address of the web, or a host's name.
    Url,
    /// A street address or postcode, or the name of a house of the sick.
    Address,
    /// A record, accession, order or serial number, or a number that nothing explains.
    RecordNumber,
    /// A national identifier.
    NationalIdentifier,
    /// A passport's number.
    Passport,
    /// A credit card's number.
    CreditCard,
    /// An IPv4 or IPv6 address.
    IpAddress,
    /// A hardware address.
    MacAddress,
    /// A DICOM unique identifier.
    Uid,
    /// A word of the dictionaries of names, and of no vocabulary.
    NameByDictionary,
    /// A word that is a name where it stands: after a title, beside another name.
    NameByContext,
    /// A word that neither the vocabulary nor the dictionaries of names hold.
    UnknownWord,
    /// Text that could not be brought to rest within the limit on rounds, or is too long.
    Unsettled,
}

impl Kind {
    /// The stable name that reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KnownName => "known-name",
            Self::KnownIdentifier => "known-identifier",
            Self::KnownPlace => "known-place",
            Self::KnownDate => "known-date",
            Self::KnownUid => "known-uid",
            Self::KnownWord => "known-word",
            Self::Date => "date",
            Self::Age => "age",
            Self::Telephone => "telephone",
            Self::Email => "email",
            Self::Url => "url",
            Self::Address => "address",
            Self::RecordNumber => "record-number",
            Self::NationalIdentifier => "national-identifier",
            Self::Passport => "passport",
            Self::CreditCard => "credit-card",
            Self::IpAddress => "ip-address",
            Self::MacAddress => "mac-address",
            Self::Uid => "uid",
            Self::NameByDictionary => "name-by-dictionary",
            Self::NameByContext => "name-by-context",
            Self::UnknownWord => "unknown-word",
            Self::Unsettled => "unsettled",
        }
    }

    /// Whether it is somebody's name, so that words beside it may belong to it.
    pub(crate) const fn is_name(self) -> bool {
        matches!(self, Self::KnownName | Self::NameByDictionary | Self::NameByContext)
    }
}

/// One piece of text that identifies: where, what, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Bytes of the text that was searched.
    pub range: Range<usize>,
    /// What it was taken for.
    pub kind: Kind,
    /// The stable name of the rule, such as `us-ssn` or `title-before-name`.
    pub rule: &'static str,
}

/// What a single word is, for code strings and other words without a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Word {
    /// A word of medicine, technique or ordinary language.
    Vocabulary,
    /// A given or family name and nothing else.
    Name,
    /// Too short or too hard to pronounce for a name, or letters beside digits.
    Abbreviation,
    /// Digits, with the marks that numbers have.
    Number,
    /// Nothing knows it; it may be somebody's name.
    Unknown,
}
