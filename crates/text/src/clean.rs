//! Taking out what was found: with the words and marks that lead to it, and nothing else.

use crate::eastern;
use crate::fold::fold;
use crate::kind::{Finding, Kind};
use crate::names;
use crate::numbers;
use crate::titles;
use crate::words::words;
use std::ops::Range;

/// Most words that lead to one finding.
const INTRODUCTIONS: usize = 6;
/// How far before a finding the words that lead to it are looked for, in bytes.
const REACH: usize = 64;
/// Longest word that stands between two parts of a name, in bytes.
const LINK: usize = 12;

words! { names::SMALL_WORDS;
    /// Between two names.
    LINKS "link";
    /// Titles and cues that in capitals are words of the trade.
    MODALITIES "modality";
    /// Leads to a name, and stays where a name is only likely.
    SMALL "small";
}

/// What is left of a text: pieces of the original, in order.
pub(crate) struct Kept {
    pieces: Vec<Range<usize>>,
}

impl Kept {
    pub(crate) fn all(text: &str) -> Self {
        Self { pieces: std::iter::once(0..text.len()).collect() }
    }

    /// Takes ranges of what is left out of it.
    pub(crate) fn remove(&mut self, ranges: &[Range<usize>]) {
        let mut pieces = Vec::with_capacity(self.pieces.len() + ranges.len());
        let (mut offset, mut next) = (0, 0);
        for piece in &self.pieces {
            let end = offset + piece.len();
            let mut from = offset;
            while let Some(range) = ranges.get(next).filter(|r| r.start < end) {
                let start = range.start.max(from);
                if start > from {
                    pieces.push(piece.start + from - offset..piece.start + start - offset);
                }
                from = range.end.clamp(from, end);
                if range.end > end {
                    break;
                }
                next += 1;
            }
            if from < end {
                pieces.push(piece.start + from - offset..piece.end);
            }
            offset = end;
        }
        self.pieces = pieces;
    }

    pub(crate) fn text(&self, original: &str) -> String {
        self.pieces.iter().map(|piece| &original[piece.clone()]).collect()
    }

    /// Ranges of what is left, in order, as ranges of the original.
    pub(crate) fn originals(
        &self,
        ranges: impl Iterator<Item = Range<usize>>,
    ) -> Vec<Range<usize>> {
        let mut offsets = Vec::with_capacity(self.pieces.len());
        let mut offset = 0;
        for piece in &self.pieces {
            offsets.push(offset);
            offset += piece.len();
        }
        let place = |at: usize| {
            let piece = offsets.partition_point(|&o| o <= at).saturating_sub(1);
            self.pieces.get(piece).map_or(0, |p| p.start + at - offsets[piece])
        };
        ranges.map(|r| place(r.start)..place(r.end.saturating_sub(1)) + 1).collect()
    }
}

/// What to delete for some findings: in order, without overlaps.
pub(crate) fn deletions(text: &str, findings: &[Finding]) -> Vec<Range<usize>> {
    let mut spans = widen(text, findings);
    let mut from = 0;
    for at in 0..spans.len() {
        let until = spans.get(at + 1).map_or(text.len(), |next| next.start);
        spans[at] = tidy(text, spans[at].clone(), from..until);
        from = spans[at].end;
    }
    spans.retain(|span| !span.is_empty());
    spans
}

/// Findings with what leads to them, those that only marks part made one.
fn widen(text: &str, findings: &[Finding]) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::with_capacity(findings.len());
    let mut last_kind = Kind::UnknownWord;
    for finding in findings {
        let floor = spans.last().map_or(0, |span| span.end);
        let start = introduced(text, floor, finding);
        let end = followed(text, finding);
        let span = bracketed(text, floor, start.max(floor)..end.max(floor));
        let joins = spans.last().is_some_and(|last| {
            let gap = text.get(last.end..span.start).unwrap_or("");
            is_gap(gap, last_kind.is_name() && finding.kind.is_name())
        });
        match spans.last_mut() {
            Some(last) if joins => last.end = span.end,
            _ => spans.push(span),
        }
        last_kind = finding.kind;
    }
    let mut floor = 0;
    for span in &mut spans {
        *span = bracketed(text, floor, floor.max(span.start)..span.end.max(floor));
        floor = span.end;
    }
    spans
}

