//! What content items say of the person: age, sex, size (PS3.16 TID 1007, TID 3602). By their
//! concept's code, by its meaning where the code is somebody's own, and by units of time.

use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../tables/person-concepts.txt");

/// What a concept says of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trait {
    /// How old.
    Age,
    /// When born, or in which year.
    Birth,
    /// Sex, size, weight, origin.
    Other,
}

/// A unit of time that ages are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Year,
    Month,
    Week,
    Day,
}

impl Unit {
    /// How many of them are a year, at least.
    fn in_a_year(self) -> f64 {
        match self {
            Self::Year => 1.0,
            Self::Month => 12.0,
            Self::Week => 52.0,
            Self::Day => 365.0,
        }
    }
}

#[derive(Default)]
struct Concepts {
    codes: HashMap<(&'static str, &'static str), Trait>,
    meanings: HashMap<&'static str, Trait>,
    units: HashMap<&'static str, Unit>,
}

static CONCEPTS: LazyLock<Concepts> = LazyLock::new(|| {
    let mut concepts = Concepts::default();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        concepts.add(line);
    }
    concepts
});

impl Concepts {
    fn add(&mut self, line: &'static str) {
        let Some((kind, rest)) = line.split_once(' ') else { return };
        let meaning = kind.strip_prefix("means-");
        let what = match meaning.unwrap_or(kind) {
            "age" => Trait::Age,
            "birth" => Trait::Birth,
            "other" => Trait::Other,
            _ => return self.add_unit(kind, rest),
        };
        if meaning.is_some() {
            self.meanings.insert(rest, what);
        } else if let Some((scheme, code)) = rest.split_once(' ') {
            self.codes.insert((scheme, code), what);
        }
    }

    fn add_unit(&mut self, kind: &str, word: &'static str) {
        let unit = match kind {
            "year" => Unit::Year,
            "month" => Unit::Month,
            "week" => Unit::Week,
            "day" => Unit::Day,
            _ => return,
        };
        self.units.insert(word, unit);
    }
}

/// What a concept says of a person, if anything.
pub(crate) fn concept(code: &str, scheme: &str, meaning: &str) -> Option<Trait> {
    let known = CONCEPTS.codes.get(&(scheme, code)).copied();
    known.or_else(|| CONCEPTS.meanings.get(meaning.to_lowercase().as_str()).copied())
}

/// The unit of time that a code or its meaning names.
pub(crate) fn unit(code: &str, meaning: &str) -> Option<Unit> {
    let named = |word: &str| CONCEPTS.units.get(word.to_lowercase().as_str()).copied();
    named(code).or_else(|| named(meaning))
}

/// The number in place of one that tells an age over the cap: the first year beyond it, in the same
/// unit. `unit` is not known where only the concept says that it is an age.
pub(crate) fn capped(number: f64, unit: Option<Unit>, cap: u32) -> Option<String> {
    let unit = unit.unwrap_or(Unit::Year).in_a_year();
    let beyond = f64::from(cap + 1) * unit;
    // What cannot be compared is no age.
    (number >= beyond || number.is_nan()).then(|| format!("{beyond}"))
}

/// An age as a text of a content item tells it: a number, and perhaps its unit. `None` where it
/// stays.
pub(crate) fn capped_text(text: &str, cap: u32) -> Option<String> {
    let text = text.trim_matches([' ', '\0']);
    let from = text.find(|c: char| c.is_ascii_digit())?;
    let length = text[from..].find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, rest) = text[from..].split_at(length.unwrap_or(text.len() - from));
    let word = rest.trim_matches(|c: char| !c.is_alphabetic());
    let word = word.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    let named = match word {
        "M" => Some(Unit::Month),
        "W" => Some(Unit::Week),
        "D" => Some(Unit::Day),
        word => unit(word, ""),
    };
    let number = number.parse().unwrap_or(f64::NAN);
    capped(number, named, cap).map(|_| format!("{:03}Y", cap + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole() {
        let Concepts { codes, meanings, units } = &*CONCEPTS;
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(codes.len() + meanings.len() + units.len(), lines);
    }

    #[test]
    fn concepts_of_the_person() {
        for (code, scheme, meaning, expected) in [
            ("121033", "DCM", "Subject Age", Some(Trait::Age)),
            ("397659008", "SCT", "", Some(Trait::Age)),
            ("AGE1", "99LOCAL", "Patient Age", Some(Trait::Age)),
            ("121032", "DCM", "Subject Sex", Some(Trait::Other)),
            ("21112-8", "LN", "Birth date", Some(Trait::Birth)),
            ("Y", "99LOCAL", "Geburtsjahr", Some(Trait::Birth)),
            ("8339-4", "LN", "Birth weight", None),
            ("8302-2", "LN", "Patient Height", Some(Trait::Other)),
            ("57036006", "SCT", "Fetal gestational age", None),
            ("410668003", "SCT", "Length", None),
            ("113812", "DCM", "Total Number of Irradiation Events", None),
        ] {
            assert_eq!(concept(code, scheme, meaning), expected, "{code} {meaning}");
        }
    }

    #[test]
    fn ages_are_capped_in_their_unit() {
        for (number, code, expected) in [
            (94.0, "a", Some("90")),
            (90.0, "a", Some("90")),
            (89.9, "a", None),
            (1132.0, "mo", Some("1080")),
            (1079.0, "mo", None),
            (4900.0, "wk", Some("4680")),
            (34_400.0, "d", Some("32850")),
            (94.0, "kg", Some("90")),
        ] {
            assert_eq!(capped(number, unit(code, ""), 89).as_deref(), expected, "{number} {code}");
        }
        for (text, expected) in [
            ("94", Some("090Y")),
            ("94Y", Some("090Y")),
            ("094Y", Some("090Y")),
            ("94 years", Some("090Y")),
            ("1132M", Some("090Y")),
            ("63", None),
            ("063Y", None),
            ("1000 months", None),
            ("old", None),
        ] {
            assert_eq!(capped_text(text, 89).as_deref(), expected, "{text}");
        }
    }
}
