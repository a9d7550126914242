//! The file of the log: one append at a time, durable when it returns.

use super::chain::{ChainHash, MAX_LINE, MAX_SKIPPED, Verification, line, parse, walk};
use super::event::{Entry, Event, Skipped};
use crate::GovernError;
use scanveil_durable::sync_data;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How much of the end is read before an append: the last entries and what was torn behind them.
const WINDOW: u64 = MAX_SKIPPED + 2 * MAX_LINE as u64;

/// Put behind what an interrupted append left: even where only the end of the line was missing it
/// is no entry, because nobody was told that it is recorded.
const CUT: &str = "!\n";

/// An append-only log of events in one file, which several processes may share.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
}

/// Where the log ends.
struct End {
    number: u64,
    hash: ChainHash,
    /// What an interrupted append left.
    torn: Vec<u8>,
}

impl AuditLog {
    /// The log in this file; it is made, with mode 0600, by the first append.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where the log lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records an event; durable when it returns, and nothing is recorded when it fails. Gives the
    /// event's number. What an interrupted append left behind is kept, and noted first.
    ///
    /// # Errors
    /// [`GovernError::Io`]; [`GovernError::LogBroken`] when the log does not end in an entry.
    pub fn append(&self, event: &Event) -> Result<u64, GovernError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).open(&self.path);
        let mut file = file.map_err(self.failed("open"))?;
        file.lock().map_err(self.failed("lock"))?;
        // Before anything is recorded, and each time: whoever made the file may have been stopped
        // before its name was durable.
        scanveil_durable::sync_parent(&self.path).map_err(self.failed("sync"))?;
        let length = file.seek(SeekFrom::End(0)).map_err(self.failed("read"))?;
        let end = self.end(&mut file, length)?;
        let (mut text, mut number, mut hash) = (String::new(), end.number + 1, end.hash);
        if !end.torn.is_empty() {
            text.push_str(CUT);
            let left = [&end.torn, CUT.as_bytes()].concat();
            let (bytes, digest) = (left.len() as u64, *blake3::hash(&left).as_bytes());
            let skipped = Skipped { bytes, digest };
            let (note, after) = line(hash, &Entry::interrupted(number, event.at_ms, skipped));
            text.push_str(&note);
            (number, hash) = (number + 1, after);
        }
        text.push_str(&line(hash, &Entry::of(number, event)).0);
        let written = file.write_all(text.as_bytes()).and_then(|()| sync_data(&file));
        if let Err(error) = written {
            // Nobody was told that it is recorded: what got through is taken back, if it can be.
            let _ = file.set_len(length).and_then(|()| sync_data(&file));
            return Err(self.failed("write")(error));
        }
        Ok(number)
    }

    /// Walks the whole chain and says where it breaks, if it does. With `through`, also whether it
    /// passes through a hash that was written down earlier.
    ///
    /// # Errors
    /// [`GovernError::Io`]. An absent log is an empty one.
    pub fn verify(&self, through: Option<ChainHash>) -> Result<Verification, GovernError> {
        self.walk(through, |_| {})
    }

    /// The entries that `keep` wants, up to the end of the chain or its break, and what a
    /// verification found.
    ///
    /// # Errors
    /// [`GovernError::Io`].
    pub fn entries(
        &self,
        mut keep: impl FnMut(&Entry) -> bool,
    ) -> Result<(Vec<Entry>, Verification), GovernError> {
        let mut entries = Vec::new();
        let found = self.walk(None, |entry| {
            if keep(&entry) {
                entries.push(entry);
            }
        })?;
        Ok((entries, found))
    }

    fn walk(
        &self,
        through: Option<ChainHash>,
        tell: impl FnMut(Entry),
    ) -> Result<Verification, GovernError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return walk(io::empty(), through, tell).map_err(self.failed("read"));
            }
            Err(error) => return Err(self.failed("open")(error)),
        };
        // Nobody is in the middle of an append while this is held.
        file.lock_shared().map_err(self.failed("lock"))?;
        walk(BufReader::new(&file), through, tell).map_err(self.failed("read"))
    }

    /// Finds the last entry, from the end.
    fn end(&self, file: &mut File, length: u64) -> Result<End, GovernError> {
        let from = length.saturating_sub(WINDOW);
        let mut window = Vec::new();
        file.seek(SeekFrom::Start(from))
            .and_then(|_| file.take(WINDOW).read_to_end(&mut window))
            .map_err(self.failed("read"))?;
        // Lines with their ends; in the middle of the file the first one may lack its beginning.
        let lines: Vec<&[u8]> = window.split_inclusive(|b| *b == b'\n').collect();
        let torn = window.last().is_some_and(|last| *last != b'\n');
        let last = lines.iter().rposition(|line| parse(line).is_ok());
        let behind = last.map_or(0, |at| at + 1);
        let rest = lines[behind..].concat();
        let whole_file = from == 0;
        if (!rest.is_empty() && !torn)
            || rest.len() as u64 > MAX_SKIPPED
            || (last.is_none() && !whole_file)
        {
            return Err(self.broken("it does not end in an entry"));
        }
        let Some(at) = last else {
            return Ok(End { number: 0, hash: ChainHash::START, torn: rest });
        };
        let broken = |what| move |_| self.broken(what);
        let parsed = parse(lines[at]).map_err(broken("it does not end in an entry"))?;
        let before = match at.checked_sub(1).map(|before| parse(lines[before])) {
            Some(Ok(before)) => Some(before.hash),
            Some(Err(_)) => None,
            None => whole_file.then_some(ChainHash::START),
        };
        if before.is_some_and(|before| !parsed.follows(before)) && parsed.entry.skipped.is_none() {
            return Err(self.broken("its last entry is not the one that was written"));
        }
        Ok(End { number: parsed.entry.number, hash: parsed.hash, torn: rest })
    }

    fn broken(&self, what: &'static str) -> GovernError {
        GovernError::LogBroken { path: self.path.clone(), what }
    }

    fn failed(&self, op: &'static str) -> impl FnOnce(io::Error) -> GovernError {
        let path = self.path.clone();
        move |source| GovernError::Io { op, path, source }
    }
}
