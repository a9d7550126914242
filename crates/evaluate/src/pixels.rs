//! Pixel Data: its digest, and whether a box of it is blank.

use md5::{Digest, Md5};
use scanveil_dataset::{Header, tags};
use scanveil_model::Hex;
use serde_json::Value;
use std::io::Read;

/// Pixel Data larger than this is not read into memory to look at a box.
const PIXEL_BYTES: u32 = 1 << 30;
const STEP: usize = 64 << 10;
/// Tag bytes of an item and of a sequence's end, little endian (PS3.5 A.4).
const ITEM: [u8; 4] = [0xfe, 0xff, 0x00, 0xe0];

pub(crate) fn md5(bytes: &[u8]) -> String {
    Hex::encode(&Md5::digest(bytes))
}

/// The first `length` bytes; nothing when there are fewer.
pub(crate) fn take(body: &mut impl Read, length: u32) -> Option<Vec<u8>> {
    if length > PIXEL_BYTES {
        return None;
    }
    let mut bytes = Vec::new();
    body.take(u64::from(length)).read_to_end(&mut bytes).ok()?;
    (bytes.len() == length as usize).then_some(bytes)
}

/// MD5 of Pixel Data's bytes as they stand: all of them when native; when encapsulated the items
/// with their headers, without the sequence delimiter, as the benchmark's library hands them out.
pub(crate) fn digest(body: &mut impl Read, length: Option<u32>) -> Option<String> {
    let mut hasher = Md5::new();
    if let Some(length) = length {
        feed(body, u64::from(length), &mut hasher)?;
        return Some(Hex::encode(&hasher.finalize()));
    }
    loop {
        let mut head = [0; 8];
        body.read_exact(&mut head).ok()?;
        if head[..4] != ITEM {
            return Some(Hex::encode(&hasher.finalize()));
        }
        hasher.update(head);
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        feed(body, u64::from(length), &mut hasher)?;
    }
}

fn feed(body: &mut impl Read, mut left: u64, hasher: &mut Md5) -> Option<()> {
    let mut buffer = vec![0; STEP];
    while left > 0 {
        let want = usize::try_from(left).map_or(STEP, |left| left.min(STEP));
        let n = body.read(&mut buffer[..want]).ok().filter(|&n| n > 0)?;
        hasher.update(&buffer[..n]);
        left -= n as u64;
    }
    Some(())
}

/// How native pixels lie (PS3.3 C.7.6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PixelLayout {
    rows: usize,
    columns: usize,
    /// Bytes of one pixel with all its samples.
    pixel: usize,
    frames: usize,
}

impl PixelLayout {
    /// The layout of whole-byte pixels, sample by sample.
    pub(crate) fn of(header: &Header<'_>) -> Option<Self> {
        let number = |tag| header.data.unsigned(tag).map(usize::from);
        let samples = number(tags::SAMPLES_PER_PIXEL).unwrap_or(1);
        let bits = number(tags::BITS_ALLOCATED)?;
        let by_plane = samples > 1
            && header.data.unsigned(scanveil_dataset::Tag::new(0x0028, 0x0006)) == Some(1);
        if by_plane || bits == 0 || !bits.is_multiple_of(8) || header.syntax.encapsulated() {
            return None;
        }
        let frames = header.data.integer_string(tags::NUMBER_OF_FRAMES).unwrap_or(1);
        Some(Self {
            rows: number(tags::ROWS)?,
            columns: number(tags::COLUMNS)?,
            pixel: samples * bits / 8,
            frames: usize::try_from(frames).ok()?,
        })
    }

    /// Whether all pixels of a box have one value, frame by frame; nothing when the box or the
    /// pixels are not there.
    pub(crate) fn blank(&self, bytes: &[u8], within: PixelBox) -> Option<bool> {
        let PixelBox { left, top, right, bottom } = within;
        let (right, bottom) = (right.min(self.columns), bottom.min(self.rows));
        if left >= right || top >= bottom || self.frames == 0 {
            return None;
        }
        let frame = self.rows.checked_mul(self.columns)?.checked_mul(self.pixel)?;
        for number in 0..self.frames {
            let start = number.checked_mul(frame)?;
            let image = bytes.get(start..start.checked_add(frame)?)?;
            let at = |row: usize, column: usize| (row * self.columns + column) * self.pixel;
            let first = image.get(at(top, left)..at(top, left) + self.pixel)?;
            for row in top..bottom {
                let line = image.get(at(row, left)..at(row, right))?;
                if line.chunks_exact(self.pixel).any(|pixel| pixel != first) {
                    return Some(false);
                }
            }
        }
        Some(true)
    }
}

/// A box of pixels; right and bottom are the first beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PixelBox {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl PixelBox {
    /// Reads `{"text": .., "top_left": [x, y], "bottom_right": [x, y]}`.
    pub(crate) fn parse(action_text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(action_text).ok()?;
        let corner = |name: &str, at: usize| {
            let number = value.get(name)?.get(at)?;
            let number = number.as_f64().or_else(|| number.as_str()?.trim().parse().ok())?;
            (0.0..65536.0).contains(&number).then_some(number as usize)
        };
        Some(Self {
            left: corner("top_left", 0)?,
            top: corner("top_left", 1)?,
            right: corner("bottom_right", 0)?,
            bottom: corner("bottom_right", 1)?,
        })
    }
}
