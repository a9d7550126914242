//! Addresses of machines and mailboxes: e-mail, the web, IP and hardware addresses, UIDs.

use crate::kind::Kind;
use crate::token::{Class, Page};
use crate::words::words;
use std::ops::Range;

/// The root of the standard's own UIDs, which identify nobody.
const STANDARD_ROOT: &str = "1.2.840.10008.";
/// The root of UIDs made of random numbers, which have three components.
const UUID_ROOT: &str = "2.25.";
/// Fewest components and characters of a UID in a text.
const UID_PARTS: usize = 5;
const UID_LENGTH: usize = 16;
words! { crate::numbers::DATES;
    /// Words before four numbers that are a version.
    VERSION "version";
}
/// Last parts of host names that need no `www` before them.
const TOP: &[&str] = &["com", "org", "net", "edu", "gov", "info", "int", "mil"];

/// Takes every address of a machine or mailbox.
pub(crate) fn find(page: &mut Page) {
    let (at, colon, dot) =
        page.text.bytes().fold((false, false, false), |(at, colon, dot), byte| {
            (at || byte == b'@', colon || byte == b':', dot || byte == b'.')
        });
    if at || colon || (dot && page.text.contains("www.")) {
        let text = page.text.clone();
        emails(page, &text);
        urls(page, &text);
        hexadecimal(page, &text);
    } else if page.digits > 1 && page.text.contains('-') {
        let text = page.text.clone();
        hexadecimal(page, &text);
    }
    if dot {
        hosts(page);
        if page.digits >= 4 {
            dotted(page);
        }
    }
}

fn is_host(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn emails(page: &mut Page, text: &str) {
    let is_box = |c: char| c.is_alphanumeric() || "._%+-!#&'*=?~".contains(c);
    let mut done = 0;
    for (at, _) in text.match_indices('@') {
        if at < done {
            continue;
        }
        let head = &text[done..at];
        let start = done + head.trim_end_matches(is_box).len();
        let tail = &text[at + 1..];
        let host = tail.find(|c| !is_host(c)).unwrap_or(tail.len());
        let host = tail[..host].trim_end_matches(['.', '-']).len();
        if start < at && host > 0 {
            done = at + 1 + host;
            page.take_range(start..done, Kind::Email, "email");
        }
    }
}

fn urls(page: &mut Page, text: &str) {
    let ends = |c: char| c.is_whitespace() || "\"<>|，。、）】」".contains(c);
    let mut done = 0;
    for mark in ["://", "www."] {
        for (at, _) in text.match_indices(mark) {
            if at < done {
                continue;
            }
            let scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | ':');
            let start = if mark == "www." { at } else { text[..at].trim_end_matches(scheme).len() };
            let rest = &text[at..];
            let length = rest.find(ends).unwrap_or(rest.len());
            let length = rest[..length].trim_end_matches(['.', ',', ';', ')', '}']).len();
            if start < at || mark == "www." {
                done = at + length;
                page.take_range(start..done, Kind::Url, "url");
            }
        }
        done = 0;
    }
}

/// `pacs.example.org` without a scheme.
fn hosts(page: &mut Page) {
    let mut at = 0;
    while at + 2 < page.tokens.len() {
        let start = at;
        while page.is_word(at) && page.mark(at + 1).is_some_and(|c| matches!(c, '.' | '-')) {
            at += 2;
        }
        let named = at > start && TOP.contains(&page.str(at)) && page.mark(at - 1) == Some('.');
        if named && !page.is_glued_before(at + 1) {
            page.take_tokens(start..at + 1, Kind::Url, "host-name");
        }
        at += 1;
    }
}

/// IPv4 addresses and UIDs: numbers between dots.
fn dotted(page: &mut Page) {
    let mut at = 0;
    while at < page.tokens.len() {
        let first = at;
        at += 1;
        if page.digits_at(first).is_none()
            || (first > 0
                && page.mark(first - 1) == Some('.')
                && first > 1
                && page.digits_at(first - 2).is_some())
        {
            continue;
        }
        while page.mark(at) == Some('.') && page.digits_at(at + 1).is_some() {
            at += 2;
        }
        let parts = (at - first).div_ceil(2);
        let text = &page.text[page.tokens[first].start..page.tokens[at - 1].end];
        let standard = text.starts_with(STANDARD_ROOT);
        let many = parts >= UID_PARTS || text.starts_with(UUID_ROOT);
        if many && text.len() >= UID_LENGTH && !standard {
            page.take_tokens(first..at, Kind::Uid, "uid");
        } else if parts == 4 && !page.is_glued_before(first) && is_ipv4(page, first) {
            page.take_tokens(first..at, Kind::IpAddress, "ipv4");
        }
    }
}

fn is_ipv4(page: &Page, first: usize) -> bool {
    let parts = || (0..4).map(|n| (page.str(first + 2 * n), page.number(first + 2 * n)));
    let padded = parts().any(|(text, _)| text.len() > 1 && text.starts_with('0'));
    let in_range = parts().all(|(_, part)| part.is_some_and(|b| b < 256)) && !padded;
    // `2.6.1.0`, `1.7.1.24`: versions are made of small numbers, or end in zero.
    let small = page.str(first) != "10" && parts().all(|(_, part)| part.is_some_and(|b| b < 32));
    let in_range = in_range && !small && page.str(first + 6) != "0";
    let word = (first.saturating_sub(3)..first).rev().find(|&t| page.is_word(t));
    in_range && !word.is_some_and(|t| VERSION.contains(page.str(t)))
}

/// IPv6 and hardware addresses: hexadecimal groups between colons or hyphens.
fn hexadecimal(page: &mut Page, text: &str) {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.');
    let mut at = 0;
    while at < page.tokens.len() {
        let start = page.tokens[at].start;
        let class = page.class(at);
        let begins =
            matches!(class, Some(Class::Word | Class::Digits)) || page.mark(at) == Some(':');
        if !begins {
            at += 1;
            continue;
        }
        let rest = &text[start..];
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let end = start + length;
        let cut = rest[length..].starts_with(|c: char| c.is_alphanumeric());
        if !cut
            && length >= 3
            && !page.is_glued_before(at)
            && let Some((range, kind, rule)) = hexadecimal_address(&text[start..end], start)
        {
            page.take_range(range, kind, rule);
        }
        while page.tokens.get(at).is_some_and(|t| t.start < end.max(start + 1)) {
            at += 1;
        }
    }
}

fn hexadecimal_address(text: &str, start: usize) -> Option<(Range<usize>, Kind, &'static str)> {
    let bare = text.trim_end_matches(['.', '-']);
    let range = start..start + bare.len();
    let pairs = |mark: char| {
        let mut parts = bare.split(mark);
        bare.len() == 17 && parts.all(|p| p.len() == 2 && !p.contains([':', '-', '.']))
    };
    if pairs(':') || pairs('-') {
        return Some((range, Kind::MacAddress, "mac-address"));
    }
    let groups: Vec<&str> = bare.split(':').take(10).collect();
    let hex = groups.iter().all(|g| g.len() <= 4 && !g.contains(['-', '.']));
    let shortened = bare.matches("::").count() == 1 && groups.len() >= 4;
    let ipv6 = hex && (groups.len() == 8 || shortened) && groups.iter().any(|g| g.len() >= 2);
    ipv6.then_some((range, Kind::IpAddress, "ipv6"))
}
