//! Every byte of the file belongs to something that the parser has read: header, objects, the one
//! cross-reference section, trailer. Comments, gaps and what is behind the end could hold anything.

use super::lexical::{Tokens, is_space, scan};
use super::{inflate, is_named};
use crate::Unread;
use lopdf::xref::XrefEntry;
use lopdf::{Document, Object, ObjectId, Stream};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of an object stream, inflated.
const MOST_OBJECT_STREAM: usize = 16 << 20;

/// Most bytes of a line end.
const LINE_END: usize = 2;

/// What the text of the file holds, object by object; the trailer under number 0.
pub(crate) type Texts = BTreeMap<ObjectId, Tokens>;

/// Takes the file apart.
pub(crate) fn cover(file: &[u8], document: &Document) -> Result<Texts, Unread> {
    let mut offsets = BTreeMap::new();
    let mut contained: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (number, entry) in &document.reference_table.entries {
        match entry {
            XrefEntry::Normal { offset, generation } => {
                let id = (*number, *generation);
                if offsets.insert(*offset as usize, id).is_some() {
                    return Err(Unread::Malformed);
                }
            }
            XrefEntry::Compressed { container, .. } => {
                contained.entry(*container).or_default().insert(*number);
            }
            _ => {}
        }
    }
    let section = document.xref_start;
    let mut texts = Texts::new();
    let first = offsets.keys().next().copied().unwrap_or(section).min(section);
    header(file.get(..first).ok_or(Unread::Malformed)?)?;
    let mut ends: Vec<usize> = offsets.keys().copied().skip(1).collect();
    let stream_section = offsets.contains_key(&section);
    ends.push(if stream_section { tail_of_stream(file, section)? } else { section });
    for ((&start, &id), &end) in offsets.iter().zip(&ends) {
        let text = file.get(start..end).ok_or(Unread::Malformed)?;
        let object = document.objects.get(&id);
        let tokens = match object {
            Some(Object::Stream(stream)) => of_stream(text, id, stream)?,
            _ => of_object(text, id)?,
        };
        texts.insert(id, tokens);
        if let Some(Object::Stream(stream)) = object
            && let Some(numbers) = contained.remove(&id.0)
        {
            object_stream(stream, &numbers, &mut texts)?;
        }
    }
    if !contained.is_empty() {
        return Err(Unread::Malformed);
    }
    let rest = ends.last().copied().unwrap_or(section);
    let tail = file.get(rest..).ok_or(Unread::Malformed)?;
    let trailer = if stream_section { end(tail).map(|()| None)? } else { Some(table(tail)?) };
    texts.extend(trailer.map(|trailer| ((0, 0), trailer)));
    Ok(texts)
}

/// `%PDF-1.7`, and a line of high bytes that says the file is binary (ISO 32000-1, 7.5.2).
fn header(head: &[u8]) -> Result<(), Unread> {
    let mut lines = head.split(|b| matches!(b, b'\n' | b'\r')).filter(|line| !line.is_empty());
    let version = lines.next().and_then(|line| line.strip_prefix(b"%PDF-"));
    let version = version.map(<[u8]>::trim_ascii_end).unwrap_or(b"");
    let known = matches!(version, [b'1' | b'2', b'.', digit] if digit.is_ascii_digit());
    let binary = lines.next().is_none_or(|line| {
        line.trim_ascii_end()
            .strip_prefix(b"%")
            .is_some_and(|mark| mark.len() <= 8 && mark.iter().all(|byte| *byte >= 0x80))
    });
    if known && binary && lines.next().is_none() { Ok(()) } else { Err(Unread::Leftovers) }
}

/// The text behind `12 0 obj`.
fn body(text: &[u8], id: ObjectId) -> Result<&[u8], Unread> {
    let mut rest = text;
    for word in [id.0.to_string(), id.1.to_string(), "obj".to_owned()] {
        rest = rest.trim_ascii_start().strip_prefix(word.as_bytes()).ok_or(Unread::Malformed)?;
    }
    Ok(rest)
}

fn trimmed_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&b| !is_space(b)).map_or(0, |at| at + 1);
    &text[..end]
}

fn one_value(text: &[u8]) -> Result<Tokens, Unread> {
    let tokens = scan(text)?;
    if tokens.is_one_value() { Ok(tokens) } else { Err(Unread::Leftovers) }
}

