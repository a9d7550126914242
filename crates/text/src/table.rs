//! Words and what they are known as, laid out when the crate is built: nothing is built at start.
//!
//! A table is the number of its buckets, where each begins (and the last ends), and the entries of
//! all buckets one behind another; numbers are little-endian `u32`. An entry is a `u16`, length in
//! the low [`LENGTH_BITS`] and flags above, and the word.

/// Of an entry's head, the bits that are the word's length.
pub(crate) const LENGTH_BITS: u32 = 6;
/// No word of the lists is longer, in bytes.
pub(crate) const LONGEST: usize = (1 << LENGTH_BITS) - 1;

/// A word of medicine or technique.
pub(crate) const CLINICAL: u16 = 1;
/// An ordinary word of English.
pub(crate) const ORDINARY: u16 = 2;
/// An ordinary word of another language.
pub(crate) const FOREIGN: u16 = 4;
/// An ordinary word that German may make compounds of.
pub(crate) const GERMAN: u16 = 8;
/// A clinical word that others are made of, by compounds, prefixes and endings.
pub(crate) const PART: u16 = 16;
pub(crate) const GIVEN: u16 = 32;
pub(crate) const FAMILY: u16 = 64;
/// Somebody whom a disease, a sign or a method is named after.
pub(crate) const EPONYM: u16 = 128;
/// An eponym whose name many people have.
pub(crate) const COMMON: u16 = 256;
/// A word so usual that only a title makes it a name.
pub(crate) const FIRM: u16 = 512;

/// In the table of Chinese, Japanese and Korean: a word of the vocabulary.
pub(crate) const EASTERN: u16 = 1;
/// A character that stands in terms and hardly ever in names.
pub(crate) const CHARACTER: u16 = 2;
/// A family name.
pub(crate) const EASTERN_FAMILY: u16 = 4;
/// A word of medicine, technique or reports.
pub(crate) const TERM: u16 = 8;

/// The bucket of a word among so many.
pub(crate) fn bucket(word: &[u8], buckets: u32) -> u32 {
    let mut hash: u64 = 0;
    for chunk in word.chunks(8) {
        let mut part = [0; 8];
        part[..chunk.len()].copy_from_slice(chunk);
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(part)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    // The upper half is mixed best; it is scaled to the number of buckets.
    let upper = (hash ^ (hash << 29)) >> 32;
    ((upper * u64::from(buckets)) >> 32) as u32
}

/// A table as the build laid it out.
pub(crate) struct Table(pub(crate) &'static [u8]);

impl Table {
    fn number(&self, index: u32) -> Option<usize> {
        let at = index as usize * 4;
        let bytes: [u8; 4] = self.0.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    }

    /// What a word is known as; 0 when it is not.
    pub(crate) fn get(&self, word: &str) -> u16 {
        self.find(word.as_bytes()).unwrap_or(0)
    }

    fn find(&self, word: &[u8]) -> Option<u16> {
        let buckets = u32::try_from(self.number(0)?).ok()?;
        let place = 1 + bucket(word, buckets);
        let mut rest = self.0.get(self.number(place)?..self.number(place + 1)?)?;
        while let [low, high, tail @ ..] = rest {
            let head = u16::from_le_bytes([*low, *high]);
            let (listed, others) = tail.split_at_checked(usize::from(head) & LONGEST)?;
            if listed == word {
                return Some(head >> LENGTH_BITS);
            }
            rest = others;
        }
        None
    }
}
