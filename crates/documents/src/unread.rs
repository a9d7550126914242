//! Why a document is held back.

use serde::{Deserialize, Serialize};

macro_rules! unread {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $words:literal;)*) => {
        /// Why a document is held back. Fixed words: never a value.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            thiserror::Error,
        )]
        #[non_exhaustive]
        pub enum Unread {
            $($(#[$doc])* #[error($words)] #[serde(rename = $code)] $name,)*
        }
        impl Unread {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

unread! {
    /// Nobody is there who could read it apart from this process.
    NoReader = "no-reader", "no process to read documents in";
    /// The process that read it ended early, took too long or too much memory.
    ReaderFailed = "reader-failed", "the process that read it failed";
    /// Larger than what is looked into.
    TooLarge = "too-large", "limit: bytes of a document";
    /// Too many pages, objects, elements, operators, or too deep.
    TooMuch = "too-much", "limit: parts of a document";
    /// More comes out of compressed parts than is looked into.
    Inflation = "inflation", "limit: inflation in a document";
    /// It does not parse.
    Malformed = "malformed", "it does not parse";
    /// Bytes that belong to no part of it.
    Leftovers = "leftovers", "bytes that belong to no part of it";
    /// Earlier revisions, a repaired or linearized structure.
    Revisions = "revisions", "more than one revision";
    /// Objects that nothing refers to.
    Unreachable = "unreachable", "objects that nothing refers to";
    /// Encrypted.
    Encrypted = "encrypted", "encrypted";
    /// An image: a scanned page, a photograph, a logo.
    Image = "image", "an image";
    /// Drawn shapes that could be letters.
    Drawing = "drawing", "drawn shapes that could be letters";
    /// Text of a font that cannot be mapped to characters.
    Unmapped = "unmapped", "text that cannot be mapped to characters";
    /// Annotations or form fields.
    Annotations = "annotations", "annotations or a form";
    /// Attached or embedded files, other media.
    Embedded = "embedded", "embedded files or media";
    /// Scripts or actions.
    Actions = "actions", "scripts or actions";
    /// Metadata beyond software, dates and texts that are searched.
    Metadata = "metadata", "metadata that is not on the list";
    /// Dates of making, which the profile does not keep.
    Dates = "dates", "dates in its metadata";
    /// A part that is not on the list of what may be there.
    Unlisted = "unlisted", "a part that is not on the list";
    /// A document type definition, an entity, another version of XML.
    Definition = "definition", "a document type definition or another XML";
    /// An encoding that is not known, or bytes that are not in it.
    Encoding = "encoding", "not in an encoding that is known";
    /// Not a CDA document.
    NotCda = "not-cda", "not an HL7 clinical document";
    /// An element, attribute or type that is not on the list.
    Element = "element", "an element or attribute that is not on the list";
    /// Text where the format has none.
    StrayText = "stray-text", "text where none belongs";
    /// A value that does not have the form that its type asks for.
    Value = "value", "a value without the form of its type";
}