fn of_object(text: &[u8], id: ObjectId) -> Result<Tokens, Unread> {
    let value = trimmed_end(body(text, id)?).strip_suffix(b"endobj").ok_or(Unread::Leftovers)?;
    one_value(value)
}

fn of_stream(text: &[u8], id: ObjectId, stream: &Stream) -> Result<Tokens, Unread> {
    let tail = trimmed_end(text).strip_suffix(b"endobj").map(trimmed_end);
    let rest = tail.and_then(|tail| tail.strip_suffix(b"endstream")).ok_or(Unread::Leftovers)?;
    // Before `endstream` there is a line end, or none.
    let data = (0..=LINE_END).find_map(|line_end| {
        let (rest, space) = rest.split_at_checked(rest.len().checked_sub(line_end)?)?;
        let head = rest.strip_suffix(stream.content.as_slice())?;
        let head = head.strip_suffix(b"stream\n").or_else(|| head.strip_suffix(b"stream\r\n"))?;
        space.iter().all(|&b| is_space(b)).then_some(head)
    });
    one_value(body(data.ok_or(Unread::Leftovers)?, id)?)
}

/// The objects of an object stream (7.5.7): as many as the cross-reference section says are in it.
fn object_stream(
    stream: &Stream,
    numbers: &BTreeSet<u32>,
    texts: &mut Texts,
) -> Result<(), Unread> {
    if !is_named(&stream.dict, b"Type", b"ObjStm") || stream.dict.has(b"Extends") {
        return Err(Unread::Malformed);
    }
    let inflated = inflate(stream, MOST_OBJECT_STREAM)?;
    let integer = |key| stream.dict.get(key).and_then(Object::as_i64).ok();
    let first = integer(b"First").and_then(|first| usize::try_from(first).ok());
    let (index, objects) =
        first.and_then(|first| inflated.split_at_checked(first)).ok_or(Unread::Malformed)?;
    let index = std::str::from_utf8(index).map_err(|_| Unread::Leftovers)?;
    let index: Option<Vec<usize>> =
        index.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
    let index = index.filter(|index| index.len() == numbers.len() * 2);
    let index = index.ok_or(Unread::Leftovers)?;
    let pairs: Vec<(usize, usize)> = index.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let ends = pairs.iter().skip(1).map(|pair| pair.1).chain([objects.len()]);
    if pairs.first().is_some_and(|pair| pair.1 != 0) {
        return Err(Unread::Leftovers);
    }
    for ((number, start), end) in pairs.iter().zip(ends) {
        let number = u32::try_from(*number).ok().filter(|number| numbers.contains(number));
        let number = number.ok_or(Unread::Unreachable)?;
        let text = objects.get(*start..end).ok_or(Unread::Malformed)?;
        if texts.insert((number, 0), one_value(text)?).is_some() {
            return Err(Unread::Revisions);
        }
    }
    Ok(())
}

/// `xref`, lines of numbers, `trailer`, a dictionary, and the end.
fn table(text: &[u8]) -> Result<Tokens, Unread> {
    let rest = text.trim_ascii_start().strip_prefix(b"xref").ok_or(Unread::Malformed)?;
    let at = find(rest, b"trailer").ok_or(Unread::Malformed)?;
    let entry = |b: &u8| b.is_ascii_digit() || is_space(*b) || matches!(b, b'n' | b'f');
    if !rest[..at].iter().all(entry) {
        return Err(Unread::Leftovers);
    }
    let rest = &rest[at + b"trailer".len()..];
    let at = rfind(rest, b"startxref").ok_or(Unread::Malformed)?;
    end(&rest[at..])?;
    one_value(&rest[..at])
}

/// `startxref`, a number, `%%EOF`.
fn end(text: &[u8]) -> Result<(), Unread> {
    let rest = text.trim_ascii_start().strip_prefix(b"startxref").ok_or(Unread::Leftovers)?;
    let number = trimmed_end(rest).strip_suffix(b"%%EOF").ok_or(Unread::Leftovers)?;
    let fits = number.iter().all(|b| b.is_ascii_digit() || is_space(*b));
    if fits { Ok(()) } else { Err(Unread::Leftovers) }
}

/// Where the text behind the cross-reference stream begins.
fn tail_of_stream(file: &[u8], section: usize) -> Result<usize, Unread> {
    let text = file.get(section..).ok_or(Unread::Malformed)?;
    rfind(text, b"startxref").map(|at| section + at).ok_or(Unread::Malformed)
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

fn rfind(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).rposition(|window| window == word)
}
