//! From characters on a page to lines. A file does not say where words end, and may draw them in
//! any order: so that several readings are made, and each is searched.

use super::PdfText;
use crate::Unread;

/// Characters on one page, in bytes.
const MOST_TEXT: usize = 4 << 20;
/// A gap of so much of the size of the letters parts words.
const GAP: f64 = 0.15;
/// Letters whose heights differ by less than this part of their size stand in one line.
const SAME_LINE: f64 = 0.4;

/// One character, or what one code stands for.
pub(crate) struct Run {
    pub(crate) text: String,
    pub(crate) other: Option<String>,
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Where it ends; `None` where nobody knows.
    pub(crate) end: Option<(f64, f64)>,
    pub(crate) size: f64,
}

/// The characters of one page, in the order of the file.
#[derive(Default)]
pub(crate) struct Layout {
    runs: Vec<Run>,
    /// Indices of runs that begin a shown string.
    begins: Vec<usize>,
    asides: Vec<String>,
    length: usize,
}

/// How two characters stand to each other.
enum Between {
    Nothing,
    Space,
    Line,
    /// Beside each other, at a distance that nobody knows.
    Unknown,
}

impl Layout {
    pub(crate) fn put(&mut self, run: Run) -> Result<(), Unread> {
        self.length += run.text.len() + size_of::<Run>() / 8;
        self.runs.push(run);
        if self.length > MOST_TEXT { Err(Unread::TooMuch) } else { Ok(()) }
    }

    /// A shown string ended here.
    pub(crate) fn pause(&mut self) {
        self.begins.push(self.runs.len());
    }

    /// Text that stands in place of other text.
    pub(crate) fn aside(&mut self, text: &str) {
        self.asides.push(text.to_owned());
    }

    /// Makes the readings.
    pub(crate) fn read(self, text: &mut PdfText) {
        text.strings.extend(self.asides.iter().filter(|t| !t.trim().is_empty()).cloned());
        if self.runs.is_empty() {
            return;
        }
        let order: Vec<usize> = (0..self.runs.len()).collect();
        let mut by_place = order.clone();
        by_place.sort_by(|&a, &b| {
            let (a, b) = (&self.runs[a], &self.runs[b]);
            // Lines by the height of their letters, from the top, each from the left.
            let line = |run: &Run| (run.y / (run.size.max(1.0) * SAME_LINE)).round();
            line(b).total_cmp(&line(a)).then(a.x.total_cmp(&b.x))
        });
        let sorted = by_place != order;
        let orders = if sorted { vec![order, by_place] } else { vec![order] };
        for order in &orders {
            let wide = self.joined(order, " ", false);
            let narrow = self.joined(order, "", false);
            if wide != narrow {
                text.pages.push(narrow);
            }
            text.readings.push(wide.replace('\n', " "));
            text.pages.push(wide);
            text.readings.push(order.iter().map(|&at| self.runs[at].text.as_str()).collect());
            if self.runs.iter().any(|run| run.other.is_some()) {
                text.pages.push(self.joined(order, " ", true));
            }
        }
    }

    /// The characters in an order, with spaces and lines where they stand apart; `unknown` where
    /// nobody knows whether they do.
    fn joined(&self, order: &[usize], unknown: &str, other: bool) -> String {
        let mut text = String::with_capacity(self.length);
        let mut before: Option<usize> = None;
        for &at in order {
            let run = &self.runs[at];
            match before.map(|before| self.between(before, at)) {
                None | Some(Between::Nothing) => {}
                Some(Between::Space) => text.push(' '),
                Some(Between::Line) => text.push('\n'),
                Some(Between::Unknown) => text.push_str(unknown),
            }
            let written = run.other.as_ref().filter(|_| other).unwrap_or(&run.text);
            text.push_str(written);
            before = Some(at);
        }
        text
    }

    fn between(&self, before: usize, at: usize) -> Between {
        let (one, two) = (&self.runs[before], &self.runs[at]);
        let size = one.size.max(two.size).max(0.1);
        if (one.y - two.y).abs() > size * SAME_LINE {
            return Between::Line;
        }
        // Letters of one string follow each other.
        let together = before + 1 == at && self.begins.binary_search(&at).is_err();
        match one.end {
            _ if one.text == " " || two.text == " " => Between::Nothing,
            None if together => Between::Nothing,
            None => Between::Unknown,
            Some((end, _)) if (two.x - end).abs() <= size * GAP => Between::Nothing,
            Some(_) => Between::Space,
        }
    }
}
