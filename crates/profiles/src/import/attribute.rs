//! Attributes as the tools write them: keywords, tags in every punctuation, private elements.

use scanveil_dataset::{Tag, Vr, keyword, lookup, tag_of};

/// One attribute, or one place in a private block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    /// As a rule names it.
    pub(super) pattern: String,
    /// The tag; `None` for private elements named with their creator.
    pub(super) tag: Option<Tag>,
    /// The private creator.
    pub(super) creator: Option<String>,
    /// The dictionary's value representation.
    pub(super) vr: Option<Vr>,
}

/// Value representations of text that anybody may type.
pub(super) const TEXTS: [Vr; 6] = [Vr::LO, Vr::SH, Vr::LT, Vr::ST, Vr::UT, Vr::UC];

impl Attribute {
    /// A public attribute, or a private one whose creator is not known.
    pub(super) fn of(tag: Tag) -> Self {
        let vr = lookup(tag).map(|entry| entry.vr);
        // Curves and overlays have one keyword for sixteen groups.
        let known = keyword(tag).filter(|name| tag_of(name) == Some(tag));
        let pattern = known.map_or_else(|| tag.to_string(), str::to_owned);
        Self { pattern, tag: Some(tag), creator: None, vr }
    }

    /// A place in a private creator's block.
    pub(super) fn private(group: u16, creator: &str, element: u8) -> Self {
        Self {
            pattern: format!("({group:04X},xx{element:02X})"),
            tag: None,
            creator: Some(creator.trim().to_owned()),
            vr: None,
        }
    }

    /// A keyword, or a tag: `00080020`, `0008,0020`, `0008-0020`, in `()` or `[]`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        tag_of(inner).or_else(|| tag_of(&inner.replacen('-', ",", 1))).map(Self::of)
    }

    /// `(0033,"CREATOR",1E)`, and the same without parentheses or quotes.
    pub(super) fn parse_private(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
        let (group, rest) = inner.split_once(',')?;
        let (creator, element) = rest.rsplit_once(',')?;
        let creator = creator.trim().trim_matches('"').trim();
        let group = hex(group, 4)?;
        let element = u8::try_from(hex(element, 2)?).ok()?;
        (group & 1 == 1 && !creator.is_empty()).then(|| Self::private(group, creator, element))
    }

    /// Private, and nothing says whose.
    pub(super) fn is_orphan(&self) -> bool {
        self.creator.is_none() && self.tag.is_some_and(Tag::is_private)
    }

    pub(super) fn is(&self, tag: Tag) -> bool {
        self.tag == Some(tag)
    }

    pub(super) fn has_vr(&self, vrs: &[Vr]) -> bool {
        self.vr.is_some_and(|vr| vrs.contains(&vr))
    }
}

/// Hexadecimal digits, as many as asked for.
pub(super) fn hex(text: &str, digits: usize) -> Option<u16> {
    let text = text.trim();
    let ok = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    ok.then(|| u16::from_str_radix(text, 16).ok()).flatten()
}
