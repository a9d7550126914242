//! The lines of the log and the chain through them. Pure: bytes in, entries or the break out.

use super::event::{Action, Entry, FORMAT, Skipped};
use scanveil_model::Hex;
use serde::Serialize;
use std::fmt;
use std::io::{self, BufRead, Read};

/// Longest line, with its end.
pub(super) const MAX_LINE: usize = 2048;
/// Most bytes that interrupted appends can leave in one place.
pub(super) const MAX_SKIPPED: u64 = 4 * MAX_LINE as u64;

const CONTEXT: &str = "scanveil v1 audit log";
const HEAD: &str = "{\"event\":";
const MIDDLE: &str = ",\"hash\":\"";
const TAIL: &str = "\"}\n";
const DIGITS: usize = 64;

/// The hash of an entry and, through the one before it, of all before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// What stands before the first entry.
    pub(super) const START: Self = Self([0; 32]);

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Hex::decode(text).map(Self)
    }

    fn next(self, event: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&self.0).update(event);
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Hex::encode(&self.0))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

impl Serialize for ChainHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The line of an entry after `previous`, and the hash of the chain behind it.
pub(super) fn line(previous: ChainHash, entry: &Entry) -> (String, ChainHash) {
    // Words and numbers always serialize.
    let event = serde_json::to_string(entry).unwrap_or_default();
    let hash = previous.next(event.as_bytes());
    (format!("{HEAD}{event}{MIDDLE}{hash}{TAIL}"), hash)
}

/// A whole line as it stands: the entry, its bytes, and the hash that it states.
pub(super) struct Parsed<'l> {
    pub(super) entry: Entry,
    event: &'l [u8],
    pub(super) hash: ChainHash,
}

impl Parsed<'_> {
    pub(super) fn follows(&self, previous: ChainHash) -> bool {
        previous.next(self.event) == self.hash
    }
}

/// Reads a line with its end.
pub(super) fn parse(line: &[u8]) -> Result<Parsed<'_>, &'static str> {
    const NO_LINE: &str = "not an entry";
    let inner = line.strip_prefix(HEAD.as_bytes()).and_then(|l| l.strip_suffix(TAIL.as_bytes()));
    let inner = inner.ok_or(NO_LINE)?;
    let (rest, digits) = inner.split_at_checked(inner.len().wrapping_sub(DIGITS)).ok_or(NO_LINE)?;
    let event = rest.strip_suffix(MIDDLE.as_bytes()).ok_or(NO_LINE)?;
    let hash = std::str::from_utf8(digits).ok().and_then(ChainHash::parse).ok_or(NO_LINE)?;
    let entry: Entry = serde_json::from_slice(event).map_err(|_| "not an event of this format")?;
    if entry.format != FORMAT {
        return Err("an event of another format");
    }
    Ok(Parsed { entry, event, hash })
}

/// Where the chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Break {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub what: &'static str,
}

/// What a walk along the chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Entries up to the end, or to the break.
    pub entries: u64,
    /// Appends that were interrupted and noted by a later one.
    pub interrupted: u64,
    /// Hash of the last of these entries; 64 zeros for an empty log. Written down elsewhere, it
    /// proves later that nothing before it was changed or cut off.
    pub head: ChainHash,
    /// Bytes behind the last entry that an interrupted append left; the next one will note them.
    pub torn_bytes: u64,
    /// Where the chain breaks, if it does.
    pub broken: Option<Break>,
    /// Whether the chain passes through the hash that was asked for.
    pub passes: Option<bool>,
}

impl Verification {
    /// Whether every entry is as it was written and none is missing, as far as the log can tell.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.broken.is_none() && self.torn_bytes == 0 && self.passes != Some(false)
    }
}

/// Bytes between two entries.
struct Gap {
    line: u64,
    what: &'static str,
    bytes: u64,
    hasher: blake3::Hasher,
}

impl Gap {
    fn is(&self, skipped: &Skipped) -> bool {
        self.bytes == skipped.bytes && *self.hasher.finalize().as_bytes() == skipped.digest
    }

    fn broken(&self) -> Option<Break> {
        Some(Break { line: self.line, what: self.what })
    }
}

/// Walks the chain from its beginning; `tell` hears each entry that holds.
pub(super) fn walk(
    mut log: impl BufRead,
    through: Option<ChainHash>,
    mut tell: impl FnMut(Entry),
) -> io::Result<Verification> {
    let start = ChainHash::START;
    let mut found = Verification {
        entries: 0,
        interrupted: 0,
        head: start,
        torn_bytes: 0,
        broken: None,
        passes: through.map(|hash| hash == start),
    };
    let mut gap: Option<Gap> = None;
    let (mut number, mut ended) = (0, true);
    let mut line = Vec::new();
    loop {
        line.clear();
        log.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            break;
        }
        number += 1;
        ended = line.ends_with(b"\n");
        match accept(&line, &found, gap.as_ref()) {
            Ok((entry, hash)) => {
                found.interrupted += u64::from(gap.take().is_some());
                found.entries += 1;
                found.head = hash;
                found.passes = found.passes.map(|passes| passes || through == Some(hash));
                tell(entry);
            }
            Err(what) => {
                let hasher = blake3::Hasher::new();
                let gap = gap.get_or_insert(Gap { line: number, what, bytes: 0, hasher });
                gap.bytes += line.len() as u64;
                gap.hasher.update(&line);
                if gap.bytes > MAX_SKIPPED {
                    found.broken = gap.broken();
                    return Ok(found);
                }
            }
        }
    }
    match gap {
        // The end of an append that a crash cut short has no end of line.
        Some(gap) if !ended => found.torn_bytes = gap.bytes,
        Some(gap) => found.broken = gap.broken(),
        None => {}
    }
    Ok(found)
}

/// The entry of a line that goes on with the chain.
fn accept(
    line: &[u8],
    so_far: &Verification,
    gap: Option<&Gap>,
) -> Result<(Entry, ChainHash), &'static str> {
    let parsed = parse(line)?;
    if !parsed.follows(so_far.head) {
        return Err("the hash does not follow from the entry and the one before it");
    }
    if parsed.entry.number != so_far.entries + 1 {
        return Err("the number does not follow");
    }
    match (gap, &parsed.entry.skipped) {
        (None, None) => {}
        (Some(gap), Some(skipped)) if gap.is(skipped) => {}
        (Some(gap), _) => return Err(gap.what),
        (None, Some(_)) => return Err("it notes an interruption that is not there"),
    }
    if parsed.entry.skipped.is_some() != (parsed.entry.action == Action::LOG_INTERRUPTED) {
        return Err("only the note of an interruption passes over bytes");
    }
    Ok((parsed.entry, parsed.hash))
}
