//! How the texts of an instance are read: as declared, else by evidence.

use crate::text::Charset;
use scanveil_dataset::{CharacterSets, DataSet, Element, Header, Kind, NO_PARENT, tags};

/// Whether an element stands in one of these items, at any depth; they are in order.
fn stands_in(data: &DataSet<'_>, element: &Element, items: &[u32]) -> bool {
    let mut at = element.parent;
    while let Some(holder) = data.elements().get(at as usize).filter(|_| !items.is_empty()) {
        if items.binary_search(&at).is_ok() {
            return true;
        }
        at = holder.parent;
    }
    false
}

/// How an instance's texts are read: as declared, else by evidence; and the term that the output
/// then declares.
pub(crate) fn charset(header: &Header<'_>) -> (Charset, Option<String>) {
    let data = &header.data;
    let declared = data.text(tags::SPECIFIC_CHARACTER_SET).unwrap_or(b"");
    let all_plain = data.elements().iter().all(|element| {
        element.kind != Kind::Leaf || !element.vr.is_text() || data.value(element).is_ascii()
    });
    if all_plain && let Ok(read) = CharacterSets::parse(declared) {
        let term = as_defined(&read, declared);
        return (Charset { read, write: None }, term);
    }
    // Items that declare sets of their own are read by those.
    let own: Vec<u32> = data
        .elements()
        .iter()
        .filter(|element| {
            element.tag == tags::SPECIFIC_CHARACTER_SET && element.parent != NO_PARENT
        })
        .map(|element| element.parent)
        .collect();
    let values = || {
        data.elements()
            .iter()
            .filter(|element| element.kind == Kind::Leaf && element.vr.is_text())
            .filter(|element| !data.value(element).is_ascii() && !stands_in(data, element, &own))
            .map(|element| data.value(element))
    };
    let read = CharacterSets::parse(declared);
    let as_declared = |sets: &CharacterSets| values().all(|value| sets.decode(value).is_ok());
    match read {
        Ok(read) if as_declared(&read) => {
            let term = as_defined(&read, declared);
            return (Charset { read, write: None }, term);
        }
        _ => {}
    }
    match CharacterSets::evidence(&mut values()) {
        Some(read) => {
            let term = read.term().map(str::to_owned);
            let write = term.is_none().then_some(CharacterSets::UTF8);
            let term = term.or_else(|| CharacterSets::UTF8.term().map(str::to_owned));
            (Charset { read, write }, term)
        }
        // What cannot be read is held back where it would have to be kept.
        None => (Charset { read: read.unwrap_or(CharacterSets::DEFAULT), write: None }, None),
    }
}

/// The defined term for what was declared in other letters: `iso_ir 100`, `ISO IR 192`.
fn as_defined(read: &CharacterSets, declared: &[u8]) -> Option<String> {
    let term = read.term().filter(|term| !term.is_empty() && term.as_bytes() != declared)?;
    Some(term.to_owned())
}
