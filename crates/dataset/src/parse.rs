//! The element parser (PS3.5 section 7): bounded, without recursion past [`Limits::depth`], and
//! able to say "more bytes, please" so that a header is read without knowing its size.

use crate::{Element, Kind, Limits, Tag, Vr, dict, tags};
use scanveil_model::{Reason, ReasonCode, TagPath};

/// How elements are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// Value representations are written.
    pub explicit: bool,
    /// Numbers are big endian.
    pub big_endian: bool,
}

impl Encoding {
    /// Implicit VR little endian: also the content of UN sequences (PS3.5 6.2.2).
    pub const IMPLICIT_LITTLE: Self = Self { explicit: false, big_endian: false };

    /// Reads 16 bits.
    #[must_use]
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }
    /// Reads 32 bits.
    #[must_use]
    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// Length of an element whose end is marked by a delimiter (PS3.5 7.1.1).
pub(crate) const UNDEFINED: u32 = 0xffff_ffff;

/// Why parsing stopped.
pub(crate) enum Stop {
    /// The buffer must reach at least this far.
    NeedMore(usize),
    /// The bytes are not acceptable. Boxed: results are passed for every element.
    Bad(Box<Reason>),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Bad(Box::new(reason))
    }
}

impl Stop {
    fn bad(code: ReasonCode, tag: Tag, detail: &str) -> Self {
        Reason::at(code, TagPath(tag.to_string()), detail).into()
    }
}

/// Tag, VR and length as written.
pub(crate) struct RawHeader {
    pub(crate) tag: Tag,
    pub(crate) declared: Option<Vr>,
    pub(crate) length: u32,
    /// Where the value begins.
    pub(crate) start: usize,
}

/// Whether something stands behind a value that can.
enum Followed {
    Yes,
    No,
    /// The buffer must reach that far.
    Later(usize),
}

/// Parses over a buffer that may still grow.
pub(crate) struct Parser<'b> {
    pub(crate) bytes: &'b [u8],
    pub(crate) elements: &'b mut Vec<Element>,
    pub(crate) limits: &'b Limits,
    /// Nothing follows the bytes that are there.
    pub(crate) whole: bool,
}

