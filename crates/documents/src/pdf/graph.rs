//! What may be in a document of text: every object that the trailer leads to, by a list of keys.

use super::coverage::Texts;
use super::metadata::printable;
use super::{PdfText, is_named, reference, resolve, value};
use crate::Unread;
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};
use std::collections::{BTreeMap, BTreeSet};

/// Steps of the walk: an object can be referred to from many places.
const MOST_STEPS: usize = 2_000_000;
/// Pages.
const MOST_PAGES: usize = 1_000;

/// What the walk has come by.
#[derive(Default)]
pub(crate) struct Found<'d> {
    pub(crate) pages: Vec<&'d Dictionary>,
    /// Forms, by their numbers: content that pages draw.
    pub(crate) forms: BTreeMap<ObjectId, &'d Stream>,
    /// Streams that hold no text of a page: fonts, colour profiles.
    pub(crate) raw: Vec<&'d Stream>,
    pub(crate) metadata: Vec<&'d Stream>,
}

/// What an object stands for, by the key that leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// By its own keys.
    Plain,
    /// A dictionary of names that the file gives: fonts, forms, graphics states ...
    Named,
    /// The same, of things to draw.
    Drawn,
    /// A thing to draw.
    Shape,
    Content,
    Raw,
    Metadata,
    Color,
    /// Attributes of a structure element.
    Attributes,
    /// A mask, which may be a name only.
    Mask,
}

/// Keys of dictionaries in a document of text (ISO 32000-1): pages, structure, fonts, colours.
const KEYS: &[&str] = &[
    "AIS",
    "Alt",
    "Alternate",
    "ActualText",
    "ArtBox",
    "Ascent",
    "AvgWidth",
    "BBox",
    "BM",
    "BaseEncoding",
    "BaseFont",
    "BitsPerSample",
    "BlackPoint",
    "BleedBox",
    "Bounds",
    "C",
    "C0",
    "C1",
    "CA",
    "CIDSystemInfo",
    "CS",
    "CapHeight",
    "CharSet",
    "Colorants",
    "Count",
    "CropBox",
    "D",
    "DW",
    "DW2",
    "Decode",
    "DescendantFonts",
    "Descent",
    "Dest",
    "Dests",
    "Differences",
    "Direction",
    "DisplayDocTitle",
    "Domain",
    "E",
    "Encode",
    "Extends",
    "Filter",
    "First",
    "FirstChar",
    "FitWindow",
    "FL",
    "Flags",
    "FontBBox",
    "FontDescriptor",
    "FontFamily",
    "FontName",
    "FontStretch",
    "FontWeight",
    "FormType",
    "FunctionType",
    "Functions",
    "Gamma",
    "Group",
    "HideMenubar",
    "HideToolbar",
    "HideWindowUI",
    "I",
    "ID",
    "Index",
    "ItalicAngle",
    "K",
    "Kids",
    "LC",
    "LJ",
    "LW",
    "Lang",
    "Last",
    "LastChar",
    "Leading",
    "Length",
    "Length1",
    "Length2",
    "Length3",
    "Limits",
    "ML",
    "Marked",
    "MarkInfo",
    "Matrix",
    "MaxWidth",
    "MediaBox",
    "MissingWidth",
    "N",
    "Names",
    "Next",
    "NonFullScreenPageMode",
    "NumCopies",
    "Nums",
    "O",
    "OP",
    "OPM",
    "Order",
    "Ordering",
    "Outlines",
    "P",
    "PageLabels",
    "PageLayout",
    "PageMode",
    "Pages",
    "Panose",
    "Parent",
    "ParentTree",
    "ParentTreeNextKey",
    "Pg",
    "PickTrayByPDFSize",
    "Prev",
    "PrintScaling",
    "ProcSet",
    "R",
    "RI",
    "Range",
    "Registry",
    "Resources",
    "Root",
    "Rotate",
    "S",
    "SA",
    "SM",
    "St",
    "StemH",
    "StemV",
    "StructParent",
    "StructParents",
    "StructTreeRoot",
    "Style",
    "Subtype",
    "Supplement",
    "Suspects",
    "T",
    "Tabs",
    "Title",
    "TrimBox",
    "Type",
    "UserProperties",
    "UserUnit",
    "Version",
    "ViewerPreferences",
    "CenterWindow",
    "Duplex",
    "W",
    "W2",
    "WMode",
    "WhitePoint",
    "Widths",
    "XHeight",
    "ca",
    "op",
];

