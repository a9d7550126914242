//! Numbers, sizes, ages and text as the page shows them.

/// Escapes text for HTML, in elements and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Groups digits by three, with narrow spaces that do not break.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Bytes in decimal units, with one digit after the point below ten.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1000 {
        return format!("{number}\u{a0}B");
    }
    let (mut value, mut unit) = (number as f64 / 1000.0, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(value < 9.95);
    format!("{value:.digits$}\u{a0}{}", UNITS[unit])
}

/// A length of time in its largest fitting unit.
pub(super) fn age(ms: u64) -> String {
    let seconds = ms / 1000;
    let (number, unit) = match seconds {
        0..=119 => (seconds, "s"),
        120..=7_199 => (seconds / 60, "min"),
        7_200..=172_799 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{}\u{a0}{unit}", count(number))
}

/// A share in whole percent; what is there but rounds to nothing is said so.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0\u{a0}%".to_owned();
    }
    let value = u128::from(part) * 100 / u128::from(whole);
    if value == 0 && part > 0 {
        return "<\u{a0}1\u{a0}%".replace('<', "&lt;");
    }
    format!("{value}\u{a0}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_people_read_them() {
        let counts = [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (1_234_567, "1\u{202f}234\u{202f}567"),
        ];
        for (number, wanted) in counts {
            assert_eq!(count(number), wanted);
        }
        let sizes = [
            (0, "0\u{a0}B"),
            (999, "999\u{a0}B"),
            (1_500, "1.5\u{a0}kB"),
            (52_428_800, "52\u{a0}MB"),
            (999_600, "1.0\u{a0}MB"),
            (u64::MAX, "18\u{a0}EB"),
        ];
        for (number, wanted) in sizes {
            assert_eq!(bytes(number), wanted);
        }
        let ages = [
            (999, "0\u{a0}s"),
            (119_000, "119\u{a0}s"),
            (120_000, "2\u{a0}min"),
            (7_200_000, "2\u{a0}h"),
            (172_800_000, "2\u{a0}days"),
        ];
        for (ms, wanted) in ages {
            assert_eq!(age(ms), wanted);
        }
        let shares = [(0, 0, "0\u{a0}%"), (1, 1000, "&lt;\u{a0}1\u{a0}%"), (1, 2, "50\u{a0}%")];
        for (part, whole, wanted) in shares {
            assert_eq!(percent(part, whole), wanted);
        }
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            escape("<a href='x' b=\"y\">&"),
            "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;"
        );
    }
}
