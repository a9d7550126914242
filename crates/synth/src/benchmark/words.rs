//! Word lists of the benchmark: names, places and clinical text of eight languages.

use crate::charset::Charset;
use crate::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Where a hospital is, which decides language, names, formats and character sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Culture {
    American,
    British,
    German,
    French,
    Spanish,
    Portuguese,
    Chinese,
    Japanese,
    Korean,
}

/// Words of manufacturers and techniques that stand in elements and so cannot be anyone's name.
const TAKEN: &[&str] = &[
    "siemens",
    "philips",
    "canon",
    "hologic",
    "agfa",
    "fuji",
    "toshiba",
    "elscint",
    "general",
    "electric",
    "medical",
    "systems",
    "helical",
    "axial",
    "standard",
    "bone",
    "lung",
    "head",
    "vision",
    "force",
    "trio",
    "wall",
    "white",
    "black",
    "gray",
    "grey",
    "long",
    "short",
    "blood",
    "street",
    "lane",
    "hospital",
    "clinic",
    "emergency",
    "research",
    "trial",
    "baseline",
    "week",
];

const SOURCES: [[&str; 2]; 8] = [
    [include_str!("../../words/english.txt"), include_str!("../../words/clinical-english.txt")],
    [include_str!("../../words/german.txt"), include_str!("../../words/clinical-german.txt")],
    [include_str!("../../words/french.txt"), include_str!("../../words/clinical-french.txt")],
    [include_str!("../../words/spanish.txt"), include_str!("../../words/clinical-spanish.txt")],
    [
        include_str!("../../words/portuguese.txt"),
        include_str!("../../words/clinical-portuguese.txt"),
    ],
    [include_str!("../../words/chinese.txt"), include_str!("../../words/clinical-chinese.txt")],
    [include_str!("../../words/japanese.txt"), include_str!("../../words/clinical-japanese.txt")],
    [include_str!("../../words/korean.txt"), include_str!("../../words/clinical-korean.txt")],
];

static WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| {
    let clinical: BTreeSet<String> = SOURCES
        .iter()
        .flat_map(|[_, text]| text.split(|c: char| !c.is_alphabetic()))
        .map(str::to_lowercase)
        .chain(TAKEN.iter().map(|&word| word.to_owned()))
        .collect();
    SOURCES.iter().map(|sources| Words::parse(sources, &clinical)).collect()
});

/// The sections of one language.
pub(super) struct Words {
    sections: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Words {
    fn parse(sources: &[&'static str; 2], clinical: &BTreeSet<String>) -> Self {
        let mut sections: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let (mut section, mut by_line) = ("", false);
        for line in sources.iter().flat_map(|text| text.lines()).filter(|l| !l.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[') {
                by_line = name.starts_with('[');
                section = name.trim_matches(['[', ']']);
                continue;
            }
            let list = sections.entry(section).or_default();
            if by_line {
                list.push(line);
            } else {
                list.extend(line.split(',').map(str::trim).filter(|entry| !entry.is_empty()));
            }
        }
        // A name that is a clinical word, too, has no right answer: it is nobody's here.
        for section in ["family", "female", "male"] {
            if let Some(list) = sections.get_mut(section) {
                list.retain(|name| !name.split('=').any(|n| clinical.contains(&n.to_lowercase())));
            }
        }
        Self { sections }
    }

    /// The entries of a section; none for one that the language does not have.
    pub(super) fn list(&self, section: &str) -> &[&'static str] {
        self.sections.get(section).map_or(&[], Vec::as_slice)
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.sections.values().flatten().copied()
    }
}

impl Culture {
    #[cfg(test)]
    pub(super) const ALL: [Self; 9] = [
        Self::American,
        Self::British,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Portuguese,
        Self::Chinese,
        Self::Japanese,
        Self::Korean,
    ];

    pub(super) fn words(self) -> &'static Words {
        &WORDS[match self {
            Self::American | Self::British => 0,
            Self::German => 1,
            Self::French => 2,
            Self::Spanish => 3,
            Self::Portuguese => 4,
            Self::Chinese => 5,
            Self::Japanese => 6,
            Self::Korean => 7,
        }]
    }

    /// The character sets that hospitals there declare.
    pub(super) fn charsets(self) -> &'static [Charset] {
        match self {
            Self::Chinese => &[Charset::Gb18030, Charset::Utf8],
            Self::Japanese => &[Charset::Iso2022Jp, Charset::Utf8],
            Self::Korean => &[Charset::Iso2022Kr, Charset::Utf8],
            _ => &[Charset::Latin1, Charset::Utf8],
        }
    }

    /// Whether names are written in a script of their own, family name first.
    pub(super) fn own_script(self) -> bool {
        matches!(self, Self::Chinese | Self::Japanese | Self::Korean)
    }

    /// One entry of a section, in English where the language has none.
    pub(super) fn pick(self, rng: &mut Rng, section: &str) -> &'static str {
        let own = self.words().list(section);
        let list = if own.is_empty() { Self::American.words().list(section) } else { own };
        if list.is_empty() { "" } else { rng.word(list) }
    }

    /// Clinical text of a section: an entry with its slots filled from the sections they name.
    pub(super) fn clinical(self, rng: &mut Rng, section: &str) -> String {
        // Machines are set up in English in many places.
        let language = match section {
            s if s.starts_with("series.") || s == "protocol" => Self::American,
            _ if self.words().list(section).is_empty() => Self::American,
            _ => self,
        };
        let mut out = String::new();
        for part in slots(language.pick(rng, section)) {
            match part {
                Slot::Text(text) => out.push_str(text),
                Slot::Name(name) => out.push_str(language.pick(rng, name)),
            }
        }
        out
    }
}

/// A part of a template.
pub(super) enum Slot<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// Splits a template at its braces.
pub(super) fn slots(template: &str) -> impl Iterator<Item = Slot<'_>> {
    template.split('{').enumerate().flat_map(|(n, part)| {
        let (name, text) = match part.split_once('}') {
            Some((name, text)) if n > 0 => (Some(name), text),
            _ => (None, part),
        };
        let text = (!text.is_empty()).then_some(Slot::Text(text));
        name.map(Slot::Name).into_iter().chain(text)
    })
}
