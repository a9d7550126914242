//! A parsed data set: a flat list of elements in file order over one buffer of bytes.
//!
//! Flat, because de-identification looks at every element once, in order: one allocation for the
//! list and none per element, and a subtree is skipped by one index.

use crate::{Encoding, Tag, Vr};
use scanveil_model::TagPath;
use std::borrow::Cow;

/// What an entry of the list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An element with a value.
    Leaf,
    /// A sequence; its items follow.
    Sequence,
    /// An item of a sequence; its elements follow.
    Item,
}

/// Parent of a top-level element.
pub const NO_PARENT: u32 = u32::MAX;

/// One entry: an element, a sequence or an item.
#[derive(Debug, Clone, Copy)]
pub struct Element {
    /// Tag.
    pub tag: Tag,
    /// Value representation by which the value is treated: the dictionary's for a public tag
    /// written as UN, else the declared one.
    pub vr: Vr,
    /// Value representation as written (`UN` or as in the file); equal to `vr` for implicit VR.
    pub declared: Vr,
    /// What it is.
    pub kind: Kind,
    /// The length was written as undefined (PS3.5 7.5).
    pub undefined_length: bool,
    /// What was written is no value representation: `declared` says UN instead, and the bytes of
    /// the header cannot be passed on.
    pub odd: bool,
    /// How this element's content is encoded: UN sequences hold implicit VR little endian.
    pub encoding: Encoding,
    /// Where the value begins in the data set's bytes.
    pub start: u32,
    /// Bytes of the value, delimiters not counted.
    pub length: u32,
    /// Index of the entry after this one's subtree.
    pub next: u32,
    /// Index of the item that holds it, or [`NO_PARENT`].
    pub parent: u32,
}

/// The elements of a data set, without its bytes.
#[derive(Clone)]
pub(crate) struct List {
    elements: Vec<Element>,
    /// Indices of the top-level elements, when their tags ascend as they must (PS3.5 7.1).
    ascending: Option<Vec<u32>>,
}

impl List {
    pub(crate) fn new(elements: Vec<Element>) -> Self {
        let mut top = Vec::with_capacity(elements.len().min(512));
        let (mut at, mut last, mut ascending) = (0, None, true);
        while let Some(element) = elements.get(at) {
            ascending &= last < Some(element.tag);
            last = Some(element.tag);
            top.push(at as u32);
            at = element.next as usize;
        }
        Self { elements, ascending: ascending.then_some(top) }
    }

    /// Bytes of memory that the elements take.
    pub(crate) fn size(&self) -> usize {
        self.elements.len() * (size_of::<Element>() + size_of::<u32>())
    }

    /// Gives back the room that was left for more.
    pub(crate) fn shrink(&mut self) {
        self.elements.shrink_to_fit();
        self.ascending.iter_mut().for_each(Vec::shrink_to_fit);
    }
}

/// Bytes and the list of elements over them.
pub struct DataSet<'a> {
    bytes: Cow<'a, [u8]>,
    list: Cow<'a, List>,
}

impl<'a> DataSet<'a> {
    pub(crate) fn new(bytes: Cow<'a, [u8]>, list: List) -> Self {
        Self { bytes, list: Cow::Owned(list) }
    }

    pub(crate) fn over(bytes: &'a [u8], list: &'a List) -> Self {
        Self { bytes: Cow::Borrowed(bytes), list: Cow::Borrowed(list) }
    }

    /// All entries in file order.
    #[must_use]
    pub fn elements(&self) -> &[Element] {
        &self.list.elements
    }

    /// The value of an element.
    #[must_use]
    pub fn value(&self, element: &Element) -> &[u8] {
        let start = element.start as usize;
        self.bytes.get(start..start + element.length as usize).unwrap_or(&[])
    }

    /// The bytes from one place to another, headers included: for copying what stays as it is.
    #[must_use]
    pub fn raw(&self, from: usize, to: usize) -> &[u8] {
        self.bytes.get(from..to).unwrap_or(&[])
    }

    /// The first top-level element with this tag.
    #[must_use]
    pub fn find(&self, tag: Tag) -> Option<&Element> {
        let elements = self.elements();
        if let Some(top) = &self.list.ascending {
            let of = |&at: &u32| elements.get(at as usize);
            let at =
                top.binary_search_by_key(&Some(tag), |at| of(at).map(|found| found.tag)).ok()?;
            return of(top.get(at)?);
        }
        let mut at = 0;
        while let Some(element) = elements.get(at) {
            if element.tag == tag {
                return Some(element);
            }
            at = element.next as usize;
        }
        None
    }

    /// The value of a top-level element without padding, or `None` when absent.
    #[must_use]
    pub fn text(&self, tag: Tag) -> Option<&[u8]> {
        self.find(tag).map(|element| trim(self.value(element)))
    }

    /// The first value of a top-level US element.
    #[must_use]
    pub fn unsigned(&self, tag: Tag) -> Option<u16> {
        let element = self.find(tag)?;
        let bytes: [u8; 2] = self.value(element).get(..2)?.try_into().ok()?;
        Some(if element.encoding.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    /// The first value of a top-level IS element.
    #[must_use]
    pub fn integer_string(&self, tag: Tag) -> Option<i64> {
        let text = std::str::from_utf8(self.text(tag)?).ok()?;
        text.split('\\').next()?.trim().parse().ok()
    }

    /// Where an entry stands, as tags and item numbers.
    #[must_use]
    pub fn path(&self, index: usize) -> TagPath {
        let mut parts = Vec::new();
        let mut at = index as u32;
        while let Some(entry) = self.elements().get(at as usize) {
            if entry.kind == Kind::Item {
                parts.push(format!("[{}]", self.item_number(at)));
            } else {
                parts.push(entry.tag.to_string());
            }
            at = entry.parent;
            if parts.len() > 512 {
                break;
            }
        }
        parts.reverse();
        TagPath(parts.concat())
    }

    fn item_number(&self, item: u32) -> usize {
        let Some(sequence) = self.elements().get(item as usize).map(|e| e.parent) else { return 0 };
        let (mut at, mut number) = (sequence + 1, 0);
        while at < item {
            let Some(entry) = self.elements().get(at as usize) else { break };
            at = entry.next;
            number += 1;
        }
        number
    }
}

/// Cuts the padding of a text value: trailing spaces and NULs, and leading spaces.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|&b| b != b' ' && b != 0).map_or(0, |at| at + 1);
    let start = value[..end].iter().position(|&b| b != b' ').unwrap_or(end);
    &value[start..end]
}
