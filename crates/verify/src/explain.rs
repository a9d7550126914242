//! What was found in a written instance: in which element, and whether our own writing explains it.

use crate::What;
use crate::spelling::Rule;
use crate::verifier::{Hit, Kept, Verifier};
use scanveil_dataset::{
    CharacterSets, Element, Header, Kind, Limits, Tag, TransferSyntax, Vr, file_meta, open_slice,
    peek_part10, tags,
};
use scanveil_model::{Reason, ReasonCode};
use std::borrow::Cow;
use std::ops::Range;

/// What the verification is told of the writing.
#[derive(Clone, Copy)]
pub(crate) struct Told<'t> {
    /// Values that are ours.
    pub(crate) ours: &'t [&'t [u8]],
    /// Elements that keep something on purpose, in order of their places.
    pub(crate) kept: &'t [Kept],
}

impl Told<'_> {
    fn of(&self, at: usize, tag: Tag) -> Option<&Kept> {
        let index = self.kept.binary_search_by_key(&at, |kept| kept.at).ok()?;
        self.kept.get(index).filter(|kept| kept.tag == tag)
    }
}

/// Forms shorter than this are met by chance among numbers.
const BY_CHANCE: usize = 8;

/// An instance as it was written, ready to be parsed: of a deflated one, under another transfer
/// syntax, because its elements are not deflated yet.
pub(crate) struct Instance<'w> {
    written: &'w [u8],
    bytes: Cow<'w, [u8]>,
    /// Where the data set begins in what was written, and in `bytes`.
    data_set: (usize, usize),
}

/// Its elements.
pub(crate) struct Parsed<'p> {
    instance: &'p Instance<'p>,
    header: Header<'p>,
    /// Where the value of the pixel data begins, or the end.
    end: usize,
}

fn unreadable<E>(_: E) -> Reason {
    Reason::new(ReasonCode::Internal, "the output does not parse")
}

/// What was found, at a place that is no element.
fn residual(what: What, place: &str) -> Reason {
    let detail = format!("found by verification: {} {place}", what.as_str());
    Reason::new(ReasonCode::ResidualIdentifier, detail)
}

impl<'w> Instance<'w> {
    pub(crate) fn new(written: &'w [u8]) -> Result<Self, Reason> {
        let peeked = peek_part10(written).map_err(unreadable)?;
        let at = peeked.data_set_at;
        let syntax = peeked.transfer_syntax.as_ref();
        let syntax = syntax.and_then(|uid| TransferSyntax::find(uid.as_str()));
        if !syntax.is_some_and(|syntax| syntax.deflated) {
            return Ok(Self { written, bytes: Cow::Borrowed(written), data_set: (at, at) });
        }
        let mut bytes = file_meta("1.2.3", "1.2.3", TransferSyntax::EXPLICIT_LITTLE);
        let start = bytes.len();
        bytes.extend_from_slice(written.get(at..).unwrap_or(&[]));
        Ok(Self { written, bytes: Cow::Owned(bytes), data_set: (at, start) })
    }

    pub(crate) fn parse(&self) -> Result<Parsed<'_>, Reason> {
        let (header, body) = open_slice(&self.bytes, &Limits::default()).map_err(unreadable)?;
        let end = self.bytes.len() - body.as_slice().map_or(0, <[u8]>::len);
        Ok(Parsed { instance: self, header, end })
    }
}

impl Parsed<'_> {
    /// Passes over what our own writing explains.
    pub(crate) fn judge(
        &self,
        hit: &Hit<'_>,
        verifier: &Verifier,
        told: Told<'_>,
    ) -> Result<(), Reason> {
        let (from, to) = self.instance.data_set;
        if hit.start < from {
            return self.in_meta(hit);
        }
        let (start, end) = (hit.start - from + to, hit.end - from + to);
        if end > self.end {
            let chance = end - start < BY_CHANCE || hit.is_grouped();
            let found = || residual(hit.form.what, "behind the elements");
            return if chance { Ok(()) } else { Err(found()) };
        }
        let elements = self.header.data.elements();
        // The last entry that begins there or before: entries stand in the order of their bytes.
        let index = elements.partition_point(|element| element.start as usize <= start);
        let holder = index.checked_sub(1).and_then(|index| Some((index, elements.get(index)?)));
        let holder = holder.filter(|(_, element)| {
            element.kind == Kind::Leaf && end <= (element.start + element.length) as usize
        });
        // Tags, lengths and delimiters say nothing.
        let Some((index, element)) = holder else { return Ok(()) };
        let within = start - element.start as usize..end - element.start as usize;
        let kept = told.of(element.start as usize + from - to, element.tag);
        let found = Found { hit, header: &self.header, element, within };
        if found.is_explained(verifier, told.ours) || kept.is_some_and(|kept| found.is_in(kept)) {
            return Ok(());
        }
        let detail = format!("found by verification: {}", hit.form.what.as_str());
        Err(Reason::at(ReasonCode::ResidualIdentifier, self.header.data.path(index), detail))
    }

    /// In the file meta information only the instance's own UID, which the data set repeats, may
    /// be one that the profile keeps.
    fn in_meta(&self, hit: &Hit<'_>) -> Result<(), Reason> {
        let written = self.instance.written;
        let part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        let start =
            written[..hit.start].iter().rposition(|byte| !part(byte)).map_or(0, |at| at + 1);
        let length = written[start..].iter().take_while(|byte| part(byte)).count();
        let uid = &written[start..start + length];
        if hit.is_grouped() {
            return Ok(());
        }
        if hit.form.what != What::Uid && self.header.data.text(tags::SOP_INSTANCE_UID) == Some(uid)
        {
            return Ok(());
        }
        Err(residual(hit.form.what, "in the file meta information"))
    }
}

