//! Holds what came out against what was expected.

use super::document::CaseDocument;
use super::path::{self, Step, children};
use super::{CaseFailure, Instance, Output};
use crate::ProfilesError;
use scanveil_dataset::{CharacterSets, DataSet, Element, Kind, Limits, Vr, open_slice, tags};
use scanveil_model::Reason;
use toml::Value;

/// What may be expected of an element in a word.
const WORDS: [&str; 9] =
    ["removed", "empty", "gone", "kept", "changed", "pseudonym", "remapped", "shifted", "present"];

/// What is expected of an element.
enum Expectation<'e> {
    Word(&'e str),
    Text { equals: Option<&'e str>, holds: Vec<&'e str>, lacks: Vec<&'e str> },
}

/// An instance, in or out.
struct Side<'s> {
    data: &'s DataSet<'s>,
    sets: CharacterSets,
}

/// How many expectations there are, and those that are not met.
pub(super) fn judge(
    case: &CaseDocument,
    place: &str,
    instance: &Instance,
    outcome: Result<Output, Reason>,
) -> Result<(usize, Vec<CaseFailure>), ProfilesError> {
    let whole = |expected: String, found: String| {
        (1, vec![CaseFailure { element: "the instance".to_owned(), expected, found }])
    };
    let output = match (outcome, case.quarantined) {
        (Err(reason), Some(code)) if reason.code == code => return Ok((1, Vec::new())),
        (Err(reason), Some(code)) => {
            return Ok(whole(format!("held back: {code}"), format!("held back: {}", reason.code)));
        }
        (Ok(_), Some(code)) => {
            return Ok(whole(format!("held back: {code}"), "came out".to_owned()));
        }
        (Err(reason), None) => {
            return Ok(whole("came out".to_owned(), format!("held back: {reason}")));
        }
        (Ok(output), None) => output,
    };
    let unreadable = |_| case.error("the instance", "what was written cannot be parsed");
    let limits = Limits::default();
    let (before, _) = open_slice(&instance.bytes, &limits).map_err(unreadable)?;
    let (after, _) = open_slice(&output.bytes, &limits).map_err(unreadable)?;
    let (before, after) = (side(&before.data), side(&after.data));
    let mut bench = Bench { before, after, pseudonym: &output.pseudonym, offset: None };
    let mut failures = Vec::new();
    for (key, value) in &case.expect {
        let expectation = expectation(case, key, value)?;
        let full = if place == "." { key.clone() } else { format!("{place}.{key}") };
        let steps = path::parse(&full)
            .ok_or_else(|| case.error(key, "neither a keyword nor a tag nor a path of them"))?;
        if let Some((expected, found)) = bench.verdict(&steps, &expectation) {
            failures.push(CaseFailure { element: key.clone(), expected, found });
        }
    }
    let checks = case.expect.len() + case.nowhere.len();
    for (at, text) in case.nowhere.iter().enumerate() {
        if bench.after.holds_anywhere(&output.bytes, text) {
            let expected = format!("text {} of `nowhere` in no byte of it", at + 1);
            let element = "the instance".to_owned();
            failures.push(CaseFailure { element, expected, found: "it is there".to_owned() });
        }
    }
    Ok((checks, failures))
}

fn side<'s>(data: &'s DataSet<'s>) -> Side<'s> {
    let declared = data.text(tags::SPECIFIC_CHARACTER_SET).unwrap_or(b"");
    Side { data, sets: CharacterSets::parse(declared).unwrap_or(CharacterSets::DEFAULT) }
}

fn expectation<'e>(
    case: &CaseDocument,
    key: &str,
    value: &'e Value,
) -> Result<Expectation<'e>, ProfilesError> {
    let wrong = |why: &str| case.error(key, why);
    match value {
        Value::String(word) if WORDS.contains(&word.as_str()) => Ok(Expectation::Word(word)),
        Value::String(_) => Err(wrong(&format!("expected is one of {}", WORDS.join(", ")))),
        Value::Table(table) => {
            let known = |key: &String| matches!(key.as_str(), "equals" | "holds" | "lacks");
            if table.is_empty() || !table.keys().all(known) {
                return Err(wrong("a table has the keys equals, holds and lacks"));
            }
            let texts = |key: &str| match table.get(key) {
                None => Ok(Vec::new()),
                Some(Value::Array(list)) => list
                    .iter()
                    .map(|text| text.as_str().ok_or_else(|| wrong("not a text")))
                    .collect(),
                Some(_) => Err(wrong("holds and lacks are lists of texts")),
            };
            let equals = match table.get("equals") {
                None => None,
                Some(text) => Some(text.as_str().ok_or_else(|| wrong("equals is a text"))?),
            };
            Ok(Expectation::Text { equals, holds: texts("holds")?, lacks: texts("lacks")? })
        }
        _ => Err(wrong("expected is a word or a table")),
    }
}