impl Parser<'_> {
    #[inline]
    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Stop> {
        match self.bytes.get(at..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => Ok(*bytes),
            None => Err(Stop::NeedMore(at + N)),
        }
    }

    /// Tag, VR and length at `at` (PS3.5 7.1.2, 7.1.3). Inlined: this is asked for every element.
    #[inline]
    pub(crate) fn raw_header(&self, at: usize, encoding: Encoding) -> Result<RawHeader, Stop> {
        let head: [u8; 8] = self.array(at)?;
        let group = encoding.u16([head[0], head[1]]);
        let tag = Tag::new(group, encoding.u16([head[2], head[3]]));
        let length = encoding.u32([head[4], head[5], head[6], head[7]]);
        // Items and delimiters have no VR in either form (PS3.5 7.5).
        if group == 0xfffe || !encoding.explicit {
            return Ok(RawHeader { tag, declared: None, length, start: at + 8 });
        }
        let vr = Vr([head[4], head[5]]);
        if vr.has_short_length() {
            let length = u32::from(encoding.u16([head[6], head[7]]));
            return Ok(RawHeader { tag, declared: Some(vr), length, start: at + 8 });
        }
        if !vr.is_known() {
            return self.odd_header(at, tag, vr, encoding);
        }
        let length = encoding.u32(self.array(at + 8)?);
        Ok(RawHeader { tag, declared: Some(vr), length, start: at + 12 })
    }

    /// Where no known value representation stands: small letters, blanks, question marks, zero
    /// bytes, letters that nobody knows. How its length is written is told by what then follows.
    #[cold]
    fn odd_header(
        &self,
        at: usize,
        tag: Tag,
        vr: Vr,
        encoding: Encoding,
    ) -> Result<RawHeader, Stop> {
        let head: [u8; 8] = self.array(at)?;
        let written = |length, start| RawHeader { tag, declared: Some(vr), length, start };
        let short = || written(u32::from(encoding.u16([head[6], head[7]])), at + 8);
        let implicit = || written(encoding.u32([head[4], head[5], head[6], head[7]]), at + 8);
        let long = || self.array(at + 8).map(|length| written(encoding.u32(length), at + 12));
        // All future value representations have a 32-bit length (PS3.5 6.2).
        let future = vr.0.iter().all(u8::is_ascii_uppercase);
        let is_long = vr.in_capitals().map_or(future, Vr::has_long_length);
        let mut more = None;
        let ways = if is_long { [2, 0, 1] } else { [0, 1, 2] };
        for way in ways {
            let raw = match way {
                0 => short(),
                1 => implicit(),
                _ => match long() {
                    Ok(raw) if head[6..] == [0, 0] => raw,
                    _ => continue,
                },
            };
            match self.is_followed(&raw, encoding) {
                Followed::Yes => return Ok(raw),
                Followed::No => {}
                Followed::Later(want) => more = more.or(Some(want)),
            }
        }
        match more {
            Some(want) => Err(Stop::NeedMore(want)),
            None => Err(Stop::bad(
                ReasonCode::Malformed,
                tag,
                "no value representation where one is due",
            )),
        }
    }

    /// Whether behind the value something stands that can: an element, an item or a delimiter, the
    /// end of the bytes.
    fn is_followed(&self, raw: &RawHeader, encoding: Encoding) -> Followed {
        let undefined = raw.length == UNDEFINED;
        let end = if undefined { raw.start } else { raw.start + raw.length as usize };
        let Some(head) = self.bytes.get(end..).and_then(<[u8]>::first_chunk::<8>) else {
            let ends = end == self.bytes.len();
            return match (self.whole, end + 8 > self.limits.header_bytes) {
                (true, _) if ends => Followed::Yes,
                (true, _) | (_, true) => Followed::No,
                _ => Followed::Later(end + 8),
            };
        };
        let tag = Tag::new(encoding.u16([head[0], head[1]]), encoding.u16([head[2], head[3]]));
        if undefined {
            return if tag == tags::ITEM { Followed::Yes } else { Followed::No };
        }
        let vr = Vr([head[4], head[5]]);
        let known = tag.is_private() || tag.is_group_length() || dict::lookup(tag).is_some();
        let mark = tag.group() == 0xfffe && tag.element() >= 0xe000;
        let element = vr.in_capitals().is_some() || Some(vr) == raw.declared;
        if mark || (known && tag.group() >= 8 && element) { Followed::Yes } else { Followed::No }
    }

    fn push(&mut self, element: Element) -> Result<usize, Stop> {
        if self.elements.len() >= self.limits.elements {
            return Err(Stop::bad(ReasonCode::LimitExceeded, element.tag, "limit: elements"));
        }
        self.elements.push(element);
        Ok(self.elements.len() - 1)
    }

    fn close(&mut self, index: usize, end: usize) {
        let next = self.elements.len() as u32;
        let entry = &mut self.elements[index];
        entry.next = next;
        entry.length = (end - entry.start as usize) as u32;
    }

    /// Parses the element at `at`, which must end by `end`; gives where the next one begins.
    pub(crate) fn element(
        &mut self,
        at: usize,
        end: usize,
        encoding: Encoding,
        depth: u16,
        parent: u32,
    ) -> Result<usize, Stop> {
        let raw = self.raw_header(at, encoding)?;
        self.element_of(&raw, end, encoding, depth, parent)
    }

    /// Parses the element that begins with `raw`.
    pub(crate) fn element_of(
        &mut self,
        raw: &RawHeader,
        end: usize,
        encoding: Encoding,
        depth: u16,
        parent: u32,
    ) -> Result<usize, Stop> {
        if raw.tag.group() == 0xfffe {
            return Err(Stop::bad(
                ReasonCode::Malformed,
                raw.tag,
                "item or delimiter out of place",
            ));
        }
        let (vr, declared) = representation(raw);
        let undefined = raw.length == UNDEFINED;
        let mut entry = Element {
            tag: raw.tag,
            vr,
            declared,
            kind: Kind::Leaf,
            undefined_length: undefined,
            odd: raw.declared.is_some_and(|vr| !vr.is_known()),
            encoding,
            start: raw.start as u32,
            length: 0,
            next: 0,
            parent,
        };
        let value_end = if undefined { None } else { Some(self.value_end(raw, end)?) };
        let sequence = vr == Vr::SQ || (undefined && vr == Vr::UN);
        if !sequence {
            return self.leaf(entry, value_end, end, depth);
        }
        let inner =
            if declared == Vr::UN { self.in_unknown(raw.start, encoding)? } else { encoding };
        entry.kind = Kind::Sequence;
        let mark = self.elements.len();
        match self.sequence(entry, value_end, end, inner, depth) {
            // A UN value that the dictionary calls a sequence, but which is none: opaque.
            Err(Stop::Bad(_)) if declared == Vr::UN && !undefined => {
                self.elements.truncate(mark);
                entry.kind = Kind::Leaf;
                entry.vr = Vr::UN;
                self.leaf(entry, value_end, end, depth)
            }
            other => other,
        }
    }

    /// How the items of a sequence are encoded that was written as UN: implicit (PS3.5 6.2.2),
    /// unless the first element says a value representation that is its own.
    fn in_unknown(&self, start: usize, encoding: Encoding) -> Result<Encoding, Stop> {
        if !encoding.explicit {
            return Ok(Encoding::IMPLICIT_LITTLE);
        }
        let Some(head) = self.bytes.get(start..).and_then(<[u8]>::first_chunk::<16>) else {
            // A sequence without items is as good in either encoding.
            return if self.whole || self.is_delimited(start, encoding) {
                Ok(Encoding::IMPLICIT_LITTLE)
            } else {
                Err(Stop::NeedMore(start + 16))
            };
        };
        let tag = Tag::new(encoding.u16([head[8], head[9]]), encoding.u16([head[10], head[11]]));
        let vr = Vr([head[12], head[13]]);
        let its_own = |entry: dict::DictEntry| entry.several || entry.vr == vr || vr == Vr::UN;
        let explicit =
            vr.is_known() && (tag.is_private() || dict::lookup(tag).is_some_and(its_own));
        Ok(if explicit { encoding } else { Encoding::IMPLICIT_LITTLE })
    }

    fn is_delimited(&self, at: usize, encoding: Encoding) -> bool {
        self.raw_header(at, encoding).is_ok_and(|raw| raw.tag == tags::SEQUENCE_DELIMITATION)
    }

    fn value_end(&self, raw: &RawHeader, end: usize) -> Result<usize, Stop> {
        let value_end = raw.start + raw.length as usize;
        if value_end > end {
            return Err(Stop::bad(ReasonCode::Malformed, raw.tag, "longer than what holds it"));
        }
        if value_end > self.bytes.len() {
            if value_end > self.limits.header_bytes {
                return Err(Stop::bad(ReasonCode::LimitExceeded, raw.tag, "limit: header bytes"));
            }
            return Err(Stop::NeedMore(value_end));
        }
        Ok(value_end)
    }

    fn leaf(
        &mut self,
        mut entry: Element,
        value_end: Option<usize>,
        end: usize,
        depth: u16,
    ) -> Result<usize, Stop> {
        if let Some(value_end) = value_end {
            entry.length = (value_end - entry.start as usize) as u32;
            entry.next = self.elements.len() as u32 + 1;
            self.push(entry)?;
            return Ok(value_end);
        }
        let index = self.push(entry)?;
        // Encapsulated fragments below the top level (an icon, for example).
        if depth == 0 && !matches!(&entry.vr.0, b"OB" | b"OW" | b"UN") {
            return Err(Stop::bad(ReasonCode::Malformed, entry.tag, "undefined length"));
        }
        let (value_end, next) = self.fragments(entry.start as usize, end, entry.encoding)?;
        self.close(index, value_end);
        Ok(next)
    }

    /// Walks fragments to their delimiter: where the value ends and where the next element begins.
    fn fragments(
        &self,
        mut at: usize,
        end: usize,
        encoding: Encoding,
    ) -> Result<(usize, usize), Stop> {
        loop {
            let raw = self.raw_header(at, encoding)?;
            if raw.tag == tags::SEQUENCE_DELIMITATION {
                return Ok((at, raw.start));
            }
            if raw.tag != tags::ITEM || raw.length == UNDEFINED {
                return Err(Stop::bad(ReasonCode::Malformed, raw.tag, "not a fragment"));
            }
            at = self.value_end(&raw, end)?;
        }
    }

    fn sequence(
        &mut self,
        entry: Element,
        value_end: Option<usize>,
        end: usize,
        inner: Encoding,
        depth: u16,
    ) -> Result<usize, Stop> {
        if depth >= self.limits.depth {
            return Err(Stop::bad(ReasonCode::LimitExceeded, entry.tag, "limit: depth"));
        }
        let index = self.push(entry)?;
        let (content_end, next) =
            self.items(entry.start as usize, value_end, end, inner, depth, index as u32)?;
        self.close(index, content_end);
        Ok(next)
    }

    fn items(
        &mut self,
        mut at: usize,
        value_end: Option<usize>,
        end: usize,
        encoding: Encoding,
        depth: u16,
        sequence: u32,
    ) -> Result<(usize, usize), Stop> {
        let bound = value_end.unwrap_or(end);
        loop {
            if value_end == Some(at) {
                return Ok((at, at));
            }
            let raw = self.raw_header(at, encoding)?;
            match raw.tag {
                tags::SEQUENCE_DELIMITATION if value_end.is_none() => return Ok((at, raw.start)),
                tags::ITEM => {
                    at = self.item(&raw, bound, encoding, depth, sequence)?;
                }
                tag => return Err(Stop::bad(ReasonCode::Malformed, tag, "not an item")),
            }
        }
    }

    fn item(
        &mut self,
        raw: &RawHeader,
        bound: usize,
        encoding: Encoding,
        depth: u16,
        sequence: u32,
    ) -> Result<usize, Stop> {
        let undefined = raw.length == UNDEFINED;
        let item_end = if undefined { None } else { Some(self.value_end(raw, bound)?) };
        let index = self.push(Element {
            tag: raw.tag,
            vr: Vr::UN,
            declared: Vr::UN,
            kind: Kind::Item,
            undefined_length: undefined,
            odd: false,
            encoding,
            start: raw.start as u32,
            length: 0,
            next: 0,
            parent: sequence,
        })?;
        let mut at = raw.start;
        loop {
            if item_end == Some(at) {
                self.close(index, at);
                return Ok(at);
            }
            if undefined {
                let next = self.raw_header(at, encoding)?;
                if next.tag == tags::ITEM_DELIMITATION {
                    self.close(index, at);
                    return Ok(next.start);
                }
            }
            let within = item_end.unwrap_or(bound);
            at = self.element(at, within, encoding, depth + 1, index as u32)?;
        }
    }
}

/// The VR to treat an element by, and the VR as written.
fn representation(raw: &RawHeader) -> (Vr, Vr) {
    let known = || dict::lookup(raw.tag).map(|entry| entry.vr);
    match raw.declared {
        // A known tag written as UN is treated by the dictionary (PS3.5 6.2.2).
        Some(Vr::UN) => (known().unwrap_or(Vr::UN), Vr::UN),
        Some(vr) if vr.is_known() => (vr, vr),
        // What is none says nothing: as UN.
        Some(vr) => (vr.in_capitals().or_else(known).unwrap_or(Vr::UN), Vr::UN),
        None if raw.tag.is_private_creator() => (Vr::LO, Vr::LO),
        None => {
            let vr = known().unwrap_or(Vr::UN);
            (vr, vr)
        }
    }
}
