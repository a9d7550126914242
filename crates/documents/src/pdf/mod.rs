//! What a PDF says, when everything in it was understood; else why not.
//!
//! The parser is `lopdf`, strict and within limits. This module holds what it has read against the
//! bytes of the file ([`coverage`]), against a list of what may be in a document of text
//! ([`graph`]), and reads the pages ([`page`]).

mod coverage;
mod font;
mod graph;
mod layout;
mod lexical;
mod metadata;
mod page;

use crate::{MOST_DOCUMENT, Unread};
use flate2::{Decompress, FlushDecompress, Status};
use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId, Stream};
use serde::{Deserialize, Serialize};

/// Objects of one document.
const MOST_OBJECTS: usize = 50_000;
/// Bytes that one stream may inflate to.
const MOST_INFLATED: usize = 16 << 20;
/// Bytes that all streams may inflate to.
const MOST_IN_ALL: usize = 64 << 20;

/// What a PDF says. Identifies: no `Debug`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PdfText {
    /// The text of the pages as people read it, and as it would be read with other spaces where the
    /// file does not say how wide a letter is.
    pub pages: Vec<String>,
    /// The same in other orders and without spaces: for a search for what is known.
    pub readings: Vec<String>,
    /// Texts outside the pages: titles of an outline, descriptions of figures.
    pub strings: Vec<String>,
    /// Names, identifiers and what stands in embedded fonts: for a search for what is known.
    pub names: Vec<String>,
    /// What made it.
    pub software: Vec<String>,
    /// Whether its metadata says when it was made.
    pub dated: bool,
}

/// Reads a PDF.
///
/// # Errors
/// [`Unread`] for whatever is not on the list of what a document of text holds.
pub fn read_pdf(document: &[u8]) -> Result<PdfText, Unread> {
    if document.len() > MOST_DOCUMENT {
        return Err(Unread::TooLarge);
    }
    if !document.starts_with(b"%PDF-") {
        return Err(Unread::Malformed);
    }
    let options = LoadOptions {
        strict: true,
        max_decompressed_size: Some(MOST_INFLATED),
        ..LoadOptions::default()
    };
    let parsed =
        Document::load_mem_with_options(document, options).map_err(|error| match error {
            lopdf::Error::Decompress(lopdf::DecompressError::MemoryLimitExceeded { .. }) => {
                Unread::Inflation
            }
            _ => Unread::Malformed,
        })?;
    one_revision(&parsed)?;
    let texts = coverage::cover(document, &parsed)?;
    let linked = |name: &Vec<u8>| name == b"Prev" || name == b"XRefStm";
    if texts.get(&(0, 0)).is_some_and(|trailer| trailer.names.iter().any(linked)) {
        return Err(Unread::Revisions);
    }
    let mut text = PdfText::default();
    metadata::information(&parsed, &texts, &mut text)?;
    let found = graph::walk(&parsed)?;
    graph::strings(&parsed, &texts, &mut text);
    let mut budget = MOST_IN_ALL;
    for stream in &found.raw {
        let inflated = spend(stream, &mut budget)?;
        text.names.push(metadata::printable(&inflated));
    }
    sections(&parsed, &mut text)?;
    for stream in &found.metadata {
        metadata::xmp(&spend(stream, &mut budget)?, &mut text)?;
    }
    page::read_pages(&parsed, &found, &mut budget, &mut text)?;
    Ok(text)
}

/// Only what is read as it was written once: no repair, no update, no second first page.
fn one_revision(document: &Document) -> Result<(), Unread> {
    if document.trailer.has(b"Encrypt") || document.was_encrypted() {
        return Err(Unread::Encrypted);
    }
    let updated = [&b"Prev"[..], b"XRefStm"].iter().any(|key| document.trailer.has(key));
    if updated
        || document.xref_section_count != 1
        || document.xref_recovery.is_some()
        || document.linearization.is_some()
    {
        return Err(Unread::Revisions);
    }
    let many = document.objects.len().max(document.reference_table.entries.len());
    if many > MOST_OBJECTS { Err(Unread::TooMuch) } else { Ok(()) }
}

