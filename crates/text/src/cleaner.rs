//! The way of one text: recognizers in order, then deletion until nothing more is found.

use crate::clean::{Kept, deletions};
use crate::fold::fold;
use crate::kind::{Finding, Kind, Word};
use crate::known::Known;
use crate::names::Keep;
use crate::token::{Class, Page};
use crate::{address, eastern, hosts, lexicon, names, numbers, structures};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// Most times that one value is searched again after a deletion. Words that stand beside each other
/// only then may say something new; a value that never settles is withheld whole.
const ROUNDS: usize = 16;
/// Longest text that is searched, in bytes; a longer one is withheld whole. Reports have some
/// kilobytes.
const LONGEST_TEXT: usize = 16 << 20;

/// The dictionaries and recognizers, with the words that a profile keeps. Cheap to share.
#[derive(Debug, Clone, Default)]
pub struct Cleaner {
    keep: HashSet<String>,
}

/// A cleaned text and what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned<'t> {
    /// The text without what identifies: a subsequence of the input, borrowed when nothing went.
    pub text: Cow<'t, str>,
    /// What was found, by the bytes of the input: in order, without overlaps.
    pub findings: Vec<Finding>,
}

impl Cleaner {
    /// A cleaner that takes the words of `keep`, in any case, for vocabulary.
    #[must_use]
    pub fn new(keep: &[String]) -> Self {
        let words = keep.iter().flat_map(|line| line.split_whitespace().chain([line.as_str()]));
        Self { keep: words.map(fold).filter(|word| !word.is_empty()).collect() }
    }

    /// Everything in a text that identifies somebody: in order, without overlaps. A text of more
    /// than 16 MiB is one finding.
    #[must_use]
    pub fn find(&self, known: &Known, text: &str) -> Vec<Finding> {
        self.find_keeping(known, text, &|word| self.keeps(word))
    }

    fn keeps(&self, word: &str) -> bool {
        !self.keep.is_empty() && self.keep.contains(word)
    }

    fn find_keeping(&self, known: &Known, text: &str, keep: Keep<'_>) -> Vec<Finding> {
        if text.is_empty() {
            return Vec::new();
        }
        if text.len() > LONGEST_TEXT {
            let whole = 0..text.len();
            return vec![Finding { range: whole, kind: Kind::Unsettled, rule: "too-long" }];
        }
        let mut page = Page::new(text);
        known.find(&mut page);
        hosts::find(&mut page);
        address::find(&mut page);
        if page.has_gone_digits() {
            // `(119) 628-6772` where 6772 is known: a number goes whole, though part of it is gone.
            let mut bare = Page::new(text);
            numbers::find(&mut bare);
            page.take_around(bare);
        }
        numbers::find(&mut page);
        known.find_dates(&mut page);
        eastern::find(&mut page, keep);
        names::find(&mut page, keep);
        page.findings()
    }

    /// The pieces of a text, as cleaning leaves it, that hold one of the study's values and stay on
    /// purpose: words that mean something else there, such as `test` where a phantom is called so.
    #[must_use]
    pub fn spared(&self, known: &Known, text: &str) -> Vec<Range<usize>> {
        let mut spared = Vec::new();
        let mut start = 0;
        for value in text.split('\\').filter(|_| text.len() <= LONGEST_TEXT) {
            let page = Page::new(value);
            let pieces = known.spared(&page).into_iter().map(|piece| page.original(piece));
            spared.extend(pieces.map(|piece| piece.start + start..piece.end + start));
            start += value.len() + 1;
        }
        spared
    }

