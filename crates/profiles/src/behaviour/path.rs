//! How cases name elements: keywords, tags, `(gggg,creator,ee)` for private ones, and paths of
//! them joined by `.`, with an item's number in brackets where it is not the first.

use scanveil_dataset::{DataSet, Element, Kind, NO_PARENT, Tag, tag_of};

/// An element's name within its data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// A tag.
    Tag(Tag),
    /// A place in a private creator's block.
    Private { group: u16, creator: String, element: u8 },
}

/// One step of a path.
pub(super) struct Step {
    pub(super) name: Name,
    /// Number of the item, for the steps before the last.
    pub(super) item: usize,
}

impl Name {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(tag) = tag_of(text) {
            return Some(Self::Tag(tag));
        }
        let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
        let (group, rest) = inner.split_once(',')?;
        let (creator, element) = rest.rsplit_once(',')?;
        let group = u16::from_str_radix(group.trim(), 16).ok().filter(|group| group & 1 == 1)?;
        let element = u8::from_str_radix(element.trim(), 16).ok()?;
        Some(Self::Private { group, creator: creator.trim().to_owned(), element })
    }
}

/// Parts a path into its steps: points within parentheses belong to a creator.
pub(super) fn parse(text: &str) -> Option<Vec<Step>> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '.' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut()?.push(c);
    }
    parts.iter().map(|part| step(part)).collect()
}

fn step(text: &str) -> Option<Step> {
    let (name, item) = match text.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        Some((name, item)) => (name, item.parse().ok()?),
        None => (text, 0),
    };
    Some(Step { name: Name::parse(name)?, item })
}

/// The element at a path, or `None` when it or something above it is absent.
pub(super) fn find(data: &DataSet<'_>, steps: &[Step]) -> Option<Element> {
    let (last, above) = steps.split_last()?;
    let mut parent = NO_PARENT;
    for step in above {
        let sequence = child(data, parent, &step.name)?;
        parent = *children(data, sequence as u32).get(step.item)?;
    }
    data.elements().get(child(data, parent, &last.name)?).copied()
}

/// Entries right below a sequence or an item, or at the top level.
pub(super) fn children(data: &DataSet<'_>, parent: u32) -> Vec<u32> {
    let elements = data.elements();
    let (mut at, end) = match elements.get(parent as usize) {
        Some(parent_element) => (parent + 1, parent_element.next),
        None => (0, elements.len() as u32),
    };
    let mut found = Vec::new();
    while at < end {
        let Some(element) = elements.get(at as usize) else { break };
        found.push(at);
        at = element.next.max(at + 1);
    }
    found
}

fn child(data: &DataSet<'_>, parent: u32, name: &Name) -> Option<usize> {
    let below = children(data, parent);
    let element = |at: u32| data.elements().get(at as usize);
    let tag = match name {
        Name::Tag(tag) => *tag,
        Name::Private { group, creator, element: place } => {
            let block = below.iter().filter_map(|&at| element(at)).find(|found| {
                found.tag.group() == *group
                    && found.tag.is_private_creator()
                    && found.kind == Kind::Leaf
                    && data.value(found).trim_ascii_end() == creator.as_bytes()
            })?;
            Tag::new(*group, block.tag.element() << 8 | u16::from(*place))
        }
    };
    let found = below.iter().find(|&&at| element(at).is_some_and(|found| found.tag == tag))?;
    Some(*found as usize)
}
