//! A look for burned-in text in native greyscale frames, without believing Burned In Annotation.
//!
//! Text that a console burns in is drawn in one value, nearly always the brightest or darkest of the
//! frame, in strokes that form small separate shapes side by side on a line. Anatomy and noise do not:
//! a value that many pixels share exactly is rare at the end of the range, and where it happens
//! (saturation) it forms blotches. So: find the extreme value, and only when suspiciously many pixels
//! hold exactly it, look at the shapes they form. Text in a middle grey is not found: device rules and
//! a trained detector belong to the pixel work to come.

use std::collections::BTreeMap;

/// How the words of a frame are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words {
    /// 8 or 16.
    pub(crate) allocated: u16,
    /// Two's complement.
    pub(crate) signed: bool,
    /// Byte order of 16-bit words.
    pub(crate) big_endian: bool,
}

/// Fewest pixels that letters worth finding are made of.
const FEWEST: usize = 40;
/// The share of a frame (one in) that text can cover at most.
const SHARE: usize = 8;
/// Letters side by side that make a text.
const LETTERS: usize = 4;

/// Whether a band of rows holds what looks like text.
pub(crate) fn has_text(band: &[u8], width: usize, words: Words) -> bool {
    if width < 16 {
        return false;
    }
    let flip: u16 = if words.signed { if words.allocated == 8 { 0x80 } else { 0x8000 } } else { 0 };
    let values: Vec<u16> = if words.allocated == 8 {
        band.iter().map(|&b| u16::from(b) ^ flip).collect()
    } else if words.big_endian {
        band.chunks_exact(2).map(|p| u16::from_be_bytes([p[0], p[1]]) ^ flip).collect()
    } else {
        band.chunks_exact(2).map(|p| u16::from_le_bytes([p[0], p[1]]) ^ flip).collect()
    };
    let most = values.len() / SHARE;
    let bright = values.iter().fold(0, |a, &b| a.max(b));
    let dark = values.iter().fold(u16::MAX, |a, &b| a.min(b));
    [bright, dark].into_iter().any(|ink| {
        let count: usize = values
            .chunks(4096)
            .map(|block| block.iter().map(|&v| u32::from(v == ink)).sum::<u32>() as usize)
            .sum();
        (FEWEST..=most).contains(&count) && lines_of_letters(&values, width, ink)
    })
}

/// The box around one connected shape.
#[derive(Debug, Clone, Copy)]
struct Shape {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
    pixels: usize,
}

impl Shape {
    fn height(&self) -> usize {
        self.bottom - self.top + 1
    }
    fn width(&self) -> usize {
        self.right - self.left + 1
    }
    /// The size and the sparseness of a letter or digit.
    fn is_letter(&self) -> bool {
        let area = self.height() * self.width();
        (5..=96).contains(&self.height())
            && self.width() <= self.height() * 2
            && self.pixels >= self.height()
            // Strokes leave holes: only bars (I, l, 1) fill their box.
            && (self.pixels * 100 <= area * 88 || self.width() * 3 <= self.height())
            && self.pixels * 100 >= area * 12
    }
}

fn lines_of_letters(values: &[u16], width: usize, ink: u16) -> bool {
    let letters: Vec<Shape> =
        shapes(values, width, ink).into_iter().filter(Shape::is_letter).collect();
    letters.iter().any(|first| {
        let height = first.height();
        let mut line: Vec<&Shape> = letters
            .iter()
            .filter(|other| {
                other.bottom.abs_diff(first.bottom) <= (height / 5).max(1)
                    && other.height() * 3 >= height * 2
                    && other.height() * 2 <= height * 3
            })
            .collect();
        line.sort_by_key(|shape| shape.left);
        run_of_neighbours(&line, height) >= LETTERS
    })
}

/// The longest run of shapes that follow each other as letters do.
fn run_of_neighbours(line: &[&Shape], height: usize) -> usize {
    let (mut best, mut run) = (0, 0);
    let mut right = None;
    for shape in line {
        let near =
            right.is_some_and(|right| shape.left > right && shape.left - right <= height * 2);
        run = if near { run + 1 } else { 1 };
        best = best.max(run);
        right = Some(shape.right);
    }
    best
}

/// Connected shapes (8-neighbourhood) of one value.
fn shapes(values: &[u16], width: usize, ink: u16) -> Vec<Shape> {
    // Pixels still to visit; ordered, so that the same frame always gives the same shapes.
    let mut left: BTreeMap<usize, ()> =
        values.iter().enumerate().filter(|&(_, &v)| v == ink).map(|(at, _)| (at, ())).collect();
    let mut found = Vec::new();
    let mut stack = Vec::new();
    while let Some((start, ())) = left.pop_first() {
        let (x, y) = (start % width, start / width);
        let mut shape = Shape { left: x, right: x, top: y, bottom: y, pixels: 0 };
        stack.push(start);
        while let Some(at) = stack.pop() {
            let (x, y) = (at % width, at / width);
            shape.left = shape.left.min(x);
            shape.right = shape.right.max(x);
            shape.top = shape.top.min(y);
            shape.bottom = shape.bottom.max(y);
            shape.pixels += 1;
            for ny in y.saturating_sub(1)..=y + 1 {
                for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    if left.remove(&(ny * width + nx)).is_some() {
                        stack.push(ny * width + nx);
                    }
                }
            }
        }
        found.push(shape);
    }
    found
}
