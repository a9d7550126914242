//! A look for burned-in text in native greyscale frames, without believing Burned In Annotation.
//!
//! Text that a console burns in is drawn in one value, nearly always the brightest or darkest of
//! the frame, in strokes that form small separate shapes side by side on a line. Anatomy and noise
//! do not: a value that many pixels share exactly is rare at the end of the range, and where it
//! happens (saturation) it forms blotches. So: find the extreme value, and only when suspiciously
//! many pixels hold exactly it, look at the shapes they form. Text in a middle grey is not found:
//! device rules and a trained detector belong to the pixel work to come.

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

/// Bytes that are looked at while they are in the nearest cache.
const BLOCK: usize = 16 << 10;

/// A look into a band of rows, piece by piece as they pass, while they are in the nearest cache.
pub(crate) struct Scan {
    words: Words,
    bright: Extreme,
    dark: Extreme,
    /// Pixels that text can cover at most.
    most: usize,
    /// Pixels taken in.
    at: usize,
    /// Which pixels of a block hold a value: room that is used again for every block.
    inked: Vec<u8>,
}

impl Scan {
    /// For a band of so many bytes.
    pub(crate) fn new(words: Words, length: usize) -> Self {
        Self {
            words,
            bright: Extreme { value: i16::MIN, places: Vec::new() },
            dark: Extreme { value: i16::MAX, places: Vec::new() },
            inked: Vec::new(),
            most: length / usize::from(words.allocated / 8) / SHARE,
            at: 0,
        }
    }

    /// Takes in the next bytes of the band: whole words.
    pub(crate) fn add(&mut self, piece: &[u8]) {
        match (self.words.allocated, self.words.big_endian) {
            (8, _) => self.look::<Bytes>(piece),
            (_, false) => self.look::<LittleWords>(piece),
            (_, true) => self.look::<BigWords>(piece),
        }
    }

    /// Whether the band, all of which was taken in, holds what looks like text.
    pub(crate) fn finds_text(&self, width: usize) -> bool {
        let few = |extreme: &&Extreme| (FEWEST..=self.most).contains(&extreme.places.len());
        let mut extremes = [&self.bright, &self.dark].into_iter().filter(few);
        width >= 16 && extremes.any(|extreme| lines_of_letters(&shapes(&extreme.places, width)))
    }

    /// Turns two's complement into unsigned order.
    fn flip(&self) -> u16 {
        match (self.words.signed, self.words.allocated) {
            (false, _) => 0,
            (true, 8) => 0x80,
            (true, _) => 0x8000,
        }
    }

    fn look<L: Layout>(&mut self, piece: &[u8]) {
        let flip = self.flip();
        for block in piece.chunks(BLOCK) {
            let (mut low, mut high) = (i16::MAX, i16::MIN);
            for bytes in block.chunks_exact(L::SIZE) {
                let value = ordered(L::value(bytes), flip);
                low = low.min(value);
                high = high.max(value);
            }
            let room = (&mut self.inked, self.at, self.most);
            self.bright.add::<L>(block, high, high > self.bright.value, flip, room);
            let room = (&mut self.inked, self.at, self.most);
            self.dark.add::<L>(block, low, low < self.dark.value, flip, room);
            self.at += block.len() / L::SIZE;
        }
    }
}

/// How values lie in a band.
trait Layout {
    /// Bytes of one value.
    const SIZE: usize;
    /// One value.
    fn value(bytes: &[u8]) -> u16;
}

struct Bytes;
struct LittleWords;
struct BigWords;

impl Layout for Bytes {
    const SIZE: usize = 1;
    #[inline(always)]
    fn value(bytes: &[u8]) -> u16 {
        u16::from(bytes[0])
    }
}

impl Layout for LittleWords {
    const SIZE: usize = 2;
    #[inline(always)]
    fn value(bytes: &[u8]) -> u16 {
        u16::from_le_bytes([bytes[0], bytes[1]])
    }
}

impl Layout for BigWords {
    const SIZE: usize = 2;
    #[inline(always)]
    fn value(bytes: &[u8]) -> u16 {
        u16::from_be_bytes([bytes[0], bytes[1]])
    }
}

/// The extreme value met so far, and which pixels hold it.
struct Extreme {
    value: i16,
    /// By their numbers in the band; one more than text can have stands for too many.
    places: Vec<u32>,
}

