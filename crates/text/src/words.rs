//! Lists of words that say something, as data: a line has the name of a section, a colon and its
//! words, or after `#` what they are.

use crate::lexicon::QuickMap;
use std::ops::BitOr;

/// Words, and the sections that each stands in, one bit for each.
pub(crate) struct Sections<B> {
    said: QuickMap<&'static str, B>,
}

impl<B: Copy + Default + BitOr<Output = B> + Into<u32>> Sections<B> {
    /// Reads the sections of a list that have these names.
    pub(crate) fn read(list: &'static str, names: &[(&str, B)]) -> Self {
        let mut said: QuickMap<&'static str, B> = QuickMap::default();
        for (name, bit) in names {
            for word in section(list, name) {
                let says = said.entry(word).or_default();
                *says = *says | *bit;
            }
        }
        Self { said }
    }

    /// Whether a folded word stands in one of these sections.
    pub(crate) fn says(&self, word: &str, what: B) -> bool {
        self.said.get(word).is_some_and(|&says| says.into() & what.into() != 0)
    }

    /// The words that stand in one of these sections, in no order.
    pub(crate) fn of(&self, what: B) -> impl Iterator<Item = &'static str> {
        let said = self.said.iter().filter(move |(_, says)| (**says).into() & what.into() != 0);
        said.map(|(word, _)| *word)
    }
}

/// The words of one section, in order.
pub(crate) fn section(list: &'static str, name: &str) -> impl Iterator<Item = &'static str> {
    let lines = list.lines().filter_map(|line| line.split_once(": "));
    lines.filter(move |(of, _)| *of == name).flat_map(|(_, words)| words.split(' '))
}