    /// A text without what identifies. Values between backslashes are cleaned each by itself and
    /// keep their places; line ends stay where they are.
    #[must_use]
    pub fn clean<'t>(&self, known: &Known, text: &'t str) -> Cleaned<'t> {
        self.clean_keeping(known, text, &|word| self.keeps(word))
    }

    /// The same of the name of a structure, as planners of radiotherapy and software for
    /// segmentation write it: what such names are made of stays as well, unless it is a name.
    #[must_use]
    pub fn clean_structure<'t>(&self, known: &Known, text: &'t str) -> Cleaned<'t> {
        self.clean_keeping(known, text, &|word| self.keeps(word) || structures::is_word(word))
    }

    fn clean_keeping<'t>(&self, known: &Known, text: &'t str, keep: Keep<'_>) -> Cleaned<'t> {
        let mut findings = Vec::new();
        let mut cleaned: Option<String> = None;
        let mut start = 0;
        for value in text.split('\\') {
            let (value_text, found) = self.clean_value(known, value, keep);
            if let (Cow::Owned(_), None) = (&value_text, &cleaned) {
                cleaned = Some(text[..start].to_owned());
            }
            if let Some(cleaned) = &mut cleaned {
                cleaned.push_str(&value_text);
                if start + value.len() < text.len() {
                    cleaned.push('\\');
                }
            }
            findings.extend(found.into_iter().map(|finding| Finding {
                range: finding.range.start + start..finding.range.end + start,
                ..finding
            }));
            start += value.len() + 1;
        }
        Cleaned { text: cleaned.map_or(Cow::Borrowed(text), Cow::Owned), findings }
    }

    fn clean_value<'t>(
        &self,
        known: &Known,
        value: &'t str,
        keep: Keep<'_>,
    ) -> (Cow<'t, str>, Vec<Finding>) {
        let mut found = self.find_keeping(known, value, keep);
        if found.is_empty() {
            return (Cow::Borrowed(value), found);
        }
        let mut kept = Kept::all(value);
        kept.remove(&deletions(value, &found));
        for _ in 0..ROUNDS {
            let text = kept.text(value);
            let again = self.find_keeping(known, &text, keep);
            if again.is_empty() {
                return (Cow::Owned(text), in_order(found));
            }
            let ranges = kept.originals(again.iter().map(|finding| finding.range.clone()));
            let originals = again.iter().zip(ranges);
            found.extend(originals.map(|(finding, range)| Finding { range, ..finding.clone() }));
            kept.remove(&deletions(&text, &again));
        }
        let whole = Finding { range: 0..value.len(), kind: Kind::Unsettled, rule: "unsettled" };
        (Cow::Owned(String::new()), vec![whole])
    }

    /// What a single word is: for code strings and other values without a sentence.
    #[must_use]
    pub fn word(&self, word: &str) -> Word {
        let folded = fold(word.trim());
        if self.keep.contains(&folded) {
            return Word::Vocabulary;
        }
        let page = Page::new(word.trim());
        let mut judged = Word::Abbreviation;
        let (mut words, mut digits) = (0, 0);
        for (at, token) in page.tokens.iter().enumerate() {
            let alone = match token.class {
                Class::Word => names::judge_alone(page.str(at)),
                Class::Digits => {
                    digits += 1;
                    None
                }
                class if class.is_eastern() && !eastern::is_vocabulary(page.str(at)) => {
                    Some(Word::Unknown)
                }
                class if class.is_eastern() => Some(Word::Vocabulary),
                _ => None,
            };
            let Some(alone) = alone else { continue };
            words += 1;
            judged = worse(judged, alone);
        }
        match (words, digits) {
            (0, 0) => Word::Unknown,
            (0, _) => Word::Number,
            _ => judged,
        }
    }
}

/// The word that is more likely somebody's name.
fn worse(one: Word, other: Word) -> Word {
    let rank = |word: &Word| match word {
        Word::Name => 4,
        Word::Unknown => 3,
        Word::Vocabulary => 2,
        Word::Abbreviation => 1,
        Word::Number => 0,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

/// Findings of several rounds in order; those that overlap are one.
fn in_order(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|finding| (finding.range.start, finding.range.end));
    let mut ordered: Vec<Finding> = Vec::with_capacity(found.len());
    for finding in found {
        match ordered.last_mut() {
            Some(last) if finding.range.start < last.range.end => {
                last.range.end = last.range.end.max(finding.range.end);
            }
            _ => ordered.push(finding),
        }
    }
    ordered
}

/// Whether a folded word belongs to the vocabulary of any language.
pub(crate) fn is_vocabulary(word: &str) -> bool {
    let entry = lexicon::look_up(word);
    entry.is_vocabulary() || eastern::is_word(word)
}
