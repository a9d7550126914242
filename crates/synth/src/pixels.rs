//! Pixels: phantoms with noise, and text burned into frames.

use crate::rng::Rng;
use font8x8::legacy::{BASIC_LEGACY, LATIN_LEGACY};

/// Frames of one image, little endian, colour by pixel.
#[derive(Clone)]
pub(crate) struct Frames {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    pub(crate) samples: u16,
    pub(crate) allocated: u16,
    pub(crate) stored: u16,
    pub(crate) frames: Vec<Vec<u8>>,
}

impl Frames {
    pub(crate) fn grey16(columns: u16, rows: u16, stored: u16, frames: Vec<Vec<u8>>) -> Self {
        Self { columns, rows, samples: 1, allocated: 16, stored, frames }
    }

    pub(crate) fn grey8(columns: u16, rows: u16, frames: Vec<Vec<u8>>) -> Self {
        Self { columns, rows, samples: 1, allocated: 8, stored: 8, frames }
    }

    pub(crate) fn colour(columns: u16, rows: u16, frames: Vec<Vec<u8>>) -> Self {
        Self { columns, rows, samples: 3, allocated: 8, stored: 8, frames }
    }

    pub(crate) fn into_native(mut self) -> Vec<u8> {
        if self.frames.len() == 1 {
            return self.frames.pop().unwrap_or_default();
        }
        self.frames.concat()
    }
}

/// Noise drawn once and read at a different offset for each image.
pub(crate) struct Noise(Vec<u8>);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        let mut bytes = vec![0; 1 << 16];
        Rng::new(seed, "noise").fill(&mut bytes);
        // The number of set bits of a random byte is binomial: 0 to 8 around 4.
        bytes.iter_mut().for_each(|b| *b = b.count_ones() as u8);
        Self(bytes)
    }

    fn from(&self, image: usize) -> impl Iterator<Item = u8> + '_ {
        let start = image.wrapping_mul(7919) % self.0.len();
        self.0[start..].iter().chain(self.0.iter().cycle()).copied()
    }
}

/// An ellipse: centre and radii as fractions of the image, and the value it adds.
struct Ellipse {
    x: f32,
    y: f32,
    rx: f32,
    ry: f32,
    add: i32,
}

/// Which body part a phantom looks like, on a scale where air is 0 and water about 1000.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phantom {
    Chest,
    Head,
    Projection,
}

impl Phantom {
    fn ellipses(self, phase: f32) -> Vec<Ellipse> {
        let e = |x, y, rx, ry, add| Ellipse { x, y, rx, ry, add };
        match self {
            Self::Chest => vec![
                e(0.5, 0.52, 0.42, 0.32, 1040),
                e(0.34, 0.48, 0.13 + 0.02 * phase, 0.19, -820),
                e(0.66, 0.48, 0.13 + 0.02 * phase, 0.19, -820),
                e(0.52, 0.47, 0.06, 0.08 - 0.02 * phase, 30),
                e(0.5, 0.74, 0.045, 0.05, 420),
                e(0.5, 0.94, 0.46, 0.015, 240),
            ],
            Self::Head => vec![
                e(0.5, 0.5, 0.34, 0.42, 1700),
                e(0.5, 0.5, 0.31, 0.39, -660),
                e(0.44, 0.48, 0.05, 0.13 * (0.6 + 0.4 * phase), -30),
                e(0.56, 0.48, 0.05, 0.13 * (0.6 + 0.4 * phase), -30),
                e(0.42, 0.66, 0.04, 0.03, 25),
            ],
            Self::Projection => vec![
                e(0.5, 0.55, 0.4, 0.44, 1500),
                e(0.33, 0.5, 0.13, 0.3, -700),
                e(0.67, 0.5, 0.13, 0.3, -700),
                e(0.5, 0.5, 0.06, 0.48, 500),
            ],
        }
    }

    /// The phantom without noise. `phase` runs from 0 to 1 along the patient.
    pub(crate) fn draw(self, columns: u16, rows: u16, phase: f32) -> Vec<u16> {
        let (w, h) = (usize::from(columns), usize::from(rows));
        let mut image = vec![0i32; w * h];
        for ellipse in self.ellipses(phase) {
            let top = ((ellipse.y - ellipse.ry) * h as f32).max(0.0) as usize;
            let bottom = (((ellipse.y + ellipse.ry) * h as f32) as usize + 1).min(h);
            for y in top..bottom {
                let dy = (y as f32 / h as f32 - ellipse.y) / ellipse.ry;
                let half = ellipse.rx * (1.0 - dy * dy).max(0.0).sqrt();
                let left = ((ellipse.x - half) * w as f32).max(0.0) as usize;
                let right = (((ellipse.x + half) * w as f32) as usize).min(w);
                image[y * w + left..y * w + right.max(left)]
                    .iter_mut()
                    .for_each(|v| *v += ellipse.add);
            }
        }
        image.into_iter().map(|v| v.clamp(0, 3900) as u16).collect()
    }
}

/// Adds noise to a phantom and writes it as little-endian words. `scale` is the noise's strength.
pub(crate) fn noisy16(base: &[u16], noise: &Noise, image: usize, scale: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(base.len() * 2);
    for (value, n) in base.iter().zip(noise.from(image)) {
        out.extend((value + u16::from(n) * scale).to_le_bytes());
    }
    out
}

/// A phantom with noise at 8 bits.
pub(crate) fn noisy8(base: &[u16], noise: &Noise, image: usize) -> Vec<u8> {
    base.iter().zip(noise.from(image)).map(|(v, n)| (v / 16) as u8 + n).collect()
}

/// Burns one line of text into 8-bit pixels with `samples` values a pixel, 8 x `scale` pixels high.
/// Characters beyond Latin-1 are left out: scanners' fonts do not have them either.
pub(crate) fn burn(
    pixels: &mut [u8],
    (columns, samples): (usize, usize),
    (x, y): (usize, usize),
    scale: usize,
    text: &str,
    value: u8,
) {
    let glyphs = text.chars().filter_map(glyph);
    for (i, rows) in glyphs.enumerate() {
        for (dy, row) in rows.iter().enumerate() {
            for dx in (0..8).filter(|dx| row >> dx & 1 == 1) {
                let (left, top) = (x + (i * 8 + dx) * scale, y + dy * scale);
                for line in top..top + scale {
                    if left + scale > columns {
                        continue;
                    }
                    let start = (line * columns + left) * samples;
                    if let Some(run) = pixels.get_mut(start..start + scale * samples) {
                        run.fill(value);
                    }
                }
            }
        }
    }
}

fn glyph(c: char) -> Option<[u8; 8]> {
    let code = u32::from(c) as usize;
    match code {
        0x20..0x80 => BASIC_LEGACY.get(code).copied(),
        0xa0..0x100 => LATIN_LEGACY.get(code - 0xa0).copied(),
        _ => None,
    }
}
