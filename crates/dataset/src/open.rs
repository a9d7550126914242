//! Opening an instance: file meta information, the data set up to the pixel data, and the rest as a
//! stream.

use crate::element::List;
use crate::meta::{FileMeta, read_meta};
use crate::parse::{Parser, Stop, UNDEFINED};
use crate::{DataSet, Element, Limits, NO_PARENT, Tag, TransferSyntax, Vr, tags};
use flate2::read::DeflateDecoder;
use scanveil_model::{Reason, ReasonCode, TagPath};
use std::borrow::Cow;
use std::io::{self, Read};

/// How much is read at a time while a header is parsed.
const STEP: usize = 64 << 10;
/// Room in a new list of elements: most headers have fewer.
const ELEMENTS: usize = 320;

/// The top-level pixel data element; its value is the [`Body`].
#[derive(Debug, Clone, Copy)]
pub struct PixelElement {
    /// Pixel Data, Float Pixel Data or Double Float Pixel Data.
    pub tag: Tag,
    /// Value representation as written; OW for implicit VR.
    pub vr: Vr,
    /// Bytes claimed; `None` when encapsulated in fragments.
    pub length: Option<u32>,
}

/// Everything before the value of the pixel data.
pub struct Header<'a> {
    /// File meta information.
    pub meta: Cow<'a, FileMeta>,
    /// Transfer syntax of the data set.
    pub syntax: &'static TransferSyntax,
    /// The elements before the pixel data.
    pub data: DataSet<'a>,
    /// The pixel data element, if there is one.
    pub pixel: Option<PixelElement>,
}

/// What parsing the header of an instance in memory gave, without the bytes: over the same bytes it
/// is a [`Header`] again, and nothing is parsed twice.
pub struct Outline {
    meta: FileMeta,
    syntax: &'static TransferSyntax,
    list: List,
    pixel: Option<PixelElement>,
    body_at: usize,
    length: usize,
}

impl Outline {
    /// The instance over the bytes that the outline was made from.
    ///
    /// # Errors
    /// [`ReasonCode::Internal`] when they are not as long as those.
    pub fn open<'a>(&'a self, bytes: &'a [u8]) -> Result<(Header<'a>, Body<'a, &'a [u8]>), Reason> {
        let body = bytes.get(self.body_at..).filter(|_| bytes.len() == self.length);
        let body = body.ok_or_else(|| Reason::new(ReasonCode::Internal, "other bytes"))?;
        let header = Header {
            meta: Cow::Borrowed(&self.meta),
            syntax: self.syntax,
            data: DataSet::over(bytes, &self.list),
            pixel: self.pixel,
        };
        Ok((header, Body { head: Cow::Borrowed(body), at: 0, rest: Rest::Nothing }))
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.list.size()
    }

    /// The instance over its bytes.
    fn into_header<R>(self, bytes: &[u8], rest: Rest<R>) -> (Header<'_>, Body<'_, R>) {
        let Self { meta, syntax, list, pixel, body_at, .. } = self;
        let data = DataSet::new(Cow::Borrowed(bytes), list);
        let body = Body { head: Cow::Borrowed(&bytes[body_at..]), at: 0, rest };
        (Header { meta: Cow::Owned(meta), syntax, data, pixel }, body)
    }
}

/// What follows the header: the pixel data's value and whatever comes after it.
pub struct Body<'a, R> {
    head: Cow<'a, [u8]>,
    at: usize,
    rest: Rest<R>,
}

enum Rest<R> {
    Nothing,
    Plain(R),
    Inflate(Box<Inflater<R>>),
}

impl<'a, R: Read> Body<'a, R> {
    /// The whole body, when it lies in memory already.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        matches!(self.rest, Rest::Nothing).then(|| &self.head[self.at..])
    }
}

impl<R: Read> Read for Body<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let head = &self.head[self.at..];
        if !head.is_empty() {
            let n = head.len().min(out.len());
            out[..n].copy_from_slice(&head[..n]);
            self.at += n;
            return Ok(n);
        }
        match &mut self.rest {
            Rest::Nothing => Ok(0),
            Rest::Plain(input) => input.read(out),
            Rest::Inflate(input) => input.read(out),
        }
    }
}

/// Inflates with a bound on the ratio and on the total.
struct Inflater<R> {
    decoder: DeflateDecoder<io::Chain<io::Cursor<Vec<u8>>, R>>,
    limits: (u64, u64),
}

impl<R: Read> Read for Inflater<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(out)?;
        let (inflated, deflated) = (self.decoder.total_out(), self.decoder.total_in());
        let (most, ratio) = self.limits;
        if inflated > most || (inflated > 16 << 20 && inflated / deflated.max(1) > ratio) {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "limit: inflation"));
        }
        Ok(n)
    }
}

