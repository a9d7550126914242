//! Sending many instances over several associations.

use super::error::DimseError;
use super::sender::{Sender, SenderOptions};
use super::status::Status;
use crate::intake::PEEK_BYTES;
use scanveil_model::Uid;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// An instance that can be sent.
pub trait Outgoing: Sync {
    /// SOP Class UID.
    fn sop_class_uid(&self) -> &Uid;
    /// SOP Instance UID.
    fn sop_instance_uid(&self) -> &Uid;
    /// The transfer syntax the data set is in; it is sent as it is.
    fn transfer_syntax(&self) -> &Uid;
    /// Opens the data set, without preamble and file meta information.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn open(&self) -> io::Result<Box<dyn Read + '_>>;
}

enum Source {
    Path(PathBuf),
    Bytes(Vec<u8>),
}

/// A Part 10 file, on disk or in memory.
pub struct OutgoingFile {
    sop_class_uid: Uid,
    sop_instance_uid: Uid,
    transfer_syntax: Uid,
    data_set_at: usize,
    source: Source,
}

impl OutgoingFile {
    /// Looks into a file.
    ///
    /// # Errors
    /// [`DimseError::Source`] when it cannot be read, [`DimseError::NotAnInstance`] when its first
    /// bytes do not say what it is.
    pub fn from_path(path: &Path) -> Result<Self, DimseError> {
        let mut prefix = Vec::with_capacity(PEEK_BYTES);
        let file = File::open(path).map_err(DimseError::Source)?;
        file.take(PEEK_BYTES as u64).read_to_end(&mut prefix).map_err(DimseError::Source)?;
        Self::peeked(&prefix, Source::Path(path.to_owned()))
    }

    /// Takes a whole file from memory.
    ///
    /// # Errors
    /// [`DimseError::NotAnInstance`] when its first bytes do not say what it is.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, DimseError> {
        let prefix = bytes[..bytes.len().min(PEEK_BYTES)].to_vec();
        Self::peeked(&prefix, Source::Bytes(bytes))
    }

    fn peeked(prefix: &[u8], source: Source) -> Result<Self, DimseError> {
        let peeked =
            scanveil_dataset::peek_part10(prefix).map_err(|_| DimseError::NotAnInstance)?;
        match (peeked.sop_class_uid, peeked.sop_instance_uid, peeked.transfer_syntax) {
            (Some(sop_class_uid), Some(sop_instance_uid), Some(transfer_syntax)) => Ok(Self {
                sop_class_uid,
                sop_instance_uid,
                transfer_syntax,
                data_set_at: peeked.data_set_at,
                source,
            }),
            _ => Err(DimseError::NotAnInstance),
        }
    }
}

impl Outgoing for OutgoingFile {
    fn sop_class_uid(&self) -> &Uid {
        &self.sop_class_uid
    }
    fn sop_instance_uid(&self) -> &Uid {
        &self.sop_instance_uid
    }
    fn transfer_syntax(&self) -> &Uid {
        &self.transfer_syntax
    }
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        match &self.source {
            Source::Bytes(bytes) => {
                Ok(Box::new(Cursor::new(bytes.get(self.data_set_at..).unwrap_or_default())))
            }
            Source::Path(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(self.data_set_at as u64))?;
                Ok(Box::new(BufReader::new(file)))
            }
        }
    }
}

/// What became of the instances that were to be sent.
#[derive(Debug, Default)]
pub struct SendSummary {
    /// Taken by the peer.
    pub taken: usize,
    /// Refused by the peer, by status.
    pub refused: BTreeMap<Status, usize>,
    /// Not sent: the peer accepted no context for them, or an association broke.
    pub unsent: usize,
    /// Why associations broke, one error each.
    pub errors: Vec<DimseError>,
}

/// Sends all instances over up to `associations` associations at the same time. An instance that is
/// refused stops no other; an association that breaks leaves the rest to the others.
#[must_use]
pub fn send_all<T: Outgoing>(
    options: &SenderOptions,
    instances: &[T],
    associations: usize,
) -> SendSummary {
    let mut pairs: Vec<(Uid, Uid)> = instances
        .iter()
        .map(|item| (item.sop_class_uid().clone(), item.transfer_syntax().clone()))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let next = AtomicUsize::new(0);
    let summary = Mutex::new(SendSummary::default());
    thread::scope(|scope| {
        for _ in 0..associations.clamp(1, instances.len().max(1)) {
            scope.spawn(|| {
                if let Err(error) = send_some(options, &pairs, instances, &next, &summary) {
                    note(&summary, |summary| summary.errors.push(error));
                }
            });
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    let refused: usize = summary.refused.values().sum();
    summary.unsent = instances.len() - summary.taken - refused;
    summary
}

fn note(summary: &Mutex<SendSummary>, change: impl FnOnce(&mut SendSummary)) {
    change(&mut summary.lock().unwrap_or_else(PoisonError::into_inner));
}

fn send_some<T: Outgoing>(
    options: &SenderOptions,
    pairs: &[(Uid, Uid)],
    instances: &[T],
    next: &AtomicUsize,
    summary: &Mutex<SendSummary>,
) -> Result<(), DimseError> {
    let mut sender = Sender::associate(options, pairs)?;
    while let Some(item) = instances.get(next.fetch_add(1, Ordering::Relaxed)) {
        let data = match item.open() {
            Ok(data) => data,
            Err(error) => {
                note(summary, |summary| summary.errors.push(DimseError::Source(error)));
                continue;
            }
        };
        let status = sender.store(
            item.sop_class_uid(),
            item.sop_instance_uid(),
            item.transfer_syntax(),
            data,
        );
        match status {
            Ok(status) if status.is_taken() => note(summary, |summary| summary.taken += 1),
            Ok(status) => note(summary, |s| *s.refused.entry(status).or_default() += 1),
            Err(DimseError::NotAccepted) => {
                note(summary, |summary| summary.errors.push(DimseError::NotAccepted));
            }
            Err(error) => return Err(error),
        }
    }
    sender.release()
}
