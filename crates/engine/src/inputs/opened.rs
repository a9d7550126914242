//! Reads inputs: small ones whole into a buffer of the thread, large ones as streams.

use super::archive::{Member, is_archive};
use super::kept::{Keeper, Kept, Larder};
use super::seen::{Seen, State};
use super::{Input, Place};
use scanveil_dataset::{Body, Header, Limits, open, open_prefix, open_slice, outline, tags};
use scanveil_model::{Digest, Reason, ReasonCode};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Mutex;

/// Inputs up to this size are read whole where the beginning does not hold their header.
const SMALL: u64 = 4 << 20;
/// Inputs up to this size may be kept from the first look to the second.
const KEPT: u64 = 64 << 10;
/// What is read of a larger one to find its header.
const PREFIX: usize = 16 << 10;

/// Bounds for what is parsed by many threads at once.
fn light() -> Limits {
    Limits { header_bytes: SMALL as usize, elements: 100_000, ..Limits::default() }
}

/// Bounds for what is parsed by one thread at a time.
fn heavy() -> Limits {
    Limits::default()
}

/// Held while an instance is parsed within the heavy bounds, so that memory stays bounded however
/// many threads there are.
static HEAVY: Mutex<()> = Mutex::new(());
/// The same for frames that are decoded whole. Taken after the other, never before.
static FRAMES: Mutex<()> = Mutex::new(());

thread_local! {
    /// As long as the longest input so far: bytes are cleared once, not for each file.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Why an input was not looked into.
pub enum Fault {
    /// It cannot be opened or read.
    Unreadable,
    /// A member that is encrypted, or packed by another method than deflate.
    Packing,
    /// It is not what the first look saw.
    Changed,
    /// What its bytes are.
    Reason(Reason),
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::Unsupported => Self::Packing,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                Self::Reason(Reason::new(ReasonCode::Malformed, "compressed data is corrupt"))
            }
            _ => Self::Unreadable,
        }
    }
}

/// Media Storage Directory Storage (PS3.4 B.5.1.1): what a DICOMDIR is.
const DIRECTORY: &[u8] = b"1.2.840.10008.1.3.10";

/// What an input is that is no instance, and of which nothing is lost when it is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// A DICOMDIR: it names what lies beside it, as it was before.
    Directory,
    /// What systems, viewers and people leave beside instances, and is no DICOM.
    Clutter,
}

/// What the first look at an input gave.
pub(crate) enum Met<T> {
    /// It is an archive.
    Archive,
    /// It is none that anybody would miss.
    Passed(Passed),
    /// It is an instance; small ones are kept within the budget.
    Instance { out: T, kept: Option<Kept>, seen: Seen },
}

/// What is done with a whole instance.
pub trait Work {
    /// What comes of it.
    type Out;
    /// Does it.
    ///
    /// # Errors
    /// The [`Reason`] to hold the instance back.
    fn run<R: Read>(&mut self, header: &Header<'_>, body: Body<'_, R>)
    -> Result<Self::Out, Reason>;
}

enum Source {
    File(File),
    Member(Box<Member>),
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(out),
            Self::Member(member) => member.read(out),
        }
    }
}

/// An open input.
struct Opened {
    source: Source,
    /// Its own length, as an archive claims it.
    length: u64,
    state: State,
}

impl Input {
    fn open(&self) -> io::Result<Opened> {
        match &self.place {
            Place::Member { archive, number, .. } => Ok(Opened {
                state: State::of(archive.file())?,
                source: Source::Member(Box::new(archive.read(*number)?)),
                length: archive.length(*number),
            }),
            _ => {
                let file = self.file()?;
                let state = State::of(&file)?;
                Ok(Opened { source: Source::File(file), length: state.length(), state })
            }
        }
    }

    /// Opens the input that the first look saw.
    fn open_again(&self, seen: Option<&Seen>) -> Result<Opened, Fault> {
        let opened = self.open()?;
        match seen {
            Some(seen) if !seen.is_of(&opened.state) => Err(Fault::Changed),
            _ => Ok(opened),
        }
    }
}

/// A buffer of at least this length; its bytes are whatever was there before.
fn space(buffer: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    &mut buffer[..length]
}

