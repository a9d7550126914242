//! What can go wrong with a release.

use crate::lost::Lost;
use scanveil_catalog::CatalogError;
use scanveil_model::{Coded, ObjectId};
use scanveil_seal::SealError;
use std::path::PathBuf;

/// An error of making or checking a release. Paths are those the caller named; nothing else that
/// came from outside is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The folder holds something already.
    #[error("the folder {path} is not empty", path = path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The folder does not hold the beginning of this release.
    #[error("the folder {path} does not hold this release, unfinished", path = path.display())]
    NotResumable {
        /// The folder.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No room left.
    #[error("no space left for the release")]
    DiskFull,
    /// The catalogue failed.
    #[error("the catalogue failed")]
    Catalog {
        /// What it said.
        #[source]
        source: CatalogError,
    },
    /// A stored object could not be opened or read.
    #[error("object {object} cannot be opened")]
    Object {
        /// The object.
        object: ObjectId,
        /// Why.
        #[source]
        source: SealError,
    },
    /// A stored object is not what the catalogue says it is.
    #[error("object {object} is not what the catalogue says: {what} differs")]
    ObjectMismatch {
        /// The object.
        object: ObjectId,
        /// What differs.
        what: &'static str,
    },
    /// Objects that belong into the release are gone, changed, or not in the catalogue.
    #[error("the release would be short of {}: {}", count(.lost), named(.lost))]
    Short {
        /// Each of them.
        lost: Vec<Lost>,
    },
    /// An instance carries an identifier that is not safe as a file name.
    #[error("instance {entry} of object {object} has an identifier that cannot be a file name")]
    UnsafeName {
        /// The object.
        object: ObjectId,
        /// The instance's place in it.
        entry: usize,
    },
    /// Nothing to release.
    #[error("the project has nothing to release: {left_out} instances are left out")]
    Empty {
        /// Instances held back or filtered out.
        left_out: u64,
    },
    /// More instances than one release may hold.
    #[error("{count} instances are more than a release may hold ({limit})")]
    TooMany {
        /// Instances wanted.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// A table could not be written.
    #[error("a table could not be written")]
    Table {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The worker threads could not be started.
    #[error("the worker threads could not be started")]
    Threads {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The time given is outside the calendar.
    #[error("the time of the release is outside the calendar")]
    Time,
    /// The manifest is missing or is not one.
    #[error("the manifest cannot be read: {what}")]
    Manifest {
        /// What is wrong.
        what: &'static str,
    },
    /// The manifest is of a version that this program does not know.
    #[error("the manifest has version {found}, this program knows up to {known}")]
    NewerVersion {
        /// The version met.
        found: u64,
        /// The newest version this program knows.
        known: u32,
    },
    /// Folders lie deeper than a release's do.
    #[error("the folder {path} has more levels than a release", path = path.display())]
    TooDeep {
        /// The folder.
        path: PathBuf,
    },
}

/// Objects that the message names one by one.
const MAX_NAMED: usize = 50;

fn count(lost: &[Lost]) -> String {
    match lost.len() {
        1 => "one object".to_owned(),
        more => format!("{more} objects"),
    }
}

fn named(lost: &[Lost]) -> String {
    let names: Vec<String> = lost.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    let more = lost.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    names.join("; ") + &more
}

impl ReleaseError {
    /// An error that names what is lost, if anything is.
    pub(crate) fn unless_whole(mut lost: Vec<Lost>) -> Result<(), Self> {
        lost.sort();
        if lost.is_empty() { Ok(()) } else { Err(Self::Short { lost }) }
    }
}

impl From<CatalogError> for ReleaseError {
    fn from(source: CatalogError) -> Self {
        Self::Catalog { source }
    }
}

impl Coded for ReleaseError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotEmpty { .. } => "SV-RELEASE-001",
            Self::NotResumable { .. } => "SV-RELEASE-002",
            Self::Io { .. } => "SV-RELEASE-003",
            Self::DiskFull => "SV-RELEASE-004",
            Self::Catalog { .. } => "SV-RELEASE-005",
            Self::Object { .. } => "SV-RELEASE-006",
            Self::ObjectMismatch { .. } => "SV-RELEASE-007",
            Self::UnsafeName { .. } => "SV-RELEASE-008",
            Self::Empty { .. } => "SV-RELEASE-009",
            Self::TooMany { .. } => "SV-RELEASE-010",
            Self::Table { .. } => "SV-RELEASE-011",
            Self::Threads { .. } => "SV-RELEASE-012",
            Self::Time => "SV-RELEASE-013",
            Self::Manifest { .. } => "SV-RELEASE-014",
            Self::NewerVersion { .. } => "SV-RELEASE-015",
            Self::TooDeep { .. } => "SV-RELEASE-016",
            Self::Short { .. } => "SV-RELEASE-017",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::NotEmpty { .. } => {
                "name an empty folder, or resume if this release was begun in it"
            }
            Self::NotResumable { .. } => {
                "resume only the release that was begun in this folder; else name an empty one"
            }
            Self::Io { .. } => "check that the folder exists and may be read and written",
            Self::DiskFull => "free space or name another disk, then resume the release",
            Self::Catalog { source } => return source.next_step(),
            Self::Object { source, .. } => return source.next_step(),
            Self::ObjectMismatch { .. } => {
                "run `scanveil store rebuild`; if it stays, restore the object from a copy"
            }
            Self::Short { .. } => {
                "run `scanveil store check`, restore what it names or make it again with `scanveil \
                 batch run`, and run `scanveil store rebuild` for what the catalogue does not \
                 know; then resume. To go without them: `--leave-out-unreadable`"
            }
            Self::UnsafeName { .. } => "keep the object and report this: the scrubber let it pass",
            Self::Empty { .. } => {
                "look at the quarantine and at the filters; push studies for this project"
            }
            Self::TooMany { .. } => "make several releases with filters",
            Self::Table { .. } => "check the free space, then resume the release",
            Self::Threads { .. } => "ask for fewer threads",
            Self::Time => "check the machine's clock",
            Self::Manifest { .. } => "check that this is the folder of a finished release",
            Self::NewerVersion { .. } => "use the newer scanveil that made this release",
            Self::TooDeep { .. } => "remove what does not belong to the release",
        }
        .to_owned()
    }
}
