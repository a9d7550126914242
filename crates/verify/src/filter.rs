//! A first look at every byte: which forms may begin here. Thousands of short forms over a few
//! kilobytes are found faster so than by an automaton, which costs more to build than to use.

use crate::forms::Form;
use std::ops::Range;

const WORDS: usize = 1 << 10;

/// ASCII letters in lower case.
const FOLD: [u8; 256] = {
    let mut fold = [0; 256];
    let mut at = 0;
    while at < 256 {
        fold[at] = (at as u8).to_ascii_lowercase();
        at += 1;
    }
    fold
};

/// The hashes of the three bytes that each form is known by, as a set with ranks.
pub(crate) struct Filter {
    bits: Box<[u64; WORDS]>,
    /// Set bits before each word.
    ranks: Box<[u32; WORDS]>,
    /// Where the forms of each set bit begin, and where the last ones end.
    starts: Vec<u32>,
}

fn hash(window: u32) -> u16 {
    (window.wrapping_mul(0x9e37_79b1) >> 16) as u16
}

fn slide(window: u32, byte: u8) -> u32 {
    (window << 8 | u32::from(FOLD[usize::from(byte)])) & 0x00ff_ffff
}

fn of(form: &Form) -> u16 {
    hash(form.bytes.iter().skip(form.anchor()).take(3).fold(0, |window, &byte| slide(window, byte)))
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
        // Four at a time with one question: most bytes begin nothing.
        let mut window = 0;
        let (fours, rest) = bytes.as_chunks::<4>();
        for (four, chunk) in fours.iter().enumerate() {
            let a = slide(window, chunk[0]);
            let b = slide(a, chunk[1]);
            let c = slide(b, chunk[2]);
            window = slide(c, chunk[3]);
            let windows = [a, b, c, window];
            if windows.iter().fold(0, |any, window| any | self.bit(*window)) == 0 {
                continue;
            }
            for (at, &window) in windows.iter().enumerate() {
                if self.bit(window) == 1 && found(four * 4 + at, self.forms(window)).is_break() {
                    return;
                }
            }
        }
        for (at, &byte) in rest.iter().enumerate() {
            window = slide(window, byte);
            let at = fours.len() * 4 + at;
            if self.bit(window) == 1 && found(at, self.forms(window)).is_break() {
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
