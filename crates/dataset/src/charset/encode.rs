//! Writing text in the declared character sets.

use super::CharacterSets;
use super::repertoire::{ESCAPE, IR_13, REPERTOIRES, Set, is_reset};

impl CharacterSets {
    /// Encodes a whole value, escapes included (PS3.5 6.1.2.5): in the initial state before every
    /// delimiter and at the end. What comes back decodes to the same text.
    ///
    /// `None` when a character, or the escape character itself, cannot be represented.
    #[must_use]
    pub fn encode(&self, text: &str) -> Option<Vec<u8>> {
        if text.as_bytes().contains(&ESCAPE) {
            return None;
        }
        if text.is_ascii() {
            return Some(text.as_bytes().to_vec());
        }
        let mut out = Vec::with_capacity(text.len());
        if self.extended {
            let mut writer = Extended::new(self, &mut out);
            text.chars().try_for_each(|c| writer.push(c))?;
            writer.restore();
        } else {
            text.chars().try_for_each(|c| push(self.initial, c, &mut out))?;
        }
        // Some characters have a code that reads as a sibling of theirs.
        (self.decode(&out).ok()? == text).then_some(out)
    }
}

fn push(set: Set, c: char, out: &mut Vec<u8>) -> Option<()> {
    if c.is_ascii() {
        out.push(c as u8);
    } else {
        out.extend_from_slice(set.code(c)?.as_slice());
    }
    Some(())
}

/// Writes with code extensions: what is designated to the two halves now.
struct Extended<'s, 'o> {
    sets: &'s CharacterSets,
    out: &'o mut Vec<u8>,
    low: Set,
    high: Set,
}

impl<'s, 'o> Extended<'s, 'o> {
    fn new(sets: &'s CharacterSets, out: &'o mut Vec<u8>) -> Self {
        Self { sets, out, low: Set::Ascii, high: sets.initial }
    }

    fn push(&mut self, c: char) -> Option<()> {
        if let Some(byte) = u8::try_from(c).ok().filter(u8::is_ascii) {
            if is_reset(byte) {
                self.restore();
            }
            self.restore_low();
            self.out.push(byte);
            return Some(());
        }
        if self.write(self.high, c) || (self.low.is_double() && self.write(self.low, c)) {
            return Some(());
        }
        for (_, row) in self.sets.rows() {
            let high = row.high.filter(|(_, set)| set.code(c).is_some());
            let low = row.low.filter(|(_, set)| set.code(c).is_some());
            if let Some((escape, set)) = high {
                self.escape(escape);
                self.high = set;
                return self.write(set, c).then_some(());
            }
            if let Some((escape, set)) = low {
                self.escape(escape);
                self.low = set;
                return self.write(set, c).then_some(());
            }
        }
        None
    }

    fn write(&mut self, set: Set, c: char) -> bool {
        let code = set.code(c);
        if let Some(code) = &code {
            self.out.extend_from_slice(code.as_slice());
        }
        code.is_some()
    }

    fn escape(&mut self, escape: &[u8]) {
        self.out.push(ESCAPE);
        self.out.extend_from_slice(escape);
    }

    /// Back to the initial state of both halves. The upper half has an escape to it only where
    /// the first value declares one; else the delimiter itself ends what was designated.
    fn restore(&mut self) {
        self.restore_low();
        if self.high != self.sets.initial {
            let initial = |row: &&super::Repertoire| {
                row.high.is_some_and(|(_, set)| set == self.sets.initial)
            };
            if let Some((escape, _)) = REPERTOIRES.iter().find(initial).and_then(|row| row.high) {
                self.escape(escape);
            }
            self.high = self.sets.initial;
        }
    }

    fn restore_low(&mut self) {
        if self.low.is_double() {
            // JIS X 0201 as the first value has its own letters in the lower half.
            let katakana = self.sets.initial == Set::Katakana;
            let row = if katakana { IR_13 } else { super::IR_6 };
            if let Some((escape, _)) = REPERTOIRES[row].low {
                self.escape(escape);
            }
            self.low = Set::Ascii;
        }
    }
}
