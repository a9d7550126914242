//! Recognizers for short text that no table lists: what looks as if it could identify somebody.

use std::sync::LazyLock;

/// What a text was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// Six digits or more, separators aside: a number, a telephone number, a date.
    Digits,
    /// A date with separators.
    Date,
    /// An address of the Internet.
    Address,
    /// A person: a title, or the component delimiter of person names.
    Person,
    /// Characters outside ASCII: names in scripts that no vocabulary here tells from words.
    Script,
}

/// Titles and words that go before a name.
static TITLES: LazyLock<Vec<&'static str>> = LazyLock::new(|| listed("title"));
/// Titles that in capitals are words of the trade: magnetic resonance, positron tomography.
static TITLES_AS_WRITTEN: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| listed("title-as-written"));

fn listed(section: &str) -> Vec<&'static str> {
    let lines = include_str!("../tables/person-cues.txt").lines();
    let sections = lines.filter_map(|line| line.split_once(": "));
    sections.filter(|(name, _)| *name == section).flat_map(|(_, words)| words.split(' ')).collect()
}

/// The reason why a short text may identify somebody, if there is one.
#[must_use]
pub(crate) fn suspicious(text: &str) -> Option<Suspicion> {
    if !text.is_ascii() {
        return Some(Suspicion::Script);
    }
    if text.contains('@') || text.contains("://") || text.contains("www.") {
        return Some(Suspicion::Address);
    }
    if text.contains('^') {
        return Some(Suspicion::Person);
    }
    if digits(text) >= 6 {
        return Some(Suspicion::Digits);
    }
    if dated(text) {
        return Some(Suspicion::Date);
    }
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let titled = words.any(|word| {
        TITLES_AS_WRITTEN.contains(&word)
            || TITLES.iter().any(|title| title.eq_ignore_ascii_case(word))
    });
    titled.then_some(Suspicion::Person)
}

/// The longest run of digits, single separators within it not counted.
fn digits(text: &str) -> usize {
    let (mut longest, mut run, mut gap) = (0, 0, 0);
    for b in text.bytes() {
        if b.is_ascii_digit() {
            run += 1;
            gap = 0;
            longest = longest.max(run);
        } else if matches!(b, b' ' | b'-' | b'/' | b'(' | b')' | b'+') && gap == 0 {
            gap = 1;
        } else {
            run = 0;
        }
    }
    longest
}

/// Two or three numbers of a date joined by one kind of separator.
fn dated(text: &str) -> bool {
    ['/', '-', '.'].into_iter().any(|separator| {
        let mut parts = text.split(separator);
        let (Some(mut one), Some(mut two)) = (parts.next(), parts.next()) else { return false };
        parts.any(|three| {
            let found = is_date([one, two, three], separator);
            (one, two) = (two, three);
            found
        })
    })
}

fn is_date([one, two, three]: [&str; 3], separator: char) -> bool {
    let last = one.bytes().rev().take_while(u8::is_ascii_digit).count();
    let first = three.bytes().take_while(u8::is_ascii_digit).count();
    (1..=4).contains(&last)
        && (1..=2).contains(&two.len())
        && two.bytes().all(|b| b.is_ascii_digit())
        && matches!(first, 2 | 4)
        && (separator != '.' || last + first >= 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_identify_and_what_may_not() {
        let bad = [
            "call 555-0123-45",
            "+44 1632 960155",
            "12/02/1941",
            "seen 2021-07-12",
            "jo@example.org",
            "http://pacs/x",
            "Doe^Jo",
            "Dr Garrowby",
            "per Mr. Smith",
            "山田",
            "MRN0621936",
        ];
        let good = [
            "STANDARD",
            "HEAD FILTER",
            "syngo MR B17",
            "Full fidelity image",
            "coreload.81",
            "B30f",
            "mm2/s",
            "1.5T",
            "ABDOMEN 5/12",
            "VB 1.2.3",
        ];
        for text in bad {
            assert!(suspicious(text).is_some(), "{text}");
        }
        for text in good {
            assert_eq!(suspicious(text), None, "{text}");
        }
    }
}
