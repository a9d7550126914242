//! Character sets (PS3.3 C.12.1.1.2, PS3.5 6.1.2): single sets, and ISO 2022 code extensions.
//!
//! Positions 5C and 7E of JIS X 0201 (IR 13) are the yen sign and the overline. Here they are read
//! as backslash and tilde: 5C is the delimiter of values in every set (PS3.5 6.1.2.3), and senders
//! type it as such. A text that holds the yen sign or the overline has no bytes in IR 13.

mod common;
mod encode;
mod evidence;
mod repertoire;

use repertoire::{ESCAPE, IR_6, JAPANESE, REPERTOIRES, Repertoire, Set, is_reset};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Why a text could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CharsetError {
    /// A defined term that PS3.3 does not have.
    #[error("a character set that the standard does not define")]
    UnknownTerm,
    /// Bytes that the declared character sets cannot hold.
    #[error("bytes outside the declared character sets")]
    Undecodable,
}

/// The character sets that Specific Character Set declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CharacterSets {
    /// The whole set, or what stands in the upper half (G1) before any escape.
    initial: Set,
    /// Code extensions by ISO 2022 are in use.
    extended: bool,
    /// Bits of [`REPERTOIRES`]: what escapes may designate.
    declared: u32,
    /// The value that declares all this; `None` when no term of the standard does.
    term: Option<Cow<'static, str>>,
}

/// One defined term.
enum Term {
    /// The default repertoire, by an empty term.
    Default,
    /// A set that takes no code extensions.
    Alone(Set, &'static str),
    /// A row of [`REPERTOIRES`], and whether the term is the one for code extensions.
    Registered(usize, bool),
}

/// Reads a term. Senders write `ISO IR 100` and `ISO-IR 100`, too: they can mean nothing else.
fn read(term: &str) -> Option<Term> {
    let mut plain = term.to_ascii_uppercase().replace(['_', '-'], " ");
    if let Some(rest) = plain.strip_prefix("ISO2022") {
        plain = format!("ISO 2022{rest}");
    }
    let row = |number: &str| REPERTOIRES.iter().position(|row| row.number == number);
    match plain.as_str() {
        "" => Some(Term::Default),
        "ISO IR 192" => Some(Term::Alone(Set::Utf8, "ISO_IR 192")),
        "GB18030" => Some(Term::Alone(Set::Gb18030, "GB18030")),
        "GBK" => Some(Term::Alone(Set::Gbk, "GBK")),
        plain => {
            if let Some(number) = plain.strip_prefix("ISO 2022 IR ") {
                return row(number).map(|row| Term::Registered(row, true));
            }
            let row = row(plain.strip_prefix("ISO IR ")?)?;
            REPERTOIRES[row].alone.then_some(Term::Registered(row, false))
        }
    }
}

/// `ISO_IR 100`, read once.
static LATIN1: LazyLock<CharacterSets> = LazyLock::new(|| {
    let read = CharacterSets::parse_terms(b"ISO_IR 100").unwrap_or(CharacterSets::DEFAULT);
    CharacterSets { term: Some(Cow::Borrowed("ISO_IR 100")), ..read }
});

impl CharacterSets {
    /// The default repertoire (ISO 646), in force where nothing is declared.
    pub const DEFAULT: Self =
        Self { initial: Set::Ascii, extended: false, declared: 0, term: Some(Cow::Borrowed("")) };

    /// UTF-8 (`ISO_IR 192`), which can write any text.
    pub const UTF8: Self = Self {
        initial: Set::Utf8,
        extended: false,
        declared: 0,
        term: Some(Cow::Borrowed("ISO_IR 192")),
    };

    /// Reads the value of Specific Character Set (0008,0005).
    ///
    /// # Errors
    /// [`CharsetError::UnknownTerm`] for a term that the standard does not define, or not there.
    pub fn parse(value: &[u8]) -> Result<Self, CharsetError> {
        // By far the most frequent ones, without an allocation.
        match value {
            b"" => return Ok(Self::DEFAULT),
            b"ISO_IR 100" => return Ok(LATIN1.clone()),
            b"ISO_IR 192" => return Ok(Self::UTF8),
            _ => {}
        }
        Self::parse_terms(value)
    }

    fn parse_terms(value: &[u8]) -> Result<Self, CharsetError> {
        let text = std::str::from_utf8(value).map_err(|_| CharsetError::UnknownTerm)?;
        let mut terms = text.split('\\').map(|term| term.trim_matches([' ', '\0']));
        let first = read(terms.next().unwrap_or("")).ok_or(CharsetError::UnknownTerm)?;
        let mut rows = Vec::new();
        let (initial, mut extended) = match first {
            // What takes no code extensions stands alone; further values mean nothing.
            Term::Alone(set, term) => return Ok(Self::alone(set, Some(term))),
            Term::Default => (None, false),
            Term::Registered(row, extended) => (Some(row), extended),
        };
        rows.extend(initial);
        for term in terms {
            match read(term).ok_or(CharsetError::UnknownTerm)? {
                Term::Default => {}
                Term::Alone(..) => return Err(CharsetError::UnknownTerm),
                Term::Registered(row, _) => {
                    extended = true;
                    rows.push(row);
                }
            }
        }
        Ok(Self::registered(initial, &rows, extended))
    }

