//! Where scrubbed instances go: a folder beside their place while a study is being made, then moved
//! into it whole.

use crate::EngineError;
use crate::inputs::CERTIFICATE;
use crate::journal::{Entry, Finished, JOURNAL, Journal};
use scanveil_durable::LocalFile;
use scanveil_model::{Digest, Reason, ReasonCode};
use scanveil_scrub::{Certificate, Prepared};
use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// How a folder of unfinished outputs begins.
const PART: &str = ".scanveil-part-";
/// The lock within it: held while its run lives.
const LOCK: &str = "lock";
/// Writes up to this size are gathered into one.
const GATHERED: usize = 4 << 10;

thread_local! {
    /// What is gathered for one write.
    static GATHER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The output folder of a run.
pub struct Staging {
    out: PathBuf,
    part: PathBuf,
    _lock: File,
    journal: Journal,
    /// Parts of runs that were stopped, with their locks: what they finished is taken over.
    abandoned: Vec<(PathBuf, Option<File>)>,
    failed: OnceLock<io::Error>,
    done: OnceLock<()>,
}

impl Staging {
    /// Makes the output folder, finds what stopped runs left in it, and begins a new part.
    ///
    /// # Errors
    /// What the system says of the folder.
    pub fn new(out: &Path) -> Result<Self, EngineError> {
        Self::begin(out).map_err(|error| EngineError::path("the output folder", &error))
    }

    fn begin(out: &Path) -> io::Result<Self> {
        fs::create_dir_all(out)?;
        let mut abandoned = Vec::new();
        for entry in fs::read_dir(out)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(PART.as_bytes()) {
                abandoned.extend(claim_abandoned(entry.path()));
            }
        }
        let part = (0..1000)
            .map(|n| out.join(format!("{PART}{}-{n}", std::process::id())))
            .find(|part| fs::create_dir(part).is_ok())
            .ok_or(io::ErrorKind::PermissionDenied)?;
        let lock = File::create(part.join(LOCK))?;
        lock.lock()?;
        let journal = Journal::create(&part.join(JOURNAL))?;
        let (failed, done) = (OnceLock::new(), OnceLock::new());
        Ok(Self { out: out.to_owned(), part, _lock: lock, journal, abandoned, failed, done })
    }

    /// Takes over what stopped runs have finished of these studies, and removes the rest of them.
    pub(crate) fn take_over(&mut self, wanted: &HashSet<Digest>) -> Result<Finished, EngineError> {
        let parts = std::mem::take(&mut self.abandoned);
        let journals: Vec<PathBuf> = parts.iter().map(|(part, _)| part.join(JOURNAL)).collect();
        let taken = self.journal.take_over(&journals, wanted, &self.out);
        for (part, _) in &parts {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(part);
        }
        taken.map_err(|error| EngineError::path("the output folder", &error))
    }

    /// Notes a study that is in its place.
    pub(crate) fn finished(&self, study: Digest, instances: Vec<Entry>) {
        if self.has_failed() {
            return;
        }
        if let Err(error) = self.journal.note(study, instances) {
            self.note(error);
        }
    }

    /// Says that the run came to its end: nobody will go on with it.
    pub fn done(&self) {
        // Said once.
        let _ = self.done.set(());
    }

    /// Why outputs cannot be written any more, if so.
    pub(crate) fn failure(&self) -> Option<EngineError> {
        self.failed.get().map(|error| EngineError::path("an output", error))
    }

    /// Whether writing has failed, so that there is no point in going on.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.get().is_some()
    }

    fn note(&self, error: io::Error) {
        // The first failure is the one to tell.
        let _ = self.failed.set(error);
    }

    /// Makes the unfinished file of an instance.
    pub(crate) fn create(&self, prepared: &Prepared<'_>) -> io::Result<Part<'_>> {
        let folder = self
            .part
            .join(prepared.patient_pseudonym())
            .join(prepared.names().study.as_str())
            .join(prepared.names().series.as_str());
        let path = folder.join(format!("{}.dcm", prepared.names().sop_instance.as_str()));
        let file = make(&path, &folder).inspect_err(|error| self.note(error.kind().into()))?;
        Ok(Part { staging: self, local: Some(LocalFile::of(path)), file })
    }

    /// Writes what was done to a study beside its series.
    pub(crate) fn certify(&self, pseudonym: &str, certificate: &Certificate) {
        let path = self.part.join(pseudonym).join(certificate.study()).join(CERTIFICATE);
        if let Err(error) = fs::write(path, certificate.to_json()) {
            self.note(error);
        }
    }

    /// Moves a finished study to its place; files that are there already are replaced.
    pub(crate) fn publish(&self, pseudonym: &str, study: &str) {
        if self.has_failed() {
            return;
        }
        let from = self.part.join(pseudonym).join(study);
        if !from.exists() {
            return;
        }
        let to = self.out.join(pseudonym).join(study);
        let moved = fs::create_dir_all(self.out.join(pseudonym)).and_then(|()| merge(&from, &to));
        if let Err(error) = moved {
            self.note(error);
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed is left to the next run.
        let noted = fs::metadata(self.part.join(JOURNAL)).is_ok_and(|found| found.len() > 0);
        if self.done.get().is_some() || !noted {
            let _ = fs::remove_dir_all(&self.part);
            return;
        }
        // Stopped: what is finished is in its place and in the journal; the rest is no use.
        for entry in fs::read_dir(&self.part).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// The part of a run that was stopped, and its lock; one that lives holds that itself.
fn claim_abandoned(part: PathBuf) -> Option<(PathBuf, Option<File>)> {
    match File::open(part.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok().then_some((part, Some(lock))),
        Err(error) => (error.kind() == io::ErrorKind::NotFound).then_some((part, None)),
    }
}

/// Makes a file, and the folder it is in. Another thread can remove that folder at the same moment,
/// when what it held turned out not to be clean.
fn make(path: &Path, folder: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    for _ in 0..100 {
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder)?,
            other => return other,
        }
    }
    options.open(path)
}

/// Moves a folder, into one that is there already entry by entry.
fn merge(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
            ) =>
        {
            for entry in fs::read_dir(from)? {
                let entry = entry?;
                merge(&entry.path(), &to.join(entry.file_name()))?;
            }
            fs::remove_dir(from)
        }
        other => other,
    }
}

