//! Clears bits outside Bits Stored: overlays hide there (leak by embedded overlay planes, PS3.5
//! 8.1.2, retired). Values that obey their description come out bit for bit the same.

/// Which bits of each word of 8, 16 or 32 bits are the pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mask {
    /// 8, 16 or 32.
    pub(crate) allocated: u16,
    /// Bits of the pixel.
    pub(crate) stored: u16,
    /// Its highest bit.
    pub(crate) high: u16,
    /// Two's complement.
    pub(crate) signed: bool,
    /// Byte order of longer words.
    pub(crate) big_endian: bool,
}

impl Mask {
    /// `None` when every allocated bit is stored and nothing can hide.
    pub(crate) fn needed(self) -> Option<Self> {
        (self.stored < self.allocated).then_some(self)
    }

    /// Whether a word holds anything outside the pixel.
    fn clean(self, word: u16) -> u16 {
        let low = self.high + 1 - self.stored;
        if self.signed && low == 0 {
            // The sign bit is repeated above the high bit.
            let shift = 15 - self.high;
            return (((word << shift) as i16) >> shift) as u16;
        }
        let bits = ((1u32 << self.stored) - 1) as u16;
        word & (bits << low)
    }

    /// Whether these bytes need changing at all: most do not, and are then never copied.
    pub(crate) fn touches(self, bytes: &[u8]) -> bool {
        if self.allocated == 8 {
            return bytes.iter().any(|&b| self.clean8(b) != b);
        }
        if self.allocated == 32 {
            return bytes.chunks_exact(4).any(|word| {
                let word = self.long_word(word);
                self.clean32(word) != word
            });
        }
        // No early exit within a block: the loop is then done in vector registers.
        bytes.chunks(16 << 10).any(|block| {
            block.chunks_exact(2).fold(0, |changed, pair| {
                let word = self.word(pair);
                changed | (self.clean(word) ^ word)
            }) != 0
        })
    }

    /// Clears the bits, in words of 8 and 16. What stands above the pixel of a longer word may be a
    /// part of the measure, whatever the header says: that is for its owner to decide.
    pub(crate) fn apply(self, bytes: &mut [u8]) {
        if self.allocated == 8 {
            bytes.iter_mut().for_each(|b| *b = self.clean8(*b));
            return;
        }
        for pair in bytes.chunks_exact_mut(2) {
            let word = self.clean(self.word(pair));
            let out = if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
            pair.copy_from_slice(&out);
        }
    }

    fn word(self, pair: &[u8]) -> u16 {
        let pair = [pair[0], pair[1]];
        if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    fn long_word(self, bytes: &[u8]) -> u32 {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    fn clean32(self, word: u32) -> u32 {
        let low = self.high + 1 - self.stored;
        if self.signed && low == 0 {
            let shift = 31 - self.high;
            return (((word << shift) as i32) >> shift) as u32;
        }
        word & ((((1u64 << self.stored) - 1) as u32) << low)
    }

    fn clean8(self, byte: u8) -> u8 {
        let low = self.high + 1 - self.stored;
        if self.signed && low == 0 {
            let shift = 7 - self.high;
            return (((byte << shift) as i8) >> shift) as u8;
        }
        byte & ((((1u16 << self.stored) - 1) << low) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bits_outside_the_pixel_change() {
        let unsigned =
            Mask { allocated: 16, stored: 12, high: 11, signed: false, big_endian: false };
        let signed = Mask { signed: true, ..unsigned };
        let shifted = Mask { high: 13, ..unsigned };
        for (mask, word, expected) in [
            (unsigned, 0x0fffu16, 0x0fffu16),
            (unsigned, 0xf123, 0x0123),
            (signed, 0xf800, 0xf800),
            (signed, 0x07ff, 0x07ff),
            (signed, 0x1801, 0xf801),
            (signed, 0x8001, 0x0001),
            (shifted, 0xffff, 0x3ffc),
        ] {
            for big_endian in [false, true] {
                let mask = Mask { big_endian, ..mask };
                let bytes = |w: u16| if big_endian { w.to_be_bytes() } else { w.to_le_bytes() };
                let mut word_bytes = bytes(word);
                assert_eq!(mask.touches(&word_bytes), word != expected);
                mask.apply(&mut word_bytes);
                assert_eq!(word_bytes, bytes(expected), "{word:04x}");
            }
        }
        let long = Mask { allocated: 32, stored: 16, high: 15, signed: false, big_endian: false };
        for (mask, word, touched) in [
            (long, 0xffffu32, false),
            (long, 0x1_0000, true),
            (Mask { big_endian: true, ..long }, 0xffff, true),
            (Mask { signed: true, ..long }, 0xffff_8000, false),
            (Mask { signed: true, ..long }, 0x8000, true),
        ] {
            assert_eq!(mask.touches(&word.to_le_bytes()), touched, "{word:08x}");
        }
        let bytes = Mask { allocated: 8, stored: 7, high: 6, signed: false, big_endian: false };
        let mut byte = [0xffu8];
        bytes.apply(&mut byte);
        assert_eq!(byte, [0x7f]);
        assert_eq!(Mask { stored: 16, ..unsigned }.needed(), None);
    }
}
