//! Which days are a patient's: only those move. What everybody can look up, and what stands where
//! nobody knows a day, would tell by how much the others moved.

use crate::dates::{day_of, year_of};
use scanveil_dataset::{Tag, tags};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

pub(crate) const PLACEHOLDERS: &str = include_str!("../tables/placeholder-days.txt");
pub(crate) const PUBLISHED: &str = include_str!("../tables/published-dates.txt");

/// What becomes of a published date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    /// It stays.
    Keep,
    /// It goes.
    Remove,
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

static PLACEHOLDER_DAYS: LazyLock<BTreeSet<i64>> =
    LazyLock::new(|| lines(PLACEHOLDERS).filter_map(|line| day_of(line.as_bytes())).collect());

static PUBLISHED_TAGS: LazyLock<HashMap<Tag, Published>> =
    LazyLock::new(|| lines(PUBLISHED).filter_map(parse).collect());

fn parse(line: &str) -> Option<(Tag, Published)> {
    let mut fields = line.split(',');
    let tag = u32::from_str_radix(fields.next()?, 16).ok()?;
    let what = match fields.next()? {
        "keep" => Published::Keep,
        "remove" => Published::Remove,
        _ => return None,
    };
    Some((Tag(tag), what))
}

/// What becomes of a date that is the same for everybody; `None` for all others.
pub(crate) fn published(tag: Tag) -> Option<Published> {
    PUBLISHED_TAGS.get(&tag).copied()
}

/// Days of the study itself, by which its present is known: when it was made, and its instances.
const MADE: [Tag; 6] = [
    Tag::new(0x8, 0x12),
    tags::STUDY_DATE,
    Tag::new(0x8, 0x21),
    Tag::new(0x8, 0x22),
    Tag::new(0x8, 0x23),
    Tag::new(0x8, 0x2a),
];

/// Longest single value of a DT (PS3.5 6.2).
const LONGEST: usize = 26;
/// A study names no more days: 30,000 frames are made within one.
const MOST_DAYS: usize = 20_000;
/// Days before birth that a study may speak of: a pregnancy, the calibration of a device.
const BEFORE_BIRTH: i64 = 2 * 366;
/// Days after the study that it may speak of: what was planned.
const AFTER_STUDY: i64 = 2 * 366;
/// Nobody is older, in days.
const LIFE: i64 = 130 * 366;
/// Where nothing says when: 1850 to 2100, as days since 1970-01-01.
const EVER: (i64, i64) = (-43_829, 47_482);
/// Days before the study in which a clock that counts seconds may have counted for it.
const CLOCKED: i64 = 20 * 366;
/// The first day that such a clock can have counted if nothing says when: 2000-01-01.
const CLOCK: i64 = 10_957;

/// The days that a study speaks of.
#[derive(Default)]
pub(crate) struct StudyDays {
    own: BTreeSet<i64>,
    born: Option<i64>,
    /// Days on which it says that it was made, and how often each.
    made: BTreeMap<i64, u32>,
    /// The day that most of these say; the first of several.
    most: Option<(u32, i64)>,
    /// The last day taken in: most repeat it.
    last: [u8; 8],
}

impl StudyDays {
    /// Takes in the values of a date or date-time.
    ///
    /// # Errors
    /// When the study names more days than one study has.
    pub(crate) fn observe(&mut self, tag: Tag, top: bool, value: &[u8]) -> Result<(), TooManyDays> {
        let birth = tag == tags::PATIENT_BIRTH_DATE;
        let made = top && MADE.contains(&tag);
        let repeats = value.len() <= LONGEST && value.get(..8).is_some_and(|d| d == self.last);
        if (repeats && !birth && !made) || published(tag).is_some() {
            return Ok(());
        }
        for text in value.split(|&b| b == b'\\').map(<[u8]>::trim_ascii) {
            let Some(day) = day_of(text).filter(|day| !is_placeholder(*day)) else { continue };
            if birth {
                self.born = Some(self.born.map_or(day, |born| born.min(day)));
            }
            if made && (EVER.0..=EVER.1).contains(&day) {
                self.count(day);
            }
            if let Some(first) = text.get(..8) {
                self.last.copy_from_slice(first);
            }
            self.own.insert(day);
        }
        if self.own.len() > MOST_DAYS { Err(TooManyDays) } else { Ok(()) }
    }

    /// Counts a day on which something of the study was made.
    fn count(&mut self, day: i64) {
        let times = self.made.entry(day).or_default();
        *times = times.saturating_add(1);
        let times = *times;
        let more = |(most, first): (u32, i64)| times > most || times == most && day < first;
        if self.most.is_none_or(more) {
            self.most = Some((times, day));
        }
    }

    /// The last day on which the study was made. What is far behind the day that most of it says is
    /// a placeholder, whatever it stands for.
    fn made(&self) -> Option<i64> {
        let (_, most) = self.most?;
        self.made.range(..=most + AFTER_STUDY).next_back().map(|(day, _)| *day)
    }

    /// How old the patient was when the study was made, in years, where it says so.
    pub(crate) fn age(&self) -> Option<u32> {
        let days = self.made()? - self.born?;
        u32::try_from(days * 4 / 1461).ok().filter(|_| days <= LIFE)
    }

    /// The year in which the patient was born.
    pub(crate) fn year_of_birth(&self) -> Option<u32> {
        self.born.and_then(year_of)
    }

    /// Whether a day is one that the study says of somebody.
    pub(crate) fn is_own(&self, day: i64) -> bool {
        self.own.contains(&day)
    }

    /// Whether a day moves with the patient's: it lies within a life and a study.
    pub(crate) fn moves(&self, day: i64) -> bool {
        let (first, last) = self.span();
        (first..=last).contains(&day) && !is_placeholder(day)
    }

