//! Dates (PS3.5 6.2: DA, DT, TM; AS): shifted by whole days, or not at all. What is malformed is
//! never left.

use crate::days::StudyDays;

/// Days since 1970-01-01 of a day in the Gregorian calendar.
fn to_days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era_days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + of_era_days - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
fn from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let of_era_years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_years + of_era_years / 4 - of_era_years / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (of_era_years + era * 400 + i64::from(month <= 2), month, day)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
}

/// Days since 1970-01-01 of `YYYYMMDD`; `None` when it is no day of the calendar.
fn day(digits: &[u8]) -> Option<i64> {
    if digits.len() != 8 {
        return None;
    }
    let (year, month, day) =
        (number(&digits[..4])?, number(&digits[4..6])?, number(&digits[6..8])?);
    let days = to_days(year, month, day);
    // A day that does not exist (31 February) does not come back the same.
    ((1..=9999).contains(&year) && from_days(days) == (year, month, day)).then_some(days)
}

/// `YYYY.MM.DD`, the retired form of a DA (PS3.5 6.2), as `YYYYMMDD`.
fn compact(text: &[u8]) -> Option<[u8; 8]> {
    match *text {
        [y1, y2, y3, y4, b'.', m1, m2, b'.', d1, d2] => Some([y1, y2, y3, y4, m1, m2, d1, d2]),
        _ => None,
    }
}

/// The day that a DA or DT begins with, as days since 1970-01-01.
pub(crate) fn day_of(text: &[u8]) -> Option<i64> {
    match compact(text) {
        Some(digits) => day(&digits),
        None => day(text.get(..8)?),
    }
}

/// How dates move: by how many days, and which.
#[derive(Clone, Copy)]
pub(crate) struct Move<'d> {
    /// Days to subtract.
    pub(crate) back: i64,
    /// Days that are no patient's do not move: they go.
    pub(crate) days: &'d StudyDays,
}

impl Move<'_> {
    /// The day that `YYYYMMDD` becomes, empty for one that is no patient's; `None` when it is no
    /// day of the calendar.
    fn shift(self, digits: &[u8]) -> Option<String> {
        let from = day(digits)?;
        if !self.days.moves(from) {
            return Some(String::new());
        }
        let (year, month, day) = from_days(from - self.back);
        (1..=9999).contains(&year).then(|| format!("{year:04}{month:02}{day:02}"))
    }
}

/// Whether one of several numbers is, digit by digit, a day of our time: a date where none belongs.
pub(crate) fn holds_a_day(value: &[u8]) -> bool {
    value.split(|&b| b == b'\\').map(<[u8]>::trim_ascii).any(|digits| {
        let digits = digits.strip_suffix(b"\0").unwrap_or(digits);
        (digits.starts_with(b"19") || digits.starts_with(b"20")) && day(digits).is_some()
    })
}

/// Shifts every value of a DA, also in the retired form; `None` when one is malformed.
pub(crate) fn shift_da(value: &str, by: Move<'_>) -> Option<String> {
    each(value, |text| match compact(text.as_bytes()) {
        Some(digits) => by.shift(&digits),
        None => by.shift(text.as_bytes()),
    })
}

/// Shifts every value of a DT. A value coarser than a day cannot be shifted exactly: `None`.
pub(crate) fn shift_dt(value: &str, by: Move<'_>) -> Option<String> {
    each(value, |text| {
        let (date, rest) = text.as_bytes().split_at_checked(8)?;
        let time = std::str::from_utf8(rest).ok()?;
        let plain = time.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-'));
        let day = by.shift(date).filter(|_| plain && time.len() <= 18)?;
        Some(if day.is_empty() { day } else { day + time })
    })
}

/// A TM that is one: digits, a fraction, colons of the retired form. Times of day stay under a
/// shift of whole days.
pub(crate) fn is_time(value: &str) -> bool {
    value.split('\\').all(|text| {
        let text = text.trim();
        text.len() <= 16 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b':'))
    })
}

/// Whether every value of a DA, DT or TM is one.
pub(crate) fn is_dated(vr: scanveil_dataset::Vr, value: &str) -> bool {
    match &vr.0 {
        b"DA" => each(value, |text| {
            let digits = compact(text.as_bytes());
            let digits = digits.as_ref().map_or(text.as_bytes(), |digits| &digits[..]);
            day(digits).map(|_| text.to_owned())
        })
        .is_some(),
        b"DT" => each(value, |text| is_date_time(text).then(|| text.to_owned())).is_some(),
        _ => is_time(value),
    }
}

