//! Words that belong to a name because they stand beside it.

use super::{Judged, SHORT, Words};
use crate::kind::Kind;
use crate::lexicon;
use crate::titles::{closes_name, is_done, is_eastern_family, is_particle, is_suffix, is_title};
use crate::token::Case;
use crate::words::words;

/// How far from a word the tokens are that may make it part of a name.
const REACH: usize = 5;

words! { super::SMALL_WORDS;
    /// Particles that begin a name without another before them.
    BEGINS "begins";
    /// Counted: no name before a short number.
    SPAN "span";
    /// Suffixes that stand for other things unless an end goes with them.
    FIRM_SUFFIXES "suffix";
}

/// `IVb`: a segment of the liver, a stage.
fn is_segment(word: &str) -> bool {
    let numeral = word.trim_end_matches(['a', 'b', 'c']);
    !numeral.is_empty() && numeral.bytes().all(|letter| matches!(letter, b'i' | b'v' | b'x'))
}

impl Words<'_> {
    /// Words beside a name belong to it: forwards, backwards, forwards again.
    pub(super) fn beside_names(&mut self) {
        let count = self.judged.len();
        let sweeps: [Box<dyn Iterator<Item = usize>>; 3] =
            [Box::new(0..count), Box::new((0..count).rev()), Box::new(0..count)];
        for sweep in sweeps {
            for at in sweep {
                let open = matches!(
                    self.judged[at],
                    Judged::Both
                        | Judged::Firm
                        | Judged::Short
                        | Judged::Initial
                        | Judged::Technical
                        | Judged::Vocabulary
                ) || self.page.is_word(at) && self.may_belong(at);
                let open = open && self.page.is_free(at) && !self.is_far_from_names(at);
                if open && self.is_beside(at) {
                    self.take(at, Kind::NameByContext, "beside-a-name");
                }
            }
        }
    }

    /// A word of the vocabulary without anything near it that is part of a name: most words are.
    fn is_far_from_names(&self, at: usize) -> bool {
        let short = self.page.str(at).len() <= SHORT && self.page.tokens[at].case == Case::Title;
        if self.judged[at] != Judged::Vocabulary || short {
            return false;
        }
        let near = at.saturating_sub(REACH)..(at + REACH + 1).min(self.judged.len());
        !near.into_iter().any(|t| self.is_gone(t) || self.judged[t] == Judged::Initial)
    }

    /// `Kobayakawa^Rei`: the other part of a name that nobody knows.
    fn is_joined_to_unknown(&self, at: usize) -> bool {
        let joined = |one: Option<usize>, other: Option<usize>| {
            let (Some(one), Some(other)) = (one, other) else { return false };
            self.between(one, other, '^') && (self.is_gone(one) || self.is_gone(other))
        };
        let caret = joined(self.previous(at), Some(at)) || joined(Some(at), self.next(at));
        caret && !lexicon::look_up(self.page.str(at)).is_clinical()
    }

    /// `Rose^Bill`: whatever a caret joins to a name, and words that may both be names.
    fn is_joined_to_name(&self, at: usize) -> bool {
        let (before, after) = (self.previous(at), self.next(at));
        let joined = |other: Option<usize>, mark: bool| {
            other.is_some_and(|o| {
                let named = |t: usize| {
                    matches!(self.judged[t], Judged::Both | Judged::Firm | Judged::Short)
                };
                let clinical = |t: usize| lexicon::look_up(self.page.str(t)).is_clinical();
                let either = named(at) && named(o) && !(clinical(at) && clinical(o));
                mark && (self.is_name(o) || either)
            })
        };
        joined(before, before.is_some_and(|b| self.between(b, at, '^')))
            || joined(after, after.is_some_and(|a| self.between(at, a, '^')))
    }

    /// `Ralph Wood`, `NATALIE WOODS IN CLINIC`: a usual word behind a given name, unless medicine
    /// explains it; and `Mistry, Crystal:`, `ALVAREZ Destiny`.
    fn is_beside_sure_name(&self, at: usize, before: Option<usize>) -> bool {
        let Some(name) = before.filter(|_| self.is_capital(at)) else { return false };
        let clinical = lexicon::look_up(self.page.str(at)).is_clinical();
        if self.between(name, at, ',') {
            return self.given[at] && self.is_closed(at);
        }
        let beside = at == name + 2 && self.page.is_space(name + 1);
        let closed = self.is_closed(at) && !self.is_before_clinical(at);
        // `EMILY HORN US ABDOMEN`: nothing but a given name begins the text.
        let begins = name == 0 && lexicon::look_up(self.page.str(at)).is_name();
        beside && self.given[name] && (closed || !clinical || begins)
    }

    /// An ordinary word that stands where a name does: `PEW, SHARON`, `Want^Henry`, `Ann Messing`.
    fn is_ordinary_name(&self, at: usize, before: Option<usize>, after: Option<usize>) -> bool {
        if self.is_first_of_name(at) {
            return true;
        }
        let word = self.page.str(at);
        let entry = lexicon::look_up(word);
        if entry.is_clinical()
            || is_done(word)
            || closes_name(word)
            || self.page.str(at).len() < SHORT
            || !self.is_capital(at)
        {
            return false;
        }
        let caret = before.is_some_and(|p| self.between(p, at, '^'))
            || after.is_some_and(|n| self.between(at, n, '^'));
        let given_before = before.filter(|&p| self.given[p]);
        let family = given_before.is_some_and(|p| {
            let same = self.page.tokens[p].case == self.page.tokens[at].case;
            let title = self.page.tokens[at].case == Case::Title;
            same && at == p + 2 && self.page.is_space(p + 1) && (title || entry.is_foreign())
        });
        let small = before.is_some_and(|p| self.is_given_in_small(at, p));
        caret || family || small || self.is_family_before_given(at, after)
    }

    /// `John Lê`, `Jane Mai`, `Thom van der Mast`: what ends the text behind a given name, and is a
    /// short family name whatever else it is, or follows particles.
    fn is_family_at_end(&self, at: usize) -> bool {
        let before = |t: usize| t.checked_sub(2).filter(|_| self.page.is_space(t - 1));
        let particle = |t: &usize| is_particle(self.page.str(*t)) && !self.is_name(*t);
        let (mut name, mut begins, mut particles) = (before(at), false, 0);
        while let Some(small) = name.filter(particle) {
            begins |= BEGINS.contains(self.page.str(small));
            particles += 1;
            name = before(small);
        }
        let Some(name) = name.filter(|&n| self.is_name(n) && self.given[n]) else { return false };
        let case = self.page.tokens[at].case;
        if particles > 0 {
            let clinical = lexicon::look_up(self.page.str(at)).is_clinical();
            return self.is_last(at) && case == Case::Title && (begins || !clinical);
        }
        self.is_last(at)
            && self.page.tokens[name].case == case
            && is_eastern_family(self.page.str(at))
    }

    /// `MACARENA POLO GARRIGA`, `Escribano Domingo, Silvia`: whatever stands between two names,
    /// and is written as the first.
    fn is_inside(&self, at: usize, before: Option<usize>, after: Option<usize>) -> bool {
        let (Some(before), Some(after)) = (before, after) else { return false };
        let close = at == before + 2 && self.page.is_space(before + 1) && after <= at + 3;
        let joined = self.page.is_space(at + 1) || self.between(at, after, ',');
        let same = [before, after]
            .into_iter()
            .any(|name| self.page.tokens[at].case == self.page.tokens[name].case);
        close && joined && same && self.is_capital(at) && self.page.str(at).len() >= SHORT
    }

    /// `Blanco Marín Soto was brought in`: the first word of all, before names of whom something
    /// is said.
    fn is_first_of_name(&self, at: usize) -> bool {
        if at != 0 {
            return false;
        }
        let mut last = at;
        let case = self.page.tokens[at].case;
        while self.page.is_space(last + 1)
            && self.is_name(last + 2)
            && self.page.tokens[last + 2].case == case
        {
            last += 2;
        }
        let said = self.page.is_space(last + 1) && closes_name(self.page.str(last + 2));
        last >= at + 4 && said
    }

    /// `PASQUIER, LUC`: a short unknown word that ends a name.
    fn is_last_after_comma(&self, at: usize, before: Option<usize>) -> bool {
        let comma = before.is_some_and(|p| self.between(p, at, ','));
        comma && self.page.str(at).len() == SHORT && self.is_last(at) && self.is_capital(at)
    }

    /// Whether a word of the vocabulary may be part of a name: `van`, `MD`, `Dr`.
    fn may_belong(&self, at: usize) -> bool {
        let word = self.page.str(at);
        is_particle(word) || is_suffix(word) || is_title(word)
    }

    fn is_beside(&self, at: usize) -> bool {
        if self.judged[at] == Judged::Initial && self.is_no_initial(at) {
            return false;
        }
        let before = self.previous(at).filter(|&p| self.is_name(p));
        let after = self.next(at).filter(|&n| self.is_name(n));
        if self.is_joined_to_unknown(at) || self.is_joined_to_name(at) {
            return true;
        }
        if self.is_family_at_end(at) {
            return true;
        }
        if before.is_none() && after.is_none() {
            return self.is_beside_unknown(at)
                || self.is_after_initial(at)
                || self.is_short_pair(at)
                || self.is_given_before_family(at)
                || self.is_romanised(at);
        }
        if self.is_given_right_before(at, after) || self.is_romanised(at) {
            return true;
        }
        let word = self.page.str(at);
        if before.is_some_and(|p| self.between(p, at, '^')) && (is_title(word) || is_suffix(word)) {
            return true;
        }
        if is_suffix(word) && before.is_some() && !self.is_firm_suffix(at) {
            return true;
        }
        if is_particle(word) && after.is_some() && self.judged[at] != Judged::Initial {
            return before.is_some() || BEGINS.contains(word);
        }
        if is_particle(word) && before.is_some() && self.leads_to_name(at) {
            return true;
        }
        if self.is_inside(at, before, after) {
            return true;
        }
        match self.judged[at] {
            Judged::Initial => self.is_initial(at, before, after),
            Judged::Short => true,
            Judged::Technical if self.is_last_after_comma(at, before) => true,
            Judged::Technical => {
                word.len() <= SHORT
                    && self.page.tokens[at].case == Case::Title
                    && !self.page.is_glued_before(at)
                    && !self.page.is_glued_before(at + 1)
                    && !is_segment(word)
            }
            Judged::Both => {
                let entry = lexicon::look_up(word);
                let alone = before.is_some_and(|p| !self.given[p]);
                let before_thing = before.is_some()
                    && entry.is_eponym()
                    && (self.is_named_after(at) || alone && self.is_before_clinical(at));
                let eponym = self.is_thing_of(at) || before_thing;
                self.is_capital(at) && !eponym && !self.is_explained_before(at, before, after)
            }
            Judged::Firm => {
                let small = before.is_some_and(|p| self.is_given_in_small(at, p));
                self.is_family_before_given(at, after)
                    || self.is_beside_sure_name(at, before)
                    || small && self.given[at]
            }
            Judged::Vocabulary => self.is_ordinary_name(at, before, after),
            _ => false,
        }
    }

    /// `MORBUS SCHEUERMANN ÜBERW.`, `FRATURA DE COLLES NASC.`: behind the thing that is named after
    /// somebody.
    fn is_thing_of(&self, at: usize) -> bool {
        let entry = lexicon::look_up(self.page.str(at));
        let morbus = self.previous(at).is_some_and(|b| self.page.str(b) == "morbus");
        morbus || (entry.is_eponym() || entry.is_common_eponym()) && self.is_after_namesake(at)
    }

    /// `VEINE PORTE LAMBERT`, `DE 3 DÍAS CAMPOS`, `Fieber Frau Conradi`: a word of medicine, and no
    /// given name, that its neighbours explain, and a family name behind it.
    fn is_explained_before(&self, at: usize, before: Option<usize>, after: Option<usize>) -> bool {
        let Some(close) = at.checked_sub(2).filter(|_| before.is_none()) else { return false };
        let word = self.page.str(at);
        // `Fieber Frau Conradi`
        let titled = after.is_some_and(|n| n == at + 2 && is_title(self.page.str(n)));
        if titled && lexicon::look_up(word).is_clinical() && !self.given[at] {
            return true;
        }
        let apart = self.page.is_space(at - 1);
        if apart && self.page.digits_at(close).is_some_and(|digits| digits.len() < 3) {
            return SPAN.contains(word);
        }
        let family = after.is_some_and(|n| {
            n == at + 2 && self.page.is_space(at + 1) && !self.given[n] && !self.between(at, n, ',')
        });
        let medicine = |t: usize| lexicon::look_up(self.page.str(t)).is_clinical();
        family
            && apart
            && medicine(at)
            && !self.given[at]
            && self.page.is_word(close)
            && self.page.is_free(close)
            && medicine(close)
            && word.len() > SHORT
    }

    /// `I40f`, `W/O`: a letter that digits or a stroke make part of something else.
    fn is_no_initial(&self, at: usize) -> bool {
        self.page.is_glued_before(at) || at > 0 && self.page.mark(at - 1) == Some('/')
    }

    /// `Ray Rivas`: a usual word that is a given name, right before a name and written as it is.
    fn is_given_right_before(&self, at: usize, after: Option<usize>) -> bool {
        let title = |t: usize| self.page.tokens[t].case == Case::Title;
        let apart = at == 0
            || self.page.is_space(at - 1)
                && at.checked_sub(2).is_none_or(|b| self.page.mark(b) != Some('-'));
        let usual = matches!(self.judged[at], Judged::Both | Judged::Firm);
        let beside = after.is_some_and(|n| n == at + 2 && self.page.is_space(at + 1) && title(n));
        usual && self.given[at] && title(at) && apart && beside && !self.is_after_namesake(at)
    }

    /// `Ban Seonyeong`, `Ni Bin`: a family name of the east in Latin letters beside what may be its
    /// given name.
    fn is_romanised(&self, at: usize) -> bool {
        let title = |t: usize| self.page.is_word(t) && self.page.tokens[t].case == Case::Title;
        let given = |t: usize| {
            let short = self.page.str(t).len() <= SHORT
                && matches!(self.judged[t], Judged::Firm | Judged::Vocabulary);
            let strange = matches!(self.judged[t], Judged::Technical | Judged::Short);
            title(t) && (self.is_gone(t) || self.judged[t] == Judged::Unknown || short || strange)
        };
        let pair = |family: usize, given_at: usize| {
            let apart = family.abs_diff(given_at) == 2
                && self.page.is_space(family.min(given_at) + 1)
                && !self.page.is_glued_before(family)
                && !self.page.is_glued_before(given_at);
            apart && title(family) && is_eastern_family(self.page.str(family)) && given(given_at)
        };
        let before = at.checked_sub(2);
        pair(at, at + 2) || before.is_some_and(|b| pair(b, at) && given(at) || pair(at, b))
    }

    /// Whether only small words stand between a small word and a name: `van der Berg`.
    pub(super) fn leads_to_name(&self, at: usize) -> bool {
        let mut next = self.next(at);
        for _ in 0..2 {
            let Some(word) = next else { return false };
            if self.is_name(word) {
                return true;
            }
            if !is_particle(self.page.str(word)) {
                return false;
            }
            next = self.next(word);
        }
        next.is_some_and(|n| self.is_name(n))
    }

    /// `RN`, `MD`: letters that stand for other things unless a comma or an end goes with them.
    fn is_firm_suffix(&self, at: usize) -> bool {
        FIRM_SUFFIXES.contains(self.page.str(at)) && !self.is_last(at)
    }

    fn is_initial(&self, at: usize, before: Option<usize>, after: Option<usize>) -> bool {
        let dotted = self.page.mark(at + 1) == Some('.');
        let side = matches!(self.page.str(at), "l" | "r");
        let caret = after.is_some_and(|n| self.between(at, n, '^'))
            || before.is_some_and(|p| self.between(p, at, '^'));
        let apostrophe = self.page.mark(at + 1) == Some('\'') && after.is_some();
        let alone = self.page.tokens[at].case == Case::Upper && !side;
        caret
            || apostrophe
            || (dotted && self.page.tokens[at].case == Case::Upper)
            || (alone && after.is_some())
            || (alone
                && before.is_some_and(|p| {
                    self.is_last(at) || self.previous(p).is_some_and(|p| self.is_name(p))
                }))
    }

    /// `HEAD, JOHN` and `Head^John` where nothing stands before.
    fn is_family_before_given(&self, at: usize, after: Option<usize>) -> bool {
        let Some(next) = after else { return false };
        let joined = self.between(at, next, ',') || self.between(at, next, '^');
        let apart = |p: usize| (p + 1..at).any(|t| self.page.mark(t).is_some());
        let close = (at.saturating_sub(3)..at).rev().find(|&t| self.page.is_word(t));
        let first = close.is_none_or(apart);
        let only = self.next(next).is_none_or(|n| !self.is_name(n));
        joined && first && only && self.given[next] && self.is_capital(at)
    }

    /// `Kim Lee`: two short names beside each other.
    fn is_short_pair(&self, at: usize) -> bool {
        let short =
            |t: usize| self.judged[t] == Judged::Short && self.page.tokens[t].case != Case::Lower;
        let beside = [self.previous(at), self.next(at)];
        short(at) && beside.into_iter().flatten().any(short)
    }

    /// `JOE LONG`, `Park^Grace`: a short given name before a word that may be a name and ends the
    /// phrase, and words on both sides of a mark that parts names.
    fn is_given_before_family(&self, at: usize) -> bool {
        let pair = |given: usize, family: usize| {
            let joined = family == given + 2 && self.page.is_space(given + 1);
            let short = self.judged[given] == Judged::Short && self.given[given];
            let ends = self.is_last(family) || given == 0;
            let both = self.judged[family] == Judged::Both && ends;
            let capital = self.is_capital(given) && self.is_capital(family);
            let named = |t: usize| matches!(self.judged[t], Judged::Both | Judged::Short);
            let caret = self.between(given, family, '^') || self.between(given, family, ',');
            let either = self.given[given] || self.given[family];
            capital && (joined && short && both || caret && either && named(given) && named(family))
        };
        self.next(at).is_some_and(|n| pair(at, n)) || self.previous(at).is_some_and(|p| pair(p, at))
    }

    /// `J. Baker`.
    fn is_after_initial(&self, at: usize) -> bool {
        let initial = self.previous(at).filter(|&p| self.judged[p] == Judged::Initial);
        initial.is_some_and(|p| {
            let side = matches!(self.page.str(p), "l" | "r");
            let dotted = self.page.mark(p + 1) == Some('.');
            let title = self.page.tokens[at].case == Case::Title;
            let capital = self.is_capital(at);
            let named = match self.judged[at] {
                Judged::Both | Judged::Short => capital,
                Judged::Firm => title && self.page.str(at).len() > SHORT,
                Judged::Vocabulary => lexicon::look_up(self.page.str(at)).is_foreign() && capital,
                _ => false,
            };
            named && dotted && !side && self.page.tokens[p].case == Case::Upper
        })
    }

    /// `GARROWBY BAKER`: a word that may be a name beside one that nobody knows.
    fn is_beside_unknown(&self, at: usize) -> bool {
        let gone = |t: Option<usize>| {
            t.is_some_and(|t| {
                self.is_gone(t) && self.page.tokens[t].case == self.page.tokens[at].case
            })
        };
        let (before, after) = (self.previous(at), self.next(at));
        let capital = self.page.tokens[at].case != Case::Lower;
        match self.judged[at] {
            Judged::Both => {
                capital
                    && (gone(before) || gone(after))
                    && !lexicon::look_up(self.page.str(at)).is_clinical()
                    && !self.is_thing_of(at)
            }
            Judged::Firm => {
                let small = before.filter(|&p| self.is_gone(p) && self.is_given_in_small(at, p));
                small.is_some() && self.given[at]
            }
            Judged::Short => gone(before) || gone(after),
            Judged::Initial => {
                let dotted = self.page.mark(at + 1) == Some('.');
                dotted
                    && capital
                    && (after.is_some_and(|n| self.is_gone(n))
                        || before.is_some_and(|n| self.is_gone(n)))
            }
            _ => false,
        }
    }
}
