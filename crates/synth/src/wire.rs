//! A DICOM encoder of our own: data elements to bytes. Written from PS3.5 and sharing no code with
//! the crates under test, so that a mistake in one is not hidden by the same mistake in the other.

use crate::charset::Charset;
use std::collections::BTreeMap;

macro_rules! vrs {
    ($($name:ident $code:literal $unit:literal $long:literal,)*) => {
        /// Value representations (PS3.5 6.2).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names are the standard's own two letters")]
        pub enum Vr { $($name,)* }
        impl Vr {
            fn code(self) -> &'static [u8; 2] {
                match self { $(Self::$name => $code,)* }
            }
            /// Bytes of one binary word, which big endian swaps; 1 for text and byte strings.
            fn unit(self) -> usize {
                match self { $(Self::$name => $unit,)* }
            }
            /// PS3.5 7.1.2: VRs with two reserved bytes and a 32-bit length.
            fn long(self) -> bool {
                match self { $(Self::$name => $long,)* }
            }
        }
    };
}

vrs! {
    Ae b"AE" 1 false, As b"AS" 1 false, At b"AT" 2 false, Cs b"CS" 1 false, Da b"DA" 1 false,
    Ds b"DS" 1 false, Dt b"DT" 1 false, Fd b"FD" 8 false, Fl b"FL" 4 false, Is b"IS" 1 false,
    Lo b"LO" 1 false, Lt b"LT" 1 false, Ob b"OB" 1 true, Of b"OF" 4 true, Ow b"OW" 2 true,
    Pn b"PN" 1 false, Sh b"SH" 1 false, Sl b"SL" 4 false, Sq b"SQ" 1 true, Ss b"SS" 2 false,
    St b"ST" 1 false, Tm b"TM" 1 false, Uc b"UC" 1 true, Ui b"UI" 1 false, Ul b"UL" 4 false,
    Un b"UN" 1 true, Ur b"UR" 1 true, Us b"US" 2 false, Ut b"UT" 1 true,
}

impl Vr {
    /// PS3.5 6.2: UI and byte strings are padded with a null byte, other text with a space.
    fn pad(self) -> u8 {
        if self == Self::Ui || self.unit() > 1 || matches!(self, Self::Ob | Self::Un) {
            0
        } else {
            b' '
        }
    }
}

/// What an element holds. Binary words are little endian here and swapped when written.
#[derive(Clone)]
pub(crate) enum Value {
    Bytes(Vec<u8>),
    Items(Vec<DataSet>),
    /// Items that are written in implicit little endian whatever the transfer syntax, with
    /// undefined length: PS3.5 6.2.2 note 4, a sequence of unknown VR.
    ImplicitItems(Vec<DataSet>),
    /// Encapsulated fragments, without the offset table (PS3.5 A.4).
    Fragments(Vec<Vec<u8>>),
}

#[derive(Clone)]
pub(crate) struct Element {
    vr: Vr,
    value: Value,
}

/// A data set or an item: elements in ascending order, and the character set its text is in.
#[derive(Clone)]
pub(crate) struct DataSet {
    charset: Charset,
    elements: BTreeMap<u32, Element>,
}

/// How the four native ways to write differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coding {
    pub(crate) explicit: bool,
    pub(crate) big_endian: bool,
}

impl Coding {
    pub(crate) const IMPLICIT_LE: Self = Self { explicit: false, big_endian: false };
    pub(crate) const EXPLICIT_LE: Self = Self { explicit: true, big_endian: false };
    pub(crate) const EXPLICIT_BE: Self = Self { explicit: true, big_endian: true };
}

/// How the lengths of sequences and items are written (PS3.5 7.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lengths {
    /// Every length is stated.
    Defined,
    /// Sequences and items end at their delimiters.
    Undefined,
}

impl DataSet {
    pub(crate) fn new(charset: Charset) -> Self {
        Self { charset, elements: BTreeMap::new() }
    }

    pub(crate) fn charset(&self) -> Charset {
        self.charset
    }

    pub(crate) fn put(&mut self, tag: u32, vr: Vr, value: Value) -> &mut Self {
        self.elements.insert(tag, Element { vr, value });
        self
    }

    /// The first word of an element of VR US.
    pub(crate) fn word(&self, tag: u32) -> Option<u16> {
        match &self.elements.get(&tag)?.value {
            Value::Bytes(bytes) => Some(u16::from_le_bytes(*bytes.first_chunk()?)),
            _ => None,
        }
    }