/// A DT that is one, also a partial one (PS3.5 6.2).
fn is_date_time(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text[digits..].bytes();
    matches!(digits, 4 | 6 | 8 | 10 | 12 | 14)
        && text.len() <= 26
        && (digits < 8 || day(&text.as_bytes()[..8]).is_some())
        && rest.into_iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-'))
}

/// Caps every age over `cap` years (and what cannot be read as an age is `None`).
pub(crate) fn cap_age(value: &str, cap: u32) -> Option<String> {
    each(value, |text| {
        let years = age_in_years(text)?;
        Some(if years > i64::from(cap) { format!("{:03}Y", cap + 1) } else { text.to_owned() })
    })
}

/// The lower bound of an age's band of so many years.
pub(crate) fn age_band(value: &str, years: i64) -> Option<String> {
    each(value, |text| Some(format!("{:03}Y", (age_in_years(text)? / years * years).min(90))))
}

/// The years of an AS (PS3.5 6.2).
fn age_in_years(text: &str) -> Option<i64> {
    let (digits, unit) = text.as_bytes().split_at_checked(3)?;
    let count = number(digits)?;
    Some(match unit {
        b"Y" => count,
        b"M" => count / 12,
        b"W" => count / 52,
        b"D" => count / 365,
        _ => return None,
    })
}

/// The years of the first value of an AS.
pub(crate) fn years_of(value: &[u8]) -> Option<u32> {
    let first = value.split(|&b| b == b'\\').next()?;
    let years = age_in_years(std::str::from_utf8(first).ok()?.trim_matches([' ', '\0']))?;
    u32::try_from(years).ok()
}

/// The year of a day since 1970-01-01.
pub(crate) fn year_of(day: i64) -> Option<u32> {
    u32::try_from(from_days(day).0).ok()
}

/// The first day of the year (4 digits kept) or month (6 digits kept) of a DA or DT.
pub(crate) fn coarser(value: &str, kept: usize) -> Option<String> {
    each(value, |text| {
        day(text.as_bytes().get(..8)?)?;
        Some(format!("{}{}", &text[..kept], if kept == 4 { "0101" } else { "01" }))
    })
}

fn each(value: &str, one: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = Vec::new();
    for text in value.split('\\') {
        let text = text.trim_matches([' ', '\0']);
        out.push(if text.is_empty() { String::new() } else { one(text)? });
    }
    Some(out.join("\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_are_exact_and_malformed_values_are_refused() {
        let days = &StudyDays::default();
        for (value, back, expected) in [
            ("20240301", 1, Some("20240229")),
            ("20230301", 1, Some("20230228")),
            ("19000301", 1, Some("19000228")),
            ("2024.03.01", 60, Some("20240101")),
            ("20240110\\20240111", 10, Some("20231231\\20240101")),
            ("20240110\\19000101", 10, Some("20231231\\")),
            ("99991231", 10, Some("")),
            ("1900.01.01", 10, Some("")),
            ("", 5, Some("")),
            ("20240231", 5, None),
            ("2024", 5, None),
            ("12 July 2021", 5, None),
            ("2024030 ", 5, None),
        ] {
            assert_eq!(shift_da(value, Move { back, days }).as_deref(), expected, "{value}");
        }
        for (value, expected) in [
            ("20240301101112.5+0100", Some("20240229101112.5+0100")),
            ("20240301", Some("20240229")),
            ("19700101000000.000000", Some("")),
            ("202403", None),
            ("20240301 by Doe", None),
        ] {
            assert_eq!(shift_dt(value, Move { back: 1, days }).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn days_are_known_among_numbers() {
        for (value, is_one) in [
            ("20160305", true),
            ("1\\19411231 ", true),
            ("20161305", false),
            ("2016030", false),
            ("30160305", false),
            ("2016.305", false),
            ("", false),
        ] {
            assert_eq!(holds_a_day(value.as_bytes()), is_one, "{value}");
        }
    }

    #[test]
    fn ages_are_capped() {
        for (value, expected) in [
            ("045Y", Some("045Y")),
            ("093Y", Some("090Y")),
            ("999M", Some("999M")),
            ("089Y", Some("089Y")),
            ("45", None),
            ("forty", None),
        ] {
            assert_eq!(cap_age(value, 89).as_deref(), expected, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_day_comes_back(days in -300_000i64..2_900_000) {
            let (y, m, d) = from_days(days);
            proptest::prop_assert_eq!(to_days(y, m, d), days);
        }
    }
}