/// Reads until `out` is full or the input ends.
fn fill(source: &mut Source, out: &mut [u8]) -> io::Result<usize> {
    let mut at = 0;
    while at < out.len() {
        match source.read(&mut out[at..]) {
            Ok(0) => break,
            Ok(read) => at += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}

/// Whether frames are decoded whole, and are large.
fn has_large_frames(header: &Header<'_>) -> bool {
    let value = |tag| header.data.unsigned(tag).map_or(0, u64::from);
    let bits = value(tags::ROWS) * value(tags::COLUMNS) * value(tags::BITS_ALLOCATED);
    header.syntax.encapsulated() && bits / 8 > SMALL
}

/// Does the work, alone where it takes much memory, on what the first look saw.
fn run<W: Work, R: Read>(
    work: &mut W,
    seen: Option<&Seen>,
    header: &Header<'_>,
    body: Body<'_, R>,
) -> Result<W::Out, Fault> {
    if seen.is_some_and(|seen| !seen.has(header)) {
        return Err(Fault::Changed);
    }
    let _alone = has_large_frames(header).then(|| FRAMES.lock());
    Ok(work.run(header, body)?)
}

fn is_bound(reason: &Reason) -> bool {
    reason.code == ReasonCode::LimitExceeded
        && matches!(reason.detail.as_str(), "limit: header bytes" | "limit: elements")
}

/// Does something with the bytes of a whole instance in memory.
fn slice<T>(
    bytes: &[u8],
    mut work: impl FnMut(&Header<'_>, Body<'_, &[u8]>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    match open_slice(bytes, &light()) {
        Ok((header, body)) => work(&header, body),
        Err(reason) if is_bound(&reason) => {
            let _alone = HEAVY.lock();
            let (header, body) = open_slice(bytes, &heavy())?;
            work(&header, body)
        }
        Err(reason) => Err(reason.into()),
    }
}

/// Whether the instance is a DICOMDIR. One that says so in its file meta information and names an
/// instance in its data set is looked at like any other.
fn is_directory(header: &Header<'_>) -> bool {
    let says = |tag| header.data.find(tag).is_some();
    header.meta.sop_class_uid.as_deref() == Some(DIRECTORY)
        && header.pixel.is_none()
        && !says(tags::SOP_CLASS_UID)
        && !says(tags::SOP_INSTANCE_UID)
}

/// Whether a file's first bytes say that it is DICOM.
fn has_prefix(bytes: &[u8]) -> bool {
    bytes.starts_with(b"DICM") || bytes.get(128..132) == Some(b"DICM")
}

/// Shows the header of an input to `work`, reading no more than it needs.
///
/// # Errors
/// Why the input is no instance, or what `work` says.
pub(crate) fn with_header<T>(
    input: &Input,
    keeper: &Keeper,
    work: impl Fn(&Header<'_>) -> Result<T, Reason>,
) -> Result<Met<T>, Fault> {
    let Opened { mut source, length, state } = input.open()?;
    let look = |header: &Header<'_>, state| -> Result<Met<T>, Fault> {
        if is_directory(header) {
            return Ok(Met::Passed(Passed::Directory));
        }
        let seen = Seen::new(state, length, header);
        Ok(Met::Instance { out: work(header)?, kept: None, seen })
    };
    BUFFER.with_borrow_mut(|buffer| {
        let first = if length <= KEPT { length as usize } else { PREFIX };
        let read = fill(&mut source, space(buffer, first))?;
        if is_archive(&buffer[..read]) {
            return Ok(Met::Archive);
        }
        if read as u64 == length {
            let met = whole(&buffer[..read], keeper, |header| look(header, state));
            return met.or_else(|fault| passed(input, &buffer[..read], fault));
        }
        if let Ok((header, _)) = open_slice(&buffer[..read], &light())
            && header.pixel.is_some()
        {
            return look(&header, state);
        }
        if length <= SMALL {
            let rest = &mut space(buffer, length as usize)[read..];
            let read = read + fill(&mut source, rest)?;
            let met = slice(&buffer[..read], |header, _| look(header, state));
            return met.or_else(|fault| passed(input, &buffer[..read], fault));
        }
        let prefix = io::Cursor::new(buffer[..read].to_vec());
        match open(prefix.chain(source), &light()) {
            Ok((header, _)) => look(&header, state),
            Err(reason) if is_bound(&reason) => {
                let _alone = HEAVY.lock();
                let again = input.open()?;
                look(&open(again.source, &heavy())?.0, again.state)
            }
            Err(reason) => passed(input, &buffer[..read], reason.into()),
        }
    })
}

/// Passes over what is no DICOM, by its bytes first and its name then.
fn passed<T>(input: &Input, bytes: &[u8], fault: Fault) -> Result<Met<T>, Fault> {
    let is_other = matches!(&fault, Fault::Reason(reason) if reason.code == ReasonCode::NotDicom);
    if is_other && !has_prefix(bytes) && input.is_clutter() {
        return Ok(Met::Passed(Passed::Clutter));
    }
    Err(fault)
}

/// Shows the header of a small input to `look`, and keeps the input if there is room.
fn whole<T>(
    bytes: &[u8],
    keeper: &Keeper,
    look: impl Fn(&Header<'_>) -> Result<Met<T>, Fault>,
) -> Result<Met<T>, Fault> {
    let outline = outline(bytes, &light()).ok().flatten();
    let mut met = match &outline {
        Some(outline) => look(&outline.open(bytes)?.0)?,
        None => slice(bytes, |header, _| look(header))?,
    };
    if let Met::Instance { kept, .. } = &mut met {
        *kept = keeper.keep(bytes, outline);
    }
    Ok(met)
}

/// Hands a whole instance that nobody looked at before to `work`.
///
/// # Errors
/// Why the input is no instance, or what `work` says.
pub fn visit<W: Work>(input: &Input, work: &mut W) -> Result<W::Out, Fault> {
    with_instance(input, None, None, work)
}

/// Hands a whole instance to `work`: the one that the first look saw, where there was one.
///
/// # Errors
/// Why the input is no instance, that it is another, or what `work` says.
pub(crate) fn with_instance<W: Work>(
    input: &Input,
    kept: Option<(&Larder, &Kept)>,
    seen: Option<&Seen>,
    work: &mut W,
) -> Result<W::Out, Fault> {
    if let Some((larder, kept)) = kept {
        // The very bytes that the first look saw.
        let bytes = larder.bytes(kept);
        if let Some(outline) = &kept.outline {
            let (header, body) = outline.open(bytes)?;
            return run(work, None, &header, body);
        }
        return slice(bytes, |header, body| run(work, None, header, body));
    }
    let Opened { mut source, length, .. } = input.open_again(seen)?;
    BUFFER.with_borrow_mut(|buffer| {
        let read = fill(&mut source, space(buffer, PREFIX))?;
        if let Some((header, body)) = open_prefix(&buffer[..read], &mut source, &light()) {
            return run(work, seen, &header, body);
        }
        if length <= SMALL {
            let rest = &mut space(buffer, (length as usize).max(read))[read..];
            let read = read + fill(&mut source, rest)?;
            return slice(&buffer[..read], |header, body| run(work, seen, header, body));
        }
        let prefix = io::Cursor::new(buffer[..read].to_vec());
        match open(prefix.chain(source), &light()) {
            Ok((header, body)) => run(work, seen, &header, body),
            Err(reason) if is_bound(&reason) => {
                let _alone = HEAVY.lock();
                let again = input.open_again(seen)?;
                let (header, body) = open(again.source, &heavy())?;
                run(work, seen, &header, body)
            }
            Err(reason) => Err(reason.into()),
        }
    })
}

/// The BLAKE3 digest and the length of an input's bytes.
///
/// # Errors
/// What the operating system or the archive says, and when it is not what the first look saw.
pub(crate) fn digest(
    input: &Input,
    kept: Option<&[u8]>,
    seen: Option<&Seen>,
) -> Result<(Digest, u64), Fault> {
    if let Some(bytes) = kept {
        return Ok((Digest(*blake3::hash(bytes).as_bytes()), bytes.len() as u64));
    }
    let mut source = input.open_again(seen)?.source;
    let mut hasher = blake3::Hasher::new();
    let mut length = 0;
    BUFFER.with_borrow_mut(|buffer| {
        loop {
            let read = fill(&mut source, space(buffer, 256 << 10))?;
            if read == 0 {
                return Ok((Digest(*hasher.finalize().as_bytes()), length));
            }
            hasher.update(&buffer[..read]);
            length += read as u64;
        }
    })
}