/// Whether nothing stands between two findings but marks, or a small word between two names.
fn is_gap(gap: &str, names: bool) -> bool {
    if gap.contains(['\n', '\r']) {
        return false;
    }
    if !gap.contains(char::is_alphanumeric) {
        return true;
    }
    let word = gap.trim_matches([' ', ',', '.', '-', '\'']);
    names && gap.len() <= LINK && {
        let word = fold(word);
        titles::is_particle(&word) || LINKS.contains(&word)
    }
}

/// Where the words begin that lead to a finding.
fn introduced(text: &str, floor: usize, finding: &Finding) -> usize {
    let mut start = finding.range.start.max(floor);
    let mut by = false;
    for _ in 0..INTRODUCTIONS {
        let from = boundary(text, floor.max(start.saturating_sub(REACH)));
        let before = &text[from..start];
        let line = before.rfind(['\n', '\r']).map_or(before, |at| &before[at + 1..]);
        let length = introduction(line, finding.kind, &mut by);
        if length == 0 {
            break;
        }
        start -= length;
    }
    start
}

/// The length of the last word of `before`, its marks included, when it leads to a finding.
fn introduction(before: &str, kind: Kind, by: &mut bool) -> usize {
    let marks = [' ', '\t', ':', '=', '.', '-', ',', '"', '\'', '_', '#'];
    let bare = before.trim_end_matches(marks);
    let word_at = bare.trim_end_matches(|c: char| c.is_alphabetic()).len();
    let word = &bare[word_at..];
    let glued = bare[..word_at].ends_with(|c: char| c.is_numeric());
    let folded = fold(word);
    let apart = before.len() > bare.len();
    let name = kind.is_name() || kind == Kind::UnknownWord;
    let capitals = !word.is_empty() && word.chars().all(char::is_uppercase);
    let modality = capitals && MODALITIES.contains(&folded);
    let dotted = before[bare.len()..].starts_with(['.', ':']);
    let small = SMALL.contains(&folded);
    if name && apart && !glued && folded.is_ascii() && !word.is_empty() {
        let particle = kind.is_name() && folded.len() > 1 && titles::is_particle(&folded);
        let leads = (particle || titles::leads_to_name(&folded)) && (!modality || dotted);
        let leads = leads && (kind.is_name() || !small);
        if leads {
            *by = true;
            return before.len() - word_at;
        }
        if *by && titles::is_done(&folded) {
            return before.len() - word_at;
        }
    }
    if name && apart && titles::is_done(&folded) && dotted {
        return before.len() - word_at;
    }
    by_cue(before, kind)
}

/// Cues of numbers, dates and eastern names: looked for in the folded text, measured in this one.
fn by_cue(before: &str, kind: Kind) -> usize {
    let folded = fold(before);
    let length = numbers::introduction(&folded, kind);
    if length == 0 {
        return 0;
    }
    if folded.len() == before.len() {
        return before.len() - boundary(before, before.len() - length);
    }
    // Folding changed lengths: find the shortest end of the original that folds to the cue.
    let ends = before.char_indices().rev().map(|(at, _)| at);
    let wanted = &folded[folded.len() - length..];
    let start = ends.take(length).find(|&at| fold(&before[at..]) == wanted);
    start.map_or(0, |at| before.len() - at)
}

/// Where the titles end that follow a name.
fn followed(text: &str, finding: &Finding) -> usize {
    let end = finding.range.end;
    if !finding.kind.is_name() && finding.kind != Kind::UnknownWord {
        return end;
    }
    let rest = &text[end..boundary(text, (end + REACH).min(text.len()))];
    for mark in ["'s", "\u{2019}s", "'S"] {
        let cut = rest.strip_prefix(mark);
        if cut.is_some_and(|r| !r.starts_with(char::is_alphanumeric)) {
            return end + mark.len();
        }
    }
    let bare = rest.trim_start_matches([' ', '\u{3000}']);
    let space = rest.len() - bare.len();
    if let Some(length) = eastern::title_at(bare) {
        return end + space + length;
    }
    end
}

