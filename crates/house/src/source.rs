//! Just enough of Rust's lexical rules to tell code from comments, strings and tests.

use crate::tree::{File, files};

/// A Rust file below `crates/*/src`, in the forms the checks need.
pub(crate) struct Source {
    /// Its path from the root.
    pub(crate) path: String,
    /// The crate's folder name.
    pub(crate) of: String,
    /// Everything before its tests, as written; empty for a file of tests.
    pub(crate) shipped: String,
    /// `shipped` with comments and the contents of strings blanked out, line for line.
    pub(crate) code: String,
    /// The whole file.
    pub(crate) text: String,
}

/// Every Rust source of every crate but this one's own rules.
pub(crate) fn sources() -> Vec<Source> {
    let all = files();
    let found: Vec<Source> = all.into_iter().filter_map(source).collect();
    assert!(found.len() > 10, "only {} sources found", found.len());
    found
}

fn source(file: File) -> Option<Source> {
    let of = file.path.strip_prefix("crates/")?.split('/').next()?.to_owned();
    if of == "house" || !file.path.ends_with(".rs") || !file.path.contains("/src/") {
        return None;
    }
    let shipped = shipped(&file.path, &file.text);
    let code = blank(&shipped);
    Some(Source { path: file.path, of, shipped, code, text: file.text })
}

/// What ships: everything before the first `#[cfg(test)]` that opens a module in the file itself.
fn shipped(path: &str, text: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with("test") || path.contains("/tests/") || name.ends_with("_tests.rs") {
        return String::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let is_tests = |at: usize| {
        lines[at].trim() == "#[cfg(test)]"
            && lines[at + 1..]
                .iter()
                .find(|l| !l.trim_start().starts_with("#["))
                .is_some_and(|l| l.trim_start().starts_with("mod ") && l.trim_end().ends_with('{'))
    };
    let end = (0..lines.len()).find(|&at| is_tests(at)).unwrap_or(lines.len());
    lines[..end].iter().flat_map(|l| [*l, "\n"]).collect()
}

/// Blanks comments, the contents of strings and character literals; keeps every newline.
pub(crate) fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = span_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where a comment, string or character literal that starts at `at` ends; `at` when none does.
fn span_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    match (chars[at], next) {
        ('/', Some('/')) => find(chars, at, |i| chars[i] == '\n'),
        ('/', Some('*')) => block_comment_end(chars, at),
        ('"', _) => quoted_end(chars, at),
        ('r', Some('"' | '#')) if !is_word(chars, at) => raw_end(chars, at),
        ('\'', Some('\\')) => find(chars, at + 3, |i| chars[i] == '\'') + 1,
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

/// True when the character before `at` belongs to the same word (`b` of `br"..."` does not count).
fn is_word(chars: &[char], at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).map(|i| chars[i]);
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    (before(1) != Some('b') || word(before(2))) && word(before(1))
}

fn find(chars: &[char], from: usize, wanted: impl Fn(usize) -> bool) -> usize {
    (from..chars.len()).find(|&i| wanted(i)).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn quoted_end(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

fn raw_end(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at; // a raw identifier
    }
    let closes = |i: usize| {
        chars[i] == '"' && chars[i + 1..].iter().take_while(|&&c| c == '#').count() >= hashes
    };
    (find(chars, at + 2 + hashes, closes) + 1 + hashes).min(chars.len())
}

/// The contents of string literals, each with its line number from 1 and the code before it, from
/// the literal before.
pub(crate) fn strings(text: &str) -> Vec<(usize, String, String)> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut between, mut at, mut line) = (Vec::new(), String::new(), 0, 1);
    while at < chars.len() {
        let end = span_end(&chars, at);
        let span = &chars[at..end.max(at + 1)];
        match (end > at, chars[at]) {
            (true, '"') => {
                let inside = span[1..].iter().take(span.len().saturating_sub(2)).collect();
                found.push((line, inside, std::mem::take(&mut between)));
            }
            (true, 'r' | '\'') => between.push('?'),
            (true, _) => {}
            (false, c) => between.push(c),
        }
        line += span.iter().filter(|c| **c == '\n').count();
        at += span.len();
    }
    found
}

/// The words and `::` of blanked code, each with its line number from 1.
pub(crate) fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let word =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let length = match c {
                _ if word > 0 => word,
                ':' if rest.starts_with("::") => 2,
                _ => c.len_utf8(),
            };
            if !c.is_whitespace() {
                found.push((number + 1, rest[..length].to_owned()));
            }
            rest = &rest[length..];
        }
    }
    found
}

#[test]
fn comments_strings_and_characters_are_blanked() {
    for (text, expected) in [
        ("a // fs::read\nb", "a            \nb"),
        ("a /* x /* y */ z */ b", "a                   b"),
        ("f(\"std::fs \\\" x\") + g", "f(              ) + g"),
        ("let r = br#\"a\" b\"#;", "let r = b         ;"),
        ("let r#type = '\"'; let l: &'a str", "let r#type =    ; let l: &'a str"),
        ("'\\'' + '\\u{41}'", "     +         "),
    ] {
        assert_eq!(blank(text), expected, "{text}");
    }
}

#[test]
fn strings_know_their_line_and_what_stands_before_them() {
    let text = "f(\"a b\", // \"c\"\n'\"', \"d\\\"\")";
    let found = strings(text);
    let expected = [(1, "a b", "f("), (2, "d\\\"", ", \n?, ")];
    let expected = expected.map(|(line, inside, code)| (line, inside.to_owned(), code.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn tests_do_not_ship() {
    let text = "a\n#[cfg(test)]\nmod tests;\nb\n#[cfg(test)]\n#[allow(x)]\nmod t {\n}\n";
    assert_eq!(shipped("crates/x/src/a.rs", text), "a\n#[cfg(test)]\nmod tests;\nb\n");
    assert_eq!(shipped("crates/x/src/tests.rs", text), "");
}

#[test]
fn tokens_know_their_line() {
    let words: Vec<_> =
        tokens("use std::fs;\nx.y").into_iter().map(|(n, t)| format!("{n}{t}")).collect();
    assert_eq!(words, ["1use", "1std", "1::", "1fs", "1;", "2x", "2.", "2y"]);
}
