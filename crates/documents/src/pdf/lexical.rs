//! The lexical layer of PDF (ISO 32000-1, 7.2 and 7.3), as far as it takes to know that nothing
//! stands between the parts that the parser has understood, and to see every string of a text, also
//! of a key that is given twice.

use crate::Unread;

/// Arrays and dictionaries within each other.
const DEEPEST: usize = 64;

/// What a piece of PDF holds.
#[derive(Default)]
pub(crate) struct Tokens {
    /// Strings, literal and hexadecimal, without their escapes.
    pub(crate) strings: Vec<Vec<u8>>,
    /// Names, without their escapes.
    pub(crate) names: Vec<Vec<u8>>,
    /// Words at the top: operators of a content stream, keywords of an object.
    words: Vec<Vec<u8>>,
    /// Strings, names, arrays and dictionaries at the top.
    others: usize,
}

struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    open: Vec<u8>,
    tokens: Tokens,
}

/// Takes a piece apart.
///
/// # Errors
/// [`Unread::Leftovers`] for a comment, [`Unread::Malformed`] for what does not belong together.
pub(crate) fn scan(bytes: &[u8]) -> Result<Tokens, Unread> {
    let mut scanner = Scanner { bytes, at: 0, open: Vec::new(), tokens: Tokens::default() };
    while scanner.step()? {}
    if scanner.open.is_empty() { Ok(scanner.tokens) } else { Err(Unread::Malformed) }
}

impl Tokens {
    /// Whether this is one value and nothing else: of an object, or between `trailer` and
    /// `startxref`.
    pub(crate) fn is_one_value(&self) -> bool {
        let number = |word: &[u8]| word.iter().all(|b| b.is_ascii_digit() || b"+-.".contains(b));
        match (self.others, self.words.as_slice()) {
            (1, []) => true,
            (0, [word]) => number(word) || [&b"true"[..], b"false", b"null"].contains(&&**word),
            (0, [number_of, generation, r]) => number(number_of) && number(generation) && r == b"R",
            _ => false,
        }
    }

    /// How many operators a content stream has: words that are neither numbers nor values.
    pub(crate) fn operators(&self) -> usize {
        let value = |word: &Vec<u8>| {
            let number = word.iter().all(|b| b.is_ascii_digit() || b"+-.".contains(b));
            number || [&b"true"[..], b"false", b"null"].contains(&word.as_slice())
        };
        self.words.iter().filter(|word| !value(word)).count()
    }
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    b"()<>[]{}/%".contains(&byte)
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// One token; `false` at the end.
    fn step(&mut self) -> Result<bool, Unread> {
        let Some(byte) = self.peek(0) else { return Ok(false) };
        match (byte, self.peek(1)) {
            _ if is_space(byte) => self.at += 1,
            (b'%', _) => return Err(Unread::Leftovers),
            (b'(', _) => self.literal()?,
            (b'<', Some(b'<')) => self.open(b'<', 2)?,
            (b'>', Some(b'>')) => self.close(b'<', 2)?,
            (b'<', _) => self.hexadecimal()?,
            (b'[', _) => self.open(b'[', 1)?,
            (b']', _) => self.close(b'[', 1)?,
            (b'/', _) => self.name(),
            _ if is_delimiter(byte) => return Err(Unread::Malformed),
            _ => {
                let word = self.regular();
                if self.open.is_empty() {
                    self.tokens.words.push(word);
                }
            }
        }
        Ok(true)
    }

    fn top(&mut self) {
        if self.open.is_empty() {
            self.tokens.others += 1;
        }
    }

    fn open(&mut self, bracket: u8, length: usize) -> Result<(), Unread> {
        self.top();
        self.open.push(bracket);
        self.at += length;
        if self.open.len() > DEEPEST { Err(Unread::TooMuch) } else { Ok(()) }
    }

    fn close(&mut self, bracket: u8, length: usize) -> Result<(), Unread> {
        self.at += length;
        if self.open.pop() == Some(bracket) { Ok(()) } else { Err(Unread::Malformed) }
    }