/// The unfinished file of one instance: removed unless it was finished.
pub(crate) struct Part<'s> {
    staging: &'s Staging,
    /// Until it is whole.
    local: Option<LocalFile>,
    file: File,
}

impl Part<'_> {
    /// Lets `write` fill the file, in one write where it is small.
    pub(crate) fn fill<T>(
        mut self,
        write: impl FnOnce(&mut Gathering<'_>) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        let done = GATHER.with_borrow_mut(|bytes| -> Result<T, Reason> {
            bytes.clear();
            bytes.reserve(GATHERED);
            let mut out = Gathering { bytes, part: &self };
            let done = write(&mut out)?;
            out.flush().map_err(|_| {
                Reason::new(ReasonCode::Internal, "the output could not be written")
            })?;
            Ok(done)
        })?;
        if let Some(local) = self.local.take() {
            local.keep();
        }
        Ok(done)
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        let Some(local) = self.local.take() else { return };
        let path = local.path().to_owned();
        // A file that stays would be published with its study.
        if let Err(error) = local.discard() {
            return self.staging.note(error);
        }
        // Folders go when nothing else is in them: series, study, patient.
        let above = path.ancestors().skip(1).take(3);
        let _ = above.map(fs::remove_dir).take_while(Result::is_ok).count();
    }
}

/// Gathers small writes; large ones go straight through.
pub(crate) struct Gathering<'g> {
    bytes: &'g mut Vec<u8>,
    part: &'g Part<'g>,
}

impl Gathering<'_> {
    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.part.file)
            .write_all(bytes)
            .inspect_err(|error| self.part.staging.note(error.kind().into()))
    }
}

impl Write for Gathering<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > GATHERED {
            self.flush()?;
        }
        if bytes.len() >= GATHERED {
            self.put(bytes)?;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.bytes.is_empty() {
            self.put(self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }
}
