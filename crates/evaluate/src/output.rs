//! One output file as the benchmark sees it: each element's path and its value as text.

use crate::path::Paths;
use crate::pixels::{self, PixelLayout};
use scanveil_dataset::{
    Body, CharacterSets, DataSet, Element, Header, Kind, Limits, Tag, Vr, open, tags,
};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// More numbers than this in one element are not written out: nobody asks for them.
const NUMBERS: usize = 64;
/// More bytes than this in one element are not read as text.
const TEXT_BYTES: usize = 16 << 20;

/// An output file that was read.
pub(crate) struct Output {
    elements: HashMap<String, String>,
    /// MD5 of Pixel Data, when it was asked for.
    pub(crate) digest: Option<String>,
    /// Pixels, when they were asked for and are native.
    pub(crate) pixels: Option<(PixelLayout, Vec<u8>)>,
}

/// What of a file's pixels is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) digest: bool,
    pub(crate) pixels: bool,
}

impl Output {
    /// Reads a file; nothing when it cannot be read as an instance.
    pub(crate) fn read(path: &Path, needs: Needs) -> Option<Self> {
        let file = BufReader::new(File::open(path).ok()?);
        let (header, body) = open(file, &Limits::default()).ok()?;
        let mut elements = elements(&header.data);
        let mut output = Self { elements: HashMap::new(), digest: None, pixels: None };
        if let Some(pixel) = header.pixel {
            let path = format!("<({:04x},{:04x})>", pixel.tag.group(), pixel.tag.element());
            elements.insert(path, String::new());
            output.read_pixels(&header, body, needs)?;
        }
        output.elements = elements;
        Some(output)
    }

    fn read_pixels(
        &mut self,
        header: &Header<'_>,
        mut body: Body<'_, impl Read>,
        needs: Needs,
    ) -> Option<()> {
        let pixel = header.pixel?;
        if needs.pixels
            && let (Some(length), Some(layout)) = (pixel.length, PixelLayout::of(header))
        {
            let bytes = pixels::take(&mut body, length)?;
            self.digest = Some(pixels::md5(&bytes));
            self.pixels = Some((layout, bytes));
        } else if needs.digest {
            self.digest = Some(pixels::digest(&mut body, pixel.length)?);
        }
        Some(())
    }

    /// The value at a path, in its [`crate::path::normal`] form.
    pub(crate) fn value(&self, path: &str) -> Option<&str> {
        self.elements.get(path).map(String::as_str)
    }
}

/// SOP Instance UID of a file; nothing when it cannot be read as an instance.
pub(crate) fn sop_instance_uid(path: &Path) -> Option<String> {
    let file = BufReader::new(File::open(path).ok()?);
    let (header, _) = open(file, &Limits::default()).ok()?;
    let uid = header.data.text(tags::SOP_INSTANCE_UID)?;
    std::str::from_utf8(uid).ok().map(str::to_owned)
}

fn elements(data: &DataSet<'_>) -> HashMap<String, String> {
    let mut paths = Paths::new(data);
    // The character set of each item: its own, or the one around it (PS3.3 C.12.1.1.2).
    let mut sets: HashMap<u32, CharacterSets> = HashMap::new();
    let mut out = HashMap::with_capacity(data.elements().len());
    for (index, element) in data.elements().iter().enumerate() {
        let index = index as u32;
        let path = paths.path(index, element);
        let set = sets.get(&element.parent).cloned().unwrap_or(CharacterSets::DEFAULT);
        if element.tag == tags::SPECIFIC_CHARACTER_SET {
            let declared = CharacterSets::parse(data.value(element));
            sets.insert(element.parent, declared.unwrap_or_else(|_| set.clone()));
        }
        let text = match element.kind {
            Kind::Leaf => shown(data, element, &set),
            // What a sequence is shown as says no more than whether it is empty.
            _ if element.length > 0 => "[sequence]".to_owned(),
            _ => String::new(),
        };
        if element.kind != Kind::Leaf {
            sets.insert(index, set);
        }
        if element.kind != Kind::Item {
            out.entry(path).or_insert(text);
        }
    }
    out
}

/// Overlay Data of all repeats: the benchmark does not look at it.
fn is_overlay(tag: Tag) -> bool {
    tag.group() & 0xff00 == 0x6000 && tag.element() == 0x3000
}

/// A value as text: words decoded, numbers written out.
fn shown(data: &DataSet<'_>, element: &Element, set: &CharacterSets) -> String {
    let value = data.value(element);
    if is_overlay(element.tag) || value.len() > TEXT_BYTES {
        return String::new();
    }
    let big = element.encoding.big_endian;
    match &element.vr.0 {
        b"US" => numbers::<2>(value, big, |b| u16::from_le_bytes(b).to_string()),
        b"SS" => numbers::<2>(value, big, |b| i16::from_le_bytes(b).to_string()),
        b"UL" => numbers::<4>(value, big, |b| u32::from_le_bytes(b).to_string()),
        b"SL" => numbers::<4>(value, big, |b| i32::from_le_bytes(b).to_string()),
        b"UV" => numbers::<8>(value, big, |b| u64::from_le_bytes(b).to_string()),
        b"SV" => numbers::<8>(value, big, |b| i64::from_le_bytes(b).to_string()),
        b"FL" => numbers::<4>(value, big, |b| format!("{:?}", f64::from(f32::from_le_bytes(b)))),
        b"FD" => numbers::<8>(value, big, |b| format!("{:?}", f64::from_le_bytes(b))),
        _ if element.vr.is_string() || element.vr == Vr::UN => decoded(value, set),
        _ => decoded(value, &CharacterSets::DEFAULT),
    }
}

/// One number as it is, several in a list.
fn numbers<const N: usize>(value: &[u8], big: bool, show: impl Fn([u8; N]) -> String) -> String {
    let read = |chunk: &[u8]| {
        let mut bytes: [u8; N] = chunk.try_into().ok()?;
        if big {
            bytes.reverse();
        }
        Some(show(bytes))
    };
    let all: Vec<String> = value.chunks_exact(N).take(NUMBERS).filter_map(read).collect();
    match all.as_slice() {
        [one] => one.clone(),
        [] => String::new(),
        _ => format!("[{}]", all.join(", ")),
    }
}

/// Words in the declared character set, else in UTF-8, else byte by byte: nothing is left out.
fn decoded(value: &[u8], set: &CharacterSets) -> String {
    let text = set
        .decode(value)
        .or_else(|_| std::str::from_utf8(value).map(Into::into))
        .unwrap_or_else(|_| value.iter().map(|&byte| char::from(byte)).collect());
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned()
}