/// A hit within the value of an element.
struct Found<'j> {
    hit: &'j Hit<'j>,
    header: &'j Header<'j>,
    element: &'j Element,
    within: Range<usize>,
}

impl Found<'_> {
    fn is_explained(&self, verifier: &Verifier, ours: &[&[u8]]) -> bool {
        self.is_number_by_chance()
            || self.is_list_by_chance()
            || self.is_term()
            || self.is_keyed()
            || self.is_deidentification()
            || self.is_shifted(verifier)
            || ours.iter().any(|own| self.is_within(own))
    }

    fn is_number_by_chance(&self) -> bool {
        let form = self.hit.form;
        match &self.element.vr.0 {
            b"AT" | b"FD" | b"FL" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SL" | b"SS"
            | b"SV" | b"UL" | b"US" | b"UV" => form.bytes.len() < BY_CHANCE,
            // Hours, minutes and seconds, and their fractions, are six digits each.
            b"TM" | b"DT" | b"DS" => form.is_number() && form.bytes.len() < BY_CHANCE,
            _ => false,
        }
    }

    /// Groups of digits are numbers of their own where no text stands: coordinates, UIDs, times.
    fn is_list_by_chance(&self) -> bool {
        let text = matches!(
            &self.element.vr.0,
            b"AE" | b"CS" | b"LO" | b"LT" | b"PN" | b"SH" | b"ST" | b"UC" | b"UR" | b"UT"
        );
        self.hit.is_grouped() && !text
    }

    /// A defined term, or a part of one: `ISO_IR 100`, `SMR_B1RMS`.
    fn is_term(&self) -> bool {
        let value = self.header.data.value(self.element);
        if self.element.tag == tags::SPECIFIC_CHARACTER_SET {
            return CharacterSets::parse(value).is_ok();
        }
        let joined = |at: Option<usize>| at.and_then(|at| value.get(at)) == Some(&b'_');
        self.element.vr == Vr::CS
            && self.hit.form.rule == Rule::Word
            && (joined(self.within.start.checked_sub(1)) || joined(Some(self.within.end)))
    }

    /// Digits of a keyed UID fall together with a date or a number: they say nothing.
    fn is_keyed(&self) -> bool {
        let value = self.header.data.value(self.element);
        self.element.vr == Vr::UI && value.starts_with(b"2.25.") && self.hit.form.what != What::Uid
    }

    /// Patient Identity Removed, the method, and its codes.
    fn is_deidentification(&self) -> bool {
        let elements = self.header.data.elements();
        let mut outer = self.element;
        while let Some(parent) = elements.get(outer.parent as usize) {
            outer = parent;
        }
        // An item's parent is its sequence: the last one is at the top.
        let top = outer.tag;
        (Tag::new(0x0012, 0x0062)..=Tag::new(0x0012, 0x0064)).contains(&top)
    }

    /// Whether the element keeps this on purpose.
    fn is_in(&self, kept: &Kept) -> bool {
        let Range { start, end } = self.within;
        let holds = |word: &Range<usize>| word.start <= start && end <= word.end;
        kept.kinds.contains(&self.hit.form.what) || kept.words.iter().any(holds)
    }

    /// A shifted date can be another date of the study; it is its own where it stood before.
    fn is_shifted(&self, verifier: &Verifier) -> bool {
        let dated = matches!(self.element.vr, Vr::DA | Vr::DT);
        let holders = verifier.holders(self.hit.form);
        dated && holders.is_some_and(|holders| !holders.contains(&self.element.tag))
    }

    /// Whether what was found lies within a value that is ours.
    fn is_within(&self, own: &[u8]) -> bool {
        if own.is_empty() {
            return false;
        }
        let value = self.header.data.value(self.element);
        let first = self.within.end.saturating_sub(own.len());
        (first..=self.within.start).any(|at| value.get(at..at + own.len()) == Some(own))
    }
}
