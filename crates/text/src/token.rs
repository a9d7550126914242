//! A text in pieces: words, numbers, runs of one script, marks.

use crate::fold::{Way, fold_char};
use crate::kind::{Finding, Kind};
use std::ops::Range;

/// What a piece is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Letters of an alphabet.
    Word,
    Digits,
    Han,
    Hiragana,
    Katakana,
    Hangul,
    Space,
    /// Ends of lines.
    Line,
    /// One mark.
    Mark,
}

impl Class {
    /// Whether it is a script written without spaces between words, or Korean.
    pub(crate) const fn is_eastern(self) -> bool {
        matches!(self, Self::Han | Self::Hiragana | Self::Katakana | Self::Hangul)
    }

    const fn is_alphanumeric(self) -> bool {
        matches!(self, Self::Word | Self::Digits)
    }
}

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Title,
    Upper,
}

/// A piece of the folded text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) class: Class,
    pub(crate) case: Case,
    /// Whether it was written with letters that English has not: `Bùi`.
    pub(crate) marked: bool,
    /// What the piece was already taken for.
    pub(crate) taken: Option<Kind>,
}

/// A folded text with its pieces and what was found in it so far.
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
    way: Way,
    found: Vec<(Range<usize>, Kind, &'static str)>,
    /// How many digits the text has, and whether it has capitals or marks that recognizers need.
    pub(crate) digits: usize,
    pub(crate) has_capitals: bool,
    pub(crate) has_eastern: bool,
    /// Whether the last piece takes no more characters.
    closed: bool,
}

/// Where a letter begins, how it is written, and whether English has it not.
type Letter = (usize, Case, bool);

/// The letters of one run, to be split where capitals show a new word.
struct Run {
    letters: Vec<Letter>,
}