    /// Takes over every element of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.elements.extend(other.elements.iter().map(|(tag, e)| (*tag, e.clone())));
    }

    pub(crate) fn remove(&mut self, tag: u32) -> &mut Self {
        self.elements.remove(&tag);
        self
    }

    pub(crate) fn bytes(&mut self, tag: u32, vr: Vr, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.put(tag, vr, Value::Bytes(bytes.into()))
    }

    /// Text in the data set's character set.
    pub(crate) fn text(&mut self, tag: u32, vr: Vr, text: &str) -> &mut Self {
        let bytes = self.charset.encode(text);
        self.bytes(tag, vr, bytes)
    }

    pub(crate) fn us(&mut self, tag: u32, values: &[u16]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.bytes(tag, Vr::Us, bytes)
    }

    pub(crate) fn ul(&mut self, tag: u32, values: &[u32]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.bytes(tag, Vr::Ul, bytes)
    }

    pub(crate) fn fl(&mut self, tag: u32, values: &[f32]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.bytes(tag, Vr::Fl, bytes)
    }

    pub(crate) fn fd(&mut self, tag: u32, values: &[f64]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.bytes(tag, Vr::Fd, bytes)
    }

    /// Tags as values (VR AT): group, then element.
    pub(crate) fn at(&mut self, tag: u32, values: &[u32]) -> &mut Self {
        let words = values.iter().flat_map(|v| [(v >> 16) as u16, *v as u16]);
        let bytes: Vec<u8> = words.flat_map(u16::to_le_bytes).collect();
        self.bytes(tag, Vr::At, bytes)
    }

    pub(crate) fn seq(&mut self, tag: u32, items: Vec<DataSet>) -> &mut Self {
        self.put(tag, Vr::Sq, Value::Items(items))
    }

    /// How many items a sequence has so far.
    pub(crate) fn items(&self, tag: u32) -> usize {
        match self.elements.get(&tag).map(|element| &element.value) {
            Some(Value::Items(items)) => items.len(),
            _ => 0,
        }
    }

    /// Adds an item to the end of a sequence.
    pub(crate) fn push_item(&mut self, tag: u32, item: Self) {
        let new = || Element { vr: Vr::Sq, value: Value::Items(Vec::new()) };
        if let Value::Items(items) = &mut self.elements.entry(tag).or_insert_with(new).value {
            items.push(item);
        }
    }

    /// A new item with the same character set, filled by `fill`.
    pub(crate) fn item(&self, fill: impl FnOnce(&mut DataSet)) -> DataSet {
        let mut item = DataSet::new(self.charset);
        fill(&mut item);
        item
    }

    /// A sequence with one item.
    pub(crate) fn one(&mut self, tag: u32, fill: impl FnOnce(&mut DataSet)) -> &mut Self {
        let item = self.item(fill);
        self.seq(tag, vec![item])
    }

    /// A code sequence with one code: value, scheme, meaning (PS3.3 8.8).
    pub(crate) fn code(&mut self, tag: u32, code: [&str; 3]) -> &mut Self {
        let item = code_item(self.charset, code);
        self.seq(tag, vec![item])
    }

    /// Appends the encoded elements to `out`; returns where Pixel Data's header starts.
    pub(crate) fn encode(&self, coding: Coding, lengths: Lengths, out: &mut Vec<u8>) -> usize {
        let writer = Writer { coding, lengths };
        let mut pixel_data_at = None;
        for (&tag, element) in &self.elements {
            if tag == 0x7fe0_0010 {
                pixel_data_at = Some(out.len());
            }
            writer.element(tag, element, out);
        }
        pixel_data_at.unwrap_or(out.len())
    }
}

/// A code as an item (PS3.3 8.8).
pub(crate) fn code_item(charset: Charset, [value, scheme, meaning]: [&str; 3]) -> DataSet {
    let mut item = DataSet::new(charset);
    item.text(0x0008_0100, Vr::Sh, value);
    item.text(0x0008_0102, Vr::Sh, scheme);
    item.text(0x0008_0104, Vr::Lo, meaning);
    item
}

