//! DICOM bytes: transfer syntaxes, file meta information, the bounded parser and the writer.
//!
//! Pure: works on readers and byte slices handed in. Nothing here trusts a length, a depth or a
//! count that the bytes claim: each is checked against what is there and against [`Limits`].

mod charset;
mod dict;
mod element;
mod limits;
mod meta;
mod open;
mod parse;
mod peek;
mod syntax;
mod tag;
mod vr;
mod write;

pub use charset::{CharacterSets, CharsetError};
pub use dict::{DictEntry, keyword, lookup, tag_of};
pub use element::{DataSet, Element, Kind, NO_PARENT};
pub use limits::Limits;
pub use meta::{FileMeta, file_meta};
pub use open::{Body, Header, Outline, PixelElement, open, open_prefix, open_slice, outline};
pub use parse::Encoding;
pub use peek::{Peeked, peek_data_set, peek_part10};
pub use syntax::{PixelCoding, TransferSyntax};
pub use tag::{Tag, tags};
pub use vr::Vr;
pub use write::{ItemMark, SequenceMark, Writer};

#[cfg(test)]
mod tests;
