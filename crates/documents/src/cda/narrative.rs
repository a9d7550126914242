//! The Narrative Block: what a section says to people. Texts that stand in one line are cleaned as
//! one, because a name may be set in parts.

use super::HL7;
use super::rewrite::Rewriter;
use crate::Unread;
use roxmltree::Node;

/// Elements within a line.
const INLINE: &[&str] = &["br", "content", "footnoteRef", "linkHtml", "sub", "sup"];
/// Elements that stand for themselves.
const BLOCKS: &[&str] = &[
    "caption",
    "col",
    "colgroup",
    "footnote",
    "item",
    "list",
    "paragraph",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
];
/// Attributes of form, and the words that they may have beside numbers.
const FORM: &[&str] = &[
    "align",
    "border",
    "cellpadding",
    "cellspacing",
    "colspan",
    "frame",
    "listType",
    "revised",
    "rowspan",
    "rules",
    "scope",
    "span",
    "styleCode",
    "valign",
    "width",
];
const FORM_WORDS: &[&str] = &[
    "above",
    "all",
    "Arabic",
    "baseline",
    "below",
    "BigAlpha",
    "BigRoman",
    "Bold",
    "border",
    "bottom",
    "Botrule",
    "box",
    "center",
    "Circle",
    "col",
    "colgroup",
    "cols",
    "delete",
    "Disc",
    "Emphasis",
    "groups",
    "hsides",
    "insert",
    "Italics",
    "justify",
    "left",
    "lhs",
    "LittleAlpha",
    "LittleRoman",
    "Lrule",
    "middle",
    "none",
    "ordered",
    "rhs",
    "right",
    "row",
    "rowgroup",
    "rows",
    "Rrule",
    "Square",
    "top",
    "Toprule",
    "Underline",
    "unordered",
    "void",
    "vsides",
];
/// Attributes that are texts for machines, and go.
const DROPPED: &[&str] =
    &["abbr", "axis", "char", "charoff", "headers", "name", "rel", "rev", "summary", "title"];

/// Which characters of a line are left, given out piece by piece to the places where they stood.
struct Line(std::vec::IntoIter<bool>);

impl Line {
    /// `None` when the cleaned text is not a part of the text in its order: nobody knows then where
    /// it belongs.
    fn new(text: &str, clean: &str) -> Option<Self> {
        // Whole words first: a letter that is left would else go to a word that is not.
        let kept = kept(&words(text), &words(clean));
        let by_letter = || {
            let letters = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
            self::kept(&letters(text), &letters(clean))
        };
        kept.or_else(by_letter).map(|kept| Self(kept.into_iter()))
    }

    /// What is left of the next piece.
    fn take(&mut self, piece: &str) -> String {
        piece.chars().filter(|_| self.0.next() == Some(true)).collect()
    }
}

/// Words, and the characters between them each by itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut from = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| !c.is_alphanumeric()) {
        words.extend((from < at).then(|| &text[from..at]));
        from = at + c.len_utf8();
        words.push(&text[at..from]);
    }
    words.extend((from < text.len()).then(|| &text[from..]));
    words
}

/// For each character, whether it is left, taking each part that is left where it first fits.
fn kept<P: AsRef<str>>(parts: &[P], left: &[P]) -> Option<Vec<bool>> {
    let mut left = left.iter().map(AsRef::as_ref).peekable();
    let mut kept = Vec::new();
    for part in parts.iter().map(AsRef::as_ref) {
        let stays = left.next_if_eq(&part).is_some();
        kept.extend(std::iter::repeat_n(stays, part.chars().count()));
    }
    left.peek().is_none().then_some(kept)
}