/// What a key says of the object behind it.
fn role(key: &[u8], around: &Dictionary) -> Result<Role, Unread> {
    let key = std::str::from_utf8(key).map_err(|_| Unread::Unlisted)?;
    Ok(match key {
        "Annots" | "AcroForm" | "Fields" => return Err(Unread::Annotations),
        "AF" | "EF" | "EmbeddedFile" | "EmbeddedFiles" | "Collection" | "RichMedia" => {
            return Err(Unread::Embedded);
        }
        // Where a viewer opens the document, and not what it does then.
        "OpenAction" if around.get(b"OpenAction").is_ok_and(|it| it.as_array().is_ok()) => {
            Role::Plain
        }
        "AA" | "JS" | "JavaScript" | "OpenAction" | "URI" | "Launch" => {
            return Err(Unread::Actions);
        }
        "Thumb" | "Image" => return Err(Unread::Image),
        "Pattern" | "Shading" => return Err(Unread::Drawing),
        "CharProcs" => return Err(Unread::Unmapped),
        "PieceInfo" | "LastModified" => return Err(Unread::Metadata),
        "Encrypt" | "Perms" => return Err(Unread::Encrypted),
        "A" if is_named(around, b"Type", b"StructElem") || around.has(b"Pg") => Role::Attributes,
        "A" => return Err(Unread::Actions),
        "Font" | "ExtGState" | "Properties" | "RoleMap" | "ClassMap" => Role::Named,
        "XObject" => Role::Drawn,
        "ColorSpace" => Role::Color,
        "Contents" => Role::Content,
        "CIDSet" | "CIDToGIDMap" | "FontFile" | "FontFile2" | "FontFile3" | "ToUnicode" => {
            Role::Raw
        }
        "Metadata" => Role::Metadata,
        "SMask" => Role::Mask,
        "Encoding" | "TR" | "TR2" | "BG" | "BG2" | "UCR" | "UCR2" | "HT" => Role::Plain,
        _ if KEYS.contains(&key) => Role::Plain,
        _ => return Err(Unread::Unlisted),
    })
}

struct Walk<'d> {
    document: &'d Document,
    todo: Vec<(&'d Object, Role)>,
    seen: BTreeSet<(ObjectId, Role)>,
    found: Found<'d>,
    /// Dictionaries that call themselves pages.
    pages: usize,
}

/// Walks from the trailer.
///
/// # Errors
/// [`Unread`] for the first object that is not on the list.
pub(crate) fn walk(document: &Document) -> Result<Found<'_>, Unread> {
    let mut walk = Walk {
        document,
        todo: Vec::new(),
        seen: BTreeSet::new(),
        found: Found::default(),
        pages: 0,
    };
    for (key, object) in document.trailer.iter() {
        match key.as_slice() {
            b"Root" => walk.todo.push((object, Role::Plain)),
            b"Info" | b"ID" | b"Size" | b"Type" | b"W" | b"Index" | b"Length" | b"Filter"
            | b"DecodeParms" => {}
            _ => return Err(Unread::Unlisted),
        }
    }
    let mut steps = 0;
    while let Some((object, role)) = walk.todo.pop() {
        steps += 1;
        if steps > MOST_STEPS {
            return Err(Unread::TooMuch);
        }
        walk.step(object, role)?;
    }
    walk.all_reached()?;
    walk.page_tree()?;
    Ok(walk.found)
}

impl<'d> Walk<'d> {
    fn step(&mut self, object: &'d Object, role: Role) -> Result<(), Unread> {
        match object {
            Object::Reference(id) => {
                if self.seen.insert((*id, role)) {
                    let target = self.document.objects.get(id).ok_or(Unread::Malformed)?;
                    if let (Role::Shape, Object::Stream(form)) = (role, target) {
                        self.found.forms.insert(*id, form);
                    }
                    self.todo.push((target, role));
                }
                Ok(())
            }
            Object::Array(array) => {
                self.todo.extend(array.iter().map(|object| (object, role)));
                Ok(())
            }
            Object::Dictionary(dictionary) => self.dictionary(dictionary, role),
            Object::Stream(stream) => self.stream(stream, role),
            _ => Ok(()),
        }
    }

    fn dictionary(&mut self, dictionary: &'d Dictionary, of: Role) -> Result<(), Unread> {
        if is_named(dictionary, b"Type", b"Page") {
            self.pages += 1;
        }
        let action = dictionary.has(b"S") && !dictionary.has(b"O");
        match of {
            Role::Attributes if action => return Err(Unread::Actions),
            Role::Content | Role::Raw | Role::Metadata | Role::Shape => {
                return Err(Unread::Unlisted);
            }
            // A soft mask draws a form; only `/None` is a mask that hides nothing.
            Role::Mask => return Err(Unread::Drawing),
            _ => {}
        }
        if is_named(dictionary, b"Subtype", b"Type3") {
            return Err(Unread::Unmapped);
        }
        for (key, object) in dictionary.iter() {
            let role = match of {
                Role::Named => Role::Plain,
                Role::Drawn => Role::Shape,
                Role::Color | Role::Attributes => of,
                _ => role(key, dictionary)?,
            };
            self.todo.push((object, role));
        }
        Ok(())
    }

