//! A small deterministic generator: BLAKE3 in counter mode, keyed by seed and label.

use blake3::{Hasher, OutputReader};

/// A stream of bytes that depends on the seed and the label alone, on every machine.
pub(crate) struct Rng(OutputReader);

impl Rng {
    pub(crate) fn new(seed: u64, label: &str) -> Self {
        let mut hasher = Hasher::new_derive_key("scanveil synth corpus 1");
        hasher.update(&seed.to_le_bytes());
        hasher.update(label.as_bytes());
        Self(hasher.finalize_xof())
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    pub(crate) fn u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number below `n` (`n` above 0). The bias is below 2^-32 for the small `n` used here.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u128::from(self.u64()) * u128::from(n)) >> 64) as u32
    }

    /// `n` decimal digits, the first not zero.
    pub(crate) fn digits(&mut self, n: usize) -> String {
        (0..n)
            .map(|i| {
                let digit = if i == 0 { 1 + self.below(9) } else { self.below(10) };
                char::from(b'0' + digit as u8)
            })
            .collect()
    }

    /// One of the choices (not empty).
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u32) as usize]
    }

    /// One of the words (not empty).
    pub(crate) fn word(&mut self, words: &[&'static str]) -> &'static str {
        let word: &&'static str = self.pick(words);
        word
    }
}
