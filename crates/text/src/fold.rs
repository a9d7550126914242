//! Folding: the same word in every spelling of its letters, with the way back to the original.
//!
//! Letters become lower case without marks (`Müller` and `MULLER` are one), full-width letters and
//! half-width katakana the usual ones, traditional characters simplified ones, digits of other
//! scripts `0` to `9`; what does not show (soft hyphens, zero-width marks) is left out.

use crate::words::QuickMap;
use std::sync::LazyLock;

static FOLDS: LazyLock<QuickMap<char, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("../data/fold.txt").lines();
    lines
        .filter_map(|line| {
            let from = line.chars().next()?;
            Some((from, &line[from.len_utf8()..]))
        })
        .collect()
});

/// The place of a character whose folded form has another length, or of the one after it.
#[derive(Clone, Copy)]
struct Break {
    folded: usize,
    original: usize,
    /// True for the character itself, false for what follows it.
    odd: bool,
}

/// The way from places in a folded text to places in the original.
#[derive(Default)]
pub(crate) struct Way(Vec<Break>);

impl Way {
    /// Remembers that a character of the original became one of another length.
    pub(crate) fn note(&mut self, folded: (usize, usize), original: (usize, usize)) {
        if folded.1 - folded.0 == original.1 - original.0 {
            return;
        }
        if self.0.last().is_some_and(|b| !b.odd && b.folded == folded.0 && b.original == original.0)
        {
            self.0.pop();
        }
        self.0.push(Break { folded: folded.0, original: original.0, odd: true });
        self.0.push(Break { folded: folded.1, original: original.1, odd: false });
    }

    /// Where in the original what begins at a folded place begins.
    pub(crate) fn start(&self, folded: usize) -> usize {
        match self.before(folded) {
            None => folded,
            Some((_, at)) if at.odd => at.original,
            Some((_, at)) => at.original + (folded - at.folded),
        }
    }

    /// Where in the original what ends at a folded place ends.
    pub(crate) fn end(&self, folded: usize) -> usize {
        match self.before(folded) {
            Some((next, at)) if at.odd && folded > at.folded => {
                self.0.get(next).map_or(at.original, |b| b.original)
            }
            _ => self.start(folded),
        }
    }

    fn before(&self, folded: usize) -> Option<(usize, Break)> {
        let next = self.0.partition_point(|b| b.folded <= folded);
        next.checked_sub(1).map(|at| (next, self.0[at]))
    }
}

/// Puts the folded form of a character behind `to`. `next` is the character that follows it;
/// true when that one went into the form as well.
pub(crate) fn fold_char(c: char, next: Option<char>, to: &mut String) -> bool {
    if c.is_ascii() {
        to.push(c.to_ascii_lowercase());
        return false;
    }
    match c {
        '\u{ad}'
        | '\u{300}'..='\u{36f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'
        | '\u{feff}' => {}
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => to.push(' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => to.push('-'),
        '\u{2018}' | '\u{2019}' | '\u{2032}' => to.push('\''),
        '\u{ff01}'..='\u{ff5e}' => {
            let plain = char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c);
            to.push(plain.to_ascii_lowercase());
        }
        '\u{ff66}'..='\u{ff9d}' => {
            let wide = FOLDS.get(&c).and_then(|s| s.chars().next()).unwrap_or(c);
            let voiced = next.and_then(|mark| voice(wide, mark));
            to.push(voiced.unwrap_or(wide));
            return voiced.is_some();
        }
        _ => match FOLDS.get(&c) {
            Some(plain) => to.push_str(plain),
            None => to.extend(c.to_lowercase()),
        },
    }
    false
}

/// Katakana with the half-width mark that follows it: the voiced one comes next in Unicode.
fn voice(kana: char, mark: char) -> Option<char> {
    let step = match (kana, mark) {
        ('ウ', '\u{ff9e}') => return Some('ヴ'),
        ('カ'..='ト' | 'ハ'..='ホ', '\u{ff9e}') => 1,
        ('ハ'..='ホ', '\u{ff9f}') => 2,
        _ => return None,
    };
    char::from_u32(u32::from(kana) + step)
}

/// The folded form of a text.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if fold_char(c, chars.peek().copied(), &mut folded) {
            chars.next();
        }
    }
    folded
}