    fn regular(&mut self) -> Vec<u8> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&b| is_space(b) || is_delimiter(b)).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_vec()
    }

    fn name(&mut self) {
        self.top();
        self.at += 1;
        let raw = self.regular();
        let (mut name, mut at) = (Vec::with_capacity(raw.len()), 0);
        while let Some(&byte) = raw.get(at) {
            let escaped = raw.get(at + 1..at + 3).filter(|_| byte == b'#');
            match escaped.and_then(|digits| Some(hex(digits[0])? << 4 | hex(digits[1])?)) {
                Some(byte) => {
                    name.push(byte);
                    at += 3;
                }
                None => {
                    name.push(byte);
                    at += 1;
                }
            }
        }
        self.tokens.names.push(name);
    }

    fn hexadecimal(&mut self) -> Result<(), Unread> {
        self.top();
        let rest = &self.bytes[self.at + 1..];
        let end = rest.iter().position(|&b| b == b'>').ok_or(Unread::Malformed)?;
        let digits = rest[..end].iter().filter(|&&b| !is_space(b)).map(|&b| hex(b));
        let digits: Vec<u8> = digits.collect::<Option<_>>().ok_or(Unread::Malformed)?;
        let pair = |pair: &[u8]| pair[0] << 4 | pair.get(1).copied().unwrap_or(0);
        self.tokens.strings.push(digits.chunks(2).map(pair).collect());
        self.at += end + 2;
        Ok(())
    }

    /// A literal string (7.3.4.2).
    fn literal(&mut self) -> Result<(), Unread> {
        self.top();
        self.at += 1;
        let (mut string, mut depth) = (Vec::new(), 1);
        loop {
            let byte = self.peek(0).ok_or(Unread::Malformed)?;
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' if depth == 1 => break,
                b')' => depth -= 1,
                b'\\' => {
                    string.extend(self.escaped()?);
                    continue;
                }
                _ => {}
            }
            string.push(byte);
        }
        self.tokens.strings.push(string);
        Ok(())
    }

    fn escaped(&mut self) -> Result<Option<u8>, Unread> {
        let byte = self.peek(0).ok_or(Unread::Malformed)?;
        self.at += 1;
        Ok(match byte {
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'b' => Some(8),
            b'f' => Some(12),
            b'\r' => {
                if self.peek(0) == Some(b'\n') {
                    self.at += 1;
                }
                None
            }
            b'\n' => None,
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek(0) else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                Some(value as u8)
            }
            other => Some(other),
        })
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_taken_apart() {
        let tokens =
            scan(b"<< /A#41 (a\\(b\\051\\nc(d)) /B <4a 4B5> /A [1 2 R null] >>").ok().unwrap();
        assert_eq!(tokens.strings, [&b"a(b)\nc(d)"[..], b"JKP"]);
        assert_eq!(tokens.names, [&b"AA"[..], b"B", b"A"]);
        assert!(tokens.is_one_value());
        for (text, one) in [
            (&b"12 0 R"[..], true),
            (b" null\n", true),
            (b"-1.5", true),
            (b"[] []", false),
            (b"<< >> Ashgrove", false),
            (b"Ashgrove", false),
            (b"", false),
        ] {
            assert_eq!(scan(text).is_ok_and(|tokens| tokens.is_one_value()), one, "{text:?}");
        }
        for (text, unread) in [
            (&b"<< /A 1 % Ashgrove\n>>"[..], Unread::Leftovers),
            (b"(a", Unread::Malformed),
            (b"<4g>", Unread::Malformed),
            (b"[ << ] >>", Unread::Malformed),
            (&b"[".repeat(100), Unread::TooMuch),
        ] {
            assert_eq!(scan(text).err(), Some(unread), "{text:?}");
        }
        assert_eq!(scan(b"BT /F1 12 Tf (a) Tj 0 -1.5 Td ET").unwrap().operators(), 5);
    }
}