    fn stream(&mut self, stream: &'d Stream, role: Role) -> Result<(), Unread> {
        if is_named(&stream.dict, b"Subtype", b"Image") {
            return Err(Unread::Image);
        }
        match role {
            Role::Content => {}
            Role::Shape if is_named(&stream.dict, b"Subtype", b"Form") => {}
            Role::Metadata => {
                self.found.metadata.push(stream);
                return Ok(());
            }
            Role::Raw | Role::Color => self.found.raw.push(stream),
            _ => return Err(Unread::Unlisted),
        }
        self.dictionary(&stream.dict, Role::Plain)
    }

    /// Nothing lies in the file that nothing leads to.
    fn all_reached(&mut self) -> Result<(), Unread> {
        let document = self.document;
        let information = reference(&document.trailer, b"Info");
        let mut reached: BTreeSet<ObjectId> = self.seen.iter().map(|(id, _)| *id).collect();
        reached.extend(information);
        let structure = |stream: &Stream| {
            [&b"ObjStm"[..], b"XRef"].iter().any(|kind| is_named(&stream.dict, b"Type", kind))
        };
        for object in document.objects.values() {
            // Their lengths may stand apart.
            if let Object::Stream(stream) = object
                && (structure(stream) || is_named(&stream.dict, b"Type", b"Metadata"))
            {
                let lengths = stream.dict.iter().filter_map(|(_, v)| v.as_reference().ok());
                reached.extend(lengths);
            }
        }
        let lost = document.objects.iter().any(|(id, object)| {
            let structure = object.as_stream().is_ok_and(structure);
            !structure && !reached.contains(id)
        });
        if lost { Err(Unread::Unreachable) } else { Ok(()) }
    }

    /// The pages in their order; every page of the file is among them.
    fn page_tree(&mut self) -> Result<(), Unread> {
        let pages: Vec<ObjectId> = self.document.page_iter().take(MOST_PAGES + 1).collect();
        if pages.len() > MOST_PAGES {
            return Err(Unread::TooMuch);
        }
        for id in &pages {
            let page = self.document.get_dictionary(*id).map_err(|_| Unread::Malformed)?;
            self.found.pages.push(page);
        }
        // A page is visited once for each role that leads to it, and each leads there plainly.
        let unique: BTreeSet<&ObjectId> = pages.iter().collect();
        let none = pages.is_empty() || unique.len() != pages.len() || self.pages != pages.len();
        if none { Err(Unread::Malformed) } else { Ok(()) }
    }
}

/// Texts and names outside the pages.
pub(crate) fn strings(document: &Document, texts: &Texts, text: &mut PdfText) {
    /// Strings that every document with fonts has.
    const USUAL: &[&str] =
        &["Adobe", "Identity", "UCS", "Japan1", "GB1", "CNS1", "Korea1", "UTF-16BE"];
    let information = reference(&document.trailer, b"Info");
    let mut names = BTreeSet::new();
    for (id, tokens) in texts {
        names.extend(&tokens.names);
        let structure = document.objects.get(id).and_then(|object| object.as_stream().ok());
        let structure = structure.is_some_and(|stream| is_named(&stream.dict, b"Type", b"XRef"));
        if Some(*id) == information {
            continue;
        }
        for string in &tokens.strings {
            let glyphs = string.starts_with(b"/");
            if structure || glyphs || *id == (0, 0) {
                text.names.push(printable(string));
                continue;
            }
            let object = Object::String(string.clone(), lopdf::StringFormat::Literal);
            // What cannot be read as text is a number of bytes, and searched as such.
            match lopdf::decode_text_string(&object) {
                Ok(read) if USUAL.contains(&read.as_str()) || is_language(&read) => {}
                Ok(read) if !read.trim().is_empty() => text.strings.push(read),
                _ => text.names.push(printable(string)),
            }
        }
    }
    let names = names.into_iter().map(|name| String::from_utf8_lossy(name));
    text.names.push(names.collect::<Vec<_>>().join("\n"));
}

/// `en`, `en-US`.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let lower = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_lowercase());
    let upper = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_uppercase());
    parts.next().is_some_and(lower) && parts.next().is_none_or(upper) && parts.next().is_none()
}

/// The resources of a page, its own or those of the pages around it.
pub(crate) fn resources<'d>(
    document: &'d Document,
    page: &'d Dictionary,
) -> Option<&'d Dictionary> {
    const DEEPEST: usize = 64;
    let mut at = page;
    for _ in 0..DEEPEST {
        if let Some(Object::Dictionary(found)) = value(document, at, b"Resources") {
            return Some(found);
        }
        at = resolve(document, at.get(b"Parent").ok()?).as_dict().ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_listed_once() {
        let mut keys = KEYS.to_vec();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), KEYS.len());
    }
}
