//! Looks into encapsulated documents (PS3.3 A.45).

use super::{Trace, text};
use crate::study::documents::{Encapsulated, encapsulated};
use crate::text::Texts;
use scanveil_dataset::DataSet;
use scanveil_documents::{DocumentReader, Unread, cda_text, cda_words};
use scanveil_text::Kind;

/// The gravest of what a document says; `removed` is what its instance declares of identity.
pub(super) fn look(
    data: &DataSet<'_>,
    texts: &Texts<'_>,
    reader: Option<&dyn DocumentReader>,
    removed: bool,
) -> Option<Trace> {
    let document = encapsulated(data)?;
    let Ok(Said { words, codes }) = read(&document, reader) else { return Some(Trace::Unread) };
    // A cleaned CDA document has other dates and numbers in the places of the old ones.
    let replaced = |kind: Kind| matches!(kind, Kind::Date | Kind::Uid | Kind::RecordNumber);
    let old = |kind: &Kind| !(removed && document.is_cda() && replaced(*kind));
    let find = |text: &String| texts.find(text).into_iter().map(|finding| finding.kind);
    let codes = codes.iter().flat_map(find).filter(|kind| *kind != Kind::UnknownWord);
    let kinds: Vec<Kind> = words.iter().flat_map(find).chain(codes).filter(old).collect();
    (!kinds.is_empty()).then(|| text(&kinds, b""))
}

/// What a document says.
struct Said {
    words: Vec<String>,
    /// Attributes, which hold words that are no language.
    codes: Vec<String>,
}

fn read(document: &Encapsulated<'_>, reader: Option<&dyn DocumentReader>) -> Result<Said, Unread> {
    let bytes = document.bytes()?;
    if document.is_cda() {
        let lines = |text: String| text.lines().map(str::to_owned).collect();
        return Ok(Said { words: lines(cda_words(bytes)?), codes: lines(cda_text(bytes)?) });
    }
    if !document.is_pdf() {
        return Err(Unread::Unlisted);
    }
    let said = reader.ok_or(Unread::NoReader)?.read_pdf(bytes)?;
    Ok(Said { words: [said.pages, said.strings].concat(), codes: Vec::new() })
}
