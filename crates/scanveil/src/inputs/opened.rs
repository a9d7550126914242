//! Reads inputs: small ones whole into a buffer of the thread, large ones as streams.

use super::archive::{Member, is_archive};
use super::kept::{Keeper, Kept, Larder};
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
    Limits { header_bytes: 24 << 20, elements: 600_000, ..Limits::default() }
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
pub(crate) enum Fault {
    /// It cannot be opened or read.
    Unreadable,
    /// A member that is encrypted, or packed by another method than deflate.
    Packing,
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

/// What the first look at an input gave.
pub(crate) enum Met<T> {
    /// It is an archive.
    Archive,
    /// It is an instance; small ones are kept within the budget.
    Instance { out: T, kept: Option<Kept> },
}

/// What is done with a whole instance.
pub(crate) trait Work {
    /// What comes of it.
    type Out;
    /// Does it.
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

impl Input {
    fn open(&self) -> io::Result<(Source, u64)> {
        match &self.place {
            Place::Member { archive, number } => {
                let member = Source::Member(Box::new(archive.read(*number)?));
                Ok((member, archive.length(*number)))
            }
            _ => {
                let file = self.file()?;
                let length = file.metadata()?.len();
                Ok((Source::File(file), length))
            }
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

/// Does the work, alone where it takes much memory.
fn run<W: Work, R: Read>(
    work: &mut W,
    header: &Header<'_>,
    body: Body<'_, R>,
) -> Result<W::Out, Reason> {
    let _alone = has_large_frames(header).then(|| FRAMES.lock());
    work.run(header, body)
}

fn is_bound(reason: &Reason) -> bool {
    reason.code == ReasonCode::LimitExceeded
        && matches!(reason.detail.as_str(), "limit: header bytes" | "limit: elements")
}

/// Does something with the bytes of a whole instance in memory.
fn slice<T>(
    bytes: &[u8],
    mut work: impl FnMut(&Header<'_>, Body<'_, &[u8]>) -> Result<T, Reason>,
) -> Result<T, Reason> {
    match open_slice(bytes, &light()) {
        Ok((header, body)) => work(&header, body),
        Err(reason) if is_bound(&reason) => {
            let _alone = HEAVY.lock();
            let (header, body) = open_slice(bytes, &heavy())?;
            work(&header, body)
        }
        Err(reason) => Err(reason),
    }
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
    let (mut source, length) = input.open()?;
    BUFFER.with_borrow_mut(|buffer| {
        let first = if length <= KEPT { length as usize } else { PREFIX };
        let read = fill(&mut source, space(buffer, first))?;
        if is_archive(&buffer[..read]) {
            return Ok(Met::Archive);
        }
        if read as u64 == length {
            return whole(&buffer[..read], keeper, work);
        }
        if let Ok((header, _)) = open_slice(&buffer[..read], &light())
            && header.pixel.is_some()
        {
            return Ok(Met::Instance { out: work(&header)?, kept: None });
        }
        if length <= SMALL {
            let rest = &mut space(buffer, length as usize)[read..];
            let read = read + fill(&mut source, rest)?;
            let out = slice(&buffer[..read], |header, _| work(header))?;
            return Ok(Met::Instance { out, kept: None });
        }
        let prefix = io::Cursor::new(buffer[..read].to_vec());
        let out = match open(prefix.chain(source), &light()) {
            Ok((header, _)) => work(&header)?,
            Err(reason) if is_bound(&reason) => {
                let _alone = HEAVY.lock();
                let (source, _) = input.open()?;
                work(&open(source, &heavy())?.0)?
            }
            Err(reason) => return Err(reason.into()),
        };
        Ok(Met::Instance { out, kept: None })
    })
}

/// Shows the header of a small input to `work`, and keeps the input if there is room.
fn whole<T>(
    bytes: &[u8],
    keeper: &Keeper,
    work: impl Fn(&Header<'_>) -> Result<T, Reason>,
) -> Result<Met<T>, Fault> {
    let Ok(Some(outline)) = outline(bytes, &light()) else {
        let out = slice(bytes, |header, _| work(header))?;
        return Ok(Met::Instance { out, kept: keeper.keep(bytes, None) });
    };
    let out = work(&outline.open(bytes)?.0)?;
    Ok(Met::Instance { out, kept: keeper.keep(bytes, Some(outline)) })
}

/// Hands a whole instance to `work`.
///
/// # Errors
/// Why the input is no instance, or what `work` says.
pub(crate) fn with_instance<W: Work>(
    input: &Input,
    kept: Option<(&Larder, &Kept)>,
    work: &mut W,
) -> Result<W::Out, Fault> {
    if let Some((larder, kept)) = kept {
        let bytes = larder.bytes(kept);
        if let Some(outline) = &kept.outline {
            let (header, body) = outline.open(bytes)?;
            return Ok(run(work, &header, body)?);
        }
        return Ok(slice(bytes, |header, body| run(work, header, body))?);
    }
    let (mut source, length) = input.open()?;
    BUFFER.with_borrow_mut(|buffer| {
        let read = fill(&mut source, space(buffer, PREFIX))?;
        if let Some((header, body)) = open_prefix(&buffer[..read], &mut source, &light()) {
            return Ok(run(work, &header, body)?);
        }
        if length <= SMALL {
            let rest = &mut space(buffer, (length as usize).max(read))[read..];
            let read = read + fill(&mut source, rest)?;
            return Ok(slice(&buffer[..read], |header, body| run(work, header, body))?);
        }
        let prefix = io::Cursor::new(buffer[..read].to_vec());
        match open(prefix.chain(source), &light()) {
            Ok((header, body)) => Ok(run(work, &header, body)?),
            Err(reason) if is_bound(&reason) => {
                let _alone = HEAVY.lock();
                let (source, _) = input.open()?;
                let (header, body) = open(source, &heavy())?;
                Ok(work.run(&header, body)?)
            }
            Err(reason) => Err(reason.into()),
        }
    })
}

/// The BLAKE3 digest and the length of an input's bytes.
///
/// # Errors
/// What the operating system or the archive says.
pub(crate) fn digest(input: &Input, kept: Option<&[u8]>) -> io::Result<(Digest, u64)> {
    if let Some(bytes) = kept {
        return Ok((Digest(*blake3::hash(bytes).as_bytes()), bytes.len() as u64));
    }
    let (mut source, _) = input.open()?;
    let mut hasher = blake3::Hasher::new();
    let mut length = 0;
    BUFFER
        .with_borrow_mut(|buffer| {
            loop {
                let read = fill(&mut source, space(buffer, 256 << 10))?;
                if read == 0 {
                    return Ok(());
                }
                hasher.update(&buffer[..read]);
                length += read as u64;
            }
        })
        .map(|()| (Digest(*hasher.finalize().as_bytes()), length))
}
