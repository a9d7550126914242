//! A capital inside a sentence: in languages that write nouns small, such a word is a name.

use super::{Judged, Words};
use crate::kind::Kind;
use crate::lexicon;
use crate::token::Case;
use crate::words::words;

words! { super::SMALL_WORDS;
    /// Small words of German, which writes every noun with a capital.
    GERMAN "german";
}

impl Words<'_> {
    /// `heart long Savage`, `dolor de rodilla Braceras`: a word that may be a name, or is but an
    /// ordinary one of a language that writes nouns small, in a capital behind small letters.
    pub(super) fn capitals_in_sentences(&mut self) {
        if !self.page.has_capitals || self.shouted || self.is_german() {
            return;
        }
        for at in 2..self.judged.len() {
            let rare = self.judged[at] == Judged::Vocabulary
                && lexicon::look_up(self.page.str(at)).is_romance();
            let open = (rare || self.judged[at] == Judged::Both)
                && self.page.is_free(at)
                && self.page.tokens[at].case == Case::Title;
            if open && self.is_behind_small(at) && !self.is_explained(at) {
                self.take(at, Kind::NameByContext, "capital-in-sentence");
            }
        }
    }

    fn is_german(&self) -> bool {
        (0..self.judged.len()).any(|t| {
            self.page.is_word(t)
                && self.page.tokens[t].case == Case::Lower
                && GERMAN.contains(self.page.str(t))
        })
    }

    /// Whether a word of some length in small letters stands before a word.
    fn is_behind_small(&self, at: usize) -> bool {
        self.page.is_space(at - 1)
            && self.page.is_word(at - 2)
            && self.page.is_free(at - 2)
            && self.page.tokens[at - 2].case == Case::Lower
            && !self.page.is_glued_before(at - 2)
            && self.page.str(at - 2).len() > 2
    }

    fn is_explained(&self, at: usize) -> bool {
        let entry = lexicon::look_up(self.page.str(at));
        entry.is_clinical()
            || entry.is_eponym()
            || entry.is_common_eponym()
            || self.is_named_after(at)
    }
}
