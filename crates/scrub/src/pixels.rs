//! Pixel data: what may pass, by rule; what is looked into; and how it is copied.

use crate::burned_in::{Scan, Words};
use crate::codestream::blank_comments;
use crate::mask::Mask;
use crate::profile::Declaration;
use crate::rle;
use crate::sink::Sink;
use crate::sop::{PixelClass, SopClass};
use crate::vouched::Vouched;
use scanveil_dataset::{
    Body, DataSet, Encoding, Header, PixelCoding, PixelElement, Tag, Vr, Writer, tags,
};
use scanveil_model::{Reason, ReasonCode, TagPath};
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Read, Write};

/// Bytes of pixel data that are in memory at a time.
const BAND: usize = 2 << 20;
/// Bytes that are read, looked into and written while they are in the second cache of a core.
const PIECE: usize = 128 << 10;
/// Largest fragment of compressed pixel data, and largest frame that it may decode to.
const MOST_FRAGMENT: usize = 32 << 20;
/// Pixel data up to this size is written in one piece with its header.
const SHORT: u64 = 64 << 10;
/// Segmentations and label maps (PS3.3 A.51).
const SEGMENTATION: &str = "segmentation";

thread_local! {
    /// A band that is read from a stream; as long as the longest so far.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// How the pixel data of one instance is passed on.
pub(crate) struct PixelPlan {
    element: PixelElement,
    layout: Layout,
    coding: PixelCoding,
    /// Somebody has looked at it, for at least one reason.
    vouched: bool,
}

/// The geometry of the frames.
#[derive(Clone, Copy)]
struct Layout {
    /// Bytes of all frames.
    total: u64,
    /// Bytes of one row; zero where frames are not looked into.
    row: usize,
    rows: usize,
    width: usize,
    frames: u64,
    look: Option<Words>,
    mask: Option<Mask>,
}

fn risk(code: ReasonCode, tag: Tag, detail: &str) -> Reason {
    Reason::at(code, TagPath(tag.to_string()), detail)
}

/// Decides by SOP class, image type and declarations, before a pixel is read.
///
/// # Errors
/// The [`Reason`] why the instance is held back.
pub(crate) fn plan(
    header: &Header<'_>,
    sop: SopClass,
    worth: Declaration,
    vouched: &Vouched,
) -> Result<Option<PixelPlan>, Reason> {
    match sop.pixels {
        PixelClass::Voice => {
            return Err(Reason::new(ReasonCode::PixelRisk, "a recorded voice identifies"));
        }
        // Documents are read, or held back, apart from pixels.
        PixelClass::Low
        | PixelClass::Risk
        | PixelClass::Document
        | PixelClass::Slide
        | PixelClass::Video => {}
    }
    let Some(element) = header.pixel else { return Ok(None) };
    declared(&header.data, header.syntax.pixels, sop, worth, vouched)?;
    if element.tag != tags::PIXEL_DATA {
        return floats(header, element).map(Some);
    }
    let mut layout = layout(&header.data, header.syntax.big_endian)?;
    let native = header.syntax.pixels == PixelCoding::Native;
    if native != element.length.is_some() {
        return Err(risk(ReasonCode::PixelMismatch, element.tag, "length does not fit the syntax"));
    }
    if element.length.is_some_and(|length| u64::from(length) < layout.total) {
        return Err(risk(ReasonCode::PixelMismatch, element.tag, "shorter than its description"));
    }
    if vouched.ends(ReasonCode::BurnedInText) {
        layout.look = None;
    }
    let (coding, vouched) = (header.syntax.pixels, !vouched.is_empty());
    Ok(Some(PixelPlan { element, layout, coding, vouched }))
}

/// What the instance says of its own pixels, and what its kind says of them.
fn declared(
    data: &DataSet<'_>,
    coding: PixelCoding,
    sop: SopClass,
    worth: Declaration,
    vouched: &Vouched,
) -> Result<(), Reason> {
    let class = sop.pixels;
    let open = |code| !vouched.ends(code);
    if coding == PixelCoding::Video || class == PixelClass::Video {
        return Err(Reason::new(ReasonCode::Video, "no rule covers its frames"));
    }
    let burned_in = tags::BURNED_IN_ANNOTATION;
    let flag = data.text(burned_in);
    if flag.is_some_and(|flag| flag != b"NO") && open(ReasonCode::BurnedInText) {
        return Err(risk(ReasonCode::BurnedInText, burned_in, "declared"));
    }
    let believed = flag.is_some() && worth == Declaration::Believe;
    let image_type = data.text(tags::IMAGE_TYPE).unwrap_or(b"").to_ascii_uppercase();
    let types: Vec<&[u8]> = image_type.split(|&b| b == b'\\').collect();
    let is = |name: &[u8]| types.iter().any(|t| t.trim_ascii() == name);
    if class == PixelClass::Slide && [&b"LABEL"[..], b"OVERVIEW", b"MACRO"].iter().any(|t| is(t)) {
        return Err(risk(ReasonCode::SlideLabel, tags::IMAGE_TYPE, "label or overview image"));
    }
    if class == PixelClass::Risk && !believed && open(ReasonCode::PixelRisk) {
        return Err(Reason::new(ReasonCode::PixelRisk, "a SOP class that often carries text"));
    }
    let screens = [&b"SCREEN SAVE"[..], b"SCREENSHOT", b"DOSE_INFO", b"REFORMATTED_TEXT"];
    if screens.iter().any(|t| is(t)) && open(ReasonCode::PixelRisk) {
        return Err(risk(ReasonCode::PixelRisk, tags::IMAGE_TYPE, "made of a screen"));
    }
    if coding == PixelCoding::CodeStream && open(ReasonCode::PixelsNotInspected) {
        return Err(Reason::new(ReasonCode::PixelsNotInspected, "compressed pixel data"));
    }
    let interpretation = data.text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or(b"MONOCHROME2");
    let grey = matches!(interpretation, b"MONOCHROME1" | b"MONOCHROME2");
    // The colours of a label map are those of its segments (PS3.3 C.8.20.2).
    let of_segments = sop.iod == SEGMENTATION && interpretation == b"PALETTE COLOR";
    let coloured = !grey && !of_segments && class != PixelClass::Slide && !believed;
    if coloured && open(ReasonCode::PixelRisk) {
        let at = tags::PHOTOMETRIC_INTERPRETATION;
        return Err(risk(ReasonCode::PixelRisk, at, "colour in a greyscale modality"));
    }
    if class == PixelClass::Slide && open(ReasonCode::PixelsNotInspected) {
        return Err(Reason::new(ReasonCode::PixelsNotInspected, "whole-slide tiles"));
    }
    Ok(())
}

fn frames(data: &DataSet<'_>) -> Result<u64, Reason> {
    match data.integer_string(tags::NUMBER_OF_FRAMES) {
        None => Ok(1),
        Some(n @ 1..=0x7fff_ffff) => Ok(n as u64),
        Some(_) => Err(risk(ReasonCode::PixelMismatch, tags::NUMBER_OF_FRAMES, "not a count")),
    }
}

fn layout(data: &DataSet<'_>, big_endian: bool) -> Result<Layout, Reason> {
    let value =
        |tag| data.unsigned(tag).ok_or_else(|| risk(ReasonCode::PixelMismatch, tag, "missing"));
    let (rows, width) = (value(tags::ROWS)?, value(tags::COLUMNS)?);
    let allocated = value(tags::BITS_ALLOCATED)?;
    let samples = data.unsigned(tags::SAMPLES_PER_PIXEL).unwrap_or(1);
    let frames = frames(data)?;
    let bits = u64::from(rows) * u64::from(width) * u64::from(samples) * u64::from(allocated);
    let total = bits
        .checked_mul(frames)
        .map(|bits| bits.div_ceil(8))
        .filter(|&total| total > 0 && total <= u64::from(u32::MAX))
        .ok_or_else(|| risk(ReasonCode::PixelMismatch, tags::ROWS, "no possible size"))?;
    if !matches!(allocated, 1 | 8 | 16 | 32 | 64) {
        return Err(risk(ReasonCode::PixelMismatch, tags::BITS_ALLOCATED, "no possible depth"));
    }
    let grey = samples == 1 && matches!(allocated, 8 | 16);
    let deep = samples == 1 && allocated == 32;
    if allocated == 64 && data.unsigned(tags::BITS_STORED).is_some_and(|stored| stored != 64) {
        return Err(unused_bits());
    }
    let signed = data.unsigned(tags::PIXEL_REPRESENTATION) == Some(1);
    let stored = data.unsigned(tags::BITS_STORED).unwrap_or(allocated);
    let high = data.unsigned(tags::HIGH_BIT).unwrap_or(stored.wrapping_sub(1));
    let fits = (1..=allocated).contains(&stored) && (stored - 1..allocated).contains(&high);
    if (grey || deep) && !fits {
        return Err(risk(ReasonCode::PixelMismatch, tags::BITS_STORED, "no possible depth"));
    }
    let mask = Mask { allocated, stored, high, signed, big_endian };
    Ok(Layout {
        total,
        row: usize::from(width) * usize::from(allocated) / 8,
        rows: usize::from(rows),
        width: usize::from(width),
        frames,
        look: grey.then_some(Words { allocated, signed, big_endian }),
        mask: if grey || deep { mask.needed() } else { None },
    })
}

/// Float Pixel Data and Double Float Pixel Data (PS3.3 C.7.6.24): numbers, no text to look for.
fn floats(header: &Header<'_>, element: PixelElement) -> Result<PixelPlan, Reason> {
    let value = |tag| header.data.unsigned(tag).map(u64::from);
    let size = if element.tag == tags::FLOAT_PIXEL_DATA { 4 } else { 8 };
    let total = value(tags::ROWS)
        .zip(value(tags::COLUMNS))
        .and_then(|(rows, columns)| (rows * columns * size).checked_mul(frames(&header.data).ok()?))
        .filter(|&total| element.length.is_some_and(|length| u64::from(length) >= total))
        .ok_or_else(|| risk(ReasonCode::PixelMismatch, element.tag, "size does not fit"))?;
    let layout = Layout { total, row: 0, rows: 0, width: 0, frames: 1, look: None, mask: None };
    Ok(PixelPlan { element, layout, coding: PixelCoding::Native, vouched: false })
}

/// Of measures that are not looked into as images are, such as doses of 32 bits.
fn unused_bits() -> Reason {
    let detail = "something in the unused bits of deep pixels";
    risk(ReasonCode::PixelsNotInspected, tags::BITS_STORED, detail)
}

fn truncated(error: &io::Error) -> Reason {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return Reason::new(ReasonCode::LimitExceeded, "limit: inflation");
    }
    risk(ReasonCode::Truncated, tags::PIXEL_DATA, "ends before its last pixel")
}