/// The growing buffer in front of a reader.
struct Filler<R> {
    bytes: Vec<u8>,
    input: R,
    ended: bool,
}

impl<R: Read> Filler<R> {
    fn new(input: R) -> Self {
        Self { bytes: Vec::new(), input, ended: false }
    }

    /// Reads until `want` bytes are there or the input ends. Grows with what really arrives.
    fn fill(&mut self, want: usize) -> Result<(), Reason> {
        while self.bytes.len() < want && !self.ended {
            let step = STEP.max((want - self.bytes.len()).min(1 << 20));
            let before = self.bytes.len();
            let read = Read::take(&mut self.input, step as u64).read_to_end(&mut self.bytes);
            match read {
                Ok(_) => self.ended = self.bytes.len() - before < step,
                Err(error) => return Err(read_failed(&error)),
            }
        }
        Ok(())
    }
}

/// A failed read as a reason: a tripped limit or corrupt compressed data are the data's fault.
fn read_failed(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Reason::new(ReasonCode::LimitExceeded, "limit: inflation"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            Reason::new(ReasonCode::Malformed, "compressed data is corrupt")
        }
        io::ErrorKind::UnexpectedEof => Reason::new(ReasonCode::Truncated, "ends early"),
        _ => Reason::new(ReasonCode::Internal, "the input could not be read"),
    }
}

/// Opens an instance that is read from a stream.
///
/// # Errors
/// The [`Reason`] why it cannot be taken as a DICOM instance.
pub fn open<R: Read>(
    input: R,
    limits: &Limits,
) -> Result<(Header<'static>, Body<'static, R>), Reason> {
    let mut filler = Filler::new(input);
    filler.fill(STEP)?;
    let (meta, syntax, at) = loop {
        match start(&filler.bytes, limits) {
            Ok(found) => break found,
            Err(stop) => grow(&mut filler, stop)?,
        }
    };
    if syntax.deflated {
        let deflated = filler.bytes.split_off(at);
        let chain = io::Cursor::new(deflated).chain(filler.input);
        let inflater = Inflater {
            decoder: DeflateDecoder::new(chain),
            limits: (limits.inflated_bytes, limits.inflation_ratio),
        };
        let (header, head, input) = elements(Filler::new(inflater), meta, syntax, 0, limits)?;
        let rest = Rest::Inflate(Box::new(input));
        return Ok((header, Body { head: Cow::Owned(head), at: 0, rest }));
    }
    let (header, head, input) = elements(filler, meta, syntax, at, limits)?;
    Ok((header, Body { head: Cow::Owned(head), at: 0, rest: Rest::Plain(input) }))
}

/// What lies in memory of an instance, from its beginning.
enum Start {
    /// Parsed to the pixel data, or to the end of the bytes.
    Parsed(Box<Outline>),
    /// The data set is deflated, and begins here.
    Deflated(FileMeta, &'static TransferSyntax, usize),
}

fn parse(bytes: &[u8], whole: bool, limits: &Limits) -> Result<Start, Stop> {
    let (meta, syntax, at) = start(bytes, limits)?;
    if syntax.deflated {
        return Ok(Start::Deflated(meta, syntax, at));
    }
    let mut list = Vec::with_capacity(ELEMENTS);
    let (pixel, end) = top_level((bytes, whole), at, &mut list, syntax, limits)?;
    let body_at = end.unwrap_or(bytes.len());
    let list = List::new(list);
    Ok(Start::Parsed(Box::new(Outline { meta, syntax, list, pixel, body_at, length: bytes.len() })))
}

/// Parses the header of an instance that lies in memory whole; `None` when it is deflated, and what
/// would be parsed is not these bytes.
///
/// # Errors
/// The [`Reason`] why it cannot be taken as a DICOM instance.
pub fn outline(bytes: &[u8], limits: &Limits) -> Result<Option<Box<Outline>>, Reason> {
    match parse(bytes, true, limits).map_err(ended)? {
        Start::Parsed(mut outline) => {
            outline.list.shrink();
            Ok(Some(outline))
        }
        Start::Deflated(..) => Ok(None),
    }
}

/// Opens an instance that lies in memory whole: nothing is copied unless it is deflated.
///
/// # Errors
/// The [`Reason`] why it cannot be taken as a DICOM instance.
pub fn open_slice<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<(Header<'a>, Body<'a, &'a [u8]>), Reason> {
    let (meta, syntax, at) = match parse(bytes, true, limits).map_err(ended)? {
        Start::Parsed(outline) => return Ok(outline.into_header(bytes, Rest::Nothing)),
        Start::Deflated(meta, syntax, at) => (meta, syntax, at),
    };
    let inflater = Inflater {
        decoder: DeflateDecoder::new(io::Cursor::new(Vec::new()).chain(&bytes[at..])),
        limits: (limits.inflated_bytes, limits.inflation_ratio),
    };
    let (header, head, input) = elements(Filler::new(inflater), meta, syntax, 0, limits)?;
    let rest = Rest::Inflate(Box::new(input));
    Ok((header, Body { head: Cow::Owned(head), at: 0, rest }))
}

/// Opens an instance of which the first bytes lie in memory and `rest` follows; `None` when the
/// pixel data does not begin within them, or nothing can be told from them.
pub fn open_prefix<'a, R: Read>(
    bytes: &'a [u8],
    rest: R,
    limits: &Limits,
) -> Option<(Header<'a>, Body<'a, R>)> {
    match parse(bytes, false, limits) {
        Ok(Start::Parsed(outline)) if outline.pixel.is_some() => {
            Some(outline.into_header(bytes, Rest::Plain(rest)))
        }
        _ => None,
    }
}