impl Rewriter<'_> {
    /// The text of a section, whose start tag is written.
    pub(crate) fn narrative(&mut self, node: Node<'_, '_>) -> Result<(), Unread> {
        self.form(node)?;
        self.block(node)
    }

    /// What is in a block: lines, and other blocks between them.
    fn block(&mut self, node: Node<'_, '_>) -> Result<(), Unread> {
        let mut line: Vec<Node<'_, '_>> = Vec::new();
        for child in node.children() {
            let name = narrative_name(child)?;
            if name.is_some_and(|name| BLOCKS.contains(&name)) {
                self.line(&std::mem::take(&mut line))?;
                let name = name.unwrap_or_default();
                self.out.start(name);
                self.form(child)?;
                self.block(child)?;
                self.out.end(name);
            } else if child.is_text() || name.is_some() {
                line.push(child);
            }
        }
        self.line(&line)
    }

    fn line(&mut self, nodes: &[Node<'_, '_>]) -> Result<(), Unread> {
        let mut text = String::new();
        for node in nodes {
            gather(*node, &mut text)?;
        }
        let blank = text.trim().is_empty();
        let clean = if blank { text.clone() } else { (self.rules.text)(&text) };
        let mut line = Line::new(&text, &clean).ok_or(Unread::Value)?;
        nodes.iter().try_for_each(|node| self.inline(*node, &mut line))
    }

    fn inline(&mut self, node: Node<'_, '_>, line: &mut Line) -> Result<(), Unread> {
        if node.is_text() {
            let kept = line.take(node.text().unwrap_or(""));
            self.out.text(&kept);
            return Ok(());
        }
        let Some(name) = narrative_name(node)? else { return Ok(()) };
        self.out.start(name);
        self.form(node)?;
        if name == "br" {
            line.take("\n");
        }
        for child in node.children() {
            self.inline(child, line)?;
        }
        self.out.end(name);
        Ok(())
    }

    /// Attributes of the narrative: IDs, and what says how it looks.
    fn form(&mut self, node: Node<'_, '_>) -> Result<(), Unread> {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            let lang = name == "lang" && attribute.namespace().is_some();
            match name {
                _ if lang || name == "language" || name == "space" => {}
                _ if attribute.namespace().is_some() => return Err(Unread::Element),
                "ID" | "IDREF" => {
                    let id = self.id(value);
                    self.out.attribute(name, &id);
                }
                "href" => {
                    if let Some(id) = value.strip_prefix('#') {
                        let id = self.id(id);
                        self.out.attribute(name, &format!("#{id}"));
                    }
                }
                "mediaType" if value == "text/x-hl7-text+xml" => self.out.attribute(name, value),
                _ if FORM.contains(&name) => {
                    if value.split_whitespace().all(is_form) {
                        self.out.attribute(name, value);
                    }
                }
                _ if DROPPED.contains(&name) => {}
                _ => return Err(Unread::Element),
            }
        }
        Ok(())
    }
}

/// The name of an element of the narrative; `None` for what is no element.
fn narrative_name<'n>(node: Node<'n, '_>) -> Result<Option<&'n str>, Unread> {
    if !node.is_element() {
        return Ok(None);
    }
    let name = node.tag_name();
    let listed = INLINE.contains(&name.name()) || BLOCKS.contains(&name.name());
    if name.namespace() != Some(HL7) || !listed {
        let media = name.name() == "renderMultiMedia";
        return Err(if media { Unread::Embedded } else { Unread::Element });
    }
    Ok(Some(name.name()))
}

/// The characters of a line, in order.
fn gather(node: Node<'_, '_>, text: &mut String) -> Result<(), Unread> {
    if node.is_text() {
        text.push_str(node.text().unwrap_or(""));
        return Ok(());
    }
    let Some(name) = narrative_name(node)? else { return Ok(()) };
    if !INLINE.contains(&name) {
        return Err(Unread::Element);
    }
    if name == "br" {
        text.push('\n');
    }
    node.children().try_for_each(|child| gather(child, text))
}

/// A word of form, or a length.
fn is_form(word: &str) -> bool {
    let digits = word.trim_end_matches(|c: char| "%ptemxcl".contains(c));
    let number = digits.len() <= 6
        && !digits.is_empty()
        && word.len() - digits.len() <= 2
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    number || FORM_WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleaned_line_goes_back_to_where_it_stood() {
        for (pieces, clean, expected) in [
            (["Seen by Dr. ", "Smith", " today"], "Seen by today", ["Seen by ", "", "today"]),
            (["Sm", "ith", ": fracture"], ": fracture", ["", "", ": fracture"]),
            (["a", "", "b"], "ab", ["a", "", "b"]),
            (["aa", "a", ""], "", ["", "", ""]),
            (["Smith2", "", "x"], "2x", ["2", "", "x"]),
        ] {
            let mut line = Line::new(&pieces.concat(), clean).unwrap();
            assert_eq!(pieces.map(|piece| line.take(piece)), expected, "{clean}");
        }
        assert!(Line::new("fracture", "fractures").is_none());
    }

    #[test]
    fn words_of_form_are_told_from_others() {
        for word in ["50%", "3", "1.5em", "Bold", "right"] {
            assert!(is_form(word), "{word}");
        }
        for word in ["Ashgrove", "5191125000", "xxxxxxx", "%"] {
            assert!(!is_form(word), "{word}");
        }
    }
}
