//! Content items: which rule of Table E.3.4-1 an item is treated by.

use super::Rewriter;
use crate::structured::{self, ItemRule, content};
use scanveil_dataset::Tag;

impl Rewriter<'_, '_, '_, '_> {
    /// Index of the first element of the item at `at` with this tag.
    pub(super) fn child(&self, at: usize, tag: Tag) -> Option<usize> {
        let elements = self.data.elements();
        let end = elements.get(at)?.next as usize;
        let mut child = at + 1;
        while child < end {
            let element = elements.get(child)?;
            if element.tag == tag {
                return Some(child);
            }
            child = element.next as usize;
        }
        None
    }

    /// The rule of a content item, by its concept name.
    pub(super) fn content_rule(&self, at: usize, replaced: bool) -> Option<ItemRule> {
        let concept = self.child(at, content::CONCEPT_NAME);
        concept
            .or_else(|| self.child(at, content::VALUE_TYPE))
            .or_else(|| self.child(at, content::UNFORMATTED_TEXT))?;
        // The entry behind a sequence that has items is its first one.
        let elements = self.data.elements();
        let first =
            concept.filter(|&at| elements.get(at).is_some_and(|e| e.next as usize > at + 1));
        let of_concept = |tag| {
            let child = self.child(first? + 1, tag)?;
            elements.get(child).map(|element| self.data.value(element).trim_ascii())
        };
        let code = of_concept(content::CODE_VALUE).unwrap_or(b"");
        let scheme = of_concept(content::CODING_SCHEME).unwrap_or(b"");
        Some(structured::rule(self.plan, code, scheme, replaced))
    }

    /// Whether content items refer to others by their place (PS3.3 C.17.3.2.5).
    pub(super) fn refers_by_place(&mut self) -> bool {
        let data = self.data;
        let refers = || data.elements().iter().any(|element| element.tag == content::BY_REFERENCE);
        *self.by_place.get_or_insert_with(refers)
    }
}