fn ended(stop: Stop) -> Reason {
    match stop {
        Stop::Bad(reason) => *reason,
        Stop::NeedMore(_) => Reason::new(ReasonCode::Truncated, "ends within an element"),
    }
}

fn grow<R: Read>(filler: &mut Filler<R>, stop: Stop) -> Result<(), Reason> {
    match stop {
        Stop::NeedMore(want) if !filler.ended && filler.bytes.len() < want => {
            filler.fill(want.max(filler.bytes.len() * 2))
        }
        stop => Err(ended(stop)),
    }
}

/// Finds the file meta information and the transfer syntax, or decides by evidence without them.
fn start(
    bytes: &[u8],
    limits: &Limits,
) -> Result<(FileMeta, &'static TransferSyntax, usize), Stop> {
    let (mut meta, data_at) = find_meta(bytes, limits)?;
    let (syntax, by_evidence) = syntax_of(&meta, &bytes[data_at..])?;
    meta.by_evidence = by_evidence;
    Ok((meta, syntax, data_at))
}

fn not_dicom(detail: &str) -> Stop {
    Reason::new(ReasonCode::NotDicom, detail).into()
}

/// The file meta information, where there is any, and where the data set begins.
pub(crate) fn find_meta(bytes: &[u8], limits: &Limits) -> Result<(FileMeta, usize), Stop> {
    let at = match bytes.get(128..132) {
        Some(b"DICM") => 132,
        _ if bytes.starts_with(b"DICM") => 4,
        _ => 0,
    };
    let rest = bytes.get(at..).unwrap_or(&[]);
    if at == 0 && !looks_like_elements(rest) {
        return Err(not_dicom("neither a preamble nor a plausible first element"));
    }
    let (mut meta, data_at) = read_meta(bytes, at, limits)?;
    meta.preamble = at == 132 && bytes[..128].iter().any(|&b| b != 0);
    Ok((meta, data_at))
}

/// The transfer syntax of a data set, and whether evidence decided it.
pub(crate) fn syntax_of(
    meta: &FileMeta,
    data: &[u8],
) -> Result<(&'static TransferSyntax, bool), Stop> {
    let Some(uid) = &meta.transfer_syntax else {
        let syntax = guess(data).ok_or_else(|| not_dicom("no transfer syntax"))?;
        return Ok((syntax, true));
    };
    let syntax = std::str::from_utf8(uid).ok().and_then(TransferSyntax::find);
    let syntax = syntax.ok_or_else(|| {
        let at = TagPath(tags::TRANSFER_SYNTAX_UID.to_string());
        Stop::from(Reason::at(ReasonCode::UnknownTransferSyntax, at, "not a known transfer syntax"))
    })?;
    Ok(belied(syntax, data).map_or((syntax, false), |other| (other, true)))
}

/// The transfer syntax that a data set is in, where its first element belies the one declared: of
/// those that differ in nothing but how elements are written.
fn belied(declared: &TransferSyntax, data: &[u8]) -> Option<&'static TransferSyntax> {
    if declared.encapsulated() || declared.deflated {
        return None;
    }
    let found = guess(data)?;
    let same = (found.explicit, found.big_endian) == (declared.explicit, declared.big_endian);
    if same {
        return None;
    }
    // The letters of a representation may be the length of an implicit one: they must be its own.
    let head: [u8; 8] = data.get(..8)?.try_into().ok()?;
    let (encoding, vr) = (found.encoding(), Vr([head[4], head[5]]));
    let tag = Tag::new(encoding.u16([head[0], head[1]]), encoding.u16([head[2], head[3]]));
    let its_own = |entry: crate::DictEntry| entry.vr == vr;
    let sure = !found.explicit
        || tag.is_group_length() && vr == Vr::UL
        || crate::lookup(tag).is_some_and(its_own);
    sure.then_some(found)
}

