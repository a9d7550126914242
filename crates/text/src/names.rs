//! Names that nobody listed: every word is a word of the vocabulary, a name, both or unknown;
//! where a word may be either, its neighbours decide.

mod beside;
mod context;
mod house;
mod run;
mod sentence;

use crate::kind::Kind;
use crate::lexicon::{self, Entry};
use crate::titles::{is_eastern_family, is_namesake, is_role, is_title};
use crate::token::{Case, Class, Page};
use crate::words::words;

/// Longest word that is too short for an unknown name.
const SHORT: usize = 3;
/// Most consonants in a row in a word that somebody can say.
const CONSONANTS: usize = 5;
/// Longest unknown word that a technical compound explains: `ep2d_diff_mddw_64`.
const TECHNICAL: usize = 5;

/// What a word is by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// No word.
    Nothing,
    /// A word of the vocabulary.
    Vocabulary,
    /// A name, and a word too usual to be one without a title.
    Firm,
    /// A name and a word.
    Both,
    /// A name and nothing else.
    Name,
    /// A name of two or three letters, and no word.
    Short,
    /// A single letter.
    Initial,
    /// Known to nobody, but no name by its looks.
    Technical,
    /// Known to nobody; it may be a name.
    Unknown,
}

/// Most letters of an abbreviation that nobody can say; a longer word is somebody's.
const ABBREVIATED: usize = 7;

/// What the profile keeps besides the vocabulary.
pub(crate) type Keep<'k> = &'k dyn Fn(&str) -> bool;

struct Words<'p> {
    page: &'p mut Page,
    judged: Vec<Judged>,
    given: Vec<bool>,
    /// Whether every word is in capitals.
    shouted: bool,
}

/// Takes names and unknown words.
pub(crate) fn find(page: &mut Page, keep: Keep<'_>) {
    let mut words = Words {
        judged: vec![Judged::Nothing; page.tokens.len()],
        given: vec![false; page.tokens.len()],
        shouted: is_shouted(page),
        page,
    };
    if !words.judge_all(keep) && !words.page.has_eastern {
        return;
    }
    words.take_plain();
    words.beside_eastern();
    words.after_cues();
    words.houses();
    words.capitals_in_sentences();
    words.beside_names();
}

fn is_shouted(page: &Page) -> bool {
    page.has_capitals && page.tokens.iter().all(|t| t.class != Class::Word || t.case == Case::Upper)
}

/// What a folded word is by itself.
pub(crate) fn judge_alone(word: &str) -> Option<crate::kind::Word> {
    use crate::kind::Word;
    match judge(word, lexicon::look_up(word)) {
        Judged::Nothing => None,
        Judged::Vocabulary | Judged::Firm | Judged::Both => Some(Word::Vocabulary),
        Judged::Name | Judged::Short => Some(Word::Name),
        Judged::Initial | Judged::Technical => Some(Word::Abbreviation),
        Judged::Unknown => Some(Word::Unknown),
    }
}

fn judge(word: &str, entry: Entry) -> Judged {
    let letters = if word.is_ascii() { word.len() } else { word.chars().count() };
    let (vocabulary, name) = (entry.is_vocabulary(), entry.is_name());
    match (vocabulary, name) {
        _ if letters <= 1 => Judged::Initial,
        (true, true) if entry.is_firm() || (letters <= SHORT && entry.is_clinical()) => {
            Judged::Firm
        }
        (true, true) => Judged::Both,
        (true, false) => Judged::Vocabulary,
        (false, true) if letters <= SHORT => Judged::Short,
        (false, true) => Judged::Name,
        (false, false) if !word.is_ascii() => Judged::Unknown,
        (false, false) if letters <= SHORT || (letters <= ABBREVIATED && !is_sayable(word)) => {
            Judged::Technical
        }
        (false, false) if is_namesake(word) || lexicon::is_built_clinically(word) => {
            Judged::Vocabulary
        }
        (false, false) => Judged::Unknown,
    }
}

/// Whether a word has vowels and no heap of consonants.
fn is_sayable(word: &str) -> bool {
    let (mut vowels, mut run, mut longest) = (0, 0, 0);
    for letter in word.bytes() {
        if matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y') {
            vowels += 1;
            run = 0;
        } else {
            run += 1;
            longest = longest.max(run);
        }
    }
    vowels > 0 && longest <= CONSONANTS
}

