//! A first look at every byte: which forms may begin here. Thousands of short forms over a few
//! kilobytes are found faster so than by an automaton, which costs more to build than to use.

use crate::forms::Form;
use std::ops::Range;

const WORDS: usize = 1 << 10;

/// Bytes that are looked at with one load, and windows of three within them.
const LOAD: usize = 8;
const WINDOWS: usize = LOAD - 2;

/// The hashes of the three bytes that each form is known by, as a set with ranks.
pub(crate) struct Filter {
    bits: Box<[u64; WORDS]>,
    /// Set bits before each word.
    ranks: Box<[u32; WORDS]>,
    /// Where the forms of each set bit begin, and where the last ones end.
    starts: Vec<u32>,
}

/// The hash of the lowest three bytes: the factor's own lowest byte is zero, so that the highest
/// byte of the window falls out of the product.
fn hash(window: u32) -> u16 {
    (window.wrapping_mul(0x3779_b100) >> 16) as u16
}

/// ASCII letters in lower case, eight at a time.
fn lower(bytes: [u8; LOAD]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(bytes);
    let low = word & (ONES * 0x7f);
    // The highest bit of each byte: at least `A`, and above `Z`.
    let (letter, above) = (low + ONES * (0x80 - 0x41), low + ONES * (0x7f - 0x5a));
    let capital = (letter ^ above) & !word & (ONES * 0x80);
    word | capital >> 2
}

fn of(form: &Form) -> u16 {
    let mut bytes = [0; LOAD];
    let anchor = form.bytes.iter().skip(form.anchor()).take(3);
    bytes.iter_mut().zip(anchor).for_each(|(to, from)| *to = *from);
    hash(lower(bytes) as u32)
}

impl Filter {
    /// Brings the forms in the order of their hashes, and makes the set.
    pub(crate) fn new(forms: &mut [Form]) -> Self {
        forms.sort_by_cached_key(of);
        let mut bits = Box::new([0u64; WORDS]);
        let mut starts = Vec::new();
        let mut last = None;
        for (at, form) in forms.iter().enumerate() {
            let hash = of(form);
            if last != Some(hash) {
                bits[usize::from(hash >> 6)] |= 1 << (hash & 63);
                starts.push(at as u32);
                last = Some(hash);
            }
        }
        starts.push(forms.len() as u32);
        let mut ranks = Box::new([0u32; WORDS]);
        let mut before = 0;
        for (rank, word) in ranks.iter_mut().zip(bits.iter()) {
            *rank = before;
            before += word.count_ones();
        }
        Self { bits, ranks, starts }
    }

    /// Calls `found` with each place where the three bytes of forms end, and those forms;
    /// until it says that it is enough.
    pub(crate) fn scan(
        &self,
        bytes: &[u8],
        mut found: impl FnMut(usize, Range<usize>) -> std::ops::ControlFlow<()>,
    ) {
        let mut from = 0;
        while let Some(chunk) = bytes.get(from..).and_then(<[u8]>::first_chunk::<LOAD>) {
            let word = lower(*chunk);
            let window = |at: usize| (word >> (8 * at)) as u32;
            // Six with one question: most bytes begin nothing.
            if (0..WINDOWS).fold(0, |any, at| any | self.bit(window(at))) == 1 {
                for at in 0..WINDOWS {
                    if self.bit(window(at)) == 1
                        && found(from + at + 2, self.forms(window(at))).is_break()
                    {
                        return;
                    }
                }
            }
            from += WINDOWS;
        }
        let rest = bytes.get(from..).unwrap_or(&[]);
        let mut padded = [0; LOAD];
        padded[..rest.len()].copy_from_slice(rest);
        let word = lower(padded);
        for at in 2..rest.len() {
            let window = (word >> (8 * (at - 2))) as u32;
            if self.bit(window) == 1 && found(from + at, self.forms(window)).is_break() {
                return;
            }
        }
    }

    /// 1 if there are forms with these three bytes.
    fn bit(&self, window: u32) -> u64 {
        let hash = hash(window);
        self.bits[usize::from(hash >> 6)] >> (hash & 63) & 1
    }

    fn forms(&self, window: u32) -> Range<usize> {
        let hash = hash(window);
        let word = usize::from(hash >> 6);
        let below = self.bits[word] & ((1 << (hash & 63)) - 1);
        let slot = (self.ranks[word] + below.count_ones()) as usize;
        self.starts[slot] as usize..self.starts[slot + 1] as usize
    }
}