impl Extreme {
    /// Takes in a block whose own extreme is `value`, and whose first pixel is the `at`-th.
    fn add<L: Layout>(
        &mut self,
        block: &[u8],
        value: i16,
        further: bool,
        flip: u16,
        (inked, at, most): (&mut Vec<u8>, usize, usize),
    ) {
        if further {
            self.value = value;
            self.places.clear();
        }
        let room = (most + 1).saturating_sub(self.places.len());
        if value != self.value || room == 0 {
            return;
        }
        let ink = ink(value, flip);
        // Two passes, each of which the processor does for many pixels at once.
        inked.clear();
        inked.extend(block.chunks_exact(L::SIZE).map(|bytes| u8::from(L::value(bytes) == ink)));
        let places = memchr::memchr_iter(1, inked).take(room).map(|n| (at + n) as u32);
        self.places.extend(places);
    }
}

/// The order of values as signed words, for which every processor has a maximum of many at once.
#[inline(always)]
fn ordered(value: u16, flip: u16) -> i16 {
    (value ^ flip ^ 0x8000) as i16
}

/// The value as it stands in the band.
fn ink(ordered: i16, flip: u16) -> u16 {
    ordered as u16 ^ 0x8000 ^ flip
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

fn lines_of_letters(shapes: &[Shape]) -> bool {
    let mut letters: Vec<&Shape> = shapes.iter().filter(|shape| shape.is_letter()).collect();
    letters.sort_by_key(|shape| shape.bottom);
    let mut line: Vec<&Shape> = Vec::new();
    letters.iter().any(|first| {
        let height = first.height();
        let slack = (height / 5).max(1);
        let from = letters.partition_point(|other| other.bottom + slack < first.bottom);
        let to = letters.partition_point(|other| other.bottom <= first.bottom + slack);
        line.clear();
        line.extend(
            letters[from..to].iter().filter(|other| {
                other.height() * 3 >= height * 2 && other.height() * 2 <= height * 3
            }),
        );
        if line.len() < LETTERS {
            return false;
        }
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

/// A run of pixels of one value within a row, and the shape it belongs to.
struct Run {
    from: usize,
    /// One past its last pixel.
    to: usize,
    shape: usize,
}

/// Connected shapes (8-neighbourhood) of the pixels with these numbers, in order, in rows of a
/// width.
fn shapes(places: &[u32], width: usize) -> Vec<Shape> {
    let mut found = Shapes::default();
    let (mut above, mut here): (Vec<Run>, Vec<Run>) = (Vec::new(), Vec::new());
    let (mut row, mut first_above) = (0, 0);
    for run in places.chunk_by(|a, b| *b == a + 1 && !(*b as usize).is_multiple_of(width)) {
        let start = run.first().map_or(0, |first| *first as usize);
        let (y, from) = (start / width, start % width);
        let to = from + run.len();
        if y != row {
            std::mem::swap(&mut above, &mut here);
            here.clear();
            if y != row + 1 {
                above.clear();
            }
            (row, first_above) = (y, 0);
        }
        let shape = found.begin(y, from, to);
        // Runs above that end before this one begins touch nothing further right either.
        first_above += above[first_above..].iter().take_while(|run| run.to < from).count();
        for run in above[first_above..].iter().take_while(|run| run.from <= to) {
            found.join(shape, run.shape);
        }
        here.push(Run { from, to, shape });
    }
    found.whole()
}

/// Shapes that grow together: each knows the one it became part of.
#[derive(Default)]
struct Shapes {
    shapes: Vec<(Shape, usize)>,
}

impl Shapes {
    fn begin(&mut self, y: usize, from: usize, to: usize) -> usize {
        let at = self.shapes.len();
        let shape = Shape { left: from, right: to - 1, top: y, bottom: y, pixels: to - from };
        self.shapes.push((shape, at));
        at
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.shapes[at].1 != at {
            let above = self.shapes[at].1;
            self.shapes[at].1 = self.shapes[above].1;
            at = above;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return;
        }
        let (keep, gone) = (one.min(other), one.max(other));
        let part = self.shapes[gone].0;
        self.shapes[gone].1 = keep;
        let whole = &mut self.shapes[keep].0;
        whole.left = whole.left.min(part.left);
        whole.right = whole.right.max(part.right);
        whole.top = whole.top.min(part.top);
        whole.bottom = whole.bottom.max(part.bottom);
        whole.pixels += part.pixels;
    }

    fn whole(self) -> Vec<Shape> {
        let is_whole = |(at, (_, root)): &(usize, (Shape, usize))| at == root;
        self.shapes.into_iter().enumerate().filter(is_whole).map(|(_, (shape, _))| shape).collect()
    }
}

#[cfg(test)]
mod tests;
