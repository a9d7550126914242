//! What a document says of itself: the information dictionary and XMP.

use super::coverage::Texts;
use super::{PdfText, reference};
use crate::Unread;
use crate::xml::{decode, parse};
use lopdf::{Document, Object};

/// Shortest run of characters that is taken out of bytes.
const SHORTEST: usize = 4;

/// The information dictionary (ISO 32000-1, 14.3.3): software, dates, texts that are searched.
pub(crate) fn information(
    document: &Document,
    texts: &Texts,
    text: &mut PdfText,
) -> Result<(), Unread> {
    let Ok(entry) = document.trailer.get(b"Info") else { return Ok(()) };
    let Some(id) = reference(&document.trailer, b"Info") else { return Err(Unread::Metadata) };
    let Some(Object::Dictionary(information)) = document.objects.get(&id) else {
        return if entry.is_null() { Ok(()) } else { Err(Unread::Metadata) };
    };
    let mut strings = 0;
    for (key, object) in information.iter() {
        let Object::String(bytes, _) = object else {
            if key == b"Trapped" && matches!(object, Object::Name(_)) {
                continue;
            }
            return Err(Unread::Metadata);
        };
        strings += 1;
        match key.as_slice() {
            b"Producer" | b"Creator" => {
                let read = lopdf::decode_text_string(object).map_err(|_| Unread::Metadata)?;
                text.software.push(read);
            }
            b"CreationDate" | b"ModDate" => {
                if !is_date(bytes) {
                    return Err(Unread::Metadata);
                }
                text.dated = true;
            }
            b"Author" | b"Keywords" | b"Subject" | b"Title" => {
                let read = lopdf::decode_text_string(object).map_err(|_| Unread::Metadata)?;
                text.strings.extend(Some(read).filter(|read| !read.trim().is_empty()));
            }
            _ if bytes.is_empty() => {}
            _ => return Err(Unread::Metadata),
        }
    }
    // A key that is given twice has been read once.
    let written = texts.get(&id).map_or(0, |tokens| tokens.strings.len());
    if written == strings { Ok(()) } else { Err(Unread::Metadata) }
}

/// `D:20240301101500+01'00'`.
fn is_date(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(b"D:").unwrap_or(bytes);
    rest.len() <= 24 && rest.iter().all(|b| b.is_ascii_digit() || b"+-Z'".contains(b))
}

/// Properties of XMP that name software, that are texts to be searched, that are dates, and those
/// that are neither a text nor a name.
const SOFTWARE: &[&str] = &["CreatorTool", "Producer", "xmptk"];
const TEXTS: &[&str] = &["Keywords", "creator", "description", "li", "subject", "title"];
const DATES: &[&str] = &["CreateDate", "MetadataDate", "ModifyDate"];
const IDENTIFIERS: &[&str] = &["DocumentID", "InstanceID", "OriginalDocumentID", "about"];
const FIXED: &[(&str, &[&str])] = &[
    ("conformance", &["A", "B", "U"]),
    ("format", &["application/pdf"]),
    ("part", &["1", "2", "3", "4"]),
    ("Trapped", &["False", "True", "Unknown"]),
    ("parseType", &["Resource"]),
];

/// XMP (ISO 16684-1): the same, in XML.
pub(crate) fn xmp(bytes: &[u8], text: &mut PdfText) -> Result<(), Unread> {
    let packet = decode(bytes)?;
    let tree = parse(&packet)?;
    for node in tree.descendants() {
        if node.is_comment() {
            return Err(Unread::Metadata);
        }
        if let Some(pi) = node.pi().filter(|pi| pi.target != "xpacket") {
            debug_assert!(!pi.target.is_empty());
            return Err(Unread::Metadata);
        }
        if let Some(value) = node.text().filter(|_| node.is_text()) {
            let name = node.parent_element().map_or("", |parent| parent.tag_name().name());
            property(name, value.trim(), text)?;
        }
        for attribute in node.attributes() {
            if !(attribute.name() == "lang" && attribute.value() == "x-default") {
                property(attribute.name(), attribute.value().trim(), text)?;
            }
        }
    }
    Ok(())
}

