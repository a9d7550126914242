//! Lists of words that say something, as data: a line has the name of a section, a colon and its
//! words, or after `#` what they are.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::{BitOr, Deref};

/// A quick hash for short words; the table's keys are ours, so nobody can choose collisions.
#[derive(Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

pub(crate) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

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

/// The words of one section, in order and to be looked up.
pub(crate) struct Words {
    listed: Vec<&'static str>,
    known: QuickMap<&'static str, ()>,
}

impl Words {
    /// Reads one section of a list.
    pub(crate) fn read(list: &'static str, name: &str) -> Self {
        let listed: Vec<_> = section(list, name).collect();
        Self { known: listed.iter().map(|word| (*word, ())).collect(), listed }
    }

    /// Whether it is one of the words.
    pub(crate) fn contains(&self, word: &str) -> bool {
        self.known.contains_key(word)
    }
}

impl Deref for Words {
    type Target = [&'static str];

    fn deref(&self) -> &Self::Target {
        &self.listed
    }
}

/// Sections of a list, read when they are first asked for.
macro_rules! words {
    ($list:path; $($(#[$doc:meta])* $name:ident $section:literal;)*) => {
        $($(#[$doc])* static $name: std::sync::LazyLock<crate::words::Words> =
            std::sync::LazyLock::new(|| crate::words::Words::read($list, $section));)*
    };
}
pub(crate) use words;

/// The words of one section, in order.
pub(crate) fn section(list: &'static str, name: &str) -> impl Iterator<Item = &'static str> {
    let lines = list.lines().filter_map(|line| line.split_once(": "));
    lines.filter(move |(of, _)| *of == name).flat_map(|(_, words)| words.split(' '))
}
