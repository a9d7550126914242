//! The run of words that makes up one name after a title or a role, to its end: what comes later
//! must not need a cue that goes with the first word.

use super::{Judged, SHORT, Words};
use crate::eastern;
use crate::kind::Kind;
use crate::lexicon;
use crate::titles::{closes_name, is_done, is_eastern_family, is_particle, is_suffix};
use crate::token::{Case, Class};

/// Most letters of a family name of the east that means something else as well.
const FAMILY: usize = 5;
/// Most words of a name between or beside words of an eastern language.
const LATIN_NAME: usize = 4;

/// What stands before the next word of a name.
#[derive(Clone, Copy)]
pub(super) struct So {
    /// The token that was taken last.
    pub(super) last: usize,
    /// How many words were taken, initials not counted.
    pub(super) taken: usize,
    /// Whether the title is one of the languages that have two family names.
    pub(super) two_families: bool,
    /// Whether what was examined stands before the title, so that the name ends the text.
    pub(super) described: bool,
    /// Whether the cue is a field's or a title.
    pub(super) sure: bool,
}

impl Words<'_> {
    /// Whether a name that has begun goes on with a free word.
    pub(super) fn goes_on(&self, at: usize, so: So) -> bool {
        if self.between(so.last, at, '^') {
            return true;
        }
        if !self.is_capital(at) || self.is_next_sentence(so.last, at) {
            return false;
        }
        if self.between(so.last, at, ',') {
            return self.is_given_after_comma(at, so);
        }
        let word = self.page.str(at);
        let entry = lexicon::look_up(word);
        let verb = is_done(word) || closes_name(word) || word.ends_with("ed");
        let closed = self.is_closed(at);
        match self.judged[at] {
            Judged::Both | Judged::Firm | Judged::Short => {
                let explained = entry.is_clinical() && self.is_before_clinical(at);
                !explained || self.given[so.last]
            }
            Judged::Technical => {
                let title = self.page.tokens[at].case == Case::Title;
                (title || self.shouted && closed) && word.len() > 1
            }
            Judged::Vocabulary if verb || word.len() < SHORT => false,
            Judged::Vocabulary if self.is_given_in_small(at, so.last) => true,
            // `Dr. Marta Sole`: what ends a name that has nothing but a given name.
            Judged::Vocabulary if so.sure && so.taken == 1 && closed && entry.is_ordinary() => {
                let families = so.two_families || !entry.is_clinical();
                (self.given[so.last] || families) && !self.is_before_clinical(at)
            }
            Judged::Vocabulary if so.two_families && so.taken <= 2 => {
                let short = word.len() == SHORT && !self.is_last(at);
                let mut ended = self.page.mark(at + 1) == Some(',')
                    || self.page.is_space(at + 1) && closes_name(self.page.str(at + 2));
                ended |= self.is_last(at) && so.described;
                ended || (!entry.is_clinical() || short) && !self.is_before_clinical(at)
            }
            Judged::Vocabulary => closed && !entry.is_clinical() && self.given[so.last],
            _ => false,
        }
    }

    /// `ALVAREZ Destiny`: the family name in capitals, and a word behind it that ends the name.
    pub(super) fn is_given_in_small(&self, at: usize, family: usize) -> bool {
        at == family + 2
            && self.page.tokens[family].case == Case::Upper
            && self.page.tokens[at].case == Case::Title
            && self.page.str(family).len() > SHORT
            && self.is_closed(at)
    }

    /// `Hughes, Nina in`: the given name behind the family name and its comma.
    fn is_given_after_comma(&self, at: usize, so: So) -> bool {
        let word = self.page.str(at);
        if so.taken > 3 || !self.is_closed(at) || is_done(word) || closes_name(word) {
            return false;
        }
        match self.judged[at] {
            Judged::Both | Judged::Short => true,
            Judged::Firm => self.given[at] || so.sure,
            Judged::Technical => word.len() == SHORT && so.sure,
            // `PINTO, LEONARDO, 914 355 193`
            Judged::Vocabulary => so.sure && self.is_before_number(at),
            _ => false,
        }
    }

    /// Whether words of medicine stand before a title.
    pub(super) fn is_described_before(&self, cue: usize) -> bool {
        let from = cue.saturating_sub(12);
        (from..cue).any(|t| {
            let word = self.page.str(t);
            self.page.is_word(t)
                && self.page.is_free(t)
                && word.len() > SHORT
                && !is_done(word)
                && !closes_name(word)
                && lexicon::look_up(word).is_clinical()
        })
    }

    /// Whether a comma and a number follow a word.
    fn is_before_number(&self, at: usize) -> bool {
        let mut next = at + 1;
        if self.page.mark(next) != Some(',') {
            return false;
        }
        next += 1;
        next += usize::from(self.page.is_space(next));
        let bracket = matches!(self.page.mark(next), Some('+' | '('));
        bracket || self.page.digits_at(next).is_some()
    }

    /// Whether a full stop ends the sentence between two words.
    pub(super) fn is_next_sentence(&self, first: usize, second: usize) -> bool {
        let stop = (first + 1..second).find(|&t| self.page.mark(t) == Some('.'));
        let short = self.page.str(first).len() <= 2 || is_suffix(self.page.str(first));
        stop.is_some_and(|t| self.page.is_space(t + 1)) && !short
    }

    /// Whether nothing follows a word that it could belong to: an end, a mark, a number, a small
    /// word, or one that is written smaller and names nothing of the body.
    pub(super) fn is_closed(&self, at: usize) -> bool {
        let space = at + 1;
        if !self.page.is_space(space) {
            return self.is_last(at) || self.page.class(space).is_some_and(Class::is_eastern);
        }
        let next = space + 1;
        match self.page.class(next) {
            Some(Class::Word) => {
                let word = self.page.str(next);
                let smaller = self.page.tokens[next].case == Case::Lower
                    && self.page.tokens[at].case != Case::Lower;
                self.is_gone(next)
                    || closes_name(word)
                    || is_done(word)
                    || is_suffix(word)
                    || smaller && !lexicon::look_up(word).is_clinical()
            }
            _ => true,
        }
    }

    /// Whether a word of medicine comes right after a word and belongs to no name.
    pub(super) fn is_before_clinical(&self, at: usize) -> bool {
        let next = at + 2;
        self.page.is_space(at + 1)
            && self.page.is_word(next)
            && !closes_name(self.page.str(next))
            && !is_done(self.page.str(next))
            && {
                let entry = lexicon::look_up(self.page.str(next));
                let small = self.page.tokens[next].case == Case::Lower && self.page.has_capitals;
                entry.is_clinical() && (small || !entry.is_name())
            }
    }

    /// Names in Latin letters beside eastern words that stand beside names: `联系Wu Min医生`.
    pub(super) fn beside_eastern(&mut self) {
        if !self.page.has_eastern {
            return;
        }
        for at in 0..self.page.tokens.len() {
            if !self.page.class(at).is_some_and(Class::is_eastern) {
                continue;
            }
            self.take_pair(at);
            if eastern::leads_to_name(self.page.str(at)) {
                self.take_latin(self.latin_after(at));
            }
            if eastern::title_of_page(self.page.str(at)) {
                self.take_latin(self.latin_before(at));
            }
        }
    }

    /// `Cui Jun 胸部`: two words in small letters behind capitals, and no words of any list, beside
    /// an eastern run.
    fn take_pair(&mut self, at: usize) {
        let strange = |t: usize| {
            self.is_gone(t) || matches!(self.judged[t], Judged::Technical | Judged::Short)
        };
        let named = |t: usize| {
            if !self.page.is_word(t) || self.page.is_glued_before(t) {
                return false;
            }
            let written = self.page.tokens[t].case == Case::Title;
            let usual = match self.judged[t] {
                Judged::Both | Judged::Firm => true,
                Judged::Vocabulary => {
                    let word = self.page.str(t);
                    word.len() <= SHORT + 1 && !lexicon::look_up(word).is_clinical()
                }
                _ => false,
            };
            written && (usual || strange(t))
        };
        let after = at + 1 + usize::from(self.page.is_space(at + 1));
        let pairs = [(Some(after), Some(after + 2)), (at.checked_sub(4), at.checked_sub(2))];
        let pair = pairs.into_iter().find_map(|(one, two)| {
            let (one, two) = (one?, two?);
            let beside = named(one) && named(two) && self.page.is_space(one + 1);
            (beside && (strange(one) || strange(two))).then_some([one, two])
        });
        self.take_latin(pair.map(Vec::from).unwrap_or_default());
    }

    fn take_latin(&mut self, words: Vec<usize>) {
        for at in words {
            self.take(at, Kind::NameByContext, "eastern-title-beside-name");
        }
    }

    fn is_latin_name(&self, at: usize) -> bool {
        let word = self.page.str(at);
        let entry = lexicon::look_up(word);
        let trade = entry.is_clinical() && !entry.is_name();
        let written = match self.page.tokens[at].case {
            Case::Title => word.len() > 1,
            Case::Upper => word.len() > SHORT || !trade && word.len() > 1 || self.is_gone(at),
            Case::Lower => self.is_gone(at),
        };
        // `Na Junho 선생님`: a given name that is a word of some language.
        let given = at > 1
            && self.page.tokens[at].case == Case::Title
            && self.page.is_space(at - 1)
            && self.page.is_word(at - 2)
            && self.page.tokens[at - 2].case == Case::Title
            && (is_eastern_family(self.page.str(at - 2))
                || self.page.str(at - 2).len() <= SHORT
                || self.is_gone(at - 2));
        written && (given || !(trade && word.len() > SHORT && !is_eastern_family(word)))
    }

    /// `Endo Taro医師`: what is written as the one word before the title, whatever it means: people
    /// write both names.
    fn is_latin_family(&self, at: usize, taken: &[usize]) -> bool {
        let &[given] = taken else { return false };
        let title = |t: usize| self.page.tokens[t].case == Case::Title;
        given == at + 2 && title(given) && title(at) && self.page.str(at).len() <= FAMILY
    }

    fn latin_after(&self, at: usize) -> Vec<usize> {
        let mut words = Vec::new();
        let mut next = at + 1;
        while words.len() < LATIN_NAME {
            while self.page.is_space(next)
                || matches!(self.page.mark(next), Some('-' | '^' | '\''))
                || words.is_empty() && matches!(self.page.mark(next), Some(':' | '('))
            {
                next += 1;
            }
            let name = self.page.is_word(next)
                && (self.is_latin_name(next)
                    || !words.is_empty() && is_particle(self.page.str(next)));
            if !name {
                break;
            }
            words.push(next);
            next += 1;
        }
        words
    }

    fn latin_before(&self, at: usize) -> Vec<usize> {
        let mut words = Vec::new();
        let mut next = at;
        while words.len() < LATIN_NAME {
            while next > 0
                && (self.page.is_space(next - 1)
                    || !words.is_empty()
                        && matches!(self.page.mark(next - 1), Some('-' | '^' | '\'' | ',')))
            {
                next -= 1;
            }
            if next == 0 || !self.page.is_word(next - 1) {
                break;
            }
            if !self.is_latin_name(next - 1) && !self.is_latin_family(next - 1, &words) {
                break;
            }
            // `POST Ma Dandan医生`: two words are a name, and one that is written otherwise is none.
            if let [.., last] = words[..]
                && words.len() > 1
                && !self.is_gone(next - 1)
                && self.page.tokens[last].case != self.page.tokens[next - 1].case
            {
                break;
            }
            let compound = next > 1 && self.page.mark(next - 2) == Some('_');
            if compound && !words.is_empty() {
                break;
            }
            next -= 1;
            words.push(next);
        }
        words
    }
}
