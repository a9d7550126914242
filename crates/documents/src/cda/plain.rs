//! What a document says, for a search that does not know XML: characters instead of entities.

use crate::Unread;
use crate::xml::{decode, parse};
use roxmltree::Node;

/// Every text and every attribute of a document, entities resolved: each by itself in a line, and
/// the texts once more in one piece, because a word may be set in parts.
///
/// # Errors
/// [`Unread`] when it does not parse.
pub fn cda_text(document: &[u8]) -> Result<String, Unread> {
    let (lines, joined) = read(document)?;
    Ok(lines + &joined)
}

/// The texts of a document in one piece, without its attributes, which hold codes as well.
///
/// # Errors
/// [`Unread`] when it does not parse.
pub fn cda_words(document: &[u8]) -> Result<String, Unread> {
    read(document).map(|(_, joined)| joined)
}

/// Every text and attribute in a line, and the texts in one piece.
fn read(document: &[u8]) -> Result<(String, String), Unread> {
    let text = decode(document)?;
    let tree = parse(&text)?;
    let (mut lines, mut joined) = (String::new(), String::new());
    for node in tree.descendants() {
        if let Some(text) = node.text().filter(|_| node.is_text() || node.is_comment()) {
            lines.push_str(text);
            lines.push('\n');
            joined.push_str(text);
        } else if stands_apart(node) {
            joined.push('\n');
        }
        for attribute in node.attributes() {
            lines.push_str(attribute.value());
            lines.push('\n');
        }
    }
    Ok((lines, joined))
}

/// Whether an element ends the line before it.
fn stands_apart(node: Node<'_, '_>) -> bool {
    let inline = ["content", "sub", "sup", "linkHtml", "footnoteRef"];
    node.is_element() && !inline.contains(&node.tag_name().name())
}
