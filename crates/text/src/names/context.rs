//! Names after a title, a role or a preposition.

use super::{Judged, SHORT, Words};
use crate::kind::Kind;
use crate::lexicon;
use crate::titles::{Strength, cue, is_between, is_done, is_particle, is_title};
use crate::token::Case;

/// Most words that one title makes names of.
const AFTER_TITLE: usize = 4;

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

    fn after_cue(&mut self, at: usize, strength: Strength) {
        let mut last = at;
        let mut taken = 0;
        let shouted = self.page.tokens[at].case == Case::Upper;
        let titled = is_title(self.page.str(at));
        let mut initials = 0;
        for place in 0..AFTER_TITLE {
            let Some(at) = self.after(last, place == 0) else { return };
            if !self.page.is_free(at) {
                if !self.is_gone(at) {
                    return;
                }
                if strength > Strength::Weak && !self.is_name(at) {
                    self.page.take_tokens(at..at + 1, Kind::NameByContext, rule_of(strength));
                }
            } else if place < 3
                && taken == initials
                && (is_between(self.page.str(at)) || is_particle(self.page.str(at)))
                && self.judged[at] != Judged::Initial
            {
                last = at;
                continue;
            } else if self.follows(at, strength, taken - initials, shouted)
                || (titled && taken == initials && self.is_somebody(at, shouted))
            {
                self.take(at, Kind::NameByContext, rule_of(strength));
            } else {
                return;
            }
            initials += usize::from(self.judged[at] == Judged::Initial);
            taken += 1;
            last = at;
        }
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
            Judged::Both if eponym && self.is_named_after(at) => false,
            Judged::Both if strength == Strength::Weak => {
                let eponym = eponym && taken == 0;
                let capital = capital && !eponym;
                let named = self.is_last(at) || named_next || self.is_last_name_next(at);
                capital && (named || taken > 0)
            }
            Judged::Both => capital,
            Judged::Firm => match strength {
                Strength::Strong => capital && (taken == 0 || self.is_last(at)),
                Strength::Medium => named_next && capital && taken == 0,
                Strength::Weak => {
                    capital && (named_next && taken == 0 || taken > 0 && self.is_last(at))
                }
            },
            Judged::Technical => strength == Strength::Strong && taken == 0 && capital && !shouted,
            Judged::Vocabulary => {
                let entry = lexicon::look_up(self.page.str(at));
                let strange = self.page.tokens[at].case == Case::Title && !entry.is_clinical();
                match strength {
                    Strength::Strong => taken == 0 && strange,
                    Strength::Medium => false,
                    Strength::Weak => {
                        taken == 0 && entry.is_foreign() && capital && self.is_last(at)
                    }
                }
            }
            _ => false,
        }
    }

    /// Whether a word that is no name is one after a title: `Dr. Strange`, but not
    /// `DR. NOTIFIED`.
    fn is_somebody(&self, at: usize, shouted: bool) -> bool {
        let word = self.page.str(at);
        let verb = is_done(word) || word.ends_with("ed");
        let ordinary = !lexicon::look_up(word).is_clinical();
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