/// What stands in cross-reference streams, which are numbers with a predictor.
fn sections(document: &Document, text: &mut PdfText) -> Result<(), Unread> {
    let streams = document.objects.values().filter_map(|object| object.as_stream().ok());
    for stream in streams.filter(|stream| is_named(&stream.dict, b"Type", b"XRef")) {
        if stream.dict.has(b"Prev") {
            return Err(Unread::Revisions);
        }
        let inflated = stream.decompressed_content_with_limit(MOST_INFLATED);
        text.names.push(metadata::printable(&inflated.map_err(|_| Unread::Inflation)?));
    }
    Ok(())
}

/// Whether a key of a dictionary is this name.
pub(crate) fn is_named(dictionary: &Dictionary, key: &[u8], name: &[u8]) -> bool {
    dictionary.get(key).and_then(Object::as_name).is_ok_and(|found| found == name)
}

/// The object that a reference leads to, or the object itself.
pub(crate) fn resolve<'d>(document: &'d Document, object: &'d Object) -> &'d Object {
    document.dereference(object).map_or(&Object::Null, |(_, object)| object)
}

/// The value of a key, references followed.
pub(crate) fn value<'d>(
    document: &'d Document,
    dictionary: &'d Dictionary,
    key: &[u8],
) -> Option<&'d Object> {
    dictionary.get(key).ok().map(|object| resolve(document, object))
}

/// The number of an object that a key refers to.
pub(crate) fn reference(dictionary: &Dictionary, key: &[u8]) -> Option<ObjectId> {
    dictionary.get(key).and_then(Object::as_reference).ok()
}

/// A stream inflated, taken from what all streams may come to.
pub(crate) fn spend(stream: &Stream, budget: &mut usize) -> Result<Vec<u8>, Unread> {
    let inflated = inflate(stream, MOST_INFLATED.min(*budget))?;
    *budget -= inflated.len();
    Ok(inflated)
}

/// The bytes of a stream: as they are, or deflated once without a predictor. Behind the end of the
/// deflated bytes nothing stands but a line end.
pub(crate) fn inflate(stream: &Stream, most: usize) -> Result<Vec<u8>, Unread> {
    if stream.dict.has(b"DecodeParms") || stream.dict.has(b"F") || stream.dict.has(b"FFilter") {
        return Err(Unread::Unlisted);
    }
    let filters = match stream.dict.get(b"Filter") {
        Err(_) => Vec::new(),
        Ok(_) => stream.filters().map_err(|_| Unread::Malformed)?,
    };
    match filters.as_slice() {
        [] if stream.content.len() <= most => return Ok(stream.content.clone()),
        [] => return Err(Unread::Inflation),
        [b"FlateDecode"] => {}
        [b"DCTDecode" | b"JPXDecode" | b"CCITTFaxDecode" | b"JBIG2Decode", ..] => {
            return Err(Unread::Image);
        }
        _ => return Err(Unread::Unlisted),
    }
    let mut inflater = Decompress::new(true);
    let mut out = Vec::new();
    loop {
        let (read, before) = (inflater.total_in() as usize, out.len());
        if out.capacity() - out.len() < 4096 {
            out.reserve((out.len() / 2).max(8192));
        }
        let input = stream.content.get(read..).unwrap_or(&[]);
        let status = inflater.decompress_vec(input, &mut out, FlushDecompress::None);
        let status = status.map_err(|_| Unread::Malformed)?;
        if out.len() > most {
            return Err(Unread::Inflation);
        }
        if status == Status::StreamEnd {
            break;
        }
        if out.len() == before && inflater.total_in() as usize == read {
            return Err(Unread::Malformed);
        }
    }
    let rest = stream.content.get(inflater.total_in() as usize..).unwrap_or(&[]);
    if rest.len() <= 2 && rest.iter().all(|&b| lexical::is_space(b)) {
        Ok(out)
    } else {
        Err(Unread::Leftovers)
    }
}
