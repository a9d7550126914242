//! Paths of elements as the benchmark writes them: `<(0008,1140)>[<0000>]<(0008,1155)>`.

use scanveil_dataset::{DataSet, Element, Kind, NO_PARENT, Tag};
use std::collections::HashMap;

/// The path in its one form: hexadecimal digits in lower case, private creators in upper case.
pub(crate) fn normal(path: &str) -> String {
    let mut quoted = false;
    let mut out = String::with_capacity(path.len());
    for c in path.trim().chars() {
        if c == '"' {
            quoted = !quoted;
        }
        if quoted {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// The path without the numbers of the items: `<(0008,1140)>[]<(0008,1155)>`.
pub(crate) fn without_items(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut quoted = false;
    let mut in_item = false;
    for c in path.chars() {
        quoted ^= c == '"';
        in_item &= c != ']' || quoted;
        if !in_item {
            out.push(c);
        }
        in_item |= c == '[' && !quoted;
    }
    out
}

/// Names each element of a data set while it is walked in order.
pub(crate) struct Paths<'a> {
    data: &'a DataSet<'a>,
    /// Path of each sequence and of each item, by its index.
    containers: HashMap<u32, String>,
    /// Items seen so far of each sequence.
    items: HashMap<u32, u32>,
    /// Private creators by item, group and block.
    creators: HashMap<(u32, u16, u8), String>,
}

impl<'a> Paths<'a> {
    pub(crate) fn new(data: &'a DataSet<'a>) -> Self {
        Self { data, containers: HashMap::new(), items: HashMap::new(), creators: HashMap::new() }
    }

    /// The path of the entry at `index`; call it for each entry, in order.
    pub(crate) fn path(&mut self, index: u32, element: &Element) -> String {
        let own = if element.kind == Kind::Item {
            let number = self.items.entry(element.parent).or_default();
            *number += 1;
            format!("[<{:04}>]", *number - 1)
        } else {
            format!("<{}>", self.label(element))
        };
        let within = match element.parent {
            NO_PARENT => "",
            parent => self.containers.get(&parent).map_or("", String::as_str),
        };
        let path = format!("{within}{own}");
        if element.kind != Kind::Leaf {
            self.containers.insert(index, path.clone());
        }
        path
    }

    fn label(&mut self, element: &Element) -> String {
        let Tag(tag) = element.tag;
        let (group, number) = (element.tag.group(), element.tag.element());
        let plain = || format!("({group:04x},{:04x})", tag & 0xffff);
        if element.tag.is_private_creator() {
            let value = String::from_utf8_lossy(self.data.value(element));
            let creator = value.trim_matches([' ', '\0']).to_uppercase();
            self.creators.insert((element.parent, group, number as u8), creator);
            return plain();
        }
        if !element.tag.is_private() {
            return plain();
        }
        let block = (number >> 8) as u8;
        match self.creators.get(&(element.parent, group, block)) {
            Some(creator) => format!("({group:04x},\"{creator}\",{:02x})", number & 0xff),
            None => plain(),
        }
    }
}
