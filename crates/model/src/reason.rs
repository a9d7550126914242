//! Why something was quarantined, and what was noticed on the way. Never a value from a data set.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where in a data set: `(0008,1140)[0](0008,1155)`. Holds tags and item numbers only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagPath(pub String);

impl TagPath {
    /// The path of a top-level element.
    #[must_use]
    pub fn top(group: u16, element: u16) -> Self {
        Self(format!("({group:04X},{element:04X})"))
    }
}

impl fmt::Display for TagPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $next:literal;)*) => {
        /// Why an instance is held back. Stable codes: reports, metrics and tests use them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ReasonCode {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }
        impl ReasonCode {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
            /// What the person who sees it can do next.
            #[must_use]
            pub fn next_step(self) -> &'static str {
                match self { $(Self::$name => $next,)* }
            }
        }
    };
}

reasons! {
    /// Not DICOM at all.
    NotDicom = "not-dicom", "check what was sent: the bytes are not a DICOM instance";
    /// The data ends before an element does.
    Truncated = "truncated", "send the instance again: it ended early";
    /// The structure contradicts itself.
    Malformed = "malformed", "have the sender re-export it: its structure contradicts itself";
    /// A limit on depth, length, count or ratio was passed.
    LimitExceeded = "limit-exceeded", "have it sent in smaller parts: the named limit has no setting";
    /// The transfer syntax is not known.
    UnknownTransferSyntax = "unknown-transfer-syntax", "have the sender use a standard transfer syntax";
    /// The storage SOP class is private or not known.
    UnknownSopClass = "unknown-sop-class", "have it re-exported under a storage SOP class of the standard";
    /// A DICOMDIR or another object that is not a storage instance.
    NotAnInstance = "not-an-instance", "send the instances themselves, not their directory";
    /// A UID that is not one (a path, a text, too long).
    InvalidUid = "invalid-uid", "have the sender correct its UIDs";
    /// A required identifying attribute is missing.
    MissingAttribute = "missing-attribute", "have the sender fill the named attribute";
    /// Two patients' identifiers within one study.
    MixedPatients = "mixed-patients", "find out which patient the study belongs to, then send it again";
    /// The same SOP Instance UID with other content.
    UidConflict = "uid-conflict", "find out which of the two instances is right";
    /// The character set is not declared right, and evidence does not decide it.
    CharacterSet = "character-set", "have the sender declare the character set it uses";
    /// The pixels hold, or probably hold, burned-in text.
    BurnedInText = "burned-in-text", "review the pixels: text was found or is declared";
    /// Pixels of a kind that often carries burned-in text.
    PixelRisk = "pixel-risk", "review the pixels: nothing of this kind is released yet";
    /// Pixels that this version cannot look into.
    PixelsNotInspected = "pixels-not-inspected", "review the pixels, or have them sent uncompressed";
    /// The pixel description and the pixel data disagree.
    PixelMismatch = "pixel-mismatch", "have the sender re-export it: the pixel data does not fit its description";
    /// An encapsulated document.
    EncapsulatedDocument = "encapsulated-document", "review the document; it is never released unread";
    /// A video.
    Video = "video", "review the video; no rule covers its frames";
    /// A whole-slide label, overview or macro image.
    SlideLabel = "slide-label", "nothing: label images are never released";
    /// Text that cannot be proven free of identifiers.
    FreeText = "free-text", "review the text: it is held until it can be cleaned";
    /// Verification found an identifying value of the input in the output.
    ResidualIdentifier = "residual-identifier", "review the named element, and report the rule that is missing";
    /// The scrubber itself failed on this instance.
    Internal = "internal", "keep the instance and report this: the scrubber failed on it";
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A reason with its place and a detail made of fixed words and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// The stable code.
    pub code: ReasonCode,
    /// Where, when it is about one element.
    pub at: Option<TagPath>,
    /// Fixed words and numbers; never a value of a data set.
    pub detail: String,
}

impl Reason {
    /// A reason about the whole instance.
    pub fn new(code: ReasonCode, detail: impl Into<String>) -> Self {
        Self { code, at: None, detail: detail.into() }
    }
    /// A reason about one element.
    pub fn at(code: ReasonCode, at: TagPath, detail: impl Into<String>) -> Self {
        Self { code, at: Some(at), detail: detail.into() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(at) => write!(f, "{} at {at}: {}", self.code, self.detail),
            None => write!(f, "{}: {}", self.code, self.detail),
        }
    }
}

impl std::error::Error for Reason {}

/// Something noticed that did not stop the instance: messy DICOM gives a value and findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Short stable code in kebab case, for example `odd-length`.
    pub code: &'static str,
    /// Where.
    pub at: TagPath,
}

/// What was done to an element; the report counts these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Kept as it was.
    Keep,
    /// Removed (X).
    Remove,
    /// Emptied (Z).
    Empty,
    /// Replaced by a dummy value (D).
    Replace,
    /// Replaced by a keyed pseudonym.
    Pseudonym,
    /// UID replaced consistently (U).
    Remap,
    /// Date shifted.
    Shift,
    /// Identifying words taken out (C).
    Clean,
}