impl Page {
    pub(crate) fn new(original: &str) -> Self {
        let mut page = Self {
            text: String::with_capacity(original.len()),
            tokens: Vec::with_capacity(original.len() / 3 + 4),
            way: Way::default(),
            found: Vec::new(),
            digits: 0,
            has_capitals: false,
            has_eastern: false,
            closed: false,
        };
        let mut run = Run { letters: Vec::with_capacity(32) };
        let mut chars = original.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let start = page.text.len();
            let mut end = at + c.len_utf8();
            if fold_char(c, chars.peek().map(|&(_, next)| next), &mut page.text)
                && let Some((at, mark)) = chars.next()
            {
                end = at + mark.len_utf8();
            }
            page.way.note((start, page.text.len()), (at, end));
            page.take(c, start, &mut run);
        }
        page.close_word(&mut run, page.text.len());
        page
    }

    /// Adds what a character became to the pieces.
    fn take(&mut self, c: char, start: usize, run: &mut Run) {
        let end = self.text.len();
        let Some(folded) = self.text[start..].chars().next() else {
            // Nothing is left of it: it belongs to the piece before.
            return;
        };
        let class = class_of(folded);
        if class == Class::Word {
            let case = if c.is_uppercase() { Case::Upper } else { Case::Lower };
            self.has_capitals |= case == Case::Upper;
            run.letters.push((start, case, !c.is_ascii()));
            return;
        }
        self.close_word(run, start);
        self.digits += usize::from(class == Class::Digits) * (end - start);
        self.has_eastern |= class.is_eastern();
        // A counter after digits stands alone, so that a date ends where the next word begins.
        let counts = is_counter(folded)
            && self.tokens.last().is_some_and(|t| t.class == Class::Digits && t.end == start);
        let closed = std::mem::replace(&mut self.closed, counts);
        match self.tokens.last_mut() {
            Some(last)
                if last.class == class && class != Class::Mark && last.end == start && !closed =>
            {
                last.end = end;
            }
            _ => self.push(start, end, class, Case::Lower),
        }
    }

    fn push(&mut self, start: usize, end: usize, class: Class, case: Case) {
        self.tokens.push(Token { start, end, class, case, marked: false, taken: None });
    }

    /// Ends a run of letters: one word, or several that are written together (`MRHead`).
    fn close_word(&mut self, run: &mut Run, end: usize) {
        let letters = std::mem::take(&mut run.letters);
        let mut first = 0;
        for at in 1..letters.len() {
            let upper = |n: usize| letters.get(n).is_some_and(|l| l.1 == Case::Upper);
            let lower = |n: usize| letters.get(n).is_some_and(|l| l.1 == Case::Lower);
            let hump = lower(at - 1) && upper(at);
            let tail = upper(at - 1) && upper(at) && lower(at + 1) && lower(at + 2);
            if hump || tail {
                self.push_word(&letters[first..at], letters[at].0);
                first = at;
            }
        }
        if first < letters.len() {
            self.push_word(&letters[first..], end);
        }
        run.letters = letters;
        run.letters.clear();
    }

    fn push_word(&mut self, letters: &[Letter], end: usize) {
        let capitals = letters.iter().filter(|l| l.1 == Case::Upper).count();
        let case = match capitals {
            0 => Case::Lower,
            1 if letters.len() > 1 && letters[0].1 == Case::Upper => Case::Title,
            n if n == letters.len() => Case::Upper,
            _ => Case::Title,
        };
        self.push(letters[0].0, end, Class::Word, case);
        if let Some(word) = self.tokens.last_mut() {
            word.marked = letters.iter().any(|letter| letter.2);
        }
    }

    pub(crate) fn str(&self, token: usize) -> &str {
        self.tokens.get(token).map_or("", |t| &self.text[t.start..t.end])
    }

    pub(crate) fn class(&self, token: usize) -> Option<Class> {
        self.tokens.get(token).map(|t| t.class)
    }

    pub(crate) fn is_word(&self, token: usize) -> bool {
        self.class(token) == Some(Class::Word)
    }

    pub(crate) fn is_space(&self, token: usize) -> bool {
        self.class(token) == Some(Class::Space)
    }

    /// The mark that a token is.
    pub(crate) fn mark(&self, token: usize) -> Option<char> {
        let is_mark = self.class(token) == Some(Class::Mark);
        is_mark.then(|| self.str(token).chars().next()).flatten()
    }

    /// The digits that a token is.
    pub(crate) fn digits_at(&self, token: usize) -> Option<&str> {
        (self.class(token) == Some(Class::Digits)).then(|| self.str(token))
    }

    /// The number that a token is, when it has at most 9 digits.
    pub(crate) fn number(&self, token: usize) -> Option<u32> {
        self.digits_at(token).filter(|d| d.len() <= 9).and_then(|d| d.parse().ok())
    }

    pub(crate) fn is_free(&self, token: usize) -> bool {
        self.tokens.get(token).is_some_and(|t| t.taken.is_none())
    }

    /// Whether two neighbours are letters or digits without anything between them.
    pub(crate) fn is_glued_before(&self, token: usize) -> bool {
        let class = |at: usize| self.class(at).is_some_and(Class::is_alphanumeric);
        token > 0 && class(token) && class(token - 1)
    }

    /// The run of letters and digits that begins with a token: the token after it.
    pub(crate) fn glued_end(&self, token: usize) -> usize {
        let mut end = token + 1;
        while self.is_glued_before(end) {
            end += 1;
        }
        end
    }

    /// Takes whole tokens for something.
    pub(crate) fn take_tokens(&mut self, tokens: Range<usize>, kind: Kind, rule: &'static str) {
        let Some(last) = tokens.end.checked_sub(1).and_then(|at| self.tokens.get(at)) else {
            return;
        };
        let range = self.tokens[tokens.start].start..last.end;
        for token in &mut self.tokens[tokens] {
            token.taken = Some(kind);
        }
        self.found.push((range, kind, rule));
    }

    /// Takes a piece of the folded text for something, and the tokens that it touches.
    pub(crate) fn take_range(&mut self, range: Range<usize>, kind: Kind, rule: &'static str) {
        let first = self.tokens.partition_point(|t| t.end <= range.start);
        for token in self.tokens[first..].iter_mut().take_while(|t| t.start < range.end) {
            token.taken = Some(kind);
        }
        self.found.push((range, kind, rule));
    }

    /// Whether digits were taken for something.
    pub(crate) fn has_gone_digits(&self) -> bool {
        self.tokens.iter().any(|t| t.class == Class::Digits && t.taken.is_some())
    }

    /// Takes what was found in the same text by itself, where it touches what is taken here.
    pub(crate) fn take_around(&mut self, other: Self) {
        for (range, kind, rule) in other.found {
            if self.found.iter().any(|(own, ..)| own.start < range.end && range.start < own.end) {
                self.take_range(range, kind, rule);
            }
        }
    }

    /// A piece of the folded text, by the bytes of the original.
    pub(crate) fn original(&self, piece: Range<usize>) -> Range<usize> {
        self.way.start(piece.start)..self.way.end(piece.end)
    }

    /// What was found, in order and without overlaps, by the bytes of the original.
    pub(crate) fn findings(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|(range, kind, _)| (range.start, range.end, !kind.is_name()));
        let mut findings: Vec<Finding> = Vec::with_capacity(self.found.len());
        for (range, kind, rule) in self.found {
            let range = self.way.start(range.start)..self.way.end(range.end);
            match findings.last_mut() {
                Some(last) if range.start < last.range.end => {
                    last.range.end = last.range.end.max(range.end);
                }
                _ => findings.push(Finding { range, kind, rule }),
            }
        }
        findings
    }
}

/// What counts years, months, days, hours, minutes and years of life.
fn is_counter(c: char) -> bool {
    "年月日号時时分点岁歳才년월일시분세".contains(c)
}

fn class_of(c: char) -> Class {
    match c {
        'a'..='z' => Class::Word,
        '0'..='9' => Class::Digits,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Class::Line,
        ' ' | '\t' => Class::Space,
        _ if c.is_ascii() => Class::Mark,
        '\u{3005}'
        | '\u{3007}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Class::Han,
        '\u{3041}'..='\u{309f}' => Class::Hiragana,
        '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' => {
            Class::Katakana
        }
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7a3}' => {
            Class::Hangul
        }
        _ if c.is_alphabetic() => Class::Word,
        _ if c.is_whitespace() => Class::Space,
        _ => Class::Mark,
    }
}
