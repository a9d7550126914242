//! Names after a title, a role or a preposition.

use super::run::So;
use super::{Judged, SHORT, Words};
use crate::kind::Kind;
use crate::lexicon;
use crate::titles::{
    Strength, closes_name, cue, has_two_families, is_between, is_done, is_particle, is_title,
};
use crate::token::Case;
use crate::words::words;

/// Most words that one title makes names of.
const AFTER_TITLE: usize = 4;

words! { super::SMALL_WORDS;
    /// Cues that a full stop shortens, and no sentence ends.
    ABBREVIATED "abbreviated";
}

impl Words<'_> {
    pub(super) fn after_cues(&mut self) {
        for at in 0..self.judged.len() {
            if self.page.is_word(at)
                && !self.is_gone(at)
                && !self.page.is_glued_before(at)
                && let Some(strength) = cue(self.page, at)
            {
                self.after_cue(at, strength);
            }
        }
    }

    fn after_cue(&mut self, cue: usize, strength: Strength) {
        let two_families = has_two_families(self.page.str(cue));
        let mut so = So {
            last: cue,
            taken: 0,
            two_families,
            described: two_families && self.is_described_before(cue),
            sure: strength == Strength::Strong,
        };
        let shouted = self.page.tokens[cue].case == Case::Upper;
        let titled = is_title(self.page.str(cue));
        for place in 0..AFTER_TITLE {
            let Some(at) = self.after(so.last, place == 0) else { return };
            if place == 0 && !titled && self.is_next_sentence(cue, at) && !self.is_abbreviated(cue)
            {
                return;
            }
            let begun = so.taken > 0 && strength > Strength::Weak;
            if !self.page.is_free(at) {
                if !self.is_gone(at) || begun && self.is_next_sentence(so.last, at) {
                    return;
                }
                if strength > Strength::Weak && !self.is_name(at) {
                    self.page.take_tokens(at..at + 1, Kind::NameByContext, rule_of(strength));
                }
            } else if self.is_small(at) && (so.taken == 0 || self.leads_to_name(at)) && place < 4 {
                if so.taken > 0 {
                    self.take(at, Kind::NameByContext, rule_of(strength));
                }
                so.last = at;
                continue;
            } else if begun && self.judged[at] != Judged::Initial {
                if !self.goes_on(at, so) {
                    return;
                }
                self.take(at, Kind::NameByContext, rule_of(strength));
            } else if titled && strength == Strength::Medium && self.is_trade(at) {
                return;
            } else if self.follows(at, strength, so.taken, shouted)
                || (titled && so.taken == 0 && self.is_somebody(at, shouted, so.sure))
            {
                self.take(at, Kind::NameByContext, rule_of(strength));
            } else {
                return;
            }
            so.taken += usize::from(self.judged[at] != Judged::Initial);
            so.last = at;
        }
    }

    /// `PACIENTE POLO GARRIGA`: whatever stands between a cue and a name, written as it is.
    fn is_before_name(&self, at: usize, strength: Strength) -> bool {
        let comma = strength > Strength::Weak && self.page.mark(at + 1) == Some(',');
        let next = if comma { at + 3 } else { at + 2 };
        let beside = self.page.is_space(next - 1) && self.is_name(next);
        let beside = beside && (!comma || self.given[next]);
        let word = self.page.str(at);
        let clinical = lexicon::look_up(word).is_clinical() && self.judged[at] != Judged::Both;
        beside
            && self.is_capital(at)
            && word.len() >= SHORT
            && !self.is_verb(at)
            && self.page.tokens[at].case == self.page.tokens[next].case
            && (strength > Strength::Weak || !clinical || self.is_name(next + 2))
    }

    /// `DR HAND`: a usual word without a name behind it.
    fn is_trade(&self, at: usize) -> bool {
        let next = self.next(at);
        // `DR FIELD, APRIL`
        let given = next.is_some_and(|n| {
            self.between(at, n, ',') && self.given[n] && self.is_capital(n) && self.is_closed(n)
        });
        self.judged[at] == Judged::Firm
            && !given
            && !next.is_some_and(|n| self.is_pair(at, n))
            && next.is_none_or(|n| !self.is_name(n))
    }

    /// `DR FIELDS BOB`: two names, one of them a given name, and nothing behind them.
    fn is_pair(&self, one: usize, other: usize) -> bool {
        let named = matches!(self.judged[other], Judged::Both | Judged::Firm | Judged::Short);
        let given = self.given[one] || self.given[other];
        other == one + 2 && named && given && self.is_capital(other) && self.is_last(other)
    }

    /// `attn.`, `tech.`: a full stop behind it ends no sentence.
    fn is_abbreviated(&self, cue: usize) -> bool {
        ABBREVIATED.contains(self.page.str(cue))
    }

    /// Whether a word stands between a title and a name, or inside one.
    fn is_small(&self, at: usize) -> bool {
        (is_between(self.page.str(at)) || is_particle(self.page.str(at)))
            && self.judged[at] != Judged::Initial
    }

    /// The word after a cue or a name: over `:`, `=`, `.`, spaces, commas.
    fn after(&self, at: usize, cue: bool) -> Option<usize> {
        for next in at + 1..at + 5 {
            if self.page.is_word(next) {
                return Some(next).filter(|&n| n > at + 1);
            }
            let joins = self.page.is_space(next)
                || match self.page.mark(next) {
                    Some('.' | '^' | '-' | '\'' | '_') => true,
                    Some(':' | '=' | '(' | '[') => cue,
                    Some(',') => !cue,
                    _ => false,
                };
            if !joins {
                return None;
            }
        }
        None
    }

    /// Whether a free word after a cue is a name; `taken` names stand between them.
    fn follows(&self, at: usize, strength: Strength, taken: usize, shouted: bool) -> bool {
        let capital = self.is_capital(at);
        // `Technologist Field^Tim`: nothing but a name has a caret.
        let caret = strength > Strength::Weak && self.page.mark(at + 1) == Some('^');
        if taken == 0 && (self.is_before_name(at, strength) || caret && capital) {
            return true;
        }
        let named_next = self.next(at).is_some_and(|n| self.is_name(n));
        let entry = lexicon::look_up(self.page.str(at));
        let eponym = entry.is_eponym();
        match self.judged[at] {
            Judged::Initial => {
                let dotted = self.page.mark(at + 1) == Some('.') && capital;
                named_next
                    || taken == 0 && (strength > Strength::Weak || dotted && !self.is_last(at))
            }
            Judged::Short => {
                let named = self.is_last(at) || named_next || self.is_last_name_next(at);
                strength > Strength::Weak || taken > 0 || named
            }
            Judged::Both if eponym && strength < Strength::Strong && self.is_named_after(at) => {
                false
            }
            Judged::Both if strength == Strength::Weak => {
                let eponym = eponym && taken == 0;
                let capital = capital && !eponym;
                let named = self.is_last(at) || named_next || self.is_last_name_next(at);
                capital && (named || taken > 0)
            }
            Judged::Both => capital || strength == Strength::Strong && self.is_name_in_small(at),
            Judged::Firm => match strength {
                Strength::Strong if !capital => taken == 0 && self.is_name_in_small(at),
                Strength::Strong => taken == 0 || self.is_last(at),
                Strength::Medium => capital && taken == 0 && self.is_role_followed(at),
                Strength::Weak => {
                    let title = self.page.tokens[at].case == Case::Title && !self.shouted;
                    let given = entry.is_given() && (!entry.is_firm() || title) && self.is_last(at);
                    capital
                        && ((named_next || given) && taken == 0 || taken > 0 && self.is_last(at))
                }
            },
            Judged::Technical => {
                // `DRA. MIR SIERRA`
                let listed = self.next(at).is_some_and(|n| {
                    matches!(self.judged[n], Judged::Both | Judged::Name) && self.is_closed(n)
                });
                let written = capital && (!shouted || self.is_closed(at) || listed);
                strength == Strength::Strong && taken == 0 && written
            }
            Judged::Vocabulary => {
                let entry = lexicon::look_up(self.page.str(at));
                let strange = self.page.tokens[at].case == Case::Title && !entry.is_clinical();
                match strength {
                    Strength::Strong => taken == 0 && strange,
                    Strength::Medium => {
                        let title = self.page.tokens[at].case == Case::Title;
                        let said = self.page.mark(at + 1) == Some(',')
                            || self.next(at).is_some_and(|n| closes_name(self.page.str(n)));
                        let named = named_next || said && strange;
                        taken == 0 && named && title && !self.shouted && !self.is_verb(at)
                    }
                    Strength::Weak => {
                        taken == 0 && entry.is_foreign() && capital && self.is_last(at)
                    }
                }
            }
            _ => false,
        }
    }

    /// `daughter Max`, `mother Rose Field`: a word that is usual, and a name before its end.
    fn is_role_followed(&self, at: usize) -> bool {
        let next = self.next(at);
        next.is_some_and(|n| {
            let named = matches!(self.judged[n], Judged::Both | Judged::Short | Judged::Name);
            self.is_name(n)
                || named && self.is_capital(n) && !self.is_before_clinical(n)
                || self.is_pair(at, n)
        }) || self.is_last(at)
            || next.is_some_and(|n| closes_name(self.page.str(n)))
    }

    fn is_verb(&self, at: usize) -> bool {
        is_done(self.page.str(at)) || closes_name(self.page.str(at))
    }

    /// `seen by dr. field`: a word in small letters that a title makes a name, where nothing of
    /// medicine follows.
    fn is_name_in_small(&self, at: usize) -> bool {
        self.is_closed(at) && !self.is_before_clinical(at) && !self.is_verb(at)
    }

    /// Whether a word that is no name is one after a title: `Dr. Strange`, but not
    /// `DR. NOTIFIED`.
    fn is_somebody(&self, at: usize, shouted: bool, sure: bool) -> bool {
        let word = self.page.str(at);
        let verb = self.is_verb(at) || word.ends_with("ed");
        let ends = self.is_last(at) || sure && self.is_closed(at);
        let ordinary = !lexicon::look_up(word).is_clinical() || ends;
        let longer = word.len() > SHORT - 1 && self.judged[at] == Judged::Vocabulary;
        let written = match self.page.tokens[at].case {
            Case::Title => !shouted,
            Case::Upper => ordinary && (shouted || self.page.has_capitals),
            Case::Lower => false,
        };
        longer && written && !verb
    }

    /// Whether a word that may be a name comes next and ends the phrase: `for Grace Park`.
    fn is_last_name_next(&self, at: usize) -> bool {
        self.next(at).is_some_and(|next| {
            matches!(self.judged[next], Judged::Both | Judged::Short)
                && self.is_capital(next)
                && self.is_last(next)
        })
    }
}

fn rule_of(strength: Strength) -> &'static str {
    match strength {
        Strength::Strong => "title-before-name",
        Strength::Medium => "role-before-name",
        Strength::Weak => "preposition-before-name",
    }
}