    const fn alone(initial: Set, term: Option<&'static str>) -> Self {
        let term = match term {
            Some(term) => Some(Cow::Borrowed(term)),
            None => None,
        };
        Self { initial, extended: false, declared: 0, term }
    }

    fn registered(initial: Option<usize>, rows: &[usize], extended: bool) -> Self {
        let high = initial.and_then(|row| REPERTOIRES[row].high);
        // Two-byte sets are never the initial state (PS3.3 Table C.12-4): an escape leads to them.
        let high = high.map(|(_, set)| set).filter(|set| !set.is_double());
        let declared = rows.iter().fold(0, |bits, row| bits | 1 << row);
        let name = |row: &usize| {
            let kind = if extended { "ISO 2022 IR" } else { "ISO_IR" };
            format!("{kind} {}", REPERTOIRES[*row].number)
        };
        let mut terms: Vec<String> = rows.iter().map(name).collect();
        if initial.is_none() && extended {
            terms.insert(0, String::new());
        }
        let mut term = terms.join("\\");
        if term == "ISO_IR 6" {
            // The default repertoire has a term for code extensions only.
            term.clear();
        }
        Self {
            initial: high.unwrap_or(Set::Ascii),
            extended,
            declared,
            term: Some(Cow::Owned(term)),
        }
    }

    /// The value of Specific Character Set that declares these sets: empty for the default
    /// repertoire, where the element is left out. `None` for a set found by
    /// [`Self::evidence`] that the standard has no term for: write such text as [`Self::UTF8`].
    #[must_use]
    pub fn term(&self) -> Option<&str> {
        self.term.as_deref()
    }

    /// Decodes a whole value: delimiters may be the second byte of a character, so that only the
    /// decoded text can be split.
    ///
    /// # Errors
    /// [`CharsetError::Undecodable`] when the bytes do not fit the declared sets.
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> Result<Cow<'b, str>, CharsetError> {
        let escaped = bytes.contains(&ESCAPE);
        if bytes.is_ascii() && !escaped {
            return std::str::from_utf8(bytes)
                .map(Cow::Borrowed)
                .map_err(|_| CharsetError::Undecodable);
        }
        let mut out = String::with_capacity(bytes.len() * 2);
        let decoded = if self.extended {
            self.decode_extended(bytes, &mut out)
        } else if escaped {
            None
        } else {
            self.initial.decode(bytes, &mut out)
        };
        decoded.map(|()| Cow::Owned(out)).ok_or(CharsetError::Undecodable)
    }

    /// ISO 2022: escapes switch G0 or G1; delimiters switch back (PS3.5 6.1.2.5.3).
    fn decode_extended(&self, bytes: &[u8], out: &mut String) -> Option<()> {
        let (mut low, mut high) = (Set::Ascii, self.initial);
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if first == ESCAPE {
                let (length, is_high, set) = self.escape(&rest[1..])?;
                *(if is_high { &mut high } else { &mut low }) = set;
                rest = &rest[1 + length..];
                continue;
            }
            // Control characters and space stand beside a two-byte set, not in it (ISO 2022 6.2).
            let double = low.is_double();
            let place = |byte: u8| (byte >= 0x80, double && byte > 0x20);
            let end = rest.iter().position(|&b| b == ESCAPE || place(b) != place(first));
            let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
            match place(first) {
                (true, _) => high.decode(run, out)?,
                (false, true) => low.decode(run, out)?,
                (false, false) => {
                    out.extend(run.iter().map(|&byte| char::from(byte)));
                    if run.iter().any(|&byte| is_reset(byte)) {
                        (low, high) = (Set::Ascii, self.initial);
                    }
                }
            }
            rest = after;
        }
        Some(())
    }

    /// What the escape sequence at the beginning of `rest` designates, if that is declared: its
    /// length, whether it is the upper half, and the set.
    fn escape(&self, rest: &[u8]) -> Option<(usize, bool, Set)> {
        match rest {
            [b'(', b'B', ..] => return Some((2, false, Set::Ascii)),
            // Senders return to JIS X 0201 where only two-byte Japanese sets are declared.
            [b'(', b'J', ..] if self.declared & JAPANESE != 0 => {
                return Some((2, false, Set::Ascii));
            }
            // The first edition of JIS X 0208, of 1978.
            [b'$', b'@', ..] => return self.escape(b"$B"),
            _ => {}
        }
        self.rows().find_map(|(_, row)| {
            let half = |half: Option<(&'static [u8], Set)>, is_high| {
                let (escape, set) = half.filter(|(escape, _)| rest.starts_with(escape))?;
                Some((escape.len(), is_high, set))
            };
            half(row.low, false).or_else(|| half(row.high, true))
        })
    }

    /// The declared rows of [`REPERTOIRES`].
    fn rows(&self) -> impl Iterator<Item = (usize, &'static Repertoire)> {
        let declared = self.declared | 1 << IR_6;
        REPERTOIRES.iter().enumerate().filter(move |(row, _)| declared >> row & 1 == 1)
    }
}

#[cfg(test)]
mod tests;