/// Items encoded as implicit little endian with undefined lengths and the sequence's delimiter, as
/// they lie inside a value of VR UN.
pub(crate) fn implicit_items(items: &[DataSet]) -> Vec<u8> {
    let writer = Writer { coding: Coding::IMPLICIT_LE, lengths: Lengths::Undefined };
    let mut out = Vec::new();
    items.iter().for_each(|item| writer.one_item(item, &mut out));
    out
}

const ITEM: u32 = 0xfffe_e000;
const ITEM_END: u32 = 0xfffe_e00d;
const SEQUENCE_END: u32 = 0xfffe_e0dd;
const UNDEFINED: u32 = 0xffff_ffff;

struct Writer {
    coding: Coding,
    lengths: Lengths,
}

impl Writer {
    fn u16(&self, value: u16, out: &mut Vec<u8>) {
        out.extend(if self.coding.big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn u32(&self, value: u32, out: &mut Vec<u8>) {
        out.extend(if self.coding.big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn tag(&self, tag: u32, out: &mut Vec<u8>) {
        self.u16((tag >> 16) as u16, out);
        self.u16(tag as u16, out);
    }

    fn delimiter(&self, tag: u32, length: u32, out: &mut Vec<u8>) {
        self.tag(tag, out);
        self.u32(length, out);
    }

    /// PS3.5 7.1.2 and 7.1.3: tag, VR when explicit, length.
    fn header(&self, tag: u32, vr: Vr, length: u32, out: &mut Vec<u8>) {
        self.tag(tag, out);
        if !self.coding.explicit {
            return self.u32(length, out);
        }
        out.extend(vr.code());
        if vr.long() {
            self.u16(0, out);
            self.u32(length, out);
        } else {
            self.u16(length as u16, out);
        }
    }

    fn element(&self, tag: u32, element: &Element, out: &mut Vec<u8>) {
        match &element.value {
            Value::Bytes(bytes) => self.plain(tag, element.vr, bytes, out),
            Value::Items(items) => self.sequence(tag, element.vr, items, out),
            Value::ImplicitItems(items) => {
                self.header(tag, Vr::Un, UNDEFINED, out);
                out.extend(implicit_items(items));
                // Inside a big endian data set only the sequence's own header is big endian.
                let inner = Self { coding: Coding::IMPLICIT_LE, lengths: self.lengths };
                inner.delimiter(SEQUENCE_END, 0, out);
            }
            Value::Fragments(fragments) => {
                self.header(tag, Vr::Ob, UNDEFINED, out);
                self.delimiter(ITEM, 0, out);
                for fragment in fragments {
                    self.delimiter(ITEM, (fragment.len() + fragment.len() % 2) as u32, out);
                    out.extend(fragment);
                    out.extend(std::iter::repeat_n(0, fragment.len() % 2));
                }
                self.delimiter(SEQUENCE_END, 0, out);
            }
        }
    }

    fn plain(&self, tag: u32, vr: Vr, bytes: &[u8], out: &mut Vec<u8>) {
        let padding = bytes.len() % 2;
        self.header(tag, vr, (bytes.len() + padding) as u32, out);
        let unit = vr.unit();
        if self.coding.big_endian && unit > 1 {
            for word in bytes.chunks(unit) {
                out.extend(word.iter().rev());
            }
        } else {
            out.extend_from_slice(bytes);
        }
        out.extend(std::iter::repeat_n(vr.pad(), padding));
    }

    fn sequence(&self, tag: u32, vr: Vr, items: &[DataSet], out: &mut Vec<u8>) {
        if self.lengths == Lengths::Undefined {
            self.header(tag, vr, UNDEFINED, out);
            items.iter().for_each(|item| self.one_item(item, out));
            return self.delimiter(SEQUENCE_END, 0, out);
        }
        let mut content = Vec::new();
        items.iter().for_each(|item| self.one_item(item, &mut content));
        self.header(tag, vr, content.len() as u32, out);
        out.extend(content);
    }

    fn one_item(&self, item: &DataSet, out: &mut Vec<u8>) {
        if self.lengths == Lengths::Undefined {
            self.delimiter(ITEM, UNDEFINED, out);
            item.elements.iter().for_each(|(&tag, e)| self.element(tag, e, out));
            return self.delimiter(ITEM_END, 0, out);
        }
        let mut content = Vec::new();
        item.elements.iter().for_each(|(&tag, e)| self.element(tag, e, &mut content));
        self.delimiter(ITEM, content.len() as u32, out);
        out.extend(content);
    }
}