    fn span(&self) -> (i64, i64) {
        let last = || self.own.range(EVER.0..=EVER.1).next_back().copied();
        let made = self.made().or_else(last);
        let Some(made) = made else { return EVER };
        let born = self.born.filter(|born| *born <= made && made - born <= LIFE);
        (born.map_or(made - LIFE, |born| born - BEFORE_BIRTH), made + AFTER_STUDY)
    }

    /// Whether a published date can be one: it was there before the study was made, and is no day
    /// of it.
    pub(crate) fn is_published(&self, day: i64) -> bool {
        !self.is_own(day) && self.made().is_none_or(|made| day <= made)
    }

    /// Whether a number counts the time since 1970 up to this study: in seconds, or in thousandths,
    /// millionths, thousand-millionths of one.
    pub(crate) fn is_clock(&self, number: f64) -> bool {
        let (first, last) = match self.made() {
            Some(made) => (made - CLOCKED, made + AFTER_STUDY),
            None => (CLOCK, EVER.1),
        };
        [1.0, 1e3, 1e6, 1e9].iter().any(|unit| {
            let days = number / unit / 86_400.0;
            // Converting rounds towards zero and saturates.
            days > 0.0 && (first..=last).contains(&(days as i64))
        })
    }

    /// Whether a text holds, digit by digit, a day of the study.
    pub(crate) fn stand_in(&self, text: &[u8]) -> bool {
        let day = |at: &[u8]| day_of(at).is_some_and(|day| self.is_own(day));
        text.windows(8).any(|window| window[0].is_ascii_digit() && day(window))
    }
}

/// A study names more days than one study has.
pub(crate) struct TooManyDays;

fn is_placeholder(day: i64) -> bool {
    PLACEHOLDER_DAYS.contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(values: &[(Tag, &str)]) -> StudyDays {
        let mut days = StudyDays::default();
        for (tag, value) in values {
            assert!(days.observe(*tag, true, value.as_bytes()).is_ok());
        }
        days
    }

    fn day(text: &str) -> i64 {
        day_of(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_tables_are_read_whole() {
        assert_eq!(PUBLISHED_TAGS.len(), lines(PUBLISHED).count());
        assert_eq!(PLACEHOLDER_DAYS.len(), lines(PLACEHOLDERS).count());
        for (number, text) in [(EVER.0, "18500101"), (EVER.1, "21000101"), (CLOCK, "20000101")] {
            assert_eq!(number, day(text), "{text}");
        }
    }

    #[test]
    fn a_day_that_stands_for_none_does_not_say_when_a_study_was_made() {
        for placeholder in ["20991231", "21000101", "20491231"] {
            let study = study(&[
                (tags::PATIENT_BIRTH_DATE, "19300423"),
                (tags::STUDY_DATE, "20240517"),
                (MADE[2], "20240518"),
                (MADE[3], placeholder),
                (MADE[4], "20240517"),
            ]);
            assert!(!study.moves(day(placeholder)), "{placeholder}");
            assert!(study.moves(day("20240518")) && study.moves(day("20240517")));
            assert_eq!((study.age(), study.year_of_birth()), (Some(94), Some(1930)));
        }
    }

    #[test]
    fn days_move_within_a_life_and_a_study() {
        let full = study(&[(tags::PATIENT_BIRTH_DATE, "19610423"), (tags::STUDY_DATE, "20240517")]);
        let nothing = study(&[]);
        let unborn = study(&[(tags::PATIENT_BIRTH_DATE, "20301111"), (MADE[2], "20240517")]);
        for (text, with_birth, without) in [
            ("20240517", true, true),
            ("19610424", true, true),
            ("19600901", true, true),
            ("20251001", true, true),
            ("20270101", false, true),
            ("19510312", false, true),
            ("18751231", false, true),
            ("17760704", false, false),
            ("21001231", false, false),
            ("00010101", false, false),
            ("19000101", false, false),
            ("19700101", false, false),
            ("20000101", false, false),
            ("99991231", false, false),
        ] {
            assert_eq!(full.moves(day(text)), with_birth, "{text}");
            assert_eq!(nothing.moves(day(text)), without, "{text}");
        }
        assert!(unborn.moves(day("19510312")) && !unborn.moves(day("20301111")));
    }

    #[test]
    fn days_of_the_study_are_not_published() {
        let version = Tag::new(0x8, 0x106);
        let days = study(&[
            (tags::STUDY_DATE, "20240517"),
            (Tag::new(0x18, 0x1200), "19990203\\20240301"),
            (version, "20170328"),
        ]);
        for (text, is_published) in [
            ("20170328", true),
            ("20240517", false),
            ("20240301", false),
            ("19990203", false),
            ("20240601", false),
        ] {
            assert_eq!(days.is_published(day(text)), is_published, "{text}");
        }
        assert!(days.stand_in(b"1.2.840.99.20240517.7") && days.stand_in(b"4402024051712"));
        assert!(!days.stand_in(b"1.2.840.99.20170328.7") && !days.stand_in(b"2024051"));
    }

    #[test]
    fn clocks_that_count_since_1970() {
        let days = study(&[(tags::STUDY_DATE, "20240517")]);
        for (number, is_clock) in [
            (1_715_940_672.0, true),
            (1_715_940_672_123.0, true),
            (1_715_940_672_123_456.0, true),
            (1_715_940_672.5, true),
            (1_262_304_000.0, true),
            (512.0, false),
            (2_147_483_647.0, false),
            (123_456_789.0, false),
            (-1_715_940_672.0, false),
            (f64::NAN, false),
        ] {
            assert_eq!(days.is_clock(number), is_clock, "{number}");
        }
    }
}
