//! What the first look saw of an input. The second look must meet the same: who a study is about
//! was gathered from it, and names of another instance would be looked for in vain.

use scanveil_dataset::Header;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use twox_hash::XxHash3_128;

/// A file as the system describes it, by an open handle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    device: u64,
    number: u64,
    length: u64,
    modified: (i64, i64),
}

impl State {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let found: Metadata = file.metadata()?;
        Ok(Self {
            device: found.dev(),
            number: found.ino(),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

/// The file that an input is or lies in, and its header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    state: State,
    /// For a member of an archive, whose own length is not that of a file.
    length: u64,
    header: [u8; 16],
}

impl Seen {
    pub(super) fn new(state: State, length: u64, header: &Header<'_>) -> Self {
        Self { state, length, header: digest(header) }
    }

    /// What tells the input from others by what is in it, wherever it lies: its header, how long it
    /// is and when it was written.
    pub(crate) fn bytes(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..16].copy_from_slice(&self.header);
        bytes[16..24].copy_from_slice(&self.length.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.state.modified.0.to_le_bytes());
        bytes[32..].copy_from_slice(&self.state.modified.1.to_le_bytes());
        bytes
    }

    /// Whether the file is as it was.
    pub(super) fn is_of(&self, state: &State) -> bool {
        self.state == *state
    }

    /// Whether the header is as it was. The state alone does not tell what is written twice within
    /// one tick of the clock.
    pub(super) fn has(&self, header: &Header<'_>) -> bool {
        self.header == digest(header)
    }
}

/// Of the bytes that were parsed: what follows them was not observed. It tells apart what the
/// file's state does not, for every input and twice for some: nobody's secret hangs on it.
fn digest(header: &Header<'_>) -> [u8; 16] {
    let end =
        header.data.elements().last().map_or(0, |last| last.start.saturating_add(last.length));
    XxHash3_128::oneshot(header.data.raw(0, end as usize)).to_le_bytes()
}