/// `3DFGRE`, `AXIALT2`: a word of technique without the letter that belongs to the digit beside it.
fn without_dimension(page: &Page, at: usize) -> &str {
    let word = page.str(at);
    let known = |rest: &str| rest.len() >= SHORT && lexicon::look_up(rest).is_clinical();
    let digit = |t: Option<usize>| t.and_then(|t| page.digits_at(t)).unwrap_or_default();
    let dimension = page.is_glued_before(at) && matches!(digit(at.checked_sub(1)), "2" | "3" | "4");
    let weighting = page.is_glued_before(at + 1) && matches!(digit(Some(at + 1)), "1" | "2");
    let rest = [(dimension, word.strip_prefix('d')), (weighting, word.strip_suffix('t'))];
    let mut rest = rest.into_iter().filter_map(|(beside, rest)| rest.filter(|_| beside));
    rest.find(|rest| known(rest)).unwrap_or(word)
}

/// Small words beside and inside names.
pub(crate) const SMALL_WORDS: &str = include_str!("../data/beside-names.txt");

words! { SMALL_WORDS;
    /// Beginnings of names with a capital inside: `McDonald`, `DeShawn`.
    HUMPED "humped";
    /// Between a thing and whom it is named after.
    NAMED_AFTER "named-after";
}