impl Side<'_> {
    fn text(&self, element: &Element) -> String {
        let value = self.data.value(element);
        if element.vr.is_text() {
            let decoded = self.sets.decode(value).map(std::borrow::Cow::into_owned);
            return decoded.unwrap_or_default().trim_matches([' ', '\0']).to_owned();
        }
        let encoding = element.encoding;
        let numbers = |size: usize| {
            let number = |chunk: &[u8]| {
                let mut bytes = [0; 8];
                for (at, byte) in chunk.iter().enumerate() {
                    let at = if encoding.big_endian { chunk.len() - 1 - at } else { at };
                    bytes[at] = *byte;
                }
                u64::from_le_bytes(bytes).to_string()
            };
            value.chunks_exact(size).map(number).collect::<Vec<_>>().join("\\")
        };
        match element.vr {
            Vr::US => numbers(2),
            Vr::UL => numbers(4),
            _ => String::from_utf8_lossy(value).trim_matches([' ', '\0']).to_owned(),
        }
    }

    /// Whether a text is in the bytes, in ASCII without case, or in the instance's character set.
    fn holds_anywhere(&self, bytes: &[u8], text: &str) -> bool {
        let is_in = |form: &[u8]| {
            !form.is_empty()
                && bytes.windows(form.len()).any(|window| window.eq_ignore_ascii_case(form))
        };
        is_in(text.as_bytes()) || self.sets.encode(text).is_some_and(|form| is_in(&form))
    }
}

/// Before and after, and what all elements of a case share.
struct Bench<'b> {
    before: Side<'b>,
    after: Side<'b>,
    pseudonym: &'b str,
    /// Days by which dates moved, once a shifted date was seen.
    offset: Option<i64>,
}

impl Bench<'_> {
    /// Expected and found, in words, when they differ.
    fn verdict(&mut self, steps: &[Step], wanted: &Expectation<'_>) -> Option<(String, String)> {
        let given = path::find(self.before.data, steps);
        let left = path::find(self.after.data, steps);
        match wanted {
            Expectation::Word(word) => {
                let ok = self.word(word, given.as_ref(), left.as_ref());
                (!ok).then(|| ((*word).to_owned(), self.words(given.as_ref(), left.as_ref())))
            }
            Expectation::Text { equals, holds, lacks } => {
                let Some(left) = left else { return Some(("a text".into(), "absent".into())) };
                let text = self.after.text(&left);
                if equals.is_some_and(|wanted| wanted != text) {
                    return Some((
                        "the text that the case gives".into(),
                        self.words(given.as_ref(), Some(&left)),
                    ));
                }
                let upper = text.to_lowercase();
                let has = |part: &&str| upper.contains(&part.to_lowercase());
                if let Some(at) = holds.iter().position(|part| !has(part)) {
                    return Some((format!("text {} of `holds`", at + 1), "not in it".into()));
                }
                let at = lacks.iter().position(has)?;
                Some((format!("without text {} of `lacks`", at + 1), "in it".into()))
            }
        }
    }

    fn word(&mut self, word: &str, given: Option<&Element>, left: Option<&Element>) -> bool {
        let empty = left.is_some_and(|left| self.is_empty(left));
        match (word, left) {
            ("removed", left) => left.is_none(),
            ("gone", left) => left.is_none() || empty,
            ("empty", _) => empty,
            ("present", left) => left.is_some(),
            (_, None) => false,
            ("pseudonym", Some(left)) => self.after.text(left) == self.pseudonym,
            (_, Some(left)) => {
                let Some(given) = given else { return false };
                let same = self.same(given, left);
                match word {
                    "kept" => same,
                    "changed" => !same && !empty,
                    "remapped" => !same && !empty && self.is_uid(left),
                    "shifted" => self.is_shifted(given, left),
                    _ => false,
                }
            }
        }
    }

    fn is_empty(&self, element: &Element) -> bool {
        element.length == 0
    }

    /// The same value; of a sequence, the same number of items.
    fn same(&self, given: &Element, left: &Element) -> bool {
        if given.kind == Kind::Sequence || left.kind == Kind::Sequence {
            return given.kind == left.kind
                && self.items(&self.before, given) == self.items(&self.after, left);
        }
        if given.vr.is_string() {
            return self.before.text(given) == self.after.text(left);
        }
        self.before.data.value(given) == self.after.data.value(left)
    }

    fn items(&self, side: &Side<'_>, sequence: &Element) -> usize {
        let at = side.data.elements().iter().position(|element| {
            element.kind == Kind::Sequence
                && element.start == sequence.start
                && element.tag == sequence.tag
        });
        at.map_or(0, |at| children(side.data, at as u32).len())
    }

    fn is_uid(&self, element: &Element) -> bool {
        let text = self.after.text(element);
        let uid = |part: &str| {
            !part.is_empty()
                && part.len() <= 64
                && part.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        };
        text.split('\\').all(uid)
    }

    /// A date that moved by as many days as every other of the case, the rest of it as it was.
    fn is_shifted(&mut self, given: &Element, left: &Element) -> bool {
        let (before, after) = (self.before.text(given), self.after.text(left));
        if before.split('\\').count() != after.split('\\').count() {
            return false;
        }
        before.split('\\').zip(after.split('\\')).all(|(before, after)| {
            let days = |text: &str| days(text.get(..8)?);
            let (Some(from), Some(to)) = (days(before), days(after)) else { return false };
            let moved = to - from;
            let rest = before.get(8..) == after.get(8..);
            rest && moved != 0 && *self.offset.get_or_insert(moved) == moved
        })
    }

    fn words(&self, given: Option<&Element>, left: Option<&Element>) -> String {
        let found = match (given, left) {
            (_, None) => "absent",
            (_, Some(left)) if self.is_empty(left) => "empty",
            (_, Some(left)) if self.after.text(left) == self.pseudonym => "the pseudonym",
            (Some(given), Some(left)) if self.same(given, left) => "as given",
            (_, Some(left)) if left.kind == Kind::Sequence => "a sequence",
            _ => "another value",
        };
        found.to_owned()
    }
}

/// Days since 1 March of the year 0, of `YYYYMMDD`.
fn days(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap + (153 * month + 2) / 5 + day - 1)
}
