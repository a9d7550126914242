//! From bytes to characters, and to a tree: XML 1.0 without a document type, within limits.

use crate::Unread;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use roxmltree::{Document, ParsingOptions};
use std::borrow::Cow;

/// Bytes of one document.
const MOST_XML: usize = 8 << 20;
/// Nodes of one document: elements, texts, comments.
const MOST_NODES: u32 = 400_000;
/// Attributes of one element.
const MOST_ATTRIBUTES: usize = 64;
/// Elements within each other.
const DEEPEST: usize = 64;
/// Declarations of namespaces in one document.
const MOST_NAMESPACES: usize = 64;
/// Bytes that an XML declaration has, at most.
const DECLARATION: usize = 256;

/// Encodings that say of bytes which characters they are, by the names of the Encoding Standard.
const READ: &[&str] = &[
    "UTF-8",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "ISO-8859-2",
    "ISO-8859-3",
    "ISO-8859-4",
    "ISO-8859-5",
    "ISO-8859-6",
    "ISO-8859-7",
    "ISO-8859-8",
    "ISO-8859-15",
    "KOI8-R",
    "GBK",
    "gb18030",
    "Big5",
    "EUC-JP",
    "Shift_JIS",
    "EUC-KR",
];

/// The characters of a document: by its byte order mark, else by its declaration, else UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Unread> {
    if bytes.len() > MOST_XML {
        return Err(Unread::TooLarge);
    }
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => {
            return characters(encoding, &bytes[length..]).and_then(checked);
        }
        // XML 1.0 Appendix F.1: 16 bits without a mark.
        None if bytes.starts_with(b"<\0?\0") => UTF_16LE,
        None if bytes.starts_with(b"\0<\0?") => UTF_16BE,
        None => declared(bytes)?,
    };
    characters(encoding, bytes).and_then(checked)
}

fn characters<'b>(encoding: &'static Encoding, bytes: &'b [u8]) -> Result<Cow<'b, str>, Unread> {
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    decoded.ok_or(Unread::Encoding)
}

/// Only XML 1.0: 1.1 has other characters.
fn checked(text: Cow<'_, str>) -> Result<Cow<'_, str>, Unread> {
    let version = text.strip_prefix("<?xml").and_then(|rest| {
        let declaration = rest.split_once("?>")?.0;
        pseudo_attribute(declaration, "version").map(str::to_owned)
    });
    let declares = text.starts_with("<?xml") && !text.starts_with("<?xml-");
    match version.as_deref() {
        Some("1.0") => Ok(text),
        None if !declares => Ok(text),
        _ => Err(Unread::Definition),
    }
}

/// The encoding that an XML declaration in ASCII names.
fn declared(bytes: &[u8]) -> Result<&'static Encoding, Unread> {
    let head = &bytes[..bytes.len().min(DECLARATION)];
    if !head.starts_with(b"<?xml") {
        return Ok(UTF_8);
    }
    let end = head.windows(2).position(|pair| pair == b"?>").ok_or(Unread::Malformed)?;
    let declaration = std::str::from_utf8(&head[..end]).map_err(|_| Unread::Malformed)?;
    let Some(name) = pseudo_attribute(declaration, "encoding") else { return Ok(UTF_8) };
    let encoding = Encoding::for_label(name.as_bytes()).ok_or(Unread::Encoding)?;
    if READ.contains(&encoding.name()) { Ok(encoding) } else { Err(Unread::Encoding) }
}

fn pseudo_attribute<'d>(declaration: &'d str, name: &str) -> Option<&'d str> {
    let (_, rest) = declaration.split_once(name)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split_once(quote).map(|(value, _)| value)
}

/// The tree of a document, within limits.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, Unread> {
    bounded(text.as_bytes())?;
    // A document type is where entities come from: there is none in a CDA document.
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected
        | roxmltree::Error::UnknownEntityReference(..)
        | roxmltree::Error::MalformedEntityReference(_)
        | roxmltree::Error::EntityReferenceLoop(_) => Unread::Definition,
        roxmltree::Error::NodesLimitReached => Unread::TooMuch,
        _ => Unread::Malformed,
    })
}

/// Counts before anything is built: the parser compares the attributes of an element with each
/// other, and hands namespaces down from element to element.
fn bounded(text: &[u8]) -> Result<(), Unread> {
    let (mut at, mut depth, mut namespaces) = (0, 0usize, 0usize);
    while let Some(begin) = text[at..].iter().position(|&b| b == b'<') {
        at += begin;
        let rest = &text[at..];
        let skipped = [(&b"<!--"[..], &b"-->"[..]), (b"<![CDATA[", b"]]>"), (b"<?", b"?>")];
        if let Some((open, close)) = skipped.iter().find(|(open, _)| rest.starts_with(open)) {
            let inner = &rest[open.len()..];
            let end = inner.windows(close.len()).position(|window| window == *close);
            at += open.len() + end.ok_or(Unread::Malformed)? + close.len();
            continue;
        }
        if rest.starts_with(b"<!") {
            return Err(Unread::Definition);
        }
        let tag = tag(rest)?;
        if tag.attributes > MOST_ATTRIBUTES {
            return Err(Unread::TooMuch);
        }
        namespaces += tag.namespaces;
        match (rest.get(1), tag.empty) {
            (Some(b'/'), _) => depth = depth.saturating_sub(1),
            (_, true) => {}
            _ => depth += 1,
        }
        if depth > DEEPEST || namespaces > MOST_NAMESPACES {
            return Err(Unread::TooMuch);
        }
        at += tag.length;
    }
    Ok(())
}

/// A tag, from `<` to `>`.
struct Tag {
    length: usize,
    attributes: usize,
    namespaces: usize,
    empty: bool,
}

fn tag(text: &[u8]) -> Result<Tag, Unread> {
    let (mut quote, mut attributes, mut namespaces) = (None, 0, 0);
    for (at, &byte) in text.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => attributes += 1,
            (None, b'x') if text[at..].starts_with(b"xmlns") => namespaces += 1,
            (None, b'>') => {
                let empty = text[at - 1] == b'/';
                return Ok(Tag { length: at + 1, attributes, namespaces, empty });
            }
            _ => {}
        }
    }
    Err(Unread::Malformed)
}