impl Words<'_> {
    /// Judges every word by itself; false when nothing is in doubt.
    fn judge_all(&mut self, keep: Keep<'_>) -> bool {
        let mut doubt = false;
        let mut at = 0;
        while at < self.page.tokens.len() {
            if !self.page.is_word(at) {
                at += 1;
                continue;
            }
            let end = self.run_end(at);
            if self.page.is_free(at) {
                doubt |= self.judge_run(at, end, keep);
            } else {
                doubt |= self.page.tokens[at].taken.is_some_and(Kind::is_name);
            }
            at = end;
        }
        doubt || self.page.tokens.iter().any(|t| t.taken.is_some_and(Kind::is_name))
    }

    /// The end of a run of words that are written together.
    fn run_end(&self, at: usize) -> usize {
        let mut end = at + 1;
        while self.page.is_word(end) && self.page.is_free(end) == self.page.is_free(at) {
            end += 1;
        }
        end
    }

    fn judge_run(&mut self, at: usize, end: usize, keep: Keep<'_>) -> bool {
        if end > at + 1 {
            let whole = &self.page.text[self.page.tokens[at].start..self.page.tokens[end - 1].end];
            let entry = if keep(whole) { Entry::VOCABULARY } else { lexicon::look_up(whole) };
            let humped = HUMPED.contains(self.page.str(at));
            if entry.is_vocabulary() || entry.is_name() {
                let judged = judge(whole, entry);
                self.judged[at..end].fill(judged);
                self.given[at..end].fill(entry.is_given());
                return judged != Judged::Vocabulary;
            }
            let rest = lexicon::look_up(self.page.str(at + 1));
            if humped && !rest.is_clinical() && self.page.str(at + 1).len() > SHORT {
                self.judged[at..end].fill(Judged::Unknown);
                return true;
            }
        }
        let mut doubt = false;
        for token in at..end {
            let named_after = self.is_named_after(token);
            let word = without_dimension(self.page, token);
            let entry = if keep(word) { Entry::VOCABULARY } else { lexicon::look_up(word) };
            let mut judged = judge(word, entry);
            if judged == Judged::Unknown && word.len() <= TECHNICAL && self.is_technical(at) {
                judged = Judged::Technical;
            }
            // `Bùi`: no abbreviation has marks.
            let marked =
                self.page.tokens[token].marked && self.page.tokens[token].case != Case::Lower;
            if judged == Judged::Short && marked {
                judged = Judged::Name;
            }
            if entry.is_common_eponym() && judged == Judged::Name && named_after {
                judged = Judged::Both;
            }
            // `Morbus Basedow`: nothing but the name of a disease follows.
            if judged == Judged::Name
                && self.previous(token).is_some_and(|p| self.page.str(p) == "morbus")
            {
                judged = Judged::Both;
            }
            self.judged[token] = judged;
            self.given[token] = entry.is_given();
            let plain = matches!(judged, Judged::Vocabulary | Judged::Technical | Judged::Initial);
            doubt |= !plain || is_title(word) || house::is_house(word);
            let title = self.page.tokens[token].case == Case::Title;
            doubt |= title && (is_eastern_family(word) || entry.is_romance()) || is_role(word);
        }
        doubt
    }

    /// Whether what follows a word, or stands before it, is a thing named after somebody.
    fn is_named_after(&self, at: usize) -> bool {
        let mut next = Some(at);
        let mut typed = false;
        for _ in 0..4 {
            next = next.and_then(|n| self.next(n));
            let Some(word) = next.map(|n| self.page.str(n)) else { break };
            let entry = lexicon::look_up(word);
            if is_namesake(word) {
                return true;
            }
            // `Weber B ankle fracture`: a type, and then what is broken.
            typed |= matches!(word, "a" | "b" | "c");
            let goes_on = typed || word == "s" || entry.is_common_eponym() || entry.is_eponym();
            if !goes_on {
                break;
            }
        }
        self.is_after_namesake(at)
    }

    /// `quiste de Baker`, `circle of Willis`: the thing stands before whom it is named after.
    fn is_after_namesake(&self, at: usize) -> bool {
        let small = |b: usize| {
            let word = self.page.str(b);
            NAMED_AFTER.contains(word)
        };
        let beside = |t: usize| {
            let before = t.checked_sub(2)?;
            (self.page.is_word(before) && self.page.is_space(t - 1)).then_some(before)
        };
        // `fracture de Pouteau-Colles`: of two that a hyphen joins, the first.
        let first = match at.checked_sub(2) {
            Some(one) if self.page.mark(at - 1) == Some('-') && self.page.is_word(one) => one,
            _ => at,
        };
        let mut before = beside(first);
        if before.is_some_and(small) {
            before = before.and_then(beside);
        }
        before.is_some_and(|b| is_namesake(self.page.str(b)))
    }

    /// Whether a word stands in a compound of small letters, digits and underscores.
    fn is_technical(&self, at: usize) -> bool {
        let joined = |t: usize| {
            matches!(self.page.class(t), Some(Class::Word | Class::Digits))
                || matches!(self.page.mark(t), Some('_'))
        };
        let reach = 24;
        let from = (at.saturating_sub(reach)..at).rev().take_while(|&t| joined(t)).last();
        let until = (at..at + reach).take_while(|&t| joined(t)).last().unwrap_or(at);
        let compound = from.unwrap_or(at)..=until;
        let tokens = self.page.tokens.get(compound).unwrap_or_default();
        let small = tokens.iter().all(|t| t.case == Case::Lower);
        let marks = tokens.iter().any(|t| t.class == Class::Mark);
        small && marks && tokens.iter().any(|t| t.class == Class::Digits)
    }

    fn take(&mut self, at: usize, kind: Kind, rule: &'static str) {
        if self.page.is_free(at) {
            // Digits written to a name are part of it: `smith01`.
            let mut end = at + 1;
            while self.page.is_glued_before(end) && self.page.digits_at(end).is_some() {
                end += 1;
            }
            self.page.take_tokens(at..end, kind, rule);
        }
    }

    fn take_plain(&mut self) {
        for at in 0..self.judged.len() {
            match self.judged[at] {
                Judged::Name => self.take(at, Kind::NameByDictionary, "name-dictionary"),
                Judged::Unknown => self.take(at, Kind::UnknownWord, "unknown-word"),
                _ => {}
            }
        }
    }

    fn is_name(&self, at: usize) -> bool {
        self.page.tokens.get(at).and_then(|t| t.taken).is_some_and(Kind::is_name)
    }

    fn is_gone(&self, at: usize) -> bool {
        self.is_name(at)
            || self.page.tokens.get(at).is_some_and(|t| t.taken == Some(Kind::UnknownWord))
    }

    fn is_capital(&self, at: usize) -> bool {
        self.page.tokens[at].case != Case::Lower || !self.page.has_capitals
    }

    /// The next word on the line: over a space and the marks that stand inside names.
    fn next(&self, at: usize) -> Option<usize> {
        for next in at + 1..at + 5 {
            if self.page.is_word(next) {
                return Some(next).filter(|_| !self.is_next_sentence(at, next));
            }
            let joins = self.page.is_space(next)
                || matches!(self.page.mark(next), Some('.' | ',' | '^' | '-' | '_' | '\'' | '='));
            if !joins {
                return None;
            }
        }
        None
    }

    fn previous(&self, at: usize) -> Option<usize> {
        let from = at.saturating_sub(4);
        (from..at).rev().find(|&t| self.page.is_word(t)).filter(|&t| self.next(t) == Some(at))
    }

    /// Whether nothing follows a word but the end, a line's end or a closing mark.
    fn is_last(&self, at: usize) -> bool {
        let mut next = at + 1;
        next += usize::from(self.page.is_space(next));
        match self.page.class(next) {
            None | Some(Class::Line) => true,
            Some(Class::Mark) => {
                !matches!(self.page.mark(next), Some('-' | '\'' | '/' | '_' | '^'))
            }
            _ => false,
        }
    }

    /// Whether a mark stands between two words.
    fn between(&self, first: usize, second: usize, mark: char) -> bool {
        (first + 1..second).any(|t| self.page.mark(t) == Some(mark))
    }
}
