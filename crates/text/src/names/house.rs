//! Names of hospitals: the capitals before `Hospital`, or behind `Hôpital` and `Klinikum`.

use super::Words;
use crate::houses::{self, FIRST, LAST, WHAT};
use crate::kind::Kind;
use crate::lexicon;
use crate::titles::{closes_name, is_particle};
use crate::token::Case;
use crate::words::words;

/// Most words of a house's name.
const WORDS: usize = 4;

/// Whether a word is what hospitals are called.
pub(super) fn is_house(word: &str) -> bool {
    houses::is(word, LAST | FIRST)
}

words! { super::SMALL_WORDS;
    /// Before a house that somebody came from.
    BEFORE_HOUSES "before-house";
    /// Letters of a house that stand for one with their town.
    LETTERS "house-letters";
    /// Houses only where what they are stands before them.
    DOUBTFUL "house-doubtful";
}

impl Words<'_> {
    /// Takes the names of houses.
    pub(super) fn houses(&mut self) {
        for at in 0..self.page.tokens.len() {
            if !self.page.is_word(at) || !self.page.is_free(at) {
                continue;
            }
            let word = self.page.str(at);
            let (last, first) = (houses::is(word, LAST), houses::is(word, FIRST));
            let capital = self.page.tokens[at].case != Case::Lower;
            if !capital || !(last || first) {
                continue;
            }
            let mut name = if last { self.before_house(at) } else { Vec::new() };
            if name.is_empty() && first {
                name = self.after_house(at);
                // The letters and their town stand for one house.
                if let Some(&town) = name.last()
                    && LETTERS.contains(word)
                {
                    name = (at..=town).collect();
                }
            }
            for word in name {
                self.take(word, Kind::Address, "house-name");
            }
        }
    }

    /// Whether a word is one of a house's name: a capital that is no small word.
    fn is_of_house(&self, at: usize) -> bool {
        let word = self.page.str(at);
        self.page.is_word(at)
            && self.page.tokens[at].case != Case::Lower
            && !self.page.is_glued_before(at)
            && !closes_name(word)
            && !houses::is(word, LAST)
    }

    fn before_house(&self, at: usize) -> Vec<usize> {
        let mut name = Vec::new();
        let (mut next, mut what) = (at, false);
        while next >= 2 && name.len() < WORDS {
            let joined = self.page.is_space(next - 1)
                || matches!(self.page.mark(next - 1), Some('-' | '\''));
            let small = is_particle(self.page.str(next - 2)) && self.page.str(next - 2) != "st";
            if !joined || small || !self.is_of_house(next - 2) {
                break;
            }
            next -= 2;
            let qualifies = name.is_empty() && houses::is(self.page.str(next), WHAT);
            what |= qualifies;
            if !qualifies {
                name.push(next);
            }
        }
        let sent = next >= 2
            && self.page.is_space(next - 1)
            && BEFORE_HOUSES.contains(self.page.str(next - 2));
        let doubtful = DOUBTFUL.contains(self.page.str(at));
        let trade = name.iter().all(|&t| self.is_trade_word(t));
        let vague = doubtful && !(what && sent);
        let keep = (self.shouted && !sent) || (trade && (!sent || vague)) || doubtful && !what;
        if keep { Vec::new() } else { name }
    }

    fn is_trade_word(&self, at: usize) -> bool {
        let entry = lexicon::look_up(self.page.str(at));
        self.page.is_free(at) && entry.is_clinical() && !entry.is_name()
    }

    fn after_house(&self, at: usize) -> Vec<usize> {
        let mut name = Vec::new();
        let mut next = at;
        for _ in 0..WORDS + 2 {
            let mark = self.page.mark(next + 1);
            let joined = self.page.is_space(next + 1)
                || !name.is_empty() && matches!(mark, Some('-' | '\''));
            let word = self.page.str(next + 2);
            if !joined || !self.page.is_word(next + 2) || name.len() == WORDS {
                break;
            }
            next += 2;
            let small = is_particle(word) || matches!(word, "do" | "sur" | "l");
            if small || houses::is(word, WHAT) || houses::is(word, FIRST) {
                continue;
            }
            let hyphen = mark == Some('-') || self.page.mark(next + 1) == Some('-');
            let trade = self.is_trade_word(next) && !hyphen;
            if !self.is_of_house(next) || trade {
                break;
            }
            name.push(next);
        }
        name
    }
}