impl PixelPlan {
    /// Whether frames are looked into, so that the output may say there is no text in them.
    pub(crate) fn looks(&self) -> bool {
        self.layout.look.is_some()
    }

    /// Whether somebody has looked at the pixels and vouches for them.
    pub(crate) fn is_vouched(&self) -> bool {
        self.vouched
    }

    fn native(&self) -> bool {
        self.coding == PixelCoding::Native
    }

    /// The element's tag and VR.
    pub(crate) fn element(&self) -> (Tag, Vr) {
        (self.element.tag, self.element.vr)
    }

    /// The length to write; `None` for fragments.
    pub(crate) fn length(&self) -> Option<u32> {
        self.native().then(|| (self.layout.total + self.layout.total % 2) as u32)
    }

    /// Pixel data that can go in one piece with its header: short, one frame, nothing to mask. It
    /// was looked into.
    ///
    /// # Errors
    /// The [`Reason`] why the instance is held back.
    pub(crate) fn whole<'b, R: Read>(
        &self,
        body: &'b Body<'_, R>,
    ) -> Result<Option<&'b [u8]>, Reason> {
        let layout = &self.layout;
        if !self.native() || layout.frames != 1 || layout.total > SHORT {
            return Ok(None);
        }
        let Some(all) = body.as_slice() else { return Ok(None) };
        let all = self.all(all)?;
        if layout.mask.is_some_and(|mask| mask.touches(all)) {
            return Ok(None);
        }
        self.look(all)?;
        Ok(Some(all))
    }

    /// Copies the pixel data: looked into, masked, cut to what its description says.
    ///
    /// # Errors
    /// The [`Reason`] why the instance is held back; what was written must then be thrown away.
    pub(crate) fn copy<R: Read, W: Write>(
        &self,
        body: &mut Body<'_, R>,
        sink: &mut Sink<W>,
    ) -> Result<(), Reason> {
        match self.coding {
            PixelCoding::Native => {}
            PixelCoding::CodeStream => return self.copy_frames(body, sink, |frame| walked(frame)),
            _ => return self.copy_rle(body, sink),
        }
        let padding = usize::try_from(self.layout.total % 2).unwrap_or(0);
        if let Some(all) = body.as_slice() {
            self.slice(self.all(all)?, sink)?;
        } else {
            BUFFER.with_borrow_mut(|buffer| self.stream(body, buffer, sink))?;
            let surplus = self.claimed() - self.layout.total;
            let passed = io::copy(&mut Read::take(&mut *body, surplus), &mut io::sink());
            if passed.map_err(|error| truncated(&error))? < surplus {
                return Err(truncated(&io::ErrorKind::UnexpectedEof.into()));
            }
        }
        sink.write(&[0][..padding])
    }

    /// Bytes of the value as its length says; they are at least those of all frames.
    fn claimed(&self) -> u64 {
        self.element.length.map_or(self.layout.total, u64::from)
    }

    /// The bytes of all frames, of a body that holds the value that it claims.
    fn all<'b>(&self, body: &'b [u8]) -> Result<&'b [u8], Reason> {
        let cut = || truncated(&io::ErrorKind::UnexpectedEof.into());
        if (body.len() as u64) < self.claimed() {
            return Err(cut());
        }
        body.get(..self.layout.total as usize).ok_or_else(cut)
    }

    fn stream<R: Read, W: Write>(
        &self,
        body: &mut Body<'_, R>,
        buffer: &mut Vec<u8>,
        sink: &mut Sink<W>,
    ) -> Result<(), Reason> {
        for size in self.sizes() {
            if buffer.len() < size {
                buffer.resize(size, 0);
            }
            let band = &mut buffer[..size];
            let mut scan = self.scan(size);
            for piece in band.chunks_mut(PIECE) {
                body.read_exact(piece).map_err(|error| truncated(&error))?;
                if let Some(mask) = self.mask(piece)? {
                    mask.apply(piece);
                }
                scan.iter_mut().for_each(|scan| scan.add(piece));
                sink.write(piece)?;
            }
            self.judge(scan.as_ref())?;
        }
        Ok(())
    }

    fn slice<W: Write>(&self, mut all: &[u8], sink: &mut Sink<W>) -> Result<(), Reason> {
        for size in self.sizes() {
            let (band, rest) = all.split_at_checked(size).unwrap_or((all, &[]));
            all = rest;
            let mut band = Cow::Borrowed(band);
            let mut scan = self.scan(size);
            for from in (0..band.len()).step_by(PIECE) {
                let piece = from..band.len().min(from + PIECE);
                if let Some(mask) = self.mask(&band[piece.clone()])? {
                    mask.apply(&mut band.to_mut()[piece.clone()]);
                }
                scan.iter_mut().for_each(|scan| scan.add(&band[piece.clone()]));
                sink.write(&band[piece])?;
            }
            self.judge(scan.as_ref())?;
        }
        Ok(())
    }

    /// What is to be applied to a piece, where something is outside its pixels.
    fn mask(&self, piece: &[u8]) -> Result<Option<Mask>, Reason> {
        match self.layout.mask.filter(|mask| mask.touches(piece)) {
            Some(mask) if mask.allocated > 16 => Err(unused_bits()),
            mask => Ok(mask),
        }
    }

    /// Sizes of the bands in order: whole rows of one frame where frames are looked into.
    fn sizes(&self) -> impl Iterator<Item = usize> + use<> {
        let layout = self.layout;
        let by_rows = layout.look.is_some() && layout.row > 0;
        let rows_at_once = if by_rows { (BAND / layout.row).clamp(1, layout.rows) } else { 0 };
        let (mut left, mut row) = (layout.total, 0);
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let size = if by_rows {
                let rows = rows_at_once.min(layout.rows - row);
                row = (row + rows) % layout.rows;
                rows * layout.row
            } else {
                BAND.min(usize::try_from(left).unwrap_or(BAND))
            };
            left -= size as u64;
            Some(size)
        })
    }

    fn scan(&self, length: usize) -> Option<Scan> {
        self.layout.look.map(|words| Scan::new(words, length))
    }

    /// Says what the look into a band came to.
    fn judge(&self, scan: Option<&Scan>) -> Result<(), Reason> {
        match scan {
            Some(scan) if scan.finds_text(self.layout.width) => {
                Err(risk(ReasonCode::BurnedInText, tags::PIXEL_DATA, "shapes like letters found"))
            }
            _ => Ok(()),
        }
    }

    fn look(&self, band: &[u8]) -> Result<(), Reason> {
        let mut scan = self.scan(band.len());
        scan.iter_mut().for_each(|scan| scan.add(band));
        self.judge(scan.as_ref())
    }

    /// Looks into one RLE frame. Its code stream is passed on as it is, so bits outside the pixel
    /// cannot be cleared in it: they must be clear already.
    fn look_at_rle(&self, fragment: &[u8], segments: usize, plane: usize) -> Result<(), Reason> {
        let frame = rle::decode(fragment, segments, plane)?;
        if self.layout.mask.is_some_and(|mask| mask.touches(&frame)) {
            let detail = "bits outside the pixel in RLE";
            return Err(risk(ReasonCode::PixelMismatch, tags::PIXEL_DATA, detail));
        }
        self.look(&frame)
    }

    /// Copies RLE fragments (PS3.5 A.4.2: one a frame), decoding each to look into it. Where
    /// somebody else has looked, it is decoded all the same: nothing may hide behind its pixels.
    fn copy_rle<R: Read, W: Write>(
        &self,
        body: &mut Body<'_, R>,
        sink: &mut Sink<W>,
    ) -> Result<(), Reason> {
        let plane = self.layout.width * self.layout.rows;
        let segments = match self.layout.look {
            Some(words) => usize::from(words.allocated / 8),
            None if self.vouched => {
                let pixels = (plane as u64).saturating_mul(self.layout.frames).max(1);
                usize::try_from(self.layout.total / pixels).unwrap_or_default()
            }
            None => return Err(Reason::new(ReasonCode::PixelsNotInspected, "RLE of this depth")),
        };
        if plane.saturating_mul(segments) > MOST_FRAGMENT {
            return Err(Reason::new(ReasonCode::PixelsNotInspected, "an RLE frame of this size"));
        }
        self.copy_frames(body, sink, |frame| self.look_at_rle(frame, segments, plane))
    }

    /// Copies compressed frames, a fragment each, and lets `each` see them first.
    fn copy_frames<R: Read, W: Write>(
        &self,
        body: &mut Body<'_, R>,
        sink: &mut Sink<W>,
        each: impl Fn(&mut Vec<u8>) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let (mut fragments, mut bytes) = (0u64, Vec::new());
        loop {
            let mut head = [0u8; 8];
            body.read_exact(&mut head).map_err(|error| truncated(&error))?;
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
            match head[..4] {
                [0xfe, 0xff, 0x00, 0xe0] if length <= MOST_FRAGMENT => {}
                [0xfe, 0xff, 0xdd, 0xe0] if length == 0 => break,
                _ => return Err(risk(ReasonCode::Malformed, tags::PIXEL_DATA, "not a fragment")),
            }
            bytes.clear();
            let read = Read::take(&mut *body, length as u64).read_to_end(&mut bytes);
            if read.map_err(|error| truncated(&error))? < length {
                return Err(truncated(&io::ErrorKind::UnexpectedEof.into()));
            }
            if fragments == 0 {
                // The Basic Offset Table may be empty (PS3.5 A.4), and then nothing hides in it.
                bytes.clear();
            } else {
                each(&mut bytes)?;
            }
            fragments += 1;
            let mut item = Vec::with_capacity(8);
            Writer::new(&mut item).head(
                tags::ITEM,
                Vr::UN,
                bytes.len() as u32,
                Encoding::IMPLICIT_LITTLE,
            );
            sink.write(&item)?;
            sink.write(&bytes)?;
        }
        if fragments != self.layout.frames + 1 {
            return Err(risk(
                ReasonCode::PixelMismatch,
                tags::PIXEL_DATA,
                "not a fragment a frame",
            ));
        }
        sink.write(&[0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0])
    }
}

/// A compressed frame whose picture somebody has looked at, without what no picture shows.
fn walked(frame: &mut [u8]) -> Result<(), Reason> {
    let blanked = blank_comments(frame);
    blanked.map_err(|detail| Reason::new(ReasonCode::PixelsNotInspected, detail))
}