/// Brackets and quotes around a span go with it.
fn bracketed(text: &str, floor: usize, span: Range<usize>) -> Range<usize> {
    const PAIRS: [(char, char); 8] = [
        ('(', ')'),
        ('[', ']'),
        ('<', '>'),
        ('{', '}'),
        ('"', '"'),
        ('（', '）'),
        ('【', '】'),
        ('「', '」'),
    ];
    let Range { mut start, mut end } = span;
    for _ in 0..2 {
        let inner = &text[start..end];
        let before = text[floor..start].trim_end_matches(' ');
        let after = text[end..].trim_start_matches([' ', '.', ',', ':']);
        let after_end = text.len() - after.len();
        let opens = |p: &&(char, char)| before.ends_with(p.0);
        let closes = |p: &&(char, char)| after.starts_with(p.1);
        let unclosed = |p: &(char, char)| {
            p.0 != p.1 && inner.matches(p.0).count() > inner.matches(p.1).count()
        };
        let unopened = |p: &(char, char)| {
            p.0 != p.1 && inner.matches(p.0).count() < inner.matches(p.1).count()
        };
        if let Some(pair) = PAIRS.iter().filter(closes).find(|p| opens(p)) {
            start = floor + before.len() - pair.0.len_utf8();
            end = after_end + pair.1.len_utf8();
        } else if let Some(pair) = PAIRS.iter().filter(closes).find(|p| unclosed(p)) {
            end = after_end + pair.1.len_utf8();
        } else if let Some(pair) = PAIRS.iter().filter(opens).find(|p| unopened(p)) {
            start = floor + before.len() - pair.0.len_utf8();
        } else {
            break;
        }
    }
    start..end
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'
            | ','
            | ';'
            | ':'
            | '-'
            | '/'
            | '_'
            | '^'
            | '|'
            | '&'
            | '+'
            | '.'
            | '='
            | '*'
            | '#'
            | '~'
            | '、'
            | '，'
            | '。'
            | '：'
            | '；'
            | '・'
            | '\u{3000}'
            | '\u{a0}'
    )
}

fn is_stop(c: char) -> bool {
    matches!(c, '.' | ';' | ':' | '。' | '；' | '：')
}

/// Adds the separators that nothing needs any more, within the line and the given limits.
fn tidy(text: &str, span: Range<usize>, limits: Range<usize>) -> Range<usize> {
    let before = &text[limits.start..span.start];
    let after = &text[span.end..limits.end.max(span.end)];
    let left = &before[before.trim_end_matches(is_separator).len()..];
    let right = &after[..after.len() - after.trim_start_matches(is_separator).len()];
    let ends_line = |c: char| matches!(c, '\n' | '\r' | '\\');
    let rest_before = &text[..span.start - left.len()];
    let rest_after = &text[span.end + right.len()..];
    let has_left = !rest_before.is_empty() && !rest_before.ends_with(ends_line);
    let has_right = !rest_after.is_empty() && !rest_after.starts_with(ends_line);
    let sign = right.ends_with(['+', '-', '.', '*']) && (right == "+" || right.contains(' '));
    let kept_right = if sign { right.len() - 1 } else { right.len() };
    match (has_left, has_right) {
        (false, false) => span.start - left.len()..span.end + right.len(),
        (true, false) => {
            let stop = left.chars().next().filter(|c| matches!(c, '.' | '。'));
            span.start - left.len() + stop.map_or(0, char::len_utf8)..span.end + right.len()
        }
        (false, true) => span.start - left.len()..span.end + kept_right,
        (true, true) if left.is_empty() => span,
        (true, true) => {
            let stops = right.contains(is_stop) && !left.contains(is_stop) && right.ends_with(' ');
            if stops {
                let spaces = right.len() - right.trim_start_matches([' ', '\t']).len();
                span.start - left.len()..span.end + spaces
            } else {
                span.start..span.end + kept_right
            }
        }
    }
}

/// The next place that a character begins at.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}
