//! The names of months in the languages of the reports.

/// How certain a month's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Month {
    /// A whole name that means nothing else.
    Full,
    /// A whole name that is a word as well: `may`, `march`.
    Word,
    /// An abbreviation that means little else.
    Short,
    /// An abbreviation that means something else too: `oct`, `dec`, `mar`.
    Doubtful,
}

impl Month {
    /// Whether a day beside it makes a date without a year.
    pub(super) const fn is_clear(self) -> bool {
        matches!(self, Self::Full | Self::Word)
    }
}

const FULL: &[&str] = &[
    "january",
    "february",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "januar",
    "janner",
    "februar",
    "marz",
    "maerz",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "janvier",
    "fevrier",
    "avril",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "setiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "janeiro",
    "fevereiro",
    "marco",
    "maio",
    "junho",
    "julho",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
];
const WORDS: &[&str] = &["may", "march", "mai", "mars"];
const SHORT: &[&str] = &[
    "jan", "feb", "apr", "jun", "jul", "aug", "sept", "nov", "okt", "dez", "janv", "fevr", "avr",
    "juil", "ene", "abr", "ago", "dic", "fev",
];
const DOUBTFUL: &[&str] = &["mar", "mrz", "sep", "set", "oct", "out", "dec"];

/// What month's name a folded word is.
pub(super) fn month(word: &str) -> Option<Month> {
    if !(3..=10).contains(&word.len()) {
        return None;
    }
    let lists = [
        (FULL, Month::Full),
        (WORDS, Month::Word),
        (SHORT, Month::Short),
        (DOUBTFUL, Month::Doubtful),
    ];
    lists.iter().find(|(list, _)| list.contains(&word)).map(|&(_, certainty)| certainty)
}
