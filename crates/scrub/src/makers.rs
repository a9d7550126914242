//! Makers of devices: what Manufacturer says whoever and whatever else is called so.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Their names, and in `COMPANY` what follows those of companies.
const MAKERS: &str = include_str!("../tables/makers.txt");
const COMPANY: &str = include_str!("../tables/companies.txt");

static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| lines(MAKERS).collect());
static ENDINGS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| lines(COMPANY).collect());

fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.starts_with('#'))
}

/// Whether a text is nothing but the name of a maker, with the words for a company behind it.
pub(crate) fn is_maker(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<&str> = words.collect();
    if !text.is_ascii() {
        return false;
    }
    loop {
        if NAMES.contains(&*words.join(" ")) {
            return true;
        }
        if words.len() < 2 || words.pop().is_none_or(|last| !ENDINGS.contains(last)) {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_maker;

    #[test]
    fn makers_are_known_with_their_companies_and_nobody_else() {
        for text in [
            "SIEMENS",
            "Aloka Co., Ltd.",
            "Elekta Ltd",
            "GE Vingmed Ultrasound",
            "Canon_MEC",
            "Agfa ",
        ] {
            assert!(is_maker(text), "{text}");
        }
        for text in ["", "Ltd.", "Garrowby Ltd.", "Siemens Garrowby", "Saint Wystan Infirmary"] {
            assert!(!is_maker(text), "{text}");
        }
    }
}