fn property(name: &str, value: &str, text: &mut PdfText) -> Result<(), Unread> {
    let fixed = FIXED.iter().find(|(known, _)| *known == name);
    match name {
        _ if value.is_empty() => {}
        _ if SOFTWARE.contains(&name) => text.software.push(value.to_owned()),
        _ if TEXTS.contains(&name) => text.strings.push(value.to_owned()),
        _ if DATES.contains(&name) => text.dated = true,
        _ if IDENTIFIERS.contains(&name) && is_identifier(value) => {
            text.names.push(value.to_owned());
        }
        _ if fixed.is_some_and(|(_, values)| values.contains(&value)) => {}
        _ => return Err(Unread::Metadata),
    }
    Ok(())
}

/// A UUID, with the scheme that it is written with.
fn is_identifier(value: &str) -> bool {
    let digits = value.rsplit(':').next().unwrap_or("");
    let scheme = &value[..value.len() - digits.len()];
    matches!(scheme, "uuid:" | "urn:uuid:" | "xmp.did:" | "xmp.iid:" | "")
        && matches!(digits.len(), 32 | 36)
        && digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// What people could read in bytes: runs of ASCII, of one byte a character or of two.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    runs(bytes.iter().copied(), &mut text);
    // UTF-16, either byte first: every other byte, where those between are zero.
    let padded = [&[0], bytes].concat();
    for start in [0, 1] {
        let pairs = padded.get(start..).unwrap_or(&[]).chunks_exact(2);
        runs(pairs.map(|pair| if pair[0] == 0 { pair[1] } else { 0 }), &mut text);
    }
    text
}

fn runs(bytes: impl Iterator<Item = u8>, text: &mut String) {
    let mut run = String::new();
    for byte in bytes.chain([0]) {
        if (0x20..0x7f).contains(&byte) {
            run.push(char::from(byte));
            continue;
        }
        if run.len() >= SHORTEST {
            text.push_str(&run);
            text.push('\n');
        }
        run.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_could_read_is_taken_out() {
        assert_eq!(printable(b"\x01Ashgrove\x02ab\x03"), "Ashgrove\n");
        assert_eq!(printable(b"\0A\0s\0h\0g\0r"), "Ashgr\n");
        assert_eq!(printable(b"A\0s\0h\0g\0r\0"), "Ashgr\n");
    }

    #[test]
    fn properties_of_xmp_are_listed() {
        let packet = |inner: &str| {
            format!("<x:xmpmeta xmlns:x='adobe:ns:meta/' xmlns:d='urn:d'>{inner}</x:xmpmeta>")
        };
        for (inner, fits) in [
            ("<d:Producer>Skia/PDF m120</d:Producer>", true),
            ("<d:DocumentID>uuid:c266d2a0-1f2e-4c1b-8d53-7b0e0d4f1a11</d:DocumentID>", true),
            ("<d:CreateDate>2024-03-01</d:CreateDate>", true),
            ("<d:title><d:li>Letter for Ottoline</d:li></d:title>", true),
            ("<d:history>Letter for Ottoline</d:history>", false),
            ("<d:DocumentID>Ottoline</d:DocumentID>", false),
            ("<!-- Ottoline -->", false),
            ("<?ottoline x?>", false),
            ("<d:x d:owner='Ottoline'/>", false),
        ] {
            let mut text = PdfText::default();
            assert_eq!(xmp(packet(inner).as_bytes(), &mut text).is_ok(), fits, "{inner}");
            let searched = text.strings.concat().contains("Ottoline");
            assert_eq!(searched, fits && inner.contains("Ottoline"), "{inner}");
        }
    }
}