fn looks_like_elements(bytes: &[u8]) -> bool {
    let group = bytes.get(..2).map(|b| [b[0], b[1]]);
    matches!(group, Some([2 | 4 | 8, 0] | [0, 8]))
        && (bytes.starts_with(&[2, 0]) || guess(bytes).is_some())
}

/// How a data set is written, by its first element, where nothing declares it.
fn guess(bytes: &[u8]) -> Option<&'static TransferSyntax> {
    let head: [u8; 8] = bytes.get(..8)?.try_into().ok()?;
    let is_known = |tag: Tag| tag.is_group_length() || crate::lookup(tag).is_some();
    let little =
        Tag::new(u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
    let big =
        Tag::new(u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
    let explicit = Vr([head[4], head[5]]).is_known();
    if explicit && is_known(big) && !is_known(little) {
        return TransferSyntax::find(TransferSyntax::EXPLICIT_BIG);
    }
    if explicit {
        return TransferSyntax::find(TransferSyntax::EXPLICIT_LITTLE);
    }
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    (is_known(little) && length < 1 << 16)
        .then(|| TransferSyntax::find(TransferSyntax::IMPLICIT_LITTLE))?
}

type Opened<R> = (Header<'static>, Vec<u8>, R);

fn elements<R: Read>(
    mut filler: Filler<R>,
    meta: FileMeta,
    syntax: &'static TransferSyntax,
    at: usize,
    limits: &Limits,
) -> Result<Opened<R>, Reason> {
    let mut list = Vec::with_capacity(ELEMENTS);
    let mut from = at;
    let (pixel, end) = loop {
        let bytes = (&*filler.bytes, filler.ended);
        let want = match top_level(bytes, from, &mut list, syntax, limits) {
            Ok((None, _)) if !filler.ended => 0,
            Ok(found) => break found,
            // At the very end of the input, what is missing is only known by trying.
            Err(Stop::NeedMore(want)) if !filler.ended => want,
            Err(stop) => return Err(ended(stop)),
        };
        let there = filler.bytes.len();
        if there >= limits.header_bytes {
            return Err(Reason::new(ReasonCode::LimitExceeded, "limit: header bytes"));
        }
        // In growing steps: with each, the list is walked once from its beginning.
        let step = (there / 2).clamp(STEP, 4 << 20);
        filler.fill(want.max((there + step).min(limits.header_bytes)))?;
        // Keep the whole top-level elements, parse the cut one again.
        from = resume(&mut list, at);
    };
    let end = end.unwrap_or(filler.bytes.len());
    let head = filler.bytes.split_off(end);
    let data = DataSet::new(Cow::Owned(filler.bytes), List::new(list));
    Ok((Header { meta: Cow::Owned(meta), syntax, data, pixel }, head, filler.input))
}

/// Drops the entries of an unfinished last top-level element; gives where parsing goes on.
fn resume(list: &mut Vec<Element>, at: usize) -> usize {
    let mut index = 0;
    let mut end = at;
    while let Some(entry) = list.get(index) {
        if entry.next == 0 {
            list.truncate(index);
            break;
        }
        end = entry.start as usize + entry.length as usize;
        if entry.undefined_length {
            end += 8;
        }
        index = entry.next as usize;
    }
    end
}

type TopLevel = (Option<PixelElement>, Option<usize>);

/// Parses top-level elements from `at` to the pixel data or the end of the bytes.
fn top_level(
    (bytes, whole): (&[u8], bool),
    mut at: usize,
    list: &mut Vec<Element>,
    syntax: &TransferSyntax,
    limits: &Limits,
) -> Result<TopLevel, Stop> {
    let encoding = syntax.encoding();
    let mut parser = Parser { bytes, elements: list, limits, whole };
    while at < bytes.len() {
        let raw = parser.raw_header(at, encoding)?;
        if matches!(
            raw.tag,
            tags::PIXEL_DATA | tags::FLOAT_PIXEL_DATA | tags::DOUBLE_FLOAT_PIXEL_DATA
        ) {
            let pixel = PixelElement {
                tag: raw.tag,
                vr: raw.declared.filter(|vr| vr.is_known()).unwrap_or(Vr::OW),
                length: (raw.length != UNDEFINED).then_some(raw.length),
            };
            return Ok((Some(pixel), Some(raw.start)));
        }
        at = parser.element_of(&raw, usize::MAX, encoding, 0, NO_PARENT)?;
    }
    Ok((None, None))
}
